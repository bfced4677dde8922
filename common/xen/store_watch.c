/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_watch.c - watches of the store and the events that wait on connections. */
#include "store_priv.h"

#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "util.h"

/* uthash's macros nest deep, and the analyzer does not follow its lists. */
/* NOLINTBEGIN(readability-function-size, clang-analyzer-unix.Malloc) */

/** An event that waits; the key is the watch and the path, so that identical ones are one. */
struct store_event {
	UT_hash_handle hh;
	struct store_watch *watch;
	char *path; /* as the client sees it */
	char key[];
};

static void event_free(struct store_conn *conn, struct store_event *event)
{
	HASH_DEL(conn->events, event);
	free(event->path);
	free(event);
}

/* Path: absolute or special. */
static void queue_event(struct store_watch *watch, const char *path)
{
	struct store_conn *conn = watch->conn;
	size_t len = sizeof(struct store_watch *) + strlen(path);
	struct store_event *event, *same;

	if (HASH_COUNT(conn->events) >= STORE_EVENTS_MAX) {
		conn->n_dropped++;
		return;
	}
	event = xb_calloc(1, sizeof(*event) + len);
	memcpy(event->key, &watch, sizeof(struct store_watch *));
	memcpy(event->key + sizeof(struct store_watch *), path, strlen(path));
	HASH_FIND(hh, conn->events, event->key, len, same);
	if (same) {
		free(event);
		return;
	}
	event->watch = watch;
	event->path =
		xb_strdup(watch->relative ? path + store_path_home_len(conn->domain->domid) : path);
	HASH_ADD_KEYPTR(hh, conn->events, event->key, len, event);
	if (conn->on_event)
		conn->on_event(conn->on_event_ctx);
}

/* The node or its parent must be readable, now or before the change. */
static bool may_see(struct store *store, uint16_t domid, const char *path,
		    const struct store_perms *old)
{
	AUTO_FREE char *parent = NULL;
	const struct store_node *node;

	if (domid == 0 || (old && store_perms_rights(old, domid) & STORE_READ))
		return true;
	node = store_view(store, NULL, path);
	if (node && store_perms_rights(node->perms, domid) & STORE_READ)
		return true;
	parent = xb_strdup(path);
	node = store_path_up(parent) ? store_view(store, NULL, parent) : NULL;
	return node && store_perms_rights(node->perms, domid) & STORE_READ;
}

static void fire_point(struct store *store, const char *at, const char *path,
		       const struct store_perms *old)
{
	struct store_point *point;
	struct store_watch *watch;

	HASH_FIND_STR(store->points, at, point);
	if (!point)
		return;
	DL_FOREACH2(point->watches, watch, point_next)
	{
		if (may_see(store, watch->conn->domain->domid, path, old))
			queue_event(watch, path);
	}
}

void store_fire_change(struct store *store, const char *path, bool exact,
		       const struct store_perms *old)
{
	AUTO_FREE char *at = xb_strdup(path);

	do {
		fire_point(store, at, path, old);
	} while (!exact && store_path_up(at));
}

void store_fire(struct store *store, const char *path)
{
	store_fire_change(store, path, false, NULL);
}

static struct store_watch *find_watch(struct store_conn *conn, const char *path, const char *token)
{
	struct store_point *point;
	struct store_watch *watch;

	HASH_FIND_STR(conn->store->points, path, point);
	DL_FOREACH2(point ? point->watches : NULL, watch, point_next)
	{
		if (watch->conn == conn && !strcmp(watch->token, token))
			return watch;
	}
	return NULL;
}

static struct store_point *get_point(struct store *store, const char *path)
{
	struct store_point *point;

	HASH_FIND_STR(store->points, path, point);
	if (point)
		return point;
	point = xb_calloc(1, sizeof(*point));
	point->path = xb_strdup(path);
	HASH_ADD_KEYPTR(hh, store->points, point->path, strlen(point->path), point);
	return point;
}

static void watch_free(struct store_watch *watch)
{
	struct store_conn *conn = watch->conn;
	struct store_point *point = watch->point;

	DL_DELETE(conn->watches, watch);
	DL_DELETE2(point->watches, watch, point_prev, point_next);
	conn->domain->n_watches--;
	if (!point->watches) {
		HASH_DEL(conn->store->points, point);
		free(point->path);
		free(point);
	}
	free(watch->token);
	free(watch);
}

int store_watch(struct store_conn *conn, const char *path, const char *token)
{
	struct store_domain *domain = conn->domain;
	bool relative;
	AUTO_FREE char *absolute = store_path_absolute(domain->domid, path, &relative);
	struct store_watch *watch;

	if (!absolute || strnlen(token, STORE_TOKEN_MAX + 1) > STORE_TOKEN_MAX)
		return -EINVAL;
	if (find_watch(conn, absolute, token))
		return -EEXIST;
	if (domain->domid != 0 && domain->n_watches >= STORE_QUOTA_WATCHES)
		return -E2BIG;
	watch = xb_calloc(1, sizeof(*watch));
	watch->conn = conn;
	watch->relative = relative;
	watch->token = xb_strdup(token);
	watch->point = get_point(conn->store, absolute);
	domain->n_watches++;
	DL_APPEND(conn->watches, watch);
	DL_APPEND2(watch->point->watches, watch, point_prev, point_next);
	queue_event(watch, absolute);
	return 0;
}

int store_unwatch(struct store_conn *conn, const char *path, const char *token)
{
	AUTO_FREE char *absolute = store_path_absolute(conn->domain->domid, path, NULL);
	struct store_event *event, *next;
	struct store_watch *watch;

	if (!absolute)
		return -EINVAL;
	watch = find_watch(conn, absolute, token);
	if (!watch)
		return -ENOENT;
	HASH_ITER (hh, conn->events, event, next) {
		if (event->watch == watch)
			event_free(conn, event);
	}
	watch_free(watch);
	return 0;
}

void store_drop_watches(struct store_conn *conn)
{
	struct store_event *event, *next_event;
	struct store_watch *watch, *next_watch;

	HASH_ITER (hh, conn->events, event, next_event) {
		event_free(conn, event);
	}
	DL_FOREACH_SAFE (conn->watches, watch, next_watch) {
		watch_free(watch);
	}
}

int store_next_event(struct store_conn *conn, char **path, char **token)
{
	struct store_event *event = conn->events; /* uthash keeps the order of insertion */

	if (!event)
		return 0;
	*path = xb_strdup(event->path);
	*token = xb_strdup(event->watch->token);
	event_free(conn, event);
	return 1;
}

bool store_has_event(const struct store_conn *conn)
{
	return conn->events != NULL;
}

void store_on_event(struct store_conn *conn, void (*fn)(void *ctx), void *ctx)
{
	conn->on_event = fn;
	conn->on_event_ctx = ctx;
}

uint64_t store_conn_dropped(const struct store_conn *conn)
{
	return conn->n_dropped;
}

/* NOLINTEND(readability-function-size, clang-analyzer-unix.Malloc) */
