# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# TAP for shell tests: source it, call ok/is/skip, end with done_testing.
#
# A test script prints TAP and exits 0; the harness reads the lines. A script that dies half-way never prints its plan,
# which the harness counts as an error.

TAP_N=0 TAP_FAILED=0

# What is going on, for the log.
diag() { printf '# %s\n' "$*"; }

# skip_all REASON: nothing of this script can run here.
skip_all() {
    printf '1..0 # SKIP %s\n' "$*"
    exit 0
}

pass() {
    TAP_N=$((TAP_N + 1))
    printf 'ok %d - %s\n' "$TAP_N" "$*"
}

# fail TEXT [DETAIL...]: each detail becomes a comment line.
fail() {
    TAP_N=$((TAP_N + 1)) TAP_FAILED=$((TAP_FAILED + 1))
    printf 'not ok %d - %s\n' "$TAP_N" "$1"
    shift
    (($# == 0)) || printf '%s\n' "$@" | sed 's/^/#   /'
}

# skip TEXT REASON
skip() {
    TAP_N=$((TAP_N + 1))
    printf 'ok %d - %s # SKIP %s\n' "$TAP_N" "$1" "$2"
}

# Output of the command under test: a file without a name, so that the command runs in this shell and may set variables.
TAP_FILE=$(mktemp)
exec {TAP_FD}<>"$TAP_FILE"
rm -f "$TAP_FILE"

# ok TEXT COMMAND...: passes when the command succeeds; its output is shown when it fails.
ok() {
    local tap_rc=0
    "${@:2}" >"/proc/self/fd/$TAP_FD" 2>&1 || tap_rc=$?
    if ((tap_rc == 0)); then
        pass "$1"
    else
        fail "$1" "exit status $tap_rc: ${*:2}" "$(<"/proc/self/fd/$TAP_FD")"
    fi
}

# is TEXT GOT WANTED
is() {
    if [[ $2 == "$3" ]]; then
        pass "$1"
    else
        fail "$1" "got:    $2" "wanted: $3"
    fi
}

# like TEXT GOT REGEX: an extended regular expression, anywhere in GOT.
like() {
    if [[ $2 =~ $3 ]]; then
        pass "$1"
    else
        fail "$1" "got:           $2" "does not match: $3"
    fi
}

# no_lines TEXT LINES: passes when LINES is empty, else shows them (a lint's findings).
no_lines() {
    if [[ -z $2 ]]; then
        pass "$1"
    else
        fail "$1" "$(head -n 30 <<<"$2")" "$(tail -n +31 <<<"$2" | wc -l | sed 's/^0$//; s/.\+/... and & more/')"
    fi
}

done_testing() { printf '1..%d\n' "$TAP_N"; }
