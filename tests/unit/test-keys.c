/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-keys.c - every type with good, bad and limit values; errors; defaults; POD; JSON there and
 * back; files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/keys.h"
#include "common/keys_json.h"
#include "common/util.h"

struct thing {
	bool flag;
	uint64_t count, rate, size, delay, free_count;
	int mode;
	char name[9];
	uint8_t mac[6];
	uint8_t guard; /* must stay as it is */
};

static const char *const modes[] = {"active-backup", "rr", "lacp", NULL};
#define AT(member) offsetof(struct thing, member)
static const struct key thing_keys[] = {
	{"flag", KEY_TYPE_BOOL, AT(flag), 0, 0, NULL, "yes", true, "A flag."},
	{"count", KEY_TYPE_U64, AT(count), 1, 10, NULL, "2", true, "A number."},
	{"rate", KEY_TYPE_RATE, AT(rate), 0, 400000000000, NULL, "none", true, "A <rate>."},
	{"size", KEY_TYPE_BYTES, AT(size), 64, 1 << 20, NULL, "64KB", true, "A size."},
	{"delay", KEY_TYPE_DURATION, AT(delay), 0, 3600 * NSEC_PER_SEC, NULL, "20ms", true,
	 "A time."},
	{"mode", KEY_TYPE_ENUM, AT(mode), 0, 0, modes, "rr", true, "A choice."},
	{"name", KEY_TYPE_STRING, AT(name), 1, 8, NULL, NULL, false, "A name."},
	{"mac", KEY_TYPE_MAC, AT(mac), 0, 0, NULL, NULL, false, "An address."},
	{"free-count", KEY_TYPE_U64, AT(free_count), 0, 0, NULL, "0", false, "No limit."},
};
static const struct key_table things = {"thing", "/local/domain/0/xenback/thing/NAME", thing_keys,
					ARRAY_SIZE(thing_keys), sizeof(struct thing)};

struct value_case {
	const char *key, *given;
	int err;
	const char *formatted; /* of the accepted value */
};

