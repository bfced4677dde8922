/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runner.c - see runner.h. */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/util.h"

#define EXIT_NOT_FOUND 127

struct runner {
	runner_done_fn done;
	void *ctx;
	pid_t pid;
	int fd; /* what it says */
	sd_event_source *child, *io, *timer;
	bool timeout;
	/* The last bytes, twice as many as are kept: moved when full. */
	char tail[2 * RUNNER_OUTPUT_MAX];
	size_t n_tail;
};

static void runner_free(struct runner *runner)
{
	sd_event_source_disable_unref(runner->child);
	sd_event_source_disable_unref(runner->io);
	sd_event_source_disable_unref(runner->timer);
	if (runner->fd >= 0)
		close(runner->fd);
	free(runner);
}

/* --- the program --- */

static void __attribute__((noreturn)) child(const char *const argv[], int output)
{
	static const char *const environment[] = {
		"PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin",
		"LANG=C.UTF-8",
		"HOME=/root",
		NULL,
	};
	int input = open("/dev/null", O_RDONLY);
	sigset_t none;

	sigemptyset(&none);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL); /* those that cannot be set are as they should be */
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (setpgid(0, 0) || chdir("/") || dup2(input, STDIN_FILENO) < 0 ||
	    dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0 ||
	    close_range(STDERR_FILENO + 1, ~0u, 0))
		_exit(EXIT_NOT_FOUND);
	clearenv();
	for (size_t i = 0; environment[i]; i++)
		putenv((char *)environment[i]);
	execvp(argv[0], (char *const *)argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(EXIT_NOT_FOUND);
}

/* --- what it says --- */

enum got { GOT_SOME, GOT_NOTHING, GOT_END };

static enum got read_output(struct runner *runner)
{
	ssize_t n = read(runner->fd, runner->tail + runner->n_tail,
			 sizeof(runner->tail) - runner->n_tail);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? GOT_NOTHING : GOT_END;
	runner->n_tail += (size_t)n;
	if (runner->n_tail == sizeof(runner->tail)) {
		memmove(runner->tail, runner->tail + RUNNER_OUTPUT_MAX, RUNNER_OUTPUT_MAX);
		runner->n_tail = RUNNER_OUTPUT_MAX;
	}
	return n > 0 ? GOT_SOME : GOT_END;
}

static int on_output(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	if (read_output(userdata) == GOT_END)
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

/* On one line, for messages: it comes from xl, and in part from guests. */
static void tidy(const struct runner *runner, char output[RUNNER_OUTPUT_MAX])
{
	size_t n = MIN(runner->n_tail, RUNNER_OUTPUT_MAX / 2 - 1), out = 0;
	const char *text = runner->tail + runner->n_tail - n;
	bool parted = true;

	for (size_t i = 0; i < n; i++) {
		bool end = text[i] == '\n' || text[i] == '\r';

		if (end && !parted) {
			output[out++] = ';';
			output[out++] = ' ';
		} else if (!end) {
			output[out++] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
		}
		parted = end;
	}
	while (out && (output[out - 1] == ' ' || output[out - 1] == ';'))
		out--;
	output[out] = 0;
}

/* --- its end --- */

static int on_child(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct runner *runner = userdata;
	struct runner_result result = {.status = -1, .timeout = runner->timeout};

	if (info->si_code == CLD_EXITED)
		result.status = info->si_status;
	else
		result.signal = info->si_status;
	/* At most what the pipe holds: somebody in the background may write on. */
	for (int i = 0; i < 64 && read_output(runner) == GOT_SOME; i++)
		;
	tidy(runner, result.output);
	runner->done(runner->ctx, &result);
	runner_free(runner);
	return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct runner *runner = userdata;

	kill(-runner->pid, runner->timeout ? SIGKILL : SIGTERM);
	if (runner->timeout)
		return 0;
	runner->timeout = true;
	sd_event_source_set_time(source, usec + RUNNER_GRACE_NS / NSEC_PER_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int watch(struct runner *runner, sd_event *event, uint64_t timeout_ns)
{
	uint64_t end_ns = clock_now(&clock_monotonic) + timeout_ns;
	int err = sd_event_add_child(event, &runner->child, runner->pid, WEXITED, on_child, runner);

	if (err >= 0)
		err = sd_event_add_io(event, &runner->io, runner->fd, EPOLLIN, on_output, runner);
	if (err >= 0)
		err = sd_event_add_time(event, &runner->timer, CLOCK_MONOTONIC,
					end_ns / NSEC_PER_USEC, 1000, on_timeout, runner);
	return MIN(err, 0);
}

int runner_start(sd_event *event, const char *const argv[], uint64_t timeout_ns,
		 runner_done_fn done, void *ctx)
{
	struct runner *runner;
	int ends[2], err;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	runner = xb_calloc(1, sizeof(*runner));
	runner->done = done;
	runner->ctx = ctx;
	runner->fd = ends[0];
	/* Not for the program: to write it must be able to wait. */
	fcntl(ends[1], F_SETFL, 0);
	runner->pid = fork();
	if (runner->pid == 0)
		child(argv, ends[1]);
	err = runner->pid < 0 ? -errno : 0;
	close(ends[1]);
	if (!err) {
		setpgid(runner->pid, runner->pid); /* it does so itself, now or a moment later */
		err = watch(runner, event, timeout_ns);
		if (err) {
			kill(runner->pid, SIGKILL);
			waitpid(runner->pid, NULL, 0);
		}
	}
	if (err)
		runner_free(runner);
	return err;
}
