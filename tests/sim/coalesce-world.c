/* SPDX-License-Identifier: GPL-2.0-or-later */
/* coalesce-world.c - the plan, the guest, the daemon and the steps of a run, see coalesce-world.h.
 */
#include "tests/sim/coalesce-world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "util.h"

#define STEPS_MAX  200000u
#define SPARE_URBS 16u /* for the end, with a device that keeps silent */
#define IDLE_STEPS 24u

void world_wrong(struct world *w, const char *format, ...)
{
	va_list args;

	if (w->error[0])
		return;
	va_start(args, format);
	vsnprintf(w->error, sizeof(w->error), format, args);
	va_end(args);
}

static uint32_t draw(struct world *w, uint32_t n)
{
	return w->draw(w->draw_ctx, n);
}

bool world_chance(struct world *w, uint32_t one_in)
{
	return draw(w, one_in) == one_in - 1;
}

/* --- the plan --- */

static void draw_config(struct world *w)
{
	static const uint32_t packets[] = {512, 64, 1024, 8};
	static const unsigned int depths[] = {16, 3, 2, 1};
	static const uint32_t rings[] = {16, 64, 5};
	struct coalesce_config *config = &w->config;

	config->max_packet = packets[draw(w, ARRAY_SIZE(packets))];
	config->in = draw(w, 2);
	config->merge = !world_chance(w, 8);
	config->zero_packet = !config->in && world_chance(w, 6);
	config->depth = depths[draw(w, ARRAY_SIZE(depths))];
	config->max_batch = (64u << 10) >> draw(w, 5);
	w->ring = rings[draw(w, ARRAY_SIZE(rings))];
	w->straddle = w->exact && config->in && config->merge && world_chance(w, 3);
	w->announce = world_chance(w, 3);
	w->recalls = draw(w, 2);
	w->gates = w->exact && !w->announce && world_chance(w, 2);
	w->stops = w->exact || draw(w, 2);
}

enum style { STYLE_EVEN, STYLE_SG, STYLE_SG_RAGGED, STYLE_ANY, STYLES };

static uint32_t draw_length(struct world *w, enum style style, bool last)
{
	uint32_t packet = w->config.max_packet, most = MIN(16 * packet, WORLD_LENGTH);
	uint32_t n = packet * (draw(w, 4) + 1);

	switch (style) {
	case STYLE_EVEN:
		break;
	case STYLE_SG:
		return last && world_chance(w, 2) ? draw(w, n) + 1 : n;
	case STYLE_SG_RAGGED: /* such as 3584 bytes, packets of 1024 */
		return world_chance(w, 2) ? n - packet / 2 : n;
	case STYLE_ANY:
		return world_chance(w, 8) ? 0 : world_chance(w, 3) ? draw(w, most) : n;
	case STYLES:
		break;
	}
	return n;
}

static void draw_group(struct world *w, uint32_t most)
{
	struct w_group *group = &w->groups[w->n_groups];
	enum style style = draw(w, STYLES);
	uint32_t same;

	group->first = w->n_urbs;
	group->n = world_chance(w, 4) ? 1 : draw(w, 16) + 1;
	group->n = MIN(group->n, most);
	if (w->straddle)
		group->n = MIN(group->n, w->ring);
	group->sg = style == STYLE_SG || style == STYLE_SG_RAGGED;
	group->wait = world_chance(w, 3);
	group->joined = w->straddle && style == STYLE_SG_RAGGED;
	same = draw_length(w, style, false);
	for (uint32_t i = 0; i < group->n; i++) {
		struct w_urb *urb = &w->urbs[w->n_urbs++];
		struct coalesce_request *co = &urb->co;

		urb->group = w->n_groups;
		co->length = style == STYLE_EVEN ? same : draw_length(w, style, i + 1 == group->n);
		co->short_not_ok =
			w->config.in && (group->sg || (style == STYLE_ANY && world_chance(w, 3)));
		co->fence = i == 0 && world_chance(w, 8);
		for (uint32_t k = 0; k < co->length; k++)
			urb->data[k] =
				w->config.in ? 0 : (uint8_t)(w->n_urbs * 37 + k * 11 + (k >> 8));
	}
	w->n_groups++;
}

static void draw_plan(struct world *w)
{
	uint32_t n = draw(w, WORLD_URBS - SPARE_URBS) + 1;

	while (w->n_urbs < n)
		draw_group(w, n - w->n_urbs);
}

/* --- what the engine asks for --- */

static struct w_xfer *xfer_of(struct world *w, const struct coalesce_batch *batch)
{
	return &w->xfers[batch - w->co.batches];
}