static const struct value_case cases[] = {
	{"flag", "1", 0, "yes"},
	{"flag", "on", 0, "yes"},
	{"flag", "true", 0, "yes"},
	{"flag", "yes", 0, "yes"},
	{"flag", "0", 0, "no"},
	{"flag", "off", 0, "no"},
	{"flag", "false", 0, "no"},
	{"flag", "no", 0, "no"},
	{"flag", "", -EINVAL, NULL},
	{"flag", "2", -EINVAL, NULL},
	{"flag", "Yes", -EINVAL, NULL},
	{"count", "1", 0, "1"},
	{"count", "10", 0, "10"},
	{"count", "007", 0, "7"},
	{"count", "0", -ERANGE, NULL},
	{"count", "11", -ERANGE, NULL},
	{"count", "18446744073709551615", -ERANGE, NULL},
	{"count", "99999999999999999999999", -ERANGE, NULL},
	{"count", "", -EINVAL, NULL},
	{"count", "-1", -EINVAL, NULL},
	{"count", "+1", -EINVAL, NULL},
	{"count", " 1", -EINVAL, NULL},
	{"count", "1 ", -EINVAL, NULL},
	{"count", "1.5", -EINVAL, NULL},
	{"count", "0x1", -EINVAL, NULL},
	{"free-count", "18446744073709551614", 0, "18446744073709551614"},
	{"free-count", "18446744073709551616", -ERANGE, NULL},
	{"rate", "100Mbit", 0, "100Mbit"},
	{"rate", "12.5MB", 0, "100Mbit"},
	{"rate", "1Gbit", 0, "1Gbit"},
	{"rate", "1gbit", 0, "1Gbit"},
	{"rate", "1GBIT/s", 0, "1Gbit"},
	{"rate", "64kB", 0, "512kbit"},
	{"rate", "64KB/s", 0, "512kbit"},
	{"rate", "8bit", 0, "8bit"},
	{"rate", "1B", 0, "8bit"},
	{"rate", "1.5kbit", 0, "1500bit"},
	{"rate", "400Gbit", 0, "400Gbit"},
	{"rate", "none", 0, "none"},
	{"rate", "0", 0, "none"},
	{"rate", "0.000001Mbit", 0, "1bit"},
	{"rate", "401Gbit", -ERANGE, NULL},
	{"rate", "99999999999TB", -ERANGE, NULL},
	{"rate", "18446744073709551615TB", -ERANGE, NULL},
	{"rate", "100", -EINVAL, NULL},
	{"rate", "100Mb", -EINVAL, NULL},
	{"rate", "100M", -EINVAL, NULL},
	{"rate", "100 Mbit", -EINVAL, NULL},
	{"rate", "1.5bit", -EINVAL, NULL},
	{"rate", "1.", -EINVAL, NULL},
	{"rate", "1.Mbit", -EINVAL, NULL},
	{"rate", ".5Mbit", -EINVAL, NULL},
	{"rate", "1.2345678Mbit", -EINVAL, NULL},
	{"rate", "Mbit", -EINVAL, NULL},
	{"rate", "/s", -EINVAL, NULL},
	{"rate", "5/s", -EINVAL, NULL},
	{"rate", "1Mbitbitbitbit", -EINVAL, NULL},
	{"rate", "-1Mbit", -EINVAL, NULL},
	{"size", "1500", 0, "1500"},
	{"size", "9000B", 0, "9000"},
	{"size", "64KB", 0, "64KB"},
	{"size", "64kb", -EINVAL, NULL},
	{"size", "64KiB", 0, "64KiB"},
	{"size", "1MiB", 0, "1MiB"},
	{"size", "0.5MiB", 0, "512KiB"},
	{"size", "12345", 0, "12345"},
	{"size", "64", 0, "64"},
	{"size", "63", -ERANGE, NULL},
	{"size", "2MiB", -ERANGE, NULL},
	{"size", "64K", -EINVAL, NULL},
	{"size", "64/s", -EINVAL, NULL},
	{"delay", "20ms", 0, "20ms"},
	{"delay", "250us", 0, "250us"},
	{"delay", "7ns", 0, "7ns"},
	{"delay", "1.5s", 0, "1500ms"},
	{"delay", "90s", 0, "90s"},
	{"delay", "120s", 0, "2min"},
	{"delay", "1h", 0, "1h"},
	{"delay", "0", 0, "0"},
	{"delay", "61min", -ERANGE, NULL},
	{"delay", "20", -EINVAL, NULL},
	{"delay", "20MS", -EINVAL, NULL},
	{"delay", "20m", -EINVAL, NULL},
	{"delay", "0.5ns", -EINVAL, NULL},
	{"mode", "active-backup", 0, "active-backup"},
	{"mode", "lacp", 0, "lacp"},
	{"mode", "LACP", -EINVAL, NULL},
	{"mode", "", -EINVAL, NULL},
	{"name", "a", 0, "a"},
	{"name", "12345678", 0, "12345678"},
	{"name", "a b<>\"'", 0, "a b<>\"'"},
	{"name", "", -ERANGE, NULL},
	{"name", "123456789", -ERANGE, NULL},
	{"name", "a\tb", -EINVAL, NULL},
	{"name", "a\x7f", -EINVAL, NULL},
	{"name", "\xc3\xa4", -EINVAL, NULL},
	{"mac", "00:16:3e:aa:BB:0c", 0, "00:16:3e:aa:bb:0c"},
	{"mac", "00:00:00:00:00:00", -EINVAL, NULL},
	{"mac", "01:16:3e:aa:bb:cc", -EINVAL, NULL},
	{"mac", "ff:ff:ff:ff:ff:ff", -EINVAL, NULL},
	{"mac", "00:16:3e:aa:bb", -EINVAL, NULL},
	{"mac", "00:16:3e:aa:bb:cc:", -EINVAL, NULL},
	{"mac", "00-16-3e-aa-bb-cc", -EINVAL, NULL},
	{"mac", "00:16:3e:aa:bb:cg", -EINVAL, NULL},
};

static void check_case(const struct value_case *c, struct thing *thing)
{
	struct thing before = *thing;
	char error[KEY_ERROR_MAX] = "";
	int err = key_set(&things, thing, c->key, c->given, error);

	if (err != c->err)
		fail_msg("%s = \"%s\" gave %d, not %d (%s)", c->key, c->given, err, c->err, error);
	if (err) {
		assert_memory_equal(&before, thing, sizeof(before));
		assert_ptr_equal(strstr(error, c->key), error);
		assert_non_null(strstr(error, "; allowed: "));
	} else {
		AUTO_FREE char *text = key_format(key_find(&things, c->key), thing);

		assert_string_equal(text, c->formatted);
		/* What is printed can be given back. */
		assert_int_equal(key_set(&things, thing, c->key, text, error), 0);
	}
}

static void values_are_taken_or_refused_whole(void **state)
{
	struct thing thing;

	memset(&thing, 0, sizeof(thing));
	thing.guard = 0xa5;
	keys_set_defaults(&things, &thing);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_case(&cases[i], &thing);
	assert_int_equal(thing.guard, 0xa5);
}

