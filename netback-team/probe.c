/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe.c - who is asked when, and what silence means, see probe.h; probe_frame.c has the frames.
 */
#include "probe.h"

#include <string.h>

#include "common/util.h"
#include "probe_frame.h"

void probe_init(struct probe *probe, const uint8_t id[8])
{
	memset(probe, 0, sizeof(*probe));
	memcpy(probe->id, id, sizeof(probe->id));
}

static void start(struct probe *probe, struct probe_member *m, uint64_t now_ns)
{
	memset(m->targets, 0, sizeof(m->targets));
	m->was_heard = false;
	m->next = probe->options.n_targets;
	m->due_ns = now_ns;
}

void probe_set(struct probe *probe, const struct probe_options *options, uint64_t now_ns)
{
	struct probe_options wanted;

	memcpy(&wanted, options, sizeof(wanted)); /* with its padding: it is compared as bytes */
	if (wanted.mode == PROBE_BEACON)
		wanted.n_targets = 1;
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
	if (!memcmp(&wanted, &probe->options, sizeof(wanted)))
		return;
	memcpy(&probe->options, &wanted, sizeof(wanted));
	probe->on = wanted.mode != PROBE_OFF && wanted.n_targets > 0;
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		probe->members[i].dead = false;
		start(probe, &probe->members[i], now_ns);
	}
}

void probe_member(struct probe *probe, int member, const uint8_t *mac, uint64_t now_ns)
{
	struct probe_member *m = &probe->members[member];

	if (m->on == (mac != NULL) && (!mac || !memcmp(m->mac, mac, 6)))
		return;
	m->on = mac != NULL;
	if (mac)
		memcpy(m->mac, mac, 6);
	start(probe, m, now_ns);
}

void probe_forget(struct probe *probe, int member)
{
	memset(&probe->members[member], 0, sizeof(probe->members[member]));
}

/* Did some member but this one hear a beacon in its last interval? */
static bool others_hear(const struct probe *probe, const struct probe_member *self)
{
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		const struct probe_member *m = &probe->members[i];

		if (m != self && m->on && m->targets[0].good > 0)
			return true;
	}
	return false;
}

static unsigned int voices(const struct probe *probe, uint64_t now_ns)
{
	unsigned int n = probe->peer_ns && now_ns - probe->peer_ns < PROBE_PEER_NS;

	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		n += probe->members[i].on;
	return n;
}

/* What the interval that ends brought, target by target. */
static void count(struct probe_target *t, bool answered)
{
	if (!t->asked)
		return;
	t->missed = answered ? 0 : t->missed + 1;
	t->good = answered ? t->good + 1 : 0;
	t->asked = t->answered = false;
}

static void judge(struct probe *probe, struct probe_member *m, uint64_t now_ns)
{
	const struct probe_options *options = &probe->options;
	const bool beacon = options->mode == PROBE_BEACON;
	const bool unheard = beacon && !m->was_heard && others_hear(probe, m);
	unsigned int n_alive = 0;

	for (unsigned int i = 0; i < options->n_targets; i++) {
		struct probe_target *t = &m->targets[i];

		count(t, t->answered && !unheard);
		n_alive += m->dead ? t->good >= options->missed : t->missed < options->missed;
	}
	m->was_heard = false;
	m->dead = options->all ? n_alive < options->n_targets : n_alive == 0;
	if (beacon && voices(probe, now_ns) < PROBE_VOICES)
		m->dead = false;
}

int probe_next(struct probe *probe, uint64_t now_ns, uint8_t frame[PROBE_FRAME_MAX], size_t *len)
{
	const struct probe_options *options = &probe->options;

	for (int i = 0; probe->on && i < TEAM_MEMBERS_MAX; i++) {
		struct probe_member *m = &probe->members[i];
		struct probe_target *t;

		if (!m->on || (m->next == options->n_targets && now_ns < m->due_ns))
			continue;
		if (m->next == options->n_targets) {
			judge(probe, m, now_ns);
			m->next = 0;
			/* A loop that was late asks once, not for all that it missed. */
			m->due_ns = now_ns + options->interval_ns;
		}
		t = &m->targets[m->next];
		*len = probe_frame_make(probe, i, m->next++, frame);
		t->asked = true;
		m->n_sent++;
		return i;
	}
	return -1;
}

bool probe_receive(struct probe *probe, int member, const uint8_t *frame, size_t len,
		   uint64_t now_ns)
{
	struct probe_answer answer = probe_frame_read(probe, member, frame, len);
	struct probe_member *m = &probe->members[member];

	switch (answer.kind) {
	case PROBE_FRAME_FOREIGN:
		return false;
	case PROBE_FRAME_OURS:
		return true;
	case PROBE_FRAME_PEER:
		probe->peer_ns = now_ns;
		break;
	case PROBE_FRAME_BEACON:
		probe->members[answer.member].was_heard = true;
		break;
	case PROBE_FRAME_ANSWER:
		memcpy(m->targets[answer.target].mac, frame + 6, 6);
		m->targets[answer.target].known = true;
		break;
	}
	m->targets[answer.target].answered = true;
	m->n_answers++;
	return true;
}

/* Did it get an answer in its last interval? */
static bool answers(const struct probe *probe, const struct probe_member *m)
{
	unsigned int n_good = 0;

	for (unsigned int i = 0; i < probe->options.n_targets; i++)
		n_good += m->targets[i].good > 0;
	return probe->options.all ? n_good == probe->options.n_targets : n_good > 0;
}

/* A member is dead where another one is not: else the target may be gone. That takes an answer of
 * another one at first, and all others' death to be doubted again. */
static bool is_dead(const struct probe *probe, const struct probe_member *m)
{
	unsigned int n_others = 0, n_good = 0;

	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		const struct probe_member *other = &probe->members[i];

		if (other == m || !other->on)
			continue;
		n_others++;
		n_good += !other->dead && (m->told || answers(probe, other));
	}
	return m->dead && (n_good > 0 || n_others == 0);
}

int probe_verdict(struct probe *probe, bool *alive)
{
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		struct probe_member *m = &probe->members[i];
		const bool dead = is_dead(probe, m);

		if (dead == m->told)
			continue;
		m->told = dead;
		*alive = !dead;
		return i;
	}
	return -1;
}

uint64_t probe_deadline(const struct probe *probe)
{
	uint64_t deadline = DEADLINE_NEVER;

	for (unsigned int i = 0; probe->on && i < TEAM_MEMBERS_MAX; i++) {
		const struct probe_member *m = &probe->members[i];

		if (m->on)
			deadline =
				MIN(deadline, m->next < probe->options.n_targets ? 0 : m->due_ns);
	}
	return deadline;
}
