/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-vmctl-helper.c - running a program: output, ends, time; the process that runs xl: requests,
 * verdicts, its life. */
#include "tools/vmctl/helper.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/log.h"
#include "common/util.h"
#include "tools/vmctl/helper_wire.h"

#define LONG (60 * NSEC_PER_SEC)

static struct test {
	sd_event *event;
	bool done;
	struct runner_result result;
	uint64_t job;
	int rc;
	char message[HELPER_MESSAGE_MAX];
} t;

static void drop_line(void *ctx, enum log_level level, const char *module, const char *line)
{
}

static int setup(void **state)
{
	sigset_t set;

	t = (struct test){0};
	log_set_sink(drop_line, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	assert_true(sd_event_new(&t.event) >= 0);
	return 0;
}

static int teardown(void **state)
{
	sd_event_unref(t.event);
	return 0;
}

static void on_end(void *ctx, const struct runner_result *result)
{
	t.result = *result;
	t.done = true;
}

static void wait_done(void)
{
	while (!t.done)
		assert_true(sd_event_run(t.event, 20000000) > 0);
}

static void run_shell(const char *script, uint64_t timeout_ns)
{
	const char *const argv[] = {"sh", "-c", script, NULL};

	t.done = false;
	assert_int_equal(runner_start(t.event, argv, timeout_ns, on_end, NULL), 0);
	wait_done();
}

static void ends_and_output_are_told(void **state)
{
	run_shell("echo one; echo; echo two >&2; exit 3", LONG);
	assert_int_equal(t.result.status, 3);
	assert_int_equal(t.result.signal, 0);
	assert_false(t.result.timeout);
	assert_string_equal(t.result.output, "one; two");
	run_shell("printf 'a\\033[2Jb\\tc\\377'", LONG);
	assert_int_equal(t.result.status, 0);
	assert_string_equal(t.result.output, "a?[2Jb?c?");
	run_shell("kill -KILL $$", LONG);
	assert_int_equal(t.result.status, -1);
	assert_int_equal(t.result.signal, SIGKILL);
	assert_string_equal(t.result.output, "");
}

static void only_the_last_of_much_output_is_kept(void **state)
{
	run_shell("i=0; while [ $i -lt 3000 ]; do echo line $i of much output; i=$((i+1)); done; "
		  "echo the end",
		  LONG);
	assert_int_equal(t.result.status, 0);
	assert_true(strlen(t.result.output) < RUNNER_OUTPUT_MAX);
	assert_true(strlen(t.result.output) > RUNNER_OUTPUT_MAX / 4);
	assert_non_null(strstr(t.result.output, "line 2999 of much output; the end"));
	run_shell("yes '' | head -c 100000", LONG);
	assert_string_equal(t.result.output, "");
}

static void the_program_gets_nothing_of_ours(void **state)
{
	int fd = dup(STDIN_FILENO); /* would be inherited */

	setenv("SECRET", "yes", 1);
	run_shell("echo ${SECRET:-none} $(cat | wc -c) $(pwd); ls /proc/self/fd | wc -l; "
		  "[ $(ps -o pgid= -p $$) = $$ ] && grep SigBlk /proc/self/status",
		  LONG);
	close(fd);
	/* ls has its own one for the directory. */
	assert_string_equal(t.result.output, "none 0 /; 4; SigBlk:?0000000000000000");
}

static void who_takes_too_long_is_ended(void **state)
{
	run_shell("echo begun; sleep 600", 50 * NSEC_PER_MSEC);
	assert_true(t.result.timeout);
	assert_int_equal(t.result.signal, SIGTERM);
	assert_string_equal(t.result.output, "begun");
}

static void what_stays_in_the_background_is_not_waited_for(void **state)
{
	run_shell("sleep 2 & echo done", LONG);
	assert_int_equal(t.result.status, 0);
	assert_string_equal(t.result.output, "done");
}

static void a_program_that_is_not_there_says_so(void **state)
{
	const char *const argv[] = {"no-such-program-at-all", NULL};

	assert_int_equal(runner_start(t.event, argv, LONG, on_end, NULL), 0);
	wait_done();
	assert_int_equal(t.result.status, 127);
	assert_non_null(strstr(t.result.output, "no-such-program-at-all: No such file"));
}

/* --- requests and verdicts --- */

static void only_whole_requests_are_valid(void **state)
{
	const struct helper_request good = {
		.job = 1, .timeout_ns = 1, .verb = VMCTL_SAVE, .domid = 3, .argument = "/s/a"};
	struct helper_request request = good, out;
	struct command command;

	assert_true(helper_request_valid(&request, sizeof(request), "xl", &out, &command));
	assert_string_equal(command.argv[1], "save");
	assert_false(helper_request_valid(&request, sizeof(request) - 1, "xl", &out, &command));
	request.job = 0;
	assert_false(helper_request_valid(&request, sizeof(request), "xl", &out, &command));
	request = good;
	request.timeout_ns = 0;
	assert_false(helper_request_valid(&request, sizeof(request), "xl", &out, &command));
	request = good;
	request.verb = VMCTL_VERBS;
	assert_false(helper_request_valid(&request, sizeof(request), "xl", &out, &command));
	request.verb = VMCTL_PAUSE;
	assert_false(helper_request_valid(&request, sizeof(request), "xl", &out, &command));
	request = good;
	request.domid = 65536 + 3;
	assert_false(helper_request_valid(&request, sizeof(request), "xl", &out, &command));
	request = good;
	request.argument[20] = 'x';
	assert_false(helper_request_valid(&request, sizeof(request), "xl", &out, &command));
	memset(request.argument, 'x', sizeof(request.argument));
	assert_false(helper_request_valid(&request, sizeof(request), "xl", &out, &command));
}

static void ends_of_xl_are_put_in_words(void **state)
{
	const struct helper_request request = {
		.job = 7, .timeout_ns = 90 * NSEC_PER_SEC, .verb = VMCTL_SAVE};
	struct runner_result result = {.output = "no space"};
	struct helper_reply reply;

	helper_judge(&request, &result, &reply);
	assert_int_equal(reply.rc, 0);
	assert_int_equal(reply.job, 7);
	assert_string_equal(reply.message, "save: done");
	result.status = 1;
	helper_judge(&request, &result, &reply);
	assert_int_equal(reply.rc, -EIO);
	assert_string_equal(reply.message, "save: xl failed (1): no space");
	result = (struct runner_result){.status = -1, .signal = SIGSEGV};
	helper_judge(&request, &result, &reply);
	assert_int_equal(reply.rc, -ECANCELED);
	assert_string_equal(reply.message, "save: xl was ended by signal 11: it said nothing");
	result = (struct runner_result){.status = -1, .signal = SIGTERM, .timeout = true};
	helper_judge(&request, &result, &reply);
	assert_int_equal(reply.rc, -ETIMEDOUT);
	assert_non_null(strstr(reply.message, "after 90 s"));
}

/* --- the process --- */

static void on_job(void *ctx, uint64_t job, int rc, const char *message)
{
	t.job = job;
	t.rc = rc;
	snprintf(t.message, sizeof(t.message), "%s", message);
	t.done = true;
}

/* An xl that says what it is called with. */
static void write_xl(const char *path, const char *script)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", script);
	fclose(file);
	assert_int_equal(chmod(path, 0755), 0);
}

