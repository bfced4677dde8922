/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk.c - the file behind a model of a disk, see disk.h. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "bot.h"
#include "disk_io.h"
#include "util.h"

/* Linux Foundation, gadget; drivers go by the class of the interface. */
#define DISK_VID 0x1d6b
#define DISK_PID 0x0104

#define DISK_MAX_PACKET 512

struct disk {
	struct model *model;
	struct bot bot;
	struct disk_io *io;
	sd_event_source *source;
};

static int store_read(void *ctx, uint8_t *data, size_t n, uint64_t offset)
{
	return disk_io_read(((struct disk *)ctx)->io, data, n, offset);
}

static int store_write(void *ctx, const uint8_t *data, size_t n, uint64_t offset, bool through)
{
	return disk_io_write(((struct disk *)ctx)->io, data, n, offset, through);
}

static int store_check(void *ctx, uint8_t *data, size_t n, uint64_t offset)
{
	return disk_io_check(((struct disk *)ctx)->io, data, n, offset);
}

static int store_sync(void *ctx)
{
	return disk_io_sync(((struct disk *)ctx)->io);
}

static void store_halt(void *ctx, uint8_t endpoint)
{
	model_ch9_halt(&((struct disk *)ctx)->model->ch9, endpoint);
}

static int op_control(void *self, const struct usb_ctrlrequest *setup, uint8_t *data)
{
	return bot_control(&((struct disk *)self)->bot, setup, data);
}

static enum model_verdict op_transfer(void *self, struct usb_transfer *transfer, uint64_t now_ns)
{
	struct bot *bot = &((struct disk *)self)->bot;

	return transfer->endpoint & USB_DIR_IN ? bot_in(bot, transfer) : bot_out(bot, transfer);
}

static void op_reset(void *self)
{
	bot_reset(&((struct disk *)self)->bot);
}

static bool op_busy(const void *self, const struct usb_transfer *transfer)
{
	return bot_busy(&((const struct disk *)self)->bot, transfer);
}

static bool op_clear_halt(void *self, uint8_t endpoint)
{
	return bot_clear_halt(&((struct disk *)self)->bot, endpoint);
}

static void op_destroy(void *self)
{
	struct disk *disk = self;

	sd_event_source_disable_unref(disk->source);
	disk_io_destroy(disk->io);
	bot_fini(&disk->bot);
	free(disk);
}

static const struct model_ops disk_ops = {
	.control = op_control,
	.transfer = op_transfer,
	.reset = op_reset,
	.busy = op_busy,
	.clear_halt = op_clear_halt,
	.destroy = op_destroy,
};

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct disk *disk = userdata;
	int rc;

	if (!disk_io_result(disk->io, &rc))
		return 0;
	bot_io_done(&disk->bot, rc);
	disk->model->kick(disk->model); /* may end the disk */
	return 0;
}

/* Opens and locks the file; a descriptor or -errno. */
static int open_file(const struct model_spec *spec, struct stat *st, char *error, size_t error_size)
{
	int flags = O_CLOEXEC | O_NONBLOCK | (spec->read_only ? O_RDONLY : O_RDWR), fd, rc;

	/* A block device that is mounted must not be written behind the kernel's back. */
	if (!spec->read_only && !stat(spec->path, st) && S_ISBLK(st->st_mode))
		flags |= O_EXCL;
	fd = open(spec->path, flags);
	rc = -errno;
	if (fd < 0) {
		snprintf(error, error_size, "cannot open '%.200s' to %s: %s%s", spec->path,
			 spec->read_only ? "read" : "read and write", strerror(-rc),
			 rc == -EROFS || rc == -EACCES
				 ? (spec->read_only ? "" : "; the option readonly may help")
				 : "");
		return rc;
	}
	if (fstat(fd, st) || flock(fd, (spec->read_only ? LOCK_SH : LOCK_EX) | LOCK_NB)) {
		rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
		snprintf(error, error_size, "'%.200s' is in use by another disk or program (%s)",
			 spec->path, strerror(-rc));
		close(fd);
		return rc;
	}
	return fd;
}

