/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbback_ctl.c - the commands of usbback's control socket (ctl.h); `xenbackctl usb` is their
 * client.
 *
 * Attaching and detaching write the keys that anybody could write, look at the ports at once, and
 * answer with what became of it.
 */
#include "usbback.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "util.h"

#define DEVID_MAX 0x7fffffff

/* --- arguments --- */

static struct vusbdev *find_controller(struct usbback *ub, json_t *args, char error[CTL_ERROR_MAX])
{
	json_int_t domid, devid;
	struct vusbdev *vd;

	if (json_unpack(args, "{s:I, s:I}", "domid", &domid, "devid", &devid) < 0 || domid < 0 ||
	    domid > 32751 || devid < 0 || devid > DEVID_MAX) {
		snprintf(error, CTL_ERROR_MAX, "arguments domid (0 to 32751) and devid are needed");
		return NULL;
	}
	vd = bindings_find(ub->bindings, (uint16_t)domid, (uint32_t)devid);
	if (!vd)
		snprintf(error, CTL_ERROR_MAX,
			 "there is no vusb%d.%d; `xl usbctrl-attach %d type=pv version=2 ports=8` "
			 "makes one, `xenbackctl usb list` shows those that are",
			 (int)domid, (int)devid, (int)domid);
	return vd;
}

/* The argument `port`: 0 and *port (0 = not given), or -EINVAL. */
static int get_port(const struct vusbdev *vd, json_t *args, unsigned int *port,
		    char error[CTL_ERROR_MAX])
{
	const json_t *value = json_object_get(args, "port");
	json_int_t number = json_integer_value(value);

	*port = 0;
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_integer(value) || number < 1 || number > vd->n_ports) {
		snprintf(error, CTL_ERROR_MAX, "port: %s has the ports 1 to %u", vd->dev->name,
			 vd->n_ports);
		return -EINVAL;
	}
	*port = (unsigned int)number;
	return 0;
}

/* --- questions --- */

static void append_controller(void *ctx, struct vusbdev *vd)
{
	json_array_append_new(ctx, vusbdev_to_json(vd, false));
}

static int usb_list(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct usbback *ub = ctx;
	json_t *controllers = json_array();

	bindings_foreach(ub->bindings, append_controller, controllers);
	*result = json_pack("{s:o, s:o}", "controllers", controllers, "devices",
			    bindings_devices_to_json(ub->bindings));
	return 0;
}

static int usb_show(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct vusbdev *vd = find_controller(ctx, args, error);

	if (!vd)
		return -ENOENT;
	*result = vusbdev_to_json(vd, true);
	return 0;
}

static int usb_explain(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct vusbdev *vd = find_controller(ctx, args, error);
	unsigned int port;

	if (!vd)
		return -ENOENT;
	if (get_port(vd, args, &port, error) < 0)
		return -EINVAL;
	*result = vusbdev_explain(vd, port);
	return 0;
}

/* --- attach --- */

static bool is_free(const struct binding *port)
{
	for (unsigned int i = 0; i < N_WISHES; i++)
		if (port->wishes[i].present && port->wishes[i].spec.kind != DEVSPEC_NONE)
			return false;
	return port->source == SOURCE_NONE && port->node != NODE_UNREAD;
}

static struct binding *first_free(struct vusbdev *vd)
{
	for (unsigned int i = 0; i < vd->n_ports; i++)
		if (is_free(&vd->ports[i]))
			return &vd->ports[i];
	return NULL;
}

/* The port that was asked for, or a free one. It may wait for the very same device. */
static struct binding *choose_port(struct vusbdev *vd, json_t *args, const char *device,
				   char error[CTL_ERROR_MAX])
{
	struct binding *port;
	unsigned int number;

	if (get_port(vd, args, &number, error) < 0)
		return NULL;
	port = number ? &vd->ports[number - 1] : first_free(vd);
	if (!port) {
		snprintf(error, CTL_ERROR_MAX,
			 "%s has no free port: detach something, or attach another controller",
			 vd->dev->name);
		return NULL;
	}
	if (number && !is_free(port) && strcmp(port->wanted, device) != 0 &&
	    !(port->suspended && strcmp(port->wishes[SOURCE_POLICY].spec.text, device) == 0)) {
		snprintf(error, CTL_ERROR_MAX, "port %u of %s is taken by %s: detach that first",
			 number, vd->dev->name,
			 port->source == SOURCE_NONE ? "the VM's keys" : port->wanted);
		return NULL;
	}
	return port;
}

/* A device of this host that the spec names by its place must be there, and free. */
static int check_device(struct usbback *ub, const struct devspec *spec, const struct binding *port,
			char error[CTL_ERROR_MAX])
{
	const struct binding *owner =
		spec->kind == DEVSPEC_BUSID ? bindings_owner(ub->bindings, spec->text) : NULL;

	if (!owner || owner == port)
		return 0;
	snprintf(error, CTL_ERROR_MAX, "%s is on port %u of %s: detach it there first", spec->text,
		 owner->number, owner->vd->dev->name);
	return -EBUSY;
}

