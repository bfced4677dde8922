/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-probe.c - frames that come in on a member that is probed: first byte mode and member, then
 * the frame. Whatever they are, verdicts stay within the members that have a link. */
#include <stdlib.h>
#include <string.h>

#include "netback-team/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t id[8] = {'f', 'u', 'z', 'z'}, mac[2][6] = {{2, 1}, {2, 2}};
	struct probe_options options;
	uint8_t frame[PROBE_FRAME_MAX], *copy;
	struct probe probe;
	size_t len;
	bool alive;
	int member;

	if (size < 1)
		return 0;
	memset(&options, 0, sizeof(options));
	options.mode = (enum probe_mode)(data[0] & 3);
	options.n_targets = 1 + (data[0] >> 2) % PROBE_TARGETS_MAX;
	options.interval_ns = options.missed = 1;
	options.targets[0][0] = 0xfe;
	probe_init(&probe, id);
	probe_set(&probe, &options, 0);
	for (int i = 0; i < 2; i++)
		probe_member(&probe, i, mac[i], 0);
	copy = malloc(size); /* its end is the end of the memory */
	if (!copy)
		abort();
	memcpy(copy, data + 1, size - 1);
	for (uint64_t now = 1; now < 6; now++) {
		while ((member = probe_next(&probe, now, frame, &len)) >= 0)
			if (len > sizeof(frame) || member > 1)
				abort();
		probe_receive(&probe, data[0] >> 7, copy, size - 1, now);
		while ((member = probe_verdict(&probe, &alive)) >= 0)
			if (member > 1)
				abort();
	}
	free(copy);
	return 0;
}
