/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vifdev.c - a vif as the control thread sees it: keys in, features out, connected to its team's
 * worker.
 *
 * The scanner (common/xen/backend.h) calls this driver as a device passes through the xenbus
 * states. Everything that a guest wrote is read in one transaction, bounded and checked, before a
 * worker hears of it.
 */
#include "vifdev_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "qos_policy.h"
#include "shape.h"
#include "util.h"

#define LOG_MODULE "vif"

/* --- configuration --- */

static void policy_dir(const struct vifdev *vd, char *out, size_t size)
{
	snprintf(out, size, "%s/%s/vif/%u", NETBACK_VM_PATH, vd->uuid, vd->dev->devid);
}

/* The toolstack's rate=. A wrong one is reported and the old one stays. */
static void read_rate(struct vifdev *vd)
{
	AUTO_FREE char *value = NULL;
	struct qos_xl_rate rate;

	if (backend_read(vd->dev, XEN_TXN_NONE, false, "rate", &value) < 0)
		vd->xl_rate = (struct qos_xl_rate){0};
	else if (shape_parse_xl_rate(value, &rate.bps, &rate.burst_bytes) == 0)
		vd->xl_rate = rate;
	else
		log_warn("%s: rate \"%s\" in %s: not \"BYTES,MICROSECONDS\" as xl writes it; the "
			 "limit stays as it was",
			 vd->dev->name, value, vd->dev->dir);
}

/* Reads the keys; what is wrong with them goes to policy_error, and the old ones stay. */
static void read_policy(struct vifdev *vd)
{
	struct vif_policy policy = vd->policy;
	struct guard_profile guard = vd->guard;
	struct pin scratch;
	char dir[160];
	int rc;

	read_rate(vd);
	if (!vd->uuid[0] &&
	    !confstore_vm_uuid(vd->nb->conf, vd->dev->domid, vd->uuid, sizeof(vd->uuid)))
		return;
	policy_dir(vd, dir, sizeof(dir));
	vd->policy_error[0] = '\0';
	rc = confstore_read(vd->nb->conf, dir, &vif_key_table, &policy, vd->policy_error);
	if (rc == 0 && !pin_set(&scratch, policy.pin, policy.confine)) {
		snprintf(
			vd->policy_error, sizeof(vd->policy_error),
			"pin: \"%.64s\": allowed are up to %d different interface names, separated "
			"by spaces",
			policy.pin, TEAM_MEMBERS_MAX);
		rc = -EINVAL;
	}
	if (rc == 0)
		rc = qos_check_policy(&policy, &vd->xl_rate, vd->policy_error);
	if (rc == 0 && policy.dos[0])
		rc = guard_profiles_get(vd->nb->profiles, policy.dos, &guard, vd->policy_error,
					sizeof(vd->policy_error));
	if (rc == 0) {
		netback_event_keys(vd->nb, vd->policy.team, vd->dev->name, &vif_key_table,
				   &vd->policy, &policy);
		vd->policy = policy;
		vd->guard = guard;
	}
	vd->policy_read = rc != -EIO;
}

/* How it is watched for attacks. */
static const struct guard_profile *guard_of(const struct vifdev *vd)
{
	return vd->policy.dos[0] ? &vd->guard : team_entry_guard(vd->team);
}

/* Writes policy_error next to the keys, or takes away an old one. */
static void tell_policy(struct vifdev *vd)
{
	char dir[160];

	if (!vd->policy_read)
		return;
	policy_dir(vd, dir, sizeof(dir));
	netback_set_error(vd->nb, dir, vd->policy.team, vd->dev->name,
			  vd->policy_error[0] ? vd->policy_error : NULL);
}

void vifdev_team_name(const struct vifdev *vd, char *out, size_t size)
{
	AUTO_FREE char *bridge = NULL;

	if (vd->policy.team[0]) {
		snprintf(out, size, "%s", vd->policy.team);
		return;
	}
	out[0] = '\0';
	if (backend_read(vd->dev, XEN_TXN_NONE, false, "bridge", &bridge) == 0)
		snprintf(out, size, "%.*s", (int)strcspn(bridge, ";"), bridge);
}

