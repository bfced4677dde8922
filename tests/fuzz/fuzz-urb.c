/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-urb.c - a guest that writes anything into its rings, devices that do anything, and a daemon
 * that dies: a whole controller on a fake Xen, moved by the input.
 *
 * Input: a list of steps, each an opcode (enum step) and its arguments. After every turn the
 * controller must hold as many requests as the ring says, and at the end none.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usbback/vusb_priv.h"

#include "clock.h"
#include "cursor.h"
#include "log.h"
#include "mailbox.h"
#include "tests/unit/usb-fake-host.h"
#include "tests/unit/xen-strict.h"
#include "util.h"
#include "xen/fake.h"

#define DATA_PAGES 16u
#define PORTS	   3u
#define HOSTS	   3u /* one a port */

enum step {
	STEP_REQUEST,	 /* a request from a few bytes: see request() */
	STEP_RAW,	 /* a request from 148 bytes */
	STEP_PUSH,	 /* the request index advances */
	STEP_INDEX,	 /* any index of either ring is written */
	STEP_CONN,	 /* the connection ring's request index advances */
	STEP_PLUG,	 /* port, quirks, speed */
	STEP_UNPLUG,	 /* port */
	STEP_DESCRIPTOR, /* a byte of a device's descriptors */
	STEP_SETUP,	 /* port: SET_ADDRESS, SET_CONFIGURATION, as a good guest has them */
	STEP_END,	 /* port, which transfer, status, bytes */
	STEP_RUN,	 /* port: control transfers, changes, cancels end */
	STEP_CHANGED,	 /* port, status */
	STEP_HOLD,	 /* port: what does not end by STEP_RUN; memory */
	STEP_REFUSE,	 /* port: the next transfers do not start */
	STEP_VANISH,	 /* port */
	STEP_TIME,	 /* microseconds */
	STEP_SEEN,	 /* the guest took all responses */
	STEP_FAULT,	 /* grant copies fail */
	STEP_KILL,	 /* the daemon dies and starts again */
	STEP_PASS,
	STEP_COUNT
};

struct machine {
	struct fake *fake;
	struct clock clock;
	struct xen *dom0, *guest;
	struct xen_shr *shr;
	struct xen_evt *evt;
	sd_event *event;
	uint32_t refs[2 + DATA_PAGES], port;
	uint8_t *pages; /* URB ring, connection ring, data */
	char dir[32];
	struct vusb_config config;
	struct vusb *vusb;
	uint32_t req_prod;
	struct fake_host hosts[HOSTS];
};

static void check(bool good)
{
	if (!good)
		abort();
}

static void no_log(void *ctx, enum log_level level, const char *module, const char *line)
{
}

static struct machine *machine;

static void remove_dir(void)
{
	AUTO_FREE char *journal = xb_asprintf("%s/vusb1.0.journal", machine->dir);

	unlink(journal); /* of a daemon that died last */
	rmdir(machine->dir);
}

static void build(struct machine *m)
{
	const struct xen_ops *ops;
	void *pages;
	int rc;

	log_set_sink(no_log, NULL);
	clock_init_manual(&m->clock, NSEC_PER_SEC);
	rc = fake_create(&m->fake);
	check(rc == 0);
	m->dom0 = fake_domain(m->fake, 0);
	xen_strict(m->dom0);
	m->guest = fake_domain(m->fake, 1);
	ops = m->guest->ops;
	rc = ops->shr_open(m->guest, &m->shr);
	rc |= ops->evt_open(m->guest, &m->evt);
	rc |= ops->evt_alloc(m->evt, 0, &m->port);
	rc |= ops->shr_alloc(m->shr, 0, 2 + DATA_PAGES, true, m->refs, &pages);
	check(rc == 0 && sd_event_new(&m->event) >= 0);
	m->pages = pages;
	snprintf(m->dir, sizeof(m->dir), "/tmp/xb-fuzz-urb-XXXXXX");
	check(mkdtemp(m->dir) != NULL);
	machine = m;
	atexit(remove_dir);
}

static struct ring_page *ring(struct machine *m, unsigned int i)
{
	return (struct ring_page *)(m->pages + i * 4096);
}

