#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Who may include whom: folders depend downwards only, each library has its one adapter file, pure files stay pure,
# nobody but the clock asks for the time.
. "$(dirname "$0")/lib.sh"

# "FILE:LINE TARGET" of every include; TARGET is <x.h>, or the path that "x.h" means (NONE/x.h: not ours).
includes() {
    # shellcheck disable=SC2046 # our names have no spaces
    grep -nE '^[[:space:]]*#[[:space:]]*include' $(c_files) | sed -E 's/:[^:]*include[[:space:]]*/ /' |
        while read -r where target _; do
            if [[ $target == \"* ]]; then
                target=${target//\"/}
                for dir in "${where%/*}" . common; do
                    if [[ -e $dir/$target ]]; then
                        target=$dir/$target
                        break
                    fi
                done
                target=${target#./}
                [[ $target == config.h || -e $target ]] || target=NONE/$target
            fi
            printf '%s %s\n' "$where" "$target"
        done
}

# only_in TEXT TARGET-REGEX FILE-REGEX: whoever includes TARGET must be one of FILE.
only_in() {
    no_lines "$1" "$(awk -v target="$2" -v files="$3" '
        { file = $1; sub(/:.*/, "", file) }
        $2 ~ target && file !~ files { print $1 " includes " $2 }' <<<"$INCLUDES")"
}

# layer FOLDER-REGEX ALLOWED-REGEX: our own headers that files of a folder may include.
layer() {
    no_lines "$1: includes only $2" "$(awk -v from="$1" -v allowed="$2" '
        { file = $1; sub(/:.*/, "", file) }
        file ~ from && $2 !~ /^</ && $2 != "config.h" && $2 !~ allowed { print $1 " includes " $2 }' <<<"$INCLUDES")"
}

INCLUDES=$(includes)
diag "$(wc -l <<<"$INCLUDES") includes in $(c_files | wc -l) files"

# Folders. app.c is the skeleton of a daemon: the one place of common/ that knows that there is a Xen.
layer '^common/[a-z_0-9]*\.[ch]$' '^common/([a-z_0-9]+\.h$|xen/ops\.h$)'
only_in 'common/ knows the Xen seam only in app*.c' '^common/xen/' '^(common/(xen/|app)|netback-team/|usbback/|tools/|tests/)'
layer '^common/xen/' '^common/'
layer '^netback-team/' '^(common|netback-team)/'
layer '^common/usb/' '^common/'
layer '^cluster/models/' '^(common|cluster/models)/'
layer '^usbback/' '^(common|usbback)/|^cluster/models/models\.h$'
# The box's guest speaks netif too, so it may use the pure half of the backend.
only_in 'tools/ and common/ use no daemon but its pure files' '^(netback-team|usbback)/' \
    "^(netback-team|usbback|tests)/|^tools/xenbox-guest"
no_lines 'xenbox-guest uses only pure files of netback-team' "$(
    awk '/^tools\/xenbox-guest/ && $2 ~ /^netback-team\// { print $2, $1 }' <<<"$INCLUDES" |
        grep -vFf <(pure_files | sed 's/$/ /') || true)"

# Libraries: one adapter each.
only_in 'Xen libraries only in common/xen/real*.c' '^<(xen(store|gnttab|evtchn|gntshr|ctrl|toollog)|libxen.*|xs)\.h>' \
    '^common/xen/real[a-z_]*\.[ch]$'
only_in 'libnl only in linkwatch and nic_*' '^<netlink/' '^netback-team/(linkwatch|nic_[a-z_]+)\.[ch]$'
only_in 'libusb only in host_libusb' '^<libusb' '^(usbback/host_libusb[a-z_]*\.[ch]|tests/.*\.[ch])$'
only_in 'packet sockets only in nic_*' '^<linux/if_packet\.h>' \
    '^(netback-team/nic_[a-z_]+\.c|tests/.*\.c)$'
only_in 'seccomp and capabilities only in app*' '^<(seccomp|sys/capability)\.h>' '^(common/app[a-z_]*\.[ch]|netback-team/(main|daemon)\.c|tests/.*)$'

# Pure files: C headers, constants of wire formats, other pure files.
PURE=$(pure_files)
PURE_SYSTEM='^<(assert|ctype|endian|errno|inttypes|limits|math|stdalign|stdarg|stdbool|stddef|stdint|stdio|stdlib|string|strings|uthash|utlist|linux/virtio_net|linux/if_ether|linux/usb/ch9|net/ethernet|netinet/in|xen/io/[a-z_]+)\.h>$'
no_lines 'pure files include only C headers, wire constants and pure files' "$(
    awk -v system_ok="$PURE_SYSTEM" '
        NR == FNR { pure[$1] = 1; next }
        { file = $1; sub(/:.*/, "", file) }
        (file in pure) && $2 !~ system_ok && !($2 in pure) && $2 != "common/util.h" { print $1 " includes " $2 }' \
        <(printf '%s\n' "$PURE") <(printf '%s\n' "$INCLUDES"))"
ok 'the file map marks pure files' test "$(wc -l <<<"$PURE")" -ge 10
no_lines 'a header that says it is pure is marked [P]' "$(
    c_files | grep '\.h$' | grep -v '^tests/' | while read -r file; do
        head -n 25 "$file" | grep -qwE 'Pure[.:;]|Pure, ' && ! grep -qxF "$file" <<<"$PURE" && printf '%s\n' "$file"
    done)"

# x.c includes "x.h" first (or "x_priv.h", which does), so that x.h is complete by itself.
no_lines 'the first include of x.c is "x.h" or "x_*.h"' "$(
    # shellcheck disable=SC2046
    grep -nHm2 '^#include' $(c_files | grep '\.c$') | awk -F: '
        { header = $1; sub(/\.c$/, ".h", header); base = $1; sub(/.*\//, "", base); sub(/\.c$/, "", base); n[$1]++ }
        index($3, "config.h") { shift_by[$1] = 1; next }
        n[$1] == 1 + shift_by[$1] && $3 ~ "\"([a-z/-]*/)?" base "(_[a-z]+)?\\.h\"" { good[$1] = 1 }
        { seen[$1] = header }
        END { for (f in seen) if (!(f in good) && (getline line < seen[f]) >= 0) print f }' | LC_ALL=C sort)"

# Time: clock.c, and what measures time itself.
no_lines 'only common/clock.c asks the kernel for the time' "$(
    # shellcheck disable=SC2046
    grep -nE '\b(clock_gettime|gettimeofday|timespec_get|time)[[:space:]]*\((CLOCK|NULL|&|0)' $(c_files) |
        grep -vE '^(common/clock\.c|tests/bench/)' | grep -vE ':[[:space:]]*(/\*|\*|//)' || true)"
done_testing
