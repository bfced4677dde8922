/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_sample.c - what the daemon answers to "top" as plain structs (top_view.h): for top and
 * vm show. */
#include "xenbackctl_sample.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/util.h"

static void copy(char to[TOP_NAME_MAX], const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	snprintf(to, TOP_NAME_MAX, "%s", text ? text : "");
}

static uint64_t number(const json_t *object, const char *name)
{
	const json_int_t value = json_integer_value(json_object_get(object, name));

	return value > 0 ? (uint64_t)value : 0;
}

static void read_counters(struct top_counters *counters, const json_t *object)
{
	*counters = (struct top_counters){.rx_bytes = number(object, "rx_bytes"),
					  .tx_bytes = number(object, "tx_bytes"),
					  .rx_packets = number(object, "rx_packets"),
					  .tx_packets = number(object, "tx_packets"),
					  .dropped = number(object, "dropped")};
}

static void read_member(struct top_member *m, const char *team, const json_t *object)
{
	snprintf(m->team, sizeof(m->team), "%s", team);
	copy(m->name, object, "name");
	copy(m->state, object, "state");
	m->active = json_is_true(json_object_get(object, "active"));
	m->rate_bps = number(object, "rate_bps");
	m->use_percent = number(object, "use_percent");
	m->queued_us = number(object, "queued_us");
	m->errors = number(object, "errors");
	m->flaps = number(object, "flaps");
	read_counters(&m->counters, object);
}

/* The name of the interface's domain in the answer to "vif list". */
static const char *domain_of(const json_t *vifs, const json_t *object)
{
	for (size_t i = 0; i < json_array_size(vifs); i++) {
		const json_t *vif = json_array_get(vifs, i);

		if (json_equal(json_object_get(vif, "domid"), json_object_get(object, "domid")))
			return json_string_value(json_object_get(vif, "domain"));
	}
	return NULL;
}

static const json_t *find_drops(const json_t *teams, const char *vif)
{
	for (size_t t = 0; t < json_array_size(teams); t++) {
		const json_t *vifs = json_object_get(json_array_get(teams, t), "vifs");

		for (size_t i = 0; i < json_array_size(vifs); i++) {
			const json_t *one = json_array_get(vifs, i);
			const char *name = json_string_value(json_object_get(one, "name"));

			if (name && !strcmp(name, vif))
				return json_object_get(one, "drops");
		}
	}
	return NULL;
}

/* Why most of the frames that were lost since `old` were. */
static void find_reason(char reason[TOP_NAME_MAX], const json_t *drops, const json_t *old)
{
	uint64_t most = 0;
	const char *name;
	json_t *value;

	reason[0] = '\0';
	json_object_foreach((json_t *)(uintptr_t)drops, name, value)
	{
		const uint64_t n = number(drops, name), before = number(old, name);

		if (n <= before || n - before <= most)
			continue;
		most = n - before;
		snprintf(reason, TOP_NAME_MAX, "%s", name);
	}
}

static void read_vm(struct top_vm *vm, const char *team, const json_t *object, const json_t *vifs,
		    const json_t *before)
{
	const char *domain = domain_of(vifs, object);

	snprintf(vm->team, sizeof(vm->team), "%s", team);
	copy(vm->vif, object, "name");
	snprintf(vm->name, sizeof(vm->name), "%s", domain && *domain ? domain : vm->vif);
	copy(vm->member, object, "member");
	vm->shares = number(object, "shares");
	vm->priority = number(object, "priority");
	vm->entitled_bps = number(object, "entitled_bps");
	vm->used_bps = number(object, "tx_bps");
	vm->waiting_bytes = number(object, "waiting_bytes");
	vm->backlog = json_is_true(json_object_get(object, "backlog"));
	read_counters(&vm->counters, object);
	if (before)
		find_reason(vm->reason, json_object_get(object, "drops"),
			    find_drops(before, vm->vif));
}

static void read_teams(struct sample *sample, const json_t *vifs, const json_t *before)
{
	struct top_sample *top = &sample->top;

	for (size_t t = 0; t < top->n_teams; t++) {
		const json_t *team = json_array_get(sample->raw, t);
		const json_t *members = json_object_get(team, "members");
		const json_t *guests = json_object_get(team, "vifs");
		struct top_team *to = &top->teams[t];

		copy(to->name, team, "name");
		copy(to->mode, team, "mode");
		to->up_bps = number(team, "up_bps");
		top->members = xb_realloc(top->members, (top->n_members + json_array_size(members) +
							 1) * sizeof(*top->members));
		top->vms = xb_realloc(top->vms, (top->n_vms + json_array_size(guests) + 1) *
							sizeof(*top->vms));
		for (size_t i = 0; i < json_array_size(members); i++)
			read_member(
				memset(&top->members[top->n_members++], 0, sizeof(*top->members)),
				to->name, json_array_get(members, i));
		for (size_t i = 0; i < json_array_size(guests); i++)
			read_vm(memset(&top->vms[top->n_vms++], 0, sizeof(*top->vms)), to->name,
				json_array_get(guests, i), vifs, before);
	}
}

bool sample_take(struct sample *sample, const struct cli *cli, const json_t *vifs,
		 const struct sample *before, char error[CTL_ERROR_MAX])
{
	memset(sample, 0, sizeof(*sample));
	sample->raw = cli_ask(cli, cli->command->daemon, "top", NULL, error);
	if (!sample->raw)
		return false;
	sample->top.time_ns = clock_now(&clock_monotonic);
	sample->top.n_teams = json_array_size(sample->raw);
	sample->top.teams = xb_calloc(sample->top.n_teams + 1, sizeof(*sample->top.teams));
	read_teams(sample, vifs, before ? before->raw : NULL);
	return true;
}

void sample_free(struct sample *sample)
{
	free(sample->top.teams);
	free(sample->top.members);
	free(sample->top.vms);
	json_decref(sample->raw);
	memset(sample, 0, sizeof(*sample));
}
