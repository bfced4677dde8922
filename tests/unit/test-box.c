/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-box.c - processes that meet in a real xenbox: no notification lost between them, and what is
 * left of those that are killed. Needs XENBACK_BUILD for the daemon. */
#include "xen/ops.h"

#include <errno.h>
#include <poll.h>
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
#include <xen/io/xs_wire.h>

#include "box-lab.h"
#include "util.h"

#define NOTIFICATIONS 100000u /* at least, of both directions together */
#define BURST	      8
#define PAYLOAD	      32
#define GIVE_UP_MS    20000 /* what comes late has not come */

/* --- two processes at full speed --- */

static uint32_t n_rounds(void)
{
	return NOTIFICATIONS / (BURST / 2 + 1);
}

/* Asks; the last notification of a burst may find the backend at any point of its work. */
static void ask_questions(int to_parent, const struct offer *unused)
{
	struct party guest;
	struct offer offer;
	struct page *page;
	unsigned int seed = 1;

	party_open(&guest, GUEST);
	page = party_offer(&guest, &offer);
	child_tell(to_parent, &offer);
	for (uint32_t round = 1; round <= n_rounds(); round++) {
		memset(page->payload, (int)(round & 0xff), PAYLOAD);
		page->question = round;
		for (int n = 1 + rand_r(&seed) % BURST; n > 0; n--)
			CHECK(guest.ops->evt_notify(guest.evt, offer.port) == 0);
		do {
			party_await(&guest, offer.port);
			guest.ops->evt_unmask(guest.evt, &offer.port, 1);
		} while (__atomic_load_n(&page->answer, __ATOMIC_ACQUIRE) != round);
	}
	party_close(&guest);
}

static void answer(struct party *back, uint32_t ref, uint32_t round)
{
	uint8_t payload[PAYLOAD];

	CHECK(party_copy_from(back, ref, offsetof(struct page, payload), payload, PAYLOAD) == 0);
	for (size_t i = 0; i < PAYLOAD; i++)
		CHECK(payload[i] == (uint8_t)round);
	CHECK(party_copy_to(back, ref, offsetof(struct page, answer), &round, sizeof(round)) == 0);
}

