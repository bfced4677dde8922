/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-model-bot.c - Bulk-Only Transport: the thirteen cases, sizes of transfers, invalid CBWs,
 * errors of the medium, resets. */
#include "cluster/models/bot.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bot-lab.h"
#include "util.h"

#define READ1                                                                                      \
	{                                                                                          \
		0x28, 0, 0, 0, 0, 7, 0, 0, 1, 0                                                    \
	}
#define READ2                                                                                      \
	{                                                                                          \
		0x28, 0, 0, 0, 0, 7, 0, 0, 2, 0                                                    \
	}
#define WRITE1                                                                                     \
	{                                                                                          \
		0x2a, 0, 0, 0, 0, 7, 0, 0, 1, 0                                                    \
	}
#define WRITE2                                                                                     \
	{                                                                                          \
		0x2a, 0, 0, 0, 0, 7, 0, 0, 2, 0                                                    \
	}
#define READY                                                                                      \
	{                                                                                          \
		0x00                                                                               \
	}

#define IN  true
#define OUT false

static uint8_t data[1 << 21];

/* BOT 6.7: n, command, what the host expects; what is moved, status, residue, whether a pipe
 * stalls. */
static const struct {
	int number;
	uint8_t cdb[10], n_cdb;
	uint32_t expected;
	bool in;
	uint32_t moved;
	uint8_t status;
	uint32_t residue;
	bool stalls, writes;
} thirteen[] = {
	{1, READY, 6, 0, OUT, 0, 0, 0, false, false},
	{2, READ1, 10, 0, IN, 0, 2, 0, false, false},
	{3, WRITE1, 10, 0, OUT, 0, 2, 0, false, false},
	{4, READY, 6, 64, IN, 0, 0, 64, true, false},
	{4, READY, 6, 4096, IN, 0, 0, 4096, true, false},
	{5, {0x12, 0, 0, 0, 36}, 6, 64, IN, 36, 0, 28, true, false},
	{5, READ1, 10, 1024, IN, 512, 0, 512, true, false},
	{5, READ1, 10, 1000, IN, 512, 0, 488, true, false},
	{6, READ1, 10, 512, IN, 512, 0, 0, false, false},
	{6, {0x12, 0, 0, 0, 36}, 6, 36, IN, 36, 0, 0, false, false},
	{7, READ2, 10, 512, IN, 512, 2, 0, false, false},
	{7, READ1, 10, 100, IN, 100, 2, 0, false, false},
	{7, {0x12, 0, 0, 0, 36}, 6, 8, IN, 8, 2, 0, false, false},
	{8, WRITE1, 10, 512, IN, 0, 2, 512, true, false},
	{9, READY, 6, 512, OUT, 0, 0, 512, true, false},
	{10, READ1, 10, 512, OUT, 0, 2, 512, true, false},
	{11, WRITE1, 10, 1024, OUT, 512, 0, 512, true, true},
	{12, WRITE1, 10, 512, OUT, 512, 0, 0, false, true},
	{13, WRITE2, 10, 512, OUT, 0, 2, 512, true, false},
};

/* Pieces of at least a packet. */
static uint32_t packet_pieces(struct bot_lab *lab, uint32_t left)
{
	return MIN(left, 512);
}

