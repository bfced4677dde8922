/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vusb.c - life of a controller, the pass over all that happened; see vusb.h. */
#include "vusb_priv.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "clock.h"
#include "mailbox.h"
#include "util.h"

#define LOG_MODULE "vusb"

#define ROUNDS_PER_PASS 8u /* then the event loop's other sources have their turn */

/* --- news for the control thread --- */

/* A copy travels: the controller may be closed before it is read. */
struct news {
	struct vusb_events events;
	struct vusb *vusb;
	unsigned int port;
	char why[128];
};

static int news_failed(void *ctx, void *arg)
{
	struct news *news = arg;

	news->events.failed(news->events.ctx, news->vusb, news->why);
	return 0;
}

static int news_gone(void *ctx, void *arg)
{
	struct news *news = arg;

	news->events.gone(news->events.ctx, news->vusb, news->port);
	return 0;
}

static void send_news(struct vusb *vusb, mailbox_fn fn, unsigned int port, const char *why)
{
	struct news news = {.events = vusb->events, .vusb = vusb, .port = port};

	if (!vusb->events.mail)
		return;
	snprintf(news.why, sizeof(news.why), "%s", why);
	mailbox_post(vusb->events.mail, fn, &news, sizeof(news));
}

void vusb_fail(struct vusb *vusb, const char *why)
{
	if (vusb->failure)
		return;
	vusb->failure = why;
	send_news(vusb, news_failed, 0, why);
}

/* --- transfers --- */

static void on_done(struct usb_transfer *transfer)
{
	struct vusb_flight *flight = container_of(transfer, struct vusb_flight, transfer);
	struct vusb *vusb = flight->port->vusb;

	DL_APPEND(vusb->ended, flight);
}

int vusb_submit(struct vusb_port *port, struct vusb_flight *flight)
{
	int rc;

	flight->port = port;
	flight->transfer.done = on_done;
	if (port->gone || port->closing)
		return -ENODEV;
	rc = port->host->ops->submit(port->host, &flight->transfer);
	if (rc == 0)
		port->vusb->stats.host_transfers++;
	return rc;
}

static void deal_with_ended(struct vusb *vusb)
{
	struct vusb_flight *flight;

	while ((flight = vusb->ended) != NULL) {
		DL_DELETE(vusb->ended, flight);
		if (flight->port->closing) { /* with its memory: nothing can be told of its data */
			flight->transfer.status = -ENODEV;
			flight->transfer.actual = 0;
		}
		if (flight->pipe)
			vusb_pipe_ended(flight->pipe, flight);
		else
			vusb_control_ended(flight->request);
	}
}

/* --- devices come and go --- */

static void on_gone(struct usb_host *host, void *owner)
{
	((struct vusb_port *)owner)->gone = true;
}

static int check_plug(struct vusb *vusb, unsigned int number, char *error, size_t error_size)
{
	if (number < 1 || number > vusb->config.n_ports) {
		snprintf(error, error_size, "port %u: the controller has ports 1 to %u", number,
			 vusb->config.n_ports);
		return -EINVAL;
	}
	if (vusb->ports[number].host) {
		snprintf(error, error_size, "port %u is taken by %s", number,
			 vusb->ports[number].device.name);
		return -EBUSY;
	}
	return 0;
}

/* What the device says of itself must do for this controller. */
static int check_device(struct vusb *vusb, struct vusb_port *port, char *error, size_t error_size)
{
	struct usb_host *host = port->host;

	if (port_speed(host->speed, vusb->config.usb_version) < 0) {
		snprintf(error, error_size,
			 "%s is faster than a controller of version 1 can show; xl usbctrl-attach "
			 "with version=2",
			 port->device.name);
		return -EPROTONOSUPPORT;
	}
	if (usb_device_descriptor(host->descriptors, host->n_descriptors, &port->descriptor) < 0) {
		snprintf(error, error_size, "%s has no device descriptor", port->device.name);
		return -EPROTO;
	}
	if (pool_init(&port->pool, host) < 0) {
		snprintf(error, error_size, "no memory for the transfers of %s", port->device.name);
		return -ENOMEM;
	}
	return 0;
}

