/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dos_json.c - see dos_json.h. */
#include "dos_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

void dos_addr_text(char out[DOS_ADDR_TEXT], const struct dos_addr *addr)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (memcmp(addr->bytes, mapped, sizeof(mapped)) == 0)
		inet_ntop(AF_INET, addr->bytes + 12, out, DOS_ADDR_TEXT);
	else
		inet_ntop(AF_INET6, addr->bytes, out, DOS_ADDR_TEXT);
}

const char *dos_direction_name(enum dos_direction direction)
{
	return direction == DOS_TO_GUEST ? "to-guest" : "from-guest";
}

const char *dos_unit(unsigned int source)
{
	return source < DOS_METRICS ? dos_metric_info(source)->unit : "packets/s";
}

static json_t *top_to_json(const struct dos_top *top, unsigned int n, bool ports)
{
	json_t *all = json_array();

	for (unsigned int i = 0; i < n; i++) {
		char addr[DOS_ADDR_TEXT];
		json_t *one = json_pack("{s:I}", "packets", (json_int_t)top[i].packets);

		dos_addr_text(addr, &top[i].addr);
		if (ports)
			json_object_set_new(one, "port", json_integer(top[i].port));
		else
			json_object_set_new(one, "address", json_string(addr));
		json_array_append_new(all, one);
	}
	return all;
}

json_t *dos_alarm_to_json(const struct guard_request *request, const char *team)
{
	static const char *const events[] = {"raised", "ongoing", "cleared"};
	const struct dos_alarm *a = &request->alarm;
	json_t *reply = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
				  "event", events[a->event], "team", team, "direction",
				  dos_direction_name(a->direction), "alarm", request->name, "unit",
				  dos_unit(a->source), "value", (json_int_t)a->value, "threshold",
				  (json_int_t)a->threshold, "peak", (json_int_t)a->peak, "mean",
				  (json_int_t)a->mean, "sd", (json_int_t)a->sd, "peers",
				  top_to_json(a->peers, a->n_peers, false), "ports",
				  top_to_json(a->ports, a->n_ports, true));

	if (!request->whole_team)
		json_object_update_new(reply, json_pack("{s:s, s:i, s:i}", "vif", request->vif,
							"domid", (int)request->domid, "devid",
							(int)request->devid));
	return reply;
}

static unsigned int percent(uint64_t part, uint64_t whole)
{
	return whole ? (unsigned int)(MIN(part, whole) * 100 / whole) : 0;
}

void dos_alarm_words(char out[DOS_WORDS_MAX], const struct guard_request *request)
{
	const struct dos_alarm *a = &request->alarm;
	int n = snprintf(out, DOS_WORDS_MAX, "%llu %s, threshold %llu",
			 (unsigned long long)a->value, dos_unit(a->source),
			 (unsigned long long)a->threshold);
	char addr[DOS_ADDR_TEXT];

	if (a->n_peers) {
		dos_addr_text(addr, &a->peers[0].addr);
		n += snprintf(out + n, DOS_WORDS_MAX - (size_t)n, "; most %s %s (%u %%)",
			      a->direction == DOS_TO_GUEST ? "from" : "to", addr,
			      percent(a->peers[0].packets, a->packets));
	}
	if (a->n_ports)
		snprintf(out + n, DOS_WORDS_MAX - (size_t)n, ", to port %u (%u %%)",
			 a->ports[0].port, percent(a->ports[0].packets, a->packets));
}

void dos_event_words(char out[DOS_WORDS_MAX], const struct act_event *event)
{
	const char *side = event->direction == DOS_TO_GUEST ? "attack on it" : "attack by it";

	if (event->action < 0)
		snprintf(out, DOS_WORDS_MAX, "%s %s: %s", side, act_event_name(event->kind),
			 event->name);
	else
		snprintf(out, DOS_WORDS_MAX, "%s %s",
			 act_action_name((enum act_action)event->action),
			 act_event_name(event->kind));
}

/* Errors that have a meaning of their own here (guard_failover). */
static const char *error_words(const struct act_event *event)
{
	if (event->action == ACT_SECOND_TEAM && event->error == -ENODEV)
		return "its team has no reserve_members, nor any of second_team_members";
	if (event->action == ACT_SECOND_TEAM && event->error == -EOPNOTSUPP)
		return "in active-backup only reserve_members can be used";
	return strerror(-event->error);
}

void dos_event_reason(char out[DOS_WORDS_MAX], const struct act_event *event)
{
	char addr[DOS_ADDR_TEXT];
	int n = 0;

	out[0] = '\0';
	if (event->error)
		n = snprintf(out, DOS_WORDS_MAX, "%s", error_words(event));
	else if (event->action < 0)
		n = snprintf(out, DOS_WORDS_MAX, "%llu %s, threshold %llu",
			     (unsigned long long)event->value, dos_unit(event->source),
			     (unsigned long long)event->threshold);
	if (event->peer.packets) {
		dos_addr_text(addr, &event->peer.addr);
		n += snprintf(out + n, DOS_WORDS_MAX - (size_t)n, "; most %s %s",
			      event->direction == DOS_TO_GUEST ? "from" : "to", addr);
	}
	if (event->dry_run)
		snprintf(out + n, DOS_WORDS_MAX - (size_t)n, "%sdry run", n ? "; " : "");
}

