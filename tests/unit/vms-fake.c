/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms-fake.c - see vms-fake.h. */
#include "vms-fake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"

static struct vms_fake *of(struct vms *vms)
{
	return container_of(vms, struct vms_fake, vms);
}

struct vms_fake_guest *vms_fake_find(struct vms_fake *fake, uint16_t domid)
{
	for (size_t i = 0; i < VMS_FAKE_GUESTS; i++)
		if (domid && fake->guests[i].info.domid == domid)
			return &fake->guests[i];
	return NULL;
}

static int fake_list(struct vms *vms, struct vms_info **list, size_t *n)
{
	const struct vms_fake *fake = of(vms);

	if (fake->error)
		return fake->error;
	*list = xb_calloc(VMS_FAKE_GUESTS, sizeof(**list));
	*n = 0;
	for (size_t i = 0; i < VMS_FAKE_GUESTS; i++)
		if (fake->guests[i].info.domid)
			(*list)[(*n)++] = fake->guests[i].info;
	return 0;
}

static int fake_find(struct vms *vms, uint16_t domid, struct vms_info *info)
{
	const struct vms_fake_guest *guest = vms_fake_find(of(vms), domid);

	if (of(vms)->error)
		return of(vms)->error;
	if (!guest)
		return -ESRCH;
	*info = guest->info;
	return 0;
}

static int fake_pause(struct vms *vms, uint16_t domid)
{
	struct vms_fake_guest *guest = vms_fake_find(of(vms), domid);

	if (of(vms)->error)
		return of(vms)->error;
	if (!guest)
		return -ESRCH;
	guest->pauses++;
	guest->info.paused = true;
	return 0;
}

static int fake_unpause(struct vms *vms, uint16_t domid)
{
	struct vms_fake_guest *guest = vms_fake_find(of(vms), domid);

	if (of(vms)->error)
		return of(vms)->error;
	if (!guest)
		return -ESRCH;
	if (!guest->pauses)
		return -EINVAL;
	guest->info.paused = --guest->pauses > 0;
	return 0;
}

static void fake_close(struct vms *vms)
{
}

void vms_fake_init(struct vms_fake *fake)
{
	static const struct vms_ops ops = {
		.list = fake_list,
		.find = fake_find,
		.pause = fake_pause,
		.unpause = fake_unpause,
		.close = fake_close,
	};

	*fake = (struct vms_fake){.vms.ops = &ops};
}

struct vms_fake_guest *vms_fake_add(struct vms_fake *fake, uint16_t domid, const char *name,
				    unsigned int uuid)
{
	struct vms_fake_guest *guest = fake->guests;

	while (guest->info.domid)
		guest++;
	*guest = (struct vms_fake_guest){.info.domid = domid};
	snprintf(guest->info.name, sizeof(guest->info.name), "%s", name);
	snprintf(guest->info.uuid, sizeof(guest->info.uuid), "00000000-0000-0000-0000-%012u", uuid);
	return guest;
}
