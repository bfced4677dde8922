/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-cost.c - what frames cost on the wire, and GSO frames as the sum of their segments. */
#include "netback-team/cost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

static uint32_t wire(uint32_t bytes, uint32_t gso, uint32_t header)
{
	return cost_of(COST_UNIT_WIRE, bytes, gso, header).bytes;
}

static void test_plain(void **state)
{
	assert_int_equal(wire(1514, 0, 54), 1538);
	assert_int_equal(wire(60, 0, 54), 84);
	assert_int_equal(wire(14, 0, 54), 84); /* padded by the NIC */
	assert_int_equal(cost_of(COST_UNIT_BYTE, 14, 0, 54).bytes, 14);
	assert_int_equal(cost_of(COST_UNIT_BYTE, 1514, 0, 54).share, 1514);
	assert_int_equal(cost_of(COST_UNIT_FRAME, 60, 0, 54).bytes, 84);
	assert_int_equal(cost_of(COST_UNIT_FRAME, 60, 0, 54).share, COST_FRAME_SHARE);
	assert_int_equal(cost_of(COST_UNIT_FRAME, 9014, 0, 54).share, COST_FRAME_SHARE);
}

/* A GSO frame costs what its segments cost one by one. */
static void test_gso(void **state)
{
	static const uint32_t sizes[] = {1448, 536, 88, 8960, 6, 1};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (uint32_t payload = 1; payload < 65482; payload += 1 + payload / 7) {
			uint64_t bytes = 0, on_wire = 0, frames = 0;

			for (uint32_t left = payload; left;) {
				const uint32_t n = MIN(left, sizes[i]);

				bytes += 54 + n;
				on_wire += wire(54 + n, 0, 54);
				frames++;
				left -= n;
			}
			assert_int_equal(cost_segments(54 + payload, sizes[i], 54), frames);
			assert_int_equal(wire(54 + payload, sizes[i], 54), on_wire);
			assert_int_equal(cost_of(COST_UNIT_BYTE, 54 + payload, sizes[i], 54).bytes,
					 bytes);
			assert_int_equal(cost_of(COST_UNIT_FRAME, 54 + payload, sizes[i], 54).share,
					 MIN(frames * COST_FRAME_SHARE, COST_MAX));
		}
	}
	/* The figure of cost.h. */
	assert_int_equal(wire(54 + 45 * 1448, 1448, 54) - wire(54 + 45 * 1448, 0, 54), 44 * 78);
}

/* Nonsense of a guest has a price, too, but a bounded one. */
static void test_nonsense(void **state)
{
	assert_int_equal(wire(40, 1448, 54), 84); /* headers longer than the frame */
	assert_int_equal(wire(54, 1448, 54), 84);
	assert_int_equal(wire(65535, 1, 54), 84 * (65535 - 54));
	assert_int_equal(wire(65535, 1, 65534), 65559);
	assert_int_equal(wire(UINT32_MAX, 1, 54), COST_MAX);
	assert_int_equal(wire(UINT32_MAX, UINT32_MAX, 54), COST_MAX);
	assert_int_equal(cost_of(COST_UNIT_FRAME, UINT32_MAX, 1, 54).share, COST_MAX);
}

static void test_names(void **state)
{
	assert_string_equal(cost_unit_names[COST_UNIT_WIRE], "wire");
	assert_string_equal(cost_unit_names[COST_UNIT_BYTE], "byte");
	assert_string_equal(cost_unit_names[COST_UNIT_FRAME], "frame");
	assert_null(cost_unit_names[COST_UNITS]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_gso),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("cost", tests, NULL, NULL);
}
