# SPDX-License-Identifier: GPL-2.0-or-later
# USB: the devices of Dom0 (see host/usb.sh), attaching them by xl, what guests see and how fast.
# shellcheck shell=bash

# --- devices of Dom0 --------------------------------------------------------------

DISK_ID=46f4:0001  # what QEMU's devices call themselves
LINE_ID=0403:6001
GADGET_ID=0525:a4a0

# busid_of VID:PID. One without a driver is still about to be configured by the kernel.
busid_of() {
    local dir
    for dir in /sys/bus/usb/devices/*/; do
        [[ -e $dir/driver && $(cat "$dir/idVendor" 2>/dev/null):$(cat "$dir/idProduct" 2>/dev/null) == "$1" ]] || continue
        basename "$dir"
        return 0
    done
    return 1
}

has_device() { busid_of "$1" >/dev/null; }

# use_device VID:PID: prints the bus id of a device of the emulated machine.
use_device() {
    modprobe xhci_pci
    poll 20 has_device "$1" || fail "Dom0 has no USB device $1"
    busid_of "$1"
}

usb_bus() { cat "/sys/bus/usb/devices/$1/busnum"; }
usb_address() { cat "/sys/bus/usb/devices/$1/devnum"; }
configuration() { cat "/sys/bus/usb/devices/$1/bConfigurationValue"; }

# reserve BUSID: no driver of Dom0 has it, so xl finds nothing to bind. Our program if it is there.
reserve() {
    local program=/usr/libexec/xenback/usbback-reserve
    if [[ -x $program ]]; then
        "$program" --force "$1" || fail "usbback-reserve $1"
    else
        echo 0 >"/sys/bus/usb/devices/$1/bConfigurationValue"
    fi
}

# configured BUSID: for a peer that wants it so; Dom0's drivers do not stay on it.
configured() {
    local driver
    echo 1 >"/sys/bus/usb/devices/$1/bConfigurationValue"
    for driver in /sys/bus/usb/devices/"$1":*/driver; do
        [[ ! -e $driver ]] || basename "$(dirname "$driver")" >"$driver/unbind"
    done
}

# Somebody pulls the disk out, and puts it back.
unplug_disk() {
    : >"$LAB_RUN/disk-unplugged"
    hostctl usb_unplug
}

plug_disk() {
    rm -f "$LAB_RUN/disk-unplugged"
    hostctl usb_plug
}

usb_cleanup() {
    [[ ! -e $LAB_RUN/disk-unplugged ]] || plug_disk
    gadget_down
    stop_udev
    : >"$LAB_RUN/usbback.log"
    rm -f /etc/xenback/usb-reserve.conf
}

# --- a device that Dom0 makes itself: Linux's source and sink -----------------------

GADGET=/sys/kernel/config/usb_gadget/source-sink

# gadget_up: dummy_hcd is host and device in one; its isochronous transfers do not work.
gadget_up() {
    modprobe -a dummy_hcd libcomposite usb_f_ss_lb
    mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
    mkdir -p "$GADGET/strings/0x409" "$GADGET/configs/c.1" "$GADGET/functions/SourceSink.0"
    echo "0x${GADGET_ID%:*}" >"$GADGET/idVendor"
    echo "0x${GADGET_ID#*:}" >"$GADGET/idProduct"
    ln -sfn "$GADGET/functions/SourceSink.0" "$GADGET/configs/c.1/"
    gadget_plug
}

gadget_plug() { echo dummy_udc.0 >"$GADGET/UDC"; }
gadget_unplug() { echo >"$GADGET/UDC"; }

gadget_down() {
    [[ -d $GADGET ]] || return 0
    gadget_unplug 2>/dev/null
    rm -f "$GADGET/configs/c.1/SourceSink.0"
    rmdir "$GADGET/configs/c.1" "$GADGET/functions/SourceSink.0" "$GADGET/strings/0x409" "$GADGET" 2>/dev/null
    return 0
}

# --- attaching ----------------------------------------------------------------------

# attach_controller NAME [PORTS] [DEVID]
attach_controller() {
    xl usbctrl-attach "$1" type=pv version=2 "ports=${2:-4}" || fail "xl usbctrl-attach $1"
    poll 20 usb_state_is "$1" 4 "${3:-0}" || {
        xenbackctl usb explain "$1" || true
        fail "the USB controller of $1 is in state '$(usb_state "$1" "${3:-0}")', not 4"
    }
}

usb_path() { echo "/local/domain/0/backend/vusb/$(domid "$1")/${2:-0}"; }
usb_state() { xenstore-read "$(usb_path "$1" "${2:-0}")/state" 2>/dev/null; }
usb_state_is() { [[ $(usb_state "$1" "${3:-0}") == "$2" ]]; }
usb_port() { xenstore-read "$(usb_path "$1")/port/$2" 2>/dev/null; }
usb_port_is() { [[ $(usb_port "$1" "$2") == "$3" ]]; }

