/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-signature.c - rules: what is understood, what the errors say and where they point, what
 * matches; and the automaton against the plain way. */
#include "netback-team/signature.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

static struct signature_set *parse(const char *text)
{
	char error[SIGNATURE_ERROR_MAX];
	struct signature_set *set = NULL;

	if (signature_parse(text, strlen(text), &set, error))
		fail_msg("%s: %s", text, error);
	assert_string_equal(error, "");
	return set;
}

/* Does the only rule match? */
static bool matches(const struct signature_set *set, bool to_guest, uint8_t proto, uint16_t sport,
		    uint16_t dport, const char *payload)
{
	const struct signature_packet packet = {
		to_guest, proto, sport, dport, (const uint8_t *)payload, strlen(payload)};
	uint16_t rules[2];
	const unsigned int n = signature_match(set, &packet, rules, 2);

	assert_true(n <= 1 && (n == 0 || rules[0] == 0));
	return n;
}

static void test_rules_are_read(void **state)
{
	struct signature_set *set =
		parse("# known attacks\n"
		      "\n"
		      "alert udp $EXTERNAL_NET any -> $HOME_NET 123 (msg:\"NTP \\\"monlist\\\"\"; "
		      "content:\"|17 00 03 2A|\"; depth:4; sid:2017918; rev:2; "
		      "reference:cve,2013-5211; threshold:pps 1000;)\r\n"
		      "  alert tcp any any -> any [80,8000:8080] (msg:\"two\"; \\\n"
		      "sid:7;)\n"
		      "alert icmp any any -> any any (msg:\"ping\"; detection_filter: track "
		      "by_dst, count "
		      "301, seconds 60;)");
	struct signature_info info;

	assert_int_equal(signature_count(set), 3);
	info = signature_info(set, 0);
	assert_string_equal(info.name, "NTP \"monlist\"");
	assert_int_equal(info.sid, 2017918);
	assert_int_equal(info.pps, 1000);
	info = signature_info(set, 1);
	assert_string_equal(info.name, "two");
	assert_int_equal(info.sid, 7);
	assert_int_equal(info.pps, SIGNATURE_PPS_DEFAULT);
	assert_int_equal(signature_info(set, 2).pps, 6);
	signature_destroy(set);
	signature_destroy(parse(""));
	signature_destroy(NULL);
}

