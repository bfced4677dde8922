# SPDX-License-Identifier: GPL-2.0-or-later
# What every program needs. libxbcommon knows neither Xen nor any daemon.
noinst_LIBRARIES += common/libxbcommon.a
common_libxbcommon_a_SOURCES = \
	common/child.c common/child.h \
	common/clock.c common/clock.h \
	common/ctl.c common/ctl.h common/ctl_client.c \
	common/cursor.c common/cursor.h \
	common/keys.c common/keys.h common/keys_doc.c common/keys_file.c \
	common/keys_json.c common/keys_json.h \
	common/log.c common/log.h \
	common/mailbox.c common/mailbox.h \
	common/stats.c common/stats.h \
	common/util.c common/util.h \
	common/vmctl.c common/vmctl.h common/vmctl_wire.c common/vmctl_wire.h

# The daemons' skeleton, apart because it calls up into Xen's seam.
noinst_LIBRARIES += common/libxbapp.a
common_libxbapp_a_SOURCES = \
	common/app.c common/app.h common/app_priv.h \
	common/app_commands.c common/app_rights.c
