/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker.h - one team's data plane: a thread that owns the team's NICs, its guests' rings, its
 * switch and its schedule.
 *
 * Theory of Operation. A pass of the loop:
 *   1. events: ports that fired make their queues ready; NICs that are readable are drained;
 *   2. guest_take.c takes a batch of packets out of the rings as the schedule says (what may not go
 * stays there), guest_tx.c grant-copies them in one call, asks the switch, hands them to uplink.c
 * (sendmmsg per member) or to guest_rx.c (other guests); they are answered in ring order, but for
 * those that a full NIC did not take: these are put back;
 *   3. uplink.c receives a batch, asks the switch, hands frames to guest_rx.c;
 *   4. guest_rx.c gathers segments for all guests, copies them in one call, answers, and notifies
 * once per queue;
 *   5. queues that ran dry are armed and only then their ports unmasked (late EOI).
 * After a pass that moved much, step 5 is left out, as NAPI does: the worker looks at the same
 * rings and NICs again, with all ports masked and nothing armed, and waits for events only when a
 * few looks in a row were in vain. An event costs both sides a hypercall, an interrupt and a
 * wake-up, which is more than a look. Passes that move little (a ping, one request and its answer)
 * start nothing.
 *
 * No locks: other threads reach a worker through its mailbox (worker_call, worker_post) alone.
 * Nothing here is global, so a team can be sharded over several workers later. Without a thread
 * (tests, simulation) the owner calls worker_pass itself.
 */
#ifndef XB_NET_WORKER_H
#define XB_NET_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "announce.h"
#include "buf.h"
#include "events.h"
#include "flow.h"
#include "frame.h"
#include "guard.h"
#include "mailbox.h"
#include "nap.h"
#include "netif.h"
#include "nic.h"
#include "probe.h"
#include "qos.h"
#include "switch.h"
#include "team.h"
#include "uplink_lacp.h"
#include "vif.h"
#include "xen/ops.h"

struct clock;

#define WORKER_TX_BATCH	  64u  /**< packets of one TX batch */
#define WORKER_TX_PAGES	  320u /**< pages of one TX batch: a slot a page */
#define WORKER_RX_BATCH	  64u  /**< frames of one receive call */
#define WORKER_COPY_BATCH 1024u
/** A pass that moves so much is followed by looks. */
#define WORKER_BULK_BYTES  32768u
#define WORKER_BULK_FRAMES 32u
/** Passes that move less, until events are waited for again. Of the numbers tried, 12 instead of 3
 * paid, and 40 brought nothing more (docs/BENCHMARKS.md). */
#define WORKER_LOOKS 16u
/** While looking by itself, the worker tells a guest of answered requests when so many bytes or
 * responses gathered; before, a guest that sends on finds them by itself. */
#define WORKER_QUIET_BYTES     16384u
#define WORKER_QUIET_RESPONSES 32u
#define WORKER_FRAGS_MAX       (NETIF_SLOTS_MAX + 1)

/** A piece of a frame: ours (virt) or still in a guest's page. */
struct frag {
	uint8_t *virt; /**< NULL: foreign */
	uint32_t gref;
	uint16_t offset, domid;
	uint32_t len;
};

/** A frame on its way. Its memory is valid until the end of the batch; whoever keeps it longer
 * copies it (or takes `buf`). */
struct pkt {
	struct virtio_net_hdr vnet;
	uint32_t total;
	struct flow_key flow; /**< valid when info.payload_off != 0 */
	const uint8_t *head;  /**< contiguous first bytes: all headers, or the whole frame */
	uint32_t head_len;
	struct frame_info info;
	int16_t from_member; /**< that it came in on, -1 = from a guest, or not known any more */
	unsigned int n_frags;
	struct frag frags[WORKER_FRAGS_MAX];
	struct buf *
		*buf; /**< frame lives in *buf; a taker sets it NULL. NULL: not in a pool buffer */
};

