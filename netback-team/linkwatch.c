/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linkwatch.c - the thread that knows the links: rtnetlink events and polls of the carrier lead to
 * a look, a look may lead to a report.
 *
 * Theory of Operation: an event says only that something changed; what it carries may be older than
 * what a poll has seen, so the state always comes from a fresh RTM_GETLINK and ETHTOOL_GLINK. An
 * event socket that overflowed (a host that starts fifty guests) means a look at all. The poll is
 * ETHTOOL_GLINK alone: the driver's or the kernel's carrier bit of this moment, about a
 * microsecond, while the event of a lost carrier may come a second later (net/core/link_watch.c).
 * It works in other namespaces, where /sys would show ours. Locking: the list of watches, under a
 * recursive lock that callbacks run in, so that linkwatch_remove waits for them. No question to the
 * kernel is asked under it, since that can take as long as somebody else holds the RTNL lock. Only
 * the thread frees a watch.
 */
#include "linkwatch.h"

#include <assert.h>
#include <errno.h>
#include <netlink/msg.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "nic_link.h"
#include "nic_rtnl.h"

#define LOG_MODULE "linkwatch"

#define EVENT_RCVBUF_BYTES (4u << 20)
/* Datagrams read in a row before carriers get their turn. */
#define EVENT_BATCH 64

#define RETRY_NS (100 * NSEC_PER_MSEC)

/* Why to look at an interface. */
#define DIRTY_EVENT 1u
#define DIRTY_POLL  2u

struct watch {
	struct link_state state;
	bool known;   /* state was reported */
	bool removed; /* waits for the thread to free it */
	unsigned int dirty;
	uint64_t round; /* last poll that included it */
	struct watch *prev, *next;
};

struct linkwatch {
	pthread_t thread;
	pthread_mutex_t lock; /* of the following, up to stop */
	struct watch *watches;
	uint64_t poll_ns;
	bool stop;
	linkwatch_fn fn;
	void *ctx;
	int wake_fd;
	/* from create to the thread and back */
	int netns_fd;
	int start_error;
	sem_t started;
	/* of the thread alone */
	struct nl_sock *events, *requests;
	int ctl_fd;
	uint64_t next_poll_ns;
	uint64_t round;
	bool retry; /* the kernel did not answer a question: ask again soon */
};

static bool same_state(const struct link_state *a, const struct link_state *b)
{
	return a->ifindex == b->ifindex && a->usable == b->usable && a->admin_up == b->admin_up &&
	       a->carrier == b->carrier && a->enslaved == b->enslaved && a->mtu == b->mtu &&
	       a->speed_mbps == b->speed_mbps && a->full_duplex == b->full_duplex;
}

/* The state of this moment into state, which holds the previous one. False when the kernel would
 * not say. */
static bool look(struct linkwatch *lw, struct link_state *state, unsigned int why)
{
	struct link_state now = {.speed_mbps = -1};
	struct nic_rtnl_link link;
	int ret = nic_rtnl_get(lw->requests, state->name, 0, &link);

	if (ret < 0 && ret != -ENODEV) {
		log_debug("%s: cannot ask for its state: %s", state->name, strerror(-ret));
		return false;
	}
	snprintf(now.name, sizeof(now.name), "%s", state->name);
	if (ret == 0) {
		now.ifindex = link.ifindex;
		now.admin_up = link.flags & IFF_UP;
		now.enslaved = link.master != 0 || link.flags & IFF_SLAVE;
		now.mtu = link.mtu;
		/* A driver may know better than the kernel's bit; without the bit nothing is sent.
		 */
		now.carrier = now.admin_up && link.carrier &&
			      nic_link_carrier(lw->ctl_fd, state->name) != 0;
		now.usable = now.carrier && !now.enslaved &&
			     (link.operstate == NIC_RTNL_OPER_UP ||
			      link.operstate == NIC_RTNL_OPER_UNKNOWN);
	}
	/* Drivers may ask their firmware for the speed: only when it can have changed. */
	if (now.carrier &&
	    (why & DIRTY_EVENT || !state->carrier || state->ifindex != now.ifindex)) {
		nic_link_speed(lw->ctl_fd, state->name, &now.speed_mbps, &now.full_duplex);
	} else if (now.carrier) {
		now.speed_mbps = state->speed_mbps;
		now.full_duplex = state->full_duplex;
	}
	*state = now;
	return true;
}

/* The first dirty watch, no longer dirty; NULL none. */
static struct watch *take_dirty(struct linkwatch *lw, struct link_state *state, unsigned int *why)
{
	struct watch *w;

	pthread_mutex_lock(&lw->lock);
	DL_FOREACH (lw->watches, w) {
		if (w->dirty && !w->removed)
			break;
	}
	if (w) {
		*why = w->dirty;
		*state = w->state;
		w->dirty = 0;
	}
	pthread_mutex_unlock(&lw->lock);
	return w;
}

static void mark_one(struct linkwatch *lw, struct watch *w, unsigned int why)
{
	pthread_mutex_lock(&lw->lock);
	w->dirty |= why;
	pthread_mutex_unlock(&lw->lock);
}

