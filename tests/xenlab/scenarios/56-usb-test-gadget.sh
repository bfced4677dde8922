# SPDX-License-Identifier: GPL-2.0-or-later
# usbtest in a guest on a device of Dom0 through libusb: Linux's own source and sink, by its virtual host controller.
# lab: flavour=fast backend=usb timeout=400
# shellcheck shell=bash

gadget_up
busid=$(poll 20 has_device $GADGET_ID && busid_of $GADGET_ID) || fail "the gadget does not appear in Dom0"
reserve "$busid"
usb_guest guest11
attach_controller guest11
attach_device guest11 "$busid" 1
# The virtual controller has neither isochronous transfers nor the settings with interrupt endpoints.
run_usbtest guest11 '' '15 16 22 23 25 26'
at_least "$USBTEST_PASSED" 24 "cases of usbtest that passed"

gadget_unplug
expect "a gadget that is unbound leaves its port" poll 15 usb_port_is guest11 1 ""
guest_fine guest11
