/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbox-guest-usb-stream.c - commands that keep URBs in flight: serial ports, keyboards, a storm
 * of unlinks. See xenbox-guest-usb.h. */
#include "xenbox-guest-usb.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define STREAM_URBS  4u
#define STREAM_BYTES 512u
#define STORM_URBS   24u
#define STORM_BYTES  4096u
#define LOOK_NS	     (20 * NSEC_PER_MSEC) /* for the standard input */

/* CDC 1.2 requests of a serial port. */
#define CDC_SET_LINE_CODING	   0x20
#define CDC_SET_CONTROL_LINE_STATE 0x22

/* --- what comes in, from a serial port or a keyboard --- */

struct stream {
	struct guest *guest;
	struct usbdev *dev;
	struct usbdev_bus *bus;
	struct usbfront *front;
	bool text;   /* as it is; else a report a line, in hexadecimal */
	bool ending; /* nothing is sent again */
	int status;  /* of the first URB that failed */
	struct usbfront_urb urbs[STREAM_URBS];
	uint8_t data[STREAM_URBS][STREAM_BYTES];
};

static void show(const struct stream *stream, const struct usbfront_urb *urb)
{
	if (stream->text) {
		fwrite(urb->data, 1, urb->actual, stdout);
	} else {
		for (uint32_t i = 0; i < urb->actual; i++)
			printf("%s%02x", i ? " " : "", urb->data[i]);
		putchar('\n');
	}
	fflush(stdout);
}

static void incoming(struct usbfront_urb *urb)
{
	struct stream *stream = urb->ctx;
	int rc;

	if (urb->actual > 0)
		show(stream, urb);
	if (stream->ending)
		return;
	rc = urb->status;
	if (rc == 0)
		rc = usbfront_submit(stream->front, urb);
	if (rc < 0)
		stream->status = rc;
}

static int start_stream(struct stream *stream, const struct usbdesc_endpoint *endpoint,
			unsigned int n)
{
	int rc = 0;

	for (unsigned int i = 0; i < n && rc == 0; i++) {
		usbdev_urb_init(stream->dev, &stream->urbs[i], endpoint->address, stream->data[i],
				MIN(endpoint->max_packet, STREAM_BYTES));
		stream->urbs[i].done = incoming;
		stream->urbs[i].ctx = stream;
		rc = usbfront_submit(stream->front, &stream->urbs[i]);
	}
	return rc;
}

static void stop_stream(struct stream *stream)
{
	stream->ending = true;
	usbdev_cancel(stream->bus, stream->urbs, STREAM_URBS);
}

static bool stream_over(void *arg)
{
	const struct stream *stream = arg;

	return stream->status < 0 || usbdev_info(stream->dev)->gone;
}

static int open_stream(struct guest *guest, struct stream *stream, const char *name)
{
	memset(stream, 0, sizeof(*stream));
	stream->guest = guest;
	stream->dev = guest_device(guest, name);
	if (!stream->dev)
		return -ENODEV;
	stream->bus = usbdev_bus(stream->dev);
	stream->front = usbdev_bus_front(stream->bus);
	return 0;
}

/* The interface of a class in its first setting, with such an endpoint. */
static const struct usbdesc_alt *find_class(const struct usbdev *dev, uint8_t class, uint8_t type)
{
	const struct usbdesc_config *config = &usbdev_info(dev)->config;

	for (unsigned int i = 0; i < config->n_alts; i++)
		if (config->alts[i].class == class && config->alts[i].alternate == 0 &&
		    usbdesc_find(&config->alts[i], type, USB_DIR_IN))
			return &config->alts[i];
	return NULL;
}

/* --- serial --- */

