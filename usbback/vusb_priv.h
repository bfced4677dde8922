/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vusb_priv.h - what the parts of a controller share: vusb.c (life, the pass), vusb_thread.c,
 * vusb_ring.c (rings and copies), vusb_control.c (endpoint 0, changes), vusb_pipe.c (bulk,
 * interrupt), vusb_ahead.c (what is fetched before it is asked for), vusb_storage.c (Bulk-Only
 * Transport), vusb_iso.c, vusb_json.c. All of it runs in the controller's thread.
 */
#ifndef XB_USB_VUSB_PRIV_H
#define XB_USB_VUSB_PRIV_H

#include "vusb.h"

#include <pthread.h>

#include "coalesce.h"
#include "journal.h"
#include "log.h"
#include "pool.h"
#include "port.h"
#include "urb.h"
#include "usb/descriptor.h"
#include "xen/ring.h"

#define VUSB_REQUESTS  16u  /**< slots of the URB ring */
#define VUSB_PIPES     32u  /**< endpoint number and direction */
#define VUSB_CBW_BYTES 31u  /**< length of a storage command */
#define VUSB_CHUNKS    4u   /**< of what is read ahead */
#define VUSB_COPIES    512u /**< segments of one grant copy call */
#define VUSB_MAX_BATCH (256u << 10)
/** What a storage command announced, in flight at most: a ring full of pages, VUSB_CHUNKS times. */
#define VUSB_PLAN_BYTES (256u << 10)
/** While requests that a storage command announced are awaited without the guest's event: looked
 * for after twice the time that they took the last time, at least that, ever less often, and at
 * most so long. A held pipe goes on when the guest was seen to take the response; asked so often,
 * and at most so long. */
#define VUSB_LOOK_NS	  (100 * NSEC_PER_USEC)
#define VUSB_LOOK_MAX_NS  (10 * NSEC_PER_MSEC)
#define VUSB_HOLD_POLL_NS (200 * NSEC_PER_USEC)
#define VUSB_HOLD_MAX_NS  NSEC_PER_SEC
/** The rest of a list that ended early waits so long for the guest's next unlink. */
#define VUSB_DOOM_MAX_NS (100 * NSEC_PER_MSEC)
/** A request for which the host has no memory is tried again so often, and so long. */
#define VUSB_MEMORY_POLL_NS (10 * NSEC_PER_MSEC)
#define VUSB_MEMORY_MAX_NS  (2 * NSEC_PER_SEC)
/** After a restart: so long the rings wait for the devices to be attached again. */
#define VUSB_ADOPT_NS (5 * NSEC_PER_SEC)

struct vusb_port;
struct vusb_pipe;

/** A transfer on its way, and what it is for: a batch of a pipe, or one request. */
struct vusb_flight {
	struct usb_transfer transfer; /**< first: `done` finds the rest by it */
	struct vusb_port *port;
	struct vusb_pipe *pipe;		 /**< NULL = endpoint 0 */
	struct coalesce_batch *batch;	 /**< bulk, interrupt */
	struct vusb_request *request;	 /**< control, isochronous */
	uint32_t buffer_bytes;		 /**< of transfer.data, from the port's pool */
	struct vusb_flight *prev, *next; /**< in vusb->ended */
};

/** A request of the guest, from the ring until its response. */
struct vusb_request {
	struct coalesce_request co; /**< bulk and interrupt; `prev`, `next` also of our own lists */
	struct vusb *vusb;
	struct urb urb;
	bool used;
	bool bad_memory;	   /**< the guest's pages could not be copied */
	bool finished;		   /**< waits to be answered */
	bool doomed;		   /**< of a list that ended early: to be unlinked */
	struct vusb_port *port;	   /**< NULL: it has none (malformed, unlink) */
	struct vusb_pipe *pipe;	   /**< NULL: endpoint 0 */
	struct vusb_flight flight; /**< control, isochronous */
	bool started;		   /**< the flight */
	uint32_t error_count;	   /**< isochronous */
	uint16_t start_frame;
	struct usb_packet packets[URB_ISO_PACKETS_MAX];
	struct urb_iso_packet guest_packets[URB_ISO_PACKETS_MAX];
};

/** What is fetched before it is asked for (vusb_ahead.c): a ring of chunks. */
enum vusb_chunk_state { VUSB_CHUNK_FREE, VUSB_CHUNK_FLYING, VUSB_CHUNK_FULL };

