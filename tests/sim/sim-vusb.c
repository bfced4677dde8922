/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim-vusb.c - random days of a USB controller: a guest reads, writes, polls, unlinks, configures
 * and resets; devices end short, fail, are slow, vanish; the daemon is killed.
 *
 * Invariants: every URB comes back exactly once; the bytes that a device gave reach the guest once,
 * in order, whatever was merged or cancelled, and those that it took are the guest's, in order;
 * nothing leaks. Only a device that goes and a daemon that dies may take bytes with them. SIM_SEEDS
 * (default 20) runs from SIM_SEED (default 1); the seed of a failure is printed.
 */
#include "tests/unit/vusb-lab.h"

#include <errno.h>

#include "tests/sim/seeds.h"

#define STEPS	  600
#define ENDPOINTS 5

static const uint8_t endpoints[ENDPOINTS] = {FAKE_DISK_IN, FAKE_BULK_IN, FAKE_INT_IN, FAKE_DISK_OUT,
					     FAKE_BULK_OUT};

/* One direction of one endpoint. */
struct stream {
	uint32_t given;	  /* IN: bytes that the device gave; OUT: that the guest filled in */
	uint32_t arrived; /* IN: that the guest got */
	uint8_t *taken;	  /* OUT: what the device took and the guest was not told of yet */
	uint32_t n_taken;
};

struct sim {
	struct lab *lab;
	unsigned int seed;
	struct stream streams[LAB_HOSTS][ENDPOINTS];
	unsigned int checked; /* URBs by their order */
};

static unsigned int draw(struct sim *s, unsigned int n)
{
	return (unsigned int)rand_r(&s->seed) % n;
}

static bool plugged(struct sim *s, unsigned int i)
{
	return s->lab->hosts[i].is_open;
}

static unsigned int endpoint_index(uint8_t endpoint)
{
	unsigned int i = 0;

	while (endpoints[i] != endpoint)
		i++;
	return i;
}

/* --- checking --- */

static void check_out(struct stream *stream, const struct lab_urb *urb)
{
	assert_true(urb->u.actual <= stream->n_taken);
	assert_memory_equal(urb->data, stream->taken, urb->u.actual);
	stream->n_taken -= urb->u.actual;
	memmove(stream->taken, stream->taken + urb->u.actual, stream->n_taken);
}

static void check_urb(struct sim *s, const struct lab_urb *urb)
{
	struct stream *stream;

	if (urb->u.type == USB_ENDPOINT_XFER_CONTROL || urb->u.actual == 0)
		return;
	stream = &s->streams[urb->u.port - 1][endpoint_index(urb->u.endpoint)];
	if (urb->u.endpoint & USB_DIR_IN) {
		lab_expect_bytes(urb, stream->arrived);
		stream->arrived += urb->u.actual;
		assert_true(stream->given - stream->arrived < 1u << 31);
	} else {
		check_out(stream, urb);
	}
}

/* Those that came back, in that order. */
static void check_done(struct sim *s)
{
	while (s->checked < s->lab->n_done) {
		unsigned int i = 0;

		s->checked++;
		while (i < LAB_URBS &&
		       !(s->lab->urbs[i].done && s->lab->urbs[i].order == s->checked))
			i++;
		assert_true(i < LAB_URBS);
		check_urb(s, &s->lab->urbs[i]);
	}
}

static void turn(struct sim *s)
{
	lab_pass(s->lab);
	check_done(s);
}

/* Bytes under way may be gone: begin anew. */
static void forget_streams(struct sim *s, unsigned int i)
{
	for (unsigned int e = 0; e < ENDPOINTS; e++) {
		s->streams[i][e].arrived = s->streams[i][e].given;
		s->streams[i][e].n_taken = 0;
	}
}

/* --- the guest --- */