static int open_port(struct stream *stream)
{
	const struct usbdesc_config *config = &usbdev_info(stream->dev)->config;
	uint8_t coding[7] = {0x00, 0xc2, 0x01, 0x00, 0, 0, 8}; /* 115200 8N1, little endian */
	uint64_t deadline = guest_in(stream->guest, stream->guest->timeout_ns);
	uint8_t interface = 0;
	int rc;

	for (unsigned int i = 0; i < config->n_alts; i++)
		if (config->alts[i].class == USB_CLASS_COMM)
			interface = config->alts[i].interface;
	rc = usbdev_control(stream->dev, USB_TYPE_CLASS | USB_RECIP_INTERFACE, CDC_SET_LINE_CODING,
			    0, interface, coding, sizeof(coding), deadline);
	return rc < 0 ? rc
		      : usbdev_control(stream->dev, USB_TYPE_CLASS | USB_RECIP_INTERFACE,
				       CDC_SET_CONTROL_LINE_STATE, 3, interface, NULL, 0, deadline);
}

/* What waits on the standard input goes out; false at its end. */
static bool send_input(struct stream *stream, uint8_t endpoint, int *rc)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	uint8_t data[STREAM_BYTES];
	ssize_t n;

	if (poll(&in, 1, 0) <= 0)
		return true;
	n = read(STDIN_FILENO, data, sizeof(data));
	if (n <= 0)
		return false;
	*rc = usbdev_transfer(stream->dev, endpoint, data, (uint32_t)n,
			      guest_in(stream->guest, stream->guest->timeout_ns));
	return *rc >= 0;
}

static int run_serial(struct stream *stream, uint8_t out, uint64_t end_ns)
{
	bool input = true;
	int rc = 0;

	while (rc >= 0 && clock_now(&clock_monotonic) < end_ns && !stream->guest->stop) {
		if (input)
			input = send_input(stream, out, &rc);
		if (rc >= 0)
			rc = usbdev_bus_wait(stream->bus, stream_over, stream,
					     guest_in(stream->guest, LOOK_NS));
		if (rc == -ETIMEDOUT)
			rc = 0;
		else if (rc == 0)
			rc = stream->status ? stream->status : -ENODEV;
	}
	return rc;
}

static int seconds_word(int argc, char **argv, const char *command, uint64_t *end_ns)
{
	uint32_t seconds = 0;
	int rc = 0;

	if (argc < 1 || argc > 2)
		return guest_fail(-EINVAL, "%s: wanted DEV [SECONDS]", command);
	if (argc == 2)
		rc = guest_parse_number("seconds", argv[1], 86400, &seconds);
	*end_ns = argc == 2 ? clock_now(&clock_monotonic) + seconds * NSEC_PER_SEC : DEADLINE_NEVER;
	return rc;
}

int guest_cmd_serial(struct guest *guest, int argc, char **argv)
{
	const struct usbdesc_endpoint *out;
	const struct usbdesc_alt *alt;
	struct stream stream = {.guest = guest};
	uint64_t end_ns = 0;
	int rc = seconds_word(argc, argv, "serial", &end_ns);

	if (rc == 0)
		rc = open_stream(guest, &stream, argv[0]);
	if (rc < 0)
		return rc;
	alt = find_class(stream.dev, USB_CLASS_CDC_DATA, USB_ENDPOINT_XFER_BULK);
	out = alt ? usbdesc_find(alt, USB_ENDPOINT_XFER_BULK, 0) : NULL;
	if (!out)
		return guest_fail(-ENXIO, "device %s is no serial port", argv[0]);
	stream.text = true;
	rc = open_port(&stream);
	if (rc >= 0)
		rc = start_stream(&stream, usbdesc_find(alt, USB_ENDPOINT_XFER_BULK, USB_DIR_IN),
				  STREAM_URBS);
	if (rc >= 0)
		rc = run_serial(&stream, out->address, end_ns);
	stop_stream(&stream);
	return rc < 0 ? guest_fail(rc, "serial port %s: %s", argv[0], strerror(-rc)) : 0;
}

/* --- keyboards and tablets --- */

