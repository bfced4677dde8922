/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events.c - event channels: binding, masking, what happens when an end goes away. Rules: Xen,
 * common/event_channel.c; Linux, drivers/xen/evtchn.c. */
#include "conformance.h"

#include <errno.h>
#include <poll.h>

#define PORTS 8u
/* Events cross the hypervisor and a kernel: the wait ends at the first one, so this costs nothing
 * where all is well. */
#define WAIT_MS	 2000
#define QUIET_MS 20

/* A channel: offered by front on its port, bound by back. */
struct channel {
	uint32_t front, back;
};

static bool readable(struct party *p, int timeout_ms)
{
	struct pollfd fd = {.fd = p->ops->evt_fd(p->evt), .events = POLLIN};

	return poll(&fd, 1, timeout_ms) == 1;
}

/* Waits for one event. A reader may be woken for what it has taken already. */
static int take(struct party *p, uint32_t *ports, unsigned int max)
{
	int n = 0;

	for (int tries = 0; n == 0 && tries < 3 && readable(p, WAIT_MS); tries++)
		n = p->ops->evt_pending(p->evt, ports, max);
	return n;
}

static bool takes(struct party *p, uint32_t port, const char *what)
{
	uint32_t got = 0;
	int n = take(p, &got, 1);

	return check(n == 1 && got == port, "%s: %d event, port %u (wanted %u)", what, n, got,
		     port);
}

/* Nothing comes within a short while; on Xen late events would be seen by later checks. */
static bool quiet(struct party *p, const char *what)
{
	uint32_t port = 0;
	int n = 0;

	for (int tries = 0; n == 0 && tries < 3 && readable(p, QUIET_MS); tries++)
		n = p->ops->evt_pending(p->evt, &port, 1);
	return check_int(n, 0, "%s", what);
}

static void unmask(struct party *p, uint32_t port)
{
	p->ops->evt_unmask(p->evt, &port, 1);
}

static int channel_open(struct world *w, struct channel *c)
{
	struct party *front = &w->front, *back = &w->back;

	if (!check_int(front->ops->evt_alloc(front->evt, back->xen->domid, &c->front), 0,
		       "offer a port"))
		return -1;
	if (!check_int(back->ops->evt_bind(back->evt, front->xen->domid, c->front, &c->back), 0,
		       "bind to it"))
		return -1;
	takes(back, c->back, "a port is pending when bound");
	unmask(back, c->back);
	return 0;
}

static void channel_close(struct world *w, struct channel *c)
{
	check_int(w->back.ops->evt_unbind(w->back.evt, c->back), 0, "unbind the bound end");
	check_int(w->front.ops->evt_unbind(w->front.evt, c->front), 0, "unbind the offered end");
}

static void test_notify(struct world *w)
{
	struct party *front = &w->front, *back = &w->back;
	struct channel c;

	if (channel_open(w, &c) < 0)
		return;
	quiet(front, "the end that offered has no event from the bind");
	check_int(front->ops->evt_notify(front->evt, c.front), 0, "notify the back");
	takes(back, c.back, "the back is told");
	check_int(back->ops->evt_notify(back->evt, c.back), 0, "notify the front");
	takes(front, c.front, "the front is told");
	unmask(back, c.back);
	unmask(front, c.front);
	quiet(back, "no second event for one notify");
	quiet(front, "nor on the other side");
	channel_close(w, &c);
}

static void test_mask(struct world *w)
{
	struct party *front = &w->front, *back = &w->back;
	struct channel c;

	if (channel_open(w, &c) < 0)
		return;
	front->ops->evt_notify(front->evt, c.front);
	takes(back, c.back, "an event masks its port");
	front->ops->evt_notify(front->evt, c.front);
	front->ops->evt_notify(front->evt, c.front);
	quiet(back, "no event while masked");
	unmask(back, c.back);
	takes(back, c.back, "what came meanwhile fires at unmask");
	unmask(back, c.back);
	quiet(back, "once");
	unmask(back, c.back);
	quiet(back, "unmask of an unmasked port fires nothing");
	front->ops->evt_notify(front->evt, c.front);
	takes(back, c.back, "and loses nothing");
	unmask(back, c.back);
	channel_close(w, &c);
}

