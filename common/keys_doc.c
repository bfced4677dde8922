/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keys_doc.c - a key table as a piece of manual page (POD), from the same rows that parse the
 * values. */
#include "keys.h"

#include <stdio.h>
#include <string.h>

#include "util.h"

/* In POD only angle brackets can be mistaken for markup. */
static void print_escaped(const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("E<lt>", stdout);
		else if (*text == '>')
			fputs("E<gt>", stdout);
		else
			putchar(*text);
	}
}

static void print_key(const struct key *key)
{
	AUTO_FREE char *allowed = key_allowed(key);

	printf("=item B<%s>\n\n", key->name);
	print_escaped(key->help);
	fputs("\n\n", stdout);
	printf("Value: ");
	print_escaped(allowed);
	if (key->def) {
		fputs(*key->def ? ". Default: " : ". Default: empty", stdout);
		print_escaped(key->def);
	} else {
		fputs(". Must be given", stdout);
	}
	fputs(key->live ? ". A change takes effect at once.\n\n"
			: ". A change takes effect when the object is created anew.\n\n",
	      stdout);
}

char *keys_section(const struct key_table *table)
{
	const char *path = table->path ? table->path : table->name;
	char *section = xb_strdup(
		path + (strncmp(path, KEYS_BASE, strlen(KEYS_BASE)) ? 0 : strlen(KEYS_BASE)));

	for (char *c = section; *c; c++)
		if (*c == '/')
			*c = ' ';
	return section;
}

void keys_print_pod(const struct key_table *table)
{
	AUTO_FREE char *section = keys_section(table);

	printf("=head2 [%s]\n\n", section);
	fputs("=over 4\n\n", stdout);
	for (size_t i = 0; i < table->n_keys; i++)
		print_key(&table->keys[i]);
	fputs("=back\n\n", stdout);
}
