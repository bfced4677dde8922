/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim-datapath.c - random days of a worker: guests send and receive, links flap, sends fail, time
 * passes, the daemon is killed.
 *
 * Invariants after every step: each TX request is answered once, in order; no frame is delivered
 * twice (but for those that a restart repeats), changed or out of order within a flow; none is lost
 * for want of a member while one is up; nothing leaks. SIM_SEEDS (default 20) runs from SIM_SEED
 * (default 1); the seed of a failure is printed.
 */
#include "tests/unit/datapath.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/sim/seeds.h"
#include "util.h"

#define STEPS	400
#define SOURCES (DP_GUESTS + 1) /* the wire is the last */
#define WIRE	DP_GUESTS

struct sim {
	struct dp *dp;
	unsigned int seed;
	uint32_t next[SOURCES][SOURCES]; /* number of the next frame of a flow */
	uint32_t seen[SOURCES][SOURCES]; /* highest that arrived */
	uint32_t answered[DP_GUESTS], asked[DP_GUESTS];
	bool link[DP_NICS];
	uint64_t lost_legally;
	bool repeats; /* a restart happened since the last check: repetitions are legal */
};

static uint8_t frame[70000], got[70000], want[70000];

static unsigned int draw(struct sim *s, unsigned int n)
{
	return (unsigned int)rand_r(&s->seed) % n;
}

static const uint8_t *mac_of(struct sim *s, unsigned int who)
{
	return who == WIRE ? dp_wire_mac : s->dp->guests[who].mac;
}

/* A frame of a flow that carries its number; payload >= 8. */
static uint32_t make(struct sim *s, unsigned int from, unsigned int to, uint32_t payload,
		     uint8_t *out)
{
	uint32_t len = dp_tcp(out, mac_of(s, to), mac_of(s, from), payload, 1);
	uint32_t number = ++s->next[from][to];

	memcpy(out + 54, &number, 4);
	memcpy(out + 58, &payload, 4);
	return len;
}

/* Is this a frame of the flow, unchanged, and the next or a later one? */
static void check_frame(struct sim *s, const uint8_t *f, uint32_t len)
{
	unsigned int from = SOURCES, to = SOURCES;
	uint32_t number, payload;

	for (unsigned int i = 0; i < SOURCES; i++) {
		if (memcmp(f + 6, mac_of(s, i), 6) == 0)
			from = i;
		if (memcmp(f, mac_of(s, i), 6) == 0)
			to = i;
	}
	if (len == FRAME_ANNOUNCE_LEN && f[12] == 0x80 && f[13] == 0x35)
		return;
	assert_true(from < SOURCES && to < SOURCES);
	memcpy(&number, f + 54, 4);
	memcpy(&payload, f + 58, 4);
	assert_int_equal(len, payload + 54);
	dp_tcp(want, mac_of(s, to), mac_of(s, from), payload, 1);
	assert_memory_equal(f + 62, want + 62, len - 62);
	assert_true(number <= s->next[from][to]);
	if (!s->repeats)
		assert_true(number > s->seen[from][to]);
	s->seen[from][to] = MAX(number, s->seen[from][to]);
}

/* Frames for a member that has a carrier and takes none wait in the guest's ring until another one
 * gets them, or for a second; all do while another member is to take over in order. */
static void wait_for_nics(struct sim *s)
{
	const struct worker *w = s->dp->worker;

	for (unsigned int ms = 0;
	     (w->qos.back || team_held(&w->team, clock_now(&s->dp->clock))) && ms < 1100; ms++)
		dp_advance(s->dp, NSEC_PER_MSEC);
}

/* Everything that arrived anywhere; TX answers. */
static void collect(struct sim *s)
{
	struct dp *dp = s->dp;
	int n;

	wait_for_nics(s);

	for (unsigned int i = 0; i < DP_NICS; i++) {
		for (unsigned int k = 0; k < dp->nics[i]->n_sent; k++) {
			check_frame(s, dp->nics[i]->sent[k]->data, dp->nics[i]->sent[k]->len);
			free(dp->nics[i]->sent[k]);
		}
		dp->nics[i]->n_sent = 0;
	}
	for (unsigned int i = 0; i < DP_GUESTS; i++) {
		while ((n = dp_receive(&dp->guests[i], got, NULL, NULL)) != 0)
			if (n > 0)
				check_frame(s, got, (uint32_t)n);
		while (dp_tx_status(&dp->guests[i]) != -100)
			s->answered[i]++;
		assert_int_equal(s->answered[i], s->asked[i]);
	}
	assert_null(dp->failed);
	s->repeats = false;
}

static bool any_link(const struct sim *s)
{
	for (unsigned int i = 0; i < DP_NICS; i++)
		if (s->link[i] && !s->dp->nics[i]->send_error)
			return true;
	return false;
}

