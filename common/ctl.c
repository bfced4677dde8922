/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctl.c - control socket, the daemon's side; ctl_client.c is the other one.
 *
 * Theory of Operation: one stream socket, lines of JSON. A client's bytes gather in its buffer
 * until a newline; the reply goes into its output buffer, and while that has not gone out nothing
 * more is read from it: a client that asks and never reads costs one reply. A client may not stall,
 * nor even slow, the loop of the daemon.
 */
#include "ctl.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <utlist.h>

#include "log.h"
#include "util.h"

#define LOG_MODULE "ctl"

#define CLIENTS_MAX	    16
#define CONNECTIONS_PER_SEC 1000
#define USEC_PER_SEC	    1000000

struct command {
	struct command *prev, *next;
	const char *name, *usage;
	ctl_fn fn;
	void *ctx;
};

struct client {
	struct client *prev, *next;
	struct ctl *ctl;
	sd_event_source *source;
	int fd;
	uid_t uid;
	char in[CTL_LINE_MAX + 1]; /* bytes of lines not yet answered */
	size_t n_in;
	char *out; /* reply on its way, NULL = none */
	size_t n_out, out_pos;
	bool closing; /* close when `out` is out */
};

struct ctl {
	sd_event *event;
	sd_event_source *source;
	int fd;
	char *path; /* of the socket that we made and remove; NULL = systemd's, or none */
	struct command *commands;
	ctl_allow_fn allow; /* NULL: nobody but root */
	void *allow_ctx;
	uid_t peer; /* who is answered */
	struct client *clients;
	unsigned int n_clients;
};

/* Text of foreign origin may not be UTF-8, and then JSON cannot hold it. */
static json_t *json_text(const char *text)
{
	json_t *json = json_string(text);
	AUTO_FREE char *ascii = NULL;

	if (json)
		return json;
	ascii = xb_strdup(text);
	for (char *c = ascii; *c; c++)
		if (*c & 0x80)
			*c = '?';
	return json_string(ascii);
}

static char *reply_line(json_t *reply)
{
	char *text = json_dumps(reply, JSON_COMPACT);

	json_decref(reply);
	return text ? text
		    : xb_strdup("{\"ok\":false,\"error\":\"the reply does not fit into JSON\"}");
}

static char *error_line(const char *error)
{
	return reply_line(json_pack("{s:b, s:o}", "ok", 0, "error", json_text(error)));
}

static struct command *find_command(struct ctl *ctl, const char *name)
{
	struct command *command;

	DL_FOREACH (ctl->commands, command) {
		if (!strcmp(command->name, name))
			return command;
	}
	return NULL;
}

static char *unknown_command(struct ctl *ctl, const char *name)
{
	AUTO_FREE char *text = NULL;
	struct command *command;
	struct nearest nearest;

	nearest_init(&nearest, name);
	DL_FOREACH (ctl->commands, command) {
		nearest_offer(&nearest, command->name);
	}
	if (nearest.best)
		text = xb_asprintf(
			"unknown command \"%.64s\"; did you mean \"%s\"? `help` lists the commands",
			name, nearest.best);
	else
		text = xb_asprintf("unknown command \"%.64s\"; `help` lists the commands", name);
	return error_line(text);
}

/* cmd NULL: may he connect? */
static bool may_ask(const struct ctl *ctl, uid_t uid, const char *cmd)
{
	return uid == 0 || uid == geteuid() || (ctl->allow && ctl->allow(ctl->allow_ctx, uid, cmd));
}

static char *run_command(struct ctl *ctl, const char *name, json_t *args)
{
	struct command *command = find_command(ctl, name);
	char error[CTL_ERROR_MAX] = "";
	json_t *result = NULL;
	int err;

	if (!command)
		return unknown_command(ctl, name);
	if (!may_ask(ctl, ctl->peer, name))
		return error_line("permission denied: only root may run this command");
	log_debug("command %s", name);
	err = command->fn(command->ctx, args, &result, error);
	if (err) {
		json_decref(result);
		return error_line(*error ? error : strerror(-err));
	}
	return reply_line(
		json_pack("{s:b, s:o}", "ok", 1, "result", result ? result : json_null()));
}

