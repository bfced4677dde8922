# SPDX-License-Identifier: GPL-2.0-or-later
# Namespace tests on the box, and the demo that shares their topology.
noinst_PROGRAMS += tests/net/gapmeter
tests_net_gapmeter_SOURCES = tests/net/gapmeter.c
tests_net_gapmeter_LDADD = common/libxbcommon.a

# Our LACP beside a partner in virtual time.
check_PROGRAMS += tests/net/lacp-oracle
tests_net_lacp_oracle_SOURCES = tests/net/lacp-oracle.c
tests_net_lacp_oracle_LDADD = netback-team/libnetback.a common/libxbcommon.a

# The NIC modules against interfaces of a sandbox (netlab.h).
NET_TESTS = tests/net/test-nic tests/net/test-nic-check tests/net/test-linkwatch
check_PROGRAMS += $(NET_TESTS)
TESTS += $(NET_TESTS)

tests_net_test_nic_SOURCES = tests/net/test-nic.c tests/net/netlab.c tests/net/netlab.h
tests_net_test_nic_LDADD = $(UNIT_NET_LIBS)

tests_net_test_nic_check_SOURCES = tests/net/test-nic-check.c tests/net/netlab.c tests/net/netlab.h
tests_net_test_nic_check_LDADD = $(UNIT_NET_LIBS)

tests_net_test_linkwatch_SOURCES = tests/net/test-linkwatch.c tests/net/netlab.c tests/net/netlab.h
tests_net_test_linkwatch_LDADD = $(UNIT_NET_LIBS)

# Scripts of Dom0 on a store of files; the store of a xenbox under Xen's own tools.
TOOL_TESTS = tests/net/test-vif-team.sh tests/net/test-xenbox-xl.sh tests/net/test-netback-netns.sh \
	tests/net/test-xenbox-store.sh tests/net/test-vmctl.sh tests/net/test-lacp-oracle.sh
TESTS += $(TOOL_TESTS)
EXTRA_DIST += $(TOOL_TESTS) tests/net/xenstore-stub tests/net/vmctl-xl

# xenback-vmctl on a hypervisor that is a folder.
check_PROGRAMS += tests/net/vmctl-double
tests_net_vmctl_double_SOURCES = tests/net/vmctl-double.c
tests_net_vmctl_double_LDADD = $(VMCTL_LIBS)

# End to end: daemon, box and guests with a real network stack.
E2E_TESTS = \
	tests/net/e2e-attach.sh \
	tests/net/e2e-bad-guest.sh \
	tests/net/e2e-config.sh \
	tests/net/e2e-detect.sh \
	tests/net/e2e-dos.sh \
	tests/net/e2e-dos-vm.sh \
	tests/net/e2e-failover.sh \
	tests/net/e2e-lacp-dpdk.sh \
	tests/net/e2e-lacp-ovs.sh \
	tests/net/e2e-health.sh \
	tests/net/e2e-nic-gone.sh \
	tests/net/e2e-qos.sh \
	tests/net/e2e-rate.sh \
	tests/net/e2e-reserve.sh \
	tests/net/e2e-restart.sh \
	tests/net/e2e-see.sh \
	tests/net/e2e-shortage.sh \
	tests/net/e2e-spread.sh \
	tests/net/e2e-start.sh \
	tests/net/e2e-traffic.sh \
	tests/net/e2e-usb-attach.sh \
	tests/net/e2e-usb-bad-guest.sh \
	tests/net/e2e-usb-disk.sh \
	tests/net/e2e-usb-restart.sh \
	tests/net/e2e-usb-serial.sh \
	tests/net/e2e-usb-test.sh \
	tests/net/e2e-usb-yank.sh
TESTS += $(E2E_TESTS)
EXTRA_DIST += $(E2E_TESTS) tests/net/lib.sh tests/net/bondpeer.c tests/net/lacp.sh tests/net/usb.sh tests/net/vmctl.sh \
	tests/net/demo.sh
