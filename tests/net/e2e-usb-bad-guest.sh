#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Guests that lie in xenstore, corrupt their rings, send every request that is wrong: at worst their own controller ends, with a
# reason in the store; the good guest beside them is served, and nothing of them stays with the daemon.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
. "$SRC/tests/net/usb.sh"
net_enter "$@"
box_start

IMAGE=$DIR/stick.img
usb_image "$IMAGE" 8
SUM=$(sum_of "$IMAGE")
ok 'the daemon starts' usb_start
ok 'a good guest' usb_boot_with 1 "model:disk,file=$IMAGE"
usb_guest 1
ok 'it reads its disk' usb_ask 1 60 read 0-1 sha256
good_is_served() { daemon_alive && usb_ask 1 60 read 0-1 sha256 && [[ $ANSWER == *"$SUM"* ]]; }

# What no frontend may do: its controller must end.
FATAL=' id-twice id-all req-prod ref-text ref-huge ref-wrong ref-missing port-wrong port-missing long-values '
# Its own doing: it ends without a reason to name.
QUIET=' vanish '

# bad N KIND: guest N comes, does it, goes; what became of it is in bad-KIND. Ports: 1 a source/sink device, 2 a serial line,
# where a request waits as long as it likes.
bad() {
    local n=$1 kind=$2 device=0-1
    [[ $kind != hog ]] || device=0-2
    {
        usb_boot "$n" "bad$n" "$(usb_uuid "$n")" 4 || echo 'no boot'
        timeout 60 "$GUEST_USB" --domid "$n" --wait 10 evil "$kind" "$device" || echo "status $?"
        printf 'error: %s\n' "$(store_read "$(usb_backend "$n")/error")"
        "$XENBOX_XL" destroy "$n" || echo 'no destroy'
    } >"$DIR/bad-$kind" 2>&1 21>&-
}

judge() {
    local kind=$1 text
    text=$(<"$DIR/bad-$kind")
    if [[ $text != *"$kind: done, the controller is "* || $text == *'no boot'* || $text == *'no destroy'* || $text == *'status '* ]]; then
        fail "$kind" "$text"
    elif [[ $FATAL == *" $kind "* ]]; then
        like "$kind: its controller ended, the store says why" "$text" 'controller is closed.*error: .+'
    elif [[ $QUIET == *" $kind "* || $text == *'controller is running'* ]]; then
        pass "$kind: $(head -n 1 <<<"$text" | sed 's/.*done, //')"
    else
        like "$kind: it ended with a reason" "$text" 'error: .+'
    fi
}

for n in 5 6 7 8; do
    usb_policy "$(usb_uuid "$n")" 1 device model:source-sink
    usb_policy "$(usb_uuid "$n")" 2 device model:serial
done
# Once without counting: whatever the daemon allocates for good at the first device is there afterwards.
for n in 5 6 7 8; do bad "$n" empty-segs; done
ok 'the good guest is served before' good_is_served
HELD=$(holdings)
mapfile -t KINDS < <("$GUEST_USB" --evil help)
ok 'there are kinds of misbehaviour' test "${#KINDS[@]}" -ge 60
for ((i = 0; i < ${#KINDS[@]}; i += 4)); do
    PIDS=()
    for j in 0 1 2 3; do
        ((i + j < ${#KINDS[@]})) || continue
        bad $((5 + j)) "${KINDS[i + j]}" &
        PIDS+=($!)
    done
    ok 'the good guest is served meanwhile' good_is_served
    wait "${PIDS[@]}"
    for kind in "${KINDS[@]:i:4}"; do judge "$kind"; done
done
ok 'the good guest is served' good_is_served
is 'no descriptor, thread or page of theirs is left' "$(holdings)" "$HELD"
ok 'its statistics' usb_ask 1 10 stats
like 'the good guest has nothing to complain about' "$ANSWER" 'complaints 0'
ok 'the good guest ends' usb_guest_end 1

# A domain that never answers: attach succeeds, explain says who waits for whom, detach works.
ok 'a guest that does not answer: attach succeeds' usb_boot_with 3 model:source-sink
like 'explain says for what' "$(ctl usb explain 3 1)" 'waits for the guest'
ok 'it can be detached' "$XENBOX_XL" usbctrl-detach 3 0
ok 'the daemon stops cleanly' daemon_stop
done_testing
