/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backend.c - the connection to xenstored and its events; hands each to the device it is about.
 *
 * Theory of Operation
 * One watch covers the whole directory of the type (there is no depth limit in xenstore 4.17), one
 * more each frontend's state. An event only marks a device; after all events that wait were read,
 * each marked device is walked once (backend_walk.c). An event on a level above a device, and a new
 * connection to xenstored, cause a full scan: list, mark, and walk what was not found.
 * Guests can flood nothing but their own frontend's state node; a device whose node changes too
 * often loses that watch for a second, so that the others do not wait behind it (XSA-349 is about
 * this).
 */
#include "backend_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "clock.h"
#include "util.h"

#define LOG_MODULE "xenbus"

#define TOKEN_BASE     "b"
#define EVENTS_PER_RUN 4096 /* the rest waits until the devices were looked at */
#define PASSES_PER_RUN 4    /* callbacks may mark devices that were walked already */

/* --- events ---------------------------------------------------------------------- */

/* Splits "5/0" or "5/0/key": true with *key at the key, or "". */
static bool split_ids(const char *text, uint32_t *domid, uint32_t *devid, const char **key)
{
	size_t n = strcspn(text, "/"), m;

	if (!backend_parse_id(text, n, BACKEND_DOMID_MAX, domid) || text[n] != '/')
		return false;
	text += n + 1;
	m = strcspn(text, "/");
	if (!backend_parse_id(text, m, UINT32_MAX, devid))
		return false;
	*key = text[m] == '/' ? text + m + 1 : "";
	return true;
}

static void on_backend_event(struct backend *backend, const char *path)
{
	size_t n = strlen(backend->base);
	uint32_t domid, devid;
	struct device *dev;
	const char *key;

	if (strncmp(path, backend->base, n) != 0 || path[n] != '/' ||
	    !split_ids(path + n + 1, &domid, &devid, &key)) {
		backend->scan = true;
		return;
	}
	dev = backend_find_id(backend, domid, devid);
	if (dev == NULL) {
		backend_add(backend, (uint16_t)domid, devid);
		return;
	}
	dev->dirty = true;
	if (key[0] != '\0')
		backend_add_key(dev, key);
}

static void on_frontend_event(struct backend *backend, const char *ids)
{
	uint32_t domid, devid;
	struct device *dev;
	const char *key;

	if (!split_ids(ids, &domid, &devid, &key))
		return;
	dev = backend_find_id(backend, domid, devid);
	if (dev == NULL || !dev->watched) /* an event that was on its way when we looked away */
		return;
	dev->dirty = true;
	backend_roll_window(dev);
	if (++dev->n_events > BACKEND_EVENTS_PER_S)
		backend_throttle(dev);
}

/* Reads what waits; true when there may be more. */
static bool drain(struct backend *backend)
{
	for (unsigned int i = 0; i < EVENTS_PER_RUN; i++) {
		AUTO_FREE char *path = NULL;
		AUTO_FREE char *token = NULL;
		int r = backend_note(backend,
				     backend->xen->ops->store_event(backend->store, &path, &token));

		if (r <= 0 || backend->lost)
			return false;
		if (strcmp(token, TOKEN_BASE) == 0)
			on_backend_event(backend, path);
		else if (strncmp(token, "f/", 2) == 0)
			on_frontend_event(backend, token + 2);
	}
	return true;
}

static void walk_all(struct backend *backend)
{
	bool any = true;

	for (unsigned int pass = 0; pass < PASSES_PER_RUN && any; pass++) {
		struct device *dev, *next;

		any = false;
		HASH_ITER (hh, backend->devices, dev, next) {
			if (backend->lost)
				return;
			if (!dev->dirty && dev->deadline_ns > backend->now_ns)
				continue;
			backend_roll_window(dev);
			backend_walk(dev);
			any = true;
		}
	}
}

static uint64_t next_deadline(struct backend *backend)
{
	uint64_t deadline_ns = DEADLINE_NEVER;
	struct device *dev, *next;

	HASH_ITER (hh, backend->devices, dev, next)
		deadline_ns = MIN(deadline_ns, dev->dirty ? backend->now_ns : dev->deadline_ns);
	return deadline_ns;
}

/* --- the connection -------------------------------------------------------------- */

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
	backend_run(ctx);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
	backend_run(ctx);
	return 0;
}

static void disconnect_store(struct backend *backend)
{
	struct device *dev, *next;

	backend->io = sd_event_source_disable_unref(backend->io);
	if (backend->store != NULL)
		backend->xen->ops->store_close(backend->store);
	backend->store = NULL;
	HASH_ITER (hh, backend->devices, dev, next)
		dev->watched = false;
}

static int connect_store(struct backend *backend)
{
	struct device *dev, *next;
	int r = backend->xen->ops->store_open(backend->xen, &backend->store);

	if (r < 0) {
		backend->store = NULL;
		return r;
	}
	backend->lost = false;
	r = backend->xen->ops->store_watch(backend->store, backend->base, TOKEN_BASE);
	if (r == 0 && backend->event != NULL)
		r = sd_event_add_io(backend->event, &backend->io,
				    backend->xen->ops->store_fd(backend->store), EPOLLIN, on_io,
				    backend);
	if (r < 0)
		return r;
	HASH_ITER (hh, backend->devices, dev, next) {
		dev->dirty = true;
		if (dev->refused && !backend_introduce(dev))
			continue;
		backend_watch_frontend(dev);
		if (backend->lost)
			return -EIO;
	}
	backend->scan = true;
	backend->backoff_ns = BACKEND_RECONNECT_NS;
	backend->blank_logged = false;
	return 0;
}

