/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbfs-mock.c - a usbfs device in this process; see usbfs-mock.h. */
#include "usbfs-mock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util.h"

/* The device that the calls below serve; NULL: none. */
static struct mock *device;
static off_t position;

static const uint8_t usual_descriptors[] = {
	/* device: USB 2.0, 0525:a4a0, 2 configurations */
	18, 1, 0x00, 0x02, 0, 0, 0, 64, 0x25, 0x05, 0xa0, 0xa4, 0x00, 0x01, 1, 2, 3, 2,
	/* configuration 1: 2 interfaces, 9 + 9 + 7 + 7 + 9 + 9 + 7 bytes */
	9, 2, 57, 0, 2, 1, 0, 0x80, 50, 9, 4, 0, 0, 2, 0xff, 0, 0, 0, 7, 5, 0x81, 2, 0, 2, 0, 7, 5,
	0x01, 2, 0, 2, 0, 9, 4, 1, 0, 0, 0xff, 0, 0, 0, 9, 4, 1, 1, 1, 0xff, 0, 0, 0, 7, 5, 0x83, 1,
	0, 4, 1,
	/* configuration 2: 1 interface */
	9, 2, 25, 0, 1, 2, 0, 0x80, 50, 9, 4, 0, 0, 1, 0xff, 0, 0, 0, 7, 5, 0x82, 2, 0, 2, 0};

/* Readable for reaping: room in the pipe. */
static void show(const struct mock *mock)
{
	struct pollfd out = {.fd = mock->fd, .events = POLLOUT};
	char page[4096] = {0};
	bool writable;

	if (mock->gone)
		return;
	writable = poll(&out, 1, 0) == 1;
	if (mock->n_completed && !writable)
		(void)syscall(SYS_read, mock->peer, page, sizeof(page));
	else if (!mock->n_completed && writable)
		(void)!write(mock->fd, page, sizeof(page));
}

void mock_init(struct mock *mock)
{
	int ends[2];

	*mock = (struct mock){.descriptors = usual_descriptors,
			      .n_descriptors = sizeof(usual_descriptors),
			      .speed = 3,
			      .configuration = 1,
			      .n_interfaces = {0, 2, 1, 0},
			      .binds = true,
			      .memory_limit = 16u << 20};
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) || fcntl(ends[1], F_SETPIPE_SZ, 4096) < 0)
		abort();
	mock->peer = ends[0];
	mock->fd = ends[1];
	mock->owner[0] = mock->owner[1] = MOCK_KERNEL;
	pthread_mutex_init(&mock->lock, NULL);
	pthread_cond_init(&mock->cond, NULL);
	device = mock;
	show(mock);
}

void mock_fini(struct mock *mock)
{
	device = NULL;
	if (!mock->gone)
		close(mock->peer);
	for (unsigned int i = 0; i < mock->n_pending; i++)
		free(mock->pending[i].out);
	for (unsigned int i = 0; i < mock->n_completed; i++)
		free(mock->completed[i].out);
	pthread_mutex_destroy(&mock->lock);
	pthread_cond_destroy(&mock->cond);
}

/* --- URBs --- */

static void complete(struct mock *mock, unsigned int index, int status, int actual, const void *in)
{
	struct mock_urb done = mock->pending[index];

	memmove(&mock->pending[index], &mock->pending[index + 1],
		(mock->n_pending - index - 1) * sizeof(done));
	mock->n_pending--;
	done.status = status;
	done.actual = actual;
	done.in = in;
	mock->completed[mock->n_completed++] = done;
	show(mock);
}

void mock_complete(struct mock *mock, unsigned int index, int status, int actual, const void *data)
{
	pthread_mutex_lock(&mock->lock);
	if (index >= mock->n_pending)
		abort();
	complete(mock, index, status, actual, data);
	pthread_mutex_unlock(&mock->lock);
}

void mock_complete_packets(struct mock *mock, unsigned int index, int bad, int status)
{
	struct usbdevfs_urb *urb = mock->pending[index].urb;
	int total = 0;

	for (int i = 0; i < urb->number_of_packets; i++) {
		struct usbdevfs_iso_packet_desc *packet = &urb->iso_frame_desc[i];

		packet->status = i == bad ? (unsigned int)status : 0;
		packet->actual_length = i == bad ? 0 : packet->length;
		total += (int)packet->actual_length;
	}
	mock_complete(mock, index, 0, total, NULL);
}

