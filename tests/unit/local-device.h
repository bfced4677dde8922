/* SPDX-License-Identifier: GPL-2.0-or-later */
/* local-device.h - a device of host_libusb on the usbfs mock, with a loop, for its tests. */
#ifndef XB_TEST_LOCAL_DEVICE_H
#define XB_TEST_LOCAL_DEVICE_H

#include <systemd/sd-event.h>

#include "usb/host.h"
#include "usbback/host_libusb_priv.h"
#include "usbfs-mock.h"

#define LAB_TRANSFERS 40

struct lab {
	struct mock mock;
	sd_event *event;
	struct usb_host *host;
	char error[200];
	struct usb_transfer transfers[LAB_TRANSFERS];
	struct usb_change change;
	unsigned int n_done;
	struct usb_transfer *order[LAB_TRANSFERS]; /* as they were done */
	unsigned int n_changed;
	unsigned int changed_after; /* n_done when the change was done */
	unsigned int n_gone;
	/* What the callbacks shall do, beside counting. */
	void (*on_done)(struct lab *lab, struct usb_transfer *transfer);
	void (*on_gone)(struct lab *lab);
	void (*on_changed)(struct lab *lab);
};

extern const struct host_libusb_tuning lab_tuning;

/** Prepares mock and loop; the mock may be changed before lab_open. */
void lab_init(struct lab *lab);
/** Opens the device: 0 or -errno with lab->error. */
int lab_open(struct lab *lab);
/** Closes what is open; fails when something touched the device during a change, or when the
 * descriptor is still open. */
void lab_fini(struct lab *lab);
/** A transfer of number i; then submit's answer. */
int lab_submit(struct lab *lab, unsigned int i, uint8_t type, uint8_t endpoint, void *data,
	       uint32_t length);
/** A control transfer. */
int lab_control(struct lab *lab, unsigned int i, uint8_t request_type, void *data, uint16_t length);
/** Starts lab->change; change's answer. */
int lab_change(struct lab *lab, enum usb_change_kind kind, uint8_t value);
/** Runs the loop until *counter has reached n. */
void lab_run(struct lab *lab, const unsigned int *counter, unsigned int n);
/** Runs the loop through what is ready now. */
void lab_idle(struct lab *lab);

#endif