static uint32_t index_of(const struct world *w, struct coalesce_request *co)
{
	return (uint32_t)(container_of(co, struct w_urb, co) - w->urbs);
}

static void on_move(void *ctx, struct coalesce_batch *batch, uint32_t batch_offset,
		    struct coalesce_request *co, uint32_t offset, uint32_t length)
{
	struct world *w = ctx;
	uint8_t *buffer = xfer_of(w, batch)->buffer + batch_offset;
	uint8_t *data = w->urbs[index_of(w, co)].data + offset;

	WANT(w, length && batch_offset + length <= batch->length && offset + length <= co->length,
	     "move out of bounds");
	if (w->error[0])
		return;
	memcpy(w->config.in ? data : buffer, w->config.in ? buffer : data, length);
}

static void on_cancel(void *ctx, struct coalesce_batch *batch)
{
	struct world *w = ctx;

	w->counts.patience += w->issuing;
	world_host_cancel(w, batch);
}

static void on_retire(void *ctx, struct coalesce_batch *batch)
{
	world_host_retire(ctx, batch);
}

static void on_done(void *ctx, struct coalesce_request *co)
{
	struct world *w = ctx;
	uint32_t i = index_of(w, co);
	struct w_urb *urb = &w->urbs[i];
	bool asked = co->unlinked || urb->flushed;
	bool failed = co->status < 0 && !asked;

	WANT(w, urb->state == URB_QUEUED, "request %u completes twice", i);
	if (w->error[0])
		return;
	urb->state = URB_DONE;
	w->done[w->n_done++] = i;
	w->progress = true;
	if (failed || (co->status == 0 && co->actual < co->length && co->short_not_ok))
		w->failure_pending = true;
	if (asked)
		return;
	WANT(w, i >= w->last_done, "request %u completes behind %u", i, w->last_done);
	w->last_done = i;
}

static const struct coalesce_ops ops = {
	.move = on_move, .cancel = on_cancel, .retire = on_retire, .done = on_done};

/* --- guest --- */

bool world_all_seen_before(const struct world *w, uint32_t urb)
{
	for (uint32_t i = 0; i < urb; i++)
		if (w->urbs[i].state != URB_DROPPED && !w->urbs[i].seen)
			return false;
	return true;
}

static void command(struct world *w, enum command_kind kind, uint32_t urb)
{
	WANT(w, w->n_commands < ARRAY_SIZE(w->commands), "the guest says too much");
	if (w->error[0])
		return;
	w->commands[w->n_commands++] = (struct w_command){kind, urb};
	w->progress = true;
}

static void unlink_urb(struct world *w, uint32_t i)
{
	struct w_urb *urb = &w->urbs[i];

	if (urb->unlinked || urb->seen)
		return;
	if (urb->state == URB_PLANNED) {
		urb->state = URB_DROPPED;
	} else if (urb->state != URB_DROPPED) {
		urb->unlinked = true;
		command(w, COMMAND_UNLINK, i);
		w->counts.unlinks++;
	}
}

static void see(struct world *w)
{
	uint32_t i = w->done[w->n_seen++];
	struct w_urb *urb = &w->urbs[i];
	const struct coalesce_request *co = &urb->co;
	const struct w_group *group = &w->groups[urb->group];

	urb->seen = true;
	w->outstanding--;
	w->progress = true;
	if (co->status == -EPIPE)
		command(w, COMMAND_CLEAR_HALT, 0);
	if (!group->sg || co->unlinked ||
	    (co->status == 0 && (co->actual == co->length || !co->short_not_ok)))
		return;
	for (uint32_t k = group->first; k < group->first + group->n; k++)
		if (k != i)
			unlink_urb(w, k);
}

/* How many requests may be queued at once now. */
static uint32_t may_send(const struct world *w)
{
	const struct w_group *group = &w->groups[w->urbs[w->next].group];
	uint32_t room = w->ring - w->outstanding;

	if (group->wait && w->next == group->first && !world_all_seen_before(w, w->next))
		return 0;
	if (group->joined && w->next == group->first && room < group->n)
		return 0;
	return room;
}

static void guest_step(struct world *w)
{
	uint32_t n, end;

	for (n = draw(w, 4); w->n_seen < w->n_done && n < 4; n++)
		see(w);
	for (n = draw(w, 16); n < 16 && w->next < w->n_urbs && w->outstanding < w->ring; n++) {
		struct w_urb *urb = &w->urbs[w->next];
		const struct w_group *group = &w->groups[urb->group];

		if (urb->state == URB_PLANNED && !may_send(w))
			return;
		end = group->joined ? group->first + group->n : w->next + 1;
		for (; w->next < end; w->next++) {
			if (w->urbs[w->next].state != URB_PLANNED)
				continue;
			w->urbs[w->next].state = URB_SENT;
			w->outstanding++;
			command(w, COMMAND_QUEUE, w->next);
		}
	}
	if (!w->exact && !w->silent && w->next && world_chance(w, 24))
		unlink_urb(w, draw(w, w->next));
}

