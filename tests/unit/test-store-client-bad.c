/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-store-client-bad.c - the client of the store and a server that answers nonsense: -EIO, and
 * no harm. */
#include "xen/store_client.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <cmocka.h>

#include "util.h"
#include "xen/wire.h"

/** What the server says to the first request of a connection, before it hangs up. */
struct answer {
	uint32_t type, id, len; /* of the header */
	const char *payload;
	size_t sent; /* bytes of the payload */
};

struct server {
	char dir[32];
	struct sockaddr_un address;
	int fd;
	pthread_t thread;
	struct answer answer;
};

static void *answer_once(void *arg)
{
	struct server *s = arg;
	struct xsd_sockmsg hdr = {
		.type = s->answer.type, .req_id = s->answer.id, .len = s->answer.len};
	int fd = accept(s->fd, NULL, NULL);
	char request[256];

	if (recv(fd, request, sizeof(request), 0) > 0 &&
	    send(fd, &hdr, sizeof(hdr), MSG_NOSIGNAL) == sizeof(hdr) && s->answer.sent)
		(void)send(fd, s->answer.payload, s->answer.sent, MSG_NOSIGNAL);
	/* A close with unread bytes would be a reset, and take the answer along. */
	shutdown(fd, SHUT_WR);
	while (recv(fd, request, sizeof(request), 0) > 0)
		continue;
	close(fd);
	return NULL;
}

static int setup(void **state)
{
	struct server *s = xb_calloc(1, sizeof(*s));

	strcpy(s->dir, "/tmp/xb-store-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	s->address.sun_family = AF_UNIX;
	snprintf(s->address.sun_path, sizeof(s->address.sun_path), "%s/xenstored.sock", s->dir);
	s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&s->address, sizeof(s->address)), 0);
	assert_int_equal(listen(s->fd, 1), 0);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct server *s = *state;

	close(s->fd);
	unlink(s->address.sun_path);
	assert_int_equal(rmdir(s->dir), 0);
	free(s);
	return 0;
}

static int do_read(struct xen_store *store)
{
	AUTO_FREE char *value = NULL;

	return store_client_read(store, 0, "/", &value, NULL);
}

static int do_list(struct xen_store *store)
{
	AUTO_FREE char **names = NULL;
	unsigned int n;

	return store_client_list(store, 0, "/", &names, &n);
}

static int do_perms(struct xen_store *store)
{
	AUTO_FREE struct xen_perm *perms = NULL;
	unsigned int n;

	return store_client_get_perms(store, 0, "/", &perms, &n);
}

static int do_txn(struct xen_store *store)
{
	xen_txn txn;

	return store_client_txn_start(store, &txn);
}

/* Result of an operation that is answered so. */
static int answered(struct server *s, int (*operation)(struct xen_store *), struct answer answer)
{
	struct xen_store *store;
	int rc;

	s->answer = answer;
	assert_int_equal(pthread_create(&s->thread, NULL, answer_once, s), 0);
	assert_int_equal(store_client_open(&store, s->dir, 0), 0);
	rc = operation(store);
	/* A loss is for good. */
	if (rc == -EIO)
		assert_int_equal(do_read(store), -EIO);
	store_client_close(store);
	pthread_join(s->thread, NULL);
	return rc;
}

#define ANSWER(type, id, len, text) ((struct answer){type, id, len, text, sizeof(text) - 1})

static void test_good_answers(void **state)
{
	assert_int_equal(answered(*state, do_read, ANSWER(XS_READ, 1, 1, "x")), 0);
	assert_int_equal(answered(*state, do_list, ANSWER(XS_DIRECTORY, 1, 2, "x\0")), 0);
	assert_int_equal(answered(*state, do_perms, ANSWER(XS_GET_PERMS, 1, 3, "n0\0")), 0);
	assert_int_equal(answered(*state, do_txn, ANSWER(XS_TRANSACTION_START, 1, 2, "7\0")), 0);
	assert_int_equal(answered(*state, do_read, ANSWER(XS_ERROR, 1, 7, "ENOENT\0")), -ENOENT);
	/* The text's NUL is not needed. */
	assert_int_equal(answered(*state, do_read, ANSWER(XS_ERROR, 1, 6, "EACCES")), -EACCES);
	assert_int_equal(answered(*state, do_read, ANSWER(XS_ERROR, 1, 4, "EWHY")), -EINVAL);
	assert_int_equal(answered(*state, do_read, ANSWER(XS_ERROR, 1, 0, "")), -EINVAL);
}

