/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-usbfront-evil.c - each kind of misbehaviour does what its name says, as a backend sees it.
 */
#include "usbfront-stub.h"

#include <errno.h>

#include "util.h"

static const struct usbfront_target target = {
	.port = 2, .address = 9, .bulk_in = 0x83, .bulk_out = 0x04, .iso_in = 0x85};

static void up(struct stub *s)
{
	stub_up(s);
	usbfront_aim(s->front, &target);
	stub_event(s, 2, USBIF_SPEED_HIGH);
	stub_run(s);
}

#define FIELD(name)                                                                                \
	offsetof(struct usbif_urb_request, name), sizeof(((struct usbif_urb_request *)0)->name)
#define SETUP(byte, size) offsetof(struct usbif_urb_request, u.ctrl) + (byte), (size)

/* What each kind must leave in the request: bytes at, size, value under mask. */
static const struct {
	enum usbfront_evil kind;
	size_t at, size;
	uint32_t mask, value;
} field_cases[] = {
	{USBFRONT_EVIL_GREF_IN, FIELD(seg[0].gref), ~0u, 0x7ffffff0},
	{USBFRONT_EVIL_GREF_OUT, FIELD(seg[0].gref), ~0u, 0x7ffffff0},
	{USBFRONT_EVIL_GREF_LAST, FIELD(seg[15].gref), ~0u, 0x7ffffff0},
	{USBFRONT_EVIL_OVERRUN, FIELD(seg[0].offset), ~0u, 4000},
	{USBFRONT_EVIL_OFFSET, FIELD(seg[0].offset), ~0u, 65535},
	{USBFRONT_EVIL_LENGTH, FIELD(seg[0].length), ~0u, 65535},
	{USBFRONT_EVIL_SEGS_17, FIELD(nr_buffer_segs), ~0u, 17},
	{USBFRONT_EVIL_SEGS_65535, FIELD(nr_buffer_segs), ~0u, 65535},
	{USBFRONT_EVIL_SEGS_0, FIELD(nr_buffer_segs), ~0u, 0},
	{USBFRONT_EVIL_SEGS_0, FIELD(buffer_length), ~0u, 4096},
	{USBFRONT_EVIL_EMPTY_SEGS, FIELD(nr_buffer_segs), ~0u, 16},
	{USBFRONT_EVIL_EMPTY_SEGS, FIELD(buffer_length), ~0u, 0},
	{USBFRONT_EVIL_BUFFER_MORE, FIELD(buffer_length), ~0u, 60000},
	{USBFRONT_EVIL_BUFFER_LESS, FIELD(buffer_length), ~0u, 512},
	{USBFRONT_EVIL_BUFFER_LESS, FIELD(seg[0].length), ~0u, 4096},
	{USBFRONT_EVIL_FLAGS, FIELD(transfer_flags), ~0u, 65535},
	{USBFRONT_EVIL_PIPE_BITS, FIELD(pipe), 0x3ff80040, 0x3ff80040},
	{USBFRONT_EVIL_PORT_0, FIELD(pipe), 31, 0},
	{USBFRONT_EVIL_PORT_31, FIELD(pipe), 31, 31},
	{USBFRONT_EVIL_PORT_EMPTY, FIELD(pipe), 31, 1},
	{USBFRONT_EVIL_ADDRESS, FIELD(pipe), 0x7f00, 0x7f00},
	{USBFRONT_EVIL_ENDPOINT, FIELD(pipe), 0x78000, 0x78000},
	{USBFRONT_EVIL_TYPE, FIELD(pipe), 0xc0078000, 0x18000},
	{USBFRONT_EVIL_BULK_0, FIELD(pipe), 0xc0007f00, 0xc0000000},
	{USBFRONT_EVIL_DIRECTION, FIELD(pipe), 0x80, 0},
	{USBFRONT_EVIL_SETUP_MORE, SETUP(6, 2), ~0u, 4096},
	{USBFRONT_EVIL_SETUP_LESS, SETUP(6, 2), ~0u, 8},
	{USBFRONT_EVIL_SETUP_64K, SETUP(6, 2), ~0u, 65535},
	{USBFRONT_EVIL_SETUP_64K, FIELD(nr_buffer_segs), ~0u, 16},
	{USBFRONT_EVIL_ADDRESS_128, SETUP(0, 4), ~0u, 128 << 16 | 0x0500},
	{USBFRONT_EVIL_ADDRESS_65535, SETUP(0, 4), ~0u, 0xffff0500},
	{USBFRONT_EVIL_ADDRESS_0, SETUP(0, 4), ~0u, 0x0500},
	{USBFRONT_EVIL_CONFIG_255, SETUP(0, 4), ~0u, 255 << 16 | 0x0900},
	{USBFRONT_EVIL_INTERFACE_255, SETUP(0, 4), ~0u, 255 << 16 | 0x0b01},
	{USBFRONT_EVIL_HALT_15, SETUP(0, 4), ~0u, 0x0102},
	{USBFRONT_EVIL_HALT_15, SETUP(4, 2), ~0u, 15},
	{USBFRONT_EVIL_ID_65535, FIELD(id), ~0u, 65535},
	{USBFRONT_EVIL_UNLINK_UNKNOWN, FIELD(u.unlink.unlink_id), ~0u, 4711},
	{USBFRONT_EVIL_UNLINK_UNKNOWN, FIELD(pipe), 0x20, 0x20},
	{USBFRONT_EVIL_UNLINK_SELF, FIELD(u.unlink.unlink_id), ~0u, 3},
	{USBFRONT_EVIL_UNLINK_SELF, FIELD(id), ~0u, 3},
	{USBFRONT_EVIL_UNLINK_JUNK, FIELD(pipe), ~0u, 0x20},
	{USBFRONT_EVIL_ISO_PACKETS_0, FIELD(u.isoc.number_of_packets), ~0u, 0},
	{USBFRONT_EVIL_ISO_PACKETS_65535, FIELD(u.isoc.number_of_packets), ~0u, 65535},
	{USBFRONT_EVIL_ISO_DESC_0, FIELD(u.isoc.nr_frame_desc_segs), ~0u, 0},
	{USBFRONT_EVIL_ISO_DESC_16, FIELD(u.isoc.nr_frame_desc_segs), ~0u, 16},
	{USBFRONT_EVIL_ISO_DESC_SHORT, FIELD(seg[1].length), ~0u, 64},
	{USBFRONT_EVIL_ISO_GREF, FIELD(seg[1].gref), ~0u, 0x7ffffff0},
};

