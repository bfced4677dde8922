/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_libusb_memory.c - transfer buffers that are mapped from usbfs, so that the kernel copies
 * nothing.
 *
 * Whether they win depends on the machine: where USB controllers do not see the processors' caches,
 * such memory is mapped uncached and reading it takes longer than the copy that it saves. So it is
 * measured, once a device. A descriptor that is no usbfs device may still be mappable, to memory
 * that no transfer would ever see: such a one is never used. And who fills these buffers does it by
 * grant copies, for which the kernel must be able to pin them: Linux 6.1 maps usbfs's memory VM_IO
 * and cannot, so there ordinary memory is used. It is tried rather than known by version.
 */
#include "host_libusb_priv.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <utlist.h>
#include <sys/sysmacros.h>

#include "clock.h"
#include "log.h"
#include "util.h"

#define LOG_MODULE "usb"

#define USB_MAJOR	189 /* character devices of usbfs (Linux, devices.txt) */
#define MEASURE_BYTES	(64u << 10)
#define MEASURE_ROUNDS	8
#define SPARE_BYTES_MAX (2u << 20) /* all of usbfs has 16 MiB by default */
#define GRANULE		4096u

bool memory_pays(uint64_t mapped_ns, uint64_t ordinary_ns)
{
	return mapped_ns <= 2 * ordinary_ns;
}

static bool is_usbfs(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISCHR(st.st_mode) && major(st.st_rdev) == USB_MAJOR;
}

/* vmsplice pins the pages that it is given; nothing is moved. */
static bool is_pinnable(uint8_t *memory)
{
	struct iovec page = {.iov_base = memory, .iov_len = GRANULE};
	int ends[2];
	bool pinned;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return false;
	pinned = vmsplice(ends[1], &page, 1, SPLICE_F_NONBLOCK) == (ssize_t)GRANULE;
	close(ends[0]);
	close(ends[1]);
	return pinned;
}

/* The fastest of some rounds there and back. */
static uint64_t measure(uint8_t *there, uint8_t *here)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < MEASURE_ROUNDS; i++) {
		uint64_t start = clock_now(&clock_monotonic), took;

		memcpy(there, here, MEASURE_BYTES);
		/* The compiler must not know that this brings nothing new. */
		__asm__ volatile("" ::"r"(there) : "memory");
		memcpy(here, there, MEASURE_BYTES);
		__asm__ volatile("" ::"r"(here) : "memory");
		took = clock_now(&clock_monotonic) - start;
		best = MIN(best, took);
	}
	return best;
}

bool memory_try(struct local_device *device, uint64_t *mapped_ns, uint64_t *ordinary_ns)
{
	libusb_device_handle *handle = device->link->handle;
	uint8_t *mapped = libusb_dev_mem_alloc(handle, MEASURE_BYTES), *one, *other;
	bool pinnable;

	if (!mapped)
		return false;
	memset(mapped, 0, MEASURE_BYTES);
	pinnable = is_pinnable(mapped);
	if (pinnable) {
		one = xb_calloc(1, MEASURE_BYTES);
		other = xb_calloc(1, MEASURE_BYTES);
		*mapped_ns = measure(mapped, one);
		*ordinary_ns = measure(other, one);
		free(one);
		free(other);
	}
	libusb_dev_mem_free(handle, mapped, MEASURE_BYTES);
	return pinnable;
}

static bool measured_to_pay(struct local_device *device)
{
	uint64_t mapped_ns, ordinary_ns;

	if (!memory_try(device, &mapped_ns, &ordinary_ns))
		return false;
	log_debug("%s: 64 KiB there and back: %llu ns by usbfs's memory, %llu ns by ordinary",
		  device->host.name, (unsigned long long)mapped_ns,
		  (unsigned long long)ordinary_ns);
	return memory_pays(mapped_ns, ordinary_ns);
}

void memory_init(struct local_device *device)
{
	switch (device->tuning.mapping) {
	case HOST_LIBUSB_MAPPING_ALWAYS:
		device->mapping = true;
		break;
	case HOST_LIBUSB_MAPPING_NEVER:
		device->mapping = false;
		break;
	case HOST_LIBUSB_MAPPING_MEASURE:
		device->mapping = is_usbfs(device->link->fd) && measured_to_pay(device);
		break;
	}
}

static size_t rounded(size_t size)
{
	return DIV_ROUND_UP(size, GRANULE) * GRANULE;
}

void *memory_alloc(struct usb_host *host, size_t size)
{
	struct local_device *device = container_of(host, struct local_device, host);
	struct mapping *mapping;
	void *memory;

	if (!device->mapping || device->closed || !size)
		return NULL;
	size = rounded(size);
	LL_FOREACH (device->mappings, mapping) {
		if (!mapping->spare || mapping->size != size)
			continue;
		mapping->spare = false;
		device->spare_bytes -= size;
		return mapping->memory;
	}
	memory = libusb_dev_mem_alloc(device->link->handle, size);
	if (!memory)
		return NULL;
	mapping = xb_calloc(1, sizeof(*mapping));
	mapping->memory = memory;
	mapping->size = size;
	LL_PREPEND(device->mappings, mapping);
	return memory;
}

static void unmap(struct local_device *device, struct mapping *mapping)
{
	libusb_dev_mem_free(device->link->handle, mapping->memory, mapping->size);
	LL_DELETE(device->mappings, mapping);
	free(mapping);
}

void memory_free(struct usb_host *host, void *buffer, size_t size)
{
	struct local_device *device = container_of(host, struct local_device, host);
	struct mapping *mapping;

	LL_FOREACH (device->mappings, mapping)
		if (mapping->memory == buffer)
			break;
	if (!mapping || mapping->spare)
		return;
	if (device->spare_bytes + mapping->size > SPARE_BYTES_MAX) {
		unmap(device, mapping);
		return;
	}
	mapping->spare = true;
	device->spare_bytes += mapping->size;
}

void memory_fini(struct local_device *device)
{
	while (device->mappings)
		unmap(device, device->mappings);
	device->spare_bytes = 0;
}
