/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbfront_evil_urb.c - misbehaviour that consists of requests alone, see enum usbfront_evil: a
 * legal request of some kind, in which a field or two are wrong.
 */
#include "usbfront_priv.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "util.h"

#define EVIL_GREF    0x7ffffff0u
#define ISO_PACKETS  8u
#define STORM_ROUNDS 200u

#define CTRL USB_ENDPOINT_XFER_CONTROL
#define ISOC USB_ENDPOINT_XFER_ISOC
#define BULK USB_ENDPOINT_XFER_BULK

/* --- legal requests --- */

static uint8_t endpoint_of(const struct usbfront *front, uint8_t type, bool in)
{
	const struct usbfront_target *target = &front->target;
	uint8_t endpoint = 0;

	if (type == ISOC)
		endpoint = target->iso_in ? target->iso_in : (uint8_t)(USB_DIR_IN | 1);
	else if (type == BULK && in)
		endpoint = target->bulk_in ? target->bulk_in : (uint8_t)(USB_DIR_IN | 1);
	else if (type == BULK)
		endpoint = target->bulk_out ? target->bulk_out : 1;
	else if (in)
		endpoint = USB_DIR_IN;
	return endpoint;
}

static void fill_setup(struct usbif_urb_request *req, bool in, uint32_t bytes)
{
	struct usb_ctrlrequest setup = {.wLength = htole16((uint16_t)bytes)};

	setup.bRequestType = in ? USB_DIR_IN : USB_DIR_OUT;
	setup.bRequest = in ? USB_REQ_GET_DESCRIPTOR : USB_REQ_SET_ADDRESS;
	setup.wValue = htole16(in ? USB_DT_DEVICE << 8 : 5);
	memcpy(req->u.ctrl, &setup, sizeof(req->u.ctrl));
}

static void fill_frames(struct uf_slot *slot, struct usbif_urb_request *req, uint32_t bytes)
{
	slot->frames_at = DIV_ROUND_UP(bytes, XEN_PAGE_SIZE) * XEN_PAGE_SIZE;
	for (uint32_t i = 0; i < ISO_PACKETS; i++) {
		struct uf_frame frame = {.offset = i * (bytes / ISO_PACKETS),
					 .length = bytes / ISO_PACKETS};

		memcpy(slot->pages + slot->frames_at + i * sizeof(frame), &frame, sizeof(frame));
	}
	req->u.isoc.interval = 1;
	req->u.isoc.number_of_packets = ISO_PACKETS;
	req->u.isoc.nr_frame_desc_segs = 1;
	uf_segments(slot, req, req->nr_buffer_segs, slot->frames_at,
		    ISO_PACKETS * sizeof(struct uf_frame));
}

struct uf_slot *uf_evil_request(struct usbfront *front, struct usbif_urb_request *req, uint8_t type,
				bool in, uint32_t bytes)
{
	struct uf_slot *slot = uf_free_slot(front);

	memset(req, 0, sizeof(*req));
	if (!slot || uf_slot_pages(front, slot) < 0)
		return NULL;
	req->id = uf_id(front, slot);
	req->pipe = uf_pipe(front->target.port, front->target.address, endpoint_of(front, type, in),
			    type);
	req->buffer_length = (uint16_t)bytes;
	req->nr_buffer_segs = (uint16_t)uf_segments(slot, req, 0, 0, bytes);
	if (type == CTRL)
		fill_setup(req, in, bytes);
	else if (type == ISOC)
		fill_frames(slot, req, bytes);
	slot->use = UF_SLOT_EVIL;
	return slot;
}

/* --- one request, wrong fields --- */

/* A little-endian field of `size` bytes at `at`: what `keep` does not name becomes `value`. */
struct patch {
	uint8_t at, size;
	uint32_t keep, value;
};

#define SET(field, new_value)                                                                      \
	{                                                                                          \
		offsetof(struct usbif_urb_request, field),                                         \
			sizeof(((struct usbif_urb_request *)0)->field), 0, (new_value)             \
	}
#define BITS(field, clear, set)                                                                    \
	{                                                                                          \
		offsetof(struct usbif_urb_request, field),                                         \
			sizeof(((struct usbif_urb_request *)0)->field), ~(uint32_t)(clear), (set)  \
	}
/* Setup packet: bytes 2 to 7 in halves. */
#define SETUP(byte, size, new_value)                                                               \
	{                                                                                          \
		offsetof(struct usbif_urb_request, u.ctrl) + (byte), (size), 0, (new_value)        \
	}
