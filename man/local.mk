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

# xenback-vmctl(8), vmctl.conf(5): where the program is. Its keys are in no daemon's table.
EXTRA_DIST += man/xenback-vmctl.8.pod man/vmctl.conf.5.pod
CLEANFILES += man/xenback-vmctl.8 man/vmctl.conf.5 man/vmctl-keys.pod man/vmctl.conf.5.pod.gen
if XENCTRL
man_MANS += man/xenback-vmctl.8 man/vmctl.conf.5
endif

noinst_PROGRAMS += tools/vmctl/rules-pod
tools_vmctl_rules_pod_SOURCES = tools/vmctl/rules_pod.c
tools_vmctl_rules_pod_LDADD = tools/vmctl/libvmctl.a common/libxbcommon.a $(JANSSON_LIBS)

man/vmctl-keys.pod: tools/vmctl/rules-pod$(EXEEXT)
	$(AM_V_GEN)mkdir -p man && ./tools/vmctl/rules-pod$(EXEEXT) >$@.tmp && mv $@.tmp $@
man/vmctl.conf.5.pod.gen: $(srcdir)/man/vmctl.conf.5.pod man/vmctl-keys.pod
	$(AM_V_GEN)sed -e '/^=for keys/{' -e 'r man/vmctl-keys.pod' -e 'd' -e '}' $(srcdir)/man/vmctl.conf.5.pod >$@.tmp && mv $@.tmp $@
man/vmctl.conf.5: man/vmctl.conf.5.pod.gen
	$(AM_V_GEN)$(MAN_POD2MAN) --section=5 --name=VMCTL.CONF man/vmctl.conf.5.pod.gen $@
man/xenback-vmctl.8: $(srcdir)/man/xenback-vmctl.8.pod
	$(AM_V_GEN)mkdir -p man && $(MAN_POD2MAN) --section=8 --name=XENBACK-VMCTL $(srcdir)/man/xenback-vmctl.8.pod $@
