/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scsi.c - which command it is and which blocks it means, see scsi.h. */
#include "scsi_priv.h"

#include <errno.h>
#include <string.h>

#include "util.h"

void scsi_init(struct scsi_disk *disk, uint64_t n_blocks, bool read_only, bool removable,
	       const char *serial)
{
	*disk = (struct scsi_disk){.n_blocks = n_blocks,
				   .read_only = read_only,
				   .removable = removable,
				   .attention = SCSI_POWER_ON};
	memcpy(disk->serial, serial, MIN(strlen(serial), SCSI_SERIAL_MAX - 1));
}

void scsi_reset(struct scsi_disk *disk)
{
	disk->sense = SCSI_NO_SENSE;
	disk->attention = SCSI_POWER_ON;
	disk->locked = false;
}

void scsi_fail(struct scsi_disk *disk, uint32_t sense, uint64_t lba)
{
	disk->sense = sense;
	disk->sense_has_lba = true;
	disk->sense_lba = lba;
}

void scsi_refuse(struct scsi_disk *disk, struct scsi_command *command, uint32_t sense)
{
	disk->sense = sense;
	disk->sense_has_lba = false;
	command->action = SCSI_NOTHING;
	command->length = 0;
	command->failed = true;
}

void scsi_reply(struct scsi_command *command, size_t n, size_t allocated)
{
	command->length = MIN(n, allocated);
	command->action = command->length ? SCSI_REPLY : SCSI_NOTHING;
}

uint32_t scsi_sense_of_errno(int err, bool writing)
{
	if (err == -ENOSPC || err == -EDQUOT)
		return SCSI_NO_SPACE;
	if (err == -EROFS || err == -EPERM || err == -EACCES)
		return SCSI_WRITE_PROTECTED;
	return writing ? SCSI_WRITE_ERROR : SCSI_READ_ERROR;
}

/* Blocks of READ, WRITE and VERIFY, by the length of the command. */
static uint32_t blocks_of(const uint8_t *cdb, uint64_t *lba)
{
	switch (cdb[0] >> 5) {
	case 0:
		*lba = scsi_be32(cdb) & 0x1fffff;
		return cdb[4] ? cdb[4] : 256;
	case 4:
		*lba = scsi_be64(cdb + 2);
		return scsi_be32(cdb + 10);
	case 5:
		*lba = scsi_be32(cdb + 2);
		return scsi_be32(cdb + 6);
	}
	*lba = scsi_be32(cdb + 2);
	return scsi_be16(cdb + 7);
}

static void move_blocks(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command,
			enum scsi_action action)
{
	uint32_t n = blocks_of(cdb, &command->lba);

	if (command->lba >= disk->n_blocks + (n == 0) || n > disk->n_blocks - command->lba) {
		scsi_refuse(disk, command, SCSI_LBA_OUT_OF_RANGE);
		disk->sense_has_lba = true;
		disk->sense_lba = command->lba;
		return;
	}
	command->length = (uint64_t)n * SCSI_BLOCK_BYTES;
	command->action = n ? action : SCSI_NOTHING;
}

/* Protection information (the three top bits) needs a medium that has it. Six-byte commands have an
 * address there. */
static bool wants_protection(const uint8_t *cdb)
{
	return cdb[0] >> 5 && cdb[1] >> 5;
}

static void read_blocks(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command)
{
	if (wants_protection(cdb))
		scsi_refuse(disk, command, SCSI_INVALID_FIELD);
	else
		move_blocks(disk, cdb, command, SCSI_READ);
}

static void write_blocks(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command)
{
	if (wants_protection(cdb)) {
		scsi_refuse(disk, command, SCSI_INVALID_FIELD);
	} else if (disk->read_only) {
		scsi_refuse(disk, command, SCSI_WRITE_PROTECTED);
	} else {
		command->through = cdb[0] >> 5 && cdb[1] & 0x08;
		move_blocks(disk, cdb, command, SCSI_WRITE);
	}
}

static void verify(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command)
{
	/* BYTCHK: to compare with data of the host. */
	if (wants_protection(cdb) || cdb[1] & 0x06)
		scsi_refuse(disk, command, SCSI_INVALID_FIELD);
	else
		move_blocks(disk, cdb, command, SCSI_VERIFY);
}

static void synchronize(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command)
{
	move_blocks(disk, cdb, command, SCSI_SYNC);
	if (command->failed)
		return;
	command->length = 0;
	command->action = SCSI_SYNC;
}

