/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-keys.c - a configuration file, whose values go through a key of each type; what is taken
 * must survive a round trip. */
#include <stdint.h>
#include <stdlib.h>

#include "fuzz-keys-table.h"

static void one_item(const struct keys_file_item *item)
{
	struct fuzz_object object = {0};
	char error[KEY_ERROR_MAX];

	if (!key_set(&fuzz_table, &object, item->key, item->value, error)) {
		const struct key *key = key_find(&fuzz_table, item->key);
		char *text = key_format(key, &object);

		if (key_set(&fuzz_table, &object, item->key, text, error))
			abort();
		free(text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keys_file file;
	char error[KEY_ERROR_MAX];

	if (keys_file_parse(&file, "fuzz.conf", (const char *)data, size, error))
		return 0;
	for (size_t i = 0; i < file.n_items; i++)
		one_item(&file.items[i]);
	keys_file_fini(&file);
	return 0;
}