/* --- daemon --- */

static void announce(struct world *w, uint32_t i)
{
	const struct w_group *group = &w->groups[w->urbs[i].group];
	uint64_t bytes = 0;

	if (!w->announce || i != group->first || !group->sg || world_chance(w, 4))
		return;
	for (uint32_t k = 0; k < group->n; k++)
		bytes += w->urbs[i + k].co.length;
	coalesce_expect(&w->co, bytes);
}

static void take_unlink(struct world *w, struct w_urb *urb)
{
	const struct coalesce_batch *batch = urb->co.batch;
	const struct w_xfer *x = batch ? xfer_of(w, batch) : NULL;
	bool failed = x && x->state == XFER_TOLD && batch->status < 0 && batch->actual == 0;

	coalesce_unlink(&w->co, &urb->co);
	/* It had failed, which the engine kept for its turn; now nobody needs to be told. */
	if (failed && urb->state == URB_DONE && x->item < w->log.n)
		w->log.at[x->item].echo = true;
}

static void drain(struct world *w)
{
	for (uint32_t n = 0; n < w->n_commands && !w->error[0]; n++) {
		const struct w_command *command = &w->commands[n];
		struct w_urb *urb = &w->urbs[command->urb];

		switch (command->kind) {
		case COMMAND_QUEUE:
			announce(w, command->urb);
			urb->state = URB_QUEUED;
			coalesce_queue(&w->co, &urb->co);
			break;
		case COMMAND_UNLINK:
			if (urb->state == URB_QUEUED)
				take_unlink(w, urb);
			break;
		case COMMAND_CLEAR_HALT:
			w->clearing = true;
			break;
		}
	}
	w->n_commands = 0;
}

static void release(struct world *w)
{
	w->failure_pending = false;
	w->epoch++;
	coalesce_release(&w->co);
}

/* Some of the ends, in any order. */
static void tell_ends(struct world *w)
{
	uint32_t first = draw(w, COALESCE_BATCHES);

	for (uint32_t i = 0; i < COALESCE_BATCHES && !w->error[0]; i++) {
		uint32_t k = (first + i) % COALESCE_BATCHES;
		struct w_xfer *x = &w->xfers[k];

		if (x->state != XFER_ENDED || world_chance(w, 3))
			continue;
		x->state = XFER_TOLD;
		coalesce_complete(&w->co, &w->co.batches[k], x->status, x->moved);
		w->counts.early_ends += x->state == XFER_TOLD;
		w->progress = true;
	}
}

/* The device is made quiet for a control request, and goes on. */
static void quiet(struct world *w)
{
	if (w->recalls && w->co.n_batches && !w->clearing && !w->recalling && world_chance(w, 64)) {
		w->recalling = true;
		w->counts.recalls++;
	}
	if (!w->clearing && !w->recalling)
		return;
	if (!w->co.blocked)
		coalesce_recall(&w->co);
	w->co.blocked = true;
	if (w->co.n_batches)
		return;
	if (w->clearing)
		w->halted = false;
	w->co.blocked = w->clearing = w->recalling = false;
	w->progress = true;
}

static void flush(struct world *w)
{
	for (uint32_t i = 0; i < w->n_urbs; i++)
		w->urbs[i].flushed = w->urbs[i].flushed || w->urbs[i].state == URB_QUEUED;
	w->failure_pending = false;
	w->epoch++;
	coalesce_flush(&w->co, -ENODEV);
}

/* What becomes of a batch that issue returned. False: no more for now. */
static bool start(struct world *w, struct coalesce_batch *batch)
{
	world_judge_batch(w, batch);
	w->progress = true;
	if (world_chance(w, 16)) {
		coalesce_unissue(&w->co, batch);
		w->counts.unissued++;
		return false;
	}
	w->n_issued++;
	if (!w->config.in)
		coalesce_gather(&w->co, batch);
	world_host_submit(w, batch);
	if (w->exact || !world_chance(w, 48))
		return true;
	w->submit_failed = true;
	xfer_of(w, batch)->state = XFER_TOLD;
	xfer_of(w, batch)->item = UINT32_MAX;
	coalesce_complete(&w->co, batch, -EINVAL, 0);
	return true;
}

