/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.h - a team's defence against denial of service, in its worker: what passes is shown to
 * dos.[ch], its alarms go to act.[ch], and what act decides is carried out.
 *
 * Theory of Operation: a vif whose profile is enabled is watched: it has a number, the same in dos
 * and act. One that is not costs a branch a frame. What is known of the team (sketches, history)
 * is allocated with the first watched vif.
 *
 * - limit drops frames over the limit instead of holding them back: what a guest wanted to send
 *   goes on being counted, so an attack does not seem over because it is limited. To take frames
 *   out of a ring for nothing costs the guests beside it their worker, though. So it is done
 *   GUARD_DROPS_PPS times a second; then the ring rests, and dos is told that there would be more.
 * - delay leaves answers in the RX ring unpublished, and sends no event, until so much time has
 *   passed since the last ones: the guest is interrupted 1/delay times a second at most, and takes
 *   a ring of frames each time.
 * - second-team binds the guest to other members of its team, in place of its own list (pin.h).
 * - alert, hook, pause, unpause and migrate go to the control thread as a guard_request.
 */
#ifndef XB_NET_GUARD_H
#define XB_NET_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "act.h"
#include "dos.h"
#include "pin.h"
#include "shape.h"

#define GUARD_HISTORY	   256	       /**< events that a team remembers */
#define GUARD_NAME_MAX	   32	       /**< of a profile, with its end */
#define GUARD_HOST_MAX	   128	       /**< name of a host, with its end */
#define GUARD_HOOK_MAX	   64	       /**< name of a program, with its end */
#define GUARD_BURST_NS	   50000000ull /**< limits let so much time's worth go at once */
#define GUARD_BURST_FRAMES 64u
#define GUARD_DROPS_PPS	   50000u /**< frames that a limited guest sends for nothing */

struct pkt;
struct vif;
struct worker;

/** How guests are watched, and what is done: target of the key table "dos". */
struct guard_profile {
	struct dos_options detect;
	struct act_options react;
	char hook_program[GUARD_HOOK_MAX];
	char migrate_host[GUARD_HOST_MAX];
	char second_members[PIN_LIST_MAX + 1]; /**< as vif_config.pin */
};
/** Watches nothing: the profile "off". */
void guard_profile_off(struct guard_profile *profile);

/** A guest's part beside its profile, which is in its struct vif_config. */
struct guard_vif {
	int vm;		 /**< number in dos and act, -1 = not watched */
	bool limited[2]; /**< by enum dos_direction */
	struct shape bits[2], packets[2];
	struct shape drops;    /**< frames of it that the limit may drop */
	uint64_t rest_ns;      /**< its TX rings are left alone until then; 0 = they are not */
	bool resting;	       /**< it had its turn meanwhile, and is out of the schedule */
	uint64_t delay_ns;     /**< 0 = deliver at once */
	bool second;	       /**< on its second set of NICs, by a reaction */
	bool by_hand;	       /**< and by command */
	uint64_t first_number; /**< events of the history up to this one are not its own */
};

enum guard_request_kind {
	GUARD_ALERT,
	GUARD_HOOK,
	GUARD_PAUSE,
	GUARD_UNPAUSE,
	GUARD_MIGRATE,
	GUARD_EVENT, /**< nothing: something was noted in the history */
};

/** What the control thread is to do; a value that may be copied. */
struct guard_request {
	enum guard_request_kind kind;
	bool whole_team; /**< an alarm of the team: vif, domid, devid say nothing */
	char vif[32];
	uint16_t domid;
	uint32_t devid;
	struct dos_alarm alarm; /**< ALERT, HOOK; its name is the one below, the pointer is NULL */
	char name[SIGNATURE_NAME_MAX];
	char argument[GUARD_HOST_MAX]; /**< HOOK: program; MIGRATE: host; PAUSE: longest time,
					  "" = none */
	char reason[16];	/**< PAUSE, UNPAUSE: "" = an attack, or what else it is for */
	struct act_event event; /**< EVENT */
	uint64_t now_ns;
};

/* guard.c; worker thread only. */

struct guard;

/** Nothing is watched yet. team: as guard_team_set. */
struct guard *guard_create(struct worker *worker, const struct guard_profile *team);
/** After the last vif. */
void guard_destroy(struct guard *guard);