/* *not_json: this is no client of ours, and what follows will not be better. */
static char *answer(struct ctl *ctl, const char *line, size_t size, bool *not_json)
{
	json_error_t why;
	json_t *request = json_loadb(line, size, JSON_REJECT_DUPLICATES, &why);
	json_t *args = json_object_get(request, "args");
	const char *name = json_string_value(json_object_get(request, "cmd"));
	AUTO_FREE char *text = NULL;
	char *reply;

	*not_json = !request;
	if (!request) {
		text = xb_asprintf(
			"the request is not JSON: %s (column %d); expected {\"cmd\": \"help\"}",
			why.text, why.column);
		return error_line(text);
	}
	if (!name) {
		reply = error_line("the request needs a member \"cmd\", a string, such as "
				   "{\"cmd\": \"help\"}");
	} else if (args && !json_is_object(args)) {
		reply = error_line(
			"\"args\" of a request is an object, such as {\"name\": \"team0\"}");
	} else {
		args = args ? json_incref(args) : json_object();
		reply = run_command(ctl, name, args);
		json_decref(args);
	}
	json_decref(request);
	return reply;
}

char *ctl_handle(struct ctl *ctl, const char *line, size_t size)
{
	bool not_json;

	ctl->peer = 0;
	return answer(ctl, line, size, &not_json);
}

void ctl_set_allow(struct ctl *ctl, ctl_allow_fn fn, void *ctx)
{
	ctl->allow = fn;
	ctl->allow_ctx = ctx;
}

uid_t ctl_peer(const struct ctl *ctl)
{
	return ctl->peer;
}

void ctl_register(struct ctl *ctl, const char *name, const char *usage, ctl_fn fn, void *ctx)
{
	struct command *command = xb_calloc(1, sizeof(*command));

	*command = (struct command){.name = name, .usage = usage, .fn = fn, .ctx = ctx};
	DL_APPEND(ctl->commands, command);
}

static int cmd_help(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct ctl *ctl = ctx;
	struct command *command;

	*result = json_array();
	DL_FOREACH (ctl->commands, command) {
		json_array_append_new(*result, json_pack("{s:s, s:s}", "cmd", command->name,
							 "usage", command->usage));
	}
	return 0;
}

static void client_close(struct client *client)
{
	struct ctl *ctl = client->ctl;

	DL_DELETE(ctl->clients, client);
	ctl->n_clients--;
	sd_event_source_disable_unref(client->source);
	close(client->fd);
	free(client->out);
	free(client);
}

/* Takes the reply over. */
static void client_reply(struct client *client, char *reply)
{
	size_t n = strlen(reply);

	client->out = xb_realloc(reply, n + 2);
	memcpy(client->out + n, "\n", 2);
	client->n_out = n + 1;
	client->out_pos = 0;
}

