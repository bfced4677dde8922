/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store_client.c - see store_client.h.
 *
 * Theory of Operation: one request at a time. Whatever comes in is taken apart at once: an event
 * goes into a queue, the reply to whoever waits for it. The descriptor for the caller's loop is an
 * epoll with the socket and an eventfd; the eventfd is readable while the queue has events or the
 * connection is lost.
 */
#include "store_client.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <utlist.h>

#include "clock.h"
#include "util.h"
#include "wire.h"

#define PARTS_MAX 3

struct event {
	struct event *prev, *next;
	char *path, *token;
};

struct xen_store {
	int fd, event_fd, epoll_fd;
	bool lost;
	struct event *events;
	uint32_t last_id;
	bool waiting, replied; /* for the reply to last_id */
	struct wire_reply reply;
	struct wire_reply in;
	size_t n_in;
};

/* --- opening --- */

static int add_to_epoll(struct xen_store *store, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(store->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int make_fds(struct xen_store *store)
{
	int rc;

	store->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (store->fd >= 0)
		store->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (store->event_fd >= 0)
		store->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (store->epoll_fd < 0)
		return -errno;
	rc = add_to_epoll(store, store->fd);
	return rc ? rc : add_to_epoll(store, store->event_fd);
}

static int connect_to(struct xen_store *store, const char *dir, uint16_t domid)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval wait = {.tv_sec = STORE_CLIENT_WAIT_MS / 1000};
	uint32_t greeting = htole32(domid);

	if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", dir,
			     domid ? "guest.sock" : "xenstored.sock") >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	/* A server that hangs is as good as none (see request() for replies). */
	if (setsockopt(store->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)))
		return -errno;
	if (connect(store->fd, (const struct sockaddr *)&address, sizeof(address)))
		return -errno;
	if (domid && send(store->fd, &greeting, sizeof(greeting), MSG_NOSIGNAL) != sizeof(greeting))
		return -EIO;
	return 0;
}

int store_client_open(struct xen_store **out, const char *dir, uint16_t domid)
{
	struct xen_store *store = xb_calloc(1, sizeof(*store));
	int rc;

	store->fd = store->event_fd = store->epoll_fd = -1;
	rc = make_fds(store);
	if (rc == 0)
		rc = connect_to(store, dir, domid);
	if (rc) {
		store_client_close(store);
		return rc;
	}
	*out = store;
	return 0;
}

static void event_free(struct xen_store *store, struct event *event)
{
	DL_DELETE(store->events, event);
	free(event->path);
	free(event->token);
	free(event);
}

void store_client_close(struct xen_store *store)
{
	struct event *event, *next;

	DL_FOREACH_SAFE (store->events, event, next) {
		event_free(store, event);
	}
	xb_close_fd(&store->epoll_fd);
	xb_close_fd(&store->event_fd);
	xb_close_fd(&store->fd);
	free(store);
}

int store_client_fd(struct xen_store *store)
{
	return store->epoll_fd;
}

/* --- what comes in --- */

static int lose(struct xen_store *store)
{
	store->lost = true;
	(void)eventfd_write(store->event_fd, 1);
	return -EIO;
}

static int take_event(struct xen_store *store)
{
	const char *path = store->in.payload;
	size_t len = store->in.hdr.len, path_len = strnlen(path, len);
	struct event *event;

	/* Two strings with their NULs. */
	if (path_len == len || path_len + 1 == len || path[len - 1] != '\0')
		return -EPROTO;
	event = xb_calloc(1, sizeof(*event));
	event->path = xb_strdup(path);
	event->token = xb_strdup(path + path_len + 1);
	DL_APPEND(store->events, event);
	(void)eventfd_write(store->event_fd, 1);
	return 0;
}

static int take_message(struct xen_store *store)
{
	if (store->in.hdr.type == XS_WATCH_EVENT)
		return take_event(store);
	if (!store->waiting || store->in.hdr.req_id != store->last_id)
		return -EPROTO;
	memcpy(&store->reply, &store->in, sizeof(store->in.hdr) + store->in.hdr.len);
	store->waiting = false;
	store->replied = true;
	return 0;
}

