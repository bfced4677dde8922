/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-machine.c - the shared memory of box and fake by itself: numbers used again, ends that die
 * half-way. Threads: test-machine-threads.c. */
#include "xen/machine.h"

#include <errno.h>
#include <sys/eventfd.h>

#include "machine-lab.h"
#include "util.h"

#define FIRST_GRANT 8

/* --- grants --- */

static void test_grant_numbers(void **state)
{
	struct machine_lab *lab = *state;
	struct machine *m = lab->machine;
	int first, second;

	assert_int_equal(machine_grant(m, FRONT, BACK, 0, true), -EINVAL);
	first = machine_grant(m, FRONT, BACK, 4, true);
	second = machine_grant(m, FRONT, BACK, 2, true);
	assert_int_equal(first, FIRST_GRANT);
	assert_int_equal(second, FIRST_GRANT + 4);
	assert_int_equal(machine_ungrant(m, FRONT, (uint32_t)first, 4), 0);
	assert_int_equal(machine_grant(m, FRONT, BACK, 5, true), second + 2);
	assert_int_equal(machine_grant(m, FRONT, BACK, 4, true), first);
	assert_int_equal(machine_grant(m, FRONT, BACK, MACHINE_GRANTS, true), -ENOSPC);
	/* Nobody else's table is concerned. */
	assert_int_equal(machine_grant(m, BACK, FRONT, 1, true), FIRST_GRANT);
}

static void test_ungrant_refused(void **state)
{
	struct machine_lab *lab = *state;
	struct machine *m = lab->machine;
	uint32_t ref = (uint32_t)machine_grant(m, FRONT, BACK, 2, true);

	assert_int_equal(machine_ungrant(m, FRONT, MACHINE_GRANTS, 1), -EINVAL);
	assert_int_equal(machine_ungrant(m, FRONT, MACHINE_GRANTS - 1, 2), -EINVAL);
	assert_int_equal(machine_ungrant(m, FRONT, ref, UINT32_MAX), -EINVAL);
	assert_int_equal(machine_ungrant(m, FRONT, ref + 1, 2), -EINVAL);
	assert_int_equal(machine_pin(m, BACK, FRONT, ref + 1), 0);
	assert_int_equal(machine_pinned(m, FRONT), 1);
	assert_int_equal(machine_ungrant(m, FRONT, ref, 2), -EBUSY);
	machine_unpin(m, FRONT, ref + 1);
	assert_int_equal(machine_ungrant(m, FRONT, ref, 2), 0);
	assert_int_equal(machine_ungrant(m, FRONT, ref, 2), -EINVAL);
}

static void test_pin_refused(void **state)
{
	struct machine_lab *lab = *state;
	struct machine *m = lab->machine;
	uint32_t ref = (uint32_t)machine_grant(m, FRONT, BACK, 1, true);
	uint32_t readonly = (uint32_t)machine_grant(m, FRONT, BACK, 1, false);

	assert_int_equal(machine_pin(m, OTHER, FRONT, ref), -EACCES);
	assert_int_equal(machine_pin(m, BACK, FRONT, readonly), -EACCES);
	assert_int_equal(machine_pin(m, BACK, FRONT, readonly + 1), -ENOENT);
	assert_int_equal(machine_pin(m, BACK, FRONT, MACHINE_GRANTS), -ENOENT);
	assert_int_equal(machine_pin(m, BACK, MACHINE_DOMAINS, ref), -ENOENT);
	assert_int_equal(machine_pinned(m, FRONT), 0);
}

/* A page whose grant went while it was mapped is given to nobody before the mapping is gone. */
static void test_abandoned_while_mapped(void **state)
{
	struct machine_lab *lab = *state;
	struct machine *m = lab->machine;
	uint32_t ref = (uint32_t)machine_grant(m, FRONT, BACK, 1, true);

	assert_int_equal(machine_pin(m, BACK, FRONT, ref), 0);
	machine_abandon(m, FRONT, ref);
	assert_int_equal(machine_pin(m, BACK, FRONT, ref), -ENOENT);
	assert_int_equal(machine_grant(m, FRONT, BACK, 1, true), ref + 1);
	machine_unpin(m, FRONT, ref);
	assert_int_equal(machine_pinned(m, FRONT), 0);
	assert_int_equal(machine_grant(m, FRONT, BACK, 1, true), ref);
}

