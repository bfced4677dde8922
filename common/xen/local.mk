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
	common/xen/box.c \
	common/xen/box_server.c \
	common/xen/box_server.h \
	common/xen/box_wire.h \
	common/xen/conflict.c \
	common/xen/conflict.h \
	common/xen/confstore.c \
	common/xen/confstore.h \
	common/xen/fake.c \
	common/xen/fake.h \
	common/xen/fake_priv.h \
	common/xen/fake_store.c \
	common/xen/machine.c \
	common/xen/machine.h \
	common/xen/open.c \
	common/xen/real.c \
	common/xen/real.h \
	common/xen/real_store.c \
	common/xen/ring.h \
	common/xen/xenbus.c \
	common/xen/xenbus.h \
	common/xen/store.c \
	common/xen/store.h \
	common/xen/store_path.c \
	common/xen/store_priv.h \
	common/xen/store_txn.c \
	common/xen/store_watch.c \
	common/xen/store_client.c \
	common/xen/store_client.h \
	common/xen/store_server.c \
	common/xen/store_server.h \
	common/xen/wire.c \
	common/xen/wire.h
