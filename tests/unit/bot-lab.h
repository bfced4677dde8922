/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bot-lab.h - the host's side of Bulk-Only Transport against a struct bot, on a medium in memory.
 *
 * The medium can answer at once or later, and fail. A command runs as a host runs it: CBW, data in
 * pieces, halts cleared, CSW.
 */
#ifndef XB_TEST_BOT_LAB_H
#define XB_TEST_BOT_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/models/bot.h"

/* Of the medium that most tests use. */
#define LAB_BLOCKS 5000u
#define LAB_BYTES  ((size_t)LAB_BLOCKS * SCSI_BLOCK_BYTES)

struct bot_lab {
	struct bot bot;
	uint8_t *medium;
	size_t n_bytes; /**< of the medium */
	bool later;	/**< operations end when the host waits for them */
	int fail;	/**< -errno of the next operations on blocks from fail_at on */
	uint64_t fail_at;
	int pending; /**< result of the operation that runs; 1: none does */
	unsigned int n_reads, n_writes, n_syncs, n_through;
	bool halted_in, halted_out;
	uint32_t tag;
	/** Size of the next piece of a data phase, of `left` bytes; NULL: all. */
	uint32_t (*piece)(struct bot_lab *lab, uint32_t left);
	uint64_t seed;
};

/** What a command came to. */
struct bot_outcome {
	uint32_t moved; /**< bytes of the data phase */
	bool stalled;	/**< the data phase was */
	int status;	/**< bCSWStatus, or -errno when there was no CSW */
	uint32_t residue;
};

/** A medium of n_blocks, at most LAB_BLOCKS; no two blocks are the same. */
void bot_lab_open(struct bot_lab *lab, uint32_t n_blocks);
void bot_lab_close(struct bot_lab *lab);

/** A transfer; its status, bytes in *actual. -EAGAIN: the device does not answer. */
int bot_lab_transfer(struct bot_lab *lab, uint8_t endpoint, void *data, uint32_t length,
		     uint32_t *actual);
/** The 31 bytes of a CBW. */
void bot_lab_cbw(struct bot_lab *lab, uint8_t cbw[BOT_CBW_BYTES], const uint8_t *cdb, uint8_t n_cdb,
		 uint32_t expected, bool in);
/** A whole command of n_cdb bytes; data: `expected` bytes to send or room for them. */
struct bot_outcome bot_lab_run(struct bot_lab *lab, const uint8_t *cdb, uint8_t n_cdb,
			       uint32_t expected, bool in, void *data);
/** Key, code and qualifier by REQUEST SENSE. */
uint32_t bot_lab_sense(struct bot_lab *lab);

/** READ (10) or WRITE (10) as bytes. */
void bot_lab_rw10(uint8_t cdb[10], bool write, uint32_t lba, uint16_t n);
/** A generator of its own: the same everywhere. */
uint32_t bot_lab_random(uint64_t *seed, uint32_t below);

#endif
