/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bot.c - Bulk-Only Transport, see bot.h. */
#include "bot.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "cursor.h"
#include "util.h"

#define CBW_SIGNATURE 0x43425355u
#define CSW_SIGNATURE 0x53425355u

/* bCSWStatus */
#define CSW_GOOD	0
#define CSW_FAILED	1
#define CSW_PHASE_ERROR 2

void bot_init(struct bot *bot, const struct bot_store *store, uint16_t max_packet)
{
	memset(bot, 0, sizeof(*bot));
	bot->store = *store;
	bot->max_packet = max_packet;
	bot->buffer = xb_calloc(1, BOT_BUFFER_BYTES);
}

void bot_fini(struct bot *bot)
{
	free(bot->buffer);
}

/* Forgets the command; a job of the store that still runs ends unheard. */
static void begin(struct bot *bot)
{
	bot->state = BOT_COMMAND;
	bot->buffer_used = bot->buffer_taken = 0;
	if (bot->io != BOT_IO_NONE)
		bot->io = BOT_IO_STALE;
}

void bot_reset(struct bot *bot)
{
	begin(bot);
	bot->in_halted = bot->out_halted = false;
	scsi_reset(&bot->disk);
}

bool bot_clear_halt(struct bot *bot, uint8_t endpoint)
{
	if (bot->state == BOT_BROKEN)
		return false;
	if (endpoint & USB_DIR_IN)
		bot->in_halted = false;
	else
		bot->out_halted = false;
	return true;
}

bool bot_busy(const struct bot *bot, const struct usb_transfer *transfer)
{
	return bot->io != BOT_IO_NONE && bot->io_transfer == transfer;
}

int bot_control(struct bot *bot, const struct usb_ctrlrequest *setup, uint8_t *data)
{
	const uint8_t class_out = USB_TYPE_CLASS | USB_RECIP_INTERFACE;
	bool plain = !setup->wValue && !setup->wIndex;

	if (setup->bRequestType == class_out && setup->bRequest == BOT_REQUEST_RESET && plain &&
	    !setup->wLength) {
		begin(bot);
		return 0;
	}
	if (setup->bRequestType == (class_out | USB_DIR_IN) &&
	    setup->bRequest == BOT_REQUEST_MAX_LUN && plain && setup->wLength) {
		data[0] = 0;
		return 1;
	}
	return -EPIPE;
}

static void halt_in(struct bot *bot)
{
	bot->in_halted = true;
	bot->store.halt(bot->store.ctx, BOT_ENDPOINT_IN);
}

static void halt_out(struct bot *bot)
{
	bot->out_halted = true;
	bot->store.halt(bot->store.ctx, BOT_ENDPOINT_OUT);
}

/* Nothing will be moved or worked on any more: what does the host still wait for, or still have? */
static void settle(struct bot *bot)
{
	bot->state = BOT_STATUS;
	if (bot->moved >= bot->expected || bot->host_stopped)
		return;
	if (bot->no_stall)
		bot->state = bot->host_in ? BOT_DATA_IN : BOT_DISCARD;
	else if (bot->host_in)
		halt_in(bot);
	else
		halt_out(bot);
}

static void fail(struct bot *bot, int err, uint64_t done)
{
	bool reading = bot->command.action == SCSI_READ || bot->command.action == SCSI_VERIFY;

	scsi_fail(&bot->disk, scsi_sense_of_errno(err, !reading),
		  bot->command.lba + done / SCSI_BLOCK_BYTES);
	bot->status = CSW_FAILED;
	bot->wanted = bot->moved;
	bot->buffer_used = bot->buffer_taken = 0;
	settle(bot);
}

static void write_ended(struct bot *bot, size_t n, int rc)
{
	bot->buffer_used = 0;
	if (rc) {
		fail(bot, rc, bot->worked);
		return;
	}
	bot->worked += n;
	if (bot->moved == bot->wanted)
		settle(bot);
}

/* True: there are more blocks to look at. */
static bool check_ended(struct bot *bot, size_t n, int rc)
{
	if (rc) {
		fail(bot, rc, bot->worked);
		return false;
	}
	bot->worked += n;
	if (bot->worked < bot->command.length)
		return true;
	settle(bot);
	return false;
}