static int submit(struct mock *mock, struct usbdevfs_urb *urb)
{
	struct mock_urb *entry = &mock->pending[mock->n_pending];
	bool in = urb->endpoint & 0x80;
	int wanted = mock->submit_errno;

	mock->submit_errno = 0;
	if (wanted)
		return wanted;
	if (mock->n_pending == MOCK_URBS ||
	    mock->memory_used + (size_t)urb->buffer_length > mock->memory_limit)
		return ENOMEM;
	/* An endpoint of no interface of the configuration in force. */
	if ((urb->endpoint & 0x0f) && !mock->n_interfaces[mock->configuration])
		return ENOENT;
	*entry = (struct mock_urb){.urb = urb, .length = (uint32_t)urb->buffer_length};
	if (urb->type == USBDEVFS_URB_TYPE_CONTROL)
		in = false; /* keep the setup packet to look at */
	if (!in && urb->buffer_length) {
		entry->out = malloc((size_t)urb->buffer_length);
		memcpy(entry->out, urb->buffer, (size_t)urb->buffer_length);
	}
	mock->memory_used += (size_t)urb->buffer_length;
	mock->last_endpoint = urb->endpoint;
	mock->last_flags = urb->flags;
	mock->n_pending++;
	mock->n_submits++;
	return 0;
}

static int discard(struct mock *mock, const struct usbdevfs_urb *urb)
{
	mock->n_discards++;
	for (unsigned int i = 0; i < mock->n_pending; i++) {
		if (mock->pending[i].urb != urb)
			continue;
		if (!mock->wedged)
			complete(mock, i, -ENOENT, mock->discard_actual, NULL);
		return 0;
	}
	return EINVAL;
}

static int reap(struct mock *mock, void **out)
{
	struct mock_urb done = mock->completed[0];
	struct usbdevfs_urb *urb = done.urb;

	if (!mock->n_completed)
		return mock->gone ? ENODEV : EAGAIN;
	memmove(&mock->completed[0], &mock->completed[1], (mock->n_completed - 1) * sizeof(done));
	mock->n_completed--;
	mock->memory_used -= done.length;
	urb->status = done.status;
	urb->actual_length = done.actual;
	if (done.in && urb->type == USBDEVFS_URB_TYPE_CONTROL)
		memcpy((uint8_t *)urb->buffer + 8, done.in, (size_t)done.actual);
	else if (done.in)
		memcpy(urb->buffer, done.in, (size_t)done.actual);
	free(done.out);
	*out = urb;
	show(mock);
	return 0;
}

static void kill_all(struct mock *mock, int status)
{
	while (mock->n_pending && !mock->wedged)
		complete(mock, 0, status, 0, NULL);
}

void mock_unplug(struct mock *mock)
{
	pthread_mutex_lock(&mock->lock);
	kill_all(mock, -ESHUTDOWN);
	mock->gone = true;
	close(mock->peer); /* the other end is in error now */
	pthread_mutex_unlock(&mock->lock);
}

/* --- interfaces --- */

static bool exists(const struct mock *mock, unsigned int interface)
{
	return interface < mock->n_interfaces[mock->configuration];
}

static int claim(struct mock *mock, unsigned int interface, bool evict)
{
	if (!exists(mock, interface))
		return evict ? EINVAL : ENOENT;
	if (mock->owner[interface] == MOCK_FOREIGN ||
	    (mock->owner[interface] == MOCK_KERNEL && !evict))
		return EBUSY;
	mock->owner[interface] = MOCK_OURS;
	mock->n_claims++;
	return 0;
}

static int release(struct mock *mock, unsigned int interface)
{
	if (!exists(mock, interface) || mock->owner[interface] != MOCK_OURS)
		return EINVAL;
	mock->owner[interface] = MOCK_FREE;
	kill_all(mock, -ENOENT);
	return 0;
}

static int connect_driver(struct mock *mock, const struct usbdevfs_ioctl *command)
{
	if (command->ioctl_code != (int)USBDEVFS_CONNECT ||
	    !exists(mock, (unsigned int)command->ifno))
		return EINVAL;
	if (mock->owner[command->ifno] != MOCK_FREE)
		return EBUSY;
	mock->owner[command->ifno] = MOCK_KERNEL;
	mock->n_connects++;
	return 0;
}

