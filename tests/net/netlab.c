/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netlab.c - namespaces, interfaces and frames for tests. */
#include "netlab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const uint8_t netlab_dst[6] = {0x02, 0x58, 0x42, 0, 0, 0x02};
const uint8_t netlab_src[6] = {0x02, 0x58, 0x42, 0, 0, 0x01};

static void skip(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	exit(0);
}

static void die(const char *what)
{
	fprintf(stderr, "netlab: %s: %s\n", what, strerror(errno));
	exit(99);
}

static void enter_inner(void)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0)
		die("cannot mount the sandbox's /proc");
	if (mkdir("/run/netns", 0755) < 0 && errno != EEXIST)
		die("/run/netns");
	if (mount("tmpfs", "/run/netns", "tmpfs", 0, NULL) < 0)
		die("cannot mount the sandbox's /run/netns");
	netlab_run("ip link set lo up");
}

/* Forks and goes on in the child; the parent stays behind to exit as the child does. */
static void become_child(void)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return;
	}
	while (waitpid(pid, &status, 0) < 0)
		;
	/* Not exit: a leak check here could not even start a thread, its process namespace is dead.
	 */
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
}

void netlab_enter(unsigned int timeout_s)
{
	if (geteuid() != 0)
		skip("needs root for network namespaces");
	if (netlab_try("command -v ip >/dev/null 2>&1") != 0)
		skip("needs the command ip (package iproute2)");
	if (unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID) < 0)
		skip("the kernel refuses new namespaces here");
	/* SIGALRM ends the outer process, and PR_SET_PDEATHSIG the inner ones. */
	alarm(timeout_s);
	/* Pid 1 only waits: signals and LeakSanitizer's tracer treat it unlike any other process.
	 */
	become_child();
	enter_inner();
	become_child();
}

static int run(const char *format, va_list args)
{
	char command[512];
	int status;

	vsnprintf(command, sizeof(command), format, args);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int netlab_try(const char *format, ...)
{
	va_list args;
	int status;

	va_start(args, format);
	status = run(format, args);
	va_end(args);
	return status;
}

void netlab_run(const char *format, ...)
{
	va_list args;
	int status;

	va_start(args, format);
	status = run(format, args);
	va_end(args);
	if (status == 0)
		return;
	fprintf(stderr, "netlab: status %d of: %s\n", status, format);
	exit(99);
}

int netlab_tap(const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		die("cannot create a TAP interface");
	netlab_run("ip link set %s up", name);
	return fd;
}

void netlab_tap_carrier(int fd, bool on)
{
	int value = on;

	if (ioctl(fd, TUNSETCARRIER, &value) < 0)
		die("TUNSETCARRIER");
}

int netlab_raw(const char *name)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_ALL),
				      .sll_ifindex = (int)if_nametoindex(name)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("raw socket");
	return fd;
}

int netlab_raw_recv(int fd, void *buf, size_t size)
{
	static const uint8_t ipv6[2] = {0x86, 0xdd};
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};

	while (poll(&pollfd, 1, 2000) > 0) {
		ssize_t len = read(fd, buf, size);

		if (len >= ETH_HLEN && memcmp((uint8_t *)buf + 12, ipv6, 2))
			return (int)len;
	}
	return -1;
}

void netlab_frame_plain(struct netlab_frame *f, size_t len, uint8_t seed)
{
	memset(&f->vnet, 0, sizeof(f->vnet));
	memcpy(f->data, netlab_dst, 6);
	memcpy(f->data + 6, netlab_src, 6);
	f->data[12] = 0x88;
	f->data[13] = 0xb5;
	for (size_t i = ETH_HLEN; i < len; i++)
		f->data[i] = (uint8_t)(seed + i);
	f->len = len;
}

/* Ones' complement sum of big-endian words, folded. */
static uint16_t sum(const uint8_t *data, size_t len, uint32_t start)
{
	uint64_t s = start;

	for (size_t i = 0; i < len; i++)
		s += i & 1 ? data[i] : (uint32_t)data[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)s;
}

/* ip: the bytes of an IPv4 header. */
static uint16_t pseudo_sum(const uint8_t *ip, size_t l4_len)
{
	return sum(ip + 12, 8, (uint32_t)(ip[9] + l4_len));
}

uint16_t netlab_l4_sum(const uint8_t *frame, size_t len, size_t l3_off)
{
	size_t l4_off = l3_off + sizeof(struct iphdr);

	return sum(frame + l4_off, len - l4_off, pseudo_sum(frame + l3_off, len - l4_off));
}

static void put_be16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void netlab_frame_tcp(struct netlab_frame *f, size_t payload, uint16_t gso_size, int vlan_tci)
{
	static const uint8_t ip[sizeof(struct iphdr)] = {
		[0] = 0x45, [8] = 64, [9] = IPPROTO_TCP, [12] = 10, 9, 0, 1, [16] = 10, 9, 0, 2,
	};
	/* Ports 1000 and 2000, sequence 1, 5 words, ACK, window 1000. */
	static const uint8_t tcp[sizeof(struct tcphdr)] = {
		[0] = 0x03,  0xe8,	  [2] = 0x07,  0xd0, [7] = 1,
		[12] = 0x50, [13] = 0x10, [14] = 0x03, 0xe8,
	};
	size_t l3 = vlan_tci < 0 ? ETH_HLEN : ETH_HLEN + 4, l4 = l3 + sizeof(ip);
	uint8_t *data = f->data;

	netlab_frame_plain(f, l4 + sizeof(tcp) + payload, 1);
	if (vlan_tci >= 0) {
		put_be16(data + 12, ETH_P_8021Q);
		put_be16(data + 14, (size_t)vlan_tci);
	}
	put_be16(data + l3 - 2, ETH_P_IP);
	memcpy(data + l3, ip, sizeof(ip));
	memcpy(data + l4, tcp, sizeof(tcp));
	put_be16(data + l3 + 2, f->len - l3);
	put_be16(data + l3 + 10, (uint16_t)~sum(data + l3, sizeof(ip), 0));
	put_be16(data + l4 + offsetof(struct tcphdr, check), pseudo_sum(data + l3, f->len - l4));
	f->vnet = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = gso_size ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_NONE,
		.hdr_len = gso_size ? (uint16_t)(l4 + sizeof(tcp)) : 0,
		.gso_size = gso_size,
		.csum_start = (uint16_t)l4,
		.csum_offset = offsetof(struct tcphdr, check),
	};
}

void netlab_msg(struct mmsghdr *msg, struct netlab_frame *f, bool receive)
{
	f->iov[0] = (struct iovec){&f->vnet, sizeof(f->vnet)};
	f->iov[1] = (struct iovec){f->data, receive ? sizeof(f->data) : f->len};
	*msg = (struct mmsghdr){.msg_hdr = {.msg_iov = f->iov, .msg_iovlen = 2}};
}

void netlab_counters(const char *name, uint64_t *rx_packets, uint64_t *rx_bytes)
{
	FILE *file = fopen("/proc/thread-self/net/dev", "re");
	char line[512], found[IFNAMSIZ];
	unsigned long long bytes, packets;

	*rx_packets = *rx_bytes = 0;
	if (!file)
		die("/proc/thread-self/net/dev");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %15[^:]: %llu %llu", found, &bytes, &packets) == 3 &&
		    !strcmp(found, name)) {
			*rx_packets = packets;
			*rx_bytes = bytes;
		}
	}
	fclose(file);
}
