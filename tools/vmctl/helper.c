/* SPDX-License-Identifier: GPL-2.0-or-later */
/* helper.c - the service's end: forks the process that runs xl, asks it. */
#include "helper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/child.h"
#include "common/log.h"
#include "common/util.h"
#include "helper_wire.h"

#define LOG_MODULE "vmctl"

struct helper {
	int fd;
	sd_event *event;
	sd_event_source *io;
	helper_done_fn done;
	void *ctx;
};

static void serve(int fd, const void *arg)
{
	sigset_t mask;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD); /* the loop asks for it */
	sigprocmask(SIG_SETMASK, &mask, NULL);
	helper_run(fd, arg);
}

int helper_create(struct helper **out, const char *xl)
{
	struct helper *helper;
	int fd;
	/* Not tied to us: an xl that runs is let to its end. */
	const pid_t pid = child_fork("vmctl-xl", false, serve, xl, &fd);

	*out = NULL;
	if (pid < 0) {
		log_err("cannot start the process that runs xl: %s", strerror(-pid));
		return pid;
	}
	helper = xb_calloc(1, sizeof(*helper));
	helper->fd = fd;
	*out = helper;
	return 0;
}

static int on_reply(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct helper *helper = userdata;
	struct helper_reply reply;
	ssize_t n = recv(fd, &reply, sizeof(reply), MSG_DONTWAIT);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n != (ssize_t)sizeof(reply)) {
		log_err("the process that runs xl has ended: starting anew");
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		return sd_event_exit(helper->event, -EPIPE);
	}
	reply.message[sizeof(reply.message) - 1] = 0;
	helper->done(helper->ctx, reply.job, reply.rc, reply.message);
	return 0;
}

int helper_attach(struct helper *helper, sd_event *event, helper_done_fn done, void *ctx)
{
	int err = sd_event_add_io(event, &helper->io, helper->fd, EPOLLIN, on_reply, helper);

	helper->event = event;
	helper->done = done;
	helper->ctx = ctx;
	return MIN(err, 0);
}

void helper_destroy(struct helper *helper)
{
	if (!helper)
		return;
	sd_event_source_disable_unref(helper->io);
	close(helper->fd);
	free(helper);
}

int helper_start(struct helper *helper, uint64_t job, enum vmctl_verb verb, uint16_t domid,
		 const char *argument, uint64_t timeout_ns)
{
	struct helper_request request = {
		.job = job, .timeout_ns = timeout_ns, .verb = verb, .domid = domid};

	snprintf(request.argument, sizeof(request.argument), "%s", argument ? argument : "");
	if (send(helper->fd, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	return 0;
}
