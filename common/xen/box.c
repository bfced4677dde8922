/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * box.c - the Xen seam on a xenbox daemon: guests, backends and tools as separate processes on a
 * machine without Xen.
 *
 * Copies and events go through memory shared with the others (machine.h), at the speed of memcpy
 * and eventfd; the daemon is asked (box_wire.h) for what changes ownership. Mappings of other
 * domains' memory are cached per handle, so that the data path takes no lock.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "box_wire.h"
#include "log.h"
#include "machine.h"
#include "ops.h"
#include "store_client.h"
#include "util.h"

#define LOG_MODULE "xen"

struct box {
	struct xen xen;
	int fd;
	pthread_mutex_t lock; /* of requests: one at a time on the connection */
	struct machine *machine;
	char *dir;
};

struct xen_gnt {
	struct box *box;
	struct machine_env env;
	uint8_t *frames[MACHINE_DOMAINS]; /* of other domains, mapped on first use */
	uint32_t generations[MACHINE_DOMAINS];
	struct map *maps;
};
struct map {
	struct map *next;
	uint16_t domid;
	unsigned int n;
	void *addr;
	uint32_t refs[];
};
struct xen_evt {
	struct box *box;
	struct machine_env env;
	uint16_t handle;
	int fd;
	int wake_fds[MACHINE_HANDLES]; /* of others, fetched on first use */
	uint32_t generations[MACHINE_HANDLES];
};
struct xen_shr {
	struct box *box;
	uint8_t *frames; /* our own */
};

static struct box *of(struct xen *xen)
{
	return container_of(xen, struct box, xen);
}

static int receive_reply(int sock, struct box_reply *rep, int *fd)
{
	struct iovec iov = {rep, sizeof(*rep)};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control.space)};
	struct cmsghdr *cmsg;
	ssize_t n;

	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*rep))
		return -EIO;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
	return 0;
}

/* One request, one reply; *fd (may be NULL) receives the descriptor that came along. */
static int ask(struct box *box, const struct box_request *req, uint32_t *value, int *fd)
{
	size_t size = offsetof(struct box_request, refs);
	struct box_reply rep = {0};
	int got = -1, rc = 0;

	if (req->op == BOX_OP_PIN || req->op == BOX_OP_UNPIN)
		size += req->n * sizeof(req->refs[0]);
	pthread_mutex_lock(&box->lock);
	if (send(box->fd, req, size, MSG_NOSIGNAL) != (ssize_t)size)
		rc = -EIO;
	else
		rc = receive_reply(box->fd, &rep, &got);
	pthread_mutex_unlock(&box->lock);
	if (rc == 0)
		rc = rep.result;
	if (rc == 0 && value)
		*value = rep.value;
	if (rc == 0 && fd)
		*fd = got;
	else if (got >= 0)
		close(got);
	return rc;
}

