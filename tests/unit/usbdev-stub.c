/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbdev-stub.c - see usbdev-stub.h. */
#include "usbdev-stub.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>

#include "util.h"

#define VENDOR_WRITE 0x5b
#define VENDOR_READ  0x5c

static const uint8_t device_desc[18] = {18,   1,    0x00, 0x02, 0,    0, 0, 64, 0x25,
					0x05, 0xa4, 0xa0, 0x01, 0x01, 1, 2, 3,	1};
static const uint8_t source_desc[] = {
	9, 2, 0,    0, 1,    3,	   0, 0xc0, 1,			       /* filled in */
	9, 4, 0,    0, 4,    0xff, 0, 0,    0,			       /* alternate 0 */
	7, 5, 0x81, 2, 0x00, 0x02, 0, 7,    5, 0x01, 2, 0x00, 0x02, 0, /* bulk */
	7, 5, 0x83, 3, 0x40, 0x00, 4, 7,    5, 0x03, 3, 0x40, 0x00, 4, /* interrupt */
	9, 4, 0,    1, 4,    0xff, 0, 0,    0,			       /* alternate 1 */
	7, 5, 0x81, 2, 0x00, 0x02, 0, 7,    5, 0x01, 2, 0x00, 0x02, 0, /* bulk */
	7, 5, 0x82, 1, 0x00, 0x04, 1, 7,    5, 0x02, 1, 0x00, 0x04, 1, /* isochronous */
};
static const uint8_t disk_desc[] = {
	9,    2, 0, 0, 1,    1, 0,    0x80, 50, 9, 4, 0,    0, 2,    8,	   6,
	0x50, 0, 7, 5, 0x81, 2, 0x00, 0x02, 0,	7, 5, 0x02, 2, 0x00, 0x02, 0,
};

static unsigned int index_of(uint8_t endpoint)
{
	return (endpoint & 15u) | (endpoint & USB_DIR_IN ? 16u : 0);
}

static uint8_t endpoint_of(const struct usbif_urb_request *req)
{
	return (uint8_t)(usbif_pipeendpoint(req->pipe) |
			 (usbif_pipein(req->pipe) ? USB_DIR_IN : 0));
}

static uint32_t length_of(const struct usbif_urb_request *req)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < req->nr_buffer_segs; i++)
		n += req->seg[i].length;
	return n;
}

static void move(struct devstub *d, const struct usbif_urb_request *req, void *data, uint32_t n)
{
	assert_true(stub_copy(d->s, req, 0, usbif_pipein(req->pipe), 0, data, n));
}

/* --- endpoint 0 --- */

static int get_string(uint8_t index, uint8_t *data)
{
	static const char *const strings[] = {NULL, "Stub", "Source and sink", "0001"};
	size_t n;

	if (index > 3)
		return -EPIPE;
	data[1] = USB_DT_STRING;
	if (index == 0) {
		data[0] = 4;
		data[2] = 0x09;
		data[3] = 0x04;
		return 4;
	}
	n = strlen(strings[index]);
	data[0] = (uint8_t)(2 + 2 * n);
	for (size_t i = 0; i < n; i++) {
		data[2 + 2 * i] = (uint8_t)strings[index][i];
		data[3 + 2 * i] = 0;
	}
	return data[0];
}

static int get_descriptor(struct devstub *d, uint16_t value, uint8_t *data)
{
	switch (value >> 8) {
	case USB_DT_DEVICE:
		memcpy(data, d->device_desc, sizeof(d->device_desc));
		return sizeof(d->device_desc);
	case USB_DT_CONFIG:
		memcpy(data, d->config_desc, d->n_config);
		return d->n_config;
	case USB_DT_STRING:
		return get_string((uint8_t)value, data);
	}
	return -EPIPE;
}