json_t *dos_event_to_json(const struct act_event *event, uint64_t now_ns, const char *vif)
{
	char words[DOS_WORDS_MAX], reason[DOS_WORDS_MAX];
	json_t *reply;

	dos_event_words(words, event);
	dos_event_reason(reason, event);
	reply = json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:b}", "number",
			  (json_int_t)event->number, "age_ms",
			  (json_int_t)((now_ns - MIN(event->now_ns, now_ns)) / NSEC_PER_MSEC),
			  "event", act_event_name(event->kind), "direction",
			  dos_direction_name(event->direction), "what", words, "why", reason,
			  "dry_run", (int)event->dry_run);
	if (vif[0])
		json_object_set_new(reply, "vif", json_string(vif));
	if (event->action >= 0)
		json_object_set_new(reply, "action",
				    json_string(act_action_name((enum act_action)event->action)));
	else
		json_object_update_new(reply, json_pack("{s:s, s:I, s:I}", "alarm", event->name,
							"value", (json_int_t)event->value,
							"threshold", (json_int_t)event->threshold));
	return reply;
}

static json_t *figure_to_json(const char *direction, const char *name, const char *unit,
			      const struct dos_figure *f, uint64_t now_ns)
{
	json_t *reply = json_pack(
		"{s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:b}", "direction", direction, "metric", name,
		"value", (json_int_t)f->value, "threshold", (json_int_t)f->threshold, "unit", unit,
		"mean", (json_int_t)f->mean, "sd", (json_int_t)f->sd, "alarm", (int)f->alarm);

	if (f->alarm)
		json_object_set_new(
			reply, "since_ms",
			json_integer((json_int_t)((now_ns - f->raised_ns) / NSEC_PER_MSEC)));
	return reply;
}

static void add_details(json_t *reply, const struct guard_status *status)
{
	json_t *meters = json_array(), *peers = json_object(), *ports = json_object();

	for (unsigned int d = 0; d < 2; d++) {
		const char *direction = dos_direction_name((enum dos_direction)d);

		for (unsigned int m = 0; m < DOS_METRICS; m++)
			json_array_append_new(
				meters, figure_to_json(direction, dos_metric_info(m)->name,
						       dos_metric_info(m)->unit,
						       &status->figures[d][m], status->now_ns));
		json_object_set_new(peers, direction,
				    top_to_json(status->peers[d], status->n_peers[d], false));
		json_object_set_new(ports, direction,
				    top_to_json(status->ports[d], status->n_ports[d], true));
	}
	for (unsigned int i = 0; i < status->n_rules; i++)
		json_array_append_new(meters, figure_to_json("signature", status->rules[i].name,
							     "packets/s", &status->rules[i].figure,
							     status->now_ns));
	json_object_set_new(reply, "meters", meters);
	json_object_set_new(reply, "peers", peers);
	json_object_set_new(reply, "ports", ports);
}

/* Names of what is alarmed. */
static json_t *alarms_to_json(const struct guard_status *status)
{
	json_t *alarms = json_array();

	for (unsigned int d = 0; d < 2; d++)
		for (unsigned int m = 0; m < DOS_METRICS; m++)
			if (status->figures[d][m].alarm)
				json_array_append_new(
					alarms, json_sprintf("%s %s", dos_metric_info(m)->name,
							     d == DOS_TO_GUEST ? "in" : "out"));
	for (unsigned int i = 0; i < status->n_rules; i++)
		json_array_append_new(alarms, json_string(status->rules[i].name));
	return alarms;
}

void dos_status_to_json(json_t *reply, const struct guard_status *status, bool details)
{
	json_t *alarms = alarms_to_json(status), *reactions = json_array();

	for (unsigned int i = 0; i < ACT_ACTIONS; i++)
		if (status->active[i])
			json_array_append_new(
				reactions,
				json_pack("{s:s, s:I}", "action",
					  act_action_name((enum act_action)i), "for_ms",
					  (json_int_t)((status->now_ns - status->since_ns[i]) /
						       NSEC_PER_MSEC)));
	json_object_update_new(
		reply,
		json_pack("{s:b, s:b, s:s, s:o, s:o, s:I, s:I, s:I, s:I}", "watched",
			  (int)status->watched, "dry_run", (int)status->dry_run, "state",
			  !status->watched		? "off"
			  : json_array_size(alarms) > 0 ? "attack"
							: "calm",
			  "alarms", alarms, "reactions", reactions, "in_pps",
			  (json_int_t)status->figures[DOS_TO_GUEST][DOS_PPS].value, "in_bps",
			  (json_int_t)status->figures[DOS_TO_GUEST][DOS_BPS].value, "out_pps",
			  (json_int_t)status->figures[DOS_FROM_GUEST][DOS_PPS].value, "out_bps",
			  (json_int_t)status->figures[DOS_FROM_GUEST][DOS_BPS].value));
	if (status->away)
		json_object_update_new(
			reply, json_pack("{s:s, s:s, s:s}", "failed_over_to",
					 status->member[0] ? status->member : "none is usable",
					 "failed_over_by", status->by_hand ? "hand" : "reaction",
					 "failed_over_why", status->why ? status->why : ""));
	if (details)
		add_details(reply, status);
}
