/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-box-nonsense.c - clients of a xenbox that talk nonsense, or are too many: nobody else
 * notices. Needs XENBACK_BUILD for the daemon. */
#include "xen/ops.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "box-lab.h"
#include "util.h"
#include "xen/box_wire.h"

#define GARBAGE 3000u
#define CLIENTS 300 /* more than the daemon takes */

static int raw_connect(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s", box_lab_dir, BOX_SOCKET);
	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
	return fd;
}

/* One request, one answer: its result, or -EPIPE when the daemon hung up. Descriptors are dropped.
 */
static int raw_ask(int fd, const void *request, size_t size)
{
	struct box_reply reply;

	if (send(fd, request, size, MSG_NOSIGNAL) != (ssize_t)size)
		return -EPIPE;
	return recv(fd, &reply, sizeof(reply), 0) == sizeof(reply) ? reply.result : -EPIPE;
}

static int raw_hello(int fd, uint32_t version, uint16_t domid)
{
	const struct box_request req = {.op = BOX_OP_HELLO, .domid = domid, .arg = {version}};

	return raw_ask(fd, &req, offsetof(struct box_request, refs));
}

/* A guest and a backend at work, whom nobody may disturb. */
struct pair {
	struct party guest, back;
	struct offer offer;
	struct page *page;
	uint32_t port;
};

static void pair_open(struct pair *pair)
{
	party_open(&pair->back, 0);
	party_open(&pair->guest, GUEST);
	pair->page = party_offer(&pair->guest, &pair->offer);
	CHECK(pair->back.ops->evt_bind(pair->back.evt, GUEST, pair->offer.port, &pair->port) == 0);
	party_await(&pair->back, pair->port);
	pair->back.ops->evt_unmask(pair->back.evt, &pair->port, 1);
}

static void pair_works(struct pair *pair, uint32_t value)
{
	uint32_t seen = ~value;

	pair->page->question = value;
	CHECK(pair->guest.ops->evt_notify(pair->guest.evt, pair->offer.port) == 0);
	party_await(&pair->back, pair->port);
	pair->back.ops->evt_unmask(pair->back.evt, &pair->port, 1);
	CHECK(party_copy_from(&pair->back, pair->offer.ref, 0, &seen, sizeof(seen)) == 0);
	CHECK(seen == value);
}

static void pair_close(struct pair *pair)
{
	CHECK(pair->guest.ops->shr_free(pair->guest.shr, pair->page, 1) == 0);
	party_close(&pair->guest);
	party_close(&pair->back);
	CHECK(waitpid(box_lab_pid, NULL, WNOHANG) == 0);
}

/* What no client of ours would send, each with the answer it gets. */
static void test_bad_requests(void **state)
{
	static const struct {
		uint32_t op;
		uint16_t domid, n;
		uint32_t arg[2];
		int result;
	} rows[] = {
		{BOX_OP_HELLO, 9, 0, {BOX_VERSION}, -EINVAL}, /* twice */
		{99, 0, 0, {0}, -ENOSYS},
		{UINT32_MAX, 0, 0, {0}, -ENOSYS},
		{BOX_OP_FRAMES, 8, 0, {0}, -ENOENT},
		{BOX_OP_FRAMES, UINT16_MAX, 0, {0}, -ENOENT},
		{BOX_OP_GRANT, 0, 0, {1}, -EINVAL},
		{BOX_OP_GRANT, UINT16_MAX, 1, {1}, -EINVAL},
		{BOX_OP_GRANT, 0, BOX_PAGES_MAX + 1, {1}, -E2BIG},
		{BOX_OP_UNGRANT, 0, 1, {UINT32_MAX}, -EINVAL},
		{BOX_OP_UNGRANT, 0, 1, {100}, -EINVAL},
		{BOX_OP_HANDLE_CLOSE, 0, 0, {0}, -EBADF}, /* another's */
		{BOX_OP_HANDLE_CLOSE, 0, 0, {UINT32_MAX}, -EBADF},
		{BOX_OP_WAKE_FD, 0, 0, {100}, -ENOENT},
		{BOX_OP_WAKE_FD, 0, 0, {UINT32_MAX}, -ENOENT},
		{BOX_OP_EVT_ALLOC, 0, 0, {0}, -EBADF},
		{BOX_OP_EVT_BIND, GUEST, 0, {UINT32_MAX, 1}, -EBADF},
		{BOX_OP_EVT_UNBIND, 0, 0, {1, 1}, -EBADF},
		/* The references that n announces are missing: hung up, so the last. */
		{BOX_OP_PIN, GUEST, 1, {0}, -EPIPE},
	};
	/* A good one but for its length. */
	static const uint32_t too_long[sizeof(struct box_request) / 4 + 1] = {BOX_OP_HELLO, 9,
									      BOX_VERSION};
	struct pair pair;
	int fd;

	pair_open(&pair);
	fd = raw_connect();
	assert_int_equal(raw_ask(fd, too_long, sizeof(too_long)), -EPIPE);
	close(fd);
	fd = raw_connect();
	assert_int_equal(raw_hello(fd, BOX_VERSION + 1, 9), -EINVAL);
	assert_int_equal(raw_hello(fd, BOX_VERSION, 64), -EINVAL);
	assert_int_equal(raw_hello(fd, BOX_VERSION, UINT16_MAX), -EINVAL);
	assert_int_equal(raw_ask(fd, &(struct box_request){.op = BOX_OP_FRAMES},
				 offsetof(struct box_request, refs)),
			 -EPROTO);
	assert_int_equal(raw_hello(fd, BOX_VERSION, 9), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct box_request req = {.op = rows[i].op,
						.domid = rows[i].domid,
						.n = rows[i].n,
						.arg = {rows[i].arg[0], rows[i].arg[1]}};

		assert_int_equal(raw_ask(fd, &req, offsetof(struct box_request, refs)),
				 rows[i].result);
		pair_works(&pair, (uint32_t)i);
	}
	close(fd);
	pair_close(&pair);
}