/* After a restart: is it what the guest has there? */
static bool guest_knows(const struct vusb_port *port)
{
	const struct vusb *vusb = port->vusb;

	return vusb->adopt_until_ns && port->view->speed && !port->replugged &&
	       port->view->speed == port_speed(port->host->speed, vusb->config.usb_version) &&
	       port->view->identity == port->identity;
}

int vusb_plug(struct vusb *vusb, unsigned int number, const struct vusb_device *device, char *error,
	      size_t error_size)
{
	int rc = check_plug(vusb, number, error, error_size);
	struct vusb_port *port = &vusb->ports[number];

	if (rc < 0)
		return rc;
	rc = device->open(&port->host, device->arg, vusb->event, vusb->clock, error, error_size);
	if (rc < 0) {
		port->host = NULL;
		return rc;
	}
	port->device = *device;
	port->device.arg = NULL;
	rc = check_device(vusb, port, error, error_size);
	if (rc < 0) {
		port->host->ops->close(port->host);
		port->host = NULL;
		return rc;
	}
	port->host->gone = on_gone;
	port->host->owner = port;
	port->gone = port->busy = port->draining = port->changed = false;
	port->identity = port_identity(port->host->descriptors, port->host->n_descriptors);
	port->adopted = guest_knows(port);
	log_info("%s: port %u: %s (%04x:%04x)%s", vusb->config.name, number, device->name,
		 le16toh(port->descriptor.idVendor), le16toh(port->descriptor.idProduct),
		 port->adopted ? ", as before the restart" : "");
	vusb_control_prepare(port);
	return 0;
}

/* Ends the device's transfers and everything that waits for it; the guest is not told yet. */
static void close_device(struct vusb_port *port)
{
	struct usb_host *host = port->host;

	port->closing = true;
	for (unsigned int i = 0; i < VUSB_PIPES; i++)
		if (port->pipes[i].endpoint)
			vusb_pipe_flush(&port->pipes[i], -ENODEV);
	host->ops->close(host);
	deal_with_ended(port->vusb);
	vusb_control_flush(port, -ENODEV);
	pool_fini(&port->pool);
	for (unsigned int i = 0; i < VUSB_PIPES; i++)
		vusb_pipe_clear(&port->pipes[i]);
	port->config.n_endpoints = 0;
	port->host = NULL;
	port->closing = port->gone = port->preparing = port->adopted = port->forgetful = false;
}

void vusb_unplug(struct vusb_port *port)
{
	struct vusb *vusb = port->vusb;

	if (!port->host)
		return;
	log_info("%s: port %u: %s unplugged", vusb->config.name, port->number, port->device.name);
	deal_with_ended(vusb); /* what did happen counts */
	vusb_copy_run(vusb);
	close_device(port);
	port->want_speed = USBIF_SPEED_NONE;
	port->replugged = port->view->speed != USBIF_SPEED_NONE;
	if (!port->replugged)
		memset(port->view, 0, sizeof(*port->view));
	vusb_ring_answer(vusb);
}

/* --- the pass --- */

/* After a restart the rings wait until the devices are back, but not for ever. */
static bool adopting(struct vusb *vusb, uint64_t now_ns, uint64_t *deadline_ns)
{
	if (!vusb->adopt_until_ns)
		return false;
	for (unsigned int i = 1; i <= vusb->config.n_ports; i++) {
		struct vusb_port *port = &vusb->ports[i];

		if (!port->view->speed || port->replugged || (port->host && !port->preparing))
			continue;
		if (now_ns < vusb->adopt_until_ns) {
			*deadline_ns = MIN(*deadline_ns, vusb->adopt_until_ns);
			return true;
		}
		vusb_control_give_up(port);
	}
	vusb->adopt_until_ns = 0;
	return false;
}

