/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uplink_probe.c - probes of the members (probe.h) in the worker: options out of the team's keys,
 * frames out on the NICs, verdicts to the team. Answers are taken by uplink.c, before the switch.
 */
#include "worker.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "act_options.h"
#include "util.h"

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* One address, of the family that the mode needs. */
static bool take_target(struct probe_options *options, const struct act_cidr *cidr)
{
	const bool v4 = !memcmp(cidr->addr.bytes, mapped, sizeof(mapped));
	uint8_t *target;

	if (options->n_targets >= PROBE_TARGETS_MAX || cidr->bits != 128 ||
	    v4 != (options->mode == PROBE_ARP))
		return false;
	target = options->targets[options->n_targets];
	if (v4)
		memcpy(target, cidr->addr.bytes + sizeof(mapped), 4);
	else
		memcpy(target, cidr->addr.bytes, 16);
	options->n_targets++;
	return true;
}

static bool take_source(struct probe_options *options, const char *text)
{
	struct act_cidr cidrs[ACT_CIDRS_MAX];
	char error[ACT_ERROR_MAX];
	const int n = act_cidrs_parse(text, cidrs, error);

	if (n == 1 && cidrs[0].bits == 128 && !memcmp(cidrs[0].addr.bytes, mapped, sizeof(mapped)))
		memcpy(options->source, cidrs[0].addr.bytes + sizeof(mapped), 4);
	else
		return n == 0;
	return true;
}

int uplink_probe_options(const struct team_options *team, struct probe_options *options,
			 char *error, size_t error_size)
{
	struct act_cidr cidrs[ACT_CIDRS_MAX];
	char text[ACT_ERROR_MAX];
	int n = act_cidrs_parse(team->probe_targets, cidrs, text);
	bool good = n >= 0;

	memset(options, 0, sizeof(*options));
	options->mode = (enum probe_mode)team->probe;
	options->interval_ns = team->probe_interval_ns;
	options->missed = (unsigned int)team->probe_missed;
	options->all = team->probe_need;
	if (!take_source(options, team->probe_source)) {
		snprintf(error, error_size, "probe_source: \"%s\": allowed is one IPv4 address",
			 team->probe_source);
		return -1;
	}
	if (options->mode != PROBE_ARP && options->mode != PROBE_NS)
		return 0;
	for (int i = 0; good && i < n; i++)
		good = take_target(options, &cidrs[i]);
	if (good && options->n_targets > 0)
		return 0;
	snprintf(error, error_size,
		 "probe_targets: \"%s\": with probe = %s, 1 to %u %s addresses are needed, "
		 "separated by spaces",
		 team->probe_targets, options->mode == PROBE_ARP ? "arp" : "ns", PROBE_TARGETS_MAX,
		 options->mode == PROBE_ARP ? "IPv4" : "IPv6");
	return -1;
}

void uplink_probe_set(struct worker *w, const struct team_options *team)
{
	static const uint8_t none[sizeof(w->probe.id)];
	struct probe_options options;
	uint8_t id[sizeof(w->probe.id)];
	char error[256];

	if (!memcmp(w->probe.id, none, sizeof(none)) &&
	    getrandom(id, sizeof(id), 0) == (ssize_t)sizeof(id))
		probe_init(&w->probe, id);
	if (uplink_probe_options(team, &options, error, sizeof(error)) == 0)
		probe_set(&w->probe, &options, w->now_ns);
}

static void send_probe(const struct worker *w, int member, uint8_t *frame, size_t len)
{
	struct virtio_net_hdr vnet = {0};
	struct iovec iov[2] = {{&vnet, sizeof(vnet)}, {frame, len}};
	struct mmsghdr msg = {.msg_hdr = {.msg_iov = iov, .msg_iovlen = 2}};
	struct nic *nic = w->uplinks[member]->nic;

	/* One that could not be sent is one that is not answered. */
	(void)nic->ops->send(nic, &msg, 1);
}

void uplink_probe_run(struct worker *w)
{
	uint8_t frame[PROBE_FRAME_MAX];
	size_t len;
	bool alive;
	int member;

	w->probe_runs = false;
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		const struct team_member *m = &w->team.members[i];
		const struct uplink *up = w->uplinks[i];
		const bool on = m->used && m->link && up && up->nic && !up->gone;

		probe_member(&w->probe, i, on ? up->nic->mac : NULL, w->now_ns);
	}
	while ((member = probe_next(&w->probe, w->now_ns, frame, &len)) >= 0)
		send_probe(w, member, frame, len);
	while ((member = probe_verdict(&w->probe, &alive)) >= 0)
		team_on_probe(&w->team, member, alive, w->now_ns);
	worker_deadline(w, probe_deadline(&w->probe));
}
