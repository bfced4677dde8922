/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbackctl_device.c - what commands about devices of guests share: how a device is written, how
 * an explanation is shown.
 */
#include "xenbackctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

void device_shorten(const struct device_kind *kind, json_t *device)
{
	const char *name = json_string_value(json_object_get(device, "name"));
	AUTO_FREE char *short_name =
		xb_asprintf("%s%" JSON_INTEGER_FORMAT ".%" JSON_INTEGER_FORMAT, kind->prefix,
			    json_integer_value(json_object_get(device, "domid")),
			    json_integer_value(json_object_get(device, "devid")));

	if (name && !strcmp(name, short_name))
		json_object_del(device, "name");
	json_object_set_new(device, kind->prefix, json_string(short_name));
	json_object_del(device, "domid");
	json_object_del(device, "devid");
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

static bool is_named(const json_t *device, const char *member, const char *name, size_t n)
{
	const char *other = json_string_value(json_object_get(device, member));

	return other && strlen(other) == n && !memcmp(other, name, n);
}

/* A domain by name, as `xl list` shows it: the daemon knows those that have devices. */
static bool find_domain(const json_t *devices, const char *name, size_t n, unsigned int *domid)
{
	for (size_t i = 0; i < json_array_size(devices); i++) {
		const json_t *device = json_array_get(devices, i);

		if (!is_named(device, "domain", name, n) && !is_named(device, "name", name, n))
			continue;
		*domid = (unsigned int)json_integer_value(json_object_get(device, "domid"));
		return true;
	}
	return false;
}

/* Asks the daemon whose domain has this name. CLI_OK, or CLI_FAILURE after a message. */
static int ask_domain(struct cli *cli, const struct device_kind *kind, const char *name, size_t n,
		      unsigned int *domid)
{
	json_t *list = cli_call(cli, kind->list, NULL);
	bool found;

	if (!list)
		return CLI_FAILURE;
	found = find_domain(kind->member ? json_object_get(list, kind->member) : list, name, n,
			    domid);
	json_decref(list);
	if (found)
		return CLI_OK;
	return cli_error("no domain \"%.*s\" has %s here; `xenbackctl %s` shows those that have",
			 (int)n, name, kind->article, kind->list);
}

json_t *device_parse(struct cli *cli, const struct device_kind *kind, const char *text, int *status)
{
	size_t skip = strncmp(text, kind->prefix, strlen(kind->prefix)) ? 0 : strlen(kind->prefix);
	const char *dot = strrchr(text, '.'), *rest;
	unsigned int domid, devid = 0;
	size_t n;

	*status = CLI_USAGE;
	if (dot && !parse_id(dot + 1, 0, &rest, 1 << 20, &devid))
		dot = kind->devid_may_miss ? NULL : text;
	if ((!dot && !kind->devid_may_miss) || dot == text || !*text) {
		cli_usage(cli, "\"%s\" is no %s; allowed: %s", text, kind->noun, kind->allowed);
		return NULL;
	}
	n = dot ? (size_t)(dot - text) : strlen(text);
	if (parse_id(text + skip, dot ? '.' : 0, &rest, 0x7fef, &domid) && rest == text + n + 1)
		return json_pack("{s:i, s:i}", "domid", (int)domid, "devid", (int)devid);
	*status = ask_domain(cli, kind, text, n, &domid);
	if (*status)
		return NULL;
	return json_pack("{s:i, s:i}", "domid", (int)domid, "devid", (int)devid);
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

void device_print_explanation(json_t *result, const char *name)
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
