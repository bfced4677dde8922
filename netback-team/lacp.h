/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lacp.h - one LACP system: up to LACP_PORTS_MAX ports that agree with their partners who
 * aggregates with whom (IEEE 802.1AX-2014 clause 6). Pure: time, links and frames are passed in,
 * frames and changes leave through struct lacp_ops.
 *
 * Theory of Operation. Each port runs these machines (numbers are those of 802.1AX-2014):
 *
 * - receive (6.4.12): PORT_DISABLED without carrier; EXPIRED for 3 s when the partner is silent, or
 *   not yet heard; then DEFAULTED; CURRENT while LACPDUs come, every 3 s (rate fast) or 90 s.
 *   LACP_DISABLED in a static aggregation.
 * - periodic (6.4.13): a LACPDU every 0.98 s or 29.5 s, as the partner asks for. Never more than 1
 *   or 30 s: partners that count to three do not forgive it.
 * - selection (6.4.14): ports with the same two systems and keys share an aggregator; a port that
 *   is or whose partner is individual (Aggregation bit, half duplex) has one of its own; a port
 *   that hears its own system (loopback) has none. Above max_ports the best ones of the system with
 *   the higher priority are SELECTED, the others STANDBY: they speak LACP, out of Sync. A port is
 *   put on standby for a better one only when that one is ready.
 * - mux (6.4.15): DETACHED, WAITING (2 s, so that several ports join together), ATTACHED (in Sync),
 *   COLLECTING when the partner is in Sync too, DISTRIBUTING when it collects. Coupled control has
 *   the last two as one step, without waiting for the partner to collect.
 * - transmit (6.4.16): what is to be told is told at once, but at most 3 LACPDUs go in any second.
 * - churn (6.4.17): an end that is not in Sync for 60 s while its link is up.
 *
 * A system may have several partners, each with an aggregator. Ports of all of them are in Sync,
 * but only those of the active aggregator collect and distribute: that one is chosen among the
 * aggregators with ready ports (in Sync on both sides), those of individual ports last, by
 * ad_select. Between two systems that both have one active aggregator these may be different ones:
 * then neither end collects where the other one distributes. Who waits for LACP_DEAF_NS (the
 * system with the higher priority: LACP_DEAF_LONG_NS) for its partner to collect goes where the
 * partner does. Where nobody speaks LACP the
 * fallback gives ports a partner by default: then they take part in all this as DEFAULTED, until
 * an aggregator that was negotiated is ready.
 *
 * Changes of what identifies a port (system, key, priorities) while it carries traffic are made
 * port by port: drained, changed, and the next one when it is back. lacp_port_drain does the same
 * before a port is removed. Draining: stop distributing; send a marker, whose answer says that all
 * was received, and wait for it at most 1 s; leave Sync, and collect until the partner does not
 * distribute any more, at most 2 s.
 *
 * The caller calls lacp_run at the returned deadline; frames that were received before that time
 * must be handed over before (a partner is not silent because we were late). No function may be
 * called from within the callbacks.
 */
#ifndef XB_NET_LACP_H
#define XB_NET_LACP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lacp_pdu.h"

#define LACP_PORTS_MAX	       16   /**< number of a port on the wire: its index + 1 */
#define LACP_KEY_MAX	       1023 /**< of the configured part of the key */
#define LACP_PRIORITY_DEFAULT  32768
#define LACP_PORT_PRIO_DEFAULT 255
#define LACP_FAST_NS	       980000000ull   /**< period of LACPDUs to a partner in a hurry */
#define LACP_SLOW_NS	       29500000000ull /**< and to the others */
#define LACP_SHORT_NS	       3000000000ull  /**< silence until a partner is EXPIRED, rate fast */
#define LACP_LONG_NS	       90000000000ull /**< the same, rate slow */
#define LACP_WAIT_NS	       2000000000ull  /**< in WAITING */
#define LACP_WAIT_MAX_NS       6000000000ull  /**< the same, when others keep on arriving */
#define LACP_DEAF_NS	       2000000000ull  /**< a partner in Sync should collect by then */
#define LACP_DEAF_LONG_NS      10000000000ull /**< the same for the system that decides */
#define LACP_CHURN_NS	       60000000000ull
#define LACP_WINDOW_NS	       1000000000ull /**< in any time so long at most ... */
#define LACP_WINDOW_PDUS       3	     /**< LACPDUs a port, and ... */
#define LACP_WINDOW_MARKERS    10	     /**< markers and answers a port (annex 57A of 802.3) */
#define LACP_MARKER_NS	       1000000000ull /**< wait for the answer to a marker */
#define LACP_DRAIN_NS	       2000000000ull /**< wait for the partner to stop distributing */
#define LACP_ROLL_NS	       10000000000ull /**< wait for a changed port to be back */
#define LACP_ADOPT_NS	       5000000000ull  /**< lacp_config.restarted counts for so long */
#define LACP_RETRY_NS	       100000000ull   /**< a LACPDU that could not be sent is tried again */

