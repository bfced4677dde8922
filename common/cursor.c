/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cursor.c - bounded reader over untrusted bytes; pure. */
#include "cursor.h"

#include <string.h>

void cursor_init(struct cursor *c, const void *data, size_t size)
{
	*c = (struct cursor){.data = data, .size = size};
}

size_t cursor_left(const struct cursor *c)
{
	return c->size - c->pos;
}

const uint8_t *cursor_skip(struct cursor *c, size_t n)
{
	const uint8_t *p;

	if (c->failed || n > cursor_left(c)) {
		c->failed = true;
		return NULL;
	}
	p = c->data + c->pos;
	c->pos += n;
	return p;
}

bool cursor_bytes(struct cursor *c, void *out, size_t n)
{
	const uint8_t *p = cursor_skip(c, n);

	if (!p) {
		memset(out, 0, n);
		return false;
	}
	if (n)
		memcpy(out, p, n);
	return true;
}

uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_skip(c, 1);

	return p ? *p : 0;
}

uint16_t cursor_be16(struct cursor *c)
{
	const uint8_t *p = cursor_skip(c, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

uint32_t cursor_be32(struct cursor *c)
{
	const uint8_t *p = cursor_skip(c, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

uint16_t cursor_le16(struct cursor *c)
{
	const uint8_t *p = cursor_skip(c, 2);

	return p ? (uint16_t)(p[1] << 8 | p[0]) : 0;
}

uint32_t cursor_le32(struct cursor *c)
{
	const uint8_t *p = cursor_skip(c, 4);

	return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

uint64_t cursor_le64(struct cursor *c)
{
	const uint8_t *p = cursor_skip(c, 8);
	uint64_t value = 0;

	for (int i = 7; p && i >= 0; i--)
		value = value << 8 | p[i];
	return value;
}
