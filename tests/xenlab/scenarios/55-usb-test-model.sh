# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel's own USB tests (usbtest) in a guest on our test device: all cases, isochronous and interrupt ones included.
# lab: flavour=fast backend=usb timeout=400
# shellcheck shell=bash

usb_guest guest11
attach_controller guest11
attach_model guest11 1 source-sink
run_usbtest guest11 alt=1 ""
at_least "$USBTEST_PASSED" 29 "cases of usbtest that passed"
