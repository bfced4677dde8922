/* SPDX-License-Identifier: GPL-2.0-or-later */
/* act_options.c - defaults and limits of the configuration of act.[ch], its whitelist. */
#include "act_options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define HOUR_NS (3600 * NSEC_PER_SEC)
#define NO_GAP	9u

void act_options_default(struct act_options *options)
{
	static const struct act_rule rules[ACT_ACTIONS] = {
		[ACT_ALERT] = {true, ACT_BOTH, 0, 0, 0, 16, 60 * NSEC_PER_SEC},
		[ACT_HOOK] = {false, ACT_BOTH, 0, 0, 0, 16, 60 * NSEC_PER_SEC},
		[ACT_LIMIT] = {false, ACT_BOTH, 0, 10 * NSEC_PER_SEC, 0, 6, 60 * NSEC_PER_SEC},
		[ACT_DELAY] = {false, ACT_TO_GUEST, 2 * NSEC_PER_SEC, 10 * NSEC_PER_SEC, 0, 6,
			       60 * NSEC_PER_SEC},
		[ACT_SECOND_TEAM] = {false, ACT_TO_GUEST, 5 * NSEC_PER_SEC, 60 * NSEC_PER_SEC, 0, 4,
				     HOUR_NS},
		[ACT_PAUSE] = {false, ACT_FROM_GUEST, 10 * NSEC_PER_SEC, 5 * NSEC_PER_SEC,
			       60 * NSEC_PER_SEC, 3, HOUR_NS},
		[ACT_MIGRATE] = {false, ACT_TO_GUEST, 60 * NSEC_PER_SEC, 0, 0, 1, HOUR_NS},
	};

	memset(options, 0, sizeof(*options));
	memcpy(options->rules, rules, sizeof(rules));
	options->limit_pps = 20000;
	options->limit_bps = 100000000;
	options->delay_ns = 5 * NSEC_PER_MSEC;
}

static const char *check_rule(const struct act_rule *rule)
{
	if (rule->when < ACT_TO_GUEST || rule->when > ACT_BOTH)
		return "when is to-guest, from-guest or both";
	if (rule->after_ns > HOUR_NS)
		return "after is 0s to 1h";
	if (rule->min_ns > 24 * HOUR_NS)
		return "min is 0s to 24h";
	if (rule->max_ns && (rule->max_ns < rule->min_ns || rule->max_ns > 24 * HOUR_NS))
		return "max is 0s (none), or min to 24h";
	if (rule->times < 1 || rule->times > ACT_TIMES_MAX)
		return "times is 1 to 16";
	if (rule->interval_ns < NSEC_PER_SEC || rule->interval_ns > 24 * HOUR_NS)
		return "interval is 1s to 24h";
	return NULL;
}

int act_options_check(const struct act_options *options, char error[ACT_ERROR_MAX])
{
	struct act_cidr cidrs[ACT_CIDRS_MAX];
	int n;

	for (unsigned int i = 0; i < ACT_ACTIONS; i++) {
		const char *wrong = check_rule(&options->rules[i]);

		if (!wrong)
			continue;
		snprintf(error, ACT_ERROR_MAX, "%s: %s", act_action_name((enum act_action)i),
			 wrong);
		return -EINVAL;
	}
	if (options->limit_pps == 0 && options->limit_bps == 0) {
		snprintf(error, ACT_ERROR_MAX, "limit: packets or bits a second must be set");
		return -EINVAL;
	}
	if (options->delay_ns < 100 * NSEC_PER_USEC || options->delay_ns > 100 * NSEC_PER_MSEC) {
		snprintf(error, ACT_ERROR_MAX, "delay: the delay is 100us to 100ms");
		return -EINVAL;
	}
	n = act_cidrs_parse(options->whitelist, cidrs, error);
	return n < 0 ? n : 0;
}

/* Four decimal numbers without leading zeros, which some read as octal. */
static bool parse_ipv4(const char *text, uint8_t out[4])
{
	for (unsigned int i = 0; i < 4; i++) {
		unsigned int value = 0, digits = 0;

		for (; isdigit((unsigned char)*text) && digits < 4; text++, digits++)
			value = value * 10 + (unsigned int)(*text - '0');
		if (digits == 0 || digits > 3 || value > 255 ||
		    (digits > 1 && text[-(int)digits] == '0'))
			return false;
		if (*text != (i < 3 ? '.' : '\0'))
			return false;
		out[i] = (uint8_t)value;
		text += i < 3;
	}
	return true;
}