static void test_many(struct world *w)
{
	struct party *front = &w->front, *back = &w->back;
	struct channel c[PORTS];
	uint32_t ports[PORTS];
	unsigned int n = 0, seen = 0;

	for (unsigned int i = 0; i < PORTS; i++)
		if (channel_open(w, &c[i]) < 0)
			return;
	for (unsigned int i = 0; i < PORTS; i++)
		front->ops->evt_notify(front->evt, c[i].front);
	/* Two at a time: what does not fit stays readable. */
	while (n < PORTS) {
		int got = take(back, ports + n, PORTS - n < 2 ? 1 : 2);

		if (!check(got > 0 && got <= 2, "take two events at most: %d", got))
			return;
		n += (unsigned int)got;
	}
	for (unsigned int i = 0; i < PORTS; i++)
		for (unsigned int j = 0; j < n; j++)
			seen += ports[j] == c[i].back;
	check_int(seen, PORTS, "each of %u ports fired once", PORTS);
	check_int(back->ops->evt_unmask(back->evt, ports, n), 0, "unmask them together");
	quiet(back, "none is left");
	for (unsigned int i = 0; i < PORTS; i++)
		front->ops->evt_notify(front->evt, c[i].front);
	n = 0;
	for (int got = 1; n < PORTS && got > 0; n += (unsigned int)(got > 0 ? got : 0))
		got = take(back, ports + n, PORTS - n);
	check_int(n, PORTS, "all fire again");
	for (unsigned int i = 0; i < PORTS; i++)
		channel_close(w, &c[i]);
}

static void test_refused(struct world *w)
{
	struct party *front = &w->front, *back = &w->back;
	struct channel c;
	uint32_t port = 0;

	check(back->ops->evt_bind(back->evt, front->xen->domid, 900, &port) < 0,
	      "bind to a port that nobody offered is refused");
	if (channel_open(w, &c) < 0)
		return;
	check(back->ops->evt_bind(back->evt, front->xen->domid, c.front, &port) < 0,
	      "bind to a bound port is refused");
	channel_close(w, &c);
	check(back->ops->evt_notify(back->evt, c.back) < 0, "notify by a port that is gone");
	check(back->ops->evt_unbind(back->evt, c.back) < 0, "unbind twice");
	if (w->real) {
		skipped("a port offered to another domain is not ours", "front is back");
		return;
	}
	check_int(front->ops->evt_alloc(front->evt, front->xen->domid, &port), 0,
		  "offer a port to another domain");
	check(back->ops->evt_bind(back->evt, front->xen->domid, port, &c.back) < 0,
	      "bind to it is refused");
	front->ops->evt_unbind(front->evt, port);
}

/* A backend that dies and its successor: netif's restart stands on this. */
static void test_rebind(struct world *w)
{
	struct party *front = &w->front, *back = &w->back;
	struct xen_evt *successor;
	struct channel c;
	uint32_t port;

	if (channel_open(w, &c) < 0)
		return;
	back->ops->evt_close(back->evt);
	check_int(front->ops->evt_notify(front->evt, c.front), 0,
		  "notify of an end that closed is dropped in silence");
	check_int(back->ops->evt_open(back->xen, &successor), 0, "a new handle");
	back->evt = successor;
	quiet(back, "which has no event of its predecessor");
	if (!check_int(back->ops->evt_bind(back->evt, front->xen->domid, c.front, &port), 0,
		       "bind to the same port again"))
		return;
	takes(back, port, "pending at once");
	unmask(back, port);
	front->ops->evt_notify(front->evt, c.front);
	takes(back, port, "the new end is told");
	unmask(back, port);
	back->ops->evt_notify(back->evt, port);
	takes(front, c.front, "and tells");
	unmask(front, c.front);
	check_int(back->ops->evt_unbind(back->evt, port), 0, "unbind it");
	check_int(front->ops->evt_notify(front->evt, c.front), 0, "notify of an unbound end");
	if (!check_int(back->ops->evt_bind(back->evt, front->xen->domid, c.front, &port), 0,
		       "bind a third time"))
		return;
	c.back = port;
	takes(back, port, "pending at once");
	channel_close(w, &c);
}

/* The frontend goes: its port and what was pending on it vanish; ours stays until we unbind. */
static void test_front_gone(struct world *w)
{
	struct party *front = &w->front, *back = &w->back;
	struct xen_evt *evt;
	uint32_t port, ours;

	if (!check_int(front->ops->evt_open(front->xen, &evt), 0, "a handle of the front"))
		return;
	check_int(front->ops->evt_alloc(evt, back->xen->domid, &port), 0, "offer a port");
	check_int(back->ops->evt_bind(back->evt, front->xen->domid, port, &ours), 0, "bind");
	takes(back, ours, "pending");
	unmask(back, ours);
	front->ops->evt_close(evt);
	check_int(back->ops->evt_notify(back->evt, ours), 0, "notify of a front that went");
	check_int(back->ops->evt_unbind(back->evt, ours), 0, "unbind after that");
	quiet(back, "no event is left");
}

void conformance_events(struct world *w)
{
	test_notify(w);
	test_mask(w);
	test_many(w);
	test_refused(w);
	test_rebind(w);
	test_front_gone(w);
}
