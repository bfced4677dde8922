/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl-bench.c - see ctl-bench.h. */
#include "ctl-bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "util.h"

struct ctl_bench t;

static int echo(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	*result = json_incref(args);
	return 0;
}

static int refuse(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	snprintf(error, CTL_ERROR_MAX, "no team \"%s\"", "x\xff");
	return -ENOENT;
}

static int refuse_without_words(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	return -EBUSY;
}

static int nothing(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	return 0;
}

static int flood(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	size_t n = FLOOD_BYTES;
	AUTO_FREE char *text = xb_calloc(n + 1, 1);

	memset(text, 'x', n);
	*result = json_string(text);
	return 0;
}

void ctl_bench_register(struct ctl *ctl)
{
	ctl_register(ctl, "echo", "echo ARGS: gives them back", echo, NULL);
	ctl_register(ctl, "team show", "team show {\"name\": NAME}", refuse, NULL);
	ctl_register(ctl, "busy", "busy", refuse_without_words, NULL);
	ctl_register(ctl, "nothing", "nothing", nothing, NULL);
	ctl_register(ctl, "flood", "flood", flood, NULL);
}

static void drop_line(void *ctx, enum log_level level, const char *module, const char *line)
{
}

int ctl_bench_setup(void **state)
{
	log_set_sink(drop_line, NULL);
	strcpy(t.dir, "/tmp/test-ctl.XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	snprintf(t.path, sizeof(t.path), "%s/run/test.ctl", t.dir);
	assert_true(sd_event_new(&t.event) >= 0);
	assert_int_equal(ctl_create(&t.ctl, t.event, t.path), 0);
	ctl_bench_register(t.ctl);
	return 0;
}

int ctl_bench_teardown(void **state)
{
	char dir[80];

	ctl_destroy(t.ctl);
	sd_event_unref(t.event);
	unlink(t.path);
	snprintf(dir, sizeof(dir), "%s/run", t.dir);
	rmdir(dir);
	assert_int_equal(rmdir(t.dir), 0); /* nothing was left behind */
	return 0;
}

void serve(void)
{
	while (sd_event_run(t.event, 0) > 0)
		;
}
