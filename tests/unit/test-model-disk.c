/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-model-disk.c - a disk on real files: what a host sees of it, files that are no disks,
 * errors. */
#include "cluster/models/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "cluster/models/bot.h"
#include "cluster/models/models.h"
#include "usb-host-lab.h"
#include "util.h"

#define BULK	   USB_ENDPOINT_XFER_BULK
#define IMAGE_SIZE (4u << 20)

static char dir[64], image[80];
static uint8_t data[IMAGE_SIZE];

static int make_image(void **state)
{
	int fd;

	strcpy(dir, "/tmp/xb-disk-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(image, sizeof(image), "%s/image", dir);
	fd = open(image, O_CREAT | O_WRONLY, 0600);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 ^ i >> 9);
	assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
	close(fd);
	return 0;
}

static int remove_image(void **state)
{
	unlink(image);
	return rmdir(dir);
}

static void open_disk(struct usb_lab *lab, const char *options)
{
	char spec[160];

	snprintf(spec, sizeof(spec), "disk,file=%s%s", image, options);
	lab_open(lab, spec);
}

/* A command of ten bytes: its status, or -errno. in: bytes expected, else sent. */
static int command(struct usb_lab *lab, const uint8_t *cdb, uint32_t length, bool in, void *bytes)
{
	uint8_t cbw[BOT_CBW_BYTES] = {'U', 'S', 'B', 'C', 1, 2, 3, 4}, csw[BOT_CSW_BYTES];
	int rc;

	memcpy(cbw + 8, &length, 4);
	cbw[12] = in ? 0x80 : 0;
	cbw[14] = 10;
	memcpy(cbw + 15, cdb, 10);
	rc = lab_bulk(lab, BOT_ENDPOINT_OUT, cbw, sizeof(cbw));
	if (rc != sizeof(cbw))
		return rc;
	if (length &&
	    lab_bulk(lab, in ? BOT_ENDPOINT_IN : BOT_ENDPOINT_OUT, bytes, length) == -EPIPE)
		lab_clear_halt(lab, in ? BOT_ENDPOINT_IN : BOT_ENDPOINT_OUT);
	rc = lab_bulk(lab, BOT_ENDPOINT_IN, csw, sizeof(csw));
	if (rc == -EPIPE) {
		lab_clear_halt(lab, BOT_ENDPOINT_IN);
		rc = lab_bulk(lab, BOT_ENDPOINT_IN, csw, sizeof(csw));
	}
	return rc == sizeof(csw) && !memcmp(csw + 4, cbw + 4, 4) ? csw[12] : -EPROTO;
}

static int rw(struct usb_lab *lab, bool write, uint32_t lba, uint16_t n, void *bytes)
{
	uint8_t cdb[10] = {write ? 0x2a : 0x28,
			   0,
			   (uint8_t)(lba >> 24),
			   (uint8_t)(lba >> 16),
			   (uint8_t)(lba >> 8),
			   (uint8_t)lba,
			   0,
			   (uint8_t)(n >> 8),
			   (uint8_t)n};

	return command(lab, cdb, n * 512u, !write, bytes);
}

static uint32_t sense(struct usb_lab *lab)
{
	static const uint8_t cdb[10] = {0x03, 0, 0, 0, 18};
	uint8_t bytes[18] = {0};

	assert_int_equal(command(lab, cdb, sizeof(bytes), true, bytes), 0);
	return (uint32_t)bytes[2] << 16 | (uint32_t)bytes[12] << 8 | bytes[13];
}

/* The way of a host to its first block: power on is told once. */
static void test_enumeration(void **state)
{
	static const uint8_t ready[10] = {0}, inquiry[10] = {0x12, 0, 0, 0, 36},
			     capacity[10] = {0x25};
	uint8_t bytes[36], lun = 9;
	struct usb_lab lab;

	open_disk(&lab, ",serial=A1");
	assert_int_equal(lab_control(&lab, 0xa1, BOT_REQUEST_MAX_LUN, 0, 0, &lun, 1), 1);
	assert_int_equal(lun, 0);
	assert_int_equal(command(&lab, inquiry, 36, true, bytes), 0);
	assert_memory_equal(bytes + 8, "xenback Model Disk", 18);
	assert_int_equal(command(&lab, ready, 0, false, NULL), 1);
	assert_int_equal(sense(&lab), SCSI_POWER_ON);
	assert_int_equal(command(&lab, ready, 0, false, NULL), 0);
	assert_int_equal(command(&lab, capacity, 8, true, bytes), 0);
	assert_memory_equal(bytes, "\0\0\x1f\xff\0\0\2\0", 8);
	lab_close(&lab);
}

