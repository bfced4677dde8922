/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbback.c - wiring of the daemon: its parts are created here in order and destroyed in reverse.
 *
 * opener process -> mailbox -> configuration -> bindings -> devices of this host -> xenbus scanner
 * (controllers) -> control commands. Stopping leaves every xenstore state as it is, and what the
 * guests' requests were in the journals: the next start goes on with both.
 */
#include "usbback_main.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host_devices.h"
#include "hotplug.h"
#include "log.h"
#include "usbback.h"
#include "util.h"
#include "xen/conflict.h"

#define LOG_MODULE "usbback"
#define SYSFS	   "/sys"

static const char *const conf_paths[] = {USBBACK_PATH, USBBACK_VM_PATH, USBBACK_ONCE_PATH, NULL};

#define REMEDY                                                                                     \
	"a driver of the kernel serves the same USB controllers (backend/vusb): unload it "        \
	"(modprobe -r usbback, or xen-usbback) and keep it away, then start again"
static const struct xen_conflict conflicts[] = {{"vusb", REMEDY}, {"usbback", REMEDY}};

static int check_conflicts(struct xen *xen)
{
	int rc = 0;

	if (strcmp(xen->ops->name, "real") == 0)
		rc = xen_check_drivers(SYSFS, conflicts, ARRAY_SIZE(conflicts));
	return rc < 0 ? rc : xen_check_device_models(xen, vusbdev_driver.type);
}

/* --- settings --- */

static void raise_usbfs_memory(struct usbback *ub, uint64_t bytes)
{
	uint32_t wanted = (uint32_t)DIV_ROUND_UP(bytes, 1048576);
	int now;

	if (!ub->opener)
		return;
	now = host_opener_usbfs_memory(ub->opener, wanted);
	if (now < 0)
		log_warn(
			"usbfs_memory: cannot be raised to %u MiB: %s; when it is short, transfers "
			"get smaller",
			wanted, strerror(-now));
	else
		log_debug("usbfs_memory: %d MiB", now);
}

static void apply_options(struct usbback *ub)
{
	uint64_t memory = ub->options.usbfs_memory_bytes;
	int rc = confstore_read(ub->conf, USBBACK_PATH, &usbback_key_table, &ub->options,
				ub->options_error);

	if (rc == -EIO)
		return;
	confstore_set_error(ub->conf, USBBACK_PATH, rc < 0 ? ub->options_error : NULL);
	if (ub->options.usbfs_memory_bytes != memory)
		raise_usbfs_memory(ub, ub->options.usbfs_memory_bytes);
}

static void on_config(void *ctx)
{
	struct usbback *ub = ctx;

	apply_options(ub);
	if (ub->bindings)
		bindings_config_changed(ub->bindings);
}

/* --- parts --- */

static int on_mail(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
	mailbox_drain(((struct usbback *)ctx)->mail, ctx);
	return 0;
}

/* A place for the journals that only we can write to; without one nothing is kept. */
static void make_journal_dir(struct usbback *ub)
{
	const char *run = getenv("XENBACK_RUN");

	snprintf(ub->journal_dir, sizeof(ub->journal_dir), "%s/usb",
		 run && *run ? run : "/run/xenback");
	if ((mkdir(ub->journal_dir, 0700) == 0 || errno == EEXIST) &&
	    access(ub->journal_dir, W_OK | X_OK) == 0)
		return;
	log_warn("%s: %s: no journals are kept, so a restart costs the guests their open requests",
		 ub->journal_dir, strerror(errno));
	ub->journal_dir[0] = '\0';
}

static void list_devices(struct usbback *ub)
{
	AUTO_FREE struct host_device *devices = NULL;
	size_t n = 0;
	int rc = host_devices_list(SYSFS, &devices, &n);

	if (rc < 0)
		log_warn("%s: devices cannot be listed: %s", SYSFS, strerror(-rc));
	else
		bindings_set_devices(ub->bindings, devices, n);
}

static void on_hotplug(void *ctx, enum hotplug_event event, const char *busid)
{
	log_debug("%s: %s", busid, hotplug_event_name(event));
	list_devices(ctx);
}

static int start_parts(struct usbback *ub)
{
	struct app *app = ub->app;
	int rc = sd_event_add_io(app->event, &ub->mail_source, mailbox_fd(ub->mail), EPOLLIN,
				 on_mail, ub);

	if (rc >= 0)
		rc = confstore_create(&ub->conf, app->xen, app->event, conf_paths, on_config, ub);
	if (rc < 0)
		return rc;
	keys_set_defaults(&usbback_key_table, &ub->options);
	ub->options.usbfs_memory_bytes = 0; /* not raised yet */
	apply_options(ub);
	bindings_sweep_once(ub);
	rc = bindings_create(&ub->bindings, ub);
	if (rc < 0)
		return rc;
	rc = hotplug_create(&ub->hotplug, app->event, on_hotplug, ub);
	if (rc < 0)
		log_warn("what is plugged in from now on is not noticed: %s", strerror(-rc));
	list_devices(ub);
	rc = backend_create(&ub->backend, app->xen, app->event, app->clock, &vusbdev_driver, ub);
	if (rc < 0)
		log_err("cannot serve backend/vusb: %s", strerror(-rc));
	return rc;
}

/* The process that opens devices: forked while we have one thread, and our rights. */
static int prepare(struct app *app)
{
	struct usbback *ub = xb_calloc(1, sizeof(*ub));
	int rc;

	app->ctx = ub;
	ub->app = app;
	rc = check_conflicts(app->xen);
	if (rc < 0)
		return rc;
	rc = host_opener_create(&ub->opener, SYSFS, "/dev");
	if (rc < 0) {
		ub->opener = NULL;
		log_warn("devices of this host cannot be attached, only models: %s", strerror(-rc));
	}
	return 0;
}

static int start(struct app *app)
{
	struct usbback *ub = app->ctx;
	int rc;

	make_journal_dir(ub);
	ub->mail = mailbox_create();
	if (!ub->mail)
		return -errno;
	rc = start_parts(ub);
	if (rc < 0)
		return rc;
	usbback_ctl_register(ub);
	app_status("serving backend/vusb");
	return 0;
}

static void stop(struct app *app)
{
	struct usbback *ub = app->ctx;

	if (!ub)
		return;
	ub->stopping = true;
	backend_destroy(ub->backend);
	hotplug_destroy(ub->hotplug);
	bindings_destroy(ub->bindings);
	confstore_destroy(ub->conf);
	sd_event_source_unref(ub->mail_source);
	mailbox_destroy(ub->mail);
	host_opener_destroy(ub->opener);
	free(ub);
	app->ctx = NULL;
}

const struct app_desc usbback_app = {
	.name = "usbback",
	.summary = "Xen USB backend: serves guests' USB controllers with devices of this host, and "
		   "with models",
	.tables = usbback_key_tables,
	.n_tables = ARRAY_SIZE(usbback_key_tables),
	.user_option = true,
	.prepare = prepare,
	.start = start,
	.stop = stop,
};
