/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serial.c - a pty as a CDC-ACM device, see serial.h. */
#include "serial.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <termios.h>

#include "util.h"

/* Linux Foundation, serial gadget. */
#define SERIAL_VID 0x1d6b
#define SERIAL_PID 0x0106

#define LINE_CODING_BYTES  7
#define NOTIFICATION_BYTES 10

/* UART state bitmap (PSTN 1.2, table 31). */
#define STATE_DCD 0x01
#define STATE_DSR 0x02

struct serial {
	struct model *model;
	int pty;   /**< our end */
	int other; /**< the other end, kept open: else the pty would hang up whenever nobody has it
		    */
	char *link, *name;
	sd_event_source *source, *peers;
	uint32_t waits_for; /**< EPOLLIN, EPOLLOUT */
	int n_peers;	    /**< others that have the pty open */
	bool notify;	    /**< the state is still to be told */
	uint8_t line_coding[LINE_CODING_BYTES];
	uint16_t control_lines; /**< bit 0 DTR, bit 1 RTS */
};

/* The sources are asked for only what a transfer waits for, or a full pty would keep the loop busy.
 */
static void wait_for(struct serial *serial, uint32_t events)
{
	if ((serial->waits_for & events) == events)
		return;
	serial->waits_for |= events;
	(void)sd_event_source_set_io_events(serial->source, serial->waits_for);
	(void)sd_event_source_set_enabled(serial->source, SD_EVENT_ON);
}

