/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_child.c - the process that runs hooks; see hook.h. It believes nothing of what comes through
 * its socket. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "hook_priv.h"
#include "log.h"
#include "util.h"

#define LOG_MODULE "hook"
#define LOOK_MS	   50 /* at programs that run */
#define PATH_SIZE  512

struct running {
	pid_t pid; /**< 0 = free */
	uint64_t began_ns;
	char program[HOOK_PROGRAM_MAX];
};

/* Ours, and nobody else may write it. */
static const char *distrust(const struct stat *st, mode_t kind)
{
	if ((st->st_mode & S_IFMT) != kind)
		return kind == S_IFDIR ? "is no directory" : "is no regular file";
	if (st->st_uid != geteuid())
		return "belongs to another user";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "may be written by others";
	return NULL;
}

/* Why a program is not run, NULL = it may. */
static const char *refuse(const char *dir, const char *path)
{
	struct stat st;
	const char *why;

	if (stat(dir, &st) < 0)
		return strerror(errno);
	why = distrust(&st, S_IFDIR);
	if (why)
		return why;
	if (lstat(path, &st) < 0)
		return strerror(errno);
	why = distrust(&st, S_IFREG);
	if (why)
		return why;
	return st.st_mode & S_IXUSR ? NULL : "is not executable";
}

static int text_file(const char *text, size_t n)
{
	const int fd = memfd_create("hook", 0);

	if (fd >= 0 && (write(fd, text, n) != (ssize_t)n || write(fd, "\n", 1) != 1 ||
			lseek(fd, 0, SEEK_SET) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void __attribute__((noreturn)) become(const char *path, int input)
{
	char *const argv[] = {(char *)path, NULL};
	char *const envp[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};

	setpgid(0, 0);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	if (dup2(input, STDIN_FILENO) >= 0 && !close_range(STDERR_FILENO + 1, ~0u, 0) &&
	    !chdir("/"))
		execve(path, argv, envp);
	log_warn("%s: cannot be run: %s", path, strerror(errno));
	_exit(127);
}

static void start(struct running *slot, const char *dir, const struct hook_message *message,
		  size_t size)
{
	char path[PATH_SIZE];
	const char *why;
	int input;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/%s", dir, message->program);
	why = refuse(dir, path);
	if (why) {
		log_warn("%s: not run: it, or its directory, %s", path, why);
		return;
	}
	input = text_file(message->text, size - HOOK_PROGRAM_MAX);
	pid = input < 0 ? -1 : fork();
	if (pid == 0)
		become(path, input);
	if (pid < 0)
		log_warn("%s: not run: %s", path, strerror(errno));
	if (input >= 0)
		close(input);
	if (pid <= 0)
		return;
	*slot = (struct running){.pid = pid, .began_ns = clock_now(&clock_monotonic)};
	snprintf(slot->program, sizeof(slot->program), "%s", message->program);
}

/* Programs that ended, and those that should have. How many run. */
static unsigned int look(struct running *slots)
{
	const uint64_t now_ns = clock_now(&clock_monotonic);
	unsigned int n = 0;
	int status;

	for (unsigned int i = 0; i < HOOK_RUNNING; i++) {
		struct running *slot = &slots[i];

		if (slot->pid && waitpid(slot->pid, &status, WNOHANG) == slot->pid) {
			if (status)
				log_warn("%s: ended with status %d", slot->program,
					 WIFEXITED(status) ? WEXITSTATUS(status)
							   : 128 + WTERMSIG(status));
			slot->pid = 0;
		}
		if (slot->pid && now_ns - slot->began_ns > HOOK_TIME_NS) {
			log_warn("%s: killed, it ran longer than 10 s", slot->program);
			kill(-slot->pid, SIGKILL);
			slot->began_ns = now_ns; /* it is waited for until it is gone */
		}
		n += slot->pid != 0;
	}
	return n;
}

static struct running *free_slot(struct running *slots)
{
	for (unsigned int i = 0; i < HOOK_RUNNING; i++)
		if (!slots[i].pid)
			return &slots[i];
	return NULL;
}

void hook_serve(int fd, const char *dir)
{
	struct running slots[HOOK_RUNNING] = {{0}};
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	struct hook_message message;

	for (;;) {
		const unsigned int n_running = look(slots);
		ssize_t n;

		if (poll(&wait, 1, n_running ? LOOK_MS : -1) <= 0)
			continue;
		memset(&message, 0, sizeof(message));
		n = recv(fd, &message, sizeof(message), MSG_DONTWAIT | MSG_TRUNC);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return;
		if (n < 0)
			continue;
		if (!hook_message_valid(&message, (size_t)n))
			log_warn("what the daemon asks for is no name of a program with a text");
		else if (n_running == HOOK_RUNNING)
			log_warn("%s: not run: %u programs are running", message.program,
				 HOOK_RUNNING);
		else
			start(free_slot(slots), dir, &message, (size_t)n);
	}
}