static void tell_state(const struct vifdev *vd, const char *old, const char *new, const char *why,
		       bool bad)
{
	netback_event(vd->nb,
		      &(struct events_input){.severity = bad ? EVENTS_ERR : EVENTS_INFO,
					     .kind = EVENTS_KIND_VIF,
					     .team = vd->team ? team_entry_name(vd->team) : "",
					     .who = vd->dev->name,
					     .old = old,
					     .new = new,
					     .why = why});
}

/* --- the driver: birth, features --- */

static int vifdev_create(void *ctx, struct backend_device *dev, char *error, size_t error_size)
{
	struct vifdev *vd = xb_calloc(1, sizeof(*vd));

	vd->nb = ctx;
	vd->dev = dev;
	keys_set_defaults(&vif_key_table, &vd->policy);
	dev->ctx = vd;
	return 0;
}

static void vifdev_destroy(void *ctx, struct backend_device *dev)
{
	free(dev->ctx);
	dev->ctx = NULL;
}

static int vifdev_publish(void *ctx, struct backend_device *dev, xen_txn txn)
{
	static const char *const on[] = {
		"feature-rx-copy",	     "feature-sg",
		"feature-gso-tcpv4",	     "feature-gso-tcpv6",
		"feature-ipv6-csum-offload", "feature-split-event-channels",
		"feature-multicast-control"};
	struct vifdev *vd = dev->ctx;
	int rc = 0;

	read_policy(vd);
	tell_policy(vd);
	for (size_t i = 0; i < ARRAY_SIZE(on) && rc == 0; i++)
		rc = backend_write(dev, txn, on[i], "1");
	if (rc == 0)
		rc = backend_write(dev, txn, "feature-rx-flip", "0");
	if (rc == 0)
		rc = backend_write(dev, txn, "multi-queue-max-queues", "%llu",
				   (unsigned long long)vd->policy.queues);
	return rc;
}

/* --- the driver: connecting --- */

static int need_u32(struct vifdev *vd, xen_txn txn, const char *key, uint32_t min, uint32_t max,
		    uint32_t *value, char *error, size_t error_size)
{
	int rc = backend_read_u32(vd->dev, txn, true, key, min, max, value);

	if (rc == -ENOENT)
		snprintf(error, error_size, "the frontend did not write %s", key);
	else if (rc < 0)
		snprintf(error, error_size, "the frontend's %s is not a number from %u to %u", key,
			 min, max);
	return rc;
}

static bool flag(struct vifdev *vd, xen_txn txn, const char *key, bool absent)
{
	uint32_t value;

	if (backend_read_u32(vd->dev, txn, true, key, 0, UINT32_MAX, &value) < 0)
		return absent;
	return value != 0;
}

static int read_queue(struct vifdev *vd, xen_txn txn, const char *prefix,
		      struct vif_queue_config *queue, char *error, size_t error_size)
{
	char key[64];
	int rc;

	snprintf(key, sizeof(key), "%stx-ring-ref", prefix);
	rc = need_u32(vd, txn, key, 0, UINT32_MAX, &queue->tx_ref, error, error_size);
	snprintf(key, sizeof(key), "%srx-ring-ref", prefix);
	if (rc == 0)
		rc = need_u32(vd, txn, key, 0, UINT32_MAX, &queue->rx_ref, error, error_size);
	if (rc < 0)
		return rc;
	snprintf(key, sizeof(key), "%sevent-channel-tx", prefix);
	if (backend_read_u32(vd->dev, txn, true, key, 0, UINT32_MAX, &queue->tx_port) == 0) {
		snprintf(key, sizeof(key), "%sevent-channel-rx", prefix);
		return need_u32(vd, txn, key, 0, UINT32_MAX, &queue->rx_port, error, error_size);
	}
	snprintf(key, sizeof(key), "%sevent-channel", prefix);
	rc = need_u32(vd, txn, key, 0, UINT32_MAX, &queue->tx_port, error, error_size);
	queue->rx_port = queue->tx_port;
	return rc;
}