/* Reads once what the message in hand lacks; 1: some, 0: nothing there, -EIO: lost. */
static int pump(struct xen_store *store)
{
	size_t want = sizeof(store->in.hdr);
	ssize_t n;

	if (store->n_in >= want)
		want += store->in.hdr.len;
	n = recv(store->fd, (char *)&store->in + store->n_in, want - store->n_in, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return lose(store);
	store->n_in += (size_t)n;
	if (store->n_in < sizeof(store->in.hdr))
		return 1;
	if (store->in.hdr.len > XENSTORE_PAYLOAD_MAX)
		return lose(store);
	if (store->n_in < sizeof(store->in.hdr) + store->in.hdr.len)
		return 1;
	store->n_in = 0;
	return take_message(store) ? lose(store) : 1;
}

static int64_t now_ms(void)
{
	return (int64_t)(clock_now(&clock_monotonic) / NSEC_PER_MSEC);
}

static int await_reply(struct xen_store *store)
{
	int64_t end = now_ms() + STORE_CLIENT_WAIT_MS, left;
	struct pollfd fd = {.fd = store->fd, .events = POLLIN};
	int rc;

	while (!store->replied) {
		rc = pump(store);
		if (rc < 0)
			return rc;
		left = end - now_ms();
		if (left <= 0)
			return lose(store);
		if (rc == 0)
			(void)poll(&fd, 1, (int)left);
	}
	store->replied = false;
	return 0;
}

/* --- requests --- */

static int send_all(struct xen_store *store, struct iovec *parts, size_t n)
{
	struct msghdr msg = {.msg_iov = parts, .msg_iovlen = n};
	ssize_t sent;

	while (msg.msg_iovlen) {
		sent = sendmsg(store->fd, &msg, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return lose(store);
		for (; msg.msg_iovlen && (size_t)sent >= msg.msg_iov->iov_len; msg.msg_iovlen--)
			sent -= (ssize_t)(msg.msg_iov++)->iov_len;
		if (msg.msg_iovlen == 0)
			break;
		msg.msg_iov->iov_base = (char *)msg.msg_iov->iov_base + sent;
		msg.msg_iov->iov_len -= (size_t)sent;
	}
	return 0;
}

/* Does a request of up to two pieces; the reply is in store->reply. */
static int request(struct xen_store *store, uint32_t type, xen_txn txn, const void *a, size_t a_len,
		   const void *b, size_t b_len)
{
	struct xsd_sockmsg hdr = {
		.type = type,
		.req_id = ++store->last_id,
		.tx_id = txn,
		.len = (uint32_t)(a_len + b_len),
	};
	struct iovec parts[PARTS_MAX] = {
		{&hdr, sizeof(hdr)},
		{(void *)a, a_len},
		{(void *)b, b_len},
	};
	int rc;

	if (a_len > XENSTORE_PAYLOAD_MAX || b_len > XENSTORE_PAYLOAD_MAX - a_len)
		return -E2BIG;
	if (store->lost)
		return -EIO;
	store->waiting = true;
	rc = send_all(store, parts, PARTS_MAX);
	if (rc == 0)
		rc = await_reply(store);
	if (rc)
		return rc;
	store->reply.payload[store->reply.hdr.len] = '\0';
	if (store->reply.hdr.type == XS_ERROR)
		return -wire_errno(store->reply.payload);
	return store->reply.hdr.type == type ? 0 : lose(store);
}

static int request_path(struct xen_store *store, uint32_t type, xen_txn txn, const char *path)
{
	return request(store, type, txn, path, strlen(path) + 1, NULL, 0);
}

int store_client_read(struct xen_store *store, xen_txn txn, const char *path, char **value,
		      size_t *len)
{
	int rc = request_path(store, XS_READ, txn, path);
	size_t n = store->reply.hdr.len;

	if (rc)
		return rc;
	*value = xb_calloc(1, n + 1);
	memcpy(*value, store->reply.payload, n);
	if (len)
		*len = n;
	return 0;
}

int store_client_write(struct xen_store *store, xen_txn txn, const char *path, const char *value,
		       size_t len)
{
	return request(store, XS_WRITE, txn, path, strlen(path) + 1, value, len);
}

int store_client_mkdir(struct xen_store *store, xen_txn txn, const char *path)
{
	return request_path(store, XS_MKDIR, txn, path);
}

int store_client_rm(struct xen_store *store, xen_txn txn, const char *path)
{
	return request_path(store, XS_RM, txn, path);
}

/* --- lists --- */

/** Names as they came, each with its NUL. */
struct names {
	char *text;
	size_t len;
};

static void append(struct names *names, const char *text, size_t len)
{
	names->text = xb_realloc(names->text, names->len + len + 1);
	memcpy(names->text + names->len, text, len);
	names->len += len;
}

static bool is_terminated(const struct wire_reply *reply)
{
	return reply->hdr.len == 0 || reply->payload[reply->hdr.len - 1] == '\0';
}

/* One piece of a long list, from names->len on: 1: more to come. -ESTALE: the list has changed
 * since the first piece. */
static int list_part(struct xen_store *store, xen_txn txn, const char *path, struct names *names,
		     char generation[32])
{
	const char *payload = store->reply.payload;
	AUTO_FREE char *args = xb_asprintf("%s %zu", path, names->len);
	size_t args_len = strlen(args) + 1, n, gen_len;
	int rc;

	args[strlen(path)] = '\0';
	rc = request(store, XS_DIRECTORY_PART, txn, args, args_len, NULL, 0);
	if (rc)
		return rc;
	n = store->reply.hdr.len;
	gen_len = strnlen(payload, n) + 1;
	if (n <= gen_len || gen_len > 32 || payload[n - 1] != '\0')
		return lose(store);
	if (names->len && strcmp(generation, payload))
		return -ESTALE;
	memcpy(generation, payload, gen_len);
	/* An empty name ends the list. */
	if (n == gen_len + 1 || payload[n - 2] == '\0') {
		append(names, payload + gen_len, n - gen_len - 1);
		return 0;
	}
	append(names, payload + gen_len, n - gen_len);
	return 1;
}

static int list_parts(struct xen_store *store, xen_txn txn, const char *path, struct names *names)
{
	char generation[32];
	int rc;

	do {
		rc = list_part(store, txn, path, names, generation);
		if (rc == -ESTALE) {
			names->len = 0;
			rc = 1;
		}
	} while (rc == 1);
	return rc;
}

/* One allocation: the pointers, then the text. */
static char **split(const struct names *from, unsigned int *n)
{
	size_t count = 0;
	char **names, *text;

	for (size_t i = 0; i < from->len; i++)
		count += from->text[i] == '\0';
	names = xb_calloc(1, (count + 1) * sizeof(*names) + from->len);
	text = (char *)(names + count + 1);
	if (from->len)
		memcpy(text, from->text, from->len);
	for (size_t i = 0; i < count; i++, text += strlen(text) + 1)
		names[i] = text;
	*n = (unsigned int)count;
	return names;
}

int store_client_list(struct xen_store *store, xen_txn txn, const char *path, char ***out,
		      unsigned int *n)
{
	struct names names = {0};
	int rc = request_path(store, XS_DIRECTORY, txn, path);

	if (rc == -E2BIG)
		rc = list_parts(store, txn, path, &names);
	else if (rc == 0 && !is_terminated(&store->reply))
		rc = lose(store);
	else if (rc == 0)
		append(&names, store->reply.payload, store->reply.hdr.len);
	if (rc == 0)
		*out = split(&names, n);
	free(names.text);
	return rc;
}

/* --- permissions --- */

int store_client_get_perms(struct xen_store *store, xen_txn txn, const char *path,
			   struct xen_perm **perms, unsigned int *n)
{
	int rc = request_path(store, XS_GET_PERMS, txn, path);
	size_t len = store->reply.hdr.len;
	const char *at = store->reply.payload, *last = at + len;
	struct xen_perm *list;

	if (rc)
		return rc;
	if (len == 0 || !is_terminated(&store->reply))
		return lose(store);
	list = xb_calloc(len, sizeof(*list)); /* more than there can be */
	for (*n = 0; at < last && rc == 0; at += strlen(at) + 1)
		rc = wire_perm_parse(at, &list[(*n)++]);
	if (rc) {
		free(list);
		return lose(store);
	}
	*perms = list;
	return 0;
}

int store_client_set_perms(struct xen_store *store, xen_txn txn, const char *path,
			   const struct xen_perm *perms, unsigned int n)
{
	AUTO_FREE char *text = NULL;
	size_t len = 0;

	if (n > STORE_PERMS_MAX)
		return -EINVAL;
	text = xb_calloc(n + 1, WIRE_PERM_MAX);
	for (unsigned int i = 0; i < n; i++)
		len += wire_perm_format(&perms[i], text + len);
	return request(store, XS_SET_PERMS, txn, path, strlen(path) + 1, text, len);
}

/* --- watches, transactions --- */

int store_client_watch(struct xen_store *store, const char *path, const char *token)
{
	return request(store, XS_WATCH, XEN_TXN_NONE, path, strlen(path) + 1, token,
		       strlen(token) + 1);
}

int store_client_unwatch(struct xen_store *store, const char *path, const char *token)
{
	int rc = request(store, XS_UNWATCH, XEN_TXN_NONE, path, strlen(path) + 1, token,
			 strlen(token) + 1);
	struct event *event, *next;
	size_t len = strlen(path);

	if (rc)
		return rc;
	/* What had come in before. Not those of another watch with this token elsewhere. */
	DL_FOREACH_SAFE (store->events, event, next) {
		bool below =
			!strncmp(event->path, path, len) &&
			(event->path[len] == '\0' || event->path[len] == '/' || !strcmp(path, "/"));

		if (below && !strcmp(event->token, token))
			event_free(store, event);
	}
	return 0;
}

int store_client_event(struct xen_store *store, char **path, char **token)
{
	struct event *event;
	uint64_t count;

	while (!store->lost && !store->events && pump(store) == 1)
		continue;
	event = store->events;
	if (!event) {
		if (store->lost)
			return -EIO;
		(void)eventfd_read(store->event_fd, &count);
		return 0;
	}
	*path = event->path;
	*token = event->token;
	DL_DELETE(store->events, event);
	free(event);
	return 1;
}

int store_client_txn_start(struct xen_store *store, xen_txn *txn)
{
	/* As Xen's library does: an empty string, not nothing. */
	int rc = request_path(store, XS_TRANSACTION_START, XEN_TXN_NONE, "");

	if (rc)
		return rc;
	*txn = (xen_txn)strtoul(store->reply.payload, NULL, 10);
	return *txn == XEN_TXN_NONE ? lose(store) : 0;
}

int store_client_txn_end(struct xen_store *store, xen_txn txn, bool abort)
{
	return request_path(store, XS_TRANSACTION_END, txn, abort ? "F" : "T");
}
