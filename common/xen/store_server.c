/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store_server.c - see store_server.h; the messages are made by wire.c.
 *
 * Theory of Operation: a connection has a buffer for what came in and one for what goes out.
 * Requests are answered, each after the events before it, while the out buffer has room for
 * the largest message; a client that does not read stops being served, and its events gather
 * (bounded) in the store.
 */
#include "store_server.h"

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <utlist.h>

#include "log.h"
#include "util.h"
#include "wire.h"

#define LOG_MODULE "store"

#define OUT_SIZE	(8 * WIRE_MESSAGE_MAX)
#define MESSAGES_A_TURN 64u /* of one client, then the others' turn */

struct conn {
	struct conn *prev, *next;
	struct store_server *server;
	struct store_conn *store; /* NULL: the domid has not come yet */
	sd_event_source *source;
	int fd;
	size_t n_in, n_out;
	char in[WIRE_MESSAGE_MAX];
	char out[OUT_SIZE];
};

/** A domain whose guests are connected. */
struct guest {
	struct guest *prev, *next;
	uint16_t domid;
	unsigned int n_conns;
	bool ours; /* we introduced it */
};

struct listener {
	struct store_server *server;
	sd_event_source *source;
	int fd;
	bool guests;
	struct sockaddr_un address;
};

struct store_server {
	sd_event *event;
	struct store *store;
	struct listener dom0, guest;
	struct conn *conns;
	unsigned int n_conns;
	struct guest *guests;
	struct log_limit log_limit;
};

