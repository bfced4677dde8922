/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ring.h - the shared ring of Xen's split drivers (Xen public io/ring.h), backend's and frontend's
 * side.
 *
 * One 4 KiB page: four free-running indices, then slots of one size. Whoever attaches keeps private
 * indices and never reads its own ones back from the page; the other side's producer index is read
 * once a pass and bounded before anything is used. Slots are copied out before they are looked at
 * (XSA-155), responses are written whole (XSA-216). Pure: no system calls, no time.
 */
#ifndef XB_XEN_RING_H
#define XB_XEN_RING_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/** The page as both sides see it. */
struct ring_page {
	uint32_t req_prod, req_event;
	uint32_t rsp_prod, rsp_event;
	uint8_t reserved[48];
	uint8_t slots[4096 - 64];
};
static_assert(sizeof(struct ring_page) == 4096, "a ring is one page");

/** A backend's end. */
struct ring_back {
	struct ring_page *page;
	uint32_t size;	     /**< slots, a power of two */
	uint32_t slot_size;  /**< bytes */
	uint32_t req_cons;   /**< next request to take */
	uint32_t rsp_prod;   /**< next response to write (private, not yet pushed) */
	uint32_t rsp_pushed; /**< published up to here */
	uint32_t rsp_told;   /**< and up to here the frontend was notified or needed no notice */
};

/** Number of slots of slot_size bytes in a ring: the largest power of two that fits
 * (__CONST_RING_SIZE). */
static inline uint32_t ring_slots(uint32_t slot_size)
{
	uint32_t n = (uint32_t)sizeof(((struct ring_page *)0)->slots) / slot_size;

	return 1u << (31 - __builtin_clz(n));
}

/**
 * Attaches to a mapped page, at the point where the last backend stopped: a fresh ring has rsp_prod
 * 0. Returns -EPROTO when the frontend's index lies outside of the ring.
 */
static inline int ring_back_attach(struct ring_back *ring, void *page, uint32_t slot_size)
{
	ring->page = page;
	ring->slot_size = slot_size;
	ring->size = ring_slots(slot_size);
	ring->rsp_prod = __atomic_load_n(&ring->page->rsp_prod, __ATOMIC_ACQUIRE);
	ring->req_cons = ring->rsp_pushed = ring->rsp_told = ring->rsp_prod;
	if (__atomic_load_n(&ring->page->req_prod, __ATOMIC_ACQUIRE) - ring->rsp_prod > ring->size)
		return -EPROTO;
	return 0;
}

/**
 * Requests that wait, at most `size`; -EPROTO when the frontend claims more than fit between our
 * responses and its requests (XSA-39: stop serving such a ring).
 */
static inline int ring_back_requests(const struct ring_back *ring)
{
	uint32_t prod = __atomic_load_n(&ring->page->req_prod, __ATOMIC_ACQUIRE);

	if (prod - ring->rsp_prod > ring->size)
		return -EPROTO;
	return (int)(prod - ring->req_cons);
}

/** Copies the request at index (any index, wrapped here). The caller advances req_cons. */
static inline void ring_back_read(const struct ring_back *ring, uint32_t index, void *out)
{
	const volatile uint8_t *slot =
		ring->page->slots + (size_t)(index & (ring->size - 1)) * ring->slot_size;

	memcpy(out, (const void *)slot, ring->slot_size);
	__asm__ volatile("" ::: "memory"); /* the copy is what counts from here on */
}

/** Writes a response at rsp_prod, private until ring_back_push. rsp must be slot-response sized and
 * zero padded to rsp_size. */
static inline void ring_back_respond(struct ring_back *ring, const void *rsp, uint32_t rsp_size)
{
	uint8_t *slot =
		ring->page->slots + (size_t)(ring->rsp_prod & (ring->size - 1)) * ring->slot_size;

	memcpy(slot, rsp, rsp_size);
	ring->rsp_prod++;
}

/** Publishes the responses written so far, without a look at whether the frontend wants to know:
 * ring_back_must_notify has to follow, now or later. */