enum lacp_mode {
	LACP_ACTIVE,
	LACP_PASSIVE, /**< speaks only when spoken to */
	LACP_STATIC,  /**< no LACP at all: ports with the same speed are one aggregation */
};

enum lacp_ad_select {
	LACP_SELECT_STABLE,    /**< the active aggregator stays while it has a ready port; else as
				  BANDWIDTH */
	LACP_SELECT_BANDWIDTH, /**< the most bit/s over its ready ports */
	LACP_SELECT_COUNT,     /**< the most ready ports */
	LACP_SELECT_PRIO,      /**< the ready port with the best priority, then lowest number */
};

enum lacp_fallback {
	LACP_FALLBACK_NONE,	     /**< ports without LACP partner carry nothing */
	LACP_FALLBACK_ACTIVE_BACKUP, /**< one of them does, chosen by ad_select */
	LACP_FALLBACK_STATIC,	     /**< all of them do, those of one speed, as one aggregation */
};

struct lacp_config {
	enum lacp_mode mode;
	bool fast;		  /**< ask the partner for a LACPDU every second, not every 30 s */
	uint16_t system_priority; /**< smaller = higher */
	uint8_t system[6];	  /**< a unicast address, not zero; unique to this system */
	uint16_t key;		  /**< 0 to LACP_KEY_MAX; speed and duplex are added to it */
	enum lacp_ad_select ad_select;
	enum lacp_fallback fallback;
	bool coupled;
	bool strict; /**< only negotiated aggregations carry traffic: no fallback, no individual
			ports; not with LACP_STATIC */
	unsigned int max_ports; /**< ports in use of one aggregator, the others are STANDBY; 0 = no
				   limit */
	unsigned int min_ports; /**< an aggregator with fewer ready ports carries nothing */
	uint32_t default_mbps;	/**< speed of ports that tell none; at least 1 */
	/** Of lacp_init only: ports were aggregated a moment ago, by a predecessor with the same
	 * system; those that join within LACP_ADOPT_NS do not pass their time in WAITING. */
	bool restarted;
};

enum lacp_duplex {
	LACP_DUPLEX_UNKNOWN, /**< taken for full */
	LACP_DUPLEX_HALF,    /**< never aggregates */
	LACP_DUPLEX_FULL,
};

/** A port as its owner knows it. */
struct lacp_link {
	bool carrier;
	uint32_t mbps; /**< 0 = unknown */
	enum lacp_duplex duplex;
	uint16_t priority; /**< smaller = higher */
	uint8_t mac[6];	   /**< source of its LACPDUs */
};

struct lacp;

/** What leaves the module. ctx is handed to each. Called at the end of a call, when all is decided.
 */
struct lacp_ops {
	/** Sends a frame of LACP_FRAME_LEN bytes on a port: never behind data that is shaped or
	 * waits for something, but behind what was already given to the NIC. Negative: not sent; a
	 * LACPDU is then tried again after LACP_RETRY_NS, a marker is not. */
	int (*send)(void *ctx, unsigned int port, const uint8_t *frame);
	/** What a port may do has changed. */
	void (*port)(void *ctx, unsigned int port, bool collect, bool distribute);
	/** The active aggregator has changed; -1 = none. */
	void (*active)(void *ctx, int old, int new);
	void *ctx;
};

enum lacp_rx {
	LACP_RX_PORT_DISABLED,
	LACP_RX_EXPIRED,
	LACP_RX_LACP_DISABLED,
	LACP_RX_DEFAULTED,
	LACP_RX_CURRENT,
};

enum lacp_selected { LACP_UNSELECTED, LACP_STANDBY, LACP_SELECTED };

/** In coupled mode COLLECTING is passed over, DISTRIBUTING is both. */
enum lacp_mux {
	LACP_MUX_DETACHED,
	LACP_MUX_WAITING,
	LACP_MUX_ATTACHED,
	LACP_MUX_COLLECTING,
	LACP_MUX_DISTRIBUTING,
};

