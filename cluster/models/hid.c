/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hid.c - keyboard and tablet, see hid.h. */
#include "hid.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "hid_input.h"
#include "log.h"
#include "util.h"

#define LOG_MODULE "models"

/* Linux Foundation; drivers go by the class. */
#define HID_VID		 0x1d6b
#define HID_PID_KEYBOARD 0x0107
#define HID_PID_TABLET	 0x0108

#define REPORT_INPUT  1
#define REPORT_OUTPUT 2

#define IDLE_UNIT_NS (4 * NSEC_PER_MSEC)

struct hid {
	struct model *model;
	struct hid_input input;
	const uint8_t *report_descriptor;
	uint16_t n_report_descriptor;
	uint8_t idle;	  /**< in 4 ms; 0: only news are told */
	uint8_t protocol; /**< 0 boot, 1 report; the reports are the same */
	uint64_t sent_ns; /**< when the last report went out */
	bool repeat;	  /**< the idle time is over */
	int socket;
	char *path;
	sd_event_source *source;
	struct log_limit limit;
};

/* HID 1.11, appendix B.1: eight modifiers, a reserved byte, five LEDs out, six keys. */
static const uint8_t keyboard_report[] = {
	0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, /* generic desktop, keyboard */
	0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81,
	0x02, 0x95, 0x01, 0x75, 0x08, 0x81, 0x01, 0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01,
	0x29, 0x05, 0x91, 0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x01, 0x95, 0x06, 0x75, 0x08, 0x15,
	0x00, 0x26, 0xff, 0x00, 0x05, 0x07, 0x19, 0x00, 0x2a, 0xff, 0x00, 0x81, 0x00, 0xc0};

/* Three buttons, X and Y from 0 to 32767, a relative wheel. */
static const uint8_t tablet_report[] = {0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1,
					0x00, /* mouse, pointer */
					0x05, 0x09, 0x19, 0x01, 0x29, 0x03, 0x15, 0x00, 0x25,
					0x01, 0x95, 0x03, 0x75, 0x01, 0x81, 0x02, 0x95, 0x01,
					0x75, 0x05, 0x81, 0x01, /* buttons, filled up to a byte */
					0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x15, 0x00, 0x26,
					0xff, 0x7f, 0x35, 0x00, 0x46, 0xff, 0x7f, 0x75, 0x10,
					0x95, 0x02, 0x81, 0x02, /* X, Y */
					0x09, 0x38, 0x15, 0x81, 0x25, 0x7f, 0x35, 0x00, 0x45,
					0x00, 0x75, 0x08, 0x95, 0x01, 0x81, 0x06, 0xc0, 0xc0};

static int reply(const struct usb_ctrlrequest *setup, uint8_t *data, const void *bytes, size_t n)
{
	n = MIN(n, le16toh(setup->wLength));
	if (n)
		memcpy(data, bytes, n);
	return (int)n;
}

static int get_descriptor(struct hid *hid, const struct usb_ctrlrequest *setup, uint8_t *data)
{
	const uint8_t *bytes = model_desc_find(&hid->model->desc, HID_DT_HID, NULL);

	switch (le16toh(setup->wValue)) {
	case HID_DT_HID << 8:
		return reply(setup, data, bytes, bytes[0]);
	case HID_DT_REPORT << 8:
		return reply(setup, data, hid->report_descriptor, hid->n_report_descriptor);
	}
	return -EPIPE;
}

static int get(struct hid *hid, const struct usb_ctrlrequest *setup, uint8_t *data)
{
	uint16_t value = le16toh(setup->wValue);

	switch (setup->bRequest) {
	case HID_GET_REPORT:
		if (value == REPORT_INPUT << 8)
			return reply(setup, data, hid->input.sent,
				     hid_input_report_bytes(&hid->input));
		if (value == REPORT_OUTPUT << 8 && !hid->input.tablet)
			return reply(setup, data, &hid->input.leds, 1);
		return -EPIPE;
	case HID_GET_IDLE:
		return value ? -EPIPE : reply(setup, data, &hid->idle, 1);
	case HID_GET_PROTOCOL:
		return value || hid->input.tablet ? -EPIPE : reply(setup, data, &hid->protocol, 1);
	}
	return -EPIPE;
}

