/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-usb-pool.c - memory of a device's transfers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "usb-fake-host.h"
#include "usbback/pool.h"
#include "util.h"

static struct fake_host fake;
static struct pool pool;
static struct clock clock_unused;

static int setup(void **state)
{
	struct usb_host *host;
	char error[64];

	fake_host_init(&fake, USB_SPEED_HIGH);
	assert_int_equal(fake_host_open(&host, &fake, (sd_event *)&fake, &clock_unused, error,
					sizeof(error)),
			 0);
	assert_int_equal(pool_init(&pool, host), 0);
	return 0;
}

static int teardown(void **state)
{
	if (fake.is_open)
		fake.host.ops->close(&fake.host);
	pool_fini(&pool);
	return 0;
}

static void test_slots(void **state)
{
	uint8_t *p[POOL_SLOTS];

	for (unsigned int i = 0; i < POOL_SLOTS; i++) {
		assert_int_equal(pool_room(&pool), (POOL_SLOTS - i) * POOL_SLOT_BYTES);
		p[i] = pool_get(&pool, i % 2 ? 1 : POOL_SLOT_BYTES);
		assert_non_null(p[i]);
		memset(p[i], (int)i, POOL_SLOT_BYTES);
		for (unsigned int k = 0; k < i; k++)
			assert_int_equal(p[k][POOL_SLOT_BYTES - 1], k); /* apart */
	}
	assert_null(pool_get(&pool, 1));
	assert_int_equal(pool_room(&pool), 0);
	for (unsigned int i = 0; i < POOL_SLOTS; i++)
		pool_put(&pool, p[i], i % 2 ? 1 : POOL_SLOT_BYTES);
	assert_int_equal(pool.used, 0);
	pool_put(&pool, NULL, 5);
	assert_int_equal(pool.used, 0);
}

/* Runs: as long as asked for, wherever there is room for them. */
static void test_runs(void **state)
{
	uint8_t *a = pool_get(&pool, 4 * POOL_SLOT_BYTES), *b = pool_get(&pool, 1),
		*c = pool_get(&pool, 3 * POOL_SLOT_BYTES + 1);

	assert_true(a && b && c);
	assert_int_equal(pool.used, 0x1ff);
	assert_int_equal(pool_room(&pool), 7 * POOL_SLOT_BYTES);
	assert_null(pool_get(&pool, 7 * POOL_SLOT_BYTES + 1));
	pool_put(&pool, a, 4 * POOL_SLOT_BYTES);
	assert_int_equal(pool_room(&pool), 7 * POOL_SLOT_BYTES); /* the longest, not the sum */
	assert_ptr_equal(pool_get(&pool, 3 * POOL_SLOT_BYTES), pool.base);
	assert_ptr_equal(pool_get(&pool, 2 * POOL_SLOT_BYTES), pool.base + 9 * POOL_SLOT_BYTES);
	assert_ptr_equal(pool_get(&pool, 1), pool.base + 3 * POOL_SLOT_BYTES);
	pool_put(&pool, b, 1);
	pool_put(&pool, c, 3 * POOL_SLOT_BYTES + 1);
	assert_int_equal(pool_room(&pool), 5 * POOL_SLOT_BYTES);
	assert_non_null(pool_get(&pool, 5 * POOL_SLOT_BYTES));
}

static void test_whole(void **state)
{
	uint8_t *p = pool_get(&pool, POOL_SLOTS * POOL_SLOT_BYTES);

	assert_ptr_equal(p, pool.base);
	assert_int_equal(pool_room(&pool), 0);
	pool_put(&pool, p, POOL_SLOTS * POOL_SLOT_BYTES);
	assert_int_equal(pool_room(&pool), POOL_SLOTS * POOL_SLOT_BYTES);
	assert_null(pool_get(&pool, POOL_SLOTS * POOL_SLOT_BYTES + 1));
}

/* Memory of the host ends with the host. */
static void test_mapped(void **state)
{
	uint8_t *p;

	teardown(NULL);
	fake.mapped = true;
	fake.is_open = true;
	assert_int_equal(pool_init(&pool, &fake.host), 0);
	assert_ptr_equal(pool.base, fake.buffer);
	p = pool_get(&pool, 2 * POOL_SLOT_BYTES);
	memset(p, 1, 2 * POOL_SLOT_BYTES);
	fake.host.ops->close(&fake.host);
	pool_put(&pool, p, 2 * POOL_SLOT_BYTES);
	assert_int_equal(pool.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_slots, setup, teardown),
		cmocka_unit_test_setup_teardown(test_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mapped, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
