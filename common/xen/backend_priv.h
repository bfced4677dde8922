/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backend_priv.h - what the four parts of the scanner share.
 *
 * backend.c holds the connection and hands out events, backend_scan.c knows which devices there
 * are, backend_walk.c moves one of them through the state machine, backend_store.c reads and writes
 * nodes. Nobody else includes this.
 */
#ifndef XB_XEN_BACKEND_PRIV_H
#define XB_XEN_BACKEND_PRIV_H

#include <uthash.h>
#include <utlist.h>

#include "backend.h"
#include "log.h"

#define BACKEND_VALUE_MAX	 4096u	/* xenstore's payload limit, bytes */
#define BACKEND_PATH_MAX	 3072u	/* xenstore's limit of an absolute path, bytes */
#define BACKEND_DOMID_MAX	 32751u /* DOMID_FIRST_RESERVED - 1 (Xen public xen.h) */
#define BACKEND_EVENTS_PER_S	 1000u	/* of one frontend's state node, before we look away */
#define BACKEND_STEPS_PER_S	 64u	/* state changes that one frontend may make us write */
#define BACKEND_WINDOW_NS	 1000000000ull
#define BACKEND_GRACE_NS	 2000000000ull	/* for a living frontend to react to Closing */
#define BACKEND_RETRY_NS	 1000000000ull	/* after the store refused a write */
#define BACKEND_AGAIN_NS	 200000000ull	/* after connect said -EAGAIN */
#define BACKEND_AGAIN_MAX	 50u		/* so often at most: 10 s */
#define BACKEND_GARBAGE_NS	 10000000000ull /* longer than any toolstack waits for Closed */
#define BACKEND_ORPHAN_NS	 60000000000ull /* between looks at a device without a frontend */
#define BACKEND_RECONNECT_NS	 100000000ull	/* first attempt; doubles up to the next */
#define BACKEND_RECONNECT_MAX_NS 5000000000ull

/* A key of the backend dir that changed since the last run. */
struct backend_key {
	struct backend_key *next;
	char name[];
};

/* The scanner's side of a device. */
struct device {
	struct backend_device pub;
	uint64_t id; /* domid << 32 | devid */
	UT_hash_handle hh;

	struct xenbus_input in;	  /* as last read */
	char hotplug[32];	  /* hotplug-status, for explain */
	bool known;		  /* the driver's create succeeded */
	bool refused;		  /* shown to the table as a device without frontend */
	bool dirty;		  /* to be looked at in this run */
	bool seen;		  /* mark and sweep */
	bool read_once;		  /* `in` is valid */
	bool failing;		  /* to be closed because of `error` */
	bool error_due;		  /* `error` has yet to be written */
	char *error;		  /* what went wrong last, or NULL */
	struct backend_key *keys; /* changed keys, for the driver */

	uint64_t since_ns;	   /* our state has its value since */
	uint64_t closing_since_ns; /* Closing, and the frontend does not react; or DEADLINE_NEVER */
	uint64_t orphan_since_ns;  /* neither frontend nor domain left; or DEADLINE_NEVER */
	uint64_t deadline_ns;	   /* look again then */
	unsigned int n_again;	   /* connect said -EAGAIN so often */
	uint64_t again_ns;	   /* and is asked again then */

	bool watched;	    /* a watch on the frontend's state is set */
	uint64_t window_ns; /* start of the window that the next two count in */
	unsigned int n_events, n_steps;
	uint64_t throttled_until_ns; /* 0: not throttled */
	struct log_limit limit;
};

/* A directory that is no device; remembered so that it is complained about once. */
struct refusal {
	struct refusal *next;
	char *path;
	bool seen;
};

struct backend {
	struct xen *xen;
	sd_event *event;
	sd_event_source *io, *timer;
	struct clock *clock;
	const struct backend_driver *driver;
	void *ctx;
	char base[48];		 /* /local/domain/0/backend/vif */
	struct xen_store *store; /* NULL: lost */
	bool lost; /* a call said so; the run ends and the connection is opened anew */
	bool blank_logged;
	bool scan;	 /* the whole directory has to be listed */
	bool running;	 /* in backend_run */
	uint64_t now_ns; /* of this run */
	uint64_t reconnect_ns, backoff_ns;
	struct device *devices;
	struct refusal *refusals;
	struct log_limit limit;
};

static inline struct device *device_of(struct backend_device *pub)
{
	return (struct device *)((char *)pub - offsetof(struct device, pub));
}

/* backend_store.c: -EIO from the store marks the connection as lost. */

/* Reads a short node into buf (NUL-terminated). -ENOENT; -EINVAL: longer than size - 1, or not
 * text. */
int backend_get(struct backend *backend, xen_txn txn, const char *path, char *buf, size_t size);
/* The node online: a number other than 0, as for the kernel. */
bool backend_is_online(const char *value);
/* True when the node exists; errors count as existing, so that nothing is torn down for them. */
bool backend_exists(struct backend *backend, xen_txn txn, const char *path);
/* True when the store has lost all content (xenstored started over): nobody removed anything. */
bool backend_store_is_blank(struct backend *backend);
/* Notes what the store said and returns it. */
int backend_note(struct backend *backend, int r);

/* A change of state, written as a whole. */
struct state_change {
	enum xenbus_state next;
	bool publish; /* with the driver's features, and without `error` */
};
/*
 * Writes it with the pending error text in one transaction, if state and online still are what
 * dev->in says. -ENOENT: the device was removed; -ESTALE: they changed, look again; else the
 * store's or the driver's error. Nothing is written then.
 */
int backend_change_state(struct device *dev, const struct state_change *change);
/* Removes the directory of a device whose domain is gone, unless somebody came back. */
int backend_remove_orphan(struct device *dev);
/* True when neither frontend nor toolstack know this device any more. */
bool backend_is_orphan(struct device *dev, xen_txn txn);

/* backend_walk.c */

/* Takes the device as far as it gets now; it may be gone afterwards. */
void backend_walk(struct device *dev);
/* Keeps text as the device's error (to be written with the next change) and logs it. */
void backend_set_error(struct device *dev, const char *text);
/* Lowers the device's deadline to when_ns. */
void backend_wake_at(struct device *dev, uint64_t when_ns);

/* backend_scan.c */

/* A decimal number of len digits as the toolstack writes it: no sign, no leading zero, at most max.
 */
bool backend_parse_id(const char *text, size_t len, uint32_t max, uint32_t *id);
struct device *backend_find_id(struct backend *backend, uint32_t domid, uint32_t devid);
/* Lists the whole directory: new devices are added, missing ones marked for a walk. */
void backend_scan(struct backend *backend);
/* Reads a new directory and creates the device; NULL when it is none (yet). */
struct device *backend_add(struct backend *backend, uint16_t domid, uint32_t devid);
/* Asks whether the device can be served; false with an error kept. */
bool backend_introduce(struct device *dev);
/* Notes a changed key for the driver, once. */
void backend_add_key(struct device *dev, const char *name);
/* Sets the watch on the frontend's state; -errno. */
int backend_watch_frontend(struct device *dev);
/* Stops looking at the frontend for a second. */
void backend_throttle(struct device *dev);
/* Starts the counters of the throttle anew when their second is over, and ends a throttle. */
void backend_roll_window(struct device *dev);
/* Disconnects and frees, with a line in the log. */
void backend_forget(struct device *dev, const char *reason);
void backend_free_device(struct device *dev);
void backend_forget_refusal(struct backend *backend, struct refusal *refusal);

#endif
