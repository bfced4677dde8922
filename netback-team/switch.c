/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * switch.c - MAC table and receive rules of one team, see switch.h.
 *
 * Addresses live in their port's fixed array; a table with open addressing finds them. All memory
 * is there from the start (untouched pages cost nothing); the part of the table in use grows with
 * the number of ports, so that a few guests need just a few cache lines.
 */
#include "switch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define ENTRIES	  (1 + SWITCH_LEARN_MAX) /* of a port: the first one is its own address */
#define SLOTS_MIN 64u
#define SLOTS_MAX 131072u

static_assert(SLOTS_MAX * 3 / 4 > SWITCH_PORTS_MAX * ENTRIES, "a full table has free slots");

#define ETHERTYPE_PAUSE 0x8808 /**< MAC control */
#define ETHERTYPE_SLOW	0x8809 /**< LACP, marker, OAM */

struct entry {
	uint64_t key;	      /**< 0: free */
	uint64_t seen_ns;     /**< last frame from it; 0 = never */
	uint64_t announce_ns; /**< R5: its announcements from outside do not count before */
	bool away;	      /**< R4; own addresses only */
	struct vlans vlans;
};

struct port {
	bool used, learning, antispoof, filter;
	uint8_t home, was;    /**< reserve member + 1, 0 = the others; and before the last move */
	uint64_t moved_until; /**< both count */
	unsigned int n_groups;
	struct entry entries[ENTRIES];
	uint64_t groups[SWITCH_MCAST_MAX];
};

struct slot {
	uint64_t key; /**< 0: free */
	uint16_t port, entry;
};

struct sw {
	uint64_t salt;
	uint64_t now_ns;		      /**< of the last frame */
	uint32_t n_slots;		      /**< in use, a power of two */
	bool several;			      /**< frames count from more than one member */
	uint64_t used[SWITCH_PORTS_MAX / 64]; /**< bits of ports */
	struct switch_copies copies;
	struct port ports[SWITCH_PORTS_MAX];
	struct slot slots[SLOTS_MAX];
};

/* An address as a number that is never 0. */
static inline uint64_t key_of(const uint8_t mac[6])
{
	uint32_t head;
	uint16_t tail;

	memcpy(&head, mac, 4);
	memcpy(&tail, mac + 4, 2);
	return head | (uint64_t)tail << 32 | 1ull << 48;
}

