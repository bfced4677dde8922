# SPDX-License-Identifier: GPL-2.0-or-later
# Both make their interfaces in the sandbox of tests/net/netlab.h; topology.h is for every benchmark that has a NIC in it.
BENCH_ROUNDS = tests/bench/rounds.c tests/bench/rounds.h
BENCH_ARRIVALS = tests/bench/arrivals.c tests/bench/arrivals.h

noinst_PROGRAMS += tests/bench/bench-nic tests/bench/bench-linkwatch
tests_bench_bench_nic_SOURCES = tests/bench/bench-nic.c $(BENCH_ROUNDS) tests/bench/topology.c tests/bench/topology.h \
	tests/net/netlab.c tests/net/netlab.h
tests_bench_bench_nic_LDADD = netback-team/libnetback.a common/libxbcommon.a $(JANSSON_LIBS) $(NL_LIBS)
tests_bench_bench_linkwatch_SOURCES = tests/bench/bench-linkwatch.c tests/net/netlab.c tests/net/netlab.h
tests_bench_bench_linkwatch_LDADD = netback-team/libnetback.a common/libxbcommon.a $(JANSSON_LIBS) $(NL_LIBS)
noinst_PROGRAMS += tests/bench/bench-failover
tests_bench_bench_failover_SOURCES = tests/bench/bench-failover.c tests/net/netlab.c tests/net/netlab.h
tests_bench_bench_failover_LDADD = $(UNIT_NET_LIBS)

# A guest of the box without a network stack.
LOAD_FRAMES = tests/bench/load-frames.c tests/bench/load-frames.h
noinst_PROGRAMS += tests/bench/bench-vif-load
tests_bench_bench_vif_load_SOURCES = tests/bench/bench-vif-load.c $(LOAD_FRAMES)
tests_bench_bench_vif_load_LDADD = $(GUEST_LIBS)

noinst_PROGRAMS += tests/bench/bench-frame
tests_bench_bench_frame_SOURCES = tests/bench/bench-frame.c $(BENCH_ROUNDS) tests/unit/team-choose.h
tests_bench_bench_frame_LDADD = netback-team/libnetback.a common/libxbcommon.a $(JANSSON_LIBS)

noinst_PROGRAMS += tests/bench/bench-flow
tests_bench_bench_flow_SOURCES = tests/bench/bench-flow.c $(BENCH_ROUNDS)
tests_bench_bench_flow_LDADD = netback-team/libnetback.a common/libxbcommon.a $(JANSSON_LIBS)
noinst_PROGRAMS += tests/bench/bench-fair
tests_bench_bench_fair_SOURCES = tests/bench/bench-fair.c $(BENCH_ROUNDS)
tests_bench_bench_fair_LDADD = netback-team/libnetback.a common/libxbcommon.a $(JANSSON_LIBS)

EXTRA_DIST += tests/bench/run.sh tests/bench/bench-box.sh

# The Xen seam without a Xen; it starts tools/xenbox.
noinst_PROGRAMS += tests/bench/bench-seam
tests_bench_bench_seam_SOURCES = tests/bench/bench-seam.c $(BENCH_ROUNDS) tests/unit/box-lab.c tests/unit/box-lab.h
tests_bench_bench_seam_LDADD = common/xen/libxbxen.a common/libxbcommon.a $(XEN_LIBS) $(SYSTEMD_LIBS) $(JANSSON_LIBS)

# What merging of USB requests saves, on simulated time.
noinst_PROGRAMS += tests/bench/bench-coalesce
tests_bench_bench_coalesce_SOURCES = tests/bench/bench-coalesce.c
tests_bench_bench_coalesce_LDADD = usbback/libusbback.a common/libxbcommon.a $(JANSSON_LIBS)

# What attack detection costs a packet.
noinst_PROGRAMS += tests/bench/bench-dos
tests_bench_bench_dos_SOURCES = tests/bench/bench-dos.c $(BENCH_ROUNDS)
tests_bench_bench_dos_LDADD = netback-team/libnetback.a common/libxbcommon.a $(JANSSON_LIBS)

# How exactly rates are kept, beside the kernel's qdiscs.
noinst_PROGRAMS += tests/bench/bench-shape
tests_bench_bench_shape_SOURCES = tests/bench/bench-shape.c $(BENCH_ROUNDS) $(BENCH_ARRIVALS) tests/bench/topology.c tests/bench/topology.h \
	tests/net/netlab.c tests/net/netlab.h
tests_bench_bench_shape_LDADD = netback-team/libnetback.a common/libxbcommon.a $(JANSSON_LIBS) $(NL_LIBS)
EXTRA_DIST += tests/bench/bench-shape.sh

# All decisions about a frame together.
noinst_PROGRAMS += tests/bench/bench-path
tests_bench_bench_path_SOURCES = tests/bench/bench-path.c $(BENCH_ROUNDS)
tests_bench_bench_path_LDADD = netback-team/libnetback.a common/libxbcommon.a $(JANSSON_LIBS)

# What each reaction to an attack is worth to the guest beside it.
noinst_PROGRAMS += tests/bench/bench-defence
tests_bench_bench_defence_SOURCES = tests/bench/bench-defence.c $(BENCH_ROUNDS)
tests_bench_bench_defence_LDADD = netback-team/libnetback.a common/libxbcommon.a $(JANSSON_LIBS)
EXTRA_DIST += tests/bench/bench-defence.sh

# Who gets how much of a link, beside the kernel's htb.
noinst_PROGRAMS += tests/bench/bench-shares
tests_bench_bench_shares_SOURCES = tests/bench/bench-shares.c $(BENCH_ROUNDS) $(BENCH_ARRIVALS) $(LOAD_FRAMES) tests/net/netlab.c tests/net/netlab.h
tests_bench_bench_shares_LDADD = netback-team/libnetback.a common/libxbcommon.a $(JANSSON_LIBS) $(NL_LIBS)
EXTRA_DIST += tests/bench/bench-shares.sh
