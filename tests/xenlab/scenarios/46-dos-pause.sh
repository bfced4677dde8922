# SPDX-License-Identifier: GPL-2.0-or-later
# A flooded guest is paused by real Xen and goes on in time, or when the flood ends; a migration that xl cannot do harms nobody.
# lab: flavour=fast backend=team timeout=500
# shellcheck shell=bash

profile=/local/domain/0/xenback/dos/strict
vmctl_prepare dos-pause <<CONF
[vmctl]
save_dir = $LAB_RUN/dos-pause/save
migrate_to = *.invalid
timeout = $((60 * LAB_PATIENCE))s
[vm guest11]
allow = pause migrate
max_pause = $((100 * LAB_PATIENCE))s
times = 100
CONF

finish() {
    vmctl_stop
    outside "ip neigh del $(addr4 guest11) dev out0" 2>/dev/null || true
}
setting() { xenstore-write "$profile/$1" "$2"; }

# flood SECONDS: about 1000 packets a second to a closed port of the guest, from now on.
flood() {
    outside "timeout $1 bash -c 'exec 3>/dev/udp/$(addr4 guest11)/9999
        while :; do for i in {1..50}; do echo flood >&3; done; sleep 0.05; done' >/dev/null 2>&1 &"
}
dos() { xenbackctl --json dos show "$(domid guest11).0"; }
dos_says() { dos | grep -q "$1"; }
# how many lines of its history say so
times_in_history() { dos | grep -c "$1" || true; }
calm() { dos_says '"state": *"calm"'; }
answers() { domu_try 3 guest11 'echo alive' >/dev/null; }
needs() { poll "$1" "${@:3}" || { dos; tail -n 5 "$VMCTL_LOG" "$TEAM_LOG"; fail "$2"; }; }

vmctl_start
trap finish EXIT
# Fixed thresholds: the first second of the flood is an attack, and two quiet seconds are its end.
for one in 'mode fixed' 'alarm_n 1' 'alarm_m 1' 'clear_time 2s' 'to_pps 300' \
    'pause yes' 'pause_when to-guest' 'pause_after 0' 'pause_min 0' "pause_max $((20 * LAB_PATIENCE))s" 'pause_times 1'; do
    setting "${one% *}" "${one##* }"
done
xenstore-write "$TEAM_TREE/dos" strict
create_guest guest11
wait_connected guest11
expect "traffic flows before" ping_outside guest11
# A paused guest answers no ARP, and the flood is to go on.
outside "ip neigh replace $(addr4 guest11) lladdr $(mac_of 11) dev out0 nud permanent"
needs 10 "the guest is watched and calm" calm

log "a pause that its time ends, while the flood goes on"
flood $((45 * LAB_PATIENCE))
needs 20 "Xen says that the flooded guest is paused" paused guest11
expect "dos show says why" dos_says 'pause taken'
expect "it does not answer" eval '! answers'
needs 30 "it goes on by itself" goes_on guest11
expect "the flood goes on" eval '! calm'
needs 10 "the end is in the history" dos_says 'pause undone'
needs 20 "a second pause is held back" dos_says 'pause held-back'
expect "it is not paused" goes_on guest11
needs 60 "the attack ends with the flood" calm
expect "the guest answers" poll 20 guest_answers guest11
expect "traffic flows" ping_outside guest11

log "a pause that ends with the flood"
setting pause_times 3
setting pause_max $((90 * LAB_PATIENCE))s
flood $((6 * LAB_PATIENCE))
needs 20 "the flooded guest is paused again" paused guest11
needs 40 "it goes on after the flood" goes_on guest11
needs 10 "and the attack is over" calm
expect "the guest answers again" poll 20 guest_answers guest11
expect "traffic flows again" ping_outside guest11
at_most "$(times_in_history 'pause failed')" 0 "pauses that failed"

log "a migration to nowhere"
setting pause no
setting migrate_host nobody.invalid
setting migrate_after 0
setting migrate yes
flood $((8 * LAB_PATIENCE))
needs 20 "it is tried" dos_says 'migrate taken'
needs 60 "what xl says is told" grep -q 'cannot migrate the guest: migrate: xl failed' "$TEAM_LOG"
needs 20 "it is in the history" dos_says 'migrate failed'
setting migrate no
expect "the guest stayed" goes_on guest11
expect "the guest answers after all" poll 20 guest_answers guest11
expect "traffic flows at the end" ping_outside guest11
