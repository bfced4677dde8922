# SPDX-License-Identifier: GPL-2.0-or-later
# xen-conformance: the same checks of the Xen seam on the fake, on the box and, installed, on a real Xen.
pkglibexec_PROGRAMS += tests/conformance/xen-conformance
tests_conformance_xen_conformance_SOURCES = \
	tests/conformance/conformance.c \
	tests/conformance/conformance.h \
	tests/conformance/events.c \
	tests/conformance/grants.c \
	tests/conformance/storage.c \
	tests/conformance/watches.c
tests_conformance_xen_conformance_LDADD = common/xen/libxbxen.a common/libxbcommon.a \
	$(XEN_LIBS) $(SYSTEMD_LIBS) $(JANSSON_LIBS)

CONFORMANCE_TESTS = tests/conformance/conformance-fake.sh tests/conformance/conformance-box.sh
TESTS += $(CONFORMANCE_TESTS)
EXTRA_DIST += $(CONFORMANCE_TESTS)
