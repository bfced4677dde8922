/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netback_keys.c - rows of the key tables, see netback_keys.h. */
#include "netback_keys.h"

#include "announce.h"
#include "fair.h"
#include "hook.h"
#include "policy.h"
#include "util.h"
#include "vif.h"

/* In the order of enum flow_fields. */
static const char *const hash_names[] = {"l2", "l3", "l34", "src", "dst", "srcdst", NULL};
static const char *const failback_names[] = {"always", "better", "failure", "manual", "load", NULL};
static const char *const probe_names[] = {"off", "arp", "ns", "beacon", NULL}; /* probe.h */
static const char *const announce_names[] = {"rarp", "garp", "both", NULL};    /* announce.h */
static const char *const need_names[] = {"any", "all", NULL};

#define TRAIT(member) offsetof(struct member_traits, member)
static const struct key member_keys[] = {
	{"weight", KEY_TYPE_U64, TRAIT(weight), 1, TEAM_WEIGHT_MAX, NULL, "1", true,
	 "How much the member takes beside the others: turns of round-robin and rr-flowlet, "
	 "buckets "
	 "of the modes that go by hash."},
	{"speed", KEY_TYPE_RATE, TRAIT(speed_bps), 0, 1000000000000, NULL, "none", true,
	 "Counts in place of the speed that the driver tells; none = that counts."},
};
const struct key_table member_key_table = {"member", "", member_keys, ARRAY_SIZE(member_keys),
					   sizeof(struct member_traits)};

