/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signature_parse.c - rules from text, see signature.h: the head of a rule (protocol, addresses,
 * ports, direction). What stands in brackets is read by signature_option.c. */
#include "signature_parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

int parse_fail(struct parser *p, size_t at, const char *format, ...)
{
	unsigned int line = 1, column = 1;
	va_list args;
	int n;

	for (size_t i = 0; i < at && i < p->size; i++) {
		column = p->text[i] == '\n' ? 1 : column + 1;
		line += p->text[i] == '\n';
	}
	n = snprintf(p->error, SIGNATURE_ERROR_MAX, "line %u, column %u: ", line, column);
	va_start(args, format);
	vsnprintf(p->error + n, SIGNATURE_ERROR_MAX - (size_t)n, format, args);
	va_end(args);
	return -EINVAL;
}

char parse_peek(const struct parser *p)
{
	return p->pos < p->size ? p->text[p->pos] : '\0';
}

void parse_blanks(struct parser *p)
{
	while (p->pos < p->size) {
		const char *here = p->text + p->pos;
		const size_t left = p->size - p->pos;

		if (*here == ' ' || *here == '\t' || *here == '\r')
			p->pos++;
		else if (left >= 2 && here[0] == '\\' && here[1] == '\n')
			p->pos += 2;
		else if (left >= 3 && here[0] == '\\' && here[1] == '\r' && here[2] == '\n')
			p->pos += 3;
		else
			return;
	}
}

bool parse_char(struct parser *p, char wanted)
{
	parse_blanks(p);
	if (p->pos == p->size || p->text[p->pos] != wanted)
		return false;
	p->pos++;
	return true;
}

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

size_t parse_word(struct parser *p, char word[PARSE_WORD_MAX])
{
	size_t n = 0, begin;

	parse_blanks(p);
	begin = p->pos;
	for (; in_word(parse_peek(p)); p->pos++)
		if (n < PARSE_WORD_MAX - 1)
			word[n++] = parse_peek(p);
	word[n] = '\0';
	return begin;
}

const char *parse_here(const struct parser *p, char text[PARSE_WORD_MAX])
{
	size_t n = 0;

	while (n < 16 && p->pos + n < p->size && isprint((unsigned char)p->text[p->pos + n])) {
		text[n] = p->text[p->pos + n];
		n++;
	}
	text[n] = '\0';
	if (n == 0)
		strcpy(text, p->pos < p->size && p->text[p->pos] != '\n' ? "a strange character"
									 : "the end of the line");
	return text;
}

int parse_number(struct parser *p, const char *what, uint32_t min, uint32_t max, uint32_t *value)
{
	char word[PARSE_WORD_MAX], here[PARSE_WORD_MAX], *end;
	unsigned long long number;
	size_t at;

	parse_blanks(p);
	parse_here(p, here);
	at = parse_word(p, word);
	errno = 0;
	number = strtoull(word, &end, 10);
	if (!isdigit((unsigned char)word[0]) || *end || errno || number < min || number > max)
		return parse_fail(p, at, "%s must be %u to %u, here is '%s'", what, min, max, here);
	*value = (uint32_t)number;
	return 0;
}

static int parse_proto(struct parser *p, struct rule *rule)
{
	static const struct {
		const char *name;
		uint8_t protos;
	} protos[] = {
		{"tcp", 1 << SIGNATURE_TCP},
		{"udp", 1 << SIGNATURE_UDP},
		{"icmp", 1 << SIGNATURE_ICMP},
		{"ip", (1 << SIGNATURE_PROTOS) - 1},
	};
	char word[PARSE_WORD_MAX];
	const size_t at = parse_word(p, word);

	for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
		if (strcmp(word, protos[i].name) == 0) {
			rule->protos = protos[i].protos;
			return 0;
		}
	}
	return parse_fail(p, at, "unknown protocol '%s'; allowed are tcp, udp, icmp, ip", word);
}

enum address {
	ADDRESS_ANY,
	ADDRESS_HOME,
	ADDRESS_EXTERNAL,
};

static int parse_address(struct parser *p, enum address *address)
{
	static const char *const names[] = {"any", "$HOME_NET", "$EXTERNAL_NET"};
	char word[PARSE_WORD_MAX], here[PARSE_WORD_MAX];
	size_t at;

	parse_blanks(p);
	parse_here(p, here);
	at = parse_word(p, word);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(word, names[i]) == 0) {
			*address = (enum address)i;
			return 0;
		}
	}
	return parse_fail(p, at,
			  "unknown address '%s'; allowed are any, $HOME_NET (the guest), "
			  "$EXTERNAL_NET (all others)",
			  here);
}

/* 53, 1:1023, 1024: or :1023 */
static int parse_range(struct parser *p, struct port_set *ports)
{
	uint32_t first = 0, last = UINT16_MAX;
	size_t at;
	int err;

	parse_blanks(p);
	at = p->pos;
	if (ports->n == PORT_RANGES)
		return parse_fail(p, at, "more than %d ports in a list", PORT_RANGES);
	if (parse_peek(p) != ':') {
		err = parse_number(p, "a port", 0, UINT16_MAX, &first);
		if (err)
			return err;
		last = first;
	}
	if (parse_peek(p) == ':') {
		p->pos++;
		last = UINT16_MAX;
		if (isdigit((unsigned char)parse_peek(p))) {
			err = parse_number(p, "a port", 0, UINT16_MAX, &last);
			if (err)
				return err;
		}
	}
	if (first > last)
		return parse_fail(p, at, "ports %u:%u: the first is larger than the last", first,
				  last);
	ports->ranges[ports->n].first = (uint16_t)first;
	ports->ranges[ports->n++].last = (uint16_t)last;
	return 0;
}

