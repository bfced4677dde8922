/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-opener.c - requests to the process that opens devices: what is taken cannot make a path that
 * leaves its folder, and is answered. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usbback/host_opener.h"
#include "usbback/host_opener_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct opener_request request;
	struct opener_reply reply;
	int fd;

	if (!opener_request_valid(data, size, &request))
		return 0;
	if (request.kind != OPENER_USBFS_MEMORY &&
	    (!host_busid_valid(request.busid) || strpbrk(request.busid, "/:\n ")))
		abort();
	fd = opener_serve("/nonexistent/sys", "/nonexistent/dev", &request, &reply);
	if (fd >= 0 || reply.result >= 0 || reply.id != request.id || !reply.error[0] ||
	    !memchr(reply.error, 0, sizeof(reply.error)))
		abort();
	return 0;
}
