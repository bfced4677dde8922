/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-ctl.c - control socket: requests good and bad, connections that behave and that do not, the
 * client's errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/ctl.h"
#include "common/log.h"
#include "common/util.h"

static struct {
	char dir[64], path[96];
	sd_event *event;
	struct ctl *ctl;
} t;

static int echo(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	*result = json_incref(args);
	return 0;
}

static int refuse(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	snprintf(error, CTL_ERROR_MAX, "no team \"%s\"", "x\xff");
	return -ENOENT;
}

static int refuse_without_words(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	return -EBUSY;
}

static int nothing(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	return 0;
}

/* Far more than a socket takes at once. */
#define FLOOD_BYTES (1 << 20)

static int flood(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	size_t n = FLOOD_BYTES;
	AUTO_FREE char *text = xb_calloc(n + 1, 1);

	memset(text, 'x', n);
	*result = json_string(text);
	return 0;
}

static void register_commands(struct ctl *ctl)
{
	ctl_register(ctl, "echo", "echo ARGS: gives them back", echo, NULL);
	ctl_register(ctl, "team show", "team show {\"name\": NAME}", refuse, NULL);
	ctl_register(ctl, "busy", "busy", refuse_without_words, NULL);
	ctl_register(ctl, "nothing", "nothing", nothing, NULL);
	ctl_register(ctl, "flood", "flood", flood, NULL);
}

static void drop_line(void *ctx, enum log_level level, const char *module, const char *line)
{
}

