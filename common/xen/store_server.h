/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store_server.h - serves a store on two unix sockets: DIR/xenstored.sock, where every client is
 * domain 0 and Xen's own tools work (XENSTORED_PATH), and DIR/guest.sock, where a client first says
 * which domain it is: 4 bytes, little endian, 1..32751.
 *
 * A guest's first connection introduces its domain, and the last one releases it, unless somebody
 * else had introduced it before.
 */
#ifndef XB_XEN_STORE_SERVER_H
#define XB_XEN_STORE_SERVER_H

#include <systemd/sd-event.h>

#define STORE_SERVER_CONNS_MAX 512u

struct store;
struct store_server;

/**
 * Listens (mode 0600) and serves from the loop. The store and the loop must outlive it. -EADDRINUSE
 * when another server answers in dir (what a dead one left is replaced); -ENAMETOOLONG.
 */
int store_server_create(struct store_server **out, sd_event *event, struct store *store,
			const char *dir);
/** Closes everything and removes the sockets. NULL is fine. */
void store_server_destroy(struct store_server *server);
/** Closes all connections, as a restart of xenstored does; their watches and transactions are gone,
 * domains and nodes stay. */
void store_server_drop_all(struct store_server *server);

#endif
