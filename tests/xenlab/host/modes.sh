# SPDX-License-Identifier: GPL-2.0-or-later
# The modes that are not scenarios: --bench and --shell.
# shellcheck shell=bash

BENCH_ROUNDS=${XENBACK_LAB_ROUNDS:-}
BENCH_SECONDS=${XENBACK_LAB_SECONDS:-5}

# What is measured: "vif", "failover" or "usb". Rows are "BACKEND ROUND CASE" and three numbers, which FIELDS names.
bench_kind() {
    case $BENCH in
        vif)
            PEER=kernel OURS=team PROGRAM=dom0-bench CASES=2
            BENCH_ROUNDS=${BENCH_ROUNDS:-9}
            FIELDS=(direction mbits dom0_cpu_s_per_gb guest_cpu_s_per_gb)
            UNITS='Mbit/s, CPU s/GB of Dom0, of the guest'
            ;;
        failover) # each cut is a pair of its own; "seconds" are the cuts of a turn
            PEER=kernel OURS=team PROGRAM=dom0-bench-failover CASES=$((4 * BENCH_SECONDS))
            BENCH_ROUNDS=${BENCH_ROUNDS:-4}
            FIELDS=(case hole_ms packets seconds)
            UNITS='ms without a packet, packets, in s'
            ;;
        usb)
            PEER=qusb OURS=usbback PROGRAM=dom0-bench-usb CASES=4
            BENCH_ROUNDS=${BENCH_ROUNDS:-5}
            FIELDS=(case kb_per_s dom0_cpu_ms_per_mb guest_cpu_ms_per_mb)
            UNITS='KB/s, CPU ms/MB of Dom0, of the guest'
            ;;
    esac
}

# One row of measurements -> one progress line.
bench_row() {
    local backend round name rate cpu guest
    read -r backend round name rate cpu guest <<<"$*"
    echo "$*" >>"$TOP/rows"
    progress "$(printf 'round %2s %-7s %-9s %7s %7s %7s (%s)' "$round" "$backend" "$name" "$rate" "$cpu" "$guest" "$UNITS")"
}

# Median of the numbers on stdin; "-" without any.
median() {
    sort -n | awk '{v[NR] = $1} END {if (!NR) print "-"
        else if (NR % 2) print v[(NR + 1) / 2]
        else print (v[NR / 2] + v[NR / 2 + 1]) / 2}'
}

# median_of BACKEND CASE COLUMN
median_of() { awk -v b="$1" -v d="$2" -v c="$3" '$1 == b && $3 == d {print $c}' "$TOP/rows" | median; }

# ratio_of CASE COLUMN: median of the rounds' own ratios, ours by the peer's. The speed of the machine changes
# by factors within minutes (other tenants use its caches), but less within a round.
ratio_of() {
    awk -v d="$1" -v c="$2" -v peer="$PEER" -v ours="$OURS" '$3 == d {v[$1, $2] = $c; rounds[$2]}
        END {for (r in rounds) if (v[peer, r] > 0 && v[ours, r] > 0) printf "%.3f\n", v[ours, r] / v[peer, r]}' \
        "$TOP/rows" | median | awk '{print ($1 == "-" ? $1 : sprintf("%.2f", $1))}'
}

# "NAME CASE COLUMN" of every line of the table.
bench_lines() {
    local column columns='4 5 6' name names
    case $BENCH in
        vif) names='out in' ;;
        failover) names='out out-calm in in-calm' columns=4 ;;
        usb) names='read-120k read-4k line-in line-out' ;;
    esac
    for column in $columns; do
        for name in $names; do echo "${name//-/_}_${FIELDS[column - 3]} $name $column"; done
    done
}

# The worst of each case, and how many pairs are better: of single losses, where an emulated guest's own holes and bonding's luck with
# its poll decide, and of the means of a turn's losses.
worst_holes() {
    awk -v peer="$PEER" -v ours="$OURS" -v cuts="$BENCH_SECONDS" '$3 !~ /-calm/ {
            v[$1, $2, $3] = $4; pairs[$2 SUBSEP $3]; cases[$3]; if ($4 > top[$1, $3]) top[$1, $3] = $4
            turn = int(($2 - 1) / cuts); sum[$1, turn, $3] += $4; turns[turn SUBSEP $3]
        }
        END {
            for (c in cases) printf "%-30s %10s %10s\n", "worst_" c "_hole_ms", top[peer, c], top[ours, c]
            for (p in pairs) if (v[peer, p] > 0 && v[ours, p] > 0) {n++; less += v[ours, p] < v[peer, p]}
            printf "ours shorter in %d of %d pairs\n", less, n
            for (t in turns) if (sum[peer, t] > 0 && sum[ours, t] > 0) {m++; means += sum[ours, t] < sum[peer, t]}
            printf "mean of %d losses shorter in %d of %d pairs of turns\n", cuts, means, m
        }' "$TOP/rows"
}

