/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmctl_wire.c - see vmctl_wire.h. */
#include "vmctl_wire.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "util.h"

static const struct vmctl_verb_desc verbs[VMCTL_VERBS] = {
	[VMCTL_LIST] = {.name = "list", .help = "the guests that there are"},
	[VMCTL_PAUSE] = {.name = "pause",
			 .domid = true,
			 .argument = true,
			 .reason = true,
			 .value = "TIME",
			 .help = "stop it, for TIME at most"},
	[VMCTL_UNPAUSE] = {.name = "unpause",
			   .domid = true,
			   .reason = true,
			   .help = "let it go on, where `pause` stopped it"},
	[VMCTL_SAVE] = {.name = "save",
			.domid = true,
			.argument = true,
			.needs_argument = true,
			.job = true,
			.value = "FILE",
			.help = "write it to FILE and destroy it"},
	[VMCTL_RESTORE] = {.name = "restore",
			   .argument = true,
			   .needs_argument = true,
			   .job = true,
			   .value = "FILE",
			   .help = "make the guest again that is in FILE"},
	[VMCTL_MIGRATE] = {.name = "migrate",
			   .domid = true,
			   .argument = true,
			   .needs_argument = true,
			   .job = true,
			   .value = "HOST",
			   .help = "move it to HOST"},
	[VMCTL_SHUTDOWN] = {.name = "shutdown",
			    .domid = true,
			    .job = true,
			    .help = "ask it to shut down, and wait for it"},
	[VMCTL_LAUNCH] = {.name = "launch",
			  .argument = true,
			  .needs_argument = true,
			  .job = true,
			  .value = "CONFIG",
			  .help = "start the guest that CONFIG describes"},
};

static const char *const state_names[] = {
	[VMCTL_JOB_RUNNING] = "running",
	[VMCTL_JOB_DONE] = "done",
	[VMCTL_JOB_FAILED] = "failed",
};

const struct vmctl_verb_desc *vmctl_verb_desc(enum vmctl_verb verb)
{
	return &verbs[verb];
}

int vmctl_verb_parse(const char *name, enum vmctl_verb *verb)
{
	for (size_t i = 0; i < VMCTL_VERBS; i++) {
		if (!strcmp(verbs[i].name, name)) {
			*verb = (enum vmctl_verb)i;
			return 0;
		}
	}
	return -ENOENT;
}

const char *vmctl_job_state_name(enum vmctl_job_state state)
{
	return state_names[state];
}

/* Takes json over. */
static char *line_of(json_t *json)
{
	AUTO_FREE char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text ? xb_asprintf("%s\n", text) : NULL;
}

char *vmctl_request_line(enum vmctl_verb verb, uint16_t domid, const char *argument,
			 const char *reason)
{
	json_t *args = json_object();

	if (domid != VMCTL_NO_DOMID)
		json_object_set_new(args, "vm", json_integer(domid));
	if (reason)
		json_object_set_new(args, "reason", json_string(reason));
	/* Not UTF-8 is no string, and no object with it. */
	if (argument && json_object_set_new(args, "argument", json_string(argument))) {
		json_decref(args);
		return NULL;
	}
	return line_of(json_pack("{s:s, s:o}", "cmd", verbs[verb].name, "args", args));
}

char *vmctl_job_line(uint64_t job)
{
	return line_of(json_pack("{s:s, s:{s:I}}", "cmd", "job", "args", "job", (json_int_t)job));
}

static char *printable(const char *text)
{
	char *copy = xb_strdup(text);

	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	return copy;
}

static int parse_state(const char *name, enum vmctl_job_state *state)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(state_names); i++) {
		if (!strcmp(name, state_names[i])) {
			*state = (enum vmctl_job_state)i;
			return 0;
		}
	}
	return -EPROTO;
}

static int parse_result(const json_t *result, struct vmctl_reply *reply)
{
	const char *message = json_string_value(json_object_get(result, "message"));
	const json_t *job = json_object_get(result, "job");
	AUTO_FREE char *text = NULL;

	if (job) {
		if (json_integer_value(job) <= 0 ||
		    parse_state(json_string_value(json_object_get(result, "state")), &reply->state))
			return -EPROTO;
		reply->job = (uint64_t)json_integer_value(job);
		message = message ? message : "";
	}
	if (!message) {
		text = json_dumps(result, JSON_COMPACT | JSON_ENCODE_ANY);
		message = text;
	}
	if (!message)
		return -EPROTO;
	reply->message = printable(message);
	return 0;
}

int vmctl_reply_parse(const char *line, size_t size, struct vmctl_reply *reply)
{
	json_t *json = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
	const json_t *ok = json_object_get(json, "ok");
	const char *error = json_string_value(json_object_get(json, "error"));
	int err = -EPROTO;

	*reply = (struct vmctl_reply){.ok = json_is_true(ok)};
	if (reply->ok) {
		err = parse_result(json_object_get(json, "result"), reply);
	} else if (json_is_false(ok) && error) {
		reply->message = printable(error);
		err = 0;
	}
	json_decref(json);
	return err;
}