static int standard(struct devstub *d, const struct usb_ctrlrequest *setup, uint8_t *data)
{
	uint16_t value = le16toh(setup->wValue), index = le16toh(setup->wIndex);

	switch (setup->bRequest) {
	case USB_REQ_GET_DESCRIPTOR:
		return get_descriptor(d, value, data);
	case USB_REQ_SET_ADDRESS:
		d->address = (uint8_t)value;
		return 0;
	case USB_REQ_SET_CONFIGURATION:
		d->config = (uint8_t)value;
		d->alternate = 0;
		return 0;
	case USB_REQ_GET_CONFIGURATION:
		data[0] = d->config;
		return 1;
	case USB_REQ_SET_INTERFACE:
		d->alternate = (uint8_t)value;
		d->n_set_interface++;
		return 0;
	case USB_REQ_GET_STATUS:
		data[0] = (setup->bRequestType & USB_RECIP_MASK) == USB_RECIP_ENDPOINT &&
			  d->halted[index_of((uint8_t)index)];
		data[1] = 0;
		return 2;
	case USB_REQ_SET_FEATURE:
	case USB_REQ_CLEAR_FEATURE:
		d->halted[index_of((uint8_t)index)] = setup->bRequest == USB_REQ_SET_FEATURE;
		d->stopped[index_of((uint8_t)index)] = false;
		return 0;
	}
	return -EPIPE;
}

static void note(struct devstub *d, char letter)
{
	size_t n = strlen(d->log);

	if (n + 1 < sizeof(d->log))
		d->log[n] = letter;
}

static void control(struct devstub *d, const struct usbif_urb_request *req)
{
	uint8_t data[4096] = {0}, address = usbif_pipedevice(req->pipe);
	struct usb_ctrlrequest setup;
	int n;

	memcpy(&setup, req->u.ctrl, sizeof(setup));
	assert_int_equal(le16toh(setup.wLength), length_of(req));
	assert_int_equal((setup.bRequestType & USB_DIR_IN) != 0, usbif_pipein(req->pipe) != 0);
	note(d, setup.bRequestType & USB_TYPE_MASK ? 'v' : "SC?F?aD?GcgI????"[setup.bRequest & 15]);
	d->n_address_0 += address == 0;
	if (address == 0 && d->fail_at_0 > 0) {
		d->fail_at_0--;
		stub_answer(d->s, req->id, USBIF_STATUS_IOERROR, 0, 0);
		return;
	}
	assert_true(address == 0 || address == d->address);
	if (!(setup.bRequestType & USB_DIR_IN))
		move(d, req, data, length_of(req));
	if ((setup.bRequestType & USB_TYPE_MASK) == USB_TYPE_STANDARD) {
		n = standard(d, &setup, data);
	} else if (setup.bRequest == VENDOR_WRITE) {
		memcpy(d->vendor, data, sizeof(d->vendor));
		n = (int)length_of(req);
	} else if (setup.bRequest == VENDOR_READ) {
		memcpy(data, d->vendor, sizeof(data));
		n = (int)length_of(req);
	} else {
		n = -EPIPE;
	}
	n = MIN(n, (int)length_of(req));
	if (n > 0 && (setup.bRequestType & USB_DIR_IN))
		move(d, req, data, (uint32_t)n);
	stub_answer(d->s, req->id, MIN(n, 0), MAX(n, 0), 0);
}

/* --- source and sink --- */

static void fill(struct devstub *d, const struct usbif_urb_request *req)
{
	static uint8_t data[USBFRONT_URB_MAX];

	memset(data, d->wrong_bytes ? 1 : 0, sizeof(data));
	if (usbif_pipein(req->pipe))
		move(d, req, data, length_of(req));
}

static void source(struct devstub *d, const struct usbif_urb_request *req)
{
	fill(d, req);
	stub_answer(d->s, req->id, 0, (int32_t)length_of(req), 0);
}

static void isochronous(struct devstub *d, const struct usbif_urb_request *req)
{
	int32_t sum = 0, errors = 0;
	uint32_t frame[4];

	assert_int_equal(d->alternate, 1);
	fill(d, req);
	for (uint32_t i = 0; i < req->u.isoc.number_of_packets; i++) {
		bool lost = d->lose_packets && i == 3;

		assert_true(stub_copy(d->s, req, req->nr_buffer_segs, false, i * 16, frame, 16));
		frame[2] = lost ? 0 : frame[1];
		frame[3] = lost ? (uint32_t)-EXDEV : 0;
		sum += (int32_t)frame[2];
		errors += lost;
		assert_true(stub_copy(d->s, req, req->nr_buffer_segs, true, i * 16, frame, 16));
	}
	clock_advance(&d->clock, NSEC_PER_MSEC);
	stub_answer(d->s, req->id, 0, sum, errors);
}

/* --- disk --- */

static void stall(struct devstub *d, const struct usbif_urb_request *req)
{
	d->halted[index_of(endpoint_of(req))] = true;
	d->stopped[index_of(endpoint_of(req))] = true;
	stub_answer(d->s, req->id, USBIF_STATUS_STALL, 0, 0);
}

