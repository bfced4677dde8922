/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-coalesce.c - what merging saves, on simulated time: a host that takes a fixed time for each
 * transfer, one at a time on each endpoint, and a guest that queues as many requests as its ring
 * has slots and refills it as soon as some are answered.
 *
 * bench-coalesce [--json FILE]. Each case runs three ways: "one by one", a transfer a request and
 * one in flight (what QEMU's qusb does); "forwarded", a transfer a request and all that the guest
 * queued in flight (for SHORT_NOT_OK requests that is fast but wrong: a device that ends early
 * fills the wrong request); and merged, by the engine as the daemon uses it. With the stock ring of
 * 16 slots, and with a queue without limit (a list of descriptors in the guest's memory). The guest
 * needs GUEST_NS from a completion to its next request. "bursts": its requests are seen as many at
 * a time as it queues in a row; "singly": one by one, as a backend sees them that is woken by each.
 * The last column is real: CPU time for a request of engine and simulation.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/util.h"
#include "usbback/coalesce.h"

#define REQUESTS_MAX 64u
#define NO_LIMIT     1000u
#define REPEATS	     2000u
#define GUEST_NS     50000u

/* A run of equal requests on one endpoint, after all that came before it was answered. */
struct step {
	bool in, short_not_ok;
	unsigned int n;
	uint32_t length, max_packet;
	uint32_t announced; /* bytes that a command says will follow in IN; 0 = nothing */
};

static const struct bench_case {
	const char *name;
	struct step steps[3];
	unsigned int n_steps;
} cases[] = {
	{"64 x 64 B out, full speed", {{false, false, 64, 64, 64, 0}}, 1},
	{"16 x 4 KiB in", {{true, true, 16, 4096, 512, 0}}, 1},
	{"120 KiB read from storage",
	 {{false, false, 1, 31, 512, 30 * 4096},
	  {true, true, 30, 4096, 512, 0},
	  {true, false, 1, 13, 512, 0}},
	 3},
};

/* How long a transfer takes: alone, behind another one that was in flight when it was submitted,
 * and for each byte. */
static const struct bench_host {
	const char *name;
	uint64_t alone_ns, queued_ns;
	double byte_ns;
} hosts[] = {
	{"2 ms", 2000000, 2000000, 0},
	/* 16 requests in flight were 3.5 times as fast as one after the other in measurements. */
	{"125 us", 125000, 36000, 0},
	/* Full speed: 19 packets of 64 bytes in a frame of 1 ms. */
	{"2 ms+bus", 2000000, 2000000, 1e6 / (19 * 64)},
};

enum way { WAY_ONE, WAY_FORWARDED, WAY_MERGED, WAYS };

struct pipe {
	struct coalesce co;
	uint64_t ends_ns[COALESCE_BATCHES]; /* by the batch's place */
	uint64_t busy_until_ns;
};

struct sim {
	const struct bench_host *host;
	struct pipe pipes[2];	   /* OUT, IN */
	uint64_t now_ns, guest_ns; /* when the guest hears of completions; DEADLINE_NEVER */
	unsigned int slots, open, n_answered, n_done, transfers;
	enum way way;
	bool singly;
	struct coalesce_request requests[REQUESTS_MAX];
};

static void no_move(void *ctx, struct coalesce_batch *batch, uint32_t batch_offset,
		    struct coalesce_request *request, uint32_t request_offset, uint32_t length)
{
}

static void no_cancel(void *ctx, struct coalesce_batch *batch)
{
}

static void no_retire(void *ctx, struct coalesce_batch *batch)
{
}

static void on_done(void *ctx, struct coalesce_request *request)
{
	struct sim *sim = ctx;

	sim->n_answered++;
	sim->guest_ns = MIN(sim->guest_ns, sim->now_ns + GUEST_NS);
}

static const struct coalesce_ops ops = {no_move, no_cancel, no_retire, on_done};

static void submit(struct sim *sim, struct pipe *pipe, const struct coalesce_batch *batch)
{
	bool queued = pipe->busy_until_ns > sim->now_ns;

	pipe->busy_until_ns = MAX(pipe->busy_until_ns, sim->now_ns) +
			      (queued ? sim->host->queued_ns : sim->host->alone_ns) +
			      (uint64_t)(batch->length * sim->host->byte_ns);
	pipe->ends_ns[batch - pipe->co.batches] = pipe->busy_until_ns;
	sim->transfers++;
}

static void issue(struct sim *sim, uint64_t *deadline_ns)
{
	bool full = sim->open - sim->n_answered >= sim->slots;

	for (unsigned int i = 0; i < 2; i++) {
		struct pipe *pipe = &sim->pipes[i];
		struct coalesce_batch *batch;

		while ((batch = coalesce_issue(&pipe->co, sim->now_ns, full, 1u << 20,
					       deadline_ns)) != NULL)
			submit(sim, pipe, batch);
	}
}

/* Moves time to the next end of a transfer, to the guest's turn, or to a deadline of the engine. */
static void advance(struct sim *sim, uint64_t deadline_ns)
{
	struct coalesce_batch *first = NULL;
	struct pipe *owner = NULL;
	uint64_t at_ns = MIN(deadline_ns, sim->guest_ns);

	for (unsigned int i = 0; i < 2; i++) {
		struct pipe *pipe = &sim->pipes[i];

		if (pipe->co.n_batches && pipe->ends_ns[pipe->co.head] <= at_ns) {
			at_ns = pipe->ends_ns[pipe->co.head];
			first = &pipe->co.batches[pipe->co.head];
			owner = pipe;
		}
	}
	sim->now_ns = MAX(sim->now_ns, at_ns);
	if (first) {
		coalesce_complete(&owner->co, first, 0, first->length);
	} else if (sim->now_ns >= sim->guest_ns) {
		sim->guest_ns = DEADLINE_NEVER;
		sim->open -= sim->n_answered;
		sim->n_done += sim->n_answered;
		sim->n_answered = 0;
	}
}

static void run_step(struct sim *sim, const struct step *step)
{
	struct coalesce *co = &sim->pipes[step->in].co;
	uint64_t deadline_ns;
	unsigned int queued = 0;

	co->config.max_packet = step->max_packet;
	sim->n_done = 0;
	while (sim->n_done < step->n) {
		while (queued < step->n && sim->open < sim->slots) {
			struct coalesce_request *request = &sim->requests[queued++];

			memset(request, 0, sizeof(*request));
			request->length = step->length;
			request->short_not_ok = step->short_not_ok && sim->way == WAY_MERGED;
			coalesce_queue(co, request);
			sim->open++;
			deadline_ns = DEADLINE_NEVER;
			if (sim->singly)
				issue(sim, &deadline_ns);
		}
		deadline_ns = DEADLINE_NEVER;
		issue(sim, &deadline_ns);
		advance(sim, deadline_ns);
	}
	if (step->announced && sim->way == WAY_MERGED)
		coalesce_expect(&sim->pipes[1].co, step->announced);
}

static void run_case(struct sim *sim, const struct bench_case *c)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct coalesce_config config = {
			.max_packet = 512,
			.max_batch = 256u << 10,
			.in = i,
			.merge = sim->way == WAY_MERGED,
			.depth = sim->way == WAY_ONE ? 1 : COALESCE_BATCHES};

		coalesce_init(&sim->pipes[i].co, &config, &ops, sim);
		sim->pipes[i].busy_until_ns = 0;
	}
	sim->now_ns = 1;
	sim->guest_ns = DEADLINE_NEVER;
	sim->open = sim->n_answered = sim->transfers = 0;
	for (unsigned int i = 0; i < c->n_steps; i++)
		run_step(sim, &c->steps[i]);
	sim->now_ns -= GUEST_NS; /* the last completion; what the guest does then is its own */
}

