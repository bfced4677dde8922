/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbfront_evil.c - what a broken or hostile guest does to its backend, one kind at a time. See
 * enum usbfront_evil in usbfront.h; what are but wrong requests is in usbfront_evil_urb.c.
 *
 * From the first lie on the frontend does not complain about its backend.
 */
#include "usbfront_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

#define EVIL_EVENTS    100000u
#define EVIL_STATES    5000u
#define REWRITE_ROUNDS 100u
#define REWRITE_WRITES 20000u

/* --- kinds that are more than requests --- */

static void request_index(struct usbfront *front)
{
	__atomic_store_n(&front->urb_ring.page->req_prod, front->urb_ring.rsp_cons + 1000,
			 __ATOMIC_RELEASE);
	uf_notify(front);
}

static void response_index(struct usbfront *front)
{
	struct usbif_urb_request req;

	__atomic_store_n(&front->urb_ring.page->rsp_prod, 0x55555555u, __ATOMIC_RELEASE);
	__atomic_store_n(&front->conn_ring.page->rsp_prod, 0xaaaaaaaau, __ATOMIC_RELEASE);
	if (uf_evil_request(front, &req, USB_ENDPOINT_XFER_CONTROL, true, 18))
		ring_front_request(&front->urb_ring, &req);
	uf_push(front);
}

static void conn_index(struct usbfront *front)
{
	__atomic_store_n(&front->conn_ring.page->req_prod, front->conn_ring.rsp_cons + 10000,
			 __ATOMIC_RELEASE);
	uf_notify(front);
}

static void revoked_grant(struct usbfront *front)
{
	struct usbif_urb_request req;
	uint32_t ref;
	void *page;

	if (front->ops->shr_alloc(front->shr, front->info.backend_domid, 1, true, &ref, &page) < 0)
		return;
	if (uf_evil_request(front, &req, USB_ENDPOINT_XFER_CONTROL, true, 18)) {
		req.seg[0].gref = ref;
		ring_front_request(&front->urb_ring, &req);
	}
	ring_front_push(&front->urb_ring);
	front->ops->shr_free(front->shr, page, 1);
	uf_notify(front);
}

static void rewrite(struct usbfront *front)
{
	front->rewriting = USBFRONT_EVIL_REWRITE;
	front->rewrites = REWRITE_ROUNDS;
}

static void event_storm(struct usbfront *front)
{
	for (unsigned int i = 0; i < EVIL_EVENTS; i++)
		uf_notify(front);
}

static void state_storm(struct usbfront *front)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/state", front->info.frontend);
	for (unsigned int i = 0; i < EVIL_STATES; i++)
		front->ops->store_write(front->store, XEN_TXN_NONE, path, i % 2 ? "4" : "3", 1);
	uf_write_state(front, XENBUS_STATE_CONNECTED);
}

static void vanish(struct usbfront *front)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/state", front->info.frontend);
	front->ops->store_rm(front->store, XEN_TXN_NONE, path);
}

static void reset(struct usbfront *front)
{
	uf_restart(front, true);
}

static const struct {
	enum usbfront_evil kind;
	void (*act)(struct usbfront *front);
} evil_acts[] = {
	{USBFRONT_EVIL_REQ_PROD, request_index},
	{USBFRONT_EVIL_RSP_PROD, response_index},
	{USBFRONT_EVIL_CONN_PROD, conn_index},
	{USBFRONT_EVIL_REVOKE, revoked_grant},
	{USBFRONT_EVIL_REWRITE, rewrite},
	{USBFRONT_EVIL_EVENTS, event_storm},
	{USBFRONT_EVIL_STATES, state_storm},
	{USBFRONT_EVIL_VANISH, vanish},
	{USBFRONT_EVIL_RESET, reset},
};

/* Requests are for a device, the rest is for the controller. */
static bool needs_device(enum usbfront_evil kind)
{
	return kind < USBFRONT_EVIL_REQ_PROD || kind == USBFRONT_EVIL_HOG;
}