struct worker_stats {
	uint64_t passes, sleeps, looks;
	uint64_t copies, copy_segments; /**< grant copy calls and segments */
	uint64_t nic_tx_packets, nic_rx_packets;
	uint64_t nic_rx_dropped_switch; /**< frames for nobody here, reflections, inactive member */
	uint64_t sends, receives;	/**< system calls */
	uint64_t reselected;		/**< frames that a member could not take and another did */
	uint64_t nic_full_waits;	/**< times a NIC's queue was full: frames went back */
	uint64_t announced;		/**< RARP frames sent */
	uint64_t announced_arp;		/**< ARP announcements sent */
	uint64_t to_reserve;		/**< times a guest came to a reserve member */
	uint64_t guests_on_reserve;	/**< now */
};
extern const struct stat_desc worker_stat_descs[];
extern const size_t worker_n_stat_descs;

struct uplink_stats {
	uint64_t tx_packets, tx_bytes, tx_errors, rx_packets, rx_bytes;
	uint64_t rx_dropped;	  /**< frames that we can't hand on */
	uint64_t rx_dropped_host; /**< by the kernel, because we were slow */
};
extern const struct stat_desc uplink_stat_descs[];
extern const size_t uplink_n_stat_descs;

/** One member's NIC in the worker. */
struct uplink {
	struct worker *worker;
	int member; /**< index in the team */
	struct nic *nic;
	bool readable;
	bool busy; /**< had frames since the worker last waited for events */
	bool gone; /**< the interface vanished; the control thread re-opens it */
	struct uplink_stats stats;
	struct load rx_load; /**< what came in, beside the member's speed */
	struct mmsghdr msgs[WORKER_TX_BATCH];
	struct tx_record *records[WORKER_TX_BATCH];
	unsigned int n_msgs;
	bool full;		/**< did not take all of what it was last given */
	uint64_t full_since_ns; /**< took nothing since */
	uint64_t full_wait_ns;	/**< between the last tries */
	uint64_t full_pass;	/**< the pass in which it refused last */
	uint64_t retry_ns;	/**< not tried before */
};

/** A packet of a TX batch. */
struct tx_record {
	struct vif_queue *queue;
	struct netif_tx_packet packet;
	int16_t status;
	bool whole;	/**< all of it was copied here */
	bool failed;	/**< no frame to forward */
	bool forwarded; /**< the switch let it pass */
	bool held;	/**< its member is full: it goes back into the ring */
	bool again;	/**< it was put back before: it is paid for */
	bool flooded;	/**< guests of this team have got it */
	bool local;	/**< it went to another guest, and to no NIC */
	bool looked;	/**< `look` is filled in */
	uint32_t index; /**< of its first slot in the ring */
	struct cost cost;
	enum decide_reason reason; /**< why it goes, or what became of it */
	uint16_t seg_first, n_segs;
	uint32_t tried;		 /**< members that could not take it */
	const struct seat *seat; /**< by which its member was chosen, NULL = none */
	bool follows;		 /**< what came before it on that seat has not left its member */
	const char *why;	 /**< of failed: static text */
	uint8_t *pages;		 /**< one page a slot */
	struct pkt pkt;
	struct iovec iov[WORKER_FRAGS_MAX + 2];
	uint8_t head[FRAME_HEAD_MAX]; /**< headers that were spread over slots */
	struct guard_packet look;     /**< of a watched guest's frame */
};

/** An RX response that waits for its copy. */
struct rx_record {
	struct vif_queue *queue;
	uint16_t id, flags;
	int16_t size; /**< bytes; -1: GSO extra info in place of a response */
	uint16_t gso_size;
	uint8_t gso_type;
	uint8_t n_segs;
	uint16_t seg_first;
};

/** What changed in a team; texts are valid during the call. */
struct worker_change {
	enum events_kind kind; /**< MEMBER: a member's state; ACTIVE: the active member; MOVE: the
				  member that a guest, or flows, belong to */
	const char *who;       /**< member, guest's interface; ACTIVE: "" */
	const char *old, *new; /**< names of states or members */
	const char *why;
	bool bad; /**< for the worse */
};

