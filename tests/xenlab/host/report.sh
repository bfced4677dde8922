# SPDX-License-Identifier: GPL-2.0-or-later
# TAP output and the last line of the run.
# shellcheck shell=bash

PASSED=0 FAILED=0 SKIPPED=0

report() {
    local verdict=$1 name=${2#*-} text=${3:-}
    local n=$((PASSED + FAILED + SKIPPED + 1))
    case $verdict in
        ok) PASSED=$((PASSED + 1)); echo "ok $n - $name" ;;
        skip) SKIPPED=$((SKIPPED + 1)); echo "ok $n - $name # SKIP $text" ;;
        *)
            FAILED=$((FAILED + 1))
            echo "not ok $n - $name"
            [[ -z $text ]] || echo "#   $text"
            ;;
    esac
}

summary() {
    echo "1..$((PASSED + FAILED + SKIPPED))"
    echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
    ((FAILED == 0))
}

skip_everything() {
    local name
    if [[ $MODE != scenarios ]]; then report skip "0-xenlab-$MODE" "$1"; summary; return; fi
    for name in "${NAMES[@]}"; do report skip "$name" "$1"; done
    summary
}

# Keep the console log of a failed run and show how it ended.
keep_console() {
    local kept
    [[ -s $CONSOLE ]] || return 0
    mkdir -p "$ARTEFACTS"
    kept=$ARTEFACTS/$(date +%Y%m%d-%H%M%S)-$(basename "$CONSOLE")
    cp "$CONSOLE" "$kept"
    echo "# console log: $kept; its last lines:"
    tail -n 40 "$CONSOLE" | tr -d '\r' | sed 's/^/# | /'
}