/* Waits until the URB ring is empty, so that there is room for everything. */
void uf_evil_act(struct usbfront *front)
{
	enum usbfront_evil kind = front->evil;

	if (needs_device(kind) && front->info.speeds[front->target.port] == USB_SPEED_UNKNOWN)
		return;
	if (ring_front_free(&front->urb_ring) < USBFRONT_SLOTS && !front->lied)
		return;
	front->evil = USBFRONT_EVIL_NONE;
	front->lied = true;
	if (uf_evil_urbs(front, kind))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(evil_acts); i++)
		if (evil_acts[i].kind == kind)
			evil_acts[i].act(front);
}

/* --- kinds that go on --- */

static uint32_t next_random(uint32_t *random)
{
	*random = *random * 1664525u + 1013904223u;
	return *random >> 8;
}

/* As many requests as there is room for, then writes into the whole ring: ids, pipes, references,
 * lengths alike. */
static void scribble(struct usbfront *front, uint32_t random)
{
	volatile uint16_t *halves = (void *)front->urb_ring.page->slots;
	struct usbif_urb_request req;

	while (uf_evil_request(front, &req, USB_ENDPOINT_XFER_CONTROL, true, 18))
		ring_front_request(&front->urb_ring, &req);
	uf_push(front);
	for (unsigned int i = 0; i < REWRITE_WRITES; i++)
		halves[next_random(&random) % (USBFRONT_SLOTS * sizeof(req) / 2)] =
			(uint16_t)next_random(&random);
	/* Ids that came to nothing must not stop us. */
	for (unsigned int i = 0; i < USBFRONT_SLOTS; i++)
		if (front->slots[i].use == UF_SLOT_EVIL)
			front->slots[i].use = UF_SLOT_FREE;
}

static bool scribble_frames(struct usbfront *front, uint32_t random)
{
	struct usbif_urb_request req;
	struct uf_slot *slot =
		uf_evil_request(front, &req, USB_ENDPOINT_XFER_ISOC, true, XEN_PAGE_SIZE);
	volatile uint32_t *words;

	if (!slot)
		return false;
	words = (void *)(slot->pages + slot->frames_at);
	ring_front_request(&front->urb_ring, &req);
	uf_push(front);
	for (unsigned int i = 0; i < REWRITE_WRITES; i++)
		words[next_random(&random) % 32] = next_random(&random) << (i % 16);
	return true;
}

static bool storm(struct usbfront *front)
{
	struct usbif_urb_request req;
	uint16_t i;

	for (i = 0; uf_evil_request(front, &req, USB_ENDPOINT_XFER_BULK, true, 0); i++) {
		req.pipe |= USBIF_PIPE_UNLINK;
		req.u.unlink.unlink_id = i;
		ring_front_request(&front->urb_ring, &req);
	}
	uf_push(front);
	return i > 0;
}

bool uf_evil_go_on(struct usbfront *front)
{
	uint32_t random = front->rewrites * 2654435761u | 1u;
	bool done = true;

	if (front->rewrites == 0 || !front->connected)
		return false;
	if (front->rewriting == USBFRONT_EVIL_REWRITE)
		scribble(front, random);
	else if (front->rewriting == USBFRONT_EVIL_ISO_REWRITE)
		done = scribble_frames(front, random);
	else
		done = storm(front);
	if (!done) /* the ring is full */
		return false;
	front->rewrites--;
	uf_notify(front);
	return front->rewrites > 0;
}

bool usbfront_evil_busy(const struct usbfront *front)
{
	return front->evil != USBFRONT_EVIL_NONE || (front->rewrites > 0 && front->connected);
}

/* --- keys --- */

#define KEY_REFS  "urb-ring-ref conn-ring-ref"
#define KEY_PORTS "event-channel"