/** What the control thread wants to hear of; called in the worker thread, must not block. */
struct worker_observer {
	void (*vif_failed)(void *ctx, struct vif *vif, const char *why);
	void (*team_changed)(void *ctx, const struct worker_change *change);
	void (*nic_gone)(void *ctx, const char *member);
	void (*guard)(void *ctx, const struct guard_request *request);
	/** A member that was told to leave carries nothing any more. */
	void (*member_drained)(void *ctx, const char *member);
	/** A minimum that was refused may fit now: somebody should set it again. */
	void (*minima_room)(void *ctx);
	void *ctx;
};

struct nic_vector;

struct worker {
	struct xen *xen;
	struct clock *clock;
	struct xen_gnt *gnt;
	struct xen_evt *evt;
	struct team team;
	struct uplink_lacp lacp;
	struct sw *sw;
	struct guard *guard;
	struct announce announce;
	int announced_mode;    /**< of the team, when uplink_announce_set was last called */
	struct claims *claims; /**< NULL: the key `announce` needs none */
	struct probe probe;
	bool probe_runs;	     /**< in this pass */
	uint32_t lacp_drained;	     /**< members that LACP drains for the key `drained` */
	char lacp_drained_list[256]; /**< the key, in mode lacp */
	uint8_t announce_mac[6];
	struct worker_observer observer;
	struct uplink *uplinks[TEAM_MEMBERS_MAX];
	struct vif *vifs;
	unsigned int n_traced; /**< of these, whose frames somebody asked for (explain.h) */
	struct vif *ports[SWITCH_PORTS_MAX]; /**< by switch port */
	struct vif_queue **evt_queues;	     /**< by our event channel port */
	uint32_t n_evt_queues;
	struct vif_queue *ready;   /**< have something to do */
	struct vif_queue *touched; /**< have responses to push */
	uint64_t now_ns;	   /**< of a pass: when what it sends will leave (nap.h) */
	uint64_t begin_ns;	   /**< when the pass really began; of a worker with a thread */
	struct nap nap;		   /**< how late sleeps and frames are */
	uint64_t next_ns;	   /**< earliest deadline of any queue, set anew in each pass */
	uint64_t exact_ns;	   /**< earliest one of those to be met exactly (nap.h) */
	bool may_look;		   /**< a worker without a thread does not */
	unsigned int looks_left;   /**< looks by itself: nothing is armed or unmasked; 0 = waits */
	uint64_t pass_bytes, pass_frames; /**< from guests and from NICs in this pass */
	struct buf_pool *pool;
	struct qos qos;
	/* TX batch */
	uint8_t *tx_pages;
	unsigned int n_tx_pages;
	unsigned int n_tx;
	struct tx_record *tx;
	struct xen_copy *tx_copy;
	unsigned int n_tx_copy;
	/* RX batch */
	struct xen_copy *rx_copy;
	unsigned int n_rx_copy;
	struct rx_record *rx;
	unsigned int n_rx;
	struct buf *release;	   /**< to the pool once the gathered copies are done */
	struct nic_vector *vector; /**< receive buffers, uplink.c */
	uint8_t *linear;	   /**< one frame, for software segmentation */
	struct worker_stats stats;
	/* thread and mailbox */
	pthread_t thread;
	bool threaded, stop;
	bool evt_fired; /**< the event channels' descriptor is readable */
	int epoll_fd;	/**< mail, event channels and the NICs */
	struct mailbox *mail;
};

/**
 * Creates a worker for one team. threaded: runs its own thread until worker_destroy; else the
 * caller runs worker_pass. Returns 0 or -errno with a sentence in error.
 */
int worker_create(struct worker **worker, struct xen *xen, struct clock *clock,
		  const char *team_name, const struct team_options *options,
		  const struct worker_observer *observer, bool threaded, char *error,
		  size_t error_size);
/** Ends the thread; vifs must be closed before; NICs are closed. */
void worker_destroy(struct worker *worker);

