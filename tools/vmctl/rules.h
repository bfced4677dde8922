/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules.h - vmctl.conf(5): who may ask xenback-vmctl for what. No I/O.
 *
 * One section [vmctl] for the service, and [vm GUEST] for guests, by name or UUID, with * and ?.
 * The first section that fits counts, and what no section allows is refused. A file with a mistake
 * allows nothing.
 */
#ifndef XB_VMCTL_RULES_H
#define XB_VMCTL_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/keys.h"
#include "common/vmctl_wire.h"

#define RULES_LIST_MAX	   512 /**< characters of a list with the end */
#define RULES_DIR_MAX	   200
#define RULES_GUEST_MAX	   128
#define RULES_SECTIONS_MAX 256
#define RULES_JOBS_MAX	   16
/** No pause is longer, whatever the file says. */
#define RULES_PAUSE_MAX_NS (24 * 3600 * 1000000000ull)

struct rules_service {
	char users[RULES_LIST_MAX];
	char save_dir[RULES_DIR_MAX], launch_dir[RULES_DIR_MAX];
	char migrate_to[RULES_LIST_MAX], restore[RULES_LIST_MAX], launch[RULES_LIST_MAX];
	uint64_t timeout_ns, jobs, times, interval_ns;
};

struct rules_vm {
	char guest[RULES_GUEST_MAX]; /**< of the section's name */
	char allow[RULES_LIST_MAX];
	bool verbs[VMCTL_VERBS]; /**< `allow`, taken apart */
	uint64_t max_pause_ns, times, interval_ns;
};

extern const struct key_table rules_service_table; /**< fills struct rules_service */
extern const struct key_table rules_vm_table;	   /**< fills struct rules_vm */

struct rules {
	struct rules_service service;
	struct rules_vm vms[RULES_SECTIONS_MAX];
	size_t n_vms;
};

/** The defaults: nothing is allowed but list. */
void rules_init(struct rules *rules);
/** Reads a file's text; name: of the file, for messages. -EINVAL with error; then rules are the
 * defaults. */
int rules_parse(struct rules *rules, const char *name, const char *text, size_t size,
		char error[KEY_ERROR_MAX]);
/** The section of a guest; NULL = none. */
const struct rules_vm *rules_find(const struct rules *rules, const char *name, const char *uuid);

/** Does text match? * any characters, ? any one. */
bool rules_glob(const char *glob, const char *text);
/** Does it match one of the globs, which spaces separate? */
bool rules_listed(const char *list, const char *text);

#endif
