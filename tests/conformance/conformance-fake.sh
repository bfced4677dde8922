#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The fake behaves as Xen does. The program prints the TAP; its exit status only repeats it.
BUILD=${XENBACK_BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}
"$BUILD/tests/conformance/xen-conformance" --xen fake || true
