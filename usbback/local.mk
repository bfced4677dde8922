# SPDX-License-Identifier: GPL-2.0-or-later
# libusbback.a: everything but main, so that tests and fuzzers link the real daemon.
noinst_LIBRARIES += usbback/libusbback.a
usbback_libusbback_a_SOURCES = \
	common/usb/host.h \
	usbback/quirk.c usbback/quirk.h \
	usbback/coalesce.c usbback/coalesce.h \
	usbback/host_libusb.h usbback/host_opener.h \
	usbback/vusb.h
