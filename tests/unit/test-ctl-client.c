/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-ctl-client.c - ctl_call: results, errors and what to do next, servers that are no daemon of
 * ours. */
#include "ctl-bench.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util.h"

/* ctl_call waits, so it runs in a thread while the loop serves. */
struct call {
	const char *path, *cmd;
	json_t *args, *result;
	char error[CTL_ERROR_MAX];
	int timeout_ms, err;
	bool done; /* atomic */
};

static void *run_call(void *ctx)
{
	struct call *call = ctx;

	call->err = ctl_call(call->path, call->cmd, call->args, call->timeout_ms, &call->result,
			     call->error);
	__atomic_store_n(&call->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void call_and_serve(struct call *call)
{
	pthread_t thread;

	call->timeout_ms = call->timeout_ms ? call->timeout_ms : 10000;
	assert_int_equal(pthread_create(&thread, NULL, run_call, call), 0);
	while (!__atomic_load_n(&call->done, __ATOMIC_ACQUIRE))
		sd_event_run(t.event, 1000);
	pthread_join(thread, NULL);
}

static void call_brings_results_and_errors(void **state)
{
	struct call ok = {.path = t.path, .cmd = "echo", .args = json_pack("{s:i}", "a", 5)};
	struct call null = {.path = t.path, .cmd = "nothing"};
	struct call refused = {.path = t.path, .cmd = "team show"};
	struct call big = {.path = t.path, .cmd = "flood"};

	call_and_serve(&ok);
	assert_int_equal(ok.err, 0);
	assert_int_equal(json_integer_value(json_object_get(ok.result, "a")), 5);
	call_and_serve(&null);
	assert_int_equal(null.err, 0);
	assert_true(json_is_null(null.result));
	call_and_serve(&refused);
	assert_int_equal(refused.err, -EREMOTEIO);
	assert_string_equal(refused.error, "no team \"x?\"");
	assert_null(refused.result);
	call_and_serve(&big);
	assert_int_equal(json_string_length(big.result), FLOOD_BYTES);
	json_decref(ok.args);
	json_decref(ok.result);
	json_decref(big.result);
}

static void call_says_what_to_do_next(void **state)
{
	char error[CTL_ERROR_MAX], longest[200], *text;
	json_t *result, *args;
	size_t n = CTL_LINE_MAX;

	ctl_destroy(t.ctl);
	t.ctl = NULL;
	assert_int_equal(ctl_call(t.path, "help", NULL, 1000, &result, error), -ENOENT);
	assert_non_null(strstr(error, "test is not running"));
	assert_non_null(strstr(error, t.path));
	assert_non_null(strstr(error, "`systemctl start test`"));
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	assert_int_equal(ctl_call(longest, "help", NULL, 1000, &result, error), -ENAMETOOLONG);
	text = xb_calloc(1, n + 1);
	memset(text, 'a', n);
	args = json_pack("{s:s}", "a", text);
	assert_int_equal(ctl_call(t.path, "help", args, 1000, &result, error), -E2BIG);
	json_decref(args);
	free(text);
	assert_int_equal(ctl_call(t.path, "\xff", NULL, 1000, &result, error), -EINVAL);
}

/* Listens at t.path as something that is no daemon of ours. */
static int listen_foreign(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ctl_destroy(t.ctl);
	t.ctl = NULL;
	strcpy(address.sun_path, t.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void call_survives_bad_servers(void **state)
{
	char error[CTL_ERROR_MAX];
	json_t *result;
	AUTO_CLOSE int listener = listen_foreign();
	int fd;

	/* bound, but nobody listens */
	assert_int_equal(ctl_call(t.path, "help", NULL, 1000, &result, error), -ECONNREFUSED);
	assert_non_null(strstr(error, "`systemctl status test`"));
	assert_int_equal(listen(listener, 1), 0);
	/* never answers; the time out is what is tested, so let it be as short as can be */
	assert_int_equal(ctl_call(t.path, "help", NULL, 1, &result, error), -ETIMEDOUT);
	assert_non_null(strstr(error, "within 1 ms"));
	assert_non_null(strstr(error, "journalctl -u test"));
	fd = accept(listener, NULL, NULL);
	close(fd);
}

static void *answer_once(void *ctx)
{
	const char *const *script = ctx; /* listener fd as text, reply */
	int fd = accept(atoi(script[0]), NULL, NULL);
	char line[256];

	if (read(fd, line, sizeof(line)) > 0 && write(fd, script[1], strlen(script[1])) < 0)
		perror("write");
	close(fd);
	return NULL;
}

static void call_checks_the_answer(void **state)
{
	static const struct {
		const char *reply;
		int err;
	} bad[] = {
		{"", -ECONNRESET},
		{"{\"ok\":true", -ECONNRESET},
		{"hello\n", -EPROTO},
		{"{\"result\":1}\n", -EPROTO},
		{"{\"ok\":false}\n", -EPROTO},
		{"{\"ok\":true}\n", 0},
	};
	AUTO_CLOSE int listener = listen_foreign();

	assert_int_equal(listen(listener, 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char number[16], error[CTL_ERROR_MAX];
		const char *script[] = {number, bad[i].reply};
		json_t *result;
		pthread_t thread;

		snprintf(number, sizeof(number), "%d", listener);
		assert_int_equal(pthread_create(&thread, NULL, answer_once, script), 0);
		assert_int_equal(ctl_call(t.path, "help", NULL, 10000, &result, error), bad[i].err);
		pthread_join(thread, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(call_brings_results_and_errors),
		TEST(call_says_what_to_do_next),
		TEST(call_survives_bad_servers),
		TEST(call_checks_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
