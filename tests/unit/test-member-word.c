/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-member-word.c - names and patterns in the key `members`, and what they match. */
#include "netback-team/member_word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const struct member_id card = {
	"enp59s0f1", {0, 0x1b, 0x21, 0xaa, 0xbb, 0xcc}, "0000:3b:00.1"};

static struct member_word one(const char *text)
{
	struct member_word word;
	bool bad = false;

	assert_true(member_word_next(&text, &word, &bad));
	assert_false(bad);
	assert_string_equal(text, "");
	return word;
}

static bool hits(const char *text, const struct member_id *id)
{
	const struct member_word word = one(text);

	return member_word_matches(&word, id);
}

static void words_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum member_word_kind kind;
		const char *left;
		uint8_t priority;
	} rows[] = {
		{"eth0", MEMBER_WORD_NAME, "eth0", 128},
		{"eth0:7", MEMBER_WORD_NAME, "eth0", 7},
		{"mac:7", MEMBER_WORD_NAME, "mac", 7},
		{"pci", MEMBER_WORD_NAME, "pci", 128},
		{"eth*", MEMBER_WORD_GLOB, "eth*", 128},
		{"e[tn]?:255", MEMBER_WORD_GLOB, "e[tn]?", 255},
		{"pci:0000:3b:*", MEMBER_WORD_PCI, "0000:3b:*", 128},
		{"pci:*:3b:00.[01]:9", MEMBER_WORD_PCI, "*:3b:00.[01]", 9},
		{"mac:00:1b:21:AA:bb:cc", MEMBER_WORD_MAC, "", 128},
		{"mac:00:1b:21:AA:bb:cc:200", MEMBER_WORD_MAC, "", 200},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct member_word word = one(rows[i].text);

		assert_int_equal(word.kind, rows[i].kind);
		assert_string_equal(word.text, rows[i].left);
		assert_int_equal(word.priority, rows[i].priority);
	}
	assert_memory_equal(one("mac:00:1b:21:AA:bb:cc").mac, card.mac, 6);
}

static void traits_stand_behind_the_rest(void **state)
{
	struct member_word word = one("eth0:7/weight=3/speed=2.5Gbit");

	assert_string_equal(word.text, "eth0");
	assert_int_equal(word.priority, 7);
	assert_string_equal(word.traits, "/weight=3/speed=2.5Gbit");
	word = one("mac:00:1b:21:AA:bb:cc/weight=2");
	assert_int_equal(word.kind, MEMBER_WORD_MAC);
	assert_string_equal(word.traits, "/weight=2");
	word = one("pci:0000:3b:*:9/x=y");
	assert_int_equal(word.kind, MEMBER_WORD_PCI);
	assert_int_equal(word.priority, 9);
	assert_string_equal(word.traits, "/x=y");
	assert_string_equal(one("eth*/weight=1").text, "eth*");
	assert_string_equal(one("eth0").traits, "");
}

static void wrong_words_are_refused(void **state)
{
	static const char *const texts[] = {
		"mac:00:1b:21:aa:bb",
		"mac:00:1b:21:aa:bb:cc:256",
		"mac:00:1b:21:aa:bb:ccx",
		"mac:00:1b:21:aa:bb:cc:",
		"pci:3b:00.1",
		"pci:0000:3b:*:",
		"pci:0000:3b:*:1:2",
		"eth*:",
		"eth*:a",
		"a/*",
		"*234567890123456",
		"eth0:256",
		"eth0/",
		"eth0/weight",
		"eth0/=3",
		"eth0/weight=",
		"eth0/weight=3/",
		"eth0//weight=3",
		"/weight=3",
		"eth0/speed=1/012345678901234567890123456789012345678=1",
		"pci:00000000000000000000000:3b:0000000000000",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct member_word word;
		const char *rest = texts[i];
		bool bad = false;

		assert_false(member_word_next(&rest, &word, &bad));
		assert_true(bad);
		assert_string_equal(rest, texts[i]);
	}
}

static void a_list_is_read_to_its_end(void **state)
{
	const char *rest = " eth0\tpci:0000:3b:*:3  eth* x/y";
	struct member_word word;
	bool bad = false;
	unsigned int n = 0;

	while (member_word_next(&rest, &word, &bad))
		n++;
	assert_int_equal(n, 3);
	assert_true(bad);
	assert_string_equal(rest, "x/y");
}

static void patterns_match(void **state)
{
	struct member_id veth = {"eth1", {2}, ""};

	assert_true(hits("enp*", &card));
	assert_true(hits("*", &card));
	assert_true(hits("enp?9s*f[0-3]", &card));
	assert_true(hits("*s0f[!0]", &card));
	assert_true(hits("enp59s0f1", &card));
	assert_false(hits("enp59s0f?1", &card));
	assert_false(hits("enp", &card));
	assert_false(hits("eth*", &card));
	assert_false(hits("*f[!1]", &card));
	assert_false(hits("*x*", &card));
	assert_true(hits("mac:00:1B:21:AA:BB:CC", &card));
	assert_false(hits("mac:00:1B:21:AA:BB:CD", &card));
	assert_true(hits("pci:0000:3b:*", &card));
	assert_true(hits("pci:*:*:*.1", &card));
	assert_false(hits("pci:0000:3c:*", &card));
	assert_true(hits("eth[12", &veth) == false);
	strcpy(veth.name, "eth[1");
	assert_true(hits("e*[1", &veth)); /* a set without an end is a letter */
	assert_false(hits("pci:*:*:*", &veth));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_told_apart),
		cmocka_unit_test(traits_stand_behind_the_rest),
		cmocka_unit_test(wrong_words_are_refused),
		cmocka_unit_test(a_list_is_read_to_its_end),
		cmocka_unit_test(patterns_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
