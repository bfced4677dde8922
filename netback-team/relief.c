/* SPDX-License-Identifier: GPL-2.0-or-later */
/* relief.c - pauses in a shortage, see relief.h; qos_relief.c is the caller. */
#include "relief.h"

#include "util.h"

struct guest {
	uint64_t longest_ns; /* 0 = does not take part */
	uint64_t until_ns;
	uint32_t shares;
	uint8_t priority;
	bool paused;
	bool spent; /* not again while members are lost */
};

struct relief {
	uint64_t after_ns;
	uint64_t since_ns; /* short since then; 0 = it is not */
	uint64_t tick_ns;
	uint32_t max;
	uint32_t n_willing, n_paused, n_spent;
	struct guest guests[];
};

struct relief *relief_create(uint32_t max)
{
	struct relief *relief = xb_calloc(1, sizeof(*relief) + max * sizeof(relief->guests[0]));

	relief->max = max;
	return relief;
}

void relief_destroy(struct relief *relief)
{
	free(relief);
}

void relief_set_after(struct relief *relief, uint64_t after_ns)
{
	relief->after_ns = after_ns;
}

static void set_paused(struct relief *relief, struct guest *g, bool paused)
{
	relief->n_paused += (uint32_t)paused - (uint32_t)g->paused;
	g->paused = paused;
}

static void set_spent(struct relief *relief, struct guest *g, bool spent)
{
	relief->n_spent += (uint32_t)spent - (uint32_t)g->spent;
	g->spent = spent;
}

void relief_set(struct relief *relief, uint32_t guest, uint64_t longest_ns, uint8_t priority,
		uint32_t shares)
{
	struct guest *g = &relief->guests[guest];

	relief->n_willing += (longest_ns ? 1u : 0u) - (g->longest_ns ? 1u : 0u);
	g->longest_ns = longest_ns;
	g->priority = priority;
	g->shares = shares;
}

bool relief_remove(struct relief *relief, uint32_t guest)
{
	struct guest *g = &relief->guests[guest];
	const bool paused = g->paused;

	relief_set(relief, guest, 0, 0, 0);
	set_paused(relief, g, false);
	set_spent(relief, g, false);
	return paused;
}

void relief_failed(struct relief *relief, uint32_t guest)
{
	struct guest *g = &relief->guests[guest];

	set_paused(relief, g, false);
	set_spent(relief, g, true);
}

bool relief_paused(const struct relief *relief, uint32_t guest)
{
	return relief->guests[guest].paused;
}

static bool before(const struct guest *a, const struct guest *b)
{
	return a->priority != b->priority ? a->priority < b->priority : a->shares < b->shares;
}

/* Who goes on now: NULL = nobody. */
static struct guest *next_to_go_on(struct relief *relief, bool lost, uint64_t now_ns)
{
	struct guest *found = NULL;

	for (uint32_t i = 0; i < relief->max && relief->n_paused; i++) {
		struct guest *g = &relief->guests[i];

		if (g->paused && (!lost || !g->longest_ns || now_ns >= g->until_ns) &&
		    (!found || before(found, g)))
			found = g;
	}
	return found;
}

static struct guest *next_to_pause(struct relief *relief)
{
	struct guest *found = NULL;

	for (uint32_t i = 0; i < relief->max; i++) {
		struct guest *g = &relief->guests[i];

		if (g->longest_ns && !g->paused && !g->spent && (!found || before(g, found)))
			found = g;
	}
	return found;
}

/* All members are back: everybody may be paused the next time. */
static void forget(struct relief *relief)
{
	for (uint32_t i = 0; i < relief->max && relief->n_spent; i++)
		set_spent(relief, &relief->guests[i], false);
	relief->since_ns = 0;
}

struct relief_step relief_run(struct relief *relief, struct relief_team team, uint64_t now_ns)
{
	struct relief_step step = {.guest = -1};
	struct guest *g = next_to_go_on(relief, team.lost, now_ns);

	if (g) {
		set_paused(relief, g, false);
		set_spent(relief, g, team.lost);
		step.guest = (int)(g - relief->guests);
		return step;
	}
	if (now_ns < relief->tick_ns)
		return step;
	if (now_ns > relief->tick_ns + RELIEF_TICK_NS) /* nobody has looked meanwhile */
		relief->since_ns = 0;
	relief->tick_ns = now_ns + RELIEF_TICK_NS;
	if (!team.lost)
		forget(relief);
	else if (!team.waiting)
		relief->since_ns = 0;
	else if (relief->since_ns == 0)
		relief->since_ns = now_ns;
	if (relief->since_ns == 0 || now_ns - relief->since_ns < relief->after_ns)
		return step;
	g = next_to_pause(relief);
	if (!g)
		return step;
	relief->since_ns = now_ns;
	set_paused(relief, g, true);
	g->until_ns = now_ns + g->longest_ns;
	return (struct relief_step){(int)(g - relief->guests), true, g->longest_ns};
}

uint64_t relief_deadline(const struct relief *relief, struct relief_team team)
{
	if (!relief->n_paused && (!relief->n_willing || !team.lost) && !relief->n_spent)
		return DEADLINE_NEVER;
	return relief->tick_ns;
}
