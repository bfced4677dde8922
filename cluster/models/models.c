/* SPDX-License-Identifier: GPL-2.0-or-later */
/* models.c - from the name of a model to the device, see models.h. */
#include "models.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "disk.h"
#include "hid.h"
#include "model_host.h"
#include "model_spec.h"
#include "serial.h"
#include "source_sink.h"
#include "util.h"

int usb_model_check(const char *spec, char *error, size_t error_size)
{
	struct model_spec *parsed = xb_calloc(1, sizeof(*parsed));
	int rc = model_spec_parse(parsed, spec, error, error_size);

	free(parsed);
	return rc;
}

static int create(struct model *model, const struct model_spec *spec, sd_event *event, char *error,
		  size_t error_size)
{
	switch (spec->kind) {
	case MODEL_DISK:
		return disk_create(model, spec, event, error, error_size);
	case MODEL_SOURCE_SINK:
		source_sink_create(model, spec);
		return 0;
	case MODEL_SERIAL:
		return serial_create(model, spec, event, error, error_size);
	case MODEL_KEYBOARD:
	case MODEL_TABLET:
		return hid_create(model, spec, event, error, error_size);
	}
	return -EINVAL;
}

int usb_model_open(struct usb_host **host, const char *spec, sd_event *event, struct clock *clock,
		   char *error, size_t error_size)
{
	struct model_spec *parsed = xb_calloc(1, sizeof(*parsed));
	struct model_host *adapter = NULL;
	char name[32];
	int rc = model_spec_parse(parsed, spec, error, error_size);

	if (rc)
		goto out;
	snprintf(name, sizeof(name), "model:%s", model_kinds[parsed->kind]);
	adapter = model_host_create(name, event, clock);
	rc = create(model_host_model(adapter), parsed, event, error, error_size);
	if (rc)
		goto out;
	rc = model_host_start(adapter);
	if (rc)
		snprintf(error, error_size, "cannot start %s: %s", name, strerror(-rc));
out:
	free(parsed);
	if (!rc)
		*host = model_host_device(adapter);
	else if (adapter)
		model_host_destroy(adapter);
	return rc;
}

uint64_t usb_model_deadline_ns(struct usb_host *host)
{
	return model_host_deadline_ns(model_host_of(host));
}

void usb_model_run(struct usb_host *host)
{
	model_host_run(model_host_of(host));
}