static void test_revoked(void **state)
{
	struct machine_lab *lab = *state;
	struct machine *m = lab->machine;
	uint32_t ref = (uint32_t)machine_grant(m, FRONT, BACK, 1, true);
	uint8_t byte = 0;
	struct xen_copy seg = {.len = 1, .flags = XEN_COPY_SRC_GREF, .dst.virt = &byte};

	seg.src.foreign.ref = ref;
	seg.src.foreign.domid = FRONT;
	assert_int_equal(machine_copy(&lab->env, BACK, &seg, 1), 0);
	assert_int_equal(seg.status, XEN_GNTST_OKAY);
	machine_revoke(m, FRONT, ref);
	machine_revoke(m, FRONT, ref + 1); /* is none */
	assert_int_equal(machine_copy(&lab->env, BACK, &seg, 1), 0);
	assert_int_equal(seg.status, XEN_GNTST_GENERAL_ERROR);
	assert_int_equal(machine_pin(m, BACK, FRONT, ref), -ENOENT);
	/* The page is still its owner's. */
	assert_int_equal(machine_grant(m, FRONT, BACK, 1, true), ref + 1);
	assert_int_equal(machine_ungrant(m, FRONT, ref, 1), 0);
}

static void test_copy_within_a_page(void **state)
{
	struct machine_lab *lab = *state;
	uint32_t ref = (uint32_t)machine_grant(lab->machine, FRONT, BACK, 1, true);
	uint8_t *page = lab->frames[FRONT] + (size_t)ref * XEN_PAGE_SIZE;
	struct xen_copy seg = {.len = 100, .flags = XEN_COPY_SRC_GREF | XEN_COPY_DST_GREF};

	for (unsigned int i = 0; i < 200; i++)
		page[i] = (uint8_t)i;
	seg.src.foreign.ref = seg.dst.foreign.ref = ref;
	seg.src.foreign.domid = seg.dst.foreign.domid = FRONT;
	seg.dst.foreign.offset = 7;
	assert_int_equal(machine_copy(&lab->env, BACK, &seg, 1), 0);
	assert_int_equal(seg.status, XEN_GNTST_OKAY);
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(page[7 + i], i);
}

static void test_copy_refused(void **state)
{
	struct machine_lab *lab = *state;
	uint32_t ref = (uint32_t)machine_grant(lab->machine, FRONT, BACK, 1, false);
	uint8_t local[8] = {0};
	struct xen_copy seg = {.len = 8, .flags = XEN_COPY_DST_GREF, .src.virt = local};

	seg.dst.foreign.ref = ref;
	seg.dst.foreign.domid = FRONT;
	seg.dst.foreign.offset = XEN_PAGE_SIZE - 8;
	assert_int_equal(machine_copy(&lab->env, BACK, &seg, 1), 0);
	assert_int_equal(seg.status, XEN_GNTST_GENERAL_ERROR); /* read-only */
	seg.dst.foreign.offset++;
	assert_int_equal(machine_copy(&lab->env, BACK, &seg, 1), -EINVAL);
	seg.dst.foreign.offset = 0;
	seg.dst.foreign.domid = OTHER;
	assert_int_equal(machine_copy(&lab->env, BACK, &seg, 1), 0);
	assert_int_equal(seg.status, XEN_GNTST_BAD_DOMAIN);
	seg.dst.foreign.domid = 0x7ff0;
	assert_int_equal(machine_copy(&lab->env, BACK, &seg, 1), 0);
	assert_int_equal(seg.status, XEN_GNTST_BAD_DOMAIN);
	seg.dst.foreign.domid = FRONT;
	seg.dst.foreign.ref = UINT32_MAX;
	assert_int_equal(machine_copy(&lab->env, BACK, &seg, 1), 0);
	assert_int_equal(seg.status, XEN_GNTST_BAD_GNTREF);
	seg.flags = 0;
	assert_int_equal(machine_copy(&lab->env, BACK, &seg, 1), -EINVAL);
}