static void check(struct bot *bot)
{
	uint64_t at = bot->command.lba * SCSI_BLOCK_BYTES;
	size_t n;
	int rc;

	do {
		n = MIN(bot->command.length - bot->worked, BOT_BUFFER_BYTES);
		rc = bot->store.check(bot->store.ctx, bot->buffer, n, at + bot->worked);
		if (rc == -EINPROGRESS) {
			bot->io = BOT_IO_CHECK;
			bot->io_bytes = n;
			return;
		}
	} while (check_ended(bot, n, rc));
}

static void io_ended(struct bot *bot, int rc)
{
	struct usb_transfer *transfer = bot->io_transfer;
	enum bot_io io = bot->io;

	bot->io = BOT_IO_NONE;
	bot->io_transfer = NULL;
	switch (io) {
	case BOT_IO_READ:
		if (rc) {
			fail(bot, rc, bot->moved);
			break;
		}
		transfer->actual += (uint32_t)bot->io_bytes;
		bot->moved += bot->io_bytes;
		break;
	case BOT_IO_FILL:
		if (rc)
			fail(bot, rc, bot->moved);
		else
			bot->buffer_used = bot->io_bytes;
		break;
	case BOT_IO_WRITE: /* its bytes were taken, whatever became of them */
		transfer->actual += (uint32_t)bot->io_bytes;
		bot->moved += bot->io_bytes;
		write_ended(bot, bot->io_bytes, rc);
		break;
	case BOT_IO_FLUSH:
		write_ended(bot, bot->io_bytes, rc);
		break;
	case BOT_IO_CHECK:
		if (check_ended(bot, bot->io_bytes, rc))
			check(bot);
		break;
	case BOT_IO_SYNC:
		if (rc)
			fail(bot, rc, 0);
		else
			settle(bot);
		break;
	case BOT_IO_STALE:
	case BOT_IO_NONE:
		break;
	}
}

void bot_io_done(struct bot *bot, int rc)
{
	assert(bot->io != BOT_IO_NONE);
	io_ended(bot, rc);
}

/* The store said rc to an operation on n bytes. */
static void io_started(struct bot *bot, enum bot_io io, size_t n, struct usb_transfer *transfer,
		       int rc)
{
	bot->io = io;
	bot->io_bytes = n;
	bot->io_transfer = transfer;
	if (rc != -EINPROGRESS)
		io_ended(bot, rc);
}

/* Byte of the file that the next one over the pipe belongs to. */
static uint64_t offset(const struct bot *bot, uint64_t done)
{
	return bot->command.lba * SCSI_BLOCK_BYTES + done;
}

/* The command is known: which of the thirteen cases is it? */
static void agree(struct bot *bot)
{
	enum scsi_action action = bot->command.action;
	bool in = action == SCSI_READ || action == SCSI_REPLY, out = action == SCSI_WRITE;
	uint64_t length = bot->command.length;

	if ((in || out) &&
	    (!bot->expected || bot->host_in != in || (out && length > bot->expected))) {
		bot->status = CSW_PHASE_ERROR; /* 2, 3, 8, 10, 13 */
		settle(bot);
		return;
	}
	switch (action) {
	case SCSI_NOTHING: /* 1, 4, 9 */
		settle(bot);
		break;
	case SCSI_REPLY:
	case SCSI_READ: /* 5, 6, 7 */
		bot->wanted = MIN(length, bot->expected);
		if (length > bot->expected)
			bot->status = CSW_PHASE_ERROR;
		bot->state = BOT_DATA_IN;
		break;
	case SCSI_WRITE: /* 11, 12 */
		bot->wanted = length;
		bot->state = BOT_DATA_OUT;
		break;
	case SCSI_VERIFY:
		bot->state = BOT_WORK;
		check(bot);
		break;
	case SCSI_SYNC:
		bot->state = BOT_WORK;
		io_started(bot, BOT_IO_SYNC, 0, NULL, bot->store.sync(bot->store.ctx));
		break;
	}
}

static void invalid_cbw(struct bot *bot)
{
	bot->state = BOT_BROKEN;
	halt_in(bot);
	halt_out(bot);
}

