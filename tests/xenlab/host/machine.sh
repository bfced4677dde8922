# SPDX-License-Identifier: GPL-2.0-or-later
# One boot: payload disk, QEMU, its monitor, and the channel that Dom0 talks on.
# shellcheck shell=bash
#
# The channel is a virtio-serial port. Lines from Dom0:
#   C ID BASE64      run a host command, answer "ID STATUS BASE64-OF-OUTPUT"
#   anything else    goes to the handler function `on_message`
# Uses common.sh, image.sh, network.sh, usb.sh. $RUN is the folder of this run.

MACHINE_PID=
MACHINE_SMP=2
SERIAL=(-serial "file:CONSOLE") # CONSOLE becomes the name of the boot's log

# Start a helper process in the background; machine_down ends it.
SPAWNED=()
spawn() {
    local name=$1
    shift
    "$@" >"$RUN/$name.log" 2>&1 </dev/null &
    SPAWNED+=($!)
}

# A DomU's archive is cached ones plus today's init: cpio archives in a row. Guests that use USB have a larger one.
build_domu_initrds() {
    local tree=$RUN/domu-tree
    mkdir -p "$tree"
    install -m 755 "$LAB/domu/init" "$tree/init"
    pack "$tree" >"$RUN/domu-init.cpio"
    cat "$IMAGE/domu-base.cpio" "$RUN/domu-init.cpio" >"$1"
    cat "$IMAGE"/domu-{base,usb}.cpio "$RUN/domu-init.cpio" >"$1-usb"
    rm -rf "$tree" "$RUN/domu-init.cpio"
}

# Second disk: the code under test, the scenarios, what a DomU boots from.
build_payload() {
    local tree=$RUN/payload size
    mkdir -p "$tree/stage" "$tree/lab" "$tree/domu"
    if [[ -n $STAGE ]]; then cp -a "$STAGE/." "$tree/stage/"; fi
    cp -a "$LAB"/{lib.sh,lib,scenarios,dom0,bench} "$tree/lab/"
    build_domu_initrds "$tree/domu/initrd"
    cp "$IMAGE/vmlinuz" "$tree/domu/vmlinuz"
    cp "$RUN/plan" "$tree/plan"
    chown -R 0:0 "$tree"
    size=$(du -sm "$tree" | cut -f1)
    truncate -s $((size + size / 4 + 16))M "$RUN/payload.img"
    mkfs.ext4 -q -F -m 0 -d "$tree" "$RUN/payload.img" || die "mkfs.ext4 of the payload failed"
    rm -rf "$tree"
}

nic_args() {
    local n=$1
    printf '%s\n' -netdev "tap,id=nic$n,ifname=nic$n,script=no,downscript=no,vhost=off" \
        -device "virtio-net-pci,id=dev$n,netdev=nic$n,mac=52:54:00:77:00:0$n,addr=0x1$n,speed=1000,duplex=full"
}

# KVM is never used, even where it exists: results must not depend on it.
# What the CPU hides, and why:
#   smap   this QEMU (7.2) applies it to the return into ring 3, Dom0's first page of code dies
#   xsave  its AVX registers do not survive a switch between domains: random crashes
#          in every program whose libc uses them
# Mitigations cost much time under emulation and protect nobody here.
machine_args() {
    local dom0="console=hvc0 loglevel=6 net.ifnames=0 mitigations=off $DOM0_CMDLINE"
    local xen="console=com1 com1=115200,8n1 dom0_mem=1024M,max:1024M smap=0 spec-ctrl=no xpti=no"
    printf '%s\n' -machine q35 -accel tcg,thread=multi \
        -cpu max,-smap,-pku,-la57,-xsave,-avx,-avx2,-f16c,-fma \
        -smp "$MACHINE_SMP" -m 3072 -display none -no-reboot \
        -kernel xen.elf -append "$xen" \
        -initrd "vmlinuz $dom0,dom0-initrd.gz" \
        -drive file=dom0.img,if=virtio,format=raw,snapshot=on \
        -drive "file=$RUN/payload.img,if=virtio,format=raw,readonly=on" \
        -device virtio-serial-pci -chardev "pipe,id=channel,path=$RUN/channel" \
        -device virtserialport,chardev=channel,name=xenlab
    nic_args 0
    nic_args 1
    usb_args
}

machine_up() {
    local args pipe
    for pipe in channel monitor; do mkfifo "$RUN/$pipe.in" "$RUN/$pipe.out"; done
    usb_files
    mapfile -t args < <(machine_args)
    args+=("${SERIAL[@]//CONSOLE/$CONSOLE}")
    # Opened for both directions: neither open nor read depends on QEMU's own.
    exec {CHANNEL_OUT}<>"$RUN/channel.in" {CHANNEL_IN}<>"$RUN/channel.out"
    exec {MONITOR}<>"$RUN/monitor.in"
    # Standard input must be named, or bash gives a background job /dev/null.
    if [[ $MODE == shell ]]; then exec 6<>/dev/tty; else exec 6<>/dev/null; fi
    (cd "$IMAGE" && exec ip netns exec "$SWITCH" qemu-system-x86_64 "${args[@]}" \
        -chardev "pipe,id=monitor,path=$RUN/monitor" -mon chardev=monitor \
        <&6 >&6 2>"$RUN/qemu.log") &
    MACHINE_PID=$!
    spawn monitor cat "$RUN/monitor.out"
    usb_line_up
}

machine_alive() { [[ -n $MACHINE_PID ]] && kill -0 "$MACHINE_PID" 2>/dev/null; }

machine_down() {
    local pid tries
    for pid in "${SPAWNED[@]}"; do kill "$pid" 2>/dev/null; done
    SPAWNED=()
    if machine_alive; then
        kill "$MACHINE_PID" 2>/dev/null
        for ((tries = 0; tries < 50; tries++)); do
            machine_alive || break
            sleep 0.1
        done
        kill -9 "$MACHINE_PID" 2>/dev/null
    fi
    [[ -z $MACHINE_PID ]] || wait "$MACHINE_PID" 2>/dev/null
    MACHINE_PID=
    network_down
}

# What Dom0 may ask for. Each runs with a deadline, in its own process, so that
# a slow one does not hold back the next.
host_command() {
    local verb=${1%% *} rest=${1#* }
    case $verb in
        set_link)
            [[ $rest =~ ^nic[01]\ (on|off)$ ]] || { echo "bad set_link: $rest"; return 2; }
            echo "set_link $rest" >&"$MONITOR"
            ;;
        outside) timeout 120 ip netns exec "$OUTSIDE" bash -c "$rest" ;;
        switch) timeout 60 ip netns exec "$SWITCH" bash -c "$rest" ;;
        plan) cat "$RUN/plan" ;;
        file) cat "$RUN/file.bin.sha256" ;;
        usb_*)
            # shellcheck disable=SC2086  # words
            usb_command $1
            ;;
        *) echo "unknown host command: $verb"; return 2 ;;
    esac
}

answer() {
    local id=$1 status=0 out
    out=$(host_command "$(base64 -d <<<"$2")" 2>&1) || status=$?
    exec 7>"$RUN/channel.lock"
    flock 7
    printf '%s %s %s\n' "$id" "$status" "$(printf %s "$out" | base64 -w0)" >&"$CHANNEL_OUT"
}

# Read one message. 0: handled, 1: nothing came within a second.
pump() {
    local kind first rest
    IFS=' ' read -r -t 1 -u "$CHANNEL_IN" kind first rest || return 1
    if [[ $kind == C ]]; then
        answer "$first" "$rest" &
    else
        on_message "$kind" "$first" "$rest"
    fi
}
