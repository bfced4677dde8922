# SPDX-License-Identifier: GPL-2.0-or-later
# Small functions that every host-side file of the lab uses.
# shellcheck shell=bash

# Progress goes to stdout as a TAP comment, so that a TAP reader passes it on.
progress() { printf '# %s %s\n' "$(date +%H:%M:%S)" "$*"; }

die() { printf 'xenlab: %s\n' "$*" >&2; exit 2; }

# List file -> package names, one per line.
read_package_list() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@"; }

# Install what is missing of LIST. apt is asked only if something is missing,
# so a prepared machine needs no network.
install_packages() {
    local list=$1 name missing=()
    for name in $(read_package_list "$list"); do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' ||
            missing+=("$name")
    done
    ((${#missing[@]})) || return 0
    progress "installing ${missing[*]}"
    apt-get update -qq || return 1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null
}

# Why this machine cannot run the lab; nothing printed if it can.
reason_to_skip() {
    local codename
    if [[ $(uname -m) != x86_64 ]]; then echo "needs an x86_64 machine"; return; fi
    if ((EUID != 0)); then echo "needs root for network namespaces"; return; fi
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    if [[ $codename != bookworm ]]; then
        echo "needs Debian 12 (bookworm), this is '${codename:-unknown}'"; return
    fi
    if [[ ! -c /dev/net/tun ]]; then echo "needs /dev/net/tun"; return; fi
    if (($(awk '/MemAvailable/{print $2}' /proc/meminfo) < 3500000)); then
        echo "needs 3.5 GB of free memory"; return
    fi
    if ! install_packages "$LAB/packages" >&2; then
        echo "could not install the packages in tests/xenlab/packages"; return
    fi
    command -v qemu-system-x86_64 >/dev/null || echo "qemu-system-x86_64 is missing"
}
