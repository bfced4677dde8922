/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-model-control.c - any control request to every model, standard ones, of a class, of a
 * vendor.
 *
 * Input: a byte that chooses the model, then setups of 8 bytes. Replies are written into memory of
 * exactly wLength.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/models/hid.h"
#include "cluster/models/serial.h"
#include "cluster/models/source_sink.h"
#include "cursor.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_MODELS  5
#define STEPS_MAX 64

static struct model models[N_MODELS];

static void create(void)
{
	static const struct model_spec specs[N_MODELS] = {
		{.kind = MODEL_SOURCE_SINK}, {.kind = MODEL_SOURCE_SINK, .full_speed = true},
		{.kind = MODEL_SERIAL},	     {.kind = MODEL_KEYBOARD},
		{.kind = MODEL_TABLET},
	};
	char error[256];
	sd_event *event;

	if (sd_event_new(&event) < 0)
		abort();
	source_sink_create(&models[0], &specs[0]);
	source_sink_create(&models[1], &specs[1]);
	if (serial_create(&models[2], &specs[2], event, error, sizeof(error)) ||
	    hid_create(&models[3], &specs[3], event, error, sizeof(error)) ||
	    hid_create(&models[4], &specs[4], event, error, sizeof(error)))
		abort();
}

static void request(struct model *model, const struct usb_ctrlrequest *setup)
{
	enum model_ch9_effect effect = MODEL_CH9_NOTHING;
	uint16_t n = le16toh(setup->wLength);
	uint8_t *bytes = malloc(n ? n : 1);
	int rc;

	memset(bytes, 0x5a, n);
	if (model_ch9_is_standard(setup))
		rc = model_ch9_request(&model->ch9, setup, bytes, &effect);
	else
		rc = model->ops->control(model->self, setup, bytes);
	if (rc > n)
		abort();
	if (effect == MODEL_CH9_CLEAR_HALT)
		model_ch9_clear_halt(&model->ch9, (uint8_t)le16toh(setup->wIndex));
	if (effect == MODEL_CH9_CONFIGURED)
		model->ops->reset(model->self);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct usb_ctrlrequest setup;
	struct cursor cursor;
	struct model *model;

	if (!models[0].ops)
		create();
	cursor_init(&cursor, data, size);
	model = &models[cursor_u8(&cursor) % N_MODELS];
	model_ch9_init(&model->ch9, &model->desc);
	model->ops->reset(model->self);
	for (int i = 0; i < STEPS_MAX && cursor_bytes(&cursor, &setup, sizeof(setup)); i++)
		request(model, &setup);
	return 0;
}
