/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbtest.c - source/sink tests: the table of cases, and those that move data. See usbtest.h. */
#include "usbtest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usbtest_priv.h"
#include "util.h"

#define MODULUS	   63u
#define LENGTH_MAX 32768u
#define PIECES_MAX 32u

uint64_t ut_deadline(const struct ut *t)
{
	return usbdev_bus_now(t->bus) + t->options.timeout_ns;
}

int ut_fail(struct ut *t, int rc, const char *format, ...)
{
	va_list args;
	size_t n;

	va_start(args, format);
	vsnprintf(t->result->error, sizeof(t->result->error), format, args);
	va_end(args);
	n = strlen(t->result->error);
	if (rc != -EILSEQ)
		snprintf(t->result->error + n, sizeof(t->result->error) - n, ": %s", strerror(-rc));
	return rc;
}

/* --- data --- */

void ut_fill(const struct ut *t, uint8_t *data, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		data[i] = t->options.pattern == 1
				  ? (uint8_t)((i % t->endpoint->max_packet) % MODULUS)
				  : 0;
}

bool ut_right(const struct ut *t, const uint8_t *data, uint32_t n)
{
	if (t->options.pattern < 0)
		return true;
	for (uint32_t i = 0; i < n; i++)
		if (data[i] !=
		    (t->options.pattern == 0 ? 0 : (i % t->endpoint->max_packet) % MODULUS))
			return false;
	return true;
}

uint32_t ut_length(const struct ut *t, uint32_t length)
{
	uint32_t packet = t->endpoint->max_packet;

	if (!(t->endpoint->address & USB_DIR_IN))
		return length;
	return MAX(1u, DIV_ROUND_UP(length, packet)) * packet;
}

int ut_once(struct ut *t, uint32_t length)
{
	bool in = t->endpoint->address & USB_DIR_IN;
	struct usbfront_urb urb;
	int rc;

	if (!in)
		ut_fill(t, t->data, length);
	usbdev_urb_init(t->dev, &urb, t->endpoint->address, t->data, length);
	urb.offset = t->offset;
	rc = usbfront_submit(t->front, &urb);
	if (rc == 0)
		rc = usbdev_finish(t->bus, &urb, 1, ut_deadline(t));
	if (rc == 0)
		rc = urb.status;
	if (rc < 0)
		return ut_fail(t, rc, "transfer of %u bytes", length);
	t->result->bytes += urb.actual;
	if (urb.actual != length)
		return ut_fail(t, -EREMOTEIO, "%u of %u bytes", urb.actual, length);
	if (in && !ut_right(t, t->data, length))
		return ut_fail(t, -EILSEQ, "wrong bytes in %u that were read", length);
	return 0;
}

static int same_length(struct ut *t)
{
	int rc = 0;

	for (unsigned int i = 0; i < t->options.iterations && rc == 0; i++)
		rc = ut_once(t, ut_length(t, t->options.length));
	return rc;
}

static uint32_t next_length(const struct ut *t, uint32_t length)
{
	length += t->options.vary ? t->options.vary : 509;
	return length > t->options.length ? length % t->options.length + 1 : length;
}

static int varied_length(struct ut *t)
{
	uint32_t length = t->options.length;
	int rc = 0;

	for (unsigned int i = 0; i < t->options.iterations && rc == 0; i++) {
		rc = ut_once(t, ut_length(t, length));
		length = next_length(t, length);
	}
	return rc;
}

/* --- lists --- */

static int list_once(struct ut *t, const uint32_t *lengths, unsigned int n)
{
	bool in = t->endpoint->address & USB_DIR_IN;
	uint32_t total = 0, moved, at = 0;
	int rc;

	for (unsigned int i = 0; i < n; i++)
		total += lengths[i];
	for (unsigned int i = 0; i < n && !in; at += lengths[i++])
		ut_fill(t, t->data + at, lengths[i]);
	rc = usbdev_pieces(t->dev, t->endpoint->address, t->data, lengths, n, &moved,
			   ut_deadline(t));
	if (rc < 0)
		return ut_fail(t, rc, "list of %u pieces, %u bytes, %u moved", n, total, moved);
	t->result->bytes += moved;
	for (unsigned int i = 0; i < n && in; at += lengths[i++])
		if (!ut_right(t, t->data + at, lengths[i]))
			return ut_fail(t, -EILSEQ, "wrong bytes in piece %u of %u", i, n);
	return 0;
}