struct vusb_chunk {
	uint8_t *data;
	enum vusb_chunk_state state;
	uint32_t actual, used; /**< bytes that came, and were dealt out */
	uint32_t n_requests;   /**< that got some of it */
	bool ends;	       /**< a message of the device, or a failure, ends behind them */
	int status;
};

struct vusb_ahead {
	uint8_t *memory;
	uint32_t chunk_bytes;
	struct vusb_chunk chunks[VUSB_CHUNKS];
	unsigned int head, n, n_flying; /**< oldest; in use; in flight */
	bool paused;			/**< a failure is on its way to the guest */
	bool dropping;			/**< nobody wants what is in flight */
	struct coalesce_request *queue; /**< `co` of requests */
	bool plans;			/**< of storage; else a stream */
	bool active;			/**< a plan: the pipe is served from here */
	uint64_t left;			/**< its bytes that are not in flight yet ... */
	bool status;			/**< ... and its status */
	uint64_t unasked;		/**< its bytes that the guest has not asked for yet */
};

/** One endpoint of a device. */
struct vusb_pipe {
	struct vusb_port *port;
	const struct usb_endpoint *endpoint;	      /**< in port->config; NULL = not there */
	struct coalesce co;			      /**< bulk, interrupt */
	struct vusb_flight flights[COALESCE_BATCHES]; /**< by the batch's place in co.batches */
	struct vusb_ahead ahead;	   /**< bulk IN, storage or a stream: memory != NULL */
	unsigned int n_iso;		   /**< isochronous: in flight */
	uint16_t frame;			   /**< isochronous: start_frame to tell */
	uint64_t counted[COALESCE_STATES]; /**< of co.counters.to: in the controller's already */
	uint64_t no_memory_ns;	/**< since then the host has no memory for a single request; 0 */
	uint32_t fence;		/**< port->n_control when the last request was queued */
	bool holding;		/**< held, and the response that says why is known */
	uint32_t hold_response; /**< index of the response that the guest is to see */
	uint64_t hold_since_ns;
	bool dooms;		/**< held: what the guest queues is of the list that ended early */
	uint64_t doom_since_ns; /**< the last news of that list */
	bool bot;		/**< bulk, of a Bulk-Only storage interface */
	uint32_t usual_bytes;	/**< bot: length of its last request with data */
	uint64_t data_left;	/**< bot, OUT: bytes that the device wants before it has a status */
};

/** One port. */
struct vusb_port {
	struct vusb *vusb;
	unsigned int number;
	struct usb_host *host; /**< NULL = free */
	struct vusb_device device;
	struct usb_device_descriptor descriptor;
	struct pool pool;
	struct port_view *view; /**< in the journal */
	uint8_t want_speed;	/**< what the guest is to be told */
	uint32_t identity;	/**< of the device, see port_identity */
	bool replugged;		/**< it has to hear of the unplugging first */
	bool gone;		/**< to be unplugged by the next pass */
	bool closing;		/**< being unplugged: what transfers still bring is dropped */
	bool preparing; /**< not the guest's yet: reset, or brought to what the guest knows */
	bool adopted;	/**< preparing: the guest knows it from our predecessor */
	bool forgetful; /**< adopted: setting the configuration again ended the command that a
			   storage driver may be in the middle of */
	unsigned int prepare_next;
	uint32_t n_control; /**< control requests so far: fences */
	struct coalesce_request
		*control; /**< `co` of requests: queue of endpoint 0, its head is being served */
	bool busy;	  /**< a transfer or a change of endpoint 0 is in flight */
	bool draining;	  /**< the change waits for transfers in flight to end */
	bool changed;	  /**< it is done */
	struct usb_change change;
	struct usb_config config; /**< in force; n_endpoints 0 = none */
	struct vusb_pipe pipes[VUSB_PIPES];
};

struct vusb {
	struct xen *xen;
	struct clock *clock;
	struct vusb_config config;
	struct vusb_events events;
	struct vusb_stats stats;
	pthread_t thread;
	struct mailbox *mail;
	sd_event *event;
	sd_event_source *source_evt, *source_mail, *source_post, *source_timer;
	bool stopping;