static void test_thirteen_cases(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(thirteen) * 4; i++) {
		size_t c = i / 4;
		struct bot_lab lab;
		struct bot_outcome outcome;
		uint8_t old[2];

		bot_lab_open(&lab, LAB_BLOCKS);
		lab.later = i & 1;
		lab.piece = i & 2 ? packet_pieces : NULL;
		old[0] = lab.medium[7 * 512];
		memset(data, 0xee, sizeof(data));
		outcome = bot_lab_run(&lab, thirteen[c].cdb, thirteen[c].n_cdb,
				      thirteen[c].expected, thirteen[c].in, data);
		if (outcome.moved != thirteen[c].moved || outcome.status != thirteen[c].status ||
		    outcome.residue != thirteen[c].residue || outcome.stalled != thirteen[c].stalls)
			fail_msg("case %d: moved %u status %d residue %u stalled %d",
				 thirteen[c].number, outcome.moved, outcome.status, outcome.residue,
				 outcome.stalled);
		assert_int_equal(lab.medium[7 * 512], thirteen[c].writes ? 0xee : old[0]);
		if (thirteen[c].cdb[0] == 0x28 && thirteen[c].moved)
			assert_memory_equal(data, lab.medium + 7 * 512, thirteen[c].moved);
		/* And the next command is as good as any. */
		outcome = bot_lab_run(&lab, (const uint8_t[10])READ1, 10, 512, true, data);
		assert_int_equal(outcome.status, 0);
		assert_int_equal(outcome.moved, 512);
		bot_lab_close(&lab);
	}
}

/* Without stalls data end by a short packet, and unwanted data are swallowed. */
static void test_thirteen_cases_no_stall(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(thirteen) * 4; i++) {
		size_t c = i / 4;
		bool swallows = thirteen[c].stalls && !thirteen[c].in;
		struct bot_outcome outcome;
		struct bot_lab lab;

		bot_lab_open(&lab, LAB_BLOCKS);
		lab.later = i & 1;
		lab.piece = i & 2 ? packet_pieces : NULL;
		lab.bot.no_stall = true;
		outcome = bot_lab_run(&lab, thirteen[c].cdb, thirteen[c].n_cdb,
				      thirteen[c].expected, thirteen[c].in, data);
		assert_false(outcome.stalled);
		assert_int_equal(outcome.moved,
				 swallows ? thirteen[c].expected : thirteen[c].moved);
		assert_int_equal(outcome.status, thirteen[c].status);
		assert_int_equal(outcome.residue, thirteen[c].residue);
		bot_lab_close(&lab);
	}
}

/* Failed commands move nothing, whatever the host expects. */
static void test_check_condition(void **state)
{
	static const uint8_t beyond[10] = {0x28, 0, 0, 1, 0, 0, 0, 0, 1, 0};
	struct bot_outcome outcome;
	struct bot_lab lab;

	bot_lab_open(&lab, LAB_BLOCKS);
	outcome = bot_lab_run(&lab, beyond, 10, 512, true, data);
	assert_int_equal(outcome.status, 1);
	assert_int_equal(outcome.moved, 0);
	assert_int_equal(outcome.residue, 512);
	assert_true(outcome.stalled);
	assert_int_equal(bot_lab_sense(&lab), SCSI_LBA_OUT_OF_RANGE);
	assert_int_equal(bot_lab_sense(&lab), SCSI_NO_SENSE);
	bot_lab_close(&lab);
}

static uint32_t random_pieces(struct bot_lab *lab, uint32_t left)
{
	uint32_t n =
		512 * (1 + bot_lab_random(&lab->seed, bot_lab_random(&lab->seed, 4) ? 16 : 300));

	return MIN(left, n);
}

static uint8_t random_command(uint64_t *seed, uint8_t cdb[16], uint32_t *expected, bool *in)
{
	uint16_t n = (uint16_t)(1 + bot_lab_random(seed, bot_lab_random(seed, 3) ? 40 : 3000));
	uint32_t lba = bot_lab_random(seed, LAB_BLOCKS);

	memset(cdb, 0, 16);
	*in = bot_lab_random(seed, 2);
	bot_lab_rw10(cdb, !*in, lba, n);
	*expected = n * 512u;
	switch (bot_lab_random(seed, 10)) {
	case 0: /* they disagree about the length */
		*expected = 512 * bot_lab_random(seed, n + 8u);
		break;
	case 1: /* about the direction */
		*in = !*in;
		break;
	case 2:
		cdb[0] = 0x2f; /* VERIFY */
		*expected = 0;
		break;
	case 3:
		cdb[0] = 0x35; /* SYNCHRONIZE CACHE */
		break;
	case 4:
		*expected -= bot_lab_random(seed, 512);
		break;
	}
	return 10;
}

