/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-member-word.c - the key `members` with patterns: a line of interface name, then the key. A
 * word is taken whole, and a name that is no pattern matches itself alone. */
#include <stdlib.h>
#include <string.h>

#include "netback-team/member_word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1), *key;
	struct member_id id = {.bus = "0000:3b:00.1"};
	struct member_word word;
	const char *rest;
	bool bad = false;

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	key = strchr(text, '\n');
	if (key) {
		*key++ = '\0';
		strncpy(id.name, text, sizeof(id.name) - 1);
		for (rest = key; member_word_next(&rest, &word, &bad);) {
			const bool hit = member_word_matches(&word, &id);

			if (word.kind == MEMBER_WORD_NAME && hit != !strcmp(word.text, id.name))
				abort();
			if (*rest && !strchr(" \t\n\v\f\r", *rest))
				abort();
		}
		if (bad ? !*rest : rest[strspn(rest, " \t\n\v\f\r")] != '\0')
			abort();
	}
	free(text);
	return 0;
}
