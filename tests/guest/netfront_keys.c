/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netfront_keys.c - what a frontend reads and writes in the store, see netfront.h; when, is
 * netfront.c's business. */
#include "netfront_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define ALL_FEATURES 0x1ffu /* without CLOSE_CYCLE */

/* --- features --- */

static const struct {
	const char *name;
	uint32_t bits;
	bool set; /**< a system, not a single feature */
} features_known[] = {
	{"linux", ALL_FEATURES & ~NETFRONT_FEATURE_MCAST, true},
	{"windows", ALL_FEATURES | NETFRONT_FEATURE_CLOSE_CYCLE, true},
	{"ipxe", NETFRONT_FEATURE_SG | NETFRONT_FEATURE_RX_NOTIFY, true},
	{"netbsd", NETFRONT_FEATURE_CSUM_IPV4 | NETFRONT_FEATURE_RX_NOTIFY, true},
	{"none", 0, true},
	{"all", ALL_FEATURES, true},
	{"sg", NETFRONT_FEATURE_SG, false},
	{"gso-tcpv4", NETFRONT_FEATURE_GSO_TCPV4, false},
	{"gso-tcpv6", NETFRONT_FEATURE_GSO_TCPV6, false},
	{"csum-ipv4", NETFRONT_FEATURE_CSUM_IPV4, false},
	{"csum-ipv6", NETFRONT_FEATURE_CSUM_IPV6, false},
	{"rx-notify", NETFRONT_FEATURE_RX_NOTIFY, false},
	{"split", NETFRONT_FEATURE_SPLIT, false},
	{"multi-queue", NETFRONT_FEATURE_MULTI_QUEUE, false},
	{"mcast", NETFRONT_FEATURE_MCAST, false},
	{"close-cycle", NETFRONT_FEATURE_CLOSE_CYCLE, false},
};

static int apply_feature(const char *word, bool first, uint32_t *features)
{
	bool minus = *word == '-';

	for (size_t i = 0; i < ARRAY_SIZE(features_known); i++) {
		if (strcmp(word + minus, features_known[i].name) != 0)
			continue;
		if (features_known[i].set && (minus || !first))
			return -EINVAL;
		if (minus)
			*features &= ~features_known[i].bits;
		else if (features_known[i].set)
			*features = features_known[i].bits;
		else
			*features |= features_known[i].bits;
		return 0;
	}
	return -EINVAL;
}

int netfront_features_parse(const char *list, uint32_t *features, char *error, size_t error_size)
{
	AUTO_FREE char *copy = xb_strdup(list);
	uint32_t bits = ALL_FEATURES & ~NETFRONT_FEATURE_MCAST;
	char *save = NULL, *word;
	bool first = true;
	size_t n;

	for (word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (apply_feature(word, first, &bits) == 0) {
			first = false;
			continue;
		}
		n = (size_t)snprintf(error, error_size, "\"%s\" in \"%s\": first may come one of",
				     word, list);
		for (size_t i = 0; i < ARRAY_SIZE(features_known) && n < error_size; i++)
			n += (size_t)snprintf(error + n, error_size - n, "%s %s",
					      i && features_known[i - 1].set &&
							      !features_known[i].set
						      ? ", then (- takes away)"
						      : "",
					      features_known[i].name);
		return -EINVAL;
	}
	*features = bits;
	return 0;
}

int netfront_mac_parse(const char *text, uint8_t mac[6])
{
	unsigned int b[6];
	int end = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &end) != 6 ||
	    text[end])
		return -EINVAL;
	for (unsigned int i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
	return 0;
}

/* --- the store --- */

char *nf_read(struct netfront *nf, xen_txn txn, const char *dir, const char *key)
{
	char path[256], *value;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	return nf->ops->store_read(nf->store, txn, path, &value, NULL) < 0 ? NULL : value;
}

uint32_t nf_read_number(struct netfront *nf, const char *dir, const char *key, uint32_t absent)
{
	AUTO_FREE char *value = nf_read(nf, XEN_TXN_NONE, dir, key);
	unsigned long number;
	char *end;

	if (!value || *value < '0' || *value > '9')
		return absent;
	errno = 0;
	number = strtoul(value, &end, 10);
	return *end || errno || number > UINT32_MAX ? absent : (uint32_t)number;
}

int nf_write(struct netfront *nf, xen_txn txn, const char *key, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", nf->info.frontend, key);
	return nf->ops->store_write(nf->store, txn, path, value, strlen(value));
}

/* --- our keys --- */

uint32_t nf_backend_features(struct netfront *nf)
{
	static const struct {
		const char *key;
		uint32_t bit;
		bool inverted;
	} known[] = {
		{"feature-sg", NETFRONT_FEATURE_SG, false},
		{"feature-gso-tcpv4", NETFRONT_FEATURE_GSO_TCPV4, false},
		{"feature-gso-tcpv6", NETFRONT_FEATURE_GSO_TCPV6, false},
		{"feature-ipv6-csum-offload", NETFRONT_FEATURE_CSUM_IPV6, false},
		{"feature-no-csum-offload", NETFRONT_FEATURE_CSUM_IPV4, true},
	};
	uint32_t bits = 0;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		bool set = nf_read_number(nf, nf->info.backend, known[i].key, 0) != 0;

		if (set != known[i].inverted)
			bits |= known[i].bit;
	}
	return bits & nf->options.features;
}

