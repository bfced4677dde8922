/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap.c - the TAP lines of conformance.h. */
#include "conformance.h"

#include <stdarg.h>
#include <stdio.h>

static unsigned int n_checks, n_failed;

bool check(bool good, const char *fmt, ...)
{
	va_list args;

	printf("%sok %u - ", good ? "" : "not ", ++n_checks);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	n_failed += !good;
	return good;
}

bool check_int(long got, long wanted, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (got == wanted)
		return check(true, "%s", text);
	return check(false, "%s: %ld, wanted %ld", text, got, wanted);
}

void skipped(const char *what, const char *why)
{
	printf("ok %u - %s # SKIP %s\n", ++n_checks, what, why);
}

int checks_done(void)
{
	printf("1..%u\n", n_checks);
	return n_failed ? 1 : 0;
}