/* A packet where a CBW belongs (6.2: valid, meaningful). */
static void take_cbw(struct bot *bot, const uint8_t *packet, size_t n)
{
	uint8_t flags, lun, n_cdb, cdb[SCSI_CDB_MAX] = {0};
	struct cursor cursor;
	uint32_t signature;

	cursor_init(&cursor, packet, n);
	signature = cursor_le32(&cursor);
	bot->tag = cursor_le32(&cursor);
	bot->expected = cursor_le32(&cursor);
	flags = cursor_u8(&cursor);
	lun = cursor_u8(&cursor) & 0x0f;
	n_cdb = cursor_u8(&cursor) & 0x1f;
	if (n != BOT_CBW_BYTES || signature != CBW_SIGNATURE || !n_cdb || n_cdb > SCSI_CDB_MAX ||
	    !cursor_bytes(&cursor, cdb, n_cdb)) {
		invalid_cbw(bot);
		return;
	}
	bot->host_in = flags & 0x80;
	bot->wanted = bot->moved = bot->discarded = bot->worked = 0;
	bot->buffer_used = bot->buffer_taken = 0;
	bot->host_stopped = false;
	scsi_command(&bot->disk, lun, cdb, &bot->command);
	bot->status = bot->command.failed ? CSW_FAILED : CSW_GOOD;
	agree(bot);
}

/* The host's transfer ends by a packet that is not full. */
static bool is_short(const struct bot *bot, const struct usb_transfer *transfer)
{
	assert(bot->max_packet);
	return transfer->length % bot->max_packet || !transfer->length || transfer->zero_packet;
}

/* Fewer data than the CBW said: whole blocks of them are written. */
static void host_stops(struct bot *bot)
{
	bot->host_stopped = true;
	bot->wanted = bot->moved;
	bot->buffer_used -= bot->buffer_used % SCSI_BLOCK_BYTES;
	if (bot->state == BOT_DISCARD || !bot->buffer_used) {
		settle(bot);
		return;
	}
	bot->state = BOT_WORK;
	io_started(bot, BOT_IO_FLUSH, bot->buffer_used, NULL,
		   bot->store.write(bot->store.ctx, bot->buffer, bot->buffer_used,
				    offset(bot, bot->worked), bot->command.through));
}

/* Takes bytes of the data phase. */
static void take_data(struct bot *bot, struct usb_transfer *transfer)
{
	uint64_t left = bot->wanted - bot->moved;
	size_t n = MIN(left, transfer->length - transfer->actual);
	const uint8_t *data = transfer->data + transfer->actual;

	if (!bot->buffer_used && (n == left || n >= BOT_DIRECT_BYTES) && !(n % SCSI_BLOCK_BYTES)) {
		io_started(bot, BOT_IO_WRITE, n, transfer,
			   bot->store.write(bot->store.ctx, data, n, offset(bot, bot->moved),
					    bot->command.through));
		return;
	}
	n = MIN(n, BOT_BUFFER_BYTES - bot->buffer_used);
	memcpy(bot->buffer + bot->buffer_used, data, n);
	bot->buffer_used += n;
	bot->moved += n;
	transfer->actual += (uint32_t)n;
	if (bot->buffer_used == BOT_BUFFER_BYTES || bot->moved == bot->wanted)
		io_started(bot, BOT_IO_FLUSH, bot->buffer_used, NULL,
			   bot->store.write(bot->store.ctx, bot->buffer, bot->buffer_used,
					    offset(bot, bot->worked), bot->command.through));
}

static void discard(struct bot *bot, struct usb_transfer *transfer)
{
	uint64_t left = bot->expected - bot->moved - bot->discarded;
	size_t n = MIN(left, transfer->length - transfer->actual);

	transfer->actual += (uint32_t)n;
	bot->discarded += n;
	if (n == left)
		bot->state = BOT_STATUS;
}

enum model_verdict bot_out(struct bot *bot, struct usb_transfer *transfer)
{
	while (bot->io == BOT_IO_NONE && !bot->out_halted) {
		size_t packet = MIN(transfer->length - transfer->actual, bot->max_packet);
		bool taking = bot->state == BOT_DATA_OUT || bot->state == BOT_DISCARD;

		if (!packet && (transfer->length || taking)) {
			if (taking && is_short(bot, transfer))
				host_stops(bot);
			transfer->status = 0;
			return MODEL_DONE;
		}
		if (bot->state == BOT_DATA_OUT) {
			take_data(bot, transfer);
		} else if (bot->state == BOT_DISCARD) {
			discard(bot, transfer);
		} else if (bot->state == BOT_COMMAND) {
			take_cbw(bot, transfer->data + transfer->actual, packet);
			transfer->actual += (uint32_t)packet;
			if (packet < bot->max_packet || transfer->actual == transfer->length)
				return MODEL_DONE;
		} else {
			return MODEL_WAIT;
		}
	}
	return MODEL_WAIT;
}

