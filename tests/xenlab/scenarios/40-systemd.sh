# SPDX-License-Identifier: GPL-2.0-or-later
# systemd starts our unit, a guest attaches through it, kill -9 is repaired and the guest goes on; metrics are served by HTTP;
# xenback-vmctl is started by its socket, and a guest that it paused goes on after a kill -9 of it.
# lab: flavour=systemd backend=self timeout=400
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

# scrape: what a monitoring system gets.
scrape() {
    exec 3<>/dev/tcp/127.0.0.1/9717 || return 1
    printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
    timeout 10 cat <&3
    exec 3>&-
}
scraped() { scrape 2>/dev/null | grep "$1" >/dev/null; }
systemctl start xenback-metrics.service
expect "metrics have the counters of the daemon" poll 20 scraped '^xb_vif_tx_packets_total{.*} [1-9]'
expect "and end as OpenMetrics does" scraped '^# EOF'
log "$(systemd-analyze security xenback-metrics.service --no-pager 2>/dev/null | tail -1)"
systemctl stop xenback-metrics.service

if [[ -x /usr/sbin/xenback-vmctl ]]; then
    vmctl_is() { [[ $(systemctl is-active xenback-vmctl.service) == "$1" ]]; }
    printf '[vm guest11]\nallow = pause\nmax_pause = %ss\n' $((20 * LAB_PATIENCE)) >/etc/xenback/vmctl.conf
    systemctl start xenback-vmctl.socket
    expect "vmctl: nothing runs before somebody asks" vmctl_is inactive
    expect "vmctl: its socket starts it" timeout $((60 * LAB_PATIENCE)) xenback-vmctl pause guest11
    expect "vmctl: the guest is paused" paused guest11
    expect "vmctl: it runs" vmctl_is active
    systemctl kill --kill-who=main --signal=KILL xenback-vmctl.service
    expect "vmctl: its successor lets the guest go on" poll 60 goes_on guest11
    expect "vmctl: traffic flows" ping_outside guest11
    systemctl stop xenback-vmctl.socket xenback-vmctl.service
fi
