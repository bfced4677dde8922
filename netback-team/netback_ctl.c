/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netback_ctl.c - the commands of netback-team's control socket (ctl.h); `xenbackctl` is their
 * client. */
#include "netback.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "util.h"

struct list_ctx {
	json_t *array;
	bool addresses;
};

static void append_vif(void *ctx, struct backend_device *dev)
{
	const struct list_ctx *list = ctx;
	json_t *vif = vifdev_to_json(dev, false);

	if (list->addresses)
		json_object_set_new(vif, "addresses", vifdev_addresses(dev));
	json_array_append_new(list->array, vif);
}

static int vif_list(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct netback *nb = ctx;
	struct list_ctx list = {json_array(), json_is_true(json_object_get(args, "addresses"))};

	backend_foreach(nb->backend, append_vif, &list);
	*result = list.array;
	return 0;
}

struct backend_device *netback_find_vif(struct netback *nb, json_t *args, char *error)
{
	json_int_t domid, devid;
	struct backend_device *dev;

	if (json_unpack(args, "{s:I, s:I}", "domid", &domid, "devid", &devid) < 0 || domid < 0 ||
	    domid > 32751 || devid < 0 || devid > INT32_MAX) {
		snprintf(error, CTL_ERROR_MAX, "arguments domid (0 to 32751) and devid are needed");
		return NULL;
	}
	dev = backend_find(nb->backend, (uint16_t)domid, (uint32_t)devid);
	if (!dev)
		snprintf(error, CTL_ERROR_MAX,
			 "there is no vif%d.%d; `xenbackctl vif list` shows those that are",
			 (int)domid, (int)devid);
	return dev;
}

static int vif_show(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct backend_device *dev = netback_find_vif(ctx, args, error);

	if (!dev)
		return -ENOENT;
	*result = vifdev_to_json(dev, true);
	return 0;
}

static int explain_vif(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct backend_device *dev = netback_find_vif(ctx, args, error);

	if (!dev)
		return -ENOENT;
	*result = vifdev_explain(dev);
	return 0;
}

static int explain_vm(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct backend_device *dev = netback_find_vif(ctx, args, error);

	if (!dev)
		return -ENOENT;
	*result = netback_explain(dev, error, CTL_ERROR_MAX);
	return *result ? 0 : -ENOTCONN;
}

static int team_list(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	*result = teams_to_json(((struct netback *)ctx)->teams);
	return 0;
}

/* The string argument `key`; NULL with a sentence when it is missing. */
static const char *need(json_t *args, const char *key, char error[CTL_ERROR_MAX])
{
	const char *value = json_string_value(json_object_get(args, key));

	if (!value)
		snprintf(error, CTL_ERROR_MAX, "argument %s (a string) is needed", key);
	return value;
}

static struct team_entry *find_team(struct netback *nb, json_t *args, char error[CTL_ERROR_MAX])
{
	const char *name = need(args, "name", error);
	struct team_entry *entry = name ? teams_find(nb->teams, name) : NULL;
	AUTO_FREE char *known = NULL;

	if (name && !entry) {
		known = teams_names(nb->teams);
		snprintf(error, CTL_ERROR_MAX, "there is no team \"%s\"; known: %s", name, known);
	}
	return entry;
}

static int team_show(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct team_entry *entry = find_team(ctx, args, error);

	if (!entry)
		return -ENOENT;
	*result = team_to_json(entry);
	return 0;
}

static int team_failover_cmd(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct team_entry *entry = find_team(ctx, args, error);
	const char *member = json_string_value(json_object_get(args, "nic"));
	int rc;

	if (!entry)
		return -ENOENT;
	rc = team_entry_failover(entry, member ? member : "", error, CTL_ERROR_MAX);
	if (rc < 0)
		return rc;
	*result = team_to_json(entry);
	return 0;
}

static int lacp_show(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct team_entry *entry = NULL;
	struct netback *nb = ctx;

	if (json_object_get(args, "name") && !(entry = find_team(nb, args, error)))
		return -ENOENT;
	*result = teams_lacp_to_json(nb->teams, entry);
	if (entry && json_array_size(*result) == 0) {
		json_decref(*result);
		*result = NULL;
		snprintf(error, CTL_ERROR_MAX,
			 "team %s does not speak LACP; its mode has to be lacp",
			 json_string_value(json_object_get(args, "name")));
		return -EINVAL;
	}
	return 0;
}

/* Writes one key of a team after checking it: the watch then applies it, as for any other writer.
 */
static int write_key(struct netback *nb, const char *team, const char *key, const char *value,
		     json_t **result, char error[CTL_ERROR_MAX])
{
	AUTO_FREE char *path = xb_asprintf("%s/%s/%s", NETBACK_TEAM_PATH, team, key);
	AUTO_FREE char *error_path = xb_asprintf("%s/%s/error", NETBACK_TEAM_PATH, team);
	AUTO_FREE char *refused = NULL;
	struct team_options scratch;
	char why[KEY_ERROR_MAX];
	int rc;

	keys_set_defaults(&team_key_table, &scratch);
	rc = key_set(&team_key_table, &scratch, key, value, why);
	if (rc < 0) {
		snprintf(error, CTL_ERROR_MAX, "%s", why);
		return rc;
	}
	confstore_put(nb->conf, path, value);
	teams_apply(nb->teams);
	refused = confstore_get(nb->conf, error_path);
	if (refused) {
		snprintf(error, CTL_ERROR_MAX, "%s", refused);
		return -EINVAL;
	}
	*result = json_pack("{s:s, s:s, s:s}", "team", team, "key", key, "value", value);
	return 0;
}

