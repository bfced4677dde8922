/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbfront-stub.h - a toolstack and a tiny PVUSB backend on a fake Xen, moved by hand, for the
 * tests of the box's frontend and of the USB stack above it.
 *
 * The backend maps and binds what the frontend published, moves data by grants and answers as the
 * test says.
 */
#ifndef XB_TESTS_USBFRONT_STUB_H
#define XB_TESTS_USBFRONT_STUB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <xen/io/usbif.h>

#include "tests/guest/usbfront.h"
#include "xen/fake.h"

#define STUB_DOMID 7
#define STUB_PORTS 4
#define FRONT	   "/local/domain/7/device/vusb/0"
#define BACK	   "/local/domain/0/backend/vusb/7/0"

struct stub {
	struct fake *fake;
	struct xen *dom0, *domu;
	const struct xen_ops *ops;
	struct xen_store *store;
	struct xen_gnt *gnt;
	struct xen_evt *evt;
	bool connected;
	struct ring_back urb, conn;
	void *urb_page, *conn_page;
	uint32_t port;
	unsigned int n_notified; /* events that the backend got */
	struct usbfront *front;
	struct usbfront_options options;
	char states[64]; /* letters of the states that the frontend went through */
	char ports[256]; /* "1H" came, "1-" went ... */
	void *user;	 /* a test's own */
};

/* cmocka: a machine with a controller attached by the toolstack, the backend in state 1. Teardown
 * checks for leaks. */
int stub_setup(void **state);
int stub_teardown(void **state);

void stub_write(struct stub *stub, const char *path, const char *value);
void stub_expect(struct stub *stub, const char *path, const char *value); /* NULL: no such node */

/* The frontend, by stub->options. */
void stub_front(struct stub *stub);
/* Maps and binds what the frontend wrote, then state 4. */
void stub_connect(struct stub *stub);
/* Unbinds and unmaps, as at a close and when a daemon dies; no state is written. */
void stub_disconnect(struct stub *stub);
/* All of it: state 2, front, connect; both are running. */
void stub_up(struct stub *stub);
/* usbfront_run until it has nothing to do. */
void stub_run(struct stub *stub);

/* Takes the next request; false = none. */
bool stub_take(struct stub *stub, struct usbif_urb_request *req);
/* Copies between the segments from `first` on and buf, from byte `at` of them on. False when a
 * grant copy failed. */
bool stub_copy(struct stub *stub, const struct usbif_urb_request *req, unsigned int first,
	       bool to_guest, uint32_t at, void *buf, uint32_t bytes);
/* Answers; pushes, and notifies where the frontend wants it. */
void stub_answer(struct stub *stub, uint16_t id, int32_t status, int32_t actual, int32_t errors);
/* A port event. */
void stub_event(struct stub *stub, uint8_t port, uint8_t speed);

#endif
