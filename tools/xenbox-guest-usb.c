/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbox-guest-usb.c - plays a guest of a xenbox that uses USB devices: PVUSB controllers with the
 * small USB stack of tests/guest above them.
 *
 * A command is given on the command line, or commands come line by line on the standard input; the
 * guest lives until the last one is done, then it closes its controllers as a driver does.
 */
#include "xenbox-guest-usb.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

#include "util.h"

#define WAIT_SECONDS	20u
#define TIMEOUT_SECONDS 30u
#define LOOK_MS		50 /* for what the toolstack writes */
#define CLOSE_NS	(5 * NSEC_PER_SEC)
#define WORDS_MAX	16
#define LINE_BYTES	512u

/* --- messages --- */

int guest_fail(int rc, const char *format, ...)
{
	va_list args;

	guest_progress(NULL);
	fputs("xenbox-guest-usb: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return rc;
}

void guest_progress(const char *format, ...)
{
	static bool open;
	va_list args;

	if (!isatty(STDERR_FILENO))
		return;
	if (open)
		fputs("\r\033[K", stderr);
	open = format;
	if (!format)
		return;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fflush(stderr);
}

static void say(void *ctx, const char *text)
{
	const struct guest *guest = ctx;

	if (!guest->verbose)
		return;
	guest_progress(NULL);
	fprintf(stderr, "# %s\n", text);
}

const char *guest_size_text(uint64_t bytes, char text[24])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	unsigned int unit = 0;

	while (value >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(text, 24, value < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

double guest_rate(uint64_t bytes, uint64_t ns)
{
	return ns ? (double)bytes * 1000 / (double)ns : 0;
}

/* --- words --- */

int guest_parse_number(const char *what, const char *text, uint32_t max, uint32_t *value)
{
	unsigned long number = 0;
	char *end = NULL;

	errno = 0;
	if (*text >= '0' && *text <= '9')
		number = strtoul(text, &end, 10);
	if (!end || *end || errno || number > max)
		return guest_fail(-EINVAL, "%s %s: must be a number from 0 to %u", what, text, max);
	*value = (uint32_t)number;
	return 0;
}

int guest_parse_size(const char *what, const char *text, uint64_t *bytes)
{
	static const struct {
		const char *unit;
		unsigned int shift;
	} units[] = {{"", 0},	{"K", 10},   {"KiB", 10}, {"M", 20},  {"MiB", 20},
		     {"G", 30}, {"GiB", 30}, {"T", 40},	  {"TiB", 40}};
	unsigned long long number = 0;
	char *end = NULL;

	errno = 0;
	if (*text >= '0' && *text <= '9')
		number = strtoull(text, &end, 10);
	for (size_t i = 0; end && !errno && i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].unit) != 0 ||
		    number > (unsigned long long)INT64_MAX >> units[i].shift)
			continue;
		*bytes = number << units[i].shift;
		return 0;
	}
	return guest_fail(-EINVAL, "%s %s: must be a size like 4096, 64MiB or 1G", what, text);
}

int guest_parse_port(const char *text, uint32_t *devid, unsigned int *port)
{
	unsigned int a, b;
	int end = 0;

	if (sscanf(text, "%3u-%3u%n", &a, &b, &end) == 2 && !text[end]) {
		*devid = a;
	} else if (sscanf(text, "%3u%n", &b, &end) == 1 && !text[end]) {
		*devid = 0;
	} else {
		b = 0;
	}
	if (b < 1 || b > USBFRONT_PORTS_MAX)
		return guest_fail(-EINVAL,
				  "%s: must be CONTROLLER-PORT like 0-1, ports are 1 to %u", text,
				  USBFRONT_PORTS_MAX);
	*port = b;
	return 0;
}

/* --- waiting --- */

uint64_t guest_in(const struct guest *guest, uint64_t ns)
{
	(void)guest;
	return clock_now(&clock_monotonic) + ns;
}

