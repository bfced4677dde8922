/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.h - the protocol of xenstored (Xen public io/xs_wire.h, docs/misc/xenstore.txt) on a store:
 * a request's bytes in, a reply's bytes out. No I/O: store_server.c has the sockets.
 * store_client.c, the other end, uses the permissions' text.
 */
#ifndef XB_XEN_WIRE_H
#define XB_XEN_WIRE_H

#include <errno.h>
#include <stdint.h>
/* Needs both of the above. */
#include <xen/io/xs_wire.h>

#include "store.h"

/** A message: the header, then hdr.len bytes of payload. One byte more, for a NUL of its reader's
 * own. */
struct wire_reply {
	struct xsd_sockmsg hdr;
	char payload[XENSTORE_PAYLOAD_MAX + 1];
};
#define WIRE_MESSAGE_MAX (sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX)

/**
 * Does one request. payload: hdr->len bytes, at most XENSTORE_PAYLOAD_MAX (a client that announces
 * more is to be disconnected). Any bytes are fine; what is wrong with them is in the reply
 * (XS_ERROR with a name such as "EINVAL").
 */
void wire_request(struct store_conn *conn, const struct xsd_sockmsg *hdr, const char *payload,
		  struct wire_reply *out);

/** Takes the connection's next event as a message; false: none. */
bool wire_event(struct store_conn *conn, struct wire_reply *out);

/** The errno of an error's name, EINVAL for an unknown one. */
int wire_errno(const char *name);

/** Bytes of a permission's text with its NUL, at most. */
#define WIRE_PERM_MAX 12u
/** Writes "r5" and its NUL: bytes written. Letters: n none, r read, w write, b both. */
size_t wire_perm_format(const struct xen_perm *perm, char text[WIRE_PERM_MAX]);
/** -EINVAL: not such a text. */
int wire_perm_parse(const char *text, struct xen_perm *perm);

#endif
