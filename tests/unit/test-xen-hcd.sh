#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The recipe for the guest's USB driver: what the script takes out of an archive, what it says when it cannot, and where the
# packages are installed, that the driver builds.
SRC=${XENBACK_SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
# shellcheck source=tests/tap.sh
. "$SRC/tests/tap.sh"
RECIPE=$SRC/tools/xen-hcd-dkms
DRIVER=drivers/usb/host/xen-hcd.c
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
command -v xz >/dev/null || skip_all 'xz is not installed'

# archive NAME FILE...: a kernel source package's archive with these files.
archive() {
    local name=$1 file
    shift
    for file; do
        mkdir -p "$DIR/tree/$name/$(dirname "$file")"
        echo "this is $file" >"$DIR/tree/$name/$file"
    done
    tar -C "$DIR/tree" -cJf "$DIR/$name.tar.xz" "$name"
}

# refused TEXT WANTED ARGUMENT...: it fails, says what is wrong, and leaves nothing in the folder.
refused() {
    local text=$1 wanted=$2 said
    shift 2
    rm -rf "$DIR/out" && mkdir "$DIR/out"
    if said=$("$RECIPE/xen-hcd-source" "$@" 2>&1); then
        fail "$text" "it succeeded: $said"
        return
    fi
    like "$text" "$said" "$wanted"
    is "$text: nothing is left" "$(ls -A "$DIR/out")" ''
}

archive linux-source-6.1 "$DRIVER" tools/usb/testusb.c Makefile
archive linux-source-5.10 Makefile
: >"$DIR/linux-source-6.2.tar.xz"

mkdir "$DIR/out"
ok 'the driver comes out of an archive' "$RECIPE/xen-hcd-source" --tarball "$DIR/linux-source-6.1.tar.xz" "$DIR/out"
is 'and nothing else' "$(ls -A "$DIR/out")" xen-hcd.c
is 'unchanged' "$(cat "$DIR/out/xen-hcd.c")" "this is $DRIVER"
ok 'other files, too' "$RECIPE/xen-hcd-source" --tarball "$DIR/linux-source-6.1.tar.xz" "$DIR/out" "$DRIVER" tools/usb/testusb.c
is 'all of them' "$(ls -A "$DIR/out" | tr '\n' ' ')" 'testusb.c xen-hcd.c '

refused 'no argument' 'usage'
refused 'unknown option' 'unknown option --frob' --frob "$DIR/out"
refused 'option without value' '--kernel needs a value' --kernel
refused 'both options' 'exclude each other' --kernel 6.1.0-1-amd64 --tarball x "$DIR/out"
refused 'no such folder' 'nowhere is not a folder' --kernel 6.1.0-1-amd64 "$DIR/nowhere"
refused 'a release that is none' "kernel 'six': expected a release such as" --kernel six "$DIR/out"
refused 'a package that is not installed' 'linux-source-9\.99\.tar\.xz; install the package linux-source-9\.99' \
    --kernel 9.99.0-1-amd64 "$DIR/out"
refused 'a release from backports' 'install the package linux-source-9\.12' --kernel 9.12.9+bpo-amd64 "$DIR/out"
refused 'no such archive' 'cannot read .*gone' --tarball "$DIR/gone.tar.xz" "$DIR/out"
refused 'an archive without the driver' "has not all of: linux-source-5.10/$DRIVER" --tarball "$DIR/linux-source-5.10.tar.xz" "$DIR/out"
refused 'an empty archive' "has not all of: linux-source-6.2/$DRIVER" --tarball "$DIR/linux-source-6.2.tar.xz" "$DIR/out"

# What DKMS reads is a shell script: read it as DKMS does.
conf() (
    kernelver=6.1.0-1-amd64 kernel_source_dir=/headers dkms_tree=/tree
    # shellcheck source=tools/xen-hcd-dkms/dkms.conf
    . "$RECIPE/dkms.conf"
    printf '%s\n' "${!1}"
)
name=$(conf PACKAGE_NAME) version=$(conf PACKAGE_VERSION)
is 'dkms.conf builds in its own folder' "$(conf MAKE)" "make -C /headers M=/tree/$name/$version/build modules"
before=$(conf PRE_BUILD)
ok 'what it runs before is there, executable' test -x "$RECIPE/${before%% *}"
is 'and learns the kernel' "$before" 'xen-hcd-source --kernel 6.1.0-1-amd64 .'
ok 'the document names the same package and version' grep -qF "dkms install $name/$version" "$SRC/docs/USB-GUESTS.md"

headers=$(find /usr/src -maxdepth 1 -name 'linux-headers-6.*-amd64' 2>/dev/null | sort -V | tail -n 1)
release=${headers##*/linux-headers-}
series=${release%.*}
if [[ -z $headers ]]; then
    skip 'the driver builds' 'no package linux-headers-6.*-amd64 is installed'
elif [[ ! -e /usr/src/linux-source-$series.tar.xz ]]; then
    skip 'the driver builds' "the package linux-source-$series is not installed"
else
    mkdir "$DIR/build"
    cp "$RECIPE/Makefile" "$DIR/build/"
    ok "the source of kernel $release" "$RECIPE/xen-hcd-source" --kernel "$release" "$DIR/build"
    ok 'the driver builds' env -u MAKEFLAGS -u MAKELEVEL make -C "$headers" M="$DIR/build" modules
    like 'and is the one for PVUSB' "$(/sbin/modinfo -F alias "$DIR/build/xen-hcd.ko" 2>&1)" 'xen:vusb'
fi
done_testing