#define REQUEST_TYPE 0
#define REQUEST	     1
#define VALUE	     2
#define INDEX	     4
#define LENGTH	     6
#define PIPE_ADDRESS ((uint32_t)USBIF_PIPE_DEV_MASK << USBIF_PIPE_DEV_SHIFT)
#define PIPE_EP	     ((uint32_t)USBIF_PIPE_EP_MASK << USBIF_PIPE_EP_SHIFT)

static const struct {
	enum usbfront_evil kind;
	uint8_t type;
	bool in;
	uint16_t bytes;
	struct patch patches[3];
} evil_fields[] = {
	{USBFRONT_EVIL_GREF_IN, BULK, true, 512, {SET(seg[0].gref, EVIL_GREF)}},
	{USBFRONT_EVIL_GREF_OUT, BULK, false, 512, {SET(seg[0].gref, EVIL_GREF)}},
	{USBFRONT_EVIL_GREF_LAST, BULK, true, 65024, {SET(seg[15].gref, EVIL_GREF)}},
	{USBFRONT_EVIL_OVERRUN, BULK, false, 200, {SET(seg[0].offset, 4000)}},
	{USBFRONT_EVIL_OFFSET, BULK, true, 1, {SET(seg[0].offset, 65535)}},
	{USBFRONT_EVIL_LENGTH,
	 BULK,
	 true,
	 512,
	 {SET(seg[0].length, 65535), SET(buffer_length, 65535)}},
	{USBFRONT_EVIL_SEGS_17, BULK, true, 4096, {SET(nr_buffer_segs, 17)}},
	{USBFRONT_EVIL_SEGS_65535, BULK, false, 4096, {SET(nr_buffer_segs, 65535)}},
	{USBFRONT_EVIL_SEGS_0, BULK, true, 4096, {SET(nr_buffer_segs, 0)}},
	{USBFRONT_EVIL_EMPTY_SEGS, BULK, false, 0, {SET(nr_buffer_segs, 16)}},
	{USBFRONT_EVIL_BUFFER_MORE, BULK, false, 512, {SET(buffer_length, 60000)}},
	{USBFRONT_EVIL_BUFFER_LESS, BULK, true, 4096, {SET(buffer_length, 512)}},
	{USBFRONT_EVIL_FLAGS, CTRL, true, 18, {SET(transfer_flags, 65535)}},
	{USBFRONT_EVIL_PIPE_BITS, CTRL, true, 18, {BITS(pipe, 0, 0x3ff80040u)}},
	{USBFRONT_EVIL_PORT_0, CTRL, true, 18, {BITS(pipe, USBIF_PIPE_PORT_MASK, 0)}},
	{USBFRONT_EVIL_PORT_31, CTRL, true, 18, {BITS(pipe, USBIF_PIPE_PORT_MASK, 31)}},
	{USBFRONT_EVIL_ADDRESS, BULK, true, 512, {BITS(pipe, PIPE_ADDRESS, PIPE_ADDRESS)}},
	{USBFRONT_EVIL_ENDPOINT, BULK, true, 512, {BITS(pipe, PIPE_EP, PIPE_EP)}},
	{USBFRONT_EVIL_BULK_0, BULK, true, 512, {BITS(pipe, PIPE_ADDRESS, 0)}},
	{USBFRONT_EVIL_DIRECTION, CTRL, true, 18, {BITS(pipe, USBIF_PIPE_DIR, 0)}},
	{USBFRONT_EVIL_SETUP_MORE, CTRL, true, 18, {SETUP(LENGTH, 2, 4096)}},
	{USBFRONT_EVIL_SETUP_LESS, CTRL, true, 64, {SETUP(LENGTH, 2, 8)}},
	{USBFRONT_EVIL_SETUP_64K, CTRL, true, 65535, {SETUP(LENGTH, 2, 65535)}},
	{USBFRONT_EVIL_ADDRESS_128, CTRL, false, 0, {SETUP(VALUE, 2, 128)}},
	{USBFRONT_EVIL_ADDRESS_65535, CTRL, false, 0, {SETUP(VALUE, 2, 65535)}},
	{USBFRONT_EVIL_ADDRESS_0, CTRL, false, 0, {SETUP(VALUE, 2, 0)}},
	{USBFRONT_EVIL_CONFIG_255,
	 CTRL,
	 false,
	 0,
	 {SETUP(REQUEST, 1, USB_REQ_SET_CONFIGURATION), SETUP(VALUE, 2, 255)}},
	{USBFRONT_EVIL_INTERFACE_255,
	 CTRL,
	 false,
	 0,
	 {SETUP(REQUEST_TYPE, 2, USB_REQ_SET_INTERFACE << 8 | USB_RECIP_INTERFACE),
	  SETUP(VALUE, 2, 255), SETUP(INDEX, 2, 255)}},
	{USBFRONT_EVIL_HALT_15,
	 CTRL,
	 false,
	 0,
	 {SETUP(REQUEST_TYPE, 2, USB_REQ_CLEAR_FEATURE << 8 | USB_RECIP_ENDPOINT),
	  SETUP(VALUE, 2, USB_ENDPOINT_HALT), SETUP(INDEX, 2, 15)}},
	{USBFRONT_EVIL_ID_65535, CTRL, true, 18, {SET(id, 65535)}},
	{USBFRONT_EVIL_UNLINK_SELF,
	 CTRL,
	 true,
	 0,
	 {SET(u.unlink.unlink_id, 3), SET(id, 3), BITS(pipe, 0, USBIF_PIPE_UNLINK)}},
	{USBFRONT_EVIL_UNLINK_UNKNOWN,
	 BULK,
	 true,
	 0,
	 {SET(u.unlink.unlink_id, 4711), BITS(pipe, 0, USBIF_PIPE_UNLINK)}},
	{USBFRONT_EVIL_UNLINK_JUNK,
	 BULK,
	 true,
	 65024,
	 {SET(u.unlink.unlink_id, 65535), SET(seg[0].gref, EVIL_GREF),
	  BITS(pipe, ~0u, USBIF_PIPE_UNLINK)}},
	{USBFRONT_EVIL_ISO_PACKETS_0, ISOC, true, 4096, {SET(u.isoc.number_of_packets, 0)}},
	{USBFRONT_EVIL_ISO_PACKETS_65535, ISOC, true, 4096, {SET(u.isoc.number_of_packets, 65535)}},
	{USBFRONT_EVIL_ISO_DESC_0, ISOC, true, 4096, {SET(u.isoc.nr_frame_desc_segs, 0)}},
	{USBFRONT_EVIL_ISO_DESC_16, ISOC, true, 4096, {SET(u.isoc.nr_frame_desc_segs, 16)}},
	{USBFRONT_EVIL_ISO_DESC_SHORT,
	 ISOC,
	 true,
	 4096,
	 {SET(u.isoc.number_of_packets, 100), SET(seg[1].length, 64)}},
	{USBFRONT_EVIL_ISO_GREF, ISOC, true, 4096, {SET(seg[1].gref, EVIL_GREF)}},
};

