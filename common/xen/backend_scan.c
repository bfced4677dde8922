/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backend_scan.c - which devices there are: names and directories checked, devices created and
 * freed.
 *
 * The toolstack writes a device's directory in one transaction, but every node of it fires a watch
 * of its own, and other tools write key by key: a directory counts once four keys are there. What
 * stands in it is Dom0's word, yet it is checked: a wrong frontend path would make us act on
 * another guest.
 */
#include "backend_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

#define LOG_MODULE "xenbus"
#define ERROR_TEXT 256

/* A decimal number as the toolstack writes it: no sign, no leading zero. */
bool backend_parse_id(const char *text, size_t len, uint32_t max, uint32_t *id)
{
	uint64_t value = 0;

	if (len == 0 || len > 10 || (text[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (value > max)
		return false;
	*id = (uint32_t)value;
	return true;
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macros */
struct device *backend_find_id(struct backend *backend, uint32_t domid, uint32_t devid)
{
	uint64_t id = (uint64_t)domid << 32 | devid;
	struct device *dev;

	HASH_FIND(hh, backend->devices, &id, sizeof(id), dev);
	return dev;
}

/* --- devices --------------------------------------------------------------------- */

static void free_keys(struct device *dev)
{
	struct backend_key *key = dev->keys, *next;

	for (; key != NULL; key = next) {
		next = key->next;
		free(key);
	}
	dev->keys = NULL;
}

void backend_add_key(struct device *dev, const char *name)
{
	static const char *const not_the_drivers[] = {"state", "online", "error", "hotplug-status",
						      "hotplug-error"};
	struct backend_key **key = &dev->keys;
	size_t size = strlen(name) + 1;

	for (size_t i = 0; i < ARRAY_SIZE(not_the_drivers); i++) {
		if (strcmp(name, not_the_drivers[i]) == 0)
			return;
	}
	for (; *key != NULL; key = &(*key)->next) {
		if (strcmp((*key)->name, name) == 0)
			return;
	}
	*key = xb_calloc(1, sizeof(**key) + size);
	memcpy((*key)->name, name, size);
}

int backend_watch_frontend(struct device *dev)
{
	struct backend *backend = dev->pub.backend;
	char path[128], token[48];
	int r;

	if (dev->watched || dev->refused)
		return 0;
	snprintf(path, sizeof(path), "%s/state", dev->pub.frontend);
	snprintf(token, sizeof(token), "f/%u/%" PRIu32, dev->pub.domid, dev->pub.devid);
	r = backend_note(backend, backend->xen->ops->store_watch(backend->store, path, token));
	dev->watched = r == 0;
	return r;
}

static void unwatch_frontend(struct device *dev)
{
	struct backend *backend = dev->pub.backend;
	char path[128], token[48];

	if (!dev->watched || backend->store == NULL || backend->lost)
		return;
	dev->watched = false;
	snprintf(path, sizeof(path), "%s/state", dev->pub.frontend);
	snprintf(token, sizeof(token), "f/%u/%" PRIu32, dev->pub.domid, dev->pub.devid);
	backend_note(backend, backend->xen->ops->store_unwatch(backend->store, path, token));
}

void backend_throttle(struct device *dev)
{
	struct backend *backend = dev->pub.backend;

	if (dev->throttled_until_ns != 0)
		return;
	unwatch_frontend(dev);
	dev->throttled_until_ns = backend->now_ns + BACKEND_WINDOW_NS;
	backend_wake_at(dev, dev->throttled_until_ns);
	log_limited(&dev->limit, backend->now_ns, LOG_MODULE, LOG_LEVEL_WARN,
		    "%s: the guest changes %s/state too often (%u times/s are allowed): ignored "
		    "for 1 s",
		    dev->pub.name, dev->pub.frontend, BACKEND_EVENTS_PER_S);
}

/* Starts the counters anew when their second is over. */
void backend_roll_window(struct device *dev)
{
	uint64_t now_ns = dev->pub.backend->now_ns;

	bool expired = dev->throttled_until_ns != 0 && dev->throttled_until_ns <= now_ns;

	if (now_ns - dev->window_ns >= BACKEND_WINDOW_NS || expired) {
		dev->window_ns = now_ns;
		dev->n_events = 0;
		dev->n_steps = 0;
	}
	if (!expired)
		return;
	dev->throttled_until_ns = 0;
	dev->dirty = true;
	backend_watch_frontend(dev);
}

/* The frontend must live below the guest's own directory, or another guest could be harmed. */
static bool frontend_is_valid(const struct device *dev, const char *path)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-/_@";
	char prefix[32];
	size_t n = (size_t)snprintf(prefix, sizeof(prefix), "/local/domain/%u/", dev->pub.domid);
	size_t len = strlen(path);

	return len > n && len < sizeof(dev->pub.frontend) && strncmp(path, prefix, n) == 0 &&
	       path[strspn(path, allowed)] == '\0' && strstr(path, "//") == NULL &&
	       path[len - 1] != '/';
}

/* Finds the frontend's directory; false with a sentence in error. */
static bool read_frontend(struct device *dev, char *error)
{
	AUTO_FREE char *path = NULL;
	uint32_t domid;

	if (backend_read_u32(&dev->pub, XEN_TXN_NONE, false, "frontend-id", dev->pub.domid,
			     dev->pub.domid, &domid) < 0) {
		snprintf(error, ERROR_TEXT, "%s/frontend-id is not %u, the domain of its directory",
			 dev->pub.dir, dev->pub.domid);
		return false;
	}
	if (backend_read(&dev->pub, XEN_TXN_NONE, false, "frontend", &path) < 0 ||
	    !frontend_is_valid(dev, path)) {
		snprintf(error, ERROR_TEXT,
			 "%s/frontend is \"%.60s\": must be a path below /local/domain/%u",
			 dev->pub.dir, path != NULL ? path : "", dev->pub.domid);
		return false;
	}
	strcpy(dev->pub.frontend, path); /* fits: checked above */
	return true;
}

bool backend_introduce(struct device *dev)
{
	struct backend *backend = dev->pub.backend;
	char error[ERROR_TEXT] = "";
	int r;

	dev->refused = !read_frontend(dev, error);
	if (!dev->refused && backend_watch_frontend(dev) < 0) {
		snprintf(error, sizeof(error), "can't watch %s/state", dev->pub.frontend);
		dev->refused = true;
	}
	if (!dev->refused && !dev->known) {
		r = backend->driver->create(backend->ctx, &dev->pub, error, sizeof(error));
		dev->refused = r < 0;
		dev->known = r == 0;
		if (r < 0 && error[0] == '\0')
			snprintf(error, sizeof(error), "%s", strerror(-r));
	}
	if (!dev->refused)
		return true;
	unwatch_frontend(dev);
	/* Losing the store is no fault of the device: it is asked again after reconnecting. */
	if (!backend->lost)
		backend_set_error(dev, error);
	return false;
}

/* The toolstack writes these in one transaction; without one of them the directory isn't finished.
 */
static bool is_complete(struct backend *backend, const char *dir)
{
	static const char *const keys[] = {"state", "online", "frontend", "frontend-id"};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, keys[i]);
		if (!backend_exists(backend, XEN_TXN_NONE, path) || backend->lost)
			return false;
	}
	return true;
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macros */
struct device *backend_add(struct backend *backend, uint16_t domid, uint32_t devid)
{
	char dir[sizeof(((struct device *)NULL)->pub.dir)];
	struct device *dev;

	snprintf(dir, sizeof(dir), "%s/%u/%" PRIu32, backend->base, domid, devid);
	if (!is_complete(backend, dir))
		return NULL;
	dev = xb_calloc(1, sizeof(*dev));
	dev->pub.backend = backend;
	dev->pub.domid = domid;
	dev->pub.devid = devid;
	memcpy(dev->pub.dir, dir, sizeof(dir));
	snprintf(dev->pub.name, sizeof(dev->pub.name), "%s%u.%" PRIu32, backend->driver->type,
		 domid, devid);
	dev->id = (uint64_t)domid << 32 | devid;
	dev->in.exists = true;
	dev->dirty = dev->seen = true;
	dev->closing_since_ns = dev->orphan_since_ns = DEADLINE_NEVER;
	dev->deadline_ns = DEADLINE_NEVER;
	dev->since_ns = dev->window_ns = backend->now_ns;
	dev->limit = (struct log_limit)LOG_LIMIT_INIT(60, 10);
	HASH_ADD(hh, backend->devices, id, sizeof(dev->id), dev);
	backend_introduce(dev);
	return dev;
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macros */
void backend_free_device(struct device *dev)
{
	struct backend *backend = dev->pub.backend;

	if (dev->in.connected)
		backend->driver->disconnect(backend->ctx, &dev->pub);
	dev->in.connected = false;
	if (dev->known)
		backend->driver->destroy(backend->ctx, &dev->pub);
	HASH_DEL(backend->devices, dev);
	free_keys(dev);
	free(dev->error);
	free(dev);
}

void backend_forget(struct device *dev, const char *reason)
{
	log_limited(&dev->pub.backend->limit, dev->pub.backend->now_ns, LOG_MODULE, LOG_LEVEL_INFO,
		    "%s: %s", dev->pub.name, reason);
	unwatch_frontend(dev);
	backend_free_device(dev);
}

/* --- discovery ------------------------------------------------------------------- */

static void refuse(struct backend *backend, const char *path, const char *why)
{
	struct refusal *refusal;

	LL_FOREACH (backend->refusals, refusal) {
		if (strcmp(refusal->path, path) == 0)
			break;
	}
	if (refusal == NULL) {
		refusal = xb_calloc(1, sizeof(*refusal));
		refusal->path = xb_strdup(path);
		LL_PREPEND(backend->refusals, refusal);
		log_warn("%s ignored: %s", path, why);
	}
	refusal->seen = true;
}

void backend_forget_refusal(struct backend *backend, struct refusal *refusal)
{
	LL_DELETE(backend->refusals, refusal);
	free(refusal->path);
	free(refusal);
}

static void mark_all(struct backend *backend, bool seen)
{
	struct refusal *refusal, *next_refusal;
	struct device *dev, *next;

	HASH_ITER (hh, backend->devices, dev, next) {
		if (!seen)
			dev->seen = false;
		else if (!dev->seen) /* the walk finds out what became of it */
			dev->dirty = true;
	}
	LL_FOREACH_SAFE (backend->refusals, refusal, next_refusal) {
		if (!seen)
			refusal->seen = false;
		else if (!refusal->seen)
			backend_forget_refusal(backend, refusal);
	}
}

static int list(struct backend *backend, const char *path, char ***names, unsigned int *n)
{
	*names = NULL;
	*n = 0;
	return backend_note(backend, backend->xen->ops->store_list(backend->store, XEN_TXN_NONE,
								   path, names, n));
}

static void scan_domain(struct backend *backend, const char *name)
{
	AUTO_FREE char *path = xb_asprintf("%s/%s", backend->base, name);
	AUTO_FREE char **names = NULL;
	uint32_t domid, devid;
	unsigned int n;

	if (!backend_parse_id(name, strlen(name), BACKEND_DOMID_MAX, &domid)) {
		refuse(backend, path, "not the number of a domain (0 to 32751)");
		return;
	}
	if (list(backend, path, &names, &n) < 0)
		return;
	for (unsigned int i = 0; i < n && !backend->lost; i++) {
		AUTO_FREE char *dir = NULL;
		struct device *dev;

		if (!backend_parse_id(names[i], strlen(names[i]), UINT32_MAX, &devid)) {
			dir = xb_asprintf("%s/%s", path, names[i]);
			refuse(backend, dir, "not the number of a device");
			continue;
		}
		dev = backend_find_id(backend, domid, devid);
		if (dev != NULL)
			dev->seen = true;
		else
			backend_add(backend, (uint16_t)domid, devid);
	}
}

void backend_scan(struct backend *backend)
{
	AUTO_FREE char **names = NULL;
	unsigned int n;
	int r = list(backend, backend->base, &names, &n);

	backend->scan = false;
	if (r < 0 && r != -ENOENT)
		return;
	mark_all(backend, false);
	for (unsigned int i = 0; i < n && !backend->lost; i++)
		scan_domain(backend, names[i]);
	if (!backend->lost)
		mark_all(backend, true);
}
