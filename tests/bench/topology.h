/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * topology.h - the two paths that benchmarks compare, made in the sandbox of netlab.h.
 *
 *   nic0 ========================== sink0      BENCH_DIRECT: a team's NIC with a peer that drops
 *   src0 ==== port0 [br0] port1 === sink1      BENCH_BRIDGE: the same frames forwarded by the
 * kernel's bridge
 *
 * sink0 and sink1 are in the namespace "sink", whose stack drops what is not for it; all the rest
 * is here. Frames go to BENCH_MAC.
 */
#ifndef XB_BENCH_TOPOLOGY_H
#define XB_BENCH_TOPOLOGY_H

#include <stdint.h>

enum bench_path { BENCH_DIRECT, BENCH_BRIDGE };
#define BENCH_PATH_COUNT 2

/** Destination of all frames, in the bridge's table already: nothing is flooded. */
extern const uint8_t bench_mac[6];

/** Enters the sandbox (netlab_enter, which skips where that is impossible) and makes both paths.
 * Ends the process on failure. */
void make_bench_topology(unsigned int timeout_s);
/** The interface to send into. */
const char *bench_source(enum bench_path path);
/** "veth", "bridge". */
const char *bench_path_name(enum bench_path path);
/** What has arrived at the end of a path since the start: frames (a GSO frame is one) and bytes. */
void bench_arrived(enum bench_path path, uint64_t *packets, uint64_t *bytes);

#endif