static void issue(struct world *w)
{
	struct coalesce_batch *batch;

	w->limit = w->straddle || !world_chance(w, 4) ? UINT32_MAX
						      : w->config.max_packet * (draw(w, 8) + 1);
	w->deadline_ns = UINT64_MAX;
	do {
		w->issuing = true;
		batch = coalesce_issue(&w->co, w->now_ns, w->outstanding >= w->ring, w->limit,
				       &w->deadline_ns);
		w->issuing = false;
		WANT(w, w->deadline_ns > w->now_ns, "a deadline in the past");
	} while (batch && start(w, batch) && !w->error[0]);
}

static void daemon_step(struct world *w)
{
	bool seen = w->co.held && w->n_seen == w->n_done;

	drain(w);
	if (!w->exact && !w->silent && world_chance(w, 128))
		flush(w);
	if (seen && w->co.held)
		release(w);
	tell_ends(w);
	quiet(w);
	issue(w);
}

/* --- a run --- */

static bool over(const struct world *w)
{
	return w->next == w->n_urbs && w->outstanding == 0 && w->co.n_batches == 0 &&
	       w->n_commands == 0 && !w->clearing && !w->recalling && !w->co.held;
}

/* Nothing can happen before the next deadline. */
static void sleep_long(struct world *w)
{
	uint64_t next = w->deadline_ns;

	if (w->busy_until > w->now_ns)
		next = MIN(next, w->busy_until);
	w->now_ns = next == UINT64_MAX ? w->now_ns + NSEC_PER_MSEC : next;
}

static void step(struct world *w, uint32_t *idle)
{
	uint64_t to_off = w->co.off;

	w->progress = false;
	if (!world_chance(w, 3))
		guest_step(w);
	if (!world_chance(w, 3))
		daemon_step(w);
	if (!world_chance(w, 3))
		world_host_step(w);
	w->now_ns += draw(w, 20000);
	*idle = w->progress ? 0 : *idle + 1;
	if (*idle > IDLE_STEPS) {
		sleep_long(w);
		*idle = 0;
	}
	w->counts.off += w->co.off > to_off;
}

static void run(struct world *w)
{
	uint32_t idle = 0, steps = 0;

	while (!over(w) && !w->error[0] && steps++ < STEPS_MAX)
		step(w, &idle);
	WANT(w, over(w), "not through after %u steps: %u of %u sent, %u outstanding, %s", steps,
	     w->next, w->n_urbs, w->outstanding, coalesce_state_name(w->co.state));
}

/* The guest kills requests, one after the other, of a device that says nothing. */
static void run_silent(struct world *w)
{
	uint32_t first = w->n_urbs, idle = 0, steps, order = draw(w, 3);

	while (w->n_urbs < first + MIN(SPARE_URBS, w->ring))
		draw_group(w, first + MIN(SPARE_URBS, w->ring) - w->n_urbs);
	for (uint32_t i = first; i < w->n_urbs; i++)
		w->groups[w->urbs[i].group].wait = false;
	w->silent = true;
	for (steps = 0; steps < 100 && !w->error[0]; steps++)
		step(w, &idle);
	for (uint32_t n = 0; n < w->n_urbs - first && !w->error[0]; n++) {
		uint32_t k = order == 0 ? w->n_urbs - 1 - n : first + n;

		if (order == 2)
			k = first + (n * 7 + 3) % (w->n_urbs - first);
		unlink_urb(w, k);
		for (steps = 0; !w->urbs[k].seen && w->urbs[k].state != URB_DROPPED &&
				steps < 2000 && !w->error[0];
		     steps++)
			step(w, &idle);
		WANT(w, steps < 2000, "unlink of %u, of a silent device, is not answered", k);
	}
	run(w);
}

static void init(struct world *w, uint32_t (*draw_fn)(void *, uint32_t), void *ctx)
{
	memset(w, 0, sizeof(*w));
	world_memory(w);
	w->draw = draw_fn;
	w->draw_ctx = ctx;
	w->epoch = 1;
	w->now_ns = 1;
}

bool world_run(struct world *w, uint32_t (*draw_fn)(void *ctx, uint32_t n), void *ctx)
{
	init(w, draw_fn, ctx);
	w->exact = draw(w, 2);
	draw_config(w);
	draw_plan(w);
	if (w->exact)
		world_reference(w);
	if (!w->config.in)
		w->n_stream = 0;
	coalesce_init(&w->co, &w->config, &ops, w);
	run(w);
	if (!w->exact && !w->error[0])
		run_silent(w);
	if (!w->error[0])
		world_judge(w);
	w->counts.requests = w->co.counters.requests;
	w->counts.batches = w->co.counters.batches;
	w->counts.merged = w->co.counters.merged;
	return !w->error[0];
}
