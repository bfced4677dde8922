/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sticky.c - see sticky.h. */
#include "sticky.h"

#include <string.h>

#include "flow.h"

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1;
}

static struct sticky_entry *set_of(struct sticky *sticky, uint64_t hash)
{
	return sticky->sets[hash % STICKY_SETS];
}

void sticky_init(struct sticky *sticky)
{
	memset(sticky, 0, sizeof(*sticky));
}

struct sticky_entry *sticky_find(struct sticky *sticky, uint64_t hash)
{
	struct sticky_entry *set = set_of(sticky, hash);

	for (unsigned int i = 0; i < STICKY_WAYS; i++)
		if (set[i].tag == tag_of(hash))
			return &set[i];
	return NULL;
}

struct sticky_entry *sticky_enter(struct sticky *sticky, uint64_t hash, uint64_t age_ns,
				  uint64_t now_ns)
{
	struct sticky_entry *set = set_of(sticky, hash);

	for (unsigned int i = 0; i < STICKY_WAYS; i++) {
		if (!sticky_is_over(&set[i], age_ns, now_ns))
			continue;
		set[i] = (struct sticky_entry){
			.tag = tag_of(hash), .last_ns = now_ns, .seat = {.member = -1, .want = -1}};
		return &set[i];
	}
	return NULL;
}

void sticky_seen(struct sticky_entry *entry, uint8_t tcp_flags, uint64_t now_ns)
{
	entry->last_ns = now_ns;
	if (tcp_flags & FLOW_TCP_SYN)
		entry->closing = false;
	else if (tcp_flags & (FLOW_TCP_FIN | FLOW_TCP_RST))
		entry->closing = true;
}

bool sticky_is_over(const struct sticky_entry *entry, uint64_t age_ns, uint64_t now_ns)
{
	const uint64_t silent_ns = now_ns - entry->last_ns;

	return !entry->tag || silent_ns >= age_ns ||
	       (entry->closing && silent_ns >= STICKY_CLOSE_NS);
}

unsigned int sticky_count(const struct sticky *sticky, uint64_t age_ns, uint64_t now_ns)
{
	unsigned int n = 0;

	for (unsigned int set = 0; set < STICKY_SETS; set++)
		for (unsigned int i = 0; i < STICKY_WAYS; i++)
			n += !sticky_is_over(&sticky->sets[set][i], age_ns, now_ns);
	return n;
}
