/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard-lab.h - guests of a worker (datapath.h) that are watched and attacked, for tests. */
#ifndef XB_TEST_GUARD_LAB_H
#define XB_TEST_GUARD_LAB_H

#include "datapath.h"

/* Packets over 100 a second are an attack at once, which is over after a second. */
struct guard_profile lab_profile(void);
/* Enables a reaction: at once, for as long as the attack lasts. */
struct act_rule *lab_rule(struct guard_profile *p, enum act_action action);
void lab_watch(struct dp *dp, unsigned int i, const struct guard_profile *p);
struct guard_status lab_status(struct dp *dp, unsigned int i);
/* n frames for the guest from outside, then a millisecond; how many it got at once. */
unsigned int lab_to_guest(struct dp *dp, unsigned int i, unsigned int n);
/* Seconds with `rate` packets each for guest i. */
unsigned int lab_flood(struct dp *dp, unsigned int i, unsigned int seconds, unsigned int rate);
/* Of ten frames of guest i, how many nic 1 sends. */
unsigned int lab_on_second(struct dp *dp, unsigned int i);

#endif
