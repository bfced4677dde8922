/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_libusb_flight.c - transfers of a local device: to libusb and back.
 *
 * host_libusb.c has the Theory of Operation. A flight is one transfer of libusb; it is spare, held,
 * sent or done, and the list that it is in says which.
 */
#include "host_libusb_priv.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "clock.h"
#include "log.h"
#include "util.h"

#define LOG_MODULE "usb"

#define SPARE_FLIGHTS_MAX 64
#define PACKETS_MAX	  4096
#define TRANSFER_MAX	  (16u << 20)

/* --- lists --- */

static void flight_move(struct flight *flight, struct flight **list)
{
	if (flight->list)
		DL_DELETE(*flight->list, flight);
	flight->list = list;
	if (list)
		DL_APPEND(*list, flight);
}

void flight_free(struct flight *flight)
{
	libusb_free_transfer(flight->xfer);
	free(flight->control);
	free(flight);
}

static void flight_put(struct flight *flight)
{
	struct local_device *device = flight->device;

	flight->transfer = NULL;
	if (device->n_spare < SPARE_FLIGHTS_MAX) {
		flight_move(flight, &device->spare);
		device->n_spare++;
		return;
	}
	flight_move(flight, NULL);
	flight_free(flight);
}

static struct flight *flight_get(struct local_device *device, uint32_t n_packets)
{
	struct flight *flight;

	DL_FOREACH (device->spare, flight) {
		if (flight->capacity < (int)n_packets)
			continue;
		flight_move(flight, NULL);
		device->n_spare--;
		flight->cancelled = false;
		return flight;
	}
	flight = calloc(1, sizeof(*flight));
	if (!flight)
		return NULL;
	flight->device = device;
	flight->capacity = (int)n_packets;
	flight->xfer = libusb_alloc_transfer((int)n_packets);
	if (flight->xfer)
		return flight;
	free(flight);
	return NULL;
}

/* --- results --- */

static int status_of(const struct local_device *device, enum libusb_transfer_status status)
{
	switch (status) {
	case LIBUSB_TRANSFER_COMPLETED:
		return 0;
	case LIBUSB_TRANSFER_STALL:
		return -EPIPE;
	case LIBUSB_TRANSFER_OVERFLOW:
		return -EOVERFLOW;
	case LIBUSB_TRANSFER_CANCELLED:
		return -ECANCELED;
	case LIBUSB_TRANSFER_NO_DEVICE:
		return device->gone ? -ENODEV : -EPROTO;
	case LIBUSB_TRANSFER_ERROR:
	case LIBUSB_TRANSFER_TIMED_OUT:
		break;
	}
	return -EPROTO;
}

static uint32_t take_packets(const struct flight *flight)
{
	const struct usb_transfer *transfer = flight->transfer;
	uint32_t total = 0;

	for (uint32_t i = 0; i < transfer->n_packets; i++) {
		const struct libusb_iso_packet_descriptor *from = &flight->xfer->iso_packet_desc[i];
		struct usb_packet *to = &transfer->packets[i];

		to->actual = MIN(from->actual_length, to->length);
		to->status = status_of(flight->device, from->status);
		total += to->actual;
	}
	return total;
}

/* What libusb says, into the transfer. */
static void take_result(struct flight *flight)
{
	struct usb_transfer *transfer = flight->transfer;
	const struct libusb_transfer *xfer = flight->xfer;
	struct local_device *device = flight->device;

	if (xfer->status == LIBUSB_TRANSFER_NO_DEVICE && !device->gone)
		device->gone = !link_alive(device->link);
	transfer->status = status_of(device, xfer->status);
	if (transfer->type == USB_ENDPOINT_XFER_ISOC)
		transfer->actual = take_packets(flight);
	else
		transfer->actual = MIN((uint32_t)MAX(xfer->actual_length, 0), transfer->length);
	if (transfer->type == USB_ENDPOINT_XFER_CONTROL &&
	    (transfer->setup.bRequestType & USB_DIR_IN) && transfer->actual)
		memcpy(transfer->data, flight->control + LIBUSB_CONTROL_SETUP_SIZE,
		       transfer->actual);
	/* It has ended, but not as its submitter wished to see it. */
	if (device->closed && transfer->status == -ECANCELED)
		transfer->status = -ENODEV;
}

void device_wake(struct local_device *device)
{
	if (device->work)
		(void)sd_event_source_set_enabled(device->work, SD_EVENT_ONESHOT);
}

static void LIBUSB_CALL on_complete(struct libusb_transfer *xfer)
{
	struct flight *flight = xfer->user_data;

	take_result(flight);
	flight_move(flight, &flight->device->done);
	device_wake(flight->device);
}