static void unplug_gone(struct vusb *vusb)
{
	for (unsigned int i = 1; i <= vusb->config.n_ports; i++) {
		struct vusb_port *port = &vusb->ports[i];

		if (!port->host || !port->gone)
			continue;
		vusb_unplug(port);
		send_news(vusb, news_gone, i, "");
	}
}

static void run_ports(struct vusb *vusb, uint64_t now_ns, uint64_t *deadline_ns)
{
	for (unsigned int i = 1; i <= vusb->config.n_ports; i++) {
		struct vusb_port *port = &vusb->ports[i];

		if (!port->host)
			continue;
		vusb_control_run(port);
		if (port->gone)
			*deadline_ns = now_ns; /* the next pass unplugs it */
		for (unsigned int k = 0; k < VUSB_PIPES && vusb_port_serves(port); k++)
			if (port->pipes[k].endpoint)
				vusb_pipe_run(&port->pipes[k], now_ns, deadline_ns);
	}
}

/* Pipes whose guest has taken the bad news; asked before the ring is drained, so that what it did
 * about them is heard before they go on. */
static unsigned int collect_seen(struct vusb *vusb, uint64_t now_ns, uint64_t *deadline_ns,
				 struct vusb_pipe **seen, unsigned int max)
{
	unsigned int n = 0;

	vusb->holds = false;
	for (unsigned int i = 1; i <= vusb->config.n_ports; i++)
		for (unsigned int k = 0; k < VUSB_PIPES && n < max && vusb->ports[i].host; k++) {
			struct vusb_pipe *pipe = &vusb->ports[i].pipes[k];

			if (pipe->endpoint && vusb_pipe_seen(pipe, now_ns, deadline_ns))
				seen[n++] = pipe;
		}
	if (n == max)
		*deadline_ns = now_ns; /* the others have their turn */
	return n;
}

static void one_round(struct vusb *vusb, uint64_t now_ns, uint64_t *deadline_ns)
{
	struct vusb_pipe *seen[VUSB_PIPES];
	unsigned int n = collect_seen(vusb, now_ns, deadline_ns, seen, VUSB_PIPES);

	vusb_ring_drain(vusb);
	for (unsigned int i = 0; i < n; i++)
		vusb_pipe_release(seen[i], now_ns, deadline_ns); /* not from what fails now */
	deal_with_ended(vusb);
	vusb_ring_answer(vusb);
	unplug_gone(vusb);
	run_ports(vusb, now_ns, deadline_ns);
	vusb_ring_answer(vusb);
	vusb_ring_connections(vusb);
	if (vusb->holds) /* nobody will tell that the guest has seen why */
		*deadline_ns = MIN(*deadline_ns, now_ns + VUSB_HOLD_POLL_NS);
}

/* Does a request show that others than the storage driver are at work? An idle poll does not. */
static bool is_in_a_hurry(const struct vusb_request *request)
{
	const struct vusb_pipe *pipe = request->pipe;

	return !pipe || (!pipe->bot && request->urb.type != USB_ENDPOINT_XFER_INT);
}

/* Requests that are worth an event of the guest: 1, but while a storage driver queues what its
 * command announced, as many as there will be, since each event costs both sides more than the
 * request. */
static uint32_t awaited(const struct vusb *vusb)
{
	uint32_t n = 0, open = vusb->urb_ring.req_cons - vusb->urb_ring.rsp_prod;

	for (unsigned int i = 0; i < VUSB_REQUESTS; i++)
		if (vusb->requests[i].used && is_in_a_hurry(&vusb->requests[i]))
			return 1;
	for (unsigned int i = 1; i <= vusb->config.n_ports; i++)
		for (unsigned int k = 0; k < VUSB_PIPES && vusb->ports[i].host; k++)
			if (vusb->ports[i].pipes[k].endpoint)
				n += vusb_storage_awaited(&vusb->ports[i].pipes[k]);
	return MAX(1, MIN(n, vusb->urb_ring.size - open));
}

/* Nothing is awaited any more: how long did it take? Where a look found fewer than were awaited,
 * the next one comes sooner. */
