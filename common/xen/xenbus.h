/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbus.h - the backend's state machine as a pure table: (our state, frontend's state,
 * circumstances) -> state, action.
 *
 * The scanner (backend.h) feeds it and performs what it says; a unit test walks the whole matrix.
 */
#ifndef XB_XEN_XENBUS_H
#define XB_XEN_XENBUS_H

#include <stdbool.h>

/** Xen public io/xenbus.h; XENBUS_STATE_MISSING: no such node (kernel: XenbusStateUnknown). */
enum xenbus_state {
	XENBUS_STATE_MISSING = 0,
	XENBUS_STATE_INITIALISING = 1,
	XENBUS_STATE_INIT_WAIT = 2,
	XENBUS_STATE_INITIALISED = 3,
	XENBUS_STATE_CONNECTED = 4,
	XENBUS_STATE_CLOSING = 5,
	XENBUS_STATE_CLOSED = 6,
	XENBUS_STATE_RECONFIGURING = 7,
	XENBUS_STATE_RECONFIGURED = 8,
};
#define XENBUS_STATE_COUNT 9

/** What the scanner does, in this order of meaning; at most one per step. */
enum xenbus_action {
	XENBUS_ACTION_NONE,
	XENBUS_ACTION_PUBLISH,	   /**< write the feature keys (then the new state) */
	XENBUS_ACTION_CONNECT,	   /**< map rings, bind ports; on success the new state, on failure
				      close with an error node */
	XENBUS_ACTION_ADOPT,	   /**< as CONNECT, but the frontend is already running: attach at
				      rsp_prod, state unchanged */
	XENBUS_ACTION_DISCONNECT,  /**< stop rings, unbind, unmap (then the new state) */
	XENBUS_ACTION_RECONFIGURE, /**< re-read what the frontend may change live */
	XENBUS_ACTION_FORGET,	   /**< disconnect and drop the device, write nothing more */
};

/** What a step is decided from. */
struct xenbus_input {
	enum xenbus_state backend;  /**< our node as it stands in the store */
	enum xenbus_state frontend; /**< the frontend's node */
	bool online;		    /**< backend dir's online != 0 */
	bool exists;		    /**< the backend dir is there and complete */
	bool connected;		    /**< we hold this device's rings */
	bool hotplug_ok; /**< vif: hotplug-status = connected; vusb: hold time over; others: true */
	bool ours; /**< we brought the device to its state (else: left by a dead predecessor) */
};

struct xenbus_step {
	enum xenbus_action action;
	enum xenbus_state next; /**< state to write after the action; equal to input->backend: write
				   nothing */
	bool again;		/**< feed the result again at once (5 and 6 must each be visible) */
	const char *reason;	/**< for the log and `explain`: static text */
};

/** The next step; NONE with next == backend when there is nothing to do. */
struct xenbus_step xenbus_next(const struct xenbus_input *input);

/** In plain words: which side waits for what ("waiting for the guest to ..."). Static text. */
const char *xenbus_explain(const struct xenbus_input *input);

/** True for a frontend that may still use its rings and reacts to our Closing (2, 3, 4, 7, 8). */
bool xenbus_frontend_lives(enum xenbus_state frontend);

/** "Connected"; "?" for anything outside. */
const char *xenbus_state_name(enum xenbus_state state);
/** Strict parse of a state node: digits 0-8 only; anything else, NULL included, is
 * XENBUS_STATE_MISSING. */
enum xenbus_state xenbus_state_parse(const char *value);

#endif