static bool start(struct machine *m, bool adopt)
{
	struct vusb_events events = {.mail = NULL};
	char error[256];

	m->config.adopt = adopt;
	if (vusb_start(&m->vusb, m->dom0, &m->clock, &m->config, &events, m->event, error,
		       sizeof(error)) < 0)
		m->vusb = NULL;
	return m->vusb != NULL;
}

/* --- what must hold --- */

static void check_turn(struct machine *m)
{
	struct vusb *vusb = m->vusb;
	unsigned int used = 0;

	if (vusb->failure)
		return;
	for (unsigned int i = 0; i < VUSB_REQUESTS; i++)
		used += vusb->requests[i].used;
	check(used == vusb->urb_ring.req_cons - vusb->urb_ring.rsp_prod);
	check(vusb->n_copies == 0);
	check(vusb->adopt_until_ns || !vusb->finished);
}

static void pass(struct machine *m)
{
	if (vusb_pass(m->vusb) < clock_now(&m->clock))
		abort();
	check_turn(m);
}

/* --- the guest --- */

static uint8_t byte(struct cursor *c)
{
	return cursor_u8(c);
}

static uint32_t word(struct cursor *c)
{
	return cursor_le16(c);
}

static void put(struct machine *m, const struct usbif_urb_request *r)
{
	memcpy(ring(m, 0)->slots + (size_t)(m->req_prod & 15) * sizeof(*r), r, sizeof(*r));
	m->req_prod++;
}

static void push(struct machine *m)
{
	__atomic_store_n(&ring(m, 0)->req_prod, m->req_prod, __ATOMIC_RELEASE);
}

/* mode: bit 0 the address is the port's own, bit 1 an id that is likely to be open, bit 2 any
 * buffer_length; pages are ours but for the one with number 255. */
static void request(struct machine *m, struct cursor *c)
{
	struct usbif_urb_request r = {0};
	uint8_t mode = byte(c), endpoint = byte(c), kind = byte(c);
	uint32_t sum = 0, port = kind >> 2 & 3, address = byte(c);

	if (mode & 1 && port)
		address = m->vusb->ports[port].view->address;
	r.id = mode & 2 ? byte(c) & 15 : (uint16_t)(100 + (m->req_prod & 127));
	r.pipe = port | (endpoint & USB_DIR_IN ? USBIF_PIPE_DIR : 0) |
		 (address & 127) << USBIF_PIPE_DEV_SHIFT |
		 (uint32_t)(endpoint & 15) << USBIF_PIPE_EP_SHIFT |
		 (uint32_t)(kind & 3) << USBIF_PIPE_TYPE_SHIFT |
		 (kind & 128 ? USBIF_PIPE_UNLINK : 0);
	r.transfer_flags = mode >> 3 & 1;
	for (unsigned int i = 0; i < sizeof(r.u.ctrl); i++)
		r.u.ctrl[i] = byte(c);
	r.nr_buffer_segs = byte(c) % 18;
	for (unsigned int i = 0; i < MIN(r.nr_buffer_segs + 2u, 16u); i++) {
		uint8_t page = byte(c);

		r.seg[i].gref = page == 255 ? 0x7fffffffu : m->refs[2 + page % DATA_PAGES];
		r.seg[i].offset = (uint16_t)(mode & 16 ? word(c) : 0);
		r.seg[i].length = (uint16_t)(mode & 32 ? word(c) : (uint32_t)byte(c) << 4);
		sum += i < r.nr_buffer_segs ? r.seg[i].length : 0;
	}
	r.buffer_length = (uint16_t)(mode & 4 ? word(c) : sum);
	put(m, &r);
}

static void raw(struct machine *m, struct cursor *c)
{
	struct usbif_urb_request r = {0};

	for (unsigned int i = 0; i < sizeof(r); i++)
		((uint8_t *)&r)[i] = byte(c);
	put(m, &r);
}

