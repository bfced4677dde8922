/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbox-guest-tap.c - see xenbox-guest-tap.h. The rules of TUN/TAP:
 * Documentation/networking/tuntap.rst of Linux. */
#include "xenbox-guest-tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "util.h"

/* <linux/ipv6.h> clashes with <netinet/in.h>; this is the kernel's interface, which does not
 * change. */
struct tap_in6_ifreq {
	struct in6_addr addr;
	uint32_t prefix_len;
	int ifindex;
};

int tap_address_parse(const char *text, struct tap_address *address)
{
	char host[64];
	const char *slash = strchr(text, '/');
	unsigned long prefix;
	char *end;

	memset(address, 0, sizeof(*address));
	if (!slash || (size_t)(slash - text) >= sizeof(host) || slash[1] < '0' || slash[1] > '9')
		return -EINVAL;
	snprintf(host, sizeof(host), "%.*s", (int)(slash - text), text);
	prefix = strtoul(slash + 1, &end, 10);
	address->family = strchr(host, ':') ? AF_INET6 : AF_INET;
	if (*end || prefix > (address->family == AF_INET ? 32 : 128) ||
	    inet_pton(address->family, host, address->bytes) != 1)
		return -EINVAL;
	address->prefix_len = (unsigned int)prefix;
	return 0;
}

static int open_queue(struct tap *tap, short flags, int *queue)
{
	int header = sizeof(struct virtio_net_hdr);
	struct ifreq ifr = {.ifr_flags = flags};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	memcpy(ifr.ifr_name, tap->name, IFNAMSIZ);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	memcpy(tap->name, ifr.ifr_name, IFNAMSIZ);
	*queue = fd;
	return 0;
}

int tap_open(struct tap *tap, const char *name, unsigned int n_queues, char *error,
	     size_t error_size)
{
	short flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (n_queues > 1 ? IFF_MULTI_QUEUE : 0);
	int rc = 0;

	memset(tap, 0, sizeof(*tap));
	snprintf(tap->name, sizeof(tap->name), "%s", name);
	for (; tap->n_queues < n_queues && rc == 0; tap->n_queues += rc == 0)
		rc = open_queue(tap, flags, &tap->fds[tap->n_queues]);
	if (rc == 0)
		rc = tap_set_carrier(tap, false);
	if (rc < 0) {
		snprintf(error, error_size, "cannot make TAP interface \"%s\" with %u queue(s): %s",
			 name, n_queues, strerror(-rc));
		tap_close(tap);
	}
	return rc;
}

void tap_close(struct tap *tap)
{
	for (unsigned int i = 0; i < tap->n_queues; i++)
		close(tap->fds[i]);
	tap->n_queues = 0;
}

int tap_set_offload(const struct tap *tap, const struct tap_offload *offload)
{
	unsigned long flags = 0;

	/* No TUN_F_TSO_ECN: netif cannot carry it, so Linux cuts segments with CWR itself. */
	if (offload->csum)
		flags = TUN_F_CSUM | (offload->tso4 ? TUN_F_TSO4 : 0) |
			(offload->tso6 ? TUN_F_TSO6 : 0);
	return ioctl(tap->fds[0], TUNSETOFFLOAD, flags) < 0 ? -errno : 0;
}

int tap_set_carrier(const struct tap *tap, bool on)
{
	int value = on;

	return ioctl(tap->fds[0], TUNSETCARRIER, &value) < 0 ? -errno : 0;
}

static int add_ipv4(int fd, struct ifreq *ifr, const struct tap_address *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	memcpy(&in.sin_addr, address->bytes, sizeof(in.sin_addr));
	memcpy(&ifr->ifr_addr, &in, sizeof(in));
	if (ioctl(fd, SIOCSIFADDR, ifr) < 0)
		return -errno;
	in.sin_addr.s_addr = address->prefix_len ? htonl(~0u << (32 - address->prefix_len)) : 0;
	memcpy(&ifr->ifr_netmask, &in, sizeof(in));
	return ioctl(fd, SIOCSIFNETMASK, ifr) < 0 ? -errno : 0;
}

static int add_ipv6(struct ifreq *ifr, const struct tap_address *address)
{
	AUTO_CLOSE int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct tap_in6_ifreq in6 = {.prefix_len = address->prefix_len};

	if (fd < 0 || ioctl(fd, SIOCGIFINDEX, ifr) < 0)
		return -errno;
	in6.ifindex = ifr->ifr_ifindex;
	memcpy(&in6.addr, address->bytes, sizeof(in6.addr));
	return ioctl(fd, SIOCSIFADDR, &in6) < 0 ? -errno : 0;
}

static int set_up(int fd, struct ifreq *ifr)
{
	if (ioctl(fd, SIOCGIFFLAGS, ifr) < 0)
		return -errno;
	ifr->ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, ifr) < 0 ? -errno : 0;
}

int tap_configure(const struct tap *tap, const uint8_t mac[6], uint32_t mtu,
		  const struct tap_address *address, char *error, size_t error_size)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};
	const char *what = "socket";
	int rc = fd < 0 ? -errno : 0;

	memcpy(ifr.ifr_name, tap->name, IFNAMSIZ);
	memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
	if (rc == 0) {
		what = "MAC address";
		rc = ioctl(fd, SIOCSIFHWADDR, &ifr) < 0 ? -errno : 0;
	}
	if (rc == 0) {
		what = "MTU";
		ifr.ifr_mtu = (int)mtu;
		rc = ioctl(fd, SIOCSIFMTU, &ifr) < 0 ? -errno : 0;
	}
	if (rc == 0 && address && address->family) {
		what = "address";
		rc = address->family == AF_INET ? add_ipv4(fd, &ifr, address)
						: add_ipv6(&ifr, address);
	}
	if (rc == 0) {
		what = "state (up)";
		rc = set_up(fd, &ifr);
	}
	if (rc < 0)
		snprintf(error, error_size, "%s: cannot set its %s: %s", tap->name, what,
			 strerror(-rc));
	return rc;
}
