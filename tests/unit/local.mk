# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests: one cmocka program a module. Each block: UNIT_TESTS += ..., SOURCES, LDADD.
UNIT_TESTS =
UNIT_LIBS = common/libxbcommon.a $(CMOCKA_LIBS) $(JANSSON_LIBS) $(SYSTEMD_LIBS) $(CAP_LIBS) $(SECCOMP_LIBS)
UNIT_XEN_LIBS = common/xen/libxbxen.a $(UNIT_LIBS) $(XEN_LIBS)
UNIT_NET_LIBS = netback-team/libnetback.a $(UNIT_XEN_LIBS) $(NL_LIBS)

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

UNIT_TESTS += tests/unit/test-xenbus
tests_unit_test_xenbus_SOURCES = tests/unit/test-xenbus.c
tests_unit_test_xenbus_LDADD = $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-util
tests_unit_test_util_SOURCES = tests/unit/test-util.c
tests_unit_test_util_LDADD = $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-clock
tests_unit_test_clock_SOURCES = tests/unit/test-clock.c
tests_unit_test_clock_LDADD = $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-cursor
tests_unit_test_cursor_SOURCES = tests/unit/test-cursor.c
tests_unit_test_cursor_LDADD = $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-log
tests_unit_test_log_SOURCES = tests/unit/test-log.c
tests_unit_test_log_LDADD = $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-keys
tests_unit_test_keys_SOURCES = tests/unit/test-keys.c
tests_unit_test_keys_LDADD = $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-stats
tests_unit_test_stats_SOURCES = tests/unit/test-stats.c
tests_unit_test_stats_LDADD = $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-ctl
tests_unit_test_ctl_SOURCES = tests/unit/test-ctl.c tests/unit/ctl-bench.c tests/unit/ctl-bench.h
tests_unit_test_ctl_LDADD = $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-ctl-client
tests_unit_test_ctl_client_SOURCES = tests/unit/test-ctl-client.c tests/unit/ctl-bench.c tests/unit/ctl-bench.h
tests_unit_test_ctl_client_LDADD = $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-vmctl
tests_unit_test_vmctl_SOURCES = tests/unit/test-vmctl.c
tests_unit_test_vmctl_LDADD = $(UNIT_LIBS)