static void begin_command(struct devstub *d)
{
	uint32_t length, lba;

	memcpy(&length, d->cbw + 8, sizeof(length));
	memcpy(&lba, d->cbw + 17, sizeof(lba));
	d->n_commands++;
	d->csw_status = 0;
	d->data_left = le32toh(length);
	d->data_at = be32toh(lba) * 512;
	d->stage = d->data_left ? DEVSTUB_DATA : DEVSTUB_STATUS;
	if (d->fail_command && d->cbw[15] != 0x03) {
		d->fail_command--;
		d->csw_status = 1;
		d->stall_data += d->data_left > 0; /* what it does not give, it stalls */
	}
}

static void take_wrapper(struct devstub *d, const struct usbif_urb_request *req)
{
	assert_int_equal(length_of(req), sizeof(d->cbw));
	move(d, req, d->cbw, sizeof(d->cbw));
	stub_answer(d->s, req->id, 0, sizeof(d->cbw), 0);
	begin_command(d);
}

/* The bytes of a command's data, from where it is on. */
static uint8_t *command_data(struct devstub *d)
{
	static uint8_t small[64];
	uint32_t words[2] = {htobe32(DEVSTUB_BLOCKS - 1), htobe32(512)};

	memset(small, 0, sizeof(small));
	switch (d->cbw[15]) {
	case 0x12:
		snprintf((char *)small + 8, sizeof(small) - 8, "%s",
			 "Stub    Disk            1.0 ");
		return small;
	case 0x25:
		memcpy(small, words, sizeof(words));
		return small;
	case 0x03:
		small[2] = (uint8_t)(d->sense >> 16);
		small[12] = (uint8_t)(d->sense >> 8);
		small[13] = (uint8_t)d->sense;
		return small;
	}
	return d->image + d->data_at;
}

static void move_data(struct devstub *d, const struct usbif_urb_request *req)
{
	uint32_t asked = length_of(req), n = MIN(asked, d->data_left);

	if (d->stall_data) {
		d->stall_data--;
		d->stage = DEVSTUB_STATUS;
		d->csw_status = 1;
		stall(d, req);
		return;
	}
	if (d->short_data && n > 100) {
		d->short_data--;
		d->data_left = n = 100;
	}
	move(d, req, command_data(d), n);
	d->data_at += n;
	d->data_left -= n;
	if (n < asked && (req->transfer_flags & USBIF_SHORT_NOT_OK))
		d->stopped[index_of(endpoint_of(req))] = true;
	if (d->data_left == 0)
		d->stage = DEVSTUB_STATUS;
	stub_answer(d->s, req->id, 0, (int32_t)n, 0);
}

static void give_status(struct devstub *d, const struct usbif_urb_request *req)
{
	uint8_t csw[13] = {'U', 'S', 'B', 'S'};

	if (d->stall_status) {
		d->stall_status--;
		stall(d, req);
		return;
	}
	assert_int_equal(length_of(req), sizeof(csw));
	memcpy(csw + 4, d->cbw + 4, 4);
	csw[12] = d->csw_status;
	if (d->bad_status) {
		d->bad_status--;
		csw[0] = 'X';
	}
	d->stage = DEVSTUB_WRAPPER;
	move(d, req, csw, sizeof(csw));
	stub_answer(d->s, req->id, 0, sizeof(csw), 0);
}

static void disk(struct devstub *d, const struct usbif_urb_request *req)
{
	bool in = usbif_pipein(req->pipe);

	/* A wrapper is one whatever came before it: the stage may be of a command that ended. */
	if (!in && length_of(req) == sizeof(d->cbw))
		take_wrapper(d, req);
	else if (d->stage == DEVSTUB_DATA)
		move_data(d, req);
	else
		give_status(d, req);
}

/* --- the loop --- */

static bool hold(struct devstub *d, const struct usbif_urb_request *req)
{
	if (d->hang == 0 && !d->stopped[index_of(endpoint_of(req))])
		return false;
	d->hang -= d->hang > 0;
	d->held[d->n_held++] = *req;
	return true;
}

static void unlink_urb(struct devstub *d, const struct usbif_urb_request *req)
{
	d->n_unlinks++;
	if (d->dead) {
		d->dead--;
		return;
	}
	for (unsigned int i = 0; i < d->n_held; i++) {
		if (d->held[i].id != req->u.unlink.unlink_id)
			continue;
		stub_answer(d->s, d->held[i].id, USBIF_STATUS_IOERROR, 0, 0);
		d->stopped[index_of(endpoint_of(&d->held[i]))] = false;
		d->held[i] = d->held[--d->n_held];
		break;
	}
	stub_answer(d->s, req->id, 0, 0, 0);
}

