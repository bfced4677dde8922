/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * damp.h - a member that comes and goes is kept out until it has been quiet. Pure.
 *
 * Theory of Operation: the method of RFC 2439 (route flap damping). Each flap adds DAMP_FLAP to a
 * penalty, which halves every half_life. When a flap brings it above the cut-off, the member is
 * suppressed, until the penalty has fallen to DAMP_REUSE. The cut-off lies half a flap below
 * `suppress` flaps, so that so many of them count although the first ones have decayed a little
 * meanwhile. The penalty has a ceiling: from there it falls to DAMP_REUSE within max.
 */
#ifndef XB_NET_DAMP_H
#define XB_NET_DAMP_H

#include <stdbool.h>
#include <stdint.h>

#define DAMP_FLAP  1000u
#define DAMP_REUSE 500u

struct damp_options {
	bool on;
	uint64_t half_life_ns; /**< > 0 */
	uint64_t suppress;     /**< flaps, >= 2 */
	uint64_t max_ns;       /**< nobody is suppressed longer after its last flap */
};

struct damp {
	uint64_t penalty; /**< at at_ns */
	uint64_t at_ns;
	bool suppressed;
};

/** The member went. Off: nothing is noted. */
void damp_flap(struct damp *damp, const struct damp_options *options, uint64_t now_ns);
/** Is it to be kept out? Also false once damping was turned off. */
bool damp_holds(struct damp *damp, const struct damp_options *options, uint64_t now_ns);
/** When damp_holds turns false without further flaps; now_ns where it is false already. */
uint64_t damp_until(const struct damp *damp, const struct damp_options *options, uint64_t now_ns);
/** The penalty of this moment. */
uint64_t damp_penalty(const struct damp *damp, const struct damp_options *options, uint64_t now_ns);

#endif
