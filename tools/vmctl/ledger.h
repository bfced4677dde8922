/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ledger.h - what xenback-vmctl remembers of guests: who is paused until when and for which
 * reasons, and how often something was done to each lately. Pure; the pauses as text go into a
 * file, so that a successor ends them.
 *
 * How often: `times` at once, and one more every interval/times (a token bucket).
 */
#ifndef XB_VMCTL_LEDGER_H
#define XB_VMCTL_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Guests that are remembered; the least used one is forgotten first, a paused one never. */
#define LEDGER_VMS 256
/** A UUID with its end. */
#define LEDGER_UUID 37
/** Bytes of the pauses as text, with the end. */
#define LEDGER_TEXT_MAX (LEDGER_VMS * LEDGER_REASONS * 100 + 1)
/** Reasons for which a guest may be paused at a time. */
#define LEDGER_REASONS 8
/** A reason with its end: VMCTL_REASON_MAX characters. */
#define LEDGER_REASON 32

struct ledger_reason {
	char text[LEDGER_REASON]; /**< "" = of somebody who gave none */
	uint64_t until_ns;
};

struct ledger_vm {
	char uuid[LEDGER_UUID];
	uint16_t domid;	   /**< of a paused one */
	uint64_t since_ns; /**< and since when */
	uint64_t until_ns; /**< it is to go on then: when the last reason ends; 0 = not paused */
	struct ledger_reason reasons[LEDGER_REASONS];
	unsigned int n_reasons;
	uint64_t used_up_ns; /**< when all it may do is available again */
};

struct ledger {
	struct ledger_vm vms[LEDGER_VMS];
	size_t n;
	uint64_t used_up_ns; /**< of all of them together */
};

/** How often: times >= 1, interval_ns >= times. */
struct ledger_rate {
	uint64_t times, interval_ns;
};

void ledger_init(struct ledger *ledger);

/**
 * Something is to be done: to the guest, which may have its share of it (vm), and as part of all
 * that is done (all). uuid NULL: to no guest that is there, vm does not count. 0, and it is booked;
 * -EAGAIN: too often, *wait_ns until it may be; -ENOSPC: LEDGER_VMS are paused.
 */
int ledger_book(struct ledger *ledger, const char *uuid, const struct ledger_rate *vm,
		const struct ledger_rate *all, uint64_t now_ns, uint64_t *wait_ns);

/** Remembers a pause, or a further reason for one; until_ns > 0. Also moves the end of a reason.
 * -ENOSPC: LEDGER_VMS are paused; -EUSERS: this one is, for LEDGER_REASONS. */
int ledger_pause(struct ledger *ledger, const char *uuid, uint16_t domid, const char *reason,
		 uint64_t now_ns, uint64_t until_ns);
/** It could not be ended: it is due again then. */
void ledger_retry(struct ledger *ledger, const char *uuid, uint64_t when_ns);
/** It is over, for all reasons. */
void ledger_unpause(struct ledger *ledger, const char *uuid);
/** This reason is gone; with the last one the pause. */
void ledger_forget(struct ledger *ledger, const char *uuid, const char *reason);
/** NULL: the guest is not paused for this. */
const struct ledger_reason *ledger_reason(const struct ledger_vm *vm, const char *reason);
/** NULL: not paused. */
const struct ledger_vm *ledger_paused(const struct ledger *ledger, const char *uuid);
/** The i-th paused one from 0, NULL past the last. */
const struct ledger_vm *ledger_nth_paused(const struct ledger *ledger, size_t i);
/** One whose time is up; NULL = none. */
const struct ledger_vm *ledger_due(const struct ledger *ledger, uint64_t now_ns);
/** When the next time is up; DEADLINE_NEVER (util.h) = nobody is paused. */
uint64_t ledger_deadline(const struct ledger *ledger);

/** The pauses, a line for each reason: UUID, domid, until_ns of CLOCK_MONOTONIC, reason. */
void ledger_format(const struct ledger *ledger, char text[LEDGER_TEXT_MAX]);
/** Takes them over. None is longer than max_ns from now_ns. Returns how many lines were wrong. */
unsigned int ledger_parse(struct ledger *ledger, const char *text, size_t size, uint64_t now_ns,
			  uint64_t max_ns);

#endif