static inline void ring_back_publish(struct ring_back *ring)
{
	if (ring->rsp_pushed == ring->rsp_prod)
		return;
	ring->rsp_pushed = ring->rsp_prod;
	__atomic_store_n(&ring->page->rsp_prod, ring->rsp_prod, __ATOMIC_RELEASE);
}

/** True when the frontend asked to be notified of something published since the last call, and has
 * not seen it by itself meanwhile. */
static inline bool ring_back_must_notify(struct ring_back *ring)
{
	uint32_t old = ring->rsp_told, new = ring->rsp_pushed;

	if (new == old)
		return false;
	ring->rsp_told = new;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return (uint32_t)(new - __atomic_load_n(&ring->page->rsp_event, __ATOMIC_RELAXED)) <
	       (uint32_t)(new - old);
}

/** Publishes the responses written so far; true when the frontend wants to be notified. */
static inline bool ring_back_push(struct ring_back *ring)
{
	ring_back_publish(ring);
	return ring_back_must_notify(ring);
}

/**
 * Asks to be notified once `want` (>= 1) requests wait, then looks again: true when they already
 * do, so the caller goes on instead of sleeping (RING_FINAL_CHECK_FOR_REQUESTS).
 */
static inline bool ring_back_arm(struct ring_back *ring, uint32_t want)
{
	__atomic_store_n(&ring->page->req_event, ring->req_cons + want, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&ring->page->req_prod, __ATOMIC_ACQUIRE) - ring->req_cons >= want;
}

/** A frontend's end (the box's guest, benches, tests). */
struct ring_front {
	struct ring_page *page;
	uint32_t size, slot_size;
	uint32_t req_prod; /**< next request to write (private) */
	uint32_t req_pushed;
	uint32_t rsp_cons; /**< next response to take */
};

/** Initialises a zeroed page as a frontend does (SHARED_RING_INIT, FRONT_RING_INIT). */
static inline void ring_front_init(struct ring_front *ring, void *page, uint32_t slot_size)
{
	memset(ring, 0, sizeof(*ring));
	ring->page = page;
	ring->slot_size = slot_size;
	ring->size = ring_slots(slot_size);
	ring->page->req_prod = ring->page->rsp_prod = 0;
	ring->page->req_event = ring->page->rsp_event = 1;
}

/** Free request slots. */
static inline uint32_t ring_front_free(const struct ring_front *ring)
{
	return ring->size - (ring->req_prod - ring->rsp_cons);
}

static inline void ring_front_request(struct ring_front *ring, const void *req)
{
	memcpy(ring->page->slots + (size_t)(ring->req_prod & (ring->size - 1)) * ring->slot_size,
	       req, ring->slot_size);
	ring->req_prod++;
}

/** Publishes requests; true when the backend wants to be notified. */
static inline bool ring_front_push(struct ring_front *ring)
{
	uint32_t old = ring->req_pushed, new = ring->req_prod;

	if (new == old)
		return false;
	ring->req_pushed = new;
	__atomic_store_n(&ring->page->req_prod, new, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return (uint32_t)(new - __atomic_load_n(&ring->page->req_event, __ATOMIC_RELAXED)) <
	       (uint32_t)(new - old);
}

/** Responses that wait. */
static inline uint32_t ring_front_responses(const struct ring_front *ring)
{
	return __atomic_load_n(&ring->page->rsp_prod, __ATOMIC_ACQUIRE) - ring->rsp_cons;
}

/** Copies the response at index. The caller advances rsp_cons. */
static inline void ring_front_read(const struct ring_front *ring, uint32_t index, void *out,
				   uint32_t rsp_size)
{
	memcpy(out, ring->page->slots + (size_t)(index & (ring->size - 1)) * ring->slot_size,
	       rsp_size);
}

/** Asks for an event after the next response, then looks again (RING_FINAL_CHECK_FOR_RESPONSES). */
static inline bool ring_front_arm(struct ring_front *ring)
{
	__atomic_store_n(&ring->page->rsp_event, ring->rsp_cons + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ring_front_responses(ring) != 0;
}

#endif