static bool reconnect(struct backend *backend)
{
	int r;

	if (backend->now_ns < backend->reconnect_ns)
		return false;
	r = connect_store(backend);
	if (r == 0) {
		log_info("connected to xenstored again");
		return true;
	}
	disconnect_store(backend);
	backend->backoff_ns = MIN(backend->backoff_ns * 2, BACKEND_RECONNECT_MAX_NS);
	backend->reconnect_ns = backend->now_ns + backend->backoff_ns;
	return false;
}

static void lose_store(struct backend *backend)
{
	log_err("lost the connection to xenstored; connected devices go on, looking for it again");
	disconnect_store(backend);
	backend->lost = false;
	backend->backoff_ns = BACKEND_RECONNECT_NS;
	backend->reconnect_ns = backend->now_ns + backend->backoff_ns;
}

static void arm(struct backend *backend, uint64_t deadline_ns)
{
	if (backend->timer == NULL)
		return;
	if (deadline_ns == DEADLINE_NEVER) {
		sd_event_source_set_enabled(backend->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(backend->timer, DIV_ROUND_UP(deadline_ns, NSEC_PER_USEC));
	sd_event_source_set_enabled(backend->timer, SD_EVENT_ONESHOT);
}

uint64_t backend_run(struct backend *backend)
{
	uint64_t deadline_ns;
	bool more = false;

	backend->now_ns = clock_now(backend->clock);
	backend->running = true;
	if (backend->store != NULL || reconnect(backend)) {
		more = drain(backend);
		if (backend->scan && !backend->lost)
			backend_scan(backend);
		if (!backend->lost)
			walk_all(backend);
		if (backend->lost)
			lose_store(backend);
	}
	backend->running = false;
	deadline_ns = backend->store == NULL ? backend->reconnect_ns : next_deadline(backend);
	if (more)
		deadline_ns = backend->now_ns;
	arm(backend, deadline_ns);
	return deadline_ns;
}

/* --- public ---------------------------------------------------------------------- */

int backend_create(struct backend **backend, struct xen *xen, sd_event *event, struct clock *clock,
		   const struct backend_driver *driver, void *ctx)
{
	struct backend *self = xb_calloc(1, sizeof(*self));
	int r;

	self->xen = xen;
	self->event = event;
	self->clock = clock;
	self->driver = driver;
	self->ctx = ctx;
	self->limit = (struct log_limit)LOG_LIMIT_INIT(60, 100);
	snprintf(self->base, sizeof(self->base), "/local/domain/%u/backend/%s", xen->domid,
		 driver->type);
	r = connect_store(self);
	if (r == 0 && event != NULL)
		r = sd_event_add_time(event, &self->timer, CLOCK_MONOTONIC, 0, 1000, on_timer,
				      self);
	if (r < 0) {
		log_err("can't watch %s: %s", self->base, strerror(-r));
		backend_destroy(self);
		return r;
	}
	*backend = self;
	backend_run(self);
	return 0;
}

void backend_destroy(struct backend *backend)
{
	struct refusal *refusal, *next_refusal;
	struct device *dev, *next;

	if (backend == NULL)
		return;
	HASH_ITER (hh, backend->devices, dev, next)
		backend_free_device(dev);
	LL_FOREACH_SAFE (backend->refusals, refusal, next_refusal)
		backend_forget_refusal(backend, refusal);
	disconnect_store(backend);
	sd_event_source_disable_unref(backend->timer);
	free(backend);
}

struct xen_store *backend_store(struct backend *backend)
{
	return backend->store;
}

void backend_fail(struct backend_device *dev, const char *why)
{
	struct device *self = device_of(dev);

	if (self->failing)
		return;
	backend_set_error(self, why);
	self->failing = self->dirty = true;
	if (!dev->backend->running)
		arm(dev->backend, 0);
}

struct backend_device *backend_find(struct backend *backend, uint16_t domid, uint32_t devid)
{
	struct device *dev = backend_find_id(backend, domid, devid);

	return dev != NULL && dev->known ? &dev->pub : NULL;
}

void backend_foreach(struct backend *backend, void (*fn)(void *ctx, struct backend_device *dev),
		     void *ctx)
{
	struct device *dev, *next;

	HASH_ITER (hh, backend->devices, dev, next) {
		if (dev->known)
			fn(ctx, &dev->pub);
	}
}

static const char *explain(struct device *dev)
{
	if (dev->pub.backend->store == NULL)
		return "xenstored can't be reached; looking for it again";
	if (dev->throttled_until_ns > dev->pub.backend->now_ns)
		return "the guest changes its state node too often; not looking for a second";
	return xenbus_explain(&dev->in);
}

json_t *backend_explain(struct backend_device *dev)
{
	struct device *self = device_of(dev);
	uint64_t now_ns = clock_now(dev->backend->clock);

	return json_pack("{s:s, s:s, s:b, s:s, s:s, s:s?, s:I}", "backend",
			 xenbus_state_name(self->in.backend), "frontend",
			 xenbus_state_name(self->in.frontend), "online", self->in.online, "hotplug",
			 self->hotplug, "why", explain(self), "error", self->error, "age_ms",
			 (json_int_t)((now_ns - self->since_ns) / NSEC_PER_MSEC));
}