/* Pieces of a list; varied: each longer than the one before. */
static int lists(struct ut *t, bool varied)
{
	uint32_t lengths[PIECES_MAX], length = t->options.length, total;
	unsigned int n;
	int rc = 0;

	for (unsigned int i = 0; i < t->options.iterations && rc == 0; i++) {
		total = 0;
		for (n = 0; n < t->options.n_pieces; n++) {
			lengths[n] = ut_length(t, length);
			if (total + lengths[n] > UT_BUFFER)
				break;
			total += lengths[n];
			length = varied ? next_length(t, length) : length;
		}
		rc = list_once(t, lengths, n);
	}
	return rc;
}

static int same_lists(struct ut *t)
{
	return lists(t, false);
}

static int varied_lists(struct ut *t)
{
	return lists(t, true);
}

/* Data that begins at an odd address, in the second half of a page where `far`. */
static int odd(struct ut *t)
{
	t->offset = 1;
	return varied_length(t);
}

static int odd_far(struct ut *t)
{
	t->offset = XEN_PAGE_SIZE / 2 + 1;
	return varied_length(t);
}

static int control_out_odd(struct ut *t)
{
	t->offset = 1;
	return ut_control_out(t);
}

static int iso_odd(struct ut *t)
{
	t->offset = 1;
	return ut_iso(t);
}

static int nothing(struct ut *t)
{
	(void)t;
	return 0;
}

/* --- the table --- */

enum direction {
	NONE, /**< endpoint 0, or both */
	OUT,
	IN,
};

static const struct {
	const char *name;
	uint8_t type; /**< USB_ENDPOINT_XFER_* that it takes */
	enum direction direction;
	int (*run)(struct ut *t);
} cases[USBTEST_CASES] = {
	[0] = {"nothing", USB_ENDPOINT_XFER_CONTROL, NONE, nothing},
	[1] = {"bulk write", USB_ENDPOINT_XFER_BULK, OUT, same_length},
	[2] = {"bulk read", USB_ENDPOINT_XFER_BULK, IN, same_length},
	[3] = {"bulk write, varied", USB_ENDPOINT_XFER_BULK, OUT, varied_length},
	[4] = {"bulk read, varied", USB_ENDPOINT_XFER_BULK, IN, varied_length},
	[5] = {"list write", USB_ENDPOINT_XFER_BULK, OUT, same_lists},
	[6] = {"list read", USB_ENDPOINT_XFER_BULK, IN, same_lists},
	[7] = {"list write, varied", USB_ENDPOINT_XFER_BULK, OUT, varied_lists},
	[8] = {"list read, varied", USB_ENDPOINT_XFER_BULK, IN, varied_lists},
	[9] = {"standard requests", USB_ENDPOINT_XFER_CONTROL, NONE, ut_chapter9},
	[10] = {"queued control", USB_ENDPOINT_XFER_CONTROL, NONE, ut_control_queue},
	[11] = {"unlink reads", USB_ENDPOINT_XFER_BULK, IN, ut_unlink},
	[12] = {"unlink writes", USB_ENDPOINT_XFER_BULK, OUT, ut_unlink},
	[13] = {"set and clear halt", USB_ENDPOINT_XFER_BULK, NONE, ut_halt},
	[14] = {"control write and read", USB_ENDPOINT_XFER_CONTROL, NONE, ut_control_out},
	[15] = {"isochronous write", USB_ENDPOINT_XFER_ISOC, OUT, ut_iso},
	[16] = {"isochronous read", USB_ENDPOINT_XFER_ISOC, IN, ut_iso},
	[17] = {"bulk write, odd address", USB_ENDPOINT_XFER_BULK, OUT, odd},
	[18] = {"bulk read, odd address", USB_ENDPOINT_XFER_BULK, IN, odd},
	[19] = {"bulk write, odd and far", USB_ENDPOINT_XFER_BULK, OUT, odd_far},
	[20] = {"bulk read, odd and far", USB_ENDPOINT_XFER_BULK, IN, odd_far},
	[21] = {"control write, odd address", USB_ENDPOINT_XFER_CONTROL, NONE, control_out_odd},
	[22] = {"isochronous write, odd", USB_ENDPOINT_XFER_ISOC, OUT, iso_odd},
	[23] = {"isochronous read, odd", USB_ENDPOINT_XFER_ISOC, IN, iso_odd},
	[24] = {"unlink from a queue", USB_ENDPOINT_XFER_BULK, OUT, ut_unlink_queued},
	[25] = {"interrupt write", USB_ENDPOINT_XFER_INT, OUT, same_length},
	[26] = {"interrupt read", USB_ENDPOINT_XFER_INT, IN, same_length},
	[27] = {"bulk write, queued", USB_ENDPOINT_XFER_BULK, OUT, ut_speed},
	[28] = {"bulk read, queued", USB_ENDPOINT_XFER_BULK, IN, ut_speed},
	[29] = {"clear toggle between writes", USB_ENDPOINT_XFER_BULK, OUT, ut_toggle},
};

