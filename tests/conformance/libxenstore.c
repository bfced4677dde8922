/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libxenstore.c - Xen's own library against the box: the store half of real.c on the socket that
 * XENSTORED_PATH names, and what it makes of a xenstored that restarts.
 *
 * conformance-libxenstore PID: SIGUSR1 makes that xenbox cut all connections to the store.
 */
#include "conformance.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "xen/real.h"

/* Debian 12's library forgets the text of an event that it drops at xs_unwatch. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libxenstore\n";
}

static const struct xen_ops store_ops = {
	.name = "libxenstore",
	.store_open = real_store_open,
	.store_close = real_store_close,
	.store_fd = real_store_fd,
	.store_read = real_store_read,
	.store_write = real_store_write,
	.store_mkdir = real_store_mkdir,
	.store_rm = real_store_rm,
	.store_list = real_store_list,
	.store_get_perms = real_store_get_perms,
	.store_set_perms = real_store_set_perms,
	.store_watch = real_store_watch,
	.store_unwatch = real_store_unwatch,
	.store_event = real_store_event,
	.txn_start = real_txn_start,
	.txn_end = real_txn_end,
};

static int read_top(struct party *p)
{
	char *value;
	int rc = p->ops->store_read(p->store, XEN_TXN_NONE, TOP, &value, NULL);

	if (rc == 0)
		free(value);
	return rc;
}

/* Events until there is none or an error. */
static int drain(struct party *p)
{
	char *path, *token;
	int rc;

	while ((rc = p->ops->store_event(p->store, &path, &token)) == 1) {
		free(path);
		free(token);
	}
	return rc;
}

static bool reopen(struct party *p)
{
	p->ops->store_close(p->store);
	return check_int(p->ops->store_open(p->xen, &p->store), 0, "open the store again");
}

/* Who only listens is told, too. */
static void test_listener(struct party *p, pid_t box)
{
	struct pollfd fd = {.fd = p->ops->store_fd(p->store), .events = POLLIN};

	p->ops->store_mkdir(p->store, XEN_TXN_NONE, TOP);
	p->ops->store_watch(p->store, TOP, "t");
	check_int(poll(&fd, 1, 5000), 1, "a watch fires");
	check_int(drain(p), 0, "events are read until there is none");
	check_int(poll(&fd, 1, 0), 0, "then the descriptor is silent");
	kill(box, SIGUSR1);
	check_int(poll(&fd, 1, 5000), 1, "it is readable when the connection is lost");
	check_int(drain(p), -EIO, "which the next event says");
	check_int(read_top(p), -EIO, "and every request");
	check_int(p->ops->store_unwatch(p->store, TOP, "t"), -EIO, "of any kind");
	if (!reopen(p))
		return;
	check_int(read_top(p), 0, "nodes are still there");
	check_int(p->ops->store_unwatch(p->store, TOP, "t"), -ENOENT, "watches are not");
}

/* A request that meets the loss half-way; the library then says EINVAL. */
static void test_requests(struct party *p, pid_t box)
{
	unsigned int n_other = 0, n_lost = 0;

	for (int round = 0; round < 50; round++) {
		int rc = p->ops->store_watch(p->store, TOP, "t");

		kill(box, SIGUSR1);
		while (rc == 0)
			rc = read_top(p);
		n_lost += rc == -EIO;
		n_other += rc != -EIO;
		p->ops->store_close(p->store);
		/* Cut while it is opened: try again. */
		for (rc = -1; rc < 0;) {
			if (p->ops->store_open(p->xen, &p->store) < 0)
				continue;
			rc = read_top(p);
			if (rc < 0)
				p->ops->store_close(p->store);
		}
	}
	check_int(n_other, 0, "a request on a lost connection fails with EIO only");
	check_int(n_lost, 50, "each of 50 times");
}

int main(int argc, char **argv)
{
	struct xen xen = {.ops = &store_ops};
	struct party p = {.xen = &xen, .ops = &store_ops};
	struct world w = {.real = true};
	pid_t box = argc == 2 ? (pid_t)atoi(argv[1]) : 0;
	uint16_t domid = 99;

	if (box <= 1) {
		fputs("Usage: conformance-libxenstore PID-OF-XENBOX\n", stderr);
		return 2;
	}
	setlinebuf(stdout);
	if (store_ops.store_open(&xen, &p.store) < 0) {
		puts("Bail out! no store at XENSTORED_PATH");
		return 1;
	}
	check_int(real_store_domid(&domid), 0, "ask the store which domain we are");
	check_int(domid, 0, "domain 0");
	w.back = w.front = p;
	conformance_storage(&w);
	conformance_watches(&w);
	test_listener(&p, box);
	test_requests(&p, box);
	store_ops.store_rm(p.store, XEN_TXN_NONE, TOP);
	store_ops.store_close(p.store);
	return checks_done();
}
