/* SPDX-License-Identifier: GPL-2.0-or-later */
/* worker.c - the loop of a team's data plane: events, deadlines, mailbox, thread; see worker.h. */
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <utlist.h>

#include "clock.h"
#include "log.h"
#include "punctual.h"
#include "qos_relief.h"
#include "util.h"

#define LOG_MODULE   "worker"
#define BIG_BUFS     256u  /* 18 MiB: receive vectors and GSO frames that wait for guests */
#define SMALL_BUFS   8192u /* 32 MiB: small frames that wait */
#define EVT_BATCH    64
#define PASSES_BURST 16 /* passes in a row without asking which NICs are readable */
#define EVT_EVERY    8	/* busy passes without asking for events */

void worker_deadline(struct worker *w, uint64_t when_ns)
{
	if (when_ns < w->next_ns)
		w->next_ns = when_ns;
}

void worker_deadline_exact(struct worker *w, uint64_t when_ns)
{
	worker_deadline(w, when_ns);
	w->exact_ns = MIN(w->exact_ns, when_ns);
}

uint64_t worker_on_time(struct worker *w)
{
	uint64_t now_ns = clock_now(w->clock);

	if (!w->threaded)
		return now_ns;
	nap_sends(&w->nap, now_ns - w->begin_ns);
	while (now_ns < w->now_ns)
		now_ns = clock_now(w->clock);
	return now_ns;
}

void worker_queue_ready(struct worker *w, struct vif_queue *q)
{
	if (q->ready)
		return;
	q->ready = true;
	DL_APPEND(w->ready, q);
}

void worker_unmask(struct worker *w, struct vif_queue *q)
{
	uint32_t ports[2];
	unsigned int n = 0;

	if (q->tx_masked)
		ports[n++] = q->tx_port;
	if (q->rx_masked && q->rx_port != q->tx_port)
		ports[n++] = q->rx_port;
	q->tx_masked = q->rx_masked = false;
	if (n)
		w->xen->ops->evt_unmask(w->evt, ports, n);
}

int worker_evt_bind(struct worker *w, struct vif_queue *q, uint16_t domid, uint32_t remote,
		    uint32_t *port)
{
	int rc = w->xen->ops->evt_bind(w->evt, domid, remote, port);

	if (rc < 0)
		return rc;
	if (*port >= w->n_evt_queues) {
		uint32_t n = *port + 64;

		w->evt_queues = xb_realloc(w->evt_queues, n * sizeof(*w->evt_queues));
		memset(w->evt_queues + w->n_evt_queues, 0,
		       (n - w->n_evt_queues) * sizeof(*w->evt_queues));
		w->n_evt_queues = n;
	}
	w->evt_queues[*port] = q;
	return 0;
}

void worker_evt_unbind(struct worker *w, uint32_t port)
{
	w->evt_queues[port] = NULL;
	w->xen->ops->evt_unbind(w->evt, port);
}

struct nic *worker_nic_replace(struct worker *w, struct uplink *up, struct nic *nic)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = up};
	struct nic *old = up->nic;
	struct vif *vif;
	bool promisc = false;

	if (old && old->fd >= 0)
		epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, old->fd, NULL);
	up->nic = nic;
	up->gone = up->full = false;
	if (!nic)
		return old;
	if (nic->fd >= 0)
		epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, nic->fd, &event);
	DL_FOREACH (w->vifs, vif) {
		nic->ops->mac_add(nic, vif->config.mac);
		promisc |= vif->config.learning;
	}
	if (promisc)
		nic->ops->promisc(nic, true);
	up->readable = true;
	return old;
}

void worker_vif_add(struct worker *w, struct vif *vif)
{
	DL_APPEND(w->vifs, vif);
	w->ports[vif->port] = vif;
	uplink_mac(w, vif->config.mac, true);
	if (vif->config.learning)
		uplink_promisc(w, true);
	for (unsigned int i = 0; i < vif->config.n_queues; i++)
		worker_queue_ready(w, &vif->queues[i]);
}

