# SPDX-License-Identifier: GPL-2.0-or-later
# Manual pages: POD (perlpod(1)); `=for keys` in xenback.conf.5.pod becomes the daemons' key tables.
man_MANS += man/netback-team.8 man/usbback.8 man/xenback.conf.5 man/xenbackctl.8 man/xenbox.8
MAN_PODS = man/netback-team.8.pod man/usbback.8.pod man/xenback.conf.5.pod man/xenbackctl.8.pod man/xenbox.8.pod
EXTRA_DIST += $(MAN_PODS)
CLEANFILES += man/netback-team.8 man/usbback.8 man/xenback.conf.5 man/xenbackctl.8 man/xenbox.8 man/keys.pod man/xenback.conf.5.pod.gen
MAN_POD2MAN = $(POD2MAN) --utf8 --center='xenback' --release='xenback $(PACKAGE_VERSION)'

noinst_PROGRAMS += netback-team/netback-pod
netback_team_netback_pod_SOURCES = netback-team/netback_pod.c
netback_team_netback_pod_LDADD = netback-team/libnetback.a common/libxbcommon.a

noinst_PROGRAMS += usbback/usbback-pod
usbback_usbback_pod_SOURCES = usbback/usbback_pod.c
usbback_usbback_pod_LDADD = usbback/libusbback.a common/libxbcommon.a

MAN_KEYS = ./netback-team/netback-pod$(EXEEXT) ./usbback/usbback-pod$(EXEEXT)
man/keys.pod: netback-team/netback-pod$(EXEEXT) usbback/usbback-pod$(EXEEXT)
	$(AM_V_GEN)mkdir -p man && for pod in $(MAN_KEYS); do $$pod || exit; done >$@.tmp && mv $@.tmp $@

man/xenback.conf.5.pod.gen: $(srcdir)/man/xenback.conf.5.pod man/keys.pod
	$(AM_V_GEN)sed -e '/^=for keys/{' -e 'r man/keys.pod' -e 'd' -e '}' $(srcdir)/man/xenback.conf.5.pod >$@.tmp && mv $@.tmp $@

man/xenback.conf.5: man/xenback.conf.5.pod.gen
	$(AM_V_GEN)$(MAN_POD2MAN) --section=5 --name=XENBACK.CONF man/xenback.conf.5.pod.gen $@
man/netback-team.8: $(srcdir)/man/netback-team.8.pod
	$(AM_V_GEN)mkdir -p man && $(MAN_POD2MAN) --section=8 --name=NETBACK-TEAM $(srcdir)/man/netback-team.8.pod $@
man/usbback.8: $(srcdir)/man/usbback.8.pod
	$(AM_V_GEN)mkdir -p man && $(MAN_POD2MAN) --section=8 --name=USBBACK $(srcdir)/man/usbback.8.pod $@
man/xenbackctl.8: $(srcdir)/man/xenbackctl.8.pod
	$(AM_V_GEN)mkdir -p man && $(MAN_POD2MAN) --section=8 --name=XENBACKCTL $(srcdir)/man/xenbackctl.8.pod $@
man/xenbox.8: $(srcdir)/man/xenbox.8.pod
	$(AM_V_GEN)mkdir -p man && $(MAN_POD2MAN) --section=8 --name=XENBOX $(srcdir)/man/xenbox.8.pod $@
