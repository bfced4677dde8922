/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-coalesce.c - what merging saves, on simulated time: a host that takes a fixed time for each
 * transfer, one at a time on each endpoint, and a guest that queues as many requests as its ring
 * has slots and refills it as soon as some are answered.
 *
 * bench-coalesce [--json FILE]. Each case runs merged, and with one transfer a request and one in
 * flight (what QEMU's qusb does); with the stock ring of 16 slots, and with a queue without limit
 * (a list of descriptors in the guest's memory); with a host of 2 ms and of 125 us a transfer.
 * "bursts": the guest's requests are seen as many at a time as it queues in a row; "singly": one by
 * one, as a backend sees them that is woken by each. The last column is real: CPU time of the
 * engine a request.
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

struct pipe {
	struct coalesce co;
	uint64_t ends_ns[COALESCE_BATCHES]; /* by the batch's place */
	uint64_t busy_until_ns;
};

struct sim {
	struct pipe pipes[2]; /* OUT, IN */
	uint64_t now_ns, latency_ns;
	unsigned int slots, open, n_done, transfers;
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

	sim->open--;
	sim->n_done++;
}

static const struct coalesce_ops ops = {no_move, no_cancel, no_retire, on_done};

static void issue(struct sim *sim, uint64_t *deadline_ns)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct pipe *pipe = &sim->pipes[i];
		struct coalesce_batch *batch;

		while ((batch = coalesce_issue(&pipe->co, sim->now_ns, sim->open >= sim->slots,
					       1u << 20, deadline_ns)) != NULL) {
			pipe->busy_until_ns =
				MAX(pipe->busy_until_ns, sim->now_ns) + sim->latency_ns;
			pipe->ends_ns[batch - pipe->co.batches] = pipe->busy_until_ns;
			sim->transfers++;
		}
	}
}

/* Moves time to the next end of a transfer, or to a deadline of the engine. */
static void advance(struct sim *sim, uint64_t deadline_ns)
{
	struct coalesce_batch *first = NULL;
	struct pipe *owner = NULL;
	uint64_t at_ns = deadline_ns;

	for (unsigned int i = 0; i < 2; i++) {
		struct pipe *pipe = &sim->pipes[i];
		struct coalesce_batch *batch = &pipe->co.batches[pipe->co.head];

		if (pipe->co.n_batches && pipe->ends_ns[pipe->co.head] <= at_ns) {
			at_ns = pipe->ends_ns[pipe->co.head];
			first = batch;
			owner = pipe;
		}
	}
	sim->now_ns = MAX(sim->now_ns, at_ns);
	if (first)
		coalesce_complete(&owner->co, first, 0, first->length);
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
			request->short_not_ok = step->short_not_ok;
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
	if (step->announced && co->config.merge)
		coalesce_expect(&sim->pipes[1].co, step->announced);
}

static void run_case(struct sim *sim, const struct bench_case *c, bool merge)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct coalesce_config config = {.max_packet = 512,
						       .max_batch = 256u << 10,
						       .in = i,
						       .merge = merge,
						       .depth = merge ? COALESCE_BATCHES : 1};

		coalesce_init(&sim->pipes[i].co, &config, &ops, sim);
		sim->pipes[i].busy_until_ns = 0;
	}
	sim->now_ns = 1;
	sim->open = sim->transfers = 0;
	for (unsigned int i = 0; i < c->n_steps; i++)
		run_step(sim, &c->steps[i]);
}

struct result {
	double ms;
	unsigned int transfers;
};

static struct result measure(const struct bench_case *c, bool merge, unsigned int slots,
			     bool singly, uint64_t latency_ns)
{
	static struct sim sim;

	sim.slots = slots;
	sim.singly = singly;
	sim.latency_ns = latency_ns;
	run_case(&sim, c, merge);
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
		measure(c, true, 16, false, 2000000);
	return (double)(clock_now(&clock_monotonic) - begin_ns) / REPEATS / n;
}

static void row(json_t *rows, const struct bench_case *c, unsigned int slots, bool singly,
		uint64_t latency_ns)
{
	struct result one = measure(c, false, slots, singly, latency_ns);
	struct result merged = measure(c, true, slots, singly, latency_ns);
	double cost = cost_ns(c);
	char queue[16];

	snprintf(queue, sizeof(queue), slots == NO_LIMIT ? "no limit" : "%u slots", slots);
	printf("%-26s %8s  %-8s %-7s %5u %8.2f ms %5u %8.2f ms  1/%-6.1f %5.0f ns\n", c->name,
	       latency_ns == 2000000 ? "2 ms" : "125 us", queue, singly ? "singly" : "bursts",
	       one.transfers, one.ms, merged.transfers, merged.ms, one.ms / merged.ms, cost);
	json_array_append_new(
		rows,
		json_pack("{s:s, s:I, s:s, s:b, s:I, s:f, s:I, s:f, s:f, s:f}", "case", c->name,
			  "host_ns", (json_int_t)latency_ns, "queue", queue, "singly", (int)singly,
			  "transfers_one", (json_int_t)one.transfers, "ms_one", one.ms,
			  "transfers_merged", (json_int_t)merged.transfers, "ms_merged", merged.ms,
			  "ratio", merged.ms / one.ms, "engine_ns_per_request", cost));
}

static json_t *run_all(void)
{
	static const uint64_t latencies_ns[] = {2000000, 125000};
	json_t *rows = json_array();

	printf("%-26s %8s  %-8s %-7s %17s %17s  %-8s %8s\n", "simulated", "host", "queue", "seen",
	       "one a request", "merged", "time", "engine");
	for (size_t l = 0; l < ARRAY_SIZE(latencies_ns); l++)
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
			for (unsigned int k = 0; k < 4; k++)
				row(rows, &cases[i], k < 2 ? NO_LIMIT : 16, k % 2, latencies_ns[l]);
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