static void report(struct linkwatch *lw, struct watch *w, const struct link_state *state)
{
	pthread_mutex_lock(&lw->lock);
	if (!w->removed && (!w->known || !same_state(&w->state, state))) {
		w->known = true;
		w->state = *state;
		lw->fn(lw->ctx, state);
	}
	pthread_mutex_unlock(&lw->lock);
}

static void look_at_dirty(struct linkwatch *lw)
{
	struct link_state state;
	struct watch *w;
	unsigned int why;

	lw->retry = false;
	while (!lw->retry && (w = take_dirty(lw, &state, &why))) {
		if (look(lw, &state, why)) {
			report(lw, w, &state);
			continue;
		}
		lw->retry = true;
		mark_one(lw, w, why);
	}
}

/* Under the lock, or when the thread is gone. */
static void free_watch(struct linkwatch *lw, struct watch *w)
{
	DL_DELETE(lw->watches, w);
	free(w);
}

static void free_removed(struct linkwatch *lw)
{
	struct watch *w, *tmp;

	pthread_mutex_lock(&lw->lock);
	DL_FOREACH_SAFE (lw->watches, w, tmp) {
		if (w->removed)
			free_watch(lw, w);
	}
	pthread_mutex_unlock(&lw->lock);
}

/* ifindex 0: all. A watch whose interface appears or is renamed is found by its name. */
static void mark(struct linkwatch *lw, int ifindex, const char *name)
{
	struct watch *w;

	pthread_mutex_lock(&lw->lock);
	DL_FOREACH (lw->watches, w) {
		if (!ifindex || w->state.ifindex == ifindex || !strcmp(w->state.name, name))
			w->dirty |= DIRTY_EVENT;
	}
	pthread_mutex_unlock(&lw->lock);
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct nic_rtnl_link link;

	if (nic_rtnl_parse(nlmsg_hdr(msg), &link))
		mark(arg, link.ifindex, link.name);
	return NL_OK;
}

static void read_events(struct linkwatch *lw)
{
	for (int i = 0; i < EVENT_BATCH; i++) {
		int error = nl_recvmsgs_default(lw->events);

		if (error == -NLE_AGAIN)
			return;
		/* Events were lost (libnl calls ENOBUFS so), or one was not understood. */
		if (error < 0)
			mark(lw, 0, "");
	}
}

/* The next watch of this round of polls; NULL = all done. */
static struct watch *next_to_poll(struct linkwatch *lw, struct link_state *state)
{
	struct watch *w;

	pthread_mutex_lock(&lw->lock);
	DL_FOREACH (lw->watches, w) {
		if (w->round != lw->round && w->state.ifindex && !w->removed)
			break;
	}
	if (w) {
		w->round = lw->round;
		*state = w->state;
	}
	pthread_mutex_unlock(&lw->lock);
	return w;
}

static void poll_carriers(struct linkwatch *lw)
{
	struct link_state state;
	struct watch *w;

	lw->round++;
	while ((w = next_to_poll(lw, &state))) {
		/* Whatever is not as expected, also a driver that cannot tell, needs a closer look.
		 */
		if (nic_link_carrier(lw->ctl_fd, state.name) != state.carrier)
			mark_one(lw, w, DIRTY_POLL);
	}
}

static int open_sockets(struct linkwatch *lw)
{
	int error, back;

	error = nic_ns_enter(lw->netns_fd, &back);
	if (error)
		return error;
	if (back >= 0)
		close(back); /* this thread stays there */
	lw->ctl_fd = nic_link_socket();
	if (lw->ctl_fd < 0)
		return lw->ctl_fd;
	lw->requests = nic_rtnl_open(&error);
	if (!lw->requests)
		return error;
	lw->events = nic_rtnl_open_events(EVENT_RCVBUF_BYTES, &error);
	if (!lw->events)
		return error;
	nl_socket_modify_cb(lw->events, NL_CB_VALID, NL_CB_CUSTOM, on_event, lw);
	return 0;
}

static void close_sockets(struct linkwatch *lw)
{
	if (lw->events)
		nl_socket_free(lw->events);
	if (lw->requests)
		nl_socket_free(lw->requests);
	if (lw->ctl_fd >= 0)
		close(lw->ctl_fd);
}

/* Sleeps until an event, a wake or the time of the next poll. */
static void wait_for_work(struct linkwatch *lw, uint64_t poll_ns)
{
	struct pollfd fds[2] = {{.fd = nl_socket_get_fd(lw->events), .events = POLLIN},
				{.fd = lw->wake_fd, .events = POLLIN}};
	uint64_t now = clock_now(&clock_monotonic), left = RETRY_NS;
	struct timespec timeout;
	eventfd_t value;

	/* A shorter period counts from now on, as does one after a time without polls. */
	if (lw->next_poll_ns > now + poll_ns)
		lw->next_poll_ns = now + poll_ns;
	if (poll_ns)
		left = lw->next_poll_ns > now ? lw->next_poll_ns - now : 0;
	if (lw->retry)
		left = MIN(left, RETRY_NS);
	timeout = (struct timespec){.tv_sec = (time_t)(left / NSEC_PER_SEC),
				    .tv_nsec = (long)(left % NSEC_PER_SEC)};
	ppoll(fds, ARRAY_SIZE(fds), poll_ns || lw->retry ? &timeout : NULL, NULL);
	if (fds[1].revents)
		eventfd_read(lw->wake_fd, &value);
	if (fds[0].revents)
		read_events(lw);
	now = clock_now(&clock_monotonic);
	if (!poll_ns || now < lw->next_poll_ns)
		return;
	poll_carriers(lw);
	/* From the end of the poll: where that takes long (RTNL), others get their turn as well. */
	lw->next_poll_ns = clock_now(&clock_monotonic) + poll_ns;
}