static void test_read_write(void **state)
{
	static uint8_t back[IMAGE_SIZE];
	static const uint8_t sync[10] = {0x35}, verify[10] = {0x2f, 0, 0, 0, 0, 0, 0, 0x1f, 0xff};
	struct usb_lab lab;
	int fd;

	open_disk(&lab, "");
	sense(&lab);
	assert_int_equal(rw(&lab, false, 0, 8192, back), 0);
	assert_memory_equal(back, data, IMAGE_SIZE);
	memset(back, 0x3c, 240 * 512);
	assert_int_equal(rw(&lab, true, 1000, 240, back), 0);
	assert_int_equal(command(&lab, sync, 0, false, NULL), 0);
	assert_int_equal(command(&lab, verify, 0, false, NULL), 0);
	fd = open(image, O_RDONLY);
	assert_int_equal(pread(fd, back, 240 * 512, 1000 * 512), 240 * 512);
	close(fd);
	for (size_t i = 0; i < 240 * 512; i++)
		assert_int_equal(back[i], 0x3c);
	assert_int_equal(rw(&lab, true, 1000, 240, data + 1000 * 512), 0);
	assert_int_equal(rw(&lab, false, 8192, 1, back), 1);
	assert_int_equal(sense(&lab), SCSI_LBA_OUT_OF_RANGE);
	lab_close(&lab);
}

static void test_read_only(void **state)
{
	uint8_t block[512] = {0};
	struct usb_lab lab;

	assert_int_equal(chmod(image, 0400), 0);
	open_disk(&lab, ",readonly");
	sense(&lab);
	assert_int_equal(rw(&lab, true, 5, 1, block), 1);
	assert_int_equal(sense(&lab), SCSI_WRITE_PROTECTED);
	assert_int_equal(rw(&lab, false, 5, 1, block), 0);
	assert_memory_equal(block, data + 5 * 512, 512);
	lab_close(&lab);
	assert_int_equal(chmod(image, 0600), 0);
}

static void refused(const char *spec, int rc, const char *error)
{
	struct usb_host *host = NULL;
	char text[512] = "";
	sd_event *event;

	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(usb_model_open(&host, spec, event, &clock_monotonic, text, sizeof(text)),
			 rc);
	assert_null(host);
	if (!strstr(text, error))
		fail_msg("'%s' lacks '%s'", text, error);
	sd_event_unref(event);
}

static void set_size(off_t size)
{
	assert_int_equal(truncate(image, size), 0);
}

static void test_bad_images(void **state)
{
	char spec[160];

	refused("disk,file=/no/such", -ENOENT,
		"cannot open '/no/such' to read and write: No such file or directory");
	refused("disk,file=/tmp", -EISDIR, "cannot open '/tmp' to read and write: Is a directory");
	refused("disk,file=/tmp,readonly", -EINVAL, "'/tmp' is neither a file nor a block device");
	refused("disk,file=/dev/full", -EINVAL, "'/dev/full' is neither a file nor a block device");
	snprintf(spec, sizeof(spec), "disk,file=%s", image);
	set_size(0);
	refused(spec, -EINVAL, "is empty; a disk has at least one block of 512 bytes");
	set_size(511);
	refused(spec, -EINVAL, "has 511 bytes, which is not a multiple of 512");
	set_size(1025);
	refused(spec, -EINVAL, "1 bytes too many");
	remove_image(state);
	make_image(state);
}

/* Two writers would ruin a file system; readers may share it. */
static void test_in_use(void **state)
{
	struct usb_lab lab, second;
	char spec[160];

	snprintf(spec, sizeof(spec), "disk,file=%s", image);
	open_disk(&lab, "");
	refused(spec, -EBUSY, "is in use by another disk or program");
	lab_close(&lab);
	open_disk(&lab, ",readonly");
	refused(spec, -EBUSY, "is in use by another disk or program");
	open_disk(&second, ",readonly");
	lab_close(&second);
	lab_close(&lab);
	open_disk(&lab, "");
	lab_close(&lab);
}