int guest_cmd_input(struct guest *guest, int argc, char **argv)
{
	const struct usbdesc_alt *alt;
	struct stream stream = {.guest = guest};
	uint64_t end_ns = 0;
	int rc = seconds_word(argc, argv, "input", &end_ns);

	if (rc == 0)
		rc = open_stream(guest, &stream, argv[0]);
	if (rc < 0)
		return rc;
	alt = find_class(stream.dev, USB_CLASS_HID, USB_ENDPOINT_XFER_INT);
	if (!alt)
		return guest_fail(-ENXIO, "device %s is no keyboard, mouse or tablet", argv[0]);
	rc = start_stream(&stream, usbdesc_find(alt, USB_ENDPOINT_XFER_INT, USB_DIR_IN), 1);
	if (rc == 0)
		rc = usbdev_bus_wait(stream.bus, stream_over, &stream, end_ns);
	rc = rc == -ETIMEDOUT ? 0 : rc == 0 ? -ENODEV : rc;
	stop_stream(&stream);
	return rc < 0 ? guest_fail(rc, "device %s: %s", argv[0], strerror(-rc)) : 0;
}

/* --- a storm of unlinks --- */

struct storm {
	struct usbdev *dev;
	struct usbfront *front;
	uint32_t left; /* transfers that are still to be sent */
	uint64_t sent, finished, back, failed;
	struct usbfront_urb urbs[STORM_URBS];
	uint8_t data[STORM_URBS][STORM_BYTES];
};

static void storm_send(struct storm *storm, struct usbfront_urb *urb)
{
	if (storm->left == 0 || usbfront_submit(storm->front, urb) < 0)
		return;
	storm->left--;
	storm->sent++;
}

static void storm_done(struct usbfront_urb *urb)
{
	struct storm *storm = urb->ctx;

	storm->finished += urb->status == 0;
	storm->back += urb->status == -ECONNRESET;
	storm->failed += urb->status != 0 && urb->status != -ECONNRESET;
	if (urb->status != 0 && urb->status != -ECONNRESET)
		storm->left = 0;
	storm_send(storm, urb);
	if (storm->sent % 3 == 0) /* some other one, wherever it is now */
		usbfront_unlink(storm->front, &storm->urbs[storm->sent * 7 % STORM_URBS]);
}

static int run_storm(struct guest *guest, struct storm *storm,
		     const struct usbdesc_endpoint *endpoint)
{
	struct usbdev_bus *bus = usbdev_bus(storm->dev);

	storm->front = usbdev_bus_front(bus);
	for (unsigned int i = 0; i < STORM_URBS; i++) {
		usbdev_urb_init(storm->dev, &storm->urbs[i], endpoint->address, storm->data[i],
				STORM_BYTES);
		storm->urbs[i].done = storm_done;
		storm->urbs[i].ctx = storm;
	}
	for (unsigned int i = 0; i < STORM_URBS; i++)
		storm_send(storm, &storm->urbs[i]);
	return usbdev_finish(bus, storm->urbs, STORM_URBS, guest_in(guest, guest->timeout_ns));
}

int guest_cmd_unlink(struct guest *guest, int argc, char **argv)
{
	struct storm *storm;
	const struct usbdesc_alt *alt;
	uint32_t count = 10000;
	struct usbdev *dev;
	int rc = argc == 2 ? guest_parse_number("count", argv[1], 100000000, &count) : 0;

	if (rc < 0 || argc < 1 || argc > 2)
		return rc < 0 ? rc : guest_fail(-EINVAL, "unlink: wanted DEV [COUNT]");
	dev = guest_device(guest, argv[0]);
	if (!dev)
		return -ENODEV;
	alt = find_class(dev, USB_CLASS_VENDOR_SPEC, USB_ENDPOINT_XFER_BULK);
	if (!alt)
		return guest_fail(-ENXIO, "device %s is no source/sink device", argv[0]);
	storm = xb_calloc(1, sizeof(*storm));
	storm->dev = dev;
	storm->left = count;
	rc = run_storm(guest, storm, usbdesc_find(alt, USB_ENDPOINT_XFER_BULK, USB_DIR_IN));
	printf("%s: %" PRIu64 " transfers, %" PRIu64 " finished, %" PRIu64 " came back, %" PRIu64
	       " failed\n",
	       argv[0], storm->sent, storm->finished, storm->back, storm->failed);
	if (rc == 0 && (storm->failed || storm->sent != count))
		rc = -EIO;
	free(storm);
	return rc < 0 ? guest_fail(rc, "device %s: %s", argv[0], strerror(-rc)) : 0;
}