static void control(struct machine *m, unsigned int port, uint8_t address, uint8_t what,
		    uint8_t value)
{
	struct usb_ctrlrequest setup = {.bRequest = what, .wValue = htole16(value)};
	struct usbif_urb_request r = {.id = (uint16_t)(200 + (m->req_prod & 127))};

	memcpy(r.u.ctrl, &setup, sizeof(setup));
	r.pipe = port | (uint32_t)address << USBIF_PIPE_DEV_SHIFT |
		 (uint32_t)USBIF_PIPE_TYPE_CTRL << USBIF_PIPE_TYPE_SHIFT;
	put(m, &r);
	push(m);
	pass(m);
	for (unsigned int i = 0; i < 3 && m->hosts[port - 1].is_open; i++) {
		fake_host_run(&m->hosts[port - 1]);
		pass(m);
	}
}

static void index_step(struct machine *m, struct cursor *c)
{
	uint8_t which = byte(c);
	struct ring_page *page = ring(m, which & 1);
	uint32_t *const at[] = {&page->req_prod, &page->rsp_prod, &page->req_event,
				&page->rsp_event};

	*at[which >> 1 & 3] = word(c) << (which >> 3 & 16);
}

/* --- devices --- */

static struct fake_host *host_of(struct machine *m, uint8_t b)
{
	return &m->hosts[b % HOSTS];
}

static void plug(struct machine *m, struct cursor *c)
{
	static const enum usb_device_speed speeds[] = {USB_SPEED_LOW, USB_SPEED_FULL,
						       USB_SPEED_HIGH, USB_SPEED_SUPER};
	uint8_t which = byte(c), quirks = byte(c);
	struct vusb_device device = {.name = "fake", .open = fake_host_open};
	struct fake_host *host = host_of(m, which);
	char error[256];

	if (host->is_open)
		return;
	host->host.speed = speeds[which >> 6];
	device.arg = host;
	device.quirks.no_merge = quirks & 1;
	device.quirks.zlp = quirks & 2;
	device.quirks.clear_halt_host = quirks & 4;
	device.quirks.reset = quirks & 8 ? QUIRK_RESET_NEVER : QUIRK_RESET_INFER;
	device.quirks.read_ahead = quirks & 16 ? 65536 : 0;
	host->mapped = quirks & 32;
	vusb_plug(m->vusb, which % HOSTS + 1, &device, error, sizeof(error));
}

static int status_of(uint8_t b)
{
	static const int statuses[] = {0, 0, 0, -EPIPE, -EOVERFLOW, -EPROTO, -ENODEV, -ECANCELED};

	return statuses[b % ARRAY_SIZE(statuses)];
}

static void end(struct machine *m, struct cursor *c)
{
	struct fake_host *host = host_of(m, byte(c));
	uint8_t which = byte(c), status = byte(c);
	uint32_t actual = word(c) * 8;
	struct usb_transfer *t;

	if (!host->is_open || host->n_flying == 0)
		return;
	t = host->flying[which % host->n_flying];
	for (uint32_t i = 0; i < t->n_packets; i++) {
		t->packets[i].actual = MIN(actual, t->packets[i].length);
		t->packets[i].status = status_of((uint8_t)(status >> 3));
	}
	fake_host_end(host, t, status_of(status), status & 64 ? t->length : MIN(actual, t->length));
}

static void hold(struct machine *m, struct cursor *c)
{
	struct fake_host *host = host_of(m, byte(c));
	uint8_t what = byte(c);

	host->deaf = what & 1;
	host->hold_control = what & 2;
	host->hold_changes = what & 4;
	host->stalls_control = what & 8;
	host->change_error = what & 16 ? -EPROTO : 0;
	host->change_status = what & 32 ? status_of(what >> 6) : 0;
	host->memory = (uint32_t)byte(c) * 1024;
	host->close_status = what & 64 ? 0 : -ENODEV;
}

