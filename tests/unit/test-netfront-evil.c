/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-netfront-evil.c - each kind of misbehaviour does what its name says, as the decoder of the
 * backend sees it. */
#include "netfront-stub.h"

#include <errno.h>
#include <stdio.h>

#include "util.h"

enum outcome {
	OUTCOME_FRAME, /* decoded and copied */
	OUTCOME_GRANT, /* decoded, the copy fails */
	OUTCOME_DROP,
	OUTCOME_PROTO, /* the end of the device */
};

static enum outcome outcome(struct stub *s, struct netif_tx_packet *packet, uint8_t *data)
{
	struct ring_back *tx = &s->queues[0].tx;
	int n = ring_back_requests(tx);
	const char *why;

	if (n < 0)
		return OUTCOME_PROTO;
	assert_true(n > 0);
	if (netif_tx_decode(tx, (uint32_t)n, packet, &why) < 0)
		return OUTCOME_PROTO;
	tx->req_cons += packet->ring_slots;
	if (packet->verdict == NETIF_VERDICT_DROP)
		return OUTCOME_DROP;
	for (unsigned int i = 0; i < packet->n_slots; i++) {
		struct xen_copy seg = {.len = packet->slots[i].size, .flags = XEN_COPY_SRC_GREF};

		seg.src.foreign.ref = packet->slots[i].gref;
		seg.src.foreign.offset = packet->slots[i].offset;
		seg.src.foreign.domid = STUB_DOMID;
		seg.dst.virt = data;
		assert_int_equal(s->ops->gnt_copy(s->gnt, &seg, 1), 0);
		if (seg.status != XEN_GNTST_OKAY)
			return OUTCOME_GRANT;
		data += seg.len;
	}
	return OUTCOME_FRAME;
}

static void test_packets(void **state)
{
	static const struct {
		enum netfront_evil kind;
		enum outcome outcome;
		uint32_t total, n_slots;
	} cases[] = {
		{NETFRONT_EVIL_REQ_PROD, OUTCOME_PROTO, 0, 0},
		{NETFRONT_EVIL_GREF, OUTCOME_GRANT, 126, 1},
		{NETFRONT_EVIL_OVERRUN, OUTCOME_PROTO, 0, 0},
		{NETFRONT_EVIL_FRAGS_19, OUTCOME_DROP, 1900, 19},
		{NETFRONT_EVIL_FRAGS_40, OUTCOME_PROTO, 0, 0},
		{NETFRONT_EVIL_EXTRAS_CUT, OUTCOME_PROTO, 0, 0},
		{NETFRONT_EVIL_EXTRA_TYPE, OUTCOME_PROTO, 0, 0},
		{NETFRONT_EVIL_SIZES, OUTCOME_DROP, 1000, 3},
		{NETFRONT_EVIL_ZERO_FRAGS, OUTCOME_FRAME, 126, 5},
		{NETFRONT_EVIL_SHORT_FRAGS, OUTCOME_PROTO, 0, 0},
		{NETFRONT_EVIL_TINY_SLOTS, OUTCOME_FRAME, 126, 18},
		{NETFRONT_EVIL_RUNT, OUTCOME_DROP, 5, 1},
		{NETFRONT_EVIL_GSO_ZERO, OUTCOME_PROTO, 0, 0},
		{NETFRONT_EVIL_GSO_TYPE, OUTCOME_PROTO, 0, 0},
		{NETFRONT_EVIL_GSO_JUNK, OUTCOME_FRAME, 126, 1},
		{NETFRONT_EVIL_REVOKE, OUTCOME_GRANT, 126, 1},
		{NETFRONT_EVIL_SPOOF, OUTCOME_FRAME, 126, 1},
	};
	static uint8_t data[STUB_FRAME];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct netif_tx_packet packet = {.total = 0};
		void *machine;
		struct stub *s;

		stub_setup(&machine);
		s = machine;
		s->options.evil = cases[i].kind;
		stub_up(s, "linux", 1);
		if (outcome(s, &packet, data) != cases[i].outcome)
			fail_msg("%s: another outcome", netfront_evil_name(cases[i].kind));
		if (cases[i].outcome != OUTCOME_PROTO) {
			assert_int_equal(packet.total, cases[i].total);
			assert_int_equal(packet.n_slots, cases[i].n_slots);
		}
		if (cases[i].outcome == OUTCOME_FRAME)
			assert_int_equal(data[11],
					 cases[i].kind == NETFRONT_EVIL_SPOOF ? 0xf8 : 0x07);
		stub_teardown(&machine);
	}
}

/* However long the chain, the decoder ends, and the frontend survives whatever answer it gets. */
static void test_extras_chain(void **state)
{
	struct stub *s = *state;
	struct netif_tx_packet packet;
	static uint8_t data[STUB_FRAME];

	stub_up(s, "linux", 1);
	assert_int_equal(netfront_misbehave(s->nf, NETFRONT_EVIL_EXTRAS_CHAIN), 0);
	if (outcome(s, &packet, data) == OUTCOME_FRAME)
		assert_int_equal(packet.ring_slots, 201);
	stub_run(s);
}

/* Slots that change under the decoder: it says something each time, and never reads beyond the
 * ring. */
