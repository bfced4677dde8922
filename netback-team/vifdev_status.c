/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vifdev_status.c - a vif as people see it: replies of `vif list`, `vif show` and `explain vif`. */
#include "vifdev_priv.h"

#include <arpa/inet.h>

#include "util.h"

struct addresses_call {
	int port;
	struct {
		uint32_t ipv4[CLAIMS_PER_MAC];
		unsigned int n_ipv4;
		struct vlans vlans;
	} known[SWITCH_LEARN_MAX + 1];
	uint8_t macs[SWITCH_LEARN_MAX + 1][6];
	unsigned int n_macs;
};

static int call_addresses(void *ctx, void *arg)
{
	struct worker *w = ctx;
	struct addresses_call *call = arg;

	call->n_macs = sw_port_macs(w->sw, call->port, call->macs, ARRAY_SIZE(call->macs));
	for (unsigned int i = 0; i < call->n_macs; i++) {
		call->known[i].n_ipv4 =
			claims_of(w->claims, call->macs[i], call->known[i].ipv4, w->now_ns);
		call->known[i].vlans = sw_vlans(w->sw, call->macs[i]);
	}
	return 0;
}

json_t *vifdev_addresses(struct backend_device *dev)
{
	struct worker *worker;
	const struct vif *vif = vifdev_vif(dev, &worker);
	struct addresses_call call;
	char mac[18], text[INET_ADDRSTRLEN];
	json_t *all = json_array();

	if (!vif)
		return all;
	call.port = vif->port;
	worker_call(worker, call_addresses, &call);
	for (unsigned int i = 0; i < call.n_macs; i++) {
		json_t *ipv4 = json_array(), *vlans = json_array();

		for (unsigned int k = 0; k < call.known[i].n_ipv4; k++) {
			const struct in_addr address = {htonl(call.known[i].ipv4[k])};

			inet_ntop(AF_INET, &address, text, sizeof(text));
			json_array_append_new(ipv4, json_string(text));
		}
		for (unsigned int k = 0; k < call.known[i].vlans.n; k++)
			json_array_append_new(vlans, json_integer(call.known[i].vlans.ids[k]));
		frame_mac_format(mac, call.macs[i]);
		json_array_append_new(all, json_pack("{s:s, s:o, s:o}", "mac", mac, "ipv4", ipv4,
						     "vlans", vlans));
	}
	return all;
}

static void add_details(json_t *reply, const struct vif *vif)
{
	json_t *counters = json_object();

	for (size_t i = 0; i < vif_n_stat_descs; i++) {
		const uint64_t *value =
			(const void *)((const char *)&vif->stats + vif_stat_descs[i].offset);

		json_object_set_new(counters, vif_stat_descs[i].name,
				    json_integer((json_int_t)*value));
	}
	json_object_set_new(reply, "counters", counters);
	json_object_set_new(
		reply, "features",
		json_pack("{s:b, s:b, s:b, s:b, s:b, s:b}", "sg", (int)vif->config.sg, "gso_tcpv4",
			  (int)vif->config.gso_tcpv4, "gso_tcpv6", (int)vif->config.gso_tcpv6,
			  "csum_ipv4", (int)vif->config.csum_ipv4, "csum_ipv6",
			  (int)vif->config.csum_ipv6, "rx_notify", (int)vif->config.rx_notify));
	json_object_set_new(reply, "rate_bps",
			    json_integer((json_int_t)vif->config.qos.tx.limit.avg_bps));
}

json_t *vifdev_to_json(struct backend_device *dev, bool details)
{
	struct vifdev *vd = dev->ctx;
	const struct vif *vif = vd ? vd->vif : NULL;
	json_t *reply =
		json_pack("{s:s, s:i, s:i, s:o}", "name", dev->name, "domid", (int)dev->domid,
			  "devid", (int)dev->devid, "xenbus", backend_explain(dev));
	json_t *xenbus = json_object_get(reply, "xenbus");
	char team[TEAM_NAME_MAX] = "", mac[18] = "";
	AUTO_FREE char *name = NULL;
	uint64_t dropped;

	json_object_set(reply, "state", json_object_get(xenbus, "backend"));
	json_object_set(reply, "frontend", json_object_get(xenbus, "frontend"));
	if (!details)
		json_object_del(reply, "xenbus");
	if (!vd)
		return reply;
	vifdev_team_name(vd, team, sizeof(team));
	name = confstore_domain_name(vd->nb->conf, dev->domid);
	json_object_set_new(reply, "domain", json_string(name ? name : ""));
	json_object_set_new(reply, "uuid", json_string(vd->uuid));
	json_object_set_new(reply, "team", json_string(team));
	json_object_set_new(reply, "policy", vif_policy_to_json(&vd->policy));
	if (!vif)
		return reply;
	frame_mac_format(mac, vif->config.mac);
	json_object_set_new(reply, "mac", json_string(mac));
	json_object_set_new(reply, "queues", json_integer(vif->config.n_queues));
	json_object_set_new(reply, "rx_packets", json_integer((json_int_t)vif->stats.rx_packets));
	json_object_set_new(reply, "rx_bytes", json_integer((json_int_t)vif->stats.rx_bytes));
	json_object_set_new(reply, "tx_packets", json_integer((json_int_t)vif->stats.tx_packets));
	json_object_set_new(reply, "tx_bytes", json_integer((json_int_t)vif->stats.tx_bytes));
	json_object_set_new(reply, "drops", vif_drops_to_json(vif, &dropped));
	json_object_set_new(reply, "dropped", json_integer((json_int_t)dropped));
	if (details) {
		json_object_set_new(reply, "addresses", vifdev_addresses(dev));
		add_details(reply, vif);
	}
	return reply;
}

static void check(json_t *checks, bool ok, const char *what, const char *hint)
{
	json_array_append_new(checks, json_pack("{s:b, s:s, s:s}", "ok", (int)ok, "what", what,
						"hint", ok ? "" : hint));
}

json_t *vifdev_explain(struct backend_device *dev)
{
	struct vifdev *vd = dev->ctx;
	json_t *reply = backend_explain(dev), *checks = json_array();
	char name[TEAM_NAME_MAX] = "";
	AUTO_FREE char *what = NULL;
	AUTO_FREE char *known = NULL;

	if (!vd) {
		json_object_set_new(reply, "checks", checks);
		return reply;
	}
	vifdev_team_name(vd, name, sizeof(name));
	known = teams_names(vd->nb->teams);
	what = xb_asprintf("team \"%s\" (from %s) exists; known: %s", name,
			   vd->policy.team[0] ? "the VM's policy" : "bridge=", known);
	check(checks, teams_find(vd->nb->teams, name) != NULL, what,
	      "create it: xenbackctl set team NAME members \"NIC NIC\"");
	check(checks, vd->uuid[0], "the VM's uuid is known (policies are found by it)",
	      "the toolstack wrote no /local/domain/DOM/vm");
	check(checks, !vd->policy_error[0],
	      vd->policy_error[0] ? vd->policy_error : "the VM's policy is valid",
	      "correct the key; the old value stays in force until then");
	check(checks, !vd->failure[0],
	      vd->failure[0] ? vd->failure : "the guest keeps to the netif protocol",
	      "the guest's driver broke the ring protocol; detach and attach the vif");
	check(checks, vd->vif != NULL, "rings are mapped and served", "see why above");
	json_object_set_new(reply, "checks", checks);
	return reply;
}
