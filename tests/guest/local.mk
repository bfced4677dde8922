# SPDX-License-Identifier: GPL-2.0-or-later
# libxbguest.a: the guest's side of a vif, for the box's guest, tests and benchmarks.
noinst_LIBRARIES += tests/guest/libxbguest.a
tests_guest_libxbguest_a_SOURCES = \
	tests/guest/netfront.c \
	tests/guest/netfront.h \
	tests/guest/netfront_evil.c \
	tests/guest/netfront_keys.c \
	tests/guest/netfront_priv.h \
	tests/guest/netfront_ring.c \
	tests/guest/ring_fill.h
GUEST_LIBS = tests/guest/libxbguest.a netback-team/libnetback.a common/xen/libxbxen.a common/libxbcommon.a \
	$(XEN_LIBS) $(JANSSON_LIBS)
