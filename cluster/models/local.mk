# SPDX-License-Identifier: GPL-2.0-or-later
# Device models: USB devices in software, for usbback and for the servers of a cluster.
noinst_LIBRARIES += cluster/models/libxbmodels.a
cluster_models_libxbmodels_a_SOURCES = \
	cluster/models/models.h \
	cluster/models/model.h \
	cluster/models/model_ch9.c cluster/models/model_ch9.h \
	cluster/models/model_desc.c cluster/models/model_desc.h \
	cluster/models/bot.c cluster/models/bot.h \
	cluster/models/scsi.c cluster/models/scsi.h \
	cluster/models/scsi_pages.c cluster/models/scsi_priv.h
