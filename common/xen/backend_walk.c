/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backend_walk.c - one device's way through the state machine: read both ends, ask xenbus.c,
 * perform.
 *
 * Theory of Operation
 * A walk reads everything afresh, takes one step, and goes on until the table has nothing more to
 * do. A write that finds the nodes changed under it (-ESTALE) starts the walk over, so a decision
 * is never carried out on old facts. What needs time leaves a deadline behind: the hold in
 * InitWait, the grace of a frontend that does not react to Closing, a retry, the removal of
 * garbage.
 *
 * A device that can't be served (its driver or its frontend path is refused) is shown to the table
 * as one without a frontend: that closes it, and lets the toolstack's detach finish. A device that
 * fails is closed with Closing and Closed, and an `error` node written with the first.
 */
#include "backend_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "util.h"

#define LOG_MODULE "xenbus"

/* The longest chain of the table is four; the rest is for nodes that change meanwhile. */
#define WALK_MAX   12
#define ERROR_TEXT 256

enum walk { WALK_DONE, WALK_AGAIN, WALK_GONE };

void backend_wake_at(struct device *dev, uint64_t when_ns)
{
	dev->deadline_ns = MIN(dev->deadline_ns, when_ns);
}

void backend_set_error(struct device *dev, const char *text)
{
	if (dev->error != NULL && strcmp(dev->error, text) == 0)
		return;
	free(dev->error);
	dev->error = xb_strdup(text);
	dev->error_due = true;
	log_limited(&dev->limit, dev->pub.backend->now_ns, LOG_MODULE, LOG_LEVEL_WARN, "%s: %s",
		    dev->pub.name, text);
}

static enum xenbus_state read_state(struct device *dev, const char *dir, int *r)
{
	char path[256], value[8];

	snprintf(path, sizeof(path), "%s/state", dir);
	*r = backend_get(dev->pub.backend, XEN_TXN_NONE, path, value, sizeof(value));
	return *r < 0 ? XENBUS_STATE_MISSING : xenbus_state_parse(value);
}

/* A short key of the backend dir; "" when it is missing or no text. */
static int read_key(struct device *dev, const char *key, char *value, size_t size)
{
	char path[256];
	int r;

	snprintf(path, sizeof(path), "%s/%s", dev->pub.dir, key);
	value[0] = '\0';
	r = backend_get(dev->pub.backend, XEN_TXN_NONE, path, value, size);
	return r == -ENOENT || r == -EINVAL ? 0 : r;
}

/* 0; -ENOENT: the directory is gone; -ERESTART: it is another one under the same name; -EIO. */
static int read_device(struct device *dev)
{
	uint64_t now_ns = dev->pub.backend->now_ns;
	enum xenbus_state was = dev->in.backend, state;
	char online[16];
	int r;

	state = read_state(dev, dev->pub.dir, &r);
	if (r < 0 && r != -EINVAL)
		return r;
	if (dev->read_once && state == XENBUS_STATE_INITIALISING && was != state)
		return -ERESTART;
	if (!dev->read_once || was != state)
		dev->since_ns = now_ns;
	r = read_key(dev, "online", online, sizeof(online));
	if (r == 0)
		r = read_key(dev, "hotplug-status", dev->hotplug, sizeof(dev->hotplug));
	if (r < 0)
		return r;
	dev->in.frontend = XENBUS_STATE_MISSING;
	if (dev->pub.frontend[0] != '\0')
		dev->in.frontend = read_state(dev, dev->pub.frontend, &r);
	if (r == -EIO)
		return r;
	dev->in.backend = state;
	dev->in.online = backend_is_online(online);
	if (!dev->read_once)
		dev->in.ours = state == XENBUS_STATE_INITIALISING;
	dev->read_once = true;
	return 0;
}

/* Tells the driver which keys changed; one that was refused is asked again. */
static void deliver_keys(struct device *dev)
{
	struct backend *backend = dev->pub.backend;
	struct backend_key *key = dev->keys, *next;

	dev->keys = NULL;
	if (key != NULL && dev->refused)
		backend_introduce(dev);
	for (; key != NULL; key = next) {
		next = key->next;
		if (dev->known && backend->driver->changed != NULL)
			backend->driver->changed(backend->ctx, &dev->pub, key->name);
		free(key);
	}
}

static bool hotplug_is_ok(struct device *dev)
{
	const struct backend *backend = dev->pub.backend;
	uint64_t until_ns = dev->since_ns + backend->driver->init_wait_hold_ns;

	if (backend->driver->needs_hotplug && strcmp(dev->hotplug, "connected") != 0)
		return false;
	if (backend->now_ns >= until_ns)
		return true;
	if (dev->in.backend == XENBUS_STATE_INIT_WAIT)
		backend_wake_at(dev, until_ns);
	return false;
}

