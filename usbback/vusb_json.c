/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vusb_json.c - a controller as people see it: counters and state. */
#include "vusb_priv.h"

#include <endian.h>

#include "util.h"

#define COUNTER(member, help)                                                                      \
	{                                                                                          \
#member, STAT_KIND_COUNTER, offsetof(struct vusb_stats, member), help              \
	}
const struct stat_desc vusb_stat_descs[] = {
	COUNTER(urbs, "requests taken from the guest"),
	COUNTER(urb_bytes_in, "bytes moved to the guest"),
	COUNTER(urb_bytes_out, "bytes moved from the guest"),
	COUNTER(host_transfers, "transfers that the requests became on the host"),
	COUNTER(merged_urbs, "requests that shared a transfer"),
	COUNTER(unlinks, "requests to unlink another"),
	COUNTER(resets, "resets of devices"),
	COUNTER(stalls, "requests that ended with a stall"),
	COUNTER(errors, "requests that ended with another failure"),
	COUNTER(malformed, "requests refused as malformed"),
	COUNTER(iso_packets, "isochronous packets"),
	COUNTER(iso_errors, "isochronous packets that failed"),
	COUNTER(notifies, "events sent to the guest"),
	COUNTER(to_idle, "pipes that went to IDLE"),
	COUNTER(to_wait, "pipes that went to WAIT"),
	COUNTER(to_data, "pipes that went to DATA"),
	COUNTER(to_failure, "pipes that went to FAILURE"),
	{"in_flight_max", STAT_KIND_GAUGE, offsetof(struct vusb_stats, in_flight_max),
	 "most requests held at once"},
};
const size_t vusb_n_stat_descs = ARRAY_SIZE(vusb_stat_descs);

static const char *speed_name(enum usb_device_speed speed)
{
	switch (speed) {
	case USB_SPEED_LOW:
		return "low";
	case USB_SPEED_FULL:
		return "full";
	case USB_SPEED_HIGH:
	case USB_SPEED_WIRELESS:
		return "high";
	case USB_SPEED_SUPER:
		return "super";
	case USB_SPEED_SUPER_PLUS:
		return "super-plus";
	case USB_SPEED_UNKNOWN:
		break;
	}
	return "unknown";
}

static const char *type_name(uint8_t type)
{
	static const char *const names[] = {
		[USB_ENDPOINT_XFER_CONTROL] = "control",
		[USB_ENDPOINT_XFER_ISOC] = "isochronous",
		[USB_ENDPOINT_XFER_BULK] = "bulk",
		[USB_ENDPOINT_XFER_INT] = "interrupt",
	};

	return names[type & USB_ENDPOINT_XFERTYPE_MASK];
}

static json_t *describe_pipe(const struct vusb_pipe *pipe)
{
	const struct coalesce_counters *c = &pipe->co.counters;
	json_t *to = json_object();

	for (unsigned int i = 0; i < COALESCE_STATES; i++)
		json_object_set_new(to, coalesce_state_name(i), json_integer((json_int_t)c->to[i]));
	return json_pack("{s:o, s:s, s:i, s:s, s:I, s:I, s:I, s:I, s:o}", "endpoint",
			 json_sprintf("0x%02x", pipe->endpoint->address), "type",
			 type_name(pipe->endpoint->type), "max_packet",
			 (int)pipe->endpoint->max_packet, "state",
			 pipe->n_iso ? "DATA" : coalesce_state_name(pipe->co.state), "urbs",
			 (json_int_t)c->requests, "transfers", (json_int_t)c->batches, "merged",
			 (json_int_t)c->merged, "bytes", (json_int_t)c->bytes, "transitions", to);
}

static json_t *describe_quirks(const struct quirks *quirks)
{
	json_t *list = json_array();

	if (quirks->no_merge)
		json_array_append_new(list, json_string("no-merge"));
	if (quirks->zlp)
		json_array_append_new(list, json_string("zlp"));
	if (quirks->clear_halt_host)
		json_array_append_new(list, json_string("clear-halt=host"));
	if (quirks->reset == QUIRK_RESET_NEVER)
		json_array_append_new(list, json_string("reset=never"));
	if (quirks->read_ahead)
		json_array_append_new(list, json_sprintf("read-ahead=%u", quirks->read_ahead));
	return list;
}

static json_t *describe_port(const struct vusb_port *port)
{
	json_t *pipes = json_array();

	for (unsigned int i = 0; i < VUSB_PIPES; i++)
		if (port->pipes[i].endpoint)
			json_array_append_new(pipes, describe_pipe(&port->pipes[i]));
	return json_pack("{s:i, s:s, s:o, s:s, s:i, s:i, s:o, s:b, s:o}", "port", (int)port->number,
			 "device", port->device.name, "id",
			 json_sprintf("%04x:%04x", le16toh(port->descriptor.idVendor),
				      le16toh(port->descriptor.idProduct)),
			 "speed", speed_name(port->host->speed), "address",
			 (int)port->view->address, "configuration", (int)port->view->configuration,
			 "quirks", describe_quirks(&port->device.quirks), "preparing",
			 (int)port->preparing, "pipes", pipes);
}

json_t *vusb_describe(struct vusb *vusb)
{
	json_t *ports = json_array();

	for (unsigned int i = 1; i <= vusb->config.n_ports; i++)
		if (vusb->ports[i].host)
			json_array_append_new(ports, describe_port(&vusb->ports[i]));
	return json_pack("{s:i, s:i, s:s, s:o}", "requests",
			 (int)(vusb->urb_ring.req_cons - vusb->urb_ring.rsp_prod), "ring_slots",
			 (int)vusb->urb_ring.size, "failure", vusb->failure ? vusb->failure : "",
			 "ports", ports);
}