	struct xen_gnt *gnt;
	struct xen_evt *evt;
	uint32_t evt_port;
	bool masked; /**< the event port fired and waits for its unmask */
	void *urb_page, *conn_page;
	struct ring_back urb_ring, conn_ring;
	struct journal journal;
	struct log_limit limit;
	const char *failure;	   /**< the guest broke the rules: nothing is served any more */
	bool holds;		   /**< a pipe was held in this round */
	bool untold;		   /**< ports have news for which the guest has no room */
	uint64_t look_since_ns;	   /**< none of the requests that are awaited came since then */
	uint64_t look_start_ns;	   /**< the first of them was awaited */
	uint64_t look_deadline_ns; /**< of the next look; 0: none is awaited */
	uint64_t look_took_ns;	   /**< from start to the last one, the last time */
	uint32_t looked_for;	   /**< so many are awaited */
	uint64_t adopt_until_ns;   /**< the ring waits for devices until then; 0 = it does not */

	struct vusb_request requests[VUSB_REQUESTS];
	struct coalesce_request *finished; /**< `co` of those to be answered, in order */
	struct vusb_flight *ended;	   /**< done and not dealt with, in order */
	struct xen_copy copies[VUSB_COPIES];
	struct vusb_request *copy_owner[VUSB_COPIES];
	unsigned int n_copies;
	struct vusb_port ports[]; /**< by number, 1 to n_ports; 0 is nobody's */
};

/** Is the device the guest's? Not while it is being prepared, is about to be unplugged, or is
 * another than the one which the guest still believes in. */
static inline bool vusb_port_serves(const struct vusb_port *port)
{
	return port->host && !port->preparing && !port->gone && !port->replugged;
}

/* --- vusb.c --- */

/** Everything but the thread; event is the loop of the thread that calls. */
int vusb_start(struct vusb **out, struct xen *xen, struct clock *clock,
	       const struct vusb_config *config, const struct vusb_events *events, sd_event *event,
	       char *error, size_t error_size);
/** Its end; frees the controller. */
void vusb_stop(struct vusb *vusb, bool keep);
/** Does whatever there is to do; returns the time of the next pass, DEADLINE_NEVER: none by time.
 */
uint64_t vusb_pass(struct vusb *vusb);
/** vusb_attach, vusb_detach in the controller's thread. */
int vusb_plug(struct vusb *vusb, unsigned int number, const struct vusb_device *device, char *error,
	      size_t error_size);
void vusb_unplug(struct vusb_port *port);
/** The guest broke the protocol: static text. */
void vusb_fail(struct vusb *vusb, const char *why);
/** Hands a filled flight to the host; `done` of it comes to the next pass. 0 or -errno. */
int vusb_submit(struct vusb_port *port, struct vusb_flight *flight);

/* --- vusb_ring.c --- */

int vusb_ring_open(struct vusb *vusb, char *error, size_t error_size);
void vusb_ring_close(struct vusb *vusb);
/** Takes what the guest queued; true when there was anything. */
bool vusb_ring_drain(struct vusb *vusb);
/** The request is complete; it is answered by the next vusb_ring_answer. */
void vusb_finish(struct vusb_request *request, int status, uint32_t actual);
/** Moves what is to be moved to the guest, answers finished requests, notifies. */
void vusb_ring_answer(struct vusb *vusb);
/** Tells the guest about ports, as far as it has room for that. */
void vusb_ring_connections(struct vusb *vusb);
/** Has the guest taken the response at that index? */
bool vusb_ring_seen(const struct vusb *vusb, uint32_t response);
/** Queues a copy of bytes of a request's data (offset within the data) to or from the guest. */
void vusb_copy(struct vusb_request *request, uint32_t offset, uint8_t *local, uint32_t length,
	       bool to_guest);
/** The same for the descriptions of isochronous packets. */
void vusb_copy_packets(struct vusb_request *request, bool to_guest);
/** Carries out queued copies; requests whose pages were bad have bad_memory set. */
void vusb_copy_run(struct vusb *vusb);

/* --- vusb_control.c --- */

/** Queues a request for endpoint 0. */
void vusb_control_queue(struct vusb_request *request);
void vusb_control_unlink(struct vusb_request *request);
/** A control transfer ended. */
void vusb_control_ended(struct vusb_request *request);
/** Starts what can be started. */
void vusb_control_run(struct vusb_port *port);
/** Ends queued requests with status; what is in flight is the host's to end. */
void vusb_control_flush(struct vusb_port *port, int status);
/** A device was plugged in: prepares it, then the guest hears of it. */
void vusb_control_prepare(struct vusb_port *port);
/** The guest waited long enough for what is being prepared: it gets a new device. */
void vusb_control_give_up(struct vusb_port *port);

/* --- vusb_pipe.c --- */