void worker_vif_remove(struct worker *w, struct vif *vif)
{
	struct vif_queue *q, **link;
	bool learning = false;
	struct vif *other;

	guest_rx_flush(w);
	guest_notify(w);
	DL_DELETE(w->vifs, vif);
	w->ports[vif->port] = NULL;
	uplink_mac(w, vif->config.mac, false);
	DL_FOREACH (w->vifs, other)
		learning |= other->config.learning;
	if (vif->config.learning && !learning)
		uplink_promisc(w, false);
	for (unsigned int i = 0; i < vif->config.n_queues; i++) {
		q = &vif->queues[i];
		if (q->ready)
			DL_DELETE(w->ready, q);
		q->ready = false;
		for (link = &w->touched; *link; link = &(*link)->touched_next)
			if (*link == q) {
				*link = q->touched_next;
				break;
			}
	}
}

int worker_call(struct worker *w, mailbox_fn fn, void *arg)
{
	if (!w->threaded || pthread_equal(pthread_self(), w->thread))
		return fn(w, arg);
	return mailbox_call(w->mail, fn, arg);
}

void worker_post(struct worker *w, mailbox_fn fn, const void *arg, size_t size)
{
	mailbox_post(w->mail, fn, arg, size);
}

/* Every port that fired makes its queue ready. In a thread, waiting has told whether any did. */
static void take_events(struct worker *w)
{
	uint32_t ports[EVT_BATCH];
	int n;

	if (w->threaded && !w->evt_fired && w->stats.passes % EVT_EVERY)
		return;
	w->evt_fired = false;
	do {
		n = w->xen->ops->evt_pending(w->evt, ports, EVT_BATCH);
		for (int i = 0; i < n; i++) {
			struct vif_queue *q =
				ports[i] < w->n_evt_queues ? w->evt_queues[ports[i]] : NULL;

			if (!q)
				continue; /* unbound since it fired */
			if (ports[i] == q->tx_port)
				q->tx_masked = true;
			if (ports[i] == q->rx_port)
				q->rx_masked = true;
			q->vif->stats.events++;
			worker_queue_ready(w, q);
		}
	} while (n == EVT_BATCH);
}

/* Once the earliest deadline passed: looks for the queues it belonged to, finds the next one. */
static void run_deadlines(struct worker *w)
{
	struct vif *vif;

	if (w->now_ns < w->next_ns)
		return;
	w->next_ns = DEADLINE_NEVER;
	DL_FOREACH (w->vifs, vif) {
		for (unsigned int i = 0; i < vif->config.n_queues && !vif->failed; i++) {
			struct vif_queue *q = &vif->queues[i];

			if (q->wait.head)
				worker_queue_ready(w, q);
		}
	}
	uplink_timers(w);
	guard_run(w);
	qos_relief_run(w);
}

/* Is the next pass a look? */
static void plan_looks(struct worker *w)
{
	if (w->may_look &&
	    (w->pass_bytes >= WORKER_BULK_BYTES || w->pass_frames >= WORKER_BULK_FRAMES)) {
		w->looks_left = WORKER_LOOKS;
	} else if (w->looks_left > 0) {
		w->stats.looks++;
		if (--w->looks_left == 0)
			uplink_calm(w);
	}
}

bool worker_pass(struct worker *w, uint64_t now_ns, uint64_t *deadline_ns)
{
	bool more, more_rx;

	w->now_ns = now_ns;
	w->stats.passes++;
	if (w->exact_ns <= now_ns)
		w->exact_ns = DEADLINE_NEVER;
	w->pass_bytes = w->pass_frames = 0;
	if (mailbox_pending(w->mail))
		mailbox_drain(w->mail, w);
	take_events(w);
	run_deadlines(w);
	more = guest_tx_run(w);
	more_rx = uplink_receive(w);
	if (w->probe_runs) /* not before: an answer may have been waiting while we were late */
		uplink_probe_run(w);
	more |= more_rx | uplink_lacp_run(w, more_rx);
	plan_looks(w);
	/* Queues that are ready are not settled yet, or had something when they were; or nobody may
	 * send, and they are looked at when that ends. */
	more |= w->looks_left > 0 || (w->ready && !team_held(&w->team, now_ns));
	*deadline_ns = w->next_ns;
	return more;
}

