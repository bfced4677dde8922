/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bindings_priv.h - what the files of the bindings share.
 *
 * bindings.c runs, bindings_look.c decides, bindings_wish.c reads what keys ask for,
 * bindings_node.c reads and writes the nodes port/N, bindings_attach.c opens devices and plugs them
 * in, bindings_json.c tells about it. Nobody else includes this.
 */
#ifndef XB_USB_BINDINGS_PRIV_H
#define XB_USB_BINDINGS_PRIV_H

#include "bindings.h"
#include "usbback.h"

struct bindings {
	struct usbback *ub;
	sd_event_source *timer; /**< NULL: the owner calls bindings_run */
	struct vusbdev *controllers;
	struct host_device *devices;
	size_t n_devices;
	bool again;	  /**< something became free in this run */
	uint64_t now_ns;  /**< of this run */
	uint64_t next_ns; /**< earliest deadline found so far */
};

/* bindings.c */

/** The plugged-in device at busid, or NULL. */
const struct host_device *bindings_device(const struct bindings *bindings, const char *busid);
/** Another run is needed at when_ns at the latest. */
void bindings_wake_at(struct bindings *bindings, uint64_t when_ns);
/** The one place that changes a port's state; logs what people should know. */
void binding_set(struct binding *port, enum binding_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** What people call its device: bus id, model, or what xl wrote. */
const char *binding_device_name(const struct binding *port);
/** Gives up the port's device: detached, closed, free for others. why: for the log. */
void binding_release(struct binding *port, const char *why);

/* bindings_look.c */

/** Looks at a port, and does what is due. */
void binding_look(struct binding *port);

/* bindings_wish.c */

/** Reads the keys of all ports of a controller. */
void wishes_read(struct vusbdev *vd);
/** The keys' wish that is in force: its source, or SOURCE_NONE. */
enum binding_source wish_in_force(const struct binding *port);
/** Removes the keys that were for this run of the guest. */
void wishes_forget_once(struct vusbdev *vd);
/** Shows `text` (NULL: nothing) beside the keys of the wish, besides what is wrong with them. */
void wish_show_error(struct binding *port, enum binding_source source, const char *text);

/* bindings_node.c */

/** Reads the nodes port/N; sees what others did to them. */
void nodes_read(struct vusbdev *vd);
/** Brings the node to `text` ("" = empty, NULL = absent) if it still is what was read last, and the
 * device is not being taken away. 0, -ESTALE: it was changed, read it again; or -errno. */
int node_write(struct binding *port, const char *text);
/** True while the node still holds what was read last. */
bool node_is_unchanged(struct binding *port);
/** Writes port-error/N, or removes it (NULL). */
void node_show_error(struct binding *port, const char *text);

/* bindings_attach.c */

/** Plugs the port's device in. 0 or -errno with a sentence in error. */
int binding_plug(struct binding *port, char *error, size_t error_size);
/** Takes it out again, and hears what the controller had to say about it until then. */
void binding_unplug(struct binding *port);
/** Keeps in mind for our successor that the device was reserved, or learns it from our predecessor.
 */
void binding_mark_reserved(struct binding *port);
/** Gives a device of this host back to the state in which xl may attach it. */
void binding_unconfigure(struct binding *port);

#endif