static const struct {
	enum usbfront_evil kind;
	const char *keys;
	const char *value; /**< NULL: leave out */
} evil_keys[] = {
	{USBFRONT_EVIL_REF_TEXT, KEY_REFS, "0x12; rm"},
	{USBFRONT_EVIL_REF_HUGE, KEY_REFS, "18446744073709551617"},
	{USBFRONT_EVIL_REF_WRONG, KEY_REFS, "2147483632"},
	{USBFRONT_EVIL_REF_MISSING, KEY_REFS, NULL},
	{USBFRONT_EVIL_PORT_WRONG, KEY_PORTS, "99999"},
	{USBFRONT_EVIL_PORT_MISSING, KEY_PORTS, NULL},
};

const char *uf_evil_value(const struct usbfront *front, const char *key, const char *value,
			  char buf[UF_LONG_VALUE + 1])
{
	if (front->evil_store == USBFRONT_EVIL_LONG_VALUES) {
		memset(buf, '9', UF_LONG_VALUE);
		buf[UF_LONG_VALUE] = '\0';
		return buf;
	}
	for (size_t i = 0; i < ARRAY_SIZE(evil_keys); i++)
		if (evil_keys[i].kind == front->evil_store && strstr(evil_keys[i].keys, key))
			return evil_keys[i].value;
	return value;
}

/* --- the public side --- */

