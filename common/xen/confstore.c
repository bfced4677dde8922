/* SPDX-License-Identifier: GPL-2.0-or-later */
/* confstore.c - configuration read from and errors written to xenstore, see confstore.h. */
#include "confstore.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "util.h"

#define LOG_MODULE     "config"
#define RECONNECT_USEC 200000u
#define GATHER_USEC    1000u

struct confstore {
	struct xen *xen;
	struct xen_store *store; /**< NULL while xenstored is away */
	sd_event *event;
	sd_event_source *source, *timer;
	const char *const *paths;
	void (*changed)(void *ctx);
	void *ctx;
};

static void arm(struct confstore *conf, uint64_t usec)
{
	sd_event_source_set_time_relative(conf->timer, usec);
	sd_event_source_set_enabled(conf->timer, SD_EVENT_ONESHOT);
}

static void disconnect(struct confstore *conf)
{
	conf->source = sd_event_source_unref(conf->source);
	if (conf->store)
		conf->xen->ops->store_close(conf->store);
	conf->store = NULL;
}

/* Reads away all events: what changed does not matter, that something did. */
static int on_event(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
	struct confstore *conf = ctx;
	char *path, *token;
	int rc;

	while ((rc = conf->xen->ops->store_event(conf->store, &path, &token)) > 0) {
		free(path);
		free(token);
	}
	if (rc < 0) {
		log_warn("xenstore: connection lost, trying again every %u ms",
			 RECONNECT_USEC / 1000);
		disconnect(conf);
		arm(conf, RECONNECT_USEC);
		return 0;
	}
	arm(conf, GATHER_USEC);
	return 0;
}

static int connect_store(struct confstore *conf)
{
	const struct xen_ops *ops = conf->xen->ops;
	int rc = ops->store_open(conf->xen, &conf->store);

	if (rc < 0) {
		conf->store = NULL;
		return rc;
	}
	for (unsigned int i = 0; conf->paths[i] && rc == 0; i++)
		rc = ops->store_watch(conf->store, conf->paths[i], "config");
	if (rc == 0)
		rc = sd_event_add_io(conf->event, &conf->source, ops->store_fd(conf->store),
				     EPOLLIN, on_event, conf);
	if (rc < 0)
		disconnect(conf);
	return rc;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
	struct confstore *conf = ctx;

	if (!conf->store) {
		if (connect_store(conf) < 0) {
			arm(conf, RECONNECT_USEC);
			return 0;
		}
		log_info("xenstore: connected again");
	}
	conf->changed(conf->ctx);
	return 0;
}

int confstore_create(struct confstore **out, struct xen *xen, sd_event *event,
		     const char *const *paths, void (*changed)(void *ctx), void *ctx)
{
	struct confstore *conf = xb_calloc(1, sizeof(*conf));
	int rc;

	conf->xen = xen;
	conf->event = event;
	conf->paths = paths;
	conf->changed = changed;
	conf->ctx = ctx;
	rc = sd_event_add_time_relative(event, &conf->timer, CLOCK_MONOTONIC, 0, 1, on_timer, conf);
	if (rc == 0)
		rc = connect_store(conf);
	if (rc < 0) {
		log_err("xenstore: cannot watch %s: %s", paths[0], strerror(-rc));
		confstore_destroy(conf);
		return rc;
	}
	*out = conf;
	return 0;
}

void confstore_destroy(struct confstore *conf)
{
	if (!conf)
		return;
	disconnect(conf);
	sd_event_source_unref(conf->timer);
	free(conf);
}

bool confstore_connected(const struct confstore *conf)
{
	return conf->store != NULL;
}

char *confstore_get(struct confstore *conf, const char *path)
{
	char *value = NULL;

	if (conf->store &&
	    conf->xen->ops->store_read(conf->store, XEN_TXN_NONE, path, &value, NULL) < 0)
		return NULL;
	return value;
}

void confstore_put(struct confstore *conf, const char *path, const char *value)
{
	int rc;

	if (!conf->store)
		return;
	rc = conf->xen->ops->store_write(conf->store, XEN_TXN_NONE, path, value, strlen(value));
	if (rc < 0)
		log_warn("xenstore: cannot write %s: %s", path, strerror(-rc));
}

void confstore_rm(struct confstore *conf, const char *path)
{
	if (conf->store)
		conf->xen->ops->store_rm(conf->store, XEN_TXN_NONE, path);
}

bool confstore_vm_uuid(struct confstore *conf, uint16_t domid, char *uuid, size_t size)
{
	AUTO_FREE char *path = xb_asprintf("/local/domain/%u/vm", domid);
	AUTO_FREE char *vm = confstore_get(conf, path);

	if (!vm || strncmp(vm, "/vm/", 4) != 0 || strlen(vm + 4) >= size || strchr(vm + 4, '/'))
		return false;
	strcpy(uuid, vm + 4); /* fits: checked above */
	return true;
}

char *confstore_domain_name(struct confstore *conf, uint16_t domid)
{
	AUTO_FREE char *path = xb_asprintf("/local/domain/%u/name", domid);

	return confstore_get(conf, path);
}

int confstore_list(struct confstore *conf, const char *dir, char ***names, unsigned int *n)
{
	int rc;

	*names = NULL;
	*n = 0;
	if (!conf->store)
		return -EIO;
	rc = conf->xen->ops->store_list(conf->store, XEN_TXN_NONE, dir, names, n);
	return rc == -ENOENT ? 0 : rc;
}

bool confstore_set_error(struct confstore *conf, const char *dir, const char *error)
{
	AUTO_FREE char *path = xb_asprintf("%s/error", dir);
	AUTO_FREE char *old = confstore_get(conf, path);

	if (!error && old) {
		confstore_rm(conf, path);
		return true;
	}
	if (error && (!old || strcmp(old, error) != 0)) {
		log_warn("%s: %s", dir, error);
		confstore_put(conf, path, error);
		return true;
	}
	return false;
}

int confstore_read(struct confstore *conf, const char *dir, const struct key_table *table,
		   void *object, char error[KEY_ERROR_MAX])
{
	AUTO_FREE void *fresh = xb_calloc(1, table->object_size);
	AUTO_FREE char **names = NULL;
	unsigned int n;

	if (confstore_list(conf, dir, &names, &n) < 0)
		return -EIO;
	keys_set_defaults(table, fresh);
	for (unsigned int i = 0; i < n; i++) {
		AUTO_FREE char *path = xb_asprintf("%s/%s", dir, names[i]);
		AUTO_FREE char *value = NULL;

		if (strcmp(names[i], "error") == 0)
			continue;
		value = confstore_get(conf, path);
		if (!value)
			continue; /* removed in between: its watch event brings us back */
		if (key_set(table, fresh, names[i], value, error) < 0)
			return -EINVAL;
	}
	memcpy(object, fresh, table->object_size);
	return 0;
}