static void start_stop(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command)
{
	bool start = cdb[4] & 0x01, load_eject = cdb[4] & 0x02;

	if (cdb[4] >> 4) /* power conditions: there is but one */
		return;
	if (load_eject && !disk->removable) {
		scsi_refuse(disk, command, SCSI_INVALID_FIELD);
	} else if (load_eject && !start && disk->locked) {
		scsi_refuse(disk, command, SCSI_REMOVAL_PREVENTED);
	} else {
		if (load_eject && start && disk->ejected)
			disk->attention = SCSI_MEDIUM_CHANGED;
		if (load_eject)
			disk->ejected = !start;
		disk->stopped = !start;
		command->action = start ? SCSI_NOTHING : SCSI_SYNC;
	}
}

static void prevent_allow(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command)
{
	disk->locked = disk->removable && cdb[4] & 0x01;
}

static void send_diagnostic(struct scsi_disk *disk, const uint8_t *cdb,
			    struct scsi_command *command)
{
	/* The self-test passes; there are no other diagnostics. */
	if (!(cdb[1] & 0x04) || scsi_be16(cdb + 3))
		scsi_refuse(disk, command, SCSI_INVALID_FIELD);
}

static void test_unit_ready(struct scsi_disk *disk, const uint8_t *cdb,
			    struct scsi_command *command)
{
}

/* What a command needs before it is looked at. */
#define ALWAYS	  0x1 /* is answered whatever happened */
#define MEDIUM	  0x2
#define SPINNING  0x4
#define READY	  (MEDIUM | SPINNING)
#define ANY_STATE 0

static const struct row {
	uint8_t opcode, needs;
	void (*handle)(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command);
} rows[] = {
	{0x00, READY, test_unit_ready},
	{0x03, ALWAYS, scsi_request_sense},
	{0x08, READY, read_blocks},
	{0x0a, READY, write_blocks},
	{0x12, ALWAYS, scsi_inquiry},
	{0x1a, ANY_STATE, scsi_mode_sense},
	{0x1b, ANY_STATE, start_stop},
	{0x1d, ANY_STATE, send_diagnostic},
	{0x1e, MEDIUM, prevent_allow},
	{0x23, ANY_STATE, scsi_format_capacities},
	{0x25, READY, scsi_read_capacity},
	{0x28, READY, read_blocks},
	{0x2a, READY, write_blocks},
	{0x2f, READY, verify},
	{0x35, MEDIUM, synchronize},
	{0x5a, ANY_STATE, scsi_mode_sense},
	{0x88, READY, read_blocks},
	{0x8a, READY, write_blocks},
	{0x8f, READY, verify},
	{0x91, MEDIUM, synchronize},
	{0x9e, READY, scsi_service_action},
	{0xa0, ALWAYS, scsi_report_luns},
	{0xa8, READY, read_blocks},
	{0xaa, READY, write_blocks},
	{0xaf, READY, verify},
};

/* Why the command cannot be carried out in this state; SCSI_NO_SENSE: it can. */
static uint32_t obstacle(struct scsi_disk *disk, uint8_t lun, const struct row *row)
{
	uint32_t attention = disk->attention;

	/* A unit that is not there answers these itself. */
	if (lun && (!row || !(row->needs & ALWAYS)))
		return SCSI_NO_SUCH_UNIT;
	if (!row)
		return SCSI_UNKNOWN_COMMAND;
	if (row->needs & ALWAYS)
		return SCSI_NO_SENSE;
	disk->attention = SCSI_NO_SENSE;
	if (attention)
		return attention;
	if (row->needs & MEDIUM && disk->ejected)
		return SCSI_NO_MEDIUM;
	if (row->needs & SPINNING && disk->stopped)
		return SCSI_STOPPED;
	return SCSI_NO_SENSE;
}

void scsi_command(struct scsi_disk *disk, uint8_t lun, const uint8_t cdb[SCSI_CDB_MAX],
		  struct scsi_command *command)
{
	const struct row *row = NULL;
	uint32_t sense;

	command->action = SCSI_NOTHING;
	command->failed = command->through = false;
	command->lba = command->length = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows) && !row; i++)
		if (rows[i].opcode == cdb[0])
			row = &rows[i];
	sense = obstacle(disk, lun, row);
	if (sense) {
		scsi_refuse(disk, command, sense);
		return;
	}
	memset(command->reply, 0, sizeof(command->reply));
	if (row->handle != scsi_request_sense)
		disk->sense = SCSI_NO_SENSE;
	row->handle(disk, cdb, command);
	if (lun && row->handle == scsi_inquiry && !command->failed)
		command->reply[0] = 0x7f; /* no unit here, nor can there be one */
}
