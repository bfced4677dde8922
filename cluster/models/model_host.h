/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_host.h - any model (model.h) as a device behind usb/host.h, on an sd_event.
 *
 * Theory of Operation
 * submit puts a transfer into its endpoint's queue and wakes a deferred source; its handler, the
 * pump, offers the head of every queue to the model until nobody moves any more, and then calls
 * what is done, in the order in which it ended. So nothing is ever called from inside submit.
 *
 * Interrupt and isochronous endpoints have a schedule on the model's clock, as a host controller
 * would have it: a transfer's first packet goes at the later of "one interval after the last one"
 * and "now", and the transfer is offered when its last packet is due. Transfers that are queued in
 * time follow each other without a gap however late the loop wakes up; none is lost. The next time
 * that anything is due is in a timer of the loop. A clock that is not the machine's (manual, in
 * tests) has no such timer: its owner calls model_host_run.
 *
 * A transfer of an endpoint that is halted ends with -EPIPE, with what was moved before in
 * `actual`. A cancelled one ends with -ECANCELED, at once unless another thread works on its
 * memory.
 */
#ifndef XB_MODEL_HOST_H
#define XB_MODEL_HOST_H

#include <systemd/sd-event.h>

#include "model.h"

struct clock;
struct model_host;

/** An adapter without a model; its model is to be filled by a create function. name: for messages.
 */
struct model_host *model_host_create(const char *name, sd_event *event, struct clock *clock);
struct model *model_host_model(struct model_host *host);
/** The model is there: makes the device. 0 or -errno of sd_event. */
int model_host_start(struct model_host *host);
/** The device. */
struct usb_host *model_host_device(struct model_host *host);
/** Ends it all; what `close` of the device does. Also for one that was never started. */
void model_host_destroy(struct model_host *host);

/** The adapter behind a device that a model is behind. */
struct model_host *model_host_of(struct usb_host *device);
/** When something is due on the clock; DEADLINE_NEVER: only when something is submitted. */
uint64_t model_host_deadline_ns(const struct model_host *host);
/** Does what is due now; calls done. */
void model_host_run(struct model_host *host);

#endif
