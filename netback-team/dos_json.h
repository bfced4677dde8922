/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dos_json.h - alarms, meters and history of attack detection as JSON and as words, for the control
 * socket, hooks, the log and the ring of events. */
#ifndef XB_NET_DOS_JSON_H
#define XB_NET_DOS_JSON_H

#include <arpa/inet.h>
#include <jansson.h>

#include "guard.h"

#define DOS_ADDR_TEXT INET6_ADDRSTRLEN
#define DOS_WORDS_MAX 320

/** "10.0.0.1" or "2001:db8::1". */
void dos_addr_text(char out[DOS_ADDR_TEXT], const struct dos_addr *addr);
const char *dos_direction_name(enum dos_direction direction);
/** Of the metric, "packets/s" for signatures. */
const char *dos_unit(unsigned int source);

/** An alarm as hooks get it: its request is of the kind ALERT or HOOK. */
json_t *dos_alarm_to_json(const struct guard_request *request, const char *team);
/** "23456 packets/s, threshold 10000; most from 192.0.2.1 (99 %), to port 53". Bytes of guests and
 * of the network are not in it. */
void dos_alarm_words(char out[DOS_WORDS_MAX], const struct guard_request *request);

/** "attack on the guest: unanswered": what an event of the history says. */
void dos_event_words(char out[DOS_WORDS_MAX], const struct act_event *event);
/** And why or what came of it: "15000 packets/s, threshold 10000", "dry run", an error. */
void dos_event_reason(char out[DOS_WORDS_MAX], const struct act_event *event);
/** vif: "" = unknown or the guest that is talked of. */
json_t *dos_event_to_json(const struct act_event *event, uint64_t now_ns, const char *vif);

/** Adds what is known of a guest or of a team; details: meters, peers, ports and history, too. */
void dos_status_to_json(json_t *reply, const struct guard_status *status, bool details);

#endif