static void the_process_runs_xl(void **state)
{
	char xl[] = "/tmp/test-vmctl-xl.XXXXXX";
	struct helper *helper;

	close(mkstemp(xl));
	write_xl(xl, "echo \"$#: $*\"; exit 4");
	assert_int_equal(helper_create(&helper, xl), 0);
	assert_int_equal(helper_attach(helper, t.event, on_job, NULL), 0);
	assert_int_equal(helper_start(helper, 5, VMCTL_SAVE, 3, "/s/a b", LONG), 0);
	wait_done();
	assert_int_equal(t.job, 5);
	assert_int_equal(t.rc, -EIO);
	assert_string_equal(t.message, "save: xl failed (4): 3: save 3 /s/a b");
	helper_destroy(helper);
	helper_destroy(NULL);
	unlink(xl);
}

/* It believes nothing: no path that is none, and then nothing more. */
static void the_process_refuses_nonsense(void **state)
{
	struct helper *helper;

	assert_int_equal(helper_create(&helper, "true"), 0);
	assert_int_equal(helper_attach(helper, t.event, on_job, NULL), 0);
	assert_int_equal(helper_start(helper, 5, VMCTL_SAVE, 3, "no-path", LONG), 0);
	/* It ends, and our loop with it. */
	assert_int_equal(sd_event_loop(t.event), -EPIPE);
	assert_false(t.done);
	helper_destroy(helper);
}

/* Waits for the program that writes to this FIFO. */
static void meet(const char *fifo)
{
	FILE *file = fopen(fifo, "r");
	char byte;

	assert_non_null(file);
	assert_int_equal(fread(&byte, 1, 1, file), 1);
	fclose(file);
	unlink(fifo);
}

/* Its xl goes on when the service is gone. */
static void the_process_stays_for_its_xl(void **state)
{
	char dir[] = "/tmp/test-vmctl.XXXXXX", xl[64], before[64], after[64], script[200];
	struct helper *helper;

	assert_non_null(mkdtemp(dir));
	snprintf(xl, sizeof(xl), "%s/xl", dir);
	snprintf(before, sizeof(before), "%s/before", dir);
	snprintf(after, sizeof(after), "%s/after", dir);
	assert_int_equal(mkfifo(before, 0600), 0);
	assert_int_equal(mkfifo(after, 0600), 0);
	snprintf(script, sizeof(script), "echo >%s; echo >%s", before, after);
	write_xl(xl, script);
	assert_int_equal(helper_create(&helper, xl), 0);
	assert_int_equal(helper_attach(helper, t.event, on_job, NULL), 0);
	assert_int_equal(helper_start(helper, 5, VMCTL_SHUTDOWN, 3, NULL, LONG), 0);
	meet(before);
	helper_destroy(helper);
	meet(after);
	unlink(xl);
	assert_int_equal(rmdir(dir), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ends_and_output_are_told),
		TEST(only_the_last_of_much_output_is_kept),
		TEST(the_program_gets_nothing_of_ours),
		TEST(who_takes_too_long_is_ended),
		TEST(what_stays_in_the_background_is_not_waited_for),
		TEST(a_program_that_is_not_there_says_so),
		TEST(only_whole_requests_are_valid),
		TEST(ends_of_xl_are_put_in_words),
		TEST(the_process_runs_xl),
		TEST(the_process_refuses_nonsense),
		TEST(the_process_stays_for_its_xl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
