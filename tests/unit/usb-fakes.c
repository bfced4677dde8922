/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usb-fakes.c - see usb-fakes.h. */
#include "usb-fakes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cluster/models/models.h"
#include "common/mailbox.h"
#include "common/util.h"
#include "usbback/host_libusb.h"
#include "usbback/host_opener.h"

struct usb_fakes usb_fakes;

__attribute__((format(printf, 1, 2))) static void called(const char *fmt, ...)
{
	size_t n = strlen(usb_fakes.calls);
	va_list args;

	va_start(args, fmt);
	vsnprintf(usb_fakes.calls + n, sizeof(usb_fakes.calls) - n, fmt, args);
	va_end(args);
}

static int fail(int rc, char *error, size_t error_size)
{
	snprintf(error, error_size, "%s", usb_fakes.error ? usb_fakes.error : strerror(-rc));
	return rc;
}

/* --- vusb.h --- */

const struct stat_desc vusb_stat_descs[] = {
	{"urbs", STAT_KIND_COUNTER, offsetof(struct vusb_stats, urbs), "Requests."},
	{"host_transfers", STAT_KIND_COUNTER, offsetof(struct vusb_stats, host_transfers),
	 "Transfers."},
};
const size_t vusb_n_stat_descs = ARRAY_SIZE(vusb_stat_descs);

int vusb_open(struct vusb **out, struct xen *xen, struct clock *clock,
	      const struct vusb_config *config, const struct vusb_events *events, char *error,
	      size_t error_size)
{
	if (usb_fakes.connect_result < 0)
		return fail(usb_fakes.connect_result, error, error_size);
	*out = xb_calloc(1, sizeof(**out));
	(*out)->config = *config;
	(*out)->events = *events;
	usb_fakes.n_opened++;
	usb_fakes.adopted = config->adopt;
	return 0;
}

void vusb_close(struct vusb *vusb, bool keep)
{
	usb_fakes.n_closed++;
	usb_fakes.n_kept += keep;
	free(vusb);
}

int vusb_attach(struct vusb *vusb, unsigned int port, const struct vusb_device *device, char *error,
		size_t error_size)
{
	struct usb_host *host;
	int rc;

	if (usb_fakes.on_attach)
		usb_fakes.on_attach(vusb, port);
	called("attach %u %s;", port, device->name);
	if (usb_fakes.attach_result < 0)
		return fail(usb_fakes.attach_result, error, error_size);
	if (vusb->plugged[port][0])
		return fail(-EBUSY, error, error_size);
	rc = device->open(&host, device->arg, NULL, NULL, error, error_size);
	if (rc < 0)
		return rc;
	snprintf(vusb->plugged[port], sizeof(vusb->plugged[port]), "%s", device->name);
	vusb->quirks[port] = device->quirks;
	return 0;
}

void vusb_detach(struct vusb *vusb, unsigned int port)
{
	called("detach %u;", port);
	vusb->plugged[port][0] = '\0';
}

const struct vusb_stats *vusb_stats(const struct vusb *vusb)
{
	return &vusb->stats;
}

json_t *vusb_to_json(struct vusb *vusb)
{
	json_t *ports = json_array();

	for (unsigned int i = 1; i <= vusb->config.n_ports; i++)
		if (vusb->plugged[i][0])
			json_array_append_new(ports, json_pack("{s:i, s:s, s:i}", "port", (int)i,
							       "speed", "high", "address", 2));
	return json_pack("{s:i, s:i, s:o}", "requests", 3, "ring_slots", 16, "ports", ports);
}

struct letter {
	struct vusb_events events; /* the rings may be closed when it is read */
	struct vusb *vusb;
	unsigned int port;
	const char *why;
};

static int deliver(void *ctx, void *arg)
{
	struct letter *letter = arg;
	const struct vusb_events *events = &letter->events;

	if (letter->why)
		events->failed(events->ctx, letter->vusb, letter->why);
	else
		events->gone(events->ctx, letter->vusb, letter->port);
	return 0;
}

void fake_vusb_gone(struct vusb *vusb, unsigned int port)
{
	struct letter letter = {vusb->events, vusb, port, NULL};

	vusb->plugged[port][0] = '\0';
	mailbox_post(vusb->events.mail, deliver, &letter, sizeof(letter));
}

void fake_vusb_failed(struct vusb *vusb, const char *why)
{
	struct letter letter = {vusb->events, vusb, 0, why};

	mailbox_post(vusb->events.mail, deliver, &letter, sizeof(letter));
}

/* --- host_libusb.h, host_opener.h --- */

int host_libusb_open(struct usb_host **host, int fd, const char *name, sd_event *event, char *error,
		     size_t error_size)
{
	if (fcntl(fd, F_GETFD) < 0)
		return fail(-EBADF, error, error_size);
	close(fd);
	usb_fakes.n_host_opens++;
	return 0;
}

unsigned int fake_opened_descriptors(void)
{
	unsigned int n = 0;

	for (int fd = 3; fd < 256; fd++) {
		struct stat st;

		n += fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
	}
	return n;
}

bool host_busid_valid(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n && text[n] == '-' && text[n + 1] &&
	       strspn(text + n, "-.0123456789") == strlen(text + n);
}

int host_opener_open(struct host_opener *opener, const char *busid, char *error, size_t error_size)
{
	if (usb_fakes.open_result < 0)
		return fail(usb_fakes.open_result, error, error_size);
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int host_opener_unconfigure(struct host_opener *opener, const char *busid, char *error,
			    size_t error_size)
{
	called("unconfigure %s;", busid);
	return 0;
}

int host_opener_usbfs_memory(struct host_opener *opener, uint32_t mb)
{
	usb_fakes.memory_mb = mb;
	return (int)mb;
}

int host_opener_create(struct host_opener **out, const char *sysfs, const char *devfs)
{
	*out = (struct host_opener *)&usb_fakes;
	return 0;
}

void host_opener_destroy(struct host_opener *opener)
{
}

/* --- models.h --- */

int usb_model_open(struct usb_host **host, const char *spec, sd_event *event, struct clock *clock,
		   char *error, size_t error_size)
{
	return 0;
}

int usb_model_check(const char *spec, char *error, size_t error_size)
{
	if (strncmp(spec, "disk", 4) == 0 || strcmp(spec, "source-sink") == 0)
		return 0;
	snprintf(error, error_size, "model \"%s\": none of disk, source-sink", spec);
	return -EINVAL;
}
