/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dos_meter.h - one figure of a guest, watched: a fixed or learned threshold, and an alarm that
 * neither flickers nor teaches. For dos.[ch]. Pure.
 *
 * Theory of Operation: a value comes each second (dos_meter_tick), and ten times a second a faster
 * one (dos_meter_fast). The alarm is raised when n of the last m values were over the threshold,
 * and cleared when for clear_ns none reached clear_percent of the threshold that raised it. Fast
 * values count only from fast_factor times the threshold on, so that an overwhelming attack is seen
 * in half a second and a burst of some tenths is not.
 *
 * Learned: threshold = max(floor, mean + deviations * sd), of an exponentially weighted mean and
 * variance over 64 values (the plain ones over as many as there are, in the beginning). Values over
 * the threshold teach nothing, nor does any value while the caller says `freeze` (an alarm
 * anywhere about the guest). The threshold never exceeds ceiling * floor: who raises his rate
 * slowly cannot teach us more than that. It stands there while too little is known (learn_ns).
 * Two-sided meters watch the distance from the mean, in both directions.
 */
#ifndef XB_NET_DOS_METER_H
#define XB_NET_DOS_METER_H

#include <stdbool.h>
#include <stdint.h>

enum dos_mode {
	DOS_MODE_FIXED,	   /**< the thresholds are those of the configuration */
	DOS_MODE_ADAPTIVE, /**< those are the least, the guest's usual traffic raises them */
};

/** How all meters of a guest judge: part of struct dos_options. */
struct dos_meter_options {
	int mode;		 /**< enum dos_mode; default adaptive */
	uint64_t deviations;	 /**< k of mean + k * sd: 1 to 20, default 5 */
	uint64_t learn_ns;	 /**< learning before thresholds fall from their ceiling: 0 to 1 h,
				    default 60 s */
	uint64_t ceiling;	 /**< highest threshold in floors: 1 to 1000, default 10 */
	uint64_t n, m;		 /**< of m values n must be over: 1 to 8, n <= m; default 3 of 5 */
	uint64_t fast_factor;	 /**< for values of 100 ms: 1 to 1000, 0 = ignore them; default 4 */
	uint64_t fast_n, fast_m; /**< 1 to 8, n <= m; default 5 of 8 */
	uint64_t clear_percent;	 /**< of the threshold: 10 to 95, default 60 */
	uint64_t clear_ns;	 /**< 1 s to 1 h, default 30 s */
};

struct dos_meter {
	double mean, var;
	uint64_t since_ns;	 /**< of the first value; 0 = none yet */
	uint64_t n_learned;	 /**< values that taught */
	uint64_t value, peak;	 /**< last one; highest of this alarm */
	uint64_t threshold;	 /**< in force now; that of its beginning during an alarm */
	uint64_t raised_ns;	 /**< when the alarm was */
	uint64_t high_ns;	 /**< when a value last was too high for the alarm to be cleared */
	uint8_t over, fast_over; /**< one bit a value: was it over? The last one is bit 0 */
	bool alarm;
};

enum dos_change {
	DOS_CHANGE_NONE,
	DOS_CHANGE_RAISED,
	DOS_CHANGE_CLEARED,
};

/** The defaults above. */
void dos_meter_defaults(struct dos_meter_options *options);
/** What is wrong with the options, a static text; NULL when they are good. */
const char *dos_meter_check(const struct dos_meter_options *options);

/** How a value of one second is to be taken. */
struct dos_reading {
	uint64_t value;
	uint64_t floor; /**< least threshold, > 0 */
	bool two_sided; /**< judge the distance from the mean, which must be known (learn_ns) */
	bool adaptive;	/**< false: fixed, whatever the mode is */
	bool freeze;	/**< learn nothing from it */
	bool idle;	/**< too little was seen to judge; it still teaches */
	bool partial;	/**< there was more than was seen: an alarm does not end by it */
};

/** A value of one second. */
enum dos_change dos_meter_tick(struct dos_meter *meter, const struct dos_meter_options *options,
			       const struct dos_reading *reading, uint64_t now_ns);
/** A value of 100 ms, as much as it would be in a second. Never clears, never learns. floor: until
 * there was a value of a second. */
enum dos_change dos_meter_fast(struct dos_meter *meter, const struct dos_meter_options *options,
			       uint64_t value, uint64_t floor, uint64_t now_ns);
/** Standard deviation of what was learned. */
uint64_t dos_meter_sd(const struct dos_meter *meter);
/** Forgets everything: learning begins anew, an alarm ends without a word. */
void dos_meter_reset(struct dos_meter *meter);

#endif