static void key_to_mac(uint64_t key, uint8_t mac[6])
{
	const uint32_t head = (uint32_t)key;
	const uint16_t tail = (uint16_t)(key >> 32);

	memcpy(mac, &head, 4);
	memcpy(mac + 4, &tail, 2);
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	const __uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t home_of(const struct sw *sw, uint64_t key)
{
	return (uint32_t)mix(key ^ sw->salt, 0xbf58476d1ce4e5b9ull) & (sw->n_slots - 1);
}

static inline struct slot *find_slot(struct sw *sw, uint64_t key)
{
	for (uint32_t i = home_of(sw, key); sw->slots[i].key; i = (i + 1) & (sw->n_slots - 1))
		if (sw->slots[i].key == key)
			return &sw->slots[i];
	return NULL;
}

static void insert_slot(struct sw *sw, uint64_t key, int port, unsigned int entry)
{
	uint32_t i = home_of(sw, key);

	while (sw->slots[i].key)
		i = (i + 1) & (sw->n_slots - 1);
	sw->slots[i] = (struct slot){key, (uint16_t)port, (uint16_t)entry};
}

/* Closes the gap: what stands behind it and would not be found any more moves up. */
static void remove_slot(struct sw *sw, struct slot *slot)
{
	const uint32_t mask = sw->n_slots - 1;
	uint32_t gap = (uint32_t)(slot - sw->slots);

	for (uint32_t i = (gap + 1) & mask; sw->slots[i].key; i = (i + 1) & mask) {
		const uint32_t home = home_of(sw, sw->slots[i].key);

		if (((i - home) & mask) >= ((i - gap) & mask)) {
			sw->slots[gap] = sw->slots[i];
			gap = i;
		}
	}
	sw->slots[gap].key = 0;
}

static struct entry *entry_of(struct sw *sw, const struct slot *slot)
{
	return &sw->ports[slot->port].entries[slot->entry];
}

static void forget(struct sw *sw, struct slot *slot)
{
	entry_of(sw, slot)->key = 0;
	remove_slot(sw, slot);
}

static bool is_old(const struct sw *sw, const struct entry *entry)
{
	return sw->now_ns - entry->seen_ns > SWITCH_AGE_NS;
}

/* NULL: nobody has this address (any more). */
static struct slot *lookup(struct sw *sw, uint64_t key)
{
	struct slot *slot = find_slot(sw, key);

	if (!slot || slot->entry == 0 || !is_old(sw, entry_of(sw, slot)))
		return slot;
	forget(sw, slot);
	return NULL;
}

/* Next port >= port, -1 = none. */
static int next_port(const struct sw *sw, unsigned int port)
{
	for (; port < SWITCH_PORTS_MAX; port = (port | 63) + 1) {
		const uint64_t bits = sw->used[port / 64] >> port % 64;

		if (bits)
			return (int)port + __builtin_ctzll(bits);
	}
	return -1;
}

static void rebuild(struct sw *sw, uint32_t n_slots)
{
	memset(sw->slots, 0, n_slots * sizeof(sw->slots[0]));
	sw->n_slots = n_slots;
	for (int p = next_port(sw, 0); p >= 0; p = next_port(sw, (unsigned int)p + 1))
		for (unsigned int e = 0; e < ENTRIES; e++)
			if (sw->ports[p].entries[e].key)
				insert_slot(sw, sw->ports[p].entries[e].key, p, e);
}

/* Room for every address that the ports can have, about half full. */
static void grow(struct sw *sw)
{
	uint32_t n_slots = sw->n_slots, n_entries = 0;

	for (int p = next_port(sw, 0); p >= 0; p = next_port(sw, (unsigned int)p + 1))
		n_entries += sw->ports[p].learning ? ENTRIES : 1;
	while (n_slots < SLOTS_MAX && n_slots < n_entries * 2)
		n_slots *= 2;
	if (n_slots != sw->n_slots)
		rebuild(sw, n_slots);
}

struct sw *sw_create(void)
{
	struct sw *sw = xb_calloc(1, sizeof(*sw));

	/* Guests can't choose addresses that meet in one slot without knowing where we are in
	 * memory. */
	sw->salt = sw->copies.salt = mix((uintptr_t)sw, 0x94d049bb133111ebull);
	sw->n_slots = SLOTS_MIN;
	return sw;
}

void sw_destroy(struct sw *sw)
{
	free(sw);
}

static int free_port(const struct sw *sw)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(sw->used); i++)
		if (~sw->used[i])
			return (int)i * 64 + __builtin_ctzll(~sw->used[i]);
	return -ENOSPC;
}

int sw_port_add(struct sw *sw, const struct sw_port_options *options)
{
	const uint64_t key = key_of(options->mac);
	struct slot *slot = find_slot(sw, key);
	const int p = free_port(sw);
	struct port *port;

	if (frame_is_multicast(options->mac) || key == key_of((const uint8_t[6]){0}))
		return -EINVAL;
	if (slot && slot->entry == 0)
		return -EEXIST;
	if (p < 0)
		return p;
	if (slot) /* its owner is here now */
		forget(sw, slot);
	port = &sw->ports[p];
	memset(port, 0, sizeof(*port));
	port->used = true;
	port->learning = options->learning;
	port->antispoof = options->antispoof;
	sw->used[p / 64] |= 1ull << p % 64;
	grow(sw);
	port->entries[0].key = key;
	insert_slot(sw, key, p, 0);
	return p;
}

static struct port *port_of(struct sw *sw, int port)
{
	assert(port >= 0 && port < SWITCH_PORTS_MAX && sw->ports[port].used);
	return &sw->ports[port];
}