static int read_frontend(struct vifdev *vd, xen_txn txn, struct vif_config *config, char *error,
			 size_t error_size)
{
	uint32_t n = 1;
	char prefix[24] = "";
	int rc;

	if (!flag(vd, txn, "request-rx-copy", false)) {
		snprintf(error, error_size,
			 "the frontend does not ask for request-rx-copy; page flipping is "
			 "not supported");
		return -EOPNOTSUPP;
	}
	rc = backend_read_u32(vd->dev, txn, true, "multi-queue-num-queues", 1,
			      (uint32_t)vd->policy.queues, &n);
	if (rc < 0 && rc != -ENOENT) {
		snprintf(error, error_size,
			 "the frontend's multi-queue-num-queues is not a number from 1 to %u",
			 (unsigned int)vd->policy.queues);
		return rc;
	}
	config->n_queues = n;
	rc = 0;
	for (uint32_t i = 0; i < n && rc == 0; i++) {
		if (n > 1)
			snprintf(prefix, sizeof(prefix), "queue-%u/", i);
		rc = read_queue(vd, txn, prefix, &config->queues[i], error, error_size);
	}
	config->sg = flag(vd, txn, "feature-sg", false);
	config->gso_tcpv4 = flag(vd, txn, "feature-gso-tcpv4", false);
	config->gso_tcpv6 = flag(vd, txn, "feature-gso-tcpv6", false);
	config->csum_ipv4 = !flag(vd, txn, "feature-no-csum-offload", false);
	config->csum_ipv6 = flag(vd, txn, "feature-ipv6-csum-offload", false);
	config->rx_notify = flag(vd, txn, "feature-rx-notify", false);
	config->mcast_control = flag(vd, txn, "request-multicast-control", false);
	return rc;
}

static int read_mac(struct vifdev *vd, struct vif_config *config, char *error, size_t error_size)
{
	static const struct key key = {.name = "mac", .type = KEY_TYPE_MAC};
	static const struct key_table table = {"mac", "", &key, 1, 6};
	AUTO_FREE char *value = NULL;
	char why[KEY_ERROR_MAX];

	if (backend_read(vd->dev, XEN_TXN_NONE, false, "mac", &value) < 0) {
		snprintf(error, error_size, "the toolstack wrote no mac");
		return -ENOENT;
	}
	if (key_set(&table, config->mac, "mac", value, why) < 0) {
		snprintf(error, error_size, "%s", why);
		return -EINVAL;
	}
	return 0;
}

struct open_call {
	struct vif_config *config;
	struct vifdev *vd;
	struct vif *vif;
	char *error;
	size_t error_size;
};

static int call_open(void *ctx, void *arg)
{
	struct open_call *call = arg;

	return vif_open(&call->vif, ctx, call->config, call->vd, call->error, call->error_size);
}

static int call_close(void *ctx, void *arg)
{
	vif_close(arg);
	return 0;
}

static int read_config(struct vifdev *vd, struct vif_config *config, char *error, size_t error_size)
{
	const struct xen_ops *ops = vd->nb->app->xen->ops;
	struct xen_store *store = backend_store(vd->dev->backend);
	xen_txn txn;
	int rc;

	memset(config, 0, sizeof(*config));
	config->domid = vd->dev->domid;
	config->devid = vd->dev->devid;
	snprintf(config->name, sizeof(config->name), "%s", vd->dev->name);
	rc = read_mac(vd, config, error, error_size);
	if (rc < 0)
		return rc;
	rc = store ? ops->txn_start(store, &txn) : -EIO;
	if (rc < 0) {
		snprintf(error, error_size, "xenstore: %s", strerror(-rc));
		return rc;
	}
	rc = read_frontend(vd, txn, config, error, error_size);
	ops->txn_end(store, txn, true); /* a consistent view, nothing written */
	config->learning = vd->policy.learning;
	config->antispoof = vd->policy.antispoof;
	config->csum_fill = vd->policy.csum_fill;
	memcpy(config->pin, vd->policy.pin, sizeof(config->pin));
	config->confine = vd->policy.confine;
	read_rate(vd);
	qos_of_policy(&vd->policy, &vd->xl_rate, &config->qos);
	return rc;
}

