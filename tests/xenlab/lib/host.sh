# SPDX-License-Identifier: GPL-2.0-or-later
# Dom0's side of the channel to the host (see host/machine.sh for the protocol).
# shellcheck shell=bash

CHANNEL_FD=9

# The port can be opened once only: the runner opens it, scenarios inherit it.
# A reader process files every answer under its id.
open_channel() {
    local port name
    for name in /sys/class/virtio-ports/*/name; do
        [[ $(cat "$name") == xenlab ]] && port=/dev/$(basename "$(dirname "$name")")
    done
    [[ -n $port ]] || { echo "no virtio port named xenlab"; return 1; }
    exec 9<>"$port"
    while read -r id status out <&9; do
        echo "$status $out" >"$LAB_RUN/reply/.$id"
        mv "$LAB_RUN/reply/.$id" "$LAB_RUN/reply/$id"
    done &
}

# One line to the host; the lock keeps lines of several processes apart.
send() {
    (
        flock 8
        echo "$*" >&$CHANNEL_FD
    ) 8>"$LAB_RUN/channel.lock"
}

# hostctl VERB ARG...: runs on the host, prints its output, returns its status.
hostctl() {
    local id=$BASHPID.$RANDOM reply status out
    reply=$LAB_RUN/reply/$id
    send C "$id" "$(base64 -w0 <<<"$*")"
    poll 130 test -e "$reply" || { echo "the host did not answer: $*" >&2; return 99; }
    read -r status out <"$reply"
    rm -f "$reply"
    [[ -z $out ]] || { base64 -d <<<"$out"; echo; }
    return "$status"
}

outside() { hostctl outside "$@"; }
