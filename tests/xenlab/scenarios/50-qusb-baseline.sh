# SPDX-License-Identifier: GPL-2.0-or-later
# The lab itself: a guest with the stock USB frontend reads a disk through QEMU's own backend, qusb.
# lab: flavour=fast backend=none timeout=240
# shellcheck shell=bash

busid=$(use_device $DISK_ID)
configured "$busid"
usb_guest guest11 "usbctrl = ['type=qusb,version=2,ports=4']" \
    "usbdev = ['hostbus=$(usb_bus "$busid"),hostaddr=$(usb_address "$busid"),controller=0,port=1']"
wait_in_guest guest11 /dev/sda 60
same_as_host guest11 0 4 "4 MiB through qusb"
for size in 120 4; do log "qusb, direct reads of $size KiB: $(disk_speed guest11 $size 5) (KB/s, ms each)"; done
