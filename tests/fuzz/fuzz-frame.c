/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-frame.c - a virtio_net_hdr, the length of the head, a frame: every segment made of it is
 * right. */
#include <stdlib.h>
#include <string.h>

#include "netback-team/frame.h"

static void segment(const uint8_t *frame, size_t len, const struct virtio_net_hdr *vnet)
{
	static uint8_t out[FRAME_MAX + FRAME_HEAD_MAX];
	struct frame_segmenter seg;
	int n = frame_segment_init(&seg, frame, len, vnet), bytes;

	for (size_t at = seg.next; n > 0; n--, at = seg.next) {
		bytes = frame_segment_next(&seg, out, sizeof(out)) - seg.info.payload_off;
		if (bytes < 0 || memcmp(out + seg.info.payload_off, frame + at, (size_t)bytes) ||
		    !frame_csum_ok(out, (size_t)bytes + seg.info.payload_off) ||
		    (n == 1 && seg.next != len))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t skip = sizeof(struct virtio_net_hdr) + 1, len = size - skip;
	struct virtio_net_hdr vnet, ours;
	struct frame_info info;
	uint8_t *frame;

	if (size < skip || len > FRAME_MAX)
		return 0;
	frame = malloc(len); /* its last byte is the frame's last */
	memcpy(&vnet, data, sizeof(vnet));
	memcpy(frame, data + skip, len);
	segment(frame, len, &vnet);
	frame_parse(frame, data[skip - 1] < len ? data[skip - 1] : len, len, &info);
	if (!frame_offload_setup(frame, len, len, &info, vnet.gso_size, vnet.gso_type, true, &ours))
		segment(frame, len, &ours);
	if (frame_csum_fill(frame, len, &vnet) == 0)
		frame_csum_ok(frame, len);
	free(frame);
	return 0;
}
