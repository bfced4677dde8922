/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-store-client.c - client and server of the store, with a socket between them: the server in a
 * child process, a test's clients in the parent. SIGUSR1 has the server drop its connections.
 */
#include "xen/store_client.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "log.h"
#include "util.h"
#include "xen/store.h"
#include "xen/store_server.h"
#include "xen/wire.h"

#define NONE	XEN_TXN_NONE
#define WAIT_MS 5000

struct bench {
	char dir[32];
	pid_t server;
	struct xen_store *dom0, *guest;
};

/* --- words of the tests --- */

static int put(struct xen_store *store, xen_txn txn, const char *path, const char *value)
{
	return store_client_write(store, txn, path, value, strlen(value));
}

static int get(struct xen_store *store, xen_txn txn, const char *path)
{
	AUTO_FREE char *value = NULL;

	return store_client_read(store, txn, path, &value, NULL);
}

static void sees(struct xen_store *store, xen_txn txn, const char *path, const char *wanted)
{
	AUTO_FREE char *value = NULL;
	size_t len;

	assert_int_equal(store_client_read(store, txn, path, &value, &len), 0);
	assert_string_equal(value, wanted);
	assert_int_equal(len, strlen(wanted));
}

static bool is_readable(struct xen_store *store, int wait_ms)
{
	struct pollfd fd = {.fd = store_client_fd(store), .events = POLLIN};

	return poll(&fd, 1, wait_ms) == 1;
}

/* Waits for the next event. */
static void has_event(struct xen_store *store, const char *path, const char *token)
{
	AUTO_FREE char *got_path = NULL, *got_token = NULL;
	int rc;

	do {
		assert_true(is_readable(store, WAIT_MS));
		rc = store_client_event(store, &got_path, &got_token);
	} while (rc == 0);
	assert_int_equal(rc, 1);
	assert_string_equal(got_path, path);
	assert_string_equal(got_token, token);
}

/* Events come in order, and before the reply to a request after them. */
static void has_no_event(struct xen_store *store)
{
	char *path = NULL, *token = NULL;

	assert_int_equal(get(store, NONE, "domid"), 0);
	assert_int_equal(store_client_event(store, &path, &token), 0);
	assert_false(is_readable(store, 0));
}

/* --- the server --- */

static void no_log(void *ctx, enum log_level level, const char *module, const char *line)
{
}

static int on_drop(sd_event_source *source, const struct signalfd_siginfo *info, void *server)
{
	store_server_drop_all(server);
	return 0;
}

static int serve(const char *dir, int ready_fd)
{
	struct store *store = store_create();
	struct store_server *server;
	sd_event *event;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	log_set_sink(no_log, NULL);
	if (sd_event_default(&event) < 0 || store_server_create(&server, event, store, dir) ||
	    sd_event_add_signal(event, NULL, SIGUSR1, on_drop, server) < 0 ||
	    sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL) < 0 ||
	    write(ready_fd, "", 1) != 1)
		return 1;
	sd_event_loop(event);
	store_server_destroy(server);
	store_destroy(store);
	sd_event_unref(event);
	return 0;
}