/* The file shrinks under a disk: reads beyond its end fail, the rest goes on. */
static void test_file_shrinks(void **state)
{
	uint8_t block[512];
	struct usb_lab lab;

	open_disk(&lab, "");
	sense(&lab);
	set_size(IMAGE_SIZE / 2);
	assert_int_equal(rw(&lab, false, 8191, 1, block), 1);
	assert_int_equal(sense(&lab), SCSI_READ_ERROR);
	assert_int_equal(rw(&lab, false, 0, 1, block), 0);
	lab_close(&lab);
	remove_image(state);
	make_image(state);
}

/* In a child, because limits and mounts stay: exit code 0 is success. */
static void in_child(int (*run)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		_exit(run());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A limit on the size of files: an error to the host, and no signal ends the program. */
static int limited_file(void)
{
	struct rlimit limit = {IMAGE_SIZE / 2, IMAGE_SIZE / 2};
	struct usb_lab lab;

	if (setrlimit(RLIMIT_FSIZE, &limit))
		return 1;
	open_disk(&lab, "");
	sense(&lab);
	if (rw(&lab, true, 8000, 1, data) != 1 || sense(&lab) != SCSI_WRITE_ERROR ||
	    rw(&lab, true, 0, 1, data))
		return 2;
	lab_close(&lab);
	return 0;
}

static void test_file_limit(void **state)
{
	in_child(limited_file);
}

/* A sparse image on a full file system. */
static int full_file_system(void)
{
	struct usb_lab lab;
	int fd, rc;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=1m"))
		return 77;
	fd = open(image, O_CREAT | O_WRONLY, 0600);
	if (fd < 0 || ftruncate(fd, IMAGE_SIZE))
		return 1;
	close(fd);
	open_disk(&lab, "");
	sense(&lab);
	rc = rw(&lab, true, 0, 8192, data);
	if (rc != 1 || sense(&lab) != SCSI_NO_SPACE)
		return 2;
	if (rw(&lab, false, 0, 1, data + 512) || memcmp(data, data + 512, 512))
		return 3;
	lab_close(&lab);
	return 0;
}

static void test_full_file_system(void **state)
{
	in_child(full_file_system);
}

/* A file that is in memory is read at once: an error of that halts the pipe under the transfer. */
static int shrinks_in_memory(void)
{
	uint8_t block[512];
	struct usb_lab lab;
	int fd;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=8m"))
		return 77;
	fd = open(image, O_CREAT | O_WRONLY, 0600);
	if (fd < 0 || ftruncate(fd, IMAGE_SIZE))
		return 1;
	close(fd);
	open_disk(&lab, "");
	sense(&lab);
	if (truncate(image, IMAGE_SIZE / 2) || rw(&lab, false, 8191, 1, block) != 1 ||
	    sense(&lab) != SCSI_READ_ERROR)
		return 2;
	if (rw(&lab, false, 0, 1, block) != 0)
		return 3;
	lab_close(&lab);
	return 0;
}

static void test_file_in_memory_shrinks(void **state)
{
	in_child(shrinks_in_memory);
}

/* Closed while the thread works: it is waited for, the transfer is given back. */
static void test_close_while_busy(void **state)
{
	uint8_t cbw[BOT_CBW_BYTES] = {'U', 'S', 'B', 'C',  0, 0, 0, 0, 0, 0, 0x10, 0,
				      0,   0,	10,  0x2a, 0, 0, 0, 0, 0, 0, 8,	   0};
	struct usb_lab lab;
	struct lab_urb urb;

	open_disk(&lab, "");
	sense(&lab);
	assert_int_equal(lab_bulk(&lab, BOT_ENDPOINT_OUT, cbw, sizeof(cbw)), sizeof(cbw));
	assert_int_equal(lab_start(&lab, &urb, BULK, BOT_ENDPOINT_OUT, data, 1 << 20), 0);
	assert_true(sd_event_run(lab.event, UINT64_MAX) > 0); /* the write has begun */
	lab.host->ops->cancel(lab.host, &urb.transfer);
	lab.host->ops->close(lab.host);
	lab.host = NULL;
	assert_false(urb.in_flight);
	lab_close(&lab);
}

/* Cancelled while the thread works: done when its memory is free, and no earlier. */
static void test_cancel_while_busy(void **state)
{
	uint8_t cbw[BOT_CBW_BYTES] = {'U', 'S', 'B', 'C',  0, 0, 0, 0, 0, 0, 0x10, 0,
				      0,   0,	10,  0x2a, 0, 0, 0, 0, 0, 0, 8,	   0};
	struct usb_lab lab;
	struct lab_urb urb;
	int rc;

	open_disk(&lab, "");
	sense(&lab);
	assert_int_equal(lab_bulk(&lab, BOT_ENDPOINT_OUT, cbw, sizeof(cbw)), sizeof(cbw));
	assert_int_equal(lab_start(&lab, &urb, BULK, BOT_ENDPOINT_OUT, data, 1 << 20), 0);
	assert_true(sd_event_run(lab.event, UINT64_MAX) > 0);
	lab.host->ops->cancel(lab.host, &urb.transfer);
	lab_wait(&urb);
	rc = urb.transfer.status;
	assert_true(rc == -ECANCELED || !rc);
	assert_int_equal(urb.transfer.actual, 1 << 20);
	/* Reset recovery, then everything works. */
	assert_int_equal(lab_control(&lab, 0x21, BOT_REQUEST_RESET, 0, 0, NULL, 0), 0);
	assert_int_equal(lab_clear_halt(&lab, BOT_ENDPOINT_IN), 0);
	assert_int_equal(lab_clear_halt(&lab, BOT_ENDPOINT_OUT), 0);
	assert_int_equal(rw(&lab, false, 0, 100, data), 0);
	lab_close(&lab);
}

/* An invalid CBW at the level of the bus: halts that clearing does not end before the reset. */
static void test_reset_recovery(void **state)
{
	uint8_t bytes[512] = "this is no command block";
	struct usb_lab lab;

	open_disk(&lab, "");
	assert_int_equal(lab_bulk(&lab, BOT_ENDPOINT_OUT, bytes, 31), 31);
	assert_int_equal(lab_bulk(&lab, BOT_ENDPOINT_OUT, bytes, 31), -EPIPE);
	assert_int_equal(lab_clear_halt(&lab, BOT_ENDPOINT_OUT), 0);
	assert_int_equal(lab_bulk(&lab, BOT_ENDPOINT_OUT, bytes, 31), -EPIPE);
	assert_int_equal(lab_bulk(&lab, BOT_ENDPOINT_IN, bytes, 13), -EPIPE);
	assert_int_equal(lab_control(&lab, 0x21, BOT_REQUEST_RESET, 0, 0, NULL, 0), 0);
	assert_int_equal(lab_bulk(&lab, BOT_ENDPOINT_IN, bytes, 13), -EPIPE);
	assert_int_equal(lab_clear_halt(&lab, BOT_ENDPOINT_IN), 0);
	assert_int_equal(lab_clear_halt(&lab, BOT_ENDPOINT_OUT), 0);
	sense(&lab);
	assert_int_equal(rw(&lab, false, 0, 1, bytes), 0);
	/* A port reset does it all at once. */
	assert_int_equal(lab_bulk(&lab, BOT_ENDPOINT_OUT, bytes, 30), 30);
	assert_int_equal(lab_change(&lab, USB_CHANGE_RESET, 0, 0, 0), 0);
	assert_int_equal(sense(&lab), SCSI_POWER_ON);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enumeration),
		cmocka_unit_test(test_read_write),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_bad_images),
		cmocka_unit_test(test_in_use),
		cmocka_unit_test(test_file_shrinks),
		cmocka_unit_test(test_file_limit),
		cmocka_unit_test(test_full_file_system),
		cmocka_unit_test(test_close_while_busy),
		cmocka_unit_test(test_cancel_while_busy),
		cmocka_unit_test(test_reset_recovery),
		cmocka_unit_test(test_file_in_memory_shrinks),
	};

	return cmocka_run_group_tests(tests, make_image, remove_image);
}
