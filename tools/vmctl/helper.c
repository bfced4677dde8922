/* SPDX-License-Identifier: GPL-2.0-or-later */
/* helper.c - the service's end: forks the process that runs xl, asks it. */
#include "helper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void __attribute__((noreturn)) child(int fd, const char *xl)
{
	sigset_t mask;

	prctl(PR_SET_NAME, "vmctl-xl");
	/* Terminal's and service manager's signals are for the service: we end with our socket. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD); /* the loop asks for it */
	sigprocmask(SIG_SETMASK, &mask, NULL);
	/* Of all that the service has open this process keeps its socket and the log. Its watchdog
	 * is not ours. */
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ||
	    close_range(STDERR_FILENO + 1, ~0u, 0))
		_exit(1);
	helper_run(STDIN_FILENO, xl);
	_exit(0);
}

int helper_create(struct helper **out, const char *xl)
{
	struct helper *helper;
	int ends[2], err = 0;
	pid_t pid;

	*out = NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		err = -errno;
	} else {
		pid = fork();
		if (pid == 0)
			child(ends[1], xl);
		err = pid < 0 ? -errno : 0;
		close(ends[1]);
		if (err)
			close(ends[0]);
	}
	if (err) {
		log_err("cannot start the process that runs xl: %s", strerror(-err));
		return err;
	}
	helper = xb_calloc(1, sizeof(*helper));
	helper->fd = ends[0];
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