void sw_port_remove(struct sw *sw, int p)
{
	struct port *port = port_of(sw, p);

	for (unsigned int e = 0; e < ENTRIES; e++)
		if (port->entries[e].key)
			forget(sw, find_slot(sw, port->entries[e].key));
	port->used = false;
	sw->used[p / 64] &= ~(1ull << p % 64);
}

void sw_mcast_filter(struct sw *sw, int port, bool on)
{
	port_of(sw, port)->filter = on;
}

static unsigned int find_group(const struct port *port, uint64_t key)
{
	unsigned int i = 0;

	while (i < port->n_groups && port->groups[i] != key)
		i++;
	return i;
}

int sw_mcast_add(struct sw *sw, int port_number, const uint8_t mac[6])
{
	struct port *port = port_of(sw, port_number);
	const uint64_t key = key_of(mac);

	if (!frame_is_multicast(mac))
		return -EINVAL;
	if (find_group(port, key) < port->n_groups)
		return 0;
	if (port->n_groups == SWITCH_MCAST_MAX)
		return -ENOSPC;
	port->groups[port->n_groups++] = key;
	return 0;
}

void sw_mcast_del(struct sw *sw, int port_number, const uint8_t mac[6])
{
	struct port *port = port_of(sw, port_number);
	const unsigned int i = find_group(port, key_of(mac));

	if (i < port->n_groups)
		port->groups[i] = port->groups[--port->n_groups];
}

const char *sw_verdict_name(enum sw_verdict verdict)
{
	switch (verdict) {
	case SW_VERDICT_UPLINK:
		return "uplink";
	case SW_VERDICT_LOCAL:
		return "local";
	case SW_VERDICT_FLOOD:
		return "flood";
	case SW_VERDICT_DROP_SPOOF:
		return "spoofed source";
	case SW_VERDICT_DROP_CTRL:
		return "control frame";
	case SW_VERDICT_DROP_REFLECT:
		return "reflected";
	case SW_VERDICT_DROP_INACTIVE:
		return "inactive member";
	case SW_VERDICT_DROP_UNKNOWN:
		return "unknown address";
	}
	return "unknown verdict";
}

static struct sw_decision decide(enum sw_verdict verdict)
{
	return (struct sw_decision){.verdict = verdict, .port = -1};
}

static struct sw_decision to_port(unsigned int port)
{
	return (struct sw_decision){.verdict = SW_VERDICT_LOCAL, .port = (int)port};
}

/* Room for one more learned address: a free entry, or that of one that is too old. NULL: none. */
static struct entry *learnable(struct sw *sw, struct port *port)
{
	for (unsigned int e = 1; e < ENTRIES; e++) {
		struct entry *entry = &port->entries[e];

		if (entry->key && is_old(sw, entry))
			forget(sw, find_slot(sw, entry->key));
		if (!entry->key)
			return entry;
	}
	return NULL;
}

static struct entry *learn(struct sw *sw, int p, uint64_t key)
{
	struct port *port = &sw->ports[p];
	struct slot *slot = lookup(sw, key);
	struct entry *entry;

	if (slot && slot->port == p)
		return entry_of(sw, slot);
	if ((slot && slot->entry == 0) || key == key_of((const uint8_t[6]){0}))
		return NULL; /* another guest's own */
	entry = learnable(sw, port);
	if (!entry)
		return NULL;
	if (slot) /* it moved from one nested bridge to another */
		forget(sw, slot);
	memset(entry, 0, sizeof(*entry));
	entry->key = key;
	insert_slot(sw, key, p, (unsigned int)(entry - port->entries));
	return entry;
}

/* The entry of a frame's source; false: the guest may not send with it. NULL: it may, but nothing
 * is kept of it. */
