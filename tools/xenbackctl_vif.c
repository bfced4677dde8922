/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_vif.c - commands about guest interfaces: vif list, vif show, explain vif. */
#include "xenbackctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

/* rx and tx as the guest sees them: what it receives, what it sends. */
static const char *const list_columns[] = {
	"vif",	      "domain",	    "name",    "team",	   "mac",
	"state",      "frontend",   "queues",  "rx_bytes", "tx_bytes",
	"rx_packets", "tx_packets", "dropped", "error",	   NULL,
};
static const char *const show_first[] = {
	"vif",	      "domain",	  "name",   "uuid",	"team",	    "mac",
	"state",      "frontend", "queues", "rx_bytes", "tx_bytes", "rx_packets",
	"tx_packets", "dropped",  "error",  NULL,
};

/* "vif3.0" instead of the two numbers, and not twice. */
static void add_short_name(json_t *vif)
{
	const char *name = json_string_value(json_object_get(vif, "name"));
	AUTO_FREE char *short_name =
		xb_asprintf("vif%" JSON_INTEGER_FORMAT ".%" JSON_INTEGER_FORMAT,
			    json_integer_value(json_object_get(vif, "domid")),
			    json_integer_value(json_object_get(vif, "devid")));

	if (name && !strcmp(name, short_name))
		json_object_del(vif, "name");
	json_object_set_new(vif, "vif", json_string(short_name));
	json_object_del(vif, "domid");
	json_object_del(vif, "devid");
}

int cmd_vif_list(struct cli *cli, int argc, char **argv)
{
	json_t *result = cli_call(cli, "vif list", NULL);

	if (!result)
		return CLI_FAILURE;
	if (cli->json) {
		cli_print_json(result);
	} else if (!json_array_size(result)) {
		puts("no guest interfaces");
	} else {
		for (size_t i = 0; i < json_array_size(result); i++)
			add_short_name(json_array_get(result, i));
		render_rows(stdout, result, list_columns, true, 0);
	}
	json_decref(result);
	return CLI_OK;
}

/* Decimal, and nothing behind it but `end`. */
static bool parse_id(const char *text, char end, const char **rest, unsigned int max,
		     unsigned int *id)
{
	char *stop;
	unsigned long value;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &stop, 10);
	if (errno || *stop != end || value > max)
		return false;
	*rest = stop + 1;
	*id = (unsigned int)value;
	return true;
}

static bool is_named(const json_t *vif, const char *member, const char *name, size_t n)
{
	const char *other = json_string_value(json_object_get(vif, member));

	return other && strlen(other) == n && !memcmp(other, name, n);
}

/* A domain by name, as `xl list` shows it: the daemon knows those that have interfaces. */
static bool find_domain(const json_t *vifs, const char *name, size_t n, unsigned int *domid)
{
	for (size_t i = 0; i < json_array_size(vifs); i++) {
		const json_t *vif = json_array_get(vifs, i);

		if (!is_named(vif, "domain", name, n) && !is_named(vif, "name", name, n))
			continue;
		*domid = (unsigned int)json_integer_value(json_object_get(vif, "domid"));
		return true;
	}
	return false;
}

/* "3.0", "vif3.0" or "NAME.0" -> {"domid": 3, "devid": 0}; NULL after a message, *status says
 * which. */
static json_t *parse_vif(struct cli *cli, const char *text, int *status)
{
	const char *dot = strrchr(text, '.'), *rest = text + (strncmp(text, "vif", 3) ? 0 : 3);
	unsigned int domid, devid;
	json_t *vifs;
	bool found;

	*status = CLI_USAGE;
	if (!dot || dot == text || !parse_id(dot + 1, 0, &rest, 1 << 20, &devid)) {
		cli_usage(cli,
			  "\"%s\" is no interface; allowed: DOM.DEV such as 3.0, or web.0 by the "
			  "domain's name",
			  text);
		return NULL;
	}
	rest = text + (strncmp(text, "vif", 3) ? 0 : 3);
	if (parse_id(rest, '.', &rest, 0x7fef, &domid) && rest == dot + 1)
		return json_pack("{s:i, s:i}", "domid", (int)domid, "devid", (int)devid);
	*status = CLI_FAILURE;
	vifs = cli_call(cli, "vif list", NULL);
	if (!vifs)
		return NULL;
	found = find_domain(vifs, text, (size_t)(dot - text), &domid);
	json_decref(vifs);
	if (found)
		return json_pack("{s:i, s:i}", "domid", (int)domid, "devid", (int)devid);
	cli_error("no domain \"%.*s\" has an interface here; `xenbackctl vif list` shows those "
		  "that have",
		  (int)(dot - text), text);
	return NULL;
}

int cmd_vif_show(struct cli *cli, int argc, char **argv)
{
	int status;
	json_t *args = parse_vif(cli, argv[0], &status);
	json_t *result = args ? cli_call(cli, "vif show", args) : NULL;

	if (!result)
		return args ? CLI_FAILURE : status;
	if (cli->json) {
		cli_print_json(result);
	} else {
		if (json_object_get(result, "domid"))
			add_short_name(result);
		render_object(stdout, result, show_first, 0);
	}
	json_decref(result);
	return CLI_OK;
}

static const char *string_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void print_checks(const json_t *checks)
{
	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *check = json_array_get(checks, i);
		AUTO_FREE char *what = render_text(string_of(check, "what"));
		AUTO_FREE char *hint = render_text(string_of(check, "hint"));
		bool ok = json_is_true(json_object_get(check, "ok"));

		printf("  %s  %s\n", ok ? "ok  " : "FAIL", what);
		if (*hint)
			printf("        -> %s\n", hint);
	}
}

static void print_explanation(json_t *result, const char *name)
{
	static const char *const first[] = {"backend", "frontend", "hotplug", "why", NULL};
	const char *words =
		string_of(result, json_object_get(result, "summary") ? "summary" : "why");
	AUTO_FREE char *summary = render_text(words);
	json_t *checks = json_incref(json_object_get(result, "checks"));

	json_object_del(result, "summary");
	json_object_del(result, "checks");
	printf("%s: %s\n", name, summary);
	render_object(stdout, result, first, 2);
	if (json_array_size(checks))
		puts("checks:");
	print_checks(checks);
	json_decref(checks);
}

int cmd_explain_vif(struct cli *cli, int argc, char **argv)
{
	int status;
	json_t *args = parse_vif(cli, argv[0], &status);
	json_t *result = args ? cli_call(cli, "explain vif", args) : NULL;

	if (!result)
		return args ? CLI_FAILURE : status;
	if (cli->json)
		cli_print_json(result);
	else
		print_explanation(result, argv[0]);
	json_decref(result);
	return CLI_OK;
}
