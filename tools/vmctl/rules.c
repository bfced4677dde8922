/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules.c - see rules.h; rules_keys.c has the keys. */
#include "rules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "common/util.h"

void rules_init(struct rules *rules)
{
	memset(rules, 0, sizeof(*rules));
	keys_set_defaults(&rules_service_table, &rules->service);
}

/* --- matching --- */

bool rules_glob(const char *glob, const char *text)
{
	const char *star = NULL, *again = NULL;

	while (*text) {
		if (*glob == '*') {
			star = ++glob;
			again = text;
		} else if (*glob && (*glob == '?' || *glob == *text)) {
			glob++;
			text++;
		} else if (star) {
			/* The last star takes one more. */
			glob = star;
			text = ++again;
		} else {
			return false;
		}
	}
	return !glob[strspn(glob, "*")];
}

/* The next word of a list into word; NULL at the end. */
static const char *next_word(const char *list, char word[RULES_LIST_MAX])
{
	size_t n;

	list += strspn(list, " \t");
	n = strcspn(list, " \t");
	if (!n)
		return NULL;
	snprintf(word, RULES_LIST_MAX, "%.*s", (int)n, list);
	return list + n;
}

bool rules_listed(const char *list, const char *text)
{
	char word[RULES_LIST_MAX];

	while ((list = next_word(list, word)))
		if (rules_glob(word, text))
			return true;
	return false;
}

const struct rules_vm *rules_find(const struct rules *rules, const char *name, const char *uuid)
{
	for (size_t i = 0; i < rules->n_vms; i++)
		if (rules_glob(rules->vms[i].guest, name) || rules_glob(rules->vms[i].guest, uuid))
			return &rules->vms[i];
	return NULL;
}

/* --- the file --- */

static bool may_be_allowed(enum vmctl_verb verb)
{
	return verb != VMCTL_UNPAUSE && vmctl_verb_desc(verb)->domid;
}

static int take_allow(struct rules_vm *vm, char error[KEY_ERROR_MAX])
{
	const char *list = vm->allow;
	char word[RULES_LIST_MAX];

	memset(vm->verbs, 0, sizeof(vm->verbs));
	while ((list = next_word(list, word))) {
		enum vmctl_verb verb;

		if (vmctl_verb_parse(word, &verb) || !may_be_allowed(verb)) {
			snprintf(error, KEY_ERROR_MAX,
				 "allow: \"%.40s\" is refused; allowed: pause, save, migrate, "
				 "shutdown",
				 word);
			return -EINVAL;
		}
		vm->verbs[verb] = true;
	}
	return 0;
}

static int check_dir(const char *key, const char *dir, char error[KEY_ERROR_MAX])
{
	if (command_path_valid(dir))
		return 0;
	snprintf(error, KEY_ERROR_MAX,
		 "%s: \"%.100s\" is refused; allowed: an absolute path without .. and without / "
		 "at its end",
		 key, dir);
	return -EINVAL;
}

static int take_service(struct rules *rules, const struct keys_file_item *item,
			char error[KEY_ERROR_MAX])
{
	struct rules_service *service = &rules->service;
	int err = key_set(&rules_service_table, service, item->key, item->value, error);

	if (!err)
		err = check_dir("save_dir", service->save_dir, error);
	if (!err)
		err = check_dir("launch_dir", service->launch_dir, error);
	return err;
}

/* The section of this name: the last one, for its lines stand together, or a new one. */
static struct rules_vm *section(struct rules *rules, const char *guest, char error[KEY_ERROR_MAX])
{
	struct rules_vm *vm;

	for (size_t i = 0; i < rules->n_vms; i++)
		if (!strcmp(rules->vms[i].guest, guest))
			return &rules->vms[i];
	if (!*guest || strlen(guest) >= RULES_GUEST_MAX || rules->n_vms == RULES_SECTIONS_MAX) {
		snprintf(error, KEY_ERROR_MAX,
			 "[vm %.40s]: is refused; allowed: a name or UUID of 1 to %d characters, "
			 "in at most %d sections",
			 guest, RULES_GUEST_MAX - 1, RULES_SECTIONS_MAX);
		return NULL;
	}
	vm = &rules->vms[rules->n_vms++];
	keys_set_defaults(&rules_vm_table, vm);
	snprintf(vm->guest, sizeof(vm->guest), "%s", guest);
	return vm;
}

static int take_item(struct rules *rules, const struct keys_file_item *item,
		     char error[KEY_ERROR_MAX])
{
	struct rules_vm *vm;
	int err;

	if (!strcmp(item->section, "vmctl"))
		return take_service(rules, item, error);
	if (strncmp(item->section, "vm ", 3)) {
		snprintf(error, KEY_ERROR_MAX,
			 "[%.40s] is no section of this file; allowed: [vmctl], [vm GUEST]",
			 item->section);
		return -EINVAL;
	}
	vm = section(rules, item->section + 3 + strspn(item->section + 3, " \t"), error);
	if (!vm)
		return -EINVAL;
	err = key_set(&rules_vm_table, vm, item->key, item->value, error);
	return err ? err : take_allow(vm, error);
}

int rules_parse(struct rules *rules, const char *name, const char *text, size_t size,
		char error[KEY_ERROR_MAX])
{
	struct keys_file file;
	char what[KEY_ERROR_MAX];
	int err = keys_file_parse(&file, name, text, size, error);

	rules_init(rules);
	if (err)
		return -EINVAL;
	for (size_t i = 0; i < file.n_items && !err; i++) {
		err = take_item(rules, &file.items[i], what);
		if (err)
			snprintf(error, KEY_ERROR_MAX, "%.80s:%u: %.160s", name, file.items[i].line,
				 what);
	}
	keys_file_fini(&file);
	if (err)
		rules_init(rules);
	return err ? -EINVAL : 0;
}
