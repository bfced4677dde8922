# SPDX-License-Identifier: GPL-2.0-or-later
# libnetback.a: everything but main, so that tests and fuzzers link the real daemon.
noinst_LIBRARIES += netback-team/libnetback.a
netback_team_libnetback_a_SOURCES = \
	netback-team/act.c netback-team/act.h netback-team/act_priv.h \
	netback-team/act_options.c netback-team/act_options.h \
	netback-team/act_run.c \
	netback-team/announce.c netback-team/announce.h \
	netback-team/bucket.c netback-team/bucket.h \
	netback-team/buf.c netback-team/buf.h \
	netback-team/claims.c netback-team/claims.h \
	netback-team/cost.c netback-team/cost.h \
	netback-team/csum.c netback-team/csum.h \
	netback-team/damp.c netback-team/damp.h \
	netback-team/delays.c netback-team/delays.h \
	netback-team/decide.c netback-team/decide.h \
	netback-team/dos.c netback-team/dos.h netback-team/dos_priv.h \
	netback-team/dos_alarm.c \
	netback-team/dos_ctl.c \
	netback-team/dos_frame.c netback-team/dos_frame.h \
	netback-team/dos_json.c netback-team/dos_json.h \
	netback-team/dos_keys.c netback-team/dos_keys.h \
	netback-team/dos_meter.c netback-team/dos_meter.h \
	netback-team/dos_metric.c \
	netback-team/dos_tick.c \
	netback-team/ecn.c netback-team/ecn.h \
	netback-team/events.c netback-team/events.h \
	netback-team/explain.c netback-team/explain.h \
	netback-team/fair.c netback-team/fair.h netback-team/fair_priv.h \
	netback-team/fair_config.c \
	netback-team/flow.c netback-team/flow.h \
	netback-team/frame.c netback-team/frame.h \
	netback-team/guard.c netback-team/guard.h netback-team/guard_priv.h \
	netback-team/guard_act.c \
	netback-team/guard_host.c netback-team/guard_host.h \
	netback-team/guard_profiles.c netback-team/guard_profiles.h \
	netback-team/guard_status.c \
	netback-team/guest_rx.c \
	netback-team/guest_take.c \
	netback-team/guest_tx.c \
	netback-team/guest_wait.c \
	netback-team/heap.c netback-team/heap.h \
	netback-team/hook.c netback-team/hook.h netback-team/hook_priv.h \
	netback-team/hook_child.c \
	netback-team/lacp.c netback-team/lacp.h netback-team/lacp_priv.h \
	netback-team/lacp_actor.c \
	netback-team/lacp_churn.c \
	netback-team/lacp_marker.c \
	netback-team/lacp_mux.c \
	netback-team/lacp_options.c netback-team/lacp_options.h \
	netback-team/lacp_pdu.c netback-team/lacp_pdu.h \
	netback-team/lacp_rx.c \
	netback-team/lacp_select.c \
	netback-team/lacp_status.c \
	netback-team/lacp_tx.c \
	netback-team/limit.c netback-team/limit.h \
	netback-team/linkwatch.c netback-team/linkwatch.h \
	netback-team/load.c netback-team/load.h \
	netback-team/member_word.c netback-team/member_word.h \
	netback-team/meter.h \
	netback-team/nap.c netback-team/nap.h \
	netback-team/netback.c netback-team/netback.h netback-team/netback_main.h \
	netback-team/netback_ctl.c \
	netback-team/netback_events.c \
	netback-team/netback_explain.c \
	netback-team/netback_keys.c netback-team/netback_keys.h \
	netback-team/netback_qos.c \
	netback-team/netback_top.c \
	netback-team/netif.c netback-team/netif.h \
	netback-team/nic.h \
	netback-team/nic_check.c \
	netback-team/nic_link.c netback-team/nic_link.h \
	netback-team/nic_names.c netback-team/nic_names.h \
	netback-team/nic_packet.c \
	netback-team/nic_rtnl.c netback-team/nic_rtnl.h \
	netback-team/pin.c netback-team/pin.h \
	netback-team/policy.c netback-team/policy.h \
	netback-team/probe.c netback-team/probe.h \
	netback-team/probe_frame.c netback-team/probe_frame.h \
	netback-team/punctual.c netback-team/punctual.h \
	netback-team/qos.c netback-team/qos.h \
	netback-team/qos_policy.c netback-team/qos_policy.h \
	netback-team/qos_relief.c netback-team/qos_relief.h \
	netback-team/qos_report.c netback-team/qos_report.h \
	netback-team/rebalance.c netback-team/rebalance.h \
	netback-team/relief.c netback-team/relief.h \
	netback-team/seat.h \
	netback-team/seen.c netback-team/seen.h \
	netback-team/segment.c \
	netback-team/shape.c netback-team/shape.h \
	netback-team/signature.c netback-team/signature.h netback-team/signature_priv.h \
	netback-team/signature_option.c \
	netback-team/signature_parse.c netback-team/signature_parse.h \
	netback-team/sketch.c netback-team/sketch.h \
	netback-team/spread.c netback-team/spread.h \
	netback-team/sticky.c netback-team/sticky.h \
	netback-team/switch.c netback-team/switch.h \
	netback-team/switch_copy.c netback-team/switch_copy.h \
	netback-team/team.c netback-team/team.h netback-team/team_priv.h \
	netback-team/team_guard.c netback-team/team_guard.h \
	netback-team/team_match.c \
	netback-team/team_roles.c \
	netback-team/team_state.c \
	netback-team/team_status.c \
	netback-team/team_words.c \
	netback-team/teams.c netback-team/teams_priv.h \
	netback-team/teams_lacp.c \
	netback-team/teams_members.c \
	netback-team/trace.c netback-team/trace.h \
	netback-team/uplink.c \
	netback-team/uplink_changes.c \
	netback-team/uplink_drain.c \
	netback-team/uplink_full.c \
	netback-team/uplink_lacp.c netback-team/uplink_lacp.h \
	netback-team/uplink_probe.c \
	netback-team/vif.c netback-team/vif.h netback-team/vif_json.c \
	netback-team/vifdev.c netback-team/vifdev_priv.h \
	netback-team/vifdev_status.c \
	netback-team/vlans.c netback-team/vlans.h \
	netback-team/water.c netback-team/water.h \
	netback-team/worker.c netback-team/worker.h

sbin_PROGRAMS += netback-team/netback-team
netback_team_netback_team_SOURCES = netback-team/main.c
netback_team_netback_team_LDADD = netback-team/libnetback.a common/libxbapp.a common/xen/libxbxen.a \
	common/libxbcommon.a $(XEN_LIBS) $(SYSTEMD_LIBS) $(JANSSON_LIBS) $(NL_LIBS) $(SECCOMP_LIBS) $(CAP_LIBS)
