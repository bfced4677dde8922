/* SPDX-License-Identifier: GPL-2.0-or-later */
/* team-lab.c - a team under observation, see team-lab.h. */
#include "team-lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const char *name_of(const struct team *team, int member)
{
	return member < 0 ? "-" : team->members[member].name;
}

static void on_member(void *ctx, struct team *team, int member, enum team_member_state old)
{
	struct lab *lab = ctx;
	const size_t at = strlen(lab->trail);

	snprintf(lab->trail + at, sizeof(lab->trail) - at, "%s%s:%s>%s", at ? " " : "",
		 name_of(team, member), team_member_state_name(old),
		 team_member_state_name(team->members[member].state));
}

static void on_active(void *ctx, struct team *team, int old, int new, const char *reason)
{
	struct lab *lab = ctx;
	const size_t at = strlen(lab->trail);

	assert_int_equal(team->active, new);
	snprintf(lab->trail + at, sizeof(lab->trail) - at, "%s%s>%s(%s)", at ? " " : "",
		 name_of(team, old), name_of(team, new), reason);
}

void lab_setup(struct lab *lab, const char *priorities)
{
	struct team_observer observer = {.member = on_member, .active = on_active, .ctx = lab};
	const struct team_options options = lab->options;
	char name[2] = "a";

	memset(lab, 0, sizeof(*lab));
	lab->options = options;
	team_init(&lab->team, "t", &lab->options, &observer);
	for (; *priorities; priorities++, name[0]++)
		assert_true(team_add(&lab->team, name, (uint8_t)((*priorities - '0') * 10), lab) >=
			    0);
}

void lab_link_at(struct lab *lab, const char *name, bool up, uint64_t ms)
{
	team_on_link(&lab->team, team_find(&lab->team, name), up, ms * MS);
}

void lab_expect(struct lab *lab, const char *trail)
{
	assert_string_equal(lab->trail, trail);
	lab->trail[0] = '\0';
}

void lab_run_at(struct lab *lab, uint64_t ms, const char *trail)
{
	team_run(&lab->team, ms * MS);
	lab_expect(lab, trail);
}

void lab_deadline_is(const struct lab *lab, uint64_t ms)
{
	assert_int_equal(team_deadline(&lab->team), ms ? ms * MS : DEADLINE_NEVER);
}

void lab_set_options(struct lab *lab, uint64_t ms)
{
	team_set_options(&lab->team, &lab->options, ms * MS);
}
