/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-fake.c - what the fake adds to the machine: domains that die and come back, faults on
 * demand. The rest is tests/conformance. */
#include "xen/fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

#define GUEST 7

struct lab {
	struct fake *fake;
	struct xen *back, *guest;
	const struct xen_ops *ops;
	struct xen_gnt *gnt;
	struct xen_evt *back_evt, *guest_evt;
	struct xen_shr *shr;
};

static int setup(void **state)
{
	struct lab *lab = xb_calloc(1, sizeof(*lab));

	assert_int_equal(fake_create(&lab->fake), 0);
	lab->back = fake_domain(lab->fake, 0);
	lab->guest = fake_domain(lab->fake, GUEST);
	lab->ops = lab->back->ops;
	assert_int_equal(lab->ops->gnt_open(lab->back, &lab->gnt), 0);
	assert_int_equal(lab->ops->evt_open(lab->back, &lab->back_evt), 0);
	assert_int_equal(lab->ops->evt_open(lab->guest, &lab->guest_evt), 0);
	assert_int_equal(lab->ops->shr_open(lab->guest, &lab->shr), 0);
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;

	lab->ops->shr_close(lab->shr);
	lab->ops->evt_close(lab->guest_evt);
	lab->ops->evt_close(lab->back_evt);
	lab->ops->gnt_close(lab->gnt);
	assert_int_equal(fake_mapped(lab->fake, GUEST), 0);
	assert_int_equal(fake_ports(lab->fake, 0), 0);
	fake_destroy(lab->fake);
	free(lab);
	return 0;
}

static int share(struct lab *lab, uint32_t *ref, uint8_t **page)
{
	void *addr = NULL;
	int rc = lab->ops->shr_alloc(lab->shr, 0, 1, true, ref, &addr);

	*page = addr;
	return rc;
}

/* The status of copying one byte from the guest; 1: the call was refused. */
static int copy(struct lab *lab, uint32_t ref, uint8_t *byte)
{
	struct xen_copy seg = {.len = 1, .flags = XEN_COPY_SRC_GREF, .dst.virt = byte};

	seg.src.foreign.ref = ref;
	seg.src.foreign.domid = GUEST;
	return lab->ops->gnt_copy(lab->gnt, &seg, 1) < 0 ? 1 : seg.status;
}

static bool domid_node(struct lab *lab)
{
	struct xen_store *store;
	char *value = NULL;
	int rc;

	assert_int_equal(lab->ops->store_open(lab->back, &store), 0);
	rc = lab->ops->store_read(store, XEN_TXN_NONE, "/local/domain/7/domid", &value, NULL);
	lab->ops->store_close(store);
	free(value);
	return rc == 0;
}

/* Domain 0's port has the number that the guest's free port has: it must not go with the guest. */
static void test_kill_spares_others(void **state)
{
	struct lab *lab = *state;
	uint32_t offered[3], bound, ours;

	for (unsigned int i = 0; i < ARRAY_SIZE(offered); i++)
		assert_int_equal(lab->ops->evt_alloc(lab->back_evt, 9, &offered[i]), 0);
	assert_int_equal(lab->ops->evt_alloc(lab->guest_evt, 0, &bound), 0);
	assert_int_equal(lab->ops->evt_bind(lab->back_evt, GUEST, bound, &ours), 0);
	assert_int_equal(fake_ports(lab->fake, 0), 1);
	fake_domain_kill(lab->fake, GUEST);
	assert_int_equal(fake_ports(lab->fake, 0), 0);
	assert_int_equal(lab->ops->evt_notify(lab->back_evt, ours), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(offered); i++)
		assert_int_equal(lab->ops->evt_unbind(lab->back_evt, offered[i]), 0);
	assert_int_equal(lab->ops->evt_unbind(lab->back_evt, ours), 0);
}

