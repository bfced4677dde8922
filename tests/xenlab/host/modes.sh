# SPDX-License-Identifier: GPL-2.0-or-later
# The modes that are not scenarios: --bench and --shell.
# shellcheck shell=bash

BENCH_ROUNDS=${XENBACK_LAB_ROUNDS:-9}
BENCH_SECONDS=${XENBACK_LAB_SECONDS:-5}

# "BACKEND ROUND DIRECTION MBITS CPU/GB GUEST-CPU/GB" -> one progress line.
bench_row() {
    local backend round direction rate cpu guest
    read -r backend round direction rate cpu guest <<<"$*"
    echo "$*" >>"$TOP/rows"
    progress "$(printf 'round %s %-6s %-3s %6s Mbit/s, CPU s/GB: Dom0 %s, guest %s' \
        "$round" "$backend" "$direction" "$rate" "$cpu" "$guest")"
}

# Median of the numbers on stdin; "-" without any.
median() {
    sort -n | awk '{v[NR] = $1} END {if (!NR) print "-"
        else if (NR % 2) print v[(NR + 1) / 2]
        else print (v[NR / 2] + v[NR / 2 + 1]) / 2}'
}

# median_of BACKEND DIRECTION COLUMN
median_of() { awk -v b="$1" -v d="$2" -v c="$3" '$1 == b && $3 == d {print $c}' "$TOP/rows" | median; }

# ratio_of DIRECTION COLUMN: median of the rounds' own ratios, ours by the kernel's. The speed of the machine changes
# by factors within minutes (other tenants use its caches), but less within a round.
ratio_of() {
    awk -v d="$1" -v c="$2" '$3 == d {v[$1, $2] = $c; rounds[$2]}
        END {for (r in rounds) if (v["kernel", r] > 0 && v["team", r] > 0) printf "%.3f\n", v["team", r] / v["kernel", r]}' \
        "$TOP/rows" | median | awk '{print ($1 == "-" ? $1 : sprintf("%.2f", $1))}'
}

# "NAME DIRECTION COLUMN" of every line of the table.
bench_lines() {
    cat <<-'LINES'
	out_mbits out 4
	in_mbits in 4
	out_dom0_cpu_s_per_gb out 5
	in_dom0_cpu_s_per_gb in 5
	out_guest_cpu_s_per_gb out 6
	in_guest_cpu_s_per_gb in 6
	LINES
}

bench_table() {
    local name direction column kernel team
    printf '%-24s %10s %10s %12s\n' "median of $BENCH_ROUNDS rounds" kernel ours ours/kernel
    while read -r name direction column; do
        kernel=$(median_of kernel "$direction" "$column")
        team=$(median_of team "$direction" "$column")
        printf '%-24s %10s %10s %12s\n' "$name" "$kernel" "$team" "$(ratio_of "$direction" "$column")"
    done < <(bench_lines)
}

json_number() { if [[ $1 == - ]]; then echo null; else echo "$1"; fi; }

bench_json() {
    local name direction column kernel team comma=''
    printf '{\n  "bench": "xenlab-vif",\n  "date": "%s",\n  "rounds": %s,\n  "seconds": %s,\n' \
        "$(date -u +%FT%TZ)" "$BENCH_ROUNDS" "$BENCH_SECONDS"
    printf '  "where": "Xen 4.17 under QEMU TCG, %s CPUs",\n  "medians": {' "$(nproc)"
    while read -r name direction column; do
        kernel=$(median_of kernel "$direction" "$column")
        team=$(median_of team "$direction" "$column")
        printf '%s\n    "%s": {"kernel": %s, "team": %s, "ratio": %s}' "$comma" "$name" \
            "$(json_number "$kernel")" "$(json_number "$team")" \
            "$(json_number "$(ratio_of "$direction" "$column")")"
        comma=,
    done < <(bench_lines)
    printf '\n  },\n  "rows": [%s\n  ]\n}\n' "$(awk '{printf "%s\n    {\"backend\": \"%s\", \"round\": %s, \"direction\": \"%s\", \"mbits\": %s, \"dom0_cpu_s_per_gb\": %s, \"guest_cpu_s_per_gb\": %s}", (NR > 1 ? "," : ""), $1, $2, $3, $4, $5, $6}' "$TOP/rows")"
}

# Every backend that was to run must have every measurement.
bench_complete() {
    local wanted=$((BENCH_ROUNDS * 2))
    [[ -z $STAGE || -n $ON ]] || wanted=$((BENCH_ROUNDS * 4))
    (($(awk 'NF == 6 && $4 > 0' "$TOP/rows" | wc -l) == wanted))
}

run_bench() {
    : >"$TOP/rows"
    set_patience
    PLAN="bench $PATIENCE $((1800 * PATIENCE)) $BENCH_ROUNDS $BENCH_SECONDS $PERF $ON"
    boot_and_follow fast
    bench_table
    [[ -z $JSON ]] || { mkdir -p "$(dirname "$JSON")"; bench_json >"$JSON"; progress "wrote $JSON"; }
    if [[ $STATE == ended ]] && bench_complete; then
        report ok 0-bench
    else
        keep_console
        report fail 0-bench "not every measurement was made"
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
