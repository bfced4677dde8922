# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the cached pieces that do not depend on the code under test:
# hypervisor, kernel, Dom0 root image, Dom0 initramfs, DomU archives.
# Uses common.sh. $LAB is the folder of the lab.
# shellcheck shell=bash

CACHE=${XENBACK_LAB_CACHE:-/var/cache/xenback-lab}
# How users build the guest's USB driver is how it is built here.
RECIPE=$LAB/../../tools/xen-hcd-dkms

# The key covers everything that shapes the image, so an edit rebuilds it.
image_key() {
    cat "$LAB/host/image.sh" "$LAB/dom0/initramfs" "$RECIPE"/* "${IMAGE_LISTS[@]}" |
        sha256sum | cut -c1-16
}

# First repository that apt on this machine uses for bookworm itself.
apt_mirror() {
    # shellcheck disable=SC2016  # $(...) is apt's own format syntax
    apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' \
        'Created-By: Packages' | awk '$2 == "bookworm" && $3 == "main" {print $1; exit}'
}

# debootstrap fetches with wget: hand apt's proxies on to it.
export_apt_proxies() {
    local http='' https=''
    eval "$(apt-config shell http Acquire::http::Proxy https Acquire::https::Proxy)"
    [[ -z $http || $http == DIRECT ]] || export http_proxy=$http
    [[ -z $https || $https == DIRECT ]] || export https_proxy=$https
}

# Kernel and hypervisor are unpacked, not installed: their install scripts
# would build an initramfs and a boot menu that nobody uses here.
fetch_unpacked() {
    local into=$1 debs name
    debs=$(mktemp -d "$CACHE/tmp.debs.XXXXXX")
    chmod 755 "$debs"
    shift
    for name in "$@"; do
        (cd "$debs" && apt-get download -qq -o APT::Sandbox::User=root "$name") || return 1
    done
    for name in "$debs"/*.deb; do dpkg-deb -x "$name" "$into" || return 1; done
    rm -rf "$debs"
}

kernel_package() {
    apt-cache depends linux-image-amd64 |
        awk '$1 == "Depends:" && $2 ~ /^linux-image-6/ {print $2; exit}'
}

build_root() {
    local root=$1 log=$2 mirror include kernel
    mirror=$(apt_mirror)
    [[ -n $mirror ]] || die "apt knows no bookworm mirror"
    kernel=$(kernel_package)
    [[ -n $kernel ]] || die "apt knows no linux-image-amd64"
    include=$(read_package_list "${IMAGE_LISTS[@]}" | paste -sd,)
    export_apt_proxies
    progress "debootstrap (about 4 minutes, once)"
    debootstrap --variant=minbase --include="$include" bookworm "$root" "$mirror" \
        >"$log" 2>&1 || { tail -20 "$log" >&2; die "debootstrap failed"; }
    progress "kernel $kernel and hypervisor"
    mkdir -p "$root.boot"
    fetch_unpacked "$root.boot" "$kernel" xen-hypervisor-4.17-amd64 || die "download failed"
    mv "$root.boot"/lib/modules "$root/usr/lib/modules"
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* \
        "$root"/usr/share/{doc,man,locale} "$root"/etc/machine-id
}

# The archive of the kernel's source: the installed package's, or that of a download.
kernel_tarball() {
    local name=$1 into=$2 candidate
    candidate=$(apt-cache policy "$name" | awk '$1 == "Candidate:" {print $2}')
    if [[ $(dpkg-query -W -f '${Version}' "$name" 2>/dev/null) != "$candidate" ]]; then
        fetch_unpacked "$into" "$name" || return 1
    else
        into=
    fi
    echo "$into/usr/src/$name.tar.xz"
}

# What the guests need and no package has: their USB driver into the modules of ROOT, and the program testusb.
build_usb() {
    local root=$1 kver=$2 out=$3 work=$1.usb series tarball headers
    series=$(cut -d. -f1-2 <<<"$kver")
    headers=$work/usr/src/linux-headers-$kver
    mkdir -p "$work/module" "$root/usr/lib/modules/$kver/updates/dkms"
    fetch_unpacked "$work" "linux-headers-$kver" "linux-headers-${kver%-*}-common" \
        "linux-kbuild-$series" || die "download of the kernel's headers failed"
    tarball=$(kernel_tarball "linux-source-$series" "$work") || die "download of the kernel's source failed"
    # These headers lie elsewhere than their makefile thinks.
    sed -i "s,/usr/src,$work/usr/src," "$headers/Makefile"
    cp "$RECIPE/Makefile" "$work/module/"
    "$RECIPE/xen-hcd-source" --tarball "$tarball" "$work/module" drivers/usb/host/xen-hcd.c tools/usb/testusb.c ||
        die "the kernel's source lacks what the lab needs"
    {
        make -C "$headers" M="$work/module" modules &&
            strip --strip-debug "$work/module/xen-hcd.ko" &&
            cp "$work/module/xen-hcd.ko" "$root/usr/lib/modules/$kver/updates/dkms/" &&
            gcc -O2 -static -o "$out" "$work/module/testusb.c" -lpthread
    } >"$work/log" 2>&1 || { tail -20 "$work/log" >&2; die "xen-hcd or testusb cannot be built"; }
    rm -rf "$work"
}

# What both flavours of Dom0 find in their root file system.
configure_root() {
    local root=$1
    echo dom0 >"$root/etc/hostname"
    echo '127.0.0.1 localhost dom0' >"$root/etc/hosts"
    echo '/dev/vda / ext4 rw,noatime 0 0' >"$root/etc/fstab"
    : >"$root/etc/machine-id"
    printf '%s\n' xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs virtio_net \
        virtio_console >"$root/etc/modules-load.d/xenlab.conf"
    # The log of every guest console is what the helper `domu` reads answers from.
    printf '%s\n' 'XENCONSOLED_ARGS="--log=guest --log-dir=/var/log/xen/console"' \
        >>"$root/etc/default/xen"
    mkdir -p "$root/var/log/xen/console" "$root/payload"
    passwd -R "$root" -d root >/dev/null 2>&1 || true
    # Guests are created and destroyed by the scenarios only.
    rm -f "$root"/etc/rc?.d/S??xendomains
    # A clock, a timer or a name service that starts on its own disturbs measurements.
    rm -f "$root"/etc/systemd/system/timers.target.wants/* \
        "$root"/etc/systemd/system/*/systemd-timesyncd.service
}