static void test_kill_and_return(void **state)
{
	struct lab *lab = *state;
	uint32_t ref, again;
	uint8_t *page, byte = 0;
	void *map;

	assert_int_equal(share(lab, &ref, &page), 0);
	*page = 5;
	assert_int_equal(copy(lab, ref, &byte), XEN_GNTST_OKAY);
	assert_int_equal(byte, 5);
	assert_int_equal(lab->ops->gnt_map(lab->gnt, GUEST, &ref, 1, &map), 0);
	assert_true(domid_node(lab));
	fake_domain_kill(lab->fake, GUEST);
	assert_false(domid_node(lab));
	assert_int_equal(copy(lab, ref, &byte), XEN_GNTST_BAD_DOMAIN);
	assert_int_equal(*(uint8_t *)map, 5);

	assert_ptr_equal(fake_domain(lab->fake, GUEST), lab->guest);
	assert_true(domid_node(lab));
	/* The page is still mapped: the next life gets another. */
	assert_int_equal(copy(lab, ref, &byte), XEN_GNTST_GENERAL_ERROR);
	assert_int_equal(share(lab, &again, &page), 0);
	assert_int_not_equal(again, ref);
	assert_int_equal(lab->ops->shr_free(lab->shr, page, 1), 0);
	assert_int_equal(lab->ops->gnt_unmap(lab->gnt, map, 1), 0);
	assert_int_equal(share(lab, &again, &page), 0);
	assert_int_equal(again, ref);
	assert_int_equal(*page, 0);
	assert_int_equal(lab->ops->shr_free(lab->shr, page, 1), 0);
	assert_int_equal(lab->ops->shr_free(lab->shr, page, 1), -EINVAL);
	/* Domain 0 and what never was cannot be killed. */
	fake_domain_kill(lab->fake, 0);
	fake_domain_kill(lab->fake, 12);
	fake_domain_kill(lab->fake, UINT16_MAX);
	assert_null(fake_domain(lab->fake, UINT16_MAX));
	assert_int_equal(share(lab, &ref, &page), 0);
	assert_int_equal(copy(lab, ref, &byte), XEN_GNTST_OKAY);
	assert_int_equal(lab->ops->shr_free(lab->shr, page, 1), 0);
}

/* Who owns a revoked page still does: nobody else may get it. */
static void test_revoke(void **state)
{
	struct lab *lab = *state;
	uint32_t ref, other;
	uint8_t *page, *other_page, byte = 0;

	assert_int_equal(share(lab, &ref, &page), 0);
	fake_revoke(lab->fake, GUEST, ref);
	fake_revoke(lab->fake, UINT16_MAX, ref);
	fake_revoke(lab->fake, GUEST, UINT32_MAX);
	assert_int_equal(copy(lab, ref, &byte), XEN_GNTST_GENERAL_ERROR);
	assert_int_equal(share(lab, &other, &other_page), 0);
	assert_int_not_equal(other, ref);
	assert_int_equal(lab->ops->shr_free(lab->shr, page, 1), 0);
	assert_int_equal(lab->ops->shr_free(lab->shr, other_page, 1), 0);
}

static void test_faults(void **state)
{
	struct lab *lab = *state;
	uint32_t ref, port, ours, fired;
	uint8_t *page, byte = 0;
	void *map;

	assert_int_equal(share(lab, &ref, &page), 0);
	fake_fault(lab->fake, FAKE_FAULT_COPY_CALL, 1);
	assert_int_equal(copy(lab, ref, &byte), 1);
	fake_fault(lab->fake, FAKE_FAULT_COPY_STATUS, 2);
	assert_int_equal(copy(lab, ref, &byte), XEN_GNTST_GENERAL_ERROR);
	assert_int_equal(copy(lab, ref, &byte), XEN_GNTST_GENERAL_ERROR);
	assert_int_equal(copy(lab, ref, &byte), XEN_GNTST_OKAY);
	fake_fault(lab->fake, FAKE_FAULT_MAP, 1);
	assert_int_equal(lab->ops->gnt_map(lab->gnt, GUEST, &ref, 1, &map), -ENOMEM);
	assert_int_equal(lab->ops->gnt_map(lab->gnt, GUEST, &ref, 1, &map), 0);
	assert_int_equal(fake_mapped(lab->fake, GUEST), 1);
	assert_int_equal(lab->ops->gnt_unmap(lab->gnt, map, 1), 0);
	assert_int_equal(lab->ops->shr_free(lab->shr, page, 1), 0);

	assert_int_equal(lab->ops->evt_alloc(lab->guest_evt, 0, &port), 0);
	fake_fault(lab->fake, FAKE_FAULT_EVT_BIND, 1);
	assert_int_equal(lab->ops->evt_bind(lab->back_evt, GUEST, port, &ours), -EINVAL);
	assert_int_equal(lab->ops->evt_bind(lab->back_evt, GUEST, port, &ours), 0);
	assert_int_equal(lab->ops->evt_pending(lab->back_evt, &fired, 1), 1);
	lab->ops->evt_unmask(lab->back_evt, &fired, 1);
	fake_fault(lab->fake, FAKE_FAULT_EVT_LOST, 1);
	lab->ops->evt_notify(lab->guest_evt, port);
	assert_int_equal(lab->ops->evt_pending(lab->back_evt, &fired, 1), 0);
	lab->ops->evt_notify(lab->guest_evt, port);
	assert_int_equal(lab->ops->evt_pending(lab->back_evt, &fired, 1), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kill_spares_others),
		TEST(test_kill_and_return),
		TEST(test_revoke),
		TEST(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
