/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lacp-lab.c - see lacp-lab.h. */
#include "lacp-lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define DATA_NS MS

static void fly(struct lab *lab, const struct lab_flight *frame)
{
	if (lab->systems[frame->system].frozen)
		return;
	assert_true(lab->n_flight < LAB_FLIGHT);
	lab->flight[lab->n_flight] = *frame;
	lab->flight[lab->n_flight++].order = ++lab->n_order;
}

static void note_pdu(struct lab_system *s, unsigned int port)
{
	const uint64_t now = s->lab->now_ns, n = s->n_pdus[port]++;

	if (n)
		s->gap_ns[port] = MAX(s->gap_ns[port], now - s->tx_ns[port][(n - 1) % 8]);
	if (n >= 3) /* T3, at all times */
		assert_true(now - s->tx_ns[port][(n - 3) % 8] >= NSEC_PER_SEC);
	s->tx_ns[port][n % 8] = now;
}

static int on_send(void *ctx, unsigned int port, const uint8_t *frame)
{
	struct lab_system *s = ctx;
	struct lacp_frame f;
	struct lab_flight out = {.at_ns = s->lab->now_ns + s->latency_ns[port],
				 .system = s->to[port],
				 .port = (unsigned int)s->to_port[port]};

	assert_true(s->links[port].carrier);
	if (s->refuse)
		return s->refuse;
	lacp_frame_parse(frame, LACP_FRAME_LEN, &f);
	assert_true(f.kind >= LACP_FRAME_LACPDU);
	assert_memory_equal(frame + 6, s->links[port].mac, 6);
	s->last[port] = f;
	memcpy(s->last_bytes[port], frame, LACP_FRAME_LEN);
	if (f.kind == LACP_FRAME_LACPDU) {
		assert_int_equal(f.pdu.actor.port, port + 1);
		note_pdu(s, port);
	}
	if (s->peers[port].on && s->peers[port].learns && f.kind == LACP_FRAME_LACPDU)
		s->peers[port].pdu.partner = f.pdu.actor;
	memcpy(out.frame, frame, LACP_FRAME_LEN);
	if (s->to[port] != LAB_NOBODY && !s->mute[port])
		fly(s->lab, &out);
	return 0;
}

static void on_port(void *ctx, unsigned int port, bool collect, bool distribute)
{
	struct lab_system *s = ctx;

	s->collecting = (s->collecting & ~(1u << port)) | (uint32_t)collect << port;
	s->distributing = (s->distributing & ~(1u << port)) | (uint32_t)distribute << port;
}

static void on_active(void *ctx, int old, int new)
{
	struct lab_system *s = ctx;

	assert_int_equal(s->active, old);
	assert_int_not_equal(old, new);
	s->active = new;
	s->n_active_changes++;
}

/* What must hold between two events. */
static void check(const struct lab_system *s)
{
	const struct lacp *l = &s->lacp;
	int first = -1;

	assert_int_equal(s->collecting, lacp_collecting(l));
	assert_int_equal(s->distributing, lacp_distributing(l));
	assert_int_equal(s->active, l->active);
	assert_int_equal(s->distributing & ~s->collecting, 0);
	for (int i = 0; i < LACP_PORTS_MAX; i++) {
		const struct lacp_port *p = &l->ports[i];

		if (!(s->collecting >> i & 1))
			continue;
		assert_true(p->used && p->link.carrier && p->selected == LACP_SELECTED);
		assert_true(p->partner.state & LACP_STATE_SYNC);
		if (s->distributing >> i & 1)
			assert_true(l->config.coupled ||
				    (p->partner.state & LACP_STATE_COLLECTING));
		if (p->drain != LACP_DRAIN_NONE)
			continue;
		assert_int_equal(p->aggregator, l->active);
		if (first >= 0)
			assert_memory_equal(p->partner.system, l->ports[first].partner.system, 6);
		first = i;
	}
}

void lab_init(struct lab *lab)
{
	memset(lab, 0, sizeof(*lab));
	lab->data_ns = DEADLINE_NEVER;
	for (int i = 0; i < LAB_SYSTEMS; i++) {
		struct lab_system *s = &lab->systems[i];

		s->lab = lab;
		s->config = (struct lacp_config){.fast = true,
						 .system_priority = LACP_PRIORITY_DEFAULT,
						 .system = {2, 0, 0, 0, 0, (uint8_t)(i + 1)},
						 .key = 1,
						 .default_mbps = 1000};
		for (int port = 0; port < LACP_PORTS_MAX; port++) {
			s->links[port] = (struct lacp_link){
				.mbps = 1000,
				.duplex = LACP_DUPLEX_FULL,
				.priority = LACP_PORT_PRIO_DEFAULT,
				.mac = {2, 0, 0, 0, (uint8_t)(i + 1), (uint8_t)(port + 1)}};
			s->to[port] = LAB_NOBODY;
		}
		lab_start(lab, i);
	}
}

