#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Xen's library works on the box's store, and the seam's real store survives its restarts.
. "$(dirname "$0")/with-box.sh"
export XENSTORED_PATH=$BOX_DIR/xenstored.sock
"$BUILD/tests/conformance/conformance-libxenstore" "$BOX_PID" || box_log
