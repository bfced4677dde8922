/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_libusb_priv.h - what the files of host_libusb share: host_libusb.c (open, events, close),
 * host_libusb_flight.c (transfers), host_libusb_link.c (claims, changes, giving back: what may
 * block), host_libusb_memory.c (memory that is mapped from usbfs).
 */
#ifndef XB_USB_HOST_LIBUSB_PRIV_H
#define XB_USB_HOST_LIBUSB_PRIV_H

#include <libusb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "host_libusb.h"

struct mailbox;

/** Longest data stage of a control transfer: libusb refuses more. */
#define HOST_LIBUSB_CONTROL_MAX 4096u

enum host_libusb_mapping {
	HOST_LIBUSB_MAPPING_MEASURE, /**< use memory of usbfs where copying from it is fast */
	HOST_LIBUSB_MAPPING_ALWAYS,
	HOST_LIBUSB_MAPPING_NEVER,
};

/** What tests set differently. */
struct host_libusb_tuning {
	unsigned int close_ms;	 /**< longest time that close waits */
	unsigned int control_ms; /**< longest time of a control transfer */
	enum host_libusb_mapping mapping;
};

/** host_libusb_open with other limits than the usual ones. */
int host_libusb_open_tuned(struct usb_host **host, int fd, const char *name, sd_event *event,
			   const struct host_libusb_tuning *tuning, char *error, size_t error_size);

/** One transfer of libusb, and where it is: in one of the device's lists. */
struct flight {
	struct libusb_transfer *xfer;
	int capacity;	  /**< packets that xfer has room for */
	uint8_t *control; /**< setup packet and data of a control transfer, as libusb wants them */
	size_t control_size;
	struct local_device *device;
	struct usb_transfer *transfer; /**< NULL while it is spare */
	struct flight **list;	       /**< which of the lists it is in */
	bool cancelled;
	struct flight *prev, *next;
};

enum link_job {
	LINK_JOB_CHANGE,
	LINK_JOB_GIVE_BACK, /**< return the device to the kernel and free all of libusb's */
};

enum link_fate {
	LINK_WORKING,
	LINK_FINISHED,	/**< the thread has its result */
	LINK_ABANDONED, /**< nobody waits: the thread cleans up after itself */
};

/**
 * The device as libusb knows it. Belongs to the loop's thread, but while `busy` to the thread that
 * carries out a change or gives the device back: usbfs holds the device's lock meanwhile, for up to
 * five seconds, and every other call about the device would wait for it.
 */
struct link {
	char name[64];
	int fd;
	libusb_context *ctx;
	libusb_device_handle *handle;
	uint32_t claimed;    /**< bit N: interface N is ours */
	int original;	     /**< configuration in force when we came, 0 = none */
	int current;	     /**< configuration in force */
	struct flight *lost; /**< never came back; freed when libusb has forgotten them */

	bool busy;
	bool returned; /**< given back: nothing of libusb's is left */
	enum link_job job;
	struct usb_change request; /**< copy of the change */
	int result;		   /**< its status */
	_Atomic int fate;	   /**< enum link_fate */
	pthread_t thread;
	struct mailbox *mail; /**< the thread's letter that it has finished */
};

/** A buffer mapped from usbfs. */
struct mapping {
	void *memory;
	size_t size;
	bool spare; /**< given back, and kept for the next who wants one */
	struct mapping *next;
};

/** A device that was opened. */
struct local_device {
	struct usb_host host;
	struct link *link;
	sd_event *event;
	struct source *sources;	 /**< descriptors of libusb in the loop */
	sd_event_source *mailed; /**< a change has been carried out */
	sd_event_source *work;	 /**< there is something to deliver, or `gone` to tell */
	struct flight *held;	 /**< submitted during a change: sent after it */
	struct flight *sent, *done, *spare;
	unsigned int n_spare;
	struct usb_change *change; /**< carried out at the moment */
	struct host_libusb_tuning tuning;
	uint8_t *descriptors;
	bool mapping; /**< buffers are mapped from usbfs */
	struct mapping *mappings;
	size_t spare_bytes;
	bool gone, gone_told;
	bool delivering; /**< callbacks run */
	bool closed;	 /**< by one of them */
};

/** 0 or -errno, of a libusb error; saved_errno: errno behind the call, 0 where it means nothing. */
int host_libusb_error(int error, int saved_errno);

/* host_libusb_link.c */

/** Takes fd in any case. 0, or -errno with a sentence in error. */
int link_open(struct link **out, int fd, const char *name, char *error, size_t error_size);
/** True while usbfs answers; a device that left says ENODEV. */
bool link_alive(const struct link *link);
/** Starts the thread with a job: 0 or -errno. */
int link_start(struct link *link, enum link_job job);
/** Waits for the thread, at most timeout_ms. False: it still works. */
bool link_wait(struct link *link, unsigned int timeout_ms);
/** The thread's letter came: takes the thread's end. */
void link_finish(struct link *link);
/** Frees a link; where the thread still works, the thread does it later. */
void link_free(struct link *link);

/* host_libusb_flight.c */

/** submit and cancel of usb/host.h. */
int flight_submit(struct usb_host *host, struct usb_transfer *transfer);
void flight_cancel(struct usb_host *host, struct usb_transfer *transfer);
/** Frees one that is in no list. */
void flight_free(struct flight *flight);
/** Cancels all that libusb has. */
void flights_cancel_sent(struct local_device *device);
/** Ends all that are held with a status. */
void flights_fail_held(struct local_device *device, int status);
/** After a change: cancels what was cancelled meanwhile, sends what was held. */
void flights_resume(struct local_device *device);
/** Gives all that are done to their submitters. */
void flights_tell_done(struct local_device *device);
/** Ends those that the machine's controller does not return; libusb's part of them lives on in the
 * link until libusb has forgotten them. */
void flights_lose_sent(struct local_device *device);
/** Frees those that are spare. */
void flights_free(struct local_device *device);
/** Has the loop deliver what is done. */
void device_wake(struct local_device *device);

/* host_libusb_memory.c */

/** Finds out whether buffers shall be mapped from usbfs. */
void memory_init(struct local_device *device);
/** Unmaps all, also what was not given back. */
void memory_fini(struct local_device *device);
/** Maps some: false when that fails or the kernel cannot pin it. Else what copying 64 KiB to and
 * from it takes, and the same between ordinary memory. */
bool memory_try(struct local_device *device, uint64_t *mapped_ns, uint64_t *ordinary_ns);
void *memory_alloc(struct usb_host *host, size_t size);
void memory_free(struct usb_host *host, void *buffer, size_t size);
/** Whether a mapping of usbfs wins, given what copying from and to it takes, and the same between
 * ordinary memory, ns: the ordinary way costs a second copy, in the kernel. */
bool memory_pays(uint64_t mapped_ns, uint64_t ordinary_ns);

#endif
