/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbdisk.h - a USB disk as a guest drives it: Bulk-Only Transport (USB Mass Storage Class,
 * Bulk-Only Transport 1.0) with the few SCSI commands that reading and writing take (SBC, SPC).
 *
 * Theory of Operation. A command is a wrapper of 31 bytes, the data as a list of URBs (usbdev_list:
 * 4 KiB each with SHORT_NOT_OK, as Linux's usb-storage does above a controller without scatter
 * lists), and a status of 13 bytes. Commands are at most 120 KiB long, Linux's max_sectors. A stall
 * of the data is cleared and the status read; a stall of the status is cleared and it is read once
 * more; a wrong status, a transport error or a time-out leads to a reset of the device and a second
 * and third try of the command. Sense is asked for when a command failed.
 */
#ifndef XB_TESTS_USBDISK_H
#define XB_TESTS_USBDISK_H

#include "usbdev.h"

#define USBDISK_COMMAND_BYTES (120u * 1024)

struct usbdisk;

struct usbdisk_info {
	char vendor[9], product[17], revision[5]; /**< of INQUIRY, without blanks at the end */
	uint64_t n_blocks;
	uint32_t block_bytes;
};

struct usbdisk_stats {
	uint64_t commands;
	uint64_t stalls;   /**< halts cleared */
	uint64_t retries;  /**< commands that were tried again */
	uint64_t resets;   /**< of the device */
	uint64_t timeouts; /**< commands that ended by the clock */
};

/**
 * Opens the mass storage interface of a device; timeout_ns for each command (Linux: 30 s). -ENXIO:
 * the device has no such interface; else what the device said, with a sentence in error.
 */
int usbdisk_open(struct usbdisk **out, struct usbdev *dev, uint64_t timeout_ns, char *error,
		 size_t error_size);
/** Frees it; the device stays. */
void usbdisk_close(struct usbdisk *disk);

/** Blocks from lba on, any number; -ERANGE: beyond the end, -EROFS, -EIO (sense in usbdisk_sense),
 * -ENODEV. */
int usbdisk_read(struct usbdisk *disk, uint64_t lba, uint32_t n_blocks, void *data);
/** As usbdisk_read. */
int usbdisk_write(struct usbdisk *disk, uint64_t lba, uint32_t n_blocks, const void *data);
/** SYNCHRONIZE CACHE. */
int usbdisk_flush(struct usbdisk *disk);

/** What is known of the disk; lives as long as it. */
const struct usbdisk_info *usbdisk_info(const struct usbdisk *disk);
/** Counters; live as long as the disk. */
const struct usbdisk_stats *usbdisk_stats(const struct usbdisk *disk);
/** Sense key, code and qualifier of the last failure: 0xKKCCQQ; 0 = none. */
uint32_t usbdisk_sense(const struct usbdisk *disk);

#endif
