/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dos_alarm.c - alarms as the observer gets them, figures for status, changes of the configuration:
 * see dos.h. */
#include "dos_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

static const struct dos_side *side_of(const struct dos *dos, int vm, enum dos_direction direction)
{
	return &(vm == DOS_TEAM ? &dos->team : dos->vms[vm])->sides[direction];
}

static struct dos_meter *meter_of(struct dos *dos, int vm, enum dos_direction direction,
				  unsigned int source, uint64_t **told_ns)
{
	struct dos_vm *v = dos_vm_of(dos, vm);

	if (source < DOS_METRICS) {
		*told_ns = &v->sides[direction].told_ns[source];
		return &v->sides[direction].meters[source];
	}
	*told_ns = &v->rules[source - DOS_METRICS].told_ns;
	return &v->rules[source - DOS_METRICS].meter;
}

static void tell(struct dos *dos, int vm, enum dos_direction direction, unsigned int source,
		 enum dos_event event, uint64_t now_ns)
{
	const struct dos_side *side = side_of(dos, vm, direction);
	uint64_t *told_ns;
	const struct dos_meter *meter = meter_of(dos, vm, direction, source, &told_ns);
	struct dos_alarm alarm = {
		.event = event,
		.vm = vm,
		.direction = direction,
		.source = source,
		.name = source < DOS_METRICS
				? dos_metric_info(source)->name
				: signature_info(dos->signatures, source - DOS_METRICS).name,
		.value = meter->value,
		.threshold = meter->threshold,
		.peak = meter->peak,
		.mean = (uint64_t)meter->mean,
		.sd = dos_meter_sd(meter),
		.raised_ns = meter->raised_ns,
		.packets = side->top_packets,
		.n_peers = side->n_top_peers,
		.n_ports = side->n_top_ports,
	};

	*told_ns = now_ns;
	memcpy(alarm.peers, side->top_peers, sizeof(alarm.peers));
	memcpy(alarm.ports, side->top_ports, sizeof(alarm.ports));
	if (dos->observer.alarm)
		dos->observer.alarm(dos->observer.ctx, &alarm, now_ns);
}

void dos_report(struct dos *dos, int vm, enum dos_direction direction, unsigned int source,
		enum dos_change change, uint64_t now_ns)
{
	struct dos_vm *v = dos_vm_of(dos, vm);
	uint64_t *told_ns;
	const struct dos_meter *meter = meter_of(dos, vm, direction, source, &told_ns);

	switch (change) {
	case DOS_CHANGE_NONE:
		if (meter->alarm && now_ns - *told_ns >= DOS_ONGOING_NS)
			tell(dos, vm, direction, source, DOS_ONGOING, now_ns);
		break;
	case DOS_CHANGE_RAISED:
		v->n_alarms++;
		tell(dos, vm, direction, source, DOS_RAISED, now_ns);
		break;
	case DOS_CHANGE_CLEARED:
		v->n_alarms--;
		tell(dos, vm, direction, source, DOS_CLEARED, now_ns);
		break;
	}
}

/* The alarm of what is no longer judged is over. */
static void end(struct dos *dos, int vm, enum dos_direction direction, unsigned int source,
		uint64_t now_ns)
{
	uint64_t *told_ns;
	struct dos_meter *meter = meter_of(dos, vm, direction, source, &told_ns);

	if (!meter->alarm)
		return;
	meter->alarm = false;
	meter->over = meter->fast_over = 0;
	dos_report(dos, vm, direction, source, DOS_CHANGE_CLEARED, now_ns);
}

static void end_rules(struct dos *dos, int vm, uint64_t now_ns)
{
	const unsigned int n = dos->signatures ? signature_count(dos->signatures) : 0;

	if (vm == DOS_TEAM)
		return;
	for (unsigned int i = 0; i < n; i++)
		end(dos, vm, dos->vms[vm]->rules[i].direction, DOS_METRICS + i, now_ns);
}

void dos_set_options(struct dos *dos, int vm, const struct dos_options *options, uint64_t now_ns)
{
	struct dos_vm *v = dos_vm_of(dos, vm);

	v->options = *options;
	for (unsigned int d = 0; d < 2; d++)
		for (unsigned int metric = 0; metric < DOS_METRICS; metric++)
			if (!options->enable || options->threshold[d][metric] == 0)
				end(dos, vm, (enum dos_direction)d, metric, now_ns);
	if (!options->enable)
		end_rules(dos, vm, now_ns);
}

