/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netback.h - the control thread of netback-team: what its parts know of each other.
 *
 * teams.c turns configuration into workers, NICs and link watches; vifdev.c is the driver that the
 * xenbus scanner calls for each vif; netback_ctl.c answers xenbackctl. Worker and link watch
 * threads reach this thread through `mail` alone.
 */
#ifndef XB_NET_NETBACK_H
#define XB_NET_NETBACK_H

#include "app.h"
#include "events.h"
#include "guard_host.h"
#include "guard_profiles.h"
#include "hook.h"
#include "mailbox.h"
#include "netback_keys.h"
#include "team.h"
#include "vif.h"
#include "worker.h"
#include "xen/backend.h"
#include "xen/confstore.h"

struct teams;
struct team_entry;
struct netback_events;

struct netback {
	struct app *app;
	struct mailbox *mail;
	sd_event_source *mail_source;
	struct confstore *conf;
	struct netback_events *events;
	struct hook *hook;
	struct guard_host *guard_host;
	struct guard_profiles *profiles;
	struct teams *teams;
	struct backend *backend;
};

/* teams.c */

int teams_create(struct teams **out, struct netback *nb);
/** Closes every NIC and worker; no vif may be open any more. */
void teams_destroy(struct teams *teams);
/** Reads the configuration again and applies what changed. */
void teams_apply(struct teams *teams);
/** The team's entry with one more user, NULL when there is no such team. */
struct team_entry *teams_get(struct teams *teams, const char *name);
void teams_put(struct team_entry *entry);
struct worker *team_entry_worker(struct team_entry *entry);
const char *team_entry_name(const struct team_entry *entry);
/** The profile by which its guests are watched that name none. */
const struct guard_profile *team_entry_guard(const struct team_entry *entry);
/** The program that is told of a team's events, "" = none, or no such team. */
const char *teams_event_hook(struct teams *teams, const char *name);
/** "a, b" for messages; free(). "none" when there are none. */
char *teams_names(const struct teams *teams);
/** Array of all teams, or one (NULL when unknown): the replies of "team list" and "team show". */
json_t *teams_to_json(struct teams *teams);
json_t *team_to_json(struct team_entry *entry);
struct team_entry *teams_find(struct teams *teams, const char *name);
void teams_foreach(struct teams *teams, void (*fn)(void *ctx, struct team_entry *entry), void *ctx);
/** Makes a member active by name; "" = the next best. -EINVAL/-ENETDOWN with a sentence. */
int team_entry_failover(struct team_entry *entry, const char *member, char *error,
			size_t error_size);

/* teams_lacp.c */

/** LACP of all teams that speak it, or of one: an array; the reply of "lacp show". */
json_t *teams_lacp_to_json(struct teams *teams, const struct team_entry *only);
/** Would the guests keep an uplink without this member? -EINVAL not one of its members, -EBUSY no
 * other is usable; with a sentence. */
int team_entry_may_drain(struct team_entry *entry, const char *member, char *error,
			 size_t error_size);

/* vifdev.c */

extern const struct backend_driver vifdev_driver; /**< its ctx is the struct netback */
/** The policies may have changed: re-reads them, applies what is live. */
void vifdev_apply_policies(struct netback *nb);
/** From a worker, by way of the mailbox: minima that were refused may fit now, they are set again.
 */
void vifdev_minima_room(struct netback *nb);
/** From a worker, by way of the mailbox: a guest broke the protocol. */
void vifdev_failed(struct netback *nb, uint16_t domid, uint32_t devid, const struct vif *vif,
		   const char *why);
/** Reply of "vif list" for one device; details: of "vif show". */
json_t *vifdev_to_json(struct backend_device *dev, bool details);
/** The addresses that would be announced for it, {"mac", "ipv4": [...]} each; empty while it is not
 * connected. Asks its worker. */
json_t *vifdev_addresses(struct backend_device *dev);
json_t *vifdev_explain(struct backend_device *dev);
/** The team that serves it; NULL while it is not connected. */
struct team_entry *vifdev_team(const struct backend_device *dev);

/** The vif of a connected device and its worker; NULL and NULL when it is not connected. */
struct vif *vifdev_vif(const struct backend_device *dev, struct worker **worker);

/* netback_explain.c */

/** Reply of "explain vm" for one device: the last decisions about its frames, which the worker
 * begins to note. NULL and a sentence when it is not connected. */
json_t *netback_explain(struct backend_device *dev, char *error, size_t error_size);

/* netback_top.c */

void netback_top_register(struct netback *nb);

/* vif_json.c */

/** Frames that did not arrive, by reason, those that are not 0; and their sum. */
json_t *vif_drops_to_json(const struct vif *vif, uint64_t *sum);
/** The keys that differ from their defaults. */
json_t *vif_policy_to_json(const struct vif_policy *policy);

/* netback_events.c */

int netback_events_create(struct netback *nb);
void netback_events_destroy(struct netback *nb);
/** Notes that something happened (events.h): for `xenbackctl events` and the mirror in xenstore. */
void netback_event(struct netback *nb, const struct events_input *input);
/** One event for each key whose value differs between two objects of the table. who: what has the
 * keys within the team, NULL = the team itself. */
void netback_event_keys(struct netback *nb, const char *team, const char *who,
			const struct key_table *table, const void *old, const void *new);
/** confstore_set_error, and an event when that is news. who: whose keys they are. */
void netback_set_error(struct netback *nb, const char *dir, const char *team, const char *who,
		       const char *error);
void netback_events_register(struct netback *nb);

/* netback_qos.c */

void netback_qos_register(struct netback *nb);

/* dos_ctl.c */

void dos_ctl_register(struct netback *nb);

/* netback_ctl.c */

/** The device that the arguments domid and devid name; NULL with a sentence. */
struct backend_device *netback_find_vif(struct netback *nb, json_t *args, char *error);

void netback_ctl_register(struct netback *nb);

#endif
