/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbox-guest.c - plays a guest of a xenbox: a frontend (tests/guest/netfront.h) for each of its
 * vifs, and behind it a TAP interface, so that Linux's own TCP/IP and any program can work "in the
 * guest".
 *
 * Theory of Operation. One thread, one poll loop. The directory of vifs in the store says which
 * devices there are; a device lives from the appearance of its directory to the disappearance.
 * Frames are read from the TAP directly into granted pages and written to it directly from granted
 * pages, with GSO and checksum metadata in both directions. A queue whose ring is full is not read
 * from, so that the guest's own queueing discipline holds the rest. A backend that dies is not
 * noticed: the rings stay, and its successor goes on with them.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

#include "clock.h"
#include "log.h"
#include "util.h"
#include "xenbox-guest-device.h"

#define LOG_MODULE "guest"

#define DEVICES_MAX 32u
#define CLOSE_NS    (5 * NSEC_PER_SEC)

struct options {
	uint16_t domid;
	const char *dir; /* of the box; NULL = its default */
	const char *netns;
	struct device_options device;
	enum netfront_evil evil;
	bool later; /* misbehave at SIGUSR1, not at once */
};

struct guest {
	struct options options;
	struct xen *xen;
	struct xen_store *store;
	int signals;
	char dir[64]; /* /local/domain/N/device/vif */
	struct device devices[DEVICES_MAX];
	uint64_t close_ns; /* asked to end: not later than this; 0 = not asked */
};

/* --- devices come and go --- */

static struct device *find_device(struct guest *guest, uint32_t devid)
{
	for (unsigned int i = 0; i < DEVICES_MAX; i++)
		if (guest->devices[i].used && guest->devices[i].devid == devid)
			return &guest->devices[i];
	return NULL;
}

static void add_device(struct guest *guest, uint32_t devid)
{
	struct device *dev = guest->devices;
	int rc;

	while (dev < guest->devices + DEVICES_MAX && dev->used)
		dev++;
	if (dev == guest->devices + DEVICES_MAX) {
		log_warn("vif %u: not served: there are %u already", devid, DEVICES_MAX);
		return;
	}
	rc = device_open(dev, guest->xen, &guest->options.device, devid);
	if (rc == 0)
		log_info("vif %u: found", devid);
	else if (rc != -ENOENT) /* that: not complete yet, the watch will tell */
		log_warn("vif %u: cannot be opened: %s", devid, strerror(-rc));
}

/* True when somebody else (the toolstack: detached and attached anew) set the state to
 * Initialising. */
static bool was_reset(struct guest *guest, const struct device *dev)
{
	AUTO_FREE char *state = NULL;
	char path[128];

	if (netfront_info(dev->nf)->state == NETFRONT_STATE_WAITING)
		return false;
	snprintf(path, sizeof(path), "%s/%u/state", guest->dir, dev->devid);
	return guest->xen->ops->store_read(guest->store, XEN_TXN_NONE, path, &state, NULL) == 0 &&
	       strcmp(state, "1") == 0;
}

static bool parse_u32(const char *text, uint32_t max, uint32_t *value)
{
	unsigned long number;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoul(text, &end, 10);
	*value = (uint32_t)number;
	return !*end && !errno && number <= max;
}

static int scan(struct guest *guest)
{
	AUTO_FREE char **names = NULL;
	bool seen[DEVICES_MAX] = {false};
	unsigned int n = 0;
	uint32_t devid;
	int rc = guest->xen->ops->store_list(guest->store, XEN_TXN_NONE, guest->dir, &names, &n);

	if (rc == -EIO)
		return rc;
	if (rc < 0) { /* not there, or not given to us: the watch tells when that changes */
		if (rc != -ENOENT)
			log_info("cannot list %s: %s", guest->dir, strerror(-rc));
		n = 0;
	}
	for (unsigned int i = 0; i < n; i++) {
		struct device *dev;

		if (!parse_u32(names[i], UINT32_MAX, &devid))
			continue;
		dev = find_device(guest, devid);
		if (dev && was_reset(guest, dev)) {
			device_close(dev);
			dev = NULL;
		}
		if (!dev && !guest->close_ns)
			add_device(guest, devid);
		dev = find_device(guest, devid);
		if (dev)
			seen[dev - guest->devices] = true;
	}
	for (unsigned int i = 0; i < DEVICES_MAX; i++) {
		if (!guest->devices[i].used || seen[i])
			continue;
		log_info("vif %u: removed", guest->devices[i].devid);
		device_close(&guest->devices[i]);
	}
	return 0;
}

static int store_events(struct guest *guest)
{
	bool any = false;
	int rc;

	for (;;) {
		AUTO_FREE char *path = NULL;
		AUTO_FREE char *token = NULL;

		rc = guest->xen->ops->store_event(guest->store, &path, &token);
		if (rc <= 0)
			break;
		any = true;
	}
	return rc == 0 && any ? scan(guest) : rc;
}

/* --- the loop --- */

