/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-reserve.c - the list of reserved devices: what is taken is a place or an id, and every line
 * is taken, told of or empty. */
#include <stdlib.h>
#include <string.h>

#include "usbback/host_opener.h"
#include "usbback/reserve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int told, last_line;

static void wrong(void *ctx, unsigned int line, const char *message)
{
	if (line <= last_line ||
	    (!strstr(message, "; allowed: ") && !strstr(message, ": at most ")))
		abort();
	last_line = line;
	told++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reserve_list list = {0};
	struct host_device device = {0};

	told = last_line = 0;
	if (reserve_parse(&list, (const char *)data, size, wrong, NULL) != told)
		abort();
	for (size_t i = 0; i < list.n; i++) {
		const struct reserve_entry *entry = &list.entries[i];

		if (entry->busid[0] && !host_busid_valid(entry->busid))
			abort();
		memcpy(device.busid, entry->busid, sizeof(device.busid));
		device.vid = entry->vid;
		device.pid = entry->pid;
		memcpy(device.serial, entry->serial, sizeof(device.serial));
		if (!reserve_match(&list, &device))
			abort();
	}
	reserve_free(&list);
	return 0;
}
