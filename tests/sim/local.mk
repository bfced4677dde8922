# SPDX-License-Identifier: GPL-2.0-or-later
# Simulations: whole parts on the manual clock, random events, seeds that are printed. SIM_SEED, SIM_SEEDS.
SIM_SEEDS = tests/sim/seeds.c tests/sim/seeds.h

SIM_TESTS = tests/sim/sim-datapath
tests_sim_sim_datapath_SOURCES = tests/sim/sim-datapath.c $(SIM_SEEDS) tests/unit/datapath.c tests/unit/datapath.h
tests_sim_sim_datapath_LDADD = $(UNIT_NET_LIBS)

SIM_TESTS += tests/sim/sim-spread
tests_sim_sim_spread_SOURCES = tests/sim/sim-spread.c
tests_sim_sim_spread_LDADD = $(UNIT_NET_LIBS)

SIM_TESTS += tests/sim/sim-vusb
tests_sim_sim_vusb_SOURCES = tests/sim/sim-vusb.c $(SIM_SEEDS) $(VUSB_LAB)
tests_sim_sim_vusb_LDADD = $(VUSB_LAB_LIBS)

SIM_TESTS += tests/sim/sim-storage
tests_sim_sim_storage_SOURCES = tests/sim/sim-storage.c $(SIM_SEEDS) $(VUSB_LAB)
tests_sim_sim_storage_LDADD = $(VUSB_LAB_LIBS)

# The merging engine of usbback among a guest, a host and a device that are simulated.
COALESCE_WORLD = tests/sim/coalesce-world.c tests/sim/coalesce-world.h tests/sim/coalesce-device.c tests/sim/coalesce-oracle.c
SIM_TESTS += tests/sim/sim-coalesce
tests_sim_sim_coalesce_SOURCES = tests/sim/sim-coalesce.c $(SIM_SEEDS) $(COALESCE_WORLD)
tests_sim_sim_coalesce_LDADD = usbback/libusbback.a $(UNIT_LIBS)

# LACP among two partners whose cables, configurations and daemons change at random.
SIM_TESTS += tests/sim/sim-lacp
tests_sim_sim_lacp_SOURCES = tests/sim/sim-lacp.c $(LACP_LAB)
tests_sim_sim_lacp_LDADD = $(UNIT_NET_LIBS)
SIM_TESTS += tests/sim/sim-fair
tests_sim_sim_fair_SOURCES = tests/sim/sim-fair.c $(FAIR_LAB)
tests_sim_sim_fair_LDADD = $(FAIR_LAB_LIBS)
# Attacks and innocent peaks.
SIM_TESTS += tests/sim/sim-dos
tests_sim_sim_dos_SOURCES = tests/sim/sim-dos.c
tests_sim_sim_dos_LDADD = $(UNIT_NET_LIBS)

# A whole team's day.
SIM_DAY = tests/sim/day-net.c tests/sim/day-guests.c tests/sim/day-events.c tests/sim/day.h
SIM_TESTS += tests/sim/sim-day
tests_sim_sim_day_SOURCES = tests/sim/sim-day.c $(SIM_DAY) $(SIM_SEEDS) tests/unit/datapath.c tests/unit/datapath.h
tests_sim_sim_day_LDADD = $(UNIT_NET_LIBS)

check_PROGRAMS += $(SIM_TESTS)
TESTS += $(SIM_TESTS)
