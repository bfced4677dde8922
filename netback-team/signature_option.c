/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signature_option.c - what stands in the brackets of a rule, see signature.h and
 * signature_parse.c. */
#include "signature_parse.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "util.h"

/* Where a quoted text is put. */
struct quoted {
	uint8_t *bytes;
	size_t n, max;
};

static int hex_digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int put(struct parser *p, struct quoted *q, uint8_t byte)
{
	if (q->n == q->max)
		return parse_fail(p, p->pos, "longer than %zu bytes", q->max);
	q->bytes[q->n++] = byte;
	return 0;
}

/* Behind the first bar: pairs of digits up to the second one. */
static int parse_hex(struct parser *p, struct quoted *q)
{
	while (parse_peek(p) != '|') {
		int high, low;

		if (parse_peek(p) == ' ') {
			p->pos++;
			continue;
		}
		high = hex_digit(parse_peek(p));
		low = p->pos + 1 < p->size ? hex_digit(p->text[p->pos + 1]) : -1;
		if (high < 0 || low < 0)
			return parse_fail(p, p->pos,
					  "expected two hexadecimal digits or the bar that ends "
					  "them");
		if (put(p, q, (uint8_t)(high << 4 | low)))
			return -EINVAL;
		p->pos += 2;
	}
	p->pos++;
	return 0;
}

/* "text"; hex: |0d 0a| in it means bytes. -EINVAL: the error is written. */
static int parse_quoted(struct parser *p, bool hex, struct quoted *q)
{
	char here[PARSE_WORD_MAX];

	if (!parse_char(p, '"'))
		return parse_fail(p, p->pos, "expected a text in \"quotes\", here is '%s'",
				  parse_here(p, here));
	while (parse_peek(p) != '"') {
		char c = parse_peek(p);

		if (p->pos == p->size || c == '\n' || !isprint((unsigned char)c))
			return parse_fail(p, p->pos,
					  "expected printable text and the quotes that end it%s",
					  hex ? "; other bytes stand as |hex|" : "");
		p->pos++;
		if (hex && c == '|') {
			if (parse_hex(p, q))
				return -EINVAL;
			continue;
		}
		if (c == '\\') {
			c = parse_peek(p);
			if (c == '\0' || !strchr("\";:\\|", c))
				return parse_fail(p, p->pos,
						  "a backslash stands before \" ; : | or \\");
			p->pos++;
		}
		if (put(p, q, (uint8_t)c))
			return -EINVAL;
	}
	p->pos++;
	return 0;
}

static int option_msg(struct parser *p, struct rule *rule)
{
	struct quoted q = {(uint8_t *)rule->name, 0, sizeof(rule->name) - 1};
	const size_t at = p->pos;

	memset(rule->name, 0, sizeof(rule->name));
	if (parse_quoted(p, false, &q))
		return -EINVAL;
	return q.n ? 0 : parse_fail(p, at, "msg is empty");
}

static int option_sid(struct parser *p, struct rule *rule)
{
	return parse_number(p, "sid", 1, UINT32_MAX, &rule->sid);
}

static int option_content(struct parser *p, struct rule *rule)
{
	struct content *content = &rule->contents[rule->n_contents];
	struct quoted q = {content->bytes, 0, SIGNATURE_CONTENT_MAX};
	size_t at;

	parse_blanks(p);
	at = p->pos;
	if (rule->n_contents == SIGNATURE_CONTENTS)
		return parse_fail(p, at, "more than %d contents in a rule", SIGNATURE_CONTENTS);
	if (parse_peek(p) == '!')
		return parse_fail(p, at, "contents that must not be there are not supported");
	if (parse_quoted(p, true, &q))
		return -EINVAL;
	if (q.n == 0)
		return parse_fail(p, at, "content is empty");
	p->n_bytes += (unsigned int)q.n;
	if (p->n_bytes > SIGNATURE_BYTES_MAX)
		return parse_fail(p, at, "all contents together are longer than %d bytes",
				  SIGNATURE_BYTES_MAX);
	content->len = (uint8_t)q.n;
	content->end = SIGNATURE_SCAN;
	rule->n_contents++;
	return 0;
}

/* The content that an option behind it belongs to. */
static struct content *last_content(struct parser *p, const struct rule *rule, const char *option)
{
	if (rule->n_contents)
		return (struct content *)&rule->contents[rule->n_contents - 1];
	parse_fail(p, p->pos, "%s stands behind a content", option);
	return NULL;
}

static int option_offset(struct parser *p, struct rule *rule)
{
	struct content *content = last_content(p, rule, "offset");
	uint32_t value;

	if (!content || parse_number(p, "offset", 0, SIGNATURE_SCAN - content->len, &value))
		return -EINVAL;
	content->offset = (uint16_t)value;
	return 0;
}

/* Kept in `end` as it is: options come in any order, finish() adds the offset. */
static int option_depth(struct parser *p, struct rule *rule)
{
	struct content *content = last_content(p, rule, "depth");
	uint32_t value;

	if (!content ||
	    parse_number(p, "depth (not less than the content)", content->len, 65535, &value))
		return -EINVAL;
	content->has_depth = true;
	content->end = (uint16_t)value;
	return 0;
}

