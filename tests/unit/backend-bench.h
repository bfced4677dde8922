/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backend-bench.h - a machine to try the scanner on: a fake Xen, a toolstack, guests, a dummy
 * driver.
 *
 * Every state that the scanner commits is kept in a trail per device ("256" = InitWait, Closing,
 * Closed), taken where the transaction ends.
 */
#ifndef XB_TEST_BACKEND_BENCH_H
#define XB_TEST_BACKEND_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "clock.h"
#include "util.h"
#include "xen/backend.h"
#include "xen/fake.h"

#define BENCH_START_NS 1000000000000ull

/* What the dummy driver did with one device. */
struct bench_vif {
	struct backend_device *dev;
	unsigned int n_connects;
	bool connected, adopted;
};

struct bench {
	struct fake *fake;
	struct xen *dom0;
	struct xen_ops ops;	    /* the fake's, with spies */
	const struct xen_ops *real; /* the fake's */
	struct clock clock;
	struct backend *backend;
	struct backend_driver driver;
	struct xen_store *tool; /* the toolstack's connection */

	/* The driver. */
	unsigned int n_created, n_destroyed, n_published, n_connected, n_disconnected,
		n_reconfigured;
	int create_result; /* what the driver's functions return; 0 = success */
	int publish_result, connect_result, reconfigure_result;
	const char *create_error, *connect_error; /* what they say then */
	void (*on_connect)(struct bench *bench, struct backend_device *dev);
	char changed[256]; /* names of changed keys, each followed by a blank */

	/* The scanner's calls of the store. */
	void (*on_write)(struct bench *bench, const char *path); /* before it writes or removes */
	int watch_result;					 /* of its watches on frontends */
	unsigned int n_calls;					 /* so far */
	unsigned int die_at;  /* the store goes down at this call; 0: never */
	const char *storm;    /* a node written again whenever the scanner has read of it */
	unsigned int n_storm; /* so many times more */

	/* The spy. */
	char trail[64];	  /* committed states of all devices */
	char pending[64]; /* of the transaction that is open */
	unsigned int n_writes;

	/* The log. */
	unsigned int n_warnings;
	char last_warning[512];
};

/* cmocka's setup and teardown: *state is a struct bench; the scanner isn't started. */
int bench_setup(void **state);
int bench_teardown(void **state);

void bench_start(struct bench *bench);
/* Kills the scanner as a restart of the daemon does. */
void bench_stop(struct bench *bench);
/* Runs until nothing is due now and no event waits. */
void bench_run(struct bench *bench);
/* Moves the clock, then runs. */
void bench_wait_ms(struct bench *bench, unsigned int ms);

/* The toolstack's and the guest's hands. */
void bench_write(struct bench *bench, const char *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void bench_rm(struct bench *bench, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* NULL when there is no such node; else to free(). */
char *bench_read(struct bench *bench, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool bench_exists(struct bench *bench, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Directories as libxl writes them, in one transaction. be, fe: the states to begin with. */
void bench_attach(struct bench *bench, unsigned int domid, unsigned int devid, unsigned int be,
		  unsigned int fe);
/* What xl network-detach writes: online = 0 and state = 5 in one transaction. */
void bench_detach(struct bench *bench, unsigned int domid, unsigned int devid);
/* The hotplug script is done. */
void bench_hotplug(struct bench *bench, unsigned int domid, unsigned int devid);
/* The guest writes its state. */
void bench_frontend(struct bench *bench, unsigned int domid, unsigned int devid, unsigned int fe);
/* This node is written n times, as fast as the scanner reads of it. */
void bench_storm(struct bench *bench, const char *path, unsigned int n);
/* Attach, hotplug, frontend 4, run: a device that works. */
void bench_connect(struct bench *bench, unsigned int domid, unsigned int devid);

/* xenstored dies, and comes back with what it had. */
void bench_store_goes(struct bench *bench);
void bench_store_comes(struct bench *bench);

/* Asserts on our state node and on what was committed since the last call. */
void bench_expect_state(struct bench *bench, unsigned int domid, unsigned int devid, int state);
void bench_expect_trail(struct bench *bench, const char *trail);
struct bench_vif *bench_vif(struct bench *bench, unsigned int domid, unsigned int devid);

#endif
