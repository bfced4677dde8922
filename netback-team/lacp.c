/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lacp.c - one LACP system, see lacp.h: configuration, ports, frames in, and the pass in which the
 * machines of lacp_*.c follow what has changed. */
#include "lacp_priv.h"

#include <errno.h>
#include <string.h>

#include "common/util.h"

struct lacp_port *lacp_next(struct lacp *lacp, struct lacp_port *p)
{
	for (p = p ? p + 1 : lacp->ports; p < lacp->ports + LACP_PORTS_MAX; p++)
		if (p->used)
			return p;
	return NULL;
}

static bool is_unicast(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return !(mac[0] & 1) && memcmp(mac, zero, sizeof(zero)) != 0;
}

static struct lacp_port *get_port(struct lacp *lacp, unsigned int port)
{
	return port < LACP_PORTS_MAX && lacp->ports[port].used ? &lacp->ports[port] : NULL;
}

static void tell_port(struct lacp *lacp, unsigned int port, uint32_t collecting,
		      uint32_t distributing)
{
	const uint32_t changed =
		(collecting ^ lacp->told_collecting) | (distributing ^ lacp->told_distributing);

	if (changed >> port & 1)
		lacp->ops.port(lacp->ops.ctx, port, collecting >> port & 1,
			       distributing >> port & 1);
}

/* Those that stop are told first: at no time do two aggregators carry traffic. */
static void tell(struct lacp *lacp)
{
	const uint32_t collecting = lacp_collecting(lacp), distributing = lacp_distributing(lacp);
	const uint32_t less =
		(lacp->told_collecting & ~collecting) | (lacp->told_distributing & ~distributing);

	for (unsigned int i = 0; i < LACP_PORTS_MAX; i++)
		if (less >> i & 1)
			tell_port(lacp, i, collecting, distributing);
	if (lacp->told_active != lacp->active)
		lacp->ops.active(lacp->ops.ctx, lacp->told_active, lacp->active);
	for (unsigned int i = 0; i < LACP_PORTS_MAX; i++)
		if (!(less >> i & 1))
			tell_port(lacp, i, collecting, distributing);
	lacp->told_collecting = collecting;
	lacp->told_distributing = distributing;
	lacp->told_active = lacp->active;
}

/* All that follows from a change, or from the time. */
static void pass(struct lacp *lacp, uint64_t now_ns)
{
	lacp->now_ns = now_ns;
	lacp_mux_down(lacp, now_ns); /* ports that just lost link or partner carry nothing */
	lacp_drain_update(lacp, now_ns);
	lacp_actor_update(lacp, now_ns);
	lacp_select_leave(lacp);
	lacp_mux_down(lacp, now_ns);
	lacp_select_join(lacp);
	lacp_select_limit(lacp);
	lacp_mux_down(lacp, now_ns);
	lacp_mux_attach(lacp, now_ns);
	lacp_select_limit(lacp); /* a better port may be ready now */
	lacp_mux_down(lacp, now_ns);
	lacp_select_active(lacp);
	lacp_mux_down(lacp, now_ns); /* ports of the one that is no longer active */
	lacp_mux_carry(lacp, now_ns);
	LACP_PORTS(lacp, p)
	{
		lacp_churn_update(lacp, p, now_ns);
		lacp_tx_update(lacp, p, now_ns);
	}
	tell(lacp);
}

static bool config_valid(const struct lacp_config *config)
{
	return is_unicast(config->system) && config->key <= LACP_KEY_MAX && config->default_mbps;
}

int lacp_init(struct lacp *lacp, const struct lacp_config *config, const struct lacp_ops *ops,
	      uint64_t now_ns)
{
	if (!config_valid(config))
		return -EINVAL;
	memset(lacp, 0, sizeof(*lacp));
	lacp->config = *config;
	lacp->ops = *ops;
	lacp->active = lacp->told_active = -1;
	for (int i = 0; i < LACP_PORTS_MAX; i++)
		lacp_tx_init(&lacp->ports[i]);
	lacp->adopt_ns = config->restarted ? now_ns + LACP_ADOPT_NS : 0;
	return 0;
}

int lacp_configure(struct lacp *lacp, const struct lacp_config *config, uint64_t now_ns)
{
	const struct lacp_config old = lacp->config;

	if (!config_valid(config))
		return -EINVAL;
	lacp->config = *config;
	LACP_PORTS(lacp, p)
	{
		if (old.fast != config->fast || old.mode != config->mode)
			p->ntt = true;
		lacp_rx_update(lacp, p, now_ns);
	}
	pass(lacp, now_ns);
	return 0;
}

