# SPDX-License-Identifier: GPL-2.0-or-later
# libusbback.a: everything but main, so that tests and fuzzers link the real daemon.
noinst_LIBRARIES += usbback/libusbback.a
usbback_libusbback_a_SOURCES = \
	common/usb/descriptor.c common/usb/descriptor.h \
	common/usb/host.h \
	usbback/bindings.c usbback/bindings.h usbback/bindings_priv.h \
	usbback/bindings_attach.c usbback/bindings_look.c \
	usbback/bindings_node.c usbback/bindings_wish.c \
	usbback/devspec.c usbback/devspec.h \
	usbback/usb_status.c \
	usbback/usbback.c usbback/usbback.h usbback/usbback_main.h usbback/usbback_ctl.c \
	usbback/usbback_keys.c usbback/usbback_keys.h \
	usbback/vusbdev.c \
	usbback/coalesce.c usbback/coalesce.h usbback/coalesce_issue.c usbback/coalesce_priv.h \
	usbback/host_libusb.c usbback/host_libusb.h usbback/host_libusb_priv.h \
	usbback/host_libusb_flight.c usbback/host_libusb_link.c usbback/host_libusb_memory.c \
	usbback/host_devices.c usbback/host_devices.h usbback/hotplug.c usbback/hotplug.h \
	usbback/reserve.c usbback/reserve.h \
	usbback/host_opener.c usbback/host_opener.h usbback/host_opener_priv.h usbback/host_opener_child.c \
	usbback/journal.c usbback/journal.h \
	usbback/pool.c usbback/pool.h \
	usbback/port.c usbback/port.h \
	usbback/quirk.c usbback/quirk.h \
	usbback/urb.c usbback/urb.h \
	usbback/vusb.c usbback/vusb.h usbback/vusb_priv.h \
	usbback/vusb_ahead.c \
	usbback/vusb_storage.c \
	usbback/vusb_control.c \
	usbback/vusb_iso.c \
	usbback/vusb_json.c \
	usbback/vusb_pipe.c \
	usbback/vusb_ring.c \
	usbback/vusb_thread.c

# Keeps listed devices for guests; udev calls it.
pkglibexec_PROGRAMS += usbback/usbback-reserve
usbback_usbback_reserve_SOURCES = usbback/reserve_main.c
usbback_usbback_reserve_LDADD = usbback/libusbback.a common/libxbcommon.a $(JANSSON_LIBS) $(SYSTEMD_LIBS)

sbin_PROGRAMS += usbback/usbback
usbback_usbback_SOURCES = usbback/main.c
usbback_usbback_LDADD = usbback/libusbback.a cluster/models/libxbmodels.a common/libxbapp.a common/xen/libxbxen.a \
	common/libxbcommon.a $(XEN_LIBS) $(SYSTEMD_LIBS) $(JANSSON_LIBS) $(USB_LIBS) $(SECCOMP_LIBS) $(CAP_LIBS)
