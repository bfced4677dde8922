# SPDX-License-Identifier: GPL-2.0-or-later
# libxbxen.a: the Xen seam, its implementations, the state machine and the scanner of backends.
noinst_LIBRARIES += common/xen/libxbxen.a
common_xen_libxbxen_a_SOURCES = \
	common/xen/ops.h \
	common/xen/backend.c \
	common/xen/backend.h \
	common/xen/backend_priv.h \
	common/xen/backend_scan.c \
	common/xen/backend_store.c \
	common/xen/backend_walk.c \
	common/xen/xenbus.c \
	common/xen/xenbus.h