static void learn_from_look(struct vusb *vusb, uint64_t now_ns)
{
	if (vusb->look_deadline_ns == 0)
		return;
	vusb->look_took_ns = now_ns < vusb->look_deadline_ns ? now_ns - vusb->look_start_ns
							     : vusb->look_took_ns / 2;
	vusb->look_deadline_ns = 0;
}

/* How many requests to be told of, and when to look whether fewer came. */
static uint32_t look_ahead(struct vusb *vusb, uint64_t now_ns, uint64_t *deadline_ns)
{
	uint32_t n = awaited(vusb);
	uint64_t waited_ns;

	if (n == 1) {
		learn_from_look(vusb, now_ns);
		return 1;
	}
	if (vusb->look_deadline_ns == 0)
		vusb->look_start_ns = vusb->look_since_ns = now_ns;
	else if (n != vusb->looked_for)
		vusb->look_since_ns = now_ns;
	vusb->looked_for = n;
	waited_ns = now_ns - vusb->look_since_ns;
	if (waited_ns > VUSB_LOOK_MAX_NS)
		return 1;
	waited_ns = MAX(MAX(waited_ns, vusb->look_took_ns) * 2, VUSB_LOOK_NS);
	vusb->look_deadline_ns = vusb->look_since_ns + MIN(waited_ns, 2 * VUSB_LOOK_MAX_NS);
	*deadline_ns = MIN(*deadline_ns, vusb->look_deadline_ns);
	return n;
}

/* Asks for events, then looks again: did the guest queue something meanwhile? */
static bool more_to_do(struct vusb *vusb, uint64_t now_ns, uint64_t *deadline_ns)
{
	bool room = ring_back_arm(&vusb->conn_ring, 1);

	return ring_back_arm(&vusb->urb_ring, look_ahead(vusb, now_ns, deadline_ns)) ||
	       (room && vusb->untold);
}

uint64_t vusb_pass(struct vusb *vusb)
{
	uint64_t now_ns = clock_now(vusb->clock), deadline_ns = DEADLINE_NEVER;
	unsigned int rounds = 0;

	if (vusb->failure)
		return DEADLINE_NEVER;
	if (adopting(vusb, now_ns, &deadline_ns)) {
		unplug_gone(vusb);
		run_ports(vusb, now_ns, &deadline_ns);
		if (adopting(vusb, now_ns, &deadline_ns))
			return deadline_ns;
	}
	do {
		deadline_ns = DEADLINE_NEVER;
		one_round(vusb, now_ns, &deadline_ns);
	} while (!vusb->failure && more_to_do(vusb, now_ns, &deadline_ns) &&
		 ++rounds < ROUNDS_PER_PASS);
	if (vusb->masked) {
		vusb->masked = false;
		vusb->xen->ops->evt_unmask(vusb->evt, &vusb->evt_port, 1);
	}
	return rounds < ROUNDS_PER_PASS ? deadline_ns : now_ns;
}

/* --- the loop's sources --- */

static int on_event_channel(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
	struct vusb *vusb = ctx;
	uint32_t port;

	/* There is one port, and it stays masked until the pass. */
	vusb->masked = vusb->xen->ops->evt_pending(vusb->evt, &port, 1) > 0 || vusb->masked;
	return 0;
}

static int on_mail(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
	mailbox_drain(((struct vusb *)ctx)->mail, ctx);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
	return 0; /* the pass follows every source */
}

static int on_post(sd_event_source *source, void *ctx)
{
	struct vusb *vusb = ctx;
	uint64_t deadline_ns;

	if (vusb->stopping)
		return 0;
	deadline_ns = vusb_pass(vusb);
	if (deadline_ns == DEADLINE_NEVER)
		return sd_event_source_set_enabled(vusb->source_timer, SD_EVENT_OFF);
	sd_event_source_set_time(vusb->source_timer, DIV_ROUND_UP(deadline_ns, NSEC_PER_USEC));
	return sd_event_source_set_enabled(vusb->source_timer, SD_EVENT_ONESHOT);
}