/* Sends what goes; false when the client is gone. */
static bool client_flush(struct client *client)
{
	while (client->out) {
		ssize_t n = send(client->fd, client->out + client->out_pos,
				 client->n_out - client->out_pos, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		client->out_pos += (size_t)n;
		if (client->out_pos < client->n_out)
			continue;
		free(client->out);
		client->out = NULL;
	}
	return true;
}

/* Answers the next whole line of the buffer; false when there is none. */
static bool client_next_line(struct client *client)
{
	char *end = memchr(client->in, '\n', client->n_in);
	size_t size;
	bool not_json;

	if (!end) {
		if (client->n_in <= CTL_LINE_MAX)
			return false;
		client_reply(client, error_line("the request is longer than 65536 bytes"));
		client->closing = true;
		return true;
	}
	size = (size_t)(end - client->in);
	client->ctl->peer = client->uid;
	client_reply(client, answer(client->ctl, client->in, size, &not_json));
	client->closing = not_json;
	client->n_in -= size + 1;
	memmove(client->in, end + 1, client->n_in);
	return true;
}

/* Reads at most what the buffer holds; false when the client is gone. */
static bool client_read(struct client *client)
{
	ssize_t n = recv(client->fd, client->in + client->n_in, sizeof(client->in) - client->n_in,
			 MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->n_in += (size_t)n;
	return n > 0;
}

static int on_client(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct client *client = userdata;
	bool alive = client_flush(client);

	if (alive && !client->out && (revents & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		alive = client_read(client);
	while (alive && !client->out && !client->closing && client_next_line(client))
		alive = client_flush(client);
	if (!alive || (client->closing && !client->out)) {
		client_close(client);
		return 0;
	}
	sd_event_source_set_io_events(source, client->out ? EPOLLOUT : EPOLLIN);
	return 0;
}

/* Best effort: the line is short and the socket's buffer is empty. */
static void refuse(int fd, const char *why)
{
	AUTO_FREE char *line = error_line(why);
	AUTO_FREE char *out = xb_asprintf("%s\n", line);

	log_warn("connection refused: %s", why);
	if (send(fd, out, strlen(out), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("the refused one is gone: %m");
	close(fd);
}

static bool is_allowed(const struct ctl *ctl, int fd, uid_t *uid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return false;
	*uid = peer.uid;
	return may_ask(ctl, peer.uid, NULL);
}

static int on_connection(sd_event_source *source, int listen_fd, uint32_t revents, void *userdata)
{
	struct ctl *ctl = userdata;
	struct client *client;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), err;
	uid_t uid;

	if (fd < 0)
		return 0;
	if (!is_allowed(ctl, fd, &uid)) {
		refuse(fd, "permission denied: only root may control the daemon");
		return 0;
	}
	if (ctl->n_clients == CLIENTS_MAX) {
		refuse(fd, "too many connections: 16 are open, close one");
		return 0;
	}
	client = xb_calloc(1, sizeof(*client));
	client->ctl = ctl;
	client->fd = fd;
	client->uid = uid;
	DL_APPEND(ctl->clients, client);
	ctl->n_clients++;
	err = sd_event_add_io(ctl->event, &client->source, fd, EPOLLIN, on_client, client);
	if (err < 0) {
		log_err("no event source for a connection: %s", strerror(-err));
		client_close(client);
	}
	return 0;
}

static int set_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path)) {
		log_err("socket path %s is longer than %zu bytes", path,
			sizeof(address->sun_path) - 1);
		return -ENAMETOOLONG;
	}
	strcpy(address->sun_path, path);
	return 0;
}

/* A socket file that nobody listens on was left by a daemon that died: remove it. */
static int remove_stale(const struct sockaddr_un *address)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (stat(address->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode)) {
		log_err("%s is there and is no socket; remove it or choose another --ctl",
			address->sun_path);
		return -EEXIST;
	}
	if (!connect(fd, (const struct sockaddr *)address, sizeof(*address)) || errno == EAGAIN) {
		log_err("%s is served by another process; is the daemon running already?",
			address->sun_path);
		return -EADDRINUSE;
	}
	log_info("replacing the socket %s of a dead process", address->sun_path);
	return unlink(address->sun_path) ? -errno : 0;
}

/* The directory is systemd's RuntimeDirectory; a daemon started by hand makes it. */
static void make_parent(const char *path)
{
	AUTO_FREE char *dir = xb_strdup(path);
	char *slash = strrchr(dir, '/');

	if (!slash || slash == dir)
		return;
	*slash = 0;
	if (mkdir(dir, 0755) && errno != EEXIST)
		log_debug("mkdir %s: %m", dir);
}

static int listen_at(struct ctl *ctl, const char *path)
{
	struct sockaddr_un address;
	mode_t mask;
	int err = set_address(&address, path);

	if (err)
		return err;
	make_parent(path);
	err = remove_stale(&address);
	if (err)
		return err;
	ctl->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ctl->fd < 0)
		return -errno;
	mask = umask(0177);
	err = bind(ctl->fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	umask(mask);
	if (err) {
		log_err("cannot make the control socket %s: %s", path, strerror(-err));
		return err;
	}
	ctl->path = xb_strdup(path);
	return listen(ctl->fd, CLIENTS_MAX) ? -errno : 0;
}

/* The socket that systemd opened for us, or -1. */
static int inherited_socket(const char *path)
{
	int n = sd_listen_fds(0);

	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++)
		if (sd_is_socket_unix(fd, SOCK_STREAM, 1, path, 0) > 0)
			return fd;
	return -1;
}

int ctl_create(struct ctl **out, sd_event *event, const char *path)
{
	struct ctl *ctl = xb_calloc(1, sizeof(*ctl));
	int err = 0;

	*out = NULL;
	ctl->fd = -1;
	ctl_register(ctl, "help", "help: this list", cmd_help, ctl);
	if (path) {
		ctl->event = sd_event_ref(event);
		ctl->fd = inherited_socket(path);
		if (ctl->fd < 0)
			err = listen_at(ctl, path);
		if (!err)
			err = sd_event_add_io(event, &ctl->source, ctl->fd, EPOLLIN, on_connection,
					      ctl);
		/* Out of descriptors, a connection stays ready for ever. */
		if (err >= 0)
			err = sd_event_source_set_ratelimit(ctl->source, USEC_PER_SEC,
							    CONNECTIONS_PER_SEC);
	}
	if (err < 0) {
		ctl_destroy(ctl);
		return err;
	}
	*out = ctl;
	return 0;
}

void ctl_destroy(struct ctl *ctl)
{
	struct command *command, *next_command;
	struct client *client, *next_client;

	if (!ctl)
		return;
	DL_FOREACH_SAFE (ctl->clients, client, next_client) {
		client_close(client);
	}
	DL_FOREACH_SAFE (ctl->commands, command, next_command) {
		free(command);
	}
	sd_event_source_disable_unref(ctl->source);
	sd_event_unref(ctl->event);
	if (ctl->fd >= 0)
		close(ctl->fd);
	if (ctl->path)
		unlink(ctl->path);
	free(ctl->path);
	free(ctl);
}