/* --- what may change while connected --- */

struct live_call {
	struct vif *vif;
	bool csum_fill;
	struct qos_vif qos;
	const char *why; /**< out: what the bandwidth was refused for */
	const char *pin;
	bool confine;
	const struct guard_profile *guard;
};

static int call_live(void *ctx, void *arg)
{
	struct live_call *call = arg;
	struct vif *vif = call->vif;

	vif->config.csum_fill = call->csum_fill;
	if (vif->config.confine != call->confine || strcmp(vif->config.pin, call->pin) != 0)
		vif_set_pin(vif, call->pin, call->confine);
	/* A difference in padding alone sets the same profile once more. */
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
	if (memcmp(&vif->config.guard, call->guard, sizeof(*call->guard)) != 0)
		guard_vif_set(vif, call->guard);
	if (qos_vif_equal(&vif->config.qos, &call->qos))
		return 0;
	return qos_vif_set(ctx, vif, &call->qos, &call->why);
}

/* Also where it is the toolstack's. */
static void tell_limit(const struct vifdev *vd, uint64_t before)
{
	const uint64_t rate_bps = vd->vif->config.qos.tx.limit.avg_bps;
	AUTO_FREE char *old = NULL;
	AUTO_FREE char *new = NULL;

	if (before == rate_bps)
		return;
	old = before ? xb_asprintf("%" PRIu64 " bit/s", before) : xb_strdup("none");
	new = rate_bps ? xb_asprintf("%" PRIu64 " bit/s", rate_bps) : xb_strdup("none");
	netback_event(vd->nb,
		      &(struct events_input){.kind = EVENTS_KIND_LIMIT,
					     .team = team_entry_name(vd->team),
					     .who = vd->dev->name,
					     .old = old,
					     .new = new,
					     .why = vd->policy.avg_bps || vd->policy.rate_bps
							    ? "avg of the VM's policy"
							    : "rate of the toolstack"});
}

static void apply_live(struct vifdev *vd)
{
	struct live_call call = {.vif = vd->vif,
				 .csum_fill = vd->policy.csum_fill,
				 .pin = vd->policy.pin,
				 .confine = vd->policy.confine};
	uint64_t before;
	int rc;

	if (!vd->vif)
		return;
	call.guard = guard_of(vd);
	qos_of_policy(&vd->policy, &vd->xl_rate, &call.qos);
	before = vd->vif->config.qos.tx.limit.avg_bps;
	rc = worker_call(team_entry_worker(vd->team), call_live, &call);
	vd->min_refused = rc == -ENOSPC;
	tell_limit(vd, before);
	if (rc < 0 && !vd->policy_error[0])
		qos_explain(&vd->policy, call.why, vd->policy_error);
}