# Copy modules with their dependencies into TREE/lib/modules.
copy_modules() {
    local root=$1 tree=$2 kver=$3 path
    shift 3
    for path in $(modprobe -d "$root" -S "$kver" -a --show-depends "$@" |
        awk '$1 == "insmod" {print $2}' | sort -u); do
        path=${path#"$root"}
        mkdir -p "$tree/$(dirname "$path")"
        cp "$root$path" "$tree$path"
    done
    cp "$root/usr/lib/modules/$kver"/modules.{order,builtin,builtin.modinfo} \
        "$tree/lib/modules/$kver/"
    depmod -b "$tree" "$kver"
}

pack() { (cd "$1" && find . -print0 | cpio --quiet -0 -o -H newc -R 0:0); }

busybox_tree() {
    mkdir -p "$1"/{bin,dev,proc,sys,root,tmp,run,lib,etc}
    cp "$2/usr/bin/busybox" "$1/bin/busybox"
    ln -s busybox "$1/bin/sh"
}

build_dom0_initrd() {
    local root=$1 kver=$2 out=$3
    local tree=$root.initrd
    busybox_tree "$tree" "$root"
    mkdir -p "$tree/lib/modules/$kver"
    copy_modules "$root" "$tree" "$kver" virtio_pci virtio_blk crc32c_generic ext4
    install -m 755 "$LAB/dom0/initramfs" "$tree/init"
    pack "$tree" | gzip -1 >"$out"
    rm -rf "$tree"
}

# Programs of the Dom0 root with the libraries they link.
copy_programs() {
    local root=$1 tree=$2 prog lib
    shift 2
    mkdir -p "$tree/usr/bin" "$tree/lib64"
    for prog; do
        prog=$(chroot "$root" which "$prog")
        cp "$root$prog" "$tree/usr/bin/"
        for lib in $(chroot "$root" ldd "$prog" | grep -o '/[^ ]*'); do
            mkdir -p "$tree/$(dirname "$lib")"
            cp -L "$root$lib" "$tree$lib"
        done
    done
}

build_domu_base() {
    local root=$1 kver=$2 out=$3
    local tree=$root.domu
    busybox_tree "$tree" "$root"
    mkdir -p "$tree/lib/modules/$kver"
    copy_programs "$root" "$tree" iperf3 ethtool ip socat tcpdump
    copy_modules "$root" "$tree" "$kver" xen-netfront
    pack "$tree" >"$out"
    rm -rf "$tree"
}

# On top of the base in guests that use USB; modprobe's tables are here once more, for the modules of both. busybox's own
# dd cannot read past the page cache.
build_domu_usb() {
    local root=$1 kver=$2 testusb=$3 out=$4
    local tree=$root.domu
    mkdir -p "$tree/lib/modules/$kver"
    copy_programs "$root" "$tree" dd mke2fs
    copy_modules "$root" "$tree" "$kver" xen-netfront xen-hcd usbtest usb-storage sd_mod cdc-acm \
        ftdi_sio usbhid hid-generic evdev ext4 crc32c_generic
    install -m 755 "$testusb" "$tree/usr/bin/testusb"
    pack "$tree" >"$out"
    rm -rf "$tree"
}

build_image() {
    local dir=$1 root=$1/root kver
    build_root "$root" "$dir/debootstrap.log"
    kver=$(basename "$(echo "$root"/usr/lib/modules/*)")
    configure_root "$root"
    progress "the guest's USB driver, from the kernel's source package"
    build_usb "$root" "$kver" "$dir/testusb"
    depmod -b "$root" "$kver"
    progress "initramfs and disk image"
    zcat "$root.boot"/boot/xen-4.17-amd64.gz >"$dir/xen.elf"
    cp "$root.boot/boot/vmlinuz-$kver" "$dir/vmlinuz"
    build_dom0_initrd "$root" "$kver" "$dir/dom0-initrd.gz"
    build_domu_base "$root" "$kver" "$dir/domu-base.cpio"
    build_domu_usb "$root" "$kver" "$dir/testusb" "$dir/domu-usb.cpio"
    truncate -s 3G "$dir/dom0.img"
    mkfs.ext4 -q -F -L dom0 -d "$root" "$dir/dom0.img" || die "mkfs.ext4 failed"
    echo "$kver" >"$dir/kver"
    rm -rf "$root" "$root.boot" "$dir/testusb"
}

# Sets IMAGE to a folder with a complete image; builds it if it is not there.
# The rename at the end makes a half-built image impossible.
prepare_image() {
    local tmp
    mkdir -p "$CACHE" || die "cannot create $CACHE"
    exec 8>"$CACHE/lock"
    flock -n 8 || { progress "another run builds an image, waiting"; flock 8; }
    IMAGE=$CACHE/$(image_key)
    if [[ ! -d $IMAGE ]]; then
        tmp=$(mktemp -d "$CACHE/tmp.image.XXXXXX")
        # A subshell, so that `die` inside leaves nothing behind.
        (build_image "$tmp") || { rm -rf "$tmp"; exec 8>&-; return 1; }
        chmod 755 "$tmp"
        mv "$tmp" "$IMAGE"
        progress "image ready: $IMAGE"
    fi
    exec 8>&-
}
