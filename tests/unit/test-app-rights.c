/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-app-rights.c - what a daemon has in prepare and in start, as which user, and what a helper
 * keeps. */
#include "app.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "ctl.h"
#include "util.h"

/* The daemon runs in a child, which writes lines that the parent reads. */
static int report = -1;
static bool fail_prepare;
static char output[2048];

static bool permitted(cap_value_t cap)
{
	cap_t now = cap_get_proc();
	cap_flag_value_t has = CAP_CLEAR;

	cap_get_flag(now, cap, CAP_EFFECTIVE, &has);
	cap_free(now);
	return has == CAP_SET;
}

static void say(const char *where)
{
	dprintf(report, "%s: uid %u gid %u groups %d chown %d net %d\n", where, getuid(), getgid(),
		getgroups(0, NULL), permitted(CAP_CHOWN), permitted(CAP_NET_ADMIN));
}

static int prepare(struct app *app)
{
	say("prepare");
	return fail_prepare ? -EIO : 0;
}

static int start(struct app *app)
{
	say("start");
	/* All is seen: end. */
	return sd_event_exit(app->event, 0);
}

static void stop(struct app *app)
{
	dprintf(report, "stop\n");
}

static const cap_value_t keep[] = {CAP_NET_ADMIN};
static struct app_desc desc = {
	.name = "test-rights",
	.summary = "Tests rights.",
	.keep_caps = keep,
	.n_keep_caps = ARRAY_SIZE(keep),
	.no_xen = true,
	.user_option = true,
	.prepare = prepare,
	.start = start,
	.stop = stop,
};

/* Runs the daemon with one argument, or none; its exit status. */
static int run(const char *argument)
{
	char dir[] = "/tmp/test-rights.XXXXXX", path[64];
	char *argv[] = {(char *)"test-rights", (char *)argument, NULL};
	int ends[2], status;
	ssize_t n, size = 0;
	pid_t pid;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/test-rights.ctl", dir);
	setenv("XENBACK_RUN", dir, 1);
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		report = ends[1];
		dup2(report, STDERR_FILENO);
		dup2(report, STDOUT_FILENO);
		status = app_run(&desc, argument ? 2 : 1, argv);
		fflush(stdout);
		_exit(status);
	}
	close(ends[1]);
	while ((n = read(ends[0], output + size, sizeof(output) - 1 - (size_t)size)) > 0)
		size += n;
	output[size] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unlink(path);
	rmdir(dir);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect(const char *words)
{
	if (!strstr(output, words))
		fail_msg("\"%s\" is missing in: %s", words, output);
}

static void prepare_has_what_start_has_not(void **state)
{
	if (getuid())
		skip();
	fail_prepare = false;
	assert_int_equal(run(NULL), 0);
	expect("prepare: uid 0 gid 0");
	expect("chown 1 net 1\nstart: uid 0");
	expect("chown 0 net 1\n");
	expect("\nstop\n");
}

static void user_is_taken_after_prepare(void **state)
{
	const struct passwd *nobody = getpwnam("nobody");
	char words[96];

	if (getuid() || !nobody) {
		skip();
		return;
	}
	fail_prepare = false;
	assert_int_equal(run("--user=nobody"), 0);
	expect("prepare: uid 0 gid 0");
	snprintf(words, sizeof(words), "start: uid %u gid %u groups 1 chown 0 net 1\n",
		 nobody->pw_uid, nobody->pw_gid);
	expect(words);
}

static void failed_prepare_is_undone(void **state)
{
	fail_prepare = true;
	assert_int_equal(run(NULL), 1);
	expect("\nstop\n");
	assert_null(strstr(output, "start: "));
}

static void wrong_users_are_refused(void **state)
{
	assert_int_equal(run("--user=no-such-user"), 2);
	expect("--user: \"no-such-user\" is refused; allowed: a user of this machine");
	assert_null(strstr(output, "prepare"));
}

static void not_every_daemon_offers_users(void **state)
{
	assert_int_equal(run("--help"), 0);
	expect("--user=NAME");
	desc.user_option = false;
	assert_int_equal(run("--user=nobody"), 2);
	expect("unknown option --user");
	assert_int_equal(run("--help"), 0);
	assert_null(strstr(output, "--user"));
	desc.user_option = true;
}

/* CapPrm of /proc/self/status; capget is not among a helper's calls. */
static unsigned long long permitted_by_status(void)
{
	char text[4096];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	const char *line;

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	line = strstr(text, "CapPrm:");
	return line ? strtoull(line + strlen("CapPrm:"), NULL, 16) : ~0ull;
}

/* In a child: the number of what is not as it should be. */
static int confined(void)
{
	char *const none[] = {(char *)"/bin/true", NULL};
	int fd;

	if (app_confine_helper())
		return 1;
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd < 0 || write(fd, "x", 1) != 1 || close(fd))
		return 2;
	if (permitted_by_status() != 0)
		return 3;
	if (execve(none[0], none, none + 1) != -1 || errno != EPERM)
		return 4;
#ifndef __SANITIZE_ADDRESS__
	if (socket(AF_UNIX, SOCK_STREAM, 0) != -1 || errno != EPERM)
		return 5;
	if (fork() != -1 || errno != EPERM)
		return 6;
	if (unlink("/tmp/there-is-no-such-file") != -1 || errno != EPERM)
		return 7;
#endif
	return 0;
}

static void helpers_are_confined(void **state)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(confined());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prepare_has_what_start_has_not),
		cmocka_unit_test(user_is_taken_after_prepare),
		cmocka_unit_test(failed_prepare_is_undone),
		cmocka_unit_test(wrong_users_are_refused),
		cmocka_unit_test(not_every_daemon_offers_users),
		cmocka_unit_test(helpers_are_confined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
