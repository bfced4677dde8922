/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usb-bench.c - see usb-bench.h. */
#include "usb-bench.h"

#include <poll.h>
#include <stdio.h>

#include "common/log.h"

#define START_NS 1000000000000ull
#define BACKEND	 "/local/domain/0/backend/vusb"

static void on_log(void *ctx, enum log_level level, const char *module, const char *line)
{
	struct usb_bench *bench = ctx;

	if (getenv("BENCH_LOG"))
		fprintf(stderr, "# %d %s: %s\n", (int)level, module, line);
	if (level > LOG_LEVEL_WARN)
		return;
	bench->n_warnings++;
	snprintf(bench->last_warning, sizeof(bench->last_warning), "%s", line);
}

/* --- life --- */

static void on_config(void *ctx)
{
}

void bench_start(struct usb_bench *bench)
{
	static const char *const paths[] = {USBBACK_VM_PATH, NULL};
	struct usbback *ub = &bench->ub;

	memset(ub, 0, sizeof(*ub));
	ub->app = &bench->app;
	keys_set_defaults(&usbback_key_table, &ub->options);
	strcpy(ub->journal_dir, bench->journal_dir);
	ub->opener = (struct host_opener *)bench;
	ub->mail = mailbox_create();
	assert_non_null(ub->mail);
	assert_int_equal(
		confstore_create(&ub->conf, bench->dom0, bench->event, paths, on_config, ub), 0);
	bindings_sweep_once(ub);
	assert_int_equal(bindings_create(&ub->bindings, ub), 0);
	bindings_set_devices(ub->bindings, bench->devices, bench->n_devices);
	assert_int_equal(
		backend_create(&ub->backend, bench->dom0, NULL, &bench->clock, &vusbdev_driver, ub),
		0);
	bench_run(bench);
}

void bench_stop(struct usb_bench *bench)
{
	struct usbback *ub = &bench->ub;

	if (!ub->backend)
		return;
	ub->stopping = true;
	backend_destroy(ub->backend);
	ub->backend = NULL;
	bindings_destroy(ub->bindings);
	confstore_destroy(ub->conf);
	mailbox_destroy(ub->mail);
}