/* Waits for events, UINT64_MAX: without a limit. What it says is noted for the next pass. True:
 * there were none. */
static bool wait_for(struct worker *w, uint64_t wait_ns)
{
	struct epoll_event events[TEAM_MEMBERS_MAX + 2];
	struct timespec ts = {.tv_sec = (time_t)(wait_ns / NSEC_PER_SEC),
			      .tv_nsec = (long)(wait_ns % NSEC_PER_SEC)};
	int n = epoll_pwait2(w->epoll_fd, events, ARRAY_SIZE(events),
			     wait_ns == UINT64_MAX ? NULL : &ts, NULL);

	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == &w->mail)
			continue; /* drained by every pass */
		if (events[i].data.ptr == &w->evt)
			w->evt_fired = true;
		else
			((struct uplink *)events[i].data.ptr)->readable = true;
	}
	return n == 0;
}

static void nap(struct worker *w, uint64_t deadline)
{
	const uint64_t now = clock_now(w->clock);
	const uint64_t exact = w->exact_ns;
	const uint64_t wait_ns = nap_ns(&w->nap, now + nap_lead(&w->nap, exact), deadline, exact);

	w->stats.sleeps++;
	if (wait_for(w, wait_ns) && wait_ns && exact != DEADLINE_NEVER)
		nap_woke(&w->nap, now + wait_ns, clock_now(w->clock));
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	unsigned int passes = 0;
	uint64_t deadline;
	char name[16];

	snprintf(name, sizeof(name), "team-%.10s", w->team.name);
	prctl(PR_SET_NAME, name);
	punctual_thread();
	for (;;) {
		bool more;

		w->begin_ns = clock_now(w->clock);
		more = worker_pass(w, MAX(w->begin_ns + nap_lead(&w->nap, w->exact_ns), w->now_ns),
				   &deadline);
		if (w->stop) /* by mail that the pass has read: there will be no other event */
			break;
		more = more || nap_spins(&w->nap, w->now_ns, w->exact_ns);
		if (!more)
			nap(w, deadline);
		else if (++passes % PASSES_BURST == 0)
			wait_for(w, 0);
	}
	mailbox_drain(w->mail, w);
	return NULL;
}

static int open_fds(struct worker *w)
{
	struct epoll_event event = {.events = EPOLLIN};

	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->mail = mailbox_create();
	if (w->epoll_fd < 0 || !w->mail)
		return -errno;
	event.data.ptr = &w->mail;
	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, mailbox_fd(w->mail), &event) < 0)
		return -errno;
	event.data.ptr = &w->evt;
	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->xen->ops->evt_fd(w->evt), &event) < 0)
		return -errno;
	return 0;
}

static int alloc_batches(struct worker *w)
{
	size_t pages = (size_t)WORKER_TX_PAGES * XEN_PAGE_SIZE;

	w->pool = buf_pool_create(BIG_BUFS, SMALL_BUFS);
	w->tx_pages = mmap(NULL, pages, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (!w->pool || w->tx_pages == MAP_FAILED) {
		if (w->tx_pages == MAP_FAILED)
			w->tx_pages = NULL;
		return -ENOMEM;
	}
	(void)mlock(w->tx_pages, pages); /* faster, not needed */
	w->tx = xb_calloc(WORKER_TX_BATCH, sizeof(*w->tx));
	w->tx_copy = xb_calloc(WORKER_TX_PAGES * 2, sizeof(*w->tx_copy));
	w->rx_copy = xb_calloc(WORKER_COPY_BATCH, sizeof(*w->rx_copy));
	w->rx = xb_calloc((size_t)WORKER_COPY_BATCH * 2, sizeof(*w->rx));
	w->linear = xb_calloc(1, BUF_BIG_DATA);
	return 0;
}

static int start_thread(struct worker *w)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all); /* signals belong to the control thread */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	w->threaded = w->may_look = true;
	rc = pthread_create(&w->thread, NULL, worker_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc)
		w->threaded = w->may_look = false;
	return -rc;
}

