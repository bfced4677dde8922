/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-vusb-storage.c - Bulk-Only storage: what a command announces is fetched before the guest
 * asks for it, and is the guest's in the order of the device. */
#include "vusb-lab.h"

#include <endian.h>
#include <errno.h>

#define HOST(lab)	  (&(lab)->hosts[0])
#define FLYING(lab)	  fake_host_flying(HOST(lab), FAKE_DISK_IN)
#define IN_LENGTH(lab, i) fake_host_transfer(HOST(lab), FAKE_DISK_IN, i)->length
#define CHUNK		  (VUSB_PLAN_BYTES / VUSB_CHUNKS)
#define PACKET		  512u
#define STATUS		  13u

/* A command, taken by the device. */
static void send_command(struct lab *lab, uint32_t length, bool in)
{
	uint8_t cbw[31] = {0x55, 0x53, 0x42, 0x43, 1};
	struct lab_urb *command = lab_urb(lab, 1, 2, FAKE_DISK_OUT, sizeof(cbw));

	length = htole32(length);
	memcpy(cbw + 8, &length, sizeof(length));
	cbw[12] = in ? 0x80 : 0;
	memcpy(command->data, cbw, sizeof(cbw));
	lab_submit(lab, command);
	lab_run(lab);
	assert_memory_equal(fake_host_transfer(HOST(lab), FAKE_DISK_OUT, 0)->data, cbw, 31);
	lab_give(lab, FAKE_DISK_OUT, 0, 31, NULL);
	lab_expect(command, 0, 31);
}

static struct lab_urb *ask(struct lab *lab, unsigned int n, uint32_t length)
{
	struct lab_urb *urbs = lab_queue(lab, 1, 2, FAKE_DISK_IN, n, length, n > 1, NULL);

	lab_run(lab);
	lab_advance(lab, 3 * VUSB_LOOK_MAX_NS); /* fewer than awaited? */
	return urbs;
}

static void expect_status(struct lab *lab, uint32_t at)
{
	struct lab_urb *status = ask(lab, 1, STATUS);

	lab_expect(status, 0, STATUS);
	lab_expect_bytes(status, at);
	assert_int_equal(FLYING(lab), 0);
}

/* As storage drivers read: 120 KiB in pages. Two transfers bring the data, one the status. */
static void test_read(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	send_command(lab, 122880, true);
	assert_int_equal(FLYING(lab), 2);
	assert_int_equal(IN_LENGTH(lab, 0), CHUNK);
	assert_int_equal(IN_LENGTH(lab, 1), 122880 - CHUNK);
	urbs = ask(lab, 30, 4096);
	assert_false(urbs[0].done);
	lab_give(lab, FAKE_DISK_IN, 0, CHUNK, &at);
	lab_expect_all(urbs, 16, 4096, 0);
	assert_false(urbs[16].done);
	lab_give(lab, FAKE_DISK_IN, 0, 122880 - CHUNK, &at);
	lab_expect_all(urbs, 30, 4096, 0);
	assert_int_equal(FLYING(lab), 1);
	assert_int_equal(IN_LENGTH(lab, 0), PACKET);
	lab_give(lab, FAKE_DISK_IN, 0, STATUS, &at);
	assert_int_equal(fake_host_records(HOST(lab), FAKE_DISK_IN), 3);
	expect_status(lab, 122880);

	/* The device is faster than the guest; more than may be in flight. */
	at = 0;
	send_command(lab, 5 * CHUNK, true);
	assert_int_equal(FLYING(lab), VUSB_CHUNKS);
	for (unsigned int i = 0; i < VUSB_CHUNKS; i++)
		lab_give(lab, FAKE_DISK_IN, 0, CHUNK, &at);
	assert_int_equal(FLYING(lab), 0);
	urbs = ask(lab, 20, 16384);
	lab_expect_all(urbs, 16, 16384, 0);
	assert_int_equal(FLYING(lab), 1);
	lab_give(lab, FAKE_DISK_IN, 0, CHUNK, &at);
	lab_give(lab, FAKE_DISK_IN, 0, STATUS, &at);
	lab_expect_all(urbs, 20, 16384, 0);
	expect_status(lab, 5 * CHUNK);
}

