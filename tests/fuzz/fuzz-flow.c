/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-flow.c - the length of the head, bytes by which the frame is longer than that, then the
 * head: its key says nothing that is not there, and hashes the same way in both directions.
 */
#include <stdlib.h>
#include <string.h>

#include "netback-team/flow.h"

static void check(const struct flow_key *key, const struct frame_info *info)
{
	if (key->src_mac >> 48 || key->dst_mac >> 48 || key->vlan > 0xfff)
		abort();
	if (key->ip_version && (key->malformed || key->ip_version != info->ip_version))
		abort();
	if (!key->ip_version && (key->src[0] | key->src[1] | key->dst[0] | key->dst[1]))
		abort();
	if (key->has_ports ? !key->ip_version || info->fragment : key->ports || key->tcp_flags)
		abort();
	if (key->ip_version == 4 && (key->src[1] || key->dst[1] || key->src[0] >> 32))
		abort();
}

static void check_both_ways(const struct flow_key *key, uint32_t seed)
{
	struct flow_key back = *key;

	memcpy(back.src, key->dst, sizeof(back.src));
	memcpy(back.dst, key->src, sizeof(back.dst));
	back.src_mac = key->dst_mac;
	back.dst_mac = key->src_mac;
	if (flow_hash(key, FLOW_SRCDST, seed) != flow_hash(&back, FLOW_SRCDST, seed) ||
	    flow_hash(key, FLOW_SRC, seed) != flow_hash(&back, FLOW_DST, seed))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow_key key;
	struct frame_info info;
	uint8_t *head;
	size_t len;

	if (size < 2)
		return 0;
	len = size - 2 < data[0] ? size - 2 : data[0];
	head = malloc(len ? len : 1); /* its last byte is the head's last */
	memcpy(head, data + 2, len);
	if (frame_parse(head, len, len + data[1] * 16u, &info)) {
		flow_key_init(&key, head, len, len + data[1] * 16u, &info);
		check(&key, &info);
		for (int fields = 0; fields < FLOW_FIELDS_COUNT; fields++)
			flow_hash(&key, (enum flow_fields)fields, data[0]);
		check_both_ways(&key, data[1]);
	}
	free(head);
	return 0;
}
