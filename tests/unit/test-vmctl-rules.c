/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-vmctl-rules.c - vmctl.conf(5), and what xl is called with: files, hosts, words. */
#include "tools/vmctl/rules.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/util.h"
#include "tools/vmctl/command.h"

#define UUID "01234567-89ab-cdef-0123-456789abcdef"

static struct rules rules;
static char error[KEY_ERROR_MAX];

static int parse(const char *text)
{
	return rules_parse(&rules, "vmctl.conf", text, strlen(text), error);
}

static void globs_match(void **state)
{
	static const struct {
		const char *glob, *text;
		bool match;
	} cases[] = {
		{"", "", true},
		{"*", "", true},
		{"*", "abc", true},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"a*c", "abbbc", true},
		{"a*c", "abcb", false},
		{"*.lan", "b.lan", true},
		{"*.lan", "b.lan.evil", false},
		{"*a*b*", "xxaxxb", true},
		{"*a*b*", "xxbxxa", false},
		{"web", "web1", false},
		{"web1", "web", false},
		{"", "a", false},
		{"?", "", false},
		{"**a", "a", true},
		{"[a]", "a", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(rules_glob(cases[i].glob, cases[i].text), cases[i].match);
	assert_true(rules_listed(" a  b*\tc ", "bx"));
	assert_true(rules_listed("a b c", "c"));
	assert_false(rules_listed("a b c", "d"));
	assert_false(rules_listed("", ""));
}

static void a_file_is_read(void **state)
{
	const struct rules_vm *vm;

	assert_int_equal(parse("# comment\n[vmctl]\nmigrate_to = *.lan 10.0.0.1\njobs = 4\n"
			       "[vm web*]\nallow = pause  migrate\nmax_pause=5s\n"
			       "[vm " UUID "]\nallow = save\n[vm *]\nallow =\n"),
			 0);
	assert_int_equal(rules.n_vms, 3);
	assert_int_equal(rules.service.jobs, 4);
	assert_string_equal(rules.service.save_dir, "/var/lib/xenback/save");
	vm = rules_find(&rules, "web7", UUID);
	assert_string_equal(vm->guest, "web*");
	assert_true(vm->verbs[VMCTL_PAUSE] && vm->verbs[VMCTL_MIGRATE]);
	assert_false(vm->verbs[VMCTL_SAVE] || vm->verbs[VMCTL_SHUTDOWN]);
	assert_true(vm->max_pause_ns == 5 * NSEC_PER_SEC);
	vm = rules_find(&rules, "db", UUID);
	assert_true(vm->verbs[VMCTL_SAVE] && !vm->verbs[VMCTL_PAUSE]);
	vm = rules_find(&rules, "db", "x");
	assert_string_equal(vm->guest, "*");
	for (int i = 0; i < VMCTL_VERBS; i++)
		assert_false(vm->verbs[i]);
	/* A section that goes on later is one. */
	assert_int_equal(parse("[vm a]\nallow = save\n[vm b]\nallow = pause\n[vm a]\ntimes = 2\n"),
			 0);
	assert_int_equal(rules.n_vms, 2);
	assert_int_equal(rules_find(&rules, "a", "")->times, 2);
	assert_null(rules_find(&rules, "c", ""));
}

static void mistakes_allow_nothing(void **state)
{
	static const struct {
		const char *text, *part;
	} wrong[] = {
		{"[vm a]\nallow = pause unpause\n", "vmctl.conf:2: allow: \"unpause\" is refused"},
		{"[vm a]\nallow = list\n", "allow: \"list\""},
		{"[vm a]\nallow = launch\n", "allow: \"launch\""},
		{"[vm a]\nallow = pause\n\n[vm b]\nmax_pause = 60\n", "vmctl.conf:5: max_pause"},
		{"[vm a]\nmax_pause = 25h\n", "max_pause"},
		{"[vm a]\nmax_pause = 0s\n", "max_pause"},
		{"[vm a]\ntimes = 0\n", "times"},
		{"[vm a]\ncolour = red\n", "colour"},
		{"[vm ]\nallow = pause\n", "no section of this file"},
		{"[vms a]\nallow = pause\n", "no section of this file"},
		{"[vmctl]\nsave_dir = save\n", "save_dir: \"save\" is refused"},
		{"[vmctl]\nlaunch_dir = /etc/../root\n", "launch_dir"},
		{"[vmctl]\nlaunch_dir = /etc/xen/\n", "launch_dir"},
		{"[vmctl]\njobs = 17\n", "jobs"},
		{"allow = pause\n", "below a [section]"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(parse(wrong[i].text), -EINVAL);
		if (!strstr(error, wrong[i].part))
			fail_msg("%s: %s", wrong[i].text, error);
		assert_int_equal(rules.n_vms, 0);
		assert_int_equal(rules.service.jobs, 2);
	}
}

static void sections_have_a_bound(void **state)
{
	static char text[RULES_SECTIONS_MAX * 40], longest[300];
	size_t n = 0;

	for (int i = 0; i <= RULES_SECTIONS_MAX; i++) {
		if (i == RULES_SECTIONS_MAX)
			assert_int_equal(parse(text), 0);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "[vm g%d]\ntimes = 2\n", i);
	}
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(error, "[vm g256]: is refused"));
	snprintf(longest, sizeof(longest), "[vm %0200d]\ntimes = 2\n", 0);
	assert_int_equal(parse(longest), -EINVAL);
}