/* --- event channels --- */

static void test_port_reuse(void **state)
{
	struct machine_lab *lab = *state;
	struct machine *m = lab->machine;
	uint32_t front, back, again, fired;

	machine_lab_channel(lab, &front, &back);
	assert_int_equal(machine_bound(m, BACK), 1);
	machine_evt_notify(&lab->env, FRONT, front); /* pending when it goes */
	assert_int_equal(machine_evt_unbind(m, lab->back, back), 0);
	assert_int_equal(machine_evt_unbind(m, lab->back, back), -EINVAL);
	assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 0);
	assert_int_equal(machine_evt_alloc(m, lab->back, FRONT, &again), 0);
	assert_int_equal(again, back);
	assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 0);
	/* The new user of the number hears nothing from the old peer. */
	assert_int_equal(machine_evt_notify(&lab->env, FRONT, front), 0);
	assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 0);
	assert_int_equal(machine_bound(m, BACK), 0);
}

static void test_masked(void **state)
{
	struct machine_lab *lab = *state;
	uint32_t front, back, fired = 0;

	machine_lab_channel(lab, &front, &back);
	machine_evt_notify(&lab->env, FRONT, front);
	assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 1);
	machine_evt_notify(&lab->env, FRONT, front);
	assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 0);
	assert_false(machine_lab_readable(lab, lab->back, 0));
	machine_evt_unmask(&lab->env, lab->back, &back, 1);
	machine_lab_expect_fired(lab, lab->back, back);
	assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 0);
}

/* What does not fit waits, and the descriptor says so. */
static void test_more_than_asked(void **state)
{
	struct machine_lab *lab = *state;
	uint32_t front[70], back[70], fired[70];
	unsigned int n = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(front); i++)
		machine_lab_channel(lab, &front[i], &back[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(front); i++)
		machine_evt_notify(&lab->env, FRONT, front[i]);
	while (n < ARRAY_SIZE(front)) {
		assert_true(machine_lab_readable(lab, lab->back, 0));
		assert_int_equal(machine_lab_take(lab, lab->back, fired + n, 7), 7);
		n += 7;
	}
	assert_int_equal(machine_lab_take(lab, lab->back, fired, 7), 0);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(fired[i], back[i]);
	machine_evt_unmask(&lab->env, lab->back, fired, n);
	assert_int_equal(machine_lab_take(lab, lab->back, fired, 7), 0);
}

/* A notify that was under way when its port went must not touch the port that has the number now.
 */
static void test_late_notify(void **state)
{
	struct machine_lab *lab = *state;
	uint16_t second = machine_lab_open_handle(lab, BACK);
	uint32_t front, back, fired;

	machine_lab_channel(lab, &front, &back);
	/* The bit of the first handle's port, in the second handle. */
	lab->machine->handles[second].fired[back / 64] |= 1ull << (back % 64);
	machine_evt_rouse(&lab->env, second);
	assert_int_equal(machine_lab_take(lab, second, &fired, 1), 0);
	machine_evt_notify(&lab->env, FRONT, front);
	machine_lab_expect_fired(lab, lab->back, back);
}

static void test_foreign_port(void **state)
{
	struct machine_lab *lab = *state;
	struct machine *m = lab->machine;
	uint16_t second = machine_lab_open_handle(lab, BACK);
	uint32_t front, back, fired;

	machine_lab_channel(lab, &front, &back);
	assert_int_equal(machine_evt_unbind(m, second, back), -EINVAL);
	assert_int_equal(machine_evt_unbind(m, lab->back, 0), -EINVAL);
	assert_int_equal(machine_evt_unbind(m, lab->back, MACHINE_PORTS), -EINVAL);
	assert_int_equal(machine_evt_notify(&lab->env, BACK, 0), -EINVAL);
	assert_int_equal(machine_evt_notify(&lab->env, BACK, MACHINE_PORTS), -EINVAL);
	assert_int_equal(machine_evt_notify(&lab->env, BACK, back + 1), -EINVAL);
	assert_int_equal(machine_evt_bind(&lab->env, second, MACHINE_DOMAINS, 1, &fired), -EINVAL);
	assert_int_equal(machine_evt_bind(&lab->env, second, FRONT, MACHINE_PORTS, &fired),
			 -EINVAL);
	assert_int_equal(machine_evt_bind(&lab->env, second, FRONT, front, &fired), -EINVAL);
	/* Unmasking by the wrong handle changes nothing. */
	machine_evt_notify(&lab->env, FRONT, front);
	assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 1);
	machine_evt_notify(&lab->env, FRONT, front);
	machine_evt_unmask(&lab->env, second, &back, 1);
	assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 0);
	assert_int_equal(machine_lab_take(lab, second, &fired, 1), 0);
}

