/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-wire.c - the protocol of xenstored: every request and what is wrong with requests. */
#include "xen/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

struct bench {
	struct store *store;
	struct store_conn *dom0, *guest;
	struct wire_reply reply;
};

static int setup(void **state)
{
	struct bench *b = xb_calloc(1, sizeof(*b));

	b->store = store_create();
	b->dom0 = store_connect(b->store, 0);
	b->guest = store_connect(b->store, 5);
	assert_int_equal(store_introduce(b->store, 5), 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	store_destroy(b->store);
	free(b);
	return 0;
}

/* A heap copy, so that a sanitizer sees each byte too far. */
static void request(struct bench *b, struct store_conn *conn, uint32_t type, xen_txn txn,
		    const char *payload, size_t len)
{
	struct xsd_sockmsg hdr = {.type = type, .req_id = 42, .tx_id = txn, .len = (uint32_t)len};
	AUTO_FREE char *copy = xb_calloc(1, len + (len == 0));

	if (len)
		memcpy(copy, payload, len);
	memset(&b->reply, 0x55, sizeof(b->reply));
	wire_request(conn, &hdr, copy, &b->reply);
	assert_int_equal(b->reply.hdr.req_id, 42);
	assert_int_equal(b->reply.hdr.tx_id, txn);
	assert_in_range(b->reply.hdr.len, 0, XENSTORE_PAYLOAD_MAX);
}

static void expect_bytes(struct bench *b, uint32_t type, const char *bytes, size_t len)
{
	assert_int_equal(b->reply.hdr.type, type);
	assert_int_equal(b->reply.hdr.len, len);
	assert_memory_equal(b->reply.payload, bytes, len);
}

/* A request in a literal, the last NUL of which is not sent; and the reply likewise. */
#define DO(conn, type, txn, text)      request(b, b->conn, type, txn, text, sizeof(text) - 1)
#define REPLY(type, text)	       expect_bytes(b, type, text, sizeof(text) - 1)
#define IS(conn, type, text, reply)    (DO(conn, type, 0, text), REPLY(type, reply))
#define FAILS(conn, type, text, error) (DO(conn, type, 0, text), REPLY(XS_ERROR, error "\0"))

static void test_nodes(void **state)
{
	struct bench *b = *state;

	IS(dom0, XS_WRITE, "/a/b\0one", "OK\0");
	IS(dom0, XS_READ, "/a/b\0", "one");
	IS(dom0, XS_WRITE, "/a/c\0", "OK\0");
	IS(dom0, XS_READ, "/a/c\0", "");
	IS(dom0, XS_WRITE, "/a/c\0x\0y", "OK\0");
	IS(dom0, XS_READ, "/a/c\0", "x\0y");
	IS(dom0, XS_MKDIR, "/a/d\0", "OK\0");
	IS(dom0, XS_DIRECTORY, "/a\0", "b\0c\0d\0");
	IS(dom0, XS_DIRECTORY, "/a/d\0", "");
	IS(dom0, XS_RM, "/a/b\0", "OK\0");
	FAILS(dom0, XS_READ, "/a/b\0", "ENOENT");
	FAILS(dom0, XS_DIRECTORY, "/none\0", "ENOENT");
	FAILS(dom0, XS_MKDIR, "/a b\0", "EINVAL");
	FAILS(guest, XS_READ, "/a/c\0", "EACCES");
	FAILS(guest, XS_RM, "/a/c\0", "EACCES");
}

static void test_perms(void **state)
{
	struct bench *b = *state;

	IS(dom0, XS_MKDIR, "/a\0", "OK\0");
	IS(dom0, XS_GET_PERMS, "/a\0", "n0\0");
	IS(dom0, XS_SET_PERMS, "/a\0b0\0r5\0w6\0n7\0", "OK\0");
	IS(guest, XS_GET_PERMS, "/a\0", "b0\0r5\0w6\0n7\0");
	FAILS(guest, XS_SET_PERMS, "/a\0n5\0", "EACCES");
	FAILS(dom0, XS_SET_PERMS, "/a\0", "EINVAL");
	FAILS(dom0, XS_SET_PERMS, "/a\0x0\0", "EINVAL");
	FAILS(dom0, XS_SET_PERMS, "/a\0n\0", "EINVAL");
	FAILS(dom0, XS_SET_PERMS, "/a\0\0", "EINVAL");
	FAILS(dom0, XS_SET_PERMS, "/a\0n-1\0", "EINVAL");
	FAILS(dom0, XS_SET_PERMS, "/a\0n1x\0", "EINVAL");
	FAILS(dom0, XS_SET_PERMS, "/a\0n99999\0", "EINVAL");
	FAILS(dom0, XS_SET_PERMS, "/a\0n99999999999999999999999\0", "EINVAL");
	FAILS(dom0, XS_SET_PERMS, "/a\0n0", "EINVAL");
	FAILS(dom0, XS_SET_PERMS, "/a", "EINVAL");
	FAILS(dom0, XS_SET_PERMS, "", "EINVAL");
	IS(dom0, XS_GET_PERMS, "/a\0", "b0\0r5\0w6\0n7\0");
}

/* More permissions than one node may have. */
static void test_too_many_perms(void **state)
{
	struct bench *b = *state;
	char payload[3 + 3 * (STORE_PERMS_MAX + 1)] = "/a";

	IS(dom0, XS_MKDIR, "/a\0", "OK\0");
	for (size_t i = 3; i < sizeof(payload); i += 3)
		memcpy(payload + i, "r1", 3);
	request(b, b->dom0, XS_SET_PERMS, 0, payload, sizeof(payload));
	REPLY(XS_ERROR, "EINVAL\0");
	request(b, b->dom0, XS_SET_PERMS, 0, payload, sizeof(payload) - 3);
	REPLY(XS_SET_PERMS, "OK\0");
	request(b, b->dom0, XS_GET_PERMS, 0, "/a", 3);
	assert_int_equal(b->reply.hdr.len, 3 * STORE_PERMS_MAX);
}

static void test_watches(void **state)
{
	struct bench *b = *state;

	IS(dom0, XS_WATCH, "/a\0token\0", "OK\0");
	FAILS(dom0, XS_WATCH, "/a\0token\0", "EEXIST");
	assert_true(wire_event(b->dom0, &b->reply));
	REPLY(XS_WATCH_EVENT, "/a\0token\0");
	assert_int_equal(b->reply.hdr.req_id, 0);
	assert_false(wire_event(b->dom0, &b->reply));
	IS(dom0, XS_WRITE, "/a/b\0x", "OK\0");
	assert_true(wire_event(b->dom0, &b->reply));
	REPLY(XS_WATCH_EVENT, "/a/b\0token\0");
	IS(dom0, XS_UNWATCH, "/a\0token\0", "OK\0");
	FAILS(dom0, XS_UNWATCH, "/a\0token\0", "ENOENT");
	IS(dom0, XS_WATCH, "/a\0\0", "OK\0");
	IS(dom0, XS_RESET_WATCHES, "\0", "OK\0");
	assert_false(wire_event(b->dom0, &b->reply));
	FAILS(dom0, XS_UNWATCH, "/a\0\0", "ENOENT");
	FAILS(dom0, XS_WATCH, "/a\0token", "EINVAL");
	FAILS(dom0, XS_WATCH, "/a\0token\0more\0", "EINVAL");
	FAILS(dom0, XS_WATCH, "/a\0", "EINVAL");
	FAILS(dom0, XS_UNWATCH, "/a", "EINVAL");
}

static void test_transactions(void **state)
{
	struct bench *b = *state;
	xen_txn txn;

	DO(dom0, XS_TRANSACTION_START, 0, "\0");
	assert_int_equal(b->reply.hdr.type, XS_TRANSACTION_START);
	txn = (xen_txn)strtoul(b->reply.payload, NULL, 10);
	DO(dom0, XS_TRANSACTION_START, txn, "\0");
	REPLY(XS_ERROR, "EBUSY\0");
	DO(dom0, XS_WRITE, txn, "/t\0x");
	REPLY(XS_WRITE, "OK\0");
	FAILS(dom0, XS_READ, "/t\0", "ENOENT");
	DO(dom0, XS_TRANSACTION_END, txn, "X\0");
	REPLY(XS_ERROR, "EINVAL\0");
	DO(dom0, XS_TRANSACTION_END, txn, "T\0");
	REPLY(XS_TRANSACTION_END, "OK\0");
	IS(dom0, XS_READ, "/t\0", "x");
	DO(dom0, XS_TRANSACTION_END, txn, "T\0");
	REPLY(XS_ERROR, "ENOENT\0");

	DO(dom0, XS_TRANSACTION_START, 0, "\0");
	txn = (xen_txn)strtoul(b->reply.payload, NULL, 10);
	DO(dom0, XS_READ, txn, "/t\0");
	IS(guest, XS_WRITE, "x\0y", "OK\0");
	IS(dom0, XS_WRITE, "/t\0y", "OK\0");
	DO(dom0, XS_TRANSACTION_END, txn, "T\0");
	REPLY(XS_ERROR, "EAGAIN\0");

	DO(dom0, XS_TRANSACTION_START, 0, "\0");
	txn = (xen_txn)strtoul(b->reply.payload, NULL, 10);
	DO(dom0, XS_WRITE, txn, "/t\0z");
	DO(dom0, XS_TRANSACTION_END, txn, "F\0");
	REPLY(XS_TRANSACTION_END, "OK\0");
	IS(dom0, XS_READ, "/t\0", "y");
}

static void test_domains(void **state)
{
	struct bench *b = *state;

	IS(guest, XS_GET_DOMAIN_PATH, "7\0", "/local/domain/7\0");
	FAILS(guest, XS_GET_DOMAIN_PATH, "99999\0", "EINVAL");
	IS(dom0, XS_IS_DOMAIN_INTRODUCED, "5\0", "T\0");
	IS(dom0, XS_IS_DOMAIN_INTRODUCED, "7\0", "F\0");
	FAILS(guest, XS_INTRODUCE,
	      "7\0"
	      "1\0"
	      "1\0",
	      "EACCES");
	FAILS(dom0, XS_INTRODUCE, "7\0", "EINVAL");
	FAILS(dom0, XS_INTRODUCE,
	      "0\0"
	      "1\0"
	      "1\0",
	      "EINVAL");
	IS(dom0, XS_INTRODUCE,
	   "7\0"
	   "1\0"
	   "1\0",
	   "OK\0");
	IS(dom0, XS_IS_DOMAIN_INTRODUCED, "7\0", "T\0");
	IS(dom0, XS_RESUME, "7\0", "OK\0");
	FAILS(guest, XS_RESUME, "7\0", "EACCES");
	FAILS(guest, XS_RELEASE, "7\0", "EACCES");
	IS(dom0, XS_RELEASE, "7\0", "OK\0");
	FAILS(dom0, XS_RELEASE, "7\0", "ENOENT");
	FAILS(dom0, XS_RESUME, "7\0", "ENOENT");
	FAILS(dom0, XS_RELEASE, "seven\0", "EINVAL");
	FAILS(dom0, XS_RESUME, "", "EINVAL");
	FAILS(dom0, XS_IS_DOMAIN_INTRODUCED,
	      "5\0"
	      "5\0",
	      "EINVAL");
}

/* Every type, known or not, with payloads that are no strings. */
static void test_malformed(void **state)
{
	static const char *const payloads[] = {"", "\0", "/a", "/a\0b", "\0\0\0", "\xff\xff"};
	static const size_t sizes[] = {0, 1, 2, 4, 3, 2};
	struct bench *b = *state;
	char full[XENSTORE_PAYLOAD_MAX];

	memset(full, 'a', sizeof(full));
	for (uint32_t type = 0; type < XS_TYPE_COUNT + 3; type++) {
		for (size_t i = 0; i < ARRAY_SIZE(payloads); i++)
			request(b, b->guest, type, type % 2, payloads[i], sizes[i]);
		request(b, b->guest, type, 0, full, sizeof(full));
	}
	FAILS(dom0, XS_CONTROL, "help\0", "ENOSYS");
	FAILS(dom0, XS_SET_TARGET,
	      "5\0"
	      "6\0",
	      "ENOSYS");
	FAILS(dom0, XS_WATCH_EVENT, "/a\0b\0", "ENOSYS");
	FAILS(dom0, XS_INVALID, "", "ENOSYS");
	FAILS(dom0, UINT32_MAX, "", "ENOSYS");
	FAILS(dom0, XS_READ, "/", "EINVAL");
	FAILS(dom0, XS_READ, "/\0/\0", "EINVAL");
	FAILS(dom0, XS_GET_PERMS, "/", "EINVAL");
	FAILS(dom0, XS_WRITE, "/x", "EINVAL");
	FAILS(dom0, XS_MKDIR, "/x", "EINVAL");
	FAILS(dom0, XS_RM, "/x", "EINVAL");
	FAILS(dom0, XS_DIRECTORY, "", "EINVAL");
	FAILS(dom0, XS_TRANSACTION_END, "", "EINVAL");
}

/* A value too large for a node, and one that fits. */
static void test_large_values(void **state)
{
	struct bench *b = *state;
	char payload[3 + STORE_VALUE_MAX + 1] = "/v";

	request(b, b->dom0, XS_WRITE, 0, payload, sizeof(payload));
	REPLY(XS_ERROR, "E2BIG\0");
	request(b, b->dom0, XS_WRITE, 0, payload, sizeof(payload) - 1);
	REPLY(XS_WRITE, "OK\0");
	DO(dom0, XS_READ, 0, "/v\0");
	assert_int_equal(b->reply.hdr.len, STORE_VALUE_MAX);
}

/* One piece of the list from offset on: bytes of names in it; *last: the list ends here. */
static size_t read_part(struct bench *b, size_t offset, char *names, bool *last)
{
	AUTO_FREE char *payload = xb_asprintf("/big %zu", offset);
	size_t len = strlen(payload) + 1, generation;

	payload[4] = '\0';
	request(b, b->dom0, XS_DIRECTORY_PART, 0, payload, len);
	assert_int_equal(b->reply.hdr.type, XS_DIRECTORY_PART);
	generation = strlen(b->reply.payload) + 1;
	len = b->reply.hdr.len - generation;
	*last = len == 1 || b->reply.payload[b->reply.hdr.len - 2] == '\0';
	len -= *last;
	memcpy(names, b->reply.payload + generation, len);
	return len;
}

static void test_directory_part(void **state)
{
	struct bench *b = *state;
	char path[32], names[32768], *at = names;
	size_t len = 0;
	unsigned int parts = 0;
	bool last = false;

	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/big/node-%d", i);
		assert_int_equal(store_mkdir(b->dom0, 0, path), 0);
	}
	FAILS(dom0, XS_DIRECTORY, "/big\0", "E2BIG");
	for (; !last; parts++)
		len += read_part(b, len, names + len, &last);
	assert_in_range(parts, 3, 4);
	for (int i = 0; i < 1000; i++, at += strlen(at) + 1) {
		snprintf(path, sizeof(path), "node-%d", i);
		assert_string_equal(at, path);
	}
	assert_int_equal(at - names, len);
	assert_int_equal(read_part(b, len, at, &last), 0);
	assert_true(last);
	assert_int_equal(read_part(b, 1000000, at, &last), 0);
	FAILS(dom0, XS_DIRECTORY_PART, "/big\0", "EINVAL");
	FAILS(dom0, XS_DIRECTORY_PART, "/big\0-1\0", "EINVAL");
	FAILS(dom0, XS_DIRECTORY_PART, "/big\0x\0", "EINVAL");
	FAILS(dom0, XS_DIRECTORY_PART,
	      "/none\0"
	      "0\0",
	      "ENOENT");
	FAILS(guest, XS_DIRECTORY_PART,
	      "/big\0"
	      "0\0",
	      "EACCES");
}

static void test_errno(void **state)
{
	assert_int_equal(wire_errno("EAGAIN"), EAGAIN);
	assert_int_equal(wire_errno("ENOSYS"), ENOSYS);
	assert_int_equal(wire_errno("EWHAT"), EINVAL);
	assert_int_equal(wire_errno(""), EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nodes),     TEST(test_perms),	       TEST(test_too_many_perms),
		TEST(test_watches),   TEST(test_transactions), TEST(test_domains),
		TEST(test_malformed), TEST(test_large_values), TEST(test_directory_part),
		TEST(test_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