struct result {
	double ms;
	unsigned int transfers;
};

static struct result measure(const struct bench_case *c, enum way way, unsigned int slots,
			     bool singly, const struct bench_host *host)
{
	static struct sim sim;

	sim.slots = slots;
	sim.singly = singly;
	sim.host = host;
	sim.way = way;
	run_case(&sim, c);
	return (struct result){(double)(sim.now_ns - 1) / 1e6, sim.transfers};
}

/* CPU time of the engine for a request, ns. */
static double cost_ns(const struct bench_case *c)
{
	unsigned int n = 0;
	uint64_t begin_ns;

	for (unsigned int i = 0; i < c->n_steps; i++)
		n += c->steps[i].n;
	begin_ns = clock_now(&clock_monotonic);
	for (unsigned int i = 0; i < REPEATS; i++)
		measure(c, WAY_MERGED, 16, true, &hosts[0]);
	return (double)(clock_now(&clock_monotonic) - begin_ns) / REPEATS / n;
}

static void row(json_t *rows, const struct bench_case *c, unsigned int slots, bool singly,
		const struct bench_host *host)
{
	struct result r[WAYS];
	double cost = cost_ns(c);
	char queue[16];

	for (enum way way = 0; way < WAYS; way++)
		r[way] = measure(c, way, slots, singly, host);
	snprintf(queue, sizeof(queue), slots == NO_LIMIT ? "no limit" : "%u slots", slots);
	printf("%-26s %8s  %-8s %-7s %3u %7.2f ms %3u %7.2f ms %3u %7.2f ms  1/%-5.1f 1/%-5.1f "
	       "%4.0f ns\n",
	       c->name, host->name, queue, singly ? "singly" : "bursts", r[WAY_ONE].transfers,
	       r[WAY_ONE].ms, r[WAY_FORWARDED].transfers, r[WAY_FORWARDED].ms,
	       r[WAY_MERGED].transfers, r[WAY_MERGED].ms, r[WAY_ONE].ms / r[WAY_MERGED].ms,
	       r[WAY_FORWARDED].ms / r[WAY_MERGED].ms, cost);
	json_array_append_new(
		rows, json_pack("{s:s, s:s, s:s, s:b, s:I, s:f, s:I, s:f, s:I, s:f, s:f, s:f, s:f}",
				"case", c->name, "host", host->name, "queue", queue, "singly",
				(int)singly, "transfers_one", (json_int_t)r[WAY_ONE].transfers,
				"ms_one", r[WAY_ONE].ms, "transfers_forwarded",
				(json_int_t)r[WAY_FORWARDED].transfers, "ms_forwarded",
				r[WAY_FORWARDED].ms, "transfers_merged",
				(json_int_t)r[WAY_MERGED].transfers, "ms_merged", r[WAY_MERGED].ms,
				"ratio_one", r[WAY_MERGED].ms / r[WAY_ONE].ms, "ratio_forwarded",
				r[WAY_MERGED].ms / r[WAY_FORWARDED].ms, "ns_per_request", cost));
}

