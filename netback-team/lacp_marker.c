/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lacp_marker.c - the Marker protocol (802.1AX-2014 6.5), see lacp.h: markers of the partner are
 * answered at once, own ones show that a link has delivered all that was sent. */
#include "lacp_priv.h"

#include <errno.h>
#include <string.h>

static int send_marker(struct lacp *lacp, struct lacp_port *p, enum lacp_frame_kind kind,
		       const struct lacp_marker *marker, uint64_t now_ns)
{
	uint8_t frame[LACP_FRAME_LEN];

	if (!lacp_window_take(&p->markers, now_ns))
		return -EAGAIN;
	lacp_marker_build(frame, p->link.mac, kind, marker);
	if (lacp->ops.send(lacp->ops.ctx, lacp_index(lacp, p), frame) < 0) {
		p->counters.n_tx_errors++;
		return -EAGAIN;
	}
	return 0;
}

void lacp_marker_request(struct lacp *lacp, struct lacp_port *p, const struct lacp_marker *marker,
			 uint64_t now_ns)
{
	p->counters.n_marker_rx++;
	if (p->link.carrier && send_marker(lacp, p, LACP_FRAME_RESPONSE, marker, now_ns) == 0)
		p->counters.n_response_tx++;
	else
		p->counters.n_response_missed++;
}

void lacp_marker_response(struct lacp_port *p, const struct lacp_marker *marker)
{
	p->counters.n_response_rx++;
	if (p->marker == LACP_MARKER_PENDING && marker->transaction == p->transaction &&
	    marker->port == p->actor.port &&
	    memcmp(marker->system, p->actor.system, sizeof(marker->system)) == 0)
		p->marker = LACP_MARKER_ANSWERED;
}

void lacp_marker_expire(struct lacp_port *p, uint64_t now_ns)
{
	if (p->marker == LACP_MARKER_PENDING && now_ns >= p->marker_ns)
		p->marker = LACP_MARKER_LOST;
}

int lacp_marker_send(struct lacp *lacp, unsigned int port, uint64_t now_ns)
{
	struct lacp_port *p = port < LACP_PORTS_MAX ? &lacp->ports[port] : NULL;
	struct lacp_marker marker = {0};
	int rc;

	if (!p || !p->used)
		return -EINVAL;
	if (p->mux < LACP_MUX_COLLECTING || p->partner_default)
		return -ENOTCONN;
	if (p->marker == LACP_MARKER_PENDING)
		return -EBUSY;
	marker.port = p->actor.port;
	memcpy(marker.system, p->actor.system, sizeof(marker.system));
	marker.transaction = ++p->transaction;
	rc = send_marker(lacp, p, LACP_FRAME_MARKER, &marker, now_ns);
	if (rc < 0)
		return rc;
	p->counters.n_marker_tx++;
	p->marker = LACP_MARKER_PENDING;
	p->marker_ns = now_ns + LACP_MARKER_NS;
	return 0;
}

enum lacp_marker_result lacp_marker_result(const struct lacp *lacp, unsigned int port)
{
	return port < LACP_PORTS_MAX ? lacp->ports[port].marker : LACP_MARKER_NONE;
}