const char *usbtest_name(unsigned int number)
{
	return number < USBTEST_CASES ? cases[number].name : NULL;
}

/* The alternate setting of interface 0 with endpoints of a type; both directions if they are there.
 */
static const struct usbdesc_alt *find_alt(const struct usbdev *dev, uint8_t type,
					  enum direction direction)
{
	const struct usbdesc_config *config = &usbdev_info(dev)->config;

	for (unsigned int i = 0; i < config->n_alts; i++) {
		const struct usbdesc_alt *alt = &config->alts[i];
		bool in = usbdesc_find(alt, type, USB_DIR_IN), out = usbdesc_find(alt, type, 0);

		if (direction == IN ? in : direction == OUT ? out : in && out)
			return alt;
	}
	return NULL;
}

bool usbtest_fits(const struct usbdev *dev)
{
	const struct usbdesc_alt *alt = find_alt(dev, USB_ENDPOINT_XFER_BULK, NONE);

	return alt && alt->class == USB_CLASS_VENDOR_SPEC;
}

static int choose_endpoint(struct ut *t, unsigned int number)
{
	static const char *const types[] = {"control", "isochronous", "bulk", "interrupt"};
	static const char *const directions[] = {"IN and OUT", "OUT", "IN"};
	const struct usbdesc_alt *alt;
	int rc = 0;

	if (cases[number].type == USB_ENDPOINT_XFER_CONTROL)
		return 0;
	alt = find_alt(t->dev, cases[number].type, cases[number].direction);
	if (!alt) {
		snprintf(t->result->error, sizeof(t->result->error), "no %s endpoint %s",
			 types[cases[number].type], directions[cases[number].direction]);
		return -EOPNOTSUPP;
	}
	if (usbdev_alternate(t->dev, alt->interface) != alt->alternate)
		rc = usbdev_set_interface(t->dev, alt->interface, alt->alternate, ut_deadline(t));
	if (rc < 0)
		return ut_fail(t, rc, "SET_INTERFACE(%u, %u)", alt->interface, alt->alternate);
	t->in = usbdesc_find(alt, cases[number].type, USB_DIR_IN);
	t->out = usbdesc_find(alt, cases[number].type, 0);
	t->endpoint = cases[number].direction == IN ? t->in : t->out;
	return 0;
}

static void set_defaults(struct usbtest_options *options)
{
	options->iterations = options->iterations ? options->iterations : 100;
	options->length = options->length ? MIN(options->length, LENGTH_MAX) : 1024;
	options->n_pieces = options->n_pieces ? MIN(options->n_pieces, PIECES_MAX) : PIECES_MAX;
	options->timeout_ns = options->timeout_ns ? options->timeout_ns : 10 * NSEC_PER_SEC;
}

int usbtest_run(struct usbdev *dev, unsigned int number, const struct usbtest_options *options,
		struct usbtest_result *result)
{
	struct ut *t;
	uint64_t start;
	int rc;

	memset(result, 0, sizeof(*result));
	if (number >= USBTEST_CASES) {
		snprintf(result->error, sizeof(result->error), "case %u: must be 0 to %u", number,
			 USBTEST_CASES - 1);
		return -EINVAL;
	}
	t = xb_calloc(1, sizeof(*t));
	t->dev = dev;
	t->bus = usbdev_bus(dev);
	t->front = usbdev_bus_front(t->bus);
	t->options = *options;
	t->result = result;
	set_defaults(&t->options);
	rc = choose_endpoint(t, number);
	start = usbdev_bus_now(t->bus);
	if (rc == 0)
		rc = cases[number].run(t);
	result->elapsed_ns = usbdev_bus_now(t->bus) - start;
	free(t);
	return rc;
}
