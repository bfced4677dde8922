/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nic_link.c - questions and settings of one interface by ioctl and sysctl; entering a namespace.
 */
#include "nic_link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"

#define LOG_MODULE "nic"

bool nic_link_name_ok(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < IFNAMSIZ && !strpbrk(name, "/: \t\n\v\f\r") && strcmp(name, ".") &&
	       strcmp(name, "..");
}

int nic_ns_enter(int netns_fd, int *back)
{
	int error;

	*back = -1;
	if (netns_fd < 0)
		return 0;
	*back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (*back < 0)
		return -errno;
	if (setns(netns_fd, CLONE_NEWNET) == 0)
		return 0;
	error = -errno;
	close(*back);
	*back = -1;
	return error;
}

void nic_ns_leave(int back)
{
	if (back < 0)
		return;
	if (setns(back, CLONE_NEWNET) < 0) {
		log_err("cannot return to the own network namespace: %s", strerror(errno));
		abort();
	}
	close(back);
}

int nic_link_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* One request about an interface; ifr carries what the request wants and what it answers. */
static int link_ioctl(int fd, unsigned long request, const char *name, struct ifreq *ifr)
{
	if (!nic_link_name_ok(name))
		return -ENXIO;
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", name);
	/* ETHTOOL_SFEATURES answers with positive flags where a part was not possible. */
	if (ioctl(fd, request, ifr) >= 0)
		return 0;
	return errno == ENODEV ? -ENXIO : -errno;
}

static int link_ethtool(int fd, const char *name, void *command)
{
	struct ifreq ifr = {.ifr_data = command};

	return link_ioctl(fd, SIOCETHTOOL, name, &ifr);
}

int nic_link_carrier(int fd, const char *name)
{
	struct ethtool_value value = {.cmd = ETHTOOL_GLINK};
	int error = link_ethtool(fd, name, &value);

	return error ? error : !!value.data;
}

int nic_link_speed(int fd, const char *name, int32_t *mbps, bool *full_duplex)
{
	/* The kernel wants to hear the size of its own three link mode masks, which it tells when
	 * asked with 0. */
	union {
		struct ethtool_link_settings settings;
		uint8_t bytes[sizeof(struct ethtool_link_settings) +
			      3 * INT8_MAX * sizeof(uint32_t)];
	} u = {.settings.cmd = ETHTOOL_GLINKSETTINGS};
	int error = link_ethtool(fd, name, &u);
	int8_t n_words = u.settings.link_mode_masks_nwords;

	*mbps = -1;
	*full_duplex = false;
	if (error)
		return error;
	if (n_words >= 0)
		return -EPROTO;
	memset(&u, 0, sizeof(u));
	u.settings.cmd = ETHTOOL_GLINKSETTINGS;
	u.settings.link_mode_masks_nwords = (int8_t)-n_words;
	error = link_ethtool(fd, name, &u);
	if (error)
		return error;
	if (u.settings.speed > 0 && u.settings.speed <= INT32_MAX)
		*mbps = (int32_t)u.settings.speed;
	*full_duplex = u.settings.duplex == DUPLEX_FULL;
	return 0;
}

int nic_link_index(int fd, const char *name)
{
	struct ifreq ifr = {0};
	int error = link_ioctl(fd, SIOCGIFINDEX, name, &ifr);

	return error ? error : ifr.ifr_ifindex;
}

int nic_link_mtu(int fd, const char *name)
{
	struct ifreq ifr = {0};
	int error = link_ioctl(fd, SIOCGIFMTU, name, &ifr);

	return error ? error : ifr.ifr_mtu;
}

int nic_link_mac(int fd, const char *name, uint8_t mac[6])
{
	struct ifreq ifr = {0};
	int error = link_ioctl(fd, SIOCGIFHWADDR, name, &ifr);

	if (error)
		return error;
	if (ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return -EINVAL;
	memcpy(mac, ifr.ifr_hwaddr.sa_data, 6);
	return 0;
}

int nic_link_up(int fd, const char *name)
{
	struct ifreq ifr = {0};
	int error = link_ioctl(fd, SIOCGIFFLAGS, name, &ifr);

	if (error || ifr.ifr_flags & IFF_UP)
		return error;
	ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_UP);
	return link_ioctl(fd, SIOCSIFFLAGS, name, &ifr);
}

/* Features by the kernel's names (net/ethtool/common.c); which ones exist and can be changed
 * differs by kernel and driver. */
static const struct {
	const char *name;
	bool on;
} wanted_features[] = {
	{"rx-lro", false},
	{"rx-gro-list", false},
	{"rx-udp-gro-forwarding", false},
	{"rx-gro", true},
	{"tx-scatter-gather", true},
	{"tx-checksum-ipv4", true},
	{"tx-checksum-ip-generic", true},
	{"tx-checksum-ipv6", true},
	{"tx-tcp-segmentation", true},
	{"tx-tcp6-segmentation", true},
	{"tx-tcp-ecn-segmentation", true},
};