struct pollset {
	struct pollfd fds[2 + DEVICES_MAX * DEVICE_FDS_MAX];
	unsigned int n;
	unsigned int first[DEVICES_MAX]; /* of each device */
};

static void make_pollset(struct guest *guest, struct pollset *set)
{
	set->fds[0] = (struct pollfd){.fd = guest->signals, .events = POLLIN};
	set->fds[1] =
		(struct pollfd){.fd = guest->xen->ops->store_fd(guest->store), .events = POLLIN};
	set->n = 2;
	for (unsigned int i = 0; i < DEVICES_MAX; i++) {
		set->first[i] = set->n;
		if (guest->devices[i].used)
			set->n += device_fds(&guest->devices[i], &set->fds[set->n]);
	}
}

static void take_signals(struct guest *guest)
{
	struct signalfd_siginfo info;

	while (read(guest->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		bool misbehave = info.ssi_signo == SIGUSR1;

		if (!misbehave && !guest->close_ns)
			guest->close_ns = clock_now(&clock_monotonic) + CLOSE_NS;
		for (unsigned int i = 0; i < DEVICES_MAX; i++) {
			if (!guest->devices[i].used)
				continue;
			if (misbehave)
				netfront_misbehave(guest->devices[i].nf, guest->options.evil);
			else
				netfront_close(guest->devices[i].nf);
		}
	}
}

/* Asked to end: true when every device is closed, or the backends had time enough. */
static bool finished(struct guest *guest)
{
	if (!guest->close_ns)
		return false;
	for (unsigned int i = 0; i < DEVICES_MAX; i++) {
		struct device *dev = &guest->devices[i];

		if (!dev->used || netfront_info(dev->nf)->state == NETFRONT_STATE_CLOSED)
			continue;
		if (clock_now(&clock_monotonic) < guest->close_ns)
			return false;
		log_warn("vif %u: its backend does not answer our Closing; leaving", dev->devid);
	}
	return true;
}

static int run(struct guest *guest)
{
	static struct pollset set;
	bool more = true;
	int rc;

	for (;;) {
		make_pollset(guest, &set);
		if (poll(set.fds, set.n,
			 more		   ? 0
			 : guest->close_ns ? 50
					   : -1) < 0 &&
		    errno != EINTR)
			return -errno;
		if (set.fds[0].revents)
			take_signals(guest);
		more = false;
		for (unsigned int i = 0; i < DEVICES_MAX; i++) {
			struct device *dev = &guest->devices[i];

			if (!dev->used)
				continue;
			rc = device_turn(dev, &set.fds[set.first[i]]);
			if (rc < 0)
				return rc;
			more |= rc > 0;
		}
		if (set.fds[1].revents) { /* last: it adds and removes devices */
			rc = store_events(guest);
			if (rc < 0)
				return rc;
			more = true;
		}
		if (finished(guest))
			return 0;
	}
}

/* --- start --- */

static int enter_netns(const char *name)
{
	char path[256];
	AUTO_CLOSE int fd = -1;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) {
		log_err("cannot enter the network namespace %s: %s (make it: ip netns add %s)",
			path, strerror(errno), name);
		return -errno;
	}
	return 0;
}

static int start(struct guest *guest)
{
	const struct options *options = &guest->options;
	struct xen *xen = NULL;
	sigset_t signals;
	int rc;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL); /* before a library starts a thread */
	guest->signals = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (guest->signals < 0)
		return -errno;
	rc = options->netns ? enter_netns(options->netns) : 0;
	if (rc < 0)
		return rc;
	rc = xen_open_box(&xen, options->dir, options->domid);
	if (rc < 0) {
		log_err("cannot connect to the xenbox at %s: %s (is it running? xenbox --dir DIR)",
			options->dir ? options->dir : "its default place", strerror(-rc));
		return rc;
	}
	guest->xen = xen;
	snprintf(guest->dir, sizeof(guest->dir), "/local/domain/%u/device/vif", options->domid);
	rc = xen->ops->store_open(xen, &guest->store);
	return rc < 0 ? rc : xen->ops->store_watch(guest->store, guest->dir, "vif");
}

static void usage(FILE *out)
{
	fprintf(out,
		"usage: xenbox-guest --domid N [OPTION...]\n"
		"Plays guest N of a xenbox: for each of its vifs a TAP interface with offloads.\n"
		"  --dir DIR            of the box (default: $XENBOX_DIR or /run/xenbox)\n"
		"  --netns NAME         make the interfaces in this network namespace "
		"(/run/netns/NAME)\n"
		"  --name PATTERN       names of the interfaces (default: eth%%u)\n"
		"  --address IP/LEN     of the interface of vif 0; a second one: of vif 1 ...\n"
		"  --queues N           at most so many queues, 1 to %u (default: 1)\n"
		"  --features LIST      linux (default), windows, ipxe, netbsd, none or all, then "
		"FEATURE or -FEATURE\n"
		"  --head-bytes N       first slot of a longer frame, as Linux sends headers apart "
		"(default: a page)\n"
		"  --misbehave KIND     break the rules when connected; KIND help lists them\n"
		"  --later              ... when SIGUSR1 comes, as often as it comes\n"
		"  --verbose            say every step\n"
		"SIGTERM closes the devices as a driver does and ends.\n",
		NETFRONT_QUEUES_MAX);
}

