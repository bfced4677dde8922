/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-xenstore.c - any values in the nodes of both ends, faults of the store, and time, driven
 * through the scanner. */
#include "cursor.h"
#include "tests/unit/backend-bench.h"

#define BACK  "/local/domain/0/backend/vif/5/0"
#define FRONT "/local/domain/5/device/vif/0"

/* Nodes that an operation writes or removes; the first two are directories. */
static const char *const nodes[16] = {
	BACK,
	FRONT,
	BACK "/state",
	BACK "/online",
	FRONT "/state",
	BACK "/hotplug-status",
	FRONT "/tx-ring-ref",
	BACK "/frontend",
	BACK "/rate",
	BACK "/frontend-id",
	"/libxl/5",
	"/local/domain/0/backend/vif/x/0",
	FRONT "/state",
	BACK "/state",
	FRONT "/state",
	"/local/domain/0/backend/vif/5/x",
};

/* Bits of an operation: 0-3 node, 4 remove, not write, 5 fault, 6-7 run, with time passing. */
static void operate(struct bench *bench, struct cursor *c)
{
	uint8_t op = cursor_u8(c), n = cursor_u8(c);
	const char *path = nodes[op & 15];
	size_t len = MIN(n & 31u, cursor_left(c));
	const uint8_t *value = cursor_skip(c, len);

	if ((op & 0x10) != 0)
		bench->real->store_rm(bench->tool, XEN_TXN_NONE, path);
	else
		bench->real->store_write(bench->tool, XEN_TXN_NONE, path, (const char *)value, len);
	if ((op & 0x20) != 0)
		fake_fault(bench->fake, n & 1 ? FAKE_FAULT_TXN_EAGAIN : FAKE_FAULT_STORE_WRITE,
			   n >> 1);
	if (op >= 0x40)
		bench_wait_ms(bench, (op >> 6) == 1 ? 0 : (unsigned int)(op >> 6) * 1500);
	/* What the toolstack removed stays removed. */
	if ((op & 0xdf) == 0x50)
		assert_false(bench_exists(bench, BACK));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c;
	void *state;

	bench_setup(&state);
	bench_start(state);
	bench_attach(state, 5, 0, 1, 1);
	cursor_init(&c, data, MIN(size, 2048));
	while (cursor_left(&c) > 1)
		operate(state, &c);
	return bench_teardown(&state);
}