/* A guest sends 1 to 4 frames in random slots, some of them GSO. */
static void guest_sends(struct sim *s)
{
	unsigned int from = draw(s, DP_GUESTS), to = draw(s, SOURCES);
	struct dp_guest *g = &s->dp->guests[from];
	uint64_t lost = g->vif->stats.tx_no_member;
	bool possible = any_link(s);

	if (to == from)
		to = WIRE;
	for (unsigned int n = 1 + draw(s, 4); n > 0; n--) {
		bool gso = draw(s, 3) == 0;
		uint32_t len = make(s, from, to, 8 + draw(s, gso ? 12000 : 1400), frame);
		uint16_t sizes[18] = {0};
		uint32_t left = len;
		unsigned int slots = 0;

		while (left > 0) {
			uint32_t size = slots == 7 ? left : 1 + draw(s, 2500);

			size = MIN(MIN(size, left), 3900u);
			sizes[slots++] = (uint16_t)size;
			left -= size;
		}
		s->asked[from] += slots + gso;
		dp_send(s->dp, from, frame, len, sizes, NETTXF_csum_blank, gso ? 1446 : 0,
			XEN_NETIF_GSO_TYPE_TCPV4);
		dp_run(s->dp);
	}
	if (possible)
		assert_int_equal(g->vif->stats.tx_no_member, lost);
}

static void wire_sends(struct sim *s)
{
	static const struct virtio_net_hdr gso = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
						  .csum_start = 34,
						  .csum_offset = 16,
						  .gso_size = 1446,
						  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4};
	int active = s->dp->worker->team.active;
	uint32_t len;

	if (active < 0)
		return;
	for (unsigned int n = 1 + draw(s, 6); n > 0; n--) {
		len = make(s, WIRE, draw(s, DP_GUESTS), 8 + draw(s, 20000), frame);
		dp_incoming(s->dp->nics[active], frame, len, &gso, -1);
	}
	dp_run(s->dp);
}

static void post(struct sim *s)
{
	unsigned int i = draw(s, DP_GUESTS), n = 1 + draw(s, 40);
	unsigned int room = ring_front_free(&s->dp->guests[i].rx);

	dp_post_rx(s->dp, i, MIN(room, n));
	dp_run(s->dp);
}

static void flap(struct sim *s)
{
	unsigned int i = draw(s, DP_NICS);

	s->link[i] = !s->link[i];
	s->dp->nics[i]->carrier = s->link[i];
	team_on_link(&s->dp->worker->team, (int)i, s->link[i], clock_now(&s->dp->clock));
	worker_deadline(s->dp->worker, 0);
	dp_run(s->dp);
}

/* The cable is cut, or the queue full: sends fail before link watch says so. Mended, link watch
 * reports what it sees.
 */
static void cut(struct sim *s)
{
	unsigned int i = draw(s, DP_NICS);
	struct dp_nic *nic = s->dp->nics[i];

	if (nic->send_error) {
		nic->send_error = 0;
		nic->carrier = s->link[i];
		team_on_link(&s->dp->worker->team, (int)i, false, clock_now(&s->dp->clock));
		team_on_link(&s->dp->worker->team, (int)i, s->link[i], clock_now(&s->dp->clock));
		return;
	}
	nic->send_error = draw(s, 2) ? ENOBUFS : ENETDOWN;
	nic->accept = draw(s, 3);
	nic->carrier = nic->send_error == ENOBUFS && draw(s, 2); /* 1: merely full */
}

static void restart(struct sim *s)
{
	dp_restart(s->dp);
	for (unsigned int i = 0; i < DP_NICS; i++) {
		s->link[i] = true;
		s->dp->nics[i]->send_error = 0;
	}
	s->repeats = true;
	dp_run(s->dp);
}

static void run_seed(unsigned int seed)
{
	static void (*const steps[])(struct sim *) = {
		guest_sends, guest_sends, guest_sends, wire_sends, wire_sends, post, post, post};
	struct sim s = {.seed = seed, .link = {true, true}};
	void *state;

	dp_setup(&state);
	s.dp = state;
	for (unsigned int step = 0; step < STEPS; step++) {
		unsigned int kind = draw(&s, 100);

		if (kind < 4)
			flap(&s);
		else if (kind < 8)
			cut(&s);
		else if (kind < 9)
			restart(&s);
		else if (kind < 14)
			dp_advance(s.dp, draw(&s, 2000) * NSEC_PER_MSEC);
		else
			steps[draw(&s, ARRAY_SIZE(steps))](&s);
		collect(&s);
	}
	dp_teardown(&state);
}

static void test_seeds(void **state)
{
	sim_each_seed(20, run_seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_seeds)};

	return cmocka_run_group_tests_name("sim-datapath", tests, NULL, NULL);
}
