/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmctl-double.c - xenback-vmctl on a hypervisor that is a folder, for machines without Xen: the
 * same program, with other parts.
 *
 * $VMCTL_DOUBLE/guests/DOMID holds "UUID NAME PAUSES"; $VMCTL_DOUBLE/xl plays xl on the same files
 * (tests/net/vmctl-xl).
 */
#include "tools/vmctl/serve.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

struct folder {
	struct vms vms;
	const char *path; /* of the guests */
};

/* pauses: as Xen counts them. */
static int read_guest(const char *path, uint16_t domid, struct vms_info *info, unsigned int *pauses)
{
	AUTO_FREE char *file_path = xb_asprintf("%s/%u", path, domid);
	FILE *file = fopen(file_path, "r");
	int n;

	*info = (struct vms_info){.domid = domid};
	if (!file)
		return errno == ENOENT ? -ESRCH : -EIO;
	n = fscanf(file, "%36s %127s %u", info->uuid, info->name, pauses);
	fclose(file);
	info->paused = n == 3 && *pauses;
	return n == 3 ? 0 : -EIO;
}

static int write_guest(const char *path, const struct vms_info *info, unsigned int pauses)
{
	AUTO_FREE char *file_path = xb_asprintf("%s/%u", path, info->domid);
	FILE *file = fopen(file_path, "w");

	if (!file)
		return -errno;
	fprintf(file, "%s %s %u\n", info->uuid, info->name, pauses);
	return fclose(file) ? -errno : 0;
}

static int folder_list(struct vms *vms, struct vms_info **list, size_t *n)
{
	const struct folder *folder = container_of(vms, struct folder, vms);
	DIR *dir = opendir(folder->path);
	const struct dirent *entry;
	unsigned int pauses;

	*n = 0;
	*list = NULL;
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		uint16_t domid = (uint16_t)strtoul(entry->d_name, NULL, 10);

		*list = xb_realloc(*list, (*n + 1) * sizeof(**list));
		if (domid && !read_guest(folder->path, domid, &(*list)[*n], &pauses))
			(*n)++;
	}
	closedir(dir);
	return 0;
}

static int folder_find(struct vms *vms, uint16_t domid, struct vms_info *info)
{
	unsigned int pauses;

	return read_guest(container_of(vms, struct folder, vms)->path, domid, info, &pauses);
}

static int count(struct vms *vms, uint16_t domid, int step)
{
	const char *path = container_of(vms, struct folder, vms)->path;
	struct vms_info info;
	unsigned int pauses = 0;
	int err = read_guest(path, domid, &info, &pauses);

	if (err)
		return err;
	if (step < 0 && !pauses)
		return -EINVAL;
	return write_guest(path, &info, pauses + (unsigned int)step);
}

static int folder_pause(struct vms *vms, uint16_t domid)
{
	return count(vms, domid, 1);
}

static int folder_unpause(struct vms *vms, uint16_t domid)
{
	return count(vms, domid, -1);
}

static void folder_close(struct vms *vms)
{
	struct folder *folder = container_of(vms, struct folder, vms);

	free((char *)folder->path);
	free(folder);
}

static int folder_open(struct vms **out)
{
	static const struct vms_ops ops = {
		.list = folder_list,
		.find = folder_find,
		.pause = folder_pause,
		.unpause = folder_unpause,
		.close = folder_close,
	};
	struct folder *folder = xb_calloc(1, sizeof(*folder));

	folder->vms.ops = &ops;
	folder->path = xb_asprintf("%s/guests", getenv("VMCTL_DOUBLE"));
	*out = &folder->vms;
	return 0;
}

int main(int argc, char **argv)
{
	const char *dir = getenv("VMCTL_DOUBLE");
	AUTO_FREE char *xl = dir ? xb_asprintf("%s/xl", dir) : NULL;
	const struct vmctl_parts parts = {.vms_open = folder_open, .xl = xl};

	if (!xl) {
		fputs("vmctl-double: VMCTL_DOUBLE must name a folder\n", stderr);
		return 2;
	}
	return vmctl_main(argc, argv, &parts);
}
