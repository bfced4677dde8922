/* SPDX-License-Identifier: GPL-2.0-or-later */
/* service_conf.c - vmctl.conf on the disk: read again when it has changed, believed when only its
 * owner can write it. */
#include "service_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"

#define LOG_MODULE "vmctl"

#define CONF_MAX (256 * 1024)

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_mode == b->st_mode && a->st_uid == b->st_uid;
}

/* The users by number. */
static int take_users(const char *path, const char *list, uid_t users[SERVICE_USERS_MAX], size_t *n,
		      char error[KEY_ERROR_MAX])
{
	AUTO_FREE char *copy = xb_strdup(list);
	char *rest = copy;

	*n = 0;
	for (const char *name; (name = strsep(&rest, " \t"));) {
		const struct passwd *user = *name ? getpwnam(name) : NULL;

		if (!*name)
			continue;
		if (!user || *n == SERVICE_USERS_MAX) {
			snprintf(error, KEY_ERROR_MAX,
				 "%.80s: users: \"%.40s\" is refused; allowed: at most %d users of "
				 "this machine",
				 path, name, SERVICE_USERS_MAX);
			return -EINVAL;
		}
		users[(*n)++] = user->pw_uid;
	}
	return 0;
}

/* All of the file, as text; *size up to CONF_MAX. */
static int read_text(int fd, const struct stat *st, const char *path, char **text, size_t *size,
		     char error[KEY_ERROR_MAX])
{
	ssize_t n;

	if (st->st_mode & (S_IWGRP | S_IWOTH) || (st->st_uid && st->st_uid != geteuid())) {
		snprintf(error, KEY_ERROR_MAX,
			 "%.120s: belongs to others, or others can write it; allowed: owned by "
			 "root, mode 0644 or less",
			 path);
		return -EPERM;
	}
	if (!S_ISREG(st->st_mode) || st->st_size > CONF_MAX) {
		snprintf(error, KEY_ERROR_MAX, "%.120s: is no file of at most 256 KiB", path);
		return -EINVAL;
	}
	*text = xb_calloc(1, CONF_MAX);
	for (*size = 0; *size < CONF_MAX; *size += (size_t)n) {
		n = read(fd, *text + *size, CONF_MAX - *size);
		if (n < 0) {
			snprintf(error, KEY_ERROR_MAX, "%.120s: %s", path, strerror(errno));
			return -errno;
		}
		if (!n)
			break;
	}
	return 0;
}

/* rules are those of the file; a file that is not there has the defaults. */
static int read_conf(struct conf *conf, struct rules *rules, struct stat *st)
{
	AUTO_CLOSE int fd = open(conf->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	AUTO_FREE char *text = NULL;
	size_t size = 0;
	int err;

	*st = (struct stat){0};
	rules_init(rules);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, st)) {
		snprintf(conf->error, sizeof(conf->error), "%.120s: %s", conf->path,
			 strerror(errno));
		return -errno;
	}
	err = read_text(fd, st, conf->path, &text, &size, conf->error);
	return err ? err : rules_parse(rules, conf->path, text, size, conf->error);
}

static int reread(struct conf *conf, struct stat *st)
{
	AUTO_FREE struct rules *rules = xb_calloc(1, sizeof(*rules));
	uid_t users[SERVICE_USERS_MAX] = {0};
	size_t n_users;
	int err;

	conf->error[0] = 0;
	err = read_conf(conf, rules, st);
	if (!err)
		err = take_users(conf->path, rules->service.users, users, &n_users, conf->error);
	if (err)
		return err;
	conf->rules = *rules;
	memcpy(conf->users, users, sizeof(conf->users));
	conf->n_users = n_users;
	return 0;
}

void conf_refresh(struct conf *conf)
{
	struct stat st = {0};

	/* A file that cannot be looked at is read, which says why. */
	if (stat(conf->path, &st) && errno == ENOENT)
		st = (struct stat){0};
	if (conf->rules.service.times && is_same(&st, &conf->seen))
		return;
	if (!conf->rules.service.times)
		rules_init(&conf->rules);
	if (reread(conf, &st))
		log_err("%s; the rules stay as they were", conf->error);
	else
		log_info("%s: %zu section%s of guests%s", conf->path, conf->rules.n_vms,
			 conf->rules.n_vms == 1 ? "" : "s",
			 st.st_ino ? "" : ": it is not there, nothing is allowed");
	conf->seen = st;
}

int service_check_conf(const char *path)
{
	AUTO_FREE struct conf *conf = xb_calloc(1, sizeof(*conf));
	struct stat st;

	conf->path = path;
	if (!reread(conf, &st))
		return 0;
	fprintf(stderr, "%s\n", conf->error);
	return -EINVAL;
}
