/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-switch.c - frames from guests and NICs, ports that come and go: whoever gets a frame is
 * there, addresses are bounded. */
#include <stdlib.h>
#include <string.h>

#include "netback-team/switch.h"

#define PORTS 4

static bool used[PORTS];

static void toggle(struct sw *sw, const uint8_t *frame, uint8_t op)
{
	struct sw_port_options options = {.learning = op & 8, .antispoof = op & 16};
	int port;

	if (used[op % PORTS]) {
		sw_port_remove(sw, op % PORTS);
		used[op % PORTS] = false;
		return;
	}
	memcpy(options.mac, frame, 6);
	port = sw_port_add(sw, &options);
	if (port >= PORTS) /* the lowest free number is given; others are taken back */
		sw_port_remove(sw, port);
	else if (port >= 0)
		used[port] = true;
}

static void check(struct sw *sw, struct sw_decision decision)
{
	static uint8_t macs[PORTS * (SWITCH_LEARN_MAX + 1) + 1][6];

	if (decision.verdict == SW_VERDICT_LOCAL ? decision.port < 0 || !used[decision.port]
						 : decision.port != -1)
		abort();
	if (sw_macs(sw, macs, sizeof(macs) / 6) >= sizeof(macs) / 6)
		abort();
}

/* Each step: what to do, how long the frame is, its bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sw *sw = sw_create();
	uint64_t now_ns = 1;
	uint8_t frame[96];

	memset(used, 0, sizeof(used));
	for (size_t len; size >= 2; data += 2 + len, size -= 2 + len) {
		const uint8_t op = data[0];

		len = data[1] % sizeof(frame) < size - 2 ? data[1] % sizeof(frame) : size - 2;
		memset(frame, 0, sizeof(frame));
		memcpy(frame, data + 2, len);
		now_ns += (uint64_t)op << 32;
		if (op % 3 == 0)
			toggle(sw, frame, op / 3);
		else if (op % 3 == 1 && op & 32)
			check(sw,
			      sw_from_reserve(sw, op >> 6, op & 8, op & 16, frame, len, now_ns));
		else if (op % 3 == 1)
			check(sw, sw_from_nic(sw, op & 8, op & 16, frame, len, now_ns));
		else if (used[op / 3 % PORTS]) {
			sw_port_home(sw, op / 3 % PORTS, (op >> 6) - 1, now_ns);
			check(sw, sw_from_guest(sw, op / 3 % PORTS, frame, len, now_ns));
		}
	}
	sw_destroy(sw);
	return 0;
}
