/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbox-guest-usb.h - what the files of xenbox-guest-usb share: the guest, its controllers and
 * devices, and its commands. */
#ifndef XB_TOOLS_XENBOX_GUEST_USB_H
#define XB_TOOLS_XENBOX_GUEST_USB_H

#include <stdio.h>

#include "tests/guest/usbdev.h"

#define GUEST_BUSES 8u

/** A controller of the guest; bus is NULL until it is used. */
struct guest_bus {
	uint32_t devid;
	struct usbdev_bus *bus;
	struct usbdev *devices[USBFRONT_PORTS_MAX + 1];
};

struct guest {
	uint16_t domid;
	const char *dir; /**< of the box; NULL = its default */
	struct xen *xen;
	struct xen_store *store;
	struct usbdev_options options; /**< of every controller */
	uint64_t wait_ns;	       /**< for the toolstack, for a device */
	uint64_t timeout_ns;	       /**< of a transfer or command */
	enum usbfront_evil evil;
	bool verbose;
	int signals; /**< signalfd of those that end us */
	bool stop;   /**< one came */
	unsigned int n_buses;
	struct guest_bus buses[GUEST_BUSES];
};

/** A command: its words without the first; 0, or -errno after a message. */
struct guest_command {
	const char *name, *arguments, *help;
	int (*run)(struct guest *guest, int argc, char **argv);
};
extern const struct guest_command guest_commands[];

/** The time that is `ns` from now. */
uint64_t guest_in(const struct guest *guest, uint64_t ns);
/** Opens and connects controller devid; waits for the toolstack and the backend. NULL after a
 * message. */
struct guest_bus *guest_open_bus(struct guest *guest, uint32_t devid);
/** Without a wait for the connection. */
struct guest_bus *guest_create_bus(struct guest *guest, uint32_t devid, enum usbfront_evil evil);
/** "0-1" or "1" as controller and port; -EINVAL after a message. */
int guest_parse_port(const char *text, uint32_t *devid, unsigned int *port);
/** The enumerated device at "0-1"; waits for it. NULL after a message. */
struct usbdev *guest_device(struct guest *guest, const char *text);
/** Reads "64MiB", "4096", "10M" as bytes; -EINVAL after a message. */
int guest_parse_size(const char *what, const char *text, uint64_t *bytes);
/** A decimal number of at most max; -EINVAL after a message. */
int guest_parse_number(const char *what, const char *text, uint32_t max, uint32_t *value);
/** "12.5 MiB", in a buffer of the caller's. */
const char *guest_size_text(uint64_t bytes, char text[24]);
/** Megabytes (10^6) a second. */
double guest_rate(uint64_t bytes, uint64_t ns);
/** A line that replaces the one before it, where a person looks on (stderr is a terminal). NULL
 * ends it. */
void guest_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** A message on stderr; returns rc. */
int guest_fail(int rc, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* xenbox-guest-usb-disk.c */
int guest_cmd_disk(struct guest *guest, int argc, char **argv);
int guest_cmd_read(struct guest *guest, int argc, char **argv);
int guest_cmd_write(struct guest *guest, int argc, char **argv);
/* xenbox-guest-usb-cmd.c */
int guest_cmd_list(struct guest *guest, int argc, char **argv);
int guest_cmd_wait(struct guest *guest, int argc, char **argv);
int guest_cmd_test(struct guest *guest, int argc, char **argv);
int guest_cmd_iso(struct guest *guest, int argc, char **argv);
int guest_cmd_reset(struct guest *guest, int argc, char **argv);
int guest_cmd_stats(struct guest *guest, int argc, char **argv);
int guest_cmd_evil(struct guest *guest, int argc, char **argv);
/* xenbox-guest-usb-stream.c */
int guest_cmd_unlink(struct guest *guest, int argc, char **argv);
int guest_cmd_serial(struct guest *guest, int argc, char **argv);
int guest_cmd_input(struct guest *guest, int argc, char **argv);

#endif
