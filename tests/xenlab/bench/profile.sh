# SPDX-License-Identifier: GPL-2.0-or-later
# Profiles of Dom0 during a measurement, for `run --bench --perf`. PROFILE says whether, LENGTH how many seconds.
# shellcheck shell=bash

# perf sees no hardware counters under this emulation: the timer is its clock.
start_profile() {
    ((PROFILE)) && command -v perf >/dev/null || return 0
    timeout $((LENGTH + 20)) perf record -q -e cpu-clock -F 199 -a -g \
        -o "$LAB_RUN/perf.$1" -- sleep "$LENGTH" 9>&- &
    PROFILER=$!
}

report_profile() {
    local name=$1
    shift
    timeout 120 perf report -i "$LAB_RUN/perf.$name" --stdio --no-children --percent-limit 0.5 "$@" 2>/dev/null |
        grep -vE '^(#|$)'
}

# send_profile NAME: waits for its end; not for any child, the daemon is one, too.
send_profile() {
    [[ -z ${PROFILER:-} ]] || wait "$PROFILER"
    ((PROFILE)) && [[ -s $LAB_RUN/perf.$1 ]] || return 0
    {
        echo "=== $1"
        case $1 in
            team-*) xenbackctl stats ;;
            usbback-*) xenbackctl --daemon=usbback stats ;;
        esac
        report_profile "$1" -g none --sort comm | head -20
        report_profile "$1" -g none --percent-limit 0.05 --sort comm,symbol | grep -v swapper | head -60
        # Who calls the hypercalls, which take most of the time.
        report_profile "$1" -g graph,1,callee --max-stack 8 --sort comm,symbol | head -150
    } | base64 -w0 >"$LAB_RUN/perf.text"
    send PROFILE "$(cat "$LAB_RUN/perf.text")"
    rm -f "$LAB_RUN/perf.$1"
}