static void submit(struct sim *s)
{
	unsigned int i = draw(s, LAB_HOSTS), e = draw(s, ENDPOINTS), n = 1 + draw(s, 16);
	static const uint32_t lengths[] = {4096, 4096, 512, 13, 3584, 8192, 1000, 0};
	struct stream *stream = &s->streams[i][e];
	uint32_t length = lengths[draw(s, 8)];
	bool list = draw(s, 2), out = !(endpoints[e] & USB_DIR_IN);

	if (usbfront_in_flight(s->lab->front) > 24)
		return;
	if (endpoints[e] == FAKE_INT_IN) {
		length = 8;
		n = 1;
	}
	for (unsigned int k = 0; k < n; k++) {
		struct lab_urb *urb =
			lab_urb(s->lab, i + 1, (uint8_t)(i + 2), endpoints[e], length);

		urb->u.short_not_ok = list && !out;
		urb->u.offset = (uint16_t)draw(s, 2) * 100;
		for (uint32_t b = 0; out && b < length; b++)
			urb->data[b] = fake_host_byte(stream->given++);
		lab_submit(s->lab, urb);
	}
}

static void unlink_some(struct sim *s, unsigned int one_of)
{
	for (unsigned int i = 0; i < LAB_URBS; i++)
		if (s->lab->urbs[i].u.state != USBFRONT_URB_IDLE && draw(s, one_of) == 0)
			usbfront_unlink(s->lab->front, &s->lab->urbs[i].u);
}

/* A control request is on its way, or two. */
static void control(struct sim *s)
{
	static const struct {
		uint8_t type, request;
		uint16_t value, index, length;
	} requests[] = {
		{USB_DIR_IN, USB_REQ_GET_STATUS, 0, 0, 2},
		{USB_DIR_IN, USB_REQ_GET_DESCRIPTOR, 0x100, 0, 18},
		{0, USB_REQ_SET_CONFIGURATION, 1, 0, 0},
		{USB_RECIP_INTERFACE, USB_REQ_SET_INTERFACE, 0, 0, 0},
		{USB_RECIP_INTERFACE, USB_REQ_SET_INTERFACE, 1, 1, 0},
		{USB_RECIP_INTERFACE, USB_REQ_SET_INTERFACE, 0, 2, 0},
		{USB_RECIP_ENDPOINT, USB_REQ_CLEAR_FEATURE, 0, FAKE_DISK_IN, 0},
		{USB_RECIP_ENDPOINT, USB_REQ_CLEAR_FEATURE, 0, FAKE_BULK_OUT, 0},
		{USB_TYPE_VENDOR, 1, 0, 0, 100},
	};
	unsigned int i = draw(s, LAB_HOSTS), r = draw(s, ARRAY_SIZE(requests));

	if (usbfront_in_flight(s->lab->front) < 40)
		lab_control_start(s->lab, i + 1, (uint8_t)(i + 2), requests[r].type,
				  requests[r].request, requests[r].value, requests[r].index,
				  requests[r].length);
}

/* --- devices --- */

static void take(struct stream *stream, const struct usb_transfer *t, uint32_t n)
{
	stream->taken = xb_realloc(stream->taken, stream->n_taken + n + 1);
	if (n)
		memcpy(stream->taken + stream->n_taken, t->data, n);
	stream->n_taken += n;
}

/* Transfers are cancelled newest first: where one was caught in time, so were those behind it. */
static void cancel_behind(struct fake_host *host, uint8_t endpoint)
{
	for (unsigned int i = fake_host_flying(host, endpoint); i-- > 1;) {
		struct usb_transfer *t = fake_host_transfer(host, endpoint, i);

		if (fake_host_is_cancelled(host, t))
			fake_host_end(host, t, -ECANCELED, 0);
	}
}