/* *frames: NULL, or where they are to be mapped, over what is there. */
static int map_frames(struct box *box, uint16_t domid, uint8_t **frames, uint32_t *generation)
{
	struct box_request req = {.op = BOX_OP_FRAMES, .domid = domid};
	int fd = -1, rc = ask(box, &req, generation, &fd);
	void *p;

	if (rc < 0)
		return rc;
	p = mmap(*frames, MACHINE_FRAMES_BYTES, PROT_READ | PROT_WRITE,
		 MAP_SHARED | (*frames ? MAP_FIXED : 0), fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return -errno;
	*frames = p;
	return 0;
}

/* --- grants --- */

static uint8_t *env_frames(void *ctx, uint16_t domid)
{
	struct xen_gnt *gnt = ctx;
	uint32_t now =
		__atomic_load_n(&gnt->box->machine->domains[domid].generation, __ATOMIC_ACQUIRE);

	if (gnt->frames[domid] && gnt->generations[domid] == now)
		return gnt->frames[domid];
	/* A stale mapping stays until another takes its place: earlier segments of the same call
	 * may point there. */
	if (map_frames(gnt->box, domid, &gnt->frames[domid], &gnt->generations[domid]) < 0)
		return NULL;
	return gnt->frames[domid];
}

static void no_wake(void *ctx, uint16_t handle)
{
}

static int gnt_open(struct xen *xen, struct xen_gnt **out)
{
	struct xen_gnt *gnt = xb_calloc(1, sizeof(*gnt));

	gnt->box = of(xen);
	gnt->env = (struct machine_env){gnt->box->machine, env_frames, no_wake, gnt};
	*out = gnt;
	return 0;
}

/* A window of n pages onto the guest's frames; it stays valid when the domain dies, as on Xen. */
static int map_window(struct box *box, struct map *map)
{
	struct box_request req = {.op = BOX_OP_FRAMES, .domid = map->domid};
	int fd = -1, rc = ask(box, &req, NULL, &fd);

	if (rc < 0)
		return rc;
	rc = machine_window(fd, map->refs, map->n, &map->addr);
	close(fd);
	return rc;
}

static int pin(struct box *box, enum box_op op, const struct map *map)
{
	struct box_request req = {.op = op, .domid = map->domid, .n = (uint16_t)map->n};

	memcpy(req.refs, map->refs, map->n * sizeof(map->refs[0]));
	return ask(box, &req, NULL, NULL);
}

static int gnt_map(struct xen_gnt *gnt, uint16_t domid, const uint32_t *refs, unsigned int n,
		   void **addr)
{
	struct map *map;
	int rc;

	if (n == 0 || n > BOX_PAGES_MAX)
		return -EINVAL;
	map = xb_calloc(1, sizeof(*map) + n * sizeof(map->refs[0]));
	map->domid = domid;
	map->n = n;
	memcpy(map->refs, refs, n * sizeof(refs[0]));
	rc = pin(gnt->box, BOX_OP_PIN, map);
	if (rc < 0) {
		free(map);
		return rc;
	}
	rc = map_window(gnt->box, map);
	if (rc < 0) {
		pin(gnt->box, BOX_OP_UNPIN, map);
		free(map);
		return rc;
	}
	map->next = gnt->maps;
	gnt->maps = map;
	*addr = map->addr;
	return 0;
}

static void drop_map(struct xen_gnt *gnt, struct map **link)
{
	struct map *map = *link;

	pin(gnt->box, BOX_OP_UNPIN, map);
	munmap(map->addr, (size_t)map->n * XEN_PAGE_SIZE);
	*link = map->next;
	free(map);
}

static int gnt_unmap(struct xen_gnt *gnt, void *addr, unsigned int n)
{
	for (struct map **link = &gnt->maps; *link; link = &(*link)->next) {
		if ((*link)->addr != addr || (*link)->n != n)
			continue;
		drop_map(gnt, link);
		return 0;
	}
	return -EINVAL;
}

static void gnt_close(struct xen_gnt *gnt)
{
	while (gnt->maps)
		drop_map(gnt, &gnt->maps);
	for (unsigned int i = 0; i < MACHINE_DOMAINS; i++)
		if (gnt->frames[i])
			munmap(gnt->frames[i], MACHINE_FRAMES_BYTES);
	free(gnt);
}

static int gnt_copy(struct xen_gnt *gnt, struct xen_copy *segs, unsigned int n)
{
	return machine_copy(&gnt->env, gnt->box->xen.domid, segs, n);
}

/* --- event channels --- */

static void env_wake(void *ctx, uint16_t handle)
{
	struct xen_evt *evt = ctx;
	struct box_request req = {.op = BOX_OP_WAKE_FD, .arg = {handle}};
	uint32_t now =
		__atomic_load_n(&evt->box->machine->handles[handle].generation, __ATOMIC_ACQUIRE);

	if (handle == evt->handle) {
		(void)eventfd_write(evt->fd, 1);
		return;
	}
	if (evt->wake_fds[handle] < 0 || evt->generations[handle] != now) {
		if (evt->wake_fds[handle] >= 0)
			close(evt->wake_fds[handle]);
		evt->wake_fds[handle] = -1;
		if (ask(evt->box, &req, &evt->generations[handle], &evt->wake_fds[handle]) < 0)
			return; /* its owner just died */
	}
	(void)eventfd_write(evt->wake_fds[handle], 1);
}

static int evt_open(struct xen *xen, struct xen_evt **out)
{
	struct box_request req = {.op = BOX_OP_HANDLE_OPEN};
	struct xen_evt *evt = xb_calloc(1, sizeof(*evt));
	uint32_t handle = 0;
	int rc;

	evt->box = of(xen);
	rc = ask(evt->box, &req, &handle, &evt->fd);
	if (rc < 0) {
		free(evt);
		return rc;
	}
	evt->handle = (uint16_t)handle;
	evt->env = (struct machine_env){evt->box->machine, NULL, env_wake, evt};
	memset(evt->wake_fds, -1, sizeof(evt->wake_fds));
	*out = evt;
	return 0;
}

/* They are fetched again on next use. */
static void forget_wake_fds(struct xen_evt *evt)
{
	for (unsigned int i = 0; i < MACHINE_HANDLES; i++)
		if (evt->wake_fds[i] >= 0)
			close(evt->wake_fds[i]);
	memset(evt->wake_fds, -1, sizeof(evt->wake_fds));
}

static void evt_close(struct xen_evt *evt)
{
	struct box_request req = {.op = BOX_OP_HANDLE_CLOSE, .arg = {evt->handle}};

	ask(evt->box, &req, NULL, NULL);
	forget_wake_fds(evt);
	close(evt->fd);
	free(evt);
}

static int evt_fd(struct xen_evt *evt)
{
	return evt->fd;
}

static int evt_bind(struct xen_evt *evt, uint16_t domid, uint32_t remote_port, uint32_t *port)
{
	struct box_request req = {
		.op = BOX_OP_EVT_BIND, .domid = domid, .arg = {evt->handle, remote_port}};

	return ask(evt->box, &req, port, NULL);
}

static int evt_alloc(struct xen_evt *evt, uint16_t domid, uint32_t *port)
{
	struct box_request req = {.op = BOX_OP_EVT_ALLOC, .domid = domid, .arg = {evt->handle}};

	return ask(evt->box, &req, port, NULL);
}

static int evt_unbind(struct xen_evt *evt, uint32_t port)
{
	struct box_request req = {.op = BOX_OP_EVT_UNBIND, .arg = {evt->handle, port}};

	forget_wake_fds(evt); /* of the guest that goes, too */
	return ask(evt->box, &req, NULL, NULL);
}

static int evt_notify(struct xen_evt *evt, uint32_t port)
{
	return machine_evt_notify(&evt->env, evt->box->xen.domid, port);
}

static int evt_pending(struct xen_evt *evt, uint32_t *ports, unsigned int max)
{
	return machine_evt_take(&evt->env, evt->handle, evt->fd, ports, max);
}

static int evt_unmask(struct xen_evt *evt, const uint32_t *ports, unsigned int n)
{
	return machine_evt_unmask(&evt->env, evt->handle, ports, n);
}

/* --- sharing --- */

static int shr_open(struct xen *xen, struct xen_shr **out)
{
	struct xen_shr *shr = xb_calloc(1, sizeof(*shr));
	uint32_t generation;
	int rc;

	shr->box = of(xen);
	rc = map_frames(shr->box, xen->domid, &shr->frames, &generation);
	if (rc < 0) {
		free(shr);
		return rc;
	}
	*out = shr;
	return 0;
}

static void shr_close(struct xen_shr *shr)
{
	munmap(shr->frames, MACHINE_FRAMES_BYTES);
	free(shr);
}

static int shr_alloc(struct xen_shr *shr, uint16_t domid, unsigned int n, bool writable,
		     uint32_t *refs, void **addr)
{
	struct box_request req = {
		.op = BOX_OP_GRANT, .domid = domid, .n = (uint16_t)n, .arg = {writable}};
	uint32_t first = 0;
	int rc;

	if (n > UINT16_MAX)
		return -EINVAL;
	req.n = (uint16_t)n;
	rc = ask(shr->box, &req, &first, NULL);
	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < n; i++)
		refs[i] = first + i;
	*addr = shr->frames + (size_t)first * XEN_PAGE_SIZE;
	memset(*addr, 0, (size_t)n * XEN_PAGE_SIZE);
	return 0;
}

