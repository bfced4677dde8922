/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_priv.h - what passes between the daemon and the process that runs hooks. */
#ifndef XB_NET_HOOK_PRIV_H
#define XB_NET_HOOK_PRIV_H

#include <stdbool.h>

#include "hook.h"

/** A datagram: this, cut behind the text. */
struct hook_message {
	char program[HOOK_PROGRAM_MAX]; /**< padded with zeros */
	char text[HOOK_TEXT_MAX];
};

/** Does a datagram of size bytes hold a valid message? Its name then ends in it. */
bool hook_message_valid(const struct hook_message *message, size_t size);

#endif
