/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbdev-stub.h - a device behind the tiny PVUSB backend of usbfront-stub.h, for tests of the
 * guest's USB stack: a source/sink or a disk in memory, with faults on demand, on a manual clock.
 *
 * It answers whenever the stack waits; when there is nothing to answer, the clock moves to the end
 * of the wait.
 */
#ifndef XB_TESTS_USBDEV_STUB_H
#define XB_TESTS_USBDEV_STUB_H

#include "clock.h"
#include "tests/guest/usbdev.h"
#include "usbfront-stub.h"

#define DEVSTUB_PORT   3
#define DEVSTUB_BLOCKS 1000u

/* What a command of the disk is in the middle of. */
enum devstub_stage { DEVSTUB_WRAPPER, DEVSTUB_DATA, DEVSTUB_STATUS };

struct devstub {
	struct stub *s;
	struct clock clock;
	struct usbdev_bus *bus;
	struct usbdev *dev;
	uint8_t device_desc[18], config_desc[256];
	uint16_t n_config;
	bool is_disk;
	/* the device */
	uint8_t address, config, alternate;
	bool halted[32], stopped[32]; /* by endpoint: number, 16 more for IN */
	uint8_t vendor[4096];
	uint8_t image[DEVSTUB_BLOCKS * 512];
	enum devstub_stage stage;
	uint8_t cbw[31];
	uint32_t data_left, data_at;
	uint8_t csw_status;
	uint32_t sense; /* 0xKKCCQQ, of the next REQUEST SENSE */
	/* requests that are not answered yet */
	struct usbif_urb_request held[USBFRONT_SLOTS];
	unsigned int n_held;
	/* what is done wrong, so many times */
	unsigned int hang, dead, stall_data, stall_status, bad_status, fail_command, short_data;
	bool unplug; /* as soon as nothing moves */
	bool wrong_bytes, no_stall, lose_packets;
	unsigned int fail_at_0; /* requests to address 0 that fail */
	/* what was seen */
	unsigned int n_urbs, n_address_0, n_unlinks, n_set_interface, n_commands;
	char log[256]; /* letters of control requests */
};

/* cmocka: a bus that is connected, the device plugged into DEVSTUB_PORT (by _plug). */
int devstub_setup(void **state);
int devstub_teardown(void **state);
void devstub_source(struct devstub *d);
void devstub_disk(struct devstub *d);
/* Plugs and enumerates. */
void devstub_plug(struct devstub *d);
/* A time so many seconds from now. */
uint64_t devstub_in(const struct devstub *d, unsigned int seconds);

#endif