/* The same commands, once with whole transfers and a medium that answers at once, once in random
 * pieces with one that does not: the same data, status and residue, the same bytes on the medium.
 */
static void test_pieces_change_nothing(void **state)
{
	static uint8_t other[sizeof(data)];

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct bot_lab whole, pieces;
		uint64_t random = seed;

		bot_lab_open(&whole, LAB_BLOCKS);
		bot_lab_open(&pieces, LAB_BLOCKS);
		pieces.piece = random_pieces;
		pieces.seed = seed;
		whole.bot.no_stall = pieces.bot.no_stall = seed & 1;
		for (int i = 0; i < 100; i++) {
			struct bot_outcome a, b;
			uint32_t expected;
			uint8_t cdb[16], n;
			bool in;

			n = random_command(&random, cdb, &expected, &in);
			pieces.later = bot_lab_random(&pieces.seed, 2);
			for (size_t k = 0; k < expected; k++)
				data[k] = other[k] = (uint8_t)(random >> 8 * (k % 7));
			a = bot_lab_run(&whole, cdb, n, expected, in, data);
			b = bot_lab_run(&pieces, cdb, n, expected, in, other);
			if (a.moved != b.moved || a.status != b.status || a.residue != b.residue ||
			    a.stalled != b.stalled)
				fail_msg("seed %d command %d (%02x, %u bytes %s): moved %u/%u "
					 "status "
					 "%d/%d residue %u/%u",
					 (int)seed, i, cdb[0], expected, in ? "in" : "out", a.moved,
					 b.moved, a.status, b.status, a.residue, b.residue);
			assert_memory_equal(data, other, expected);
		}
		assert_memory_equal(whole.medium, pieces.medium, LAB_BYTES);
		bot_lab_close(&whole);
		bot_lab_close(&pieces);
	}
}

/* 120 KiB in one transfer, in thirty, and 1 MiB: one operation on the medium each. */
static void test_few_operations(void **state)
{
	struct bot_lab lab;
	uint8_t cdb[10];

	bot_lab_open(&lab, LAB_BLOCKS);
	bot_lab_rw10(cdb, false, 0, 240);
	bot_lab_run(&lab, cdb, 10, 240 * 512, true, data);
	assert_int_equal(lab.n_reads, 1);
	lab.piece = packet_pieces;
	bot_lab_run(&lab, cdb, 10, 240 * 512, true, data);
	assert_int_equal(lab.n_reads, 2);
	bot_lab_rw10(cdb, true, 0, 2048);
	bot_lab_run(&lab, cdb, 10, 1 << 20, false, data);
	assert_int_equal(lab.n_writes, 1);
	lab.piece = NULL;
	bot_lab_run(&lab, cdb, 10, 1 << 20, false, data);
	assert_int_equal(lab.n_writes, 2);
	cdb[1] = 0x08; /* FUA */
	bot_lab_run(&lab, cdb, 10, 1 << 20, false, data);
	assert_int_equal(lab.n_through, 1);
	bot_lab_close(&lab);
}

/* One IN transfer that is larger than the data gets the CSW behind them: full packets do not end
 * it. One OUT transfer may hold data and the next CBW. */
static void test_transfers_across_phases(void **state)
{
	uint8_t cbw[31], cdb[10];
	struct bot_lab lab;
	uint32_t actual;

	bot_lab_open(&lab, LAB_BLOCKS);
	bot_lab_rw10(cdb, false, 3, 1);
	bot_lab_cbw(&lab, cbw, cdb, 10, 512, true);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_OUT, cbw, 31, &actual), 0);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_IN, data, 4096, &actual), 0);
	assert_int_equal(actual, 512 + 13);
	assert_memory_equal(data, lab.medium + 3 * 512, 512);
	assert_memory_equal(data + 512, "USBS", 4);

	bot_lab_rw10(cdb, true, 3, 1);
	bot_lab_cbw(&lab, cbw, cdb, 10, 512, false);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_OUT, cbw, 31, &actual), 0);
	memset(data, 0x77, 512);
	bot_lab_cbw(&lab, data + 512, cdb, 10, 512, false);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_OUT, data, 543, &actual), -EAGAIN);
	assert_int_equal(actual, 512); /* the CBW waits until the CSW was read */
	assert_int_equal(lab.medium[3 * 512], 0x77);
	bot_lab_close(&lab);
}