static int shr_free(struct xen_shr *shr, void *addr, unsigned int n)
{
	struct box_request req = {.op = BOX_OP_UNGRANT, .n = (uint16_t)n};

	req.arg[0] = (uint32_t)(((uint8_t *)addr - shr->frames) / XEN_PAGE_SIZE);
	return ask(shr->box, &req, NULL, NULL);
}

/* --- the store, the connection --- */

static int store_open(struct xen *xen, struct xen_store **out)
{
	return store_client_open(out, of(xen)->dir, xen->domid);
}

static void box_close(struct xen *xen)
{
	struct box *box = of(xen);

	close(box->fd);
	munmap(box->machine, sizeof(*box->machine));
	pthread_mutex_destroy(&box->lock);
	free(box->dir);
	free(box);
}

static const struct xen_ops box_ops = {
	.name = "box",
	.close = box_close,
	.gnt_open = gnt_open,
	.gnt_close = gnt_close,
	.gnt_map = gnt_map,
	.gnt_unmap = gnt_unmap,
	.gnt_copy = gnt_copy,
	.evt_open = evt_open,
	.evt_close = evt_close,
	.evt_fd = evt_fd,
	.evt_bind = evt_bind,
	.evt_alloc = evt_alloc,
	.evt_unbind = evt_unbind,
	.evt_notify = evt_notify,
	.evt_pending = evt_pending,
	.evt_unmask = evt_unmask,
	.shr_open = shr_open,
	.shr_close = shr_close,
	.shr_alloc = shr_alloc,
	.shr_free = shr_free,
	.store_open = store_open,
	.store_close = store_client_close,
	.store_fd = store_client_fd,
	.store_read = store_client_read,
	.store_write = store_client_write,
	.store_mkdir = store_client_mkdir,
	.store_rm = store_client_rm,
	.store_list = store_client_list,
	.store_get_perms = store_client_get_perms,
	.store_set_perms = store_client_set_perms,
	.store_watch = store_client_watch,
	.store_unwatch = store_client_unwatch,
	.store_event = store_client_event,
	.txn_start = store_client_txn_start,
	.txn_end = store_client_txn_end,
};