/* Done without having been sent. */
static void flight_finish_unsent(struct flight *flight, int status)
{
	struct usb_transfer *transfer = flight->transfer;

	transfer->actual = 0;
	transfer->status = status;
	for (uint32_t i = 0; i < transfer->n_packets; i++) {
		transfer->packets[i].actual = 0;
		transfer->packets[i].status = status;
	}
	flight_move(flight, &flight->device->done);
	device_wake(flight->device);
}

void flights_tell_done(struct local_device *device)
{
	struct flight *flight;

	while ((flight = device->done)) {
		struct usb_transfer *transfer = flight->transfer;

		DL_DELETE(device->done, flight);
		flight->list = NULL;
		flight_put(flight);
		transfer->host = NULL;
		transfer->done(transfer);
	}
}

/* --- submitting --- */

static bool is_sound(const struct usb_transfer *transfer)
{
	uint32_t total = 0;

	if (transfer->length > TRANSFER_MAX || (transfer->length && !transfer->data))
		return false;
	if (transfer->type == USB_ENDPOINT_XFER_CONTROL)
		return transfer->endpoint == 0 && !transfer->n_packets &&
		       le16toh(transfer->setup.wLength) == transfer->length;
	if (!(transfer->endpoint & USB_ENDPOINT_NUMBER_MASK) || transfer->endpoint & 0x70)
		return false;
	if (transfer->type != USB_ENDPOINT_XFER_ISOC)
		return transfer->type <= USB_ENDPOINT_XFER_INT && !transfer->n_packets;
	if (!transfer->n_packets || transfer->n_packets > PACKETS_MAX)
		return false;
	for (uint32_t i = 0; i < transfer->n_packets; i++) {
		if (transfer->packets[i].length > transfer->length - total)
			return false;
		total += transfer->packets[i].length;
	}
	return total == transfer->length;
}

static int fill_control(struct flight *flight, unsigned int timeout_ms)
{
	const struct usb_transfer *transfer = flight->transfer;
	const size_t size = LIBUSB_CONTROL_SETUP_SIZE + transfer->length;

	if (flight->control_size < size) {
		uint8_t *grown = realloc(flight->control, size);

		if (!grown)
			return -ENOMEM;
		flight->control = grown;
		flight->control_size = size;
	}
	memcpy(flight->control, &transfer->setup, LIBUSB_CONTROL_SETUP_SIZE);
	if (transfer->length && !(transfer->setup.bRequestType & USB_DIR_IN))
		memcpy(flight->control + LIBUSB_CONTROL_SETUP_SIZE, transfer->data,
		       transfer->length);
	flight->xfer->type = LIBUSB_TRANSFER_TYPE_CONTROL;
	flight->xfer->buffer = flight->control;
	flight->xfer->length = (int)size;
	flight->xfer->timeout = timeout_ms;
	return 0;
}

static void fill_packets(struct flight *flight)
{
	const struct usb_transfer *transfer = flight->transfer;

	flight->xfer->type = LIBUSB_TRANSFER_TYPE_ISOCHRONOUS;
	flight->xfer->num_iso_packets = (int)transfer->n_packets;
	for (uint32_t i = 0; i < transfer->n_packets; i++) {
		flight->xfer->iso_packet_desc[i].length = transfer->packets[i].length;
		flight->xfer->iso_packet_desc[i].actual_length = 0;
		flight->xfer->iso_packet_desc[i].status = LIBUSB_TRANSFER_COMPLETED;
	}
}

static int fill(struct flight *flight)
{
	const struct usb_transfer *transfer = flight->transfer;
	struct libusb_transfer *xfer = flight->xfer;

	xfer->dev_handle = flight->device->link->handle;
	xfer->user_data = flight;
	xfer->callback = on_complete;
	xfer->endpoint = transfer->endpoint;
	xfer->buffer = transfer->data;
	xfer->length = (int)transfer->length;
	xfer->num_iso_packets = 0;
	xfer->timeout = 0;
	xfer->flags = transfer->zero_packet && transfer->type == USB_ENDPOINT_XFER_BULK &&
				      !(transfer->endpoint & USB_DIR_IN)
			      ? LIBUSB_TRANSFER_ADD_ZERO_PACKET
			      : 0;
	switch (transfer->type) {
	case USB_ENDPOINT_XFER_CONTROL:
		return fill_control(flight, flight->device->tuning.control_ms);
	case USB_ENDPOINT_XFER_ISOC:
		fill_packets(flight);
		return 0;
	case USB_ENDPOINT_XFER_INT:
		xfer->type = LIBUSB_TRANSFER_TYPE_INTERRUPT;
		return 0;
	default:
		xfer->type = LIBUSB_TRANSFER_TYPE_BULK;
		return 0;
	}
}

