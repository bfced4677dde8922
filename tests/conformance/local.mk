# SPDX-License-Identifier: GPL-2.0-or-later
# xen-conformance: the same checks of the Xen seam on the fake, on the box and, installed, on a real Xen.
pkglibexec_PROGRAMS += tests/conformance/xen-conformance
tests_conformance_xen_conformance_SOURCES = \
	tests/conformance/conformance.c \
	tests/conformance/conformance.h \
	tests/conformance/events.c \
	tests/conformance/grants.c \
	tests/conformance/storage.c \
	tests/conformance/tap.c \
	tests/conformance/watches.c
tests_conformance_xen_conformance_LDADD = common/xen/libxbxen.a common/libxbcommon.a \
	$(XEN_LIBS) $(SYSTEMD_LIBS) $(JANSSON_LIBS)

# Xen's own library against the box's store.
check_PROGRAMS += tests/conformance/conformance-libxenstore
tests_conformance_conformance_libxenstore_SOURCES = \
	tests/conformance/conformance.h \
	tests/conformance/libxenstore.c \
	tests/conformance/storage.c \
	tests/conformance/tap.c \
	tests/conformance/watches.c
tests_conformance_conformance_libxenstore_LDADD = $(tests_conformance_xen_conformance_LDADD)

CONFORMANCE_TESTS = tests/conformance/conformance-fake.sh tests/conformance/conformance-box.sh \
	tests/conformance/conformance-libxenstore.sh tests/conformance/conformance-real.sh \
	tests/conformance/xenbox-program.sh
TESTS += $(CONFORMANCE_TESTS)
EXTRA_DIST += $(CONFORMANCE_TESTS) tests/conformance/with-box.sh
