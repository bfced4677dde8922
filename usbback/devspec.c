/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devspec.c - names of devices, see devspec.h. */
#include "devspec.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cluster/models/models.h"
#include "host_opener.h"
#include "util.h"

#define MODEL_PREFIX "model:"

/* Four hexadecimal digits. */
static bool parse_hex(const char *text, uint16_t *value)
{
	unsigned int sum = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)text[i];

		if (!isxdigit(c))
			return false;
		sum = sum * 16 + (unsigned int)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	*value = (uint16_t)sum;
	return true;
}

static bool parse_id(struct devspec *spec)
{
	const char *text = spec->text;

	if (!parse_hex(text, &spec->vid) || text[4] != ':' || !parse_hex(text + 5, &spec->pid))
		return false;
	spec->kind = DEVSPEC_ID;
	if (text[9] == ':' && text[10])
		spec->serial = text + 10;
	return !text[9] || spec->serial;
}

int devspec_parse(struct devspec *spec, const char *text, char *error, size_t error_size)
{
	struct devspec next = {.kind = DEVSPEC_NONE};
	int rc = 0;

	if (strlen(text) > DEVSPEC_TEXT_MAX) {
		snprintf(error, error_size, "device: longer than %u characters", DEVSPEC_TEXT_MAX);
		return -EINVAL;
	}
	strcpy(next.text, text); /* fits: checked above */
	if (strncmp(text, MODEL_PREFIX, strlen(MODEL_PREFIX)) == 0) {
		next.kind = DEVSPEC_MODEL;
		rc = usb_model_check(text + strlen(MODEL_PREFIX), error, error_size);
	} else if (strlen(text) < BUSID_SIZE && host_busid_valid(text)) {
		next.kind = DEVSPEC_BUSID;
	} else if (*text && !parse_id(&next)) {
		snprintf(error, error_size,
			 "device: \"%s\" is refused; allowed: a bus id such as 3-1.5, VID:PID or "
			 "VID:PID:SERIAL such as 0951:1666, model:KIND such as "
			 "model:disk,file=/var/lib/xenback/stick.img",
			 text);
		rc = -EINVAL;
	}
	if (rc < 0)
		return -EINVAL;
	devspec_copy(spec, &next);
	return 0;
}

void devspec_copy(struct devspec *to, const struct devspec *from)
{
	*to = *from;
	if (from->serial)
		to->serial = to->text + (from->serial - from->text);
}

bool devspec_matches(const struct devspec *spec, const struct host_device *device)
{
	switch (spec->kind) {
	case DEVSPEC_NONE:
	case DEVSPEC_MODEL:
		return false;
	case DEVSPEC_BUSID:
		return strcmp(spec->text, device->busid) == 0;
	case DEVSPEC_ID:
		return spec->vid == device->vid && spec->pid == device->pid &&
		       (!spec->serial || strcmp(spec->serial, device->serial) == 0);
	}
	return false;
}