static void shorter_string_leaves_nothing_of_the_longer(void **state)
{
	struct thing thing = {0};
	char error[KEY_ERROR_MAX];

	assert_int_equal(key_set(&things, &thing, "name", "12345678", error), 0);
	assert_int_equal(key_set(&things, &thing, "name", "a", error), 0);
	assert_memory_equal(thing.name, "a\0\0\0\0\0\0\0", 9);
}

static void errors_name_key_value_and_what_is_allowed(void **state)
{
	struct thing thing = {0};
	char error[KEY_ERROR_MAX], longest[300];

	key_set(&things, &thing, "count", "11", error);
	assert_string_equal(error,
			    "count: \"11\" is out of range; allowed: a whole number, 1 to 10");
	key_set(&things, &thing, "mode", "xor", error);
	assert_string_equal(error,
			    "mode: \"xor\" is refused; allowed: one of active-backup, rr, lacp");
	key_set(&things, &thing, "rate", "5Mb", error);
	assert_string_equal(
		error, "rate: \"5Mb\" is refused; allowed: a rate such as 100Mbit or 12.5MB, up to "
		       "400Gbit, or none");
	key_set(&things, &thing, "free-count", "x", error);
	assert_string_equal(error,
			    "free-count: \"x\" is refused; allowed: a whole number, at least 0");
	assert_int_equal(key_set(&things, &thing, "mdoe", "rr", error), -ENOENT);
	assert_string_equal(error, "thing has no key \"mdoe\"; did you mean \"mode\"?");
	assert_int_equal(key_set(&things, &thing, "something", "rr", error), -ENOENT);
	assert_non_null(strstr(error, "`xenbackctl keys thing`"));
	/* Foreign bytes come out harmless and short. */
	memset(longest, '\x1b', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	key_set(&things, &thing, "mode", longest, error);
	assert_null(strchr(error, '\x1b'));
	assert_non_null(strstr(error, "???...\" is refused; allowed: one of"));
	assert_int_equal(key_set(&things, &thing, longest, "1", error), -ENOENT);
	assert_null(strchr(error, '\x1b'));
}

static void defaults_fill_what_has_one(void **state)
{
	struct thing thing = {0};

	keys_set_defaults(&things, &thing);
	assert_true(thing.flag);
	assert_int_equal(thing.count, 2);
	assert_int_equal(thing.rate, 0);
	assert_int_equal(thing.size, 64000);
	assert_int_equal(thing.delay, 20 * NSEC_PER_MSEC);
	assert_int_equal(thing.mode, 1);
	assert_string_equal(thing.name, "");
}

static void json_carries_the_table(void **state)
{
	json_t *json = keys_to_json(&things);
	struct key_table *copy = keys_from_json(json);
	void *object;
	char error[KEY_ERROR_MAX], original[KEY_ERROR_MAX];
	struct thing thing = {0};

	assert_non_null(copy);
	assert_string_equal(copy->path, things.path);
	assert_int_equal(copy->n_keys, things.n_keys);
	object = xb_calloc(1, copy->object_size);
	keys_set_defaults(copy, object);
	/* The copy takes and refuses exactly what the original does, in the same words. */
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int err = key_set(&things, &thing, cases[i].key, cases[i].given, original);

		assert_int_equal(key_set(copy, object, cases[i].key, cases[i].given, error), err);
		if (err)
			assert_string_equal(error, original);
	}
	free(object);
	keys_json_free(copy);
	json_decref(json);
}

static void damaged_json_is_no_table(void **state)
{
	static const char *const bad[] = {
		"null",
		"[]",
		"{\"name\": \"x\"}",
		"{\"name\": 1, \"keys\": []}",
		"{\"name\": \"x\", \"keys\": [1]}",
		"{\"name\": \"x\", \"keys\": [{\"name\": \"k\", \"type\": \"bool\"}]}",
		"{\"name\": \"x\", \"keys\": [{\"name\": \"k\", \"type\": \"colour\", \"help\": "
		"\"h\"}]}",
		"{\"name\": \"x\", \"keys\": [{\"name\": \"k\", \"type\": \"rate\", \"help\": "
		"\"h\", \"max\": \"7\"}]}",
		"{\"name\": \"x\", \"keys\": [{\"name\": \"k\", \"type\": \"rate\", \"help\": "
		"\"h\", \"min\": 7}]}",
		"{\"name\": \"x\", \"keys\": [{\"name\": \"k\", \"type\": \"string\", \"help\": "
		"\"h\"}]}",
		"{\"name\": \"x\", \"keys\": [{\"name\": \"k\", \"type\": \"string\", \"help\": "
		"\"h\", "
		"\"max\": \"99999999\"}]}",
		"{\"name\": \"x\", \"keys\": [{\"name\": \"k\", \"type\": \"choice\", \"help\": "
		"\"h\"}]}",
		"{\"name\": \"x\", \"keys\": [{\"name\": \"k\", \"type\": \"choice\", \"help\": "
		"\"h\", \"choices\": [\"a\", "
		"1]}]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *json = json_loads(bad[i], JSON_DECODE_ANY, NULL);

		assert_non_null(json);
		assert_null(keys_from_json(json));
		json_decref(json);
	}
	keys_json_free(NULL);
}