static int team_set(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	const char *name = need(args, "name", error), *key, *value;

	if (!name || !(key = need(args, "key", error)) || !(value = need(args, "value", error)))
		return -EINVAL;
	return write_key(ctx, name, key, value, result, error);
}

/* Without its priority and what stands behind it; an address keeps its colons. */
static size_t name_length(const char *word, size_t n)
{
	const bool address = n > 4 && (!strncmp(word, "mac:", 4) || !strncmp(word, "pci:", 4));
	unsigned int colons = 0, parts = !address ? 1 : *word == 'm' ? 7 : 4;

	for (size_t i = 0; i < n; i++)
		if (word[i] == '/' || (word[i] == ':' && ++colons == parts))
			return i;
	return n;
}

static bool is_member(const char *word, size_t n, const char *nic)
{
	const size_t name = name_length(word, n);

	return name == name_length(nic, strlen(nic)) && strncmp(word, nic, name) == 0;
}

/* The members key without `nic`, a string to free(); *found: it was there. */
static char *without(const char *members, const char *nic, bool *found)
{
	char *out = xb_strdup("");

	*found = false;
	for (const char *p = members; *p;) {
		size_t n;
		char *longer;

		p += strspn(p, " \t");
		n = strcspn(p, " \t");
		if (n && is_member(p, n, nic)) {
			*found = true;
		} else if (n) {
			longer = xb_asprintf("%s%s%.*s", out, *out ? " " : "", (int)n, p);
			free(out);
			out = longer;
		}
		p += n;
	}
	return out;
}

/* Adds a word to a key that lists members, or takes it out. */
static int change_list(struct netback *nb, json_t *args, const char *key, bool add, json_t **result,
		       char error[CTL_ERROR_MAX])
{
	const char *name = need(args, "name", error), *nic;
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *old = NULL;
	AUTO_FREE char *rest = NULL;
	AUTO_FREE char *members = NULL;
	bool found;

	if (!name || !(nic = need(args, "nic", error)))
		return -EINVAL;
	path = xb_asprintf("%s/%s/%s", NETBACK_TEAM_PATH, name, key);
	old = confstore_get(nb->conf, path);
	rest = without(old ? old : "", nic, &found);
	if (found == add) {
		snprintf(error, CTL_ERROR_MAX, "team %s: %s is %s its %s (\"%s\")", name, nic,
			 add ? "already one of" : "not one of",
			 strcmp(key, "members") ? "drained members" : "members", old ? old : "");
		return add ? -EEXIST : -ENOENT;
	}
	members = add ? xb_asprintf("%s%s%s", rest, *rest ? " " : "", nic) : xb_strdup(rest);
	return write_key(nb, name, key, members, result, error);
}

static int team_add_cmd(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	return change_list(ctx, args, "members", true, result, error);
}

static int team_remove_cmd(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	return change_list(ctx, args, "members", false, result, error);
}

static int team_drain_cmd(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct team_entry *entry = find_team(ctx, args, error);
	const char *nic;
	int rc;

	if (!entry || !(nic = need(args, "nic", error)))
		return -EINVAL;
	rc = team_entry_may_drain(entry, nic, error, CTL_ERROR_MAX);
	return rc < 0 ? rc : change_list(ctx, args, "drained", true, result, error);
}

static int team_undrain_cmd(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	return change_list(ctx, args, "drained", false, result, error);
}

void netback_ctl_register(struct netback *nb)
{
	static const struct {
		const char *name, *usage;
		ctl_fn fn;
	} commands[] = {
		{"vif list", "{[addresses: true]}: all vifs", vif_list},
		{"vif show", "{domid, devid}: one vif with counters, features and addresses",
		 vif_show},
		{"explain vif", "{domid, devid}: why it is or is not connected", explain_vif},
		{"explain vm", "{domid, devid}: what became of its last frames, and why",
		 explain_vm},
		{"team list", "all teams", team_list},
		{"team show", "{name}: one team", team_show},
		{"team set", "{name, key, value}: write a key of a team", team_set},
		{"team add", "{name, nic}: add a member, as in the key members", team_add_cmd},
		{"team remove", "{name, nic}: remove a member", team_remove_cmd},
		{"lacp show", "{[name]}: LACP of all teams, or of one", lacp_show},
		{"team drain", "{name, nic}: take a member out of use without loss",
		 team_drain_cmd},
		{"team undrain", "{name, nic}: use it again", team_undrain_cmd},
		{"team failover", "{name, [nic]}: make a member active", team_failover_cmd},
	};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		ctl_register(nb->app->ctl, commands[i].name, commands[i].usage, commands[i].fn, nb);
}