static int option_nocase(struct parser *p, struct rule *rule)
{
	struct content *content = last_content(p, rule, "nocase");

	if (!content)
		return -EINVAL;
	content->nocase = true;
	return 0;
}

static int expect_word(struct parser *p, const char *wanted)
{
	char word[PARSE_WORD_MAX], here[PARSE_WORD_MAX];
	size_t at;

	parse_blanks(p);
	parse_here(p, here);
	at = parse_word(p, word);
	return strcmp(word, wanted) == 0
		       ? 0
		       : parse_fail(p, at, "expected '%s', here is '%s'", wanted, here);
}

static int option_threshold(struct parser *p, struct rule *rule)
{
	if (expect_word(p, "pps"))
		return -EINVAL;
	return parse_number(p, "packets a second", 1, SIGNATURE_PPS_MAX, &rule->pps);
}

/* detection_filter: track by_src, count 30, seconds 60 */
static int option_filter(struct parser *p, struct rule *rule)
{
	char word[PARSE_WORD_MAX];
	uint32_t count, seconds;
	size_t at;

	if (expect_word(p, "track"))
		return -EINVAL;
	at = parse_word(p, word);
	if (strcmp(word, "by_src") != 0 && strcmp(word, "by_dst") != 0)
		return parse_fail(p, at, "'%s': allowed are by_src, by_dst", word);
	if (!parse_char(p, ',') || expect_word(p, "count") ||
	    parse_number(p, "count", 1, SIGNATURE_PPS_MAX, &count) || !parse_char(p, ',') ||
	    expect_word(p, "seconds") || parse_number(p, "seconds", 1, 3600, &seconds)) {
		if (p->error[0] == '\0')
			parse_fail(p, p->pos, "expected track by_dst, count N, seconds S");
		return -EINVAL;
	}
	rule->pps = DIV_ROUND_UP(count, seconds);
	return 0;
}

/* What is for people: up to the semicolon, which may stand in quotes. */
static int option_ignored(struct parser *p, struct rule *rule)
{
	bool quoted = false;
	char c;

	while ((c = parse_peek(p)) != '\0' && c != '\n' && (quoted || c != ';')) {
		quoted ^= c == '"';
		p->pos++;
	}
	return 0;
}

static const struct {
	const char *name;
	bool has_value;
	int (*parse)(struct parser *p, struct rule *rule); /**< != 0: the error is written */
} options[] = {
	{"msg", true, option_msg},
	{"sid", true, option_sid},
	{"content", true, option_content},
	{"offset", true, option_offset},
	{"depth", true, option_depth},
	{"nocase", false, option_nocase},
	{"threshold", true, option_threshold},
	{"detection_filter", true, option_filter},
	{"rev", true, option_ignored},
	{"classtype", true, option_ignored},
	{"priority", true, option_ignored},
	{"reference", true, option_ignored},
	{"metadata", true, option_ignored},
};

static int parse_option(struct parser *p, struct rule *rule)
{
	char word[PARSE_WORD_MAX], here[PARSE_WORD_MAX];
	size_t at, i = 0;

	parse_blanks(p);
	parse_here(p, here);
	at = parse_word(p, word);
	while (i < ARRAY_SIZE(options) && strcmp(word, options[i].name) != 0)
		i++;
	if (i == ARRAY_SIZE(options))
		return parse_fail(p, at,
				  "unknown option '%s'; allowed are msg, sid, content, offset, "
				  "depth, nocase, threshold, detection_filter (and rev, classtype, "
				  "priority, reference, metadata, which change nothing)",
				  word[0] ? word : here);
	if (parse_char(p, ':') != options[i].has_value)
		return parse_fail(p, p->pos, "%s %s", word,
				  options[i].has_value ? "needs ':' and a value" : "has no value");
	if (options[i].parse(p, rule))
		return -EINVAL;
	return parse_char(p, ';')
		       ? 0
		       : parse_fail(p, p->pos, "expected ';', here is '%s'", parse_here(p, here));
}

static int finish(struct parser *p, struct rule *rule)
{
	if (!rule->name[0])
		return parse_fail(p, p->pos, "the rule has no msg:\"NAME\"");
	for (unsigned int i = 0; i < rule->n_contents; i++) {
		struct content *content = &rule->contents[i];

		if (content->has_depth)
			content->end =
				(uint16_t)MIN(content->offset + content->end, SIGNATURE_SCAN);
	}
	return 0;
}

int parse_options(struct parser *p, struct rule *rule)
{
	char here[PARSE_WORD_MAX];

	if (!parse_char(p, '('))
		return parse_fail(p, p->pos, "expected '(' and options, here is '%s'",
				  parse_here(p, here));
	while (!parse_char(p, ')'))
		if (parse_option(p, rule))
			return -EINVAL;
	return finish(p, rule);
}
