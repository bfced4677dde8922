/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dos_keys.c - rows of the key table of profiles, see dos_keys.h. Their defaults are those of
 * dos_options_default and act_options_default (tests/unit/test-dos-keys.c compares). */
#include "dos_keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

#define MANY 1000000000
#define HOUR (3600 * NSEC_PER_SEC)

static const char *const mode_names[] = {"fixed", "adaptive", NULL};
static const char *const when_names[] = {"to-guest", "from-guest", "both", NULL};

#define PROFILE(member) offsetof(struct guard_profile, member)

/* Thresholds of a metric for both directions. */
#define THRESHOLDS(metric, name, type, max, to, from, what)                                        \
	{"to_" name, type, PROFILE(detect.threshold[DOS_TO_GUEST][metric]),	  0, max, NULL,    \
	 to,	     true, "To the guest: threshold of " what "; 0 = not judged."},                \
	{                                                                                          \
		"from_" name, type, PROFILE(detect.threshold[DOS_FROM_GUEST][metric]), 0, max,     \
			NULL, from, true, "From the guest: threshold of " what "; 0 = not judged." \
	}

/* When a reaction happens, and how often. */
#define REACTION(action, name, on, when_default, times_default, interval_default, what)            \
	{name, KEY_TYPE_BOOL, PROFILE(react.rules[action].enable), 0, 0, NULL, on, true, what},    \
		{name "_when",                                                                     \
		 KEY_TYPE_ENUM,                                                                    \
		 PROFILE(react.rules[action].when),                                                \
		 0,                                                                                \
		 0,                                                                                \
		 when_names,                                                                       \
		 when_default,                                                                     \
		 true,                                                                             \
		 "Which attacks `" name "` answers: those on the guest, those by it, or both."},   \
		{name "_times",                                                                    \
		 KEY_TYPE_U64,                                                                     \
		 PROFILE(react.rules[action].times),                                               \
		 1,                                                                                \
		 ACT_TIMES_MAX,                                                                    \
		 NULL,                                                                             \
		 times_default,                                                                    \
		 true,                                                                             \
		 "`" name "` happens at most so often in `" name "_interval`."},                   \
	{                                                                                          \
		name "_interval", KEY_TYPE_DURATION, PROFILE(react.rules[action].interval_ns),     \
			NSEC_PER_SEC, 24 * HOUR, NULL, interval_default, true,                     \
			"See `" name "_times`."                                                    \
	}

#define AFTER(action, name, after)                                                                 \
	{                                                                                          \
		name "_after", KEY_TYPE_DURATION, PROFILE(react.rules[action].after_ns), 0, HOUR,  \
			NULL, after, true, "How long an attack lasts before `" name "` begins."    \
	}

/* How long a reaction lasts that is taken back. */
#define LASTS(action, name, least, most)                                                           \
	{name "_min",                                                                              \
	 KEY_TYPE_DURATION,                                                                        \
	 PROFILE(react.rules[action].min_ns),                                                      \
	 0,                                                                                        \
	 24 * HOUR,                                                                                \
	 NULL,                                                                                     \
	 least,                                                                                    \
	 true,                                                                                     \
	 "`" name "` lasts so long at least."},                                                    \
	{                                                                                          \
		name "_max", KEY_TYPE_DURATION, PROFILE(react.rules[action].max_ns), 0, 24 * HOUR, \
			NULL, most, true,                                                          \
			"`" name "` is taken back after so long at the latest; 0 = when the "      \
			"attack is over."                                                          \
	}