static int flight_send(struct flight *flight)
{
	struct local_device *device = flight->device;
	int rc, err;

	/* In the list before libusb has it. */
	flight_move(flight, &device->sent);
	errno = 0;
	rc = libusb_submit_transfer(flight->xfer);
	err = rc ? host_libusb_error(rc, errno) : 0;
	if (err == -ENODEV && !device->gone && !link_alive(device->link)) {
		device->gone = true;
		device_wake(device);
	}
	if (err == -EBUSY)
		err = -EPROTO;
	return err;
}

static void refuse_log(const struct local_device *device, const struct usb_transfer *transfer)
{
	static struct log_limit limit = LOG_LIMIT_INIT(10, 3);

	log_limited(&limit, clock_now(&clock_monotonic), LOG_MODULE, LOG_LEVEL_WARN,
		    "%s: a control transfer of %u bytes is refused: at most %u can be sent",
		    device->host.name, transfer->length, HOST_LIBUSB_CONTROL_MAX);
}

int flight_submit(struct usb_host *host, struct usb_transfer *transfer)
{
	struct local_device *device = container_of(host, struct local_device, host);
	struct flight *flight;
	int err;

	transfer->host = NULL;
	if (!is_sound(transfer))
		return -EINVAL;
	if (transfer->type == USB_ENDPOINT_XFER_CONTROL &&
	    transfer->length > HOST_LIBUSB_CONTROL_MAX) {
		refuse_log(device, transfer);
		return -EINVAL;
	}
	if (device->gone || device->closed)
		return -ENODEV;
	flight = flight_get(device, transfer->n_packets);
	if (!flight)
		return -ENOMEM;
	flight->transfer = transfer;
	err = fill(flight);
	if (!err && device->link->busy)
		flight_move(flight, &device->held);
	else if (!err)
		err = flight_send(flight);
	if (err)
		flight_put(flight);
	else
		transfer->host = flight;
	return err;
}

void flight_cancel(struct usb_host *host, struct usb_transfer *transfer)
{
	struct local_device *device = container_of(host, struct local_device, host);
	struct flight *flight = transfer->host;

	if (!flight || flight->cancelled)
		return;
	flight->cancelled = true;
	if (flight->list == &device->held)
		flight_finish_unsent(flight, -ECANCELED);
	/* During a change it is done after it. NOT_FOUND: it is complete already. */
	else if (flight->list == &device->sent && !device->link->busy)
		(void)libusb_cancel_transfer(flight->xfer);
}

void flights_cancel_sent(struct local_device *device)
{
	struct flight *flight;

	DL_FOREACH (device->sent, flight) {
		if (flight->cancelled)
			continue;
		flight->cancelled = true;
		(void)libusb_cancel_transfer(flight->xfer);
	}
}

void flights_fail_held(struct local_device *device, int status)
{
	struct flight *flight, *next;

	DL_FOREACH_SAFE (device->held, flight, next)
		flight_finish_unsent(flight, status);
}

/* Those that the machine's controller does not return: their submitters hear of their end, libusb's
 * part lives on until it has forgotten them. */
void flights_lose_sent(struct local_device *device)
{
	struct flight *flight;

	if (device->sent)
		log_err("%s: transfers could not be cancelled in %u ms", device->host.name,
			device->tuning.close_ms);
	while ((flight = device->sent)) {
		struct usb_transfer *transfer = flight->transfer;

		flight_move(flight, NULL);
		DL_APPEND(device->link->lost, flight);
		transfer->actual = 0;
		transfer->status = -ENODEV;
		transfer->host = NULL;
		transfer->done(transfer);
	}
}

void flights_free(struct local_device *device)
{
	struct flight *flight, *next;

	DL_FOREACH_SAFE (device->spare, flight, next) {
		DL_DELETE(device->spare, flight);
		flight_free(flight);
	}
	device->n_spare = 0;
}

void flights_resume(struct local_device *device)
{
	struct flight *flight, *next;

	DL_FOREACH (device->sent, flight) {
		if (flight->cancelled)
			(void)libusb_cancel_transfer(flight->xfer);
	}
	DL_FOREACH_SAFE (device->held, flight, next) {
		int err = device->gone ? -ENODEV : flight_send(flight);

		if (err)
			flight_finish_unsent(flight, err);
	}
}
