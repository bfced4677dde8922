/* SPDX-License-Identifier: GPL-2.0-or-later */
/* helper_child.c - the process that runs xl, see helper.h. */
#include "helper_wire.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/log.h"
#include "common/util.h"

#define LOG_MODULE "vmctl"

struct helper_child {
	sd_event *event;
	const char *xl;
	int fd;
	unsigned int n_running;
	bool ended; /* nobody asks any more */
};

struct run {
	struct helper_child *child;
	struct helper_request request;
};

static bool is_padded(const char *text, size_t size)
{
	size_t n = strnlen(text, size);

	for (size_t i = n; i < size; i++)
		if (text[i])
			return false;
	return n < size;
}

bool helper_request_valid(const void *bytes, size_t size, const char *xl,
			  struct helper_request *request, struct command *command)
{
	if (size != sizeof(*request))
		return false;
	memcpy(request, bytes, size);
	return request->job && request->timeout_ns && request->verb < VMCTL_VERBS &&
	       request->domid <= UINT16_MAX &&
	       is_padded(request->argument, sizeof(request->argument)) &&
	       !command_make(command, xl, (enum vmctl_verb)request->verb, (uint16_t)request->domid,
			     request->argument[0] ? request->argument : NULL);
}

void helper_judge(const struct helper_request *request, const struct runner_result *result,
		  struct helper_reply *reply)
{
	const char *verb = vmctl_verb_desc((enum vmctl_verb)request->verb)->name;
	const char *said = result->output[0] ? result->output : "it said nothing";

	*reply = (struct helper_reply){.job = request->job};
	if (result->timeout) {
		reply->rc = -ETIMEDOUT;
		snprintf(reply->message, sizeof(reply->message),
			 "%s: xl was ended after %llu s; look at the guest by `xl list`: %s", verb,
			 (unsigned long long)(request->timeout_ns / NSEC_PER_SEC), said);
	} else if (result->signal) {
		reply->rc = -ECANCELED;
		snprintf(reply->message, sizeof(reply->message),
			 "%s: xl was ended by signal %d: %s", verb, result->signal, said);
	} else if (result->status) {
		reply->rc = -EIO;
		snprintf(reply->message, sizeof(reply->message), "%s: xl failed (%d): %s", verb,
			 result->status, said);
	} else {
		snprintf(reply->message, sizeof(reply->message), "%s: done", verb);
	}
}

static void end_if_idle(struct helper_child *child)
{
	if (child->ended && !child->n_running)
		sd_event_exit(child->event, 0);
}

static void answer(struct helper_child *child, const struct helper_reply *reply)
{
	/* Who does not read any more does not want to know. */
	if (send(child->fd, reply, sizeof(*reply), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("job %llu: nobody waits for its end", (unsigned long long)reply->job);
}

static void on_done(void *ctx, const struct runner_result *result)
{
	struct run *run = ctx;
	struct helper_child *child = run->child;
	struct helper_reply reply;

	helper_judge(&run->request, result, &reply);
	free(run);
	answer(child, &reply);
	child->n_running--;
	end_if_idle(child);
}

static void start(struct helper_child *child, const struct helper_request *request,
		  const struct command *command)
{
	struct run *run = xb_calloc(1, sizeof(*run));
	struct helper_reply reply = {.job = request->job};
	int err;

	*run = (struct run){.child = child, .request = *request};
	err = runner_start(child->event, command->argv, request->timeout_ns, on_done, run);
	if (!err) {
		child->n_running++;
		return;
	}
	free(run);
	reply.rc = err;
	snprintf(reply.message, sizeof(reply.message), "xl cannot be started: %s", strerror(-err));
	answer(child, &reply);
}

static int on_request(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct helper_child *child = userdata;
	char bytes[sizeof(struct helper_request) + 1];
	struct helper_request request;
	struct command command;
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	/* The other end is closed, or not ours any more: no second guess. */
	if (n <= 0 || !helper_request_valid(bytes, (size_t)n, child->xl, &request, &command)) {
		if (n > 0)
			log_err("the process that runs xl was asked for what no service of ours "
				"asks for: it ends");
		child->ended = true;
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		end_if_idle(child);
		return 0;
	}
	start(child, &request, &command);
	return 0;
}

void helper_run(int fd, const char *xl)
{
	struct helper_child child = {.xl = xl, .fd = fd};
	int err = sd_event_new(&child.event);

	if (err >= 0)
		err = sd_event_add_io(child.event, NULL, fd, EPOLLIN, on_request, &child);
	if (err >= 0)
		err = sd_event_loop(child.event);
	if (err < 0)
		log_err("the process that runs xl cannot go on: %s", strerror(-err));
	sd_event_unref(child.event);
}
