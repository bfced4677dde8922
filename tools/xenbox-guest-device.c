/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbox-guest-device.c - see xenbox-guest-device.h. */
#include "xenbox-guest-device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "log.h"
#include "util.h"

#define LOG_MODULE "guest"
#define TAP_BATCH  64u /* frames of one queue before the others get their turn */
#define READ_MAX   (NETFRONT_FRAME_MAX + 64) /* to see that one is too long */

/* --- a device's interface --- */

static void write_tap(void *ctx, unsigned int queue, const struct netfront_frame *frame)
{
	struct device *dev = ctx;
	struct iovec iov[ARRAY_SIZE(frame->iov) + 1];

	if (dev->tap.n_queues == 0)
		return;
	iov[0].iov_base = (void *)&frame->vnet;
	iov[0].iov_len = sizeof(frame->vnet);
	memcpy(&iov[1], frame->iov, frame->n_iov * sizeof(iov[0]));
	if (writev(dev->tap.fds[queue % dev->tap.n_queues], iov, (int)frame->n_iov + 1) < 0)
		dev->lost++;
}

static void allow_groups(struct device *dev)
{
	const uint8_t *mac = netfront_info(dev->nf)->mac;
	const uint8_t groups[][6] = {
		{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01},	    /* all IPv4 hosts */
		{0x33, 0x33, 0x00, 0x00, 0x00, 0x01},	    /* all IPv6 nodes */
		{0x33, 0x33, 0xff, mac[3], mac[4], mac[5]}, /* who asks for our IPv6 address */
	};

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		netfront_mcast(dev->nf, groups[i], true);
}

bool device_pattern_ok(const char *pattern)
{
	const char *percent = strchr(pattern, '%');

	if (!*pattern || strlen(pattern) > IFNAMSIZ - 2)
		return false;
	return !percent || (percent[1] == 'u' && !strchr(percent + 1, '%'));
}

static void make_name(char name[IFNAMSIZ], const char *pattern, uint32_t devid)
{
	const char *percent = strchr(pattern, '%');

	if (percent)
		snprintf(name, IFNAMSIZ, "%.*s%u%s", (int)(percent - pattern), pattern, devid,
			 percent + 2);
	else
		snprintf(name, IFNAMSIZ, "%s", pattern);
}

static int make_interface(struct device *dev)
{
	const struct netfront_info *info = netfront_info(dev->nf);
	const struct device_options *options = dev->options;
	char name[IFNAMSIZ], error[160];
	int rc;

	if (dev->tap.n_queues == info->n_queues)
		return 0;
	tap_close(&dev->tap);
	make_name(name, options->pattern, dev->devid);
	rc = tap_open(&dev->tap, name, info->n_queues, error, sizeof(error));
	if (rc == 0)
		rc = tap_configure(
			&dev->tap, info->mac, info->mtu,
			dev->devid < options->n_addresses ? &options->addresses[dev->devid] : NULL,
			error, sizeof(error));
	if (rc < 0) {
		log_err("vif %u: %s", dev->devid, error);
		tap_close(&dev->tap);
	}
	return rc;
}

static void go_up(struct device *dev)
{
	const struct netfront_info *info = netfront_info(dev->nf);
	uint32_t f = info->tx_features,
		 csum = NETFRONT_FEATURE_CSUM_IPV4 | NETFRONT_FEATURE_CSUM_IPV6;
	struct tap_offload offload = {
		/* Linux's TAP knows one switch for both. */
		.csum = (f & csum) == csum,
		.tso4 = f & NETFRONT_FEATURE_SG && f & NETFRONT_FEATURE_GSO_TCPV4,
		.tso6 = f & NETFRONT_FEATURE_SG && f & NETFRONT_FEATURE_GSO_TCPV6,
	};

	if (make_interface(dev) < 0)
		return;
	tap_set_offload(&dev->tap, &offload);
	tap_set_carrier(&dev->tap, true);
	memset(dev->blocked, 0, sizeof(dev->blocked));
	log_info("vif %u: connected to %s with %u queue(s), interface %s, offloads:%s%s%s",
		 dev->devid, info->backend, info->n_queues, dev->tap.name,
		 offload.csum ? " checksum" : "", offload.tso4 ? " TSOv4" : "",
		 offload.tso6 ? " TSOv6" : "");
	if (dev->options->netfront.features & NETFRONT_FEATURE_MCAST)
		allow_groups(dev);
}

static void on_state(void *ctx, enum netfront_state state, const char *why)
{
	struct device *dev = ctx;

	log_debug("vif %u: %s (%s)", dev->devid, netfront_state_name(state), why);
	if (state == NETFRONT_STATE_RUNNING) {
		go_up(dev);
		return;
	}
	if (dev->tap.n_queues)
		tap_set_carrier(&dev->tap, false);
	if (state == NETFRONT_STATE_CLOSED)
		log_info("vif %u: closed: %s", dev->devid, why);
}

