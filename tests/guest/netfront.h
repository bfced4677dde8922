/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netfront.h - a complete netif frontend over struct xen_ops: what the guest's driver does, well or
 * badly.
 *
 * Works on the fake, in the box and on the real Xen. The program that plays a guest
 * (tools/xenbox-guest.c), the load generator (tests/bench/bench-vif-load.c) and tests use it.
 *
 * Theory of Operation. One object is one vif. It never blocks and has no time of its own: the
 * caller waits on its descriptors and calls netfront_run. Buffer pages are granted once, at
 * connect, and their references are reused for ever; frames are read directly into those of the TX
 * side and handed out directly from those of the RX side. Requests stay private until
 * netfront_flush, and events are sent and asked for only where they are needed: no event for TX
 * responses unless the ring is full. The handshake is Linux's: 1, wait for the backend's 2, keys
 * and 4; after the backend's 5 or 6 it goes to 6. As a frontend should, it also checks the backend:
 * every rule that the backend breaks is counted in `complaints` (netfront_stats).
 *
 * One thread a netfront. Errors: 0 or -errno.
 */
#ifndef XB_TESTS_NETFRONT_H
#define XB_TESTS_NETFRONT_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "xen/ops.h"
#include "xen/ring.h"

#define NETFRONT_QUEUES_MAX 16u
#define NETFRONT_RING_SLOTS 256u
#define NETFRONT_FRAME_SLOTS                                                                       \
	18u /**< data slots that every backend takes (XEN_NETIF_NR_SLOTS_MIN) */
#define NETFRONT_FRAME_MAX 65535u
#define NETFRONT_FDS	   2u
/** Response ids from here on are the caller's own (netfront_tx_ring). */
#define NETFRONT_ID_USER 0x8000u

struct netfront;

/** What the frontend offers and uses. */
enum netfront_feature {
	NETFRONT_FEATURE_SG = 1u << 0,
	NETFRONT_FEATURE_GSO_TCPV4 = 1u << 1,
	NETFRONT_FEATURE_GSO_TCPV6 = 1u << 2,
	NETFRONT_FEATURE_CSUM_IPV4 = 1u << 3, /**< absent: feature-no-csum-offload = 1 */
	NETFRONT_FEATURE_CSUM_IPV6 = 1u << 4,
	NETFRONT_FEATURE_RX_NOTIFY = 1u << 5,
	NETFRONT_FEATURE_SPLIT = 1u << 6, /**< an event channel for each direction */
	NETFRONT_FEATURE_MULTI_QUEUE = 1u << 7,
	NETFRONT_FEATURE_MCAST = 1u << 8, /**< request-multicast-control */
	NETFRONT_FEATURE_CLOSE_CYCLE =
		1u << 9, /**< 5 and 6 before the first connect, as Windows does */
};

/**
 * Parses a list as "linux", "ipxe,-sg", "none,sg,csum-ipv4": a system's set (linux, windows, ipxe,
 * netbsd, none, all; first) and single features, with "-" to take away. -EINVAL with a sentence in
 * error.
 */
int netfront_features_parse(const char *list, uint32_t *features, char *error, size_t error_size);

/** "00:16:3e:00:00:01"; -EINVAL. */
int netfront_mac_parse(const char *text, uint8_t mac[6]);

/** What a guest may do wrong. The store's kinds show at the next handshake, the others once, as
 * soon as it is connected. */
