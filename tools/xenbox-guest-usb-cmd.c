/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbox-guest-usb-cmd.c - commands about controllers, devices and source/sink tests. See
 * xenbox-guest-usb.h. */
#include "xenbox-guest-usb.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/guest/usbiso.h"
#include "tests/guest/usbtest.h"
#include "util.h"

#define SETTLE_NS  (NSEC_PER_SEC / 2)
#define RESETS_MAX 100000u

/* --- list --- */

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static void print_alt(const struct usbdesc_alt *alt)
{
	static const char *const types[] = {"control", "isochronous", "bulk", "interrupt"};

	printf("       interface %u.%u  %-16s", alt->interface, alt->alternate,
	       usbdesc_class_name(alt->class));
	for (unsigned int i = 0; i < alt->n_endpoints; i++) {
		const struct usbdesc_endpoint *endpoint = &alt->endpoints[i];

		printf("%s %s %s 0x%02x %ux%u", i ? "," : "", types[endpoint->type],
		       endpoint->address & USB_DIR_IN ? "IN" : "OUT", endpoint->address,
		       endpoint->per_frame, endpoint->max_packet);
	}
	putchar('\n');
}

static void print_device(uint32_t devid, const struct usbdev *dev)
{
	static const char *const speeds[] = {"?", "low speed", "full speed", "high speed"};
	const struct usbdev_info *info = usbdev_info(dev);

	printf("  %u-%-2u %-10s  %04x:%04x  %s%s%s%s%s%s\n", devid, info->port, speeds[info->speed],
	       info->device.vid, info->device.pid, info->manufacturer,
	       *info->manufacturer ? ", " : "", info->product, *info->serial ? " (serial " : "",
	       info->serial, *info->serial ? ")" : "");
	for (unsigned int i = 0; i < info->config.n_alts; i++)
		print_alt(&info->config.alts[i]);
}

static int list_bus(struct guest *guest, uint32_t devid)
{
	struct guest_bus *entry = guest_open_bus(guest, devid);
	const struct usbfront_info *info;
	int rc = 0;

	if (!entry)
		return -ENOTCONN;
	usbdev_bus_wait(entry->bus, never, NULL,
			guest_in(guest, SETTLE_NS)); /* what comes, comes */
	info = usbfront_info(usbdev_bus_front(entry->bus));
	printf("controller %u: USB %u.%u, %u ports\n", devid, info->usb_version,
	       info->usb_version == 1 ? 1u : 0u, info->n_ports);
	for (unsigned int port = 1; port <= info->n_ports; port++) {
		struct usbdev *dev;
		char name[16];

		if (info->speeds[port] == USB_SPEED_UNKNOWN)
			continue;
		snprintf(name, sizeof(name), "%u-%u", devid, port);
		dev = guest_device(guest, name);
		if (dev)
			print_device(devid, dev);
		else
			rc = -EIO;
	}
	return rc;
}

int guest_cmd_list(struct guest *guest, int argc, char **argv)
{
	AUTO_FREE char **names = NULL;
	unsigned int n = 0;
	uint32_t devid = 0;
	char path[64];
	int rc = 0, one;

	(void)argv;
	if (argc != 0)
		return guest_fail(-EINVAL, "list: takes no argument");
	snprintf(path, sizeof(path), "/local/domain/%u/device/vusb", guest->domid);
	if (guest->xen->ops->store_list(guest->store, XEN_TXN_NONE, path, &names, &n) < 0 ||
	    n == 0) {
		puts("no USB controllers (xenbox-xl usbctrl-attach)");
		return 0;
	}
	for (unsigned int i = 0; i < n; i++) {
		one = guest_parse_number("controller", names[i], UINT32_MAX, &devid);
		if (one == 0)
			one = list_bus(guest, devid);
		rc = one < 0 ? one : rc;
	}
	return rc;
}

