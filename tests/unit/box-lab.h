/* SPDX-License-Identifier: GPL-2.0-or-later */
/* box-lab.h - a xenbox of a test's own, and processes that meet in it: box-lab.c. */
#ifndef XB_BOX_LAB_H
#define XB_BOX_LAB_H

#include <sys/types.h>

#include "xen/ops.h"

#define GUEST 7

/** What the two ends keep in the guest's page. */
struct page {
	uint32_t question; /**< by the guest, with the payload filled with its low byte */
	uint32_t answer;   /**< by the backend */
	uint8_t payload[XEN_PAGE_SIZE - 8];
};

/** Also in children, where cmocka's assertions would run on into the parent's tests. */
#define CHECK(condition) box_lab_check(condition, #condition, __FILE__, __LINE__)

void box_lab_check(bool good, const char *what, const char *file, int line);

/** Where the daemon's sockets are. */
extern char box_lab_dir[];
extern pid_t box_lab_pid;
/** cmocka's setup and teardown of a group. XENBACK_BUILD says where the daemon is. */
int box_lab_start(void **state);
int box_lab_stop(void **state);
/** Another daemon for the same directory; notify: systemd's socket, or "". */
pid_t box_lab_spawn_daemon(const char *notify);

/** A domain with one handle of each kind. */
struct party {
	struct xen *xen;
	const struct xen_ops *ops;
	struct xen_gnt *gnt;
	struct xen_evt *evt;
	struct xen_shr *shr;
};

void party_open(struct party *p, uint16_t domid);
void party_close(struct party *p);
/** Afterwards the daemon has seen what happened before, the death of others for one. */
void party_settle(struct party *p);
/** Waits for a port, of which there is one; leaves it masked. */
void party_await(struct party *p, uint32_t port);
/** Copies to or from a page of the guest: the status. */
int party_copy_from(struct party *p, uint32_t ref, uint16_t offset, void *to, uint16_t len);
int party_copy_to(struct party *p, uint32_t ref, uint16_t offset, const void *from, uint16_t len);

/** What a child tells its parent. */
struct offer {
	uint32_t ref, port;
};

/** A guest's page and port, for domain 0. */
struct page *party_offer(struct party *guest, struct offer *offer);

/** A process that runs fn; *from_child is the other end of its to_parent. */
pid_t child_start(void (*fn)(int to_parent, const struct offer *arg), const struct offer *arg,
		  int *from_child);
void child_kill(pid_t pid);
void child_tell(int to_parent, const struct offer *offer);
struct offer child_hear(int from_child);

#endif