static int setup(void **state)
{
	struct bench *b = xb_calloc(1, sizeof(*b));
	int ready[2];
	char byte;

	strcpy(b->dir, "/tmp/xb-store-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	assert_int_equal(pipe(ready), 0);
	b->server = fork();
	if (b->server == 0)
		_exit(serve(b->dir, ready[1]));
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_int_equal(store_client_open(&b->dom0, b->dir, 0), 0);
	assert_int_equal(store_client_open(&b->guest, b->dir, 5), 0);
	sees(b->guest, NONE, "domid", "5");
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;
	int status;

	store_client_close(b->dom0);
	store_client_close(b->guest);
	kill(b->server, SIGTERM);
	assert_int_equal(waitpid(b->server, &status, 0), b->server);
	assert_int_equal(status, 0);
	assert_int_equal(rmdir(b->dir), 0); /* the sockets are gone */
	free(b);
	return 0;
}

/* --- tests --- */

static void test_operations(void **state)
{
	struct xen_perm perms[] = {{.domid = 0}, {.domid = 5, .read = true}};
	struct bench *b = *state;
	AUTO_FREE struct xen_perm *got = NULL;
	AUTO_FREE char **names = NULL, **none = NULL;
	unsigned int n;

	assert_int_equal(put(b->dom0, NONE, "/a/b", "one"), 0);
	assert_int_equal(put(b->dom0, NONE, "/a/empty", ""), 0);
	assert_int_equal(store_client_mkdir(b->dom0, NONE, "/a/c"), 0);
	sees(b->dom0, NONE, "/a/b", "one");
	sees(b->dom0, NONE, "/a/empty", "");
	assert_int_equal(get(b->dom0, NONE, "/x"), -ENOENT);
	assert_int_equal(get(b->guest, NONE, "/a/b"), -EACCES);
	assert_int_equal(get(b->dom0, NONE, "/a b"), -EINVAL);
	assert_int_equal(store_client_set_perms(b->dom0, NONE, "/a/b", perms, 2), 0);
	sees(b->guest, NONE, "/a/b", "one");
	assert_int_equal(store_client_get_perms(b->guest, NONE, "/a/b", &got, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(got[1].domid, 5);
	assert_true(got[1].read && !got[1].write && !got[0].read);
	assert_int_equal(store_client_list(b->dom0, NONE, "/a", &names, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(names[0], "b");
	assert_string_equal(names[2], "c");
	assert_int_equal(store_client_rm(b->dom0, NONE, "/a/b"), 0);
	assert_int_equal(store_client_list(b->dom0, NONE, "/a/c", &none, &n), 0);
	assert_int_equal(n, 0);
	sees(b->guest, NONE, "domid", "5");
}

static void test_limits(void **state)
{
	struct bench *b = *state;
	char path[5000], value[5000];

	memset(path, 'p', sizeof(path));
	memset(value, 'v', sizeof(value));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(get(b->dom0, NONE, path), -E2BIG); /* no message can hold it */
	path[3500] = '\0';
	assert_int_equal(get(b->dom0, NONE, path), -EINVAL);
	assert_int_equal(store_client_write(b->dom0, NONE, "/v", value, sizeof(value)), -E2BIG);
	assert_int_equal(store_client_write(b->dom0, NONE, "/v", value, STORE_VALUE_MAX + 1),
			 -E2BIG);
	assert_int_equal(store_client_write(b->dom0, NONE, "/v", value, STORE_VALUE_MAX), 0);
	path[2000] = '\0';
	assert_int_equal(store_client_write(b->dom0, NONE, path, value, STORE_VALUE_MAX), 0);
	assert_int_equal(get(b->dom0, NONE, path), 0);
	assert_int_equal(store_client_set_perms(b->dom0, NONE, "/v", NULL, STORE_PERMS_MAX + 1),
			 -EINVAL);
}

static void test_long_list(void **state)
{
	struct bench *b = *state;
	AUTO_FREE char **names = NULL;
	char path[32];
	unsigned int n;
	xen_txn txn;

	assert_int_equal(store_client_txn_start(b->dom0, &txn), 0);
	for (int i = 0; i < 1200; i++) {
		snprintf(path, sizeof(path), "/big/node-%d", i);
		assert_int_equal(store_client_mkdir(b->dom0, txn, path), 0);
	}
	assert_int_equal(store_client_txn_end(b->dom0, txn, false), 0);
	assert_int_equal(store_client_list(b->dom0, NONE, "/big", &names, &n), 0);
	assert_int_equal(n, 1200);
	for (unsigned int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "node-%u", i);
		assert_string_equal(names[i], path);
	}
}

static void test_transactions(void **state)
{
	struct bench *b = *state;
	xen_txn txn;

	assert_int_equal(store_client_txn_start(b->dom0, &txn), 0);
	assert_int_equal(put(b->dom0, txn, "/t", "1"), 0);
	assert_int_equal(get(b->dom0, NONE, "/t"), -ENOENT);
	assert_int_equal(store_client_txn_end(b->dom0, txn, false), 0);
	sees(b->dom0, NONE, "/t", "1");
	assert_int_equal(store_client_txn_start(b->dom0, &txn), 0);
	sees(b->dom0, txn, "/t", "1");
	assert_int_equal(put(b->dom0, NONE, "/t", "2"), 0);
	assert_int_equal(store_client_txn_end(b->dom0, txn, false), -EAGAIN);
	assert_int_equal(store_client_txn_end(b->dom0, txn, true), -ENOENT);
}

static void test_events(void **state)
{
	struct bench *b = *state;

	assert_int_equal(store_client_watch(b->dom0, "/local/domain/5", "t"), 0);
	has_event(b->dom0, "/local/domain/5", "t");
	has_no_event(b->dom0);
	assert_int_equal(store_client_watch(b->dom0, "/local/domain/5", "t"), -EEXIST);
	assert_int_equal(put(b->guest, NONE, "x", "1"), 0);
	has_event(b->dom0, "/local/domain/5/x", "t");
	/* One that comes in while a reply is waited for. */
	assert_int_equal(put(b->dom0, NONE, "/local/domain/5/y", "1"), 0);
	sees(b->dom0, NONE, "/local/domain/5/y", "1");
	assert_true(is_readable(b->dom0, 0));
	has_event(b->dom0, "/local/domain/5/y", "t");
	has_no_event(b->dom0);
	/* Those that wait go with the watch. */
	assert_int_equal(put(b->dom0, NONE, "/local/domain/5/z", "1"), 0);
	assert_int_equal(get(b->dom0, NONE, "/"), 0);
	assert_int_equal(store_client_unwatch(b->dom0, "/local/domain/5", "t"), 0);
	has_no_event(b->dom0);
	assert_int_equal(store_client_unwatch(b->dom0, "/local/domain/5", "t"), -ENOENT);
}

/* More than any buffer holds, to one who does not read. */
static void test_many_events(void **state)
{
	struct bench *b = *state;
	char path[64];

	assert_int_equal(store_client_watch(b->guest, "m", "t"), 0);
	for (int i = 0; i < 8000; i++) {
		snprintf(path, sizeof(path), "/local/domain/5/m/%d", i);
		assert_int_equal(put(b->dom0, NONE, path, ""), 0);
	}
	has_event(b->guest, "m", "t");
	for (int i = 0; i < 8000; i++) {
		snprintf(path, sizeof(path), "m/%d", i);
		has_event(b->guest, path, "t");
	}
	has_no_event(b->guest);
}

static void test_connection_lost(void **state)
{
	struct bench *b = *state;
	char *path = NULL, *token = NULL;
	xen_txn txn;

	assert_int_equal(store_client_watch(b->dom0, "/", "t"), 0);
	has_event(b->dom0, "/", "t");
	kill(b->server, SIGUSR1);
	assert_true(is_readable(b->dom0, WAIT_MS));
	while (store_client_event(b->dom0, &path, &token) == 0)
		assert_true(is_readable(b->dom0, WAIT_MS));
	assert_null(path);
	assert_int_equal(store_client_event(b->dom0, &path, &token), -EIO);
	assert_true(is_readable(b->dom0, 0));
	assert_int_equal(get(b->dom0, NONE, "/"), -EIO);
	assert_int_equal(put(b->guest, NONE, "x", ""), -EIO);
	assert_int_equal(put(b->guest, NONE, "x", ""), -EIO);
	assert_int_equal(store_client_txn_start(b->dom0, &txn), -EIO);
	assert_int_equal(store_client_unwatch(b->dom0, "/", "t"), -EIO);
	/* Opened anew; the domain has stayed. */
	store_client_close(b->dom0);
	assert_int_equal(store_client_open(&b->dom0, b->dir, 0), 0);
	sees(b->dom0, NONE, "/local/domain/5/domid", "5");
	has_no_event(b->dom0);
}

static void test_guest_life(void **state)
{
	struct bench *b = *state;
	struct xen_store *first, *second;

	assert_int_equal(store_client_watch(b->dom0, "@introduceDomain", "i"), 0);
	assert_int_equal(store_client_watch(b->dom0, "@releaseDomain", "r"), 0);
	has_event(b->dom0, "@introduceDomain", "i");
	has_event(b->dom0, "@releaseDomain", "r");
	assert_int_equal(store_client_open(&first, b->dir, 7), 0);
	sees(first, NONE, "domid", "7");
	has_event(b->dom0, "@introduceDomain", "i");
	assert_int_equal(store_client_open(&second, b->dir, 7), 0);
	sees(second, NONE, "domid", "7");
	store_client_close(first);
	sees(second, NONE, "domid", "7");
	has_no_event(b->dom0);
	store_client_close(second);
	has_event(b->dom0, "@releaseDomain", "r");
	assert_int_equal(get(b->dom0, NONE, "/local/domain/7"), -ENOENT);
}

static void test_open_errors(void **state)
{
	struct bench *b = *state;
	struct xen_store *store;
	char dir[200];

	assert_int_equal(store_client_open(&store, "/nowhere", 0), -ENOENT);
	memset(dir, 'd', sizeof(dir));
	dir[sizeof(dir) - 1] = '\0';
	assert_int_equal(store_client_open(&store, dir, 0), -ENAMETOOLONG);
	assert_int_equal(store_client_open(&store, b->dir, 40000), 0);
	assert_int_equal(get(store, NONE, "/"), -EIO); /* no guest has this number */
	store_client_close(store);
}

static void test_server_errors(void **state)
{
	struct bench *b = *state;
	struct store_server *server;
	struct stat st;
	sd_event *event;
	char path[200];

	log_set_sink(no_log, NULL);
	snprintf(path, sizeof(path), "%s/xenstored.sock", b->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	snprintf(path, sizeof(path), "%s/guest.sock", b->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(store_server_create(&server, event, NULL, b->dir), -EADDRINUSE);
	assert_int_equal(store_server_create(&server, event, NULL, "/nowhere"), -ENOENT);
	memset(path, 'd', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(store_server_create(&server, event, NULL, path), -ENAMETOOLONG);
	sd_event_unref(event);
	log_set_sink(NULL, NULL);
	/* The one that serves is not disturbed. */
	assert_int_equal(put(b->dom0, NONE, "/x", ""), 0);
}

/* A client that speaks for itself. */
static int raw_connect(struct bench *b, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval wait = {.tv_sec = WAIT_MS / 1000};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", b->dir, name);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	return fd;
}

static void test_bytes_one_by_one(void **state)
{
	struct {
		struct xsd_sockmsg hdr;
		char path[8];
	} request = {{XS_GET_DOMAIN_PATH, 3, 0, 2}, "5"};
	int fd = raw_connect(*state, "guest.sock");
	uint32_t domid = htole32(9);
	struct xsd_sockmsg reply;

	for (size_t i = 0; i < sizeof(domid); i++)
		assert_int_equal(send(fd, (char *)&domid + i, 1, MSG_NOSIGNAL), 1);
	for (size_t i = 0; i < sizeof(request.hdr) + 2; i++)
		assert_int_equal(send(fd, (char *)&request + i, 1, MSG_NOSIGNAL), 1);
	assert_int_equal(recv(fd, &reply, sizeof(reply), MSG_WAITALL), sizeof(reply));
	assert_int_equal(reply.req_id, 3);
	assert_int_equal(reply.type, XS_GET_DOMAIN_PATH);
	close(fd);
}

/* Many requests at once: all are answered, in order, although the buffers are full on the way. */
static void test_pipelined(void **state)
{
	struct {
		struct xsd_sockmsg hdr;
		char path[2];
	} __attribute__((packed)) request = {{XS_DIRECTORY, 0, 0, 2}, "/"};
	int fd = raw_connect(*state, "xenstored.sock");
	struct xsd_sockmsg reply;
	char payload[64];

	/* No more at a time than both sockets hold: who does not read its answers is read no more.
	 */
	for (uint32_t first = 0; first < 2000; first += 100) {
		for (uint32_t i = first; i < first + 100; i++) {
			request.hdr.req_id = i;
			assert_int_equal(send(fd, &request, sizeof(request), MSG_NOSIGNAL),
					 sizeof(request));
		}
		for (uint32_t i = first; i < first + 100; i++) {
			assert_int_equal(recv(fd, &reply, sizeof(reply), MSG_WAITALL),
					 sizeof(reply));
			assert_int_equal(reply.req_id, i);
			assert_in_range(reply.len, 1, sizeof(payload));
			assert_int_equal(recv(fd, payload, reply.len, MSG_WAITALL), reply.len);
		}
	}
	close(fd);
}

static void test_refused_bytes(void **state)
{
	struct xsd_sockmsg huge = {XS_READ, 1, 0, XENSTORE_PAYLOAD_MAX + 1};
	uint32_t bad_domids[] = {0, htole32(32752), UINT32_MAX};
	struct bench *b = *state;
	char byte;
	int fd = raw_connect(b, "xenstored.sock");

	assert_int_equal(send(fd, &huge, sizeof(huge), MSG_NOSIGNAL), sizeof(huge));
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(bad_domids); i++) {
		fd = raw_connect(b, "guest.sock");
		assert_int_equal(send(fd, &bad_domids[i], 4, MSG_NOSIGNAL), 4);
		assert_int_equal(recv(fd, &byte, 1, 0), 0);
		close(fd);
	}
	assert_int_equal(put(b->dom0, NONE, "/x", ""), 0);
}

static void test_too_many_connections(void **state)
{
	struct bench *b = *state;
	int fds[STORE_SERVER_CONNS_MAX];
	char byte;

	/* Two are open. */
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = raw_connect(b, "xenstored.sock");
	assert_int_equal(recv(fds[STORE_SERVER_CONNS_MAX - 2], &byte, 1, 0), 0);
	assert_int_equal(recv(fds[STORE_SERVER_CONNS_MAX - 3], &byte, 1, MSG_DONTWAIT), -1);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	assert_int_equal(put(b->dom0, NONE, "/x", ""), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_operations),	     TEST(test_limits),
		TEST(test_long_list),	     TEST(test_transactions),
		TEST(test_events),	     TEST(test_many_events),
		TEST(test_connection_lost),  TEST(test_guest_life),
		TEST(test_open_errors),	     TEST(test_server_errors),
		TEST(test_bytes_one_by_one), TEST(test_pipelined),
		TEST(test_refused_bytes),    TEST(test_too_many_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
