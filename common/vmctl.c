/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmctl.c - see vmctl.h; vmctl_wire.c knows the lines.
 *
 * One line is on its way at a time: xenback-vmctl answers each at once. A finished question waits
 * in a list of its own until the loop comes round (on_finished), so that no answer comes out of
 * vmctl_ask and the one who gets it may do what he likes.
 */
#include "vmctl.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <utlist.h>

#include "clock.h"
#include "util.h"
#include "vmctl_wire.h"

/* How long an answer may take. */
#define ANSWER_NS (10 * NSEC_PER_SEC)
/* How often a job is asked for: soon, then less and less. */
#define POLL_FIRST_NS (10 * NSEC_PER_MSEC)
#define POLL_LAST_NS  (500 * NSEC_PER_MSEC)

struct question {
	struct question *prev, *next;
	enum vmctl_verb verb;
	uint16_t domid;
	char *argument, *reason; /* NULL = none */
	vmctl_done_fn done;
	void *ctx;
	uint64_t job;	  /* 0 = not asked yet */
	uint64_t next_ns; /* when to ask for the job again, and */
	uint64_t poll_ns; /* how long after the last time that is */
	int rc;		  /* of a finished one, with */
	char *message;
};

struct vmctl {
	sd_event *event;
	struct sockaddr_un address;
	sd_event_source *io, *timer, *defer;
	int fd; /* -1: not connected */
	struct question *waiting, *finished;
	unsigned int n_waiting;
	struct question *asked; /* whose line is on its way */
	uint64_t deadline_ns;	/* of its answer */
	char *out;
	size_t n_out, out_pos;
	char *in;
	size_t n_in, in_size;
};

static void question_free(struct question *question)
{
	free(question->argument);
	free(question->reason);
	free(question->message);
	free(question);
}

static void disconnect(struct vmctl *vmctl)
{
	vmctl->io = sd_event_source_disable_unref(vmctl->io);
	if (vmctl->fd >= 0)
		close(vmctl->fd);
	vmctl->fd = -1;
	vmctl->asked = NULL;
	free(vmctl->out);
	vmctl->out = NULL;
	vmctl->n_in = 0;
}

/* Takes message over. */
static void finish(struct vmctl *vmctl, struct question *question, int rc, char *message)
{
	DL_DELETE(vmctl->waiting, question);
	DL_APPEND(vmctl->finished, question);
	question->rc = rc;
	question->message = message;
	if (vmctl->asked == question)
		vmctl->asked = NULL;
	sd_event_source_set_enabled(vmctl->defer, SD_EVENT_ONESHOT);
}

/* The connection is of no use any more, nor is the answer. */
static void fail_asked(struct vmctl *vmctl, int rc, const char *what)
{
	struct question *question = vmctl->asked;

	disconnect(vmctl);
	if (question)
		finish(vmctl, question, rc,
		       xb_asprintf("xenback-vmctl at %s: %s", vmctl->address.sun_path, what));
}

/* --- one question --- */

static bool is_due(const struct question *question, uint64_t now_ns)
{
	return !question->job || question->next_ns <= now_ns;
}

