/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbdisk.c - see usbdisk.h. */
#include "usbdisk.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define CBW_SIGNATURE	0x43425355u
#define CSW_SIGNATURE	0x53425355u
#define TRIES		3u
#define SUBCLASS_SCSI	6
#define PROTOCOL_BULK	0x50
#define REQUEST_RESET	0xff /* Bulk-Only Mass Storage Reset */
#define REQUEST_MAX_LUN 0xfe

#define SCSI_TEST_UNIT_READY 0x00
#define SCSI_REQUEST_SENSE   0x03
#define SCSI_INQUIRY	     0x12
#define SCSI_READ_CAPACITY   0x25
#define SCSI_READ_10	     0x28
#define SCSI_WRITE_10	     0x2a
#define SCSI_SYNC_CACHE	     0x35

#define SENSE_NOT_READY	     0x02
#define SENSE_UNIT_ATTENTION 0x06
#define SENSE_DATA_PROTECT   0x07

/* The wrappers as on the wire, little endian. */
struct cbw {
	uint32_t signature, tag, length;
	uint8_t flags, lun, cb_length, cb[16];
} __attribute__((packed));

struct csw {
	uint32_t signature, tag, residue;
	uint8_t status;
} __attribute__((packed));

struct usbdisk {
	struct usbdev *dev;
	uint64_t timeout_ns;
	uint8_t interface, in, out;
	uint32_t tag;
	uint32_t sense;
	struct usbdisk_info info;
	struct usbdisk_stats stats;
};

/* A SCSI command with its data. */
struct command {
	uint8_t cb[16], cb_length;
	bool in;
	void *data;
	uint32_t length;
	uint32_t moved;
};

/* --- transport --- */

static uint64_t deadline(const struct usbdisk *disk)
{
	return usbdev_bus_now(usbdev_bus(disk->dev)) + disk->timeout_ns;
}

static int clear_halt(struct usbdisk *disk, uint8_t endpoint)
{
	disk->stats.stalls++;
	return usbdev_clear_halt(disk->dev, endpoint, deadline(disk));
}

static int send_wrapper(struct usbdisk *disk, const struct command *command, uint64_t deadline_ns)
{
	struct cbw cbw = {.signature = htole32(CBW_SIGNATURE),
			  .tag = htole32(++disk->tag),
			  .length = htole32(command->length),
			  .flags = command->in ? USB_DIR_IN : 0,
			  .cb_length = command->cb_length};
	int rc;

	memcpy(cbw.cb, command->cb, sizeof(cbw.cb));
	rc = usbdev_transfer(disk->dev, disk->out, &cbw, sizeof(cbw), deadline_ns);
	if (rc < 0)
		return rc;
	return rc == sizeof(cbw) ? 0 : -EPROTO;
}

static int move_data(struct usbdisk *disk, struct command *command, uint64_t deadline_ns)
{
	uint8_t endpoint = command->in ? disk->in : disk->out;
	int rc;

	if (command->length == 0)
		return 0;
	rc = usbdev_list(disk->dev, endpoint, command->data, command->length, &command->moved,
			 deadline_ns);
	if (rc == -EPIPE)
		return clear_halt(disk, endpoint);
	return rc == -EREMOTEIO ? 0 : rc; /* short: the status says why */
}

/* The command's end: 0, 1 = failed, -errno of the transport. */
static int take_status(struct usbdisk *disk, struct command *command, uint64_t deadline_ns)
{
	struct csw csw;
	int rc = usbdev_transfer(disk->dev, disk->in, &csw, sizeof(csw), deadline_ns);

	if (rc == -EPIPE) {
		rc = clear_halt(disk, disk->in);
		if (rc >= 0)
			rc = usbdev_transfer(disk->dev, disk->in, &csw, sizeof(csw), deadline_ns);
	} else if (rc == 0) { /* what was left of the data */
		rc = usbdev_transfer(disk->dev, disk->in, &csw, sizeof(csw), deadline_ns);
	}
	if (rc < 0)
		return rc;
	if (rc != sizeof(csw) || le32toh(csw.signature) != CSW_SIGNATURE ||
	    le32toh(csw.tag) != disk->tag || le32toh(csw.residue) > command->length)
		return -EPROTO;
	command->moved = MIN(command->moved, command->length - le32toh(csw.residue));
	return csw.status <= 1 ? csw.status : -EPROTO; /* 2: phase error */
}

