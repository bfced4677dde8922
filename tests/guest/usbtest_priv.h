/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbtest_priv.h - what usbtest.c (table, data), usbtest_ctrl.c (endpoint 0, halts) and
 * usbtest_queue.c (many URBs at once) share. */
#ifndef XB_TESTS_USBTEST_PRIV_H
#define XB_TESTS_USBTEST_PRIV_H

#include "usbtest.h"

#define UT_BUFFER (64u * 1024)

struct ut {
	struct usbdev *dev;
	struct usbdev_bus *bus;
	struct usbfront *front;
	struct usbtest_options options;
	struct usbtest_result *result;
	const struct usbdesc_endpoint *in, *out; /**< of the case's type */
	const struct usbdesc_endpoint *endpoint; /**< that of the case */
	uint16_t offset;			 /**< where in its page the data of an URB begins */
	uint8_t data[UT_BUFFER];
};

/** The time until which the next transfer has to end. */
uint64_t ut_deadline(const struct ut *t);
/** Notes why the case failed; returns rc. */
int ut_fail(struct ut *t, int rc, const char *format, ...) __attribute__((format(printf, 3, 4)));
/** Data for the sink, or a check of the source's. */
void ut_fill(const struct ut *t, uint8_t *data, uint32_t n);
bool ut_right(const struct ut *t, const uint8_t *data, uint32_t n);
/** A length that the case's endpoint takes: whole packets for IN. */
uint32_t ut_length(const struct ut *t, uint32_t length);
/** One transfer of the case's endpoint with fill or check; 0 or -errno, noted. */
int ut_once(struct ut *t, uint32_t length);

/* usbtest_ctrl.c */
int ut_chapter9(struct ut *t);
int ut_control_queue(struct ut *t);
int ut_control_out(struct ut *t);
int ut_halt(struct ut *t);
int ut_toggle(struct ut *t);

/* usbtest_queue.c */
int ut_unlink(struct ut *t);
int ut_unlink_queued(struct ut *t);
int ut_speed(struct ut *t);
int ut_iso(struct ut *t);

#endif
