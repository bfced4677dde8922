/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mailbox.h - the one way from a thread into another: functions queued by any thread, run by the
 * owner in its loop.
 *
 * The owner waits for mailbox_fd to become readable and calls mailbox_drain.
 */
#ifndef XB_MAILBOX_H
#define XB_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

struct mailbox;
/** Runs in the owner's thread; ctx is the owner's of mailbox_drain. */
typedef int (*mailbox_fn)(void *ctx, void *arg);

/** NULL when there is no eventfd to be had. */
struct mailbox *mailbox_create(void);
/** Drops what is still queued; nobody may wait in mailbox_call. */
void mailbox_destroy(struct mailbox *mailbox);
int mailbox_fd(const struct mailbox *mailbox);

/** Queues fn with a copy of arg[size]; never blocks on the owner. */
void mailbox_post(struct mailbox *mailbox, mailbox_fn fn, const void *arg, size_t size);
/** Queues fn with arg itself and waits until the owner ran it; returns its result. Never call it
 * from the owner's thread. */
int mailbox_call(struct mailbox *mailbox, mailbox_fn fn, void *arg);

/** Cheap look, for a loop that is busy anyway. */
bool mailbox_pending(const struct mailbox *mailbox);
/** Runs everything that is queued, in order. */
void mailbox_drain(struct mailbox *mailbox, void *ctx);

#endif
