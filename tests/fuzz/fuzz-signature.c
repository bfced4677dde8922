/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-signature.c - text of rules, and packets for what was read: errors say where, matches are
 * rules that want the packet, in order, and found again by a buffer of any size. */
#include <stdlib.h>
#include <string.h>

#include "netback-team/signature.h"

/* payload: in memory of exactly its size, so that sanitizers see each byte too far. */
static void match(const struct signature_set *set, const uint8_t *data, size_t size)
{
	struct signature_packet packet = {
		.to_guest = data[0] & 1,
		.proto = data[1],
		.sport = (uint16_t)(data[2] << 8 | data[3]),
		.dport = (uint16_t)(data[4] << 8 | data[5]),
		.payload_len = size - 6,
	};
	uint16_t rules[SIGNATURE_RULES_MAX], few[2];
	uint8_t *payload = malloc(size - 6 + 1);
	unsigned int n;

	memcpy(payload + 1, data + 6, size - 6);
	packet.payload = payload + 1;
	n = signature_match(set, &packet, rules, SIGNATURE_RULES_MAX);
	if (n > signature_count(set) || (n && !signature_wants(set, &packet)))
		abort();
	for (unsigned int i = 0; i < n; i++)
		if (rules[i] >= signature_count(set) || (i && rules[i] <= rules[i - 1]))
			abort();
	if (signature_match(set, &packet, few, 2) != (n < 2 ? n : 2) || (n && few[0] != rules[0]))
		abort();
	free(payload);
}

/* Up to the first NUL the rules, behind it a packet: direction, protocol, ports, payload. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
	const size_t text_size = nul ? (size_t)(nul - data) : size;
	char *text = malloc(text_size + 1), error[SIGNATURE_ERROR_MAX];
	struct signature_set *set = NULL;

	memcpy(text, size ? data : (const uint8_t *)"", text_size);
	if (signature_parse(text, text_size, &set, error)) {
		if (set || strncmp(error, "line ", 5) != 0)
			abort();
	} else {
		if (error[0])
			abort();
		if (nul && size - text_size - 1 >= 6)
			match(set, nul + 1, size - text_size - 1);
		signature_destroy(set);
	}
	free(text);
	return 0;
}