static void step_device(struct machine *m, enum step step, struct cursor *c)
{
	struct fake_host *host = host_of(m, byte(c));
	uint8_t arg;

	switch (step) {
	case STEP_UNPLUG:
		vusb_unplug(&m->vusb->ports[host - m->hosts + 1]);
		break;
	case STEP_DESCRIPTOR:
		arg = byte(c);
		if (!host->is_open)
			host->descriptors[arg % host->host.n_descriptors] = byte(c);
		break;
	case STEP_SETUP:
		arg = byte(c);
		control(m, (unsigned int)(host - m->hosts) + 1, 0, USB_REQ_SET_ADDRESS,
			(uint8_t)(1 + (host - m->hosts)));
		control(m, (unsigned int)(host - m->hosts) + 1, (uint8_t)(1 + (host - m->hosts)),
			USB_REQ_SET_CONFIGURATION, arg ? arg : 1);
		break;
	case STEP_RUN:
		if (host->is_open)
			fake_host_run(host);
		break;
	case STEP_CHANGED:
		if (host->is_open && host->change)
			fake_host_changed(host, status_of(byte(c)));
		break;
	case STEP_REFUSE:
		host->n_refusals = byte(c) & 3;
		host->submit_error = status_of(byte(c) | 3);
		host->submit_error = host->submit_error ? host->submit_error : -ENOMEM;
		break;
	case STEP_VANISH:
		if (host->is_open)
			fake_host_vanish(host, byte(c) & 1);
		break;
	default:
		break;
	}
}

/* --- the list --- */

static bool step_machine(struct machine *m, enum step step, struct cursor *c)
{
	switch (step) {
	case STEP_REQUEST:
		request(m, c);
		break;
	case STEP_RAW:
		raw(m, c);
		break;
	case STEP_PUSH:
		push(m);
		break;
	case STEP_INDEX:
		index_step(m, c);
		break;
	case STEP_CONN:
		ring(m, 1)->req_prod += byte(c);
		break;
	case STEP_PLUG:
		plug(m, c);
		break;
	case STEP_END:
		end(m, c);
		break;
	case STEP_HOLD:
		hold(m, c);
		break;
	case STEP_TIME:
		clock_advance(&m->clock, word(c) * NSEC_PER_USEC * 100);
		break;
	case STEP_SEEN:
		ring(m, 0)->rsp_event = ring(m, 0)->rsp_prod + 1;
		break;
	case STEP_FAULT:
		fake_fault(m->fake, byte(c) & 1 ? FAKE_FAULT_COPY_STATUS : FAKE_FAULT_COPY_CALL,
			   byte(c) & 3);
		break;
	case STEP_KILL:
		vusb_stop(m->vusb, true);
		return start(m, true);
	case STEP_PASS:
		pass(m);
		break;
	default:
		step_device(m, step, c);
		break;
	}
	return true;
}

static void begin(struct machine *m)
{
	memset(m->pages, 0, (size_t)(2 + DATA_PAGES) * 4096);
	for (unsigned int i = 0; i < 2; i++)
		ring(m, i)->req_event = ring(m, i)->rsp_event = 1;
	ring(m, 1)->req_prod = 64;
	m->req_prod = 0;
	m->config = (struct vusb_config){.domid = 1,
					 .name = "vusb1.0",
					 .urb_ref = m->refs[0],
					 .conn_ref = m->refs[1],
					 .event_channel = m->port,
					 .usb_version = 2,
					 .n_ports = PORTS,
					 .journal_dir = m->dir};
	for (unsigned int i = 0; i < HOSTS; i++)
		fake_host_init(&m->hosts[i], USB_SPEED_HIGH);
	for (unsigned int i = 0; i < FAKE_FAULT_COUNT; i++)
		fake_fault(m->fake, (enum fake_fault)i, 0);
	check(start(m, false));
}

/* All devices go: nothing may be left open. */
static void finish(struct machine *m)
{
	clock_advance(&m->clock, 2 * VUSB_ADOPT_NS);
	for (unsigned int i = 1; i <= PORTS; i++)
		vusb_unplug(&m->vusb->ports[i]);
	pass(m);
	pass(m);
	if (!m->vusb->failure)
		check(m->vusb->urb_ring.req_cons == m->vusb->urb_ring.rsp_prod);
	vusb_stop(m->vusb, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine *m = machine;
	bool alive = true;
	struct cursor c;

	if (!m) {
		m = xb_calloc(1, sizeof(*m));
		build(m);
	}
	begin(m);
	cursor_init(&c, data, size);
	while (alive && cursor_left(&c) && !c.failed && !m->vusb->failure)
		alive = step_machine(m, (enum step)(byte(&c) % STEP_COUNT), &c);
	if (alive)
		finish(m);
	check(fake_mapped(m->fake, 1) == 0);
	for (unsigned int i = 0; i < HOSTS; i++)
		check(!m->hosts[i].is_open);
	return 0;
}