static const struct key dos_keys[] = {
	{"enable", KEY_TYPE_BOOL, PROFILE(detect.enable), 0, 0, NULL, "yes", true,
	 "Watch for attacks; no: guests of this profile cost nothing."},
	{"dry_run", KEY_TYPE_BOOL, PROFILE(react.dry_run), 0, 0, NULL, "no", true,
	 "Decide and remember everything (`xenbackctl dos show`), but tell and do nothing."},
	{"whitelist", KEY_TYPE_STRING, PROFILE(react.whitelist), 0, ACT_WHITELIST_MAX - 1, NULL, "",
	 true,
	 "Address blocks such as 10.0.0.0/8 or 2001:db8::/32, separated by spaces. Alarms of which "
	 "at least half the packets come from (or go to) them are ignored."},
	{"mode", KEY_TYPE_ENUM, PROFILE(detect.meter.mode), 0, 0, mode_names, "adaptive", true,
	 "fixed: thresholds are what the keys say; adaptive: these are the least, and what is "
	 "usual "
	 "for the guest raises them, up to `ceiling` times."},
	{"deviations", KEY_TYPE_U64, PROFILE(detect.meter.deviations), 1, 20, NULL, "5", true,
	 "Adaptive: the threshold is the mean and so many standard deviations."},
	{"learn", KEY_TYPE_DURATION, PROFILE(detect.meter.learn_ns), 0, HOUR, NULL, "60s", true,
	 "Adaptive: how long is learned before thresholds fall from their ceiling."},
	{"ceiling", KEY_TYPE_U64, PROFILE(detect.meter.ceiling), 1, 1000, NULL, "10", true,
	 "Adaptive: thresholds rise to so many times the keys' values at most."},
	{"alarm_n", KEY_TYPE_U64, PROFILE(detect.meter.n), 1, 8, NULL, "3", true,
	 "An alarm needs so many of the last `alarm_m` seconds over the threshold."},
	{"alarm_m", KEY_TYPE_U64, PROFILE(detect.meter.m), 1, 8, NULL, "5", true, "See `alarm_n`."},
	{"fast_factor", KEY_TYPE_U64, PROFILE(detect.meter.fast_factor), 0, 1000, NULL, "4", true,
	 "Tenths of a second count, too, when they are over so many times the threshold; 0 = they "
	 "never do."},
	{"fast_n", KEY_TYPE_U64, PROFILE(detect.meter.fast_n), 1, 8, NULL, "5", true,
	 "As `alarm_n`, of tenths of a second."},
	{"fast_m", KEY_TYPE_U64, PROFILE(detect.meter.fast_m), 1, 8, NULL, "8", true,
	 "As `alarm_m`, of tenths of a second."},
	{"clear_percent", KEY_TYPE_U64, PROFILE(detect.meter.clear_percent), 10, 95, NULL, "60",
	 true, "An alarm ends when for `clear_time` nothing reached so much of its threshold."},
	{"clear_time", KEY_TYPE_DURATION, PROFILE(detect.meter.clear_ns), NSEC_PER_SEC, HOUR, NULL,
	 "30s", true, "See `clear_percent`."},
	{"syn_min", KEY_TYPE_U64, PROFILE(detect.syn_min), 1, MANY, NULL, "500", true,
	 "SYN a second from which on their ratio is judged (`to_syn_ratio`, `from_syn_ratio`)."},
	{"entropy_min", KEY_TYPE_U64, PROFILE(detect.entropy_min), 50, MANY, NULL, "5000", true,
	 "Unanswered packets a second from which on their entropy is judged."},
	THRESHOLDS(DOS_PPS, "pps", KEY_TYPE_U64, MANY, "1000000", "1000000", "packets a second"),
	THRESHOLDS(DOS_BPS, "bps", KEY_TYPE_RATE, 1000000000000, "none", "none",
		   "bits a second on the wire"),
	THRESHOLDS(DOS_FLOWS, "flows", KEY_TYPE_U64, MANY, "5000", "5000", "new flows a second"),
	THRESHOLDS(DOS_SYN, "syn", KEY_TYPE_U64, MANY, "5000", "5000", "TCP SYN a second"),
	THRESHOLDS(DOS_SYN_RATIO, "syn_ratio", KEY_TYPE_U64, 1000000, "300", "300",
		   "SYN for each 100 SYN-ACK that come back"),
	THRESHOLDS(DOS_HALF_OPEN, "half_open", KEY_TYPE_U64, MANY, "2000", "2000",
		   "connections begun and not completed"),
	THRESHOLDS(DOS_RST, "rst", KEY_TYPE_U64, MANY, "2000", "2000",
		   "TCP RST a second that come back"),
	THRESHOLDS(DOS_UNREACH, "unreach", KEY_TYPE_U64, MANY, "500", "500",
		   "ICMP unreachable a second that come back"),
	THRESHOLDS(DOS_CLOSED, "closed", KEY_TYPE_U64, MANY, "300", "300",
		   "UDP to closed ports a second, as ICMP tells"),
	THRESHOLDS(DOS_FRAGMENTS, "fragments", KEY_TYPE_U64, MANY, "20000", "20000",
		   "IP fragments a second"),
	THRESHOLDS(DOS_SOURCES, "sources", KEY_TYPE_U64, MANY, "8192", "256",
		   "different source addresses in a second (routers have many)"),
	THRESHOLDS(DOS_ENTROPY, "entropy", KEY_TYPE_U64, 800, "200", "200",
		   "the change, in 1/100 bit, of the entropy of sources whose packets nobody "
		   "answers"),
	THRESHOLDS(DOS_UNANSWERED, "unanswered", KEY_TYPE_U64, MANY, "10000", "20000",
		   "packets a second between addresses where the other side never answers"),
	THRESHOLDS(DOS_SMALL, "small", KEY_TYPE_U64, MANY, "50000", "50000",
		   "small packets a second that no large ones of the other side explain"),
	THRESHOLDS(DOS_DROPS, "drops", KEY_TYPE_U64, MANY, "20000", "20000",
		   "packets a second for which the ring had no room"),
	THRESHOLDS(DOS_SPOOFED, "spoofed", KEY_TYPE_U64, MANY, "0", "50",
		   "packets a second whose source is not the guest's"),
	REACTION(ACT_ALERT, "alert", "yes", "both", "16", "1min", "Log an alarm."),
	REACTION(ACT_HOOK, "hook", "no", "both", "16", "1min",
		 "Run `hook_program` when an alarm begins and when it ends."),
	{"hook_program", KEY_TYPE_STRING, PROFILE(hook_program), 0, GUARD_HOOK_MAX - 1, NULL,
	 "dos-alarm", true,
	 "Program in /etc/xenback/hooks that gets the alarm as JSON on its standard input."},
	REACTION(ACT_LIMIT, "limit", "no", "both", "6", "1min",
		 "Drop what is over `limit_pps` and `limit_bps`, in the direction of the attack."),
	AFTER(ACT_LIMIT, "limit", "0"),
	LASTS(ACT_LIMIT, "limit", "10s", "0"),
	{"limit_pps", KEY_TYPE_U64, PROFILE(react.limit_pps), 0, MANY, NULL, "20000", true,
	 "Packets a second that `limit` lets pass; 0 = it does not look at packets."},
	{"limit_bps", KEY_TYPE_RATE, PROFILE(react.limit_bps), 0, 1000000000000, NULL, "100Mbit",
	 true, "Bits a second that `limit` lets pass; none = it does not look at bits."},
	REACTION(ACT_DELAY, "delay", "no", "to-guest", "6", "1min",
		 "Deliver to the guest, and interrupt it, every `delay_time` only."),
	AFTER(ACT_DELAY, "delay", "2s"),
	LASTS(ACT_DELAY, "delay", "10s", "0"),
	{"delay_time", KEY_TYPE_DURATION, PROFILE(react.delay_ns), 100 * NSEC_PER_USEC,
	 100 * NSEC_PER_MSEC, NULL, "5ms", true, "See `delay`."},
	REACTION(ACT_SECOND_TEAM, "second_team", "no", "to-guest", "4", "1h",
		 "Move the guest to the team's `reserve_members`, or bind it to "
		 "`second_team_members`."),
	AFTER(ACT_SECOND_TEAM, "second_team", "5s"),
	LASTS(ACT_SECOND_TEAM, "second_team", "1min", "0"),
	{"second_team_members", KEY_TYPE_STRING, PROFILE(second_members), 0, PIN_LIST_MAX, NULL, "",
	 true,
	 "Members of the team, some of its reserve or others (not these in active-backup), that "
	 "carry an attacked guest's frames, in fallback order; empty = its reserve."},
	REACTION(ACT_PAUSE, "pause", "no", "from-guest", "3", "1h",
		 "Pause the guest. Who pauses the victim completes the attack."),
	AFTER(ACT_PAUSE, "pause", "10s"),
	LASTS(ACT_PAUSE, "pause", "5s", "1min"),
	REACTION(ACT_MIGRATE, "migrate", "no", "to-guest", "1", "1h",
		 "Migrate the guest to `migrate_host`, once in an attack."),
	AFTER(ACT_MIGRATE, "migrate", "1min"),
	{"migrate_host", KEY_TYPE_STRING, PROFILE(migrate_host), 0, GUARD_HOST_MAX - 1, NULL, "",
	 true, "Where `migrate` moves the guest; xenback-vmctl has to allow it."},
};
const struct key_table dos_key_table = {"dos", NETBACK_DOS_PATH "/NAME", dos_keys,
					ARRAY_SIZE(dos_keys), sizeof(struct guard_profile)};