int guest_cmd_wait(struct guest *guest, int argc, char **argv)
{
	struct guest_bus *entry;
	unsigned int port = 0;
	uint32_t devid = 0;
	bool gone = argc == 2 && strcmp(argv[1], "gone") == 0;
	int rc;

	if (argc < 1 || argc > 2 || (argc == 2 && !gone))
		return guest_fail(-EINVAL, "wait: wanted DEV [gone]");
	rc = guest_parse_port(argv[0], &devid, &port);
	if (rc < 0)
		return rc;
	if (!gone)
		return guest_device(guest, argv[0]) ? 0 : -ENODEV;
	entry = guest_open_bus(guest, devid);
	if (!entry)
		return -ENOTCONN;
	rc = usbdev_bus_wait_port(entry->bus, port, false, guest_in(guest, guest->wait_ns));
	return rc < 0 ? guest_fail(rc, "device %s does not go: %s", argv[0], strerror(-rc)) : 0;
}

/* --- source/sink tests --- */

static int pattern_word(const char *text, int *pattern)
{
	if (strcmp(text, "any") == 0)
		*pattern = -1;
	else if (strcmp(text, "0") == 0 || strcmp(text, "1") == 0)
		*pattern = *text - '0';
	else
		return guest_fail(-EINVAL, "pattern=%s: must be 0, 1 or any", text);
	return 0;
}

static int test_word(const char *word, struct usbtest_options *options,
		     bool cases[USBTEST_CASES + 1])
{
	uint32_t number;
	int rc;

	if (strncmp(word, "iterations=", 11) == 0)
		return guest_parse_number("iterations", word + 11, 1000000, &options->iterations);
	if (strncmp(word, "length=", 7) == 0)
		return guest_parse_number("length", word + 7, 32768, &options->length);
	if (strncmp(word, "pattern=", 8) == 0)
		return pattern_word(word + 8, &options->pattern);
	rc = guest_parse_number("case", word, USBTEST_CASES - 1, &number);
	if (rc == 0)
		cases[number] = cases[USBTEST_CASES] = true;
	return rc;
}

int guest_cmd_test(struct guest *guest, int argc, char **argv)
{
	struct usbtest_options options = {.pattern = 0, .timeout_ns = guest->timeout_ns};
	bool cases[USBTEST_CASES + 1] = {false}; /* the last: some were named */
	unsigned int passed = 0, failed = 0, skipped = 0;
	struct usbtest_result result;
	struct usbdev *dev;
	int rc = 0;

	for (int i = 1; i < argc && rc == 0; i++)
		rc = test_word(argv[i], &options, cases);
	if (argc < 1 || rc < 0)
		return rc < 0 ? rc : guest_fail(-EINVAL, "test: wanted DEV");
	dev = guest_device(guest, argv[0]);
	if (!dev)
		return -ENODEV;
	if (!usbtest_fits(dev))
		return guest_fail(-ENXIO, "device %s is no source/sink device", argv[0]);
	printf("%4s  %-28s %-7s %10s %9s\n", "case", "what", "result", "time", "MB/s");
	for (unsigned int i = 0; i < USBTEST_CASES && !guest->stop; i++) {
		if (cases[USBTEST_CASES] && !cases[i])
			continue;
		guest_progress("case %u: %s", i, usbtest_name(i));
		rc = usbtest_run(dev, i, &options, &result);
		guest_progress(NULL);
		passed += rc == 0;
		skipped += rc == -EOPNOTSUPP;
		failed += rc < 0 && rc != -EOPNOTSUPP;
		printf("%4u  %-28s %-7s %7.1f ms %9.1f  %s\n", i, usbtest_name(i),
		       rc == 0		   ? "passed"
		       : rc == -EOPNOTSUPP ? "skipped"
					   : "FAILED",
		       (double)result.elapsed_ns / NSEC_PER_MSEC,
		       guest_rate(result.bytes, result.elapsed_ns), rc ? result.error : "");
		fflush(stdout);
		if (rc == -ENODEV || rc == -ENOTCONN)
			break;
	}
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed || guest->stop ? -EIO : 0;
}

/* --- isochronous --- */

static bool iso_progress(void *ctx, uint64_t elapsed_ns, uint64_t packets, uint64_t lost)
{
	const struct guest *guest = ctx;

	guest_progress("%" PRIu64 " s: %" PRIu64 " packets, %" PRIu64 " lost",
		       (uint64_t)(elapsed_ns / NSEC_PER_SEC), packets, lost);
	return !guest->stop;
}