static int take_signals(struct guest *guest)
{
	struct signalfd_siginfo info;

	while (read(guest->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		guest->stop = true;
	return guest->stop ? -EINTR : 0;
}

/* Sleeps until something happens to any controller, or to fd (-1: none), and serves all controllers
 * but `except`. */
static int serve(struct guest *guest, const struct usbdev_bus *except, int fd, int timeout_ms)
{
	struct pollfd fds[2 + GUEST_BUSES * USBFRONT_FDS];
	unsigned int n = 2;
	int rc = 0;

	fds[0] = (struct pollfd){.fd = guest->signals, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = fd, .events = POLLIN};
	for (unsigned int i = 0; i < guest->n_buses; i++) {
		int raw[USBFRONT_FDS];
		unsigned int more = usbfront_fds(usbdev_bus_front(guest->buses[i].bus), raw);

		for (unsigned int f = 0; f < more; f++)
			fds[n++] = (struct pollfd){.fd = raw[f], .events = POLLIN};
	}
	if (poll(fds, n, timeout_ms) < 0 && errno != EINTR)
		return -errno;
	for (unsigned int i = 0; i < guest->n_buses && rc >= 0; i++)
		if (guest->buses[i].bus != except)
			rc = usbfront_run(usbdev_bus_front(guest->buses[i].bus));
	return rc < 0 ? rc : take_signals(guest);
}

/* While one controller is waited for, the others are served as well. */
static int wait_all(void *ctx, struct usbdev_bus *bus, uint64_t deadline_ns)
{
	uint64_t now = clock_now(&clock_monotonic);
	uint64_t left = deadline_ns > now ? deadline_ns - now : 0;

	return serve(ctx, bus, -1, (int)MIN(DIV_ROUND_UP(left, NSEC_PER_MSEC), 1000u));
}

/* --- controllers and devices --- */

struct guest_bus *guest_create_bus(struct guest *guest, uint32_t devid, enum usbfront_evil evil)
{
	struct guest_bus *entry = &guest->buses[guest->n_buses];
	uint64_t deadline = guest_in(guest, guest->wait_ns);
	struct usbdev_options options = guest->options;
	int rc;

	for (unsigned int i = 0; i < guest->n_buses; i++)
		if (guest->buses[i].devid == devid)
			return &guest->buses[i];
	if (guest->n_buses == GUEST_BUSES) {
		guest_fail(0, "controller %u: not served: there are %u already", devid,
			   GUEST_BUSES);
		return NULL;
	}
	options.front.devid = devid;
	options.front.evil = evil;
	options.wait = wait_all;
	options.say = say;
	options.ctx = guest;
	while ((rc = usbdev_bus_create(&entry->bus, guest->xen, &options)) == -ENOENT &&
	       clock_now(&clock_monotonic) < deadline && take_signals(guest) == 0)
		poll(NULL, 0, LOOK_MS);
	if (rc < 0) {
		guest_fail(rc, "controller %u: %s", devid,
			   rc == -ENOENT   ? "the toolstack has not attached it "
					     "(xenbox-xl usbctrl-attach)"
			   : rc == -EINVAL ? "what the toolstack wrote is wrong"
					   : strerror(-rc));
		return NULL;
	}
	entry->devid = devid;
	guest->n_buses++;
	return entry;
}

struct guest_bus *guest_open_bus(struct guest *guest, uint32_t devid)
{
	struct guest_bus *entry = guest_create_bus(guest, devid, USBFRONT_EVIL_NONE);
	int rc;

	if (!entry)
		return NULL;
	rc = usbdev_bus_connect(entry->bus, guest_in(guest, guest->wait_ns));
	if (rc == 0)
		return entry;
	guest_fail(rc, "controller %u does not connect: it is %s: %s", devid,
		   usbfront_state_name(usbfront_info(usbdev_bus_front(entry->bus))->state),
		   strerror(-rc));
	return NULL;
}

struct usbdev *guest_device(struct guest *guest, const char *text)
{
	struct guest_bus *entry;
	unsigned int port = 0;
	char error[200];
	uint32_t devid = 0;

	if (guest_parse_port(text, &devid, &port) < 0)
		return NULL;
	entry = guest_open_bus(guest, devid);
	if (!entry)
		return NULL;
	if (entry->devices[port] && usbdev_info(entry->devices[port])->gone) {
		usbdev_close(entry->devices[port]);
		entry->devices[port] = NULL;
	}
	if (!entry->devices[port] &&
	    usbdev_open(&entry->devices[port], entry->bus, port, guest_in(guest, guest->wait_ns),
			error, sizeof(error)) < 0)
		guest_fail(0, "device %s: %s", text, error);
	return entry->devices[port];
}

/* --- commands --- */

const struct guest_command guest_commands[] = {
	{"list", "", "controllers, ports and devices", guest_cmd_list},
	{"wait", "DEV [gone]", "until a device is there, or is not", guest_cmd_wait},
	{"disk", "DEV", "what a disk says of itself", guest_cmd_disk},
	{"read", "DEV [FILE] [sha256] [size=SIZE] [skip=SIZE]",
	 "a disk into a file, or its checksum", guest_cmd_read},
	{"write", "DEV FILE [skip=SIZE]", "a file onto a disk", guest_cmd_write},
	{"test", "DEV [CASE...] [iterations=N] [length=N] [pattern=0|1|any]",
	 "source/sink tests, as usbtest numbers them", guest_cmd_test},
	{"iso", "DEV SECONDS [in|out] [pattern=0|1|any]",
	 "an isochronous stream; counts lost packets", guest_cmd_iso},
	{"unlink", "DEV [COUNT]", "asks every third of COUNT transfers back", guest_cmd_unlink},
	{"serial", "DEV [SECONDS]", "standard input to a serial port and back", guest_cmd_serial},
	{"input", "DEV [SECONDS]", "reports of a keyboard or tablet", guest_cmd_input},
	{"reset", "DEV [COUNT]", "resets a device as usb_reset_device does", guest_cmd_reset},
	{"stats", "", "what the frontends counted", guest_cmd_stats},
	{"evil", "KIND [DEV]", "breaks the rules; KIND help lists them", guest_cmd_evil},
	{NULL, NULL, NULL, NULL},
};

static void usage(FILE *out)
{
	fprintf(out, "usage: xenbox-guest-usb --domid N [OPTION...] COMMAND [ARGUMENT...]\n"
		     "       xenbox-guest-usb --domid N [OPTION...] -      (commands: lines of the "
		     "standard "
		     "input)\n"
		     "Plays guest N of a xenbox, which uses USB devices. DEV is CONTROLLER-PORT, "
		     "as 0-1.\n\n"
		     "Commands:\n");
	for (const struct guest_command *c = guest_commands; c->name; c++) {
		bool narrow = strlen(c->arguments) <= 16;

		fprintf(out, "  %-7s %-16s%s", c->name, c->arguments,
			narrow ? " " : "\n                           ");
		fprintf(out, "%s\n", c->help);
	}
	fprintf(out,
		"\nOptions:\n"
		"  --dir DIR          of the box (default: $XENBOX_DIR or /run/xenbox)\n"
		"  --wait SECONDS     for the toolstack and for a device (default: %u)\n"
		"  --timeout SECONDS  for a transfer (default: %u)\n"
		"  --urb-bytes SIZE   of a transfer's pieces: 4096 (default) as Linux's "
		"usb-storage "
		"makes them, up to 65536\n"
		"  --grant-each       grant pages for each piece anew, as Linux does\n"
		"  --evil KIND        the same as the command evil KIND\n"
		"  --verbose          say every step\n"
		"Exit status: 0; 1 something failed, or the backend broke the protocol; 2 wrong "
		"arguments.\n",
		WAIT_SECONDS, TIMEOUT_SECONDS);
}

static int run_command(struct guest *guest, int argc, char **argv)
{
	const struct guest_command *c = guest_commands;

	while (c->name && strcmp(c->name, argv[0]) != 0)
		c++;
	if (!c->name)
		return guest_fail(-EINVAL, "unknown command %s (see --help)", argv[0]);
	return c->run(guest, argc - 1, argv + 1);
}

/* The next line of the standard input without its end; the controllers are served meanwhile. 0 at
 * the end, or -errno. */
static int next_line(struct guest *guest, char line[LINE_BYTES])
{
	static char buffer[LINE_BYTES];
	static size_t n;
	ssize_t more = 1;
	char *end;
	int rc;

	while (!(end = memchr(buffer, '\n', n)) && more > 0 && n < sizeof(buffer) - 1) {
		struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

		rc = serve(guest, NULL, STDIN_FILENO, 1000);
		if (rc < 0)
			return rc;
		if (poll(&in, 1, 0) <= 0)
			continue;
		more = read(STDIN_FILENO, buffer + n, sizeof(buffer) - 1 - n);
		n += more > 0 ? (size_t)more : 0;
	}
	if (!end && n == 0)
		return 0;
	end = end ? end : buffer + n;
	memcpy(line, buffer, (size_t)(end - buffer));
	line[end - buffer] = '\0';
	n -= (size_t)(MIN(end + 1, buffer + n) - buffer);
	memmove(buffer, end + 1, n);
	return 1;
}

/* Commands from the standard input; each is answered, so that a script can follow. */
static int run_lines(struct guest *guest)
{
	char line[LINE_BYTES], copy[LINE_BYTES];
	int failed = 0, rc;

	while ((rc = next_line(guest, line)) > 0) {
		char *words[WORDS_MAX], *save = NULL;
		int n = 0;

		snprintf(copy, sizeof(copy), "%s", line);
		for (char *word = strtok_r(line, " \t", &save); word && n < WORDS_MAX;
		     word = strtok_r(NULL, " \t", &save))
			words[n++] = word;
		if (n == 0 || *words[0] == '#')
			continue;
		rc = run_command(guest, n, words);
		guest_progress(NULL);
		printf("%s: %s\n", rc < 0 ? "failed" : "done", copy);
		fflush(stdout);
		failed = rc < 0 ? rc : failed;
	}
	return rc < 0 && rc != -EINTR ? rc : failed;
}

/* --- start and end --- */

enum { OPT_DOMID, OPT_DIR, OPT_WAIT, OPT_TIMEOUT, OPT_URB, OPT_GRANT, OPT_EVIL, OPT_VERBOSE };

static int evil_option(struct guest *guest, const char *name)
{
	if (usbfront_evil_parse(name, &guest->evil) == 0)
		return 0;
	if (strcmp(name, "help") != 0)
		return guest_fail(-EINVAL, "--evil %s: no such kind (--evil help lists them)",
				  name);
	for (unsigned int i = 1; i < USBFRONT_EVIL_COUNT; i++)
		puts(usbfront_evil_name((enum usbfront_evil)i));
	exit(0);
}

static int set_option(struct guest *guest, int option, const char *value)
{
	uint32_t number = 0;
	uint64_t bytes = 0;
	int rc = 0;

	switch (option) {
	case OPT_DOMID:
		rc = guest_parse_number("--domid", value, 32751, &number);
		guest->domid = (uint16_t)number;
		break;
	case OPT_DIR:
		guest->dir = value;
		break;
	case OPT_WAIT:
		rc = guest_parse_number("--wait", value, 3600, &number);
		guest->wait_ns = number * NSEC_PER_SEC;
		break;
	case OPT_TIMEOUT:
		rc = guest_parse_number("--timeout", value, 3600, &number);
		guest->timeout_ns = number * NSEC_PER_SEC;
		break;
	case OPT_URB:
		rc = guest_parse_size("--urb-bytes", value, &bytes);
		if (rc == 0 && (bytes < 512 || bytes > USBFRONT_URB_MAX || bytes % 512))
			rc = guest_fail(-EINVAL,
					"--urb-bytes %s: must be a multiple of 512 up to 65536",
					value);
		guest->options.urb_bytes = (uint32_t)bytes;
		break;
	case OPT_GRANT:
		guest->options.front.grant_each = true;
		break;
	case OPT_EVIL:
		return evil_option(guest, value);
	case OPT_VERBOSE:
		guest->verbose = true;
		break;
	default:
		usage(stderr);
		rc = -EINVAL;
	}
	return rc;
}

static int parse_options(struct guest *guest, int argc, char **argv)
{
	static const struct option known[] = {
		{"domid", required_argument, NULL, OPT_DOMID},
		{"dir", required_argument, NULL, OPT_DIR},
		{"wait", required_argument, NULL, OPT_WAIT},
		{"timeout", required_argument, NULL, OPT_TIMEOUT},
		{"urb-bytes", required_argument, NULL, OPT_URB},
		{"grant-each", no_argument, NULL, OPT_GRANT},
		{"evil", required_argument, NULL, OPT_EVIL},
		{"verbose", no_argument, NULL, OPT_VERBOSE},
		{"help", no_argument, NULL, 'H'},
		{NULL, 0, NULL, 0},
	};
	int c, rc = 0;

	while (rc == 0 && (c = getopt_long(argc, argv, "+", known, NULL)) >= 0) {
		if (c == 'H') {
			usage(stdout);
			exit(0);
		}
		rc = set_option(guest, c, optarg);
	}
	if (rc == 0 && guest->domid == 0)
		rc = guest_fail(-EINVAL, "--domid is missing: the number of the guest, 1 to 32751");
	if (rc == 0 && optind == argc && !guest->evil) {
		usage(stderr);
		rc = -EINVAL;
	}
	return rc;
}

static int start(struct guest *guest)
{
	struct xen *xen = NULL;
	sigset_t signals;
	int rc;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL); /* before a library starts a thread */
	signal(SIGPIPE, SIG_IGN);
	guest->signals = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (guest->signals < 0)
		return -errno;
	rc = xen_open_box(&xen, guest->dir, guest->domid);
	if (rc < 0 || !xen)
		return guest_fail(
			rc,
			"cannot connect to the xenbox at %s: %s (is it running? xenbox --dir DIR)",
			guest->dir ? guest->dir : "its default place", strerror(-rc));
	guest->xen = xen;
	return xen->ops->store_open(xen, &guest->store);
}

/* The controllers close as a driver's do; what the frontends have to say of their backend. */
static int finish(struct guest *guest)
{
	int rc = 0;

	guest_progress(NULL);
	for (unsigned int i = 0; i < guest->n_buses; i++) {
		struct guest_bus *entry = &guest->buses[i];
		const struct usbfront_stats *stats = usbfront_stats(usbdev_bus_front(entry->bus));

		guest->stop = false;
		usbdev_bus_close(entry->bus, guest_in(guest, CLOSE_NS));
		if (stats->complaints)
			rc = guest_fail(-EPROTO,
					"controller %u: its backend broke the protocol %" PRIu64
					" times, first: %s",
					entry->devid, stats->complaints, stats->complaint);
	}
	for (unsigned int i = 0; i < guest->n_buses; i++) {
		for (unsigned int port = 1; port <= USBFRONT_PORTS_MAX; port++)
			usbdev_close(guest->buses[i].devices[port]);
		usbdev_bus_destroy(guest->buses[i].bus);
	}
	return rc;
}

int main(int argc, char **argv)
{
	static struct guest guest = {.signals = -1,
				     .wait_ns = WAIT_SECONDS * NSEC_PER_SEC,
				     .timeout_ns = TIMEOUT_SECONDS * NSEC_PER_SEC};
	int rc = parse_options(&guest, argc, argv), end;
	char *evil[] = {"evil", NULL, NULL};

	if (rc < 0)
		return 2;
	rc = start(&guest);
	if (rc < 0)
		return 1;
	evil[1] = (char *)usbfront_evil_name(guest.evil);
	evil[2] = optind < argc ? argv[optind] : NULL;
	if (guest.evil)
		rc = run_command(&guest, optind < argc ? 3 : 2, evil);
	else if (strcmp(argv[optind], "-") == 0)
		rc = run_lines(&guest);
	else
		rc = run_command(&guest, argc - optind, argv + optind);
	end = finish(&guest);
	if (guest.store)
		guest.xen->ops->store_close(guest.store);
	if (guest.xen)
		guest.xen->ops->close(guest.xen);
	return rc < 0 || end < 0;
}