UNIT_VMCTL_LIBS = $(VMCTL_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test-vmctl-service
tests_unit_test_vmctl_service_SOURCES = tests/unit/test-vmctl-service.c tests/unit/vms-fake.c tests/unit/vms-fake.h
tests_unit_test_vmctl_service_LDADD = $(UNIT_VMCTL_LIBS)

UNIT_TESTS += tests/unit/test-vmctl-ledger
tests_unit_test_vmctl_ledger_SOURCES = tests/unit/test-vmctl-ledger.c
tests_unit_test_vmctl_ledger_LDADD = $(UNIT_VMCTL_LIBS)

UNIT_TESTS += tests/unit/test-vmctl-rules
tests_unit_test_vmctl_rules_SOURCES = tests/unit/test-vmctl-rules.c
tests_unit_test_vmctl_rules_LDADD = $(UNIT_VMCTL_LIBS)

UNIT_TESTS += tests/unit/test-vmctl-helper
tests_unit_test_vmctl_helper_SOURCES = tests/unit/test-vmctl-helper.c
tests_unit_test_vmctl_helper_LDADD = $(UNIT_VMCTL_LIBS)

UNIT_TESTS += tests/unit/test-app
tests_unit_test_app_SOURCES = tests/unit/test-app.c
tests_unit_test_app_LDADD = common/libxbapp.a $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-app-rights
tests_unit_test_app_rights_SOURCES = tests/unit/test-app-rights.c
tests_unit_test_app_rights_LDADD = common/libxbapp.a $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-top-view
tests_unit_test_top_view_SOURCES = tests/unit/test-top-view.c
tests_unit_test_top_view_LDADD = tools/libxbtools.a $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-openmetrics
tests_unit_test_openmetrics_SOURCES = tests/unit/test-openmetrics.c tests/unit/openmetrics-lint.c tests/unit/openmetrics-lint.h
tests_unit_test_openmetrics_LDADD = tools/libxbtools.a $(UNIT_LIBS)

check_PROGRAMS += tests/unit/openmetrics-stdin
tests_unit_openmetrics_stdin_SOURCES = tests/unit/openmetrics-stdin.c tests/unit/openmetrics-lint.c tests/unit/openmetrics-lint.h
tests_unit_openmetrics_stdin_LDADD = common/libxbcommon.a

# xenbackctl, against a daemon that answers from a file.
check_PROGRAMS += tests/unit/ctl-canned
tests_unit_ctl_canned_SOURCES = tests/unit/ctl-canned.c
tests_unit_ctl_canned_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test-xenbackctl.sh
EXTRA_DIST += tests/unit/test-xenbackctl.sh tests/unit/xenbackctl

UNIT_TESTS += tests/unit/test-announce
tests_unit_test_announce_SOURCES = tests/unit/test-announce.c
tests_unit_test_announce_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-claims
tests_unit_test_claims_SOURCES = tests/unit/test-claims.c
tests_unit_test_claims_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-mailbox
tests_unit_test_mailbox_SOURCES = tests/unit/test-mailbox.c
tests_unit_test_mailbox_LDADD = $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-buf
tests_unit_test_buf_SOURCES = tests/unit/test-buf.c
tests_unit_test_buf_LDADD = $(UNIT_NET_LIBS)

# Bandwidth: what a frame costs, limits, who is next, what becomes of a frame; on a simulated link.
FAIR_LAB = tests/unit/fair-lab.c tests/unit/fair-lab.h
FAIR_LAB_LIBS = $(UNIT_NET_LIBS) -lm
UNIT_TESTS += tests/unit/test-cost
tests_unit_test_cost_SOURCES = tests/unit/test-cost.c
tests_unit_test_cost_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-heap
tests_unit_test_heap_SOURCES = tests/unit/test-heap.c
tests_unit_test_heap_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-limit
tests_unit_test_limit_SOURCES = tests/unit/test-limit.c
tests_unit_test_limit_LDADD = $(FAIR_LAB_LIBS)

UNIT_TESTS += tests/unit/test-nap
tests_unit_test_nap_SOURCES = tests/unit/test-nap.c
tests_unit_test_nap_LDADD = $(FAIR_LAB_LIBS)

UNIT_TESTS += tests/unit/test-water
tests_unit_test_water_SOURCES = tests/unit/test-water.c
tests_unit_test_water_LDADD = $(FAIR_LAB_LIBS)

UNIT_TESTS += tests/unit/test-decide
tests_unit_test_decide_SOURCES = tests/unit/test-decide.c
tests_unit_test_decide_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-fair-share
tests_unit_test_fair_share_SOURCES = tests/unit/test-fair-share.c $(FAIR_LAB)
tests_unit_test_fair_share_LDADD = $(FAIR_LAB_LIBS)

UNIT_TESTS += tests/unit/test-fair-examples
tests_unit_test_fair_examples_SOURCES = tests/unit/test-fair-examples.c $(FAIR_LAB)
tests_unit_test_fair_examples_LDADD = $(FAIR_LAB_LIBS)

UNIT_TESTS += tests/unit/test-fair-minimum
tests_unit_test_fair_minimum_SOURCES = tests/unit/test-fair-minimum.c $(FAIR_LAB)
tests_unit_test_fair_minimum_LDADD = $(FAIR_LAB_LIBS)

UNIT_TESTS += tests/unit/test-fair-live
tests_unit_test_fair_live_SOURCES = tests/unit/test-fair-live.c $(FAIR_LAB)
tests_unit_test_fair_live_LDADD = $(FAIR_LAB_LIBS)

UNIT_TESTS += tests/unit/test-shape
tests_unit_test_shape_SOURCES = tests/unit/test-shape.c
tests_unit_test_shape_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-netif
tests_unit_test_netif_SOURCES = tests/unit/test-netif.c
tests_unit_test_netif_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-guest-tx
tests_unit_test_guest_tx_SOURCES = tests/unit/test-guest-tx.c tests/unit/datapath.c tests/unit/datapath.h
tests_unit_test_guest_tx_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-ecn
tests_unit_test_ecn_SOURCES = tests/unit/test-ecn.c
tests_unit_test_ecn_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-guest-wait
tests_unit_test_guest_wait_SOURCES = tests/unit/test-guest-wait.c tests/unit/datapath.c tests/unit/datapath.h
tests_unit_test_guest_wait_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-guest-qos
tests_unit_test_guest_qos_SOURCES = tests/unit/test-guest-qos.c tests/unit/datapath.c tests/unit/datapath.h
tests_unit_test_guest_qos_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-uplink
tests_unit_test_uplink_SOURCES = tests/unit/test-uplink.c tests/unit/datapath.c tests/unit/datapath.h
tests_unit_test_uplink_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-dos-keys
tests_unit_test_dos_keys_SOURCES = tests/unit/test-dos-keys.c
tests_unit_test_dos_keys_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-hook
tests_unit_test_hook_SOURCES = tests/unit/test-hook.c
tests_unit_test_hook_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-guard
tests_unit_test_guard_SOURCES = tests/unit/test-guard.c tests/unit/guard-lab.c tests/unit/guard-lab.h \
	tests/unit/datapath.c tests/unit/datapath.h
tests_unit_test_guard_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-guard-reserve
tests_unit_test_guard_reserve_SOURCES = tests/unit/test-guard-reserve.c tests/unit/guard-lab.c tests/unit/guard-lab.h \
	tests/unit/datapath.c tests/unit/datapath.h
tests_unit_test_guard_reserve_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-uplink-lacp
tests_unit_test_uplink_lacp_SOURCES = tests/unit/test-uplink-lacp.c tests/unit/datapath.c tests/unit/datapath.h
tests_unit_test_uplink_lacp_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-lacp-options
tests_unit_test_lacp_options_SOURCES = tests/unit/test-lacp-options.c
tests_unit_test_lacp_options_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-uplink-health
tests_unit_test_uplink_health_SOURCES = tests/unit/test-uplink-health.c tests/unit/datapath.c tests/unit/datapath.h
tests_unit_test_uplink_health_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-guest-rx
tests_unit_test_guest_rx_SOURCES = tests/unit/test-guest-rx.c tests/unit/datapath.c tests/unit/datapath.h
tests_unit_test_guest_rx_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-frame
tests_unit_test_frame_SOURCES = tests/unit/test-frame.c tests/unit/frame-build.c tests/unit/frame-build.h
tests_unit_test_frame_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-flow
tests_unit_test_flow_SOURCES = tests/unit/test-flow.c tests/unit/frame-build.c tests/unit/frame-build.h
tests_unit_test_flow_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-load
tests_unit_test_load_SOURCES = tests/unit/test-load.c
tests_unit_test_load_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-bucket
tests_unit_test_bucket_SOURCES = tests/unit/test-bucket.c
tests_unit_test_bucket_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-events
tests_unit_test_events_SOURCES = tests/unit/test-events.c
tests_unit_test_events_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-trace
tests_unit_test_trace_SOURCES = tests/unit/test-trace.c
tests_unit_test_trace_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-sticky
tests_unit_test_sticky_SOURCES = tests/unit/test-sticky.c
tests_unit_test_sticky_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-rebalance
tests_unit_test_rebalance_SOURCES = tests/unit/test-rebalance.c
tests_unit_test_rebalance_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-spread
tests_unit_test_spread_SOURCES = tests/unit/test-spread.c tests/unit/team-choose.h
tests_unit_test_spread_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-spread-modes
tests_unit_test_spread_modes_SOURCES = tests/unit/test-spread-modes.c tests/unit/team-choose.h
tests_unit_test_spread_modes_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-csum
tests_unit_test_csum_SOURCES = tests/unit/test-csum.c tests/unit/frame-build.c tests/unit/frame-build.h
tests_unit_test_csum_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-segment
tests_unit_test_segment_SOURCES = tests/unit/test-segment.c tests/unit/frame-build.c tests/unit/frame-build.h
tests_unit_test_segment_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-xenbackctl-conf
tests_unit_test_xenbackctl_conf_SOURCES = tests/unit/test-xenbackctl-conf.c \
	tools/xenbackctl_conf.c tools/xenbackctl_store.c tools/xenbackctl_object.c tools/xenbackctl_tables.c
tests_unit_test_xenbackctl_conf_LDADD = $(UNIT_LIBS)

# Manual pages against the programs.
TESTS += tests/unit/test-man.sh tests/unit/test-xen-hcd.sh
EXTRA_DIST += tests/unit/test-man.sh tests/unit/test-xen-hcd.sh

UNIT_TESTS += tests/unit/test-policy
tests_unit_test_policy_SOURCES = tests/unit/test-policy.c tests/unit/team-choose.h
tests_unit_test_policy_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-team
tests_unit_test_team_SOURCES = tests/unit/test-team.c tests/unit/team-choose.h tests/unit/team-lab.c tests/unit/team-lab.h
tests_unit_test_team_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-team-failback
tests_unit_test_team_failback_SOURCES = tests/unit/test-team-failback.c tests/unit/team-lab.c tests/unit/team-lab.h
tests_unit_test_team_failback_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-team-permit
tests_unit_test_team_permit_SOURCES = tests/unit/test-team-permit.c tests/unit/team-lab.c tests/unit/team-lab.h \
	tests/unit/team-choose.h
tests_unit_test_team_permit_LDADD = $(UNIT_NET_LIBS)
UNIT_TESTS += tests/unit/test-team-reserve
tests_unit_test_team_reserve_SOURCES = tests/unit/test-team-reserve.c tests/unit/team-lab.c tests/unit/team-lab.h \
	tests/unit/team-choose.h
tests_unit_test_team_reserve_LDADD = $(UNIT_NET_LIBS)
UNIT_TESTS += tests/unit/test-team-health
tests_unit_test_team_health_SOURCES = tests/unit/test-team-health.c tests/unit/team-lab.c tests/unit/team-lab.h tests/unit/team-choose.h
tests_unit_test_team_health_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-probe
tests_unit_test_probe_SOURCES = tests/unit/test-probe.c
tests_unit_test_probe_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-member-word
tests_unit_test_member_word_SOURCES = tests/unit/test-member-word.c
tests_unit_test_member_word_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-delays
tests_unit_test_delays_SOURCES = tests/unit/test-delays.c
tests_unit_test_delays_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-relief
tests_unit_test_relief_SOURCES = tests/unit/test-relief.c
tests_unit_test_relief_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-damp
tests_unit_test_damp_SOURCES = tests/unit/test-damp.c
tests_unit_test_damp_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-team-sim
tests_unit_test_team_sim_SOURCES = tests/unit/test-team-sim.c tests/unit/team-choose.h
tests_unit_test_team_sim_LDADD = $(UNIT_NET_LIBS)

# LACP: frames, then systems on cables that are simulated.
UNIT_TESTS += tests/unit/test-lacp-pdu
tests_unit_test_lacp_pdu_SOURCES = tests/unit/test-lacp-pdu.c
tests_unit_test_lacp_pdu_LDADD = $(UNIT_NET_LIBS)

LACP_LAB = tests/unit/lacp-lab.c tests/unit/lacp-lab.h
UNIT_TESTS += tests/unit/test-lacp
tests_unit_test_lacp_SOURCES = tests/unit/test-lacp.c $(LACP_LAB)
tests_unit_test_lacp_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-lacp-tx
tests_unit_test_lacp_tx_SOURCES = tests/unit/test-lacp-tx.c $(LACP_LAB)
tests_unit_test_lacp_tx_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-lacp-select
tests_unit_test_lacp_select_SOURCES = tests/unit/test-lacp-select.c $(LACP_LAB)
tests_unit_test_lacp_select_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-lacp-live
tests_unit_test_lacp_live_SOURCES = tests/unit/test-lacp-live.c $(LACP_LAB)
tests_unit_test_lacp_live_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-lacp-peers
tests_unit_test_lacp_peers_SOURCES = tests/unit/test-lacp-peers.c $(LACP_LAB)
tests_unit_test_lacp_peers_LDADD = $(UNIT_NET_LIBS)

# The box's frontend.
UNIT_TESTS += tests/unit/test-netfront
tests_unit_test_netfront_SOURCES = tests/unit/test-netfront.c tests/unit/netfront-stub.c tests/unit/netfront-stub.h
tests_unit_test_netfront_LDADD = tests/guest/libxbguest.a $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-netfront-peer
tests_unit_test_netfront_peer_SOURCES = tests/unit/test-netfront-peer.c tests/unit/netfront-stub.c tests/unit/netfront-stub.h
tests_unit_test_netfront_peer_LDADD = tests/guest/libxbguest.a $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-netfront-evil
tests_unit_test_netfront_evil_SOURCES = tests/unit/test-netfront-evil.c tests/unit/netfront-stub.c tests/unit/netfront-stub.h
tests_unit_test_netfront_evil_LDADD = tests/guest/libxbguest.a $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-xenbox-guest
tests_unit_test_xenbox_guest_SOURCES = tests/unit/test-xenbox-guest.c \
	tools/xenbox-guest-device.c tools/xenbox-guest-tap.c
tests_unit_test_xenbox_guest_LDADD = tests/guest/libxbguest.a $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-switch
tests_unit_test_switch_SOURCES = tests/unit/test-switch.c tests/unit/switch-lab.c tests/unit/switch-lab.h
tests_unit_test_switch_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-switch-rules
tests_unit_test_switch_rules_SOURCES = tests/unit/test-switch-rules.c tests/unit/switch-lab.c tests/unit/switch-lab.h
tests_unit_test_switch_rules_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-store
tests_unit_test_store_SOURCES = tests/unit/test-store.c tests/unit/store-bench.c tests/unit/store-bench.h
tests_unit_test_store_LDADD = $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-store-events
tests_unit_test_store_events_SOURCES = tests/unit/test-store-events.c tests/unit/store-bench.c tests/unit/store-bench.h
tests_unit_test_store_events_LDADD = $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-wire
tests_unit_test_wire_SOURCES = tests/unit/test-wire.c
tests_unit_test_wire_LDADD = $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-backend
tests_unit_test_backend_SOURCES = tests/unit/test-backend.c tests/unit/backend-bench.c tests/unit/backend-bench.h
tests_unit_test_backend_LDADD = $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-backend-faults
tests_unit_test_backend_faults_SOURCES = tests/unit/test-backend-faults.c tests/unit/backend-bench.c tests/unit/backend-bench.h
tests_unit_test_backend_faults_LDADD = $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-backend-store
tests_unit_test_backend_store_SOURCES = tests/unit/test-backend-store.c tests/unit/backend-bench.c tests/unit/backend-bench.h
tests_unit_test_backend_store_LDADD = $(UNIT_XEN_LIBS)

# The control thread of usbback on fakes of its neighbours.
USB_BENCH = tests/unit/usb-bench.c tests/unit/usb-bench.h tests/unit/usb-fakes.c tests/unit/usb-fakes.h
UNIT_TESTS += tests/unit/test-bindings
tests_unit_test_bindings_SOURCES = tests/unit/test-bindings.c $(USB_BENCH)
tests_unit_test_bindings_LDADD = usbback/libusbback.a $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-bindings-policy
tests_unit_test_bindings_policy_SOURCES = tests/unit/test-bindings-policy.c $(USB_BENCH)
tests_unit_test_bindings_policy_LDADD = usbback/libusbback.a $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-vusbdev
tests_unit_test_vusbdev_SOURCES = tests/unit/test-vusbdev.c $(USB_BENCH)
tests_unit_test_vusbdev_LDADD = usbback/libusbback.a $(UNIT_XEN_LIBS)

# The ring-serving half of usbback: what it reads, decides and remembers; then whole controllers on a fake Xen.
UNIT_TESTS += tests/unit/test-urb
tests_unit_test_urb_SOURCES = tests/unit/test-urb.c
tests_unit_test_urb_LDADD = usbback/libusbback.a $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-usb-descriptor
tests_unit_test_usb_descriptor_SOURCES = tests/unit/test-usb-descriptor.c
tests_unit_test_usb_descriptor_LDADD = usbback/libusbback.a $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-usb-port
tests_unit_test_usb_port_SOURCES = tests/unit/test-usb-port.c
tests_unit_test_usb_port_LDADD = usbback/libusbback.a $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-usb-journal
tests_unit_test_usb_journal_SOURCES = tests/unit/test-usb-journal.c
tests_unit_test_usb_journal_LDADD = usbback/libusbback.a $(UNIT_LIBS)

# The merging engine: what goes, and what comes back.
UNIT_TESTS += tests/unit/test-coalesce-issue
tests_unit_test_coalesce_issue_SOURCES = tests/unit/test-coalesce-issue.c tests/unit/coalesce-lab.c tests/unit/coalesce-lab.h
tests_unit_test_coalesce_issue_LDADD = usbback/libusbback.a $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-coalesce
tests_unit_test_coalesce_SOURCES = tests/unit/test-coalesce.c tests/unit/coalesce-lab.c tests/unit/coalesce-lab.h
tests_unit_test_coalesce_LDADD = usbback/libusbback.a $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-coalesce-unlink
tests_unit_test_coalesce_unlink_SOURCES = tests/unit/test-coalesce-unlink.c tests/unit/coalesce-lab.c tests/unit/coalesce-lab.h
tests_unit_test_coalesce_unlink_LDADD = usbback/libusbback.a $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test-quirk
tests_unit_test_quirk_SOURCES = tests/unit/test-quirk.c
tests_unit_test_quirk_LDADD = usbback/libusbback.a $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-usb-pool
tests_unit_test_usb_pool_SOURCES = tests/unit/test-usb-pool.c tests/unit/usb-fake-host.c tests/unit/usb-fake-host.h
tests_unit_test_usb_pool_LDADD = usbback/libusbback.a $(UNIT_LIBS)

VUSB_LAB = tests/unit/vusb-lab.c tests/unit/vusb-lab.h tests/unit/xen-strict.c tests/unit/xen-strict.h tests/unit/usb-fake-host.c tests/unit/usb-fake-host.h
VUSB_LAB_LIBS = tests/guest/libxbguest.a usbback/libusbback.a $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-vusb-control
tests_unit_test_vusb_control_SOURCES = tests/unit/test-vusb-control.c $(VUSB_LAB)
tests_unit_test_vusb_control_LDADD = $(VUSB_LAB_LIBS)

UNIT_TESTS += tests/unit/test-vusb-data
tests_unit_test_vusb_data_SOURCES = tests/unit/test-vusb-data.c $(VUSB_LAB)
tests_unit_test_vusb_data_LDADD = $(VUSB_LAB_LIBS)

UNIT_TESTS += tests/unit/test-vusb-iso
tests_unit_test_vusb_iso_SOURCES = tests/unit/test-vusb-iso.c $(VUSB_LAB)
tests_unit_test_vusb_iso_LDADD = $(VUSB_LAB_LIBS)

UNIT_TESTS += tests/unit/test-vusb-memory
tests_unit_test_vusb_memory_SOURCES = tests/unit/test-vusb-memory.c $(VUSB_LAB)
tests_unit_test_vusb_memory_LDADD = $(VUSB_LAB_LIBS)

UNIT_TESTS += tests/unit/test-vusb-ahead
tests_unit_test_vusb_ahead_SOURCES = tests/unit/test-vusb-ahead.c $(VUSB_LAB)
tests_unit_test_vusb_ahead_LDADD = $(VUSB_LAB_LIBS)

UNIT_TESTS += tests/unit/test-vusb-storage
tests_unit_test_vusb_storage_SOURCES = tests/unit/test-vusb-storage.c $(VUSB_LAB)
tests_unit_test_vusb_storage_LDADD = $(VUSB_LAB_LIBS)

UNIT_TESTS += tests/unit/test-vusb-ports
tests_unit_test_vusb_ports_SOURCES = tests/unit/test-vusb-ports.c $(VUSB_LAB)
tests_unit_test_vusb_ports_LDADD = $(VUSB_LAB_LIBS)

UNIT_TESTS += tests/unit/test-vusb-evil
tests_unit_test_vusb_evil_SOURCES = tests/unit/test-vusb-evil.c $(VUSB_LAB)
tests_unit_test_vusb_evil_LDADD = $(VUSB_LAB_LIBS)

UNIT_TESTS += tests/unit/test-vusb-restart
tests_unit_test_vusb_restart_SOURCES = tests/unit/test-vusb-restart.c $(VUSB_LAB)
tests_unit_test_vusb_restart_LDADD = $(VUSB_LAB_LIBS)

UNIT_TESTS += tests/unit/test-vusb-thread
tests_unit_test_vusb_thread_SOURCES = tests/unit/test-vusb-thread.c $(VUSB_LAB)
tests_unit_test_vusb_thread_LDADD = $(VUSB_LAB_LIBS)

UNIT_TESTS += tests/unit/test-conflict
tests_unit_test_conflict_SOURCES = tests/unit/test-conflict.c
tests_unit_test_conflict_LDADD = $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-store-client
tests_unit_test_store_client_SOURCES = tests/unit/test-store-client.c
tests_unit_test_store_client_LDADD = $(UNIT_XEN_LIBS)

# The memory of box and fake, then processes that meet in a xenbox.
UNIT_TESTS += tests/unit/test-machine
tests_unit_test_machine_SOURCES = tests/unit/test-machine.c tests/unit/machine-lab.c tests/unit/machine-lab.h
tests_unit_test_machine_LDADD = $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-machine-threads
tests_unit_test_machine_threads_SOURCES = tests/unit/test-machine-threads.c tests/unit/machine-lab.c tests/unit/machine-lab.h
tests_unit_test_machine_threads_LDADD = $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-fake
tests_unit_test_fake_SOURCES = tests/unit/test-fake.c
tests_unit_test_fake_LDADD = $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-box
tests_unit_test_box_SOURCES = tests/unit/test-box.c tests/unit/box-lab.c tests/unit/box-lab.h
tests_unit_test_box_LDADD = $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-box-nonsense
tests_unit_test_box_nonsense_SOURCES = tests/unit/test-box-nonsense.c tests/unit/box-lab.c tests/unit/box-lab.h
tests_unit_test_box_nonsense_LDADD = $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-store-client-bad
tests_unit_test_store_client_bad_SOURCES = tests/unit/test-store-client-bad.c
tests_unit_test_store_client_bad_LDADD = $(UNIT_XEN_LIBS)

# The box's PVUSB frontend, and the USB stack above it.
UNIT_TESTS += tests/unit/test-usbfront
tests_unit_test_usbfront_SOURCES = tests/unit/test-usbfront.c tests/unit/usbfront-stub.c tests/unit/usbfront-stub.h
tests_unit_test_usbfront_LDADD = tests/guest/libxbguest.a $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-usbfront-peer
tests_unit_test_usbfront_peer_SOURCES = tests/unit/test-usbfront-peer.c tests/unit/usbfront-stub.c tests/unit/usbfront-stub.h
tests_unit_test_usbfront_peer_LDADD = tests/guest/libxbguest.a $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-usbfront-evil
tests_unit_test_usbfront_evil_SOURCES = tests/unit/test-usbfront-evil.c tests/unit/usbfront-stub.c tests/unit/usbfront-stub.h
tests_unit_test_usbfront_evil_LDADD = tests/guest/libxbguest.a $(UNIT_XEN_LIBS)

# usbback: devices of this machine, on a usbfs of the tests' own.
UNIT_USB_LIBS = usbback/libusbback.a common/libxbapp.a $(UNIT_XEN_LIBS) $(USB_LIBS)
USBFS_LAB = tests/unit/local-device.c tests/unit/local-device.h tests/unit/usbfs-mock.c tests/unit/usbfs-mock.h

UNIT_TESTS += tests/unit/test-host-libusb
tests_unit_test_host_libusb_SOURCES = tests/unit/test-host-libusb.c $(USBFS_LAB)
tests_unit_test_host_libusb_LDADD = $(UNIT_USB_LIBS)

UNIT_TESTS += tests/unit/test-host-libusb-change
tests_unit_test_host_libusb_change_SOURCES = tests/unit/test-host-libusb-change.c $(USBFS_LAB)
tests_unit_test_host_libusb_change_LDADD = $(UNIT_USB_LIBS)

UNIT_TESTS += tests/unit/test-usbdev
tests_unit_test_usbdev_SOURCES = tests/unit/test-usbdev.c tests/unit/usbdev-stub.c tests/unit/usbdev-stub.h \
	tests/unit/usbfront-stub.c tests/unit/usbfront-stub.h
tests_unit_test_usbdev_LDADD = tests/guest/libxbguest.a $(UNIT_XEN_LIBS)

UNIT_TESTS += tests/unit/test-usbdisk
tests_unit_test_usbdisk_SOURCES = tests/unit/test-usbdisk.c tests/unit/usbdev-stub.c tests/unit/usbdev-stub.h \
	tests/unit/usbfront-stub.c tests/unit/usbfront-stub.h
tests_unit_test_usbdisk_LDADD = tests/guest/libxbguest.a $(UNIT_XEN_LIBS)

# Device models, on a USB host of the tests.
UNIT_MODEL_LIBS = cluster/models/libxbmodels.a $(UNIT_LIBS)
UNIT_MODEL_LAB = tests/unit/usb-host-lab.c tests/unit/usb-host-lab.h

UNIT_TESTS += tests/unit/test-model-spec
tests_unit_test_model_spec_SOURCES = tests/unit/test-model-spec.c
tests_unit_test_model_spec_LDADD = $(UNIT_MODEL_LIBS)

UNIT_TESTS += tests/unit/test-model-source-sink
tests_unit_test_model_source_sink_SOURCES = tests/unit/test-model-source-sink.c $(UNIT_MODEL_LAB)
tests_unit_test_model_source_sink_LDADD = $(UNIT_MODEL_LIBS)

UNIT_TESTS += tests/unit/test-model-ch9
tests_unit_test_model_ch9_SOURCES = tests/unit/test-model-ch9.c $(UNIT_MODEL_LAB)
tests_unit_test_model_ch9_LDADD = $(UNIT_MODEL_LIBS)

UNIT_TESTS += tests/unit/test-model-bot
tests_unit_test_model_bot_SOURCES = tests/unit/test-model-bot.c tests/unit/bot-lab.c tests/unit/bot-lab.h
tests_unit_test_model_bot_LDADD = $(UNIT_MODEL_LIBS)

UNIT_TESTS += tests/unit/test-model-disk
tests_unit_test_model_disk_SOURCES = tests/unit/test-model-disk.c $(UNIT_MODEL_LAB)
tests_unit_test_model_disk_LDADD = $(UNIT_MODEL_LIBS)

UNIT_TESTS += tests/unit/test-model-scsi
tests_unit_test_model_scsi_SOURCES = tests/unit/test-model-scsi.c
tests_unit_test_model_scsi_LDADD = $(UNIT_MODEL_LIBS)

UNIT_TESTS += tests/unit/test-host-opener
tests_unit_test_host_opener_SOURCES = tests/unit/test-host-opener.c tests/unit/usb-tree.c tests/unit/usb-tree.h
tests_unit_test_host_opener_LDADD = $(UNIT_USB_LIBS)

UNIT_TESTS += tests/unit/test-reserve
tests_unit_test_reserve_SOURCES = tests/unit/test-reserve.c tests/unit/usb-tree.c tests/unit/usb-tree.h
tests_unit_test_reserve_LDADD = $(UNIT_USB_LIBS)

TESTS += tests/unit/test-usbback-reserve.sh
EXTRA_DIST += tests/unit/test-usbback-reserve.sh

UNIT_TESTS += tests/unit/test-hotplug
tests_unit_test_hotplug_SOURCES = tests/unit/test-hotplug.c
tests_unit_test_hotplug_CFLAGS = $(AM_CFLAGS) $(UMOCKDEV_CFLAGS)
tests_unit_test_hotplug_LDADD = $(UNIT_USB_LIBS) $(UMOCKDEV_LIBS)

UNIT_TESTS += tests/unit/test-model-hid-input
tests_unit_test_model_hid_input_SOURCES = tests/unit/test-model-hid-input.c
tests_unit_test_model_hid_input_LDADD = $(UNIT_MODEL_LIBS)

UNIT_TESTS += tests/unit/test-model-hid
tests_unit_test_model_hid_SOURCES = tests/unit/test-model-hid.c $(UNIT_MODEL_LAB)
tests_unit_test_model_hid_LDADD = $(UNIT_MODEL_LIBS)

UNIT_TESTS += tests/unit/test-model-serial
tests_unit_test_model_serial_SOURCES = tests/unit/test-model-serial.c $(UNIT_MODEL_LAB)
tests_unit_test_model_serial_LDADD = $(UNIT_MODEL_LIBS)

UNIT_TESTS += tests/unit/test-sketch
tests_unit_test_sketch_SOURCES = tests/unit/test-sketch.c
tests_unit_test_sketch_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-seen
tests_unit_test_seen_SOURCES = tests/unit/test-seen.c
tests_unit_test_seen_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-dos-meter
tests_unit_test_dos_meter_SOURCES = tests/unit/test-dos-meter.c
tests_unit_test_dos_meter_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-signature
tests_unit_test_signature_SOURCES = tests/unit/test-signature.c
tests_unit_test_signature_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-dos-frame
tests_unit_test_dos_frame_SOURCES = tests/unit/test-dos-frame.c tests/unit/frame-build.c tests/unit/frame-build.h
tests_unit_test_dos_frame_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-dos
tests_unit_test_dos_SOURCES = tests/unit/test-dos.c
tests_unit_test_dos_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-act
tests_unit_test_act_SOURCES = tests/unit/test-act.c
tests_unit_test_act_LDADD = $(UNIT_NET_LIBS)

UNIT_TESTS += tests/unit/test-act-options
tests_unit_test_act_options_SOURCES = tests/unit/test-act-options.c
tests_unit_test_act_options_LDADD = $(UNIT_NET_LIBS)