int lacp_port_set(struct lacp *lacp, unsigned int port, const struct lacp_link *link,
		  uint64_t now_ns)
{
	struct lacp_port *p;

	if (port >= LACP_PORTS_MAX || !is_unicast(link->mac))
		return -EINVAL;
	p = &lacp->ports[port];
	if (!p->used) {
		p->used = true;
		p->actor.port = (uint16_t)(port + 1);
		p->mux_since_ns = now_ns;
		p->wait_ns = p->period_ns = DEADLINE_NEVER;
		p->reason = "added";
		lacp_churn_init(p);
		lacp_rx_init(lacp, p, now_ns);
	}
	p->link = *link;
	lacp_rx_update(lacp, p, now_ns);
	pass(lacp, now_ns);
	return 0;
}

void lacp_port_remove(struct lacp *lacp, unsigned int port, uint64_t now_ns)
{
	struct lacp_port *p = get_port(lacp, port), empty = {0};

	if (!p)
		return;
	lacp_tx_farewell(lacp, p, now_ns);
	empty.pdus = p->pdus; /* the limit holds, whatever comes next on this wire */
	empty.markers = p->markers;
	*p = empty;
	pass(lacp, now_ns);
}

int lacp_port_drain(struct lacp *lacp, unsigned int port, bool on, uint64_t now_ns)
{
	struct lacp_port *p = get_port(lacp, port);

	if (!p)
		return -EINVAL;
	p->drain_asked = on;
	if (on && p->drain == LACP_DRAIN_NONE)
		lacp_drain_start(lacp, p, now_ns);
	pass(lacp, now_ns);
	return 0;
}

bool lacp_port_drained(const struct lacp *lacp, unsigned int port)
{
	return port < LACP_PORTS_MAX && lacp->ports[port].used &&
	       lacp->ports[port].drain == LACP_DRAIN_DONE;
}

int lacp_receive(struct lacp *lacp, unsigned int port, const uint8_t *frame, size_t len,
		 uint64_t now_ns)
{
	struct lacp_port *p = get_port(lacp, port);
	struct lacp_frame f;

	if (!p)
		return -EINVAL;
	lacp_frame_parse(frame, len, &f);
	switch (f.kind) {
	case LACP_FRAME_OTHER:
		return -ENOMSG;
	case LACP_FRAME_UNKNOWN:
		p->counters.n_unknown++;
		return -EOPNOTSUPP;
	case LACP_FRAME_BAD:
		p->counters.n_bad++;
		return -EPROTO;
	case LACP_FRAME_LACPDU:
		lacp_rx_pdu(lacp, p, &f.pdu, now_ns);
		break;
	case LACP_FRAME_MARKER:
		lacp_marker_request(lacp, p, &f.marker, now_ns);
		return 0;
	case LACP_FRAME_RESPONSE:
		lacp_marker_response(p, &f.marker);
		break;
	}
	pass(lacp, now_ns);
	return 0;
}

uint64_t lacp_run(struct lacp *lacp, uint64_t now_ns)
{
	LACP_PORTS(lacp, p)
	{
		lacp_rx_expire(lacp, p, now_ns);
		lacp_marker_expire(p, now_ns);
	}
	pass(lacp, now_ns);
	return lacp_deadline(lacp);
}

uint64_t lacp_deadline(const struct lacp *lacp)
{
	uint64_t deadline = DEADLINE_NEVER;

	for (unsigned int i = 0; i < LACP_PORTS_MAX; i++) {
		const struct lacp_port *p = &lacp->ports[i];

		if (!p->used)
			continue;
		deadline = MIN(deadline, p->current_while_ns);
		deadline = MIN(deadline, lacp_mux_deadline(lacp, p));
		deadline = MIN(deadline, lacp_select_deadline(lacp, p));
		deadline = MIN(deadline, lacp_tx_deadline(p));
		if (p->rolling)
			deadline = MIN(deadline, p->roll_ns);
		if (p->marker == LACP_MARKER_PENDING)
			deadline = MIN(deadline, p->marker_ns);
		for (unsigned int end = 0; end < 2; end++)
			if (p->churn[end] == LACP_CHURN_MONITOR)
				deadline = MIN(deadline, p->churn_ns[end]);
	}
	return deadline;
}

uint32_t lacp_collecting(const struct lacp *lacp)
{
	uint32_t bits = 0;

	for (unsigned int i = 0; i < LACP_PORTS_MAX; i++)
		if (lacp->ports[i].used && lacp->ports[i].mux >= LACP_MUX_COLLECTING)
			bits |= 1u << i;
	return bits;
}

uint32_t lacp_distributing(const struct lacp *lacp)
{
	uint32_t bits = 0;

	for (unsigned int i = 0; i < LACP_PORTS_MAX; i++) {
		const struct lacp_port *p = &lacp->ports[i];

		if (p->used && p->mux == LACP_MUX_DISTRIBUTING && p->drain == LACP_DRAIN_NONE)
			bits |= 1u << i;
	}
	return bits;
}