static void serve(struct devstub *d, const struct usbif_urb_request *req)
{
	bool halted = d->halted[index_of(endpoint_of(req))];

	if (usbif_pipeunlink(req->pipe)) {
		unlink_urb(d, req);
		return;
	}
	d->n_urbs++;
	assert_int_equal(usbif_pipeportnum(req->pipe), DEVSTUB_PORT);
	if (hold(d, req))
		return;
	if (usbif_pipectrl(req->pipe))
		control(d, req);
	else if (halted && !d->no_stall)
		stub_answer(d->s, req->id, USBIF_STATUS_STALL, 0, 0);
	else if (usbif_pipeisoc(req->pipe))
		isochronous(d, req);
	else if (d->is_disk)
		disk(d, req);
	else
		source(d, req);
}

static int wait(void *ctx, struct usbdev_bus *bus, uint64_t deadline_ns)
{
	struct devstub *d = ctx;
	struct usbif_urb_request req;
	bool any = false;

	assert_ptr_equal(bus, d->bus);
	while (d->s->connected && stub_take(d->s, &req)) {
		serve(d, &req);
		any = true;
	}
	if (!any && d->unplug) {
		d->unplug = false;
		while (d->n_held > 0)
			stub_answer(d->s, d->held[--d->n_held].id, USBIF_STATUS_NODEV, 0, 0);
		stub_event(d->s, DEVSTUB_PORT, USBIF_SPEED_NONE);
		any = true;
	}
	if (!any)
		clock_advance(&d->clock, deadline_ns - clock_now(&d->clock));
	return 0;
}

uint64_t devstub_in(const struct devstub *d, unsigned int seconds)
{
	return usbdev_bus_now(d->bus) + seconds * NSEC_PER_SEC;
}

/* --- birth and death --- */

static void set_config(struct devstub *d, const uint8_t *desc, size_t n)
{
	memcpy(d->config_desc, desc, n);
	d->n_config = (uint16_t)n;
	d->config_desc[2] = (uint8_t)n;
	d->config_desc[3] = 0;
}

void devstub_source(struct devstub *d)
{
	set_config(d, source_desc, sizeof(source_desc));
}

void devstub_disk(struct devstub *d)
{
	set_config(d, disk_desc, sizeof(disk_desc));
	d->is_disk = true;
	for (uint32_t i = 0; i < sizeof(d->image); i++)
		d->image[i] = (uint8_t)(i * 7 + i / 509);
}

int devstub_setup(void **state)
{
	struct devstub *d = calloc(1, sizeof(*d));
	struct usbdev_options options = {.clock = &d->clock, .wait = wait, .ctx = d};
	void *stub;

	stub_setup(&stub);
	d->s = stub;
	clock_init_manual(&d->clock, NSEC_PER_SEC);
	memcpy(d->device_desc, device_desc, sizeof(device_desc));
	devstub_source(d);
	stub_write(d->s, BACK "/state", "2");
	assert_int_equal(usbdev_bus_create(&d->bus, d->s->domu, &options), 0);
	assert_int_equal(usbdev_bus_connect(d->bus, devstub_in(d, 1)), -ETIMEDOUT);
	stub_connect(d->s);
	assert_int_equal(usbdev_bus_connect(d->bus, devstub_in(d, 1)), 0);
	*state = d;
	return 0;
}

void devstub_plug(struct devstub *d)
{
	char error[128];

	stub_event(d->s, DEVSTUB_PORT, USBIF_SPEED_HIGH);
	if (usbdev_open(&d->dev, d->bus, DEVSTUB_PORT, devstub_in(d, 5), error, sizeof(error)) < 0)
		fail_msg("%s", error);
}

int devstub_teardown(void **state)
{
	struct devstub *d = *state;
	const struct usbfront_stats *stats = usbfront_stats(usbdev_bus_front(d->bus));
	void *stub = d->s;

	if (stats->complaints && d->hang == 0 && d->n_held == 0)
		fail_msg("complaint: %s", stats->complaint);
	usbdev_close(d->dev);
	stub_disconnect(d->s);
	usbdev_bus_destroy(d->bus);
	stub_teardown(&stub);
	free(d);
	return 0;
}
