/* SPDX-License-Identifier: GPL-2.0-or-later */
/* moderation.c - see moderation.h. */
#include "moderation.h"

#include "util.h"

void moderation_pass(struct moderation *m, uint64_t took_ns, uint64_t bytes, uint64_t frames)
{
	if (bytes >= MODERATION_BULK_BYTES || frames >= MODERATION_BULK_FRAMES) {
		m->looks_left = MODERATION_LOOKS;
		m->pause_ns = (uint32_t)MIN(MAX(took_ns, MODERATION_MIN_NS), MODERATION_MAX_NS);
	} else if (m->looks_left > 0) {
		m->looks_left--;
		if (frames == 0)
			m->pause_ns = MIN(m->pause_ns * 2, MODERATION_MAX_NS);
	}
}
