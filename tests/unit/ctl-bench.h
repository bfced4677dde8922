/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl-bench.h - a control socket in a directory of its own, with commands good and bad:
 * test-ctl.c, test-ctl-client.c. */
#ifndef XB_TESTS_CTL_BENCH_H
#define XB_TESTS_CTL_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ctl.h"

/** Bytes of the answer to "flood": far more than a socket takes at once. */
#define FLOOD_BYTES (1 << 20)

/** What the running test has; a test may destroy ctl, and sets it NULL then. */
struct ctl_bench {
	char dir[64], path[96];
	sd_event *event;
	struct ctl *ctl;
};
extern struct ctl_bench t;

int ctl_bench_setup(void **state);
/** Checks that no file was left behind. */
int ctl_bench_teardown(void **state);
/** Registers the commands "echo", "team show" (always refused), "busy" (refused without words),
 * "nothing" (no result) and "flood". */
void ctl_bench_register(struct ctl *ctl);
/** Lets the server do all that it can do now. */
void serve(void);

#define TEST(name) cmocka_unit_test_setup_teardown(name, ctl_bench_setup, ctl_bench_teardown)

#endif