/* One request; the field as it should be seen. */
static void test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(field_cases); i++) {
		struct usbif_urb_request req;
		uint32_t value = 0;
		void *machine;
		struct stub *s;

		stub_setup(&machine);
		s = machine;
		up(s);
		assert_int_equal(usbfront_misbehave(s->front, field_cases[i].kind), 0);
		assert_true(stub_take(s, &req));
		memcpy(&value, (uint8_t *)&req + field_cases[i].at, field_cases[i].size);
		if ((value & field_cases[i].mask) != field_cases[i].value)
			fail_msg("%s: 0x%x", usbfront_evil_name(field_cases[i].kind), value);
		assert_false(stub_take(s, &req));
		stub_answer(s, req.id, USBIF_STATUS_INVAL, 0, 0);
		stub_run(s);
		assert_int_equal(usbfront_stats(s->front)->complaints, 0);
		assert_false(usbfront_evil_busy(s->front));
		stub_teardown(&machine);
	}
}

/* Kinds whose point lies in the pages. */
static void test_grants(void **state)
{
	static const struct {
		enum usbfront_evil kind;
		bool to_guest;
		unsigned int seg;
	} cases[] = {
		{USBFRONT_EVIL_READ_ONLY, true, 0}, {USBFRONT_EVIL_ISO_READ_ONLY, true, 1},
		{USBFRONT_EVIL_REVOKE, true, 0},    {USBFRONT_EVIL_GREF_OUT, false, 0},
		{USBFRONT_EVIL_ISO_GREF, false, 1},
	};
	uint8_t bytes[8] = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct usbif_urb_request req;
		void *machine;
		struct stub *s;

		stub_setup(&machine);
		s = machine;
		up(s);
		assert_int_equal(usbfront_misbehave(s->front, cases[i].kind), 0);
		assert_true(stub_take(s, &req));
		assert_false(stub_copy(s, &req, cases[i].seg, cases[i].to_guest, 0, bytes,
				       sizeof(bytes)));
		stub_teardown(&machine);
	}
}

static void test_frames(void **state)
{
	static const struct {
		enum usbfront_evil kind;
		uint32_t offset, length;
	} cases[] = {
		{USBFRONT_EVIL_ISO_OFFSET, 0xfffffff0, 512},
		{USBFRONT_EVIL_ISO_LENGTH, 7 * 512, 0xffffffff},
		{USBFRONT_EVIL_ISO_OVERLAP, 0, 4096},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct usbif_urb_request req;
		uint32_t frames[8][4];
		void *machine;
		struct stub *s;

		stub_setup(&machine);
		s = machine;
		up(s);
		assert_int_equal(usbfront_misbehave(s->front, cases[i].kind), 0);
		assert_true(stub_take(s, &req));
		assert_true(stub_copy(s, &req, 1, false, 0, frames, sizeof(frames)));
		assert_int_equal(frames[7][0], cases[i].offset);
		assert_int_equal(frames[7][1], cases[i].length);
		stub_teardown(&machine);
	}
}

