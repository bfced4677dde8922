/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook.c - the daemon's end: forks the process that runs programs, asks it; see hook.h. */
#include "hook.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
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

static void serve(int fd, const void *arg)
{
	hook_serve(fd, arg);
}

int hook_create(struct hook **out, const char *dir)
{
	struct hook *hook;
	int fd;
	const pid_t pid = child_fork("netback-hooks", true, serve, dir, &fd);

	*out = NULL;
	if (pid < 0)
		return pid;
	hook = xb_calloc(1, sizeof(*hook));
	*hook = (struct hook){.fd = fd, .pid = pid};
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