static void test_exchange(void **state)
{
	struct party back;
	struct offer offer;
	uint32_t port, round = 0, question = 0;
	int from_child, status;
	pid_t pid = child_start(ask_questions, NULL, &from_child);

	offer = child_hear(from_child);
	party_open(&back, 0);
	CHECK(back.ops->evt_bind(back.evt, GUEST, offer.port, &port) == 0);
	while (round < n_rounds()) {
		party_await(&back, port);
		CHECK(party_copy_from(&back, offer.ref, 0, &question, sizeof(question)) == 0);
		if (question == round + 1) {
			answer(&back, offer.ref, ++round);
			CHECK(back.ops->evt_notify(back.evt, port) == 0);
		}
		CHECK(back.ops->evt_unmask(back.evt, &port, 1) == 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	party_close(&back);
	close(from_child);
}

/* --- the dead --- */

static void offer_and_wait(int to_parent, const struct offer *unused)
{
	struct party guest;
	struct offer offer;

	party_open(&guest, GUEST);
	memset(party_offer(&guest, &offer)->payload, 0x77, PAYLOAD);
	child_tell(to_parent, &offer);
	pause();
}

static void await_release(struct party *back, struct xen_store *store)
{
	struct pollfd fd = {.fd = back->ops->store_fd(store), .events = POLLIN};
	char *path, *token, *value;
	int rc;

	while (back->ops->store_read(store, XEN_TXN_NONE, "/local/domain/7/domid", &value, NULL) ==
	       0) {
		free(value);
		CHECK(poll(&fd, 1, GIVE_UP_MS) == 1);
		while ((rc = back->ops->store_event(store, &path, &token)) == 1) {
			free(path);
			free(token);
		}
		CHECK(rc == 0);
	}
}

/* The guest is killed: its domain goes, the backend keeps what it has mapped, and the next guest is
 * another. */
static void test_guest_killed(void **state)
{
	struct party back;
	struct xen_store *store;
	struct offer offer;
	uint32_t port;
	uint8_t byte = 0;
	void *map;

	party_open(&back, 0);
	assert_int_equal(back.ops->store_open(back.xen, &store), 0);
	assert_int_equal(back.ops->store_watch(store, "@releaseDomain", "gone"), 0);
	for (int life = 0; life < 3; life++) {
		int from_child;
		pid_t pid = child_start(offer_and_wait, NULL, &from_child);

		offer = child_hear(from_child);
		assert_int_equal(back.ops->gnt_map(back.gnt, GUEST, &offer.ref, 1, &map), 0);
		assert_int_equal(back.ops->evt_bind(back.evt, GUEST, offer.port, &port), 0);
		party_await(&back, port);
		assert_int_equal(party_copy_from(&back, offer.ref, 8, &byte, 1), 0);
		assert_int_equal(byte, 0x77);
		child_kill(pid);
		close(from_child);
		await_release(&back, store);
		assert_int_equal(((struct page *)map)->payload[0], 0x77);
		assert_int_equal(party_copy_from(&back, offer.ref, 8, &byte, 1),
				 XEN_GNTST_BAD_DOMAIN);
		assert_int_equal(back.ops->evt_notify(back.evt, port), 0);
		assert_int_equal(back.ops->evt_unbind(back.evt, port), 0);
		assert_int_equal(back.ops->gnt_unmap(back.gnt, map, 1), 0);
	}
	back.ops->store_close(store);
	party_close(&back);
}

/* Uses what the parent offers, shares a page of its own, and waits for its end. */
static void serve_and_wait(int to_parent, const struct offer *offer)
{
	struct party back;
	struct offer mine = {0};
	void *addr;

	party_open(&back, 0);
	CHECK(back.ops->gnt_map(back.gnt, GUEST, &offer->ref, 1, &addr) == 0);
	CHECK(back.ops->evt_bind(back.evt, GUEST, offer->port, &mine.port) == 0);
	party_await(&back, mine.port);
	CHECK(back.ops->shr_alloc(back.shr, GUEST, 1, true, &mine.ref, &addr) == 0);
	CHECK(back.ops->evt_notify(back.evt, mine.port) == 0);
	child_tell(to_parent, &mine);
	pause();
}

/* The backend is killed: the guest's page is free again, its port may be bound anew, another
 * backend notices nothing. */
static void test_backend_killed(void **state)
{
	struct party guest, other;
	struct xen_copy seg = {.len = 4, .flags = XEN_COPY_SRC_GREF};
	uint32_t word, again;
	struct offer offer, theirs;

	party_open(&other, 0);
	party_open(&guest, GUEST);
	seg.dst.virt = &word;
	for (int life = 0; life < 3; life++) {
		struct page *page = party_offer(&guest, &offer);
		int from_child;
		pid_t pid = child_start(serve_and_wait, &offer, &from_child);

		theirs = child_hear(from_child);
		party_await(&guest, offer.port);
		seg.src.foreign.ref = theirs.ref;
		assert_int_equal(guest.ops->gnt_copy(guest.gnt, &seg, 1), 0);
		assert_int_equal(seg.status, XEN_GNTST_OKAY);
		assert_int_equal(guest.ops->shr_free(guest.shr, page, 1), -EBUSY);
		child_kill(pid);
		close(from_child);
		party_settle(&guest);
		assert_int_equal(guest.ops->gnt_copy(guest.gnt, &seg, 1), 0);
		assert_int_equal(seg.status, XEN_GNTST_GENERAL_ERROR);
		assert_int_equal(guest.ops->evt_notify(guest.evt, offer.port), 0);
		assert_int_equal(other.ops->evt_bind(other.evt, GUEST, offer.port, &again), 0);
		party_await(&other, again);
		assert_int_equal(other.ops->evt_notify(other.evt, again), 0);
		guest.ops->evt_unmask(guest.evt, &offer.port, 1);
		party_await(&guest, offer.port);
		assert_int_equal(other.ops->evt_unbind(other.evt, again), 0);
		assert_int_equal(guest.ops->evt_unbind(guest.evt, offer.port), 0);
		assert_int_equal(guest.ops->shr_free(guest.shr, page, 1), 0);
	}
	party_close(&guest);
	party_close(&other);
}

/* --- domains of a toolstack --- */

/* What `xl create` does: the daemon of the store takes it from a connection of domain 0. */
static void introduce(void)
{
	static const char payload[] = "8\0001\0001"; /* domid, page, port; a NUL after each */
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct {
		struct xsd_sockmsg hdr;
		char payload[sizeof(payload)];
	} msg = {.hdr = {.type = XS_INTRODUCE, .len = sizeof(payload)}};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(msg.payload, payload, sizeof(payload));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/xenstored.sock", box_lab_dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(write(fd, &msg, sizeof(msg)), sizeof(msg));
	assert_true(read(fd, &msg, sizeof(msg)) >= (ssize_t)sizeof(msg.hdr));
	assert_int_equal(msg.hdr.type, XS_INTRODUCE);
	close(fd);
}

/* It is the toolstack's to release, whoever comes and goes. */
static void test_introduced(void **state)
{
	struct party back, guest;
	struct xen_store *store;
	char *value;

	introduce();
	party_open(&back, 0);
	party_open(&guest, 8);
	party_close(&guest);
	party_settle(&back);
	assert_int_equal(back.ops->store_open(back.xen, &store), 0);
	assert_int_equal(
		back.ops->store_read(store, XEN_TXN_NONE, "/local/domain/8/domid", &value, NULL),
		0);
	assert_string_equal(value, "8");
	free(value);
	back.ops->store_close(store);
	party_close(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_guest_killed),
		cmocka_unit_test(test_backend_killed),
		cmocka_unit_test(test_introduced),
	};

	if (!getenv("XENBACK_BUILD")) {
		puts("1..0 # SKIP XENBACK_BUILD is not set, where is xenbox?");
		return 0;
	}
	return cmocka_run_group_tests(tests, box_lab_start, box_lab_stop);
}