/* Once: 0, 1 = the command failed, -errno of the transport. */
static int carry(struct usbdisk *disk, struct command *command)
{
	uint64_t deadline_ns = deadline(disk);
	int rc;

	disk->stats.commands++;
	command->moved = 0;
	rc = send_wrapper(disk, command, deadline_ns);
	if (rc == 0)
		rc = move_data(disk, command, deadline_ns);
	if (rc == 0)
		rc = take_status(disk, command, deadline_ns);
	disk->stats.timeouts += rc == -ETIMEDOUT;
	return rc;
}

/* What Linux does after a transport error: reset of the port, else that of the class. */
static int recover(struct usbdisk *disk)
{
	int rc;

	disk->stats.resets++;
	rc = usbdev_reset(disk->dev, deadline(disk));
	if (rc == 0 || rc == -ENODEV || rc == -ENOTCONN)
		return rc;
	rc = usbdev_control(disk->dev, USB_TYPE_CLASS | USB_RECIP_INTERFACE, REQUEST_RESET, 0,
			    disk->interface, NULL, 0, deadline(disk));
	if (rc >= 0)
		rc = usbdev_clear_halt(disk->dev, disk->in, deadline(disk));
	return rc < 0 ? rc : usbdev_clear_halt(disk->dev, disk->out, deadline(disk));
}

static void ask_sense(struct usbdisk *disk)
{
	uint8_t data[18] = {0};
	struct command command = {.cb = {SCSI_REQUEST_SENSE, 0, 0, 0, sizeof(data)},
				  .cb_length = 6,
				  .in = true,
				  .data = data,
				  .length = sizeof(data)};

	disk->sense = 0;
	if (carry(disk, &command) == 0 && command.moved >= 14)
		disk->sense = (uint32_t)(data[2] & 15) << 16 | (uint32_t)data[12] << 8 | data[13];
}

/* 0, -EIO with sense, or the transport's -errno when it stays so. */
static int run(struct usbdisk *disk, struct command *command)
{
	int rc = 0, failure;

	for (unsigned int i = 0; i < TRIES; i++) {
		disk->stats.retries += i > 0;
		rc = carry(disk, command);
		if (rc == 0)
			return 0;
		if (rc == 1) {
			ask_sense(disk);
			rc = disk->sense >> 16 == SENSE_DATA_PROTECT ? -EROFS : -EIO;
			if (disk->sense >> 16 == SENSE_UNIT_ATTENTION)
				continue; /* that a medium came, or a reset: once more */
			return rc;
		}
		if (rc == -ENODEV || rc == -ENOTCONN || rc == -EIO)
			return rc;
		failure = rc;
		rc = recover(disk);
		if (rc < 0)
			return rc;
		rc = failure;
	}
	return rc;
}

/* --- blocks --- */

static int move_blocks(struct usbdisk *disk, uint8_t code, uint64_t lba, uint32_t n_blocks,
		       uint8_t *data)
{
	uint32_t most = USBDISK_COMMAND_BYTES / disk->info.block_bytes;
	int rc = 0;

	if (lba > disk->info.n_blocks || n_blocks > disk->info.n_blocks - lba)
		return -ERANGE;
	while (n_blocks > 0 && rc == 0) {
		uint32_t n = MIN(n_blocks, most), bytes = n * disk->info.block_bytes;
		struct command command = {
			.cb_length = 10, .in = code == SCSI_READ_10, .data = data, .length = bytes};
		uint32_t lba32 = htobe32((uint32_t)lba);
		uint16_t n16 = htobe16((uint16_t)n);

		command.cb[0] = code;
		memcpy(command.cb + 2, &lba32, sizeof(lba32));
		memcpy(command.cb + 7, &n16, sizeof(n16));
		rc = run(disk, &command);
		if (rc == 0 && command.moved != bytes)
			rc = -EIO;
		data += bytes;
		lba += n;
		n_blocks -= n;
	}
	return rc;
}

int usbdisk_read(struct usbdisk *disk, uint64_t lba, uint32_t n_blocks, void *data)
{
	return move_blocks(disk, SCSI_READ_10, lba, n_blocks, data);
}

int usbdisk_write(struct usbdisk *disk, uint64_t lba, uint32_t n_blocks, const void *data)
{
	return move_blocks(disk, SCSI_WRITE_10, lba, n_blocks, (uint8_t *)data);
}

int usbdisk_flush(struct usbdisk *disk)
{
	struct command command = {.cb = {SCSI_SYNC_CACHE}, .cb_length = 10};

	return run(disk, &command);
}

/* --- birth --- */

