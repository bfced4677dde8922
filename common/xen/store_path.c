/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_path.c - paths of the store: what is valid, relative ones, parents. */
#include "store_priv.h"

#include <stdio.h>
#include <string.h>
#include <xen/io/xs_wire.h>

#include "util.h"

#define HOME_FORMAT "/local/domain/%u/"

bool store_path_special(const char *path)
{
	return path[0] == '@';
}

size_t store_path_home_len(uint16_t domid)
{
	return (size_t)snprintf(NULL, 0, HOME_FORMAT, domid);
}

/* What lies below /local/domain/N/ is as short as a relative path. */
static size_t max_len(const char *path)
{
	int home = 0;

	if (sscanf(path, "/local/domain/%*5u/%n", &home) == EOF || home == 0)
		return XENSTORE_ABS_PATH_MAX;
	return MIN((size_t)home + XENSTORE_REL_PATH_MAX, XENSTORE_ABS_PATH_MAX);
}

static bool is_valid(const char *path)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-/_@";
	size_t len = strnlen(path, XENSTORE_ABS_PATH_MAX + 1);

	if (store_path_special(path))
		return !strcmp(path, "@introduceDomain") || !strcmp(path, "@releaseDomain");
	if (len > max_len(path) || path[strspn(path, allowed)] != '\0' || strstr(path, "//"))
		return false;
	return len == 1 || path[len - 1] != '/';
}

char *store_path_absolute(uint16_t domid, const char *path, bool *relative)
{
	bool is_relative = path[0] != '/' && !store_path_special(path);
	char *absolute;

	if (relative)
		*relative = is_relative;
	/* Bounded before it is copied. */
	if (strnlen(path, XENSTORE_ABS_PATH_MAX + 1) > XENSTORE_ABS_PATH_MAX)
		return NULL;
	absolute = is_relative ? xb_asprintf(HOME_FORMAT "%s", domid, path) : xb_strdup(path);
	if (is_valid(absolute))
		return absolute;
	free(absolute);
	return NULL;
}

bool store_path_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (store_path_special(path) || !slash || path[1] == '\0')
		return false;
	slash[slash == path ? 1 : 0] = '\0';
	return true;
}
