/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard.c - which guests are watched, and each frame of theirs; see guard.h. */
#include "guard_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <utlist.h>

#include "dos_frame.h"
#include "log.h"
#include "util.h"
#include "worker.h"

#define LOG_MODULE "dos"

void guard_profile_off(struct guard_profile *profile)
{
	memset(profile, 0, sizeof(*profile));
	dos_options_default(&profile->detect, false);
	act_options_default(&profile->react);
	profile->detect.enable = false;
}

struct guard *guard_create(struct worker *w, const struct guard_profile *team)
{
	struct guard *g = xb_calloc(1, sizeof(*g));

	g->worker = w;
	g->team = *team;
	return g;
}

void guard_destroy(struct guard *g)
{
	if (!g)
		return;
	act_destroy(g->act);
	dos_destroy(g->dos);
	free(g);
}

static void on_alarm(void *ctx, const struct dos_alarm *alarm, uint64_t now_ns)
{
	act_on_alarm(((struct guard *)ctx)->act, alarm, now_ns);
}

/* The team's figures are sums over its guests. */
static struct dos_options team_options(const struct guard_profile *profile)
{
	struct dos_options options = profile->detect;

	for (unsigned int d = 0; d < 2; d++)
		for (unsigned int m = 0; m < DOS_METRICS; m++)
			options.threshold[d][m] = dos_team_threshold(m, options.threshold[d][m]);
	return options;
}

/* The memory of the team, once. */
static int start(struct guard *g)
{
	const struct dos_observer observer = {on_alarm, g};
	const struct dos_options options = team_options(&g->team);
	uint64_t seed;
	int rc = 0;

	if (g->dos)
		return 0;
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		return -EAGAIN;
	g->act = act_create(GUARD_HISTORY, &g->team.react, &guard_act_ops, g);
	g->dos = dos_create(seed, &options, &observer, g->worker->now_ns);
	if (g->act && g->dos)
		rc = dos_set_signatures(g->dos, g->signatures, g->worker->now_ns);
	if (g->act && g->dos && rc == 0)
		return 0;
	act_destroy(g->act);
	dos_destroy(g->dos);
	g->act = NULL;
	g->dos = NULL;
	return -ENOMEM;
}

void guard_team_set(struct worker *w, const struct guard_profile *profile)
{
	struct guard *g = w->guard;
	const struct dos_options options = team_options(profile);

	g->team = *profile;
	if (!g->dos)
		return;
	dos_set_options(g->dos, DOS_TEAM, &options, w->now_ns);
	act_set_options(g->act, DOS_TEAM, &profile->react);
	worker_deadline(w, 0);
}

int guard_signatures_set(struct worker *w, const struct signature_set *set)
{
	struct guard *g = w->guard;
	int rc = g->dos ? dos_set_signatures(g->dos, set, w->now_ns) : 0;

	if (rc == 0)
		g->signatures = set;
	return rc;
}

static int watch(struct guard *g, struct vif *vif, const struct guard_profile *profile)
{
	const uint64_t now_ns = g->worker->now_ns;
	const struct act_event *last;
	int vm, rc = start(g);

	if (rc < 0)
		return rc;
	vm = dos_vm_add(g->dos, &profile->detect, now_ns);
	if (vm < 0)
		return vm;
	rc = act_vm_add(g->act, vm, &profile->react);
	if (rc < 0) {
		dos_vm_remove(g->dos, vm);
		return rc;
	}
	last = act_history(g->act, 0);
	vif->guard.first_number = last ? last->number : 0;
	vif->guard.vm = vm;
	g->vifs[vm] = vif;
	g->n_watched++;
	return 0;
}

static void unwatch(struct guard *g, struct vif *vif)
{
	const int vm = vif->guard.vm;

	act_clear(g->act, vm, g->worker->now_ns);
	guard_tell(g);
	guard_release(vif);
	act_vm_remove(g->act, vm);
	dos_vm_remove(g->dos, vm);
	vif->guard.vm = -1;
	g->vifs[vm] = NULL;
	g->n_watched--;
}

void guard_vif_set(struct vif *vif, const struct guard_profile *profile)
{
	struct worker *w = vif->worker;
	struct guard *g = w->guard;
	int rc = 0;

	vif->config.guard = *profile;
	if (vif->guard.second || vif->guard.by_hand)
		guard_place(vif);
	if (vif->guard.vm < 0 && profile->detect.enable)
		rc = watch(g, vif, profile);
	else if (vif->guard.vm >= 0 && !profile->detect.enable)
		unwatch(g, vif);
	else if (vif->guard.vm >= 0) {
		dos_set_options(g->dos, vif->guard.vm, &profile->detect, w->now_ns);
		act_set_options(g->act, vif->guard.vm, &profile->react);
	}
	if (rc < 0)
		log_warn("%s: not watched for attacks: %s", vif->config.name, strerror(-rc));
	worker_deadline(w, 0);
}

void guard_vif_remove(struct vif *vif)
{
	if (vif->guard.vm >= 0)
		unwatch(vif->worker->guard, vif);
}

void guard_clear(struct vif *vif, bool relearn)
{
	struct worker *w = vif->worker;

	if (vif->guard.vm < 0)
		return;
	if (relearn)
		dos_relearn(w->guard->dos, vif->guard.vm, w->now_ns);
	else
		dos_clear(w->guard->dos, vif->guard.vm, w->now_ns);
	act_clear(w->guard->act, vif->guard.vm, w->now_ns);
	worker_deadline(w, 0);
}