/* Puts up to n bytes of the data phase into the transfer, or starts to read them. */
static void give_data(struct bot *bot, struct usb_transfer *transfer, size_t n)
{
	uint64_t left = bot->wanted - bot->moved;
	size_t ready = bot->buffer_used - bot->buffer_taken;
	uint8_t *data = transfer->data + transfer->actual;

	if (bot->command.action == SCSI_REPLY) {
		memcpy(data, bot->command.reply + bot->moved, n);
	} else if (ready) {
		n = MIN(n, ready);
		memcpy(data, bot->buffer + bot->buffer_taken, n);
		bot->buffer_taken += n;
	} else if (n == left || n >= BOT_DIRECT_BYTES) {
		io_started(bot, BOT_IO_READ, n, transfer,
			   bot->store.read(bot->store.ctx, data, n, offset(bot, bot->moved)));
		return;
	} else {
		n = MIN(left, BOT_BUFFER_BYTES);
		bot->buffer_used = bot->buffer_taken = 0;
		io_started(
			bot, BOT_IO_FILL, n, NULL,
			bot->store.read(bot->store.ctx, bot->buffer, n, offset(bot, bot->moved)));
		return;
	}
	bot->moved += n;
	transfer->actual += (uint32_t)n;
}

/* All data were sent, the last ones into this transfer: true when that ends it. */
static bool data_sent(struct bot *bot, const struct usb_transfer *transfer)
{
	bool complete = bot->moved == bot->expected;
	bool is_short = bot->moved % bot->max_packet && transfer->actual;
	bool full = transfer->length && transfer->actual == transfer->length;

	if (!complete && !is_short && bot->no_stall && full)
		return true; /* an empty packet ends the data: in the next transfer */
	bot->state = BOT_STATUS;
	if (complete)
		return is_short;
	if (!bot->no_stall)
		halt_in(bot);
	return is_short || bot->no_stall;
}

static enum model_verdict give_csw(struct bot *bot, struct usb_transfer *transfer)
{
	uint8_t csw[BOT_CSW_BYTES];
	uint64_t residue =
		bot->expected - (bot->command.action == SCSI_WRITE ? bot->worked : bot->moved);

	if (transfer->length - transfer->actual < sizeof(csw)) {
		transfer->status = -EOVERFLOW;
		return MODEL_DONE;
	}
	for (int i = 0; i < 4; i++) {
		csw[i] = (uint8_t)(CSW_SIGNATURE >> 8 * i);
		csw[4 + i] = (uint8_t)(bot->tag >> 8 * i);
		csw[8 + i] = (uint8_t)(residue >> 8 * i);
	}
	csw[12] = bot->status;
	memcpy(transfer->data + transfer->actual, csw, sizeof(csw));
	transfer->actual += sizeof(csw);
	bot->state = BOT_COMMAND;
	return MODEL_DONE;
}

enum model_verdict bot_in(struct bot *bot, struct usb_transfer *transfer)
{
	transfer->status = 0;
	while (bot->io == BOT_IO_NONE && !bot->in_halted) {
		uint64_t left = bot->wanted - bot->moved;
		size_t n = MIN(left, transfer->length - transfer->actual);

		if (bot->state == BOT_DATA_IN && !left && data_sent(bot, transfer))
			return MODEL_DONE;
		if (transfer->length && transfer->actual == transfer->length)
			return MODEL_DONE;
		if (bot->in_halted)
			break;
		if (bot->state == BOT_STATUS)
			return give_csw(bot, transfer);
		if (bot->state != BOT_DATA_IN)
			return MODEL_WAIT;
		if (n < left) /* whole packets */
			n -= n % bot->max_packet;
		if (!n) {
			transfer->status = -EOVERFLOW;
			return MODEL_DONE;
		}
		give_data(bot, transfer, n);
	}
	return MODEL_WAIT;
}
