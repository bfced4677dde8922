/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-ctl.c - request lines of the control socket; every answer must be JSON on one line. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/ctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctl *ctl;
	char *reply;
	json_t *json;

	if (ctl_create(&ctl, NULL, NULL))
		abort();
	reply = ctl_handle(ctl, (const char *)data, size);
	json = json_loads(reply, 0, NULL);
	if (!json || strchr(reply, '\n') || !json_is_boolean(json_object_get(json, "ok")))
		abort();
	json_decref(json);
	free(reply);
	ctl_destroy(ctl);
	return 0;
}
