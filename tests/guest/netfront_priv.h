/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netfront_priv.h - what netfront.c (life), netfront_keys.c (store), netfront_ring.c (data) and
 * netfront_evil.c (misbehaviour) share. */
#ifndef XB_TESTS_NETFRONT_PRIV_H
#define XB_TESTS_NETFRONT_PRIV_H

#include "netfront.h"

#include "ring_fill.h"
#include "xen/xenbus.h"

#define NF_TXN_TRIES 100

struct nf_queue {
	struct netfront *nf;
	unsigned int index;
	struct ring_front tx, rx;
	void *tx_page, *rx_page;    /**< the shared rings; NULL: not allocated */
	uint8_t *tx_data, *rx_data; /**< NETFRONT_RING_SLOTS pages each */
	uint32_t tx_ref, rx_ref;
	uint32_t tx_port, rx_port; /**< equal when shared; 0 = none */
	uint32_t tx_refs[NETFRONT_RING_SLOTS], rx_refs[NETFRONT_RING_SLOTS];
	uint16_t tx_free[NETFRONT_RING_SLOTS]; /**< stack of free TX pages: the last used one is
						  warm */
	unsigned int n_tx_free;
	bool tx_busy[NETFRONT_RING_SLOTS]; /**< the page belongs to a request */
	bool stalled;			   /**< posts no RX buffers */
	uint32_t tx_seen,
		rx_seen;    /**< responses at the last event: one without new ones is spurious */
	uint32_t unflushed; /**< slots queued since the last push */
	uint32_t rx_left;   /**< responses of a frame whose end is not there yet */
	uint32_t armed;	    /**< rsp_event of the RX ring as we set it */
};

struct netfront {
	struct xen *xen;
	const struct xen_ops *ops;
	struct xen_store *store;
	struct xen_evt *evt;
	struct xen_shr *shr;
	struct netfront_options options;
	struct netfront_info info;
	struct netfront_stats stats;
	enum xenbus_state own, peer; /**< state nodes as last written, as last read */
	bool cycle_due;		     /**< CLOSE_CYCLE: not done yet */
	bool reopen;		     /**< after the closing that runs */
	bool broken;		     /**< the backend corrupted a ring: left alone until reopened */
	enum netfront_evil evil;     /**< to be done as soon as we are connected; NONE */
	enum netfront_evil evil_store; /**< to be done at each handshake; NONE */
	bool lied; /**< we broke the rules first: the backend's answers are no complaints */
	unsigned int rewrites; /**< rounds that are left of NETFRONT_EVIL_REWRITE */
	struct nf_queue queues[NETFRONT_QUEUES_MAX];
};

/** Counts a broken rule; the first text stays. */
void nf_complain(struct netfront *nf, const char *what);
/** Allocates rings and pages of queue i, fills its RX ring. */
int nf_queue_open(struct netfront *nf, unsigned int i);
/** Unbinds and frees; pages that the backend still maps stay until netfront_destroy, a complaint
 * unless `forced`. */
void nf_queue_close(struct nf_queue *q, bool forced);
/** Takes and gives what waits in both rings; true when there was something. */
bool nf_queue_poll(struct nf_queue *q);
/** Asks for an event for the next received frame, unless that is done; then looks again: true when
 * one came in between. */
bool nf_queue_arm(struct nf_queue *q);
void nf_notify(struct netfront *nf, uint32_t port);

/** A node; NULL when it cannot be read, else to free(). */
char *nf_read(struct netfront *nf, xen_txn txn, const char *dir, const char *key);
/** A decimal number; `absent` when there is none. */
uint32_t nf_read_number(struct netfront *nf, const char *dir, const char *key, uint32_t absent);
/** Writes a key of the frontend's directory. */
int nf_write(struct netfront *nf, xen_txn txn, const char *key, const char *value);
/** SG, GSO_*, CSUM_* that both sides have. */
uint32_t nf_backend_features(struct netfront *nf);
/** Writes all keys of a connect; several: the backend knows of queues, tell it how many. */
int nf_publish(struct netfront *nf, bool several);

/** Writes our state node, if it is still there, and remembers it. -ENOENT: the toolstack removed
 * the device. */
int nf_write_state(struct netfront *nf, enum xenbus_state state);
/** State 1 with new rings, the old ones left behind as they are. */
int nf_restart(struct netfront *nf, bool forced);

/** Performs nf->evil if it can. */
void nf_evil_act(struct netfront *nf);
/** Another round of slots that change under the backend's eyes; true while there are more. */
bool nf_evil_rewrite(struct netfront *nf);
/** What to write for a key in place of `value`; NULL: leave the key out. buf: room for a long
 * value. */
#define NF_LONG_VALUE 2000
const char *nf_evil_value(const struct netfront *nf, const char *key, const char *value,
			  char buf[NF_LONG_VALUE + 1]);

#endif
