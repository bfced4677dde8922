/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-stats.c - the registry, and its OpenMetrics text read back by a strict parser of the rules
 * that scrapers rely on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/stats.h"
#include "common/util.h"

struct counters {
	uint64_t rx_bytes, drops, queue;
};

static const struct stat_desc descs[] = {
	{"rx_bytes", STAT_KIND_COUNTER, offsetof(struct counters, rx_bytes),
	 "Bytes the guest received."},
	{"drops", STAT_KIND_COUNTER, offsetof(struct counters, drops),
	 "Frames \"lost\" \\ dropped."},
	{"queue", STAT_KIND_GAUGE, offsetof(struct counters, queue), "Frames that wait."},
};

struct family {
	char name[64];
	bool counter, has_help;
	unsigned int n_samples;
};

struct parsed {
	struct family families[16];
	unsigned int n_families;
	bool eof;
};

static bool is_name(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalpha((unsigned char)text[i]) && text[i] != '_' &&
		    (!i || !isdigit((unsigned char)text[i])))
			return false;
	return n > 0;
}

/* A metadata line opens its family, or belongs to the one that is open. */
static void parse_metadata(struct parsed *p, const char *line)
{
	struct family *family = &p->families[p->n_families ? p->n_families - 1 : 0];
	char what[8], name[64], rest[256] = "";

	assert_true(sscanf(line, "# %7s %63s %255[^\n]", what, name, rest) >= 2);
	if (!strcmp(what, "TYPE")) {
		for (unsigned int i = 0; i < p->n_families; i++)
			assert_string_not_equal(p->families[i].name, name);
		family = &p->families[p->n_families++];
		strcpy(family->name, name);
		assert_true(!strcmp(rest, "counter") || !strcmp(rest, "gauge"));
		family->counter = !strcmp(rest, "counter");
		return;
	}
	assert_true(p->n_families > 0);
	assert_string_equal(family->name, name);
	assert_int_equal(family->n_samples, 0);
	if (!strcmp(what, "HELP")) {
		assert_false(family->has_help);
		family->has_help = true;
		return;
	}
	assert_string_equal(what, "UNIT");
	assert_true(strlen(name) > strlen(rest) &&
		    !strcmp(name + strlen(name) - strlen(rest), rest));
}

/* name="value",... with only \\ \" \n escaped; returns what follows the closing brace. */
static const char *parse_labels(const char *at)
{
	do {
		size_t n = strcspn(++at, "=");

		assert_true(is_name(at, n));
		at += n + 1;
		assert_int_equal(*at++, '"');
		for (; *at != '"'; at++) {
			assert_true(*at && *at != '\n');
			if (*at == '\\')
				assert_non_null(strchr("\\\"n", *++at));
		}
	} while (*++at == ',');
	assert_int_equal(*at, '}');
	return at + 1;
}

static void parse_sample(struct parsed *p, const char *line)
{
	struct family *family = &p->families[p->n_families ? p->n_families - 1 : 0];
	const char *at = line + strcspn(line, "{ ");
	char expected[80];

	assert_true(p->n_families > 0);
	snprintf(expected, sizeof(expected), "%s%s", family->name, family->counter ? "_total" : "");
	assert_int_equal((size_t)(at - line), strlen(expected));
	assert_memory_equal(line, expected, strlen(expected));
	assert_true(is_name(line, (size_t)(at - line)));
	if (*at == '{')
		at = parse_labels(at);
	assert_int_equal(*at++, ' ');
	assert_true(isdigit((unsigned char)*at));
	assert_int_equal(at[strspn(at, "0123456789")], 0);
	family->n_samples++;
}

static void parse_openmetrics(struct parsed *p, const char *text)
{
	AUTO_FREE char *copy = xb_strdup(text);
	char *save = NULL;

	memset(p, 0, sizeof(*p));
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_null(strstr(text, "\n\n"));
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		assert_false(p->eof);
		if (!strcmp(line, "# EOF"))
			p->eof = true;
		else if (*line == '#')
			parse_metadata(p, line);
		else
			parse_sample(p, line);
	}
	assert_true(p->eof);
	for (unsigned int i = 0; i < p->n_families; i++)
		assert_true(p->families[i].has_help && p->families[i].n_samples);
}