enum netfront_evil {
	NETFRONT_EVIL_NONE,
	NETFRONT_EVIL_REQ_PROD,	    /**< request index 1000 ahead */
	NETFRONT_EVIL_GREF,	    /**< a reference that was never granted */
	NETFRONT_EVIL_OVERRUN,	    /**< offset + size beyond the page */
	NETFRONT_EVIL_FRAGS_19,	    /**< more slots than promised */
	NETFRONT_EVIL_FRAGS_40,	    /**< many more */
	NETFRONT_EVIL_EXTRAS_CHAIN, /**< 200 extra infos on one frame */
	NETFRONT_EVIL_EXTRAS_CUT,   /**< the last one says that more follow, none does */
	NETFRONT_EVIL_EXTRA_TYPE,   /**< an extra info of type 77 */
	NETFRONT_EVIL_SIZES,	    /**< fragments that are longer than the frame */
	NETFRONT_EVIL_ZERO_FRAGS,   /**< fragments of size 0 (legal) */
	NETFRONT_EVIL_SHORT_FRAGS,  /**< size 65535, fragments of 100 bytes */
	NETFRONT_EVIL_TINY_SLOTS,   /**< 18 slots with 126 bytes in all (legal) */
	NETFRONT_EVIL_RUNT,	    /**< a frame of 5 bytes */
	NETFRONT_EVIL_GSO_ZERO,	    /**< GSO with segment size 0 */
	NETFRONT_EVIL_GSO_TYPE,	    /**< GSO of type 9 */
	NETFRONT_EVIL_GSO_JUNK,	    /**< GSO and blank checksum on bytes that are no IP */
	NETFRONT_EVIL_REWRITE,	    /**< slots that change while the backend reads them */
	NETFRONT_EVIL_REVOKE,	    /**< a grant that ends after the push */
	NETFRONT_EVIL_SPOOF,	    /**< a foreign source address */
	NETFRONT_EVIL_STALL,	    /**< no RX buffers from now on */
	NETFRONT_EVIL_RX_GREF,	    /**< RX buffers that were never granted */
	NETFRONT_EVIL_RX_PROD,	    /**< RX request index 1000 ahead */
	NETFRONT_EVIL_EVENTS,	    /**< 100000 events without a reason */
	NETFRONT_EVIL_STATES,	    /**< 5000 writes to the state node */
	NETFRONT_EVIL_RESET,	    /**< state 1 without closing, then a new handshake */
	NETFRONT_EVIL_VANISH,	    /**< the state node is removed */
	NETFRONT_EVIL_STORE_FIRST,  /* from here on: keys */
	NETFRONT_EVIL_QUEUES_0 = NETFRONT_EVIL_STORE_FIRST,
	NETFRONT_EVIL_QUEUES_4096,
	NETFRONT_EVIL_QUEUES_TEXT,
	NETFRONT_EVIL_REF_TEXT,	 /**< ring references that are no numbers */
	NETFRONT_EVIL_REF_HUGE,	 /**< beyond 32 bits */
	NETFRONT_EVIL_REF_WRONG, /**< not granted */
	NETFRONT_EVIL_REF_MISSING,
	NETFRONT_EVIL_PORT_WRONG,
	NETFRONT_EVIL_PORT_MISSING,
	NETFRONT_EVIL_NO_RX_COPY,  /**< no request-rx-copy */
	NETFRONT_EVIL_LONG_VALUES, /**< 2000 bytes in every key */
	NETFRONT_EVIL_COUNT
};

/** "bad-req-prod" ...; NULL for NONE and beyond COUNT. */
const char *netfront_evil_name(enum netfront_evil kind);
/** -EINVAL where there is no such kind. */
int netfront_evil_parse(const char *name, enum netfront_evil *kind);

enum netfront_state {
	NETFRONT_STATE_WAITING,	   /**< Initialising: for the backend's InitWait */
	NETFRONT_STATE_CONNECTING, /**< Connected: for the backend's Connected */
	NETFRONT_STATE_RUNNING,	   /**< both are Connected */
	NETFRONT_STATE_CLOSING,	   /**< netfront_close: 5 or 6 written, for the backend's answer */
	NETFRONT_STATE_CLOSED,	   /**< Closed; netfront_reopen begins anew */
};
const char *netfront_state_name(enum netfront_state state);

/** A received frame, in the granted pages; gone when the callback returns. */
struct netfront_frame {
	struct virtio_net_hdr vnet;
	uint32_t len;
	unsigned int n_iov;
	struct iovec iov[NETFRONT_FRAME_SLOTS + 1];
};

struct netfront_options {
	uint32_t devid; /**< /local/domain/N/device/vif/DEVID */
	unsigned int
		n_queues;    /**< at most, 1 to NETFRONT_QUEUES_MAX; the backend may allow fewer */
	uint32_t features;   /**< NETFRONT_FEATURE_* */
	uint32_t head_bytes; /**< the first slot of a longer frame holds so many (Linux: the
				headers), 0 = a page */
	enum netfront_evil evil;
	/** A frame came in. NULL: frames are counted and thrown away without a look at the payload.
	 */
	void (*receive)(void *ctx, unsigned int queue, const struct netfront_frame *frame);
	/** The state changed; `why` is static text. May call netfront_reopen. NULL: not wanted. */
	void (*changed)(void *ctx, enum netfront_state state, const char *why);
	void *ctx;
};

