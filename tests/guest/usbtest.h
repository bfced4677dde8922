/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbtest.h - tests of a USB path with a source/sink device at its end: whatever is written it
 * swallows, whatever is read it makes up by a pattern.
 *
 * The cases have the numbers and the meaning of those of Linux's usbtest module, so that a table of
 * ours stands beside one of a real guest.
 */
#ifndef XB_TESTS_USBTEST_H
#define XB_TESTS_USBTEST_H

#include "usbdev.h"

#define USBTEST_CASES 30u

struct usbtest_options {
	unsigned int iterations; /**< of each case; 0 = 100 */
	uint32_t length;	 /**< bytes of a transfer, at most 32768; 0 = 1024 */
	uint32_t vary;		 /**< what varied lengths grow by; 0 = 509 (OUT), a packet (IN) */
	unsigned int n_pieces;	 /**< of a list, at most 32; 0 = 32 */
	int pattern;		 /**< of the source: 0 zeros, 1 counts modulo 63; -1 = anything */
	uint64_t timeout_ns;	 /**< of each transfer; 0 = 10 s */
};

/** What a case did. */
struct usbtest_result {
	uint64_t bytes; /**< moved in its bulk, interrupt and isochronous transfers */
	uint64_t elapsed_ns;
	char error[160]; /**< of a case that failed */
};

/** "bulk write" ...; NULL where there is no such case. */
const char *usbtest_name(unsigned int number);
/** True when the device looks like a source/sink device: vendor specific, bulk in and out. */
bool usbtest_fits(const struct usbdev *dev);
/** Runs a case; 0, -EOPNOTSUPP: the device has not what it takes (error says what), -EINVAL: no
 * such case, else -errno with a sentence in result->error. */
int usbtest_run(struct usbdev *dev, unsigned int number, const struct usbtest_options *options,
		struct usbtest_result *result);

#endif
