#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# clang-tidy with the checks of .clang-tidy, one TAP line a file. Too slow for `make check`: ./dev lint and CI run it.
. "$(dirname "$0")/lib.sh"
command -v clang-tidy >/dev/null || skip_all 'clang-tidy is not installed'

FLAGS=(-std=gnu11 -D_GNU_SOURCE -DSYSCONFDIR='"/etc"' -DLIBEXECDIR='"/usr/libexec/xenback"' -I "$BUILD" -I . -I common)
read -r -a PACKAGES < <(pkg-config --cflags libnl-3.0 jansson libsystemd libusb-1.0 2>/dev/null)
FLAGS+=("${PACKAGES[@]}")
# One test's; it may be missing.
read -r -a PACKAGES < <(pkg-config --cflags umockdev-1.0 2>/dev/null)
FLAGS+=("${PACKAGES[@]}")

OUT=$(mktemp -d)
trap 'rm -rf "$OUT"' EXIT
# bondpeer.c needs DPDK, which packages.list leaves out.
mapfile -t FILES < <(c_files | grep '\.c$' | grep -vx tests/net/bondpeer.c)
# One process a file, as many as there are processors; each writes its findings to a file of its own.
export OUT
# shellcheck disable=SC2016 # the inner shell expands it
printf '%s\0' "${FILES[@]}" | xargs -0 -P "$(nproc)" -I '{}' sh -c '
    file=$1; shift
    clang-tidy --quiet "$file" -- "$@" >"$OUT/$(echo "$file" | tr / _)" 2>"$OUT/$(echo "$file" | tr / _).err" ||
        cat "$OUT/$(echo "$file" | tr / _).err" >>"$OUT/$(echo "$file" | tr / _)"' sh '{}' "${FLAGS[@]}"
for file in "${FILES[@]}"; do
    no_lines "$file" "$(grep -E '(warning|error):' "$OUT/${file//\//_}" | sort -u)"
done
done_testing