static int write_keys(struct binding *port, enum binding_source source, const char *device,
		      const char *quirks, char error[CTL_ERROR_MAX])
{
	struct confstore *conf = port->vd->ub->conf;
	AUTO_FREE char *dir = bindings_dir(port, source);
	AUTO_FREE char *device_path = dir ? xb_asprintf("%s/device", dir) : NULL;
	AUTO_FREE char *quirks_path = dir ? xb_asprintf("%s/quirks", dir) : NULL;

	if (!dir) {
		snprintf(error, CTL_ERROR_MAX,
			 "the UUID of domain %u is unknown, so there is no place for its policy; "
			 "--once attaches without one",
			 port->vd->dev->domid);
		return -ENOENT;
	}
	if (!confstore_connected(conf)) {
		snprintf(error, CTL_ERROR_MAX, "xenstored is away; nothing was changed");
		return -EIO;
	}
	if (quirks[0])
		confstore_put(conf, quirks_path, quirks);
	else
		confstore_rm(conf, quirks_path);
	confstore_put(conf, device_path, device);
	return 0;
}

static json_t *reply_about(const struct binding *port)
{
	json_t *reply = binding_to_json(port);

	json_object_set_new(reply, "name", json_string(port->vd->dev->name));
	return reply;
}

/* What the arguments say, checked. */
struct attach {
	struct devspec spec;
	const char *quirks;
	bool once;
};

static int get_attach(json_t *args, struct attach *attach, char error[CTL_ERROR_MAX])
{
	const char *device = json_string_value(json_object_get(args, "device"));
	struct quirks scratch = {0};

	attach->quirks = json_string_value(json_object_get(args, "quirks"));
	attach->once = json_is_true(json_object_get(args, "once"));
	if (!attach->quirks)
		attach->quirks = "";
	if (!device || !*device) {
		snprintf(error, CTL_ERROR_MAX, "argument device (a string) is needed");
		return -EINVAL;
	}
	if (devspec_parse(&attach->spec, device, error, CTL_ERROR_MAX) < 0)
		return -EINVAL;
	return quirks_parse(&scratch, attach->quirks, error, CTL_ERROR_MAX);
}

static int usb_attach(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct usbback *ub = ctx;
	struct vusbdev *vd = find_controller(ub, args, error);
	struct attach attach;
	struct binding *port;
	int rc;

	if (!vd)
		return -ENOENT;
	rc = get_attach(args, &attach, error);
	if (rc < 0)
		return rc;
	bindings_run(ub->bindings); /* what is taken now? */
	port = choose_port(vd, args, attach.spec.text, error);
	if (!port)
		return -EBUSY;
	rc = check_device(ub, &attach.spec, port, error);
	if (rc == 0)
		rc = write_keys(port, attach.once ? SOURCE_ONCE : SOURCE_POLICY, attach.spec.text,
				attach.quirks, error);
	if (rc < 0)
		return rc;
	bindings_config_changed(ub->bindings);
	bindings_resume(ub->bindings, port);
	bindings_run(ub->bindings);
	*result = reply_about(port);
	return 0;
}

/* --- detach --- */

/* The port by its number, or by the device that it has or waits for. */
static struct binding *find_port(struct vusbdev *vd, json_t *args, char error[CTL_ERROR_MAX])
{
	const char *device = json_string_value(json_object_get(args, "device"));
	unsigned int number;

	if (get_port(vd, args, &number, error) < 0)
		return NULL;
	if (number)
		return &vd->ports[number - 1];
	for (unsigned int i = 0; device && i < vd->n_ports; i++) {
		struct binding *port = &vd->ports[i];

		if (port->source != SOURCE_NONE &&
		    (strcmp(port->device.busid, device) == 0 || strcmp(port->wanted, device) == 0))
			return port;
	}
	if (device)
		snprintf(error, CTL_ERROR_MAX,
			 "%s has no \"%s\"; `xenbackctl usb list` shows what "
			 "it has",
			 vd->dev->name, device);
	else
		snprintf(error, CTL_ERROR_MAX, "argument port (a number) or device is needed");
	return NULL;
}

static int usb_detach(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct usbback *ub = ctx;
	struct vusbdev *vd = find_controller(ub, args, error);
	struct binding *port = vd ? find_port(vd, args, error) : NULL;
	bool any = false;
	int rc = 0;

	if (!port)
		return -ENOENT;
	bindings_run(ub->bindings);
	for (unsigned int i = 0; i < N_WISHES; i++) {
		AUTO_FREE char *dir = bindings_dir(port, (enum binding_source)i);

		if (!dir ||
		    (port->wishes[i].spec.kind == DEVSPEC_NONE && !port->wishes[i].error[0]))
			continue;
		any = true;
		confstore_rm(ub->conf, dir);
	}
	if (port->source == SOURCE_XL) {
		any = true;
		rc = bindings_clear_node(port);
	}
	if (!any)
		rc = -ENOENT;
	if (rc < 0) {
		snprintf(error, CTL_ERROR_MAX, "port %u of %s: %s", port->number, vd->dev->name,
			 any ? strerror(-rc) : "nothing is attached there");
		return rc;
	}
	bindings_config_changed(ub->bindings);
	bindings_run(ub->bindings);
	*result = reply_about(port);
	return 0;
}

void usbback_ctl_register(struct usbback *ub)
{
	static const struct {
		const char *name, *usage;
		ctl_fn fn;
	} commands[] = {
		{"usb list", "controllers with their ports, and devices of this host", usb_list},
		{"usb show", "{domid, devid}: one controller with counters and pipes", usb_show},
		{"usb explain", "{domid, devid, [port]}: what it waits for", usb_explain},
		{"usb attach",
		 "{domid, devid, device, [port], [quirks], [once]}: plug a device in; without once "
		 "it comes back whenever the guest starts",
		 usb_attach},
		{"usb detach", "{domid, devid, port or device}: unplug, and forget the keys",
		 usb_detach},
	};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		ctl_register(ub->app->ctl, commands[i].name, commands[i].usage, commands[i].fn, ub);
}
