/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-log.c - levels, sinks that work and sinks that fail, rate limits, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"

#define LOG_MODULE "vif"

static struct {
	unsigned int n_lines;
	char last[2048], module[32];
	enum log_level level;
} heard;

static void hear(void *ctx, enum log_level level, const char *module, const char *line)
{
	heard.n_lines++;
	heard.level = level;
	snprintf(heard.last, sizeof(heard.last), "%s", line);
	snprintf(heard.module, sizeof(heard.module), "%s", module);
}

static int setup(void **state)
{
	memset(&heard, 0, sizeof(heard));
	log_set_level(NULL, LOG_LEVEL_INFO);
	log_set_sink(hear, NULL);
	return 0;
}

static int teardown(void **state)
{
	log_set_sink(NULL, NULL);
	return 0;
}

static void levels_decide_what_is_written(void **state)
{
	log_debug("unheard");
	assert_int_equal(heard.n_lines, 0);
	log_info("heard %d", 1);
	assert_string_equal(heard.last, "heard 1");
	assert_string_equal(heard.module, "vif");
	assert_int_equal(heard.level, LOG_LEVEL_INFO);
	assert_int_equal(log_set_level("vif", LOG_LEVEL_DEBUG), 0);
	log_debug("now heard");
	assert_int_equal(heard.n_lines, 2);
	assert_false(log_enabled("team", LOG_LEVEL_DEBUG));
	assert_int_equal(log_set_level("vif", LOG_LEVEL_ERR), 0);
	log_warn("unheard");
	assert_int_equal(heard.n_lines, 2);
	assert_int_equal(log_set_level("*", LOG_LEVEL_WARN), 0);
	log_warn("all modules, this one too");
	assert_int_equal(heard.n_lines, 3);
}

static void count_level(void *ctx, const char *module, enum log_level level)
{
	++*(unsigned int *)ctx;
}

static void table_of_levels_is_bounded(void **state)
{
	unsigned int n = 0;
	char name[16];

	for (int i = 0; i < 32; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		assert_int_equal(log_set_level(name, LOG_LEVEL_DEBUG), 0);
	}
	assert_int_equal(log_set_level("one-more", LOG_LEVEL_DEBUG), -ENOSPC);
	assert_int_equal(log_set_level("m31", LOG_LEVEL_ERR), 0);
	assert_int_equal(log_set_level("", LOG_LEVEL_ERR), -EINVAL);
	assert_int_equal(log_set_level("a-name-that-is-much-too-long-for-a-module", LOG_LEVEL_ERR),
			 -EINVAL);
	log_foreach_level(count_level, &n);
	assert_int_equal(n, 33);
}

static void level_names_are_parsed_strictly(void **state)
{
	enum log_level level;

	for (int i = LOG_LEVEL_ERR; i <= LOG_LEVEL_DEBUG; i++) {
		assert_int_equal(log_level_parse(log_level_name((enum log_level)i), &level), 0);
		assert_int_equal(level, i);
	}
	assert_int_equal(log_level_parse("Debug", &level), -EINVAL);
	assert_int_equal(log_level_parse("", &level), -EINVAL);
}