/** Runs fn (its ctx is the worker) in the worker thread and waits for it; its result. */
int worker_call(struct worker *worker, mailbox_fn fn, void *arg);
/** Queues fn with a copy of arg[size] and returns at once (a thread that must not block). */
void worker_post(struct worker *worker, mailbox_fn fn, const void *arg, size_t size);

/**
 * One pass at now_ns without waiting: mail, events, both directions, timers. Returns true while
 * there is more to do at once; *deadline_ns is when it has to be called again at the latest. For
 * owners without a thread.
 */
bool worker_pass(struct worker *worker, uint64_t now_ns, uint64_t *deadline_ns);

/* Between the files of the worker (worker thread only). */

/** worker.c: puts a queue on the ready list. */
void worker_queue_ready(struct worker *worker, struct vif_queue *queue);
/** worker.c: lets the queue's ports fire again. */
void worker_unmask(struct worker *worker, struct vif_queue *queue);
/** worker.c: this pass must be followed by another one at when_ns at the latest. */
void worker_deadline(struct worker *worker, uint64_t when_ns);
/** worker.c: the same, and not a moment later (nap.h). */
void worker_deadline_exact(struct worker *worker, uint64_t when_ns);
/** worker.c: frames that a limit counts are about to leave: waits until the time of the pass has
 * come, which is a few microseconds ahead at most (nap.h). Returns the time. */
uint64_t worker_on_time(struct worker *worker);
/** worker.c: binds a guest's port and routes its events to queue. */
int worker_evt_bind(struct worker *worker, struct vif_queue *queue, uint16_t domid, uint32_t remote,
		    uint32_t *port);
void worker_evt_unbind(struct worker *worker, uint32_t port);

/** worker.c: gives a member its NIC (NULL: none): event loop and address filters. Returns the one
 * before, for its caller to close, or NULL. */
struct nic *worker_nic_replace(struct worker *worker, struct uplink *uplink, struct nic *nic);
/** worker.c: a fresh vif joins the lists; its queues are looked at once. And leaves them. */
void worker_vif_add(struct worker *worker, struct vif *vif);
void worker_vif_remove(struct worker *worker, struct vif *vif);

/** guest_take.c: looks what is in a queue's TX ring, of a vif that did not fail. */
void guest_take_look(struct worker *worker, struct vif_queue *queue);
/** guest_take.c: a vif that left the schedule (guard_rest) takes part again. */
void guest_take_resume(struct worker *worker, struct vif *vif);
/** guest_take.c: fills the TX batch as the schedule says; true when it ended for want of room. Sets
 * qos.wake_ns. */
bool guest_take_batch(struct worker *worker);
/** guest_take.c: answers the packets of the batch, puts back those that are `held`; true when
 * queues that had some take part again. */
bool guest_take_answer(struct worker *worker);
/** guest_take.c: the queue's ring is not to be read any more, or from its consumer index on anew.
 */
void guest_take_forget(struct worker *worker, struct vif_queue *queue);
/** guest_tx.c: one batch from the ready queues; true when some queue has more. Queues that have not
 * are settled (armed, unmasked, off the list), unless the worker looks by itself. */
bool guest_tx_run(struct worker *worker);

/** guest_rx.c: delivers (or queues, or drops) a frame to a guest. */
void guest_rx_deliver(struct worker *worker, struct vif *vif, struct pkt *pkt);
/** guest_rx.c: performs the gathered copies, answers; the frames' memory is free afterwards. */
void guest_rx_flush(struct worker *worker);
/** guest_rx.c: puts a frame into the ring; false when the guest has not posted enough requests. */
bool guest_rx_place(struct worker *worker, struct vif_queue *queue, const struct pkt *pkt);
/** guest_rx.c: copies a whole frame to out[pkt->total]; false when a guest's page could not be
 * read.
 */
bool guest_rx_linearize(struct worker *worker, const struct pkt *pkt, uint8_t *out);
/** guest_wait.c: into the ring, or, when the guest's limit or its requests do not allow that, into
 * the queue, or nowhere. */
