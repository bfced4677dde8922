/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backend-bench.c - see backend-bench.h. */
#include "backend-bench.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "log.h"

#define BASE "/local/domain/0/backend/vif"

/* The bench of the running test: the spies get no context. */
static struct bench *current;

/* --- the dummy driver ------------------------------------------------------------ */

static int vif_create(void *ctx, struct backend_device *dev, char *error, size_t error_size)
{
	struct bench *bench = ctx;
	struct bench_vif *vif;

	if (bench->create_result != 0) {
		if (bench->create_error != NULL)
			snprintf(error, error_size, "%s", bench->create_error);
		return bench->create_result;
	}
	vif = xb_calloc(1, sizeof(*vif));
	vif->dev = dev;
	dev->ctx = vif;
	bench->n_created++;
	return 0;
}

static int vif_publish(void *ctx, struct backend_device *dev, xen_txn txn)
{
	struct bench *bench = ctx;

	bench->n_published++;
	if (bench->publish_result != 0)
		return bench->publish_result;
	return backend_write(dev, txn, "feature-sg", "%d", 1);
}

static int vif_connect(void *ctx, struct backend_device *dev, bool adopt, char *error,
		       size_t error_size)
{
	struct bench *bench = ctx;
	struct bench_vif *vif = dev->ctx;
	uint32_t ref;

	assert_false(vif->connected);
	vif->n_connects++;
	if (bench->on_connect != NULL)
		bench->on_connect(bench, dev);
	if (backend_read_u32(dev, XEN_TXN_NONE, true, "tx-ring-ref", 0, UINT32_MAX, &ref) ==
	    -EINVAL) {
		snprintf(error, error_size, "tx-ring-ref is no number");
		return -EINVAL;
	}
	if (bench->connect_result != 0) {
		if (bench->connect_error != NULL)
			snprintf(error, error_size, "%s", bench->connect_error);
		return bench->connect_result;
	}
	vif->connected = true;
	vif->adopted = adopt;
	bench->n_connected++;
	return 0;
}

static void vif_disconnect(void *ctx, struct backend_device *dev)
{
	struct bench *bench = ctx;
	struct bench_vif *vif = dev->ctx;

	assert_true(vif->connected);
	vif->connected = false;
	bench->n_disconnected++;
}

static int vif_reconfigure(void *ctx, struct backend_device *dev)
{
	struct bench *bench = ctx;

	bench->n_reconfigured++;
	return bench->reconfigure_result;
}

static void vif_changed(void *ctx, struct backend_device *dev, const char *key)
{
	struct bench *bench = ctx;
	size_t used = strlen(bench->changed);

	snprintf(bench->changed + used, sizeof(bench->changed) - used, "%s ", key);
}

static void vif_destroy(void *ctx, struct backend_device *dev)
{
	struct bench *bench = ctx;
	struct bench_vif *vif = dev->ctx;

	assert_false(vif->connected);
	free(vif);
	bench->n_destroyed++;
}

void bench_storm(struct bench *bench, const char *path, unsigned int n)
{
	bench->storm = path;
	bench->n_storm = n;
	fake_watch_storm(bench->fake, path, 1);
}

static const struct backend_driver driver = {
	.type = "vif",
	.needs_hotplug = true,
	.create = vif_create,
	.publish = vif_publish,
	.connect = vif_connect,
	.disconnect = vif_disconnect,
	.reconfigure = vif_reconfigure,
	.changed = vif_changed,
	.destroy = vif_destroy,
};

/* --- the spies ------------------------------------------------------------------- */

static bool is_state_node(const char *path)
{
	size_t len = strlen(path);

	return strncmp(path, "/local/domain/0/backend/", 24) == 0 && len > 6 &&
	       strcmp(path + len - 6, "/state") == 0;
}

static void append(char *trail, size_t size, const char *more)
{
	size_t used = strlen(trail);

	snprintf(trail + used, size - used, "%s", more);
}