/* Blocks in the file, or -EINVAL. */
static int64_t count_blocks(int fd, const struct stat *st, const char *path, char *error,
			    size_t error_size)
{
	uint64_t size = (uint64_t)st->st_size;

	if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode)) {
		snprintf(error, error_size, "'%.200s' is neither a file nor a block device", path);
		return -EINVAL;
	}
	if (S_ISBLK(st->st_mode) && ioctl(fd, BLKGETSIZE64, &size)) {
		int rc = -errno;

		snprintf(error, error_size, "cannot tell the size of '%.200s': %s", path,
			 strerror(-rc));
		return rc;
	}
	if (!size)
		snprintf(error, error_size,
			 "'%.200s' is empty; a disk has at least one block of %u bytes", path,
			 SCSI_BLOCK_BYTES);
	else if (size % SCSI_BLOCK_BYTES)
		snprintf(error, error_size,
			 "'%.200s' has %llu bytes, which is not a multiple of %u: %llu bytes too "
			 "many (or the "
			 "image is cut)",
			 path, (unsigned long long)size, SCSI_BLOCK_BYTES,
			 (unsigned long long)size % SCSI_BLOCK_BYTES);
	else
		return (int64_t)(size / SCSI_BLOCK_BYTES);
	return -EINVAL;
}

/* The same file has the same serial number: 12 hexadecimal digits, as Bulk-Only Transport wants. */
static void default_serial(const char *path, char serial[MODEL_SERIAL_MAX])
{
	char real[PATH_MAX];
	uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a */

	for (const char *c = realpath(path, real) ? real : path; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 0x100000001b3ull;
	snprintf(serial, MODEL_SERIAL_MAX, "%012llX",
		 (unsigned long long)(hash & 0xffffffffffffull));
}

static void describe(struct model_desc *desc, const char *serial)
{
	static const uint8_t scsi_bulk_only[3] = {USB_CLASS_MASS_STORAGE, 0x06, 0x50};

	model_desc_init(desc, USB_SPEED_HIGH, DISK_VID, DISK_PID, "Model Disk", serial);
	model_desc_interface(desc, 0, 0, scsi_bulk_only, NULL);
	model_desc_endpoint(desc, BOT_ENDPOINT_IN, USB_ENDPOINT_XFER_BULK, DISK_MAX_PACKET, 0);
	model_desc_endpoint(desc, BOT_ENDPOINT_OUT, USB_ENDPOINT_XFER_BULK, DISK_MAX_PACKET, 0);
}

int disk_create(struct model *model, const struct model_spec *spec, sd_event *event, char *error,
		size_t error_size)
{
	struct bot_store store = {store_read, store_write, store_check,
				  store_sync, store_halt,  NULL};
	char serial[MODEL_SERIAL_MAX];
	struct disk *disk;
	struct stat st = {0};
	int fd = open_file(spec, &st, error, error_size);
	int64_t n_blocks = fd < 0 ? fd : count_blocks(fd, &st, spec->path, error, error_size);
	int rc;

	if (n_blocks < 0) {
		xb_close_fd(&fd);
		return (int)n_blocks;
	}
	disk = xb_calloc(1, sizeof(*disk));
	rc = disk_io_create(&disk->io, fd);
	if (rc) {
		snprintf(error, error_size, "no thread for '%.200s': %s", spec->path,
			 strerror(-rc));
		free(disk);
		return rc;
	}
	strcpy(serial, spec->serial);
	if (!*serial)
		default_serial(spec->path, serial);
	store.ctx = disk;
	bot_init(&disk->bot, &store, DISK_MAX_PACKET);
	disk->bot.no_stall = spec->no_stall;
	scsi_init(&disk->bot.disk, (uint64_t)n_blocks, spec->read_only, spec->removable, serial);
	describe(&model->desc, serial);
	disk->model = model;
	model->ops = &disk_ops;
	model->self = disk;
	rc = sd_event_add_io(event, &disk->source, disk_io_fd(disk->io), EPOLLIN, on_io, disk);
	if (rc < 0)
		snprintf(error, error_size, "cannot watch '%.200s': %s", spec->path, strerror(-rc));
	return MIN(rc, 0);
}