static void words_of_xl_cannot_be_options_or_ways_out(void **state)
{
	static const char *const files[] = {"a", "web-1.save", "A_b+c.d", NULL};
	static const char *const no_files[] = {"",    ".",    "..", "-c",	"a/b", "/a", "a b",
					       "a;b", "a\nb", "$a", "\xc3\xa4", ".a",  NULL};
	static const char *const hosts[] = {"b.lan", "10.0.0.1", "2001:db8::1", NULL};
	static const char *const no_hosts[] = {"",     "-sh", "a b", "root@b",
					       "b;id", "::1", "a/b", NULL};
	static const char *const paths[] = {"/a", "/var/lib/x y/z", NULL};
	static const char *const no_paths[] = {"", "/", "a", "/a/", "/a/../b", "/a\nb", NULL};
	char longest[COMMAND_PATH_MAX + 1];

	for (size_t i = 0; files[i]; i++)
		assert_true(command_file_valid(files[i]));
	for (size_t i = 0; no_files[i]; i++)
		assert_false(command_file_valid(no_files[i]));
	for (size_t i = 0; hosts[i]; i++)
		assert_true(command_host_valid(hosts[i]));
	for (size_t i = 0; no_hosts[i]; i++)
		assert_false(command_host_valid(no_hosts[i]));
	for (size_t i = 0; paths[i]; i++)
		assert_true(command_path_valid(paths[i]));
	for (size_t i = 0; no_paths[i]; i++)
		assert_false(command_path_valid(no_paths[i]));
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[COMMAND_PATH_MAX] = 0;
	assert_false(command_path_valid(longest));
	assert_false(command_host_valid(longest + 1));
	assert_false(command_file_valid(longest + 1));
	longest[COMMAND_PATH_MAX - 1] = 0;
	assert_true(command_path_valid(longest));
}

static void expect_words(enum vmctl_verb verb, uint16_t domid, const char *argument,
			 const char *want)
{
	struct command command;
	char words[600] = "";

	assert_int_equal(command_make(&command, "xl", verb, domid, argument), 0);
	for (size_t i = 0; command.argv[i]; i++) {
		strcat(words, i ? "|" : "");
		strcat(words, command.argv[i]);
	}
	assert_string_equal(words, want);
}

static void xl_is_called_with_words(void **state)
{
	struct command command;

	expect_words(VMCTL_SAVE, 3, "/s/a b", "xl|save|3|/s/a b");
	expect_words(VMCTL_RESTORE, VMCTL_NO_DOMID, "/s/a", "xl|restore|/s/a");
	expect_words(VMCTL_MIGRATE, 32751, "b.lan", "xl|migrate|32751|b.lan");
	expect_words(VMCTL_SHUTDOWN, 3, NULL, "xl|shutdown|-w|-F|3");
	expect_words(VMCTL_LAUNCH, VMCTL_NO_DOMID, "/c/a", "xl|create|/c/a");
	assert_int_equal(command_make(&command, "xl", VMCTL_PAUSE, 3, NULL), -EINVAL);
	assert_int_equal(command_make(&command, "xl", VMCTL_SAVE, 0, "/a"), -EINVAL);
	assert_int_equal(command_make(&command, "xl", VMCTL_SAVE, 3, NULL), -EINVAL);
	assert_int_equal(command_make(&command, "xl", VMCTL_SAVE, 3, "a"), -EINVAL);
	assert_int_equal(command_make(&command, "xl", VMCTL_RESTORE, 3, "/a"), -EINVAL);
	assert_int_equal(command_make(&command, "xl", VMCTL_MIGRATE, 3, "/a"), -EINVAL);
	assert_int_equal(command_make(&command, "xl", VMCTL_SHUTDOWN, 3, "/a"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(globs_match),
		cmocka_unit_test(a_file_is_read),
		cmocka_unit_test(mistakes_allow_nothing),
		cmocka_unit_test(sections_have_a_bound),
		cmocka_unit_test(words_of_xl_cannot_be_options_or_ways_out),
		cmocka_unit_test(xl_is_called_with_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