static int add_sources(struct vusb *vusb)
{
	int rc = sd_event_add_io(vusb->event, &vusb->source_evt, vusb->xen->ops->evt_fd(vusb->evt),
				 EPOLLIN, on_event_channel, vusb);

	if (rc >= 0)
		rc = sd_event_add_io(vusb->event, &vusb->source_mail, mailbox_fd(vusb->mail),
				     EPOLLIN, on_mail, vusb);
	if (rc >= 0)
		rc = sd_event_add_time(vusb->event, &vusb->source_timer, CLOCK_MONOTONIC, 0, 1,
				       on_timer, vusb);
	if (rc >= 0)
		rc = sd_event_source_set_enabled(vusb->source_timer, SD_EVENT_OFF);
	if (rc >= 0)
		rc = sd_event_add_post(vusb->event, &vusb->source_post, on_post, vusb);
	return rc;
}

/* --- life --- */

static void free_all(struct vusb *vusb, bool keep)
{
	const struct xen_ops *ops = vusb->xen->ops;

	sd_event_source_disable_unref(vusb->source_evt);
	sd_event_source_disable_unref(vusb->source_mail);
	sd_event_source_disable_unref(vusb->source_timer);
	sd_event_source_disable_unref(vusb->source_post);
	vusb_ring_close(vusb);
	journal_close(&vusb->journal, keep);
	if (vusb->evt)
		ops->evt_close(vusb->evt);
	if (vusb->gnt)
		ops->gnt_close(vusb->gnt);
	mailbox_destroy(vusb->mail);
	free(vusb);
}

static int open_handles(struct vusb *vusb, char *error, size_t error_size)
{
	const struct xen_ops *ops = vusb->xen->ops;
	int rc = ops->gnt_open(vusb->xen, &vusb->gnt);

	if (rc == 0)
		rc = ops->evt_open(vusb->xen, &vusb->evt);
	if (rc < 0) {
		snprintf(error, error_size, "Xen: %s", strerror(-rc));
		return rc;
	}
	vusb->mail = mailbox_create();
	if (!vusb->mail) {
		snprintf(error, error_size, "no descriptor for the mailbox of a controller");
		return -EMFILE;
	}
	return vusb_ring_open(vusb, error, error_size);
}

int vusb_start(struct vusb **out, struct xen *xen, struct clock *clock,
	       const struct vusb_config *config, const struct vusb_events *events, sd_event *event,
	       char *error, size_t error_size)
{
	unsigned int n = config->n_ports + 1;
	struct vusb *vusb = xb_calloc(1, sizeof(*vusb) + n * sizeof(vusb->ports[0]));
	int rc;

	vusb->xen = xen;
	vusb->clock = clock;
	vusb->config = *config;
	vusb->events = *events;
	vusb->event = event;
	vusb->limit = (struct log_limit)LOG_LIMIT_INIT(10, 5);
	for (unsigned int i = 0; i < n; i++) {
		vusb->ports[i].vusb = vusb;
		vusb->ports[i].number = i;
	}
	rc = open_handles(vusb, error, error_size);
	if (rc == 0) {
		rc = add_sources(vusb);
		if (rc < 0)
			snprintf(error, error_size, "event loop: %s", strerror(-rc));
	}
	if (rc < 0) {
		free_all(vusb, config->adopt);
		return rc;
	}
	for (unsigned int i = 0; i < n; i++)
		vusb->ports[i].view = &vusb->journal.file->ports[i];
	if (config->adopt) {
		vusb->adopt_until_ns = clock_now(clock) + VUSB_ADOPT_NS;
		/* The predecessor may have died between a response and its event. */
		xen->ops->evt_notify(vusb->evt, vusb->evt_port);
	}
	*out = vusb;
	return 0;
}

void vusb_stop(struct vusb *vusb, bool keep)
{
	vusb->stopping = true;
	for (unsigned int i = 1; i <= vusb->config.n_ports; i++)
		if (vusb->ports[i].host)
			close_device(&vusb->ports[i]);
	if (!keep && !vusb->failure)
		vusb_ring_answer(vusb);
	free_all(vusb, keep);
}