static void test_ids(void **state)
{
	struct stub *s = *state;
	struct usbif_urb_request req[16];

	up(s);
	assert_int_equal(usbfront_misbehave(s->front, USBFRONT_EVIL_ID_TWICE), 0);
	assert_true(stub_take(s, &req[0]));
	assert_true(stub_take(s, &req[1]));
	assert_false(stub_take(s, &req[2]));
	assert_int_equal(req[0].id, req[1].id);
	stub_answer(s, req[0].id, 0, 0, 0);
	stub_answer(s, req[0].id, 0, 0, 0);
	stub_run(s);
	assert_int_equal(usbfront_misbehave(s->front, USBFRONT_EVIL_UNLINK_TWICE), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_true(stub_take(s, &req[i]));
	assert_int_equal(req[1].u.unlink.unlink_id, req[0].id);
	assert_int_equal(req[2].u.unlink.unlink_id, req[0].id);
	assert_int_not_equal(req[1].id, req[2].id);
}

static void test_full(void **state)
{
	static const enum usbfront_evil kinds[] = {USBFRONT_EVIL_ID_ALL, USBFRONT_EVIL_HOG};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct usbif_urb_request req;
		void *machine;
		struct stub *s;

		stub_setup(&machine);
		s = machine;
		up(s);
		assert_int_equal(usbfront_misbehave(s->front, kinds[i]), 0);
		for (unsigned int n = 0; n < USBFRONT_SLOTS; n++) {
			assert_true(stub_take(s, &req));
			assert_int_equal(req.id, i ? n : 0);
		}
		assert_false(stub_take(s, &req));
		stub_teardown(&machine);
	}
}

static void test_indices(void **state)
{
	struct stub *s = *state;

	up(s);
	assert_int_equal(usbfront_misbehave(s->front, USBFRONT_EVIL_CONN_PROD), 0);
	assert_int_equal(ring_back_requests(&s->conn), -EPROTO);
	assert_int_equal(usbfront_misbehave(s->front, USBFRONT_EVIL_REQ_PROD), 0);
	assert_int_equal(ring_back_requests(&s->urb), -EPROTO);
	s->urb.page->req_prod = s->urb.req_cons;
	assert_int_equal(usbfront_misbehave(s->front, USBFRONT_EVIL_RSP_PROD), 0);
	assert_int_equal(ring_back_requests(&s->urb), 1); /* who keeps its own index is safe */
	assert_int_not_equal(s->urb.page->rsp_prod, s->urb.rsp_prod);
}

/* The slots change while they are read, the requests go on coming. */
static void test_rewrite(void **state)
{
	struct stub *s = *state;
	unsigned int rounds = 0, taken = 0, odd = 0;
	struct usbif_urb_request req;

	up(s);
	assert_int_equal(usbfront_misbehave(s->front, USBFRONT_EVIL_REWRITE), 0);
	for (; usbfront_evil_busy(s->front); rounds++) {
		usbfront_run(s->front);
		while (stub_take(s, &req)) {
			taken++;
			odd += req.id >= USBFRONT_SLOTS;
			stub_answer(s, req.id, USBIF_STATUS_INVAL, 0, 0);
		}
	}
	assert_true(rounds >= 99);
	assert_true(taken > 1000);
	assert_true(odd > 500);
}

static void test_rounds(void **state)
{
	static const enum usbfront_evil kinds[] = {USBFRONT_EVIL_ISO_REWRITE,
						   USBFRONT_EVIL_UNLINK_STORM};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct usbif_urb_request req;
		unsigned int taken = 0;
		void *machine;
		struct stub *s;

		stub_setup(&machine);
		s = machine;
		up(s);
		assert_int_equal(usbfront_misbehave(s->front, kinds[i]), 0);
		while (usbfront_evil_busy(s->front)) {
			usbfront_run(s->front);
			while (stub_take(s, &req)) {
				assert_int_equal((req.pipe & USBIF_PIPE_UNLINK) != 0, i);
				stub_answer(s, req.id, 0, 0, 0);
				taken++;
			}
		}
		assert_true(taken >= 200 * (i ? USBFRONT_SLOTS : 1));
		stub_teardown(&machine);
	}
}

