/* SPDX-License-Identifier: GPL-2.0-or-later */
/* util.c - allocation that succeeds or ends the program, the "did you mean" search, words. */
#include "util.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES 64u

static void out_of_memory(size_t size)
{
	fprintf(stderr, "<2>out of memory: %zu bytes refused\n", size);
	abort();
}

void *xb_calloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory(size);
	return p;
}

void *xb_calloc_lines(size_t n, size_t size)
{
	const size_t bytes = DIV_ROUND_UP(n * size, LINE_BYTES) * LINE_BYTES;
	void *p = aligned_alloc(LINE_BYTES, bytes);

	if (!p)
		out_of_memory(bytes);
	memset(p, 0, bytes);
	return p;
}

void *xb_realloc(void *p, size_t size)
{
	void *q = realloc(p, size ? size : 1);

	if (!q)
		out_of_memory(size);
	return q;
}

char *xb_strdup(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		out_of_memory(strlen(s) + 1);
	return copy;
}

char *xb_asprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&s, fmt, args) < 0)
		out_of_memory(strlen(fmt));
	va_end(args);
	return s;
}

/* Longer words than this are no typing mistakes of each other that anybody wants to hear about. */
#define WORD_MAX 48

size_t xb_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1], na = strlen(a), nb = strlen(b);

	if (na > WORD_MAX || nb > WORD_MAX)
		return SIZE_MAX;
	for (size_t i = 0; i <= na; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			if (!i) {
				row[j] = j;
				continue;
			}
			row[j] = MIN(above[j], row[j - 1]) + 1;
			row[j] = MIN(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], above2[j - 2] + 1);
		}
	}
	return rows[na % 3][nb];
}

void nearest_init(struct nearest *nearest, const char *word)
{
	size_t mistakes = (strlen(word) + 1) / 3;

	*nearest = (struct nearest){.word = word, .distance = MAX(mistakes, 1) + 1};
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
	size_t distance = xb_distance(nearest->word, candidate);

	/* Nothing in common: "x" is no misspelt "on". */
	if (distance >= strlen(candidate) || distance >= nearest->distance)
		return;
	nearest->best = candidate;
	nearest->distance = distance;
}

bool xb_is_word(const char *text, size_t max)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._:-";
	const size_t n = strspn(text, allowed);

	return n > 0 && n <= max && !text[n];
}