static int publish_text(struct netfront *nf, xen_txn txn, const char *prefix, const char *key,
			const char *value)
{
	char name[64], buf[NF_LONG_VALUE + 1];

	value = nf_evil_value(nf, key, value, buf);
	if (!value)
		return 0;
	snprintf(name, sizeof(name), "%s%s", prefix, key);
	return nf_write(nf, txn, name, value);
}

static int publish_number(struct netfront *nf, xen_txn txn, const char *prefix, const char *key,
			  uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	return publish_text(nf, txn, prefix, key, text);
}

/* Takes away what a driver before us (iPXE before Linux) may have left. */
static int unpublish(struct netfront *nf, xen_txn txn, const char *prefix, const char *key)
{
	char path[256];
	int rc;

	snprintf(path, sizeof(path), "%s/%s%s", nf->info.frontend, prefix, key);
	rc = nf->ops->store_rm(nf->store, txn, path);
	return rc == -ENOENT ? 0 : rc;
}

static int publish_ports(struct netfront *nf, xen_txn txn, const char *prefix,
			 const struct nf_queue *q)
{
	int rc;

	if (q->tx_port == q->rx_port) {
		rc = unpublish(nf, txn, prefix, "event-channel-tx");
		if (rc == 0)
			rc = unpublish(nf, txn, prefix, "event-channel-rx");
		return rc < 0 ? rc : publish_number(nf, txn, prefix, "event-channel", q->tx_port);
	}
	rc = unpublish(nf, txn, prefix, "event-channel");
	if (rc == 0)
		rc = publish_number(nf, txn, prefix, "event-channel-tx", q->tx_port);
	return rc < 0 ? rc : publish_number(nf, txn, prefix, "event-channel-rx", q->rx_port);
}

static int publish_queue(struct netfront *nf, xen_txn txn, const struct nf_queue *q)
{
	char prefix[24] = "";
	int rc;

	if (nf->info.n_queues > 1)
		snprintf(prefix, sizeof(prefix), "queue-%u/", q->index);
	rc = publish_number(nf, txn, prefix, "tx-ring-ref", q->tx_ref);
	if (rc == 0)
		rc = publish_number(nf, txn, prefix, "rx-ring-ref", q->rx_ref);
	return rc < 0 ? rc : publish_ports(nf, txn, prefix, q);
}

/* Everything that the backend reads when it sees our 4. */
static int publish_all(struct netfront *nf, xen_txn txn, bool several)
{
	static const struct {
		const char *key;
		uint32_t bit;
		bool inverted;
	} flags[] = {
		{"feature-sg", NETFRONT_FEATURE_SG, false},
		{"feature-gso-tcpv4", NETFRONT_FEATURE_GSO_TCPV4, false},
		{"feature-gso-tcpv6", NETFRONT_FEATURE_GSO_TCPV6, false},
		{"feature-ipv6-csum-offload", NETFRONT_FEATURE_CSUM_IPV6, false},
		{"feature-rx-notify", NETFRONT_FEATURE_RX_NOTIFY, false},
		{"feature-no-csum-offload", NETFRONT_FEATURE_CSUM_IPV4, true},
		{"request-multicast-control", NETFRONT_FEATURE_MCAST, false},
	};
	int rc = publish_text(nf, txn, "", "request-rx-copy", "1");

	if (rc == 0)
		rc = several ? publish_number(nf, txn, "", "multi-queue-num-queues",
					      nf->info.n_queues)
			     : unpublish(nf, txn, "", "multi-queue-num-queues");
	for (unsigned int i = 0; i < nf->info.n_queues && rc == 0; i++)
		rc = publish_queue(nf, txn, &nf->queues[i]);
	for (size_t i = 0; i < ARRAY_SIZE(flags) && rc == 0; i++) {
		bool on = ((nf->options.features & flags[i].bit) != 0) != flags[i].inverted;

		rc = on ? publish_text(nf, txn, "", flags[i].key, "1")
			: unpublish(nf, txn, "", flags[i].key);
	}
	return rc;
}

int nf_publish(struct netfront *nf, bool several)
{
	int rc = -EAGAIN;

	for (unsigned int i = 0; i < NF_TXN_TRIES && rc == -EAGAIN; i++) {
		xen_txn txn;

		rc = nf->ops->txn_start(nf->store, &txn);
		if (rc < 0)
			return rc;
		rc = publish_all(nf, txn, several);
		if (rc < 0) {
			nf->ops->txn_end(nf->store, txn, true);
			return rc;
		}
		rc = nf->ops->txn_end(nf->store, txn, false);
	}
	return rc;
}