enum lacp_period { LACP_PERIOD_NONE, LACP_PERIOD_FAST, LACP_PERIOD_SLOW };
enum lacp_churn { LACP_CHURN_NONE, LACP_CHURN_MONITOR, LACP_CHURN_CHURN };

enum lacp_drain {
	LACP_DRAIN_NONE,
	LACP_DRAIN_MARKER, /**< does not distribute, waits for the answer to a marker */
	LACP_DRAIN_UNSYNC, /**< out of Sync, waits for the partner to stop */
	LACP_DRAIN_DONE,   /**< carries nothing */
};

enum lacp_marker_result {
	LACP_MARKER_NONE,
	LACP_MARKER_PENDING,
	LACP_MARKER_ANSWERED, /**< all that was sent before it has been received */
	LACP_MARKER_LOST,     /**< no answer within LACP_MARKER_NS */
};

/** Identity of a link aggregation group, actor's side first (6.3.6). No padding: compared as bytes.
 */
struct lacp_lag {
	uint16_t system_priority[2];
	uint16_t key[2];
	uint16_t port[2]; /**< 0 unless individual */
	uint16_t defaulted;
	uint8_t system[2][6];
};

/** Frames of one kind in any LACP_WINDOW_NS: when each of the n that fit may go again. */
struct lacp_window {
	uint64_t free_ns[LACP_WINDOW_MARKERS];
	unsigned int n, oldest;
};

struct lacp_counters {
	uint64_t n_pdu_tx, n_pdu_rx;
	uint64_t n_marker_rx;	    /**< requests */
	uint64_t n_marker_tx;	    /**< own requests */
	uint64_t n_response_rx;	    /**< answers to them, also late ones */
	uint64_t n_response_tx;	    /**< answers to the partner */
	uint64_t n_response_missed; /**< not answered: too many requests, or not sent */
	uint64_t n_bad;		    /**< malformed */
	uint64_t n_unknown;	    /**< other subtypes of the Slow Protocols */
	uint64_t n_ignored;	    /**< LACPDUs without carrier, or in LACP_STATIC */
	uint64_t n_tx_errors;	    /**< frames that ops->send refused */
	uint64_t n_expired;	    /**< partner fell silent */
	uint64_t n_defaulted;
	uint64_t n_moved;    /**< partner's end turned up on another port */
	uint64_t n_churn[2]; /**< actor's, partner's */
};

/** A port; members are for lacp*.c, others ask lacp_port_status. */
struct lacp_port {
	bool used;
	struct lacp_link link;
	struct lacp_info actor;	  /**< as told to the partner; state is composed when it is sent */
	struct lacp_info partner; /**< Partner_Oper */
	bool partner_default;	  /**< nobody told us so: taken from the fallback */
	bool matched;		  /**< the last LACPDU knew us as we are */
	enum lacp_rx rx;
	uint64_t rx_since_ns;
	uint64_t current_while_ns; /**< end of EXPIRED or CURRENT */
	enum lacp_selected selected;
	int aggregator; /**< valid unless UNSELECTED */
	struct lacp_lag lag;
	enum lacp_mux mux;
	uint64_t mux_since_ns;
	uint64_t wait_ns; /**< end of WAITING */
	enum lacp_drain drain;
	bool drain_asked;  /**< by lacp_port_drain, not only by a change of identity */
	uint64_t drain_ns; /**< end of the step */
	bool rolling;	   /**< its identity changes, or just did */
	uint64_t roll_ns;  /**< when the next one's turn comes in any case */
	enum lacp_period period;
	uint64_t period_ns; /**< next LACPDU */
	bool ntt;	    /**< need to transmit */
	uint64_t retry_ns;  /**< not before, after an error */
	struct lacp_window pdus, markers;
	enum lacp_marker_result marker;
	uint32_t transaction; /**< of the last marker */
	uint64_t marker_ns;   /**< when it is lost */
	enum lacp_churn churn[2];
	uint64_t churn_ns[2]; /**< end of MONITOR */
	const char *reason;   /**< static text: why mux is what it is */
	struct lacp_counters counters;
};

struct lacp {
	struct lacp_config config;
	struct lacp_ops ops;
	struct lacp_port ports[LACP_PORTS_MAX];
	int active;	   /**< aggregator, -1 = none */
	bool followed;	   /**< the active one is where the partner collects, not our choice */
	uint64_t adopt_ns; /**< until then nobody waits */
	uint64_t now_ns;   /**< of the last call */
	uint64_t n_active_changes;
	uint32_t told_collecting, told_distributing; /**< bits: what ops->port was told */
	int told_active;
};

