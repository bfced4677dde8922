/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bindings.h - which USB device belongs on which port of which guest, and what is done about it.
 *
 * Theory of Operation
 * A port has a device for one of three reasons: xl wrote its bus id into the node port/N of the
 * controller's backend directory; a policy of the VM names it (xenback/vm/UUID/usb/DEV/PORT), so
 * that it comes back after a reboot of the guest and after it was unplugged; or an attachment for
 * this run of the guest names it (xenback/once/DOMID/usb/DEV/PORT). Who was there first keeps the
 * port and keeps the device: a device is in one place only.
 *
 * The nodes port/N are libxl's, and one value that is not the bus id of a live device makes
 * usbdev-attach and usbdev-detach fail for every domain of the host (reference: libxl_usb.c,
 * get_assigned_devices). So: a device of this host has its bus id in port/N, whoever attached it. A
 * port that waits for its device, or has one that is no device of this host, has no node port/N at
 * all: libxl takes such a port as reserved. A port without a device has the empty node. When a
 * device vanishes, its node is cleared, after a time in which it may come back (some do so after a
 * reset). Nodes are written in transactions that read them first: what xl wrote meanwhile counts.
 *
 * xl writes port/N before it looks for interfaces of the device, and takes it back when it finds
 * some. A device that we configured in between would have them. So what xl wrote is left alone for
 * a time (attach_hold), and must be unchanged then. After a restart of the daemon the guest has its
 * devices already, and nothing is held.
 *
 * What the administrator does wins over what we wish: a device of a policy that xl detaches stays
 * detached until the guest is started anew, the device plugged in again, or the policy changed.
 *
 * All functions run in the control thread. Changes only mark what is to be looked at; bindings_run
 * does it, from a timer of the event loop, or called by a test.
 */
#ifndef XB_USB_BINDINGS_H
#define XB_USB_BINDINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "devspec.h"

struct bindings;
struct usbback;
struct vusb;
struct vusbdev;

enum binding_state {
	BINDING_FREE,	  /**< nothing is wanted here */
	BINDING_HELD,	  /**< xl wrote it a moment ago, and may take it back */
	BINDING_MISSING,  /**< the device is not plugged into this host */
	BINDING_BLOCKED,  /**< the device, or the port, is somebody else's; or it can't be served */
	BINDING_WAITING,  /**< for the guest's driver */
	BINDING_FAILED,	  /**< it could not be opened */
	BINDING_ATTACHED, /**< the guest has it */
};

/** Why a device is on a port. */
enum binding_source {
	SOURCE_POLICY, /**< the VM's policy */
	SOURCE_ONCE,   /**< attached for this run of the guest */
	SOURCE_XL,     /**< the node port/N */
	SOURCE_NONE,
};
/** Those that come from keys. */
#define N_WISHES 2u

/** What the node port/N holds. */
enum binding_node {
	NODE_UNREAD, /**< not known yet, or not to be had */
	NODE_ABSENT,
	NODE_EMPTY,
	NODE_TEXT, /**< `node_text`: a bus id, if it is right */
};

/** What keys ask for on a port. */
struct wish {
	struct devspec spec; /**< kind DEVSPEC_NONE: nothing */
	char quirks[128];
	bool present;	 /**< the directory exists */
	char error[256]; /**< of its keys, "" = they are right */
	char shown[256]; /**< what its node `error` says */
};

struct binding {
	struct vusbdev *vd;
	unsigned int number;		 /**< 1 ... */
	struct wish wishes[N_WISHES];	 /**< by source */
	bool suspended;			 /**< xl took the device of the wish away */
	struct host_device suspended_of; /**< that device */

	enum binding_node node;
	char node_text[64];
	bool node_ours;	      /**< we wrote it, or stand by it */
	char node_error[256]; /**< what port-error/N says, "" = not there */

	enum binding_state state;
	enum binding_source source;	   /**< whose device it has, or waits for */
	char wanted[DEVSPEC_TEXT_MAX + 1]; /**< how that source names it */
	struct host_device device;	   /**< claimed for this port; busid "" = none */
	bool was_reserved;		   /**< to be unconfigured again afterwards */
	bool stale;		 /**< the guest may believe that its device is still there */
	uint64_t held_until_ns;	 /**< xl may take it back until then */
	uint64_t gone_ns;	 /**< when it vanished; 0 = it has not */
	uint64_t retry_ns;	 /**< when it is tried again; DEADLINE_NEVER: not by itself */
	unsigned int n_failures; /**< in a row */
	char why[256];		 /**< the state in words */
};

int bindings_create(struct bindings **out, struct usbback *ub);
/** No controller may be there any more. */
void bindings_destroy(struct bindings *bindings);

/** A controller appeared: its ports are looked at in the next run. */
void bindings_add(struct bindings *bindings, struct vusbdev *vd);
/** It is gone: its devices are free. */
void bindings_remove(struct bindings *bindings, struct vusbdev *vd);
/** Its rings run (vd->vusb). adopt: the guest has had its devices before. */
void bindings_connected(struct bindings *bindings, struct vusbdev *vd, bool adopt);
/** Its rings were given up, and its devices closed. */
void bindings_disconnected(struct bindings *bindings, struct vusbdev *vd);

/** The node port/N was written by somebody. */
void bindings_node_changed(struct bindings *bindings, struct vusbdev *vd, unsigned int number);
/** Settings or policies may have changed, or the store was away. */
void bindings_config_changed(struct bindings *bindings);
/** All devices that are plugged into this host now, hubs too. */
void bindings_set_devices(struct bindings *bindings, const struct host_device *devices, size_t n);
/** A controller says that the device of a port (1 ...) is gone; the port is free there already. */
void bindings_gone(struct bindings *bindings, struct vusbdev *vd, unsigned int number);

/** A wish that xl ended, or that failed, is to be tried again. */
void bindings_resume(struct bindings *bindings, struct binding *port);
/** Removes keys of domains that ended while nobody was here. */
void bindings_sweep_once(struct usbback *ub);

/** Looks at everything that changed; returns the next deadline in ns (DEADLINE_NEVER: none). */
uint64_t bindings_run(struct bindings *bindings);

/** The controller; NULL = there is none. */
struct vusbdev *bindings_find(struct bindings *bindings, uint16_t domid, uint32_t devid);
/** The one whose rings these are; NULL = it was closed meanwhile. */
struct vusbdev *bindings_find_vusb(struct bindings *bindings, const struct vusb *vusb);
void bindings_foreach(struct bindings *bindings, void (*fn)(void *ctx, struct vusbdev *vd),
		      void *ctx);

/** Where keys for a port stand; a string to free(). NULL: the VM's UUID is unknown. */
char *bindings_dir(const struct binding *port, enum binding_source source);
/** Who has a device of this host: NULL = nobody. */
const struct binding *bindings_owner(struct bindings *bindings, const char *busid);
/** Empties a node port/N that xl wrote, as xl would. 0 or -errno. */
int bindings_clear_node(struct binding *port);

/** "free", "held", "missing", ... */
const char *binding_state_name(enum binding_state state);
/** "policy", "once", "xl", "none" */
const char *binding_source_name(enum binding_source source);
/** {"port", "state", "source", "device", "id", "why", ...}, new reference. */
json_t *binding_to_json(const struct binding *port);
/** Devices of this host as array: {"device": "3-1.5", "id", "serial", "product", "speed",
 * "reserved", "used_by"}, hubs left out; new reference. */
json_t *bindings_devices_to_json(struct bindings *bindings);

#endif