#define TEAM(member) offsetof(struct team_options, member)
static const struct key team_keys[] = {
	{"members", KEY_TYPE_STRING, TEAM(members), 0,
	 sizeof(((struct team_options *)0)->members) - 1, NULL, "", true,
	 "Interfaces of the team, separated by spaces: names, patterns of names (eth*), "
	 "mac:AA:BB:CC:DD:EE:FF, pci:0000:3b:* (may hold * ? []); what a pattern means joins when "
	 "it appears, but no team takes another one's. With :PRIORITY (0-255, default 128) behind "
	 "it the higher number is preferred. Behind that, /weight=N (1-100, default 1): how much "
	 "it "
	 "takes beside the others, in turns of round-robin and rr-flowlet and in buckets of the "
	 "modes that go by hash; /speed=RATE: counts in place of what its driver tells. "
	 "\"eth1:200/weight=3/speed=2500Mbit eth2\" has all of it."},
	{"reserve_members", KEY_TYPE_STRING, TEAM(reserve_members), 0,
	 sizeof(((struct team_options *)0)->reserve_members) - 1, NULL, "", true,
	 "Further interfaces, as in `members`, that are kept for guests under attack: they carry "
	 "nothing but the guests that the reaction `second_team`, or `xenbackctl dos failover`, "
	 "moves to them."},
	{"mode", KEY_TYPE_ENUM, TEAM(mode), 0, 0, policy_names, "active-backup", true,
	 "How frames are distributed over the members."},
	{"failback", KEY_TYPE_ENUM, TEAM(failback), 0, 0, failback_names, "always", true,
	 "When a member that returned becomes active again: always when it is the preferred one; "
	 "better: "
	 "only when its priority is higher; failure: when the active one fails; manual: by "
	 "command; load: as always, once the active one is used less than failback_load."},
	{"failback_load", KEY_TYPE_U64, TEAM(failback_load), 0, 100, NULL, "50", true,
	 "Use of the active member, in percent of its speed over the last second, below which "
	 "failback = load leaves it."},
	{"failback_hold", KEY_TYPE_DURATION, TEAM(failback_hold_ns), 0, 3600 * NSEC_PER_SEC, NULL,
	 "5s", true, "How long a returned member must be up before failback."},
	{"updelay", KEY_TYPE_DURATION, TEAM(updelay_ns), 0, 3600 * NSEC_PER_SEC, NULL, "0ms", true,
	 "How long a link must be up before the member is used (skipped when no other member is)."},
	{"downdelay", KEY_TYPE_DURATION, TEAM(downdelay_ns), 0, 60 * NSEC_PER_SEC, NULL, "0ms",
	 true, "How long a link may be down before the member counts as down."},
	{"damping", KEY_TYPE_BOOL, TEAM(damping.on), 0, 0, NULL, "no", true,
	 "Keep a member that comes and goes out of use until it has been quiet (RFC 2439), unless "
	 "no other one is usable."},
	{"damping_half_life", KEY_TYPE_DURATION, TEAM(damping.half_life_ns), NSEC_PER_SEC,
	 3600 * NSEC_PER_SEC, NULL, "15s", true,
	 "In so long a time, half of its flaps is forgotten."},
	{"damping_suppress", KEY_TYPE_U64, TEAM(damping.suppress), 2, 100, NULL, "3", true,
	 "So many flaps in short order keep a member out, until half of one is left."},
	{"damping_max", KEY_TYPE_DURATION, TEAM(damping.max_ns), NSEC_PER_SEC, 86400 * NSEC_PER_SEC,
	 NULL, "300s", true, "Nobody is kept out for longer after the last flap."},
	{"min_links", KEY_TYPE_U64, TEAM(min_links), 0, TEAM_MEMBERS_MAX, NULL, "0", true,
	 "With fewer usable members than this the team is down: it sends and receives nothing. In "
	 "mode lacp, usable is whose link the partner agreed to."},
	{"max_links", KEY_TYPE_U64, TEAM(max_links), 0, TEAM_MEMBERS_MAX, NULL, "0", true,
	 "Members in use at a time in modes in which several are (mode lacp has lacp_max_links): "
	 "those "
	 "of the highest priority, among equals those that are in use already; the others stand "
	 "by. "
	 "0 = all."},
	{"drained", KEY_TYPE_STRING, TEAM(drained), 0,
	 sizeof(((struct team_options *)0)->drained) - 1, NULL, "", true,
	 "Members that are taken out of use without loss or reordering, by name, separated by "
	 "spaces; they stay members."},
	{"probe", KEY_TYPE_ENUM, TEAM(probe), 0, 0, probe_names, "off", true,
	 "Find members whose link is up but dead: by ARP requests (arp) or IPv6 neighbour "
	 "solicitations (ns) for probe_targets, or by beacons between the members and to other "
	 "hosts' (beacon; at least three of both together)."},
	{"probe_targets", KEY_TYPE_STRING, TEAM(probe_targets), 0,
	 sizeof(((struct team_options *)0)->probe_targets) - 1, NULL, "", true,
	 "Up to 4 addresses that are asked, IPv4 for arp, IPv6 for ns, separated by spaces."},
	{"probe_source", KEY_TYPE_STRING, TEAM(probe_source), 0,
	 sizeof(((struct team_options *)0)->probe_source) - 1, NULL, "", true,
	 "IPv4 address that ARP requests come from; empty = none (RFC 5227), which all hosts "
	 "answer that follow it."},
	{"probe_interval", KEY_TYPE_DURATION, TEAM(probe_interval_ns), 10 * NSEC_PER_MSEC,
	 60 * NSEC_PER_SEC, NULL, "50ms", true, "Time between the probes of a member."},
	{"probe_missed", KEY_TYPE_U64, TEAM(probe_missed), 1, 100, NULL, "3", true,
	 "So many intervals without an answer, and the member is down; as many with one, and it "
	 "is back."},
	{"probe_need", KEY_TYPE_ENUM, TEAM(probe_need), 0, 0, need_names, "any", true,
	 "Of several targets, any must answer, or all."},
	{"carrier_poll", KEY_TYPE_DURATION, TEAM(carrier_poll_ns), 0, 10 * NSEC_PER_SEC, NULL,
	 "10ms", true,
	 "How often the carrier is looked at beside the kernel's events, which may be 1 s late; "
	 "0ms = "
	 "events only."},
	{"netns", KEY_TYPE_STRING, TEAM(netns), 0, sizeof(((struct team_options *)0)->netns) - 1,
	 NULL, "", false,
	 "Private network namespace that the members are moved to, away from the host's own stack; "
	 "empty = they stay."},
	{"rarp_count", KEY_TYPE_U64, TEAM(rarp_count), 0, 255, NULL, "3", true,
	 "How often each guest address is announced after the active member changed."},
	{"rarp_interval", KEY_TYPE_DURATION, TEAM(rarp_interval_ns), NSEC_PER_MSEC,
	 60 * NSEC_PER_SEC, NULL, "200ms", true, "Time between these announcements."},
	{"rarp_burst", KEY_TYPE_U64, TEAM(rarp_burst), 1, ANNOUNCE_BURST_MAX, NULL, "64", true,
	 "So many announcements may leave in any 10 ms."},
	{"announce", KEY_TYPE_ENUM, TEAM(announce), 0, 0, announce_names, "rarp", true,
	 "How guest addresses are announced: rarp: by RARP; garp: by an ARP announcement for each "
	 "IPv4 address that the guest was heard to use without a VLAN tag, up to four, by RARP "
	 "where none was; both: by RARP and by ARP. In up to eight VLANs in which it sends tagged "
	 "frames it is announced by RARP, too."},
	{"hash", KEY_TYPE_ENUM, TEAM(hash), 0, 0, hash_names, "l34", true,
	 "What the mode hash goes by: l2: Ethernet addresses and VLAN; l3: these and the IP "
	 "addresses; l34: IP addresses, protocol and ports; src, dst: one IP address; srcdst: "
	 "both, "
	 "the same for both directions. Frames without IP: Ethernet addresses."},
	{"hash_seed", KEY_TYPE_U64, TEAM(hash_seed), 0, UINT32_MAX, NULL, "0", true,
	 "Another number deals all flows out anew."},
	{"flowlet_gap", KEY_TYPE_DURATION, TEAM(flowlet_gap_ns), 0, NSEC_PER_SEC, NULL, "500us",
	 true, "Mode rr-flowlet: a flow that paused for so long goes on on the next member."},
	{"drain", KEY_TYPE_DURATION, TEAM(drain_ns), 0, NSEC_PER_SEC, NULL, "200us", true,
	 "What moves from one working member to another (flows, sessions, guests) does so once its "
	 "last frame has left the old one, by its speed, and so much time has passed: frames stay "
	 "in order."},
	{"sticky_age", KEY_TYPE_DURATION, TEAM(sticky_age_ns), NSEC_PER_SEC, 86400 * NSEC_PER_SEC,
	 NULL, "300s", true,
	 "Mode tcp-sticky: a session that was silent for so long gives its place in the table "
	 "away."},
	{"speed", KEY_TYPE_RATE, TEAM(speed_bps), LOAD_RATE_MIN, 1000000000000, NULL, "10Gbit",
	 true, "Speed of members whose driver does not tell it, for modes that go by load."},
	{"rebalance_interval", KEY_TYPE_DURATION, TEAM(rebalance_interval_ns), 0,
	 3600 * NSEC_PER_SEC, NULL, "10s", true,
	 "Modes hash, ip-hash, tcp-sticky, slb: how often uneven loads are looked at; the second "
	 "time in a row that the same member carries most, flows move off it. 0s = never."},
	{"rebalance_threshold", KEY_TYPE_U64, TEAM(rebalance_threshold), 0, 100, NULL, "10", true,
	 "Use of a member, in percent of its speed, below which nothing moves off it."},
	{"rebalance_gain", KEY_TYPE_U64, TEAM(rebalance_gain), 1, 90, NULL, "5", true,
	 "Percent by which the most used member's load must fall for a move to be worth it."},
	{"repin_interval", KEY_TYPE_DURATION, TEAM(repin_interval_ns), 0, 3600 * NSEC_PER_SEC, NULL,
	 "30s", true,
	 "Over so long a time the load of members that carry confined guests is measured; 0s = "
	 "such guests stay where they are."},
	{"repin_threshold", KEY_TYPE_U64, TEAM(repin_threshold), 1, 100, NULL, "75", true,
	 "Use of a member, in percent of its speed, above which a confined guest moves off it."},
	{"event_hook", KEY_TYPE_STRING, TEAM(event_hook), 0, HOOK_PROGRAM_MAX - 1, NULL, "", true,
	 "Program in /etc/xenback/hooks that gets each event of the team, as `xenbackctl events` "
	 "shows "
	 "them, as JSON on its standard input; empty = none."},
	{"dos", KEY_TYPE_STRING, TEAM(dos), 1, GUARD_NAME_MAX - 1, NULL, "default", true,
	 "Profile (a section [dos NAME], or default or off) by which the team and its guests are "
	 "watched for attacks. The team's own figures are sums: their thresholds are four times "
	 "those of the profile, ratios apart."},
	{"dos_signatures", KEY_TYPE_STRING, TEAM(dos_signatures), 0,
	 sizeof(((struct team_options *)0)->dos_signatures) - 1, NULL, "", true,
	 "File of rules in a subset of the language of Snort: packets of known attacks, with the "
	 "packets a second from which on they are one. It is read again when a setting changes."},
	{"unit", KEY_TYPE_ENUM, TEAM(unit), 0, 0, cost_unit_names, "wire", true,
	 "What bandwidth is counted in: wire: bytes on the wire, with preamble, gap, padding and "
	 "the headers of each segment; byte: bytes of Ethernet frames; frame: wire for limits, "
	 "frames for shares."},
	{"strict", KEY_TYPE_BOOL, TEAM(strict), 0, 0, NULL, "no", true,
	 "Guests of higher `priority` go first, lower ones get what they leave, and `floor`; no = "
	 "only shares and minima count."},
	{"floor", KEY_TYPE_U64, TEAM(floor_permille), 0, FAIR_FLOOR_MAX, NULL, "10", true,
	 "With `strict`: thousandths of all bytes that each lower priority gets in any case."},
	{"admission", KEY_TYPE_U64, TEAM(admission_percent), 1, 100, NULL, "75", true,
	 "Percent of the capacity that guests' minima may take together."},
	{"max_lag", KEY_TYPE_BYTES, TEAM(max_lag_bytes), LIMIT_BURST_MIN, FAIR_LAG_MAX, NULL,
	 "256KiB", true,
	 "How far a minimum may carry a guest ahead of its shares before the rest is forgotten."},
	{"wake_credit", KEY_TYPE_BYTES, TEAM(wake_credit_bytes), 0, FAIR_LAG_MAX, NULL, "0", true,
	 "How much a guest that was silent may send ahead of the others; not over `max_lag`."},
	{"pace", KEY_TYPE_RATE, TEAM(pace_bps), 0, FAIR_RATE_MAX, NULL, "none", true,
	 "No more than this for each member that is up goes to the team: for links that carry "
	 "less, behind a switch, than their cards take. Frames then wait where shares and minima "
	 "decide. none = as much as the cards take."},
	{"timer_slack", KEY_TYPE_DURATION, TEAM(timer_slack_ns), 0, FAIR_SLACK_MAX_NS, NULL, "0ms",
	 true,
	 "How late frames may go that wait for a limit (avg, rx_avg) or the pace, so that several "
	 "go "
	 "at once: with 1 Gbit/s of full frames, 100us saves half of the processor time, 1ms three "
	 "quarters. The average is kept over a second all the same, 100 ms may be off by up to 1 "
	 "%. "
	 "Bursts and peaks are kept in any case. 0ms = every frame at its own time."},
	{"shortage_after", KEY_TYPE_DURATION, TEAM(shortage_after_ns), 100 * NSEC_PER_MSEC,
	 3600 * NSEC_PER_SEC, NULL, "2s", true,
	 "How long frames have to wait for cards, all the time and with members lost, before a "
	 "guest with `shortage_pause` is paused, and then the next one."},
	{"lacp_mode", KEY_TYPE_ENUM, TEAM(lacp.mode), 0, 0, lacp_mode_names, "active", true,
	 "Mode lacp: active speaks LACP, passive only when spoken to, static not at all: members "
	 "of "
	 "one speed are an aggregation, as a static one on the switch needs it."},
	{"lacp_rate", KEY_TYPE_ENUM, TEAM(lacp.rate), 0, 0, lacp_rate_names, "slow", true,
	 "Mode lacp: how often the partner is asked to speak: fast: every second, a silent one is "
	 "noticed after 3 s; slow: every 30 s, 90 s."},
	{"lacp_system_priority", KEY_TYPE_U64, TEAM(lacp.system_priority), 0, UINT16_MAX, NULL,
	 "32768", true,
	 "Mode lacp: of the two partners the one with the lower value decides which links are "
	 "used."},
	{"lacp_system_id", KEY_TYPE_STRING, TEAM(lacp.system_id), 0, 17, NULL, "", true,
	 "Mode lacp: address by which the partner knows the team; empty = that of the member that "
	 "was "
	 "its first one."},
	{"lacp_key", KEY_TYPE_U64, TEAM(lacp.key), 0, LACP_KEY_MAX, NULL, "0", true,
	 "Mode lacp: upper ten bits of the members' operational key; below them are speed and "
	 "duplex."},
	{"lacp_port_priority", KEY_TYPE_U64, TEAM(lacp.port_priority), 0, UINT16_MAX, NULL, "255",
	 true,
	 "Mode lacp: port priority of the members, lower is preferred; a member's own :PRIORITY "
	 "above or below 128 is taken from or added to it."},
	{"lacp_ad_select", KEY_TYPE_ENUM, TEAM(lacp.ad_select), 0, 0, lacp_ad_select_names,
	 "stable", true,
	 "Mode lacp: which aggregator is used when there are several (two switches): stable: the "
	 "one in use while it has a link; bandwidth: the most bit/s; count: the most links; prio: "
	 "the link with the best port priority."},
	{"lacp_max_links", KEY_TYPE_U64, TEAM(lacp.max_links), 0, LACP_PORTS_MAX, NULL, "0", true,
	 "Mode lacp: links in use at a time, the others stand by; 0 = all."},
	{"lacp_min_links", KEY_TYPE_U64, TEAM(lacp.min_links), 0, LACP_PORTS_MAX, NULL, "0", true,
	 "Mode lacp: with fewer links that are in sync than this an aggregator is down, and the "
	 "partner is told; another one with enough is used, if there is one."},
	{"lacp_mux", KEY_TYPE_ENUM, TEAM(lacp.mux), 0, 0, lacp_mux_mode_names, "independent", true,
	 "Mode lacp: independent control receives before it sends, and loses nothing when links "
	 "come and go; coupled begins both at once."},
	{"lacp_fallback", KEY_TYPE_ENUM, TEAM(lacp.fallback), 0, 0, lacp_fallback_names, "none",
	 true,
	 "Mode lacp: what carries traffic where nobody answers: none; active-backup: one member; "
	 "static: all members of one speed."},
	{"lacp_strict", KEY_TYPE_BOOL, TEAM(lacp.strict), 0, 0, NULL, "no", true,
	 "Mode lacp: only negotiated aggregations carry traffic: no fallback, no individual "
	 "links."},
};
const struct key_table team_key_table = {"team", NETBACK_TEAM_PATH "/NAME", team_keys,
					 ARRAY_SIZE(team_keys), sizeof(struct team_options)};

