#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The box behaves as Xen does: two domains on a xenbox. The program prints the TAP; its exit status only repeats it.
. "$(dirname "$0")/with-box.sh"
"$BUILD/tests/conformance/xen-conformance" --xen "box:$BOX_DIR" || box_log
