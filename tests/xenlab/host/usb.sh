# SPDX-License-Identifier: GPL-2.0-or-later
# The USB devices of the emulated machine, and what Dom0 may ask about their other ends.
# shellcheck shell=bash
#
#   xHCI -- a disk whose image is $RUN/usb.img: 64 MiB of random bytes, then empty space
#        \- a serial adapter (FTDI): its far end sends numbers, one a line, without an end,
#           and files what it receives in $RUN/line.out
#
# Dom0 loads the driver of the controller in scenarios about USB only: until then it costs nothing.

USB_RANDOM_MB=64
USB_DISK_MB=160
USB_DISK='usb-storage,bus=xhci.0,drive=usbdisk,id=disk0,serial=XENLAB01'

usb_files() {
    local pipe
    head -c "${USB_RANDOM_MB}M" /dev/urandom >"$RUN/usb.img"
    truncate -s "${USB_DISK_MB}M" "$RUN/usb.img"
    for pipe in line.in line.out; do mkfifo "$RUN/$pipe"; done
}

usb_args() {
    printf '%s\n' -device qemu-xhci,id=xhci \
        -blockdev "driver=file,node-name=usbfile,filename=$RUN/usb.img" \
        -blockdev driver=raw,node-name=usbdisk,file=usbfile -device "$USB_DISK" \
        -chardev "pipe,id=line,path=$RUN/line" \
        -device usb-serial,bus=xhci.0,chardev=line,always-plugged=on,id=serial0
}

# Nothing moves on the line until a guest opens it: a pipe waits for its reader.
usb_line_up() {
    spawn line-in bash -c 'while :; do seq 10000000 99999999; done >"$1"' line-in "$RUN/line.in"
    spawn line-out cp "$RUN/line.out" "$RUN/line.received"
}

# usb_command VERB ARGUMENT...
usb_command() {
    local numbers='^[0-9]+ [0-9]+$'
    case $1 in
        usb_unplug) echo 'device_del disk0' >&"$MONITOR" ;;
        usb_plug) echo "device_add $USB_DISK" >&"$MONITOR" ;;
        usb_sum)
            [[ "$2 $3" =~ $numbers ]] || { echo "usb_sum wants two numbers of MiB: first, count"; return 2; }
            dd "if=$RUN/usb.img" bs=1M "skip=$2" "count=$3" status=none | sha256sum | cut -d' ' -f1
            ;;
        usb_line)
            # "SIZE SHA256" of what came since byte number $2.
            [[ $2 =~ ^[0-9]+$ ]] || { echo "usb_line wants a number of bytes"; return 2; }
            echo "$(stat -c %s "$RUN/line.received") $(tail -c "+$(($2 + 1))" "$RUN/line.received" | sha256sum | cut -d' ' -f1)"
            ;;
        *) echo "unknown host command: $1"; return 2 ;;
    esac
}
