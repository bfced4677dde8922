/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cursor.h - bounded reader over untrusted bytes.
 *
 * Reading past the end sets `failed`, yields zeros and moves nothing: a parser reads all it wants
 * and asks once at the end.
 */
#ifndef XB_CURSOR_H
#define XB_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *data;
	size_t size; /**< bytes in data */
	size_t pos;  /**< next byte, <= size */
	bool failed; /**< something was read past the end */
};

void cursor_init(struct cursor *c, const void *data, size_t size);
/** Bytes not yet read. */
size_t cursor_left(const struct cursor *c);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_be16(struct cursor *c);
uint32_t cursor_be32(struct cursor *c);
uint16_t cursor_le16(struct cursor *c);
uint32_t cursor_le32(struct cursor *c);
uint64_t cursor_le64(struct cursor *c);
/** Copies n bytes; on failure out is zeroed and false returned. */
bool cursor_bytes(struct cursor *c, void *out, size_t n);
/** Pointer to the next n bytes in place, or NULL; moves behind them. */
const uint8_t *cursor_skip(struct cursor *c, size_t n);

#endif
