/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netback_explain.c - the command "explain vm": the chain of decisions for the last frames of a
 * guest's interface.
 *
 * The worker owns the trace (explain.h); a copy is taken in its thread, with the names that its
 * numbers stand for, and printed in ours. The first question starts the trace.
 */
#include "netback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "decide.h"
#include "explain.h"
#include "policy.h"
#include "util.h"

#define ENTRIES_MAX (2 * TRACE_ENTRIES)
#define CHAIN_MAX   512u

struct ask_call {
	struct vif *vif;
	struct trace trace;
	uint64_t now_ns;
	const char *mode;
	char members[TEAM_MEMBERS_MAX][TEAM_NIC_NAME_MAX];
	char others[ENTRIES_MAX][32]; /* the guest at an entry's port */
};

static int call_ask(void *ctx, void *arg)
{
	struct worker *w = ctx;
	struct ask_call *call = arg;
	const struct trace_entry *entry;

	explain_ask(w, call->vif);
	call->trace = *call->vif->trace;
	call->now_ns = w->now_ns;
	call->mode = policy_names[w->team.options.mode];
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		snprintf(call->members[i], sizeof(call->members[i]), "%.15s",
			 w->team.members[i].used ? w->team.members[i].name : "gone");
	for (unsigned int i = 0; (entry = trace_get(&call->trace, i)); i++)
		if (entry->port >= 0)
			snprintf(call->others[i], sizeof(call->others[i]), "%s",
				 w->ports[entry->port] ? w->ports[entry->port]->config.name
						       : "a guest that is gone");
	return 0;
}

static void format_mac(char out[18], uint64_t mac)
{
	uint8_t bytes[6];

	memcpy(bytes, &mac, sizeof(bytes)); /* as flow.c read them */
	frame_mac_format(out, bytes);
}

static void format_end(char *out, size_t size, const struct flow_key *flow, bool source)
{
	const uint64_t *ip = source ? flow->src : flow->dst;
	char text[INET6_ADDRSTRLEN];
	uint16_t ports[2];

	memcpy(ports, &flow->ports, sizeof(ports));
	if (flow->ip_version == 4) {
		const uint32_t address = (uint32_t)ip[0];

		inet_ntop(AF_INET, &address, text, sizeof(text));
	} else if (flow->ip_version == 6) {
		inet_ntop(AF_INET6, ip, text, sizeof(text));
	} else {
		format_mac(text, source ? flow->src_mac : flow->dst_mac);
	}
	if (!flow->has_ports)
		snprintf(out, size, "%s", text);
	else
		snprintf(out, size, flow->ip_version == 6 ? "[%s]:%u" : "%s:%u", text,
			 ntohs(ports[source ? 0 : 1]));
}

static const char *proto_name(const struct flow_key *flow)
{
	if (!flow->ip_version)
		return flow->malformed ? "malformed" : "ethernet";
	switch (flow->proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	case IPPROTO_SCTP:
		return "sctp";
	}
	return "ip";
}

static json_t *flow_to_json(const struct trace_entry *entry)
{
	char src[64], dst[64];

	if (!entry->flow_known)
		return json_string("headers not read");
	format_end(src, sizeof(src), &entry->flow, true);
	format_end(dst, sizeof(dst), &entry->flow, false);
	return json_sprintf("%s > %s %s", src, dst, proto_name(&entry->flow));
}

static void add(json_t *chain, const char *step, const char *what)
{
	json_array_append_new(chain, json_sprintf("%s: %s", step, what));
}

/* Members by name: "nic0, nic1". */
static void name_members(char *out, size_t size, const struct ask_call *call, uint32_t mask)
{
	out[0] = '\0';
	for (; mask; mask &= mask - 1) {
		strncat(out, out[0] ? ", " : "", size - strlen(out) - 1);
		strncat(out, call->members[__builtin_ctz(mask)], size - strlen(out) - 1);
	}
}

static void add_member(json_t *chain, const struct ask_call *call, const struct trace_entry *entry)
{
	const char *name = entry->member >= 0 ? call->members[entry->member] : "none";
	char text[CHAIN_MAX], tried[CHAIN_MAX / 2];

	switch ((enum trace_how)entry->how) {
	case TRACE_HOW_NONE:
		return;
	case TRACE_HOW_ACTIVE:
		snprintf(text, sizeof(text), "%s, the active member", name);
		break;
	case TRACE_HOW_MODE:
		snprintf(text, sizeof(text), "%s, as mode %s says for each frame", name,
			 call->mode);
		break;
	case TRACE_HOW_BUCKET:
		snprintf(text, sizeof(text), "%s, where bucket %u of mode %s is", name,
			 entry->place, call->mode);
		break;
	case TRACE_HOW_FLOWLET:
		snprintf(text, sizeof(text), "%s, where its flow is until it pauses (mode %s)",
			 name, call->mode);
		break;
	case TRACE_HOW_SESSION:
		snprintf(text, sizeof(text), "%s, where its TCP session was placed (mode %s)", name,
			 call->mode);
		break;
	case TRACE_HOW_PIN:
		snprintf(text, sizeof(text), "%s, the guest is bound to it: %s", name,
			 entry->why ? entry->why : "");
		break;
	case TRACE_HOW_RESELECTED:
		name_members(tried, sizeof(tried), call, entry->tried);
		snprintf(text, sizeof(text), "%s, because %s could not take it", name, tried);
		break;
	}
	add(chain, "member", text);
}