static int connect_box(struct box *box)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	AUTO_FREE char *path = xb_asprintf("%s/%s", box->dir, BOX_SOCKET);

	if (strlen(path) >= sizeof(addr.sun_path)) {
		log_err("%s: longer than a socket's path may be (%zu)", path,
			sizeof(addr.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	memcpy(addr.sun_path, path, strlen(path));
	box->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (box->fd < 0)
		return -errno;
	if (connect(box->fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return 0;
	log_err("%s: %s (is xenbox running? start it: xenbox --dir %s)", path, strerror(errno),
		box->dir);
	return -ENOENT;
}

int xen_open_box(struct xen **xen, const char *dir, uint16_t domid)
{
	struct box_request req = {.op = BOX_OP_HELLO, .domid = domid, .arg = {BOX_VERSION}};
	struct box *box = xb_calloc(1, sizeof(*box));
	const char *env = getenv("XENBOX_DIR");
	void *p = MAP_FAILED;
	int fd = -1, rc;

	if (domid >= MACHINE_DOMAINS) {
		log_err("domain %u: a xenbox has domains 0 to %u", domid, MACHINE_DOMAINS - 1);
		free(box);
		return -EINVAL;
	}
	box->xen.ops = &box_ops;
	box->xen.domid = domid;
	box->fd = -1;
	box->dir = xb_strdup(dir ? dir : env ? env : "/run/xenbox");
	pthread_mutex_init(&box->lock, NULL);
	rc = connect_box(box);
	if (rc == 0)
		rc = ask(box, &req, NULL, &fd);
	if (rc == 0)
		p = mmap(NULL, sizeof(*box->machine), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (rc == 0 && p == MAP_FAILED)
		rc = -errno;
	if (fd >= 0)
		close(fd);
	if (rc < 0) {
		if (box->fd >= 0)
			close(box->fd);
		pthread_mutex_destroy(&box->lock);
		free(box->dir);
		free(box);
		return rc;
	}
	box->machine = p;
	*xen = &box->xen;
	return 0;
}