/* What clients cause must not fill the log. */
static void refuse(struct store_server *server, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void refuse(struct store_server *server, const char *fmt, ...)
{
	AUTO_FREE char *text = NULL;
	uint64_t now_us = 0;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	(void)sd_event_now(server->event, CLOCK_MONOTONIC, &now_us);
	if (text)
		log_limited(&server->log_limit, now_us * NSEC_PER_USEC, LOG_MODULE, LOG_LEVEL_WARN,
			    "%s", text);
}

/* --- guests --- */

static struct guest *find_guest(struct store_server *server, uint16_t domid)
{
	struct guest *guest;

	DL_SEARCH_SCALAR(server->guests, guest, domid, domid);
	return guest;
}

static void guest_joins(struct store_server *server, uint16_t domid)
{
	struct guest *guest = find_guest(server, domid);

	if (!guest) {
		guest = xb_calloc(1, sizeof(*guest));
		guest->domid = domid;
		guest->ours = !store_introduced(server->store, domid);
		DL_APPEND(server->guests, guest);
		store_introduce(server->store, domid);
	}
	guest->n_conns++;
}

static void guest_leaves(struct store_server *server, uint16_t domid)
{
	struct guest *guest = find_guest(server, domid);

	if (--guest->n_conns > 0)
		return;
	if (guest->ours)
		store_release(server->store, domid);
	DL_DELETE(server->guests, guest);
	free(guest);
}

/* --- a connection --- */

/* Events come at any time: have the loop call on_conn(). */
static void on_store_event(void *ctx)
{
	struct conn *conn = ctx;

	sd_event_source_set_io_events(conn->source, EPOLLIN | EPOLLOUT);
}

static void conn_close(struct conn *conn)
{
	struct store_server *server = conn->server;
	uint16_t domid = conn->store ? store_conn_domid(conn->store) : 0;

	if (conn->store)
		store_disconnect(conn->store);
	DL_DELETE(server->conns, conn);
	server->n_conns--;
	sd_event_source_disable_unref(conn->source);
	close(conn->fd);
	free(conn);
	if (domid)
		guest_leaves(server, domid);
}

static void conn_attach(struct conn *conn, uint16_t domid)
{
	conn->store = store_connect(conn->server->store, domid);
	store_on_event(conn->store, on_store_event, conn);
}

static bool conn_flush(struct conn *conn)
{
	while (conn->n_out) {
		ssize_t n = send(conn->fd, conn->out, conn->n_out, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		conn->n_out -= (size_t)n;
		memmove(conn->out, conn->out + n, conn->n_out);
	}
	return true;
}

static bool has_room(const struct conn *conn)
{
	return OUT_SIZE - conn->n_out >= WIRE_MESSAGE_MAX;
}

static void conn_put(struct conn *conn, const struct wire_reply *message)
{
	size_t len = sizeof(message->hdr) + message->hdr.len;

	memcpy(conn->out + conn->n_out, message, len);
	conn->n_out += len;
}

static void conn_consume(struct conn *conn, size_t len)
{
	conn->n_in -= len;
	memmove(conn->in, conn->in + len, conn->n_in);
}

/* The first bytes on the guests' socket; -EAGAIN: not all there yet. */
static int conn_greet(struct conn *conn)
{
	uint32_t domid;

	if (conn->n_in < sizeof(domid))
		return -EAGAIN;
	memcpy(&domid, conn->in, sizeof(domid));
	domid = le32toh(domid);
	if (domid == 0 || domid > STORE_DOMID_MAX) {
		refuse(conn->server,
		       "guest.sock: connection refused: it is domain %u; allowed: 1 to %u", domid,
		       STORE_DOMID_MAX);
		return -EINVAL;
	}
	conn_consume(conn, sizeof(domid));
	guest_joins(conn->server, (uint16_t)domid);
	conn_attach(conn, (uint16_t)domid);
	return 0;
}

/* Answers the next whole message; -EAGAIN: there is none. */
static int conn_request(struct conn *conn)
{
	struct xsd_sockmsg hdr;
	struct wire_reply reply;

	if (!conn->store)
		return conn_greet(conn);
	if (conn->n_in < sizeof(hdr))
		return -EAGAIN;
	memcpy(&hdr, conn->in, sizeof(hdr));
	if (hdr.len > XENSTORE_PAYLOAD_MAX) {
		refuse(conn->server,
		       "domain %u: connection closed: a message of %u bytes, %u are allowed",
		       store_conn_domid(conn->store), hdr.len, XENSTORE_PAYLOAD_MAX);
		return -EINVAL;
	}
	if (conn->n_in < sizeof(hdr) + hdr.len)
		return -EAGAIN;
	wire_request(conn->store, &hdr, conn->in + sizeof(hdr), &reply);
	conn_put(conn, &reply);
	conn_consume(conn, sizeof(hdr) + hdr.len);
	return 0;
}

/* Reads what fits; -EAGAIN: nothing. */
static int conn_fill(struct conn *conn)
{
	ssize_t n =
		recv(conn->fd, conn->in + conn->n_in, sizeof(conn->in) - conn->n_in, MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	conn->n_in += (size_t)n;
	return n == 0 ? -EPIPE : 0;
}

static void conn_put_events(struct conn *conn)
{
	struct wire_reply message;

	while (conn->store && has_room(conn) && wire_event(conn->store, &message))
		conn_put(conn, &message);
}

/* Requests, each after the events that came before it. -EAGAIN: all is done; 0: there may be more;
 * else the client is gone, or to be. */
static int conn_serve(struct conn *conn)
{
	unsigned int turn = 0;
	int rc = 0;

	conn_put_events(conn);
	while (rc == 0 && has_room(conn) && turn++ < MESSAGES_A_TURN) {
		rc = conn_request(conn);
		if (rc == -EAGAIN)
			rc = conn_fill(conn);
		conn_put_events(conn);
	}
	return conn->store && store_has_event(conn->store) && rc == -EAGAIN ? 0 : rc;
}

static int on_conn(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct conn *conn = userdata;
	int rc = conn_flush(conn) ? conn_serve(conn) : -EPIPE;

	if ((rc != 0 && rc != -EAGAIN) || !conn_flush(conn)) {
		conn_close(conn);
		return 0;
	}
	/* Nothing is read while the buffer is full: wait for room, not for requests. */
	if (!has_room(conn))
		sd_event_source_set_io_events(source, EPOLLOUT);
	else
		sd_event_source_set_io_events(source,
					      EPOLLIN | (rc == 0 || conn->n_out ? EPOLLOUT : 0));
	return 0;
}

/* --- listening --- */

static int on_accept(sd_event_source *source, int listen_fd, uint32_t revents, void *userdata)
{
	struct listener *listener = userdata;
	struct store_server *server = listener->server;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), rc;
	struct conn *conn;

	if (fd < 0)
		return 0;
	if (server->n_conns == STORE_SERVER_CONNS_MAX) {
		refuse(server, "connection refused: %u are open", STORE_SERVER_CONNS_MAX);
		close(fd);
		return 0;
	}
	conn = xb_calloc(1, sizeof(*conn));
	conn->server = server;
	conn->fd = fd;
	rc = sd_event_add_io(server->event, &conn->source, fd, EPOLLIN, on_conn, conn);
	if (rc < 0) {
		refuse(server, "connection refused: %s", strerror(-rc));
		close(fd);
		free(conn);
		return 0;
	}
	DL_APPEND(server->conns, conn);
	server->n_conns++;
	if (!listener->guests)
		conn_attach(conn, 0);
	return 0;
}

static bool is_served(const struct sockaddr_un *address)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	       errno == EAGAIN;
}

static int listener_bind(struct listener *listener)
{
	const struct sockaddr *address = (const struct sockaddr *)&listener->address;

	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return -errno;
	/* A socket has the mode of its descriptor at bind(). */
	if (fchmod(listener->fd, 0600) || bind(listener->fd, address, sizeof(listener->address)) ||
	    listen(listener->fd, 64)) {
		int rc = -errno;

		close(listener->fd);
		listener->fd = -1;
		return rc;
	}
	return 0;
}

static int listener_open(struct listener *listener, struct store_server *server, const char *dir,
			 const char *name, bool guests)
{
	char *path = listener->address.sun_path;
	int rc;

	listener->server = server;
	listener->guests = guests;
	listener->address.sun_family = AF_UNIX;
	if ((size_t)snprintf(path, sizeof(listener->address.sun_path), "%s/%s", dir, name) >=
	    sizeof(listener->address.sun_path)) {
		log_err("%s/%s: the name is too long for a socket", dir, name);
		return -ENAMETOOLONG;
	}
	if (is_served(&listener->address)) {
		log_err("%s: another server answers there", path);
		return -EADDRINUSE;
	}
	unlink(path);
	rc = listener_bind(listener);
	if (rc) {
		log_err("%s: cannot listen: %s", path, strerror(-rc));
		return rc;
	}
	rc = sd_event_add_io(server->event, &listener->source, listener->fd, EPOLLIN, on_accept,
			     listener);
	return rc < 0 ? rc : 0;
}

static void listener_close(struct listener *listener)
{
	if (listener->fd < 0)
		return;
	sd_event_source_disable_unref(listener->source);
	close(listener->fd);
	unlink(listener->address.sun_path);
}

int store_server_create(struct store_server **out, sd_event *event, struct store *store,
			const char *dir)
{
	struct store_server *server = xb_calloc(1, sizeof(*server));
	int rc;

	server->event = event;
	server->store = store;
	server->log_limit = (struct log_limit)LOG_LIMIT_INIT(60, 10);
	server->dom0.fd = server->guest.fd = -1;
	rc = listener_open(&server->dom0, server, dir, "xenstored.sock", false);
	if (rc == 0)
		rc = listener_open(&server->guest, server, dir, "guest.sock", true);
	if (rc) {
		store_server_destroy(server);
		return rc;
	}
	*out = server;
	return 0;
}

void store_server_drop_all(struct store_server *server)
{
	struct conn *conn, *next;
	struct guest *guest;

	/* The domains outlive their connections: they connect again. */
	DL_FOREACH (server->guests, guest) {
		guest->ours = false;
	}
	DL_FOREACH_SAFE (server->conns, conn, next) {
		conn_close(conn);
	}
}

void store_server_destroy(struct store_server *server)
{
	struct conn *conn, *next;

	if (!server)
		return;
	listener_close(&server->dom0);
	listener_close(&server->guest);
	DL_FOREACH_SAFE (server->conns, conn, next) {
		conn_close(conn);
	}
	free(server);
}
