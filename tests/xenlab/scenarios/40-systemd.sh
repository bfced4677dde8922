# SPDX-License-Identifier: GPL-2.0-or-later
# systemd starts our unit, a guest attaches through it, kill -9 is repaired and the guest goes on.
# lab: flavour=systemd backend=self timeout=300
# shellcheck shell=bash

unit=netback-team.service
unit_pid() { systemctl show -P MainPID "$unit"; }
unit_active() { [[ $(systemctl is-active "$unit") == active ]]; }

echo vif-team >"$LAB_RUN/backend-script"
echo team0 >"$LAB_RUN/backend-bridge"
poll 60 unit_active || {
    systemctl status "$unit" --no-pager || true
    journalctl -b -u "$unit" --no-pager | tail -30
    fail "$unit is '$(systemctl is-active "$unit")'"
}
configure_team "eth0 eth1" active-backup
create_guest guest11
wait_connected guest11
expect "guest reaches the outside host" ping_outside guest11

old=$(unit_pid)
kill -KILL "$old"
restarted() { unit_active && [[ $(unit_pid) != "$old" && $(unit_pid) != 0 ]]; }
poll 30 restarted || fail "systemd did not restart the daemon"
expect "traffic goes on after the restart" ping_outside guest11
expect "the backend is still in state 4" state_is backend guest11 4

systemctl stop "$unit"
expect "stop works" test "$(systemctl is-active "$unit")" = inactive
systemctl start "$unit"
expect "start works" poll 20 unit_active
expect "traffic goes on after stop and start" ping_outside guest11
log "$(systemd-analyze security "$unit" --no-pager 2>/dev/null | tail -1)"