static bool admit(struct sw *sw, int p, const uint8_t *src, struct entry **entry)
{
	struct port *port = &sw->ports[p];
	const uint64_t key = key_of(src);
	const struct slot *slot;

	*entry = &port->entries[0];
	if (key == port->entries[0].key)
		return true;
	*entry = NULL;
	if (frame_is_multicast(src))
		return false;
	if (port->learning) {
		*entry = learn(sw, p, key);
		return *entry != NULL;
	}
	slot = lookup(sw, key);
	return !port->antispoof && !(slot && slot->entry == 0);
}

struct sw_decision sw_from_guest(struct sw *sw, int port, const uint8_t *head, size_t head_len,
				 uint64_t now_ns)
{
	const uint8_t *dst = frame_dst(head);
	const bool multicast = head_len > 0 && frame_is_multicast(dst);
	struct entry *source;
	struct slot *slot;
	uint16_t type;

	if (head_len < FRAME_ETH_LEN)
		return decide(SW_VERDICT_DROP_UNKNOWN);
	sw->now_ns = now_ns;
	type = frame_type(head);
	if (type == ETHERTYPE_SLOW || type == ETHERTYPE_PAUSE ||
	    (multicast && frame_is_link_local(dst)))
		return decide(SW_VERDICT_DROP_CTRL);
	if (!admit(sw, port, frame_src(head), &source))
		return decide(SW_VERDICT_DROP_SPOOF);
	if (source) {
		source->seen_ns = now_ns;
		source->away = false;
		if (multicast && frame_is_announcement(head, head_len))
			source->announce_ns = now_ns + SWITCH_GARP_LOCK_NS;
		if (type == FRAME_TYPE_VLAN)
			vlans_note(&source->vlans, head, head_len);
	}
	if (multicast)
		return decide(SW_VERDICT_FLOOD);
	slot = lookup(sw, key_of(dst));
	if (!slot || entry_of(sw, slot)->away)
		return decide(SW_VERDICT_UPLINK);
	/* what lives behind the sender's own port has had its frame */
	return slot->port == port ? decide(SW_VERDICT_DROP_UNKNOWN) : to_port(slot->port);
}

/* R3 to R5: may a frame with the source of one of our ports come from outside? */
static bool is_reflected(struct sw *sw, struct slot *slot, const uint8_t *head, size_t len)
{
	struct entry *entry = entry_of(sw, slot);

	if (entry->away)
		return false;
	if (sw->now_ns < entry->announce_ns || !frame_is_announcement(head, len))
		return true;
	if (slot->entry == 0)
		entry->away = true;
	else
		forget(sw, slot);
	return false;
}

static bool is_silent(const struct sw *sw, const struct entry *entry)
{
	return entry->seen_ns == 0 || sw->now_ns - entry->seen_ns > SWITCH_SILENT_NS;
}

void sw_port_home(struct sw *sw, int port, int member, uint64_t now_ns)
{
	struct port *p = &sw->ports[port];

	if (p->home == member + 1)
		return;
	p->was = p->home;
	p->home = (uint8_t)(member + 1);
	p->moved_until = now_ns + SWITCH_MOVE_NS;
}

/* Unicast for a port, from a reserve member (+ 1) or from the others (0): is it for us, and the
 * first copy? */
static bool belongs(struct sw *sw, const struct slot *slot, uint8_t from, bool designated,
		    const uint8_t *head, size_t len)
{
	const struct port *p = &sw->ports[slot->port];

	if (sw->now_ns < p->moved_until)
		return (from == p->home || from == p->was) &&
		       !switch_copy_is_second(&sw->copies, from == p->home, head, len, sw->now_ns);
	if (from != p->home)
		return false;
	return from || !sw->several || !is_silent(sw, entry_of(sw, slot)) ||
	       !switch_copy_is_second(&sw->copies, designated, head, len, sw->now_ns);
}