/* The names of all features, in the order of their bits. */
static int feature_names(int fd, const char *name, struct ethtool_gstrings **names)
{
	union {
		struct ethtool_sset_info info;
		uint8_t bytes[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
	} u = {.info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_FEATURES}};
	int error = link_ethtool(fd, name, &u);
	uint32_t n;

	if (error)
		return error;
	memcpy(&n, u.bytes + sizeof(u.info), sizeof(n));
	if (!u.info.sset_mask || !n)
		return -EOPNOTSUPP;
	*names = xb_calloc(1, sizeof(**names) + (size_t)n * ETH_GSTRING_LEN);
	(*names)->cmd = ETHTOOL_GSTRINGS;
	(*names)->string_set = ETH_SS_FEATURES;
	(*names)->len = n;
	error = link_ethtool(fd, name, *names);
	return error ? error : (int)n;
}

static int find_feature(const struct ethtool_gstrings *names, const char *feature)
{
	for (uint32_t i = 0; i < names->len; i++) {
		if (!strncmp((const char *)names->data + (size_t)i * ETH_GSTRING_LEN, feature,
			     ETH_GSTRING_LEN))
			return (int)i;
	}
	return -1;
}

static int set_features(int fd, const char *name)
{
	AUTO_FREE struct ethtool_gstrings *names = NULL;
	AUTO_FREE struct ethtool_sfeatures *set = NULL;
	int n = feature_names(fd, name, &names);
	uint32_t n_blocks;

	if (n < 0 || !names)
		return n;
	n_blocks = DIV_ROUND_UP((uint32_t)n, 32);
	set = xb_calloc(1, sizeof(*set) + n_blocks * sizeof(set->features[0]));
	set->cmd = ETHTOOL_SFEATURES;
	set->size = n_blocks;
	for (size_t i = 0; i < ARRAY_SIZE(wanted_features); i++) {
		int bit = find_feature(names, wanted_features[i].name);

		if (bit < 0)
			continue;
		set->features[bit / 32].valid |= 1u << (bit % 32);
		if (wanted_features[i].on)
			set->features[bit / 32].requested |= 1u << (bit % 32);
	}
	return link_ethtool(fd, name, set);
}

void nic_link_offloads(int fd, const char *name)
{
	int error = set_features(fd, name);

	if (error)
		log_debug("%s: offloads stay as they are: %s", name, strerror(-error));
}

static int read_segments(int fd, const char *name)
{
	AUTO_FREE struct ethtool_gstrings *names = NULL;
	AUTO_FREE struct ethtool_gfeatures *get = NULL;
	int n = feature_names(fd, name, &names), tso4, tso6, error;
	uint32_t n_blocks;

	if (n < 0 || !names)
		return n;
	n_blocks = DIV_ROUND_UP((uint32_t)n, 32);
	get = xb_calloc(1, sizeof(*get) + n_blocks * sizeof(get->features[0]));
	get->cmd = ETHTOOL_GFEATURES;
	get->size = n_blocks;
	error = link_ethtool(fd, name, get);
	tso4 = find_feature(names, "tx-tcp-segmentation");
	tso6 = find_feature(names, "tx-tcp6-segmentation");
	if (error || tso4 < 0 || tso6 < 0)
		return error;
	return get->features[tso4 / 32].active >> (tso4 % 32) & 1 &&
	       get->features[tso6 / 32].active >> (tso6 % 32) & 1;
}

bool nic_link_segments(int fd, const char *name)
{
	return read_segments(fd, name) > 0;
}

/* Opens one sysctl, remembers its value and writes ours; -1 when there is nothing to undo. */
static int quiet_one(const char *path, const char *value, char old[16])
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	ssize_t len;

	if (fd < 0) {
		log_debug("%s: %s", path, strerror(errno));
		return -1;
	}
	len = pread(fd, old, 15, 0);
	old[MAX(len, 0)] = '\0';
	old[strcspn(old, "\n")] = '\0';
	if (strcmp(old, value) && pwrite(fd, value, strlen(value), 0) > 0)
		return fd;
	if (strcmp(old, value))
		log_debug("%s: cannot write %s: %s", path, value, strerror(errno));
	close(fd);
	return -1;
}

void nic_quiet_begin(struct nic_quiet *quiet, const char *name)
{
	/* 8: reply to no ARP request, for whatever address (Linux ip-sysctl, arp_ignore). */
	static const struct {
		const char *format, *value;
	} settings[] = {
		{"/proc/sys/net/ipv6/conf/%s/disable_ipv6", "1"},
		{"/proc/sys/net/ipv4/conf/%s/arp_ignore", "8"},
	};
	char path[64 + IFNAMSIZ];

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		snprintf(path, sizeof(path), settings[i].format, name);
		quiet->fd[i] = quiet_one(path, settings[i].value, quiet->old[i]);
	}
}

void nic_quiet_end(struct nic_quiet *quiet)
{
	for (size_t i = 0; i < ARRAY_SIZE(quiet->fd); i++) {
		if (quiet->fd[i] < 0)
			continue;
		if (quiet->old[i][0] &&
		    pwrite(quiet->fd[i], quiet->old[i], strlen(quiet->old[i]), 0) < 0)
			log_debug("host protocols of an interface stay silenced: %s",
				  strerror(errno));
		close(quiet->fd[i]);
		quiet->fd[i] = -1;
	}
}
