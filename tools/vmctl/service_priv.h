/* SPDX-License-Identifier: GPL-2.0-or-later */
/* service_priv.h - what the service files share. */
#ifndef XB_VMCTL_SERVICE_PRIV_H
#define XB_VMCTL_SERVICE_PRIV_H

#include <sys/stat.h>

#include "common/util.h"
#include "jobs.h"
#include "ledger.h"
#include "rules.h"
#include "service.h"

#define SERVICE_USERS_MAX 16

/** vmctl.conf as it was read last. */
struct conf {
	const char *path;
	struct rules rules;
	uid_t users[SERVICE_USERS_MAX];
	size_t n_users;
	struct stat seen; /**< all zero: it was not there */
	char error[KEY_ERROR_MAX];
};

struct service {
	struct service_config config;
	struct conf conf;
	struct ledger ledger;
	struct jobs jobs;
	struct ctl *ctl;
	sd_event_source *timer;
};

/* service_conf.c */

/** Reads the file when it is another one than before. */
void conf_refresh(struct conf *conf);

/* service_pause.c */

/** Takes over what a predecessor paused. */
void pauses_load(struct service *service);
/** Until then, for a reason that the guest is not paused for yet ("" = none was given); -errno with
 * error. */
int pause_begin(struct service *service, const struct vms_info *info, const char *reason,
		uint64_t until_ns, char error[CTL_ERROR_MAX]);
/** One reason of several is gone; the guest stays paused. */
void pause_forget(struct service *service, const struct ledger_vm *vm, const char *reason);
/** Of a guest that the ledger has; why: for the log. -errno: it goes on being tried. */
int pause_end(struct service *service, const struct ledger_vm *vm, const char *why);

/* service_question.c */

/** A question, taken apart. */
struct question {
	struct service *service;
	enum vmctl_verb verb;
	const char *name;	      /**< of the verb */
	uint16_t domid;		      /**< or VMCTL_NO_DOMID */
	const char *argument;	      /**< NULL: none */
	const char *reason;	      /**< of pause and unpause, NULL: none */
	struct vms_info info;	      /**< of the guest, its name printable */
	const struct rules_vm *rules; /**< of the guest */
	char *error;		      /**< CTL_ERROR_MAX */
};

/* All with a sentence in error where they return -errno. */

/** err, with a sentence. */
int question_fail(const struct question *q, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** domid, argument and reason, out of args. */
int question_take(struct question *q, json_t *args);
/** info. */
int question_find_guest(struct question *q);
/** Do the rules allow it? Sets rules. */
int question_check_rules(struct question *q);
/** Is the guest in a state for it? */
int question_check_state(const struct question *q);
/** Not too often? uuid NULL: about no guest that is there. */
int question_book(const struct question *q, const char *uuid);

/** For people: no 0 where something is left. */
static inline uint64_t seconds_up(uint64_t ns)
{
	return DIV_ROUND_UP(ns, NSEC_PER_SEC);
}

/* service_verbs.c */

/** Adds the verbs. */
void verbs_register(struct service *service);

#endif
