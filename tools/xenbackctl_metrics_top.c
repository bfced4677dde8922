/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_metrics_top.c - what netback-team answers to "top" as OpenMetrics: states, shares,
 * losses and decisions by reason, which are no plain counters of the daemon. */
#include "xenbackctl_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

/* A family with one sample for each member or VM's interface. */
struct simple {
	bool member; /* else an interface */
	const char *key, *name, *help;
	bool counter;
};

static const struct simple simples[] = {
	{true, "active", "xb_member_active", "1 for the active, or designated, member", false},
	{true, "rate_bps", "xb_member_speed_bits", "Speed of the member, per second", false},
	{true, "use_percent", "xb_member_use_percent", "Use of the member for sending", false},
	{true, "queued_us", "xb_member_queue_microseconds", "What it still has to send, estimated",
	 false},
	{true, "flaps", "xb_member_flaps", "Times that the member went down", true},
	{true, "errors", "xb_member_send_errors", "Sends that failed", true},
	{false, "shares", "xb_vif_shares", "Shares of the guest", false},
	{false, "priority", "xb_vif_priority", "Priority of the guest", false},
	{false, "entitled_bps", "xb_vif_entitled_bits",
	 "What the guest may send by its shares while others send, per second", false},
	{false, "tx_bps", "xb_vif_used_bits", "What the guest sent in the last second", false},
	{false, "waiting_bytes", "xb_vif_waiting_bytes", "Bytes that wait for the guest", false},
};

/* A family with a sample for each reason in an object of counters. */
static const struct by_reason {
	const char *key, *name, *help;
} by_reasons[] = {
	{"drops", "xb_vif_lost_frames", "Frames that did not arrive, by reason"},
	{"tx_reasons", "xb_vif_tx_decisions",
	 "What the schedule decided about frames of the guest"},
	{"rx_reasons", "xb_vif_rx_decisions", "What was decided about frames for the guest"},
};

static void print_head(FILE *out, const char *name, const char *help, bool counter)
{
	const char *unit = !strcmp(name, "xb_vif_waiting_bytes") ? "bytes" : NULL;

	fprintf(out, "# TYPE %s %s\n", name, counter ? "counter" : "gauge");
	if (unit)
		fprintf(out, "# UNIT %s %s\n", name, unit);
	fprintf(out, "# HELP %s %s\n", name, help);
}

/* {team="...",vif="..." without the closing brace. */
static void print_labels(FILE *out, const json_t *team, const char *label, const json_t *object)
{
	const char *team_name = json_string_value(json_object_get(team, "name"));
	const char *own_name = json_string_value(json_object_get(object, "name"));
	AUTO_FREE char *a = openmetrics_escape(team_name ? team_name : "");
	AUTO_FREE char *b = openmetrics_escape(own_name ? own_name : "");

	fprintf(out, "{team=\"%s\",%s=\"%s\"", a, label, b);
}

/* What f prints for each member or interface of all teams. */
static void for_each(FILE *out, const json_t *teams, bool members,
		     void (*f)(FILE *out, const json_t *team, const json_t *object,
			       const void *family),
		     const void *family)
{
	for (size_t t = 0; t < json_array_size(teams); t++) {
		const json_t *team = json_array_get(teams, t);
		const json_t *list = json_object_get(team, members ? "members" : "vifs");

		for (size_t i = 0; i < json_array_size(list); i++)
			f(out, team, json_array_get(list, i), family);
	}
}

static void print_simple(FILE *out, const json_t *team, const json_t *object, const void *family)
{
	const struct simple *simple = family;
	const json_t *value = json_object_get(object, simple->key);

	if (!value)
		return;
	fprintf(out, "%s%s", simple->name, simple->counter ? "_total" : "");
	print_labels(out, team, simple->member ? "member" : "vif", object);
	fprintf(out, "} %" JSON_INTEGER_FORMAT "\n",
		json_is_boolean(value) ? json_is_true(value) : json_integer_value(value));
}

static void print_up(FILE *out, const json_t *team, const json_t *object, const void *family)
{
	const char *state = json_string_value(json_object_get(object, "state"));

	fputs("xb_member_up", out);
	print_labels(out, team, "member", object);
	fprintf(out, "} %d\n", state && (!strcmp(state, "active") || !strcmp(state, "standby")));
}

static void print_reasons(FILE *out, const json_t *team, const json_t *object, const void *family)
{
	const struct by_reason *by_reason = family;
	const char *reason;
	json_t *value;

	json_object_foreach(json_object_get(object, by_reason->key), reason, value)
	{
		AUTO_FREE char *label = openmetrics_escape(reason);

		fprintf(out, "%s_total", by_reason->name);
		print_labels(out, team, "vif", object);
		fprintf(out, ",reason=\"%s\"} %" JSON_INTEGER_FORMAT "\n", label,
			json_integer_value(value));
	}
}

void metrics_add_top(struct openmetrics *om, const json_t *teams)
{
	AUTO_FREE char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort(); /* memory is out */
	print_head(out, "xb_member_up", "1 when the member can carry frames", false);
	for_each(out, teams, true, print_up, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(simples); i++) {
		print_head(out, simples[i].name, simples[i].help, simples[i].counter);
		for_each(out, teams, simples[i].member, print_simple, &simples[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(by_reasons); i++) {
		print_head(out, by_reasons[i].name, by_reasons[i].help, true);
		for_each(out, teams, false, print_reasons, &by_reasons[i]);
	}
	fputs("# EOF\n", out);
	fclose(out);
	openmetrics_add(om, text);
}
