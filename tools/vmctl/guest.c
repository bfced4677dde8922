/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest.c - see guest.h. */
#include "guest.h"

#include <string.h>

void guest_printable(char *name)
{
	for (char *c = name; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

json_t *guest_json(const struct vms_info *info)
{
	char name[VMS_NAME_SIZE];

	memcpy(name, info->name, sizeof(name));
	guest_printable(name);
	return json_pack("{s:i, s:s, s:s, s:s}", "domid", info->domid, "name", name, "uuid",
			 info->uuid, "state",
			 info->ending	? "ending"
			 : info->paused ? "paused"
					: "running");
}
