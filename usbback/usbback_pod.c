/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbback_pod.c - build tool: prints the key tables as POD for xenback.conf(5), from the rows that
 * the daemon parses with. */
#include "usbback_keys.h"
#include "util.h"

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(usbback_key_tables); i++)
		keys_print_pod(usbback_key_tables[i]);
	return 0;
}
