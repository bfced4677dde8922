/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * box_server.h - the daemon's side of the box: owns the machine's memory, does for clients what
 * changes ownership, cleans up after them.
 *
 * A client that dies is undone whole: its mappings unpinned, its ports unbound; with its last
 * connection a guest's domain dies.
 */
#ifndef XB_XEN_BOX_SERVER_H
#define XB_XEN_BOX_SERVER_H

#include <systemd/sd-event.h>

struct box_server;
struct store;

/** Listens on DIR/box.sock (mode 0600). -EADDRINUSE when another xenbox serves DIR. */
int box_server_create(struct box_server **out, sd_event *event, struct store *store,
		      const char *dir);
void box_server_destroy(struct box_server *server);

#endif
