/* SPDX-License-Identifier: GPL-2.0-or-later */
/* member_word.c - see member_word.h. */
#include "member_word.h"

#include <ctype.h>
#include <string.h>

#include "team.h"

#define WILD "*?["

static const char blanks[] = " \t\n\v\f\r";

static int hex(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* "aa:bb:cc:dd:ee:ff": what stands behind it, NULL = it is no MAC. */
static const char *take_mac(const char *p, uint8_t mac[6])
{
	for (unsigned int i = 0; i < 6; i++, p += 2) {
		int high, low;

		if (i > 0 && *p++ != ':')
			return NULL;
		high = hex(p[0]);
		low = high < 0 ? -1 : hex(p[1]); /* not beyond the end */
		if (low < 0)
			return NULL;
		mac[i] = (uint8_t)(high * 16 + low);
	}
	return p;
}

/* Three parts with two colons; what stands behind them, NULL = it is no such pattern. */
static const char *take_pci(const char *p, char out[MEMBER_BUS_MAX])
{
	const char *begin = p;

	for (unsigned int i = 0; i < 3; i++) {
		const size_t n = strspn(p, "0123456789abcdefABCDEF.-!^]" WILD);

		if (n == 0 || (i < 2 && p[n] != ':'))
			return NULL;
		p += n + (i < 2);
	}
	if ((size_t)(p - begin) >= MEMBER_BUS_MAX)
		return NULL;
	memcpy(out, begin, (size_t)(p - begin));
	out[p - begin] = '\0';
	return p;
}

/* A pattern of names: without "/" and colons. */
static const char *take_glob(const char *p, char out[MEMBER_BUS_MAX])
{
	const size_t n = strcspn(p, ": \t\n\v\f\r");

	if (n == 0 || n >= TEAM_NIC_NAME_MAX || memchr(p, '/', n))
		return NULL;
	memcpy(out, p, n);
	out[n] = '\0';
	return strpbrk(out, WILD) ? p + n : NULL;
}

/* ":PRIORITY" or nothing, up to the end of the word. */
static bool take_priority(const char *p, uint8_t *priority)
{
	unsigned int value = 0;

	*priority = TEAM_PRIORITY_DEFAULT;
	if (!*p || strchr(blanks, *p))
		return true;
	if (*p++ != ':' || !isdigit((unsigned char)*p))
		return false;
	for (; isdigit((unsigned char)*p) && value <= UINT8_MAX; p++)
		value = value * 10 + (unsigned int)(*p - '0');
	*priority = (uint8_t)value;
	return value <= UINT8_MAX && (!*p || strchr(blanks, *p));
}

/* The word without what begins with "/". */
static bool take_base(const char *p, struct member_word *word)
{
	char name[TEAM_NAME_MAX];
	const char *end = NULL;
	bool bad = false;

	if (!strncmp(p, "mac:", 4) && (end = take_mac(p + 4, word->mac))) {
		word->kind = MEMBER_WORD_MAC;
	} else if (!strncmp(p, "pci:", 4) && (end = take_pci(p + 4, word->text))) {
		word->kind = MEMBER_WORD_PCI;
	} else if ((end = take_glob(p, word->text))) {
		word->kind = MEMBER_WORD_GLOB;
	} else {
		if (!team_members_next(&p, name, &word->priority, &bad))
			return false;
		memset(word->text, 0, sizeof(word->text));
		strcpy(word->text, name);
		return true;
	}
	return take_priority(end, &word->priority);
}

/* "/KEY=VALUE", as often as they come, n bytes. */
static bool take_traits(const char *p, size_t n, char traits[MEMBER_TRAITS_MAX])
{
	if (n >= MEMBER_TRAITS_MAX)
		return false;
	memcpy(traits, p, n);
	traits[n] = '\0';
	for (p = traits; *p; p += 1 + strcspn(p + 1, "/")) {
		const size_t key = strcspn(p + 1, "=/");

		if (*p != '/' || key == 0 || p[1 + key] != '=' || strcspn(p + 2 + key, "/") == 0)
			return false;
	}
	return true;
}

bool member_word_next(const char **rest, struct member_word *word, bool *bad)
{
	const char *p = *rest + strspn(*rest, blanks);
	const size_t n = strcspn(p, blanks);
	size_t base = strcspn(p, "/");
	char text[MEMBER_BUS_MAX + sizeof("pci::255")];

	base = base < n ? base : n;
	memset(word, 0, sizeof(*word));
	*rest = p;
	if (n == 0)
		return false;
	*bad = base >= sizeof(text);
	if (*bad)
		return false;
	memcpy(text, p, base);
	text[base] = '\0';
	*bad = !take_base(text, word) || !take_traits(p + base, n - base, word->traits);
	if (!*bad)
		*rest = p + n;
	return !*bad;
}

/* [a-z], [!a-z]; what stands behind it, NULL = it has no end: then "[" is a letter. */
static const char *in_set(const char *pattern, char c, bool *is_in)
{
	const char *p = pattern + 1;
	const bool inverted = *p == '!' || *p == '^';

	*is_in = false;
	p += inverted;
	for (const char *first = p; *p && (*p != ']' || p == first); p++) {
		if (p[1] == '-' && p[2] && p[2] != ']') {
			*is_in |= c >= p[0] && c <= p[2];
			p += 2;
		} else {
			*is_in |= c == *p;
		}
	}
	*is_in ^= inverted;
	return *p ? p + 1 : NULL;
}

/* fnmatch(3) without its flags; a star tries again one letter further, so it takes at most the
 * product of both lengths. */
static bool matches(const char *pattern, const char *text)
{
	const char *star = NULL, *star_text = text;

	while (*text) {
		const char *next = pattern + 1;
		bool one = *pattern == '?' || *pattern == *text;

		if (*pattern == '*') {
			star = next;
			star_text = text;
			pattern = next;
			continue;
		}
		if (*pattern == '[') {
			next = in_set(pattern, *text, &one);
			if (!next) {
				next = pattern + 1;
				one = *text == '[';
			}
		}
		if (*pattern && one) {
			pattern = next;
			text++;
		} else if (star) {
			pattern = star;
			text = ++star_text;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

bool member_word_matches(const struct member_word *word, const struct member_id *id)
{
	switch (word->kind) {
	case MEMBER_WORD_NAME:
		return !strcmp(word->text, id->name);
	case MEMBER_WORD_GLOB:
		return matches(word->text, id->name);
	case MEMBER_WORD_MAC:
		return !memcmp(word->mac, id->mac, 6);
	case MEMBER_WORD_PCI:
		return id->bus[0] && matches(word->text, id->bus);
	}
	return false;
}
