/* SPDX-License-Identifier: GPL-2.0-or-later */
/* box_server.c - see box_server.h. Used by tools/xenbox.c; its clients are box.c in other
 * processes. */
#include "box_server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <utlist.h>

#include "box_wire.h"
#include "log.h"
#include "machine.h"
#include "store.h"
#include "util.h"

#define LOG_MODULE  "box"
#define CLIENTS_MAX 256u

struct pin {
	struct pin *next;
	uint16_t domid;
	uint32_t ref;
	uint32_t generation; /**< of the domain when it was pinned */
};

struct client {
	struct client *prev, *next;
	struct box_server *server;
	sd_event_source *source;
	int fd;
	uint32_t id; /* never used again */
	uint16_t domid;
	bool greeted;
	struct pin *pins;
	bool handles[MACHINE_HANDLES];
};

struct domain {
	int frames_fd; /**< -1: not there */
	unsigned int clients;
	bool ours;			     /* we introduced it, no toolstack */
	uint32_t granted_by[MACHINE_GRANTS]; /* clients' ids */
};

struct box_server {
	sd_event *event;
	sd_event_source *source;
	struct store *store;
	char *path;
	int listen_fd, machine_fd;
	struct machine *machine;
	struct machine_env env;
	int wake_fds[MACHINE_HANDLES];
	struct domain domains[MACHINE_DOMAINS];
	struct client *clients;
	unsigned int n_clients;
	uint32_t last_id;
};

static uint8_t *no_frames(void *ctx, uint16_t domid)
{
	return NULL; /* the daemon copies nothing */
}

static void wake(void *ctx, uint16_t handle)
{
	(void)eventfd_write(((struct box_server *)ctx)->wake_fds[handle], 1);
}

/* --- domains --- */

static int join_domain(struct box_server *s, uint16_t domid)
{
	struct domain *d = &s->domains[domid];

	if (d->clients++ > 0)
		return 0;
	d->frames_fd = memfd_create("xenbox-frames", MFD_CLOEXEC);
	if (d->frames_fd < 0 || ftruncate(d->frames_fd, MACHINE_FRAMES_BYTES) < 0) {
		int rc = -errno;

		if (d->frames_fd >= 0)
			close(d->frames_fd);
		d->frames_fd = -1;
		d->clients = 0;
		return rc;
	}
	d->ours = domid && !store_introduced(s->store, domid);
	if (d->ours)
		store_introduce(s->store, domid);
	log_info("domain %u is up", domid);
	return 0;
}

static void leave_domain(struct box_server *s, uint16_t domid)
{
	struct domain *d = &s->domains[domid];

	if (--d->clients > 0)
		return;
	machine_domain_clear(&s->env, domid);
	close(d->frames_fd);
	d->frames_fd = -1;
	if (d->ours)
		store_release(s->store, domid);
	log_info("domain %u is gone", domid);
}

/* --- requests --- */

static int do_hello(struct client *c, const struct box_request *req, int *fd)
{
	int rc;

	if (c->greeted || req->arg[0] != BOX_VERSION || req->domid >= MACHINE_DOMAINS)
		return -EINVAL;
	rc = join_domain(c->server, req->domid);
	if (rc < 0)
		return rc;
	c->domid = req->domid;
	c->greeted = true;
	*fd = c->server->machine_fd;
	return 0;
}

static int do_frames(struct client *c, const struct box_request *req, struct box_reply *rep,
		     int *fd)
{
	if (req->domid >= MACHINE_DOMAINS || c->server->domains[req->domid].frames_fd < 0)
		return -ENOENT;
	rep->value = c->server->machine->domains[req->domid].generation;
	*fd = c->server->domains[req->domid].frames_fd;
	return 0;
}

static void remove_pin(struct client *c, struct pin **link)
{
	struct machine *m = c->server->machine;
	struct pin *pin = *link;

	if (m->domains[pin->domid].generation == pin->generation)
		machine_unpin(m, pin->domid, pin->ref);
	*link = pin->next;
	free(pin);
}

static int do_unpin(struct client *c, uint16_t domid, const uint32_t *refs, unsigned int n)
{
	int rc = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct pin **link = &c->pins;

		while (*link && ((*link)->domid != domid || (*link)->ref != refs[i]))
			link = &(*link)->next;
		if (*link)
			remove_pin(c, link);
		else
			rc = -EINVAL;
	}
	return rc;
}

static int do_pin(struct client *c, const struct box_request *req)
{
	struct machine *m = c->server->machine;

	for (unsigned int i = 0; i < req->n; i++) {
		int rc = machine_pin(m, c->domid, req->domid, req->refs[i]);
		struct pin *pin;

		if (rc < 0) {
			do_unpin(c, req->domid, req->refs, i);
			return rc;
		}
		pin = xb_calloc(1, sizeof(*pin));
		*pin = (struct pin){c->pins, req->domid, req->refs[i],
				    m->domains[req->domid].generation};
		c->pins = pin;
	}
	return 0;
}