static int vifdev_connect(void *ctx, struct backend_device *dev, bool adopt, char *error,
			  size_t error_size)
{
	struct netback *nb = ctx;
	struct vifdev *vd = dev->ctx;
	struct vif_config config;
	struct open_call call = {&config, vd, NULL, error, error_size};
	char name[TEAM_NAME_MAX];
	int rc;

	if (adopt)
		read_policy(vd);
	vd->failure[0] = '\0';
	rc = read_config(vd, &config, error, error_size);
	if (rc < 0)
		return rc;
	vifdev_team_name(vd, name, sizeof(name));
	vd->team = teams_get(nb->teams, name);
	if (!vd->team) {
		AUTO_FREE char *known = teams_names(nb->teams);

		snprintf(error, error_size,
			 "bridge=\"%s\": there is no such team; known: %s (xenbackctl team add)",
			 name, known);
		return -ENOENT;
	}
	config.guard = *guard_of(vd);
	rc = worker_call(team_entry_worker(vd->team), call_open, &call);
	if (rc < 0) {
		teams_put(vd->team);
		vd->team = NULL;
		return rc;
	}
	vd->vif = call.vif;
	apply_live(vd); /* for a minimum that does not fit */
	tell_policy(vd);
	vd->group = stats_add(nb->app->stats, "vif",
			      json_pack("{s:s, s:s}", "vif", dev->name, "uuid", vd->uuid),
			      vif_stat_descs, vif_n_stat_descs, &vd->vif->stats);
	log_info("%s: %s to team %s, %u queue(s)", dev->name,
		 adopt ? "adopted, connected" : "connected", name, config.n_queues);
	tell_state(vd, "waiting", "connected", adopt ? "taken over from a predecessor" : "", false);
	if (adopt && config.qos.shortage_pause_ns)
		guard_host_end_pause(nb->guard_host, dev->name, dev->domid, dev->devid);
	return 0;
}

static void vifdev_disconnect(void *ctx, struct backend_device *dev)
{
	struct netback *nb = ctx;
	struct vifdev *vd = dev->ctx;

	if (!vd->vif)
		return;
	stats_remove(nb->app->stats, vd->group);
	worker_call(team_entry_worker(vd->team), call_close, vd->vif);
	tell_state(vd, vd->failure[0] ? "failed" : "connected", "disconnected", "", false);
	teams_put(vd->team);
	vd->vif = NULL;
	vd->team = NULL;
	vd->group = NULL;
}

/* --- live changes --- */

static void apply_policy(void *ctx, struct backend_device *dev)
{
	struct vifdev *vd = dev->ctx;

	if (!vd)
		return;
	read_policy(vd);
	apply_live(vd);
	tell_policy(vd);
}

static void vifdev_changed(void *ctx, struct backend_device *dev, const char *key)
{
	if (strcmp(key, "rate") == 0)
		apply_policy(NULL, dev);
}

void vifdev_apply_policies(struct netback *nb)
{
	backend_foreach(nb->backend, apply_policy, NULL);
}

static void apply_refused(void *ctx, struct backend_device *dev)
{
	const struct vifdev *vd = dev->ctx;

	if (vd && vd->vif && vd->min_refused)
		apply_policy(NULL, dev);
}

void vifdev_minima_room(struct netback *nb)
{
	backend_foreach(nb->backend, apply_refused, NULL);
}

void vifdev_failed(struct netback *nb, uint16_t domid, uint32_t devid, const struct vif *vif,
		   const char *why)
{
	struct backend_device *dev = backend_find(nb->backend, domid, devid);
	struct vifdev *vd = dev ? dev->ctx : NULL;

	if (!vd || vd->vif != vif)
		return; /* closed meanwhile */
	snprintf(vd->failure, sizeof(vd->failure), "%s", why);
	tell_state(vd, "connected", "failed", why, true);
	backend_fail(dev, why);
}

const struct backend_driver vifdev_driver = {
	.type = "vif",
	.needs_hotplug = true,
	.create = vifdev_create,
	.publish = vifdev_publish,
	.connect = vifdev_connect,
	.disconnect = vifdev_disconnect,
	.changed = vifdev_changed,
	.destroy = vifdev_destroy,
};

struct vif *vifdev_vif(const struct backend_device *dev, struct worker **worker)
{
	const struct vifdev *vd = dev->ctx;

	*worker = vd && vd->vif ? team_entry_worker(vd->team) : NULL;
	return *worker ? vd->vif : NULL;
}

struct team_entry *vifdev_team(const struct backend_device *dev)
{
	const struct vifdev *vd = dev->ctx;

	return vd ? vd->team : NULL;
}
