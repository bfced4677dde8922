/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vif.h - one guest interface as its worker sees it: queues of rings, what the frontend can do,
 * counters.
 *
 * Lifetime: the control thread (vifdev.c) reads the frontend's keys into a vif_config and calls
 * vif_open, which maps and binds inside the worker; vif_close undoes it. Between the two everything
 * here belongs to the worker thread; the control thread only reads counters.
 */
#ifndef XB_NET_VIF_H
#define XB_NET_VIF_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "decide.h"
#include "delays.h"
#include "guard.h"
#include "meter.h"
#include "pin.h"
#include "qos.h"
#include "stats.h"
#include "xen/ring.h"

#define VIF_QUEUES_MAX 16u
#define VIF_RXQ_BYTES_MAX                                                                          \
	524288u /**< frames waiting for RX requests, a queue (XSA-392: by bytes) */
#define VIF_RXQ_FRAMES_MAX  1024u
#define VIF_DRAIN_NS	    10000000000ull /**< a frame waits at most so long */
#define VIF_DRAIN_NOTIFY_NS 30000000ull	   /**< ... for frontends without feature-rx-notify */
#define VIF_STALL_NS	    60000000000ull /**< no RX request for so long: the guest takes no frames */

struct trace;
struct worker;

struct vif_queue_config {
	uint32_t tx_ref, rx_ref;
	uint32_t tx_port, rx_port; /**< the guest's; equal: one shared event channel */
};

/** What connect read from the store, checked. */
struct vif_config {
	uint16_t domid;
	uint32_t devid;
	char name[32]; /**< "vif3.0" */
	uint8_t mac[6];
	unsigned int n_queues;
	struct vif_queue_config queues[VIF_QUEUES_MAX];
	/* The frontend's features. */
	bool sg, gso_tcpv4, gso_tcpv6;
	bool csum_ipv4, csum_ipv6; /**< takes partial checksums */
	bool rx_notify;
	/* Policy. */
	bool mcast_control; /**< request-multicast-control */
	bool learning, antispoof;
	bool csum_fill; /**< complete every checksum in software (router guests) */
	struct qos_vif qos;
	char pin[PIN_LIST_MAX + 1]; /**< members in fallback order, checked by pin_set */
	bool confine;
	struct guard_profile guard; /**< all zeros: not watched for attacks */
};

struct vif_stats {
	uint64_t tx_packets, tx_bytes; /**< from the guest */
	uint64_t tx_gso_packets;
	uint64_t tx_errors;	       /**< malformed or grant copy failed */
	uint64_t tx_spoofed;	       /**< source address not the guest's */
	uint64_t tx_limited;	       /**< over the limit that answers an attack (guard.h) */
	uint64_t tx_control;	       /**< link-local control frames, never forwarded */
	uint64_t tx_no_member;	       /**< no member of the team was up */
	uint64_t tx_too_big;	       /**< larger than the NIC's MTU */
	uint64_t tx_refused;	       /**< the NIC's driver refused the frame */
	uint64_t tx_by_time;	       /**< whose share was of the worker's time, see qos.h */
	uint64_t tx_local_packets;     /**< to another guest of this team */
	uint64_t rx_packets, rx_bytes; /**< to the guest */
	uint64_t rx_gso_packets;
	uint64_t rx_segmented; /**< segments made in software for a guest without GSO */
	uint64_t rx_csum_filled;
	uint64_t rx_dropped_full;    /**< queue or memory bound */
	uint64_t rx_dropped_late;    /**< waited too long for RX requests */
	uint64_t rx_dropped_stalled; /**< the guest takes no frames */
	uint64_t rx_limited;	     /**< over the limit that answers an attack (guard.h) */
	uint64_t rx_errors;	     /**< grant copy failed or frame does not fit the guest */
	uint64_t rx_queued;	     /**< times a frame had to wait */
	uint64_t rx_marked;	     /**< of these: ECN-capable, and told of congestion */
	uint64_t notifies;	     /**< events sent */
	uint64_t events;	     /**< events received */
};
extern const struct stat_desc vif_stat_descs[];
extern const size_t vif_n_stat_descs;