/* The host's buffer is no place for the packet that comes. */
static void test_babble(void **state)
{
	uint8_t cbw[31], cdb[10];
	struct bot_lab lab;
	uint32_t actual;

	bot_lab_open(&lab, LAB_BLOCKS);
	bot_lab_rw10(cdb, false, 3, 2);
	bot_lab_cbw(&lab, cbw, cdb, 10, 1024, true);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_OUT, cbw, 31, &actual), 0);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_IN, data, 100, &actual), -EOVERFLOW);
	assert_int_equal(actual, 0);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_IN, data, 600, &actual), -EOVERFLOW);
	assert_int_equal(actual, 512);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_IN, data, 512, &actual), 0);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_IN, data, 12, &actual), -EOVERFLOW);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_IN, data, 13, &actual), 0);
	bot_lab_close(&lab);
}

/* The host ends its data early, by a short packet: whole blocks are written, the rest is residue.
 */
static void test_host_stops(void **state)
{
	static const struct {
		uint32_t sent, written;
	} cases[] = {{1100, 1024}, {100, 0}, {1536 + 1, 1536}};

	for (size_t i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
		uint32_t sent = cases[i / 2].sent, written = cases[i / 2].written, actual;
		uint8_t cbw[31], csw[13], cdb[10];
		struct bot_lab lab;

		bot_lab_open(&lab, LAB_BLOCKS);
		lab.later = i & 1;
		memset(lab.medium, 0, LAB_BYTES);
		memset(data, 0x99, 4096);
		bot_lab_rw10(cdb, true, 0, 8);
		bot_lab_cbw(&lab, cbw, cdb, 10, 4096, false);
		assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_OUT, cbw, 31, &actual), 0);
		assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_OUT, data, sent, &actual), 0);
		assert_int_equal(actual, sent);
		assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_IN, csw, 13, &actual), 0);
		assert_int_equal(csw[12], 0);
		assert_int_equal(csw[8] | csw[9] << 8, 4096 - written);
		assert_int_equal(lab.medium[written], 0);
		assert_true(!written || lab.medium[written - 1] == 0x99);
		bot_lab_close(&lab);
	}
}

/* An empty packet: in the data phase it ends the data, behind full data (zero_packet) it is theirs.
 */
static void test_empty_packets(void **state)
{
	uint8_t cbw[31], csw[13], cdb[10];
	struct usb_transfer last = {.endpoint = BOT_ENDPOINT_OUT,
				    .type = USB_ENDPOINT_XFER_BULK,
				    .data = data,
				    .length = 512,
				    .zero_packet = true};
	struct bot_lab lab;
	uint32_t actual;

	bot_lab_open(&lab, LAB_BLOCKS);
	bot_lab_rw10(cdb, true, 0, 1);
	bot_lab_cbw(&lab, cbw, cdb, 10, 512, false);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_OUT, cbw, 31, &actual), 0);
	assert_int_equal(bot_out(&lab.bot, &last), MODEL_DONE);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_IN, csw, 13, &actual), 0);
	assert_int_equal(csw[12] | csw[8], 0);

	bot_lab_cbw(&lab, cbw, cdb, 10, 512, false);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_OUT, cbw, 31, &actual), 0);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_OUT, NULL, 0, &actual), 0);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_IN, csw, 13, &actual), 0);
	assert_int_equal(csw[8] | csw[9] << 8, 512);
	bot_lab_close(&lab);
}