/* The status of a command without data, and of one that wrote, is fetched as soon as there can be
 * one, not before. */
static void test_no_data_and_write(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0, sent = 0;

	lab_up(lab);
	send_command(lab, 0, false);
	assert_int_equal(FLYING(lab), 1);
	lab_give(lab, FAKE_DISK_IN, 0, STATUS, &at);
	expect_status(lab, 0);
	send_command(lab, 32768, false);
	urbs = lab_queue(lab, 1, 2, FAKE_DISK_OUT, 8, 4096, false, &sent);
	lab_run(lab);
	assert_int_equal(FLYING(lab), 0);
	lab_expect_sent(lab, FAKE_DISK_OUT, 32768, 0);
	lab_give(lab, FAKE_DISK_OUT, 0, 32768, NULL);
	lab_expect_all(urbs, 8, 4096, 0);
	assert_int_equal(FLYING(lab), 1);
	at = 0;
	lab_give(lab, FAKE_DISK_IN, 0, STATUS, &at);
	expect_status(lab, 0);
	/* A write that the device refuses in the middle has its status behind a cleared halt. */
	send_command(lab, 8192, false);
	urbs = lab_queue(lab, 1, 2, FAKE_DISK_OUT, 2, 4096, false, &sent);
	lab_run(lab);
	lab_give(lab, FAKE_DISK_OUT, -EPIPE, 512, NULL);
	lab_expect(&urbs[0], -EPIPE, 512);
	assert_int_equal(FLYING(lab), 0);
}

/* Less data than announced: the request in which it ends is short, the rest of the list is the
 * guest's to unlink, and the status waits for its request. */
static void test_short(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	lab->lists = true;
	send_command(lab, 32768, true);
	lab_give(lab, FAKE_DISK_IN, 0, 5000, &at);
	lab_give(lab, FAKE_DISK_IN, 0, STATUS, &at);
	urbs = ask(lab, 8, 4096);
	lab_expect(&urbs[0], 0, 4096);
	lab_expect(&urbs[1], -EREMOTEIO, 904);
	for (unsigned int i = 2; i < 8; i++)
		lab_expect(&urbs[i], -ECONNRESET, 0);
	expect_status(lab, 5000);
	/* Behind the last full transfer, and where the status has taken the place of data. */
	at = 0;
	send_command(lab, 2 * CHUNK, true);
	lab_give(lab, FAKE_DISK_IN, 0, 0, NULL);
	lab_give(lab, FAKE_DISK_IN, 0, STATUS, &at);
	urbs = ask(lab, 4, 4096);
	lab_expect(&urbs[0], -EREMOTEIO, 0);
	lab_expect(&urbs[3], -ECONNRESET, 0);
	urbs = ask(lab, 1, STATUS);
	lab_expect(urbs, 0, STATUS);
	lab_expect_bytes(urbs, 0);
	assert_int_equal(FLYING(lab), 0);
}

/* The status instead of the data: the guest takes it for that and goes on. */
static void test_status_in_data_phase(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	send_command(lab, 4096, true);
	urbs = ask(lab, 1, 4096);
	lab_give(lab, FAKE_DISK_IN, 0, STATUS, &at);
	lab_expect(urbs, 0, STATUS);
	assert_int_equal(FLYING(lab), 1);
	HOST(lab)->deaf = true; /* the cancel takes its time: the next command waits for it */
	urbs = lab_urb(lab, 1, 2, FAKE_DISK_OUT, 31);
	lab_submit(lab, urbs);
	lab_run(lab);
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_DISK_OUT), 0);
	lab_give(lab, FAKE_DISK_IN, -ECANCELED, 0, NULL);
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_DISK_OUT), 1);
	HOST(lab)->deaf = false;
	lab_give(lab, FAKE_DISK_OUT, 0, 31, NULL);
	lab_expect(urbs, 0, 31);
	/* It was no command: nothing is fetched. */
	assert_int_equal(FLYING(lab), 0);
}

/* A stall in the data: told once, what was behind it comes back; the status is asked for behind the
 * cleared halt. */