static void test_handle_reuse(void **state)
{
	struct machine_lab *lab = *state;
	struct machine *m = lab->machine;
	uint32_t generation = m->handles[lab->back].generation;
	uint32_t front, back, fired;

	machine_lab_channel(lab, &front, &back);
	machine_evt_notify(&lab->env, FRONT, front);
	machine_handle_close(&lab->env, lab->back);
	assert_int_equal(machine_evt_notify(&lab->env, FRONT, front), 0);
	assert_int_equal(machine_bound(m, FRONT), 0);
	assert_int_equal(machine_lab_open_handle(lab, OTHER), lab->back);
	assert_int_not_equal(m->handles[lab->back].generation, generation);
	assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 0);
	/* The offer was for domain 0 and still is. */
	assert_int_equal(machine_evt_bind(&lab->env, lab->back, FRONT, front, &back), -EINVAL);
	lab->back = machine_lab_open_handle(lab, BACK);
	assert_int_equal(machine_evt_bind(&lab->env, lab->back, FRONT, front, &back), 0);
	machine_lab_expect_fired(lab, lab->back, back);
}

static void test_no_more_ports(void **state)
{
	struct machine_lab *lab = *state;
	struct machine *m = lab->machine;
	uint32_t port = 0, offered, n = 0;

	assert_int_equal(machine_evt_alloc(m, lab->front, BACK, &offered), 0);
	while (machine_evt_alloc(m, lab->back, FRONT, &port) == 0)
		n++;
	assert_int_equal(n, MACHINE_PORTS - 1);
	assert_int_equal(machine_evt_bind(&lab->env, lab->back, FRONT, offered, &port), -ENOSPC);
	assert_int_equal(machine_evt_unbind(m, lab->back, 5), 0);
	assert_int_equal(machine_evt_bind(&lab->env, lab->back, FRONT, offered, &port), 0);
	assert_int_equal(port, 5);
	for (n = 2; machine_handle_open(m, OTHER) >= 0; n++)
		continue;
	assert_int_equal(n, MACHINE_HANDLES);
}

static void test_domain_clear(void **state)
{
	struct machine_lab *lab = *state;
	struct machine *m = lab->machine;
	uint32_t generation = m->domains[FRONT].generation, front, back;
	uint32_t ref = (uint32_t)machine_grant(m, FRONT, BACK, 1, true);

	machine_lab_channel(lab, &front, &back);
	assert_int_equal(machine_pin(m, BACK, FRONT, ref), 0);
	machine_domain_clear(&lab->env, FRONT);
	assert_int_not_equal(m->domains[FRONT].generation, generation);
	assert_int_equal(machine_pinned(m, FRONT), 0);
	assert_int_equal(machine_bound(m, BACK), 0);
	assert_int_equal(machine_pin(m, BACK, FRONT, ref), -ENOENT);
	assert_int_equal(machine_evt_notify(&lab->env, BACK, back), 0);
	assert_int_equal(machine_evt_notify(&lab->env, FRONT, front), -EINVAL);
	assert_int_equal(machine_evt_unbind(m, lab->back, back), 0);
	assert_int_equal(machine_grant(m, FRONT, BACK, 1, true), ref);
}

