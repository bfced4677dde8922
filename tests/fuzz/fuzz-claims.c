/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-claims.c - frames of guests and of the network, guests that go: what is claimed stays within
 * its bounds, and no address has two owners. */
#include <stdlib.h>
#include <string.h>

#include "netback-team/claims.h"
#include "netback-team/frame.h"

static void check(const struct claims *claims, const uint8_t mac[6], uint64_t now_ns)
{
	static const uint8_t nobody[6] = {2};
	uint32_t ipv4[CLAIMS_PER_MAC + 1];
	const unsigned int n = claims_of(claims, mac, ipv4, now_ns);

	if (n > CLAIMS_PER_MAC)
		abort();
	for (unsigned int i = 0; i < n; i++)
		if (ipv4[i] == 0 || !claims_has(claims, mac, ipv4[i], now_ns) ||
		    (memcmp(mac, nobody, 6) && claims_has(claims, nobody, ipv4[i], now_ns)))
			abort();
}

/* Each step: who, how long the frame is, its bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct claims *claims = claims_create();
	uint64_t now_ns = 1;

	for (size_t len; size >= 2; data += 2 + len, size -= 2 + len) {
		const uint8_t op = data[0];
		uint8_t *frame;

		len = data[1] < size - 2 ? data[1] : size - 2;
		now_ns += (uint64_t)(op >> 4) << 34;
		if (op % 8 == 7) {
			claims_forget(claims, op >> 4);
			continue;
		}
		frame = malloc(len); /* its last byte is the frame's last */
		if (!frame)
			abort();
		memcpy(frame, data + 2, len);
		/* Guests' frames have passed the switch: their source is whole and no group. */
		if (len < FRAME_ETH_LEN || frame_is_multicast(frame_src(frame)))
			claims_learn(claims, -1, frame, len, now_ns);
		else
			claims_learn(claims, op % 8 - 1, frame, len, now_ns);
		if (len >= 12)
			check(claims, frame_src(frame), now_ns);
		free(frame);
	}
	claims_destroy(claims);
	return 0;
}
