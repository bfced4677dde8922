/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctl-canned.c - a control socket that answers from a file: stands in for a daemon in the tests of
 * xenbackctl.
 *
 * ctl-canned SOCKET ANSWERS REQUESTS: ANSWERS is a JSON object {command: result}, a result of the
 * form {"error": "..."} is a refusal. Each request is appended to REQUESTS as a line "command
 * arguments". SIGTERM ends it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ctl.h"
#include "common/util.h"

struct answer {
	const char *cmd;
	const json_t *result;
	FILE *requests;
};

static int give(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	const struct answer *answer = ctx;
	const char *refusal = json_string_value(json_object_get(answer->result, "error"));
	AUTO_FREE char *text = json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS);

	fprintf(answer->requests, "%s %s\n", answer->cmd, text);
	fflush(answer->requests);
	if (refusal && json_object_size(answer->result) == 1) {
		snprintf(error, CTL_ERROR_MAX, "%s", refusal);
		return -EINVAL;
	}
	*result = json_deep_copy(answer->result);
	return 0;
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "ctl-canned: %s: %s\n", what, why);
	return 1;
}

int main(int argc, char **argv)
{
	json_error_t why;
	json_t *answers = argc == 4 ? json_load_file(argv[2], 0, &why) : NULL, *result;
	FILE *requests = argc == 4 ? fopen(argv[3], "a") : NULL;
	struct answer *list = NULL, *answer;
	sd_event *event = NULL;
	struct ctl *ctl = NULL;
	const char *cmd;
	sigset_t set;
	int err;

	if (argc != 4)
		return fail("usage", "ctl-canned SOCKET ANSWERS REQUESTS");
	if (!answers)
		return fail(argv[2], why.text);
	if (!requests)
		return fail(argv[3], strerror(errno));
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	err = sd_event_new(&event);
	if (err >= 0)
		err = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL); /* ends the loop */
	if (err >= 0)
		err = ctl_create(&ctl, event, argv[1]);
	if (err < 0)
		return fail(argv[1], strerror(-err));
	answer = list = xb_calloc(json_object_size(answers), sizeof(*list));
	json_object_foreach(answers, cmd, result)
	{
		*answer = (struct answer){cmd, result, requests};
		ctl_register(ctl, cmd, cmd, give, answer++);
	}
	err = sd_event_loop(event);
	ctl_destroy(ctl);
	sd_event_unref(event);
	free(list);
	json_decref(answers);
	fclose(requests);
	return err < 0 ? fail("event loop", strerror(-err)) : 0;
}
