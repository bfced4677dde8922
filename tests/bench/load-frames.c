/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load-frames.c - the frames that bench-vif-load sends, see load-frames.h. */
#include "load-frames.h"

#include <string.h>

#include "netback-team/cost.h"
#include "netback-team/csum.h"
#include "netback-team/frame.h"
#include "tests/guest/netfront.h"
#include "tests/guest/ring_fill.h"
#include "util.h"

#define MSS	   1448u
#define BULK_SEGS  45u
#define HEAD_BYTES 54u
#define BULK_BYTES (HEAD_BYTES + BULK_SEGS * MSS)
#define FULL_BYTES 1514u
#define PORTS	   16u

static const struct load_mix mixes[] = {
	{"bulk", 1, {BULK_BYTES}},
	{"small", 1, {60}},
	{"full", 1, {FULL_BYTES}},
	{"frames", 3, {60, 600, FULL_BYTES}},
	{"mixed", 4, {60, 600, FULL_BYTES, BULK_BYTES}},
};

const struct load_mix *load_mix_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(mixes); i++)
		if (strcmp(name, mixes[i].name) == 0)
			return &mixes[i];
	return NULL;
}

static bool is_gso(uint32_t bytes)
{
	return bytes > FULL_BYTES;
}

static unsigned int pages_of(uint32_t bytes)
{
	return DIV_ROUND_UP(bytes, XEN_PAGE_SIZE);
}

static unsigned int slots_of(uint32_t bytes)
{
	return pages_of(bytes) + is_gso(bytes); /* the GSO extra info */
}

unsigned int load_mix_slots_max(const struct load_mix *mix)
{
	unsigned int slots = 0;

	for (unsigned int i = 0; i < mix->n; i++)
		slots = MAX(slots, slots_of(mix->sizes[i]));
	return slots;
}

unsigned int load_mix_slots(const struct load_mix *mix)
{
	unsigned int slots = 0;

	for (unsigned int i = 0; i < mix->n; i++)
		slots += slots_of(mix->sizes[i]);
	return slots;
}

uint32_t load_mix_bytes(const struct load_mix *mix)
{
	uint32_t bytes = 0;

	for (unsigned int i = 0; i < mix->n; i++)
		bytes += mix->sizes[i];
	return bytes;
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* A TCP frame with a blank checksum or a UDP one without; dst and src are written. */
static void write_frame(uint8_t *frame, uint32_t total, uint16_t domid, unsigned int flow)
{
	struct frame_info info;
	uint16_t sum;

	put16(frame + 12, 0x0800);
	frame[14] = 0x45;
	put16(frame + 16, total - FRAME_ETH_LEN);
	frame[22] = 64;
	frame[23] = is_gso(total) ? 6 : 17;
	memcpy(frame + 26, (uint8_t[8]){10, 77, 1, (uint8_t)domid, 10, 77, 1, 254}, 8);
	sum = (uint16_t)~csum_fold(csum_add(0, frame + 14, 20));
	memcpy(frame + 24, &sum, 2);
	put16(frame + 34, 40000 + flow);
	put16(frame + 36, 9);
	if (!is_gso(total)) {
		put16(frame + 38, total - 34);
		return;
	}
	frame[46] = 0x50;
	frame[47] = 0x10; /* ACK */
	put16(frame + 48, 0xffff);
	frame_parse(frame, HEAD_BYTES, total, &info);
	sum = csum_fold(frame_pseudo_sum(frame, &info, total - 34));
	memcpy(frame + 50, &sum, 2);
}

/* Takes the place of the next frame; its size. From a page that is too near to the end on, places
 * begin anew. */
static uint32_t take_place(struct load_frames *frames, unsigned int *page)
{
	uint32_t bytes = frames->mix->sizes[frames->size];

	if (frames->page + pages_of(bytes) > LOAD_PAGES) {
		frames->page = frames->size = 0;
		bytes = frames->mix->sizes[0];
	}
	*page = frames->page;
	frames->page += pages_of(bytes);
	frames->size = (frames->size + 1) % frames->mix->n;
	return bytes;
}

void load_frames_write(struct load_frames *frames, const struct load_mix *mix, const uint8_t dst[6],
		       const uint8_t src[6], uint16_t domid)
{
	unsigned int flow = 0, page;

	memset(frames->pages, 0, (size_t)LOAD_PAGES * XEN_PAGE_SIZE);
	frames->mix = mix;
	frames->page = frames->size = 0;
	for (;;) {
		uint32_t bytes = take_place(frames, &page);
		uint8_t *frame = frames->pages + (size_t)page * XEN_PAGE_SIZE;

		if (page == 0 && flow > 0)
			break;
		memcpy(frame, dst, 6);
		memcpy(frame + 6, src, 6);
		write_frame(frame, bytes, domid, flow++ % PORTS);
	}
	frames->page = frames->size = 0;
}

uint32_t load_frames_put(struct load_frames *frames, struct ring_front *ring)
{
	unsigned int page;
	const uint32_t bytes = take_place(frames, &page);
	const uint32_t *refs = frames->refs + page;
	const unsigned int n = pages_of(bytes);

	if (!is_gso(bytes)) {
		fill_tx(ring, refs[0], 0, (uint16_t)bytes, NETTXF_data_validated, NETFRONT_ID_USER);
		return cost_of(COST_UNIT_WIRE, bytes, 0, 0).bytes;
	}
	fill_tx(ring, refs[0], 0, (uint16_t)bytes,
		NETTXF_csum_blank | NETTXF_data_validated | NETTXF_extra_info | NETTXF_more_data,
		NETFRONT_ID_USER);
	fill_tx_gso(ring, 0, MSS, XEN_NETIF_GSO_TYPE_TCPV4);
	for (unsigned int i = 1; i < n; i++)
		fill_tx(ring, refs[i], 0, (uint16_t)MIN(bytes - i * XEN_PAGE_SIZE, XEN_PAGE_SIZE),
			i + 1 < n ? NETTXF_more_data : 0, NETFRONT_ID_USER);
	return cost_of(COST_UNIT_WIRE, bytes, MSS, HEAD_BYTES).bytes;
}