static int hex_value(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* One group of up to four digits; how many characters, 0 = none. */
static unsigned int parse_group(const char *text, uint8_t out[2])
{
	unsigned int value = 0, n = 0;

	for (; n < 4 && isxdigit((unsigned char)text[n]); n++)
		value = value << 4 | (unsigned int)hex_value(text[n]);
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	return n;
}

/* RFC 4291 2.2, without the form that ends in an IPv4 address. */
static bool parse_ipv6(const char *text, uint8_t out[16])
{
	unsigned int n = 0, gap = NO_GAP; /* groups; where :: stood */

	memset(out, 0, 16);
	if (text[0] == ':' && text[1] == ':') {
		gap = 0;
		text += 2;
	}
	while (*text && n < 8) {
		const unsigned int digits = parse_group(text, out + 2 * n);

		if (digits == 0)
			return false;
		n++;
		text += digits;
		if (!*text)
			break;
		if (*text++ != ':' || !*text)
			return false;
		if (*text == ':') {
			if (gap != NO_GAP)
				return false;
			gap = n;
			text++;
		}
	}
	if (*text || (gap == NO_GAP ? n != 8 : n > 7))
		return false;
	if (gap != NO_GAP) {
		memmove(out + 2 * (8 - (n - gap)), out + 2 * gap, 2 * (n - gap));
		memset(out + 2 * gap, 0, 2 * (8 - n));
	}
	return true;
}

static bool parse_cidr(const char *word, struct act_cidr *cidr)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	char addr[48], *slash;
	unsigned int width, bits;

	if (strlen(word) >= sizeof(addr))
		return false;
	strcpy(addr, word);
	slash = strchr(addr, '/');
	if (slash)
		*slash++ = '\0';
	width = strchr(addr, ':') ? 128 : 32;
	if (width == 32) {
		memcpy(cidr->addr.bytes, mapped, sizeof(mapped));
		if (!parse_ipv4(addr, cidr->addr.bytes + 12))
			return false;
	} else if (!parse_ipv6(addr, cidr->addr.bytes)) {
		return false;
	}
	bits = width;
	if (slash) {
		const size_t digits = strspn(slash, "0123456789");

		if (digits < 1 || digits > 3 || slash[digits])
			return false;
		bits = (unsigned int)strtoul(slash, NULL, 10);
	}
	cidr->bits = bits + 128 - width;
	return bits <= width;
}

int act_cidrs_parse(const char *text, struct act_cidr cidrs[ACT_CIDRS_MAX],
		    char error[ACT_ERROR_MAX])
{
	static const char blanks[] = " ,\t";
	char word[64];
	int n = 0;

	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		const size_t len = strcspn(text, blanks);

		snprintf(word, sizeof(word), "%.*s", (int)MIN(len, sizeof(word) - 1), text);
		if (n == ACT_CIDRS_MAX) {
			snprintf(error, ACT_ERROR_MAX, "whitelist: at most %d blocks",
				 ACT_CIDRS_MAX);
			return -EINVAL;
		}
		if (len >= sizeof(word) || !parse_cidr(word, &cidrs[n])) {
			snprintf(error, ACT_ERROR_MAX,
				 "whitelist: '%s' is no block such as 10.0.0.0/8 or 2001:db8::/32",
				 word);
			return -EINVAL;
		}
		n++;
		text += len;
	}
	return n;
}

static bool cidr_has(const struct act_cidr *cidr, const struct dos_addr *addr)
{
	const unsigned int bytes = cidr->bits / 8, rest = cidr->bits % 8;

	if (memcmp(cidr->addr.bytes, addr->bytes, bytes) != 0)
		return false;
	return rest == 0 || ((cidr->addr.bytes[bytes] ^ addr->bytes[bytes]) >> (8 - rest)) == 0;
}

bool act_cidrs_have(const struct act_cidr *cidrs, unsigned int n, const struct dos_addr *addr)
{
	for (unsigned int i = 0; i < n; i++)
		if (cidr_has(&cidrs[i], addr))
			return true;
	return false;
}