struct netfront_info {
	enum netfront_state state;
	uint8_t mac[6];
	uint32_t mtu;	       /**< the toolstack's, 1500 where it said nothing */
	unsigned int n_queues; /**< negotiated; 0 before the handshake */
	uint32_t tx_features;  /**< SG, GSO_*, CSUM_* that we may use towards the backend */
	char frontend[64];     /**< /local/domain/3/device/vif/0 */
	char backend[128];
	uint16_t backend_domid;
};

struct netfront_stats {
	uint64_t tx_frames, tx_bytes; /**< pushed */
	uint64_t tx_gso;
	uint64_t tx_responses; /**< of every slot, extras included */
	uint64_t tx_errors;    /**< answered ERROR */
	uint64_t tx_dropped;   /**< answered DROPPED */
	uint64_t rx_frames, rx_bytes;
	uint64_t rx_gso;
	uint64_t rx_errors;  /**< slots with a negative status */
	uint64_t events;     /**< received */
	uint64_t spurious;   /**< received without a new response */
	uint64_t notifies;   /**< sent */
	uint64_t complaints; /**< times the backend broke the protocol */
	char complaint[128]; /**< the first of them, "" = none */
};

/** Opens the device; -ENOENT when the toolstack has not written it (completely). Call netfront_run
 * at once and after every wake. */
int netfront_create(struct netfront **out, struct xen *xen, const struct netfront_options *options);
/** Frees everything at once, writes no state: a guest that dies. */
void netfront_destroy(struct netfront *nf);

/** Descriptors to wait on for POLLIN; their number. They stay the same until netfront_destroy. */
unsigned int netfront_fds(const struct netfront *nf, int fds[NETFRONT_FDS]);

/** Handles store events, event channels and rings. 1 when there may be more to do at once, 0 when
 * not, -EIO when the store is lost. */
int netfront_run(struct netfront *nf);
/** Only looks into the rings, without a system call where there is nothing; true when something was
 * done. */
bool netfront_poll(struct netfront *nf);

const struct netfront_info *netfront_info(const struct netfront *nf);
const struct netfront_stats *netfront_stats(const struct netfront *nf);

/**
 * Places for the next frame of up to max_bytes: granted pages, the first of head_bytes where that
 * is set. Fills iov (room for NETFRONT_FRAME_SLOTS) and returns the number of pieces; 0 when the
 * ring is full (an event will come) or not connected. Nothing is taken until netfront_tx_commit.
 */
unsigned int netfront_tx_buffers(struct netfront *nf, unsigned int queue, uint32_t max_bytes,
				 struct iovec *iov);
/**
 * Queues the frame of len bytes (14 to max_bytes) that was written there. vnet: NEEDS_CSUM,
 * DATA_VALID and TCP GSO as AF_PACKET and TAP give them. -EOPNOTSUPP where the negotiated features
 * do not allow it, -EMSGSIZE too long: then nothing is queued.
 */
int netfront_tx_commit(struct netfront *nf, unsigned int queue, uint32_t len,
		       const struct virtio_net_hdr *vnet);
/** Publishes what was queued, and notifies the backend where it wants that. */
void netfront_flush(struct netfront *nf, unsigned int queue);
/** The three of them with a copy; -EAGAIN when the ring is full. */
int netfront_send(struct netfront *nf, unsigned int queue, const struct iovec *iov,
		  unsigned int n_iov, const struct virtio_net_hdr *vnet);
/** Asks the backend to let a multicast address pass, or no longer (XEN_NETIF_EXTRA_TYPE_MCAST_ADD,
 * _DEL). */
int netfront_mcast(struct netfront *nf, const uint8_t mac[6], bool add);

/**
 * The TX ring itself, for requests with ids >= NETFRONT_ID_USER and grants of the caller's own
 * (ring_fill.h); push by netfront_flush. NULL when not connected.
 */
struct ring_front *netfront_tx_ring(struct netfront *nf, unsigned int queue);
/** Takes TX responses; true when the ring has room for `slots`, else an event will come. */
bool netfront_tx_room(struct netfront *nf, unsigned int queue, unsigned int slots);

/** Begins the clean way out: 5, the backend's answer, 6, its answer, then NETFRONT_STATE_CLOSED. */
int netfront_close(struct netfront *nf);
/** From CLOSED: state 1 and a new handshake, with new rings. -EINVAL elsewhere. */
int netfront_reopen(struct netfront *nf);

/** Does it now if connected, else when it is; see enum netfront_evil. Store kinds: at the next
 * handshake. */
int netfront_misbehave(struct netfront *nf, enum netfront_evil kind);

#endif
