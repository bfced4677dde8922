/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * coalesce-world.h - the merging engine between a guest, a host and a device that are simulated.
 *
 * Theory of Operation
 * A world draws a plan (groups of requests), then repeats random steps: the guest queues requests,
 * sees completions and reacts to them; the daemon makes a pass in vusb.c's order (ring, release,
 * ends, issue); the host carries out transfers packet by packet, in order, and ends are told late
 * and in any order; time passes. A request in a group `sg` behaves as one of Linux's usb_sg_init():
 * when a member fails (or ends short with SHORT_NOT_OK) the guest unlinks the rest of the group.
 *
 * Two kinds of runs:
 * - *exact*: first a reference model without merging, one transfer a request, one at a time,
 * stopped by a failure until the guest has reacted, is run against the device; what the device did
 *   (packets, stalls, errors, pauses) is recorded and is the script of the run with the engine.
 *   Every request must end with the same status and the same bytes in both. The host stops its
 *   queue at a failure until the cancels that follow from it were heard. There are no unlinks but
 *   those of groups; batches are taken back, recalled and cancelled at random all the same.
 * - *race*: the device decides as it goes; requests are unlinked at any time, destinations flushed,
 *   submits fail, the host goes on behind a failure until the cancel arrives. There must be an
 *   unmerged order of events which gives the guest what it got:
 *   - IN: the packets that the device sent, in order, are the requests' bytes, in order, each byte
 *     once. A request that ends short took a short or empty packet as its last; one that is full or
 *     was unlinked (by flush: ended) took none but as its very end; a failure is the device's next
 *     event after the bytes.
 *   - OUT: the packets that the device took, in order, are the requests' packets, in order: full
 *     ones, then the rest; an empty request is an empty packet; after an unlink whole packets of
 * it.
 *   - Completions that are neither unlinked nor flushed come in the order of the requests.
 *   - Failures that have no event of their own: -EINVAL when the submit failed; OUT -EPROTO with
 *     nothing moved where the host went on behind a failure (order would be lost). The reverse,
 *     events that no request tells of: those that hit a transfer, before its first byte, which was
 *     begun behind a failure that the guest had not heard of.
 *
 * Where the unmerged order is wrong, so that the reference differs (usb.md 3.1): a SHORT_NOT_OK
 * request whose length is no multiple of the packet size, followed by more of its group. The
 * unmerged host would report babble for the packet that lies across the border. In runs with
 * `straddle` the reference takes such requests in one transfer, up to the next whole packet; in the
 * others the device ends packets at such borders. Nor may a device wait for the guest's reaction to
 * a part of a SHORT_NOT_OK chain; for the reaction to any other request it may (pauses of kind
 * GATE).
 *
 * Always: what issue returns obeys the merge rules (stated again, independently, in
 * coalesce-oracle.c); nothing is in flight with a transfer that has a SHORT_NOT_OK member; nothing
 * is issued while the guest has not heard of a failure; every request completes once, every batch
 * retires once, counters add up; everything ends while the device lives; and with a device that
 * keeps silent for ever each unlink is answered without any other.
 */
#ifndef XB_TEST_COALESCE_WORLD_H
#define XB_TEST_COALESCE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "usbback/coalesce.h"

#define WORLD_URBS    96u
#define WORLD_LENGTH  8192u /**< of a request at most */
#define WORLD_ITEMS   8192u
#define WORLD_BYTES   (WORLD_URBS * WORLD_LENGTH)
#define WORLD_CANCELS (8 * COALESCE_BATCHES)

enum urb_state { URB_PLANNED, URB_SENT, URB_QUEUED, URB_DONE, URB_DROPPED };

struct w_urb {
	struct coalesce_request co;
	uint32_t group;
	enum urb_state state;
	uint8_t *data;	/**< OUT: its content; IN: what was received */
	bool seen;	/**< the guest knows that it is done */
	bool unlinked;	/**< the guest asked, before it knew */
	bool flushed;	/**< was queued when everything was flushed */
	int ref_status; /**< what the reference model gave it */
	uint32_t ref_actual;
};

/** Requests that belong together. */
struct w_group {
	uint32_t first, n;
	bool sg;     /**< the rest is unlinked when one fails */
	bool wait;   /**< queued only when all before it is seen */
	bool joined; /**< packets lie across its requests' borders */
};

enum item_kind { ITEM_PACKET, ITEM_STALL, ITEM_ERROR, ITEM_BABBLE, ITEM_NAK, ITEM_GATE };

