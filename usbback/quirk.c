/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quirk.c - defaults by device and the administrator's list, see quirk.h. */
#include "quirk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "keys.h"
#include "util.h"

/* Known cases; a row is a fact about a device, with its source. */
static const struct {
	uint16_t vid, pid;
	const char *list;
} defaults[] = {
	/* CH340: serial converter with a FIFO of 32 bytes; read by small transfers, it must never
	 * wait for a merged one (reference: data loss with one transfer at a time). */
	{0x1a86, 0x7523, "no-merge"},
	{0x1a86, 0x5523, "no-merge"},
};

struct read_ahead {
	uint64_t bytes;
};
static const struct key read_ahead_key = {
	.name = "read-ahead", .type = KEY_TYPE_BYTES, .max = QUIRK_READ_AHEAD_MAX};
static const struct key_table read_ahead_table = {"quirks", "", &read_ahead_key, 1,
						  sizeof(struct read_ahead)};

static int parse_read_ahead(struct quirks *quirks, const char *value, char *error, size_t size)
{
	struct read_ahead ahead = {0};
	char why[KEY_ERROR_MAX];

	if (key_set(&read_ahead_table, &ahead, "read-ahead", value, why) < 0) {
		snprintf(error, size, "%s", why);
		return -EINVAL;
	}
	if (ahead.bytes % 1024) {
		snprintf(error, size, "read-ahead=%s: not a multiple of 1024 bytes", value);
		return -EINVAL;
	}
	quirks->read_ahead = (uint32_t)ahead.bytes;
	return 0;
}

static int parse_word(struct quirks *quirks, const char *word, char *error, size_t size)
{
	if (strcmp(word, "no-merge") == 0)
		quirks->no_merge = true;
	else if (strcmp(word, "merge") == 0)
		quirks->no_merge = false;
	else if (strcmp(word, "zlp") == 0)
		quirks->zlp = true;
	else if (strcmp(word, "no-zlp") == 0)
		quirks->zlp = false;
	else if (strcmp(word, "clear-halt=host") == 0)
		quirks->clear_halt_host = true;
	else if (strcmp(word, "clear-halt=device") == 0)
		quirks->clear_halt_host = false;
	else if (strcmp(word, "reset=infer") == 0)
		quirks->reset = QUIRK_RESET_INFER;
	else if (strcmp(word, "reset=never") == 0)
		quirks->reset = QUIRK_RESET_NEVER;
	else if (strncmp(word, "read-ahead=", 11) == 0)
		return parse_read_ahead(quirks, word + 11, error, size);
	else {
		snprintf(error, size,
			 "quirk \"%s\": none of no-merge, merge, zlp, no-zlp, clear-halt=host, "
			 "clear-halt=device, reset=infer, reset=never, read-ahead=SIZE",
			 word);
		return -EINVAL;
	}
	return 0;
}

int quirks_parse(struct quirks *quirks, const char *list, char *error, size_t error_size)
{
	struct quirks next = *quirks;
	char word[64];

	while (*list) {
		size_t n = strcspn(list, ",");

		if (n >= sizeof(word)) {
			snprintf(error, error_size,
				 "quirk \"%.32s...\": %zu characters, at most %zu allowed", list, n,
				 sizeof(word) - 1);
			return -EINVAL;
		}
		memcpy(word, list, n);
		word[n] = '\0';
		if (n > 0 && parse_word(&next, word, error, error_size) < 0)
			return -EINVAL;
		list += n + (list[n] == ',');
	}
	*quirks = next;
	return 0;
}

void quirks_init(struct quirks *quirks, uint16_t vid, uint16_t pid)
{
	char error[KEY_ERROR_MAX];

	memset(quirks, 0, sizeof(*quirks));
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (defaults[i].vid == vid && defaults[i].pid == pid)
			quirks_parse(quirks, defaults[i].list, error, sizeof(error));
}
