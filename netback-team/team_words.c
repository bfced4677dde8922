/* SPDX-License-Identifier: GPL-2.0-or-later */
/* team_words.c - the words of keys that list members, see team.h. */
#include "team.h"

#include <ctype.h>
#include <string.h>

/* What the kernel takes for a name (dev_valid_name): neither of "/", ":", white space; not "." or
 * "..". */
static bool valid_name(const char *name, size_t n)
{
	if (n == 0 || n >= TEAM_NIC_NAME_MAX ||
	    (name[0] == '.' && n == strspn(name, ".") && n <= 2))
		return false;
	return !memchr(name, '/', n);
}

/* 0-255 in decimal, up to `end`; -1 when it is anything else. */
static int parse_priority(const char *p, const char *end)
{
	int value = 0;

	if (p == end)
		return -1;
	for (; p < end && value <= UINT8_MAX; p++) {
		if (!isdigit((unsigned char)*p))
			return -1;
		value = value * 10 + (*p - '0');
	}
	return value <= UINT8_MAX ? value : -1;
}

bool team_members_next(const char **rest, char name[TEAM_NAME_MAX], uint8_t *priority, bool *bad)
{
	static const char blanks[] = " \t\n\v\f\r";
	const char *word = *rest + strspn(*rest, blanks), *end = word + strcspn(word, blanks);
	const size_t n = strcspn(word, ":\t\n\v\f\r ");
	int value = TEAM_PRIORITY_DEFAULT;

	*rest = word;
	if (word == end)
		return false;
	if (word[n] == ':')
		value = parse_priority(word + n + 1, end);
	if (value < 0 || !valid_name(word, n)) {
		*bad = true;
		return false;
	}
	memcpy(name, word, n);
	name[n] = '\0';
	*priority = (uint8_t)value;
	*rest = end;
	return true;
}

bool team_listed(const char *list, const char *name)
{
	static const char blanks[] = " \t\n\v\f\r";
	const size_t n = strlen(name);

	for (list += strspn(list, blanks); *list; list += strspn(list, blanks)) {
		const size_t word = strcspn(list, blanks);

		if (word == n && !memcmp(list, name, n))
			return true;
		list += word;
	}
	return false;
}
