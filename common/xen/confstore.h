/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * confstore.h - the daemon's configuration in xenstore: watched, read into a struct by its key
 * table, errors written back.
 *
 * A connection of its own to the store (the scanner's serves devices), re-opened when xenstored
 * restarts. Changes are gathered: one callback per wake. Reading applies a directory as a whole:
 * one wrong value, and the old struct stays, while the reader puts a node `error` into the
 * directory that names key, value and what is allowed; it vanishes with the fault.
 */
#ifndef XB_XEN_CONFSTORE_H
#define XB_XEN_CONFSTORE_H

#include <systemd/sd-event.h>

#include "keys.h"
#include "ops.h"

struct confstore;

/** Watches the paths (NULL-terminated, static) and calls changed at once and after every change
 * below them. */
int confstore_create(struct confstore **out, struct xen *xen, sd_event *event,
		     const char *const *paths, void (*changed)(void *ctx), void *ctx);
void confstore_destroy(struct confstore *conf);

/**
 * Fills object from the directory: defaults, then every key that is there. Returns 0 (also for a
 * directory without keys), -EINVAL when a value was refused (object unchanged, error says why: for
 * confstore_set_error), -EIO when the store is not to be had.
 */
int confstore_read(struct confstore *conf, const char *dir, const struct key_table *table,
		   void *object, char error[KEY_ERROR_MAX]);

/** Writes (or, with NULL, removes) the error node of a directory; nothing when it is already so;
 * logs a new one. True when it was not so before. */
bool confstore_set_error(struct confstore *conf, const char *dir, const char *error);

/** Names in a directory, none when it does not exist; free(*names). -errno: store lost. */
int confstore_list(struct confstore *conf, const char *dir, char ***names, unsigned int *n);
/** One value to free(), NULL = not there. */
char *confstore_get(struct confstore *conf, const char *path);
/** Writes one value, e.g. of the status mirror. */
void confstore_put(struct confstore *conf, const char *path, const char *value);
void confstore_rm(struct confstore *conf, const char *path);
/** The UUID of a running domain's VM, which its policies are found by; false when there is none. */
bool confstore_vm_uuid(struct confstore *conf, uint16_t domid, char *uuid, size_t size);
/** A running domain's name to free(), NULL = unknown. */
char *confstore_domain_name(struct confstore *conf, uint16_t domid);
/** False while xenstored is away. */
bool confstore_connected(const struct confstore *conf);

#endif