/** Makes the pipes of the configuration in force anew; nothing may be in flight. */
void vusb_pipes_configure(struct vusb_port *port);
/** The pipe of an endpoint address, NULL where the configuration has none such. */
struct vusb_pipe *vusb_pipe(struct vusb_port *port, uint8_t address);
void vusb_pipe_queue(struct vusb_pipe *pipe, struct vusb_request *request);
void vusb_pipe_unlink(struct vusb_pipe *pipe, struct vusb_request *request);
void vusb_pipe_ended(struct vusb_pipe *pipe, struct vusb_flight *flight);
/** Starts what can be started; lowers *deadline_ns. */
void vusb_pipe_run(struct vusb_pipe *pipe, uint64_t now_ns, uint64_t *deadline_ns);
/** Ends everything with status, transfers in flight after their cancel. */
void vusb_pipe_flush(struct vusb_pipe *pipe, int status);
/** Brings back what is in flight without ending a request (isochronous ones end). */
void vusb_pipe_recall(struct vusb_pipe *pipe);
/** The endpoint is no more: nothing may be in flight or wait. */
void vusb_pipe_clear(struct vusb_pipe *pipe);
/** Anything in flight? */
bool vusb_pipe_flying(const struct vusb_pipe *pipe);
/** A request of the pipe is answered, by the response at that index; if the pipe is held, that says
 * why. */
void vusb_pipe_answered(struct vusb_request *request, uint32_t response);
/** Is the pipe held, and has the guest seen why? */
bool vusb_pipe_seen(struct vusb_pipe *pipe, uint64_t now_ns, uint64_t *deadline_ns);
/** It has, and all that it did before was heard: the pipe goes on, unless requests are left which
 * the guest must be about to unlink. */
void vusb_pipe_release(struct vusb_pipe *pipe, uint64_t now_ns, uint64_t *deadline_ns);

/* --- vusb_ahead.c: a pipe with `ahead` --- */

/** -ENOMEM. bytes: in flight or full at most. plans: of storage, else a stream. */
int vusb_ahead_init(struct vusb_pipe *pipe, uint32_t bytes, bool plans);
/** Nothing may be in flight. */
void vusb_ahead_fini(struct vusb_pipe *pipe);
/** The device is about to send so many bytes and a status: the next vusb_ahead_run begins to fetch
 * them. False: it cannot, the pipe is busy. */
bool vusb_ahead_plan(struct vusb_pipe *pipe, uint32_t bytes);
void vusb_ahead_queue(struct vusb_pipe *pipe, struct vusb_request *request);
void vusb_ahead_unlink(struct vusb_pipe *pipe, struct vusb_request *request);
void vusb_ahead_run(struct vusb_pipe *pipe);
void vusb_ahead_ended(struct vusb_pipe *pipe, struct vusb_flight *flight);
/** Brings back what is in flight. */
void vusb_ahead_recall(struct vusb_pipe *pipe);
/** Forgets what was fetched; what is in flight is cancelled. */
void vusb_ahead_drop(struct vusb_pipe *pipe);
void vusb_ahead_flush(struct vusb_pipe *pipe, int status);

/* --- vusb_storage.c: a pipe with `bot` --- */

/** Is it an endpoint of a Bulk-Only storage interface? */
bool vusb_storage_endpoint(const struct usb_endpoint *endpoint);
/** Must a request end with -EPROTO because its command was lost in a restart? */
bool vusb_storage_lost(struct vusb_pipe *pipe, const struct vusb_request *request);
/** An OUT transfer is about to start. */
void vusb_storage_starts(struct vusb_pipe *pipe, const struct vusb_flight *flight);
/** An OUT transfer ended; before the engine hears of it. */
void vusb_storage_ended(struct vusb_pipe *pipe, const struct vusb_flight *flight);
/** May something be sent? Not while what the last command announced, and nobody asked for, is in
 * flight: that is cancelled. */
bool vusb_storage_clear(struct vusb_pipe *pipe);
/** Requests that the guest's driver is about to queue: what its command announced, in pieces as it
 * queued them last. */
uint32_t vusb_storage_awaited(const struct vusb_pipe *pipe);

/* --- vusb_json.c --- */

/** vusb_to_json in the controller's thread. */
json_t *vusb_describe(struct vusb *vusb);

/* --- vusb_iso.c --- */

void vusb_iso_start(struct vusb_pipe *pipe, struct vusb_request *request);
void vusb_iso_ended(struct vusb_pipe *pipe, struct vusb_request *request);

#endif