/* True for a call by the scanner; counts it, and lets the store die in time. */
static bool is_ours(struct xen_store *store)
{
	if (store == current->tool)
		return false;
	if (++current->n_calls == current->die_at)
		fake_fault(current->fake, FAKE_FAULT_STORE_DOWN, 1);
	return true;
}

static int spy_read(struct xen_store *store, xen_txn txn, const char *path, char **value,
		    size_t *len)
{
	is_ours(store);
	return current->real->store_read(store, txn, path, value, len);
}

static int spy_list(struct xen_store *store, xen_txn txn, const char *path, char ***names,
		    unsigned int *n)
{
	is_ours(store);
	return current->real->store_list(store, txn, path, names, n);
}

static int spy_watch(struct xen_store *store, const char *path, const char *token)
{
	if (is_ours(store) && current->watch_result != 0 && token[0] == 'f')
		return current->watch_result;
	return current->real->store_watch(store, path, token);
}

static int spy_unwatch(struct xen_store *store, const char *path, const char *token)
{
	is_ours(store);
	return current->real->store_unwatch(store, path, token);
}

static int spy_txn_start(struct xen_store *store, xen_txn *txn)
{
	is_ours(store);
	return current->real->txn_start(store, txn);
}

static int spy_write(struct xen_store *store, xen_txn txn, const char *path, const char *value,
		     size_t len)
{
	bool ours = is_ours(store);
	int r;

	if (ours && current->on_write != NULL)
		current->on_write(current, path);
	r = current->real->store_write(store, txn, path, value, len);
	if (!ours)
		return r;
	current->n_writes++;
	if (r == 0 && is_state_node(path)) {
		assert_int_not_equal(txn, XEN_TXN_NONE);
		append(current->pending, sizeof(current->pending), value);
	}
	return r;
}

static int spy_rm(struct xen_store *store, xen_txn txn, const char *path)
{
	if (is_ours(store) && current->on_write != NULL)
		current->on_write(current, path);
	return current->real->store_rm(store, txn, path);
}

static int spy_txn_end(struct xen_store *store, xen_txn txn, bool abort)
{
	bool ours = is_ours(store);
	int r = current->real->txn_end(store, txn, abort);

	if (!ours)
		return r;
	if (r == 0 && !abort)
		append(current->trail, sizeof(current->trail), current->pending);
	current->pending[0] = '\0';
	return r;
}

/* A store keeps identical events once, so a storm is a guest that writes as fast as we read. */
static int spy_event(struct xen_store *store, char **path, char **token)
{
	bool ours = is_ours(store);
	int r = current->real->store_event(store, path, token);

	if (ours && r == 1 && current->n_storm > 0 && strcmp(*path, current->storm) == 0) {
		current->n_storm--;
		fake_watch_storm(current->fake, current->storm, 1);
	}
	return r;
}

static void on_log(void *ctx, enum log_level level, const char *module, const char *line)
{
	struct bench *bench = ctx;

	if (level > LOG_LEVEL_WARN)
		return;
	bench->n_warnings++;
	snprintf(bench->last_warning, sizeof(bench->last_warning), "%s", line);
}

/* --- life ------------------------------------------------------------------------ */

int bench_setup(void **state)
{
	struct bench *bench = xb_calloc(1, sizeof(*bench));

	assert_int_equal(fake_create(&bench->fake), 0);
	bench->dom0 = fake_domain(bench->fake, 0);
	assert_non_null(bench->dom0);
	bench->real = bench->dom0->ops;
	bench->ops = *bench->real;
	bench->ops.store_read = spy_read;
	bench->ops.store_list = spy_list;
	bench->ops.store_watch = spy_watch;
	bench->ops.store_unwatch = spy_unwatch;
	bench->ops.txn_start = spy_txn_start;
	bench->ops.store_write = spy_write;
	bench->ops.store_rm = spy_rm;
	bench->ops.store_event = spy_event;
	bench->ops.txn_end = spy_txn_end;
	bench->dom0->ops = &bench->ops;
	bench->driver = driver;
	clock_init_manual(&bench->clock, BENCH_START_NS);
	log_set_sink(on_log, bench);
	current = bench;
	assert_int_equal(bench->ops.store_open(bench->dom0, &bench->tool), 0);
	bench_write(bench, "Domain-0", "/local/domain/0/name");
	*state = bench;
	return 0;
}