/* --- frames out of the guest --- */

/* Reads frames of one queue into the ring; true when there may be more and there is room. */
static bool pump(struct device *dev, unsigned int queue)
{
	struct iovec iov[NETFRONT_FRAME_SLOTS + 1];
	struct virtio_net_hdr vnet;
	bool more = true;

	for (unsigned int i = 0; i < TAP_BATCH && more; i++) {
		unsigned int n = netfront_tx_buffers(dev->nf, queue, READ_MAX, iov + 1);
		ssize_t got;

		dev->blocked[queue] = n == 0;
		if (n == 0)
			return false;
		iov[0].iov_base = &vnet;
		iov[0].iov_len = sizeof(vnet);
		got = readv(dev->tap.fds[queue], iov, (int)n + 1);
		more = got > 0;
		if (got <= (ssize_t)sizeof(vnet))
			continue;
		if (netfront_tx_commit(dev->nf, queue, (uint32_t)got - (uint32_t)sizeof(vnet),
				       &vnet) < 0)
			dev->lost++;
	}
	netfront_flush(dev->nf, queue);
	dev->readable[queue] = more;
	return more;
}

static bool pump_all(struct device *dev)
{
	unsigned int n = MIN(dev->tap.n_queues, netfront_info(dev->nf)->n_queues);
	bool more = false;

	if (netfront_info(dev->nf)->state != NETFRONT_STATE_RUNNING)
		return false;
	for (unsigned int q = 0; q < n; q++)
		if (dev->readable[q] || dev->blocked[q])
			more |= pump(dev, q);
	return more;
}

/* --- life --- */

static void say_statistics(const struct device *dev)
{
	const struct netfront_stats *s = netfront_stats(dev->nf);

	log_info("vif %u: sent %llu frames (%llu GSO, %llu refused), received %llu (%llu GSO), "
		 "events %llu, "
		 "spurious %llu, notifies %llu, lost %llu, complaints %llu%s%s",
		 dev->devid, (unsigned long long)s->tx_frames, (unsigned long long)s->tx_gso,
		 (unsigned long long)(s->tx_errors + s->tx_dropped),
		 (unsigned long long)s->rx_frames, (unsigned long long)s->rx_gso,
		 (unsigned long long)s->events, (unsigned long long)s->spurious,
		 (unsigned long long)s->notifies, (unsigned long long)dev->lost,
		 (unsigned long long)s->complaints, s->complaints ? ": " : "", s->complaint);
}

static void complain_once(struct device *dev)
{
	if (dev->complained || netfront_stats(dev->nf)->complaints == 0)
		return;
	dev->complained = true;
	log_warn("vif %u: the backend broke the protocol: %s", dev->devid,
		 netfront_stats(dev->nf)->complaint);
}

int device_open(struct device *dev, struct xen *xen, const struct device_options *options,
		uint32_t devid)
{
	struct netfront_options nf_options = options->netfront;
	int rc;

	memset(dev, 0, sizeof(*dev));
	dev->options = options;
	dev->devid = devid;
	nf_options.devid = devid;
	nf_options.ctx = dev;
	nf_options.receive = write_tap;
	nf_options.changed = on_state;
	rc = netfront_create(&dev->nf, xen, &nf_options);
	dev->used = rc == 0;
	return rc;
}

void device_close(struct device *dev)
{
	say_statistics(dev);
	netfront_destroy(dev->nf);
	tap_close(&dev->tap);
	memset(dev, 0, sizeof(*dev));
}

unsigned int device_fds(const struct device *dev, struct pollfd *fds)
{
	bool running = netfront_info(dev->nf)->state == NETFRONT_STATE_RUNNING;
	int nf_fds[NETFRONT_FDS];
	unsigned int n = 0;

	netfront_fds(dev->nf, nf_fds);
	for (unsigned int i = 0; i < NETFRONT_FDS; i++)
		fds[n++] = (struct pollfd){.fd = nf_fds[i], .events = POLLIN};
	for (unsigned int q = 0; q < dev->tap.n_queues; q++)
		fds[n++] = (struct pollfd){.fd = dev->tap.fds[q],
					   .events = running && !dev->blocked[q] ? POLLIN : 0};
	return n;
}

int device_turn(struct device *dev, const struct pollfd *fds)
{
	bool woken = false, more = false;
	int rc = 0;

	for (unsigned int i = 0; i < NETFRONT_FDS; i++)
		woken |= fds[i].revents != 0;
	for (unsigned int q = 0; q < dev->tap.n_queues; q++)
		dev->readable[q] |= (fds[NETFRONT_FDS + q].revents & POLLIN) != 0;
	if (woken)
		rc = netfront_run(dev->nf);
	else
		more = netfront_poll(dev->nf);
	if (rc < 0)
		return rc;
	more |= pump_all(dev);
	complain_once(dev);
	return rc > 0 || more;
}