/** What the device did, or is to do. */
struct w_item {
	enum item_kind kind;
	uint32_t offset, length; /**< PACKET: in the stream of the device */
	uint32_t urb; /**< GATE: until everything before it is seen; event: first of its transfer */
	uint64_t ns;  /**< NAK: for so long */
	bool echo;    /**< an event that need not be told, see above */
};

struct w_items {
	struct w_item *at;
	uint32_t n;
};

enum xfer_state { XFER_FREE, XFER_QUEUED, XFER_ENDED, XFER_TOLD };

struct w_xfer {
	enum xfer_state state;
	uint64_t serial; /**< order of submission */
	uint8_t *buffer;
	uint32_t length, moved;
	uint32_t item;	/**< of the log: its end */
	uint32_t epoch; /**< releases before it was submitted */
	int status;
};

enum command_kind { COMMAND_QUEUE, COMMAND_UNLINK, COMMAND_CLEAR_HALT };

struct w_command {
	enum command_kind kind;
	uint32_t urb;
};

/** What was reached, for a test to know that it tests something. */
struct world_counts {
	uint64_t requests, batches, merged; /**< as the engine counts */
	uint64_t short_ends, failures, unlinks, recalls, unissued, early_ends, too_late, lost,
		echoes, straddled, patience, off;
};

struct world {
	uint32_t (*draw)(void *ctx, uint32_t n); /**< 0 to n - 1 */
	void *draw_ctx;
	char error[256]; /**< the first thing that was wrong, "" = nothing */

	/* drawn once */
	bool exact, straddle, announce, gates;
	bool recalls; /**< the device is made quiet now and then; that would hide what hangs */
	bool stops;   /**< the host's queue stops at a failure */
	uint32_t ring;
	struct coalesce_config config;
	struct w_urb urbs[WORLD_URBS];
	struct w_group groups[WORLD_URBS];
	uint32_t n_urbs, n_groups;

	/* device */
	struct w_items script, log; /**< to do, done */
	uint32_t script_at;
	uint8_t *stream;
	uint32_t n_stream;
	bool halted, silent;
	uint64_t busy_until;

	/* host */
	struct w_xfer xfers[COALESCE_BATCHES]; /**< of the engine's batches */
	uint64_t serial;
	uint32_t cancels[WORLD_CANCELS], n_cancels;
	struct w_xfer *stopped; /**< by its failure, until that was heard of */
	bool cancelling;	/**< and until the cancels that it caused are through */
	uint32_t epoch, failed_epoch;

	/* daemon */
	struct coalesce co;
	uint64_t now_ns, deadline_ns;
	bool clearing, recalling, failure_pending, issuing;
	bool submit_failed; /**< the host refused a transfer */
	uint32_t limit, last_done, n_issued, n_retired;

	/* guest */
	struct w_command commands[4 * WORLD_URBS];
	uint32_t n_commands, next, outstanding, n_seen, n_done;
	uint32_t done[WORLD_URBS]; /**< in the order of completion */
	bool progress;
	struct world_counts counts;
};

/** Runs one world; true when all was well, else world->error says what was not. */
bool world_run(struct world *w, uint32_t (*draw)(void *ctx, uint32_t n), void *ctx);

/* --- between the files --- */

/** Notes the first error; cond false is one. */
#define WANT(w, cond, ...)                                                                         \
	do {                                                                                       \
		if (!(cond))                                                                       \
			world_wrong(w, __VA_ARGS__);                                               \
	} while (0)
void world_wrong(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** True once in so many draws; never on a draw of 0. */
bool world_chance(struct world *w, uint32_t one_in);
/** True when the guest knows the end of everything before this request. */
bool world_all_seen_before(const struct world *w, uint32_t urb);
/** Buffers, which are too big to be cleared for each run. */
void world_memory(struct world *w);

/** Invents the device's next item for a transfer with so much room; appended to the script.
 * babbles: the packet may be too long where room is less than one. */
struct w_item *world_invent(struct world *w, uint32_t room, bool babbles);
void world_host_submit(struct world *w, const struct coalesce_batch *batch);
void world_host_cancel(struct world *w, const struct coalesce_batch *batch);
void world_host_retire(struct world *w, const struct coalesce_batch *batch);
void world_host_step(struct world *w);

/** The model without merging: fills ref_* of each request, and the items. */
void world_reference(struct world *w);
/** Judges a batch that issue returned. */
void world_judge_batch(struct world *w, const struct coalesce_batch *batch);
/** Judges the whole run. */
void world_judge(struct world *w);

#endif