/** The profile of the team's own figures, which are sums: their thresholds are four times the
 * profile's, ratios apart. Live. */
void guard_team_set(struct worker *worker, const struct guard_profile *profile);
/** Signatures for all guests, NULL = none; the old set is no longer used after it. -ENOMEM: it is.
 */
int guard_signatures_set(struct worker *worker, const struct signature_set *set);
/** The vif's profile, live: begins to watch, changes, or ends (and undoes what is in force). A vif
 * that cannot be watched for want of memory is not; that is logged. */
void guard_vif_set(struct vif *vif, const struct guard_profile *profile);
/** The vif goes: what is in force is undone. */
void guard_vif_remove(struct vif *vif);

/** The operator says that it is over: alarms and what is done about them end, and begin anew if the
 * attack goes on; relearn: what is usual is forgotten, too. Nothing for a vif
 * that is not watched. */
void guard_clear(struct vif *vif, bool relearn);
/** What a request asked for came to nothing: error is -errno. */
void guard_failed(struct vif *vif, enum act_action action, int error);

/** Does what is due, sets the worker's deadline. */
void guard_run(struct worker *worker);

/** A frame of a watched guest, seen but not yet counted. */
struct guard_packet {
	struct dos_packet packet;
	struct dos_hashes hashes;
};

/** For a batch of frames of watched guests, so that memory is waited for once: guard_fetch when a
 * guest's turn comes; guard_look for each frame whose headers were parsed; only then... */
void guard_fetch(const struct vif *vif);
void guard_look(struct vif *vif, const struct pkt *pkt, bool spoofed, struct guard_packet *look);
/** ... for each, before it goes anywhere. False: over the limit, to be dropped. */
bool guard_from_guest(struct vif *vif, const struct guard_packet *look);
/** The guest's turn to send came while its rings rest: it is to leave the schedule, and joins it
 * again by guest_take_resume. */
void guard_rest(struct vif *vif);
/** A frame for a watched guest whose headers were parsed. False: over the limit, to be dropped. */
bool guard_to_guest(struct vif *vif, const struct pkt *pkt);
/** A frame for the guest, watched or not, found no room. */
void guard_no_room(struct vif *vif);

/* guard_act.c */

extern const struct act_ops guard_act_ops; /**< their ctx is the struct guard */
/** Ends limits, delay and the second team of a guest that is watched no more. */
void guard_release(struct vif *vif);
/** Binds the guest to the members that its keys say, or its second set of NICs: its profile's
 * second_members, or the team's reserve. After any of that changed. */
void guard_place(struct vif *vif);
/** To the second set by hand, or (on = false) back. Also a guest that is not watched. -ENODEV: its
 * team has no such members, -EOPNOTSUPP: none that the mode lets it have, -ENETDOWN: none works
 * now; then nothing changes. -EBUSY: it is to go back, but a reaction keeps it there. */
int guard_failover(struct vif *vif, bool on);

/* guard_status.c */

#define GUARD_STATUS_RULES  8
#define GUARD_STATUS_EVENTS 64

/** A guest, or the team, as it stands; made in the worker, read elsewhere. */
struct guard_status {
	bool watched;
	bool dry_run;
	struct dos_figure figures[2][DOS_METRICS];
	struct {
		char name[SIGNATURE_NAME_MAX];
		struct dos_figure figure;
	} rules[GUARD_STATUS_RULES]; /**< signatures whose alarm is raised */
	unsigned int n_rules;
	struct dos_top peers[2][DOS_TOP], ports[2][DOS_TOP];
	unsigned int n_peers[2], n_ports[2];
	bool active[ACT_ACTIONS];
	uint64_t since_ns[ACT_ACTIONS];
	bool away, by_hand;	    /**< on its second set of NICs; by command */
	char member[TEAM_NAME_MAX]; /**< of which, "" = none of them is usable */
	const char *why;	    /**< static text */
	uint64_t now_ns;
	struct act_event events[GUARD_STATUS_EVENTS]; /**< the last one first */
	unsigned int n_events;
};
/** vif NULL: the team, with the events of all its guests; vifs[i] is then the name of the guest of
 * events[i], "" = it is gone. */
void guard_status_of(struct worker *worker, struct vif *vif, struct guard_status *status,
		     char (*vifs)[32]);

#endif
