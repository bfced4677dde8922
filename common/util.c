/* SPDX-License-Identifier: GPL-2.0-or-later */
/* util.c - allocation that succeeds or ends the program, and the "did you mean" search. */
#include "util.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
	size_t row[WORD_MAX + 1], na = strlen(a), nb = strlen(b);

	if (na > WORD_MAX || nb > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t replace = diagonal + (a[i - 1] != b[j - 1]);
			size_t shift = MIN(row[j], row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = MIN(replace, shift);
		}
	}
	return row[nb];
}

void nearest_init(struct nearest *nearest, const char *word)
{
	*nearest = (struct nearest){.word = word, .distance = 2 + strlen(word) / 3};
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
