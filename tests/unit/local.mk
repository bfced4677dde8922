# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests: one cmocka program a module. Each block: UNIT_TESTS += ..., SOURCES, LDADD.
UNIT_TESTS =
UNIT_LIBS = common/libxbcommon.a $(CMOCKA_LIBS) $(JANSSON_LIBS) $(SYSTEMD_LIBS) $(CAP_LIBS) $(SECCOMP_LIBS)
UNIT_XEN_LIBS = common/xen/libxbxen.a $(UNIT_LIBS) $(XEN_LIBS)
UNIT_NET_LIBS = netback-team/libnetback.a $(UNIT_XEN_LIBS) $(NL_LIBS)

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

UNIT_TESTS += tests/unit/test-xenbus
tests_unit_test_xenbus_SOURCES = tests/unit/test-xenbus.c
tests_unit_test_xenbus_LDADD = $(UNIT_XEN_LIBS)
