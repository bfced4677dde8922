/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-model-bot.c - a host that sends anything to a disk: CBWs, data, resets, in any order and
 * size.
 *
 * Input: steps of a byte that says what, and its arguments. Every transfer has memory of its own of
 * exactly its size, so that sanitizers see each byte too far; the medium checks its range.
 */
#include <stdlib.h>
#include <string.h>

#include "cursor.h"
#include "tests/unit/bot-lab.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_BLOCKS	   300
#define STEPS_MAX	   100
#define TRANSFER_BYTES_MAX 70000u

enum step {
	STEP_CBW,
	STEP_OUT,
	STEP_IN,
	STEP_RESET,
	STEP_CLEAR,
	STEP_CONTROL,
	STEP_FAIL,
	STEP_MODE
};

static void transfer(struct bot_lab *lab, uint8_t endpoint, struct cursor *cursor)
{
	uint32_t length = cursor_le32(cursor) % TRANSFER_BYTES_MAX, actual;
	uint8_t *bytes = xb_calloc(1, length);

	if (!(endpoint & USB_DIR_IN))
		for (uint32_t i = 0; i < MIN(length, 40); i++)
			bytes[i] = cursor_u8(cursor);
	(void)bot_lab_transfer(lab, endpoint, bytes, length, &actual);
	if (actual > length)
		abort();
	free(bytes);
}

static void command(struct bot_lab *lab, struct cursor *cursor)
{
	uint32_t expected = cursor_le32(cursor) % TRANSFER_BYTES_MAX, actual;
	uint8_t cbw[BOT_CBW_BYTES], cdb[16] = {0}, how = cursor_u8(cursor);

	for (size_t i = 0; i < sizeof(cdb); i++)
		cdb[i] = cursor_u8(cursor);
	if (how & 2) { /* near the truth, or the range check would end most of them */
		cdb[2] = cdb[3] = 0;
		cdb[4] &= 0x1f;
		cdb[7] = 0;
	}
	bot_lab_cbw(lab, cbw, cdb, how >> 3 & 0x1f, expected, how & 1);
	(void)bot_lab_transfer(lab, BOT_ENDPOINT_OUT, cbw, sizeof(cbw), &actual);
}

static void control(struct bot_lab *lab, struct cursor *cursor)
{
	struct usb_ctrlrequest setup;
	uint8_t *bytes;
	int rc;

	if (!cursor_bytes(cursor, &setup, sizeof(setup)))
		return;
	bytes = xb_calloc(1, setup.wLength);
	rc = bot_control(&lab->bot, &setup, bytes);
	if (rc > setup.wLength)
		abort();
	free(bytes);
}

static void clear(struct bot_lab *lab)
{
	if (bot_clear_halt(&lab->bot, BOT_ENDPOINT_IN))
		lab->halted_in = false;
	if (bot_clear_halt(&lab->bot, BOT_ENDPOINT_OUT))
		lab->halted_out = false;
}

static void step(struct bot_lab *lab, struct cursor *cursor)
{
	switch ((enum step)(cursor_u8(cursor) % (STEP_MODE + 1))) {
	case STEP_CBW:
		command(lab, cursor);
		break;
	case STEP_OUT:
		transfer(lab, BOT_ENDPOINT_OUT, cursor);
		break;
	case STEP_IN:
		transfer(lab, BOT_ENDPOINT_IN, cursor);
		break;
	case STEP_RESET:
		bot_reset(&lab->bot);
		lab->halted_in = lab->halted_out = false;
		break;
	case STEP_CLEAR:
		clear(lab);
		break;
	case STEP_CONTROL:
		control(lab, cursor);
		break;
	case STEP_FAIL:
		lab->fail = -(int)cursor_u8(cursor);
		lab->fail_at = cursor_le32(cursor) % (N_BLOCKS * SCSI_BLOCK_BYTES);
		break;
	case STEP_MODE:
		lab->later = cursor_u8(cursor) & 1;
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor cursor;
	struct bot_lab lab;
	uint8_t options;

	cursor_init(&cursor, data, size);
	options = cursor_u8(&cursor);
	bot_lab_open(&lab, N_BLOCKS);
	lab.bot.no_stall = options & 1;
	lab.bot.disk.read_only = options & 2;
	lab.bot.disk.removable = options & 4;
	for (int i = 0; i < STEPS_MAX && cursor_left(&cursor); i++)
		step(&lab, &cursor);
	bot_lab_close(&lab);
	return 0;
}