static void send_more(struct vmctl *vmctl)
{
	ssize_t n = send(vmctl->fd, vmctl->out + vmctl->out_pos, vmctl->n_out - vmctl->out_pos,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	/* Whoever refuses us says why and closes: that is read, so a broken pipe is no news. */
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		n = (ssize_t)(vmctl->n_out - vmctl->out_pos);
	vmctl->out_pos += n > 0 ? (size_t)n : 0;
	if (vmctl->out_pos == vmctl->n_out) {
		free(vmctl->out);
		vmctl->out = NULL;
	}
	sd_event_source_set_io_events(vmctl->io, vmctl->out ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void take_answer(struct vmctl *vmctl, size_t size, uint64_t now_ns)
{
	struct question *question = vmctl->asked;
	struct vmctl_reply reply;

	if (vmctl_reply_parse(vmctl->in, size, &reply)) {
		fail_asked(vmctl, -EPROTO, "something else answers there");
		return;
	}
	vmctl->asked = NULL;
	vmctl->n_in = 0;
	if (reply.ok && reply.job && reply.state == VMCTL_JOB_RUNNING) {
		question->job = reply.job;
		question->next_ns = now_ns + question->poll_ns;
		question->poll_ns = MIN(question->poll_ns * 2, POLL_LAST_NS);
		free(reply.message);
		return;
	}
	finish(vmctl, question, reply.ok && reply.state != VMCTL_JOB_FAILED ? 0 : -EREMOTEIO,
	       reply.message);
}

/* Reads until there is a whole line. */
static void receive(struct vmctl *vmctl)
{
	ssize_t n;

	if (vmctl->n_in == vmctl->in_size) {
		vmctl->in_size = MAX(4096, vmctl->in_size * 2);
		vmctl->in = xb_realloc(vmctl->in, vmctl->in_size);
	}
	n = recv(vmctl->fd, vmctl->in + vmctl->n_in, vmctl->in_size - vmctl->n_in, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fail_asked(vmctl, -ECONNRESET, "it closed the connection without an answer");
		return;
	}
	vmctl->n_in += (size_t)n;
	/* Unasked for, or without an end: not ours. */
	if (!vmctl->asked || vmctl->n_in > VMCTL_REPLY_MAX)
		fail_asked(vmctl, -EPROTO, "something else answers there");
	else if (vmctl->in[vmctl->n_in - 1] == '\n')
		take_answer(vmctl, vmctl->n_in - 1, clock_now(&clock_monotonic));
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata);

static int connect_now(struct vmctl *vmctl)
{
	int err;

	if (vmctl->fd >= 0)
		return 0;
	vmctl->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (vmctl->fd < 0 ||
	    connect(vmctl->fd, (struct sockaddr *)&vmctl->address, sizeof(vmctl->address)))
		return -errno;
	err = sd_event_add_io(vmctl->event, &vmctl->io, vmctl->fd, EPOLLIN, on_io, vmctl);
	return MIN(err, 0);
}

static const char *explain(int err)
{
	switch (err) {
	case -ENOENT:
		return "it is not running; start it with `systemctl start xenback-vmctl.socket`";
	case -ECONNREFUSED:
		return "it is not running; see `systemctl status xenback-vmctl`";
	case -EACCES:
	case -EPERM:
		return "no permission to ask it; see vmctl.conf(5), users";
	case -EAGAIN:
		return "too many connections wait for it; see `systemctl status xenback-vmctl`";
	}
	return strerror(-err);
}

static void ask(struct vmctl *vmctl, struct question *question, uint64_t now_ns)
{
	int err;

	vmctl->asked = question;
	err = connect_now(vmctl);
	if (err) {
		fail_asked(vmctl, err, explain(err));
		return;
	}
	vmctl->out = question->job ? vmctl_job_line(question->job)
				   : vmctl_request_line(question->verb, question->domid,
							question->argument, question->reason);
	vmctl->n_out = strlen(vmctl->out);
	vmctl->out_pos = 0;
	vmctl->deadline_ns = now_ns + ANSWER_NS;
	send_more(vmctl);
}

/* --- all of them --- */

static void set_timer(struct vmctl *vmctl)
{
	const struct question *question;
	uint64_t next_ns = vmctl->asked ? vmctl->deadline_ns : DEADLINE_NEVER;

	if (!vmctl->asked) {
		DL_FOREACH (vmctl->waiting, question) {
			next_ns = MIN(next_ns, question->next_ns);
		}
	}
	if (next_ns == DEADLINE_NEVER) {
		sd_event_source_set_enabled(vmctl->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(vmctl->timer, next_ns / NSEC_PER_USEC + 1);
	sd_event_source_set_enabled(vmctl->timer, SD_EVENT_ONESHOT);
}

/* Asks what is due, until a line is on its way. */
static void advance(struct vmctl *vmctl)
{
	uint64_t now_ns = clock_now(&clock_monotonic);
	struct question *question, *next;

	DL_FOREACH_SAFE (vmctl->waiting, question, next) {
		if (vmctl->asked)
			break;
		if (is_due(question, now_ns))
			ask(vmctl, question, now_ns);
	}
	if (!vmctl->waiting)
		disconnect(vmctl);
	set_timer(vmctl);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct vmctl *vmctl = userdata;

	if (vmctl->out && (revents & EPOLLOUT))
		send_more(vmctl);
	if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR))
		receive(vmctl);
	advance(vmctl);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vmctl *vmctl = userdata;

	if (vmctl->asked && vmctl->deadline_ns <= clock_now(&clock_monotonic))
		fail_asked(vmctl, -ETIMEDOUT, "no answer; see `journalctl -u xenback-vmctl`");
	advance(vmctl);
	return 0;
}

/* One a turn: what is called may close us, so nothing is touched after it. */
static int on_finished(sd_event_source *source, void *userdata)
{
	struct vmctl *vmctl = userdata;
	struct question *question = vmctl->finished;

	DL_DELETE(vmctl->finished, question);
	vmctl->n_waiting--;
	sd_event_source_set_enabled(source, vmctl->finished ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
	question->done(question->ctx, question->rc, question->message);
	question_free(question);
	return 0;
}

int vmctl_open(struct vmctl **out, sd_event *event, const char *path)
{
	struct vmctl *vmctl = xb_calloc(1, sizeof(*vmctl));
	int err = 0;

	*out = NULL;
	path = path ? path : VMCTL_SOCKET;
	vmctl->fd = -1;
	vmctl->event = sd_event_ref(event);
	vmctl->address.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(vmctl->address.sun_path))
		err = -ENAMETOOLONG;
	else
		strcpy(vmctl->address.sun_path, path);
	if (err >= 0)
		err = sd_event_add_time(event, &vmctl->timer, CLOCK_MONOTONIC, 0, 1000, on_timer,
					vmctl);
	if (err >= 0)
		err = sd_event_source_set_enabled(vmctl->timer, SD_EVENT_OFF);
	if (err >= 0)
		err = sd_event_add_defer(event, &vmctl->defer, on_finished, vmctl);
	if (err >= 0)
		err = sd_event_source_set_enabled(vmctl->defer, SD_EVENT_OFF);
	if (err < 0) {
		vmctl_close(vmctl);
		return err;
	}
	*out = vmctl;
	return 0;
}

void vmctl_close(struct vmctl *vmctl)
{
	struct question *question, *next;

	if (!vmctl)
		return;
	disconnect(vmctl);
	DL_FOREACH_SAFE (vmctl->waiting, question, next) {
		question_free(question);
	}
	DL_FOREACH_SAFE (vmctl->finished, question, next) {
		question_free(question);
	}
	sd_event_source_disable_unref(vmctl->timer);
	sd_event_source_disable_unref(vmctl->defer);
	sd_event_unref(vmctl->event);
	free(vmctl->in);
	free(vmctl);
}

static bool argument_valid(const char *argument)
{
	size_t n = strnlen(argument, VMCTL_ARGUMENT_MAX + 1);

	for (size_t i = 0; i < n; i++)
		if (argument[i] <= ' ' || argument[i] > '~')
			return false;
	return n && n <= VMCTL_ARGUMENT_MAX;
}

int vmctl_ask(struct vmctl *vmctl, enum vmctl_verb verb, uint16_t domid, const char *argument,
	      vmctl_done_fn done, void *ctx)
{
	return vmctl_ask_for(vmctl, verb, domid, argument, NULL, done, ctx);
}

int vmctl_ask_for(struct vmctl *vmctl, enum vmctl_verb verb, uint16_t domid, const char *argument,
		  const char *reason, vmctl_done_fn done, void *ctx)
{
	const struct vmctl_verb_desc *desc = vmctl_verb_desc(verb);
	struct question *question;

	if (desc->domid ? !domid || domid >= VMCTL_DOMID_END : domid != VMCTL_NO_DOMID)
		return -EINVAL;
	if (argument ? !desc->argument || !argument_valid(argument) : desc->needs_argument)
		return -EINVAL;
	if (reason && (!desc->reason || !xb_is_word(reason, VMCTL_REASON_MAX)))
		return -EINVAL;
	if (vmctl->n_waiting == VMCTL_WAITING_MAX)
		return -EBUSY;
	question = xb_calloc(1, sizeof(*question));
	*question = (struct question){
		.verb = verb, .domid = domid, .done = done, .ctx = ctx, .poll_ns = POLL_FIRST_NS};
	question->argument = argument ? xb_strdup(argument) : NULL;
	question->reason = reason ? xb_strdup(reason) : NULL;
	DL_APPEND(vmctl->waiting, question);
	vmctl->n_waiting++;
	advance(vmctl);
	return 0;
}