static void openmetrics_has_each_family_once(void **state)
{
	struct stats *stats = stats_create();
	struct counters a = {1, 2, 3}, b = {UINT64_MAX, 5, 6};
	struct parsed parsed;
	AUTO_FREE char *text = NULL;

	stats_add(stats, "vif", json_pack("{s:s, s:s}", "domid", "3", "devid", "0"), descs,
		  ARRAY_SIZE(descs), &a);
	stats_add(stats, "nic", NULL, descs, 1, &b);
	stats_add(stats, "vif", json_pack("{s:s}", "domid", "q\"b\\n\nx"), descs, ARRAY_SIZE(descs),
		  &b);
	text = stats_to_openmetrics(stats);
	parse_openmetrics(&parsed, text);
	assert_int_equal(parsed.n_families, 4);
	assert_string_equal(parsed.families[0].name, "xb_vif_rx_bytes");
	assert_int_equal(parsed.families[0].n_samples, 2);
	assert_string_equal(parsed.families[3].name, "xb_nic_rx_bytes");
	assert_false(parsed.families[2].counter);
	assert_non_null(strstr(text, "\nxb_vif_rx_bytes_total{domid=\"3\",devid=\"0\"} 1\n"));
	assert_non_null(strstr(
		text, "\nxb_vif_rx_bytes_total{domid=\"q\\\"b\\\\n\\nx\"} 18446744073709551615\n"));
	assert_non_null(strstr(text, "\nxb_nic_rx_bytes_total 18446744073709551615\n"));
	assert_non_null(strstr(text, "\n# UNIT xb_vif_rx_bytes bytes\n"));
	assert_non_null(strstr(text, "\n# HELP xb_vif_drops Frames \\\"lost\\\" \\\\ dropped.\n"));
	stats_destroy(stats);
}

static void values_are_read_when_printed(void **state)
{
	struct stats *stats = stats_create();
	struct counters a = {0};
	struct stats_group *group = stats_add(stats, "vif", json_pack("{s:s}", "domid", "3"), descs,
					      ARRAY_SIZE(descs), &a);
	const json_t *row;
	json_t *json;

	a.rx_bytes = 1500;
	json = stats_to_json(stats);
	assert_int_equal(json_array_size(json), 1);
	row = json_array_get(json, 0);
	assert_string_equal(json_string_value(json_object_get(row, "family")), "vif");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(row, "labels"), "domid")), "3");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(row, "values"), "rx_bytes")),
		1500);
	json_decref(json);
	stats_remove(stats, group);
	stats_remove(stats, NULL);
	json = stats_to_json(stats);
	assert_int_equal(json_array_size(json), 0);
	json_decref(json);
	stats_destroy(stats);
	stats_destroy(NULL);
}

static void text_is_aligned(void **state)
{
	struct stats *stats = stats_create();
	struct counters a = {1, 20, 300};
	AUTO_FREE char *text = NULL;

	stats_add(stats, "vif", json_pack("{s:s}", "domid", "3"), descs, ARRAY_SIZE(descs), &a);
	text = stats_to_text(stats);
	assert_string_equal(text, "vif domid=3\n"
				  "  rx_bytes                    1\n"
				  "  drops                      20\n"
				  "  queue                     300\n");
	stats_destroy(stats);
}

static void empty_registry_is_valid(void **state)
{
	struct stats *stats = stats_create();
	AUTO_FREE char *metrics = stats_to_openmetrics(stats);
	AUTO_FREE char *text = stats_to_text(stats);

	assert_string_equal(metrics, "# EOF\n");
	assert_string_equal(text, "");
	stats_destroy(stats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openmetrics_has_each_family_once),
		cmocka_unit_test(values_are_read_when_printed),
		cmocka_unit_test(text_is_aligned),
		cmocka_unit_test(empty_registry_is_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