static void a_line_stays_a_line(void **state)
{
	char longest[4000];

	log_info("name \"%s\"", "a\nb\x1b[31m\x7f");
	assert_string_equal(heard.last, "name \"a\\x0ab\\x1b[31m\\x7f\"");
	memset(longest, '\n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	log_info("%s", longest);
	assert_in_range(strlen(heard.last), 900, 1023);
	assert_null(strchr(heard.last, '\n'));
}

static void errno_survives(void **state)
{
	errno = EBUSY;
	log_info("x");
	assert_int_equal(errno, EBUSY);
}

static void limit_counts_what_it_drops(void **state)
{
	struct log_limit limit = LOG_LIMIT_INIT(10, 3);
	uint64_t start_ns = 5 * NSEC_PER_SEC;

	for (unsigned int i = 0; i < 100; i++)
		log_limited(&limit, start_ns + i, "vif", LOG_LEVEL_WARN, "bad %u", i);
	assert_int_equal(heard.n_lines, 3);
	assert_string_equal(heard.last, "bad 2");
	log_limited(&limit, start_ns + 10 * NSEC_PER_SEC, "vif", LOG_LEVEL_WARN, "bad again");
	assert_int_equal(heard.n_lines, 5); /* how many were left out, then the line */
	assert_string_equal(heard.last, "bad again");
	assert_int_equal(limit.suppressed, 0);
	/* A clock that went back opens a new window rather than closing the log for ever. */
	log_limited(&limit, 1, "vif", LOG_LEVEL_WARN, "back");
	assert_string_equal(heard.last, "back");
}

static void limit_tells_the_number(void **state)
{
	struct log_limit limit = LOG_LIMIT_INIT(1, 1);
	uint64_t n_suppressed;

	assert_true(log_limit_pass(&limit, 10, &n_suppressed));
	assert_false(log_limit_pass(&limit, 11, &n_suppressed));
	assert_false(log_limit_pass(&limit, 12, &n_suppressed));
	assert_int_equal(n_suppressed, 0);
	assert_true(log_limit_pass(&limit, 10 + NSEC_PER_SEC, &n_suppressed));
	assert_int_equal(n_suppressed, 2);
}

static void complain(void *ctx, enum log_level level, const char *module, const char *line)
{
	heard.n_lines++;
	log_err("the sink itself has something to say");
}

static void sink_that_logs_does_not_wait_for_itself(void **state)
{
	uint64_t lost = log_lost();

	log_set_sink(complain, NULL);
	log_info("x");
	assert_int_equal(heard.n_lines, 1);
	assert_int_equal(log_lost() - lost, 1);
}

/* Runs with stderr = fd, as the default sink sees it, and returns how many of n lines were lost. */
static uint64_t lose_lines(int fd, unsigned int n)
{
	int saved = dup(STDERR_FILENO);
	uint64_t lost = log_lost();

	dup2(fd, STDERR_FILENO);
	log_set_sink(NULL, NULL);
	for (unsigned int i = 0; i < n; i++)
		log_err("line %u of %s", i, "some length to fill what has to be filled");
	dup2(saved, STDERR_FILENO);
	close(saved);
	return log_lost() - lost;
}

static void full_disk_costs_lines_only(void **state)
{
	AUTO_CLOSE int fd = open("/dev/full", O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(lose_lines(fd, 5), 5);
	assert_int_equal(lose_lines(-1, 0), 0);
}

static void stalled_reader_costs_lines_only(void **state)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_in_range(lose_lines(fds[1], 5000), 1, 4999); /* would hang here if a write waited */
	close(fds[0]);
	assert_int_equal(lose_lines(fds[1], 2), 2);
	close(fds[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_in_range(lose_lines(fds[1], 50000), 1, 49999);
	close(fds[0]);
	close(fds[1]);
}

static void journald_gets_prefixes(void **state)
{
	char text[256] = "";
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(lose_lines(fds[1], 1), 0);
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "<3>vif: line 0 of some length to fill what has to be filled\n");
	close(fds[0]);
	close(fds[1]);
}

#define THREADS	     4
#define THREAD_LINES 500

static void *log_much(void *ctx)
{
	for (int i = 0; i < THREAD_LINES; i++) {
		log_info("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
		log_set_level("vif", LOG_LEVEL_INFO);
	}
	return NULL;
}

static void threads_do_not_mix(void **state)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_much, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(heard.n_lines, THREADS * THREAD_LINES);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(levels_decide_what_is_written),
		TEST(table_of_levels_is_bounded),
		TEST(level_names_are_parsed_strictly),
		TEST(a_line_stays_a_line),
		TEST(errno_survives),
		TEST(limit_counts_what_it_drops),
		TEST(limit_tells_the_number),
		TEST(sink_that_logs_does_not_wait_for_itself),
		TEST(full_disk_costs_lines_only),
		TEST(stalled_reader_costs_lines_only),
		TEST(journald_gets_prefixes),
		TEST(threads_do_not_mix),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
