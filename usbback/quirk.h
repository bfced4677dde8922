/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quirk.h - what a device needs that the standard does not say.
 *
 * Defaults by VID:PID from a table in quirk.c, then what the administrator writes: a list such as
 * "no-merge,reset=never,read-ahead=64KiB".
 */
#ifndef XB_USB_QUIRK_H
#define XB_USB_QUIRK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum quirk_reset {
	QUIRK_RESET_INFER, /**< a guest that starts to enumerate again resets the device */
	QUIRK_RESET_NEVER, /**< the device never sees a reset from the guest */
};

/** Longest read-ahead. */
#define QUIRK_READ_AHEAD_MAX (1u << 20)

struct quirks {
	bool no_merge; /**< one host transfer for every request, none before it */
	bool zlp;      /**< a bulk OUT request of full packets ends with a zero-length packet:
			  the stock frontend loses URB_ZERO_PACKET */
	bool clear_halt_host; /**< clear a halt on the host's side only: some storage freezes on
				 the request */
	enum quirk_reset reset;
	uint32_t
		read_ahead; /**< bytes that a bulk IN pipe may fetch before they are asked for; 0 */
};

/** The defaults for a device. */
void quirks_init(struct quirks *quirks, uint16_t vid, uint16_t pid);

/**
 * Changes quirks by a list: words separated by ',': no-merge, merge, zlp, no-zlp, clear-halt=host,
 * clear-halt=device, reset=infer, reset=never, read-ahead=SIZE (0 to 1MiB, a multiple of 1024).
 * -EINVAL with a sentence in error that names the word and what is allowed; quirks is unchanged
 * then.
 */
int quirks_parse(struct quirks *quirks, const char *list, char *error, size_t error_size);

#endif
