/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bot-lab.c - a host and a medium for tests of the Bulk-Only Transport, see bot-lab.h. */
#include "bot-lab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define NOTHING_PENDING 1

static int ended(struct bot_lab *lab, uint64_t end)
{
	int rc = lab->fail && end > lab->fail_at ? lab->fail : 0;

	if (!lab->later)
		return rc;
	if (lab->pending != NOTHING_PENDING)
		abort(); /* one at a time */
	lab->pending = rc;
	return -EINPROGRESS;
}

static void check_range(const struct bot_lab *lab, size_t n, uint64_t offset)
{
	if (!n || n > lab->n_bytes || offset > lab->n_bytes - n)
		abort();
}

static int lab_read(void *ctx, uint8_t *data, size_t n, uint64_t offset)
{
	struct bot_lab *lab = ctx;

	check_range(lab, n, offset);
	lab->n_reads++;
	memcpy(data, lab->medium + offset, n);
	return ended(lab, offset + n);
}

static int lab_write(void *ctx, const uint8_t *data, size_t n, uint64_t offset, bool through)
{
	struct bot_lab *lab = ctx;

	check_range(lab, n, offset);
	lab->n_writes++;
	lab->n_through += through;
	if (!lab->fail || offset + n <= lab->fail_at)
		memcpy(lab->medium + offset, data, n);
	return ended(lab, offset + n);
}

static int lab_sync(void *ctx)
{
	((struct bot_lab *)ctx)->n_syncs++;
	return ended(ctx, UINT64_MAX);
}

static void lab_halt(void *ctx, uint8_t endpoint)
{
	struct bot_lab *lab = ctx;

	if (endpoint & USB_DIR_IN)
		lab->halted_in = true;
	else
		lab->halted_out = true;
}

void bot_lab_open(struct bot_lab *lab, uint32_t n_blocks)
{
	static uint8_t pattern[LAB_BYTES];
	struct bot_store store = {lab_read, lab_write, lab_read, lab_sync, lab_halt, NULL};

	if (!pattern[1])
		for (size_t i = 0; i < LAB_BYTES; i++)
			pattern[i] = (uint8_t)(i ^ i >> 9 ^ i >> 17);
	memset(lab, 0, sizeof(*lab));
	store.ctx = lab;
	lab->pending = NOTHING_PENDING;
	lab->n_bytes = (size_t)n_blocks * SCSI_BLOCK_BYTES;
	lab->medium = xb_calloc(1, lab->n_bytes);
	memcpy(lab->medium, pattern, lab->n_bytes);
	bot_init(&lab->bot, &store, 512);
	scsi_init(&lab->bot.disk, n_blocks, false, false, "LAB0");
	lab->bot.disk.attention = SCSI_NO_SENSE;
}

void bot_lab_close(struct bot_lab *lab)
{
	bot_fini(&lab->bot);
	free(lab->medium);
}

static bool operation_ends(struct bot_lab *lab)
{
	int rc = lab->pending;

	if (rc == NOTHING_PENDING)
		return false;
	lab->pending = NOTHING_PENDING;
	bot_io_done(&lab->bot, rc);
	return true;
}

int bot_lab_transfer(struct bot_lab *lab, uint8_t endpoint, void *data, uint32_t length,
		     uint32_t *actual)
{
	struct usb_transfer transfer = {.endpoint = endpoint,
					.type = USB_ENDPOINT_XFER_BULK,
					.data = data,
					.length = length};
	bool in = endpoint & USB_DIR_IN;
	int rc = 0;

	while (!(in ? lab->halted_in : lab->halted_out)) {
		if ((in ? bot_in : bot_out)(&lab->bot, &transfer) == MODEL_DONE) {
			rc = transfer.status;
			break;
		}
		if (!(in ? lab->halted_in : lab->halted_out) && !operation_ends(lab)) {
			rc = -EAGAIN;
			break;
		}
	}
	if (!rc && transfer.actual < length && (in ? lab->halted_in : lab->halted_out) &&
	    !(in && transfer.actual % 512))
		rc = -EPIPE;
	*actual = transfer.actual;
	return rc;
}