static int setup(void **state)
{
	log_set_sink(drop_line, NULL);
	strcpy(t.dir, "/tmp/test-ctl.XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	snprintf(t.path, sizeof(t.path), "%s/run/test.ctl", t.dir);
	assert_true(sd_event_new(&t.event) >= 0);
	assert_int_equal(ctl_create(&t.ctl, t.event, t.path), 0);
	register_commands(t.ctl);
	return 0;
}

static int teardown(void **state)
{
	char dir[80];

	ctl_destroy(t.ctl);
	sd_event_unref(t.event);
	unlink(t.path);
	snprintf(dir, sizeof(dir), "%s/run", t.dir);
	rmdir(dir);
	assert_int_equal(rmdir(t.dir), 0); /* nothing was left behind */
	return 0;
}

/* Lets the server do all that it can do now. */
static void serve(void)
{
	while (sd_event_run(t.event, 0) > 0)
		;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void put(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	serve();
}

/* What came, as text; "" for nothing, "EOF" when the server closed. */
static const char *got(int fd)
{
	static char text[8192];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN ? "" : "EOF";
	if (!n)
		return "EOF";
	text[n] = 0;
	return text;
}

static const char *handle(const char *line)
{
	static char text[4096];
	AUTO_FREE char *reply = ctl_handle(t.ctl, line, strlen(line));
	json_t *json = json_loads(reply, 0, NULL);

	assert_non_null(json); /* whatever was asked, the answer is JSON on one line */
	assert_null(strchr(reply, '\n'));
	json_decref(json);
	snprintf(text, sizeof(text), "%s", reply);
	return text;
}

static void requests_are_answered(void **state)
{
	assert_string_equal(handle("{\"cmd\": \"echo\", \"args\": {\"a\": [1]}}"),
			    "{\"ok\":true,\"result\":{\"a\":[1]}}");
	assert_string_equal(handle("{\"cmd\": \"echo\"}"), "{\"ok\":true,\"result\":{}}");
	assert_string_equal(handle("{\"cmd\": \"nothing\"}"), "{\"ok\":true,\"result\":null}");
	assert_string_equal(handle("{\"cmd\": \"team show\"}"),
			    "{\"ok\":false,\"error\":\"no team \\\"x?\\\"\"}");
	assert_string_equal(handle("{\"cmd\": \"busy\"}"),
			    "{\"ok\":false,\"error\":\"Device or resource busy\"}");
	assert_non_null(
		strstr(handle("{\"cmd\": \"help\"}"), "{\"cmd\":\"echo\",\"usage\":\"echo ARGS"));
}

static void bad_requests_are_explained(void **state)
{
	static const struct {
		const char *request, *words;
	} bad[] = {
		{"", "is not JSON"},
		{"hello", "is not JSON"},
		{"{\"cmd\": \"help\"} {", "is not JSON"},
		{"{\"cmd\": \"help\", \"cmd\": \"echo\"}", "is not JSON"},
		{"{\"cmd\": \"\xff\"}", "is not JSON"},
		{"[]", "needs a member \\\"cmd\\\""},
		{"{}", "needs a member \\\"cmd\\\""},
		{"{\"cmd\": 7}", "needs a member \\\"cmd\\\""},
		{"{\"cmd\": \"echo\", \"args\": 7}", "\\\"args\\\" of a request is an object"},
		{"{\"cmd\": \"team shwo\"}",
		 "unknown command \\\"team shwo\\\"; did you mean \\\"team show\\\"? `help`"},
		{"{\"cmd\": \"explode\"}",
		 "unknown command \\\"explode\\\"; `help` lists the commands"},
		{"{\"cmd\": \"\"}", "unknown command"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *reply = handle(bad[i].request);

		assert_ptr_equal(strstr(reply, "{\"ok\":false,"), reply);
		if (!strstr(reply, bad[i].words))
			fail_msg("%s: %s", bad[i].request, reply);
	}
}

static void lines_may_come_in_pieces_and_in_heaps(void **state)
{
	AUTO_CLOSE int fd = connect_to(t.path);

	serve();
	put(fd, "{\"cmd\": \"not");
	assert_string_equal(got(fd), "");
	put(fd, "hing\"");
	assert_string_equal(got(fd), "");
	put(fd, "}\n{\"cmd\":\"busy\"}\n{\"cm");
	assert_string_equal(got(fd), "{\"ok\":true,\"result\":null}\n"
				     "{\"ok\":false,\"error\":\"Device or resource busy\"}\n");
	put(fd, "d\":\"nothing\"}\n");
	assert_string_equal(got(fd), "{\"ok\":true,\"result\":null}\n");
}

static void two_clients_do_not_disturb_each_other(void **state)
{
	AUTO_CLOSE int a = connect_to(t.path);
	AUTO_CLOSE int b = connect_to(t.path);

	put(a, "{\"cmd\":");
	put(b, "{\"cmd\":\"nothing\"}\n");
	assert_string_equal(got(b), "{\"ok\":true,\"result\":null}\n");
	put(a, "\"nothing\"}\n");
	assert_string_equal(got(a), "{\"ok\":true,\"result\":null}\n");
	assert_string_equal(got(b), "");
}

static void what_is_not_json_ends_the_connection(void **state)
{
	AUTO_CLOSE int fd = connect_to(t.path);

	put(fd, "GET / HTTP/1.1\n{\"cmd\":\"nothing\"}\n");
	assert_non_null(strstr(got(fd), "is not JSON"));
	assert_string_equal(got(fd), "EOF");
}

static void endless_line_ends_the_connection(void **state)
{
	AUTO_CLOSE int fd = connect_to(t.path);
	AUTO_FREE char *text = xb_calloc(1, CTL_LINE_MAX + 2);

	memset(text, ' ', CTL_LINE_MAX + 1);
	serve();
	put(fd, text);
	assert_string_equal(
		got(fd), "{\"ok\":false,\"error\":\"the request is longer than 65536 bytes\"}\n");
	assert_string_equal(got(fd), "EOF");
}

static void longest_line_is_served(void **state)
{
	AUTO_CLOSE int fd = connect_to(t.path);
	AUTO_FREE char *text = xb_asprintf("%-*s\n", CTL_LINE_MAX, "{\"cmd\":\"nothing\"}");

	serve();
	put(fd, text);
	assert_string_equal(got(fd), "{\"ok\":true,\"result\":null}\n");
}

static void client_that_does_not_read_is_not_read(void **state)
{
	AUTO_CLOSE int deaf = connect_to(t.path);
	AUTO_CLOSE int fd = connect_to(t.path);
	AUTO_FREE char *big = xb_calloc(1, 1 << 20);
	size_t total = 0;

	put(deaf, "{\"cmd\":\"flood\"}\n{\"cmd\":\"nothing\"}\n");
	put(fd, "{\"cmd\":\"nothing\"}\n");
	assert_string_equal(got(fd), "{\"ok\":true,\"result\":null}\n");
	/* When it does read, all of it comes, the second answer behind the first. */
	for (ssize_t n = 1; n > 0; serve()) {
		n = recv(deaf, big, 1 << 20, MSG_DONTWAIT);
		total += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(total, FLOOD_BYTES + strlen("{\"ok\":true,\"result\":\"\"}\n") +
					strlen("{\"ok\":true,\"result\":null}\n"));
}

static void dead_clients_are_forgotten(void **state)
{
	for (int i = 0; i < 50; i++) { /* more than may be open at a time */
		int fd = connect_to(t.path);

		put(fd, i < 5 ? "{\"cmd\":\"flood\"}\n" : "{\"cmd\":");
		close(fd);
		serve();
	}
}

static void seventeenth_connection_is_refused(void **state)
{
	int fds[17];

	for (int i = 0; i < 17; i++) {
		fds[i] = connect_to(t.path);
		serve();
	}
	assert_string_equal(
		got(fds[16]),
		"{\"ok\":false,\"error\":\"too many connections: 16 are open, close one\"}\n");
	assert_string_equal(got(fds[16]), "EOF");
	put(fds[15], "{\"cmd\":\"nothing\"}\n");
	assert_string_equal(got(fds[15]), "{\"ok\":true,\"result\":null}\n");
	for (int i = 0; i < 17; i++)
		close(fds[i]);
	serve();
}

static void other_users_are_refused(void **state)
{
	int status;
	pid_t pid;

	if (geteuid())
		skip(); /* only root can become another user */
	/* The mode of the socket keeps them off; open it, and the check of the peer must do so. */
	assert_int_equal(chmod(t.path, 0666), 0);
	assert_int_equal(chmod(t.dir, 0755), 0);
	pid = fork();
	if (!pid) {
		char text[256] = "";
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		strcpy(address.sun_path, t.path);
		if (setuid(65534) || connect(fd, (struct sockaddr *)&address, sizeof(address)))
			_exit(1);
		if (recv(fd, text, sizeof(text) - 1, 0) <= 0 || !strstr(text, "permission denied"))
			_exit(2);
		_exit(recv(fd, text, 1, 0) ? 3 : 0);
	}
	while (!waitpid(pid, &status, WNOHANG))
		sd_event_run(t.event, 1000);
	assert_int_equal(status, 0);
}

static void stale_socket_is_replaced_and_live_one_is_not(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ctl *other;
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(ctl_create(&other, t.event, t.path), -EADDRINUSE);
	assert_null(other);
	serve();
	ctl_destroy(t.ctl);
	assert_int_equal(stat(t.path, &st), -1);
	strcpy(address.sun_path, t.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd); /* its file stays, as after kill -9 */
	assert_int_equal(ctl_create(&t.ctl, t.event, t.path), 0);
	assert_int_equal(stat(t.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void impossible_paths_are_refused(void **state)
{
	struct ctl *other;
	char longest[200], file[96];
	int fd;

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	assert_int_equal(ctl_create(&other, t.event, longest), -ENAMETOOLONG);
	snprintf(file, sizeof(file), "%s/file", t.dir);
	fd = open(file, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(ctl_create(&other, t.event, file), -EEXIST);
	unlink(file);
	assert_int_equal(ctl_create(&other, t.event, "/nonexistent/x/y.ctl"), -ENOENT);
	ctl_destroy(NULL);
}

/* In a child: systemd's socket is descriptor 3 of a process that it names. */
static int serve_inherited(bool *unlinked)
{
	char pid[16];
	struct ctl *ctl;
	int err;

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	err = ctl_create(&ctl, t.event, t.path);
	if (err)
		return 1;
	register_commands(ctl);
	{
		int fd = connect_to(t.path);

		put(fd, "{\"cmd\":\"nothing\"}\n");
		err = strcmp(got(fd), "{\"ok\":true,\"result\":null}\n") != 0;
	}
	ctl_destroy(ctl);
	*unlinked = access(t.path, F_OK) != 0;
	return err ? 2 : 0;
}

static void socket_of_systemd_is_used_and_kept(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), status;
	pid_t pid;

	ctl_destroy(t.ctl);
	t.ctl = NULL;
	strcpy(address.sun_path, t.path);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 4), 0);
	pid = fork();
	if (!pid) {
		bool unlinked = false;

		/* An event loop does not survive a fork, and its descriptor may be the one we need.
		 */
		sd_event_unref(t.event);
		dup2(listener, 3);
		if (sd_event_new(&t.event) < 0)
			_exit(4);
		status = serve_inherited(&unlinked);
		_exit(unlinked ? 3 : status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(listener);
}

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

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_are_answered),
		TEST(bad_requests_are_explained),
		TEST(lines_may_come_in_pieces_and_in_heaps),
		TEST(two_clients_do_not_disturb_each_other),
		TEST(what_is_not_json_ends_the_connection),
		TEST(endless_line_ends_the_connection),
		TEST(longest_line_is_served),
		TEST(client_that_does_not_read_is_not_read),
		TEST(dead_clients_are_forgotten),
		TEST(seventeenth_connection_is_refused),
		TEST(other_users_are_refused),
		TEST(stale_socket_is_replaced_and_live_one_is_not),
		TEST(socket_of_systemd_is_used_and_kept),
		TEST(impossible_paths_are_refused),
		TEST(call_brings_results_and_errors),
		TEST(call_says_what_to_do_next),
		TEST(call_survives_bad_servers),
		TEST(call_checks_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
