/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_opener.c - the daemon's end: forks the process, asks it.
 *
 * A request is a datagram, so is its reply; a number pairs them, so that an answer which came too
 * late is not taken for the next one.
 */
#include "host_opener.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app.h"
#include "child.h"
#include "clock.h"
#include "host_opener_priv.h"
#include "log.h"
#include "util.h"

#define LOG_MODULE "usb"

/* A device that does not answer holds SET_CONFIGURATION up for 5 s. */
#define ANSWER_MS 10000

struct host_opener {
	int fd; /* -1 when the process has ended */
	pid_t pid;
	uint32_t last_id;
};

struct folders {
	const char *sysfs, *devfs;
};

static void serve(int fd, const void *arg)
{
	const struct folders *folders = arg;

	if (app_confine_helper() == 0)
		opener_run(fd, folders->sysfs, folders->devfs);
}

int host_opener_create(struct host_opener **out, const char *sysfs, const char *devfs)
{
	const struct folders folders = {sysfs, devfs};
	struct host_opener *opener;
	int fd;
	const pid_t pid = child_fork("usb-opener", true, serve, &folders, &fd);

	*out = NULL;
	if (pid < 0)
		return pid;
	opener = xb_calloc(1, sizeof(*opener));
	*opener = (struct host_opener){.fd = fd, .pid = pid};
	*out = opener;
	return 0;
}

static void end(struct host_opener *opener)
{
	if (opener->fd < 0)
		return;
	close(opener->fd);
	opener->fd = -1;
	while (waitpid(opener->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void host_opener_destroy(struct host_opener *opener)
{
	if (!opener)
		return;
	end(opener);
	free(opener);
}

/* --- asking --- */

static int take_descriptor(struct msghdr *message)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* One reply, with the descriptor beside it. 0 or -errno. */
static int receive(const struct host_opener *opener, struct opener_reply *reply, int *device)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = {.iov_base = reply, .iov_len = sizeof(*reply)};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(opener->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	*device = n < 0 ? -1 : take_descriptor(&message);
	if (n == (ssize_t)sizeof(*reply)) {
		reply->error[sizeof(reply->error) - 1] = '\0';
		return 0;
	}
	return n < 0 && errno == EAGAIN ? -EAGAIN : -EPIPE;
}

/* Waits for the reply to a request; older ones are dropped. */
static int await(const struct host_opener *opener, struct opener_reply *reply, int *device)
{
	const uint64_t deadline = clock_now(&clock_monotonic) + ANSWER_MS * NSEC_PER_MSEC;

	for (;;) {
		struct pollfd ready = {.fd = opener->fd, .events = POLLIN};
		uint64_t now = clock_now(&clock_monotonic);
		int err;

		if (now >= deadline ||
		    poll(&ready, 1, (int)DIV_ROUND_UP(deadline - now, NSEC_PER_MSEC)) == 0)
			return -ETIMEDOUT;
		err = receive(opener, reply, device);
		if (!err && reply->id == opener->last_id)
			return 0;
		if (*device >= 0)
			close(*device);
		*device = -1;
		if (err && err != -EAGAIN)
			return err;
	}
}

/* 0 = there is a reply. */
static int ask(struct host_opener *opener, struct opener_request *request,
	       struct opener_reply *reply, int *device)
{
	int err = 0;

	*device = -1;
	*reply = (struct opener_reply){0};
	request->id = ++opener->last_id;
	if (opener->fd < 0 || send(opener->fd, request, sizeof(*request), MSG_NOSIGNAL) < 0)
		err = -EPIPE;
	if (!err)
		err = await(opener, reply, device);
	if (err == -EPIPE && opener->fd >= 0) {
		log_err("the process that opens USB devices has ended: none can be opened any "
			"more, restart the daemon");
		end(opener);
	}
	return err;
}

static int ask_device(struct host_opener *opener, enum opener_request_kind kind, const char *busid,
		      int *device, char *error, size_t error_size)
{
	struct opener_request request = {.kind = kind};
	struct opener_reply reply;
	int err;

	*device = -1;
	if (!host_busid_valid(busid)) {
		snprintf(error, error_size,
			 "\"%.40s\" is not a bus id; allowed: a bus and ports, such as 3-1.5",
			 busid);
		return -EINVAL;
	}
	snprintf(request.busid, sizeof(request.busid), "%s", busid);
	err = ask(opener, &request, &reply, device);
	if (err)
		snprintf(error, error_size, "%s: the process that opens USB devices %s", busid,
			 err == -ETIMEDOUT ? "did not answer" : "has ended");
	else if (reply.result)
		snprintf(error, error_size, "%s", reply.error);
	return err ? err : reply.result;
}

int host_opener_open(struct host_opener *opener, const char *busid, char *error, size_t error_size)
{
	int device;
	int err = ask_device(opener, OPENER_OPEN, busid, &device, error, error_size);

	if (!err && device < 0) {
		snprintf(error, error_size, "%s: no descriptor came: too many open files", busid);
		err = -EMFILE;
	}
	if (err && device >= 0)
		close(device);
	return err ? err : device;
}

int host_opener_unconfigure(struct host_opener *opener, const char *busid, char *error,
			    size_t error_size)
{
	int device;

	return ask_device(opener, OPENER_UNCONFIGURE, busid, &device, error, error_size);
}

int host_opener_usbfs_memory(struct host_opener *opener, uint32_t mb)
{
	struct opener_request request = {.kind = OPENER_USBFS_MEMORY, .mb = MIN(mb, 65535u)};
	struct opener_reply reply;
	int device, err;

	err = ask(opener, &request, &reply, &device);
	return err ? err : reply.result;
}
