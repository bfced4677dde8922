/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * team-lab.h - a team under observation, for tests; times in ms.
 *
 * The observer writes each change into a trail, "b:standby>active a>b(link down)", which tests
 * compare as a whole.
 */
#ifndef XB_TEST_TEAM_LAB_H
#define XB_TEST_TEAM_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include "common/util.h"
#include "netback-team/team.h"

#define MS NSEC_PER_MSEC
#define AB 0 /* rows of the policy table */
#define RR 1

struct lab {
	struct team team;
	struct team_options options;
	char trail[1024];
};

/* Members a, b, c ... of priority ten times these digits, links down; options as they stand in lab.
 */
void lab_setup(struct lab *lab, const char *priorities);
void lab_link_at(struct lab *lab, const char *name, bool up, uint64_t ms);
/* What happened since the last call. */
void lab_expect(struct lab *lab, const char *trail);
void lab_run_at(struct lab *lab, uint64_t ms, const char *trail);
/* 0: never. */
void lab_deadline_is(const struct lab *lab, uint64_t ms);
/* Gives the team lab->options. */
void lab_set_options(struct lab *lab, uint64_t ms);

#endif
