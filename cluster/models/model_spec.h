/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_spec.h - the text that names a model, "KIND,key=value,flag" (models.h), taken apart. Pure.
 *
 * A comma that belongs to a value is written twice.
 */
#ifndef XB_MODEL_SPEC_H
#define XB_MODEL_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_PATH_MAX	 4096
#define MODEL_SERIAL_MAX 41

enum model_kind {
	MODEL_DISK,
	MODEL_SOURCE_SINK,
	MODEL_SERIAL,
	MODEL_KEYBOARD,
	MODEL_TABLET,
};

struct model_spec {
	enum model_kind kind;
	char path[MODEL_PATH_MAX];     /**< file, link or input; empty: none */
	char serial[MODEL_SERIAL_MAX]; /**< empty: not given */
	bool read_only, removable, no_stall;
	bool full_speed;
	uint8_t pattern;  /**< 0, 1, 2 */
	uint8_t interval; /**< bInterval, 1 to 16; 0: not given */
};

/** Names of the kinds, NULL at the end. */
extern const char *const model_kinds[];

/** 0, or -EINVAL with a sentence in error that names the word and what is allowed; spec is
 * undefined then. */
int model_spec_parse(struct model_spec *spec, const char *text, char *error, size_t error_size);

#endif