static bool is_program(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/');
}

int dos_keys_check(const struct guard_profile *profile, char error[KEY_ERROR_MAX])
{
	const char *wrong = dos_options_check(&profile->detect);
	char why[ACT_ERROR_MAX];
	struct pin scratch;

	if (wrong) {
		snprintf(error, KEY_ERROR_MAX, "%s", wrong);
		return -EINVAL;
	}
	if (act_options_check(&profile->react, why) < 0) {
		snprintf(error, KEY_ERROR_MAX, "%s", why);
		return -EINVAL;
	}
	if (!is_program(profile->hook_program)) {
		snprintf(error, KEY_ERROR_MAX,
			 "hook_program: \"%s\": allowed is the name of a file, without a "
			 "directory, not beginning with a dot",
			 profile->hook_program);
		return -EINVAL;
	}
	if (!pin_set(&scratch, profile->second_members, false)) {
		snprintf(error, KEY_ERROR_MAX,
			 "second_team_members: \"%.64s\": allowed are up to %d different interface "
			 "names, separated by spaces",
			 profile->second_members, TEAM_MEMBERS_MAX);
		return -EINVAL;
	}
	if (profile->react.rules[ACT_MIGRATE].enable && !profile->migrate_host[0]) {
		snprintf(error, KEY_ERROR_MAX, "migrate: migrate_host must be set, too");
		return -EINVAL;
	}
	return 0;
}
