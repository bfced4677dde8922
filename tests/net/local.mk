# SPDX-License-Identifier: GPL-2.0-or-later
# Namespace tests on the box, and the demo that shares their topology.
noinst_PROGRAMS += tests/net/gapmeter
tests_net_gapmeter_SOURCES = tests/net/gapmeter.c
tests_net_gapmeter_LDADD = common/libxbcommon.a