#define VIF(member) offsetof(struct vif_policy, member)
static const struct key vif_keys[] = {
	{"team", KEY_TYPE_STRING, VIF(team), 0, TEAM_NAME_MAX - 1, NULL, "", false,
	 "Team that serves this interface; empty = the toolstack's bridge=."},
	{"shares", KEY_TYPE_U64, VIF(shares), 1, FAIR_SHARES_MAX, NULL, "1000", true,
	 "Part of the team's bandwidth that the guest may send with while others want it, too: "
	 "shares of the sum of those who do."},
	{"priority", KEY_TYPE_U64, VIF(priority), 0, FAIR_PRIORITY_MAX, NULL, "5", true,
	 "Whose minimum comes first, whose frames are discarded last where memory is short, and, "
	 "with the team's `strict`, whose frames go before those of lower numbers."},
	{"min", KEY_TYPE_RATE, VIF(min_bps), 0, FAIR_RATE_MAX, NULL, "none", true,
	 "What the guest may send in any case, whatever its shares. All minima of a team have to "
	 "fit into `admission` of its capacity."},
	{"avg", KEY_TYPE_RATE, VIF(avg_bps), 0, FAIR_RATE_MAX, NULL, "none", true,
	 "Limit of what the guest sends, on average; none = `rate`, or else the toolstack's "
	 "rate=."},
	{"rate", KEY_TYPE_RATE, VIF(rate_bps), 0, FAIR_RATE_MAX, NULL, "none", true,
	 "Another name of `avg`, which comes first where both are set."},
	{"burst", KEY_TYPE_BYTES, VIF(burst_bytes), 0, 1000000000, NULL, "0", true,
	 "How much may go at once after a pause, with `avg`; 0 = what `avg` carries in 10 ms, at "
	 "least 128KiB, or what the toolstack's rate= says."},
	{"peak", KEY_TYPE_RATE, VIF(peak_bps), 0, FAIR_RATE_MAX, NULL, "none", true,
	 "Limit of what the guest sends while it uses its burst; not below `avg`."},
	{"period", KEY_TYPE_DURATION, VIF(period_ns), 0, LIMIT_PERIOD_MAX_NS, NULL, "0ms", true,
	 "Over so long a time `peak` may not be exceeded; 0ms = frames are "
	 "paced by it, one by one, which takes more of a processor."},
	{"rx_avg", KEY_TYPE_RATE, VIF(rx_avg_bps), 0, FAIR_RATE_MAX, NULL, "none", true,
	 "As `avg`, for what the guest receives: what is too much waits, is marked (ECN), then "
	 "dropped."},
	{"rx_burst", KEY_TYPE_BYTES, VIF(rx_burst_bytes), 0, 1000000000, NULL, "0", true,
	 "As `burst`, with `rx_avg`."},
	{"rx_peak", KEY_TYPE_RATE, VIF(rx_peak_bps), 0, FAIR_RATE_MAX, NULL, "none", true,
	 "As `peak`, for what the guest receives."},
	{"rx_period", KEY_TYPE_DURATION, VIF(rx_period_ns), 0, LIMIT_PERIOD_MAX_NS, NULL, "0ms",
	 true, "As `period`, with `rx_peak`."},
	{"rx_queue", KEY_TYPE_BYTES, VIF(rx_queue_bytes), 0, VIF_RXQ_BYTES_MAX, NULL, "0", true,
	 "How much may wait for the guest, 128KiB to 512KiB; what finds more than half of it used "
	 "is "
	 "marked (ECN), what finds it full dropped. 0 = what `rx_avg` or else `rx_peak` carries in "
	 "5 ms, in these bounds; without both, the most."},
	{"shortage_pause", KEY_TYPE_DURATION, VIF(shortage_pause_ns), 0, 86400 * NSEC_PER_SEC, NULL,
	 "0", true,
	 "How long the guest may be paused, by xenback-vmctl(8), while its team has lost members "
	 "and the others do not suffice: the lowest `priority` first, until the members are back; "
	 "0 = not at all."},
	{"antispoof", KEY_TYPE_BOOL, VIF(antispoof), 0, 0, NULL, "yes", false,
	 "Drop frames whose source address is not the interface's own."},
	{"learning", KEY_TYPE_BOOL, VIF(learning), 0, 0, NULL, "no", false,
	 "Accept and learn up to 64 further source addresses (a bridge inside the guest); turns "
	 "antispoof off."},
	{"csum_fill", KEY_TYPE_BOOL, VIF(csum_fill), 0, 0, NULL, "no", true,
	 "Complete every checksum before a frame reaches the guest: for router and firewall guests "
	 "that forward frames without looking at offload flags."},
	{"queues", KEY_TYPE_U64, VIF(queues), 1, VIF_QUEUES_MAX, NULL, "4", false,
	 "Queues offered to the guest."},
	{"pin", KEY_TYPE_STRING, VIF(pin), 0, PIN_LIST_MAX, NULL, "", true,
	 "Members of the team that carry the guest's frames: the first usable one of this list; "
	 "where none is, as the team's mode says. Not in active-backup."},
	{"dos", KEY_TYPE_STRING, VIF(dos), 0, GUARD_NAME_MAX - 1, NULL, "", true,
	 "Profile (a section [dos NAME], or default or off) by which the guest is watched for "
	 "attacks; empty = that of its team."},
	{"confine", KEY_TYPE_BOOL, VIF(confine), 0, 0, NULL, "no", true,
	 "The guest uses a single member at a time, of `pin` or of the whole team: the one that "
	 "had "
	 "least to do, until it fails or is too busy (repin_threshold). Not in active-backup."},
};
const struct key_table vif_key_table = {"vif", NETBACK_VM_PATH "/UUID/vif/DEV", vif_keys,
					ARRAY_SIZE(vif_keys), sizeof(struct vif_policy)};

const struct key_table *const netback_key_tables[3] = {&team_key_table, &vif_key_table,
						       &dos_key_table};