static const char *const evil_names[USBFRONT_EVIL_COUNT] = {
	[USBFRONT_EVIL_GREF_IN] = "gref-in",
	[USBFRONT_EVIL_GREF_OUT] = "gref-out",
	[USBFRONT_EVIL_GREF_LAST] = "gref-last",
	[USBFRONT_EVIL_READ_ONLY] = "read-only",
	[USBFRONT_EVIL_OVERRUN] = "overrun",
	[USBFRONT_EVIL_OFFSET] = "offset",
	[USBFRONT_EVIL_LENGTH] = "length",
	[USBFRONT_EVIL_SEGS_17] = "segs-17",
	[USBFRONT_EVIL_SEGS_65535] = "segs-65535",
	[USBFRONT_EVIL_SEGS_0] = "segs-0",
	[USBFRONT_EVIL_EMPTY_SEGS] = "empty-segs",
	[USBFRONT_EVIL_BUFFER_MORE] = "buffer-more",
	[USBFRONT_EVIL_BUFFER_LESS] = "buffer-less",
	[USBFRONT_EVIL_FLAGS] = "flags",
	[USBFRONT_EVIL_PIPE_BITS] = "pipe-bits",
	[USBFRONT_EVIL_PORT_0] = "port-0",
	[USBFRONT_EVIL_PORT_31] = "port-31",
	[USBFRONT_EVIL_PORT_EMPTY] = "port-empty",
	[USBFRONT_EVIL_ADDRESS] = "address",
	[USBFRONT_EVIL_ENDPOINT] = "endpoint",
	[USBFRONT_EVIL_TYPE] = "type",
	[USBFRONT_EVIL_BULK_0] = "bulk-0",
	[USBFRONT_EVIL_DIRECTION] = "direction",
	[USBFRONT_EVIL_SETUP_MORE] = "setup-more",
	[USBFRONT_EVIL_SETUP_LESS] = "setup-less",
	[USBFRONT_EVIL_SETUP_64K] = "setup-64k",
	[USBFRONT_EVIL_ADDRESS_128] = "address-128",
	[USBFRONT_EVIL_ADDRESS_65535] = "address-65535",
	[USBFRONT_EVIL_ADDRESS_0] = "address-0",
	[USBFRONT_EVIL_CONFIG_255] = "config-255",
	[USBFRONT_EVIL_INTERFACE_255] = "interface-255",
	[USBFRONT_EVIL_HALT_15] = "halt-15",
	[USBFRONT_EVIL_ID_TWICE] = "id-twice",
	[USBFRONT_EVIL_ID_ALL] = "id-all",
	[USBFRONT_EVIL_ID_65535] = "id-65535",
	[USBFRONT_EVIL_UNLINK_UNKNOWN] = "unlink-unknown",
	[USBFRONT_EVIL_UNLINK_SELF] = "unlink-self",
	[USBFRONT_EVIL_UNLINK_TWICE] = "unlink-twice",
	[USBFRONT_EVIL_UNLINK_JUNK] = "unlink-junk",
	[USBFRONT_EVIL_UNLINK_STORM] = "unlink-storm",
	[USBFRONT_EVIL_ISO_PACKETS_0] = "iso-packets-0",
	[USBFRONT_EVIL_ISO_PACKETS_65535] = "iso-packets-65535",
	[USBFRONT_EVIL_ISO_DESC_0] = "iso-desc-0",
	[USBFRONT_EVIL_ISO_DESC_16] = "iso-desc-16",
	[USBFRONT_EVIL_ISO_DESC_SHORT] = "iso-desc-short",
	[USBFRONT_EVIL_ISO_OFFSET] = "iso-offset",
	[USBFRONT_EVIL_ISO_LENGTH] = "iso-length",
	[USBFRONT_EVIL_ISO_OVERLAP] = "iso-overlap",
	[USBFRONT_EVIL_ISO_GREF] = "iso-gref",
	[USBFRONT_EVIL_ISO_READ_ONLY] = "iso-read-only",
	[USBFRONT_EVIL_ISO_REWRITE] = "iso-rewrite",
	[USBFRONT_EVIL_REWRITE] = "rewrite",
	[USBFRONT_EVIL_REVOKE] = "revoke",
	[USBFRONT_EVIL_REQ_PROD] = "req-prod",
	[USBFRONT_EVIL_RSP_PROD] = "rsp-prod",
	[USBFRONT_EVIL_CONN_PROD] = "conn-prod",
	[USBFRONT_EVIL_CONN_NONE] = "conn-none",
	[USBFRONT_EVIL_HOG] = "hog",
	[USBFRONT_EVIL_EVENTS] = "events",
	[USBFRONT_EVIL_STATES] = "states",
	[USBFRONT_EVIL_RESET] = "reset",
	[USBFRONT_EVIL_VANISH] = "vanish",
	[USBFRONT_EVIL_REF_TEXT] = "ref-text",
	[USBFRONT_EVIL_REF_HUGE] = "ref-huge",
	[USBFRONT_EVIL_REF_WRONG] = "ref-wrong",
	[USBFRONT_EVIL_REF_MISSING] = "ref-missing",
	[USBFRONT_EVIL_PORT_WRONG] = "port-wrong",
	[USBFRONT_EVIL_PORT_MISSING] = "port-missing",
	[USBFRONT_EVIL_PROTOCOL] = "protocol",
	[USBFRONT_EVIL_LONG_VALUES] = "long-values",
};

const char *usbfront_evil_name(enum usbfront_evil kind)
{
	return (unsigned int)kind < USBFRONT_EVIL_COUNT ? evil_names[kind] : NULL;
}

int usbfront_evil_parse(const char *name, enum usbfront_evil *kind)
{
	for (unsigned int i = 1; i < USBFRONT_EVIL_COUNT; i++) {
		if (strcmp(name, evil_names[i]) == 0) {
			*kind = (enum usbfront_evil)i;
			return 0;
		}
	}
	return -EINVAL;
}

int usbfront_misbehave(struct usbfront *front, enum usbfront_evil kind)
{
	if ((unsigned int)kind >= USBFRONT_EVIL_COUNT)
		return -EINVAL;
	if (kind >= USBFRONT_EVIL_STORE_FIRST) {
		front->evil_store = kind;
		return 0;
	}
	front->evil = kind;
	if (kind == USBFRONT_EVIL_NONE)
		front->evil_store = kind;
	else if (front->info.state == USBFRONT_STATE_RUNNING && !front->broken)
		uf_evil_act(front);
	return 0;
}

void usbfront_aim(struct usbfront *front, const struct usbfront_target *target)
{
	front->target = *target;
}