void dos_clear(struct dos *dos, int vm, uint64_t now_ns)
{
	for (unsigned int d = 0; d < 2; d++)
		for (unsigned int metric = 0; metric < DOS_METRICS; metric++)
			end(dos, vm, (enum dos_direction)d, metric, now_ns);
	end_rules(dos, vm, now_ns);
}

void dos_relearn(struct dos *dos, int vm, uint64_t now_ns)
{
	struct dos_vm *v = dos_vm_of(dos, vm);

	dos_clear(dos, vm, now_ns);
	for (unsigned int d = 0; d < 2; d++)
		for (unsigned int metric = 0; metric < DOS_METRICS; metric++)
			dos_meter_reset(&v->sides[d].meters[metric]);
}

int dos_set_signatures(struct dos *dos, const struct signature_set *set, uint64_t now_ns)
{
	struct dos_rule *rules[DOS_VMS_MAX] = {NULL};
	const int n_vms = dos->n_vms;
	const size_t n = set ? signature_count(set) : 0;
	int err = 0;

	for (int vm = 0; vm < n_vms && !err; vm++) {
		rules[vm] = dos->vms[vm] ? calloc(n + 1, sizeof(rules[vm][0])) : NULL;
		if (dos->vms[vm] && !rules[vm])
			err = -ENOMEM;
	}
	for (int vm = 0; vm < n_vms; vm++) {
		struct dos_vm *v = dos->vms[vm];

		if (v && !err) {
			struct dos_rule *old = v->rules;

			end_rules(dos, vm, now_ns);
			v->rules = rules[vm];
			rules[vm] = old;
		}
		free(rules[vm]);
	}
	if (!err)
		dos->signatures = set;
	return err;
}

void dos_take_top(struct dos_side *side)
{
	struct spacesaving_item items[DOS_TOP];
	unsigned int n = spacesaving_top(side->peers, items, DOS_TOP);

	/* Both counts are never too small, so the smaller one is nearer to the truth. */
	for (unsigned int i = 0; i < n; i++) {
		const uint64_t other = countmin_estimate(side->peer_counts, items[i].key);

		memcpy(side->top_peers[i].addr.bytes, items[i].label, SPACESAVING_LABEL);
		side->top_peers[i].packets = MIN(items[i].count, other);
	}
	side->n_top_peers = n;
	n = spacesaving_top(side->ports, items, DOS_TOP);
	for (unsigned int i = 0; i < n; i++) {
		memcpy(&side->top_ports[i].port, items[i].label, sizeof(uint16_t));
		side->top_ports[i].packets = items[i].count;
	}
	side->n_top_ports = n;
	side->top_packets = side->counts[COUNT_PACKETS] - side->at_tick[COUNT_PACKETS];
}

struct dos_figure dos_figure(const struct dos *dos, int vm, enum dos_direction direction,
			     unsigned int source)
{
	const struct dos_side *side = side_of(dos, vm, direction);
	const struct dos_meter *meter = source < DOS_METRICS
						? &side->meters[source]
						: &dos->vms[vm]->rules[source - DOS_METRICS].meter;

	return (struct dos_figure){
		.value = source < DOS_METRICS ? side->values[source] : meter->value,
		.threshold = meter->threshold,
		.mean = (uint64_t)meter->mean,
		.sd = dos_meter_sd(meter),
		.alarm = meter->alarm,
		.raised_ns = meter->alarm ? meter->raised_ns : 0,
	};
}

unsigned int dos_top_peers(const struct dos *dos, int vm, enum dos_direction direction,
			   struct dos_top top[DOS_TOP])
{
	const struct dos_side *side = side_of(dos, vm, direction);

	memcpy(top, side->top_peers, side->n_top_peers * sizeof(top[0]));
	return side->n_top_peers;
}

unsigned int dos_top_ports(const struct dos *dos, int vm, enum dos_direction direction,
			   struct dos_top top[DOS_TOP])
{
	const struct dos_side *side = side_of(dos, vm, direction);

	memcpy(top, side->top_ports, side->n_top_ports * sizeof(top[0]));
	return side->n_top_ports;
}
