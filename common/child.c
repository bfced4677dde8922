/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child.c - see child.h. */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* In the child; false: it cannot become what it should be. */
static bool settle(const char *name, pid_t parent, bool tied, int fd)
{
	sigset_t none;

	prctl(PR_SET_NAME, name);
	if (tied)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return dup2(fd, STDIN_FILENO) >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 &&
	       close_range(STDERR_FILENO + 1, ~0u, 0) == 0 && (!tied || getppid() == parent);
}

pid_t child_fork(const char *name, bool tied, child_fn run, const void *arg, int *fd)
{
	const pid_t self = getpid();
	int ends[2], err;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	pid = fork();
	err = errno;
	if (pid == 0) {
		if (!settle(name, self, tied, ends[1]))
			_exit(1);
		run(STDIN_FILENO, arg);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return -err;
	}
	*fd = ends[0];
	return pid;
}