static void test_stall(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	lab->lists = true;
	send_command(lab, 32768, true);
	urbs = ask(lab, 8, 4096);
	lab_give(lab, FAKE_DISK_IN, -EPIPE, 4096 + 512, &at);
	lab_expect(&urbs[0], 0, 4096);
	lab_expect(&urbs[1], -EPIPE, 512);
	lab_expect(&urbs[2], -ECONNRESET, 0);
	lab_expect(&urbs[7], -ECONNRESET, 0);
	lab_run(lab);
	assert_int_equal(FLYING(lab), 0);
	assert_int_equal(lab_control(lab, 1, 2, 0x02, 1, 0, FAKE_DISK_IN, 0), 0);
	assert_int_equal(FLYING(lab), 0);
	urbs = ask(lab, 1, STATUS);
	assert_int_equal(FLYING(lab), 1);
	assert_int_equal(IN_LENGTH(lab, 0), STATUS);
	lab_give(lab, FAKE_DISK_IN, 0, STATUS, &at);
	lab_expect(urbs, 0, STATUS);
}

/* A guest that clears a halt which there is not loses nothing that came already. */
static void test_clear_halt(void **state)
{
	struct lab *lab = *state;
	uint32_t at = 0;

	lab_up(lab);
	send_command(lab, 4096, true);
	lab_give(lab, FAKE_DISK_IN, 0, 4096, &at);
	assert_int_equal(FLYING(lab), 1);
	assert_int_equal(lab_control(lab, 1, 2, 0x02, 1, 0, FAKE_DISK_IN, 0), 0);
	assert_int_equal(FLYING(lab), 0);
	lab_expect_all(ask(lab, 1, 4096), 1, 4096, 0);
	ask(lab, 1, STATUS);
	assert_int_equal(FLYING(lab), 1);
	lab_give(lab, FAKE_DISK_IN, 0, STATUS, &at);
}

/* A request that wants more than was announced has what comes, the status included. */
static void test_asks_for_more(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	send_command(lab, 4096, true);
	urbs = ask(lab, 1, 8192);
	lab_give(lab, FAKE_DISK_IN, 0, 4096, &at);
	assert_false(urbs->done);
	lab_give(lab, FAKE_DISK_IN, 0, STATUS, &at);
	lab_expect(urbs, 0, 4096 + STATUS);
	/* And when the device has even more than that. */
	send_command(lab, 512, true);
	at = 0;
	urbs = ask(lab, 1, 2048);
	lab_give(lab, FAKE_DISK_IN, 0, 512, &at);
	lab_give(lab, FAKE_DISK_IN, 0, 512, &at);
	assert_int_equal(FLYING(lab), 1);
	assert_int_equal(IN_LENGTH(lab, 0), 1024);
	lab_give(lab, FAKE_DISK_IN, 0, 100, &at);
	lab_expect(urbs, 0, 1124);
	lab_expect_bytes(urbs, 0);
}

/* Without memory for what was announced the guest's own requests fetch it. */
static void test_no_memory(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	HOST(lab)->memory = 8192;
	send_command(lab, 16384, true);
	assert_int_equal(FLYING(lab), 0);
	urbs = ask(lab, 4, 4096);
	lab_advance(lab, COALESCE_EXPECT_NS);
	while (!urbs[3].done) {
		assert_true(FLYING(lab) > 0);
		lab_give(lab, FAKE_DISK_IN, 0, IN_LENGTH(lab, 0), &at);
	}
	lab_expect_all(urbs, 4, 4096, 0);
}

/* Reset, unplugging, the end: nobody's data goes with them. */
static void test_changes(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;

	lab_up(lab);
	send_command(lab, 4096, true);
	assert_int_equal(FLYING(lab), 1);
	assert_int_equal(lab_control(lab, 1, 2, 0, 9, 1, 0, 0), 0);
	assert_int_equal(FLYING(lab), 0);
	send_command(lab, 4096, true);
	urbs = ask(lab, 1, 4096);
	fake_host_vanish(HOST(lab), false);
	lab_pass(lab);
	assert_true(urbs->done);
	assert_true(urbs->u.status < 0);
}

