/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backend.h - serves one /local/domain/0/backend/TYPE: finds devices, watches both sides, walks the
 * state machine.
 *
 * Mark and sweep over the directory on every event below it (debounced: one scan per wake), plus a
 * watch on each frontend's state node. States are written in a transaction that reads the node
 * first, so that a directory which the toolstack removed is never re-created. A frontend whose node
 * changes more than 1000 times/s is throttled (XSA-349). When xenstored restarts, the connection is
 * opened anew and every device looked at again; rings go on meanwhile.
 */
#ifndef XB_XEN_BACKEND_H
#define XB_XEN_BACKEND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "ops.h"
#include "xenbus.h"

struct clock;
struct backend;

/** One device as the scanner sees it. */
struct backend_device {
	struct backend *backend;
	uint16_t domid;	   /**< the guest */
	uint32_t devid;	   /**< "0", "1", ... */
	char name[32];	   /**< "vif3.0", for messages */
	char dir[96];	   /**< /local/domain/0/backend/vif/3/0 */
	char frontend[96]; /**< /local/domain/3/device/vif/0 */
	void *ctx;	   /**< the driver's own */
};

/** What a driver (vif, vusb) provides. All run in the control thread. */
struct backend_driver {
	const char *type;	    /**< "vif", "vusb" */
	bool needs_hotplug;	    /**< hold in InitWait until hotplug-status = connected */
	uint64_t init_wait_hold_ns; /**< hold in InitWait at least so long (vusb) */
	/** A device appeared; may set dev->ctx. -errno: it is closed with an error node; asked
	 * again when a key changes. */
	int (*create)(void *ctx, struct backend_device *dev, char *error, size_t error_size);
	/** Write feature keys with backend_write inside the transaction `txn`; called again when
	 * that has to be repeated. */
	int (*publish)(void *ctx, struct backend_device *dev, xen_txn txn);
	/**
	 * Read the frontend's keys, map, bind, start. adopt: the frontend is already connected to a
	 * dead predecessor of ours. On failure a sentence in error, which goes to the error node
	 * and the log. -EAGAIN: not now (a predecessor may not be gone yet): called again every 200
	 * ms, for at most 10 s.
	 */
	int (*connect)(void *ctx, struct backend_device *dev, bool adopt, char *error,
		       size_t error_size);
	/** Stop, unbind, unmap. Called only when connected. */
	void (*disconnect)(void *ctx, struct backend_device *dev);
	/** Frontend went to Reconfiguring; may be NULL. */
	int (*reconfigure)(void *ctx, struct backend_device *dev);
	/** A key of the backend dir other than state, online, error, hotplug-* changed (rate, ...);
	 * may be NULL. */
	void (*changed)(void *ctx, struct backend_device *dev, const char *key);
	/** The device is gone. */
	void (*destroy)(void *ctx, struct backend_device *dev);
};

/** Starts serving; the first scan runs at once. event NULL: the caller drives backend_run itself
 * (tests). */
int backend_create(struct backend **backend, struct xen *xen, sd_event *event, struct clock *clock,
		   const struct backend_driver *driver, void *ctx);
/** Disconnects without touching any state node: guests wait for our successor. */
void backend_destroy(struct backend *backend);

/** Handles what waits on the store; returns the next deadline in ns (DEADLINE_NEVER: none). */
uint64_t backend_run(struct backend *backend);

/** The store connection of the control thread, for reading keys; changes when xenstored restarts
 * (NULL meanwhile). */
struct xen_store *backend_store(struct backend *backend);

/** Device fault found by the data path: closes it (states 5, 6) with an error node `why`; safe to
 * call from a callback. */
void backend_fail(struct backend_device *dev, const char *why);

/** Writes `key` in the device's backend dir; used by publish. */
int backend_write(struct backend_device *dev, xen_txn txn, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/** Reads a key of the backend dir or the frontend dir (frontend = true); value to free(), or
 * -errno. Bounded to 4096 bytes. */
int backend_read(struct backend_device *dev, xen_txn txn, bool frontend, const char *key,
		 char **value);
/** Reads an unsigned number in [min, max]; missing key: -ENOENT; anything else than digits or
 * outside: -EINVAL. */
int backend_read_u32(struct backend_device *dev, xen_txn txn, bool frontend, const char *key,
		     uint32_t min, uint32_t max, uint32_t *value);

struct backend_device *backend_find(struct backend *backend, uint16_t domid, uint32_t devid);
void backend_foreach(struct backend *backend, void (*fn)(void *ctx, struct backend_device *dev),
		     void *ctx);

/** {"backend":"Connected","frontend":...,"online":..., "hotplug":..., "why": sentence, "error":
 * text|null, "age_ms":...} */
json_t *backend_explain(struct backend_device *dev);

#endif