static int find_interface(struct usbdisk *disk)
{
	const struct usbdesc_config *config = &usbdev_info(disk->dev)->config;

	for (unsigned int i = 0; i < config->n_alts; i++) {
		const struct usbdesc_alt *alt = &config->alts[i];
		const struct usbdesc_endpoint *in, *out;

		if (alt->class != USB_CLASS_MASS_STORAGE || alt->subclass != SUBCLASS_SCSI ||
		    alt->protocol != PROTOCOL_BULK || alt->alternate != 0)
			continue;
		in = usbdesc_find(alt, USB_ENDPOINT_XFER_BULK, USB_DIR_IN);
		out = usbdesc_find(alt, USB_ENDPOINT_XFER_BULK, USB_DIR_OUT);
		if (!in || !out)
			continue;
		disk->interface = alt->interface;
		disk->in = in->address;
		disk->out = out->address;
		return 0;
	}
	return -ENXIO;
}

static void copy_text(char *to, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from[i] >= ' ' && from[i] < 127 ? (char)from[i] : ' ';
	to[n] = '\0';
	while (n > 0 && to[n - 1] == ' ')
		to[--n] = '\0';
}

static int inquire(struct usbdisk *disk)
{
	uint8_t data[36] = {0};
	struct command command = {.cb = {SCSI_INQUIRY, 0, 0, 0, sizeof(data)},
				  .cb_length = 6,
				  .in = true,
				  .data = data,
				  .length = sizeof(data)};
	int rc = run(disk, &command);

	if (rc < 0)
		return rc;
	copy_text(disk->info.vendor, data + 8, 8);
	copy_text(disk->info.product, data + 16, 16);
	copy_text(disk->info.revision, data + 32, 4);
	return 0;
}

static int wait_ready(struct usbdisk *disk)
{
	struct command command = {.cb = {SCSI_TEST_UNIT_READY}, .cb_length = 6};
	int rc = run(disk, &command);

	return rc == -EIO && disk->sense >> 16 == SENSE_NOT_READY ? -ENOMEDIUM : rc;
}

static int read_capacity(struct usbdisk *disk)
{
	uint8_t data[8] = {0};
	struct command command = {.cb = {SCSI_READ_CAPACITY},
				  .cb_length = 10,
				  .in = true,
				  .data = data,
				  .length = sizeof(data)};
	uint32_t last, bytes;
	int rc = run(disk, &command);

	if (rc < 0)
		return rc;
	memcpy(&last, data, sizeof(last));
	memcpy(&bytes, data + 4, sizeof(bytes));
	disk->info.n_blocks = (uint64_t)be32toh(last) + 1;
	disk->info.block_bytes = be32toh(bytes);
	bytes = disk->info.block_bytes;
	return command.moved == sizeof(data) && bytes >= 512 && bytes <= 4096 &&
			       (bytes & (bytes - 1)) == 0
		       ? 0
		       : -EPROTO;
}

int usbdisk_open(struct usbdisk **out, struct usbdev *dev, uint64_t timeout_ns, char *error,
		 size_t error_size)
{
	struct usbdisk *disk = xb_calloc(1, sizeof(*disk));
	const char *step = "no mass storage interface (SCSI, Bulk-Only)";
	uint8_t lun = 0;
	int rc;

	disk->dev = dev;
	disk->timeout_ns = timeout_ns;
	rc = find_interface(disk);
	if (rc == 0) { /* a device with one unit may stall this */
		step = "INQUIRY";
		usbdev_control(dev, USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE,
			       REQUEST_MAX_LUN, 0, disk->interface, &lun, 1, deadline(disk));
		rc = inquire(disk);
	}
	if (rc == 0) {
		step = "TEST UNIT READY";
		rc = wait_ready(disk);
	}
	if (rc == 0) {
		step = "READ CAPACITY";
		rc = read_capacity(disk);
	}
	if (rc < 0) {
		snprintf(error, error_size, "%s: %s", step, strerror(-rc));
		usbdisk_close(disk);
		return rc;
	}
	*out = disk;
	return 0;
}

void usbdisk_close(struct usbdisk *disk)
{
	free(disk);
}

const struct usbdisk_info *usbdisk_info(const struct usbdisk *disk)
{
	return &disk->info;
}

const struct usbdisk_stats *usbdisk_stats(const struct usbdisk *disk)
{
	return &disk->stats;
}

uint32_t usbdisk_sense(const struct usbdisk *disk)
{
	return disk->sense;
}
