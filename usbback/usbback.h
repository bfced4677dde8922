/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbback.h - the control thread of usbback: what its parts know of each other.
 *
 * vusbdev.c is the driver that the xenbus scanner calls for each controller of a guest; bindings.c
 * knows which device belongs on which port and plugs it in; usbback_ctl.c answers xenbackctl. The
 * threads of the controllers (vusb.h) reach this thread through `mail` alone.
 */
#ifndef XB_USB_USBBACK_H
#define XB_USB_USBBACK_H

#include "app.h"
#include "bindings.h"
#include "host_opener.h"
#include "mailbox.h"
#include "usbback_keys.h"
#include "vusb.h"
#include "xen/backend.h"
#include "xen/confstore.h"

struct usbback {
	struct app *app;
	struct mailbox *mail;
	sd_event_source *mail_source;
	struct confstore *conf;
	struct host_opener *opener; /**< NULL: models only */
	struct hotplug *hotplug;
	struct bindings *bindings;
	struct backend *backend;
	struct usbback_options options;
	char options_error[KEY_ERROR_MAX];
	char journal_dir[128]; /**< "" = keep no journals */
	bool stopping;	       /**< guests wait for our successor: change nothing of theirs */
};

/** A controller of a guest, from the appearance of its directory until that is gone. */
struct vusbdev {
	struct usbback *ub;
	struct backend_device *dev;
	struct vusbdev *prev, *next; /**< in the bindings' list */
	char uuid[64];		     /**< of the VM, "" = unknown */
	unsigned int usb_version;    /**< 1 or 2 */
	unsigned int n_ports;	     /**< 1 to USBIF_MAX_PORTNR */
	struct vusb *vusb;	     /**< while connected */
	struct stats_group *group;
	char failure[160]; /**< why the rings were given up, "" = they were not */
	struct binding ports[USBIF_MAX_PORTNR];
	bool unread; /**< the nodes port/N are to be read again */
};

/* vusbdev.c */

extern const struct backend_driver vusbdev_driver; /**< its ctx is the struct usbback */
/** "vusb3.0, domain web": for messages; free(). */
char *vusbdev_label(const struct vusbdev *vd);
/** Reply of "usb list" for one controller; details: of "usb show". */
json_t *vusbdev_to_json(struct vusbdev *vd, bool details);
/** Reply of "usb explain"; port 0 = the controller with all its ports. */
json_t *vusbdev_explain(struct vusbdev *vd, unsigned int port);

/* usbback_ctl.c */

void usbback_ctl_register(struct usbback *ub);

#endif
