/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-dos-frame.c - the length of the head, bytes by which the frame is longer than that, a GSO
 * size, then the head: what is told of the frame lies inside of it, and counting it is safe.
 */
#include <stdlib.h>
#include <string.h>

#include "netback-team/dos_frame.h"

static void check(const struct dos_packet *p, const uint8_t *head, size_t len)
{
	if (p->packets == 0 || p->bytes == 0)
		abort();
	if (p->payload ? p->payload < head || p->payload + p->payload_len != head + len
		       : p->payload_len)
		abort();
	if (p->later && (!p->fragment || p->sport || p->dport || p->tcp_flags || p->payload))
		abort();
	if (p->proto == 0 && (p->sport || p->dport || p->payload || p->fragment))
		abort();
}

static void count(const struct dos_packet *p)
{
	struct dos_options options;
	struct dos *dos;
	int vm;

	dos_options_default(&options, false);
	dos = dos_create(1, &options, NULL, 0);
	vm = dos ? dos_vm_add(dos, &options, 0) : -1;
	if (vm >= 0) {
		dos_on_packet(dos, vm, DOS_TO_GUEST, p);
		dos_on_packet(dos, vm, DOS_FROM_GUEST, p);
	}
	dos_destroy(dos);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_info info;
	struct dos_packet packet;
	uint8_t *head;
	size_t len;

	if (size < 3)
		return 0;
	len = size - 3 < data[0] ? size - 3 : data[0];
	head = malloc(len ? len : 1); /* its last byte is the head's last */
	memcpy(head, data + 3, len);
	if (frame_parse(head, len, len + data[1] * 16u, &info)) {
		dos_frame_read(&packet, head, len, len + data[1] * 16u, &info, data[2]);
		check(&packet, head, len);
		count(&packet);
	}
	free(head);
	return 0;
}
