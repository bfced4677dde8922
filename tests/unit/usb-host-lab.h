/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-host-lab.h - the smallest USB host: runs transfers and changes against a struct usb_host that
 * is a model, on a loop with a manual clock.
 *
 * Whoever waits, waits in the loop: the clock moves to the model's next deadline when nothing else
 * is left to happen.
 */
#ifndef XB_TEST_USB_HOST_LAB_H
#define XB_TEST_USB_HOST_LAB_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "clock.h"
#include "usb/host.h"

struct usb_lab {
	sd_event *event;
	struct clock clock;
	struct usb_host *host;
	unsigned int n_done; /**< transfers that ended */
};

/** A transfer and what became of it. */
struct lab_urb {
	struct usb_transfer transfer;
	struct usb_lab *lab;
	bool in_flight;
	unsigned int order; /**< the nth that ended, from 1 */
	uint64_t done_ns;
};

/** Opens the model and configures it; fails the test when that fails. */
void lab_open(struct usb_lab *lab, const char *spec);
void lab_close(struct usb_lab *lab);

/** Starts a transfer that is filled in; 0 or what submit said. */
int lab_submit(struct usb_lab *lab, struct lab_urb *urb);
/** Fills in and starts; type by the endpoint's descriptor is the caller's business. */
int lab_start(struct usb_lab *lab, struct lab_urb *urb, uint8_t type, uint8_t endpoint, void *data,
	      uint32_t length);
/** Lets the loop run until the transfer has ended. */
void lab_wait(struct lab_urb *urb);
/** Lets happen what happens without time passing (and without threads). */
void lab_settle(struct usb_lab *lab);
/** Moves the clock, in steps of the model's deadlines. */
void lab_advance(struct usb_lab *lab, uint64_t ns);

/** A bulk transfer: bytes moved, or -errno. */
int lab_bulk(struct usb_lab *lab, uint8_t endpoint, void *data, uint32_t length);
/** A control transfer: bytes moved, or -errno. */
int lab_control(struct usb_lab *lab, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
		void *data, uint16_t length);
/** A change; its status. */
int lab_change(struct usb_lab *lab, enum usb_change_kind kind, uint8_t value, uint8_t interface,
	       uint8_t endpoint);
int lab_clear_halt(struct usb_lab *lab, uint8_t endpoint);

#endif