static void test_storms(void **state)
{
	struct stub *s = *state;

	up(s);
	assert_int_equal(usbfront_misbehave(s->front, USBFRONT_EVIL_EVENTS), 0);
	assert_true(usbfront_stats(s->front)->notifies >= 100000);
	assert_int_equal(usbfront_misbehave(s->front, USBFRONT_EVIL_STATES), 0);
	stub_expect(s, FRONT "/state", "4");
	assert_int_equal(usbfront_misbehave(s->front, USBFRONT_EVIL_VANISH), 0);
	stub_expect(s, FRONT "/state", NULL);
}

/* 4 to 1 at once: new rings, the old ones are still mapped; then all is well again. */
static void test_reset(void **state)
{
	struct stub *s = *state;

	up(s);
	assert_int_equal(usbfront_misbehave(s->front, USBFRONT_EVIL_RESET), 0);
	stub_expect(s, FRONT "/state", "1");
	stub_run(s);
	stub_disconnect(s);
	stub_write(s, BACK "/state", "6");
	stub_run(s);
	stub_expect(s, FRONT "/state", "1");
	stub_write(s, BACK "/state", "2");
	stub_run(s);
	stub_connect(s);
	stub_run(s);
	assert_string_equal(s->states, "crwcr");
	assert_string_equal(s->ports, "2H2-");
	assert_int_equal(usbfront_stats(s->front)->complaints, 0);
}

static void test_no_conn(void **state)
{
	struct stub *s = *state;

	s->options.evil = USBFRONT_EVIL_CONN_NONE;
	stub_up(s);
	assert_int_equal(ring_back_requests(&s->conn), 0);
}

/* It waits for its device. */
static void test_waits(void **state)
{
	struct stub *s = *state;
	struct usbif_urb_request req;

	s->options.evil = USBFRONT_EVIL_SEGS_17;
	stub_up(s);
	stub_run(s);
	assert_false(stub_take(s, &req));
	assert_true(usbfront_evil_busy(s->front));
	stub_event(s, 1, USBIF_SPEED_HIGH);
	stub_run(s);
	assert_true(stub_take(s, &req));
	assert_int_equal(req.pipe & 31, 1);
}

static void test_keys(void **state)
{
	static char nines[2001];
	static const struct {
		enum usbfront_evil kind;
		const char *key, *value;
	} cases[] = {
		{USBFRONT_EVIL_REF_TEXT, FRONT "/urb-ring-ref", "0x12; rm"},
		{USBFRONT_EVIL_REF_HUGE, FRONT "/conn-ring-ref", "18446744073709551617"},
		{USBFRONT_EVIL_REF_WRONG, FRONT "/urb-ring-ref", "2147483632"},
		{USBFRONT_EVIL_REF_MISSING, FRONT "/conn-ring-ref", NULL},
		{USBFRONT_EVIL_PORT_WRONG, FRONT "/event-channel", "99999"},
		{USBFRONT_EVIL_PORT_MISSING, FRONT "/event-channel", NULL},
		{USBFRONT_EVIL_PROTOCOL, FRONT "/protocol", "pdp11-abi"},
		{USBFRONT_EVIL_LONG_VALUES, FRONT "/urb-ring-ref", nines},
	};

	(void)state;
	memset(nines, '9', 2000);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		void *machine;
		struct stub *s;

		stub_setup(&machine);
		s = machine;
		s->options.evil = cases[i].kind;
		stub_write(s, BACK "/state", "2");
		stub_front(s);
		stub_expect(s, FRONT "/state", "4");
		stub_expect(s, cases[i].key, cases[i].value);
		stub_teardown(&machine);
	}
}

static void test_names(void **state)
{
	enum usbfront_evil kind;

	(void)state;
	for (unsigned int i = 1; i < USBFRONT_EVIL_COUNT; i++) {
		assert_non_null(usbfront_evil_name((enum usbfront_evil)i));
		assert_int_equal(
			usbfront_evil_parse(usbfront_evil_name((enum usbfront_evil)i), &kind), 0);
		assert_int_equal(kind, i);
	}
	assert_null(usbfront_evil_name(USBFRONT_EVIL_COUNT));
	assert_int_equal(usbfront_evil_parse("rude", &kind), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stub_setup, stub_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_frames),
		TEST(test_ids),
		cmocka_unit_test(test_full),
		TEST(test_indices),
		TEST(test_rewrite),
		cmocka_unit_test(test_rounds),
		TEST(test_storms),
		TEST(test_reset),
		TEST(test_no_conn),
		TEST(test_waits),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