static void end_transfer(struct sim *s)
{
	static const int statuses[] = {0, 0, 0, 0, 0, 0, 0, 0, -EPIPE, -EPROTO, -EOVERFLOW, 0};
	unsigned int i = draw(s, LAB_HOSTS), e = draw(s, ENDPOINTS);
	struct fake_host *host = &s->lab->hosts[i];
	struct stream *stream = &s->streams[i][e];
	struct usb_transfer *t = fake_host_transfer(host, endpoints[e], 0);
	int status = statuses[draw(s, ARRAY_SIZE(statuses))];
	uint32_t n;

	if (!plugged(s, i) || !t)
		return;
	if (fake_host_is_cancelled(host, t) && draw(s, 2)) {
		status = -ECANCELED;
		cancel_behind(host, endpoints[e]);
	}
	n = status || draw(s, 3) == 0 ? draw(s, t->length + 1) : t->length;
	if (endpoints[e] & USB_DIR_IN) {
		fake_host_give(host, endpoints[e], status, n, &stream->given);
		return;
	}
	n = status ? n : t->length; /* OUT has no short end */
	take(stream, t, n);
	fake_host_give(host, endpoints[e], status, n, NULL);
}

static void change_habits(struct sim *s)
{
	struct fake_host *host = &s->lab->hosts[draw(s, LAB_HOSTS)];

	host->deaf = draw(s, 3) == 0;
	host->hold_control = draw(s, 4) == 0;
	host->hold_changes = draw(s, 4) == 0;
	host->stalls_control = draw(s, 6) == 0;
	host->change_status = draw(s, 6) ? 0 : -EPIPE;
	host->memory = draw(s, 4) ? 0 : 5000 + draw(s, 60000);
	host->submit_error = draw(s, 2) ? -ENOMEM : -EPROTO;
	host->n_refusals = draw(s, 5) ? 0 : draw(s, 3);
}

static void be_good(struct sim *s, unsigned int i)
{
	struct fake_host *host = &s->lab->hosts[i];

	host->deaf = host->hold_control = host->hold_changes = host->stalls_control = false;
	host->change_status = 0;
	host->memory = host->n_refusals = 0;
}

/* The oldest transfer of an endpoint ends whole. */
static void end_whole(struct sim *s, unsigned int i, unsigned int e)
{
	struct usb_transfer *t = fake_host_transfer(&s->lab->hosts[i], endpoints[e], 0);
	bool in = endpoints[e] & USB_DIR_IN;

	if (!t)
		return;
	if (!in)
		take(&s->streams[i][e], t, t->length);
	fake_host_give(&s->lab->hosts[i], endpoints[e], 0, t->length,
		       in ? &s->streams[i][e].given : NULL);
}

static void check_settled(struct sim *s, unsigned int i)
{
	assert_int_equal(s->lab->hosts[i].n_flying, 0);
	for (unsigned int e = 0; e < ENDPOINTS; e++) {
		assert_int_equal(s->streams[i][e].n_taken, 0);
		if (endpoints[e] & USB_DIR_IN)
			assert_int_equal(s->streams[i][e].given, s->streams[i][e].arrived);
	}
}

/* All that is in flight comes back, by unlinks as far as the ring has room for them; then the
 * streams have no bytes left. */
static void settle(struct sim *s)
{
	for (unsigned int i = 0; i < LAB_HOSTS; i++)
		be_good(s, i);
	unlink_some(s, 1);
	turn(s);
	for (unsigned int round = 0; usbfront_in_flight(s->lab->front) && round < 100; round++) {
		for (unsigned int k = 0; k < LAB_HOSTS * ENDPOINTS; k++)
			if (plugged(s, k / ENDPOINTS))
				end_whole(s, k / ENDPOINTS, k % ENDPOINTS);
		lab_advance(s->lab, VUSB_MEMORY_POLL_NS);
		check_done(s);
	}
	for (unsigned int k = 0; k < LAB_URBS; k++)
		if (s->lab->urbs[k].u.state != USBFRONT_URB_IDLE)
			fail_msg("an URB for endpoint 0x%02x of port %u does not come back",
				 s->lab->urbs[k].u.endpoint, s->lab->urbs[k].u.port);
	for (unsigned int i = 0; i < LAB_HOSTS; i++)
		if (plugged(s, i))
			check_settled(s, i);
}