/* The alternate setting with an isochronous endpoint of that direction is set. */
static int choose_iso(struct usbdev *dev, uint8_t direction, uint64_t deadline_ns,
		      uint8_t *endpoint)
{
	const struct usbdesc_config *config = &usbdev_info(dev)->config;

	for (unsigned int i = 0; i < config->n_alts; i++) {
		const struct usbdesc_alt *alt = &config->alts[i];
		const struct usbdesc_endpoint *found =
			usbdesc_find(alt, USB_ENDPOINT_XFER_ISOC, direction);

		if (!found || found->max_packet == 0)
			continue;
		*endpoint = found->address;
		return usbdev_set_interface(dev, alt->interface, alt->alternate, deadline_ns);
	}
	return -EOPNOTSUPP;
}

int guest_cmd_iso(struct guest *guest, int argc, char **argv)
{
	struct usbiso_options options = {.progress = iso_progress, .ctx = guest};
	struct usbiso_result result;
	uint8_t direction = USB_DIR_IN;
	struct usbdev *dev;
	uint32_t seconds = 0;
	int rc = argc >= 2 ? guest_parse_number("seconds", argv[1], 86400, &seconds)
			   : guest_fail(-EINVAL, "iso: wanted DEV SECONDS");

	for (int i = 2; i < argc && rc == 0; i++) {
		if (strncmp(argv[i], "pattern=", 8) == 0)
			rc = pattern_word(argv[i] + 8, &options.pattern);
		else if (strcmp(argv[i], "out") == 0)
			direction = USB_DIR_OUT;
		else if (strcmp(argv[i], "in") != 0)
			rc = guest_fail(-EINVAL, "iso: %s: must be in, out or pattern=", argv[i]);
	}
	if (rc < 0)
		return rc;
	dev = guest_device(guest, argv[0]);
	if (!dev)
		return -ENODEV;
	rc = choose_iso(dev, direction, guest_in(guest, guest->timeout_ns), &options.endpoint);
	if (rc < 0)
		return guest_fail(rc, "device %s: no isochronous endpoint can be chosen: %s",
				  argv[0], strerror(-rc));
	options.duration_ns = seconds * NSEC_PER_SEC;
	rc = usbiso_run(dev, &options, &result);
	guest_progress(NULL);
	printf("%s: %.1f s, %" PRIu64 " packets, %" PRIu64 " lost, %" PRIu64 " empty, %" PRIu64
	       " wrong, %.2f MB/s, longest gap %.1f ms\n",
	       argv[0], (double)result.elapsed_ns / NSEC_PER_SEC, result.packets, result.lost,
	       result.empty, result.wrong, guest_rate(result.bytes, result.elapsed_ns),
	       (double)result.longest_gap_ns / NSEC_PER_MSEC);
	if (rc == 0)
		rc = result.status;
	if (rc < 0)
		return guest_fail(rc, "the stream ended: %s", strerror(-rc));
	return result.lost || result.wrong ? -EIO : 0;
}

/* --- others --- */

int guest_cmd_reset(struct guest *guest, int argc, char **argv)
{
	uint32_t count = 1;
	struct usbdev *dev;
	int rc = argc == 2 ? guest_parse_number("count", argv[1], RESETS_MAX, &count) : 0;

	if (rc < 0 || argc < 1 || argc > 2)
		return rc < 0 ? rc : guest_fail(-EINVAL, "reset: wanted DEV [COUNT]");
	dev = guest_device(guest, argv[0]);
	if (!dev)
		return -ENODEV;
	for (uint32_t i = 0; i < count && rc == 0 && !guest->stop; i++)
		rc = usbdev_reset(dev, guest_in(guest, guest->timeout_ns));
	return rc < 0 ? guest_fail(rc, "device %s: reset: %s", argv[0], strerror(-rc)) : 0;
}