/** Frames waiting for RX requests, or for the limit. */
struct vif_rx_wait {
	struct buf *head, **tail;
	unsigned int n_frames;
	uint32_t n_bytes;
	enum fair_wait why; /**< of the first one: AVERAGE, PEAK, or MEMBER: RX requests */
};

struct vif_queue {
	struct vif *vif;
	unsigned int index;
	struct ring_back tx, rx;
	void *tx_page, *rx_page;
	uint32_t tx_port, rx_port;     /**< ours; equal when shared */
	struct vif_queue *prev, *next; /**< in the worker's ready list */
	struct vif_queue *touched_next;
	bool ready;		   /**< in the ready list */
	bool touched;		   /**< responses were written that are not pushed yet */
	bool tx_masked, rx_masked; /**< our port fired and was not unmasked yet */
	bool peek; /**< recent frames went to other guests: read headers first, then copy guest to
		      guest */
	/* guest_take.c: packets that wait in the TX ring. */
	struct vif_queue *turn_prev, *turn_next; /**< in its vif's rotation */
	struct vif_queue *back_prev, *back_next; /**< in the worker's list qos.back */
	bool backlog;	      /**< in the rotation: has packets for the schedule */
	bool back;	      /**< in the list: has packets that were put back */
	bool rewind;	      /**< while a batch is answered: from rewind_to on all is put back */
	bool waits_turn;      /**< its first packet was counted as waiting for its turn */
	uint8_t header_bytes; /**< of its last GSO frame, probably of the next */
	uint32_t rewind_to;   /**< ring index */
	uint32_t avail;	      /**< slots known to be in the ring and not taken */
	unsigned int n_marks; /**< packets that were put back */
	uint8_t marks[256];   /**< by ring index of a packet's first slot, 0 = none */
	uint32_t tx_quiet_bytes; /**< answered since the guest was last told or not worth telling */
	bool stalled;
	bool rx_held;		/**< answers are in the RX ring that a delay keeps back */
	uint64_t deliver_ns;	/**< with a delay: not before */
	uint64_t rx_starved_ns; /**< since when frames wait without RX requests; 0 = none wait */
	struct vif_rx_wait wait;
};

struct vif {
	struct worker *worker;
	struct vif_config config;
	struct vif *prev, *next;
	int port; /**< in the team's switch */
	bool failed;
	const char *why;	   /**< of failed: static text */
	struct vif_queue *backlog; /**< rotation of the queues with packets */
	struct decide_counts tx_counts, rx_counts;
	struct meter tx_meter, rx_meter;
	struct delays rx_delays; /**< of frames that the guest received */
	struct limit rx_limit;
	uint64_t rx_queue_max; /**< bytes that may wait for the guest, without a limit in each queue
				*/
	uint64_t rx_wait_bytes; /**< of all queues */
	struct pin pin;		/**< in the team's list */
	struct guard_vif guard;
	struct trace *trace; /**< what became of its frames, NULL = nobody asked lately */
	struct vif_queue queues[VIF_QUEUES_MAX];
	struct vif_stats stats;
	void *owner; /**< the control thread's device, for the failure report */
};

/**
 * Worker thread: maps the rings, binds the ports, joins the switch, looks at both rings once. Rings
 * that a predecessor of ours served are taken up where its last response stands. Returns 0 or
 * -errno with a sentence in error.
 */
int vif_open(struct vif **out, struct worker *worker, const struct vif_config *config, void *owner,
	     char *error, size_t error_size);
/** Worker thread: forgets waiting frames, unbinds, unmaps, leaves the switch. */
void vif_close(struct vif *vif);

/** Worker thread: the guest broke the protocol (why: static text); its rings are served no more and
 * the control thread is told. */
void vif_fail(struct vif *vif, const char *why);

/** Worker thread: new list of members and confinement (pin.h), live. */
void vif_set_pin(struct vif *vif, const char *list, bool confine);
void vif_set_mcast_control(struct vif *vif, bool on);

#endif