static void test_bad_headers(void **state)
{
	assert_int_equal(answered(*state, do_read, ANSWER(XS_READ, 2, 1, "x")), -EIO);
	assert_int_equal(answered(*state, do_read, ANSWER(XS_WRITE, 1, 1, "x")), -EIO);
	assert_int_equal(answered(*state, do_read, ANSWER(XS_READ, 1, 4097, "x")), -EIO);
	assert_int_equal(answered(*state, do_read, ANSWER(XS_READ, 1, UINT32_MAX, "x")), -EIO);
	assert_int_equal(answered(*state, do_read, ANSWER(XS_READ, 1, 9, "short")), -EIO);
}

static void test_bad_events(void **state)
{
	assert_int_equal(answered(*state, do_read, ANSWER(XS_WATCH_EVENT, 0, 0, "")), -EIO);
	assert_int_equal(answered(*state, do_read, ANSWER(XS_WATCH_EVENT, 0, 2, "/a")), -EIO);
	assert_int_equal(answered(*state, do_read, ANSWER(XS_WATCH_EVENT, 0, 3, "/a\0")), -EIO);
	assert_int_equal(answered(*state, do_read, ANSWER(XS_WATCH_EVENT, 0, 4, "/a\0t")), -EIO);
}

static void test_bad_lists(void **state)
{
	assert_int_equal(answered(*state, do_list, ANSWER(XS_DIRECTORY, 1, 3, "a\0b")), -EIO);
	assert_int_equal(answered(*state, do_perms, ANSWER(XS_GET_PERMS, 1, 0, "")), -EIO);
	assert_int_equal(answered(*state, do_perms, ANSWER(XS_GET_PERMS, 1, 2, "n0")), -EIO);
	assert_int_equal(answered(*state, do_perms, ANSWER(XS_GET_PERMS, 1, 3, "x0\0")), -EIO);
	assert_int_equal(answered(*state, do_perms, ANSWER(XS_GET_PERMS, 1, 4, "n0\0\0")), -EIO);
	assert_int_equal(answered(*state, do_txn, ANSWER(XS_TRANSACTION_START, 1, 2, "x\0")), -EIO);
	assert_int_equal(answered(*state, do_txn, ANSWER(XS_TRANSACTION_START, 1, 0, "")), -EIO);
}

/* Long lists: "too long" to the first request, then this to the one for a part. */
static int part(struct server *s, uint32_t len, const char *payload)
{
	struct {
		struct xsd_sockmsg hdr;
		char text[6];
		struct xsd_sockmsg next;
		char rest[64];
	} __attribute__((packed)) all = {.text = "E2BIG"};

	all.next = (struct xsd_sockmsg){.type = XS_DIRECTORY_PART, .req_id = 2, .len = len};
	memcpy(all.rest, payload, len);
	return answered(s, do_list,
			(struct answer){XS_ERROR, 1, 6, all.text, 6 + sizeof(all.next) + len});
}

static void test_bad_parts(void **state)
{
	assert_int_equal(part(*state, 5, "7\0a\0\0"), 0);
	assert_int_equal(part(*state, 0, ""), -EIO);
	assert_int_equal(part(*state, 1, "7"), -EIO);
	assert_int_equal(part(*state, 2, "7\0"), -EIO);
	assert_int_equal(part(*state, 4, "7\0ab"), -EIO);
	assert_int_equal(part(*state, 36, "12345678901234567890123456789012345\0"), -EIO);
	assert_int_equal(part(*state, 38, "12345678901234567890123456789012345\0a\0"), -EIO);
	/* There must be more, and is not. */
	assert_int_equal(part(*state, 4, "7\0a\0"), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_parts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