static int do_handle_open(struct client *c, struct box_reply *rep, int *fd)
{
	struct box_server *s = c->server;
	int handle = machine_handle_open(s->machine, c->domid);

	if (handle < 0)
		return handle;
	s->wake_fds[handle] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fds[handle] < 0) {
		machine_handle_close(&s->env, (uint16_t)handle);
		return -EMFILE;
	}
	c->handles[handle] = true;
	rep->value = (uint32_t)handle;
	*fd = s->wake_fds[handle];
	return 0;
}

static void close_handle(struct client *c, uint16_t handle)
{
	struct box_server *s = c->server;

	if (s->machine->handles[handle].used && s->machine->handles[handle].domid == c->domid)
		machine_handle_close(&s->env, handle);
	close(s->wake_fds[handle]);
	s->wake_fds[handle] = -1;
	c->handles[handle] = false;
}

static int do_wake_fd(struct client *c, const struct box_request *req, struct box_reply *rep,
		      int *fd)
{
	if (req->arg[0] >= MACHINE_HANDLES || c->server->wake_fds[req->arg[0]] < 0)
		return -ENOENT;
	rep->value = c->server->machine->handles[req->arg[0]].generation;
	*fd = c->server->wake_fds[req->arg[0]];
	return 0;
}

static int do_grant(struct client *c, const struct box_request *req, struct box_reply *rep)
{
	int first;

	if (req->n == 0 || req->domid >= MACHINE_DOMAINS)
		return -EINVAL;
	first = machine_grant(c->server->machine, c->domid, req->domid, req->n, req->arg[0]);
	if (first < 0)
		return first;
	for (unsigned int i = 0; i < req->n; i++)
		c->server->domains[c->domid].granted_by[(unsigned int)first + i] = c->id;
	rep->value = (uint32_t)first;
	return 0;
}

static int own_handle(const struct client *c, const struct box_request *req)
{
	return req->arg[0] < MACHINE_HANDLES && c->handles[req->arg[0]] ? 0 : -EBADF;
}

static int do_event(struct client *c, const struct box_request *req, struct box_reply *rep)
{
	struct box_server *s = c->server;
	uint16_t handle = (uint16_t)req->arg[0];

	if (own_handle(c, req) < 0)
		return -EBADF;
	if (req->op == BOX_OP_EVT_ALLOC)
		return machine_evt_alloc(s->machine, handle, req->domid, &rep->value);
	if (req->op == BOX_OP_EVT_BIND)
		return machine_evt_bind(&s->env, handle, req->domid, req->arg[1], &rep->value);
	return machine_evt_unbind(s->machine, handle, req->arg[1]);
}

static int perform(struct client *c, const struct box_request *req, struct box_reply *rep, int *fd)
{
	if (!c->greeted && req->op != BOX_OP_HELLO)
		return -EPROTO;
	if (req->n > BOX_PAGES_MAX)
		return -E2BIG;
	switch ((enum box_op)req->op) {
	case BOX_OP_HELLO:
		return do_hello(c, req, fd);
	case BOX_OP_FRAMES:
		return do_frames(c, req, rep, fd);
	case BOX_OP_PIN:
		return do_pin(c, req);
	case BOX_OP_UNPIN:
		return do_unpin(c, req->domid, req->refs, req->n);
	case BOX_OP_GRANT:
		return do_grant(c, req, rep);
	case BOX_OP_UNGRANT:
		return machine_ungrant(c->server->machine, c->domid, req->arg[0], req->n);
	case BOX_OP_HANDLE_OPEN:
		return do_handle_open(c, rep, fd);
	case BOX_OP_HANDLE_CLOSE:
		if (own_handle(c, req) < 0)
			return -EBADF;
		close_handle(c, (uint16_t)req->arg[0]);
		return 0;
	case BOX_OP_WAKE_FD:
		return do_wake_fd(c, req, rep, fd);
	case BOX_OP_EVT_ALLOC:
	case BOX_OP_EVT_BIND:
	case BOX_OP_EVT_UNBIND:
		return do_event(c, req, rep);
	}
	return -ENOSYS;
}

