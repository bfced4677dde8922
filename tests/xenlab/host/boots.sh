# SPDX-License-Identifier: GPL-2.0-or-later
# Follows a boot from start to end, and runs scenarios in as few boots as
# possible: what a crashed boot left over goes into another one.
# shellcheck shell=bash

BOOT=0
BOOT_LIMIT=240    # seconds until Dom0 says HELLO
SILENCE_LIMIT=420 # seconds without a word from Dom0: longer than any scenario

STATE=down # booting, up, ended, dead, hung
PENDING=() # scenarios of this boot without a result
CURRENT='' # the one that runs

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
    STATE=booting
    machine_up
}

on_message() {
    local verdict name text
    case $1 in
        HELLO) STATE=up ;;
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
    local last=$SECONDS limit=$BOOT_LIMIT
    while [[ $STATE == booting || $STATE == up ]]; do
        [[ $STATE == booting ]] || limit=$SILENCE_LIMIT
        if pump; then
            last=$SECONDS
        elif ! machine_alive; then
            STATE=dead
        elif ((SECONDS - last > limit)); then
            STATE=hung
        fi
    done
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
        PLAN="scenarios ${ON:--} ${PENDING[*]}"
        boot "$flavour"
        follow_boot
        [[ $STATE == ended ]] || blame
        machine_down
        ((!BOOT_FAILED)) || keep_console
        # A boot that ended well ran its whole plan.
        [[ $STATE != ended ]] || break
    done
}

# Without code under test only the kernel's own scenarios mean anything.
skip_without_stage() {
    local name rest=()
    [[ -z $STAGE ]] || return 0
    for name in "${NAMES[@]}"; do
        if [[ ${ON:-$(scenario_field "$LAB/scenarios/$name.sh" backend)} != kernel ]]; then
            report skip "$name" "no code under test (--stage)"
        else
            rest+=("$name")
        fi
    done
    NAMES=("${rest[@]}")
}

run_scenarios() {
    local flavour name
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
