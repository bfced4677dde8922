/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk_io.c - file operations beside the loop, see disk_io.h. */
#include "disk_io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#include "util.h"

enum operation {
	OPERATION_READ,
	OPERATION_CHECK,
	OPERATION_WRITE,
	OPERATION_THROUGH,
	OPERATION_SYNC,
	OPERATION_END
};

/* Between two eventfds one side or the other has the job: the event is the lock. */
struct disk_io {
	int fd, begin_fd, end_fd;
	pthread_t thread;
	bool running;	/**< an operation is with the thread */
	bool no_nowait; /**< the file system knows no RWF_NOWAIT */
	bool in_memory; /**< the file is: nothing waits for a device, so no thread is needed */
	enum operation operation;
	uint8_t *data;
	size_t n;
	uint64_t offset;
	int rc;
};

static int read_all(int fd, uint8_t *data, size_t n, uint64_t offset)
{
	while (n) {
		ssize_t got = pread(fd, data, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EIO;
		data += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

static int write_all(int fd, uint8_t *data, size_t n, uint64_t offset, int flags)
{
	while (n) {
		struct iovec iov = {data, n};
		ssize_t put = pwritev2(fd, &iov, 1, (off_t)offset, flags);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put ? -errno : -ENOSPC;
		data += put;
		n -= (size_t)put;
		offset += (uint64_t)put;
	}
	return 0;
}

static int carry_out(const struct disk_io *io)
{
	switch (io->operation) {
	case OPERATION_READ:
	case OPERATION_CHECK:
		return read_all(io->fd, io->data, io->n, io->offset);
	case OPERATION_WRITE:
		return write_all(io->fd, io->data, io->n, io->offset, 0);
	case OPERATION_THROUGH:
		return write_all(io->fd, io->data, io->n, io->offset, RWF_DSYNC);
	case OPERATION_SYNC:
		return fdatasync(io->fd) ? -errno : 0;
	case OPERATION_END:
		break;
	}
	return 0;
}

static void *work(void *arg)
{
	struct disk_io *io = arg;
	eventfd_t count;

	for (;;) {
		if (eventfd_read(io->begin_fd, &count))
			continue; /* EINTR */
		if (io->operation == OPERATION_END)
			return NULL;
		io->rc = carry_out(io);
		(void)eventfd_write(io->end_fd, 1);
	}
}

/* The thread takes no signals: they are the loop's, and SIGXFSZ would end the daemon. */
static int start_thread(struct disk_io *io)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&io->thread, NULL, work, io);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

/* With a limit on the size of files a write could end in a signal, which only the thread ignores.
 */
static bool is_in_memory(int fd)
{
	struct rlimit limit;
	struct statfs fs;

	if (fstatfs(fd, &fs) || getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur != RLIM_INFINITY)
		return false;
	return fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
}

int disk_io_create(struct disk_io **out, int fd)
{
	struct disk_io *io = xb_calloc(1, sizeof(*io));
	int rc = 0;

	io->fd = fd;
	io->in_memory = is_in_memory(fd);
	io->begin_fd = eventfd(0, EFD_CLOEXEC);
	io->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (io->begin_fd < 0 || io->end_fd < 0)
		rc = -errno;
	if (!rc)
		rc = start_thread(io);
	if (!rc) {
		*out = io;
		return 0;
	}
	xb_close_fd(&io->begin_fd);
	xb_close_fd(&io->end_fd);
	close(fd);
	free(io);
	return rc;
}

/* To the thread, unless there is nothing to wait for. */
static int hand_over(struct disk_io *io, enum operation operation, uint8_t *data, size_t n,
		     uint64_t offset)
{
	assert(!io->running);
	io->operation = operation;
	io->data = data;
	io->n = n;
	io->offset = offset;
	/* A check may be of the whole file, piece by piece: the loop has other things to do. */
	if (io->in_memory && operation != OPERATION_CHECK)
		return carry_out(io);
	io->running = true;
	(void)eventfd_write(io->begin_fd, 1);
	return -EINPROGRESS;
}

void disk_io_destroy(struct disk_io *io)
{
	int rc;

	if (!io)
		return;
	while (io->running && !disk_io_result(io, &rc)) {
		struct pollfd end = {.fd = io->end_fd, .events = POLLIN};

		(void)poll(&end, 1, -1);
	}
	io->operation = OPERATION_END;
	(void)eventfd_write(io->begin_fd, 1);
	pthread_join(io->thread, NULL);
	close(io->begin_fd);
	close(io->end_fd);
	close(io->fd);
	free(io);
}

int disk_io_fd(const struct disk_io *io)
{
	return io->end_fd;
}

/* Bytes that could be had without waiting. */
static size_t read_cached(struct disk_io *io, uint8_t *data, size_t n, uint64_t offset)
{
	struct iovec iov = {data, n};
	ssize_t got;

	if (io->no_nowait)
		return 0;
	got = preadv2(io->fd, &iov, 1, (off_t)offset, RWF_NOWAIT);
	if (got < 0 && errno == EOPNOTSUPP)
		io->no_nowait = true;
	return got < 0 ? 0 : (size_t)got;
}

int disk_io_read(struct disk_io *io, uint8_t *data, size_t n, uint64_t offset)
{
	size_t got = read_cached(io, data, n, offset);

	if (got == n)
		return 0;
	return hand_over(io, OPERATION_READ, data + got, n - got, offset + got);
}

int disk_io_check(struct disk_io *io, uint8_t *data, size_t n, uint64_t offset)
{
	return hand_over(io, OPERATION_CHECK, data, n, offset);
}

int disk_io_write(struct disk_io *io, const uint8_t *data, size_t n, uint64_t offset, bool through)
{
	return hand_over(io, through ? OPERATION_THROUGH : OPERATION_WRITE, (uint8_t *)data, n,
			 offset);
}

int disk_io_sync(struct disk_io *io)
{
	return hand_over(io, OPERATION_SYNC, NULL, 0, 0);
}

bool disk_io_result(struct disk_io *io, int *rc)
{
	eventfd_t count;

	if (!io->running || eventfd_read(io->end_fd, &count))
		return false;
	io->running = false;
	*rc = io->rc;
	return true;
}
