# SPDX-License-Identifier: GPL-2.0-or-later
# Units and what systemd loads for them. Paths of programs are known to make only, hence sed.
systemdsystemunit_DATA = systemd/netback-team.service systemd/usbback.service systemd/xenback-metrics.service
modulesloaddir = $(prefix)/lib/modules-load.d
dist_modulesload_DATA = systemd/xenback-modules.conf
pkglibexec_SCRIPTS += systemd/netback-netns
EXTRA_DIST += systemd/netback-team.service.in systemd/usbback.service.in systemd/xenback-metrics.service.in systemd/netback-netns
CLEANFILES += systemd/netback-team.service systemd/usbback.service systemd/xenback-metrics.service

systemd/%.service: $(srcdir)/systemd/%.service.in Makefile
	$(AM_V_GEN)mkdir -p systemd && sed -e 's,@sbindir[@],$(sbindir),g' -e 's,@pkglibexecdir[@],$(pkglibexecdir),g' \
		-e 's,@sysconfdir[@],$(sysconfdir),g' \
		$< >$@.tmp && mv $@.tmp $@

# Where libxenctrl is: the program that does things with guests.
EXTRA_DIST += systemd/xenback-vmctl.service.in systemd/xenback-vmctl.socket
CLEANFILES += systemd/xenback-vmctl.service
if XENCTRL
systemdsystemunit_DATA += systemd/xenback-vmctl.service systemd/xenback-vmctl.socket
endif
