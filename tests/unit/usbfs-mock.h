/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbfs-mock.h - a usbfs device in this process, for the tests of host_libusb.
 *
 * The program's own ioctl(), read(), lseek(), pread(), mmap() and vmsplice() come before libc's,
 * also for libusb, and serve one descriptor as the kernel's devio.c does: claims, configurations,
 * URBs, the memory limit, disconnection. The descriptor is the end of a pipe, so that poll and
 * epoll show what usbfs shows: writable when there is something to reap, in error when the device
 * is gone. (umockdev's node is a regular file: epoll refuses it, poll calls it always writable and
 * never in error.)
 *
 * The kernel has a device locked during a change. A call from another thread in that time would
 * wait; here it is counted as a violation.
 */
#ifndef XB_TEST_USBFS_MOCK_H
#define XB_TEST_USBFS_MOCK_H

#include <linux/usbdevice_fs.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOCK_INTERFACES 4
#define MOCK_URBS	128

enum mock_owner { MOCK_FREE, MOCK_OURS, MOCK_KERNEL, MOCK_FOREIGN };

struct mock_urb {
	struct usbdevfs_urb *urb; /* in the submitter's memory */
	uint8_t *out;		  /* what the kernel copied at submission */
	uint32_t length;
	int status, actual;
	const uint8_t *in; /* copied when it is reaped */
};

struct mock {
	int fd;	  /* the device's descriptor */
	int peer; /* other end of the pipe */
	const uint8_t *descriptors;
	size_t n_descriptors;
	unsigned int speed; /* as USBDEVFS_GET_SPEED */
	unsigned int configuration;
	unsigned int n_interfaces[4]; /* of configuration N; 0: there is no such */
	enum mock_owner owner[MOCK_INTERFACES];
	unsigned int setting[MOCK_INTERFACES];
	bool binds;	     /* kernel drivers take interfaces that come up */
	bool mappable;	     /* mmap works */
	bool unpinnable;     /* its memory cannot be pinned, as that of Linux 6.1 */
	bool wedged;	     /* DISCARDURB ends nothing */
	int discard_actual;  /* bytes that a discarded URB has moved */
	int submit_errno;    /* the next SUBMITURB fails so */
	int change_errno;    /* the next change fails so */
	bool reenumerates;   /* the next reset brings another device */
	size_t memory_limit; /* bytes of buffers in flight */
	size_t memory_used;

	struct mock_urb pending[MOCK_URBS], completed[MOCK_URBS];
	unsigned int n_pending, n_completed;

	/* What was called. */
	unsigned int n_submits, n_discards, n_claims, n_connects, n_clear_halts, n_reset_eps;
	unsigned int n_set_configurations, n_set_interfaces, n_resets, n_maps;
	unsigned int last_endpoint, last_flags;
	unsigned int violations;

	bool gone;
	bool hold; /* the next change waits for mock_let_go */
	bool inside;
	pthread_t holder;
	pthread_mutex_t lock;
	pthread_cond_t cond;
};

/** Prepares the one device: two configurations (2 interfaces, 1 interface), number 1 in force,
 * kernel drivers bound. */
void mock_init(struct mock *mock);
void mock_fini(struct mock *mock);
/** Completes the pending URB that was submitted as number index, IN data from data. */
void mock_complete(struct mock *mock, unsigned int index, int status, int actual, const void *data);
/** The same for an isochronous one: every packet full, but for packet `bad` (-1 = none), which
 * failed with status. */
void mock_complete_packets(struct mock *mock, unsigned int index, int bad, int status);
/** Unplugs it. */
void mock_unplug(struct mock *mock);
/** Waits until a change that is held back has begun. */
void mock_wait_inside(struct mock *mock);
void mock_let_go(struct mock *mock);
/** Waits until nobody has the descriptor any more. */
void mock_wait_closed(struct mock *mock);

#endif
