/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-lacp-pdu.c - LACPDUs and Marker PDUs byte by byte, and what is taken from a partner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/util.h"
#include "netback-team/lacp_pdu.h"

static const uint8_t src[6] = {2, 0, 0, 0, 0, 9};
static const struct lacp_pdu sample = {
	.version = 1,
	.actor = {0x8000, {2, 1, 2, 3, 4, 5}, 0x1234, 0x00ff, 0x0102, 0x3f},
	.partner = {0x7fff, {2, 6, 7, 8, 9, 10}, 0x4321, 0x00fe, 0x0304, 0x3d},
	.max_delay = 0x0506,
};

/* An LACPDU as 802.1AX prints it, field by field. */
static const uint8_t sample_bytes[] = {
	0x01, 0x80, 0xc2, 0, 0, 2, 2, 0, 0, 0, 0, 9, 0x88, 0x09, 1, 1,
	/* actor */
	1, 20, 0x80, 0, 2, 1, 2, 3, 4, 5, 0x12, 0x34, 0, 0xff, 1, 2, 0x3f, 0, 0, 0,
	/* partner */
	2, 20, 0x7f, 0xff, 2, 6, 7, 8, 9, 10, 0x43, 0x21, 0, 0xfe, 3, 4, 0x3d, 0, 0, 0,
	/* collector */
	3, 16, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	/* terminator */
	0, 0};

static void test_lacpdu_bytes(void **state)
{
	uint8_t frame[LACP_FRAME_LEN], zero[LACP_FRAME_LEN] = {0};

	assert_int_equal(sizeof(frame), 124);
	memset(frame, 0xaa, sizeof(frame));
	lacp_pdu_build(frame, src, &sample);
	assert_memory_equal(frame, sample_bytes, sizeof(sample_bytes));
	assert_memory_equal(frame + sizeof(sample_bytes), zero,
			    sizeof(frame) - sizeof(sample_bytes));
}

static void expect_sample(const struct lacp_pdu *pdu)
{
	const struct lacp_info *ends[2][2] = {{&pdu->actor, &sample.actor},
					      {&pdu->partner, &sample.partner}};

	for (int i = 0; i < 2; i++) {
		assert_int_equal(ends[i][0]->system_priority, ends[i][1]->system_priority);
		assert_memory_equal(ends[i][0]->system, ends[i][1]->system, 6);
		assert_int_equal(ends[i][0]->key, ends[i][1]->key);
		assert_int_equal(ends[i][0]->port_priority, ends[i][1]->port_priority);
		assert_int_equal(ends[i][0]->port, ends[i][1]->port);
		assert_int_equal(ends[i][0]->state, ends[i][1]->state);
	}
}

static enum lacp_frame_kind kind_of(const uint8_t *frame, size_t len)
{
	struct lacp_frame out;

	lacp_frame_parse(frame, len, &out);
	if (out.kind == LACP_FRAME_LACPDU)
		expect_sample(&out.pdu);
	return out.kind;
}

/* What a partner may do: newer versions, more TLVs, longer frames, anything in reserved bytes. */
static void test_tolerated(void **state)
{
	uint8_t frame[300];
	struct lacp_frame out;

	memset(frame, 0xee, sizeof(frame));
	lacp_pdu_build(frame, src, &sample);
	assert_int_equal(kind_of(frame, LACP_FRAME_LEN), LACP_FRAME_LACPDU);
	assert_int_equal(kind_of(frame, sizeof(frame)), LACP_FRAME_LACPDU);
	frame[15] = 2;
	memset(frame + 33, 0x55, 3);
	memset(frame + 53, 0x55, 3);
	memset(frame + 60, 0x55, 64); /* also where version 2 has its TLVs */
	lacp_frame_parse(frame, LACP_FRAME_LEN, &out);
	assert_int_equal(out.kind, LACP_FRAME_LACPDU);
	assert_int_equal(out.pdu.version, 2);
	assert_int_equal(out.pdu.max_delay, 0x0506);
	frame[56] = 9; /* no collector TLV */
	lacp_frame_parse(frame, LACP_FRAME_LEN, &out);
	assert_int_equal(out.kind, LACP_FRAME_LACPDU);
	assert_int_equal(out.pdu.max_delay, 0);
	expect_sample(&out.pdu);
}

