/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-fakes.h - stand-ins for what the control thread of usbback calls: controllers without rings,
 * an opener without devices, models that are only names. Linked instead of the real ones.
 */
#ifndef XB_TEST_USB_FAKES_H
#define XB_TEST_USB_FAKES_H

#include "usbback/vusb.h"

struct vusb {
	struct vusb_config config;
	struct vusb_events events;
	char plugged[USBIF_MAX_PORTNR + 1][256]; /* by port; "" = nothing */
	struct quirks quirks[USBIF_MAX_PORTNR + 1];
	struct vusb_stats stats;
};

/* What the fakes do, and did. Cleared by the test. */
struct usb_fakes {
	int open_result;   /* of host_opener_open: 0 = a descriptor */
	int attach_result; /* of vusb_attach */
	int connect_result;
	const char *error; /* the sentence of all failures */
	/* Called inside vusb_attach, as if something happened meanwhile. */
	void (*on_attach)(struct vusb *vusb, unsigned int port);
	unsigned int n_opened, n_closed, n_kept, n_host_opens;
	bool adopted;
	char calls[1024]; /* "attach 1 3-1.5;detach 1;unconfigure 3-1.5;" */
	uint32_t memory_mb;
};
extern struct usb_fakes usb_fakes;

/* Descriptors of /dev/null, which is what the opener gives out: a leak check. */
unsigned int fake_opened_descriptors(void);

/* The device of a port ends by itself: the letter is in the mail. */
void fake_vusb_gone(struct vusb *vusb, unsigned int port);
/* The guest breaks the protocol. */
void fake_vusb_failed(struct vusb *vusb, const char *why);

#endif