/* True when the frontend had its time to react to our Closing. */
static bool is_grace_over(struct device *dev)
{
	const struct xenbus_input *in = &dev->in;
	uint64_t now_ns = dev->pub.backend->now_ns;
	bool waits = in->backend == XENBUS_STATE_CLOSING &&
		     ((xenbus_frontend_lives(in->frontend) && (in->connected || !in->online)) ||
		      (in->frontend == XENBUS_STATE_CLOSING && !in->online));

	if (!waits) {
		dev->closing_since_ns = DEADLINE_NEVER;
		return false;
	}
	if (dev->closing_since_ns == DEADLINE_NEVER)
		dev->closing_since_ns = now_ns;
	if (now_ns - dev->closing_since_ns >= BACKEND_GRACE_NS)
		return true;
	backend_wake_at(dev, dev->closing_since_ns + BACKEND_GRACE_NS);
	return false;
}

static struct xenbus_input shown(struct device *dev)
{
	struct xenbus_input in = dev->in;

	in.hotplug_ok = dev->in.hotplug_ok = hotplug_is_ok(dev);
	if (dev->refused)
		in.frontend = XENBUS_STATE_MISSING;
	if (is_grace_over(dev))
		in.frontend = XENBUS_STATE_CLOSED;
	return in;
}

static void disconnect(struct device *dev)
{
	struct backend *backend = dev->pub.backend;

	if (!dev->in.connected)
		return;
	dev->in.connected = false;
	backend->driver->disconnect(backend->ctx, &dev->pub);
}

static void fail(struct device *dev, const char *why)
{
	backend_set_error(dev, why);
	dev->failing = true;
}

static enum walk connect(struct device *dev, bool adopt)
{
	struct backend *backend = dev->pub.backend;
	char error[ERROR_TEXT] = "";
	int r;

	if (backend->now_ns < dev->again_ns) { /* a watch fired meanwhile */
		backend_wake_at(dev, dev->again_ns);
		return WALK_DONE;
	}
	r = backend->driver->connect(backend->ctx, &dev->pub, adopt, error, sizeof(error));
	if (backend->lost) { /* it may have failed for that only; a success is kept */
		dev->in.connected = r == 0;
		return WALK_DONE;
	}
	if (r == -EAGAIN && dev->n_again++ < BACKEND_AGAIN_MAX) {
		dev->again_ns = backend->now_ns + BACKEND_AGAIN_NS;
		backend_wake_at(dev, dev->again_ns);
		return WALK_DONE;
	}
	dev->n_again = 0;
	if (r < 0) {
		fail(dev, error[0] != '\0' ? error : strerror(-r));
		return WALK_AGAIN;
	}
	dev->in.connected = true;
	log_limited(&dev->limit, backend->now_ns, LOG_MODULE, LOG_LEVEL_INFO, "%s: %s",
		    dev->pub.name, adopt ? "connected again, as the guest left it" : "connected");
	return WALK_AGAIN;
}

static int reconfigure(struct device *dev)
{
	struct backend *backend = dev->pub.backend;

	if (backend->driver->reconfigure == NULL)
		return 0;
	return backend->driver->reconfigure(backend->ctx, &dev->pub);
}

/* Counts a step that the frontend made us take; too many in a second, and we look away for a while.
 */
static void count_step(struct device *dev)
{
	if (++dev->n_steps > BACKEND_STEPS_PER_S)
		backend_throttle(dev);
}

/* What a refused or successful write means for the walk. */
static enum walk after_write(struct device *dev, enum xenbus_state next, int r)
{
	struct backend *backend = dev->pub.backend;

	if (r == 0) {
		dev->in.ours = true;
		count_step(dev);
		return WALK_AGAIN;
	}
	if (r == -ENOENT || r == -ESTALE)
		return WALK_AGAIN;
	if (r == -EIO)
		return WALK_DONE;
	log_limited(&dev->limit, backend->now_ns, LOG_MODULE, LOG_LEVEL_ERR,
		    "%s: can't write state %s to %s: %s; trying again", dev->pub.name,
		    xenbus_state_name(next), dev->pub.dir, strerror(-r));
	backend_wake_at(dev, backend->now_ns + BACKEND_RETRY_NS);
	return WALK_DONE;
}

/* Closes the device because of dev->error. */
static enum walk perform_failure(struct device *dev)
{
	struct state_change change = {.next = dev->in.backend};
	int r;

	disconnect(dev);
	if (change.next != XENBUS_STATE_CLOSING && change.next != XENBUS_STATE_CLOSED)
		change.next = XENBUS_STATE_CLOSING;
	r = backend_change_state(dev, &change);
	if (r == 0)
		dev->failing = false;
	return after_write(dev, change.next, r);
}

static enum walk perform(struct device *dev, const struct xenbus_step *step)
{
	struct backend *backend = dev->pub.backend;
	struct state_change change = {.next = step->next};