/* A process can be killed after any instruction: here between the bits and the waking. */
static void test_notifier_killed(void **state)
{
	struct machine_lab *lab = *state;
	struct machine *m = lab->machine;
	uint32_t front, back;
	eventfd_t count;

	machine_lab_channel(lab, &front, &back);
	m->domains[FRONT].ports[front].bits |= MACHINE_EVT_PENDING;
	machine_handle_close(&lab->env, lab->back);
	lab->back = machine_lab_open_handle(lab, BACK);
	assert_int_equal(machine_evt_bind(&lab->env, lab->back, FRONT, front, &back), 0);
	machine_lab_expect_fired(lab, lab->back, back);
	machine_evt_notify(&lab->env, BACK, back);
	machine_lab_expect_fired(lab, lab->front, front);

	/* The same with the bit that says which port, then with the word that somebody wakes. */
	m->domains[FRONT].ports[front].bits |= MACHINE_EVT_PENDING;
	m->handles[lab->front].fired[front / 64] |= 1ull << (front % 64);
	machine_evt_unbind(m, lab->back, back);
	assert_int_equal(machine_evt_bind(&lab->env, lab->back, FRONT, front, &back), 0);
	machine_lab_expect_fired(lab, lab->front, front);
	m->domains[FRONT].ports[front].bits |= MACHINE_EVT_PENDING;
	m->handles[lab->front].fired[front / 64] |= 1ull << (front % 64);
	m->handles[lab->front].signalled = 1;
	while (machine_lab_readable(lab, lab->front, 0))
		assert_int_equal(eventfd_read(lab->fds[lab->front], &count), 0);
	machine_evt_rouse(&lab->env, lab->front);
	machine_lab_expect_fired(lab, lab->front, front);
	machine_evt_notify(&lab->env, BACK, back);
	machine_lab_expect_fired(lab, lab->front, front);
}

/* A descriptor that is readable for no reason is read empty before long. */
static void test_readable_in_vain(void **state)
{
	struct machine_lab *lab = *state;
	uint32_t front, back, fired;
	int looks = 0;

	machine_lab_channel(lab, &front, &back);
	for (int i = 0; i < 20; i++)
		assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 0);
	machine_lab_wake(lab, lab->back);
	for (; machine_lab_readable(lab, lab->back, 0) && looks < 100; looks++)
		assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 0);
	assert_in_range(looks, 1, 20);
	machine_evt_notify(&lab->env, FRONT, front);
	machine_lab_expect_fired(lab, lab->back, back);
}

/* One that says it will wake and does not yet: its write wakes later. */
static void test_late_signal(void **state)
{
	struct machine_lab *lab = *state;
	struct machine_handle *h = &lab->machine->handles[lab->back];
	uint32_t front, back, fired;

	machine_lab_channel(lab, &front, &back);
	while (machine_lab_readable(lab, lab->back, 0))
		machine_lab_take(lab, lab->back, &fired, 1);
	h->signalled = 1;
	assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 0);
	machine_evt_notify(&lab->env, FRONT, front); /* leaves the waking to the first */
	assert_false(machine_lab_readable(lab, lab->back, 0));
	machine_lab_wake(lab, lab->back);
	machine_lab_expect_fired(lab, lab->back, back);
	assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 0);
	assert_false(machine_lab_readable(lab, lab->back, 0));
	machine_evt_notify(&lab->env, FRONT, front);
	machine_lab_expect_fired(lab, lab->back, back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MACHINE_TEST(test_grant_numbers),    MACHINE_TEST(test_ungrant_refused),
		MACHINE_TEST(test_pin_refused),	     MACHINE_TEST(test_abandoned_while_mapped),
		MACHINE_TEST(test_revoked),	     MACHINE_TEST(test_copy_within_a_page),
		MACHINE_TEST(test_copy_refused),     MACHINE_TEST(test_port_reuse),
		MACHINE_TEST(test_masked),	     MACHINE_TEST(test_more_than_asked),
		MACHINE_TEST(test_late_notify),	     MACHINE_TEST(test_foreign_port),
		MACHINE_TEST(test_handle_reuse),     MACHINE_TEST(test_no_more_ports),
		MACHINE_TEST(test_domain_clear),     MACHINE_TEST(test_notifier_killed),
		MACHINE_TEST(test_readable_in_vain), MACHINE_TEST(test_late_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
