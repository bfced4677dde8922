/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine-lab.h - a machine (machine.h) with two domains, for its tests: machine-lab.c. */
#ifndef XB_MACHINE_LAB_H
#define XB_MACHINE_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xen/machine.h"

#define BACK  0
#define FRONT 7
#define OTHER 9

#define N_DOMAINS 16

struct machine_lab {
	struct machine *machine;
	struct machine_env env;
	uint8_t *frames[N_DOMAINS];
	int fds[MACHINE_HANDLES];
	uint16_t back, front; /* a handle of each */
};

/** cmocka's setup and teardown; *state is the lab. */
int machine_lab_setup(void **state);
int machine_lab_teardown(void **state);

/** A handle of domid, with a descriptor. */
uint16_t machine_lab_open_handle(struct machine_lab *lab, uint16_t domid);
/** env.wake. */
void machine_lab_wake(void *ctx, uint16_t handle);
/** A look for events. */
int machine_lab_take(struct machine_lab *lab, uint16_t handle, uint32_t *ports, unsigned int max);
bool machine_lab_readable(struct machine_lab *lab, uint16_t handle, int timeout_ms);
/** A channel offered by the front, bound by the back, which has nothing pending. */
void machine_lab_channel(struct machine_lab *lab, uint32_t *front, uint32_t *back);
/** The port has fired and no other; it is unmasked again. */
void machine_lab_expect_fired(struct machine_lab *lab, uint16_t handle, uint32_t port);

#define MACHINE_TEST(name)                                                                         \
	cmocka_unit_test_setup_teardown(name, machine_lab_setup, machine_lab_teardown)

#endif