static int bad(const char *option, const char *value, const char *allowed)
{
	fprintf(stderr, "xenbox-guest: --%s %s: must be %s\n", option, value, allowed);
	return -EINVAL;
}

static int set_evil(struct options *options, const char *name)
{
	if (netfront_evil_parse(name, &options->evil) == 0)
		return 0;
	fprintf(stderr, "xenbox-guest: --misbehave %s: must be one of", name);
	for (unsigned int i = 1; i < NETFRONT_EVIL_COUNT; i++)
		fprintf(stderr, " %s", netfront_evil_name((enum netfront_evil)i));
	fputc('\n', stderr);
	return -EINVAL;
}

static int set_option(struct options *options, int c, const char *name, const char *value)
{
	char error[512];
	uint32_t number;

	switch (c) {
	case 'i':
		if (!parse_u32(value, 32751, &number) || number == 0)
			return bad(name, value, "a number from 1 to 32751");
		options->domid = (uint16_t)number;
		return 0;
	case 'd':
		options->dir = value;
		return 0;
	case 'n':
		options->netns = value;
		return 0;
	case 'p':
		options->device.pattern = value;
		return device_pattern_ok(value)
			       ? 0
			       : bad(name, value, "at most 13 characters with one %u");
	case 'a':
		if (options->device.n_addresses == DEVICE_ADDRESSES_MAX ||
		    tap_address_parse(value,
				      &options->device.addresses[options->device.n_addresses]) < 0)
			return bad(name, value, "IP/PREFIX-LENGTH, at most 8 times");
		options->device.n_addresses++;
		return 0;
	case 'q':
		if (!parse_u32(value, NETFRONT_QUEUES_MAX, &options->device.netfront.n_queues) ||
		    options->device.netfront.n_queues == 0)
			return bad(name, value, "a number from 1 to 16");
		return 0;
	case 'f':
		if (netfront_features_parse(value, &options->device.netfront.features, error,
					    sizeof(error)) == 0)
			return 0;
		fprintf(stderr, "xenbox-guest: --features: %s\n", error);
		return -EINVAL;
	case 'h':
		return parse_u32(value, 4000, &options->device.netfront.head_bytes)
			       ? 0
			       : bad(name, value, "0 to 4000");
	case 'm':
		return set_evil(options, value);
	case 'l':
		options->later = true;
		return 0;
	case 'v':
		return log_set_level("*", LOG_LEVEL_DEBUG);
	}
	usage(stderr);
	return -EINVAL;
}

static int parse_options(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{"domid", required_argument, NULL, 'i'},
		{"dir", required_argument, NULL, 'd'},
		{"netns", required_argument, NULL, 'n'},
		{"name", required_argument, NULL, 'p'},
		{"address", required_argument, NULL, 'a'},
		{"queues", required_argument, NULL, 'q'},
		{"features", required_argument, NULL, 'f'},
		{"head-bytes", required_argument, NULL, 'h'},
		{"misbehave", required_argument, NULL, 'm'},
		{"later", no_argument, NULL, 'l'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'H'},
		{NULL, 0, NULL, 0},
	};
	int c, index = 0, rc = 0;

	options->device.pattern = "eth%u";
	options->device.netfront.n_queues = 1;
	netfront_features_parse("linux", &options->device.netfront.features, NULL, 0);
	while (rc == 0 && (c = getopt_long(argc, argv, "", known, &index)) >= 0) {
		if (c == 'H') {
			usage(stdout);
			exit(0);
		}
		rc = set_option(options, c, known[index].name, optarg);
	}
	options->device.netfront.evil = options->later ? NETFRONT_EVIL_NONE : options->evil;
	if (rc == 0 && (options->domid == 0 || optind < argc)) {
		usage(stderr);
		rc = -EINVAL;
	}
	return rc;
}

int main(int argc, char **argv)
{
	static struct guest guest = {.signals = -1};
	int rc = parse_options(&guest.options, argc, argv);

	if (rc < 0)
		return 2;
	rc = start(&guest);
	if (rc == 0 && guest.store)
		rc = run(&guest);
	if (rc < 0)
		log_err("domain %u ends: %s", guest.options.domid,
			rc == -EIO ? "the xenbox is gone" : strerror(-rc));
	for (unsigned int i = 0; i < DEVICES_MAX; i++)
		if (guest.devices[i].used)
			device_close(&guest.devices[i]);
	if (guest.store)
		guest.xen->ops->store_close(guest.store);
	if (guest.xen)
		guest.xen->ops->close(guest.xen);
	return rc < 0;
}