static int parse_ports(struct parser *p, struct port_set *ports)
{
	char word[PARSE_WORD_MAX];
	size_t at;
	int err;

	ports->except = parse_char(p, '!');
	parse_blanks(p);
	at = p->pos;
	if (isalpha((unsigned char)parse_peek(p))) {
		parse_word(p, word);
		if (strcmp(word, "any") == 0 && !ports->except)
			return 0;
		return parse_fail(p, at,
				  "'%s' are no ports; allowed are any, a number, FIRST:LAST, "
				  "[a list], and ! before these",
				  word);
	}
	if (!parse_char(p, '['))
		return parse_range(p, ports);
	do {
		err = parse_range(p, ports);
		if (err)
			return err;
	} while (parse_char(p, ','));
	return parse_char(p, ']') ? 0 : parse_fail(p, p->pos, "expected ',' or ']' in a list");
}

static int parse_arrow(struct parser *p, struct rule *rule)
{
	char here[PARSE_WORD_MAX];

	parse_blanks(p);
	if (p->size - p->pos >= 2 &&
	    (memcmp(p->text + p->pos, "->", 2) == 0 || memcmp(p->text + p->pos, "<>", 2) == 0)) {
		rule->both_ways = parse_peek(p) == '<';
		p->pos += 2;
		return 0;
	}
	return parse_fail(p, p->pos, "expected -> or <>, here is '%s'", parse_here(p, here));
}

static int set_directions(struct parser *p, size_t at, struct rule *rule, enum address from,
			  enum address to)
{
	if (from == to && from != ADDRESS_ANY)
		return parse_fail(p, at, "one side must be the guest ($HOME_NET) and one must not");
	rule->to_guest = from != ADDRESS_HOME && to != ADDRESS_EXTERNAL;
	rule->from_guest = to != ADDRESS_HOME && from != ADDRESS_EXTERNAL;
	if (rule->both_ways)
		rule->to_guest = rule->from_guest = true;
	return 0;
}

static int parse_head(struct parser *p, struct rule *rule)
{
	enum address from = ADDRESS_ANY, to = ADDRESS_ANY;
	char word[PARSE_WORD_MAX];
	size_t at = parse_word(p, word);
	int err;

	if (strcmp(word, "alert") != 0)
		return parse_fail(p, at,
				  "unknown action '%s'; allowed is alert (what follows is up to "
				  "the configuration)",
				  word);
	if ((err = parse_proto(p, rule)) || (err = parse_address(p, &from)))
		return err;
	parse_blanks(p);
	at = p->pos;
	if ((err = parse_ports(p, &rule->sports)) || (err = parse_arrow(p, rule)) ||
	    (err = parse_address(p, &to)) || (err = parse_ports(p, &rule->dports)))
		return err;
	if ((rule->protos & ~(1 << SIGNATURE_TCP | 1 << SIGNATURE_UDP)) &&
	    (rule->sports.n || rule->dports.n))
		return parse_fail(p, at, "only tcp and udp have ports; allowed is any");
	return set_directions(p, at, rule, from, to);
}

/* At the beginning of a line: over empty ones and comments. False at the end of the text. */
static bool find_rule(struct parser *p)
{
	for (;;) {
		parse_blanks(p);
		if (p->pos == p->size)
			return false;
		if (parse_peek(p) == '#')
			while (p->pos < p->size && parse_peek(p) != '\n')
				p->pos++;
		else if (parse_peek(p) == '\n')
			p->pos++;
		else
			return true;
	}
}

static int parse_rule(struct parser *p, struct signature_set *set)
{
	char here[PARSE_WORD_MAX];
	struct rule *rule;
	int err;

	if (set->n_rules == SIGNATURE_RULES_MAX)
		return parse_fail(p, p->pos, "more than %d rules", SIGNATURE_RULES_MAX);
	rule = &set->rules[set->n_rules];
	rule->pps = SIGNATURE_PPS_DEFAULT;
	if ((err = parse_head(p, rule)) || (err = parse_options(p, rule)))
		return err;
	parse_blanks(p);
	if (p->pos < p->size && parse_peek(p) != '\n')
		return parse_fail(p, p->pos, "expected the end of the line, here is '%s'",
				  parse_here(p, here));
	set->n_rules++;
	return 0;
}

int signature_parse(const char *text, size_t size, struct signature_set **set,
		    char error[SIGNATURE_ERROR_MAX])
{
	struct parser parser = {.text = text, .size = size, .error = error};
	struct signature_set *made = calloc(1, sizeof(*made));
	int err = made ? 0 : -ENOMEM;

	error[0] = '\0';
	if (!err) {
		made->rules = calloc(SIGNATURE_RULES_MAX, sizeof(made->rules[0]));
		err = made->rules ? 0 : -ENOMEM;
	}
	while (!err && find_rule(&parser))
		err = parse_rule(&parser, made);
	if (!err)
		err = signature_build(made);
	if (err) {
		if (err == -ENOMEM)
			strcpy(error, "out of memory");
		signature_destroy(made);
		return err;
	}
	*set = made;
	return 0;
}
