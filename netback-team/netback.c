/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netback.c - wiring of the daemon netback-team: its parts are created here in order and destroyed
 * in reverse.
 *
 * mailbox -> configuration -> teams (workers, NICs) -> xenbus scanner (vifs) -> control commands.
 * Stopping leaves every xenstore state as it is: guests keep their rings and wait for the next
 * start (reference: Xen's ring protocol lets a backend attach at rsp_prod).
 */
#include "netback_main.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "netback.h"
#include "util.h"
#include "xen/conflict.h"

#define LOG_MODULE "netback"

static const char *const conf_paths[] = {NETBACK_TEAM_PATH, NETBACK_VM_PATH, NETBACK_DOS_PATH,
					 NULL};

static const struct xen_conflict conflicts[] = {
	{"vif", "the kernel's xen-netback is loaded and serves the same vifs: unload it (rmmod "
		"xen-netback) and "
		"keep it away (/etc/modprobe.d/xenback.conf does), then start again"},
};

static int on_mail(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
	mailbox_drain(((struct netback *)ctx)->mail, ctx);
	return 0;
}

static void on_config(void *ctx)
{
	struct netback *nb = ctx;

	guard_profiles_apply(nb->profiles);
	teams_apply(nb->teams);
	if (nb->backend)
		vifdev_apply_policies(nb);
}

/* A file of signatures is read again if it changed. */
static void reload(struct app *app)
{
	on_config(app->ctx);
}

/* The process that runs hooks: forked while we have one thread, and may start programs. */
static int prepare(struct app *app)
{
	struct netback *nb = xb_calloc(1, sizeof(*nb));
	const char *dir = getenv("XENBACK_HOOKS");
	int rc;

	app->ctx = nb;
	nb->app = app;
	rc = hook_create(&nb->hook, dir ? dir : SYSCONFDIR "/xenback/hooks");
	if (rc < 0)
		log_warn("hooks cannot be run: %s", strerror(-rc));
	return 0;
}

static int start(struct app *app)
{
	struct netback *nb = app->ctx;
	int rc = 0;

	if (strcmp(app->xen->ops->name, "real") == 0)
		rc = xen_check_drivers("/sys", conflicts, ARRAY_SIZE(conflicts));
	if (rc < 0)
		return rc;
	nb->mail = mailbox_create();
	if (!nb->mail)
		return -errno;
	rc = sd_event_add_io(app->event, &nb->mail_source, mailbox_fd(nb->mail), EPOLLIN, on_mail,
			     nb);
	if (rc >= 0)
		rc = netback_events_create(nb);
	if (rc >= 0)
		rc = guard_host_create(&nb->guard_host, nb, nb->hook, NULL);
	nb->profiles = guard_profiles_create(nb);
	if (rc >= 0)
		rc = teams_create(&nb->teams, nb);
	if (rc >= 0)
		rc = confstore_create(&nb->conf, app->xen, app->event, conf_paths, on_config, nb);
	if (rc < 0)
		return rc;
	guard_profiles_apply(nb->profiles);
	teams_apply(nb->teams); /* before the scanner adopts vifs that need them */
	rc = backend_create(&nb->backend, app->xen, app->event, app->clock, &vifdev_driver, nb);
	if (rc < 0) {
		log_err("cannot serve backend/vif: %s", strerror(-rc));
		return rc;
	}
	netback_ctl_register(nb);
	netback_qos_register(nb);
	dos_ctl_register(nb);
	netback_events_register(nb);
	netback_top_register(nb);
	app_status("serving backend/vif");
	return 0;
}

static void stop(struct app *app)
{
	struct netback *nb = app->ctx;

	if (!nb)
		return;
	backend_destroy(nb->backend);
	teams_destroy(nb->teams);
	nb->teams = NULL; /* events of others may follow */
	guard_host_destroy(nb->guard_host);
	guard_profiles_destroy(nb->profiles);
	netback_events_destroy(nb);
	confstore_destroy(nb->conf);
	sd_event_source_unref(nb->mail_source);
	mailbox_destroy(nb->mail);
	hook_destroy(nb->hook);
	free(nb);
	app->ctx = NULL;
}

/* setns needs CAP_SYS_ADMIN: NICs in a private namespace are opened (again) at any time. */
static const cap_value_t keep_caps[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN, CAP_IPC_LOCK};

const struct app_desc netback_app = {
	.name = "netback-team",
	.summary = "Xen network backend: serves guests' vifs through teams of NICs",
	.tables = netback_key_tables,
	.n_tables = ARRAY_SIZE(netback_key_tables),
	.keep_caps = keep_caps,
	.n_keep_caps = ARRAY_SIZE(keep_caps),
	.prepare = prepare,
	.start = start,
	.reload = reload,
	.stop = stop,
};
