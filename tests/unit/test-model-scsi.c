/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-model-scsi.c - commands of a SCSI disk: what they mean, what is replied, what is refused. */
#include "cluster/models/scsi.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

static struct scsi_disk disk;
static struct scsi_command command;

static void set_up(uint64_t n_blocks, bool read_only, bool removable)
{
	scsi_init(&disk, n_blocks, read_only, removable, "SN-0123456789");
	disk.attention = SCSI_NO_SENSE;
}

/* Runs a command of up to 16 bytes; its sense, 0 when it is good. */
static uint32_t run(const char *bytes, size_t n)
{
	uint8_t cdb[SCSI_CDB_MAX] = {0};

	memcpy(cdb, bytes, n);
	scsi_command(&disk, 0, cdb, &command);
	assert_true(!command.failed || command.action == SCSI_NOTHING);
	return command.failed ? disk.sense : SCSI_NO_SENSE;
}
#define RUN(bytes) run(bytes, sizeof(bytes) - 1)

static void test_inquiry(void **state)
{
	set_up(100, false, false);
	assert_int_equal(RUN("\x12\0\0\0\x60\0"), 0);
	assert_int_equal(command.action, SCSI_REPLY);
	assert_int_equal(command.length, 36);
	assert_memory_equal(command.reply, "\0\0\x05\x02\x1f\0\0\0xenback Model Disk      0100",
			    36);
	RUN("\x12\0\0\0\x05\0");
	assert_int_equal(command.length, 5);
	RUN("\x12\0\0\0\0\0");
	assert_int_equal(command.action, SCSI_NOTHING);
	assert_int_equal(RUN("\x12\0\x80\0\x60\0"), SCSI_INVALID_FIELD); /* a page without EVPD */
	assert_int_equal(RUN("\x12\1\0\0\x60\0"), 0);
	assert_memory_equal(command.reply, "\0\0\0\3\0\x80\x83", 7);
	assert_int_equal(command.length, 7);
	assert_int_equal(RUN("\x12\1\x80\0\x60\0"), 0);
	assert_memory_equal(command.reply, "\0\x80\0\x0dSN-0123456789", 17);
	assert_int_equal(RUN("\x12\1\x83\0\xff\0"), 0);
	assert_int_equal(command.length, 4 + 4 + 24 + 13 + 12);
	assert_memory_equal(command.reply + 4, "\2\1\0\x25xenback Model Disk      SN-0123456789",
			    4 + 24 + 13);
	assert_memory_equal(command.reply + 45, "\1\3\0\x08\x3", 4);
	assert_int_equal(command.reply[49] >> 4, 3);
	assert_int_equal(RUN("\x12\1\xb0\0\xff\0"), SCSI_INVALID_FIELD);
	set_up(100, false, true);
	RUN("\x12\0\0\0\x60\0");
	assert_int_equal(command.reply[1], 0x80);
}