int bench_teardown(void **state)
{
	struct bench *bench = *state;

	bench_stop(bench);
	assert_int_equal(bench->n_created, bench->n_destroyed);
	assert_int_equal(bench->n_connected, bench->n_disconnected);
	bench->ops.store_close(bench->tool);
	bench->dom0->ops = bench->real;
	fake_destroy(bench->fake);
	log_set_sink(NULL, NULL);
	free(bench);
	return 0;
}

void bench_start(struct bench *bench)
{
	assert_int_equal(backend_create(&bench->backend, bench->dom0, NULL, &bench->clock,
					&bench->driver, bench),
			 0);
	bench_run(bench);
}

void bench_stop(struct bench *bench)
{
	backend_destroy(bench->backend);
	bench->backend = NULL;
}

static bool is_event_waiting(struct bench *bench)
{
	struct pollfd fd = {.events = POLLIN};

	if (backend_store(bench->backend) == NULL)
		return false;
	fd.fd = bench->real->store_fd(backend_store(bench->backend));
	return poll(&fd, 1, 0) > 0;
}

void bench_run(struct bench *bench)
{
	/* A scanner that always has something to do at once would be a busy loop. */
	for (unsigned int i = 0; i < 100; i++) {
		if (backend_run(bench->backend) > bench->clock.manual_ns &&
		    !is_event_waiting(bench))
			return;
	}
	fail_msg("the scanner never rests");
}

void bench_wait_ms(struct bench *bench, unsigned int ms)
{
	clock_advance(&bench->clock, ms * NSEC_PER_MSEC);
	bench_run(bench);
}

/* --- hands ----------------------------------------------------------------------- */

static char *format(const char *fmt, va_list ap)
{
	char *path = NULL;

	assert_true(vasprintf(&path, fmt, ap) > 0);
	return path;
}

void bench_write(struct bench *bench, const char *value, const char *fmt, ...)
{
	AUTO_FREE char *path = NULL;
	va_list ap;

	va_start(ap, fmt);
	path = format(fmt, ap);
	va_end(ap);
	assert_int_equal(
		bench->ops.store_write(bench->tool, XEN_TXN_NONE, path, value, strlen(value)), 0);
}

void bench_rm(struct bench *bench, const char *fmt, ...)
{
	AUTO_FREE char *path = NULL;
	va_list ap;

	va_start(ap, fmt);
	path = format(fmt, ap);
	va_end(ap);
	assert_int_equal(bench->ops.store_rm(bench->tool, XEN_TXN_NONE, path), 0);
}

static char *read_node(struct bench *bench, const char *path)
{
	char *value = NULL;

	if (bench->ops.store_read(bench->tool, XEN_TXN_NONE, path, &value, NULL) < 0)
		return NULL;
	return value;
}

char *bench_read(struct bench *bench, const char *fmt, ...)
{
	AUTO_FREE char *path = NULL;
	va_list ap;

	va_start(ap, fmt);
	path = format(fmt, ap);
	va_end(ap);
	return read_node(bench, path);
}

bool bench_exists(struct bench *bench, const char *fmt, ...)
{
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	path = format(fmt, ap);
	va_end(ap);
	value = read_node(bench, path);
	return value != NULL;
}

static void put(struct bench *bench, xen_txn txn, const char *dir, const char *key,
		const char *value)
{
	AUTO_FREE char *path = xb_asprintf("%s/%s", dir, key);

	assert_int_equal(bench->ops.store_write(bench->tool, txn, path, value, strlen(value)), 0);
}