	switch (step->action) {
	case XENBUS_ACTION_NONE:
	case XENBUS_ACTION_FORGET: /* performed by walk_step */
		break;
	case XENBUS_ACTION_PUBLISH:
		change.publish = true;
		break;
	case XENBUS_ACTION_CONNECT:
	case XENBUS_ACTION_ADOPT:
		/* A predecessor may have died between connecting and writing so: attach with care.
		 */
		if (connect(dev, step->action == XENBUS_ACTION_ADOPT || !dev->in.ours) == WALK_DONE)
			return WALK_DONE;
		if (dev->failing)
			return WALK_AGAIN;
		break;
	case XENBUS_ACTION_DISCONNECT:
		disconnect(dev);
		break;
	case XENBUS_ACTION_RECONFIGURE:
		if (reconfigure(dev) < 0) {
			fail(dev, "the guest's new settings can't be served");
			return WALK_AGAIN;
		}
		break;
	}
	if (step->action != XENBUS_ACTION_NONE && !change.publish)
		dev->in.ours = true;
	if (step->next == XENBUS_STATE_CLOSING && dev->in.backend != XENBUS_STATE_CLOSING)
		log_limited(&dev->limit, backend->now_ns, LOG_MODULE, LOG_LEVEL_INFO,
			    "%s: closing: %s", dev->pub.name, step->reason);
	if (step->next != dev->in.backend || change.publish || dev->error_due)
		return after_write(dev, change.next, backend_change_state(dev, &change));
	return step->again ? WALK_AGAIN : WALK_DONE;
}

/* A closed device that nobody is left to remove: after a time without any sign, we do. */
static enum walk check_orphan(struct device *dev)
{
	uint64_t now_ns = dev->pub.backend->now_ns;

	if (dev->in.backend != XENBUS_STATE_CLOSED || dev->in.frontend != XENBUS_STATE_MISSING) {
		dev->orphan_since_ns = DEADLINE_NEVER;
		return WALK_DONE;
	}
	if (!backend_is_orphan(dev, XEN_TXN_NONE)) {
		dev->orphan_since_ns = DEADLINE_NEVER;
		backend_wake_at(dev, now_ns + BACKEND_ORPHAN_NS);
		return WALK_DONE;
	}
	if (dev->orphan_since_ns == DEADLINE_NEVER)
		dev->orphan_since_ns = now_ns;
	if (now_ns - dev->orphan_since_ns < BACKEND_GARBAGE_NS) {
		backend_wake_at(dev, dev->orphan_since_ns + BACKEND_GARBAGE_NS);
		return WALK_DONE;
	}
	if (backend_remove_orphan(dev) < 0) {
		backend_wake_at(dev, now_ns + BACKEND_RETRY_NS);
		return WALK_DONE;
	}
	log_info("%s: removed %s: domain %u is gone and nobody cleaned up", dev->pub.name,
		 dev->pub.dir, dev->pub.domid);
	return WALK_AGAIN;
}

static enum walk walk_gone(struct device *dev)
{
	struct backend *backend = dev->pub.backend;

	if (!backend_store_is_blank(backend)) {
		backend_forget(dev, "removed");
		return WALK_GONE;
	}
	if (!backend->blank_logged)
		log_err("xenstore lost its content: devices that are connected go on as they are");
	backend->blank_logged = true;
	backend_wake_at(dev, backend->now_ns + BACKEND_ORPHAN_NS);
	return WALK_DONE;
}

static enum walk walk_anew(struct device *dev)
{
	struct backend *backend = dev->pub.backend;
	uint16_t domid = dev->pub.domid;
	uint32_t devid = dev->pub.devid;

	backend_forget(dev, "made anew");
	backend_add(backend, domid, devid);
	return WALK_GONE;
}

/* While a frontend is throttled only the toolstack moves its device. */
static bool is_held(struct device *dev, enum xenbus_state was)
{
	if (dev->throttled_until_ns <= dev->pub.backend->now_ns || dev->failing)
		return false;
	backend_wake_at(dev, dev->throttled_until_ns);
	return dev->in.online && dev->in.backend == was;
}

static enum walk walk_step(struct device *dev)
{
	enum xenbus_state was = dev->in.backend;
	struct xenbus_input in;
	struct xenbus_step step;
	int r = read_device(dev);

	if (r == -ERESTART)
		return walk_anew(dev);
	if (r == -ENOENT)
		return walk_gone(dev);
	if (r < 0)
		return WALK_DONE;
	if (is_held(dev, was))
		return WALK_DONE;
	deliver_keys(dev);
	if (dev->pub.backend->lost)
		return WALK_DONE;
	if (dev->failing)
		return perform_failure(dev);
	in = shown(dev);
	step = xenbus_next(&in);
	if (step.action == XENBUS_ACTION_NONE && step.next == in.backend && !dev->error_due)
		return check_orphan(dev);
	return perform(dev, &step);
}

void backend_walk(struct device *dev)
{
	enum walk walk = WALK_AGAIN;

	dev->dirty = false;
	dev->deadline_ns = DEADLINE_NEVER;
	for (unsigned int i = 0; i < WALK_MAX && walk == WALK_AGAIN; i++)
		walk = walk_step(dev);
	if (walk == WALK_AGAIN)
		backend_wake_at(dev, dev->pub.backend->now_ns + BACKEND_AGAIN_NS);
}