static int set(struct hid *hid, const struct usb_ctrlrequest *setup, const uint8_t *data)
{
	uint16_t value = le16toh(setup->wValue);

	switch (setup->bRequest) {
	case HID_SET_REPORT:
		if (value != REPORT_OUTPUT << 8 || hid->input.tablet ||
		    le16toh(setup->wLength) != 1)
			return -EPIPE;
		hid->input.leds = data[0];
		return 1;
	case HID_SET_IDLE:
		if (value & 0xff)
			return -EPIPE;
		hid->idle = (uint8_t)(value >> 8);
		hid->repeat = false;
		return 0;
	case HID_SET_PROTOCOL:
		if (value > 1 || hid->input.tablet)
			return -EPIPE;
		hid->protocol = (uint8_t)value;
		return 0;
	}
	return -EPIPE;
}

static int op_control(void *self, const struct usb_ctrlrequest *setup, uint8_t *data)
{
	struct hid *hid = self;

	if (setup->wIndex)
		return -EPIPE;
	switch (setup->bRequestType) {
	case USB_DIR_IN | USB_TYPE_STANDARD | USB_RECIP_INTERFACE:
		return get_descriptor(hid, setup, data);
	case USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE:
		return get(hid, setup, data);
	case USB_DIR_OUT | USB_TYPE_CLASS | USB_RECIP_INTERFACE:
		return set(hid, setup, data);
	}
	return -EPIPE;
}

static enum model_verdict op_transfer(void *self, struct usb_transfer *transfer, uint64_t now_ns)
{
	struct hid *hid = self;
	uint8_t report[HID_REPORT_MAX];
	size_t n = hid_input_report_bytes(&hid->input);

	if (hid->input.head == hid->input.tail && !hid->repeat)
		return MODEL_WAIT;
	if (transfer->length < n) {
		transfer->status = -EOVERFLOW;
		return MODEL_DONE;
	}
	if (!hid_input_next(&hid->input, report))
		memcpy(report, hid->input.sent, sizeof(report));
	memcpy(transfer->data, report, n);
	transfer->actual = (uint32_t)n;
	hid->repeat = false;
	hid->sent_ns = now_ns;
	return MODEL_DONE;
}

static uint64_t op_deadline_ns(const void *self)
{
	const struct hid *hid = self;

	if (!hid->idle || hid->repeat)
		return DEADLINE_NEVER;
	return hid->sent_ns + hid->idle * IDLE_UNIT_NS;
}

static void op_tick(void *self, uint64_t now_ns)
{
	((struct hid *)self)->repeat = true;
}

static void op_reset(void *self)
{
	struct hid *hid = self;

	hid_input_init(&hid->input, hid->input.tablet);
	hid->idle = 0;
	hid->protocol = 1;
	hid->repeat = false;
}

static void op_destroy(void *self)
{
	struct hid *hid = self;

	sd_event_source_disable_unref(hid->source);
	xb_close_fd(&hid->socket);
	if (hid->path)
		(void)unlink(hid->path);
	free(hid->path);
	free(hid);
}

static const struct model_ops hid_ops = {
	.control = op_control,
	.transfer = op_transfer,
	.reset = op_reset,
	.deadline_ns = op_deadline_ns,
	.tick = op_tick,
	.destroy = op_destroy,
};

static void answer_to(struct hid *hid, int rc, const char *answer, const struct sockaddr_un *from,
		      socklen_t n_from)
{
	char text[HID_ANSWER_MAX + 16];
	uint64_t now_us = 0;

	(void)sd_event_now(sd_event_source_get_event(hid->source), CLOCK_MONOTONIC, &now_us);
	snprintf(text, sizeof(text), "%s%s", rc ? "error: " : "", answer);
	if (n_from > offsetof(struct sockaddr_un, sun_path))
		(void)sendto(hid->socket, text, strlen(text), MSG_DONTWAIT,
			     (const struct sockaddr *)from, n_from);
	else if (rc)
		log_limited(&hid->limit, now_us * NSEC_PER_USEC, LOG_MODULE, LOG_LEVEL_WARN,
			    "input %s: %s", hid->path, answer);
}

static int on_datagram(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct hid *hid = userdata;
	char line[HID_LINE_MAX + 2], answer[HID_ANSWER_MAX];
	struct sockaddr_un from;
	socklen_t n_from = sizeof(from);
	ssize_t n = recvfrom(fd, line, sizeof(line), MSG_DONTWAIT | MSG_TRUNC,
			     (struct sockaddr *)&from, &n_from);
	int rc = -EINVAL;

	if (n < 0)
		return 0;
	if (!hid->model->ch9.configuration)
		snprintf(answer, sizeof(answer), "no host uses the %s yet",
			 hid->input.tablet ? "tablet" : "keyboard");
	else if ((size_t)n > sizeof(line))
		snprintf(answer, sizeof(answer), "the line has %zd bytes; at most %d are allowed",
			 n, HID_LINE_MAX);
	else
		rc = hid_input_line(&hid->input, line, (size_t)n, answer);
	answer_to(hid, rc, answer, &from, n_from);
	if (!rc)
		hid->model->kick(hid->model);
	return 0;
}