/* 6.6.1: what is no CBW halts both pipes until a Bulk-Only Reset. */
static void test_invalid_cbw(void **state)
{
	static const struct usb_ctrlrequest reset = {0x21, BOT_REQUEST_RESET, 0, 0, 0};
	static const struct {
		uint32_t length;
		int at, value;
	} cases[] = {
		{31, 0, 'X'},  {30, 0, 'U'}, {32, 0, 'U'}, {0, 0, 0},	 {512, 0, 'U'},
		{600, 0, 'U'}, {31, 14, 0},  {31, 14, 17}, {31, 14, 31},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t cbw[600] = {0}, csw[13], cdb[10];
		struct bot_lab lab;
		uint32_t actual;
		int rc;

		bot_lab_open(&lab, LAB_BLOCKS);
		bot_lab_rw10(cdb, false, 0, 1);
		bot_lab_cbw(&lab, cbw, cdb, 10, 512, true);
		cbw[cases[i].at] = (uint8_t)cases[i].value;
		rc = bot_lab_transfer(&lab, BOT_ENDPOINT_OUT, cbw, cases[i].length, &actual);
		assert_int_equal(rc, cases[i].length > 512 ? -EPIPE : 0);
		assert_true(lab.halted_in && lab.halted_out);
		assert_false(bot_clear_halt(&lab.bot, BOT_ENDPOINT_IN));
		assert_false(bot_clear_halt(&lab.bot, BOT_ENDPOINT_OUT));
		assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_IN, csw, 13, &actual), -EPIPE);
		assert_int_equal(bot_control(&lab.bot, &reset, NULL), 0);
		/* The halts are the host's to clear. */
		assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_IN, csw, 13, &actual), -EPIPE);
		assert_true(bot_clear_halt(&lab.bot, BOT_ENDPOINT_IN));
		assert_true(bot_clear_halt(&lab.bot, BOT_ENDPOINT_OUT));
		lab.halted_in = lab.halted_out = false;
		assert_int_equal(bot_lab_run(&lab, cdb, 10, 512, true, data).status, 0);
		bot_lab_close(&lab);
	}
}

static void test_class_requests(void **state)
{
	static const struct {
		struct usb_ctrlrequest setup;
		int result;
	} cases[] = {
		{{0xa1, BOT_REQUEST_MAX_LUN, 0, 0, 1}, 1},
		{{0xa1, BOT_REQUEST_MAX_LUN, 0, 0, 0}, -EPIPE},
		{{0xa1, BOT_REQUEST_MAX_LUN, 1, 0, 1}, -EPIPE},
		{{0xa1, BOT_REQUEST_MAX_LUN, 0, 1, 1}, -EPIPE},
		{{0x21, BOT_REQUEST_MAX_LUN, 0, 0, 1}, -EPIPE},
		{{0x21, BOT_REQUEST_RESET, 0, 0, 0}, 0},
		{{0x21, BOT_REQUEST_RESET, 0, 0, 1}, -EPIPE},
		{{0xa1, BOT_REQUEST_RESET, 0, 0, 0}, -EPIPE},
		{{0x21, 0x00, 0, 0, 0}, -EPIPE},
	};
	struct bot_lab lab;
	uint8_t byte = 9;

	bot_lab_open(&lab, LAB_BLOCKS);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(bot_control(&lab.bot, &cases[i].setup, &byte), cases[i].result);
	assert_int_equal(byte, 0);
	bot_lab_close(&lab);
}

