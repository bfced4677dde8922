/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-guard-reserve.c - guests that fail over to the reserve members of their team, by a reaction
 * and by hand. */
#include "guard-lab.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

#define MS NSEC_PER_MSEC

/* What was announced until now, and in so many ms. */
static void drop_announcements(struct dp *dp, unsigned int ms)
{
	for (unsigned int k = 0; k < ms / 50; k++)
		dp_advance(dp, 50 * MS);
	for (unsigned int nic = 0; nic < DP_NICS; nic++)
		while (dp->nics[nic]->n_sent > 0)
			free(dp->nics[nic]->sent[--dp->nics[nic]->n_sent]);
}

static void an_attacked_guest_fails_over_to_the_reserve(void **state)
{
	struct guard_profile p = lab_profile();
	struct dp *dp = *state;
	struct vif *vif = dp->guests[0].vif;

	lab_rule(&p, ACT_SECOND_TEAM)->times = 16;
	lab_watch(dp, 0, &p);
	lab_flood(dp, 0, 2, 300); /* there is none yet */
	assert_false(lab_status(dp, 0).active[ACT_SECOND_TEAM]);
	lab_flood(dp, 0, 6, 10);
	team_reserve(&dp->worker->team, 1);
	lab_flood(dp, 0, 2, 300);
	assert_true(lab_status(dp, 0).active[ACT_SECOND_TEAM]);
	assert_true(lab_status(dp, 0).away && !lab_status(dp, 0).by_hand);
	assert_string_equal(lab_status(dp, 0).member, "nic1");
	assert_int_equal(guard_failover(vif, false), -EBUSY);
	drop_announcements(dp, 0);
	assert_int_equal(lab_on_second(dp, 0), 10);
	assert_int_equal(lab_on_second(dp, 1), 0);
	lab_flood(dp, 0, 6, 10);
	assert_false(lab_status(dp, 0).away);
	drop_announcements(dp, 2000);
	assert_int_equal(lab_on_second(dp, 0), 0);
}

static void a_guest_fails_over_by_hand(void **state)
{
	struct guard_profile p = lab_profile(), off;
	struct dp *dp = *state;
	struct vif *vif = dp->guests[0].vif;

	guard_profile_off(&off);
	lab_watch(dp, 0, &off);
	assert_int_equal(guard_failover(vif, true), -ENODEV);
	assert_int_equal(guard_failover(vif, false), 0);
	team_reserve(&dp->worker->team, 1);
	team_on_link(&dp->worker->team, 1, false, clock_now(&dp->clock));
	assert_int_equal(guard_failover(vif, true), -ENETDOWN);
	assert_false(lab_status(dp, 0).away);
	team_on_link(&dp->worker->team, 1, true, clock_now(&dp->clock));
	assert_int_equal(guard_failover(vif, true), 0);
	assert_true(lab_status(dp, 0).away && lab_status(dp, 0).by_hand);
	drop_announcements(dp, 2000);
	assert_int_equal(lab_on_second(dp, 0), 10);
	assert_int_equal(dp->worker->stats.to_reserve, 1);
	assert_int_equal(dp->worker->stats.guests_on_reserve, 1);
	/* Other profiles, and pins, change nothing about it; a list of theirs does. */
	lab_watch(dp, 0, &p);
	vif_set_pin(vif, "nic0", false);
	assert_int_equal(lab_on_second(dp, 0), 10);
	strcpy(p.second_members, "nic0");
	assert_int_equal(guard_failover(vif, true), 0);
	lab_watch(dp, 0, &p);
	assert_string_equal(lab_status(dp, 0).member, "nic0");
	assert_int_equal(guard_failover(vif, true), -EOPNOTSUPP); /* in active-backup */
	strcpy(p.second_members, "nic0 nic1");
	lab_watch(dp, 0, &p);
	assert_int_equal(guard_failover(vif, true), 0);
	assert_int_equal(guard_failover(vif, false), 0);
	assert_false(lab_status(dp, 0).away);
	drop_announcements(dp, 2000);
	assert_int_equal(lab_on_second(dp, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_attacked_guest_fails_over_to_the_reserve,
						dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(a_guest_fails_over_by_hand, dp_setup, dp_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