/* --- changes --- */

/* Begins a change: it may have to wait, with the device locked. */
static int begin_change(struct mock *mock)
{
	int wanted = mock->change_errno;

	mock->change_errno = 0;
	if (mock->hold) {
		mock->hold = false;
		mock->inside = true;
		mock->holder = pthread_self();
		pthread_cond_broadcast(&mock->cond);
		while (mock->inside)
			pthread_cond_wait(&mock->cond, &mock->lock);
	}
	return mock->gone ? ENODEV : wanted;
}

static int set_configuration(struct mock *mock, int value)
{
	int err = begin_change(mock);

	mock->n_set_configurations++;
	for (unsigned int i = 0; i < MOCK_INTERFACES && !err; i++)
		if (exists(mock, i) && mock->owner[i] != MOCK_FREE)
			err = EBUSY;
	if (err)
		return err;
	if (value < -1 || value >= (int)ARRAY_SIZE(mock->n_interfaces) ||
	    (value > 0 && !mock->n_interfaces[value]))
		return EINVAL;
	kill_all(mock, -ESHUTDOWN);
	mock->configuration = value > 0 ? (unsigned int)value : 0;
	for (unsigned int i = 0; i < MOCK_INTERFACES; i++) {
		mock->owner[i] = exists(mock, i) && mock->binds ? MOCK_KERNEL : MOCK_FREE;
		mock->setting[i] = 0;
	}
	return 0;
}

static int set_interface(struct mock *mock, const struct usbdevfs_setinterface *set)
{
	int err = begin_change(mock);

	mock->n_set_interfaces++;
	if (err)
		return err;
	if (!exists(mock, set->interface) || set->altsetting > 1)
		return EINVAL;
	mock->setting[set->interface] = set->altsetting;
	return 0;
}

static int reset(struct mock *mock)
{
	int err = begin_change(mock);

	mock->n_resets++;
	if (err)
		return err;
	if (mock->reenumerates) {
		kill_all(mock, -ESHUTDOWN);
		mock->gone = true;
		close(mock->peer);
		return ENODEV;
	}
	memset(mock->setting, 0, sizeof(mock->setting));
	return 0;
}

static int driver_of(const struct mock *mock, struct usbdevfs_getdriver *get)
{
	static const char *const names[] = {
		[MOCK_OURS] = "usbfs", [MOCK_KERNEL] = "usb-storage", [MOCK_FOREIGN] = "usbfs"};

	if (!exists(mock, get->interface) || mock->owner[get->interface] == MOCK_FREE)
		return ENODATA;
	strcpy(get->driver, names[mock->owner[get->interface]]);
	return 0;
}

static int control(const struct mock *mock, const struct usbdevfs_ctrltransfer *transfer)
{
	/* GET_CONFIGURATION, the only one that libusb sends by this way */
	if (transfer->bRequestType != 0x80 || transfer->bRequest != 8)
		return -EINVAL;
	*(uint8_t *)transfer->data = (uint8_t)mock->configuration;
	return 1;
}

/* --- the calls; each gives 0 or more, or a positive errno negated by serve --- */

static int serve_change(struct mock *mock, unsigned long request, void *arg)
{
	int err;

	switch (request) {
	case USBDEVFS_SETCONFIGURATION:
		return -set_configuration(mock, *(int *)arg);
	case USBDEVFS_SETINTERFACE:
		return -set_interface(mock, arg);
	case USBDEVFS_CLEAR_HALT:
		err = begin_change(mock);
		mock->n_clear_halts++;
		mock->last_endpoint = *(unsigned int *)arg;
		return -err;
	case USBDEVFS_RESETEP:
		err = begin_change(mock);
		mock->n_reset_eps++;
		mock->last_endpoint = *(unsigned int *)arg;
		return -err;
	case USBDEVFS_RESET:
		return -reset(mock);
	default:
		return -ENOTTY;
	}
}

