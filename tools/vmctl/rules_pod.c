/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_pod.c - build tool: prints the keys of vmctl.conf as POD for vmctl.conf(5), from the rows
 * that the service parses with. */
#include "rules.h"

int main(void)
{
	keys_print_pod(&rules_service_table);
	keys_print_pod(&rules_vm_table);
	return 0;
}
