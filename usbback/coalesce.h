/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * coalesce.h - many small requests of a guest for one pipe become few host transfers, and their
 * completions are given back one by one. Pure.
 *
 * Theory of Operation
 * A *destination* is one endpoint of one device. Its queue holds the guest's requests in order; the
 * first ones are in flight, as the members of *batches*: a batch is one host transfer.
 *
 * SCAN (coalesce_issue) looks from the first request that is not in flight and takes what may share
 * a transfer with it, so that the bytes and packets on the bus stay those of the separate requests:
 * - OUT: a request that ends with a full packet may be followed by another; one that ends with a
 *   short packet, or is empty (a zero-length packet is a message), ends the batch.
 * - IN with SHORT_NOT_OK: such a chain asks for one run of bytes. It is merged whatever its
 *   lengths, up to and with the first request without the flag, and nothing behind it is in flight
 *   with it: a device that ends early would fill the wrong request (a status would land in the
 *   middle of the data). Where more of it is to come, it is cut between packets if that can be.
 * - IN without it: each request is a message of its own. A run of requests of one length, whole
 *   packets each, is merged once STREAK transfers in a row came back full; then a short packet
 *   costs nothing but the merging. Behind a merged batch only requests of that length are in
 *   flight, because a short packet moves what is behind it up.
 * A *fence* (a control request of the same device came between), a batch of max_batch bytes and an
 * unlinked request stop the scan.
 *
 * ISSUE: the first batch goes at once; what arrives meanwhile gathers. SHORT_NOT_OK chains have one
 * batch in flight. OUT has another one when that cannot grow any more or is worth the trip
 * (PIPELINE bytes, or a full ring of which less than half is in flight already); IN requests which
 * are not merged are all in flight, as a host controller would have them. A moment's wait for more
 * (GATHER) have: a SHORT_NOT_OK chain; data whose length was announced (coalesce_expect, by the
 * command of a storage protocol); and OUT just behind a merged batch, whose requests the guest is
 * about to replace: without it full and nearly empty batches take turns.
 *
 * Replay (coalesce_complete), after the guest's unlinks were heard: bytes are dealt out in order; a
 * request that is full completes, the one in which the bytes end completes short or with the
 * failure, what lies behind it was not begun: it is queued again. (A short packet that ends exactly
 * at the end of a request was the end of that one; an empty packet there is the next one's.) After
 * a failure, and after a short end of a SHORT_NOT_OK request, the destination is held (FAILURE)
 * until the guest has seen it and had the chance to unlink the rest (coalesce_release). What was in
 * flight behind the failure is cancelled; if it fails as well, before its first byte, nobody is
 * told. If the host had begun with OUT data behind the failure, what should have gone before that
 * can no longer be sent in order and ends with -EPROTO.
 *
 * Unlinking a request in flight cancels its batch, and those behind it if it has other members;
 * members that were not unlinked keep the bytes they have and go on with the next batch. A batch
 * that was cancelled before it began ends at once, though older ones are in flight: they may be for
 * ever, when the device has nothing to say.
 *
 * Merging must not hang: the completion of a request waits for its whole batch, and a device may
 * wait for what the guest does after it. Merged messages and OUT requests which are not through
 * after PATIENCE are cancelled, which gives every request its due; IN messages start a new streak.
 * SHORT_NOT_OK chains and announced data are one run of bytes and wait as long as it takes.
 *
 * Merging is given up for OFF requests when merged batches are cancelled again and again; only a
 * SHORT_NOT_OK request that ends within a packet still takes the next one along.
 *
 * States: IDLE nothing queued; WAIT queued, nothing in flight; DATA in flight; FAILURE held.
 */
#ifndef XB_USB_COALESCE_H
#define XB_USB_COALESCE_H

#include <stdbool.h>
#include <stdint.h>

#define COALESCE_BATCHES	 16u	     /**< in flight at most: as many as a ring has slots */
#define COALESCE_STREAK		 8u	     /**< full transfers before IN messages are merged */
#define COALESCE_MERGED_DEPTH	 3u	     /**< merged IN batches in flight */
#define COALESCE_PIPELINE_BYTES	 (16u << 10) /**< worth a second OUT batch in flight */
#define COALESCE_GATHER_NS	 50000u	     /**< wait for the rest of a chain */
#define COALESCE_REFILL_MAX_NS	 250000u     /**< wait for the guest's refill, at most ... */
#define COALESCE_REFILL_PART	 8u	     /**< ... and such a part of a transfer's time */
#define COALESCE_EXPECT_NS	 2000000u    /**< wait for data that was announced */
#define COALESCE_PATIENCE_IN_NS	 20000000u   /**< a merged batch of messages in flight at most */
#define COALESCE_PATIENCE_OUT_NS 100000000u  /**< same, OUT */
#define COALESCE_CANCELS_MAX	 3u	     /**< cancelled merged batches until merging is off */
#define COALESCE_OFF_REQUESTS	 256u	     /**< requests that it stays off for */

enum coalesce_state {
	COALESCE_STATE_IDLE,
	COALESCE_STATE_WAIT,
	COALESCE_STATE_DATA,
	COALESCE_STATE_FAILURE,
	COALESCE_STATES,
};

/** "IDLE", "WAIT", "DATA", "FAILURE". */
const char *coalesce_state_name(enum coalesce_state state);

/** A request of the guest; the caller embeds it and fills the upper half. */
struct coalesce_request {
	uint32_t length;   /**< bytes */
	bool short_not_ok; /**< IN: a short end is a failure of the chain */
	bool fence;	   /**< not to be merged with what is before it */

	uint32_t actual;		      /**< bytes moved so far */
	int status;			      /**< of a completed one: 0 or -errno */
	bool unlinked;			      /**< ends with `status` as soon as its batch does */
	struct coalesce_batch *batch;	      /**< in flight in it, NULL = waiting */
	struct coalesce_request *prev, *next; /**< in the queue; the caller's own after done */
};

/** One host transfer. */
struct coalesce_batch {
	uint32_t length;     /**< bytes */
	uint32_t n_requests; /**< members */
	bool chain;	     /**< has a SHORT_NOT_OK member: nothing behind it may be in flight */
	bool cancelled;	     /**< its end was asked for */
	bool ended;	     /**< waits for an older one to end; without requests: is through */
	bool behind_failure; /**< was in flight when an older one failed */
	uint32_t announced;  /**< bytes of it that coalesce_expect had told of */
	uint64_t oldest_ns;  /**< since when no older one is in flight; 0: one is */
	uint32_t actual;     /**< once ended */
	int status;
	void *owner; /**< the caller's own: transfer, buffer */
};

/** What the engine asks of its caller. None may call back into the engine. */
struct coalesce_ops {
	/** Bytes of a request in a batch's buffer: OUT (from coalesce_gather) to be fetched from
	 * the guest, IN (from coalesce_complete) to be given to it. Offsets and length in bytes. */
	void (*move)(void *ctx, struct coalesce_batch *batch, uint32_t batch_offset,
		     struct coalesce_request *request, uint32_t request_offset, uint32_t length);
	/** Cancel the batch's transfer; coalesce_complete follows later in any case. */
	void (*cancel)(void *ctx, struct coalesce_batch *batch);
	/** The batch is over, its buffer free; `owner` is reset behind it. */
	void (*retire)(void *ctx, struct coalesce_batch *batch);
	/** The request is complete: actual, status; it is the caller's again. */
	void (*done)(void *ctx, struct coalesce_request *request);
};

struct coalesce_config {
	uint32_t max_packet; /**< wMaxPacketSize in bytes on the host's bus, > 0 */
	uint32_t max_batch;  /**< bytes of a merged transfer at most */
	bool in;
	bool merge;	    /**< false: one transfer a request, whatever the rules */
	bool zero_packet;   /**< OUT requests of full packets are followed by an empty one: nothing
			       is merged behind them */
	unsigned int depth; /**< batches in flight at most, 1 to COALESCE_BATCHES */
};

struct coalesce_counters {
	uint64_t requests, batches;
	uint64_t merged;	      /**< requests that shared a batch */
	uint64_t bytes;		      /**< moved */
	uint64_t to[COALESCE_STATES]; /**< transitions into each state */
};

/** A destination; members are for reading. */
struct coalesce {
	struct coalesce_config config;
	const struct coalesce_ops *ops;
	void *ctx;
	enum coalesce_state state;
	struct coalesce_request *queue;			 /**< utlist, doubly linked, in order */
	struct coalesce_batch batches[COALESCE_BATCHES]; /**< a ring: oldest at head */
	uint32_t head, n_batches;
	bool held;	    /**< FAILURE */
	bool blocked;	    /**< set by the caller: nothing new (the device is being changed) */
	uint32_t streak;    /**< full IN transfers in a row */
	uint32_t cancels;   /**< merged batches that were cancelled lately */
	uint32_t off;	    /**< requests for which merging is off */
	uint64_t expect;    /**< bytes that were announced and not queued yet */
	uint64_t gather_ns; /**< gathering until then; 0 = not */
	uint32_t refill;    /**< OUT: requests that may wait as soon as the guest has replaced
			       those that a merged batch answered */
	uint64_t refill_since_ns; /**< since when that batch was the oldest */
	struct coalesce_counters counters;
};

void coalesce_init(struct coalesce *c, const struct coalesce_config *config,
		   const struct coalesce_ops *ops, void *ctx);

/** Appends a request; it is the engine's until `done`. */
void coalesce_queue(struct coalesce *c, struct coalesce_request *request);

/** So many bytes of data will be asked for next in this direction: storage protocols say it in
 * their command. 0: nothing known. */
void coalesce_expect(struct coalesce *c, uint64_t bytes);

/**
 * The next batch to start, or NULL. *deadline_ns is lowered to the time at which to ask again where
 * it gathers. guest_full: the guest can queue nothing before something is answered. limit: bytes of
 * memory for it; a single request may be longer than that, so compare. The batch counts as in
 * flight; coalesce_unissue takes it back.
 */
struct coalesce_batch *coalesce_issue(struct coalesce *c, uint64_t now_ns, bool guest_full,
				      uint32_t limit, uint64_t *deadline_ns);
/** Takes back the batch that coalesce_issue returned last: it could not be started. */
void coalesce_unissue(struct coalesce *c, struct coalesce_batch *batch);
/** Calls ops->move for every piece of data of a batch that is about to start (OUT). */
void coalesce_gather(struct coalesce *c, struct coalesce_batch *batch);

/** A batch ended: status 0 (also short) or -errno, -ECANCELED where a cancel was in time; actual is
 * valid beside each. Calls move, retire, done. A batch that ends before an older one waits for
 * it, unless it was cancelled before it began. */
void coalesce_complete(struct coalesce *c, struct coalesce_batch *batch, int status,
		       uint32_t actual);

/** The guest unlinks a request: done with status -ECONNRESET, at once where it waits, after a
 * cancel where it is in flight (or with what happened if that was faster). */
void coalesce_unlink(struct coalesce *c, struct coalesce_request *request);

/** The guest has seen the failure and had its chance: what is left goes on. */
void coalesce_release(struct coalesce *c);

/** Cancels what is in flight without ending a request: what its batches did not move waits again.
 * With `blocked`, to make the destination quiet. */
void coalesce_recall(struct coalesce *c);

/** Ends everything with status: what waits at once, what is in flight as soon as its cancel is
 * through. */
void coalesce_flush(struct coalesce *c, int status);

#endif
