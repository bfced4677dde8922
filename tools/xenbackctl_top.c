/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbackctl_top.c - the command top: teams, NICs and VMs, live, on a terminal; or once, for
 * scripts.
 *
 * top_view.c draws; here are the terminal, the keys and the clock: a sample a second, keys and new
 * sizes at once. A daemon that does not answer is told of in the second line and asked again.
 */
#include "xenbackctl.h"

#include <ncurses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/util.h"
#include "xenbackctl_sample.h"

#define PERIOD_NS     NSEC_PER_SEC
#define NAMES_EVERY   10u
#define BATCH_WIDTH   150u
#define BATCH_LINES   20000u
#define KEY_WAIT_MS   100
#define COLOR_ALERT   1
#define COLOR_HEADING 2

struct live {
	struct cli *cli;
	struct sample now, before;
	json_t *vifs;
	unsigned int n_samples;
	uint64_t due_ns;
	char error[CTL_ERROR_MAX];
	struct top_options options;
	struct top_line lines[TOP_WIDTH_MAX]; /* as many rows as columns are enough */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

/* The next sample, the one before kept for rates; where there is none, both stay. */
static void step(struct live *live)
{
	struct sample fresh;
	json_t *vifs;

	if (!live->vifs || live->n_samples % NAMES_EVERY == 0) {
		vifs = cli_ask(live->cli, live->cli->command->daemon, "vif list", NULL,
			       live->error);
		if (vifs) {
			json_decref(live->vifs);
			live->vifs = vifs;
		}
	}
	live->options.error = NULL;
	live->due_ns = clock_now(&clock_monotonic) + PERIOD_NS;
	if (!sample_take(&fresh, live->cli, live->vifs, live->n_samples ? &live->now : NULL,
			 live->error)) {
		live->options.error = live->error;
		return;
	}
	sample_free(&live->before);
	live->before = live->now;
	live->now = fresh;
	live->n_samples++;
}

static const struct top_sample *before_of(const struct live *live)
{
	return live->n_samples > 1 ? &live->before.top : NULL;
}

static attr_t look_of(enum top_style style)
{
	switch (style) {
	case TOP_PLAIN:
		return A_NORMAL;
	case TOP_TITLE:
		return A_BOLD;
	case TOP_HEADING:
		return has_colors() ? (attr_t)COLOR_PAIR(COLOR_HEADING) : A_REVERSE;
	case TOP_ALERT:
		return has_colors() ? (attr_t)COLOR_PAIR(COLOR_ALERT) | A_BOLD : A_BOLD;
	case TOP_KEYS:
		return A_DIM;
	}
	return A_NORMAL;
}

static void draw(struct live *live)
{
	int height, width;
	size_t n;

	getmaxyx(stdscr, height, width);
	height = MIN(height, (int)ARRAY_SIZE(live->lines));
	n = top_draw(&live->now.top, before_of(live), &live->options, live->lines, (size_t)width,
		     (size_t)height, true);
	erase();
	for (size_t i = 0; i < n && i < (size_t)height; i++) {
		const struct top_line *line = &live->lines[i];

		attrset(look_of(line->style));
		/* A heading's bar goes over the whole width. */
		mvprintw((int)i, 0, "%-*.*s", line->style == TOP_HEADING ? width : 0, width,
			 line->text);
	}
	refresh();
}

static void next_team(struct live *live)
{
	live->options.first = 0;
	if (++live->options.team >= (int)live->now.top.n_teams)
		live->options.team = -1;
}

static void scroll_by(struct live *live, long lines)
{
	const long last = (long)live->now.top.n_vms - 1;
	const long first = MIN((long)live->options.first + lines, last);

	live->options.first = first > 0 ? (size_t)first : 0;
}

/* False: the end was asked for. */
static bool on_key(struct live *live, int key)
{
	enum top_sort sort;

	if (key == 'q' || key == 'Q' || key == 3 || key == 27)
		return false;
	if (key == '\t')
		next_team(live);
	else if (key == KEY_DOWN)
		scroll_by(live, 1);
	else if (key == KEY_UP)
		scroll_by(live, -1);
	else if (key == KEY_NPAGE)
		scroll_by(live, LINES / 2);
	else if (key == KEY_PPAGE)
		scroll_by(live, -LINES / 2);
	else if (key == KEY_HOME)
		live->options.first = 0;
	else if (key == ' ')
		live->due_ns = 0;
	else if (top_sort_of_key(key, &sort)) {
		live->options.reverse = sort == live->options.sort && !live->options.reverse;
		live->options.sort = sort;
	}
	return true;
}

static void begin_screen(void)
{
	initscr();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, true);
	set_escdelay(50);
	curs_set(0);
	timeout(KEY_WAIT_MS);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(COLOR_ALERT, COLOR_RED, -1);
		init_pair(COLOR_HEADING, COLOR_BLACK, COLOR_CYAN);
	}
}

static int run_live(struct live *live)
{
	struct sigaction action = {.sa_handler = on_signal};
	bool more = true;

	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO) || !getenv("TERM"))
		return cli_usage(live->cli, "this is no terminal; --batch prints one table");
	step(live);
	if (!live->n_samples)
		return cli_error("%s", live->error);
	begin_screen();
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	while (more && !interrupted) {
		const uint64_t now_ns = clock_now(&clock_monotonic);

		if (now_ns >= live->due_ns)
			step(live);
		draw(live);
		more = on_key(live, getch());
	}
	endwin();
	return CLI_OK;
}

static int run_batch(struct live *live)
{
	struct top_line *lines;
	size_t n;

	for (int i = 0; i < 2; i++) {
		if (i)
			usleep(PERIOD_NS / NSEC_PER_USEC);
		step(live);
		if (live->options.error)
			return cli_error("%s", live->error);
	}
	if (live->cli->json)
		return cli_print_json(live->now.raw);
	lines = xb_calloc(BATCH_LINES, sizeof(*lines));
	n = top_draw(&live->now.top, before_of(live), &live->options, lines, BATCH_WIDTH,
		     BATCH_LINES, false);
	for (size_t i = 0; i < n; i++)
		puts(lines[i].text);
	free(lines);
	return CLI_OK;
}

int cmd_top(struct cli *cli, int argc, char **argv)
{
	struct live *live = xb_calloc(1, sizeof(*live));
	int status;

	live->cli = cli;
	live->options = (struct top_options){.sort = TOP_SORT_TX, .team = -1};
	status = cli->batch || cli->json ? run_batch(live) : run_live(live);
	sample_free(&live->now);
	sample_free(&live->before);
	json_decref(live->vifs);
	free(live);
	return status;
}