void bench_attach(struct bench *bench, unsigned int domid, unsigned int devid, unsigned int be,
		  unsigned int fe)
{
	AUTO_FREE char *back = xb_asprintf(BASE "/%u/%u", domid, devid);
	AUTO_FREE char *front = xb_asprintf("/local/domain/%u/device/vif/%u", domid, devid);
	AUTO_FREE char *id = xb_asprintf("%u", domid);
	char be_state[2] = {(char)('0' + be), '\0'}, fe_state[2] = {(char)('0' + fe), '\0'};
	xen_txn txn;

	bench_write(bench, "", "/libxl/%u", domid);
	assert_int_equal(bench->ops.txn_start(bench->tool, &txn), 0);
	bench->ops.store_rm(bench->tool, txn, front);
	put(bench, txn, front, "backend", back);
	put(bench, txn, front, "backend-id", "0");
	put(bench, txn, front, "state", fe_state);
	bench->ops.store_rm(bench->tool, txn, back);
	put(bench, txn, back, "frontend", front);
	put(bench, txn, back, "frontend-id", id);
	put(bench, txn, back, "online", "1");
	put(bench, txn, back, "state", be_state);
	put(bench, txn, back, "bridge", "team0");
	put(bench, txn, back, "hotplug-status", "");
	assert_int_equal(bench->ops.txn_end(bench->tool, txn, false), 0);
}

void bench_detach(struct bench *bench, unsigned int domid, unsigned int devid)
{
	AUTO_FREE char *back = xb_asprintf(BASE "/%u/%u", domid, devid);
	xen_txn txn;

	assert_int_equal(bench->ops.txn_start(bench->tool, &txn), 0);
	put(bench, txn, back, "online", "0");
	put(bench, txn, back, "state", "5");
	assert_int_equal(bench->ops.txn_end(bench->tool, txn, false), 0);
}

void bench_hotplug(struct bench *bench, unsigned int domid, unsigned int devid)
{
	bench_write(bench, "connected", BASE "/%u/%u/hotplug-status", domid, devid);
}

void bench_frontend(struct bench *bench, unsigned int domid, unsigned int devid, unsigned int fe)
{
	char value[2] = {(char)('0' + fe), '\0'};

	bench_write(bench, value, "/local/domain/%u/device/vif/%u/state", domid, devid);
}

void bench_connect(struct bench *bench, unsigned int domid, unsigned int devid)
{
	bench_attach(bench, domid, devid, 1, 1);
	bench_run(bench);
	bench_hotplug(bench, domid, devid);
	bench_frontend(bench, domid, devid, 4);
	bench_run(bench);
	bench_expect_state(bench, domid, devid, 4);
	bench_expect_trail(bench, "24");
}

void bench_store_goes(struct bench *bench)
{
	bench->ops.store_close(bench->tool);
	fake_fault(bench->fake, FAKE_FAULT_STORE_DOWN, 1);
}

void bench_store_comes(struct bench *bench)
{
	fake_fault(bench->fake, FAKE_FAULT_STORE_DOWN, 0);
	assert_int_equal(bench->ops.store_open(bench->dom0, &bench->tool), 0);
}

void bench_expect_state(struct bench *bench, unsigned int domid, unsigned int devid, int state)
{
	AUTO_FREE char *value = bench_read(bench, BASE "/%u/%u/state", domid, devid);
	char wanted[2] = {(char)('0' + state), '\0'};

	assert_non_null(value);
	assert_string_equal(value, wanted);
}

void bench_expect_trail(struct bench *bench, const char *trail)
{
	assert_string_equal(bench->trail, trail);
	bench->trail[0] = '\0';
}

struct bench_vif *bench_vif(struct bench *bench, unsigned int domid, unsigned int devid)
{
	struct backend_device *dev = backend_find(bench->backend, (uint16_t)domid, devid);

	return dev == NULL ? NULL : dev->ctx;
}