/* Only number 0 is there; others say so in their own way. */
static void test_other_units(void **state)
{
	uint8_t cdb[SCSI_CDB_MAX] = {0x12, 0, 0, 0, 36};

	set_up(100, false, false);
	scsi_command(&disk, 1, cdb, &command);
	assert_int_equal(command.reply[0], 0x7f);
	cdb[0] = 0;
	scsi_command(&disk, 1, cdb, &command);
	assert_true(command.failed);
	assert_int_equal(disk.sense, SCSI_NO_SUCH_UNIT);
	assert_int_equal(RUN("\xa0\0\0\0\0\0\0\0\0\x10\0\0"), 0);
	assert_int_equal(command.length, 16);
	assert_memory_equal(command.reply, "\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

static void test_reads_and_writes(void **state)
{
	static const struct {
		const char *cdb;
		size_t n;
		enum scsi_action action;
		uint64_t lba, blocks;
	} cases[] = {
#define CASE(cdb, ...) {cdb, sizeof(cdb) - 1, __VA_ARGS__}
		CASE("\x08\x01\x02\x03\x04\0", SCSI_READ, 0x10203, 4),
		CASE("\x08\xe0\0\0\0\0", SCSI_READ, 0, 256),
		CASE("\x0a\0\0\x07\x01\0", SCSI_WRITE, 7, 1),
		CASE("\x28\0\0\1\2\3\0\1\0\0", SCSI_READ, 0x10203, 256),
		CASE("\x2a\0\0\1\2\3\0\0\2\0", SCSI_WRITE, 0x10203, 2),
		CASE("\x2f\0\0\1\2\3\0\0\2\0", SCSI_VERIFY, 0x10203, 2),
		CASE("\xa8\0\0\1\2\3\0\0\1\0\0\0", SCSI_READ, 0x10203, 256),
		CASE("\xaa\0\0\1\2\3\0\0\0\3\0\0", SCSI_WRITE, 0x10203, 3),
		CASE("\xaf\0\0\1\2\3\0\0\0\3\0\0", SCSI_VERIFY, 0x10203, 3),
		CASE("\x88\0\0\0\0\0\0\0\0\5\0\0\0\6\0\0", SCSI_READ, 5, 6),
		CASE("\x8a\0\0\0\0\0\0\0\0\5\0\0\0\6\0\0", SCSI_WRITE, 5, 6),
		CASE("\x8f\0\0\0\0\0\0\0\0\5\0\0\0\6\0\0", SCSI_VERIFY, 5, 6),
		CASE("\x28\0\0\0\0\0\0\0\0\0", SCSI_NOTHING, 0, 0),
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		set_up(0x200000, false, false);
		assert_int_equal(run(cases[i].cdb, cases[i].n), 0);
		assert_int_equal(command.action, cases[i].action);
		assert_int_equal(command.lba, cases[i].lba);
		assert_int_equal(command.length, cases[i].blocks * 512);
	}
	RUN("\x2a\x08\0\0\0\0\0\0\1\0");
	assert_true(command.through);
	RUN("\x2a\0\0\0\0\0\0\0\1\0");
	assert_false(command.through);
}

static void test_ranges(void **state)
{
	set_up(10, false, false);
	assert_int_equal(RUN("\x28\0\0\0\0\x09\0\0\1\0"), 0);
	assert_int_equal(RUN("\x28\0\0\0\0\x09\0\0\2\0"), SCSI_LBA_OUT_OF_RANGE);
	assert_int_equal(RUN("\x28\0\0\0\0\x0a\0\0\1\0"), SCSI_LBA_OUT_OF_RANGE);
	assert_int_equal(RUN("\x28\0\0\0\0\x0a\0\0\0\0"), 0); /* nothing, at the end */
	assert_int_equal(RUN("\x28\0\0\0\0\x0b\0\0\0\0"), SCSI_LBA_OUT_OF_RANGE);
	assert_int_equal(RUN("\x88\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0"),
			 SCSI_LBA_OUT_OF_RANGE);
	assert_int_equal(RUN("\xa8\0\0\0\0\0\xff\xff\xff\xff\0\0"), SCSI_LBA_OUT_OF_RANGE);
	assert_int_equal(RUN("\x35\0\0\0\0\0\0\0\0\0"), 0);
	assert_int_equal(command.action, SCSI_SYNC);
	assert_int_equal(RUN("\x91\0\0\0\0\0\0\0\0\0\0\0\0\x0b\0\0"), SCSI_LBA_OUT_OF_RANGE);
	/* Protection information and comparison with data: there is none. */
	assert_int_equal(RUN("\x28\x20\0\0\0\0\0\0\1\0"), SCSI_INVALID_FIELD);
	assert_int_equal(RUN("\x2a\x20\0\0\0\0\0\0\1\0"), SCSI_INVALID_FIELD);
	assert_int_equal(RUN("\x2f\x02\0\0\0\0\0\0\1\0"), SCSI_INVALID_FIELD);
}

static void test_capacity(void **state)
{
	set_up(0x123456, false, false);
	assert_int_equal(RUN("\x25\0\0\0\0\0\0\0\0\0"), 0);
	assert_memory_equal(command.reply, "\0\x12\x34\x55\0\0\2\0", 8);
	assert_int_equal(RUN("\x9e\x10\0\0\0\0\0\0\0\0\0\0\0\x20\0\0"), 0);
	assert_int_equal(command.length, 32);
	assert_memory_equal(command.reply, "\0\0\0\0\0\x12\x34\x55\0\0\2\0", 12);
	assert_int_equal(RUN("\x9e\x12\0\0\0\0\0\0\0\0\0\0\0\x20\0\0"), SCSI_INVALID_FIELD);
	assert_int_equal(RUN("\x23\0\0\0\0\0\0\0\xfc\0"), 0);
	assert_int_equal(command.length, 12);
	assert_memory_equal(command.reply, "\0\0\0\x08\0\x12\x34\x56\2\0\2\0", 12);
	set_up(0x123456789a, false, false); /* more than READ CAPACITY (10) can say */
	RUN("\x25\0\0\0\0\0\0\0\0\0");
	assert_memory_equal(command.reply, "\xff\xff\xff\xff\0\0\2\0", 8);
	RUN("\x9e\x10\0\0\0\0\0\0\0\0\0\0\0\x20\0\0");
	assert_memory_equal(command.reply, "\0\0\0\x12\x34\x56\x78\x99", 8);
	assert_int_equal(RUN("\x88\0\0\0\0\x12\x34\x56\x78\x99\0\0\0\1\0\0"), 0);
	assert_int_equal(RUN("\x88\0\0\0\0\x12\x34\x56\x78\x99\0\0\0\2\0\0"),
			 SCSI_LBA_OUT_OF_RANGE);
}

static void test_mode_sense(void **state)
{
	set_up(1000, false, false);
	assert_int_equal(RUN("\x1a\0\x3f\0\xff\0"), 0);
	assert_int_equal(command.length, 4 + 8 + 12 + 20 + 12);
	assert_int_equal(command.reply[0], command.length - 1);
	assert_int_equal(command.reply[2], 0x10);
	assert_memory_equal(command.reply + 4, "\0\0\x03\xe8\0\0\2\0", 8);
	/* usb-storage's favourite: 192 bytes, page 3f; then only the caching page, without blocks.
	 */
	assert_int_equal(RUN("\x1a\x08\x08\0\xc0\0"), 0);
	assert_int_equal(command.length, 24);
	assert_memory_equal(command.reply, "\x17\0\x10\0\x08\x12\x04", 7);
	assert_int_equal(RUN("\x1a\x08\x48\0\xc0\0"), 0); /* what may be changed: nothing */
	assert_memory_equal(command.reply + 4, "\x08\x12\0", 3);
	assert_int_equal(RUN("\x1a\x08\xc8\0\xc0\0"), SCSI_SAVING_NOT_SUPPORTED);
	assert_int_equal(RUN("\x1a\x08\x1c\0\xc0\0"), SCSI_INVALID_FIELD);
	assert_int_equal(RUN("\x1a\x08\x08\x01\xc0\0"), SCSI_INVALID_FIELD);
	assert_int_equal(RUN("\x5a\x08\x3f\xff\0\0\0\0\x08\0"), 0);
	assert_int_equal(command.length, 8);
	assert_int_equal(command.reply[1], 8 + 12 + 20 + 12 - 2);
	set_up(1000, true, false);
	RUN("\x5a\x08\x3f\0\0\0\0\0\xff\0");
	assert_int_equal(command.reply[3], 0x90);
	assert_int_equal(RUN("\x15\x10\0\0\0\0"), SCSI_UNKNOWN_COMMAND); /* MODE SELECT */
}

static void test_read_only(void **state)
{
	static const uint8_t writes[] = {0x0a, 0x2a, 0x8a, 0xaa};

	set_up(1000, true, false);
	for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
		char cdb[SCSI_CDB_MAX] = {(char)writes[i], 0, 0, 0, 1, 0, 0, 0, 1, 1};

		assert_int_equal(run(cdb, sizeof(cdb)), SCSI_WRITE_PROTECTED);
	}
}

static void test_sense(void **state)
{
	set_up(1000, false, false);
	assert_int_equal(RUN("\xff"), SCSI_UNKNOWN_COMMAND);
	assert_int_equal(RUN("\x03\0\0\0\x12\0"), 0);
	assert_memory_equal(command.reply, "\x70\0\x05\0\0\0\0\x0a\0\0\0\0\x20\0\0\0\0\0", 18);
	assert_int_equal(command.length, 18);
	RUN("\x03\0\0\0\xff\0");
	assert_memory_equal(command.reply, "\x70\0\0", 3); /* it was told */
	/* Where it was, in both formats. */
	scsi_fail(&disk, SCSI_READ_ERROR, 0x010203);
	RUN("\x03\0\0\0\xff\0");
	assert_memory_equal(command.reply, "\xf0\0\x03\0\1\2\3\x0a\0\0\0\0\x11\0", 14);
	scsi_fail(&disk, SCSI_READ_ERROR, 0x010203);
	RUN("\x03\1\0\0\xff\0");
	assert_int_equal(command.length, 20);
	assert_memory_equal(command.reply, "\x72\x03\x11\0\0\0\0\x0c\0\x0a\x80\0\0\0\0\0\0\1\2\3",
			    20);
	RUN("\x03\1\0\0\xff\0");
	assert_int_equal(command.length, 8);
	/* A good command forgets what was. */
	RUN("\xff");
	RUN("\0\0\0\0\0\0");
	assert_int_equal(disk.sense, SCSI_NO_SENSE);
	assert_int_equal(scsi_sense_of_errno(-EIO, false), SCSI_READ_ERROR);
	assert_int_equal(scsi_sense_of_errno(-EIO, true), SCSI_WRITE_ERROR);
	assert_int_equal(scsi_sense_of_errno(-ENOSPC, true), SCSI_NO_SPACE);
	assert_int_equal(scsi_sense_of_errno(-EROFS, true), SCSI_WRITE_PROTECTED);
}

/* Unit attention: told once, by the first command that must not go on as if nothing had been. */
static void test_attention(void **state)
{
	scsi_init(&disk, 10, false, false, "S");
	assert_int_equal(RUN("\x12\0\0\0\x24\0"), 0);
	assert_int_equal(RUN("\0\0\0\0\0\0"), SCSI_POWER_ON);
	assert_int_equal(RUN("\0\0\0\0\0\0"), 0);
	scsi_reset(&disk);
	RUN("\x03\0\0\0\x12\0"); /* asked for, it is told, too */
	assert_memory_equal(command.reply, "\x70\0\x06\0\0\0\0\x0a\0\0\0\0\x29\0", 14);
	assert_int_equal(RUN("\0\0\0\0\0\0"), 0);
}

static void test_start_stop(void **state)
{
	set_up(10, false, false);
	assert_int_equal(RUN("\x1b\0\0\0\0\0"), 0);
	assert_int_equal(command.action, SCSI_SYNC); /* nothing is left in a cache */
	assert_int_equal(RUN("\0\0\0\0\0\0"), SCSI_STOPPED);
	assert_int_equal(RUN("\x28\0\0\0\0\0\0\0\1\0"), SCSI_STOPPED);
	assert_int_equal(RUN("\x1b\0\0\0\x10\0"), 0); /* a power condition changes nothing */
	assert_int_equal(RUN("\x1b\0\0\0\1\0"), 0);
	assert_int_equal(RUN("\0\0\0\0\0\0"), 0);
	assert_int_equal(RUN("\x1b\0\0\0\2\0"), SCSI_INVALID_FIELD); /* not removable */
	assert_int_equal(RUN("\x1e\0\0\0\1\0"), 0);

	set_up(10, false, true);
	assert_int_equal(RUN("\x1e\0\0\0\1\0"), 0);
	assert_int_equal(RUN("\x1b\0\0\0\2\0"), SCSI_REMOVAL_PREVENTED);
	assert_int_equal(RUN("\x1e\0\0\0\0\0"), 0);
	assert_int_equal(RUN("\x1b\0\0\0\2\0"), 0);
	assert_int_equal(RUN("\0\0\0\0\0\0"), SCSI_NO_MEDIUM);
	assert_int_equal(RUN("\x25\0\0\0\0\0\0\0\0\0"), SCSI_NO_MEDIUM);
	assert_int_equal(RUN("\x23\0\0\0\0\0\0\0\xfc\0"), 0);
	assert_int_equal(command.reply[8], 3);
	assert_int_equal(RUN("\x1b\0\0\0\3\0"), 0);
	assert_int_equal(RUN("\0\0\0\0\0\0"), SCSI_MEDIUM_CHANGED);
	assert_int_equal(RUN("\0\0\0\0\0\0"), 0);
	assert_int_equal(RUN("\x1d\x04\0\0\0\0"), 0);
	assert_int_equal(RUN("\x1d\0\0\0\0\0"), SCSI_INVALID_FIELD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inquiry),		 cmocka_unit_test(test_other_units),
		cmocka_unit_test(test_reads_and_writes), cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_capacity),	 cmocka_unit_test(test_mode_sense),
		cmocka_unit_test(test_read_only),	 cmocka_unit_test(test_sense),
		cmocka_unit_test(test_attention),	 cmocka_unit_test(test_start_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
