/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-bench.h - the control thread of usbback on a fake Xen: a toolstack, guests, devices that are
 * plugged in and yanked, time that moves on demand. Controllers are those of usb-fakes.h.
 */
#ifndef XB_TEST_USB_BENCH_H
#define XB_TEST_USB_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/ctl.h"
#include "common/stats.h"
#include "common/util.h"
#include "common/xen/fake.h"
#include "usb-fakes.h"
#include "usbback/usbback.h"

#define UUID_A "5f0c2a66-0d63-4a0c-9d4e-0123456789ab"
#define UUID_B "6f0c2a66-0d63-4a0c-9d4e-0123456789ab"

struct usb_bench {
	struct fake *fake;
	struct xen *dom0;
	struct xen_store *tool; /* the toolstack's connection */
	struct clock clock;
	struct app app;
	struct usbback ub;
	sd_event *event; /* for those who want one; it never runs */
	struct host_device devices[8];
	size_t n_devices;
	uint32_t next_address;
	char journal_dir[64];	    /* of the next start; "" = none */
	unsigned int n_descriptors; /* before the test */
	unsigned int n_warnings;
	char last_warning[512];
};

/* cmocka's setup and teardown: *state is a struct usb_bench; the daemon runs. */
int bench_setup(void **state);
int bench_teardown(void **state);

void bench_start(struct usb_bench *bench);
/* The daemon ends as for a restart. */
void bench_stop(struct usb_bench *bench);
/* Runs until nothing is due now. */
void bench_run(struct usb_bench *bench);
void bench_wait_ms(struct usb_bench *bench, unsigned int ms);

/* The toolstack's and the guest's hands. */
void bench_write(struct usb_bench *bench, const char *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void bench_rm(struct usb_bench *bench, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* NULL when there is no such node; else to free(). */
char *bench_read(struct usb_bench *bench, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* value NULL: there must be no such node. */
void bench_expect(struct usb_bench *bench, const char *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A domain; its controller 0 with 4 ports, as libxl writes it, backend and frontend states 1. */
void bench_domain(struct usb_bench *bench, unsigned int domid, const char *uuid);
void bench_controller(struct usb_bench *bench, unsigned int domid);
/* With another value of a key of the backend's side; the daemon does not run. */
void bench_controller_with(struct usb_bench *bench, unsigned int domid, const char *key,
			   const char *value);
/* The same, until the guest's driver is connected. */
void bench_guest(struct usb_bench *bench, unsigned int domid, const char *uuid);
void bench_frontend_connects(struct usb_bench *bench, unsigned int domid);
/* The domain and its directories are gone. */
void bench_destroy(struct usb_bench *bench, unsigned int domid);
/* port/N of the domain's controller; NULL: there must be none. */
void bench_expect_node(struct usb_bench *bench, unsigned int domid, unsigned int port,
		       const char *value);
void bench_write_node(struct usb_bench *bench, unsigned int domid, unsigned int port,
		      const char *value);

/* Keys, and what confstore does when they change. */
void bench_policy(struct usb_bench *bench, const char *uuid, unsigned int port, const char *key,
		  const char *value);

/* A high-speed stick at busid; and its end. */
void bench_plug_in(struct usb_bench *bench, const char *busid, uint16_t vid, uint16_t pid,
		   const char *serial);
void bench_yank(struct usb_bench *bench, const char *busid);

struct vusbdev *bench_vusbdev(struct usb_bench *bench, unsigned int domid);
struct binding *bench_port(struct usb_bench *bench, unsigned int domid, unsigned int port);
/* What the controller has on a port, "" = nothing. */
const char *bench_plugged(struct usb_bench *bench, unsigned int domid, unsigned int port);
void bench_expect_state(struct usb_bench *bench, unsigned int domid, unsigned int port,
			enum binding_state state);
/* Asserts on what the fakes were asked since the last time. */
void bench_expect_calls(const char *calls);

#endif
