/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vusb-lab.c - see vusb-lab.h. */
#include "vusb-lab.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "mailbox.h"
#include "xen-strict.h"

#define FRONT "/local/domain/7/device/vusb/0"
#define BACK  "/local/domain/0/backend/vusb/7/0"
/* The timer of the loop is CLOCK_MONOTONIC's: what the manual clock says never comes there. */
#define START_NS (1ull << 60)
#define TURNS	 10000u

/* --- machine --- */

static void write_node(struct lab *lab, const char *path, const char *value)
{
	assert_int_equal(
		lab->ops->store_write(lab->store, XEN_TXN_NONE, path, value, strlen(value)), 0);
}

static uint32_t read_number(struct lab *lab, const char *path)
{
	AUTO_FREE char *value = NULL;

	assert_int_equal(lab->ops->store_read(lab->store, XEN_TXN_NONE, path, &value, NULL), 0);
	return (uint32_t)strtoul(value, NULL, 10);
}

static void grant_dir(struct lab *lab, const char *path, uint32_t owner, uint32_t reader)
{
	struct xen_perm perms[] = {{.domid = owner}, {.domid = reader, .read = true}};

	assert_int_equal(lab->ops->store_mkdir(lab->store, XEN_TXN_NONE, path), 0);
	assert_int_equal(lab->ops->store_set_perms(lab->store, XEN_TXN_NONE, path, perms, 2), 0);
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void on_failed(void *ctx, struct vusb *vusb, const char *why)
{
	struct lab *lab = ctx;

	assert_ptr_equal(vusb, lab->vusb);
	assert_string_equal(lab->failed, ""); /* told once */
	snprintf(lab->failed, sizeof(lab->failed), "%s", why);
}

static void on_gone(void *ctx, struct vusb *vusb, unsigned int port)
{
	struct lab *lab = ctx;
	size_t n = strlen(lab->gone);

	assert_ptr_equal(vusb, lab->vusb);
	snprintf(lab->gone + n, sizeof(lab->gone) - n, "%u,", port);
}

static void on_port(void *ctx, unsigned int port, enum usb_device_speed speed)
{
	struct lab *lab = ctx;
	size_t n = strlen(lab->ports);

	snprintf(lab->ports + n, sizeof(lab->ports) - n, "%u%c", port, "-LFH"[speed]);
}

int lab_setup(void **state)
{
	struct lab *lab = xb_calloc(1, sizeof(*lab));
	int n_fds = count_fds();

	lab->n_fds = n_fds;
	lab->urbs = xb_calloc(LAB_URBS, sizeof(*lab->urbs));
	clock_init_manual(&lab->clock, START_NS);
	assert_int_equal(fake_create(&lab->fake), 0);
	lab->dom0 = fake_domain(lab->fake, 0);
	lab->domu = fake_domain(lab->fake, LAB_DOMID);
	lab->ops = lab->dom0->ops;
	xen_strict(lab->dom0);
	assert_int_equal(lab->ops->store_open(lab->dom0, &lab->store), 0);
	assert_true(sd_event_new(&lab->event) >= 0);
	lab->mail = mailbox_create();
	snprintf(lab->journal_dir, sizeof(lab->journal_dir), "/tmp/xb-vusb-XXXXXX");
	assert_non_null(mkdtemp(lab->journal_dir));
	lab->config = (struct vusb_config){.domid = LAB_DOMID,
					   .name = "vusb7.0",
					   .usb_version = 2,
					   .n_ports = LAB_PORTS,
					   .journal_dir = lab->journal_dir};
	lab->options.port = on_port;
	lab->options.ctx = lab;
	for (unsigned int i = 0; i < LAB_HOSTS; i++)
		fake_host_init(&lab->hosts[i], USB_SPEED_HIGH);
	*state = lab;
	return 0;
}

int lab_teardown(void **state)
{
	struct lab *lab = *state;

	if (lab->vusb)
		lab_end(lab);
	for (unsigned int i = 0; i < LAB_HOSTS; i++)
		assert_false(lab->hosts[i].is_open);
	if (lab->front && !lab->bad_guest) {
		assert_string_equal(usbfront_stats(lab->front)->complaint, "");
		assert_int_equal(usbfront_stats(lab->front)->complaints, 0);
	}
	usbfront_destroy(lab->front);
	assert_int_equal(fake_mapped(lab->fake, LAB_DOMID), 0);
	assert_int_equal(fake_ports(lab->fake, LAB_DOMID), 0);
	assert_int_equal(fake_ports(lab->fake, 0), 0);
	lab->ops->store_close(lab->store);
	sd_event_unref(lab->event);
	mailbox_destroy(lab->mail);
	fake_destroy(lab->fake);
	assert_int_equal(rmdir(lab->journal_dir), 0); /* no journal is left */
	assert_int_equal(count_fds(), lab->n_fds);
	free(lab->urbs);
	free(lab);
	return 0;
}

/* --- the controller --- */

static int try_serve(struct lab *lab, bool adopt, char *error, size_t error_size)
{
	struct vusb_events events = {
		.mail = lab->mail, .failed = on_failed, .gone = on_gone, .ctx = lab};

	lab->config.urb_ref = read_number(lab, FRONT "/urb-ring-ref");
	lab->config.conn_ref = read_number(lab, FRONT "/conn-ring-ref");
	lab->config.event_channel = read_number(lab, FRONT "/event-channel");
	lab->config.adopt = adopt;
	lab->deadline_ns = UINT64_MAX;
	return vusb_start(&lab->vusb, lab->dom0, &lab->clock, &lab->config, &events, lab->event,
			  error, error_size);
}

void lab_serve(struct lab *lab, bool adopt)
{
	char error[256] = "";

	if (try_serve(lab, adopt, error, sizeof(error)) < 0)
		fail_msg("vusb_start: %s", error);
}

void lab_end(struct lab *lab)
{
	vusb_stop(lab->vusb, false);
	mailbox_drain(lab->mail, NULL);
	lab->vusb = NULL;
}

void lab_kill(struct lab *lab)
{
	vusb_stop(lab->vusb, true);
	lab->vusb = NULL;
}

void lab_start(struct lab *lab)
{
	char ports[12], version[12];

	grant_dir(lab, FRONT, LAB_DOMID, 0);
	grant_dir(lab, BACK, 0, LAB_DOMID);
	write_node(lab, FRONT "/backend", BACK);
	write_node(lab, FRONT "/backend-id", "0");
	write_node(lab, FRONT "/state", "1");
	snprintf(version, sizeof(version), "%u", lab->config.usb_version);
	snprintf(ports, sizeof(ports), "%u", lab->config.n_ports);
	write_node(lab, BACK "/usb-ver", version);
	write_node(lab, BACK "/num-ports", ports);
	write_node(lab, BACK "/online", "1");
	write_node(lab, BACK "/state", "2");
	assert_int_equal(usbfront_create(&lab->front, lab->domu, &lab->options), 0);
	while (usbfront_run(lab->front) > 0)
		;
	lab_serve(lab, false);
	write_node(lab, BACK "/state", "4");
	lab_run(lab);
	assert_int_equal(usbfront_info(lab->front)->state, USBFRONT_STATE_RUNNING);
}

int lab_plug(struct lab *lab, unsigned int port, unsigned int i)
{
	struct vusb_device device = {.open = fake_host_open, .arg = &lab->hosts[i]};
	char error[256] = "";
	int rc;

	snprintf(device.name, sizeof(device.name), "fake%u", i);
	rc = vusb_plug(lab->vusb, port, &device, error, sizeof(error));
	assert_int_equal(rc < 0, error[0] != '\0');
	return rc;
}

void lab_plug_quirks(struct lab *lab, unsigned int port, unsigned int i, const char *quirks)
{
	struct vusb_device device = {.name = "fake", .open = fake_host_open, .arg = &lab->hosts[i]};
	char error[256];

	quirks_init(&device.quirks, 0, 0);
	assert_int_equal(quirks_parse(&device.quirks, quirks, error, sizeof(error)), 0);
	assert_int_equal(vusb_plug(lab->vusb, port, &device, error, sizeof(error)), 0);
}

/* --- turns --- */

static bool turn_devices(struct lab *lab)
{
	bool any = false;

	for (unsigned int i = 0; i < LAB_HOSTS; i++)
		if (lab->hosts[i].is_open)
			any = fake_host_run(&lab->hosts[i]) || any;
	if (any && lab->vusb)
		lab->deadline_ns = vusb_pass(lab->vusb);
	return any;
}

void lab_run(struct lab *lab)
{
	for (unsigned int turn = 0; turn < TURNS; turn++) {
		bool any = false;
		int rc = 0;

		while (lab->front && (rc = usbfront_run(lab->front)) > 0)
			any = true;
		assert_int_equal(rc, 0);
		while (sd_event_run(lab->event, 0) > 0)
			any = true;
		any = turn_devices(lab) || any;
		mailbox_drain(lab->mail, NULL);
		if (!any)
			return;
	}
	fail_msg("it never comes to rest");
}

void lab_pass(struct lab *lab)
{
	lab->deadline_ns = vusb_pass(lab->vusb);
	lab_run(lab);
}

void lab_advance(struct lab *lab, uint64_t ns)
{
	uint64_t end_ns = clock_now(&lab->clock) + ns;

	lab_pass(lab); /* deadlines that the loop's own passes set */
	while (lab->deadline_ns <= end_ns) {
		if (lab->deadline_ns > clock_now(&lab->clock))
			clock_advance(&lab->clock, lab->deadline_ns - clock_now(&lab->clock));
		lab_pass(lab);
	}
	clock_advance(&lab->clock, end_ns - clock_now(&lab->clock));
	lab_pass(lab);
}

/* --- requests --- */

static void unlink_others(struct lab *lab, const struct lab_urb *urb)
{
	for (unsigned int i = 0; i < LAB_URBS; i++) {
		struct usbfront_urb *other = &lab->urbs[i].u;

		if (other->state != USBFRONT_URB_IDLE && other->endpoint == urb->u.endpoint &&
		    other->port == urb->u.port)
			usbfront_unlink(lab->front, other);
	}
}

static void on_done(struct usbfront_urb *u)
{
	struct lab_urb *urb = container_of(u, struct lab_urb, u);
	struct lab *lab = u->ctx;

	assert_false(urb->done);
	urb->done = true;
	urb->order = ++lab->n_done;
	if (lab->lists && u->status && u->status != -ECONNRESET)
		unlink_others(lab, urb);
}

struct lab_urb *lab_urb(struct lab *lab, unsigned int port, uint8_t address, uint8_t endpoint,
			uint32_t length)
{
	static const uint8_t types[16] = {
		[FAKE_DISK_IN & 15] = USB_ENDPOINT_XFER_BULK,
		[FAKE_DISK_OUT] = USB_ENDPOINT_XFER_BULK,
		[FAKE_ISO_IN & 15] = USB_ENDPOINT_XFER_ISOC,
		[FAKE_ISO_OUT] = USB_ENDPOINT_XFER_ISOC,
		[FAKE_BULK_IN & 15] = USB_ENDPOINT_XFER_BULK,
		[FAKE_BULK_OUT] = USB_ENDPOINT_XFER_BULK,
		[FAKE_INT_IN & 15] = USB_ENDPOINT_XFER_INT,
	};
	struct lab_urb *urb;

	for (unsigned int i = 0; i < LAB_URBS; i++) {
		urb = &lab->urbs[lab->n_urbs++ % LAB_URBS];
		if (urb->u.state == USBFRONT_URB_IDLE)
			break;
	}
	assert_int_equal(urb->u.state, USBFRONT_URB_IDLE);
	urb->u = (struct usbfront_urb){.port = (uint8_t)port,
				       .address = address,
				       .endpoint = endpoint,
				       .type = types[endpoint & 15],
				       .data = urb->data,
				       .length = length,
				       .done = on_done,
				       .ctx = lab};
	memset(urb->data, 0xaa, length);
	urb->done = false;
	return urb;
}

void lab_submit(struct lab *lab, struct lab_urb *urb)
{
	assert_int_equal(usbfront_submit(lab->front, &urb->u), 0);
}

struct lab_urb *lab_queue(struct lab *lab, unsigned int port, uint8_t address, uint8_t endpoint,
			  unsigned int n, uint32_t length, bool short_not_ok, uint32_t *at)
{
	struct lab_urb *first = NULL;

	if (lab->n_urbs % LAB_URBS + n > LAB_URBS)
		lab->n_urbs = 0; /* one behind the other */
	for (unsigned int i = 0; i < n; i++) {
		struct lab_urb *urb = lab_urb(lab, port, address, endpoint, length);

		first = first ? first : urb;
		assert_ptr_equal(urb, first + i);
		urb->u.short_not_ok = short_not_ok;
		for (uint32_t k = 0; at && k < length; k++)
			urb->data[k] = fake_host_byte((*at)++);
		lab_submit(lab, urb);
	}
	return first;
}

void lab_expect(const struct lab_urb *urb, int status, uint32_t actual)
{
	if (!urb->done)
		fail_msg("the URB is not back");
	assert_int_equal(urb->u.status, status);
	assert_int_equal(urb->u.actual, actual);
}

void lab_expect_bytes(const struct lab_urb *urb, uint32_t at)
{
	for (uint32_t i = 0; i < urb->u.actual; i++)
		if (urb->data[i] != fake_host_byte(at + i))
			fail_msg("byte %u is 0x%02x", i, urb->data[i]);
	for (uint32_t i = urb->u.actual; i < urb->u.length; i++)
		assert_int_equal(urb->data[i], 0xaa); /* nothing behind them */
}

struct lab_urb *lab_control_start(struct lab *lab, unsigned int port, uint8_t address,
				  uint8_t request_type, uint8_t request, uint16_t value,
				  uint16_t index, uint16_t length)
{
	struct lab_urb *urb = lab_urb(lab, port, address, 0, length);

	urb->u.type = USB_ENDPOINT_XFER_CONTROL;
	urb->u.setup = (struct usb_ctrlrequest){.bRequestType = request_type,
						.bRequest = request,
						.wValue = htole16(value),
						.wIndex = htole16(index),
						.wLength = htole16(length)};
	lab_submit(lab, urb);
	return urb;
}

int lab_control(struct lab *lab, unsigned int port, uint8_t address, uint8_t request_type,
		uint8_t request, uint16_t value, uint16_t index, uint16_t length)
{
	struct lab_urb *urb =
		lab_control_start(lab, port, address, request_type, request, value, index, length);

	lab_run(lab);
	if (!urb->done)
		fail_msg("the control request is not back");
	return urb->u.status < 0 ? urb->u.status : (int)urb->u.actual;
}

void lab_enumerate(struct lab *lab, unsigned int port, uint8_t address)
{
	assert_int_equal(lab_control(lab, port, 0, USB_DIR_IN, USB_REQ_GET_DESCRIPTOR,
				     USB_DT_DEVICE << 8, 0, 64),
			 18);
	assert_int_equal(lab_control(lab, port, 0, 0, USB_REQ_SET_ADDRESS, address, 0, 0), 0);
	assert_int_equal(lab_control(lab, port, address, USB_DIR_IN, USB_REQ_GET_DESCRIPTOR,
				     USB_DT_DEVICE << 8, 0, 18),
			 18);
	assert_int_equal(lab_control(lab, port, address, USB_DIR_IN, USB_REQ_GET_DESCRIPTOR,
				     USB_DT_CONFIG << 8, 0, 94),
			 94);
	assert_int_equal(lab_control(lab, port, address, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0), 0);
}

void lab_up(struct lab *lab)
{
	lab_start(lab);
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	assert_string_equal(lab->ports, "1H");
	lab_enumerate(lab, 1, 2);
	lab->hosts[0].n_records = lab->hosts[0].n_changes = lab->hosts[0].n_done = 0;
	lab->n_done = 0;
}

void lab_evil(struct lab *lab, enum usbfront_evil kind)
{
	struct usbfront_target target = {.port = 1,
					 .address = 2,
					 .bulk_in = FAKE_BULK_IN,
					 .bulk_out = FAKE_BULK_OUT,
					 .iso_in = FAKE_ISO_IN};

	lab->bad_guest = true;
	usbfront_aim(lab->front, &target);
	assert_int_equal(usbfront_misbehave(lab->front, kind), 0);
	do
		lab_run(lab);
	while (usbfront_evil_busy(lab->front) && !lab->failed[0]);
}

/* --- data --- */

void lab_give(struct lab *lab, uint8_t endpoint, int status, uint32_t actual, uint32_t *at)
{
	fake_host_give(&lab->hosts[0], endpoint, status, actual, at);
	lab_pass(lab);
}

void lab_expect_all(const struct lab_urb *urbs, unsigned int n, uint32_t length, uint32_t at)
{
	for (unsigned int i = 0; i < n; i++) {
		lab_expect(&urbs[i], 0, length);
		if (urbs[i].u.endpoint & USB_DIR_IN)
			lab_expect_bytes(&urbs[i], at + i * length);
		assert_true(i == 0 || urbs[i].order > urbs[i - 1].order);
	}
}

void lab_expect_sent(struct lab *lab, uint8_t endpoint, uint32_t length, uint32_t at)
{
	const struct usb_transfer *t = fake_host_transfer(&lab->hosts[0], endpoint, 0);

	assert_non_null(t);
	assert_int_equal(t->length, length);
	for (uint32_t i = 0; i < length; i++)
		if (t->data[i] != fake_host_byte(at + i))
			fail_msg("byte %u is wrong", i);
}