/* A busy host must not make a failover late: this thread works for microseconds a period. */
static void prefer_this_thread(void)
{
	const struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_RR)};
	int error = pthread_setschedparam(pthread_self(), SCHED_RR, &lowest);

	if (error)
		log_debug("no real-time priority: %s", strerror(error));
}

static void *linkwatch_main(void *arg)
{
	struct linkwatch *lw = arg;

	pthread_setname_np(pthread_self(), "linkwatch");
	prefer_this_thread();
	lw->start_error = open_sockets(lw);
	sem_post(&lw->started);
	while (lw->start_error == 0) {
		uint64_t poll_ns;
		bool stop;

		pthread_mutex_lock(&lw->lock);
		poll_ns = lw->poll_ns;
		stop = lw->stop;
		pthread_mutex_unlock(&lw->lock);
		if (stop)
			break;
		wait_for_work(lw, poll_ns);
		look_at_dirty(lw);
		free_removed(lw);
	}
	close_sockets(lw);
	return NULL;
}

static void wake(struct linkwatch *lw)
{
	eventfd_write(lw->wake_fd, 1);
}

/* The thread takes no signals: they belong to the event loop of the daemon. */
static int start_thread(struct linkwatch *lw)
{
	sigset_t all, old;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = -pthread_create(&lw->thread, NULL, linkwatch_main, lw);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error)
		return error;
	while (sem_wait(&lw->started) < 0)
		;
	if (lw->start_error)
		pthread_join(lw->thread, NULL);
	return lw->start_error;
}

/* Frees what create made, the thread being gone. */
static void free_all(struct linkwatch *lw)
{
	struct watch *w, *tmp;

	DL_FOREACH_SAFE (lw->watches, w, tmp)
		free_watch(lw, w);
	pthread_mutex_destroy(&lw->lock);
	sem_destroy(&lw->started);
	if (lw->wake_fd >= 0)
		close(lw->wake_fd);
	free(lw);
}

int linkwatch_create(struct linkwatch **lw, int netns_fd, uint64_t poll_ns, linkwatch_fn fn,
		     void *ctx)
{
	struct linkwatch *self = xb_calloc(1, sizeof(*self));
	pthread_mutexattr_t attr;
	int error;

	self->netns_fd = netns_fd;
	self->poll_ns = poll_ns;
	self->fn = fn;
	self->ctx = ctx;
	self->ctl_fd = -1;
	sem_init(&self->started, 0, 0);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&self->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = self->wake_fd < 0 ? -errno : start_thread(self);
	if (error) {
		free_all(self);
		return error;
	}
	*lw = self;
	return 0;
}

void linkwatch_destroy(struct linkwatch *lw)
{
	if (!lw)
		return;
	assert(!pthread_equal(pthread_self(), lw->thread));
	pthread_mutex_lock(&lw->lock);
	lw->stop = true;
	pthread_mutex_unlock(&lw->lock);
	wake(lw);
	pthread_join(lw->thread, NULL);
	free_all(lw);
}

/* Under the lock. */
static struct watch *find(struct linkwatch *lw, const char *name)
{
	struct watch *w;

	DL_FOREACH (lw->watches, w) {
		if (!w->removed && !strcmp(w->state.name, name))
			return w;
	}
	return NULL;
}

int linkwatch_add(struct linkwatch *lw, const char *name)
{
	struct watch *w;
	int error = 0;

	if (!nic_link_name_ok(name))
		return -EINVAL;
	pthread_mutex_lock(&lw->lock);
	if (find(lw, name)) {
		error = -EEXIST;
	} else {
		w = xb_calloc(1, sizeof(*w));
		snprintf(w->state.name, sizeof(w->state.name), "%s", name);
		w->state.speed_mbps = -1;
		w->dirty = DIRTY_EVENT;
		DL_APPEND(lw->watches, w);
	}
	pthread_mutex_unlock(&lw->lock);
	wake(lw);
	return error;
}

void linkwatch_remove(struct linkwatch *lw, const char *name)
{
	struct watch *w;

	pthread_mutex_lock(&lw->lock);
	w = find(lw, name);
	if (w)
		w->removed = true;
	pthread_mutex_unlock(&lw->lock);
	wake(lw);
}

void linkwatch_set_poll(struct linkwatch *lw, uint64_t poll_ns)
{
	pthread_mutex_lock(&lw->lock);
	lw->poll_ns = poll_ns;
	pthread_mutex_unlock(&lw->lock);
	wake(lw);
}
