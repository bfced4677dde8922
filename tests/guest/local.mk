# SPDX-License-Identifier: GPL-2.0-or-later
# libxbguest.a: the guest's side of vif and vusb, for the box's guests, tests and benchmarks.
noinst_LIBRARIES += tests/guest/libxbguest.a
tests_guest_libxbguest_a_SOURCES = \
	tests/guest/netfront.c \
	tests/guest/netfront.h \
	tests/guest/netfront_evil.c \
	tests/guest/netfront_keys.c \
	tests/guest/netfront_priv.h \
	tests/guest/netfront_ring.c \
	tests/guest/ring_fill.h \
	tests/guest/usbdesc.c \
	tests/guest/usbdesc.h \
	tests/guest/usbdev.c \
	tests/guest/usbdev.h \
	tests/guest/usbdev_bus.c \
	tests/guest/usbdev_io.c \
	tests/guest/usbdev_priv.h \
	tests/guest/usbdisk.c \
	tests/guest/usbdisk.h \
	tests/guest/usbfront.c \
	tests/guest/usbfront.h \
	tests/guest/usbfront_evil.c \
	tests/guest/usbfront_evil_urb.c \
	tests/guest/usbfront_keys.c \
	tests/guest/usbfront_priv.h \
	tests/guest/usbfront_ring.c \
	tests/guest/usbiso.c \
	tests/guest/usbiso.h \
	tests/guest/usbtest.c \
	tests/guest/usbtest.h \
	tests/guest/usbtest_ctrl.c \
	tests/guest/usbtest_priv.h \
	tests/guest/usbtest_queue.c
GUEST_LIBS = tests/guest/libxbguest.a netback-team/libnetback.a common/xen/libxbxen.a common/libxbcommon.a \
	$(XEN_LIBS) $(JANSSON_LIBS)
