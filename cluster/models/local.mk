# SPDX-License-Identifier: GPL-2.0-or-later
# Device models: USB devices in software, for usbback and for the servers of a cluster.
noinst_LIBRARIES += cluster/models/libxbmodels.a
cluster_models_libxbmodels_a_SOURCES = \
	cluster/models/models.c cluster/models/models.h \
	cluster/models/model.h \
	cluster/models/model_ch9.c cluster/models/model_ch9.h \
	cluster/models/model_desc.c cluster/models/model_desc.h \
	cluster/models/model_host.c cluster/models/model_host.h \
	cluster/models/model_spec.c cluster/models/model_spec.h \
	cluster/models/bot.c cluster/models/bot.h \
	cluster/models/disk.c cluster/models/disk.h \
	cluster/models/disk_io.c cluster/models/disk_io.h \
	cluster/models/hid.c cluster/models/hid.h \
	cluster/models/hid_input.c cluster/models/hid_input.h \
	cluster/models/hid_keys.c cluster/models/hid_keys.h \
	cluster/models/scsi.c cluster/models/scsi.h \
	cluster/models/scsi_pages.c cluster/models/scsi_priv.h \
	cluster/models/serial.c cluster/models/serial.h \
	cluster/models/source_sink.c cluster/models/source_sink.h