/* What the switch said, as far as the outcome tells. */
static const char *switch_verdict(enum trace_outcome outcome)
{
	switch (outcome) {
	case TRACE_OUTCOME_SENT:
	case TRACE_OUTCOME_NO_MEMBER:
	case TRACE_OUTCOME_TOO_BIG:
	case TRACE_OUTCOME_REFUSED:
		return "to the team";
	case TRACE_OUTCOME_LOCAL:
		return "to another guest";
	case TRACE_OUTCOME_SPOOF:
		return "refused";
	case TRACE_OUTCOME_CONTROL:
		return "to nobody";
	case TRACE_OUTCOME_DELIVERED:
	case TRACE_OUTCOME_WAITS:
	case TRACE_OUTCOME_GRANT:
	case TRACE_OUTCOME_LIMITED:
	case TRACE_OUTCOME_FULL:
	case TRACE_OUTCOME_LATE:
	case TRACE_OUTCOME_STALLED:
	case TRACE_OUTCOME_UNFIT:
	case TRACE_N_OUTCOMES:
		break;
	}
	return NULL;
}

static json_t *chain_to_json(const struct ask_call *call, const struct trace_entry *entry,
			     const char *other)
{
	const enum trace_outcome outcome = (enum trace_outcome)entry->outcome;
	const bool to_guest = entry->direction == TRACE_RX;
	const char *verdict = to_guest ? NULL : switch_verdict(outcome);
	json_t *chain = json_array();
	char text[CHAIN_MAX], tried[CHAIN_MAX / 2];

	if (to_guest)
		add(chain, "from",
		    entry->member >= 0 ? call->members[entry->member]
				       : "a guest of this team, or the queue where it waited");
	if (entry->rule != TRACE_NO_RULE) {
		snprintf(text, sizeof(text), "%s (%s)",
			 to_guest ? decide_rx_help(entry->rule) : decide_help(entry->rule),
			 to_guest ? decide_rx_name(entry->rule) : decide_name(entry->rule));
		add(chain, to_guest ? "queue" : "schedule", text);
	}
	if (verdict && entry->port >= 0) {
		snprintf(text, sizeof(text), "to %s", other);
		verdict = text;
	}
	if (verdict)
		add(chain, "switch", verdict);
	if (!to_guest)
		add_member(chain, call, entry);
	if (entry->member < 0 && entry->tried) {
		name_members(tried, sizeof(tried), call, entry->tried);
		snprintf(text, sizeof(text), "%s could not take it", tried);
		add(chain, "member", text);
	}
	snprintf(text, sizeof(text), "%s%s%s", trace_outcome_help(outcome),
		 outcome == TRACE_OUTCOME_GRANT && entry->why ? ": " : "",
		 outcome == TRACE_OUTCOME_GRANT && entry->why ? entry->why : "");
	add(chain, "result", text);
	return chain;
}

static json_t *entry_to_json(const struct ask_call *call, unsigned int i,
			     const struct trace_entry *entry)
{
	return json_pack(
		"{s:I, s:s, s:o, s:i, s:s, s:s, s:I, s:o}", "age_us",
		(json_int_t)((call->now_ns - entry->time_ns) / 1000), "direction",
		entry->direction == TRACE_TX ? "tx" : "rx", "flow", flow_to_json(entry), "bytes",
		(int)entry->bytes, "result", trace_outcome_name((enum trace_outcome)entry->outcome),
		"member", entry->member >= 0 ? call->members[entry->member] : "", "count",
		(json_int_t)entry->count, "chain", chain_to_json(call, entry, call->others[i]));
}

static json_t *frames_to_json(struct worker *worker, struct vif *vif)
{
	AUTO_FREE struct ask_call *call = xb_calloc(1, sizeof(*call));
	const struct trace_entry *entry;
	json_t *frames = json_array();

	call->vif = vif;
	worker_call(worker, call_ask, call);
	for (unsigned int i = 0; (entry = trace_get(&call->trace, i)); i++)
		json_array_append_new(frames, entry_to_json(call, i, entry));
	return json_pack("{s:s, s:I, s:i, s:o}", "mode", call->mode, "watched_ms",
			 (json_int_t)((call->now_ns - call->trace.begin_ns) / NSEC_PER_MSEC),
			 "sample", (int)TRACE_SAMPLE, "frames", frames);
}

json_t *netback_explain(struct backend_device *dev, char *error, size_t error_size)
{
	struct worker *worker;
	struct vif *vif = vifdev_vif(dev, &worker);
	json_t *reply, *frames;

	if (!vif) {
		snprintf(error, error_size,
			 "%s is not connected, so no frames pass; `xenbackctl explain vif %u.%u` "
			 "says why",
			 dev->name, dev->domid, dev->devid);
		return NULL;
	}
	reply = vifdev_to_json(dev, false);
	frames = frames_to_json(worker, vif);
	json_object_update(reply, frames);
	json_decref(frames);
	return reply;
}