void guard_failed(struct vif *vif, enum act_action action, int error)
{
	struct worker *w = vif->worker;

	if (vif->guard.vm < 0)
		return;
	act_failed(w->guard->act, vif->guard.vm, action, error, w->now_ns);
	worker_deadline(w, 0);
}

/* Answers that a delay kept back and that are due. */
static void deliver(struct worker *w)
{
	bool any = false;
	struct vif *vif;

	DL_FOREACH (w->vifs, vif) {
		for (unsigned int i = 0; i < vif->config.n_queues; i++) {
			struct vif_queue *q = &vif->queues[i];

			if (!q->rx_held)
				continue;
			if (q->deliver_ns > w->now_ns) {
				worker_deadline(w, q->deliver_ns);
				continue;
			}
			guest_touch(w, q);
			any = true;
		}
	}
	if (any)
		guest_notify(w);
}

void guard_rest(struct vif *vif)
{
	struct worker *w = vif->worker;

	w->guard->n_resting += !vif->guard.resting;
	vif->guard.resting = true;
	worker_deadline(w, vif->guard.rest_ns);
}

void guard_rest_end(struct vif *vif)
{
	vif->guard.rest_ns = 0;
	if (!vif->guard.resting)
		return;
	vif->guard.resting = false;
	vif->worker->guard->n_resting--;
	guest_take_resume(vif->worker, vif);
}

static void end_rests(struct worker *w)
{
	struct vif *vif;

	DL_FOREACH (w->vifs, vif) {
		if (!vif->guard.resting)
			continue;
		if (vif->guard.rest_ns > w->now_ns)
			worker_deadline(w, vif->guard.rest_ns);
		else
			guard_rest_end(vif);
	}
}

void guard_run(struct worker *w)
{
	struct guard *g = w->guard;

	if (g->n_watched == 0)
		return;
	if (w->now_ns >= dos_deadline(g->dos))
		dos_run(g->dos, w->now_ns);
	if (w->now_ns >= act_deadline(g->act))
		act_run(g->act, w->now_ns);
	guard_tell(g);
	worker_deadline(w, MIN(dos_deadline(g->dos), act_deadline(g->act)));
	if (g->n_delayed)
		deliver(w);
	if (g->n_resting)
		end_rests(w);
}

static void look_at(struct vif *vif, enum dos_direction direction, const struct pkt *pkt,
		    bool spoofed, struct guard_packet *look)
{
	dos_frame_read(&look->packet, pkt->head, pkt->head_len, pkt->total, &pkt->info,
		       pkt->vnet.gso_type == VIRTIO_NET_HDR_GSO_NONE ? 0 : pkt->vnet.gso_size);
	look->packet.spoofed = spoofed;
	dos_prepare(vif->worker->guard->dos, vif->guard.vm, direction, &look->packet,
		    &look->hashes);
}

/* Counts, and says whether the limit lets it pass. */
static bool pass(struct vif *vif, enum dos_direction direction, const struct guard_packet *look)
{
	struct worker *w = vif->worker;
	struct guard_vif *own = &vif->guard;
	struct shape *bits = &own->bits[direction], *packets = &own->packets[direction];
	const struct dos_packet *packet = &look->packet;

	dos_count(w->guard->dos, own->vm, direction, packet, &look->hashes);
	if (!own->limited[direction])
		return true;
	if (shape_ready_ns(bits, packet->bytes, w->now_ns) > w->now_ns ||
	    shape_ready_ns(packets, packet->packets, w->now_ns) > w->now_ns)
		return false;
	shape_take(bits, packet->bytes, w->now_ns);
	shape_take(packets, packet->packets, w->now_ns);
	return true;
}

void guard_fetch(const struct vif *vif)
{
	dos_fetch(vif->worker->guard->dos, vif->guard.vm, DOS_FROM_GUEST);
}

void guard_look(struct vif *vif, const struct pkt *pkt, bool spoofed, struct guard_packet *look)
{
	look_at(vif, DOS_FROM_GUEST, pkt, spoofed, look);
}

bool guard_from_guest(struct vif *vif, const struct guard_packet *look)
{
	const struct worker *w = vif->worker;
	struct guard_vif *own = &vif->guard;
	uint64_t ready_ns;

	if (pass(vif, DOS_FROM_GUEST, look))
		return true;
	shape_take(&own->drops, 1, w->now_ns); /* a frame is a byte of this one, too */
	ready_ns = shape_ready_ns(&own->drops, 1, w->now_ns);
	if (ready_ns > w->now_ns) {
		own->rest_ns = ready_ns;
		dos_on_rest(w->guard->dos, own->vm, DOS_FROM_GUEST);
	}
	return false;
}

bool guard_to_guest(struct vif *vif, const struct pkt *pkt)
{
	struct guard_packet look;

	look_at(vif, DOS_TO_GUEST, pkt, false, &look);
	return pass(vif, DOS_TO_GUEST, &look);
}

void guard_no_room(struct vif *vif)
{
	if (vif->guard.vm >= 0)
		dos_on_drop(vif->worker->guard->dos, vif->guard.vm, DOS_TO_GUEST, 1);
}
