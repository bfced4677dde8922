# SPDX-License-Identifier: GPL-2.0-or-later
# libxbxen.a: the Xen seam, its implementations, the state machine and the scanner of backends.
noinst_LIBRARIES += common/xen/libxbxen.a
common_xen_libxbxen_a_SOURCES = \
	common/xen/ops.h \
	common/xen/xenbus.c \
	common/xen/xenbus.h
