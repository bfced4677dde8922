/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbfront_priv.h - what usbfront.c (life), usbfront_keys.c (store), usbfront_ring.c (rings) and
 * usbfront_evil.c (misbehaviour) share. */
#ifndef XB_TESTS_USBFRONT_PRIV_H
#define XB_TESTS_USBFRONT_PRIV_H

#include "usbfront.h"

#include <xen/io/usbif.h>

#include "xen/xenbus.h"

#define UF_TXN_TRIES 100
#define UF_SEGS	     USBIF_MAX_SEGMENTS_PER_REQUEST

static_assert(sizeof(struct usbif_urb_request) == 148, "URB request slot");
static_assert(sizeof(struct usbif_conn_response) == 4, "conn response slot");

/** A frame descriptor as the guest's kernel has it in memory (Linux usb_iso_packet_descriptor). */
struct uf_frame {
	uint32_t offset, length, actual;
	int32_t status;
};
static_assert(sizeof(struct uf_frame) == 16, "frame descriptor");

enum uf_slot_use {
	UF_SLOT_FREE,
	UF_SLOT_URB,
	UF_SLOT_UNLINK,
	UF_SLOT_LOST, /**< its URB was abandoned */
	UF_SLOT_EVIL, /**< of usbfront_evil.c */
};

/** One id: a request in the ring and its pages. */
struct uf_slot {
	enum uf_slot_use use;
	struct usbfront_urb *urb;
	uint8_t *pages; /**< USBFRONT_SLOT_PAGES; NULL: not allocated */
	uint32_t refs[USBFRONT_SLOT_PAGES];
	uint32_t frames_at; /**< isochronous: where in the pages the descriptors lie */
};

struct usbfront {
	struct xen *xen;
	const struct xen_ops *ops;
	struct xen_store *store;
	struct xen_evt *evt;
	struct xen_shr *shr;
	struct usbfront_options options;
	struct usbfront_info info;
	struct usbfront_stats stats;
	enum xenbus_state own, peer; /**< state nodes as last written, as last read */
	bool broken;		     /**< the backend corrupted a ring: left alone until reopened */
	bool connected;		     /**< rings, pages and port are there */
	bool stale; /**< a backend in 4 serves a driver before us: wait for its InitWait */

	struct ring_front urb_ring, conn_ring;
	void *urb_page, *conn_page;
	uint32_t urb_ref, conn_ref, port;
	uint32_t urb_seen, conn_seen; /**< responses at the last event */
	bool posted[USBFRONT_CONN_SLOTS];
	struct uf_slot slots[USBFRONT_SLOTS];
	struct usbfront_urb *pending; /**< wait for a slot, in order */
	struct usbfront_urb *unlinks; /**< wait for a slot for their unlink */
	struct usbfront_urb *sent;    /**< in the ring, no unlink waits */
	struct usbfront_urb *given;   /**< ended, not yet called back */
	unsigned int n_in_flight;

	struct usbfront_target target;
	enum usbfront_evil evil;       /**< to be done as soon as it can; NONE */
	enum usbfront_evil evil_store; /**< to be done at each handshake; NONE */
	bool lied; /**< we broke the rules first: the backend's answers are no complaints */
	unsigned int rewrites; /**< rounds that are left of a kind that goes on */
	enum usbfront_evil rewriting;
	void *evil_page; /**< a page of usbfront_evil.c's own, NULL */
};

/** Counts a broken rule; the first text stays. */
void uf_complain(struct usbfront *front, const char *what);
/** Sends an event to the backend. */
void uf_notify(struct usbfront *front);

/* usbfront_ring.c */
/** Allocates rings, pages and the port; posts the conn ring. On failure uf_disconnect cleans up. */
int uf_connect(struct usbfront *front);
/** Unbinds and frees; URBs are given back with -ESHUTDOWN, ports become empty. Pages that the
 * backend still maps are a complaint unless `forced`. */
void uf_disconnect(struct usbfront *front, bool forced);
/** Takes what waits in both rings, sends what waits for a slot; true when there was something. */
bool uf_poll(struct usbfront *front);
/** Calls back for what ended; true when there was something. */
bool uf_give_back(struct usbfront *front);
/** A free slot; NULL when the ring is full. */
struct uf_slot *uf_free_slot(struct usbfront *front);
/** The id of a slot. */
uint16_t uf_id(const struct usbfront *front, const struct uf_slot *slot);
/** Publishes requests, with an event where the backend wants it. */
void uf_push(struct usbfront *front);
/** Segments for `bytes` from `at` in the slot's pages, behind the n that are there; their new
 * number. */
unsigned int uf_segments(const struct uf_slot *slot, struct usbif_urb_request *req, unsigned int n,
			 uint32_t at, uint32_t bytes);
/** The pipe of a request; type USB_ENDPOINT_XFER_*. */
uint32_t uf_pipe(uint8_t port, uint8_t address, uint8_t endpoint, uint8_t type);
/** Gives a slot's pages to the backend's domain anew, if it has none. */
int uf_slot_pages(struct usbfront *front, struct uf_slot *slot);

/* usbfront_keys.c */
/** A node; NULL when it cannot be read, else to free(). */
char *uf_read(struct usbfront *front, xen_txn txn, const char *dir, const char *key);
/** A decimal number; `absent` when there is none. */
uint32_t uf_read_number(struct usbfront *front, const char *dir, const char *key, uint32_t absent);
/** What the toolstack wrote, into info; -ENOENT: not yet all of it, -EINVAL: wrong. */
int uf_read_device(struct usbfront *front);
/** Writes all keys of a connect. */
int uf_publish(struct usbfront *front);
/** Writes our state node, if it is still there, and remembers it. -ENOENT: the toolstack removed
 * the device. */
int uf_write_state(struct usbfront *front, enum xenbus_state state);

/* usbfront.c */
/** State 1 with new rings, the old ones left behind as they are. */
int uf_restart(struct usbfront *front, bool forced);

/* usbfront_evil.c, usbfront_evil_urb.c */
/** Performs front->evil if it can. */
void uf_evil_act(struct usbfront *front);
/** Another round of what changes under the backend's eyes; true while there are more. */
bool uf_evil_go_on(struct usbfront *front);
/** Pushes the requests of a kind that are but requests; false when it is none of them. */
bool uf_evil_urbs(struct usbfront *front, enum usbfront_evil kind);
/** A legal request of a kind (USB_ENDPOINT_XFER_*, direction) to the target, with `bytes` of data
 * in pages of its slot; NULL when the ring is full. The slot is taken. */
struct uf_slot *uf_evil_request(struct usbfront *front, struct usbif_urb_request *req, uint8_t type,
				bool in, uint32_t bytes);
/** What to write for a key in place of `value`; NULL: leave the key out. buf: room for a long
 * value. */
#define UF_LONG_VALUE 2000
const char *uf_evil_value(const struct usbfront *front, const char *key, const char *value,
			  char buf[UF_LONG_VALUE + 1]);

#endif
