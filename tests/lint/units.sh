#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks the systemd units as built: systemd understands every line, and the sandbox is as tight as we say.
. "$(dirname "$0")/lib.sh"
command -v systemd-analyze >/dev/null || skip_all 'systemd-analyze is not installed'
compgen -G "$BUILD/systemd/*.service" >/dev/null || skip_all 'the units are not built'

# Exposure in tenths, as `systemd-analyze security` counts it. 35 is what root with packet sockets, network administration
# and namespaces costs; a unit without any sandbox has 96.
EXPOSURE_MAX=35
EXPORTER_MAX=25

DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT

for unit in "$BUILD"/systemd/*.service; do
    name=${unit##*/}
    no_lines "$name: all paths are filled in" "$(grep -nE '@[a-z]+@' "$unit")"
    # The programs are not installed here: any other will do, for verify only looks whether it can be executed.
    [[ ! -e $SRC/systemd/${name%.service}.socket ]] || cp "$SRC/systemd/${name%.service}.socket" "$DIR"
    sed -E 's,^(Exec[A-Za-z]+=[-+!:@]*)[^ ]*/(netback-team|usbback|xenbackctl|netback-netns|xenback-vmctl),\1/bin/true,' "$unit" >"$DIR/$name"
    no_lines "$name: systemd-analyze verify" "$(systemd-analyze verify --man=no "$DIR/$name" 2>&1 | grep -F "$name")"
    # xl and what it starts run in this one's group, and would run in its sandbox: the service confines itself instead.
    if [[ $name == xenback-vmctl.service ]]; then
        for need in 'KillMode=process$' 'RuntimeDirectory=xenback$' 'RuntimeDirectoryPreserve=yes' 'Type=notify' 'Restart=always' \
            'ExecCondition=.*control_d' 'StateDirectory=xenback/save$'; do
            ok "$name: $need" grep -qE "^$need" "$unit"
        done
        no_lines "$name: no sandbox" "$(grep -nE '^(Protect|Private|Restrict[A-Z]|NoNewPriv|Capability|SystemCallFilter|Device)' "$unit")"
        continue
    fi
    # Root for the daemons' sockets, and nothing more: it speaks HTTP with whoever comes.
    if [[ $name == xenback-metrics.service ]]; then
        output=$(systemd-analyze security --no-pager --offline=yes --threshold="$EXPORTER_MAX" "$DIR/$name" 2>&1) && rc=0 || rc=$?
        diag "$(tail -n 1 <<<"$output")"
        is "$name: exposure at most $EXPORTER_MAX" "$rc" 0
        for need in 'Environment=LISTEN=127\.0\.0\.1:' 'EnvironmentFile=-.*/default/xenback-metrics$' \
            'ExecStart=.*/xenbackctl metrics --listen=\$\{LISTEN\}$' 'CapabilityBoundingSet=$' 'PrivateDevices=yes' \
            'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6$'; do
            ok "$name: $need" grep -qE "^$need" "$unit"
        done
        continue
    fi
    rc=0
    output=$(systemd-analyze security --no-pager --offline=yes --threshold="$EXPOSURE_MAX" "$DIR/$name" 2>&1) || rc=$?
    diag "$(tail -n 1 <<<"$output")"
    is "$name: exposure at most $EXPOSURE_MAX" "$rc" 0
    # What the daemon lives by; a sandbox that forgets one of them starts nothing, and only on a real Dom0.
    NEEDS=('RestrictAddressFamilies=.*AF_NETLINK' 'RestrictAddressFamilies=.*AF_UNIX' 'DeviceAllow=/dev/xen/gntdev rw'
        'DeviceAllow=/dev/xen/evtchn rw' 'RuntimeDirectory=xenback( |$)' 'RuntimeDirectoryPreserve=yes' 'Type=notify'
        'Before=.*xendomains\.service' 'ExecCondition=\+.*control_d' 'ExecStartPre=-.*/xenbackctl load --once$')
    case $name in
        netback-team.service)
            NEEDS+=('ExecReload=/bin/kill -HUP \$MAINPID$' 'RestrictAddressFamilies=.*AF_PACKET' 'CapabilityBoundingSet=.*CAP_NET_RAW'
                'CapabilityBoundingSet=.*CAP_NET_ADMIN')
            ;;
        usbback.service)
            # Write access to /sys: bConfigurationValue, usbfs_memory_mb.
            NEEDS+=('DeviceAllow=char-usb_device rw' 'ReadWritePaths=(.* )?/sys( |$)' 'StateDirectory=xenback$')
            no_lines "$name: /sys can be written to" "$(grep -nE '^ProtectKernelTunables=yes' "$unit")"
            ;;
    esac
    for need in "${NEEDS[@]}"; do
        ok "$name: $need" grep -qE "^$need" "$unit"
    done
    no_lines "$name: nothing that hides /dev/xen or /proc/xen" "$(grep -nE '^(PrivateDevices=yes|ProcSubset=pid|PrivateNetwork=yes)' "$unit")"
done
done_testing