int bench_setup(void **state)
{
	struct usb_bench *bench = xb_calloc(1, sizeof(*bench));

	memset(&usb_fakes, 0, sizeof(usb_fakes));
	bench->n_descriptors = fake_opened_descriptors();
	log_set_sink(on_log, bench);
	log_set_level(NULL, getenv("BENCH_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	assert_int_equal(fake_create(&bench->fake), 0);
	bench->dom0 = fake_domain(bench->fake, 0);
	clock_init_manual(&bench->clock, START_NS);
	assert_true(sd_event_new(&bench->event) >= 0);
	bench->app.xen = bench->dom0;
	bench->app.clock = &bench->clock;
	bench->app.stats = stats_create();
	bench->next_address = 2;
	assert_int_equal(bench->dom0->ops->store_open(bench->dom0, &bench->tool), 0);
	bench_write(bench, "Domain-0", "/local/domain/0/name");
	bench_start(bench);
	*state = bench;
	return 0;
}

int bench_teardown(void **state)
{
	struct usb_bench *bench = *state;

	bench_stop(bench);
	assert_int_equal(usb_fakes.n_opened, usb_fakes.n_closed);
	assert_int_equal(fake_opened_descriptors(), bench->n_descriptors);
	bench->dom0->ops->store_close(bench->tool);
	stats_destroy(bench->app.stats);
	sd_event_unref(bench->event);
	fake_destroy(bench->fake);
	log_set_sink(NULL, NULL);
	free(bench);
	return 0;
}

static bool store_waits(struct usb_bench *bench)
{
	struct xen_store *store = backend_store(bench->ub.backend);
	struct pollfd fd = {.events = POLLIN};

	if (!store)
		return false;
	fd.fd = bench->dom0->ops->store_fd(store);
	return poll(&fd, 1, 0) > 0;
}

void bench_run(struct usb_bench *bench)
{
	for (unsigned int i = 0; i < 100; i++) {
		uint64_t next_ns;

		mailbox_drain(bench->ub.mail, &bench->ub);
		next_ns = backend_run(bench->ub.backend);
		next_ns = MIN(next_ns, bindings_run(bench->ub.bindings));
		if (next_ns > bench->clock.manual_ns && !store_waits(bench) &&
		    !mailbox_pending(bench->ub.mail))
			return;
	}
	fail_msg("the daemon never rests");
}

void bench_wait_ms(struct usb_bench *bench, unsigned int ms)
{
	clock_advance(&bench->clock, ms * NSEC_PER_MSEC);
	bench_run(bench);
}

/* --- nodes --- */

static char *format(const char *fmt, va_list args)
{
	char *path = NULL;

	assert_true(vasprintf(&path, fmt, args) > 0);
	return path;
}

#define FORMAT_PATH(path, fmt)                                                                     \
	do {                                                                                       \
		va_list args;                                                                      \
		va_start(args, fmt);                                                               \
		(path) = format(fmt, args);                                                        \
		va_end(args);                                                                      \
	} while (0)

void bench_write(struct usb_bench *bench, const char *value, const char *fmt, ...)
{
	AUTO_FREE char *path = NULL;

	FORMAT_PATH(path, fmt);
	assert_int_equal(bench->dom0->ops->store_write(bench->tool, XEN_TXN_NONE, path, value,
						       strlen(value)),
			 0);
}

void bench_rm(struct usb_bench *bench, const char *fmt, ...)
{
	AUTO_FREE char *path = NULL;

	FORMAT_PATH(path, fmt);
	assert_int_equal(bench->dom0->ops->store_rm(bench->tool, XEN_TXN_NONE, path), 0);
}

static char *read_path(struct usb_bench *bench, const char *path)
{
	char *value = NULL;

	if (bench->dom0->ops->store_read(bench->tool, XEN_TXN_NONE, path, &value, NULL) < 0)
		return NULL;
	return value;
}

char *bench_read(struct usb_bench *bench, const char *fmt, ...)
{
	AUTO_FREE char *path = NULL;

	FORMAT_PATH(path, fmt);
	return read_path(bench, path);
}

void bench_expect(struct usb_bench *bench, const char *value, const char *fmt, ...)
{
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *is = NULL;

	FORMAT_PATH(path, fmt);
	is = read_path(bench, path);
	if (!value && is)
		fail_msg("%s is \"%s\", must not be there", path, is);
	if (value && (!is || strcmp(is, value) != 0))
		fail_msg("%s is \"%s\", must be \"%s\"", path, is ? is : "(nothing)", value);
}

/* --- domains --- */

void bench_domain(struct usb_bench *bench, unsigned int domid, const char *uuid)
{
	AUTO_FREE char *vm = xb_asprintf("/vm/%s", uuid);

	bench_write(bench, vm, "/local/domain/%u/vm", domid);
	bench_write(bench, "web", "/local/domain/%u/name", domid);
	bench_write(bench, "", "/libxl/%u", domid);
}

static void put(struct usb_bench *bench, xen_txn txn, const char *dir, const char *key,
		const char *value)
{
	AUTO_FREE char *path = xb_asprintf("%s/%s", dir, key);

	assert_int_equal(
		bench->dom0->ops->store_write(bench->tool, txn, path, value, strlen(value)), 0);
}

void bench_controller_with(struct usb_bench *bench, unsigned int domid, const char *key,
			   const char *value)
{
	static const char *const empty[] = {"port", "port/1", "port/2", "port/3", "port/4"};
	AUTO_FREE char *back = xb_asprintf(BACKEND "/%u/0", domid);
	AUTO_FREE char *front = xb_asprintf("/local/domain/%u/device/vusb/0", domid);
	AUTO_FREE char *id = xb_asprintf("%u", domid);
	xen_txn txn;

	assert_int_equal(bench->dom0->ops->txn_start(bench->tool, &txn), 0);
	put(bench, txn, front, "backend", back);
	put(bench, txn, front, "backend-id", "0");
	put(bench, txn, front, "state", "1");
	put(bench, txn, back, "frontend", front);
	put(bench, txn, back, "frontend-id", id);
	put(bench, txn, back, "online", "1");
	put(bench, txn, back, "state", "1");
	put(bench, txn, back, "usb-ver", "2");
	put(bench, txn, back, "num-ports", "4");
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		put(bench, txn, back, empty[i], "");
	put(bench, txn, back, key, value);
	assert_int_equal(bench->dom0->ops->txn_end(bench->tool, txn, false), 0);
}

void bench_controller(struct usb_bench *bench, unsigned int domid)
{
	bench_controller_with(bench, domid, "type", "pv");
	bench_run(bench);
}

void bench_frontend_connects(struct usb_bench *bench, unsigned int domid)
{
	bench_write(bench, "8", "/local/domain/%u/device/vusb/0/urb-ring-ref", domid);
	bench_write(bench, "9", "/local/domain/%u/device/vusb/0/conn-ring-ref", domid);
	bench_write(bench, "5", "/local/domain/%u/device/vusb/0/event-channel", domid);
	bench_write(bench, "4", "/local/domain/%u/device/vusb/0/state", domid);
	bench_run(bench);
}

void bench_guest(struct usb_bench *bench, unsigned int domid, const char *uuid)
{
	bench_domain(bench, domid, uuid);
	bench_controller(bench, domid);
	bench_frontend_connects(bench, domid);
	bench_expect(bench, "2", BACKEND "/%u/0/state", domid);
	bench_wait_ms(bench, 1000);
	bench_expect(bench, "4", BACKEND "/%u/0/state", domid);
}

void bench_destroy(struct usb_bench *bench, unsigned int domid)
{
	bench_rm(bench, BACKEND "/%u", domid);
	bench_rm(bench, "/local/domain/%u", domid);
	bench_run(bench);
}

void bench_expect_node(struct usb_bench *bench, unsigned int domid, unsigned int port,
		       const char *value)
{
	bench_expect(bench, value, BACKEND "/%u/0/port/%u", domid, port);
}

void bench_write_node(struct usb_bench *bench, unsigned int domid, unsigned int port,
		      const char *value)
{
	bench_write(bench, value, BACKEND "/%u/0/port/%u", domid, port);
	bench_run(bench);
}

void bench_policy(struct usb_bench *bench, const char *uuid, unsigned int port, const char *key,
		  const char *value)
{
	AUTO_FREE char *dir = xb_asprintf(USBBACK_VM_PATH "/%s/usb/0/%u", uuid, port);

	if (value)
		bench_write(bench, value, "%s/%s", dir, key);
	else
		bench_rm(bench, "%s", dir);
	bindings_config_changed(bench->ub.bindings);
	bench_run(bench);
}

/* --- devices --- */

static void devices_changed(struct usb_bench *bench)
{
	bindings_set_devices(bench->ub.bindings, bench->devices, bench->n_devices);
	bench_run(bench);
}

void bench_plug_in(struct usb_bench *bench, const char *busid, uint16_t vid, uint16_t pid,
		   const char *serial)
{
	struct host_device *device = &bench->devices[bench->n_devices++];

	memset(device, 0, sizeof(*device));
	snprintf(device->busid, sizeof(device->busid), "%s", busid);
	snprintf(device->serial, sizeof(device->serial), "%s", serial);
	snprintf(device->product, sizeof(device->product), "Stick");
	device->address = bench->next_address++;
	device->vid = vid;
	device->pid = pid;
	device->speed = USB_SPEED_HIGH;
	devices_changed(bench);
}

void bench_yank(struct usb_bench *bench, const char *busid)
{
	size_t i = 0;

	while (strcmp(bench->devices[i].busid, busid) != 0)
		assert_true(++i < bench->n_devices);
	bench->devices[i] = bench->devices[--bench->n_devices];
	devices_changed(bench);
}

/* --- looks --- */

struct vusbdev *bench_vusbdev(struct usb_bench *bench, unsigned int domid)
{
	struct vusbdev *vd = bindings_find(bench->ub.bindings, (uint16_t)domid, 0);

	assert_non_null(vd);
	return vd;
}

struct binding *bench_port(struct usb_bench *bench, unsigned int domid, unsigned int port)
{
	return &bench_vusbdev(bench, domid)->ports[port - 1];
}

const char *bench_plugged(struct usb_bench *bench, unsigned int domid, unsigned int port)
{
	struct vusbdev *vd = bench_vusbdev(bench, domid);

	return vd->vusb ? vd->vusb->plugged[port] : "";
}

void bench_expect_state(struct usb_bench *bench, unsigned int domid, unsigned int port,
			enum binding_state state)
{
	const struct binding *is = bench_port(bench, domid, port);

	if (is->state != state)
		fail_msg("port %u is %s (%s), must be %s", port, binding_state_name(is->state),
			 is->why, binding_state_name(state));
}

void bench_expect_calls(const char *calls)
{
	assert_string_equal(usb_fakes.calls, calls);
	usb_fakes.calls[0] = '\0';
}