void guest_wait_or_deliver(struct worker *worker, struct vif_queue *queue, struct pkt *pkt);
/** guest_wait.c: moves waiting frames of a queue into the ring, ages them. */
void guest_rx_drain(struct worker *worker, struct vif_queue *queue);
/** guest_wait.c: what this pass put into the guest's RX ring is there for it to see only now: its
 * limit counts from now on. */
void guest_rx_late(struct worker *worker, struct vif *vif);
/** guest_wait.c: forgets the waiting frames. */
void guest_rx_discard(struct worker *worker, struct vif_queue *queue);
/** guest_rx.c: returns a buffer to the pool at the next flush. */
void guest_rx_release(struct worker *worker, struct buf *buf);
/** guest_tx.c: notes that a queue has responses to push. */
void guest_touch(struct worker *worker, struct vif_queue *queue);
/** guest_tx.c: pushes the responses of all touched queues, notifies the guests that asked for it,
 * once a port. */
void guest_notify(struct worker *worker);

/** uplink.c */
int uplink_add(struct worker *worker, const char *name, uint8_t priority, struct nic *nic);
/** The member is gone; its NIC is in *nic (NULL: it has none) for the caller to close: in another
 * thread, since closing one takes the kernel long. */
int uplink_remove(struct worker *worker, const char *name, struct nic **nic);
/** Puts a frame of a guest on its way: picks a member, queues the message. */
void uplink_queue(struct worker *worker, struct tx_record *record);
/* uplink_full.c */

/** Is the frame to wait for this member, which is full? Then it is held. */
bool uplink_waits(struct worker *worker, const struct uplink *uplink, struct tx_record *record);
/** No member was left for the frame: it is held where one is merely full, or was not asked in this
 * pass, else it is lost. */
void uplink_no_member(struct worker *worker, struct tx_record *record);
/** A send of messages [done, n) failed with `error`: true when the member is full and these frames
 * are held; false: they are to be offered to others. */
bool uplink_hold_if_full(struct worker *worker, struct uplink *uplink, unsigned int done,
			 unsigned int n, int error);
/** Are all members that may send now full? False when there is none. */
bool uplink_all_full(const struct worker *worker);

/* uplink.c */

/** Sends what is queued; frames that a member could not take go to the next one, those that a full
 * one did not take are held until qos.retry_ns. */
void uplink_flush(struct worker *worker);
/** Receives one batch from each readable NIC; true when there may be more. */
bool uplink_receive(struct worker *worker);
/** The worker stops looking by itself: NICs are read when they are readable. */
void uplink_calm(struct worker *worker);
/** Sends due announcements, runs team timers. */
void uplink_timers(struct worker *worker);
/** uplink_changes.c: applies the keys of announcements, live. */
void uplink_announce_set(struct worker *worker, const struct team_options *options);
/** uplink_drain.c: takes the key `drained` out of the options where LACP is to drain. */
void uplink_drain_keep(struct worker *worker, struct team_options *options);
/** uplink_drain.c: and does so, also with members that were added since; once LACP knows its
 * options.
 */
void uplink_drain_set(struct worker *worker);
/** uplink_probe.c: the probes that a team's keys ask for; -1 with a sentence where they are wrong.
 */
int uplink_probe_options(const struct team_options *team, struct probe_options *options,
			 char *error, size_t error_size);
/** uplink_probe.c: applies them, live. */
void uplink_probe_set(struct worker *worker, const struct team_options *team);
/** uplink_probe.c: sends due probes, tells the team who is dead. */
void uplink_probe_run(struct worker *worker);
/** Guest addresses appear in and vanish from the members' filters. */
void uplink_mac(struct worker *worker, const uint8_t mac[6], bool add);
void uplink_promisc(struct worker *worker, bool on);
/** The observer of the team, for worker_create. */
void uplink_team_observer(struct worker *worker, struct team_observer *observer);

#endif
