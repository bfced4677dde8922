/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bot.h - the Bulk-Only Transport of USB mass storage, the device's side. Pure.
 *
 * Theory of Operation (USB Mass Storage Class, Bulk-Only Transport, revision 1.0)
 * A command is three phases: the host sends 31 bytes (CBW) that name a direction and a length, data
 * move that way, the device sends 13 bytes (CSW) with a status and the residue. Host and device may
 * disagree about direction and length in thirteen ways (6.7); ours are:
 *
 *                device: nothing        IN less    IN equal   IN more    OUT
 *   host nothing   1 good                                     2 phase    3 phase
 *   host IN        4 stall IN           5 stall IN 6 good     7 phase    8 stall IN, phase
 *
 *                device: nothing        OUT less   OUT equal  OUT more   IN
 *   host OUT       9 stall OUT         11 stall OUT 12 good  13 stall OUT, phase  10 stall OUT,
 * phase
 *
 * "stall": after what could be moved, the pipe is halted until the host clears it; that tells a
 * host that queued more transfers for data not to take the CSW for data. "phase": status 2, phase
 * error; nothing is written then, and the host resets the device (5.3.4). With no_stall data end by
 * a short packet only, and unwanted data of the host are swallowed, as cheap devices do.
 *
 * A CBW that is none (6.2) halts both pipes until a Bulk-Only Reset, whatever the host clears.
 *
 * Transfers of the data phase may have any size: what matters is packets. Reads go into the memory
 * of the transfer where it is large or takes all that is left; small ones are served from a buffer
 * that is filled by one read. Writes go out of the transfer's memory when it holds all that is
 * left, else they gather in the buffer. The CSW is sent when everything has been written.
 */
#ifndef XB_BOT_H
#define XB_BOT_H

#include "model.h"
#include "scsi.h"

#define BOT_CBW_BYTES 31
#define BOT_CSW_BYTES 13
/** Class requests (3.1, 3.2). */
#define BOT_REQUEST_RESET   0xff
#define BOT_REQUEST_MAX_LUN 0xfe

#define BOT_BUFFER_BYTES (1u << 20)
/** A transfer of this size is read into directly though more is to follow. */
#define BOT_DIRECT_BYTES 65536u

#define BOT_ENDPOINT_IN	 0x81
#define BOT_ENDPOINT_OUT 0x02

/** Where blocks are. Each call: 0 done, -EINPROGRESS bot_io_done comes later (never from inside the
 * call), other -errno failed. One at a time. */
struct bot_store {
	int (*read)(void *ctx, uint8_t *data, size_t n, uint64_t offset);
	int (*write)(void *ctx, const uint8_t *data, size_t n, uint64_t offset, bool through);
	/** Reads into data and forgets it: do the blocks have errors? */
	int (*check)(void *ctx, uint8_t *data, size_t n, uint64_t offset);
	int (*sync)(void *ctx);
	/** Halts a pipe: BOT_ENDPOINT_IN or _OUT. */
	void (*halt)(void *ctx, uint8_t endpoint);
	void *ctx;
};

enum bot_state {
	BOT_COMMAND,  /**< waits for a CBW */
	BOT_DATA_IN,  /**< sends data */
	BOT_DATA_OUT, /**< takes data */
	BOT_DISCARD,  /**< takes data that nobody wants (no_stall) */
	BOT_WORK,     /**< works without data: verify, flush, the last write */
	BOT_STATUS,   /**< the CSW waits for an IN transfer */
	BOT_BROKEN,   /**< saw an invalid CBW; waits for the reset */
};

enum bot_io {
	BOT_IO_NONE,
	BOT_IO_READ,  /**< file to a transfer's memory */
	BOT_IO_WRITE, /**< and back */
	BOT_IO_FILL,  /**< file to buffer */
	BOT_IO_FLUSH, /**< buffer to file */
	BOT_IO_CHECK,
	BOT_IO_SYNC,
	BOT_IO_STALE, /**< of a command that a reset ended */
};

struct bot {
	struct scsi_disk disk;
	struct bot_store store;
	uint16_t max_packet; /**< of both pipes */
	bool no_stall;

	enum bot_state state;
	bool in_halted, out_halted; /**< by us; the host has not cleared it yet */
	uint32_t tag;		    /**< dCBWTag */
	uint8_t status;		    /**< bCSWStatus */
	bool host_in;		    /**< the host expects data, else it has some */
	uint64_t expected;	    /**< dCBWDataTransferLength */
	uint64_t wanted;	    /**< bytes that will be moved: never more than expected */
	uint64_t moved;		    /**< bytes that went over the pipe */
	uint64_t discarded;	    /**< and those that nobody wanted */
	uint64_t worked;	    /**< bytes that were written or verified */
	bool host_stopped;	    /**< the host ended its data early, by a short packet */
	struct scsi_command command;

	enum bot_io io;
	size_t io_bytes;
	struct usb_transfer *io_transfer; /**< whose memory it uses */
	uint8_t *buffer;		  /**< BOT_BUFFER_BYTES */
	size_t buffer_used;		  /**< bytes in it */
	size_t buffer_taken;		  /**< of those, sent already (reads) */
};

/** max_packet: 64, 512 or 1024. store is copied. Allocates the buffer. */
void bot_init(struct bot *bot, const struct bot_store *store, uint16_t max_packet);
void bot_fini(struct bot *bot);

/** The head transfer of the OUT pipe, of the IN pipe. */
enum model_verdict bot_out(struct bot *bot, struct usb_transfer *transfer);
enum model_verdict bot_in(struct bot *bot, struct usb_transfer *transfer);
/** What the store began has ended: 0 or -errno. */
void bot_io_done(struct bot *bot, int rc);
/** The transfer's memory is in use. */
bool bot_busy(const struct bot *bot, const struct usb_transfer *transfer);

/** Class requests; as model_ops.control. */
int bot_control(struct bot *bot, const struct usb_ctrlrequest *setup, uint8_t *data);
/** Reset of the port, or configured anew. */
void bot_reset(struct bot *bot);
/** The host clears the halt of a pipe; false while an invalid CBW waits for its reset. */
bool bot_clear_halt(struct bot *bot, uint8_t endpoint);

#endif