static void apply(struct usbif_urb_request *req, const struct patch *patch)
{
	uint8_t *at = (uint8_t *)req + patch->at;
	uint32_t old = 0;

	memcpy(&old, at, patch->size);
	old = (old & patch->keep) | patch->value;
	memcpy(at, &old, patch->size);
}

static bool push_fields(struct usbfront *front, enum usbfront_evil kind)
{
	struct usbif_urb_request req;

	for (size_t i = 0; i < ARRAY_SIZE(evil_fields); i++) {
		if (evil_fields[i].kind != kind)
			continue;
		if (!uf_evil_request(front, &req, evil_fields[i].type, evil_fields[i].in,
				     evil_fields[i].bytes))
			return true;
		for (size_t p = 0; p < ARRAY_SIZE(evil_fields[i].patches); p++)
			if (evil_fields[i].patches[p].size)
				apply(&req, &evil_fields[i].patches[p]);
		ring_front_request(&front->urb_ring, &req);
		uf_push(front);
		return true;
	}
	return false;
}

/* --- what the frame descriptors say --- */

static const struct {
	enum usbfront_evil kind;
	uint32_t offset_keep, offset, length;
} evil_frames[] = {
	{USBFRONT_EVIL_ISO_OFFSET, 0, 0xfffffff0u, 512},
	{USBFRONT_EVIL_ISO_LENGTH, ~0u, 0, 0xffffffffu},
	{USBFRONT_EVIL_ISO_OVERLAP, 0, 0, 4096},
};

static bool push_frames(struct usbfront *front, enum usbfront_evil kind)
{
	struct usbif_urb_request req;

	for (size_t i = 0; i < ARRAY_SIZE(evil_frames); i++) {
		struct uf_slot *slot;

		if (evil_frames[i].kind != kind)
			continue;
		slot = uf_evil_request(front, &req, ISOC, true, 4096);
		if (!slot)
			return true;
		for (uint32_t f = 0; f < ISO_PACKETS; f++) {
			struct uf_frame frame = {.offset = (f * 512 & evil_frames[i].offset_keep) |
							   evil_frames[i].offset,
						 .length = evil_frames[i].length};

			memcpy(slot->pages + slot->frames_at + f * sizeof(frame), &frame,
			       sizeof(frame));
		}
		ring_front_request(&front->urb_ring, &req);
		uf_push(front);
		return true;
	}
	return false;
}

/* --- several requests --- */