int guest_cmd_stats(struct guest *guest, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (unsigned int i = 0; i < guest->n_buses; i++) {
		const struct usbfront_stats *s =
			usbfront_stats(usbdev_bus_front(guest->buses[i].bus));

		printf("controller %u: urbs %" PRIu64 " bytes %" PRIu64 " failed %" PRIu64
		       " unlinks %" PRIu64 " waited %" PRIu64 " iso_packets %" PRIu64
		       " iso_errors %" PRIu64 " connects %" PRIu64 " disconnects %" PRIu64
		       " events %" PRIu64 " spurious %" PRIu64 " notifies %" PRIu64
		       " complaints %" PRIu64 "\n",
		       guest->buses[i].devid, s->urbs, s->urb_bytes, s->failed, s->unlinks, s->full,
		       s->iso_packets, s->iso_errors, s->connects, s->disconnects, s->events,
		       s->spurious, s->notifies, s->complaints);
	}
	return 0;
}

/* --- evil --- */

/* The endpoints of the device that evil requests are for. */
static void aim(struct guest_bus *entry, struct usbdev *dev)
{
	const struct usbdev_info *info = usbdev_info(dev);
	struct usbfront_target target = {.port = (uint8_t)info->port, .address = info->address};

	for (unsigned int i = 0; i < info->config.n_alts; i++) {
		const struct usbdesc_alt *alt = &info->config.alts[i];
		const struct usbdesc_endpoint *in, *out, *iso;

		in = usbdesc_find(alt, USB_ENDPOINT_XFER_BULK, USB_DIR_IN);
		out = usbdesc_find(alt, USB_ENDPOINT_XFER_BULK, USB_DIR_OUT);
		iso = usbdesc_find(alt, USB_ENDPOINT_XFER_ISOC, USB_DIR_IN);
		target.bulk_in = in ? in->address : target.bulk_in;
		target.bulk_out = out ? out->address : target.bulk_out;
		target.iso_in = iso ? iso->address : target.iso_in;
	}
	usbfront_aim(usbdev_bus_front(entry->bus), &target);
}

static bool decided(void *arg)
{
	const struct usbfront *front = arg;

	return usbfront_info(front)->state != USBFRONT_STATE_WAITING &&
	       usbfront_info(front)->state != USBFRONT_STATE_CONNECTING;
}

/* Until the backend has accepted or closed the controller, and everything was done to it. */
static void settle(struct guest *guest, struct guest_bus *entry)
{
	struct usbfront *front = usbdev_bus_front(entry->bus);
	uint64_t end = guest_in(guest, guest->wait_ns);
	int rc = usbdev_bus_wait(entry->bus, decided, front, end);

	if (rc < 0)
		return;
	do {
		rc = usbdev_bus_wait(entry->bus, never, NULL, guest_in(guest, SETTLE_NS));
	} while (rc == -ETIMEDOUT && usbfront_evil_busy(front) &&
		 clock_now(&clock_monotonic) < end);
}

int guest_cmd_evil(struct guest *guest, int argc, char **argv)
{
	enum usbfront_evil kind;
	struct guest_bus *entry;
	struct usbdev *dev = NULL;
	const char *where = argc == 2 ? argv[1] : "0-1";
	uint32_t devid = 0;
	unsigned int port = 0;
	uint8_t endpoint;
	bool early;

	if (argc < 1 || argc > 2 || usbfront_evil_parse(argv[0], &kind) < 0)
		return guest_fail(-EINVAL, "evil: wanted KIND [DEV]; --evil help lists the kinds");
	if (guest_parse_port(where, &devid, &port) < 0)
		return -EINVAL;
	early = kind >= USBFRONT_EVIL_STORE_FIRST || kind == USBFRONT_EVIL_CONN_NONE;
	if (!early && argc == 2) {
		dev = guest_device(guest, where);
		if (!dev)
			return -ENODEV;
		choose_iso(dev, USB_DIR_IN, guest_in(guest, guest->timeout_ns), &endpoint);
	}
	entry = early ? guest_create_bus(guest, devid, kind) : guest_open_bus(guest, devid);
	if (!entry)
		return -ENOTCONN;
	if (dev)
		aim(entry, dev);
	if (!early)
		usbfront_misbehave(usbdev_bus_front(entry->bus), kind);
	settle(guest, entry);
	printf("%s: done, the controller is %s, %" PRIu64 " responses\n", argv[0],
	       usbfront_state_name(usbfront_info(usbdev_bus_front(entry->bus))->state),
	       usbfront_stats(usbdev_bus_front(entry->bus))->responses);
	return 0;
}