static void test_garbage(void **state)
{
	uint8_t bytes[sizeof(struct box_request) + 64];
	struct box_request *req = (struct box_request *)bytes;
	unsigned int seed = 3;
	struct pair pair;
	int fd = -1;

	pair_open(&pair);
	for (uint32_t i = 0; i < GARBAGE; i++) {
		size_t size = (size_t)rand_r(&seed) % (i % 4 ? 64 : sizeof(bytes)) + 1;

		if (fd < 0) {
			fd = raw_connect();
			if (i % 3)
				CHECK(raw_hello(fd, BOX_VERSION, 9) == 0);
		}
		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (uint8_t)rand_r(&seed);
		if (i % 8) { /* nearly right */
			req->op %= BOX_OP_EVT_UNBIND + 2;
			req->domid %= 10;
			req->n %= 20;
			req->arg[0] %= MAX(1u, i % 16);
			req->arg[1] %= 16;
		}
		if (raw_ask(fd, bytes, size) == -EPIPE) {
			close(fd);
			fd = -1;
		}
		if (i % 16 == 0)
			pair_works(&pair, i);
	}
	xb_close_fd(&fd);
	party_settle(&pair.back);
	pair_works(&pair, 1);
	pair_close(&pair);
}

static void test_too_many(void **state)
{
	int fds[CLIENTS], refused = 0;
	struct pair pair;
	struct xen *xen;

	pair_open(&pair);
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = raw_connect();
		refused += raw_hello(fds[i], BOX_VERSION, 9) < 0;
		pair_works(&pair, (uint32_t)i);
	}
	assert_in_range(refused, 1, CLIENTS - 1);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	party_settle(&pair.back);
	assert_int_equal(xen_open_box(&xen, box_lab_dir, 9), 0);
	xen->ops->close(xen);
	pair_close(&pair);
}

static void test_second_instance(void **state)
{
	struct pair pair;
	pid_t pid;
	int status;

	pair_open(&pair);
	pid = box_lab_spawn_daemon("");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
	pair_works(&pair, 1);
	pair_close(&pair);
	pair_open(&pair); /* the sockets are still the first one's */
	pair_works(&pair, 2);
	pair_close(&pair);
}

static void test_open_refused(void **state)
{
	struct xen *xen;

	assert_int_equal(xen_open_box(&xen, "/nonexistent", 0), -ENOENT);
	assert_int_equal(xen_open_box(&xen, box_lab_dir, 64), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_requests), cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_too_many),     cmocka_unit_test(test_second_instance),
		cmocka_unit_test(test_open_refused),
	};

	if (!getenv("XENBACK_BUILD")) {
		puts("1..0 # SKIP XENBACK_BUILD is not set, where is xenbox?");
		return 0;
	}
	return cmocka_run_group_tests(tests, box_lab_start, box_lab_stop);
}