/* n requests with the first one's id. */
static void same_id(struct usbfront *front, unsigned int n)
{
	struct usbif_urb_request req;
	uint16_t id = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (!uf_evil_request(front, &req, BULK, true, 512))
			break;
		id = i ? id : req.id;
		req.id = id;
		ring_front_request(&front->urb_ring, &req);
	}
	uf_push(front);
}

static void id_twice(struct usbfront *front)
{
	same_id(front, 2);
}

static void id_all(struct usbfront *front)
{
	same_id(front, USBFRONT_SLOTS);
}

static void unlink_twice(struct usbfront *front)
{
	struct usbif_urb_request req;
	uint16_t id;

	if (!uf_evil_request(front, &req, BULK, true, 512))
		return;
	id = req.id;
	ring_front_request(&front->urb_ring, &req);
	for (unsigned int i = 0; i < 2 && uf_evil_request(front, &req, BULK, true, 0); i++) {
		req.pipe |= USBIF_PIPE_UNLINK;
		req.u.unlink.unlink_id = id;
		ring_front_request(&front->urb_ring, &req);
	}
	uf_push(front);
}

static void unlink_storm(struct usbfront *front)
{
	front->rewriting = USBFRONT_EVIL_UNLINK_STORM;
	front->rewrites = STORM_ROUNDS;
}

static void hog(struct usbfront *front)
{
	struct usbif_urb_request req;

	while (uf_evil_request(front, &req, BULK, true, 512))
		ring_front_request(&front->urb_ring, &req);
	uf_push(front);
}

static void iso_rewrite(struct usbfront *front)
{
	front->rewriting = USBFRONT_EVIL_ISO_REWRITE;
	front->rewrites = STORM_ROUNDS;
}

/* A page of the guest that the backend may only read. */
static void read_only(struct usbfront *front, uint8_t type, unsigned int seg)
{
	struct usbif_urb_request req;
	uint32_t ref;

	if (front->evil_page ||
	    front->ops->shr_alloc(front->shr, front->info.backend_domid, 1, false, &ref,
				  &front->evil_page) < 0 ||
	    !uf_evil_request(front, &req, type, true, 4096))
		return;
	if (type == ISOC) /* the descriptors are as they should be */
		memcpy(front->evil_page, front->slots[req.id].pages + XEN_PAGE_SIZE,
		       ISO_PACKETS * sizeof(struct uf_frame));
	req.seg[seg].gref = ref;
	ring_front_request(&front->urb_ring, &req);
	uf_push(front);
}

static void data_read_only(struct usbfront *front)
{
	read_only(front, BULK, 0);
}

static void frames_read_only(struct usbfront *front)
{
	read_only(front, ISOC, 1);
}

static void empty_port(struct usbfront *front)
{
	struct usbif_urb_request req;
	unsigned int port = 1;

	while (port < front->info.n_ports && front->info.speeds[port] != USB_SPEED_UNKNOWN)
		port++;
	if (!uf_evil_request(front, &req, CTRL, true, 18))
		return;
	req.pipe = uf_pipe((uint8_t)port, 0, USB_DIR_IN, CTRL);
	ring_front_request(&front->urb_ring, &req);
	uf_push(front);
}

static void wrong_type(struct usbfront *front)
{
	struct usbif_urb_request req;

	if (!uf_evil_request(front, &req, ISOC, true, 4096))
		return;
	req.pipe = uf_pipe(front->target.port, front->target.address,
			   endpoint_of(front, BULK, true), ISOC);
	ring_front_request(&front->urb_ring, &req);
	uf_push(front);
}

static const struct {
	enum usbfront_evil kind;
	void (*act)(struct usbfront *front);
} evil_lists[] = {
	{USBFRONT_EVIL_ID_TWICE, id_twice},
	{USBFRONT_EVIL_ID_ALL, id_all},
	{USBFRONT_EVIL_UNLINK_TWICE, unlink_twice},
	{USBFRONT_EVIL_UNLINK_STORM, unlink_storm},
	{USBFRONT_EVIL_HOG, hog},
	{USBFRONT_EVIL_ISO_REWRITE, iso_rewrite},
	{USBFRONT_EVIL_READ_ONLY, data_read_only},
	{USBFRONT_EVIL_ISO_READ_ONLY, frames_read_only},
	{USBFRONT_EVIL_PORT_EMPTY, empty_port},
	{USBFRONT_EVIL_TYPE, wrong_type},
};

bool uf_evil_urbs(struct usbfront *front, enum usbfront_evil kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(evil_lists); i++) {
		if (evil_lists[i].kind != kind)
			continue;
		evil_lists[i].act(front);
		return true;
	}
	return push_fields(front, kind) || push_frames(front, kind);
}
