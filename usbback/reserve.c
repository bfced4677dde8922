/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reserve.c - which devices are kept for guests, see reserve.h. */
#include "reserve.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_opener.h"
#include "util.h"

#define ALLOWED "allowed: VID:PID or VID:PID:SERIAL such as 0951:1666, or a bus id such as 3-1.5"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* One line, without its comment and the blanks around. */
static void trim(const char **line, size_t *length)
{
	const char *comment = memchr(*line, '#', *length);

	if (comment)
		*length = (size_t)(comment - *line);
	while (*length && is_blank((*line)[*length - 1]))
		(*length)--;
	while (*length && is_blank(**line)) {
		(*line)++;
		(*length)--;
	}
}

/* Four hexadecimal digits. */
static bool parse_hex(const char *text, uint16_t *value)
{
	unsigned int number = 0;

	for (int i = 0; i < 4; i++) {
		if (!isxdigit((unsigned char)text[i]))
			return false;
		number = number * 16 + (unsigned int)(isdigit((unsigned char)text[i])
							      ? text[i] - '0'
							      : (text[i] | 0x20) - 'a' + 10);
	}
	*value = (uint16_t)number;
	return true;
}

static bool parse_entry(struct reserve_entry *entry, const char *text)
{
	if (host_busid_valid(text)) {
		snprintf(entry->busid, sizeof(entry->busid), "%s", text);
		return true;
	}
	if (!parse_hex(text, &entry->vid) || text[4] != ':' || !parse_hex(text + 5, &entry->pid))
		return false;
	if (!text[9])
		return true;
	if (text[9] != ':' || !text[10] || strlen(text + 10) >= sizeof(entry->serial))
		return false;
	snprintf(entry->serial, sizeof(entry->serial), "%s", text + 10);
	return true;
}

/* False: message says why. */
static bool parse_line(struct reserve_list *list, const char *line, size_t length,
		       unsigned int number, char *message, size_t message_size)
{
	struct reserve_entry entry = {.line = number};
	char text[DEVSPEC_TEXT_MAX + 1];

	if (length > DEVSPEC_TEXT_MAX || memchr(line, 0, length)) {
		snprintf(message, message_size,
			 "the line is too long or has a zero byte; " ALLOWED);
		return false;
	}
	memcpy(text, line, length);
	text[length] = '\0';
	if (!parse_entry(&entry, text)) {
		snprintf(message, message_size, "\"%.80s\" is refused; " ALLOWED, text);
		return false;
	}
	if (list->n == RESERVE_ENTRIES_MAX) {
		snprintf(message, message_size, "\"%.80s\" is one too many: at most %u devices",
			 text, RESERVE_ENTRIES_MAX);
		return false;
	}
	list->entries = xb_realloc(list->entries, (list->n + 1) * sizeof(entry));
	list->entries[list->n++] = entry;
	return true;
}

unsigned int reserve_parse(struct reserve_list *list, const char *text, size_t size,
			   reserve_wrong_fn wrong, void *ctx)
{
	const char *const end = text + size;
	unsigned int n_wrong = 0;
	char message[300];

	for (unsigned int number = 1; text < end; number++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		const char *line = text;
		size_t length = (size_t)((stop ? stop : end) - text);

		text = stop ? stop + 1 : end;
		trim(&line, &length);
		if (!length || parse_line(list, line, length, number, message, sizeof(message)))
			continue;
		wrong(ctx, number, message);
		n_wrong++;
	}
	return n_wrong;
}

static bool means(const struct reserve_entry *entry, const struct host_device *device)
{
	if (entry->busid[0])
		return strcmp(entry->busid, device->busid) == 0;
	return entry->vid == device->vid && entry->pid == device->pid &&
	       (!entry->serial[0] || strcmp(entry->serial, device->serial) == 0);
}

const struct reserve_entry *reserve_match(const struct reserve_list *list,
					  const struct host_device *device)
{
	for (size_t i = 0; i < list->n && !device->hub; i++)
		if (means(&list->entries[i], device))
			return &list->entries[i];
	return NULL;
}

void reserve_free(struct reserve_list *list)
{
	free(list->entries);
	*list = (struct reserve_list){0};
}