void lab_start(struct lab *lab, int system)
{
	struct lab_system *s = &lab->systems[system];
	const struct lacp_ops ops = {
		.send = on_send, .port = on_port, .active = on_active, .ctx = s};

	s->collecting = s->distributing = 0;
	s->active = -1;
	memset(s->n_pdus, 0, sizeof(s->n_pdus)); /* it does not know what its predecessor sent */
	assert_int_equal(lacp_init(&s->lacp, &s->config, &ops, lab->now_ns), 0);
}

void lab_set(struct lab *lab, int system, unsigned int port)
{
	struct lab_system *s = &lab->systems[system];

	assert_int_equal(lacp_port_set(&s->lacp, port, &s->links[port], lab->now_ns), 0);
	check(s);
}

void lab_configure(struct lab *lab, int system)
{
	struct lab_system *s = &lab->systems[system];

	assert_int_equal(lacp_configure(&s->lacp, &s->config, lab->now_ns), 0);
	check(s);
}

void lab_cable(struct lab *lab, int a, unsigned int port_a, int b, unsigned int port_b)
{
	const int systems[2] = {a, b};
	const unsigned int ports[2] = {port_a, port_b};

	for (int end = 0; end < 2; end++) {
		struct lab_system *s = &lab->systems[systems[end]];

		s->to[ports[end]] = systems[!end];
		s->to_port[ports[end]] = (int)ports[!end];
		s->latency_ns[ports[end]] = 10 * NSEC_PER_USEC;
		lab_set(lab, systems[end], ports[end]);
	}
}

void lab_carrier(struct lab *lab, int system, unsigned int port, bool up)
{
	struct lab_system *s = &lab->systems[system];
	unsigned int n = 0;

	s->links[port].carrier = up;
	if (s->to[port] != LAB_NOBODY)
		lab->systems[s->to[port]].links[s->to_port[port]].carrier = up;
	for (unsigned int i = 0; i < lab->n_flight && !up; i++) { /* what is on the way is lost */
		const struct lab_flight *f = &lab->flight[i];

		if ((f->system == system && f->port == port) ||
		    (f->system == s->to[port] && (int)f->port == s->to_port[port]))
			continue;
		lab->flight[n++] = *f;
	}
	lab->n_flight = up ? lab->n_flight : n;
	lab_set(lab, system, port);
	if (s->to[port] != LAB_NOBODY)
		lab_set(lab, s->to[port], (unsigned int)s->to_port[port]);
}

void lab_pair(struct lab *lab, unsigned int n)
{
	for (unsigned int port = 0; port < n; port++) {
		lab_cable(lab, 0, port, 1, port);
		lab_carrier(lab, 0, port, true);
	}
}

/* --- data --- */

static unsigned int nth_bit(uint32_t bits, unsigned int n)
{
	while (n--)
		bits &= bits - 1;
	return (unsigned int)__builtin_ctz(bits);
}

static void send_data(struct lab *lab, int system)
{
	struct lab_system *s = &lab->systems[system];

	for (unsigned int flow = 0; flow < lab->n_flows; flow++) {
		struct lab_flight f = {.data = true, .flow = flow};
		const unsigned int n = (unsigned int)__builtin_popcount(s->distributing);
		unsigned int port;

		if (!n) {
			lab->n_waited++;
			continue;
		}
		port = nth_bit(s->distributing, flow % n);
		f.seq = ++lab->sent_seq[system][flow];
		f.at_ns = lab->now_ns + s->latency_ns[port];
		f.system = s->to[port];
		f.port = (unsigned int)s->to_port[port];
		fly(lab, &f);
	}
}

static void data_tick(struct lab *lab)
{
	lab->data_ns += DATA_NS;
	lab->gap_ns = lab->systems[0].distributing ? 0 : lab->gap_ns + DATA_NS;
	lab->gap_longest_ns = MAX(lab->gap_longest_ns, lab->gap_ns);
	send_data(lab, 0);
	send_data(lab, 1);
}

static void receive_data(struct lab_system *s, const struct lab_flight *f)
{
	if (!(s->collecting >> f->port & 1)) {
		s->n_lost++;
		return;
	}
	s->n_received++;
	if (f->seq < s->next_seq[f->flow])
		s->n_reordered++;
	s->next_seq[f->flow] = f->seq + 1;
}

/* --- time --- */

static int next_flight(const struct lab *lab)
{
	int best = -1;

	for (unsigned int i = 0; i < lab->n_flight; i++) {
		const struct lab_flight *f = &lab->flight[i], *b = &lab->flight[MAX(best, 0)];

		if (best < 0 || f->at_ns < b->at_ns ||
		    (f->at_ns == b->at_ns && f->order < b->order))
			best = (int)i;
	}
	return best;
}

