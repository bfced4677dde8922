/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-top-view.c - the screen of `xenbackctl top`: what stands where at 80x24 and at other sizes,
 * rates, order, what does not fit. */
#include "tools/top_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"

#define VMS_MAX 100

struct world {
	struct top_team teams[2];
	struct top_member members[4];
	struct top_vm vms[VMS_MAX];
	struct top_sample sample;
};

static struct world before, now;
static struct top_line lines[300];
static size_t n;

static void fill(struct world *w, uint64_t seconds, size_t n_vms)
{
	memset(w, 0, sizeof(*w));
	for (unsigned int t = 0; t < 2; t++) {
		snprintf(w->teams[t].name, TOP_NAME_MAX, "team%u", t);
		snprintf(w->teams[t].mode, TOP_NAME_MAX, "hash");
		w->teams[t].up_bps = 1000000000;
	}
	for (unsigned int m = 0; m < 4; m++) {
		struct top_member *to = &w->members[m];

		snprintf(to->team, TOP_NAME_MAX, "team%u", m / 2);
		snprintf(to->name, TOP_NAME_MAX, "nic%u", m);
		snprintf(to->state, TOP_NAME_MAX, m == 3 ? "down" : "active");
		to->rate_bps = 10000000000;
		to->counters.tx_bytes = seconds * 1000000 * (m + 1);
	}
	for (unsigned int i = 0; i < n_vms; i++) {
		struct top_vm *vm = &w->vms[i];

		snprintf(vm->team, TOP_NAME_MAX, "team%u", i % 2);
		snprintf(vm->vif, TOP_NAME_MAX, "vif%u.0", i + 1);
		snprintf(vm->name, TOP_NAME_MAX, "vm%02u", i + 1);
		snprintf(vm->member, TOP_NAME_MAX, "nic0");
		vm->shares = 1000;
		vm->entitled_bps = 500000000;
		vm->used_bps = i * 1000000;
		vm->counters.tx_bytes = seconds * 125000 * i;
		vm->counters.rx_bytes = seconds * 125000 * (n_vms - i);
		vm->counters.dropped = i == 3 ? seconds * 7 : 0;
		if (i == 3)
			strcpy(vm->reason, "tx-spoofed");
	}
	w->sample = (struct top_sample){
		seconds * NSEC_PER_SEC, w->teams, w->members, w->vms, 2, 4, n_vms};
}

static void draw(const struct top_options *options, size_t width, size_t height)
{
	memset(lines, 0x55, sizeof(lines));
	n = top_draw(&now.sample, &before.sample, options, lines, width, height, true);
}

static int setup(void **state)
{
	fill(&before, 10, 5);
	fill(&now, 12, 5);
	return 0;
}

static const char *line_with(const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(lines[i].text, text))
			return lines[i].text;
	return "";
}

static const struct top_options by_tx = {.sort = TOP_SORT_TX, .team = -1};

static void it_fits_the_classic_terminal(void **state)
{
	draw(&by_tx, 80, 24);
	assert_int_equal(n, 24);
	for (size_t i = 0; i < n; i++)
		assert_true(strlen(lines[i].text) <= 80);
	assert_string_equal(lines[0].text,
			    "xenback: 2 teams, 3 of 4 NICs up, in 0 out 80.0M bit/s");
	assert_int_equal(lines[0].style, TOP_ALERT); /* a NIC is down */
	assert_int_equal(lines[23].style, TOP_KEYS);
	assert_non_null(strstr(line_with("NIC "), "OUT BIT"));
	assert_non_null(strstr(line_with("VIF"), "ENT%"));
	/* Entitled to half of a gigabit, used 4 Mbit/s of it, sent 4 Mbit/s. */
	assert_non_null(strstr(line_with("vm05"), " 4.00M "));
	assert_non_null(strstr(line_with("vm05"), " 50    0 "));
	assert_non_null(strstr(line_with("vm04"), "tx-spoofed"));
}

static void it_fits_any_terminal(void **state)
{
	fill(&before, 10, VMS_MAX);
	fill(&now, 12, VMS_MAX);
	for (size_t width = 1; width <= TOP_WIDTH_MAX + 10; width += 7)
		for (size_t height = 1; height <= 60; height += 3) {
			draw(&by_tx, width, height);
			assert_true(n <= MAX(height, TOP_HEIGHT_MIN));
			for (size_t i = 0; i < n; i++)
				assert_true(strlen(lines[i].text) <=
					    MAX(MIN(width, TOP_WIDTH_MAX), TOP_WIDTH_MIN));
		}
}

