# SPDX-License-Identifier: GPL-2.0-or-later

# What the command-line tool decides without asking anybody, for it and for its tests.
noinst_LIBRARIES += tools/libxbtools.a
tools_libxbtools_a_SOURCES = tools/openmetrics.c tools/openmetrics.h \
	tools/top_priv.h tools/top_rows.c tools/top_view.c tools/top_view.h

# The command-line tool: a client of the control sockets and of xenstore.
sbin_PROGRAMS += tools/xenbackctl
tools_xenbackctl_SOURCES = \
	tools/xenbackctl.c tools/xenbackctl.h \
	tools/xenbackctl_metrics.c tools/xenbackctl_metrics.h tools/xenbackctl_metrics_top.c \
	tools/xenbackctl_conf.c tools/xenbackctl_daemon.c tools/xenbackctl_device.c \
	tools/xenbackctl_dos.c tools/xenbackctl_events.c \
	tools/xenbackctl_explain.c \
	tools/xenbackctl_sample.c tools/xenbackctl_sample.h tools/xenbackctl_store.c \
	tools/xenbackctl_top.c tools/xenbackctl_vm.c \
	tools/xenbackctl_lacp.c tools/xenbackctl_object.c tools/xenbackctl_render.c \
	tools/xenbackctl_qos.c tools/xenbackctl_tables.c tools/xenbackctl_team.c tools/xenbackctl_usb.c tools/xenbackctl_vif.c
tools_xenbackctl_LDADD = tools/libxbtools.a common/xen/libxbxen.a common/libxbcommon.a \
	$(XEN_LIBS) $(JANSSON_LIBS) $(SYSTEMD_LIBS) $(NCURSES_LIBS) $(MICROHTTPD_LIBS)

# What a monitoring system shows of the metrics.
dist_pkgdata_DATA = tools/grafana-xenback.json

# Dom0: the hotplug script of xl, and what keeps the kernel's backend away.
xenscriptsdir = $(sysconfdir)/xen/scripts
dist_xenscripts_SCRIPTS = tools/vif-team
modprobeconfdir = $(sysconfdir)/modprobe.d
modprobeconf_DATA = tools/modprobe.d/xenback.conf
EXTRA_DIST += tools/xenback-modprobe.conf
CLEANFILES += $(modprobeconf_DATA)

$(modprobeconf_DATA): $(srcdir)/tools/xenback-modprobe.conf
	$(AM_V_GEN)mkdir -p tools/modprobe.d && cp $(srcdir)/tools/xenback-modprobe.conf $@

# USB devices that are kept for guests: the rule that reserves them, the list.
udevrulesdir = $(prefix)/lib/udev/rules.d
udevrules_DATA = tools/70-xenback-usb.rules
xenbackconfdir = $(sysconfdir)/xenback
dist_xenbackconf_DATA = tools/usb-reserve.conf
EXTRA_DIST += tools/70-xenback-usb.rules.in
CLEANFILES += tools/70-xenback-usb.rules

tools/70-xenback-usb.rules: $(srcdir)/tools/70-xenback-usb.rules.in Makefile
	$(AM_V_GEN)mkdir -p tools && sed -e 's,@sysconfdir[@],$(sysconfdir),g' -e 's,@pkglibexecdir[@],$(pkglibexecdir),g' \
		$(srcdir)/tools/70-xenback-usb.rules.in >$@.tmp && mv $@.tmp $@

# Guests: the recipe by which they build their USB driver.
xenhcddir = $(pkgdatadir)/xen-hcd-dkms
dist_xenhcd_DATA = tools/xen-hcd-dkms/Makefile tools/xen-hcd-dkms/dkms.conf
dist_xenhcd_SCRIPTS = tools/xen-hcd-dkms/xen-hcd-source

# The toolstack of a xenbox.
bin_SCRIPTS += tools/xenbox-xl
EXTRA_DIST += tools/xenbox-xl

# A guest of a xenbox: vifs with a real network stack behind them.
bin_PROGRAMS += tools/xenbox-guest
tools_xenbox_guest_SOURCES = \
	tools/xenbox-guest.c \
	tools/xenbox-guest-device.c tools/xenbox-guest-device.h \
	tools/xenbox-guest-tap.c tools/xenbox-guest-tap.h
tools_xenbox_guest_LDADD = $(GUEST_LIBS)

# A guest of a xenbox that uses USB devices.
bin_PROGRAMS += tools/xenbox-guest-usb
tools_xenbox_guest_usb_SOURCES = \
	tools/xenbox-guest-usb.c tools/xenbox-guest-usb.h \
	tools/xenbox-guest-usb-cmd.c tools/xenbox-guest-usb-disk.c tools/xenbox-guest-usb-stream.c
tools_xenbox_guest_usb_LDADD = $(GUEST_LIBS)

# A Xen in a box, for machines without one.
sbin_PROGRAMS += tools/xenbox
tools_xenbox_SOURCES = tools/xenbox.c
tools_xenbox_LDADD = common/xen/libxbxen.a common/libxbcommon.a $(XEN_LIBS) $(SYSTEMD_LIBS) $(JANSSON_LIBS)
