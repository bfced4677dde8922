/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_client.c - control socket, the side that asks: one command, one answer, and errors that say
 * what to do next. */
#include "ctl.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "clock.h"
#include "util.h"

/* No answer of a daemon of ours comes near; more would be somebody else's. */
#define REPLY_MAX ((size_t)64 << 20)

struct call {
	const char *path;
	int fd;
	int timeout_ms;
	uint64_t deadline_ns;
	char *error;
};

__attribute__((format(printf, 3, 4))) static int fail(struct call *call, int err, const char *fmt,
						      ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(call->error, CTL_ERROR_MAX, fmt, args);
	va_end(args);
	return err;
}

/* The daemon by its socket: /run/xenback/NAME.ctl. */
static int daemon_name(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	size_t n;

	*name = slash ? slash + 1 : path;
	n = strlen(*name);
	if (n > 4 && !strcmp(*name + n - 4, ".ctl"))
		n -= 4;
	return (int)MIN(n, 64);
}

static int explain_connect(struct call *call, int err)
{
	const char *name;
	int n = daemon_name(call->path, &name);

	switch (err) {
	case ENOENT:
	case ENOTDIR:
		return fail(call, -err,
			    "%.*s is not running: there is no control socket %.200s; start it with "
			    "`systemctl start %.*s`",
			    n, name, call->path, n, name);
	case ECONNREFUSED:
		return fail(call, -err,
			    "%.*s is not running: nobody listens on %.200s; see `systemctl status "
			    "%.*s`",
			    n, name, call->path, n, name);
	case EACCES:
	case EPERM:
		return fail(call, -err,
			    "no permission for the control socket %.200s: run it as root (sudo)",
			    call->path);
	case EAGAIN:
		return fail(call, -err,
			    "%.*s has too many connections waiting on %.200s; try again, or see "
			    "`systemctl status %.*s`",
			    n, name, call->path, n, name);
	}
	return fail(call, -err, "cannot connect to the control socket %.200s: %s", call->path,
		    strerror(err));
}

static int call_connect(struct call *call)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(call->path) >= sizeof(address.sun_path))
		return fail(call, -ENAMETOOLONG, "socket path %.120s is longer than %zu bytes",
			    call->path, sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, call->path);
	call->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (call->fd < 0)
		return fail(call, -errno, "socket: %s", strerror(errno));
	if (connect(call->fd, (struct sockaddr *)&address, sizeof(address)))
		return explain_connect(call, errno);
	return 0;
}

static int call_wait(struct call *call, short events)
{
	struct pollfd pfd = {.fd = call->fd, .events = events};
	uint64_t now_ns = clock_now(&clock_monotonic);
	const char *name;
	int n = daemon_name(call->path, &name);

	if (now_ns < call->deadline_ns) {
		uint64_t left_ms = DIV_ROUND_UP(call->deadline_ns - now_ns, NSEC_PER_MSEC);
		int n_ready = poll(&pfd, 1, (int)left_ms);

		if (n_ready > 0 || (n_ready < 0 && errno == EINTR))
			return 0;
	}
	return fail(call, -ETIMEDOUT,
		    "no answer from %.200s within %d ms; see `journalctl -u %.*s`", call->path,
		    call->timeout_ms, n, name);
}

static int call_send(struct call *call, const char *line, size_t size)
{
	while (size) {
		ssize_t n = send(call->fd, line, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		int err;

		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0; /* it may have said why before it closed */
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail(call, -errno, "sending to %.200s: %s", call->path,
				    strerror(errno));
		if (n > 0) {
			line += n;
			size -= (size_t)n;
			continue;
		}
		err = call_wait(call, POLLOUT);
		if (err)
			return err;
	}
	return 0;
}

static int call_ended(struct call *call)
{
	const char *name;
	int n = daemon_name(call->path, &name);

	return fail(call, -ECONNRESET,
		    "%.*s closed %.200s without an answer; see `journalctl -u %.*s`", n, name,
		    call->path, n, name);
}

/* Reads up to the newline; *size without it. */
static int call_receive(struct call *call, char **reply, size_t *size)
{
	size_t room = 0;

	for (*size = 0;;) {
		ssize_t n;
		int err;

		if (*size == room) {
			room = room ? room * 2 : 4096;
			*reply = xb_realloc(*reply, room);
		}
		n = recv(call->fd, *reply + *size, room - *size, MSG_DONTWAIT);
		if (!n || (n < 0 && errno == ECONNRESET))
			return call_ended(call);
		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR)
				return fail(call, -errno, "reading from %.200s: %s", call->path,
					    strerror(errno));
			err = call_wait(call, POLLIN);
			if (err)
				return err;
			continue;
		}
		*size += (size_t)n;
		if ((*reply)[*size - 1] == '\n') {
			--*size;
			return 0;
		}
		if (*size > REPLY_MAX)
			return fail(call, -EMSGSIZE, "the answer from %.200s does not end",
				    call->path);
	}
}

static int parse_reply(struct call *call, const char *reply, size_t size, json_t **result)
{
	json_t *json = json_loadb(reply, size, 0, NULL);
	const json_t *ok = json_object_get(json, "ok");
	const char *error = json_string_value(json_object_get(json, "error"));
	int err = 0;

	if (json_is_true(ok))
		*result = json_incref(json_object_get(json, "result"));
	else if (json_is_false(ok) && error)
		err = fail(call, -EREMOTEIO, "%s", error);
	else
		err = fail(call, -EPROTO,
			   "%.200s answered something that is no reply of a xenback daemon",
			   call->path);
	json_decref(json);
	if (!err && !*result)
		*result = json_null();
	return err;
}

int ctl_call(const char *path, const char *cmd, json_t *args, int timeout_ms, json_t **result,
	     char error[CTL_ERROR_MAX])
{
	struct call call = {.path = path, .fd = -1, .timeout_ms = timeout_ms, .error = error};
	json_t *request = json_pack("{s:s, s:O*}", "cmd", cmd, "args", args);
	AUTO_FREE char *text = json_dumps(request, JSON_COMPACT);
	AUTO_FREE char *line = text ? xb_asprintf("%s\n", text) : NULL;
	AUTO_FREE char *reply = NULL;
	size_t size;
	int err;

	json_decref(request);
	*result = NULL;
	if (!line)
		return fail(&call, -EINVAL, "the command is not UTF-8");
	if (strlen(line) > CTL_LINE_MAX)
		return fail(&call, -E2BIG, "the command is longer than %d bytes", CTL_LINE_MAX);
	call.deadline_ns = clock_now(&clock_monotonic) + (uint64_t)timeout_ms * NSEC_PER_MSEC;
	err = call_connect(&call);
	if (!err)
		err = call_send(&call, line, strlen(line));
	if (!err)
		err = call_receive(&call, &reply, &size);
	if (!err)
		err = parse_reply(&call, reply, size, result);
	if (call.fd >= 0)
		close(call.fd);
	return err;
}
