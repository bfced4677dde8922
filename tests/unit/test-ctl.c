/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-ctl.c - control socket: requests good and bad, connections that behave and that do not. */
#include "ctl-bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"

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
	ctl_bench_register(ctl);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
