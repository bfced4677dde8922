# SPDX-License-Identifier: GPL-2.0-or-later
# xenback-vmctl: what it does with guests. The program itself needs libxenctrl; tests have a hypervisor of their own.
noinst_LIBRARIES += tools/vmctl/libvmctl.a
tools_vmctl_libvmctl_a_SOURCES = \
	tools/vmctl/cli.c tools/vmctl/cli.h tools/vmctl/direct.c \
	tools/vmctl/command.c tools/vmctl/command.h \
	tools/vmctl/guest.c tools/vmctl/guest.h \
	tools/vmctl/helper.c tools/vmctl/helper.h tools/vmctl/helper_child.c tools/vmctl/helper_wire.h \
	tools/vmctl/jobs.c tools/vmctl/jobs.h \
	tools/vmctl/ledger.c tools/vmctl/ledger.h \
	tools/vmctl/rules.c tools/vmctl/rules.h tools/vmctl/rules_keys.c \
	tools/vmctl/runner.c tools/vmctl/runner.h \
	tools/vmctl/serve.c tools/vmctl/serve.h \
	tools/vmctl/service.c tools/vmctl/service.h tools/vmctl/service_priv.h tools/vmctl/service_conf.c \
	tools/vmctl/service_pause.c tools/vmctl/service_question.c tools/vmctl/service_verbs.c \
	common/xen/vms.h
# app.c opens the Xen seam, so its libraries come along.
VMCTL_LIBS = tools/vmctl/libvmctl.a common/libxbapp.a common/xen/libxbxen.a common/libxbcommon.a \
	$(XEN_LIBS) $(JANSSON_LIBS) $(SYSTEMD_LIBS) $(CAP_LIBS) $(SECCOMP_LIBS)

EXTRA_DIST += tools/vmctl.conf
if XENCTRL
sbin_PROGRAMS += tools/vmctl/xenback-vmctl
tools_vmctl_xenback_vmctl_SOURCES = tools/vmctl/main.c common/xen/real_vms.c
tools_vmctl_xenback_vmctl_LDADD = $(VMCTL_LIBS) $(XENCTRL_LIBS)
xenbackconf_DATA = tools/vmctl.conf
endif
