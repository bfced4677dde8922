/* SPDX-License-Identifier: GPL-2.0-or-later */
/* punctual.h - a thread that is to run soon after it is woken. */
#ifndef XB_NET_PUNCTUAL_H
#define XB_NET_PUNCTUAL_H

/**
 * For the calling thread: timers end without the kernel's slack of 50 us, and (Linux 6.12 and
 * later) what it computes is cut into slices of 0.1 ms, which lets it interrupt others when it is
 * woken. Its part of the processors stays what it was. What the kernel does not know is left out.
 */
void punctual_thread(void);

#endif