bench_table() {
    local name case column
    printf '%-30s %10s %10s %14s\n' "median of $BENCH_ROUNDS rounds" "$PEER" "$OURS" "$OURS/$PEER"
    while read -r name case column; do
        printf '%-30s %10s %10s %14s\n' "$name" "$(median_of $PEER "$case" "$column")" \
            "$(median_of $OURS "$case" "$column")" "$(ratio_of "$case" "$column")"
    done < <(bench_lines)
    [[ $BENCH != failover ]] || worst_holes
}

json_number() { if [[ $1 == - ]]; then echo null; else echo "$1"; fi; }

bench_json() {
    local name case column comma=''
    printf '{\n  "bench": "xenlab-%s",\n  "date": "%s",\n  "rounds": %s,\n  "seconds": %s,\n' \
        "$BENCH" "$(date -u +%FT%TZ)" "$BENCH_ROUNDS" "$BENCH_SECONDS"
    printf '  "where": "Xen 4.17 under QEMU TCG, %s CPUs",\n  "medians": {' "$(nproc)"
    while read -r name case column; do
        printf '%s\n    "%s": {"%s": %s, "%s": %s, "ratio": %s}' "$comma" "$name" \
            $PEER "$(json_number "$(median_of $PEER "$case" "$column")")" \
            $OURS "$(json_number "$(median_of $OURS "$case" "$column")")" \
            "$(json_number "$(ratio_of "$case" "$column")")"
        comma=,
    done < <(bench_lines)
    printf '\n  },\n  "rows": [%s\n  ]\n}\n' "$(awk -v fields="${FIELDS[*]}" 'BEGIN {split(fields, f, " ")}
        {printf "%s\n    {\"backend\": \"%s\", \"round\": %s, \"%s\": \"%s\", \"%s\": %s, \"%s\": %s, \"%s\": %s}",
            (NR > 1 ? "," : ""), $1, $2, f[1], $3, f[2], $4, f[3], $5, f[4], $6}' "$TOP/rows")"
}

# Every backend that was to run must have every measurement, ours more than nothing.
bench_complete() {
    local wanted=$((BENCH_ROUNDS * CASES))
    [[ -z $STAGE || -n $ON ]] || wanted=$((wanted * 2))
    (($(awk -v peer="$PEER" 'NF == 6 && $4 ~ /^[0-9.]+$/ && ($4 > 0 || $1 == peer)' "$TOP/rows" | wc -l) == wanted))
}

run_bench() {
    bench_kind
    [[ -z $ON || $ON == "$PEER" || $ON == "$OURS" ]] || die "--bench $BENCH runs on $PEER or $OURS"
    : >"$TOP/rows"
    set_patience
    PLAN="bench $PATIENCE $PROGRAM $((1800 * PATIENCE)) $BENCH_ROUNDS $BENCH_SECONDS $PERF $ON"
    boot_and_follow fast
    bench_table
    [[ -z $JSON ]] || { mkdir -p "$(dirname "$JSON")"; bench_json >"$JSON"; progress "wrote $JSON"; }
    if [[ $STATE == ended ]] && bench_complete; then
        report ok "0-bench-$BENCH"
    else
        keep_console
        report fail "0-bench-$BENCH" "not every measurement was made"
    fi
    summary
}

# The serial console of Dom0 becomes this terminal, QEMU stays in the background
# of it; the messages of the channel go on as comments between the lines.
run_shell() {
    [[ -t 0 ]] || die "--shell needs a terminal"
    set_patience
    PLAN="shell $PATIENCE $FLAVOUR"
    cat <<-'TEXT'
	# Ctrl-A c           QEMU's monitor and back (quit ends everything)
	# Ctrl-A a, 3 times  Dom0's console <-> Xen's console
	# xl console guest11 a guest's console (Ctrl-] leaves it)
	# exit               ends the machine
	TEXT
    BOOT_LIMIT=86400 SILENCE_LIMIT=86400
    TERMINAL_STATE=$(stty -g)
    SERIAL=(-chardev "stdio,id=serial,mux=on,signal=off,logfile=CONSOLE" -serial chardev:serial
        -mon chardev=serial)
    boot "$FLAVOUR"
    follow_boot
    machine_down
    stty "$TERMINAL_STATE"
}
