/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook.c - the daemon's end: forks the process that runs programs, asks it; see hook.h. */
#include "hook.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hook_priv.h"
#include "util.h"

struct hook {
	int fd;
	pid_t pid;
};

bool hook_name_valid(const char *name)
{
	const size_t n = strnlen(name, HOOK_PROGRAM_MAX);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("_-.", name[i]))
			return false;
	return n > 0 && n < HOOK_PROGRAM_MAX && name[0] != '.';
}

bool hook_message_valid(const struct hook_message *message, size_t size)
{
	return size >= HOOK_PROGRAM_MAX && size <= sizeof(*message) &&
	       hook_name_valid(message->program);
}

static void __attribute__((noreturn)) child(int fd, pid_t parent, const char *dir)
{
	sigset_t none;

	prctl(PR_SET_NAME, "netback-hooks");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Terminal's and service manager's signals are for the daemon: we end with our socket. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Of all that the daemon has open this process keeps its socket and the log. */
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ||
	    close_range(STDERR_FILENO + 1, ~0u, 0) || getppid() != parent)
		_exit(1);
	hook_serve(STDIN_FILENO, dir);
	_exit(0);
}

int hook_create(struct hook **out, const char *dir)
{
	const pid_t self = getpid();
	struct hook *hook;
	int ends[2];
	pid_t pid;

	*out = NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	pid = fork();
	if (pid == 0)
		child(ends[1], self, dir);
	close(ends[1]);
	if (pid < 0) {
		const int err = -errno;

		close(ends[0]);
		return err;
	}
	hook = xb_calloc(1, sizeof(*hook));
	*hook = (struct hook){.fd = ends[0], .pid = pid};
	*out = hook;
	return 0;
}

void hook_destroy(struct hook *hook)
{
	if (!hook)
		return;
	close(hook->fd);
	while (waitpid(hook->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(hook);
}

int hook_run(struct hook *hook, const char *program, const char *text)
{
	char name[HOOK_PROGRAM_MAX] = "";
	const size_t n = strlen(text);
	struct iovec parts[2] = {{name, sizeof(name)}, {(void *)text, n}};
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	if (!hook_name_valid(program))
		return -EINVAL;
	if (n > HOOK_TEXT_MAX)
		return -EMSGSIZE;
	snprintf(name, sizeof(name), "%s", program);
	return sendmsg(hook->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}
