/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vusb-lab.h - a controller (usbback/vusb.h) between a guest (tests/guest/usbfront.h) and fake
 * devices, on a fake Xen and a manual clock, without a thread.
 *
 * The controller's event loop is turned by hand: what wakes it is what would wake it in the daemon
 * (events of the guest, mail, ended transfers), and its timer is the manual clock, so that a
 * forgotten event or deadline shows as a request that never ends.
 */
#ifndef XB_TESTS_VUSB_LAB_H
#define XB_TESTS_VUSB_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "usb-fake-host.h"

#include "clock.h"
#include "tests/guest/usbfront.h"
#include "usbback/vusb_priv.h"
#include "util.h"
#include "xen/fake.h"

#define LAB_DOMID 7
#define LAB_PORTS 8
#define LAB_HOSTS 2
#define LAB_URBS  96

/* An URB with its memory. */
struct lab_urb {
	struct usbfront_urb u;
	bool done;
	unsigned int order; /* 1 = the first one that came back */
	uint8_t data[USBFRONT_URB_MAX];
	struct usbfront_packet packets[URB_ISO_PACKETS_MAX + 8];
};

struct lab {
	struct fake *fake;
	struct clock clock;
	struct xen *dom0, *domu;
	const struct xen_ops *ops;
	struct xen_store *store;
	sd_event *event;
	struct mailbox *mail;
	struct vusb *vusb;
	struct vusb_config config;
	uint64_t deadline_ns; /* of the controller's last pass by hand */
	char failed[128];     /* what events.failed said */
	char gone[64];	      /* ports of events.gone: "1,1," */
	char journal_dir[64]; /* made by lab_setup */
	struct usbfront *front;
	struct usbfront_options options;
	char ports[512]; /* what the guest saw: "1H" came, "1-" went */
	bool lists;	 /* when one of several URBs of an endpoint fails or ends short, the guest's
			    driver unlinks the others, from its completion, as usb_sg_wait does */
	bool bad_guest;	 /* complaints and answers do not count: the guest lied */
	struct fake_host hosts[LAB_HOSTS]; /* high speed */
	struct lab_urb *urbs;
	unsigned int n_urbs, n_done;
	int n_fds; /* open before the test */
};

/* cmocka: machine, devices (closed), no controller yet. Teardown ends what is left and looks for
 * leaks and complaints. */
int lab_setup(void **state);
int lab_teardown(void **state);

/* Controller and guest, connected. Options, config.usb_version and so on may be changed before. */
void lab_start(struct lab *lab);
/* The controller alone, on the guest's present rings. */
void lab_serve(struct lab *lab, bool adopt);
/* Its clean end; nothing is left of it. */
void lab_end(struct lab *lab);
/* kill -9: neither an answer nor a state; journal and rings stay. */
void lab_kill(struct lab *lab);
/* Plugs host i into a port, without a turn; the answer of vusb_plug. */
int lab_plug(struct lab *lab, unsigned int port, unsigned int i);
/* The same with quirks; must succeed. */
void lab_plug_quirks(struct lab *lab, unsigned int port, unsigned int i, const char *quirks);

/* Turns everything until nothing happens any more. */
void lab_run(struct lab *lab);
/* One pass, then lab_run: a device's transfers ended. */
void lab_pass(struct lab *lab);
/* Time passes, deadlines on the way come true. */
void lab_advance(struct lab *lab, uint64_t ns);

/* A prepared URB; it stays the lab's. */
struct lab_urb *lab_urb(struct lab *lab, unsigned int port, uint8_t address, uint8_t endpoint,
			uint32_t length);
/* Submits it, without a turn. */
void lab_submit(struct lab *lab, struct lab_urb *urb);
/* n prepared and submitted ones of `length` bytes; OUT: their data is fake_host_byte(*at) on. The
 * first one; they lie one behind the other. */
struct lab_urb *lab_queue(struct lab *lab, unsigned int port, uint8_t address, uint8_t endpoint,
			  unsigned int n, uint32_t length, bool short_not_ok, uint32_t *at);
/* It is back with that; IN: its bytes are fake_host_byte(at) on. */
void lab_expect(const struct lab_urb *urb, int status, uint32_t actual);
void lab_expect_bytes(const struct lab_urb *urb, uint32_t at);

/* A control transfer that is submitted only. */
struct lab_urb *lab_control_start(struct lab *lab, unsigned int port, uint8_t address,
				  uint8_t request_type, uint8_t request, uint16_t value,
				  uint16_t index, uint16_t length);
/* One that must end by itself: bytes or -errno, data in lab->urbs' last used. */
int lab_control(struct lab *lab, unsigned int port, uint8_t address, uint8_t request_type,
		uint8_t request, uint16_t value, uint16_t index, uint16_t length);
/* What a guest does with a new device: address, configuration 1. */
void lab_enumerate(struct lab *lab, unsigned int port, uint8_t address);
/* lab_start, host 0 at port 1, enumerated at address 2; records are forgotten. */
void lab_up(struct lab *lab);

/* fake_host_give of host 0, and a turn. */
void lab_give(struct lab *lab, uint8_t endpoint, int status, uint32_t actual, uint32_t *at);
/* n URBs, one behind the other, are back whole and in order; IN: with the bytes from `at` on. */
void lab_expect_all(const struct lab_urb *urbs, unsigned int n, uint32_t length, uint32_t at);
/* The oldest OUT transfer of host 0 has these bytes, all of them. */
void lab_expect_sent(struct lab *lab, uint8_t endpoint, uint32_t length, uint32_t at);

/* An evil deed against the device of lab_up, until it is over. */
void lab_evil(struct lab *lab, enum usbfront_evil kind);

#endif
