/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_keys.c - the keys of vmctl.conf: how they are parsed, and what vmctl.conf(5) says. */
#include "rules.h"

#include <stddef.h>

#include "common/util.h"

#define SERVICE(member)	       offsetof(struct rules_service, member)
#define SERVICE_LENGTH(member) (sizeof(((struct rules_service *)0)->member) - 1)
static const struct key service_keys[] = {
	{"users", KEY_TYPE_STRING, SERVICE(users), 0, SERVICE_LENGTH(users), NULL, "", true,
	 "Who may ask beside root: names of users, separated by spaces. The socket must let them "
	 "in, too (SocketGroup= and SocketMode= of xenback-vmctl.socket)."},
	{"save_dir", KEY_TYPE_STRING, SERVICE(save_dir), 1, SERVICE_LENGTH(save_dir), NULL,
	 "/var/lib/xenback/save", true,
	 "Where the files of save and restore are. Only root may be able to write there."},
	{"launch_dir", KEY_TYPE_STRING, SERVICE(launch_dir), 1, SERVICE_LENGTH(launch_dir), NULL,
	 "/etc/xen", true, "Where the configurations of launch are (xl.cfg(5))."},
	{"migrate_to", KEY_TYPE_STRING, SERVICE(migrate_to), 0, SERVICE_LENGTH(migrate_to), NULL,
	 "", true,
	 "Hosts that guests may be moved to: names with * and ?, separated by spaces; empty = "
	 "none."},
	{"restore", KEY_TYPE_STRING, SERVICE(restore), 0, SERVICE_LENGTH(restore), NULL, "", true,
	 "Files that may be restored: names with * and ?, separated by spaces; empty = none."},
	{"launch", KEY_TYPE_STRING, SERVICE(launch), 0, SERVICE_LENGTH(launch), NULL, "", true,
	 "Configurations that may be launched: names with * and ?, separated by spaces; empty = "
	 "none."},
	{"timeout", KEY_TYPE_DURATION, SERVICE(timeout_ns), NSEC_PER_SEC, 86400 * NSEC_PER_SEC,
	 NULL, "3600s", true, "How long xl may take for a job before it is ended."},
	{"jobs", KEY_TYPE_U64, SERVICE(jobs), 1, RULES_JOBS_MAX, NULL, "2", true,
	 "Jobs that may run at a time."},
	{"times", KEY_TYPE_U64, SERVICE(times), 1, 1000, NULL, "30", true,
	 "How many actions may be taken, of all guests together, in `interval`."},
	{"interval", KEY_TYPE_DURATION, SERVICE(interval_ns), NSEC_PER_SEC, 86400 * NSEC_PER_SEC,
	 NULL, "60s", true,
	 "See `times`: so many at once, and one more every interval/times. Unpausing is never "
	 "held back."},
};
const struct key_table rules_service_table = {
	"vmctl", "vmctl", service_keys, ARRAY_SIZE(service_keys), sizeof(struct rules_service)};

#define VM(member) offsetof(struct rules_vm, member)
static const struct key vm_keys[] = {
	{"allow", KEY_TYPE_STRING, VM(allow), 0, sizeof(((struct rules_vm *)0)->allow) - 1, NULL,
	 "", true,
	 "What may be done to the guest: some of pause, save, migrate and shutdown, separated by "
	 "spaces. Who may pause it may unpause it; list is free."},
	{"max_pause", KEY_TYPE_DURATION, VM(max_pause_ns), 100 * NSEC_PER_MSEC, RULES_PAUSE_MAX_NS,
	 NULL, "60s", true,
	 "After so long a paused guest goes on, whether or not anybody asks for it."},
	{"times", KEY_TYPE_U64, VM(times), 1, 1000, NULL, "6", true,
	 "How many actions may be taken on the guest in `interval`."},
	{"interval", KEY_TYPE_DURATION, VM(interval_ns), NSEC_PER_SEC, 86400 * NSEC_PER_SEC, NULL,
	 "3600s", true,
	 "See `times`: so many at once, and one more every interval/times. Unpausing is never "
	 "held back."},
};
const struct key_table rules_vm_table = {"vm", "vm/GUEST", vm_keys, ARRAY_SIZE(vm_keys),
					 sizeof(struct rules_vm)};