int worker_create(struct worker **worker, struct xen *xen, struct clock *clock,
		  const char *team_name, const struct team_options *options,
		  const struct worker_observer *observer, bool threaded, char *error,
		  size_t error_size)
{
	struct worker *w = xb_calloc(1, sizeof(*w));
	struct team_observer team_observer;
	struct guard_profile unguarded;
	int rc;

	w->xen = xen;
	w->clock = clock;
	w->observer = *observer;
	w->epoll_fd = -1;
	w->next_ns = 0;
	w->exact_ns = DEADLINE_NEVER;
	w->now_ns = clock_now(clock);
	uplink_team_observer(w, &team_observer);
	team_init(&w->team, team_name, options, &team_observer);
	uplink_lacp_init(w);
	uplink_announce_set(w, options);
	w->sw = sw_create();
	qos_create(w, options);
	guard_profile_off(&unguarded);
	w->guard = guard_create(w, &unguarded);
	rc = alloc_batches(w);
	if (rc == 0)
		rc = xen->ops->gnt_open(xen, &w->gnt);
	if (rc == 0)
		rc = xen->ops->evt_open(xen, &w->evt);
	if (rc == 0)
		rc = open_fds(w);
	if (rc == 0 && threaded)
		rc = start_thread(w);
	if (rc < 0) {
		snprintf(error, error_size, "team %s: cannot start its worker: %s", team_name,
			 strerror(-rc));
		worker_destroy(w);
		return rc;
	}
	*worker = w;
	return 0;
}

static int stop_worker(void *ctx, void *arg)
{
	((struct worker *)ctx)->stop = true;
	return 0;
}

void worker_destroy(struct worker *w)
{
	struct nic *nic;

	if (!w)
		return;
	if (w->threaded) {
		mailbox_post(w->mail, stop_worker, NULL, 0);
		pthread_join(w->thread, NULL);
		w->threaded = false;
	}
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (w->uplinks[i] && uplink_remove(w, w->team.members[i].name, &nic) == 0 && nic)
			nic->ops->close(nic);
	if (w->evt)
		w->xen->ops->evt_close(w->evt);
	if (w->gnt)
		w->xen->ops->gnt_close(w->gnt);
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
	if (w->tx_pages)
		munmap(w->tx_pages, (size_t)WORKER_TX_PAGES * XEN_PAGE_SIZE);
	buf_pool_destroy(w->pool);
	sw_destroy(w->sw);
	claims_destroy(w->claims);
	qos_destroy(w);
	guard_destroy(w->guard);
	mailbox_destroy(w->mail);
	free(w->evt_queues);
	free(w->vector);
	free(w->tx);
	free(w->tx_copy);
	free(w->rx_copy);
	free(w->rx);
	free(w->linear);
	free(w);
}

const struct stat_desc worker_stat_descs[] = {
#define ROW(member, text)                                                                          \
	{                                                                                          \
#member, STAT_KIND_COUNTER, offsetof(struct worker_stats, member), text            \
	}
	ROW(passes, "Passes of the worker's loop"),
	ROW(sleeps, "Times the worker had nothing to do and slept"),
	ROW(looks, "Looks of the busy worker at rings and NICs, instead of waiting for events"),
	ROW(copies, "Grant copy calls"),
	ROW(copy_segments, "Segments of grant copies"),
	ROW(nic_tx_packets, "Frames sent to the team's members"),
	ROW(nic_rx_packets, "Frames received from the team's members"),
	ROW(nic_rx_dropped_switch,
	    "Received frames for nobody here, reflected, or on an inactive member"),
	ROW(sends, "Send calls"),
	ROW(receives, "Receive calls"),
	ROW(reselected, "Frames that went to another member because the chosen one could not send"),
	ROW(nic_full_waits, "Times a NIC's queue was full and frames stayed in the guests' rings"),
	ROW(announced, "RARP announcements sent"),
	ROW(announced_arp, "ARP announcements sent"),
	ROW(to_reserve, "Times a guest was failed over to a reserve member"),
#undef ROW
	{"guests_on_reserve", STAT_KIND_GAUGE, offsetof(struct worker_stats, guests_on_reserve),
	 "Guests that are on a reserve member now"},
};
const size_t worker_n_stat_descs = ARRAY_SIZE(worker_stat_descs);