# attach_device NAME BUSID PORT [CONTROLLER]
attach_device() {
    xl usbdev-attach "$1" "hostbus=$(usb_bus "$2")" "hostaddr=$(usb_address "$2")" \
        "controller=${4:-0}" "port=$3" || fail "xl usbdev-attach $1 $2, port $3"
}

# attach_model NAME PORT SPEC
attach_model() {
    xenbackctl usb attach "$1" "model:$3" "$2" || fail "xenbackctl usb attach $1: model:$3 to port $2"
}

no_usb_dir() {
    local left
    left=$(xenstore-ls "/local/domain/0/backend/vusb/$1" 2>/dev/null)
    [[ -z $left ]] || { echo "$left"; return 1; }
}

# --- guests -------------------------------------------------------------------------

# usb_guest NAME [CONFIG-LINE...]: without network, with the drivers of USB.
usb_guest() {
    local GUEST_INITRD=initrd-usb GUEST_CMDLINE="lab.usb ${GUEST_CMDLINE:-}" name=$1
    shift
    create_guest "$name" 'vif = []' "$@"
}

guest_has() { domu_try 10 "$1" "test -e $2" >/dev/null; }
guest_lacks() { domu_try 10 "$1" "test ! -e $2" >/dev/null; }

# wait_in_guest NAME FILE [SECONDS]
wait_in_guest() {
    poll "${3:-30}" guest_has "$1" "$2" || {
        domu "$1" 'dmesg | tail -15' || true
        xenbackctl usb explain "$1" || true
        if [[ -e $USB_PID_FILE ]]; then tail -15 "$USB_LOG"; else journalctl -b -u usbback --no-pager | tail -25; fi || true
        fail "$1 has no $2"
    }
}

# sum_in_guest NAME FIRST COUNT: sha256 of so many MiB of its disk, read past the cache.
sum_in_guest() {
    DOMU_TIMEOUT=150 domu "$1" "/usr/bin/dd if=/dev/sda bs=1M skip=$2 count=$3 iflag=direct 2>/tmp/dd.err |
        sha256sum | cut -d' ' -f1; grep -v -E 'records|copied' /tmp/dd.err"
}

# same_as_host NAME FIRST COUNT "what"
same_as_host() {
    local got want
    want=$(hostctl usb_sum "$2" "$3")
    got=$(sum_in_guest "$1" "$2" "$3") || true
    [[ $got == "$want" ]] || fail "$4: sha256 in the guest '$got', on the host $want"
}

# usbtest_up NAME PARAMETERS: the kernel's test driver takes its device.
usbtest_up() {
    domu "$1" "modprobe usbtest $2" || fail "usbtest does not load in $1"
    poll 20 usbtest_bound "$1" || {
        domu "$1" 'dmesg | tail -15' || true
        fail "usbtest takes no device in $1"
    }
}

usbtest_bound() { domu_try 10 "$1" 'ls -d /sys/bus/usb/drivers/usbtest/*:1.0' >/dev/null; }

# run_usbtest NAME PARAMETERS ABSENT: all cases; fails when one fails, or when one is not supported that is not in ABSENT
# (case numbers). USBTEST_PASSED counts. testusb says nothing of what the device does not support.
run_usbtest() {
    local case vary said absent='' failed=''
    USBTEST_PASSED=0
    usbtest_up "$1" "$2"
    for case in {0..29}; do
        vary=421
        # The device sends whole packets: reading less is its overflow, and no fault of ours.
        [[ $case != 4 && $case != 8 ]] || vary=512
        said=$(DOMU_TIMEOUT=90 domu "$1" "testusb -a -t $case -c ${USBTEST_COUNT:-20} -s 2048 -g 8 -v $vary 2>&1 | grep test") || true
        case $said in
            *-\>*) failed+=" $case (${said#*-> })" ;;
            *secs*) USBTEST_PASSED=$((USBTEST_PASSED + 1)) ;;
            '') absent+=" $case" ;;
            *) failed+=" $case ($said)" ;;
        esac
    done
    log "usbtest: $USBTEST_PASSED cases passed; not supported by the device:${absent:- none}"
    if [[ -n $failed ]]; then
        domu "$1" 'dmesg | tail -25' || true
        tail -25 "$USB_LOG"
        fail "usbtest failed in:$failed"
    fi
    [[ $absent == "${3:+ $3}" ]] || fail "usbtest does not run:${absent:- none}, expected: ${3:-none}"
    guest_fine "$1"
}

# guest_fine NAME: its kernel and its USB frontend have nothing to complain of.
guest_fine() {
    local bad
    bad=$(domu "$1" "dmesg | grep -E 'xen-hcd.*error|BUG|Oops|WARNING|blocked for more|rcu.*stall' | head -3") || true
    [[ -z $bad ]] || fail "the kernel of $1: $bad"
}

