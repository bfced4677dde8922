/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claims.c - table of the IPv4 addresses that guests claim, see claims.h.
 *
 * All claims stand in one array: in use, in the order of their last ARP frames, with a chain for
 * each hash of an IPv4 address and one for each hash of a MAC; or free.
 */
#include "claims.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "cursor.h"
#include "frame.h"
#include "util.h"

#define BUCKETS	      4096u
#define ETHERTYPE_ARP 0x0806
#define ARP_ETHERNET  1
#define ARP_IPV4      0x0800
#define ARP_LENGTHS   0x0604 /**< of a MAC, of an IPv4 address */
#define ARP_REQUEST   1
#define ARP_REPLY     2

struct claim {
	uint64_t seen_ns;
	uint32_t ipv4;
	int guest;
	uint8_t mac[6];
	struct claim *prev, *next; /**< in `order`; or (next) free */
	struct claim *next_ipv4, *next_mac;
};

struct claims {
	uint64_t salt;
	struct claim *order; /**< the oldest first */
	struct claim *free;
	struct claim *by_ipv4[BUCKETS], *by_mac[BUCKETS];
	struct claim all[CLAIMS_MAX];
};

struct claims *claims_create(void)
{
	struct claims *claims = xb_calloc(1, sizeof(*claims));

	/* Guests can't choose addresses that meet in one chain without knowing where we are in
	 * memory. */
	claims->salt = (uintptr_t)claims * 0x94d049bb133111ebull;
	for (unsigned int i = 0; i < CLAIMS_MAX; i++)
		LL_PREPEND(claims->free, &claims->all[i]);
	return claims;
}

void claims_destroy(struct claims *claims)
{
	free(claims);
}

static unsigned int bucket(const struct claims *claims, uint64_t key)
{
	const __uint128_t product = (__uint128_t)(key ^ claims->salt) * 0xbf58476d1ce4e5b9ull;

	return (unsigned int)((uint64_t)product ^ (uint64_t)(product >> 64)) % BUCKETS;
}

static unsigned int bucket_of_mac(const struct claims *claims, const uint8_t mac[6])
{
	uint64_t key = 0;

	memcpy(&key, mac, 6);
	return bucket(claims, key);
}

static struct claim *find(const struct claims *claims, uint32_t ipv4)
{
	struct claim *claim = claims->by_ipv4[bucket(claims, ipv4)];

	while (claim && claim->ipv4 != ipv4)
		claim = claim->next_ipv4;
	return claim;
}

static bool is_old(const struct claim *claim, uint64_t now_ns)
{
	return now_ns - claim->seen_ns > CLAIMS_AGE_NS;
}

static void drop(struct claims *claims, struct claim *claim)
{
	LL_DELETE2(claims->by_ipv4[bucket(claims, claim->ipv4)], claim, next_ipv4);
	LL_DELETE2(claims->by_mac[bucket_of_mac(claims, claim->mac)], claim, next_mac);
	DL_DELETE(claims->order, claim);
	LL_PREPEND(claims->free, claim);
}

/* Room for one more of this MAC. */
static void make_room(struct claims *claims, const uint8_t mac[6])
{
	struct claim *claim, *oldest = NULL;
	unsigned int n = 0;

	LL_FOREACH2(claims->by_mac[bucket_of_mac(claims, mac)], claim, next_mac)
	{
		if (memcmp(claim->mac, mac, 6) != 0)
			continue;
		n++;
		if (!oldest || claim->seen_ns <= oldest->seen_ns)
			oldest = claim;
	}
	if (n == CLAIMS_PER_MAC)
		drop(claims, oldest);
	else if (!claims->free)
		drop(claims, claims->order);
}

static void add(struct claims *claims, int guest, const uint8_t mac[6], uint32_t ipv4,
		uint64_t now_ns)
{
	struct claim *claim;

	make_room(claims, mac);
	claim = claims->free;
	LL_DELETE(claims->free, claim);
	claim->seen_ns = now_ns;
	claim->ipv4 = ipv4;
	claim->guest = guest;
	memcpy(claim->mac, mac, 6);
	LL_PREPEND2(claims->by_ipv4[bucket(claims, ipv4)], claim, next_ipv4);
	LL_PREPEND2(claims->by_mac[bucket_of_mac(claims, mac)], claim, next_mac);
	DL_APPEND(claims->order, claim);
}

/* Who says in an ARP frame (RFC 826) that it has which address, one that a host can have. */
static bool parse(const uint8_t *head, size_t head_len, uint8_t mac[6], uint32_t *ipv4)
{
	struct cursor c;
	uint16_t operation;
	bool arp;

	cursor_init(&c, head, head_len);
	cursor_skip(&c, 12);
	arp = cursor_be16(&c) == ETHERTYPE_ARP && cursor_be16(&c) == ARP_ETHERNET &&
	      cursor_be16(&c) == ARP_IPV4 && cursor_be16(&c) == ARP_LENGTHS;
	operation = cursor_be16(&c);
	cursor_bytes(&c, mac, 6);
	*ipv4 = cursor_be32(&c);
	return arp && !c.failed && (operation == ARP_REQUEST || operation == ARP_REPLY) &&
	       *ipv4 != INADDR_ANY && *ipv4 != INADDR_BROADCAST && !IN_MULTICAST(*ipv4) &&
	       *ipv4 >> IN_CLASSA_NSHIFT != IN_LOOPBACKNET;
}

void claims_learn(struct claims *claims, int guest, const uint8_t *head, size_t head_len,
		  uint64_t now_ns)
{
	struct claim *claim;
	uint8_t mac[6];
	uint32_t ipv4;

	if (!parse(head, head_len, mac, &ipv4))
		return;
	if (guest >= 0 && memcmp(mac, frame_src(head), 6) != 0)
		return; /* speaks for somebody else */
	while (claims->order && is_old(claims->order, now_ns))
		drop(claims, claims->order);
	claim = find(claims, ipv4);
	if (claim && memcmp(claim->mac, mac, 6) != 0) {
		drop(claims, claim);
		claim = NULL;
	}
	if (guest >= 0 && claim) {
		claim->guest = guest;
		claim->seen_ns = now_ns;
		DL_DELETE(claims->order, claim);
		DL_APPEND(claims->order, claim);
	} else if (guest >= 0) {
		add(claims, guest, mac, ipv4, now_ns);
	}
}

void claims_forget(struct claims *claims, int guest)
{
	struct claim *claim, *tmp;

	DL_FOREACH_SAFE (claims->order, claim, tmp)
		if (claim->guest == guest)
			drop(claims, claim);
}

unsigned int claims_of(const struct claims *claims, const uint8_t mac[6],
		       uint32_t ipv4[CLAIMS_PER_MAC], uint64_t now_ns)
{
	const struct claim *claim;
	unsigned int n = 0;

	if (!claims)
		return 0;
	LL_FOREACH2(claims->by_mac[bucket_of_mac(claims, mac)], claim, next_mac)
	if (memcmp(claim->mac, mac, 6) == 0 && !is_old(claim, now_ns))
		ipv4[n++] = claim->ipv4;
	return n;
}

bool claims_has(const struct claims *claims, const uint8_t mac[6], uint32_t ipv4, uint64_t now_ns)
{
	const struct claim *claim = claims ? find(claims, ipv4) : NULL;

	return claim && memcmp(claim->mac, mac, 6) == 0 && !is_old(claim, now_ns);
}
