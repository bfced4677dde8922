/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * real_store.c - the store on a real Xen, by libxenstore (see real.h).
 *
 * Theory of Operation: the library has a thread that reads the socket from the first watch on, and
 * a pipe (xs_fileno) that is readable while events wait. When xenstored goes, the thread ends
 * without a word to the pipe, so a daemon that only listens would never know. Hence the canary: a
 * second connection that says nothing and breaks when xenstored ends. The descriptor for the
 * caller's loop is an epoll with both. A request that meets the end of the connection fails with
 * EINVAL once, as for a bad path, and with EBADF from then on: so an EINVAL is followed by a
 * harmless request.
 */
#include "real.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <xenstore.h>

#include "util.h"

struct xen_store {
	struct xs_handle *handle;
	int canary_fd; /* -1: the kernel's device, which does not go */
	int epoll_fd;
	bool lost;
};

/* --- opening --- */

static void open_canary(struct xen_store *store)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = xs_daemon_socket();

	store->canary_fd = -1;
	if (strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path));
	store->canary_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (store->canary_fd < 0 ||
	    connect(store->canary_fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return;
	close(store->canary_fd);
	store->canary_fd = -1;
}

static int add_to_epoll(const struct xen_store *store, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(store->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int real_store_open(struct xen *xen, struct xen_store **out)
{
	struct xen_store *store = xb_calloc(1, sizeof(*store));
	int rc = 0;

	store->canary_fd = store->epoll_fd = -1;
	errno = 0;
	store->handle = xs_open(XS_UNWATCH_FILTER);
	if (store->handle)
		store->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (store->epoll_fd < 0) {
		rc = errno ? -errno : -EIO;
		goto out;
	}
	open_canary(store);
	rc = add_to_epoll(store, xs_fileno(store->handle));
	if (rc == 0 && store->canary_fd >= 0)
		rc = add_to_epoll(store, store->canary_fd);
out:
	if (rc < 0)
		real_store_close(store);
	else
		*out = store;
	return rc;
}

void real_store_close(struct xen_store *store)
{
	xs_close(store->handle);
	xb_close_fd(&store->canary_fd);
	xb_close_fd(&store->epoll_fd);
	free(store);
}

int real_store_fd(struct xen_store *store)
{
	return store->epoll_fd;
}

int real_store_domid(uint16_t *domid)
{
	struct xs_handle *handle;
	unsigned int n;
	char *value;

	errno = 0;
	handle = xs_open(0);
	if (!handle)
		return errno ? -errno : -EIO;
	value = xs_read(handle, XBT_NULL, "domid", &n);
	*domid = value ? (uint16_t)strtoul(value, NULL, 10) : 0;
	free(value);
	xs_close(handle);
	return 0;
}

/* --- errors --- */

static bool is_loss(int error)
{
	return error == 0 || error == EBADF || error == EPIPE || error == ECONNRESET ||
	       error == ENOTCONN || error == ESHUTDOWN;
}

/* Is the connection still there after an error that does not say? */
static bool is_alive(struct xen_store *store)
{
	unsigned int n;
	char *value;

	errno = 0;
	value = xs_read(store->handle, XBT_NULL, "/", &n);
	free(value);
	return value || !is_loss(errno);
}

/* What the store answers is passed on; a broken connection is -EIO whatever it looks like, and
 * nothing else is: oxenstored says EIO for a transaction that it does not know. */
static int failed(struct xen_store *store)
{
	int error = errno;

	if (is_loss(error) || ((error == EINVAL || error == EIO) && !is_alive(store)))
		store->lost = true;
	if (store->lost)
		return -EIO;
	return error == EIO ? -EPROTO : -error;
}

static int done(struct xen_store *store, bool ok)
{
	return ok ? 0 : failed(store);
}

/* Before each request: the library's errors are in errno. */
static bool begin(const struct xen_store *store)
{
	errno = 0;
	return !store->lost;
}

/* --- nodes --- */

int real_store_read(struct xen_store *store, xen_txn txn, const char *path, char **value,
		    size_t *len)
{
	unsigned int n;

	if (!begin(store))
		return -EIO;
	*value = xs_read(store->handle, txn, path, &n);
	if (!*value)
		return failed(store);
	if (len)
		*len = n;
	return 0;
}

int real_store_write(struct xen_store *store, xen_txn txn, const char *path, const char *value,
		     size_t len)
{
	if (len > UINT32_MAX)
		return -E2BIG;
	if (!begin(store))
		return -EIO;
	return done(store, xs_write(store->handle, txn, path, value, (unsigned int)len));
}

int real_store_mkdir(struct xen_store *store, xen_txn txn, const char *path)
{
	return begin(store) ? done(store, xs_mkdir(store->handle, txn, path)) : -EIO;
}

int real_store_rm(struct xen_store *store, xen_txn txn, const char *path)
{
	return begin(store) ? done(store, xs_rm(store->handle, txn, path)) : -EIO;
}

int real_store_list(struct xen_store *store, xen_txn txn, const char *path, char ***names,
		    unsigned int *n)
{
	if (!begin(store))
		return -EIO;
	*names = xs_directory(store->handle, txn, path, n);
	return done(store, *names);
}

int real_store_get_perms(struct xen_store *store, xen_txn txn, const char *path,
			 struct xen_perm **perms, unsigned int *n)
{
	struct xs_permissions *from;

	if (!begin(store))
		return -EIO;
	from = xs_get_permissions(store->handle, txn, path, n);
	if (!from)
		return failed(store);
	*perms = xb_calloc(*n, sizeof(**perms));
	for (unsigned int i = 0; i < *n; i++)
		(*perms)[i] = (struct xen_perm){from[i].id, from[i].perms & XS_PERM_READ,
						from[i].perms & XS_PERM_WRITE};
	free(from);
	return 0;
}

int real_store_set_perms(struct xen_store *store, xen_txn txn, const char *path,
			 const struct xen_perm *perms, unsigned int n)
{
	AUTO_FREE struct xs_permissions *to = NULL;

	if (!begin(store))
		return -EIO;
	to = xb_calloc(n + 1, sizeof(*to));
	for (unsigned int i = 0; i < n; i++) {
		to[i].id = perms[i].domid;
		to[i].perms =
			(perms[i].read ? XS_PERM_READ : 0) | (perms[i].write ? XS_PERM_WRITE : 0);
	}
	errno = 0;
	return done(store, xs_set_permissions(store->handle, txn, path, to, n));
}

/* --- watches, transactions --- */

/* The first watch starts the library's thread: it must not catch the signals of our loop. */
int real_store_watch(struct xen_store *store, const char *path, const char *token)
{
	sigset_t all, old;
	bool ok;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ok = begin(store) && xs_watch(store->handle, path, token);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return done(store, ok);
}

int real_store_unwatch(struct xen_store *store, const char *path, const char *token)
{
	return begin(store) ? done(store, xs_unwatch(store->handle, path, token)) : -EIO;
}

static bool canary_broke(const struct xen_store *store)
{
	char byte;

	return store->canary_fd >= 0 &&
	       recv(store->canary_fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

int real_store_event(struct xen_store *store, char **path, char **token)
{
	char **event = begin(store) ? xs_check_watch(store->handle) : NULL;

	if (!event) {
		/* EAGAIN: none; otherwise the library's thread is gone, and with it the connection.
		 */
		if (errno != EAGAIN || canary_broke(store))
			store->lost = true;
		return store->lost ? -EIO : 0;
	}
	*path = xb_strdup(event[XS_WATCH_PATH]);
	*token = xb_strdup(event[XS_WATCH_TOKEN]);
	free(event);
	return 1;
}

int real_txn_start(struct xen_store *store, xen_txn *txn)
{
	if (!begin(store))
		return -EIO;
	*txn = xs_transaction_start(store->handle);
	return done(store, *txn != XBT_NULL);
}

int real_txn_end(struct xen_store *store, xen_txn txn, bool abort)
{
	return begin(store) ? done(store, xs_transaction_end(store->handle, txn, abort)) : -EIO;
}
