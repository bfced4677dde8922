# SPDX-License-Identifier: GPL-2.0-or-later
# Guests: created by unmodified xl, driven over their PV console.
# shellcheck shell=bash

GUEST_MEMORY=192

domid() { xl domid "$1" 2>/dev/null; }

mac_of() { printf '00:16:3e:77:00:%02x' "$1"; }

# The number in a guest's name is its host address: guest11 is 10.77.0.11.
host_number() { echo "${1//[^0-9]/}"; }

# write_guest_config NAME [LINE...]: later lines win over the defaults.
write_guest_config() {
    local name=$1 extra
    extra="console=hvc0 loglevel=4 mitigations=off lab.host=$(host_number "$name")"
    shift
    {
        cat <<-CONFIG
		name = "$name"
		kernel = "/payload/domu/vmlinuz"
		ramdisk = "/payload/domu/${GUEST_INITRD:-initrd}"
		memory = $GUEST_MEMORY
		vcpus = ${GUEST_VCPUS:-1}
		extra = "$extra ${GUEST_CMDLINE:-}"
		on_crash = "destroy"
		vif = [$(vif_spec "$name")]
		CONFIG
        printf '%s\n' "$@"
    } >"$LAB_RUN/guests/$name.cfg"
}

# The vif of the backend in use; set by use_kernel_backend and use_team_backend. None without one.
vif_spec() {
    [[ -e $LAB_RUN/backend-script ]] || return 0
    echo "'mac=$(mac_of "$(host_number "$1")"),script=$(backend_script),bridge=$(backend_bridge)${VIF_MORE:+,$VIF_MORE}'"
}

console_log() { echo "/var/log/xen/console/guest-$1.log"; }

log_size() { stat -c %s "$(console_log "$1")" 2>/dev/null || echo 0; }

# create_guest NAME [CONFIG-LINE...]: returns when its command server answers.
create_guest() {
    local name=$1
    write_guest_config "$@"
    xl create "$LAB_RUN/guests/$name.cfg" >"$LAB_RUN/guests/$name.xl" 2>&1 || {
        cat "$LAB_RUN/guests/$name.xl"
        fail "xl create $name: $(grep -m1 -i error "$LAB_RUN/guests/$name.xl")"
    }
    wait_guest "$name"
}

# The console log grows by a marker line when the guest's init is ready.
wait_guest() {
    poll 60 guest_answers "$1" || {
        tail -20 "$(console_log "$1")"
        fail "guest $1 does not answer on its console"
    }
}

guest_answers() { [[ $(domu_try 5 "$1" 'echo alive') == alive ]]; }

# domu NAME 'COMMAND': its output, its status; 98, 99: none came. DOMU_TIMEOUT seconds at most. The answer is not looked for in
# the first DOMU_QUIET seconds: each look forks, which costs a PV Dom0 much, and what is measured is disturbed.
domu() {
    local out status
    out=$(domu_try "${DOMU_TIMEOUT:-60}" "$@")
    status=$?
    [[ -z $out ]] || printf '%s\n' "$out"
    return $status
}

# Answers are read from xenconsoled's log of the guest, from where it ended
# before the question: nothing is lost and nobody else's answer is taken.
domu_try() {
    local seconds=$(($1 * LAB_PATIENCE)) name=$2 id=$BASHPID.$RANDOM tty from line
    shift 2
    tty=$(guest_tty "$name") || return 98
    from=$(log_size "$name")
    (
        flock 8
        printf 'RUN %s %s %s\n' "$id" "$seconds" "$(base64 -w0 <<<"$*")" >"$tty"
    ) 8>"$LAB_RUN/guests/$name.lock"
    [[ -z ${DOMU_QUIET:-} ]] || sleep "$DOMU_QUIET"
    poll "$((seconds / LAB_PATIENCE + 5))" answer_in_log "$name" "$from" "$id" || return 99
    line=$(find_answer "$name" "$from" "$id")
    IFS=' ' read -r _ _ status out <<<"$line"
    base64 -d <<<"${out%$'\r'}" 2>/dev/null
    return "$status"
}

find_answer() {
    tail -c "+$(($2 + 1))" "$(console_log "$1")" 2>/dev/null | grep -a -m1 "^@@R $3 "
}

answer_in_log() { [[ -n $(find_answer "$@") ]]; }

guest_tty() {
    local id tty
    id=$(domid "$1") || return 1
    tty=$(xenstore-read "/local/domain/$id/console/tty" 2>/dev/null) || return 1
    # Raw, or the line discipline would hold at most 4095 bytes of a command.
    [[ -e $LAB_RUN/guests/tty.$id ]] || { stty -F "$tty" raw -echo && : >"$LAB_RUN/guests/tty.$id"; }
    echo "$tty"
}

# Domains other than Dom0, zombies included.
guest_ids() { xl list 2>/dev/null | awk 'NR > 1 && $2 != 0 {print $2}'; }

no_guests() { [[ -z $(guest_ids) ]]; }

destroy_all_guests() {
    local id
    for id in $(guest_ids); do timeout $((60 * LAB_PATIENCE)) xl destroy "$id" >/dev/null 2>&1; done
    # A name in (null) or (zombie) means that somebody still maps its pages.
    poll 15 no_guests || { xl list; return 1; }
}

# state_of backend|frontend NAME [DEVID]
state_of() {
    local id path
    id=$(domid "$2") || return 1
    case $1 in
        backend) path=/local/domain/0/backend/vif/$id/${3:-0}/state ;;
        frontend) path=/local/domain/$id/device/vif/${3:-0}/state ;;
    esac
    xenstore-read "$path" 2>/dev/null
}

state_is() { [[ $(state_of "$1" "$2" "${4:-0}") == "$3" ]]; }

wait_connected() {
    poll "${2:-20}" state_is backend "$1" 4 "${3:-0}" ||
        fail "backend of $1 is in state '$(state_of backend "$1" "${3:-0}")', not 4"
}

# --- vifs of a running guest ----------------------------------------------------

# The values differ from those of the first vif in the MAC only.
attach_vif() {
    local name=$1 devid=$2
    xl network-attach "$name" "mac=$(mac_of $(($(host_number "$name") + 100 * devid)))" \
        "script=$(backend_script)" "bridge=$(backend_bridge)" || fail "xl network-attach $name ($devid)"
    wait_connected "$name" 20 "$devid"
}

detach_vif() {
    xl network-detach "$1" "$2" || fail "xl network-detach $1 $2"
}

# no_backend_dir DOMID: libxl removed it and nobody wrote it anew.
no_backend_dir() {
    local left
    left=$(xenstore-ls "/local/domain/0/backend/vif/$1" 2>/dev/null)
    [[ -z $left ]] || { echo "$left"; return 1; }
}