# A guest that copies: it reads its disk to the end in the background, piece after piece, and writes what it read elsewhere on
# it. Errors are counted and the piece is read again: what was copied must be right at the end.
COPY_FIRST_MB=80 # where it writes to

# copy_start NAME COUNT: so many MiB.
copy_start() {
    domu "$1" "cat >/tmp/copy.sh <<'S'
n=0 again=0
while [ \$n -lt $2 ]; do
    if /usr/bin/dd if=/dev/sda of=/dev/sda bs=64k skip=\$((n * 16)) seek=\$((($COPY_FIRST_MB + n) * 16)) count=16 \
        iflag=direct oflag=direct conv=notrunc 2>/tmp/copy.err; then
        n=\$((n + 1))
    else
        again=\$((again + 1))
        echo \$n \$again >/tmp/copy.again
        [ \$again -lt 20 ] || break
        sleep 1
    fi
    echo \$n >/tmp/copy.at
done
echo \$n >/tmp/copy.done
S
rm -f /tmp/copy.at /tmp/copy.done /tmp/copy.again; setsid sh /tmp/copy.sh >/dev/null 2>&1 </dev/null &" ||
        fail "$1 does not begin to copy"
}

# copy_reached NAME COUNT
copy_reached() { (($(domu_try 10 "$1" 'cat /tmp/copy.at 2>/dev/null || echo 0') >= $2)); }

# copy_end NAME COUNT SECONDS: it ends, and what is on the host's disk now is what it read.
copy_end() {
    poll "$3" guest_has "$1" /tmp/copy.done || {
        domu "$1" 'cat /tmp/copy.at /tmp/copy.err; dmesg | tail -15' || true
        fail "the copy hangs"
    }
    COPY_AGAIN=$(domu "$1" 'cat /tmp/copy.again 2>/dev/null | tail -1')
    copy_reached "$1" "$2" || fail "the copy gave up: $(domu "$1" 'cat /tmp/copy.err')"
    [[ $(hostctl usb_sum 0 "$2") == $(hostctl usb_sum $COPY_FIRST_MB "$2") ]] || fail "the copy differs from the original"
}

# --- speed --------------------------------------------------------------------------

# timed_dd SECONDS ARGUMENTS...: a command for a guest that runs dd for a second so many times and prints what each did and how long it
# took, "BYTES SECONDS", by its own report: its start, which takes an emulated guest 80 ms, does not count. Several, because a direct
# read is cut into requests by where dd's buffer lies in memory.
timed_dd() {
    local seconds=$1
    shift
    echo "for _ in \$(seq $seconds); do
            /usr/bin/dd $* 2>/tmp/dd & sleep 1; kill -USR1 \$! 2>/dev/null
            while kill -0 \$! 2>/dev/null && ! grep -q copied /tmp/dd; do sleep 0.1; done
            kill \$! 2>/dev/null; wait \$! 2>/dev/null
            sed -n 's/^\([0-9]*\) bytes.*copied, \([0-9.e-]*\) s.*/\1 \2/p; T; q' /tmp/dd
        done"
}

# disk_speed NAME KIB SECONDS: direct reads one after another; "KB/s MS-PER-READ KB".
disk_speed() {
    DOMU_TIMEOUT=$(($3 + 60)) DOMU_QUIET=$3 domu "$1" "
        { $(timed_dd "$3" "if=/dev/sda of=/dev/null bs=$2k iflag=direct"); } |
            awk '{b += \$1; s += \$2} END {printf \"%.0f %.3f %.0f\n\", b / s / 1000, s * 1000 / (b / $2 / 1024), b / 1000}'"
}

# line_speed NAME TTY SECONDS in|out: over the serial adapter; "KB/s LINES-OUT-OF-ORDER KB". What comes in are numbers, each one
# more than the last.
line_speed() {
    local body
    if [[ $4 == in ]]; then
        # The shell says "Terminated" of what timeout ends.
        body="(timeout $3 cat $2 >/tmp/line; :) 2>/dev/null
            awk -v t=$3 '{bytes += length(\$0) + 1}
                length(\$0) == 8 {if (last && \$0 != last + 1 && \$0 != 10000000) bad++; last = \$0}
                END {printf \"%.1f %d %.0f\n\", bytes / t / 1000, bad, bytes / 1000}' /tmp/line"
    else
        body="{ $(timed_dd "$3" "if=/dev/zero of=$2 bs=4096"); } |
            awk '{b += \$1; s += \$2} END {printf \"%.1f 0 %.0f\n\", b / s / 1000, b / 1000}'"
    fi
    DOMU_TIMEOUT=$(($3 + 60)) DOMU_QUIET=$3 domu "$1" "stty -F $2 raw -echo 3000000; $body"
}