static int serve(struct mock *mock, unsigned long request, void *arg)
{
	if (request == USBDEVFS_REAPURBNDELAY)
		return -reap(mock, arg);
	if (mock->gone)
		return -ENODEV;
	switch (request) {
	case USBDEVFS_GET_CAPABILITIES:
		*(uint32_t *)arg = USBDEVFS_CAP_ZERO_PACKET | USBDEVFS_CAP_NO_PACKET_SIZE_LIM |
				   USBDEVFS_CAP_BULK_SCATTER_GATHER |
				   USBDEVFS_CAP_REAP_AFTER_DISCONNECT;
		return 0;
	case USBDEVFS_CONNECTINFO:
		*(struct usbdevfs_connectinfo *)arg = (struct usbdevfs_connectinfo){.devnum = 2};
		return 0;
	case USBDEVFS_GET_SPEED:
		return (int)mock->speed;
	case USBDEVFS_CONTROL:
		return control(mock, arg);
	case USBDEVFS_SUBMITURB:
		return -submit(mock, arg);
	case USBDEVFS_DISCARDURB:
		return -discard(mock, arg);
	case USBDEVFS_CLAIMINTERFACE:
		return -claim(mock, *(unsigned int *)arg, false);
	case USBDEVFS_DISCONNECT_CLAIM:
		return -claim(mock, ((struct usbdevfs_disconnect_claim *)arg)->interface, true);
	case USBDEVFS_RELEASEINTERFACE:
		return -release(mock, *(unsigned int *)arg);
	case USBDEVFS_GETDRIVER:
		return -driver_of(mock, arg);
	case USBDEVFS_IOCTL: {
		int err = connect_driver(mock, arg);

		return err ? -err : 1;
	}
	default:
		return serve_change(mock, request, arg);
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int rc;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (!device || fd != device->fd)
		return (int)syscall(SYS_ioctl, fd, request, arg);
	pthread_mutex_lock(&device->lock);
	if (device->inside && !pthread_equal(device->holder, pthread_self()))
		device->violations++;
	rc = serve(device, request, arg);
	pthread_mutex_unlock(&device->lock);
	if (rc >= 0)
		return rc;
	errno = -rc;
	return -1;
}

static ssize_t read_descriptors(void *to, size_t size, off_t from)
{
	size_t left =
		(size_t)from < device->n_descriptors ? device->n_descriptors - (size_t)from : 0;

	if (device->gone) {
		errno = ENODEV;
		return -1;
	}
	size = MIN(size, left);
	memcpy(to, device->descriptors + from, size);
	return (ssize_t)size;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the names of libc are reserved
 */
ssize_t pread(int fd, void *to, size_t size, off_t from)
{
	if (!device || fd != device->fd)
		return syscall(SYS_pread64, fd, to, size, from);
	return read_descriptors(to, size, from);
}

ssize_t read(int fd, void *to, size_t size)
{
	ssize_t n;

	if (!device || fd != device->fd)
		return syscall(SYS_read, fd, to, size);
	n = read_descriptors(to, size, position);
	position += n > 0 ? n : 0;
	return n;
}

off_t lseek(int fd, off_t to, int whence)
{
	if (!device || fd != device->fd)
		return syscall(SYS_lseek, fd, to, whence);
	position = to;
	return to;
}

void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t from)
{
	if (device && fd >= 0 && fd == device->fd) {
		if (!device->mappable) {
			errno = ENODEV;
			return MAP_FAILED;
		}
		device->n_maps++;
		fd = -1;
		flags |= MAP_ANONYMOUS;
	}
	return (void *)syscall(SYS_mmap, at, size, prot, flags, fd, from);
}

ssize_t vmsplice(int fd, const struct iovec *from, size_t n, unsigned int flags)
{
	if (device && device->unpinnable) {
		errno = EFAULT;
		return -1;
	}
	return syscall(SYS_vmsplice, fd, from, n, flags);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

/* --- what tests wait for --- */

void mock_wait_inside(struct mock *mock)
{
	pthread_mutex_lock(&mock->lock);
	while (!mock->inside)
		pthread_cond_wait(&mock->cond, &mock->lock);
	pthread_mutex_unlock(&mock->lock);
}

void mock_let_go(struct mock *mock)
{
	pthread_mutex_lock(&mock->lock);
	mock->inside = false;
	pthread_cond_broadcast(&mock->cond);
	pthread_mutex_unlock(&mock->lock);
}

void mock_wait_closed(struct mock *mock)
{
	struct pollfd peer = {.fd = mock->peer};

	while (!(peer.revents & POLLHUP))
		(void)poll(&peer, 1, -1);
}