static void test_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum lacp_frame_kind kind;
	} rows[] = {
		{0, 0x00, LACP_FRAME_OTHER},	{5, 0x0e, LACP_FRAME_OTHER}, /* LLDP */
		{12, 0x81, LACP_FRAME_OTHER},	{13, 0x00, LACP_FRAME_OTHER},
		{14, 0x00, LACP_FRAME_UNKNOWN}, {14, 0x03, LACP_FRAME_UNKNOWN}, /* OAM */
		{14, 0x0a, LACP_FRAME_UNKNOWN}, {15, 0x00, LACP_FRAME_BAD},
		{16, 0x02, LACP_FRAME_BAD},	{17, 0x13, LACP_FRAME_BAD},
		{36, 0x01, LACP_FRAME_BAD},	{37, 0x15, LACP_FRAME_BAD},
		{14, 0x02, LACP_FRAME_BAD}, /* a marker with an actor TLV */
	};
	uint8_t frame[LACP_FRAME_LEN];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		lacp_pdu_build(frame, src, &sample);
		frame[rows[i].at] = rows[i].value;
		assert_int_equal(kind_of(frame, sizeof(frame)), rows[i].kind);
	}
}

static void test_short(void **state)
{
	uint8_t frame[LACP_FRAME_LEN];

	lacp_pdu_build(frame, src, &sample);
	for (size_t len = 0; len < LACP_FRAME_LEN; len++)
		assert_int_equal(kind_of(frame, len), len < 14 ? LACP_FRAME_OTHER : LACP_FRAME_BAD);
	frame[14] = 10;
	assert_int_equal(kind_of(frame, 15), LACP_FRAME_UNKNOWN);
}

/* The tag shifts all; nobody may send LACPDUs into a VLAN. */
static void test_tagged(void **state)
{
	static const uint8_t tag[4] = {0x81, 0x00, 0x00, 0x05};
	uint8_t frame[LACP_FRAME_LEN + 4];

	lacp_pdu_build(frame, src, &sample);
	memmove(frame + 16, frame + 12, LACP_FRAME_LEN - 12);
	memcpy(frame + 12, tag, sizeof(tag));
	assert_int_equal(kind_of(frame, sizeof(frame)), LACP_FRAME_OTHER);
}

static void test_marker(void **state)
{
	static const uint8_t bytes[] = {0x01, 0x80, 0xc2, 0,	0,    2,    2, 0, 0, 0, 0, 9,
					0x88, 0x09, 2,	  1,	1,    16,   1, 2, 2, 1, 2, 3,
					4,    5,    0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 0};
	const struct lacp_marker marker = {0x0102, {2, 1, 2, 3, 4, 5}, 0xdeadbeef};
	uint8_t frame[LACP_FRAME_LEN], zero[LACP_FRAME_LEN] = {0};
	struct lacp_frame out;

	lacp_marker_build(frame, src, LACP_FRAME_MARKER, &marker);
	assert_memory_equal(frame, bytes, sizeof(bytes));
	assert_memory_equal(frame + sizeof(bytes), zero, sizeof(frame) - sizeof(bytes));
	for (int i = 0; i < 2; i++) {
		const enum lacp_frame_kind kind = i ? LACP_FRAME_RESPONSE : LACP_FRAME_MARKER;

		lacp_marker_build(frame, src, kind, &marker);
		lacp_frame_parse(frame, sizeof(frame), &out);
		assert_int_equal(out.kind, kind);
		assert_int_equal(out.marker.port, marker.port);
		assert_memory_equal(out.marker.system, marker.system, 6);
		assert_int_equal(out.marker.transaction, marker.transaction);
		frame[16] = 3;
		lacp_frame_parse(frame, sizeof(frame), &out);
		assert_int_equal(out.kind, LACP_FRAME_BAD);
		frame[16] = 1;
		frame[17] = 20;
		lacp_frame_parse(frame, sizeof(frame), &out);
		assert_int_equal(out.kind, LACP_FRAME_BAD);
		frame[17] = 16;
		frame[15] = 0;
		lacp_frame_parse(frame, sizeof(frame), &out);
		assert_int_equal(out.kind, LACP_FRAME_BAD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lacpdu_bytes), cmocka_unit_test(test_tolerated),
		cmocka_unit_test(test_refused),	     cmocka_unit_test(test_short),
		cmocka_unit_test(test_tagged),	     cmocka_unit_test(test_marker),
	};

	return cmocka_run_group_tests_name("lacp-pdu", tests, NULL, NULL);
}