static void test_errors_point(void **state)
{
	static const struct {
		const char *text, *where, *what;
	} cases[] = {
		{"drop tcp any any -> any 1 (msg:\"a\";)", "line 1, column 1:", "alert"},
		{"alert tpc any any -> any 1 (msg:\"a\";)",
		 "line 1, column 7:", "'tpc'; allowed are tcp, udp, icmp, ip"},
		{"\n\nalert tcp 1.2.3.4 any -> any 1 (msg:\"a\";)",
		 "line 3, column 11:", "$HOME_NET"},
		{"alert tcp any http -> any 1 (msg:\"a\";)", "column 15:", "'http'"},
		{"alert tcp any !any -> any 1 (msg:\"a\";)", "column 16:", "'any'"},
		{"alert tcp any 65536 -> any 1 (msg:\"a\";)", "column 15:", "0 to 65535"},
		{"alert tcp any 9:8 -> any 1 (msg:\"a\";)", "column 15:", "larger"},
		{"alert tcp any [1,2 -> any 1 (msg:\"a\";)", "column 20:", "']'"},
		{"alert tcp any [1,2,3,4,5,6,7,8,9] -> any 1 (msg:\"a\";)", "column 32:", "8"},
		{"alert tcp any any <- any 1 (msg:\"a\";)", "column 19:", "-> or <>"},
		{"alert icmp any any -> any 1 (msg:\"a\";)", "column 16:", "only tcp and udp"},
		{"alert tcp $HOME_NET any -> $HOME_NET 1 (msg:\"a\";)", "column", "one side"},
		{"alert tcp any any -> any 1", "column 27:", "'('"},
		{"alert tcp any any -> any 1 (sid:1;)", "column", "no msg"},
		{"alert tcp any any -> any 1 (msg:\"\";)", "column", "empty"},
		{"alert tcp any any -> any 1 (msg:a;)", "column 33:", "quotes"},
		{"alert tcp any any -> any 1 (msg:\"a;)", "column 37:", "quotes"},
		{"alert tcp any any -> any 1 (msg:\"a\")", "column 36:", "';'"},
		{"alert tcp any any -> any 1 (msg:\"a\"; pcre:\"/x/\";)",
		 "column 38:", "unknown option 'pcre'; allowed are msg,"},
		{"alert tcp any any -> any 1 (msg:\"a\"; nocase;)", "column 44:", "behind a"},
		{"alert tcp any any -> any 1 (msg:\"a\"; nocase:1;)", "column", "no value"},
		{"alert tcp any any -> any 1 (msg:\"a\"; sid;)", "column", "needs ':'"},
		{"alert tcp any any -> any 1 (msg:\"a\"; content:!\"x\";)", "column 46:", "not"},
		{"alert tcp any any -> any 1 (msg:\"a\"; content:\"\";)", "column 46:", "empty"},
		{"alert tcp any any -> any 1 (msg:\"a\"; content:\"|0|\";)", "column 48:", "hex"},
		{"alert tcp any any -> any 1 (msg:\"a\"; content:\"|00\";)", "column 50:", "bar"},
		{"alert tcp any any -> any 1 (msg:\"a\"; content:\"\\x\";)",
		 "column 48:", "backslash"},
		{"alert tcp any any -> any 1 (msg:\"a\"; content:\"abc\"; depth:2;)",
		 "column 59:", "3 to 65535"},
		{"alert tcp any any -> any 1 (msg:\"a\"; content:\"abc\"; offset:254;)",
		 "column 60:", "0 to 253"},
		{"alert tcp any any -> any 1 (msg:\"a\"; threshold:type limit;)",
		 "column 48:", "'pps'"},
		{"alert tcp any any -> any 1 (msg:\"a\"; threshold:pps 0;)", "column", "1 to"},
		{"alert tcp any any -> any 1 (msg:\"a\"; detection_filter:track by_me;)", "column",
		 "by_src, by_dst"},
		{"alert tcp any any -> any 1 (msg:\"a\"; detection_filter:track by_src;)", "column",
		 "count"},
		{"alert tcp any any -> any 1 (msg:\"a\";) x", "column 39:", "end of the line"},
		{"alert tcp any any -> any 1 (msg:\"a\";\n)", "line 1, column", "unknown option"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct signature_set *set = (struct signature_set *)&set;
		char error[SIGNATURE_ERROR_MAX];

		assert_int_equal(signature_parse(cases[i].text, strlen(cases[i].text), &set, error),
				 -EINVAL);
		if (!strstr(error, cases[i].where) || !strstr(error, cases[i].what))
			fail_msg("%s\n%s\nwanted: %s %s", cases[i].text, error, cases[i].where,
				 cases[i].what);
		assert_ptr_equal(set, &set);
	}
}

/* One more than allowed, of everything that has an end. */
static void test_limits(void **state)
{
	char *text = xb_calloc(1, 200000), error[SIGNATURE_ERROR_MAX];
	struct signature_set *set;
	size_t n = 0;

	for (unsigned int i = 0; i < SIGNATURE_RULES_MAX; i++)
		n += (size_t)sprintf(text + n, "alert tcp any any -> any %u (msg:\"r%u\";)\n", i,
				     i);
	assert_int_equal(signature_parse(text, n, &set, error), 0);
	assert_int_equal(signature_count(set), SIGNATURE_RULES_MAX);
	signature_destroy(set);
	n += (size_t)sprintf(text + n, "alert tcp any any -> any 1 (msg:\"x\";)");
	assert_int_equal(signature_parse(text, n, &set, error), -EINVAL);
	assert_non_null(strstr(error, "line 257, column 1: more than 256 rules"));

	n = (size_t)sprintf(text, "alert tcp any any -> any 1 (msg:\"x\"; content:\"");
	memset(text + n, 'a', SIGNATURE_CONTENT_MAX);
	n += SIGNATURE_CONTENT_MAX;
	strcpy(text + n, "\";)");
	signature_destroy(parse(text));
	strcpy(text + n, "a\";)");
	assert_int_equal(signature_parse(text, strlen(text), &set, error), -EINVAL);
	assert_non_null(strstr(error, "longer than 64 bytes"));

	strcpy(text, "alert tcp any any -> any 1 (msg:\"x\"; content:\"a\"; content:\"b\"; "
		     "content:\"c\"; content:\"d\"; content:\"e\";)");
	assert_int_equal(signature_parse(text, strlen(text), &set, error), -EINVAL);
	assert_non_null(strstr(error, "more than 4 contents"));

	/* 33 rules of 4 contents of 64 bytes are more than 8192. */
	n = 0;
	for (unsigned int i = 0; i < 33; i++) {
		n += (size_t)sprintf(text + n, "alert tcp any any -> any 1 (msg:\"x\";");
		for (unsigned int c = 0; c < 4; c++)
			n += (size_t)sprintf(text + n, "content:\"%064u\";", i * 4 + c);
		n += (size_t)sprintf(text + n, ")\n");
	}
	assert_int_equal(signature_parse(text, n, &set, error), -EINVAL);
	assert_non_null(strstr(error, "line 33, "));
	assert_non_null(strstr(error, "8192"));
	free(text);
}

static void test_headers(void **state)
{
	struct signature_set *set =
		parse("alert udp $EXTERNAL_NET 53 -> $HOME_NET any (msg:\"x\";)");

	assert_true(matches(set, true, IPPROTO_UDP, 53, 999, ""));
	assert_false(matches(set, false, IPPROTO_UDP, 53, 999, ""));
	assert_false(matches(set, true, IPPROTO_TCP, 53, 999, ""));
	assert_false(matches(set, true, IPPROTO_UDP, 54, 53, ""));
	signature_destroy(set);
	set = parse("alert tcp $HOME_NET 1:10 -> any !80 (msg:\"x\";)");
	assert_true(matches(set, false, IPPROTO_TCP, 10, 81, ""));
	assert_false(matches(set, false, IPPROTO_TCP, 11, 81, ""));
	assert_false(matches(set, false, IPPROTO_TCP, 10, 80, ""));
	assert_false(matches(set, true, IPPROTO_TCP, 10, 81, ""));
	signature_destroy(set);
	set = parse("alert tcp any [:5,1000:] <> any 80 (msg:\"x\";)");
	assert_true(matches(set, true, IPPROTO_TCP, 5, 80, ""));
	assert_true(matches(set, false, IPPROTO_TCP, 80, 65535, ""));
	assert_false(matches(set, true, IPPROTO_TCP, 6, 80, ""));
	assert_false(matches(set, true, IPPROTO_TCP, 80, 999, ""));
	signature_destroy(set);
	set = parse("alert icmp any any -> any any (msg:\"x\";)");
	assert_true(matches(set, true, IPPROTO_ICMPV6, 0, 0, ""));
	assert_false(matches(set, true, IPPROTO_GRE, 0, 0, ""));
	signature_destroy(set);
	set = parse("alert ip any any -> $HOME_NET any (msg:\"x\";)");
	assert_true(matches(set, true, IPPROTO_GRE, 0, 0, ""));
	assert_true(matches(set, true, IPPROTO_TCP, 5, 6, ""));
	signature_destroy(set);
}

static bool has(const char *options, const char *payload)
{
	char text[512];
	struct signature_set *set;
	bool result;

	snprintf(text, sizeof(text), "alert tcp any any -> any 80 (msg:\"x\"; %s)", options);
	set = parse(text);
	result = matches(set, true, IPPROTO_TCP, 1, 80, payload);
	signature_destroy(set);
	return result;
}

static void test_contents(void **state)
{
	char late[SIGNATURE_SCAN + 10];

	assert_true(has("content:\"abc\";", "xxabcxx"));
	assert_false(has("content:\"abc\";", "xxabxcx"));
	assert_false(has("content:\"abc\";", "aBc"));
	assert_true(has("content:\"aBc\"; nocase;", "xAbC"));
	assert_true(has("content:\"|41 42|c|0a|\";", "ABc\n"));
	assert_true(has("content:\"\\\"\\;\\:\\\\\";", "\";:\\"));
	/* Where: the first byte at offset or behind it, the last one before offset + depth. */
	assert_true(has("content:\"abc\"; offset:2;", "xxabc"));
	assert_false(has("content:\"abc\"; offset:3;", "xxabc"));
	assert_true(has("content:\"abc\"; offset:1; depth:4;", "xxabc"));
	assert_true(has("content:\"abc\"; depth:4; offset:1;", "xxabc"));
	assert_false(has("content:\"abc\"; offset:1; depth:3;", "xxabc"));
	assert_true(has("content:\"abc\"; depth:3;", "abcabc"));
	assert_false(has("content:\"abc\"; depth:3;", "xabcabc"));
	/* A later one counts when the first one is in the wrong place. */
	assert_true(has("content:\"abc\"; offset:3;", "abcabc"));
	/* All of them, in any order. */
	assert_true(has("content:\"b\"; content:\"a\";", "ab"));
	assert_false(has("content:\"b\"; content:\"c\";", "ab"));
	assert_true(
		has("content:\"he\"; content:\"she\"; content:\"hers\"; content:\"s\";", "ushers"));
	assert_true(has("content:\"a\"; content:\"aa\"; content:\"aaa\";", "aaa"));
	assert_false(has("content:\"a\"; content:\"aa\"; content:\"aaa\";", "aa"));
	memset(late, 'x', sizeof(late));
	strcpy(late + SIGNATURE_SCAN - 3, "abc");
	assert_true(has("content:\"abc\";", late));
	memset(late, 'x', sizeof(late));
	strcpy(late + SIGNATURE_SCAN - 2, "abc");
	assert_false(has("content:\"abc\";", late));
}

static bool plainly_there(const char *payload, size_t len, const char *content, bool nocase)
{
	for (size_t i = 0; i + strlen(content) <= len; i++)
		if (nocase ? strncasecmp(payload + i, content, strlen(content)) == 0
			   : strncmp(payload + i, content, strlen(content)) == 0)
			return true;
	return false;
}

/* Random rules over few letters, random payloads: the same verdicts as a plain search gives. */
static void test_against_plain_search(void **state)
{
	unsigned int seed = 1, n_matches = 0;

	for (unsigned int round = 0; round < 200; round++) {
		char text[8192], contents[20][8], payload[64];
		bool nocase[20];
		struct signature_set *set;
		uint16_t rules[20];
		size_t n = 0;

		for (unsigned int r = 0; r < 20; r++) {
			const size_t len = 1 + (size_t)rand_r(&seed) % 5;

			for (size_t i = 0; i < len; i++)
				contents[r][i] = "abAB"[rand_r(&seed) % 4];
			contents[r][len] = '\0';
			nocase[r] = rand_r(&seed) % 2;
			n += (size_t)sprintf(text + n,
					     "alert tcp any any -> any any (msg:\"%u\"; "
					     "content:\"%s\"; %s)\n",
					     r, contents[r], nocase[r] ? "nocase;" : "");
		}
		set = parse(text);
		for (unsigned int k = 0; k < 20; k++) {
			struct signature_packet packet = {.proto = IPPROTO_TCP};
			unsigned int found, at = 0;

			packet.payload_len = (size_t)rand_r(&seed) % sizeof(payload);
			for (size_t i = 0; i < packet.payload_len; i++)
				payload[i] = "abABx"[rand_r(&seed) % 5];
			packet.payload = (const uint8_t *)payload;
			found = signature_match(set, &packet, rules, 20);
			for (unsigned int r = 0; r < 20; r++) {
				const bool there = plainly_there(payload, packet.payload_len,
								 contents[r], nocase[r]);

				assert_int_equal(there, at < found && rules[at] == r);
				at += there;
			}
			n_matches += found;
		}
		signature_destroy(set);
	}
	assert_true(n_matches > 10000);
}

static void test_max_and_wants(void **state)
{
	struct signature_set *set = parse("alert udp any any -> any 53 (msg:\"a\";)\n"
					  "alert udp any 53 -> any any (msg:\"b\";)\n"
					  "alert tcp any any -> any any (msg:\"c\";)\n");
	struct signature_packet packet = {.proto = IPPROTO_UDP, .sport = 53, .dport = 53};
	uint16_t rules[2];

	assert_int_equal(signature_match(set, &packet, rules, 1), 1);
	assert_int_equal(rules[0], 0);
	assert_int_equal(signature_match(set, &packet, rules, 2), 2);
	assert_int_equal(rules[1], 1);
	packet.sport = packet.dport = 54;
	assert_false(signature_wants(set, &packet));
	packet.proto = IPPROTO_TCP;
	assert_true(signature_wants(set, &packet));
	packet.proto = IPPROTO_ICMP;
	assert_false(signature_wants(set, &packet));
	signature_destroy(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_are_read), cmocka_unit_test(test_errors_point),
		cmocka_unit_test(test_limits),	       cmocka_unit_test(test_headers),
		cmocka_unit_test(test_contents),       cmocka_unit_test(test_against_plain_search),
		cmocka_unit_test(test_max_and_wants),
	};

	return cmocka_run_group_tests_name("signature", tests, NULL, NULL);
}