static void test_rewrite(void **state)
{
	struct stub *s = *state;
	struct ring_back *tx;
	struct netif_tx_packet packet;
	unsigned int rounds = 0, verdicts = 0;
	const char *why;

	stub_up(s, "linux", 1);
	tx = &s->queues[0].tx;
	assert_int_equal(netfront_misbehave(s->nf, NETFRONT_EVIL_REWRITE), 0);
	for (int more = 1; more > 0; rounds++) {
		int n = ring_back_requests(tx);

		assert_int_equal(n, 96);
		if (netif_tx_decode(tx, (uint32_t)n, &packet, &why) == 0)
			verdicts |= 1u << packet.verdict;
		else
			verdicts |= 1u << 31;
		more = netfront_run(s->nf);
	}
	assert_true(rounds >= 100);
	assert_true(verdicts & (verdicts - 1)); /* not always the same */
}

static void test_rx(void **state)
{
	struct stub *s = *state;
	uint8_t frame[60] = {0};
	netif_rx_request_t req;

	stub_up(s, "linux", 1);
	assert_int_equal(netfront_misbehave(s->nf, NETFRONT_EVIL_STALL), 0);
	for (unsigned int i = 0; i < 50; i++)
		stub_give(s, 0, frame, sizeof(frame), 4096, 0, 0, 0);
	stub_push(s, 0);
	stub_run(s);
	assert_int_equal(s->n_frames, 50);
	assert_int_equal(ring_back_requests(&s->queues[0].rx), 206);
	assert_int_equal(netfront_misbehave(s->nf, NETFRONT_EVIL_RX_GREF), 0);
	ring_back_read(&s->queues[0].rx, s->queues[0].rx.req_cons, &req);
	assert_true(req.gref > 0x70000000);
	assert_int_equal(netfront_misbehave(s->nf, NETFRONT_EVIL_RX_PROD), 0);
	assert_int_equal(ring_back_requests(&s->queues[0].rx), -EPROTO);
}

static void test_storms(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	assert_int_equal(netfront_misbehave(s->nf, NETFRONT_EVIL_EVENTS), 0);
	assert_true(netfront_stats(s->nf)->notifies >= 100000);
	stub_run(s);
	assert_true(s->n_notified >= 1);
	assert_int_equal(netfront_misbehave(s->nf, NETFRONT_EVIL_STATES), 0);
	stub_expect(s, FRONT "/state", "4");
	assert_int_equal(netfront_misbehave(s->nf, NETFRONT_EVIL_VANISH), 0);
	stub_expect(s, FRONT "/state", NULL);
}

/* 4 to 1 at once: new rings, the old ones are still mapped; then all is well again. */
static void test_reset(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 2);
	assert_int_equal(netfront_misbehave(s->nf, NETFRONT_EVIL_RESET), 0);
	stub_expect(s, FRONT "/state", "1");
	stub_run(s);
	stub_disconnect(s);
	stub_write(s, BACK "/state", "5");
	stub_run(s);
	stub_write(s, BACK "/state", "6");
	stub_run(s);
	stub_expect(s, FRONT "/state", "1");
	stub_write(s, BACK "/state", "2");
	stub_run(s);
	stub_connect(s);
	stub_run(s);
	assert_string_equal(s->states, "crwcr");
	assert_int_equal(netfront_stats(s->nf)->complaints, 0);
}

static void test_keys(void **state)
{
	static char nines[2001];
	static const struct {
		enum netfront_evil kind;
		const char *key, *value;
	} cases[] = {
		{NETFRONT_EVIL_QUEUES_0, FRONT "/multi-queue-num-queues", "0"},
		{NETFRONT_EVIL_QUEUES_4096, FRONT "/multi-queue-num-queues", "4096"},
		{NETFRONT_EVIL_QUEUES_TEXT, FRONT "/multi-queue-num-queues", "two"},
		{NETFRONT_EVIL_REF_TEXT, FRONT "/tx-ring-ref", "0x12; rm"},
		{NETFRONT_EVIL_REF_HUGE, FRONT "/rx-ring-ref", "18446744073709551617"},
		{NETFRONT_EVIL_REF_WRONG, FRONT "/tx-ring-ref", "2147483632"},
		{NETFRONT_EVIL_REF_MISSING, FRONT "/tx-ring-ref", NULL},
		{NETFRONT_EVIL_PORT_WRONG, FRONT "/event-channel-rx", "99999"},
		{NETFRONT_EVIL_PORT_MISSING, FRONT "/event-channel-tx", NULL},
		{NETFRONT_EVIL_NO_RX_COPY, FRONT "/request-rx-copy", NULL},
		{NETFRONT_EVIL_LONG_VALUES, FRONT "/feature-sg", nines},
	};

	memset(nines, '9', 2000);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		void *machine;
		struct stub *s;

		stub_setup(&machine);
		s = machine;
		s->options.evil = cases[i].kind;
		stub_publish(s, 4);
		stub_front(s, "linux", 1);
		stub_expect(s, FRONT "/state", "4");
		stub_expect(s, cases[i].key, cases[i].value);
		stub_teardown(&machine);
	}
}

static void test_names(void **state)
{
	enum netfront_evil kind;

	for (unsigned int i = 1; i < NETFRONT_EVIL_COUNT; i++) {
		assert_non_null(netfront_evil_name((enum netfront_evil)i));
		assert_int_equal(
			netfront_evil_parse(netfront_evil_name((enum netfront_evil)i), &kind), 0);
		assert_int_equal(kind, i);
	}
	assert_null(netfront_evil_name(NETFRONT_EVIL_COUNT));
	assert_int_equal(netfront_evil_parse("rude", &kind), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stub_setup, stub_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),
		TEST(test_extras_chain),
		TEST(test_rewrite),
		TEST(test_rx),
		TEST(test_storms),
		TEST(test_reset),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