static struct sw_decision from_outside(struct sw *sw, uint8_t from, bool usable, bool designated,
				       const uint8_t *head, size_t head_len, uint64_t now_ns)
{
	const uint8_t *dst = frame_dst(head);
	const bool multicast = head_len > 0 && frame_is_multicast(dst);
	struct slot *slot;

	if (head_len < FRAME_ETH_LEN || frame_is_multicast(frame_src(head)))
		return decide(SW_VERDICT_DROP_UNKNOWN);
	sw->now_ns = now_ns;
	sw->several |= !from && usable && !designated;
	if (multicast && frame_is_link_local(dst))
		return decide(SW_VERDICT_DROP_CTRL);
	if (multicast ? !designated : !usable)
		return decide(SW_VERDICT_DROP_INACTIVE);
	slot = lookup(sw, key_of(frame_src(head)));
	if (slot && is_reflected(sw, slot, head, head_len))
		return decide(SW_VERDICT_DROP_REFLECT);
	if (multicast)
		return decide(SW_VERDICT_FLOOD);
	slot = lookup(sw, key_of(dst));
	if (!slot)
		return decide(SW_VERDICT_DROP_UNKNOWN);
	if (!belongs(sw, slot, from, designated, head, head_len))
		return decide(SW_VERDICT_DROP_INACTIVE);
	return to_port(slot->port);
}

struct sw_decision sw_from_nic(struct sw *sw, bool usable, bool designated, const uint8_t *head,
			       size_t head_len, uint64_t now_ns)
{
	return from_outside(sw, 0, usable, designated, head, head_len, now_ns);
}

struct sw_decision sw_from_reserve(struct sw *sw, int member, bool usable, bool designated,
				   const uint8_t *head, size_t head_len, uint64_t now_ns)
{
	return from_outside(sw, (uint8_t)(member + 1), usable, designated, head, head_len, now_ns);
}

int sw_flood_next(const struct sw *sw, const uint8_t dst[6], int except, int prev)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const bool filtered = frame_is_multicast(dst) && memcmp(dst, broadcast, 6) != 0;
	const uint64_t key = key_of(dst);

	for (int p = prev; (p = next_port(sw, (unsigned int)(p + 1))) >= 0;) {
		const struct port *port = &sw->ports[p];

		if (p == except)
			continue;
		if (!filtered || !port->filter || find_group(port, key) < port->n_groups)
			return p;
	}
	return -1;
}

int sw_port_of(struct sw *sw, const uint8_t mac[6])
{
	const struct slot *slot = find_slot(sw, key_of(mac));

	return slot ? slot->port : -1;
}

unsigned int sw_port_macs(const struct sw *sw, int p, uint8_t (*macs)[6], unsigned int max)
{
	unsigned int n = 0;

	for (unsigned int e = 0; e < ENTRIES && n < max; e++) {
		const struct entry *entry = &sw->ports[p].entries[e];

		if (entry->key && !entry->away && (e == 0 || !is_old(sw, entry)))
			key_to_mac(entry->key, macs[n++]);
	}
	return n;
}

unsigned int sw_macs(const struct sw *sw, uint8_t (*macs)[6], unsigned int max)
{
	unsigned int n = 0;

	for (int p = next_port(sw, 0); p >= 0; p = next_port(sw, (unsigned int)p + 1))
		n += sw_port_macs(sw, p, macs + n, max - n);
	return n;
}

/* NULL: not here. */
static struct entry *here(struct sw *sw, const uint8_t mac[6])
{
	const struct slot *slot = lookup(sw, key_of(mac));
	struct entry *entry = slot ? entry_of(sw, slot) : NULL;

	return entry && !entry->away ? entry : NULL;
}

struct vlans sw_vlans(struct sw *sw, const uint8_t mac[6])
{
	const struct entry *entry = here(sw, mac);

	return entry ? entry->vlans : (struct vlans){0};
}

bool sw_is_here(struct sw *sw, const uint8_t mac[6])
{
	return here(sw, mac) != NULL;
}

void sw_announced(struct sw *sw, const uint8_t mac[6], uint64_t now_ns)
{
	struct entry *entry = here(sw, mac);

	if (entry)
		entry->announce_ns = now_ns + SWITCH_GARP_LOCK_NS;
}