static void order_is_what_was_asked_for(void **state)
{
	struct top_options options = by_tx;

	draw(&options, 80, 24);
	assert_true(line_with("vm05") < line_with("vm01"));
	options.reverse = true;
	draw(&options, 80, 24);
	assert_true(line_with("vm01") < line_with("vm05"));
	options = (struct top_options){.sort = TOP_SORT_RX, .team = -1};
	draw(&options, 80, 24);
	assert_true(line_with("vm01") < line_with("vm05"));
	options.sort = TOP_SORT_DROPS;
	draw(&options, 120, 24);
	assert_true(line_with("vm04") < line_with("vm01"));
	assert_non_null(strstr(line_with("vm04"), "tx-spoofed"));
	options.sort = TOP_SORT_NAME;
	draw(&options, 80, 24);
	assert_true(line_with("vm01") < line_with("vm02"));
}

static void one_team_alone(void **state)
{
	struct top_options options = by_tx;

	options.team = 1;
	draw(&options, 80, 24);
	assert_string_equal(line_with("nic0 "), "");
	assert_string_equal(line_with("vm01"), "");
	assert_string_not_equal(line_with("vm02"), "");
	assert_non_null(strstr(lines[1].text, "team team1"));
	options.team = 7; /* went meanwhile */
	draw(&options, 80, 24);
	assert_non_null(strstr(lines[1].text, "all teams"));
}

static void what_does_not_fit_is_told(void **state)
{
	struct top_options options = {.sort = TOP_SORT_NAME, .team = -1};

	fill(&before, 10, VMS_MAX);
	fill(&now, 12, VMS_MAX);
	draw(&options, 80, 24);
	assert_non_null(strstr(lines[22].text, "... and 8"));
	assert_string_not_equal(line_with("vm01"), "");
	options.first = 95;
	draw(&options, 80, 24);
	assert_string_equal(line_with("vm94"), ""); /* vm100 stands behind vm10 */
	assert_string_not_equal(line_with("vm95"), "");
	options.first = 100000;
	draw(&options, 80, 24);
	assert_string_equal(line_with("more VMs"), "");
	draw(&options, 80, 9);
	assert_string_not_equal(line_with("more NICs"), "");
}

static void counters_that_begin_anew_are_no_rate(void **state)
{
	now.vms[4].counters.tx_bytes = 5;
	draw(&by_tx, 80, 24);
	assert_null(strstr(line_with("vm05"), "4.00M"));
	/* No sample before, an error instead of the second line. */
	n = top_draw(&now.sample, NULL,
		     &(struct top_options){.team = -1, .error = "it\033[2J is away"}, lines, 80, 24,
		     false);
	assert_string_equal(lines[1].text, "it?[2J is away");
	assert_int_equal(lines[1].style, TOP_ALERT);
	assert_true(n < 24);
}

static void nothing_at_all(void **state)
{
	const struct top_sample empty = {0};

	n = top_draw(&empty, NULL, &by_tx, lines, 80, 24, true);
	assert_int_equal(n, 24);
	assert_string_equal(line_with("no VM"), "no VM is connected");
}

static void numbers_are_short(void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {{0, "0"},	      {7, "7"},		 {999, "999"},
		    {1000, "1.00k"},  {12345, "12.3k"},	 {123456, "123k"},
		    {999499, "999k"}, {999999, "1.00M"}, {40000000000, "40.0G"},
		    {1e18, "1.00E"},  {1e22, "10000E"}};
	char text[8];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		top_number(text, rows[i].value);
		assert_string_equal(text, rows[i].text);
	}
}

static void keys_name_orders(void **state)
{
	enum top_sort sort;

	assert_true(top_sort_of_key('d', &sort));
	assert_int_equal(sort, TOP_SORT_DROPS);
	assert_string_equal(top_sort_name(sort), "drops");
	assert_false(top_sort_of_key('q', &sort));
	assert_false(top_sort_of_key(-1, &sort));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(it_fits_the_classic_terminal, setup),
		cmocka_unit_test_setup(it_fits_any_terminal, setup),
		cmocka_unit_test_setup(order_is_what_was_asked_for, setup),
		cmocka_unit_test_setup(one_team_alone, setup),
		cmocka_unit_test_setup(what_does_not_fit_is_told, setup),
		cmocka_unit_test_setup(counters_that_begin_anew_are_no_rate, setup),
		cmocka_unit_test_setup(nothing_at_all, setup),
		cmocka_unit_test(numbers_are_short),
		cmocka_unit_test(keys_name_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