static void arrive(struct lab *lab, int i)
{
	const struct lab_flight f = lab->flight[i];
	struct lab_system *s = &lab->systems[f.system];

	lab->flight[i] = lab->flight[--lab->n_flight];
	if (f.data)
		receive_data(s, &f);
	else if (!s->frozen)
		lacp_receive(&s->lacp, f.port, f.frame, LACP_FRAME_LEN, lab->now_ns);
	check(s);
}

static uint64_t next_event(const struct lab *lab, int flight)
{
	uint64_t next = MIN(lab->n_flows ? lab->data_ns : DEADLINE_NEVER,
			    flight < 0 ? DEADLINE_NEVER : lab->flight[flight].at_ns);

	for (int i = 0; i < LAB_SYSTEMS; i++)
		if (!lab->systems[i].frozen)
			next = MIN(next, lacp_deadline(&lab->systems[i].lacp));
	for (int i = 0; i < LACP_PORTS_MAX; i++)
		if (lab->systems[0].peers[i].on)
			next = MIN(next, lab->systems[0].peers[i].next_ns);
	return next;
}

static void run_systems(struct lab *lab)
{
	for (int i = 0; i < LAB_SYSTEMS; i++) {
		struct lab_system *s = &lab->systems[i];

		if (s->frozen || lacp_deadline(&s->lacp) > lab->now_ns)
			continue;
		assert_true(lacp_run(&s->lacp, lab->now_ns) > lab->now_ns);
		check(s);
	}
}

static void run_peers(struct lab *lab)
{
	for (unsigned int i = 0; i < LACP_PORTS_MAX; i++) {
		struct lab_peer *peer = &lab->systems[0].peers[i];

		if (!peer->on || peer->next_ns > lab->now_ns)
			continue;
		peer->next_ns += peer->period_ns;
		lab_peer_send(lab, i);
	}
}

void lab_run(struct lab *lab, uint64_t ms)
{
	const uint64_t end = lab->now_ns + ms * MS;

	if (lab->n_flows && lab->data_ns == DEADLINE_NEVER)
		lab->data_ns = lab->now_ns;
	for (;;) {
		const int flight = next_flight(lab);
		const uint64_t next = next_event(lab, flight);

		if (next > end)
			break;
		lab->now_ns = MAX(lab->now_ns, next);
		if (lab->each)
			lab->each(lab);
		/* Frames that have arrived come first, as lacp.h demands. */
		if (flight >= 0 && lab->flight[flight].at_ns <= lab->now_ns) {
			arrive(lab, flight);
			continue;
		}
		run_peers(lab);
		run_systems(lab);
		if (lab->n_flows && lab->data_ns <= lab->now_ns)
			data_tick(lab);
	}
	lab->now_ns = end;
}

/* --- scripted partners --- */

struct lab_peer *lab_peer(struct lab *lab, unsigned int port, uint8_t system, uint8_t state,
			  uint64_t period_ms)
{
	struct lab_system *s = &lab->systems[0];
	struct lab_peer *peer = &s->peers[port];

	*peer = (struct lab_peer){.on = true,
				  .learns = true,
				  .period_ns = period_ms * MS,
				  .next_ns = period_ms ? lab->now_ns : DEADLINE_NEVER,
				  .pdu = {.actor = {.system_priority = LACP_PRIORITY_DEFAULT,
						    .system = {2, 0, 0, 0, 0, system},
						    .key = 7,
						    .port_priority = LACP_PORT_PRIO_DEFAULT,
						    .port = (uint16_t)(100 + port),
						    .state = state}}};
	s->links[port].carrier = true;
	lab_set(lab, 0, port);
	return peer;
}

void lab_peer_send(struct lab *lab, unsigned int port)
{
	static const uint8_t src[6] = {2, 0, 0, 0, 9, 9};
	uint8_t frame[LACP_FRAME_LEN];

	lacp_pdu_build(frame, src, &lab->systems[0].peers[port].pdu);
	assert_int_equal(lab_inject(lab, 0, port, frame, sizeof(frame)), 0);
}

int lab_inject(struct lab *lab, int system, unsigned int port, const uint8_t *frame, size_t len)
{
	struct lab_system *s = &lab->systems[system];
	const int rc = lacp_receive(&s->lacp, port, frame, len, lab->now_ns);

	check(s);
	return rc;
}

struct lacp_port_status lab_status(struct lab *lab, int system, unsigned int port)
{
	struct lacp_port_status status;

	assert_int_equal(lacp_port_status(&lab->systems[system].lacp, port, lab->now_ns, &status),
			 0);
	return status;
}

uint8_t lab_state(struct lab *lab, int system, unsigned int port)
{
	return lab_status(lab, system, port).actor.state;
}