void bot_lab_cbw(struct bot_lab *lab, uint8_t cbw[BOT_CBW_BYTES], const uint8_t *cdb, uint8_t n_cdb,
		 uint32_t expected, bool in)
{
	static const uint8_t signature[4] = {'U', 'S', 'B', 'C'};

	memset(cbw, 0, BOT_CBW_BYTES);
	memcpy(cbw, signature, sizeof(signature));
	lab->tag++;
	memcpy(cbw + 4, &lab->tag, 4);
	memcpy(cbw + 8, &expected, 4);
	cbw[12] = in ? 0x80 : 0;
	cbw[14] = n_cdb;
	memcpy(cbw + 15, cdb, MIN(n_cdb, 16));
}

static bool clear_halt(struct bot_lab *lab, uint8_t endpoint)
{
	bool *halted = endpoint & USB_DIR_IN ? &lab->halted_in : &lab->halted_out;

	if (!bot_clear_halt(&lab->bot, endpoint))
		return false;
	*halted = false;
	return true;
}

static void move_data(struct bot_lab *lab, struct bot_outcome *outcome, uint32_t expected, bool in,
		      uint8_t *data)
{
	uint8_t endpoint = in ? BOT_ENDPOINT_IN : BOT_ENDPOINT_OUT;

	while (outcome->moved < expected) {
		uint32_t left = expected - outcome->moved, actual,
			 n = lab->piece ? lab->piece(lab, left) : left;
		int rc = bot_lab_transfer(lab, endpoint, data + outcome->moved, n, &actual);

		outcome->moved += actual;
		if (rc == -EPIPE) {
			outcome->stalled = true;
			(void)clear_halt(lab, endpoint);
		}
		if (rc || actual < n)
			return;
	}
}

struct bot_outcome bot_lab_run(struct bot_lab *lab, const uint8_t *cdb, uint8_t n_cdb,
			       uint32_t expected, bool in, void *data)
{
	struct bot_outcome outcome = {0};
	uint8_t cbw[BOT_CBW_BYTES], csw[BOT_CSW_BYTES];
	uint32_t actual;
	int rc;

	bot_lab_cbw(lab, cbw, cdb, n_cdb, expected, in);
	outcome.status = bot_lab_transfer(lab, BOT_ENDPOINT_OUT, cbw, sizeof(cbw), &actual);
	if (outcome.status)
		return outcome;
	move_data(lab, &outcome, expected, in, data);
	rc = bot_lab_transfer(lab, BOT_ENDPOINT_IN, csw, sizeof(csw), &actual);
	if (rc == -EPIPE) { /* 5.3.3: once more */
		outcome.stalled = true;
		if (clear_halt(lab, BOT_ENDPOINT_IN))
			rc = bot_lab_transfer(lab, BOT_ENDPOINT_IN, csw, sizeof(csw), &actual);
	}
	outcome.status = rc;
	if (rc)
		return outcome;
	if (actual != sizeof(csw) || memcmp(csw, "USBS", 4) || memcmp(csw + 4, &lab->tag, 4))
		outcome.status = -EPROTO;
	else
		outcome.status = csw[12];
	memcpy(&outcome.residue, csw + 8, 4);
	return outcome;
}

uint32_t bot_lab_sense(struct bot_lab *lab)
{
	static const uint8_t cdb[6] = {0x03, 0, 0, 0, 18};
	uint8_t sense[18] = {0};
	struct bot_outcome outcome = bot_lab_run(lab, cdb, sizeof(cdb), sizeof(sense), true, sense);

	if (outcome.status || outcome.moved != sizeof(sense))
		return UINT32_MAX;
	return (uint32_t)sense[2] << 16 | (uint32_t)sense[12] << 8 | sense[13];
}

void bot_lab_rw10(uint8_t cdb[10], bool write, uint32_t lba, uint16_t n)
{
	memset(cdb, 0, 10);
	cdb[0] = write ? 0x2a : 0x28;
	for (int i = 0; i < 4; i++)
		cdb[2 + i] = (uint8_t)(lba >> (24 - 8 * i));
	cdb[7] = (uint8_t)(n >> 8);
	cdb[8] = (uint8_t)n;
}

uint32_t bot_lab_random(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*seed >> 33) % below;
}
