/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-usbdisk.c - the guest's USB disk: commands, pieces, and what it does when a device errs. */
#include "usbdev-stub.h"

#include <errno.h>

#include "tests/guest/usbdisk.h"
#include "util.h"

static uint8_t buffer[DEVSTUB_BLOCKS * 512];
static struct usbdisk *disk;

static struct devstub *up(void **state)
{
	struct devstub *d = *state;
	char error[128];

	devstub_disk(d);
	devstub_plug(d);
	if (usbdisk_open(&disk, d->dev, 30 * NSEC_PER_SEC, error, sizeof(error)) < 0)
		fail_msg("%s", error);
	return d;
}

static int teardown(void **state)
{
	usbdisk_close(disk);
	disk = NULL;
	return devstub_teardown(state);
}

static void test_open(void **state)
{
	up(state);
	assert_string_equal(usbdisk_info(disk)->vendor, "Stub");
	assert_string_equal(usbdisk_info(disk)->product, "Disk");
	assert_string_equal(usbdisk_info(disk)->revision, "1.0");
	assert_int_equal(usbdisk_info(disk)->n_blocks, DEVSTUB_BLOCKS);
	assert_int_equal(usbdisk_info(disk)->block_bytes, 512);
}

static void test_no_disk(void **state)
{
	struct devstub *d = *state;
	char error[128];

	devstub_plug(d);
	assert_int_equal(usbdisk_open(&disk, d->dev, NSEC_PER_SEC, error, sizeof(error)), -ENXIO);
	assert_non_null(strstr(error, "no mass storage interface"));
	disk = NULL;
}

static void test_read(void **state)
{
	struct devstub *d = up(state);

	d->n_urbs = d->n_commands = 0;
	assert_int_equal(usbdisk_read(disk, 3, 600, buffer), 0);
	assert_memory_equal(buffer, d->image + 3 * 512, 600 * 512);
	assert_int_equal(d->n_commands, 3); /* 240, 240, 120 blocks */
	assert_int_equal(d->n_urbs, 3 * 2 + 30 + 30 + 15);
	assert_int_equal(usbdisk_read(disk, 1000, 1, buffer), -ERANGE);
	assert_int_equal(usbdisk_read(disk, 999, 2, buffer), -ERANGE);
	assert_int_equal(usbdisk_read(disk, UINT64_MAX, 2, buffer), -ERANGE);
}

static void test_write(void **state)
{
	struct devstub *d = up(state);

	for (uint32_t i = 0; i < sizeof(buffer); i++)
		buffer[i] = (uint8_t)(i / 3);
	assert_int_equal(usbdisk_write(disk, 10, 500, buffer), 0);
	assert_memory_equal(buffer, d->image + 10 * 512, 500 * 512);
	assert_int_equal(usbdisk_flush(disk), 0);
}

/* Faults after which the same data is there in the end. */
static void test_recovers(void **state)
{
	struct devstub *d = up(state);
	const struct usbdisk_stats *stats = usbdisk_stats(disk);

	d->stall_status = 1;
	assert_int_equal(usbdisk_read(disk, 0, 100, buffer), 0);
	assert_int_equal(stats->stalls, 1);
	assert_int_equal(stats->retries, 0);
	d->bad_status = 1;
	assert_int_equal(usbdisk_read(disk, 0, 100, buffer), 0);
	assert_int_equal(stats->resets, 1);
	assert_int_equal(stats->retries, 1);
	d->hang = 1;
	d->stage = DEVSTUB_WRAPPER;
	assert_int_equal(usbdisk_read(disk, 0, 100, buffer), 0);
	assert_int_equal(stats->timeouts, 1);
	assert_int_equal(stats->resets, 2);
	d->sense = 0x062900; /* unit attention: reset */
	d->fail_command = 1;
	memset(buffer, 0, 512);
	assert_int_equal(usbdisk_read(disk, 0, 100, buffer), 0);
	assert_memory_equal(buffer, d->image, 100 * 512);
	assert_int_equal(usbdisk_sense(disk), 0x062900);
}

static void test_fails(void **state)
{
	struct devstub *d = up(state);

	d->stall_data = 1;
	d->sense = 0x031100; /* medium error */
	assert_int_equal(usbdisk_read(disk, 0, 100, buffer), -EIO);
	assert_int_equal(usbdisk_sense(disk), 0x031100);
	assert_int_equal(usbdisk_read(disk, 0, 100, buffer), 0);
	d->sense = 0x072700; /* write protected */
	d->fail_command = 1;
	assert_int_equal(usbdisk_write(disk, 0, 8, buffer), -EROFS);
	d->bad_status = 3;
	assert_int_equal(usbdisk_read(disk, 0, 100, buffer), -EPROTO);
	assert_int_equal(usbdisk_read(disk, 0, 100, buffer), 0);
}

/* A device that ends early: what is behind the short URB is taken back, the status is read. */
static void test_short(void **state)
{
	struct devstub *d = up(state);

	d->n_unlinks = 0;
	d->short_data = 1;
	assert_int_equal(usbdisk_read(disk, 0, 100, buffer), -EIO);
	assert_int_equal(d->n_unlinks, 12); /* 13 pieces of 4 KiB, the first one was short */
	assert_int_equal(usbdisk_stats(disk)->resets, 0);
	assert_int_equal(usbdisk_read(disk, 0, 100, buffer), 0);
}

static void test_unplugged(void **state)
{
	struct devstub *d = up(state);

	stub_event(d->s, DEVSTUB_PORT, USBIF_SPEED_NONE);
	assert_int_equal(usbdisk_read(disk, 0, 100, buffer), -ENODEV);
	assert_int_equal(usbdisk_read(disk, 0, 100, buffer), -ENODEV);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, devstub_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open),     TEST(test_no_disk), TEST(test_read),  TEST(test_write),
		TEST(test_recovers), TEST(test_fails),	 TEST(test_short), TEST(test_unplugged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
