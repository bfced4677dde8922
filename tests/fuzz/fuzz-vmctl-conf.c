/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-vmctl-conf.c - vmctl.conf(5): what is taken is within its bounds, what is refused allows
 * nothing and is named. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vmctl/command.h"
#include "tools/vmctl/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_section(const struct rules_vm *vm)
{
	if (!*vm->guest || !vm->times || vm->max_pause_ns > RULES_PAUSE_MAX_NS ||
	    vm->verbs[VMCTL_LIST] || vm->verbs[VMCTL_RESTORE] || vm->verbs[VMCTL_LAUNCH] ||
	    vm->interval_ns < vm->times)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rules rules;
	char error[KEY_ERROR_MAX] = "";

	if (rules_parse(&rules, "vmctl.conf", (const char *)data, size, error)) {
		if (rules.n_vms || !error[0] || strncmp(error, "vmctl.conf:", 11))
			abort();
		return 0;
	}
	if (!command_path_valid(rules.service.save_dir) || !rules.service.jobs ||
	    rules.service.jobs > RULES_JOBS_MAX)
		abort();
	for (size_t i = 0; i < rules.n_vms; i++)
		check_section(&rules.vms[i]);
	rules_find(&rules, "web1", "00000000-0000-0000-0000-000000000001");
	rules_listed(rules.service.migrate_to, "b.example.net");
	return 0;
}
