/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-hook.c - programs of the administrator: run with the text on their input, and not run when
 * somebody else could have put them there. The answer of each comes through a FIFO; the log of the
 * process that runs them is read from its standard error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/util.h"
#include "netback-team/hook_priv.h"

struct lab {
	char dir[64];
	struct hook *hook;
	int log; /* what the process wrote */
};

static int setup(void **state)
{
	struct lab *lab = xb_calloc(1, sizeof(*lab));
	int ends[2], saved = dup(STDERR_FILENO);
	char path[128];

	strcpy(lab->dir, "/tmp/test-hook-XXXXXX");
	assert_non_null(mkdtemp(lab->dir));
	snprintf(path, sizeof(path), "%s/fifo", lab->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	dup2(ends[1], STDERR_FILENO);
	assert_int_equal(hook_create(&lab->hook, lab->dir), 0);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	lab->log = ends[0];
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;
	AUTO_FREE char *command = xb_asprintf("rm -r '%s'", lab->dir);

	hook_destroy(lab->hook);
	close(lab->log);
	assert_int_equal(system(command), 0);
	free(lab);
	return 0;
}

static void program(const struct lab *lab, const char *name, mode_t mode, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", lab->dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

/* Waits for the program that writes into the FIFO. */
static void expect_answer(const struct lab *lab, const char *wanted)
{
	char path[128], got[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/fifo", lab->dir);
	file = fopen(path, "r");
	assert_non_null(file);
	got[fread(got, 1, sizeof(got) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(got, wanted);
}

/* Waits for a line of the log with this word in it. */
static void expect_log(const struct lab *lab, const char *wanted)
{
	char line[512];
	size_t n = 0;

	for (;;) {
		assert_true(n < sizeof(line) - 1 && read(lab->log, line + n, 1) == 1);
		if (line[n++] != '\n')
			continue;
		line[n] = '\0';
		if (strstr(line, wanted))
			return;
		n = 0;
	}
}

static void a_program_gets_the_text(void **state)
{
	const struct lab *lab = *state;
	AUTO_FREE char *text =
		xb_asprintf("#!/bin/sh\n{ cat; pwd; echo $#; } >%s/fifo\n", lab->dir);

	program(lab, "tell", 0700, text);
	assert_int_equal(hook_run(lab->hook, "tell", "{\"alarm\": \"pps\"}"), 0);
	expect_answer(lab, "{\"alarm\": \"pps\"}\n/\n0\n");
	assert_int_equal(hook_run(lab->hook, "tell", "again"), 0);
	expect_answer(lab, "again\n/\n0\n");
}

static void nothing_else_is_run(void **state)
{
	const struct lab *lab = *state;
	char link[128];

	program(lab, "others-may-write", 0722, "#!/bin/sh\n");
	program(lab, "no-program", 0600, "#!/bin/sh\n");
	snprintf(link, sizeof(link), "%s/link", lab->dir);
	assert_int_equal(symlink("/bin/sh", link), 0);
	assert_int_equal(hook_run(lab->hook, "others-may-write", ""), 0);
	expect_log(lab, "may be written by others");
	assert_int_equal(hook_run(lab->hook, "no-program", ""), 0);
	expect_log(lab, "is not executable");
	assert_int_equal(hook_run(lab->hook, "link", ""), 0);
	expect_log(lab, "is no regular file");
	assert_int_equal(hook_run(lab->hook, "absent", ""), 0);
	expect_log(lab, "No such file");
	assert_int_equal(chmod(lab->dir, 0777), 0);
	program(lab, "fine", 0700, "#!/bin/sh\n");
	assert_int_equal(hook_run(lab->hook, "fine", ""), 0);
	expect_log(lab, "may be written by others");
	assert_int_equal(hook_run(lab->hook, "../tell", ""), -EINVAL);
	assert_int_equal(hook_run(lab->hook, "", ""), -EINVAL);
}

static void failures_are_told(void **state)
{
	const struct lab *lab = *state;
	AUTO_FREE char *long_text = xb_calloc(1, HOOK_TEXT_MAX + 2);

	program(lab, "fails", 0700, "#!/bin/sh\nexit 3\n");
	assert_int_equal(hook_run(lab->hook, "fails", ""), 0);
	expect_log(lab, "fails: ended with status 3");
	program(lab, "nonsense", 0700, "no program at all\n");
	assert_int_equal(hook_run(lab->hook, "nonsense", ""), 0);
	expect_log(lab, "cannot be run");
	memset(long_text, 'x', HOOK_TEXT_MAX + 1);
	assert_int_equal(hook_run(lab->hook, "fails", long_text), -EMSGSIZE);
}

static void names_are_names_of_files(void **state)
{
	static const char *const good[] = {"a", "dos-alarm", "tell_me.py"};
	static const char *const bad[] = {"", ".", "..", ".a", "a/b", "/bin/sh", "a b", "a;b"};
	struct hook_message message;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(hook_name_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(hook_name_valid(bad[i]));
	memset(&message, 'a', sizeof(message)); /* a name without end */
	assert_false(hook_message_valid(&message, sizeof(message)));
	message.program[HOOK_PROGRAM_MAX - 1] = '\0';
	assert_true(hook_message_valid(&message, sizeof(message)));
	assert_true(hook_message_valid(&message, HOOK_PROGRAM_MAX));
	assert_false(hook_message_valid(&message, HOOK_PROGRAM_MAX - 1));
	assert_false(hook_message_valid(&message, sizeof(message) + 1));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_program_gets_the_text),
		TEST(nothing_else_is_run),
		TEST(failures_are_told),
		cmocka_unit_test(names_are_names_of_files),
	};

	return cmocka_run_group_tests_name("hook", tests, NULL, NULL);
}
