# SPDX-License-Identifier: GPL-2.0-or-later
# Follows a boot from start to end, and runs scenarios in as few boots as
# possible: what a crashed boot left over goes into another one.
# shellcheck shell=bash

BOOT=0
BOOT_LIMIT=90    # seconds until Dom0 says HELLO
BOOT_TRIES=3      # an emulated boot hangs now and then, before any code of ours runs
SILENCE_LIMIT=420 # seconds without a word from Dom0: longer than any scenario

STATE=down # booting, up, ended, dead, hung
PENDING=() # scenarios of this boot without a result
CURRENT='' # the one that runs

# Deadlines are for a machine that does nothing else; on a busy one they stretch
# by its load per CPU, five times at most.
set_patience() {
    PATIENCE=${XENBACK_LAB_PATIENCE:-$(awk -v cpus="$(nproc)" \
        '{p = int(1.5 + $1 / cpus); print (p > 5 ? 5 : p)}' /proc/loadavg)}
    ((PATIENCE == 1)) || progress "busy machine: every deadline times $PATIENCE"
}

# boot FLAVOUR: a folder of its own, network, payload, QEMU.
boot() {
    BOOT=$((BOOT + 1))
    RUN=$TOP/boot$BOOT
    mkdir "$RUN"
    CONSOLE=$RUN/console-$BOOT.log
    DOM0_CMDLINE=''
    [[ $1 == fast ]] || DOM0_CMDLINE='labinit=/usr/lib/systemd/systemd'
    echo "$PLAN" >"$RUN/plan"
    build_payload
    network_up || die "cannot create the lab's network namespaces"
    start_file_service
    progress "boot $BOOT, $1 Dom0"
    STATE=booting CAME_UP=0
    machine_up
}

on_message() {
    local verdict name text
    case $1 in
        HELLO) STATE=up CAME_UP=1 ;;
        BEGIN) CURRENT=$2; STARTED=$SECONDS ;;
        RESULT)
            verdict=$2
            read -r name text <<<"$3"
            progress "${name#*-}: $verdict after $((SECONDS - STARTED)) s"
            scenario_done "$verdict" "$name" "$text"
            ;;
        NOTE) progress "$2 $3" ;;
        ROW) bench_row "$2 $3" ;;
        PROFILE) base64 -d <<<"$2" | tee -a "$TOP/profile" ;;
        END) STATE=ended ;;
    esac
}

scenario_done() {
    local name rest=()
    report "$1" "$2" "$3"
    [[ $1 != fail ]] || BOOT_FAILED=1
    for name in "${PENDING[@]}"; do [[ $name == "$2" ]] || rest+=("$name"); done
    PENDING=("${rest[@]}")
    CURRENT=''
}

# Until Dom0 says END, dies, or stays silent for too long.
follow_boot() {
    local last=$SECONDS limit=$((BOOT_LIMIT * PATIENCE)) interrupted=0
    # bash crashes when a trap exits in the middle of `read -t`: note it, leave later.
    trap 'interrupted=1' INT TERM
    while [[ $STATE == booting || $STATE == up ]]; do
        [[ $STATE == booting ]] || limit=$((SILENCE_LIMIT * PATIENCE))
        if pump; then
            last=$SECONDS
        elif ! machine_alive; then
            STATE=dead
        elif ((SECONDS - last > limit)); then
            STATE=hung
        fi
        ((!interrupted)) || exit 130
    done
    [[ $STATE != hung ]] || record_registers
    trap 'exit 130' INT TERM
}

# boot_and_follow FLAVOUR: another try if Dom0 did not come up.
boot_and_follow() {
    local try
    for ((try = 1; try <= BOOT_TRIES; try++)); do
        boot "$1"
        follow_boot
        machine_down
        [[ $CAME_UP == 0 ]] || break
        progress "Dom0 did not come up ($STATE)"
        keep_console
    done
}

# Where the CPUs of a hung machine are, into its console log.
record_registers() {
    local before try
    before=$(stat -c %s "$RUN/monitor.log")
    echo 'info registers -a' >&"$MONITOR"
    for ((try = 0; try < 20; try++)); do
        (($(stat -c %s "$RUN/monitor.log") > before + 2000)) && break
        sleep 0.2
    done
    { echo; echo "xenlab: the machine hangs"; tail -c "+$before" "$RUN/monitor.log"; } |
        tr -d '\r' >>"$CONSOLE"
}

# A boot that did not end by itself: the scenario that ran takes the blame; a
# Dom0 that never came up fails everything that waits for it.
blame() {
    local name
    case $STATE in
        dead) text="the machine stopped" ;;
        *) text="Dom0 stopped talking" ;;
    esac
    if [[ -n $CURRENT ]]; then
        scenario_done fail "$CURRENT" "$text"
    else
        for name in "${PENDING[@]}"; do scenario_done fail "$name" "$text"; done
    fi
}

run_group() {
    local flavour=$1
    while ((${#PENDING[@]})); do
        BOOT_FAILED=0
        PLAN="scenarios $PATIENCE ${ON:--} ${PENDING[*]}"
        boot_and_follow "$flavour"
        [[ $STATE == ended ]] || blame
        ((!BOOT_FAILED)) || keep_console
        # A boot that ended well ran its whole plan.
        [[ $STATE != ended ]] || break
    done
}

# Without code under test only scenarios on others' backends mean anything.
skip_without_stage() {
    local name rest=()
    [[ -z $STAGE ]] || return 0
    for name in "${NAMES[@]}"; do
        case ${ON:-$(scenario_field "$LAB/scenarios/$name.sh" backend)} in
            kernel | none) rest+=("$name") ;;
            *) report skip "$name" "no code under test (--stage)" ;;
        esac
    done
    NAMES=("${rest[@]}")
}

run_scenarios() {
    local flavour name
    set_patience
    skip_without_stage
    for flavour in fast systemd; do
        PENDING=()
        for name in "${NAMES[@]}"; do
            [[ $(scenario_field "$LAB/scenarios/$name.sh" flavour) == "$flavour" ]] &&
                PENDING+=("$name")
        done
        run_group "$flavour"
    done
    progress "all scenarios took $SECONDS s"
    summary
}
