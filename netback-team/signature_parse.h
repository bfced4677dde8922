/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signature_parse.h - what the two halves of the rule parser share: the place in the text, words,
 * numbers, errors. Pure. */
#ifndef XB_NET_SIGNATURE_PARSE_H
#define XB_NET_SIGNATURE_PARSE_H

#include "signature_priv.h"

#define PARSE_WORD_MAX 32

struct parser {
	const char *text;
	size_t size, pos;
	char *error;	      /**< SIGNATURE_ERROR_MAX bytes */
	unsigned int n_bytes; /**< of all contents */
};

/** Writes "line L, column C: ..." of the place `at`; returns -EINVAL. */
int parse_fail(struct parser *p, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** The character at the place, '\0' at the end of the text. */
char parse_peek(const struct parser *p);
/** Over blanks and continued lines. */
void parse_blanks(struct parser *p);
/** Over blanks and this character; false when another one is there. */
bool parse_char(struct parser *p, char wanted);
/** Letters, digits, _ and $ behind blanks: cut to fit, "" when there are none. Returns where it
 * began. */
size_t parse_word(struct parser *p, char word[PARSE_WORD_MAX]);
/** A decimal number of min to max; what: its name in the error. */
int parse_number(struct parser *p, const char *what, uint32_t min, uint32_t max, uint32_t *value);
/** What stands here, short and printable, for an error. */
const char *parse_here(const struct parser *p, char text[PARSE_WORD_MAX]);

/** "(option; option; ...)" into the rule. */
int parse_options(struct parser *p, struct rule *rule);

#endif
