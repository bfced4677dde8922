/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_explain.c - the command explain vm: why a guest's last frames went where they went. */
#include "xenbackctl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"

/* The first question starts the trace: so long we wait for frames to look at. */
#define PATIENCE_MS 3000u
#define STEP_MS	    250u

static const struct device_kind vif_kind = {
	"vif",	     "vif list",     NULL,
	"interface", "an interface", "DOM, or DOM/DEV such as 3/0, or web/0 by the domain's name",
	true};

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* "rate 100Mbit, pin nic0" */
static char *join_policy(const json_t *policy)
{
	char *text = xb_strdup("");
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)policy, name, value)
	{
		AUTO_FREE char *one = render_value(name, value);
		char *longer = xb_asprintf("%s%s%s %s", text, *text ? ", " : "", name, one);

		free(text);
		text = longer;
	}
	return text;
}

static void print_line(int indent, const char *label, const char *text)
{
	AUTO_FREE char *clean = render_text(text);

	if (*text)
		printf("%*s%s%s\n", indent, "", label, clean);
}

/* "sent on nic1", "dropped-spoofed 12 times" */
static char *result_of(const json_t *frame)
{
	const char *member = text_of(frame, "member");
	const json_int_t count = json_integer_value(json_object_get(frame, "count"));
	const bool sent = !strcmp(text_of(frame, "result"), "sent");
	AUTO_FREE char *times =
		count > 1 ? xb_asprintf(", %" JSON_INTEGER_FORMAT " times", count) : xb_strdup("");

	return xb_asprintf("%s%s%s%s", text_of(frame, "result"), sent && *member ? " on " : "",
			   sent ? member : "", times);
}

static void print_frame(const json_t *frame)
{
	const json_t *chain = json_object_get(frame, "chain");
	AUTO_FREE char *age = render_value("age_us", json_object_get(frame, "age_us"));
	const json_int_t n_bytes = json_integer_value(json_object_get(frame, "bytes"));
	AUTO_FREE char *bytes =
		n_bytes ? xb_asprintf(", %" JSON_INTEGER_FORMAT " B", n_bytes) : xb_strdup("");
	AUTO_FREE char *result = result_of(frame);
	AUTO_FREE char *line = xb_asprintf("%s ago  %s  %s%s: %s", age, text_of(frame, "direction"),
					   text_of(frame, "flow"), bytes, result);

	print_line(2, "", line);
	for (size_t i = 0; i < json_array_size(chain); i++)
		print_line(6, "", json_string_value(json_array_get(chain, i)));
}

static void print_vif(json_t *vif)
{
	const json_t *frames = json_object_get(vif, "frames");
	const json_t *sample = json_object_get(vif, "sample");
	AUTO_FREE char *policy = join_policy(json_object_get(vif, "policy"));
	AUTO_FREE char *drops = join_policy(json_object_get(vif, "drops"));
	AUTO_FREE char *since = render_value("watched_ms", json_object_get(vif, "watched_ms"));
	AUTO_FREE char *domain = render_text(text_of(vif, "domain"));

	device_shorten(&vif_kind, vif);
	printf("%s%s%s%s: team %s, mode %s\n", text_of(vif, "vif"), *domain ? " (" : "", domain,
	       *domain ? ")" : "", text_of(vif, "team"), text_of(vif, "mode"));
	print_line(2, "keys set: ", policy);
	print_line(2, "lost since it connected: ", drops);
	printf("  watched for %s: one of %" JSON_INTEGER_FORMAT
	       " frames that went, all that did not; newest first\n",
	       since, json_integer_value(sample));
	if (!json_array_size(frames))
		puts("  no frame passed in that time");
	for (size_t i = 0; i < json_array_size(frames); i++)
		print_frame(json_array_get(frames, i));
}

/* Asks until there is something to look at, or patience ends. */
static json_t *ask(struct cli *cli, json_t *device)
{
	json_t *reply = NULL;

	for (unsigned int waited = 0;; waited += STEP_MS) {
		json_decref(reply);
		reply = cli_call(cli, "explain vm", json_incref(device));
		if (!reply || waited >= PATIENCE_MS ||
		    json_array_size(json_object_get(reply, "frames")) ||
		    json_integer_value(json_object_get(reply, "watched_ms")) >= PATIENCE_MS)
			return reply;
		usleep(STEP_MS * 1000);
	}
}

static int explain_one(struct cli *cli, json_t *device)
{
	json_t *reply = ask(cli, device);

	if (!reply)
		return CLI_FAILURE;
	if (cli->json)
		cli_print_json(reply);
	else
		print_vif(reply);
	json_decref(reply);
	return CLI_OK;
}

/* All interfaces of the domain that `device` is of. */
static int explain_all(struct cli *cli, const json_t *device)
{
	const json_int_t domid = json_integer_value(json_object_get(device, "domid"));
	json_t *list = cli_call(cli, "vif list", NULL);
	int status = list ? CLI_OK : CLI_FAILURE;
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *vif = json_array_get(list, i);
		json_t *one;

		if (json_integer_value(json_object_get(vif, "domid")) != domid)
			continue;
		one = json_pack("{s:I, s:O}", "domid", domid, "devid",
				json_object_get(vif, "devid"));
		if (n++ && !cli->json)
			putchar('\n');
		if (explain_one(cli, one) != CLI_OK)
			status = CLI_FAILURE;
		json_decref(one);
	}
	if (list && !n)
		status = cli_error("domain %" JSON_INTEGER_FORMAT
				   " has no interface here; `xenbackctl vif list` shows all",
				   domid);
	json_decref(list);
	return status;
}

int cmd_explain_vm(struct cli *cli, int argc, char **argv)
{
	AUTO_FREE char *name = xb_strdup(argv[0]);
	char *slash = strrchr(name, '/');
	json_t *device;
	int status;

	if (slash)
		*slash = '.';
	device = device_parse(cli, &vif_kind, name, &status);
	if (!device)
		return status;
	status = strrchr(name, '.') ? explain_one(cli, device) : explain_all(cli, device);
	json_decref(device);
	return status;
}
