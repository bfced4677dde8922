# SPDX-License-Identifier: GPL-2.0-or-later
# Device models: USB devices in software, for usbback and for the servers of a cluster.
EXTRA_DIST += cluster/models/models.h
