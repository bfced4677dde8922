# SPDX-License-Identifier: GPL-2.0-or-later

# The command-line tool: a client of the control sockets and of xenstore.
sbin_PROGRAMS += tools/xenbackctl
tools_xenbackctl_SOURCES = \
	tools/xenbackctl.c tools/xenbackctl.h \
	tools/xenbackctl_conf.c tools/xenbackctl_daemon.c \
	tools/xenbackctl_object.c tools/xenbackctl_render.c \
	tools/xenbackctl_team.c tools/xenbackctl_vif.c
tools_xenbackctl_LDADD = common/xen/libxbxen.a common/libxbcommon.a \
	$(XEN_LIBS) $(JANSSON_LIBS) $(SYSTEMD_LIBS)
