/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim-storage.c - random days of a storage device behind a USB controller: its driver sends
 * commands, asks for data in pieces and for the status, as Bulk-Only drivers do; the device sends
 * all of the data, less, or a stall, in its own time. Every command must bring the bytes that the
 * device sent, once and in order, and its status.
 *
 * Environment: SIM_SEEDS days (default 20) from SIM_SEED (default 1), every third without merging;
 * the seed of a failure is printed.
 */
#include "tests/unit/vusb-lab.h"

#include <endian.h>
#include <errno.h>

#include "tests/sim/seeds.h"

#define COMMANDS  60
#define PACKET	  512u
#define STATUS	  13u
#define ANNOUNCED (300u << 10)
#define HOST(s)	  (&(s)->lab->hosts[0])

struct sim {
	struct lab *lab;
	unsigned int seed;
	/* The device, in one command: */
	bool in, stalls;
	uint32_t announced;
	uint32_t data;	/* bytes that it sends, or takes */
	uint32_t moved; /* of them */
	bool over;	/* the data phase */
	bool halted;
	uint32_t at; /* of its stream */
	bool status_sent;
};

static unsigned int below(struct sim *s, unsigned int n)
{
	return (unsigned int)rand_r(&s->seed) % n;
}

/* The device gets on with the oldest transfer of its IN endpoint. */
static void send(struct sim *s)
{
	struct usb_transfer *t = fake_host_transfer(HOST(s), FAKE_DISK_IN, 0);
	uint32_t n;

	if (!t || s->halted || s->status_sent)
		return;
	if (fake_host_is_cancelled(HOST(s), t))
		return;
	if (s->in && !s->over) {
		n = MIN(t->length, s->data - s->moved);
		s->moved += n;
		/* Short of what was announced: it stalls, or a short packet says so. */
		s->over = s->moved == s->data && (n < t->length || s->data == s->announced);
		s->halted = s->over && s->stalls && s->data < s->announced;
		lab_give(s->lab, FAKE_DISK_IN, s->halted ? -EPIPE : 0, n, &s->at);
		return;
	}
	if (!s->in && s->moved < s->data)
		return;
	assert_true(t->length >= STATUS);
	s->status_sent = true;
	lab_give(s->lab, FAKE_DISK_IN, 0, STATUS, &s->at);
}

static void take(struct sim *s)
{
	struct usb_transfer *t = fake_host_transfer(HOST(s), FAKE_DISK_OUT, 0);

	if (!t)
		return;
	s->moved += t->length;
	lab_give(s->lab, FAKE_DISK_OUT, 0, t->length, NULL);
}

static void run_until(struct sim *s, const bool *done)
{
	for (unsigned int i = 0; !*done; i++) {
		if (i == 5000)
			fail_msg("a request never ends");
		switch (below(s, 3)) {
		case 0:
			send(s);
			break;
		case 1:
			take(s);
			break;
		default:
			lab_advance(s->lab, below(s, 3 * NSEC_PER_MSEC));
		}
	}
}

static void command(struct sim *s)
{
	uint8_t cbw[31] = {0x55, 0x53, 0x42, 0x43};
	struct lab_urb *urb = lab_urb(s->lab, 1, 2, FAKE_DISK_OUT, sizeof(cbw));
	uint32_t length = htole32(s->announced);

	memcpy(cbw + 8, &length, sizeof(length));
	cbw[12] = s->in ? 0x80 : 0;
	memcpy(urb->data, cbw, sizeof(cbw));
	lab_submit(s->lab, urb);
	lab_run(s->lab);
	lab_give(s->lab, FAKE_DISK_OUT, 0, sizeof(cbw), NULL);
	lab_expect(urb, 0, sizeof(cbw));
}

static bool ended_early(const struct lab_urb *urbs, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (urbs[i].done && urbs[i].u.status)
			return true;
	return false;
}

/* The data in pieces, as a list that its driver unlinks when one of them ends early. */
static void move_data(struct sim *s, uint32_t begin)
{
	uint32_t piece = MIN(PACKET << below(s, 7), (uint32_t)USBFRONT_URB_MAX), sum = 0;
	uint8_t endpoint = s->in ? FAKE_DISK_IN : FAKE_DISK_OUT;
	unsigned int n;
	struct lab_urb *urbs;

	piece = MAX(piece, DIV_ROUND_UP(s->announced, 64 * PACKET) * PACKET);
	n = DIV_ROUND_UP(s->announced, piece);
	s->lab->n_urbs = 0;
	urbs = s->lab->urbs;
	for (unsigned int i = 0; i < n; i++) {
		struct lab_urb *urb =
			lab_urb(s->lab, 1, 2, endpoint, MIN(piece, s->announced - i * piece));

		urb->u.short_not_ok = s->in && i + 1 < n;
		lab_submit(s->lab, urb);
		if (below(s, 2))
			lab_run(s->lab);
		if (ended_early(urbs, i + 1))
			n = i + 1; /* a driver stops there */
	}
	for (unsigned int i = 0; i < n; i++) {
		run_until(s, &urbs[i].done);
		if (s->in && urbs[i].u.actual)
			lab_expect_bytes(&urbs[i], begin + sum);
		sum += urbs[i].u.actual;
	}
	assert_int_equal(sum, s->data);
	if (s->halted) {
		assert_int_equal(lab_control(s->lab, 1, 2, 0x02, 1, 0, FAKE_DISK_IN, 0), 0);
		s->halted = false;
	}
}

static void one_command(struct sim *s)
{
	struct lab_urb *status;
	uint32_t begin = s->at;

	s->in = below(s, 3);
	s->announced = below(s, 4) ? below(s, below(s, 3) ? 65536 : ANNOUNCED) / 16 * 16 : 0;
	s->data = s->in && below(s, 4) == 0 && s->announced ? below(s, s->announced) : s->announced;
	s->stalls = below(s, 2);
	s->moved = 0;
	s->over = s->announced == 0;
	s->halted = s->status_sent = false;
	s->lab->n_urbs = 0;
	command(s);
	for (unsigned int i = below(s, 4); i > 0; i--)
		send(s); /* before anybody asks */
	if (s->announced)
		move_data(s, begin);
	status = lab_urb(s->lab, 1, 2, FAKE_DISK_IN, STATUS);
	lab_submit(s->lab, status);
	lab_run(s->lab);
	run_until(s, &status->done);
	lab_expect(status, 0, STATUS);
	lab_expect_bytes(status, begin + (s->in ? s->data : 0));
	/* What was meant for data that did not come ends with the next command. */
	assert_true(s->data < s->announced || fake_host_flying(HOST(s), FAKE_DISK_IN) == 0);
	s->lab->n_urbs = s->lab->n_done = 0;
}

static void day(unsigned int seed)
{
	struct sim s = {.seed = seed};
	void *state = NULL;

	lab_setup(&state);
	s.lab = state;
	s.lab->lists = true;
	lab_start(s.lab);
	lab_plug_quirks(s.lab, 1, 0, seed % 3 ? "" : "no-merge");
	lab_pass(s.lab);
	lab_enumerate(s.lab, 1, 2);
	for (unsigned int i = 0; i < COMMANDS; i++)
		one_command(&s);
	lab_teardown(&state);
}

static void test_days(void **state)
{
	sim_each_seed(20, day);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_days)};

	return cmocka_run_group_tests_name("sim-storage", tests, NULL, NULL);
}