static void plug(struct sim *s, unsigned int i)
{
	be_good(s, i);
	assert_int_equal(lab_plug(s->lab, i + 1, i), 0);
	turn(s);
}

/* The guest's USB stack takes notice of a new device, or resets the one that it has. */
static void enumerate(struct sim *s, unsigned int i)
{
	settle(s); /* a full ring has no room for control requests */
	if (plugged(s, i))
		lab_enumerate(s->lab, i + 1, (uint8_t)(i + 2));
	check_done(s);
}

static void go(struct sim *s)
{
	unsigned int i = draw(s, LAB_HOSTS);

	if (!plugged(s, i)) {
		plug(s, i);
		enumerate(s, i);
		return;
	}
	turn(s); /* what is done is done */
	if (draw(s, 2))
		vusb_unplug(&s->lab->vusb->ports[i + 1]);
	else
		fake_host_vanish(&s->lab->hosts[i], draw(s, 2));
	turn(s);
	assert_false(plugged(s, i));
	forget_streams(s, i);
}

static void restart(struct sim *s)
{
	bool had[LAB_HOSTS];

	turn(s);
	for (unsigned int i = 0; i < LAB_HOSTS; i++)
		had[i] = plugged(s, i);
	lab_kill(s->lab);
	lab_serve(s->lab, true);
	turn(s);
	for (unsigned int i = 0; i < LAB_HOSTS; i++) {
		forget_streams(s, i);
		if (had[i])
			plug(s, i);
	}
	lab_advance(s->lab, VUSB_ADOPT_NS);
	check_done(s);
}

/* --- days --- */

static void step(struct sim *s)
{
	switch (draw(s, 40)) {
	case 0:
		go(s);
		break;
	case 1:
		restart(s);
		break;
	case 2:
		enumerate(s, draw(s, LAB_HOSTS));
		break;
	case 3:
		change_habits(s);
		break;
	case 4:
	case 5:
		control(s);
		break;
	case 6:
		unlink_some(s, 1 + draw(s, 12));
		break;
	case 7:
	case 8:
		lab_advance(s->lab, draw(s, 3000000));
		break;
	case 9:
	case 10:
	case 11:
	case 12:
	case 13:
	case 14:
	case 15:
		submit(s);
		break;
	default:
		end_transfer(s);
		break;
	}
	if (draw(s, 3))
		turn(s);
	else if (draw(s, 2))
		lab_run(s->lab);
	check_done(s);
}

static void day(unsigned int seed)
{
	struct sim s = {.seed = seed};
	void *state;

	lab_setup(&state);
	s.lab = state;
	s.lab->lists = seed % 2;
	s.lab->options.grant_each = seed % 3 == 0;
	lab_start(s.lab);
	for (unsigned int i = 0; i < LAB_HOSTS; i++) {
		plug(&s, i);
		enumerate(&s, i);
	}
	for (unsigned int i = 0; i < STEPS; i++)
		step(&s);
	settle(&s);
	for (unsigned int i = 0; i < LAB_HOSTS; i++)
		vusb_unplug(&s.lab->vusb->ports[i + 1]);
	turn(&s);
	assert_int_equal(usbfront_in_flight(s.lab->front), 0);
	assert_int_equal(s.lab->vusb->urb_ring.req_cons, s.lab->vusb->urb_ring.rsp_prod);
	assert_string_equal(s.lab->failed, "");
	for (unsigned int i = 0; i < LAB_HOSTS * ENDPOINTS; i++)
		free(s.streams[i / ENDPOINTS][i % ENDPOINTS].taken);
	lab_teardown(&state);
}

static void test_days(void **state)
{
	sim_each_seed(20, day);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_days)};

	return cmocka_run_group_tests_name("sim-vusb", tests, NULL, NULL);
}
