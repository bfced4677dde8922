/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-vmctl-ledger.c - the file of pauses: whatever is in it, no pause is longer than allowed, and
 * what was taken is written the same way. */
#include <stdlib.h>
#include <string.h>

#include "tools/vmctl/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ledger ledger, again;
	static char text[LEDGER_TEXT_MAX], second[LEDGER_TEXT_MAX];
	const uint64_t now_ns = 1000, max_ns = 5000000000;
	const struct ledger_vm *vm;

	ledger_init(&ledger);
	ledger_parse(&ledger, (const char *)data, size, now_ns, max_ns);
	for (size_t i = 0; (vm = ledger_nth_paused(&ledger, i)); i++)
		if (vm->until_ns > now_ns + max_ns || !vm->domid ||
		    strlen(vm->uuid) != LEDGER_UUID - 1)
			abort();
	ledger_format(&ledger, text);
	ledger_init(&again);
	if (ledger_parse(&again, text, strlen(text), now_ns, max_ns))
		abort();
	ledger_format(&again, second);
	if (strcmp(text, second))
		abort();
	return 0;
}
