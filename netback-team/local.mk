# SPDX-License-Identifier: GPL-2.0-or-later
# libnetback.a: everything but main, so that tests and fuzzers link the real daemon.
noinst_LIBRARIES += netback-team/libnetback.a
netback_team_libnetback_a_SOURCES = \
	netback-team/frame.h \
	netback-team/switch.h \
	netback-team/team.h \
	netback-team/policy.h \
	netback-team/nic.h \
	netback-team/linkwatch.h