/* A command that announces more than there can be holds no more memory than any other. */
static void test_announces_too_much(void **state)
{
	struct lab *lab = *state;
	uint32_t at = 0;

	lab_up(lab);
	send_command(lab, UINT32_MAX, true);
	assert_int_equal(FLYING(lab), VUSB_CHUNKS);
	lab_give(lab, FAKE_DISK_IN, 0, STATUS, &at);
	assert_int_equal(FLYING(lab), VUSB_CHUNKS - 1);
	send_command(lab, 0, false);
	assert_int_equal(FLYING(lab), 1);
	at = 0;
	lab_give(lab, FAKE_DISK_IN, 0, STATUS, &at);
	expect_status(lab, 0);
}

/* no-merge: every request is a transfer, nothing else is. */
static void test_no_merge(void **state)
{
	struct lab *lab = *state;

	lab_start(lab);
	lab_plug_quirks(lab, 1, 0, "no-merge");
	lab_pass(lab);
	lab_enumerate(lab, 1, 2);
	send_command(lab, 4096, true);
	assert_int_equal(FLYING(lab), 0);
}

/* n requests of a page, each pushed by itself; returns the guest's events that they took. */
static uint64_t queue_pages(struct lab *lab, unsigned int n, struct lab_urb **first)
{
	uint64_t before = usbfront_stats(lab->front)->notifies;

	for (unsigned int i = 0; i < n; i++) {
		struct lab_urb *urb = lab_queue(lab, 1, 2, FAKE_DISK_IN, 1, 4096, true, NULL);

		if (i == 0)
			*first = urb;
		lab_run(lab);
	}
	return usbfront_stats(lab->front)->notifies - before;
}

static void give_read(struct lab *lab, uint32_t length, uint32_t *at)
{
	uint32_t ignored = 0;

	lab_give(lab, FAKE_DISK_IN, 0, length, at);
	lab_give(lab, FAKE_DISK_IN, 0, STATUS, &ignored);
	lab_queue(lab, 1, 2, FAKE_DISK_IN, 1, STATUS, false, NULL);
	lab_run(lab);
}

/* Once it is known in which pieces the guest asks for data, one event announces all of them; if
 * fewer come, they are found by looking; and while others have requests, nobody waits. */
static void test_one_event(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *first, *other;
	uint32_t at = 0;

	lab_up(lab);
	send_command(lab, 32768, true);
	assert_int_equal(queue_pages(lab, 8, &first), 2); /* the first one shows the size */
	give_read(lab, 32768, &at);
	send_command(lab, 32768, true);
	assert_int_equal(queue_pages(lab, 8, &first), 1);
	give_read(lab, 32768, &at);
	lab_expect_all(first, 8, 4096, 32768);

	send_command(lab, 32768, true);
	assert_int_equal(queue_pages(lab, 5, &first), 0);
	lab_advance(lab, 3 * VUSB_LOOK_MAX_NS);
	give_read(lab, 20480, &at);
	lab_expect_all(first, 5, 4096, 65536);

	lab_queue(lab, 1, 2, FAKE_INT_IN, 1, 8, false, NULL); /* an idle poll is nobody who waits */
	lab_run(lab);
	send_command(lab, 32768, true);
	assert_int_equal(queue_pages(lab, 8, &first), 1);
	give_read(lab, 32768, &at);
	other = lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 512, false, NULL);
	lab_run(lab);
	send_command(lab, 32768, true);
	assert_int_equal(queue_pages(lab, 8, &first), 8);
	give_read(lab, 32768, &at);
	lab_expect_all(first, 8, 4096, 118784);
	lab_give(lab, FAKE_BULK_IN, 0, 512, NULL);
	lab_expect(other, 0, 512);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_read),
		TEST(test_no_data_and_write),
		TEST(test_short),
		TEST(test_status_in_data_phase),
		TEST(test_stall),
		TEST(test_clear_halt),
		TEST(test_asks_for_more),
		TEST(test_no_memory),
		TEST(test_changes),
		TEST(test_no_merge),
		TEST(test_announces_too_much),
		TEST(test_one_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
