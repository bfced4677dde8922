/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbiso.h - an isochronous stream of a guest: URBs are kept in flight for some time, packets are
 * counted.
 */
#ifndef XB_TESTS_USBISO_H
#define XB_TESTS_USBISO_H

#include "usbdev.h"

#define USBISO_URBS_MAX	   16u
#define USBISO_PACKETS_MAX 64u

struct usbiso_options {
	uint8_t endpoint;	/**< address of an isochronous endpoint that is in force */
	unsigned int n_urbs;	/**< in flight, 1 to USBISO_URBS_MAX; 0 = 6 */
	unsigned int n_packets; /**< of an URB, 1 to USBISO_PACKETS_MAX; 0 = 8 */
	uint32_t packet_bytes;	/**< 0 = what the endpoint takes in a (micro)frame */
	uint16_t offset;	/**< of the data in its first page */
	int pattern;	      /**< IN: 0 zeros, 1 counts modulo 63 in each packet; -1 = anything */
	uint64_t duration_ns; /**< no URB is sent later than this ... */
	uint64_t max_urbs;    /**< ... nor more than these; 0 = no limit */
	/** Each second of the stream; NULL. False ends it. */
	bool (*progress)(void *ctx, uint64_t elapsed_ns, uint64_t packets, uint64_t lost);
	void *ctx;
};

struct usbiso_result {
	uint64_t urbs, packets, bytes;
	uint64_t lost;	/**< packets with a failure of their own, or of their URB */
	uint64_t empty; /**< IN: packets without data */
	uint64_t wrong; /**< IN: packets with other bytes than the pattern's */
	uint64_t elapsed_ns;
	uint64_t longest_gap_ns; /**< between the ends of two URBs */
	int status;		 /**< of the first URB that failed as a whole */
};

/** Runs the stream; 0 when it was carried out, whatever was lost; -EINVAL: not an isochronous
 * endpoint, or URBs of more than 16 pages; -ENODEV, -ETIMEDOUT: URBs did not come back. */
int usbiso_run(struct usbdev *dev, const struct usbiso_options *options,
	       struct usbiso_result *result);

#endif