/* The goals of the first case: what the merging is for. */
static void goal(const struct bench_case *c, unsigned int slots, bool singly, double parts)
{
	struct result one = measure(c, WAY_ONE, slots, singly, &hosts[0]);
	struct result merged = measure(c, WAY_MERGED, slots, singly, &hosts[0]);

	printf("%s, %s, %s: %u transfer(s), 1/%.1f of one by one; goal 1/%.0f: %s\n", c->name,
	       slots == NO_LIMIT ? "no limit" : "ring", singly ? "singly" : "bursts",
	       merged.transfers, one.ms / merged.ms, parts,
	       merged.ms * parts <= one.ms ? "met" : "NOT met");
}

static json_t *run_all(void)
{
	json_t *rows = json_array();

	printf("%-26s %8s  %-8s %-7s %14s %14s %14s  %-7s %-7s %7s\n", "simulated", "host", "queue",
	       "seen", "one by one", "forwarded", "merged", "of one", "of fwd", "CPU");
	for (size_t h = 0; h < ARRAY_SIZE(hosts); h++)
		for (size_t i = 0; i < (hosts[h].byte_ns > 0 ? 1 : ARRAY_SIZE(cases)); i++)
			for (unsigned int k = 0; k < 4; k++)
				row(rows, &cases[i], k < 2 ? NO_LIMIT : 16, k % 2, &hosts[h]);
	goal(&cases[0], NO_LIMIT, false, 50);
	goal(&cases[0], 16, false, 12);
	goal(&cases[0], 16, true, 12);
	return rows;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"json", required_argument, NULL, 'j'}, {0}};
	const char *file = NULL;
	json_t *rows;
	int c, rc = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'j') {
			fprintf(stderr, "usage: bench-coalesce [--json FILE]\n");
			return 2;
		}
		file = optarg;
	}
	rows = run_all();
	if (file && json_dump_file(rows, file, JSON_INDENT(1)) < 0) {
		fprintf(stderr, "%s: cannot be written: %s\n", file, strerror(errno));
		rc = 1;
	}
	json_decref(rows);
	return rc;
}
