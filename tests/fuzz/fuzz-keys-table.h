/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-keys-table.h - the table of fuzz-keys.c: one key of each type. */
#ifndef XB_FUZZ_KEYS_TABLE_H
#define XB_FUZZ_KEYS_TABLE_H

#include "common/keys.h"
#include "common/util.h"

struct fuzz_object {
	bool flag;
	uint64_t number, rate, bytes, time;
	int choice;
	char string[9];
	uint8_t mac[6];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AT(member) offsetof(struct fuzz_object, member)
static const char *const fuzz_choices[] = {"active-backup", "rr", NULL};
static const struct key fuzz_keys[] = {
	{"flag", KEY_TYPE_BOOL, AT(flag), 0, 0, NULL, NULL, true, ""},
	{"number", KEY_TYPE_U64, AT(number), 1, 0, NULL, NULL, true, ""},
	{"rate", KEY_TYPE_RATE, AT(rate), 0, 0, NULL, NULL, true, ""},
	{"bytes", KEY_TYPE_BYTES, AT(bytes), 0, 0, NULL, NULL, true, ""},
	{"time", KEY_TYPE_DURATION, AT(time), 0, 0, NULL, NULL, true, ""},
	{"choice", KEY_TYPE_ENUM, AT(choice), 0, 0, fuzz_choices, NULL, true, ""},
	{"string", KEY_TYPE_STRING, AT(string), 1, 8, NULL, NULL, true, ""},
	{"mac", KEY_TYPE_MAC, AT(mac), 0, 0, NULL, NULL, true, ""},
};
#undef AT
static const struct key_table fuzz_table = {"fuzz", "/fuzz", fuzz_keys, ARRAY_SIZE(fuzz_keys),
					    sizeof(struct fuzz_object)};

#endif
