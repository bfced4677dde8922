/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bindings_wish.c - what the keys ask for: read, checked, complained about.
 *
 * A directory of keys counts as a whole: one wrong value, and the wish that was in force stays,
 * while the node `error` beside the keys says what is wrong. The same node tells why a right wish
 * cannot be fulfilled.
 */
#include "bindings_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

/* The directory above the ports' ones; NULL while the UUID is unknown. */
static char *wishes_dir(const struct vusbdev *vd, enum binding_source source)
{
	if (source == SOURCE_ONCE)
		return xb_asprintf("%s/%u/usb/%u", USBBACK_ONCE_PATH, vd->dev->domid,
				   vd->dev->devid);
	if (!vd->uuid[0])
		return NULL;
	return xb_asprintf("%s/%s/usb/%u", USBBACK_VM_PATH, vd->uuid, vd->dev->devid);
}

char *bindings_dir(const struct binding *port, enum binding_source source)
{
	AUTO_FREE char *dir = wishes_dir(port->vd, source);

	return dir ? xb_asprintf("%s/%u", dir, port->number) : NULL;
}

static void forget(struct binding *port, struct wish *wish)
{
	bool named = wish->spec.kind != DEVSPEC_NONE;

	memset(wish, 0, sizeof(*wish));
	if (named) {
		port->suspended = false;
		port->retry_ns = 0;
	}
}

/* 0, or -EINVAL with a sentence in error: nothing is changed then. */
static int take(struct binding *port, struct wish *wish, const struct usb_policy *policy,
		char error[KEY_ERROR_MAX])
{
	struct quirks scratch = {0};
	struct devspec spec;

	if (devspec_parse(&spec, policy->device, error, KEY_ERROR_MAX) < 0 ||
	    quirks_parse(&scratch, policy->quirks, error, KEY_ERROR_MAX) < 0)
		return -EINVAL;
	if (strcmp(spec.text, wish->spec.text) != 0 || strcmp(policy->quirks, wish->quirks) != 0) {
		port->suspended = false; /* it was written anew, so it is wanted */
		port->retry_ns = 0;
		port->n_failures = 0;
	}
	devspec_copy(&wish->spec, &spec);
	snprintf(wish->quirks, sizeof(wish->quirks), "%s", policy->quirks);
	return 0;
}

static void read_wish(struct binding *port, enum binding_source source, const char *dir)
{
	struct wish *wish = &port->wishes[source];
	char error[KEY_ERROR_MAX] = "";
	struct usb_policy policy;
	int rc = confstore_read(port->vd->ub->conf, dir, &usb_key_table, &policy, error);

	if (rc == -EIO)
		return;
	wish->present = true;
	if (rc == 0)
		rc = take(port, wish, &policy, error);
	snprintf(wish->error, sizeof(wish->error), "%s", rc < 0 ? error : "");
	if (rc < 0 || wish->shown[0])
		wish_show_error(port, source, NULL);
}

/* 1 ... n_ports; 0 = it is no port of this controller. */
static unsigned int port_number(const struct vusbdev *vd, const char *name)
{
	size_t n = strlen(name);
	unsigned int number;

	if (n == 0 || n > 2 || strspn(name, "0123456789") != n || name[0] == '0')
		return 0;
	number = (unsigned int)atoi(name); /* NOLINT(cert-err34-c): one or two digits */
	return number <= vd->n_ports ? number : 0;
}

static void refuse_port(struct vusbdev *vd, const char *dir, const char *name)
{
	AUTO_FREE char *path = xb_asprintf("%s/%s", dir, name);
	AUTO_FREE char *error = xb_asprintf("port \"%s\": %s has the ports 1 to %u", name,
					    vd->dev->name, vd->n_ports);

	confstore_set_error(vd->ub->conf, path, error);
}

static void read_source(struct vusbdev *vd, enum binding_source source)
{
	AUTO_FREE char *dir = wishes_dir(vd, source);
	AUTO_FREE char **names = NULL;
	bool seen[USBIF_MAX_PORTNR] = {false};
	unsigned int n;

	if (!dir || confstore_list(vd->ub->conf, dir, &names, &n) < 0)
		return;
	for (unsigned int i = 0; i < n; i++) {
		AUTO_FREE char *path = xb_asprintf("%s/%s", dir, names[i]);
		unsigned int number = port_number(vd, names[i]);

		if (!number) {
			refuse_port(vd, dir, names[i]);
			continue;
		}
		seen[number - 1] = true;
		read_wish(&vd->ports[number - 1], source, path);
	}
	for (unsigned int i = 0; i < vd->n_ports; i++)
		if (!seen[i] && vd->ports[i].wishes[source].present)
			forget(&vd->ports[i], &vd->ports[i].wishes[source]);
}

void wishes_read(struct vusbdev *vd)
{
	if (!vd->uuid[0])
		confstore_vm_uuid(vd->ub->conf, vd->dev->domid, vd->uuid, sizeof(vd->uuid));
	read_source(vd, SOURCE_POLICY);
	read_source(vd, SOURCE_ONCE);
}

enum binding_source wish_in_force(const struct binding *port)
{
	if (port->suspended)
		return SOURCE_NONE;
	if (port->wishes[SOURCE_ONCE].spec.kind != DEVSPEC_NONE)
		return SOURCE_ONCE;
	if (port->wishes[SOURCE_POLICY].spec.kind != DEVSPEC_NONE)
		return SOURCE_POLICY;
	return SOURCE_NONE;
}

void wish_show_error(struct binding *port, enum binding_source source, const char *text)
{
	struct wish *wish = &port->wishes[source];
	AUTO_FREE char *dir = bindings_dir(port, source);

	if (wish->error[0])
		text = wish->error;
	if (!text)
		text = "";
	if (!dir || !wish->present || strcmp(text, wish->shown) == 0)
		return;
	snprintf(wish->shown, sizeof(wish->shown), "%s", text);
	confstore_set_error(port->vd->ub->conf, dir, text[0] ? text : NULL);
}

/* Removes a directory that has nothing in it. */
static void remove_empty(struct confstore *conf, const char *dir)
{
	AUTO_FREE char **names = NULL;
	unsigned int n;

	if (confstore_list(conf, dir, &names, &n) == 0 && n == 0)
		confstore_rm(conf, dir);
}

void wishes_forget_once(struct vusbdev *vd)
{
	struct confstore *conf = vd->ub->conf;
	AUTO_FREE char *dir = wishes_dir(vd, SOURCE_ONCE);
	AUTO_FREE char *domain = xb_asprintf("%s/%u", USBBACK_ONCE_PATH, vd->dev->domid);
	AUTO_FREE char *usb = xb_asprintf("%s/usb", domain);
	AUTO_FREE char **names = NULL;
	unsigned int n;

	if (confstore_list(conf, domain, &names, &n) < 0 || n == 0)
		return;
	confstore_rm(conf, dir);
	remove_empty(conf, usb);
	remove_empty(conf, domain);
}

void bindings_sweep_once(struct usbback *ub)
{
	AUTO_FREE char **names = NULL;
	unsigned int n;

	if (confstore_list(ub->conf, USBBACK_ONCE_PATH, &names, &n) < 0)
		return;
	for (unsigned int i = 0; i < n; i++) {
		AUTO_FREE char *domain = xb_asprintf("/local/domain/%s", names[i]);
		AUTO_FREE char *dir = xb_asprintf("%s/%s", USBBACK_ONCE_PATH, names[i]);
		AUTO_FREE char *alive = confstore_get(ub->conf, domain);

		if (!alive && confstore_connected(ub->conf))
			confstore_rm(ub->conf, dir);
	}
}