static void describe(struct hid *hid, struct model_desc *desc)
{
	static const uint8_t boot_keyboard[3] = {USB_CLASS_HID, 1, 1};
	static const uint8_t plain[3] = {USB_CLASS_HID, 0, 0};
	uint8_t n = (uint8_t)hid->n_report_descriptor;
	uint8_t hid_descriptor[9] = {9, HID_DT_HID, 0x11, 0x01, 0, 1, HID_DT_REPORT, n, 0};

	if (hid->input.tablet)
		model_desc_init(desc, USB_SPEED_HIGH, HID_VID, HID_PID_TABLET, "Model Tablet",
				NULL);
	else
		model_desc_init(desc, USB_SPEED_HIGH, HID_VID, HID_PID_KEYBOARD, "Model Keyboard",
				NULL);
	model_desc_interface(desc, 0, 0, hid->input.tablet ? plain : boot_keyboard, NULL);
	model_desc_raw(desc, hid_descriptor, sizeof(hid_descriptor));
	/* 8 ms, 1 ms */
	model_desc_endpoint(desc, HID_ENDPOINT_IN, USB_ENDPOINT_XFER_INT, 8,
			    hid->input.tablet ? 4 : 7);
}

/* A socket that nobody listens to is in the way. */
static int clear_path(const struct sockaddr_un *address, char *error, size_t error_size)
{
	struct stat st;
	int fd, rc;

	if (lstat(address->sun_path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(error, error_size, "input='%s' exists and is no socket",
			 address->sun_path);
		return -EEXIST;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	rc = fd < 0							       ? -errno
	     : connect(fd, (const struct sockaddr *)address, sizeof(*address)) ? -errno
									       : 0;
	xb_close_fd(&fd);
	if (!rc) {
		snprintf(error, error_size, "input='%s' is in use by another program",
			 address->sun_path);
		return -EADDRINUSE;
	}
	(void)unlink(address->sun_path);
	return 0;
}

static int open_socket(struct hid *hid, const char *path, char *error, size_t error_size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int rc;

	if (strlen(path) >= sizeof(address.sun_path)) {
		snprintf(error, error_size,
			 "input='%.150s' has %zu bytes; a socket's path has %zu at most", path,
			 strlen(path), sizeof(address.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, path);
	rc = clear_path(&address, error, error_size);
	if (rc)
		return rc;
	hid->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Keys are secrets: for its owner only, from the first moment on. */
	if (hid->socket < 0 || fchmod(hid->socket, 0600) ||
	    bind(hid->socket, (const struct sockaddr *)&address, sizeof(address))) {
		rc = -errno;
		snprintf(error, error_size, "cannot make input='%s': %s", path, strerror(-rc));
		return rc;
	}
	hid->path = xb_strdup(path);
	return 0;
}

int hid_create(struct model *model, const struct model_spec *spec, sd_event *event, char *error,
	       size_t error_size)
{
	struct hid *hid = xb_calloc(1, sizeof(*hid));
	bool tablet = spec->kind == MODEL_TABLET;
	int rc;

	hid->model = model;
	hid->socket = -1;
	hid->limit = (struct log_limit)LOG_LIMIT_INIT(10, 5);
	hid_input_init(&hid->input, tablet);
	hid->protocol = 1;
	hid->report_descriptor = tablet ? tablet_report : keyboard_report;
	hid->n_report_descriptor = tablet ? sizeof(tablet_report) : sizeof(keyboard_report);
	describe(hid, &model->desc);
	model->ops = &hid_ops;
	model->self = hid;
	if (!*spec->path)
		return 0;
	rc = open_socket(hid, spec->path, error, error_size);
	if (rc)
		return rc;
	rc = sd_event_add_io(event, &hid->source, hid->socket, EPOLLIN, on_datagram, hid);
	if (rc < 0)
		snprintf(error, error_size, "cannot watch input='%s': %s", spec->path,
			 strerror(-rc));
	return MIN(rc, 0);
}