static int send_reply(int sock, const struct box_reply *rep, int fd)
{
	struct iovec iov = {(void *)rep, sizeof(*rep)};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* As Linux's gntalloc does when its file is closed. */
static void end_grants(struct client *c)
{
	const struct domain *d = &c->server->domains[c->domid];

	for (uint32_t ref = 0; ref < MACHINE_GRANTS; ref++)
		if (d->granted_by[ref] == c->id)
			machine_abandon(c->server->machine, c->domid, ref);
}

static void drop_client(struct client *c)
{
	struct box_server *s = c->server;

	while (c->pins)
		remove_pin(c, &c->pins);
	if (c->greeted)
		end_grants(c);
	for (unsigned int i = 0; i < MACHINE_HANDLES; i++)
		if (c->handles[i])
			close_handle(c, (uint16_t)i);
	if (c->greeted)
		leave_domain(s, c->domid);
	/* It may have been killed half-way through a notify. */
	for (unsigned int i = 0; i < MACHINE_HANDLES; i++)
		if (s->wake_fds[i] >= 0)
			machine_evt_rouse(&s->env, (uint16_t)i);
	sd_event_source_unref(c->source);
	close(c->fd);
	DL_DELETE(s->clients, c);
	s->n_clients--;
	free(c);
}

static int on_request(sd_event_source *source, int sock, uint32_t revents, void *ctx)
{
	struct client *c = ctx;
	struct box_request req;
	struct box_reply rep = {0};
	ssize_t n;
	int fd = -1;

	memset(&req, 0, sizeof(req));
	n = recv(sock, &req, sizeof(req), MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < (ssize_t)offsetof(struct box_request, refs) || n > (ssize_t)sizeof(req) ||
	    (size_t)n < offsetof(struct box_request, refs) +
				(req.op == BOX_OP_PIN || req.op == BOX_OP_UNPIN ? req.n * 4u : 0)) {
		if (n > 0)
			log_warn("a client sent %zd bytes that are no request; disconnected", n);
		drop_client(c);
		return 0;
	}
	rep.result = perform(c, &req, &rep, &fd);
	if (send_reply(sock, &rep, rep.result < 0 ? -1 : fd) < 0)
		drop_client(c);
	return 0;
}

static int on_connect(sd_event_source *source, int sock, uint32_t revents, void *ctx)
{
	struct box_server *s = ctx;
	struct client *c;
	int fd = accept4(sock, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return 0;
	if (s->n_clients >= CLIENTS_MAX) {
		log_warn("more than %u clients; one refused", CLIENTS_MAX);
		close(fd);
		return 0;
	}
	c = xb_calloc(1, sizeof(*c));
	c->server = s;
	c->fd = fd;
	c->id = ++s->last_id;
	DL_APPEND(s->clients, c);
	s->n_clients++;
	if (sd_event_add_io(s->event, &c->source, fd, EPOLLIN, on_request, c) < 0)
		drop_client(c);
	return 0;
}

static int listen_at(struct box_server *s)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int probe, rc;

	if (strlen(s->path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, s->path, strlen(s->path));
	probe = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	rc = connect(probe, (struct sockaddr *)&addr, sizeof(addr));
	close(probe);
	if (rc == 0)
		return -EADDRINUSE;
	unlink(s->path); /* left by a predecessor that died */
	s->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listen_fd < 0 || bind(s->listen_fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    chmod(s->path, 0600) < 0 || listen(s->listen_fd, 16) < 0)
		return -errno;
	rc = sd_event_add_io(s->event, &s->source, s->listen_fd, EPOLLIN, on_connect, s);
	return rc < 0 ? rc : 0;
}

int box_server_create(struct box_server **out, sd_event *event, struct store *store,
		      const char *dir)
{
	struct box_server *s = xb_calloc(1, sizeof(*s));
	int rc = 0;

	s->event = event;
	s->store = store;
	s->path = xb_asprintf("%s/%s", dir, BOX_SOCKET);
	s->listen_fd = -1;
	s->machine = MAP_FAILED;
	memset(s->wake_fds, -1, sizeof(s->wake_fds));
	for (unsigned int i = 0; i < MACHINE_DOMAINS; i++)
		s->domains[i].frames_fd = -1;
	s->machine_fd = memfd_create("xenbox-machine", MFD_CLOEXEC);
	if (s->machine_fd < 0 || ftruncate(s->machine_fd, sizeof(*s->machine)) < 0)
		rc = -errno;
	if (rc == 0)
		s->machine = mmap(NULL, sizeof(*s->machine), PROT_READ | PROT_WRITE, MAP_SHARED,
				  s->machine_fd, 0);
	if (rc == 0 && s->machine == MAP_FAILED)
		rc = -errno;
	s->env = (struct machine_env){s->machine, no_frames, wake, s};
	if (rc == 0)
		rc = listen_at(s);
	if (rc < 0) {
		free(s->path); /* not ours to unlink */
		s->path = NULL;
		box_server_destroy(s);
		return rc;
	}
	*out = s;
	return 0;
}

void box_server_destroy(struct box_server *s)
{
	struct client *c, *tmp;

	if (!s)
		return;
	DL_FOREACH_SAFE (s->clients, c, tmp)
		drop_client(c);
	sd_event_source_unref(s->source);
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	if (s->path)
		unlink(s->path);
	if (s->machine != MAP_FAILED)
		munmap(s->machine, sizeof(*s->machine));
	if (s->machine_fd >= 0)
		close(s->machine_fd);
	free(s->path);
	free(s);
}