/** Starts without ports. -EINVAL: system no unicast address, key > LACP_KEY_MAX, default_mbps 0.
 * ops is copied; all functions must be there. */
int lacp_init(struct lacp *lacp, const struct lacp_config *config, const struct lacp_ops *ops,
	      uint64_t now_ns);
/** New configuration, live; traffic goes on where the partner lets it. -EINVAL as lacp_init, then
 * nothing has changed. */
int lacp_configure(struct lacp *lacp, const struct lacp_config *config, uint64_t now_ns);

/** Adds port (an index below LACP_PORTS_MAX), or tells what changed. -EINVAL: no such index, mac no
 * unicast address. */
int lacp_port_set(struct lacp *lacp, unsigned int port, const struct lacp_link *link,
		  uint64_t now_ns);
/** Removes it; the partner is told when the link is up and a LACPDU may go. An unused one: nothing
 * happens. */
void lacp_port_remove(struct lacp *lacp, unsigned int port, uint64_t now_ns);
/** Takes the port out of use without losing a frame, or (on = false) back into use.
 * lacp_port_drained says when it may be removed. -EINVAL: not a port. */
int lacp_port_drain(struct lacp *lacp, unsigned int port, bool on, uint64_t now_ns);
bool lacp_port_drained(const struct lacp *lacp, unsigned int port);

/**
 * A frame that came in on port, without FCS. 0: was for us, also when it was ignored and counted;
 * -EPROTO malformed; -EOPNOTSUPP another Slow Protocol; -ENOMSG no such frame; -EINVAL not a port.
 */
int lacp_receive(struct lacp *lacp, unsigned int port, const uint8_t *frame, size_t len,
		 uint64_t now_ns);
/** Performs what is due; returns lacp_deadline. */
uint64_t lacp_run(struct lacp *lacp, uint64_t now_ns);
/** Next time lacp_run has work, later than the now_ns of the last lacp_run; DEADLINE_NEVER = none.
 * Any other call may have made it earlier. */
uint64_t lacp_deadline(const struct lacp *lacp);

/** Bits of the ports whose frames count, and of those that frames may go to. */
uint32_t lacp_collecting(const struct lacp *lacp);
uint32_t lacp_distributing(const struct lacp *lacp);

/**
 * Sends a marker on a port that collects (6.5): once it is ANSWERED, what went before has arrived,
 * and a flow may continue on another port without being overtaken. -EINVAL not a port; -ENOTCONN
 * not collecting, or no LACP partner; -EBUSY the last one is pending; -EAGAIN too many in this
 * second, or not sent.
 */
int lacp_marker_send(struct lacp *lacp, unsigned int port, uint64_t now_ns);
enum lacp_marker_result lacp_marker_result(const struct lacp *lacp, unsigned int port);

/** A port as people want to see it. */
struct lacp_port_status {
	bool carrier;
	uint32_t mbps;
	bool mbps_assumed; /**< the port told none */
	bool individual, loopback;
	enum lacp_rx rx;
	enum lacp_selected selected;
	enum lacp_mux mux;
	enum lacp_drain drain;
	enum lacp_churn churn[2]; /**< actor's, partner's */
	int aggregator;		  /**< -1 = none */
	bool active;		  /**< its aggregator is the active one */
	bool ready;		  /**< counts for its aggregator: in Sync on both sides */
	struct lacp_info actor, partner;
	bool partner_default;	/**< partner is made up */
	uint64_t rx_ns, mux_ns; /**< time in the state */
	const char *reason;	/**< static text */
	struct lacp_counters counters;
};

/** -EINVAL: not a port. */
int lacp_port_status(const struct lacp *lacp, unsigned int port, uint64_t now_ns,
		     struct lacp_port_status *status);

#define LACP_STATE_TEXT 96
/** Names of the bits of a state octet, comma separated: "active,fast,aggregatable,...". */
void lacp_state_format(char out[LACP_STATE_TEXT], uint8_t state);

const char *lacp_rx_name(enum lacp_rx rx);
const char *lacp_selected_name(enum lacp_selected selected);
const char *lacp_mux_name(enum lacp_mux mux);
const char *lacp_drain_name(enum lacp_drain drain);
const char *lacp_churn_name(enum lacp_churn churn);

/** NULL-terminated, index = value of the enum: choices for a key table. */
extern const char *const lacp_mode_names[];
extern const char *const lacp_ad_select_names[];
extern const char *const lacp_fallback_names[];

#endif