static int on_pty(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct serial *serial = userdata;

	/* A hangup says both: whoever tries will hear of it. */
	serial->waits_for &= ~(events & (EPOLLERR | EPOLLHUP) ? EPOLLIN | EPOLLOUT : events);
	(void)sd_event_source_set_io_events(source, serial->waits_for);
	if (!serial->waits_for)
		(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	serial->model->kick(serial->model);
	return 0;
}

static int on_peer(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct serial *serial = userdata;
	bool before = serial->n_peers > 0;

	if (event->mask & IN_OPEN)
		serial->n_peers++;
	else if (event->mask & (IN_CLOSE_WRITE | IN_CLOSE_NOWRITE) && serial->n_peers)
		serial->n_peers--;
	if (before == (serial->n_peers > 0))
		return 0;
	serial->notify = true;
	serial->model->kick(serial->model);
	return 0;
}

static int op_control(void *self, const struct usb_ctrlrequest *setup, uint8_t *data)
{
	struct serial *serial = self;
	const uint8_t out = USB_DIR_OUT | USB_TYPE_CLASS | USB_RECIP_INTERFACE;
	uint16_t n = le16toh(setup->wLength);

	if (le16toh(setup->wIndex)) /* interface 0 is the one that controls */
		return -EPIPE;
	if (setup->bRequestType == out && setup->bRequest == SERIAL_SET_LINE_CODING &&
	    n == LINE_CODING_BYTES) {
		memcpy(serial->line_coding, data, n);
		return n;
	}
	if (setup->bRequestType == (out | USB_DIR_IN) &&
	    setup->bRequest == SERIAL_GET_LINE_CODING) {
		n = MIN(n, LINE_CODING_BYTES);
		if (n)
			memcpy(data, serial->line_coding, n);
		return n;
	}
	if (setup->bRequestType == out && setup->bRequest == SERIAL_SET_CONTROL_LINES) {
		serial->control_lines = le16toh(setup->wValue);
		return 0;
	}
	if (setup->bRequestType == out && setup->bRequest == SERIAL_SEND_BREAK)
		return 0;
	return -EPIPE;
}

static enum model_verdict give_state(struct serial *serial, struct usb_transfer *transfer)
{
	uint8_t bytes[NOTIFICATION_BYTES] = {USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE,
					     SERIAL_STATE_NOTIFICATION,
					     0,
					     0,
					     0,
					     0,
					     2,
					     0,
					     serial->n_peers ? STATE_DCD | STATE_DSR : 0,
					     0};

	if (!serial->notify)
		return MODEL_WAIT;
	if (transfer->length < sizeof(bytes)) {
		transfer->status = -EOVERFLOW;
		return MODEL_DONE;
	}
	memcpy(transfer->data, bytes, sizeof(bytes));
	transfer->actual = sizeof(bytes);
	serial->notify = false;
	return MODEL_DONE;
}

static enum model_verdict give_bytes(struct serial *serial, struct usb_transfer *transfer)
{
	ssize_t n = read(serial->pty, transfer->data, transfer->length);

	if (n > 0) {
		transfer->actual = (uint32_t)n;
		return MODEL_DONE;
	}
	wait_for(serial, EPOLLIN);
	return MODEL_WAIT;
}

static enum model_verdict take_bytes(struct serial *serial, struct usb_transfer *transfer)
{
	while (transfer->actual < transfer->length) {
		ssize_t n = write(serial->pty, transfer->data + transfer->actual,
				  transfer->length - transfer->actual);

		if (n <= 0) {
			wait_for(serial, EPOLLOUT);
			return MODEL_WAIT;
		}
		transfer->actual += (uint32_t)n;
	}
	return MODEL_DONE;
}

static enum model_verdict op_transfer(void *self, struct usb_transfer *transfer, uint64_t now_ns)
{
	if (transfer->endpoint == SERIAL_NOTIFY_IN)
		return give_state(self, transfer);
	if (transfer->endpoint & USB_DIR_IN)
		return give_bytes(self, transfer);
	return take_bytes(self, transfer);
}

static void op_reset(void *self)
{
	((struct serial *)self)->notify = true;
}

/* Takes the link away, unless somebody else's is there now. */
static void remove_link(const struct serial *serial)
{
	char target[64];
	ssize_t n;

	if (!serial->link)
		return;
	n = readlink(serial->link, target, sizeof(target) - 1);
	if (n < 0)
		return;
	target[n] = '\0';
	if (!strcmp(target, serial->name))
		(void)unlink(serial->link);
}

static void op_destroy(void *self)
{
	struct serial *serial = self;

	sd_event_source_disable_unref(serial->source);
	sd_event_source_disable_unref(serial->peers);
	remove_link(serial);
	xb_close_fd(&serial->pty);
	xb_close_fd(&serial->other);
	free(serial->link);
	free(serial->name);
	free(serial);
}

static const struct model_ops serial_ops = {
	.control = op_control,
	.transfer = op_transfer,
	.reset = op_reset,
	.destroy = op_destroy,
};

static void describe(struct model_desc *desc)
{
	static const uint8_t control[3] = {USB_CLASS_COMM, 0x02 /* ACM */, 0x01 /* V.250 */};
	static const uint8_t data[3] = {USB_CLASS_CDC_DATA, 0, 0};
	static const uint8_t functions[] = {
		5, 0x24, 0x00, 0x10, 0x01, /* CDC 1.10 */
		5, 0x24, 0x01, 0x00, 1,	   /* no call management, data by interface 1 */
		4, 0x24, 0x02, 0x06,	   /* line coding, control lines, break */
		5, 0x24, 0x06, 0,    1,	   /* union of the two interfaces */
	};

	model_desc_init(desc, USB_SPEED_HIGH, SERIAL_VID, SERIAL_PID, "Model Serial Line", NULL);
	model_desc_class(desc, USB_CLASS_COMM);
	model_desc_interface(desc, 0, 0, control, NULL);
	model_desc_raw(desc, functions, sizeof(functions));
	model_desc_endpoint(desc, SERIAL_NOTIFY_IN, USB_ENDPOINT_XFER_INT, 16, 8 /* 16 ms */);
	model_desc_interface(desc, 1, 0, data, NULL);
	model_desc_endpoint(desc, SERIAL_DATA_IN, USB_ENDPOINT_XFER_BULK, 512, 0);
	model_desc_endpoint(desc, SERIAL_DATA_OUT, USB_ENDPOINT_XFER_BULK, 512, 0);
}

static int open_pty(struct serial *serial, char *error, size_t error_size)
{
	char name[64];
	struct termios termios;
	int rc;

	serial->pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (serial->pty < 0 || grantpt(serial->pty) || unlockpt(serial->pty) ||
	    ptsname_r(serial->pty, name, sizeof(name)))
		goto failed;
	serial->name = xb_strdup(name);
	serial->other = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (serial->other < 0 || tcgetattr(serial->other, &termios))
		goto failed;
	cfmakeraw(&termios);
	if (!tcsetattr(serial->other, TCSANOW, &termios))
		return 0;
failed:
	rc = -errno;
	snprintf(error, error_size, "model serial: cannot open a pty: %s", strerror(-rc));
	return rc;
}

/* By rename, so that the path never is without a link. */
static int make_link(struct serial *serial, const char *path, char *error, size_t error_size)
{
	AUTO_FREE char *fresh = xb_asprintf("%s.%d", path, serial->pty);
	struct stat st;
	int rc;

	if (!lstat(path, &st) && !S_ISLNK(st.st_mode)) {
		snprintf(error, error_size, "link='%.200s' exists and is no symbolic link", path);
		return -EEXIST;
	}
	(void)unlink(fresh);
	if (!symlink(serial->name, fresh)) {
		if (!rename(fresh, path)) {
			serial->link = xb_strdup(path);
			return 0;
		}
		rc = -errno;
		(void)unlink(fresh);
	} else {
		rc = -errno;
	}
	snprintf(error, error_size, "cannot make link='%.200s' to %s: %s", path, serial->name,
		 strerror(-rc));
	return rc;
}

static int watch(struct serial *serial, sd_event *event)
{
	int rc = sd_event_add_io(event, &serial->source, serial->pty, 0, on_pty, serial);

	if (rc < 0)
		return rc;
	(void)sd_event_source_set_enabled(serial->source, SD_EVENT_OFF);
	rc = sd_event_add_inotify(event, &serial->peers, serial->name,
				  IN_OPEN | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE, on_peer, serial);
	return MIN(rc, 0);
}

int serial_create(struct model *model, const struct model_spec *spec, sd_event *event, char *error,
		  size_t error_size)
{
	/* 9600 baud, one stop bit, no parity, 8 bits. */
	static const uint8_t coding[LINE_CODING_BYTES] = {0x80, 0x25, 0, 0, 0, 0, 8};
	struct serial *serial = xb_calloc(1, sizeof(*serial));
	int rc;

	serial->model = model;
	serial->pty = serial->other = -1;
	memcpy(serial->line_coding, coding, sizeof(coding));
	describe(&model->desc);
	model->ops = &serial_ops;
	model->self = serial;
	rc = open_pty(serial, error, error_size);
	if (rc)
		return rc;
	rc = watch(serial, event);
	if (rc) {
		snprintf(error, error_size, "model serial: cannot watch %s: %s", serial->name,
			 strerror(-rc));
		return rc;
	}
	return *spec->path ? make_link(serial, spec->path, error, error_size) : 0;
}
