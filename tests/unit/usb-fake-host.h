/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-fake-host.h - a USB device behind the seam (usb/host.h) that does what a test says: transfers
 * and changes end by hand, refuse to start, are cancelled in time or not; what was submitted is
 * recorded.
 *
 * Nothing happens by itself. fake_host_run ends what needs no decision: cancelled transfers
 * (unless `deaf`), changes (unless `hold_changes`), control transfers (unless `hold_control`),
 * which get what a device with these descriptors answers.
 */
#ifndef XB_TESTS_USB_FAKE_HOST_H
#define XB_TESTS_USB_FAKE_HOST_H

#include <systemd/sd-event.h>

#include "clock.h"
#include "usb/host.h"

#define FAKE_FLYING  256u
#define FAKE_RECORDS 512u
#define FAKE_CHANGES 256u

/* The device of fake_host_init: three interfaces in configuration 1 ... */
#define FAKE_DISK_IN	0x81 /* interface 0, Bulk-Only storage */
#define FAKE_DISK_OUT	0x02
#define FAKE_ISO_IN	0x83 /* interface 1, alternate setting 1; 0 has none */
#define FAKE_ISO_OUT	0x04
#define FAKE_BULK_IN	0x85 /* interface 2, vendor */
#define FAKE_BULK_OUT	0x06
#define FAKE_INT_IN	0x87
#define FAKE_ISO_PACKET 192u
/* ... and FAKE_DISK_IN alone, with 64 bytes a packet, in configuration 2. */

/* What was submitted. */
struct fake_record {
	uint8_t endpoint, type;
	bool zero_packet;
	struct usb_ctrlrequest setup;
	uint32_t length, n_packets;
	uint8_t data[64]; /* OUT: its beginning */
};

struct fake_host {
	struct usb_host host;
	uint8_t descriptors[256];
	/* By the test, at any time: */
	int open_error;		 /* open fails so */
	int submit_error;	 /* submit returns it ... */
	unsigned int n_refusals; /* so many times */
	uint32_t memory;	 /* bytes in flight at most, beyond them -ENOMEM; 0 = any */
	bool deaf;		 /* a cancel changes nothing */
	bool hold_control, hold_changes;
	int change_error;      /* change returns it */
	int change_status;     /* changes end so in fake_host_run */
	bool mapped;	       /* has memory of its own to offer */
	int close_status;      /* what is in flight ends so in close (-ENODEV) */
	uint32_t close_actual; /* with so many bytes */
	bool stalls_control;   /* control transfers end with -EPIPE in fake_host_run */
	/* For the test to read: */
	bool is_open;
	unsigned int n_opens;
	void *buffer;				  /* memory that it lent; gone with close */
	uint32_t bytes;				  /* in flight */
	struct usb_transfer *flying[FAKE_FLYING]; /* in order */
	bool cancelled[FAKE_FLYING];
	unsigned int n_flying, n_cancels, n_done;
	struct fake_record records[FAKE_RECORDS];
	unsigned int n_records;
	struct usb_change *change; /* in progress */
	struct usb_change changes[FAKE_CHANGES];
	unsigned int n_changes;
};

/* A closed device with the descriptors above. */
void fake_host_init(struct fake_host *fake, enum usb_device_speed speed);
/* vusb_device.open; arg is the fake. */
int fake_host_open(struct usb_host **host, void *arg, sd_event *event, struct clock *clock,
		   char *error, size_t error_size);

/* Ends what needs no decision; true when there was something. */
bool fake_host_run(struct fake_host *fake);
/* Transfers in flight of an endpoint; 0 = control. */
unsigned int fake_host_flying(const struct fake_host *fake, uint8_t endpoint);
/* The i-th oldest of them, NULL = there is none. */
struct usb_transfer *fake_host_transfer(const struct fake_host *fake, uint8_t endpoint,
					unsigned int i);
/* Has somebody asked to cancel it? */
bool fake_host_is_cancelled(const struct fake_host *fake, const struct usb_transfer *transfer);
/* Ends a transfer. */
void fake_host_end(struct fake_host *fake, struct usb_transfer *transfer, int status,
		   uint32_t actual);
/* Ends the oldest of an endpoint; IN: with bytes of the stream that goes on at *at, byte i of which
 * is fake_host_byte(i). at NULL: nothing is written. */
void fake_host_give(struct fake_host *fake, uint8_t endpoint, int status, uint32_t actual,
		    uint32_t *at);
/* Byte of an endless pattern without short periods. */
uint8_t fake_host_byte(uint32_t i);
/* The change in progress ends. */
void fake_host_changed(struct fake_host *fake, int status);
/* The device vanishes; what is in flight ends with -ENODEV, when `first` before it is told. */
void fake_host_vanish(struct fake_host *fake, bool first);
/* Records of an endpoint: their number, the i-th (it must be there). */
unsigned int fake_host_records(const struct fake_host *fake, uint8_t endpoint);
const struct fake_record *fake_host_record(const struct fake_host *fake, uint8_t endpoint,
					   unsigned int i);

#endif
