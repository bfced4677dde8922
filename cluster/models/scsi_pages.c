/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scsi_pages.c - what a disk tells about itself: inquiry, mode pages, capacity, sense. */
#include "scsi_priv.h"

#include <string.h>

#include "util.h"

/* Vendor (8), product (16), revision (4): fields without a NUL. */
static const uint8_t identity[28] = "xenback Model Disk      0100";

static void standard_inquiry(const struct scsi_disk *disk, uint8_t *reply)
{
	reply[1] = disk->removable ? 0x80 : 0;
	reply[2] = 5; /* SPC-3 */
	reply[3] = 2; /* format of this data */
	reply[4] = 36 - 5;
	memcpy(reply + 8, identity, sizeof(identity));
}

/* Page 83h: vendor, product and serial as text, and a name of 8 bytes that follows from the serial.
 */
static size_t identification(const struct scsi_disk *disk, uint8_t *page)
{
	size_t n_text = 24 + strlen(disk->serial);
	uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a */
	uint8_t *naa = page + 8 + n_text;

	page[4] = 0x02; /* ASCII */
	page[5] = 0x01; /* T10 vendor identification, of the logical unit */
	page[7] = (uint8_t)n_text;
	memcpy(page + 8, identity, 24);
	memcpy(page + 32, disk->serial, n_text - 24);
	for (const char *c = disk->serial; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 0x100000001b3ull;
	naa[0] = 0x01; /* binary */
	naa[1] = 0x03; /* NAA */
	naa[3] = 8;
	scsi_put64(naa + 4, 0x3ull << 60 | hash >> 4); /* locally assigned */
	return 4 + n_text + 12;
}

/* Vital product data (SPC-3, 7.6); 0: no such page. */
static size_t vital_page(const struct scsi_disk *disk, uint8_t code, uint8_t *page)
{
	static const uint8_t pages[] = {0x00, 0x80, 0x83};
	size_t n;

	switch (code) {
	case 0x00:
		n = sizeof(pages);
		memcpy(page + 4, pages, n);
		break;
	case 0x80:
		n = strlen(disk->serial);
		memcpy(page + 4, disk->serial, n);
		break;
	case 0x83:
		n = identification(disk, page);
		break;
	default:
		return 0;
	}
	page[1] = code;
	page[3] = (uint8_t)n;
	return 4 + n;
}

void scsi_inquiry(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command)
{
	size_t n = 36;

	if (cdb[1] & 0x01) {
		n = vital_page(disk, cdb[2], command->reply);
	} else if (cdb[2]) {
		n = 0;
	} else {
		standard_inquiry(disk, command->reply);
	}
	if (n)
		scsi_reply(command, n, scsi_be16(cdb + 3));
	else
		scsi_refuse(disk, command, SCSI_INVALID_FIELD);
}

/* Mode pages: recovery of errors, caching, control. What may be changed: nothing. */
static const uint8_t recovery_page[12] = {0x01, 10};
static const uint8_t caching_page[20] = {0x08, 18, 0x04 /* writes are cached */};
static const uint8_t control_page[12] = {0x0a, 10};

static size_t mode_page(uint8_t *at, uint8_t wanted, const uint8_t *page, bool changeable)
{
	size_t n = 2u + page[1];

	if (wanted != 0x3f && wanted != page[0])
		return 0;
	memset(at, 0, n);
	memcpy(at, page, changeable ? 2 : n);
	return n;
}

void scsi_mode_sense(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command)
{
	bool six = cdb[0] == 0x1a, changeable = cdb[2] >> 6 == 1;
	size_t n = six ? 4 : 8, n_header = n, n_pages;
	uint8_t page = cdb[2] & 0x3f, *reply = command->reply;

	if (cdb[2] >> 6 == 3) {
		scsi_refuse(disk, command, SCSI_SAVING_NOT_SUPPORTED);
		return;
	}
	if (!(cdb[1] & 0x08)) { /* a block descriptor, too */
		scsi_put32(reply + n, (uint32_t)MIN(disk->n_blocks, UINT32_MAX));
		scsi_put32(reply + n + 4, SCSI_BLOCK_BYTES);
		reply[n_header - 1] = 8;
		n += 8;
	}
	n_pages = n;
	n += mode_page(reply + n, page, recovery_page, changeable);
	n += mode_page(reply + n, page, caching_page, changeable);
	n += mode_page(reply + n, page, control_page, changeable);
	if (n == n_pages || (cdb[3] && !(page == 0x3f && cdb[3] == 0xff))) {
		scsi_refuse(disk, command, SCSI_INVALID_FIELD);
		return;
	}
	/* Write protection; and that FUA is heard. */
	reply[six ? 2 : 3] = disk->read_only ? 0x90 : 0x10;
	reply[six ? 0 : 1] = (uint8_t)(n - (six ? 1 : 2));
	scsi_reply(command, n, six ? cdb[4] : scsi_be16(cdb + 7));
}

static size_t fixed_sense(const struct scsi_disk *disk, uint8_t *reply)
{
	bool has_lba = disk->sense_has_lba && disk->sense && disk->sense_lba <= UINT32_MAX;

	reply[0] = has_lba ? 0xf0 : 0x70;
	reply[2] = (uint8_t)(disk->sense >> 16);
	if (has_lba)
		scsi_put32(reply + 3, (uint32_t)disk->sense_lba);
	reply[7] = 18 - 8;
	reply[12] = (uint8_t)(disk->sense >> 8);
	reply[13] = (uint8_t)disk->sense;
	return 18;
}

static size_t descriptor_sense(const struct scsi_disk *disk, uint8_t *reply)
{
	reply[0] = 0x72;
	reply[1] = (uint8_t)(disk->sense >> 16);
	reply[2] = (uint8_t)(disk->sense >> 8);
	reply[3] = (uint8_t)disk->sense;
	if (!disk->sense || !disk->sense_has_lba)
		return 8;
	reply[7] = 12;
	reply[9] = 10;
	reply[10] = 0x80; /* valid */
	scsi_put64(reply + 12, disk->sense_lba);
	return 20;
}

void scsi_request_sense(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command)
{
	size_t n;

	if (!disk->sense && disk->attention) {
		disk->sense = disk->attention;
		disk->sense_has_lba = false;
		disk->attention = SCSI_NO_SENSE;
	}
	n = cdb[1] & 0x01 ? descriptor_sense(disk, command->reply)
			  : fixed_sense(disk, command->reply);
	disk->sense = SCSI_NO_SENSE;
	scsi_reply(command, n, cdb[4]);
}

void scsi_report_luns(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command)
{
	command->reply[3] = 8; /* one unit, number 0 */
	scsi_reply(command, 16, scsi_be32(cdb + 6));
}

void scsi_read_capacity(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command)
{
	scsi_put32(command->reply, (uint32_t)MIN(disk->n_blocks - 1, UINT32_MAX));
	scsi_put32(command->reply + 4, SCSI_BLOCK_BYTES);
	scsi_reply(command, 8, 8);
}

void scsi_service_action(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command)
{
	if ((cdb[1] & 0x1f) != 0x10) { /* READ CAPACITY (16) */
		scsi_refuse(disk, command, SCSI_INVALID_FIELD);
		return;
	}
	scsi_put64(command->reply, disk->n_blocks - 1);
	scsi_put32(command->reply + 8, SCSI_BLOCK_BYTES);
	scsi_reply(command, 32, scsi_be32(cdb + 10));
}

void scsi_format_capacities(struct scsi_disk *disk, const uint8_t *cdb,
			    struct scsi_command *command)
{
	command->reply[3] = 8;
	scsi_put32(command->reply + 4, (uint32_t)MIN(disk->n_blocks, UINT32_MAX));
	scsi_put32(command->reply + 8, SCSI_BLOCK_BYTES);
	command->reply[8] = disk->ejected ? 3 : 2; /* none there, or formatted */
	scsi_reply(command, 12, scsi_be16(cdb + 7));
}