static void pod_documents_every_key(void **state)
{
	FILE *saved = stdout;
	char *text = NULL, item[64];
	size_t size;

	stdout = open_memstream(&text, &size);
	assert_non_null(stdout);
	keys_print_pod(&things);
	fclose(stdout);
	stdout = saved;
	for (size_t i = 0; i < ARRAY_SIZE(thing_keys); i++) {
		snprintf(item, sizeof(item), "\n=item B<%s>\n\n", thing_keys[i].name);
		assert_non_null(strstr(text, item));
	}
	assert_non_null(strstr(text, "A E<lt>rateE<gt>."));
	assert_non_null(strstr(text, "Default: 20ms."));
	assert_non_null(strstr(text, "Must be given."));
	assert_non_null(strstr(text, "\n=back\n"));
	assert_ptr_equal(strstr(text, "=head2 [thing NAME]\n"), text);
	free(text);
}

static void files_are_split_into_items(void **state)
{
	static const char text[] = "# teams\r\n"
				   "[team team0]\r\n"
				   "  mode = rr   # comment\r\n"
				   "members= eth0#1 eth1\n"
				   "\n"
				   "\t[ vm 5f0c vif 0 ]\n"
				   "rate =\n"
				   "note = a = b";
	struct keys_file file;
	char error[KEY_ERROR_MAX];

	assert_int_equal(keys_file_parse(&file, "x.conf", text, sizeof(text) - 1, error), 0);
	assert_int_equal(file.n_items, 4);
	assert_string_equal(file.items[0].section, "team team0");
	assert_string_equal(file.items[0].key, "mode");
	assert_string_equal(file.items[0].value, "rr");
	assert_int_equal(file.items[0].line, 3);
	assert_string_equal(file.items[1].value, "eth0#1 eth1");
	assert_string_equal(file.items[2].section, "vm 5f0c vif 0");
	assert_string_equal(file.items[2].value, "");
	assert_string_equal(file.items[3].value, "a = b");
	assert_int_equal(file.items[3].line, 8);
	keys_file_fini(&file);
	assert_int_equal(keys_file_parse(&file, "x.conf", "", 0, error), 0);
	assert_int_equal(file.n_items, 0);
	keys_file_fini(&file);
}

static void bad_files_are_refused_with_the_line(void **state)
{
	static const struct {
		const char *text, *error;
		size_t size; /* 0 = strlen */
	} bad[] = {
		{"mode = rr", "x.conf:1: a key must stand below a [section]", 0},
		{"[team]\n[team", "x.conf:2: a section is written [NAME], the ] is missing", 0},
		{"[", "x.conf:1: a section is written [NAME], the ] is missing", 0},
		{"[ ]", "x.conf:1: a section needs a name, such as [team NAME]", 0},
		{"[a]\n\nmode rr", "x.conf:3: expected `key = value`, [section] or # comment", 0},
		{"[a]\n = rr", "x.conf:2: expected a key before the =", 0},
		{"[a]\nb = \x01", "x.conf:2: control character in the line", 0},
		{"[a]\nb = \0c\n", "x.conf:2: NUL byte in the line", 11},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t size = bad[i].size ? bad[i].size : strlen(bad[i].text);
		struct keys_file file;
		char error[KEY_ERROR_MAX];

		assert_int_equal(keys_file_parse(&file, "x.conf", bad[i].text, size, error),
				 -EINVAL);
		assert_string_equal(error, bad[i].error);
		assert_null(file.items);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_taken_or_refused_whole),
		cmocka_unit_test(shorter_string_leaves_nothing_of_the_longer),
		cmocka_unit_test(errors_name_key_value_and_what_is_allowed),
		cmocka_unit_test(defaults_fill_what_has_one),
		cmocka_unit_test(json_carries_the_table),
		cmocka_unit_test(damaged_json_is_no_table),
		cmocka_unit_test(pod_documents_every_key),
		cmocka_unit_test(files_are_split_into_items),
		cmocka_unit_test(bad_files_are_refused_with_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