/* An error of the medium: what was good before it counts, the sense says where it is. */
static void test_medium_errors(void **state)
{
	static const struct {
		int err;
		bool write;
		uint32_t sense;
	} cases[] = {
		{-EIO, false, SCSI_READ_ERROR},	      {-EIO, true, SCSI_WRITE_ERROR},
		{-ENOSPC, true, SCSI_NO_SPACE},	      {-EDQUOT, true, SCSI_NO_SPACE},
		{-EROFS, true, SCSI_WRITE_PROTECTED}, {-EFBIG, true, SCSI_WRITE_ERROR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases) * 4; i++) {
		bool write = cases[i / 4].write;
		struct bot_outcome outcome;
		struct bot_lab lab;
		uint8_t cdb[10];

		bot_lab_open(&lab, LAB_BLOCKS);
		lab.later = i & 1;
		lab.piece = i & 2 ? packet_pieces : NULL;
		lab.fail = cases[i / 4].err;
		lab.fail_at = (1 << 20) + 512; /* in the second megabyte */
		bot_lab_rw10(cdb, write, 0, 4096);
		outcome = bot_lab_run(&lab, cdb, 10, 1 << 21, !write, data);
		assert_int_equal(outcome.status, 1);
		assert_true(outcome.residue >= (1 << 20) - 512);
		assert_int_equal(outcome.residue % 512, 0);
		lab.fail = 0;
		assert_int_equal(bot_lab_sense(&lab), cases[i / 4].sense);
		assert_int_equal(bot_lab_run(&lab, cdb, 10, 1 << 21, !write, data).status, 0);
		/* A flush and a verification fail, too. */
		lab.fail = -EIO;
		lab.fail_at = 0;
		cdb[0] = 0x35;
		assert_int_equal(bot_lab_run(&lab, cdb, 10, 0, false, NULL).status, 1);
		lab.fail = 0;
		assert_int_equal(bot_lab_sense(&lab), SCSI_WRITE_ERROR);
		lab.fail = -EIO;
		cdb[0] = 0x2f;
		outcome = bot_lab_run(&lab, cdb, 10, 0, false, NULL);
		assert_int_equal(outcome.status, 1);
		lab.fail = 0;
		assert_int_equal(bot_lab_sense(&lab), SCSI_READ_ERROR);
		bot_lab_close(&lab);
	}
}

/* Reset while the medium works: its end is not heard, the transfer's memory is free only then, and
 * the next command waits for it. */
static void test_reset_while_busy(void **state)
{
	struct usb_transfer transfer = {.endpoint = BOT_ENDPOINT_IN,
					.type = USB_ENDPOINT_XFER_BULK,
					.data = data,
					.length = 512};
	uint8_t cbw[31], cdb[10];
	struct bot_lab lab;
	uint32_t actual;

	bot_lab_open(&lab, LAB_BLOCKS);
	lab.later = true;
	bot_lab_rw10(cdb, false, 3, 1);
	bot_lab_cbw(&lab, cbw, cdb, 10, 512, true);
	assert_int_equal(bot_lab_transfer(&lab, BOT_ENDPOINT_OUT, cbw, 31, &actual), 0);
	assert_int_equal(bot_in(&lab.bot, &transfer), MODEL_WAIT);
	assert_true(bot_busy(&lab.bot, &transfer));
	bot_reset(&lab.bot);
	assert_true(bot_busy(&lab.bot, &transfer));
	lab.bot.disk.attention = SCSI_NO_SENSE;
	/* The host of the lab lets the operation end only because this waits for it. */
	assert_int_equal(bot_lab_run(&lab, cdb, 10, 512, true, data).status, 0);
	assert_false(bot_busy(&lab.bot, &transfer));
	assert_int_equal(transfer.actual, 0);
	bot_lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thirteen_cases),
		cmocka_unit_test(test_thirteen_cases_no_stall),
		cmocka_unit_test(test_check_condition),
		cmocka_unit_test(test_pieces_change_nothing),
		cmocka_unit_test(test_few_operations),
		cmocka_unit_test(test_transfers_across_phases),
		cmocka_unit_test(test_babble),
		cmocka_unit_test(test_host_stops),
		cmocka_unit_test(test_empty_packets),
		cmocka_unit_test(test_invalid_cbw),
		cmocka_unit_test(test_class_requests),
		cmocka_unit_test(test_medium_errors),
		cmocka_unit_test(test_reset_while_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
