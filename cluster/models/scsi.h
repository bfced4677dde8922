/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scsi.h - a SCSI disk: commands in, what is to be done out (SPC-3, SBC-2). Pure.
 *
 * scsi_command looks at a command descriptor block and says what it means: bytes to reply, blocks
 * to read or write, a cache to flush, or a failure, whose sense data is kept until it is asked for
 * or the next command comes. Moving blocks is the caller's; when that fails it says so by
 * scsi_fail.
 */
#ifndef XB_SCSI_H
#define XB_SCSI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCSI_BLOCK_BYTES 512u
#define SCSI_CDB_MAX	 16
#define SCSI_REPLY_MAX	 256
#define SCSI_SERIAL_MAX	 41 /* with the NUL */

/* Sense key, additional code, qualifier (SPC-3, tables 27 and 28). */
#define SCSI_NO_SENSE		  0x000000u
#define SCSI_STOPPED		  0x020402u
#define SCSI_NO_MEDIUM		  0x023a00u
#define SCSI_WRITE_ERROR	  0x030c00u
#define SCSI_READ_ERROR		  0x031100u
#define SCSI_UNKNOWN_COMMAND	  0x052000u
#define SCSI_LBA_OUT_OF_RANGE	  0x052100u
#define SCSI_INVALID_FIELD	  0x052400u
#define SCSI_NO_SUCH_UNIT	  0x052500u
#define SCSI_SAVING_NOT_SUPPORTED 0x053900u
#define SCSI_REMOVAL_PREVENTED	  0x055302u
#define SCSI_POWER_ON		  0x062900u
#define SCSI_MEDIUM_CHANGED	  0x062800u
#define SCSI_WRITE_PROTECTED	  0x072700u
#define SCSI_NO_SPACE		  0x072707u

struct scsi_disk {
	uint64_t n_blocks; /**< of SCSI_BLOCK_BYTES; at least 1 */
	bool read_only, removable;
	char serial[SCSI_SERIAL_MAX]; /**< printable ASCII */

	bool stopped, ejected, locked; /**< START STOP UNIT, PREVENT ALLOW MEDIUM REMOVAL */
	uint32_t attention;	       /**< unit attention that is still to be told, or 0 */
	uint32_t sense;		       /**< of the last command: SCSI_... */
	bool sense_has_lba;
	uint64_t sense_lba; /**< first block that failed */
};

enum scsi_action {
	SCSI_NOTHING, /**< no data; good, or failed when sense is set */
	SCSI_REPLY,   /**< `length` bytes of reply go to the host */
	SCSI_READ,    /**< blocks go to the host */
	SCSI_WRITE,   /**< blocks come from the host */
	SCSI_VERIFY,  /**< blocks are read, and nothing is sent */
	SCSI_SYNC,    /**< everything that was written goes to the medium */
};

struct scsi_command {
	enum scsi_action action;
	bool failed;	 /**< CHECK CONDITION; action is SCSI_NOTHING then */
	bool through;	 /**< SCSI_WRITE: to the medium, not to a cache (FUA) */
	uint64_t lba;	 /**< first block */
	uint64_t length; /**< bytes that the device moves, reads for itself (VERIFY), or 0 */
	uint8_t reply[SCSI_REPLY_MAX];
};

/** A disk after power on. serial shorter than SCSI_SERIAL_MAX. */
void scsi_init(struct scsi_disk *disk, uint64_t n_blocks, bool read_only, bool removable,
	       const char *serial);
/** Reset of the bus: sense is gone, the host is told by a unit attention. */
void scsi_reset(struct scsi_disk *disk);

/** Decodes a command for logical unit lun. cdb: SCSI_CDB_MAX bytes, padded with zeros. */
void scsi_command(struct scsi_disk *disk, uint8_t lun, const uint8_t cdb[SCSI_CDB_MAX],
		  struct scsi_command *command);

/** A command that was decoded before failed in its blocks, at block lba. */
void scsi_fail(struct scsi_disk *disk, uint32_t sense, uint64_t lba);

/** Sense for -errno of a file operation. */
uint32_t scsi_sense_of_errno(int err, bool writing);

#endif
