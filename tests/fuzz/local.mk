# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz targets. With --enable-fuzz (clang) each is a libFuzzer program; without, tests/fuzz/replay.c runs the corpus as a unit test.
# Each block: FUZZ_TARGETS += tests/fuzz/fuzz-NAME, SOURCES = tests/fuzz/fuzz-NAME.c $(FUZZ_MAIN), LDADD, LDFLAGS = $(FUZZ_LDFLAGS).
FUZZ_TARGETS =
if FUZZING
FUZZ_MAIN =
FUZZ_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
else
FUZZ_MAIN = tests/fuzz/replay.c
FUZZ_LDFLAGS = $(AM_LDFLAGS)
endif

check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += $(FUZZ_TARGETS)

FUZZ_TARGETS += tests/fuzz/fuzz-keys
tests_fuzz_fuzz_keys_SOURCES = tests/fuzz/fuzz-keys.c tests/fuzz/fuzz-keys-table.h $(FUZZ_MAIN)
tests_fuzz_fuzz_keys_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_keys_LDFLAGS = $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus

FUZZ_TARGETS += tests/fuzz/fuzz-ctl
tests_fuzz_fuzz_ctl_SOURCES = tests/fuzz/fuzz-ctl.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ctl_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_ctl_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-claims
tests_fuzz_fuzz_claims_SOURCES = tests/fuzz/fuzz-claims.c $(FUZZ_MAIN)
tests_fuzz_fuzz_claims_LDADD = $(UNIT_NET_LIBS)
tests_fuzz_fuzz_claims_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-dos-frame
tests_fuzz_fuzz_dos_frame_SOURCES = tests/fuzz/fuzz-dos-frame.c $(FUZZ_MAIN)
tests_fuzz_fuzz_dos_frame_LDADD = $(UNIT_NET_LIBS)
tests_fuzz_fuzz_dos_frame_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-vmctl-reply
tests_fuzz_fuzz_vmctl_reply_SOURCES = tests/fuzz/fuzz-vmctl-reply.c $(FUZZ_MAIN)
tests_fuzz_fuzz_vmctl_reply_LDADD = $(UNIT_LIBS)
tests_fuzz_fuzz_vmctl_reply_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-vmctl-conf
tests_fuzz_fuzz_vmctl_conf_SOURCES = tests/fuzz/fuzz-vmctl-conf.c $(FUZZ_MAIN)
tests_fuzz_fuzz_vmctl_conf_LDADD = $(UNIT_VMCTL_LIBS)
tests_fuzz_fuzz_vmctl_conf_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-vmctl-helper
tests_fuzz_fuzz_vmctl_helper_SOURCES = tests/fuzz/fuzz-vmctl-helper.c $(FUZZ_MAIN)
tests_fuzz_fuzz_vmctl_helper_LDADD = $(UNIT_VMCTL_LIBS)
tests_fuzz_fuzz_vmctl_helper_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-vmctl-ledger
tests_fuzz_fuzz_vmctl_ledger_SOURCES = tests/fuzz/fuzz-vmctl-ledger.c $(FUZZ_MAIN)
tests_fuzz_fuzz_vmctl_ledger_LDADD = $(UNIT_VMCTL_LIBS)
tests_fuzz_fuzz_vmctl_ledger_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-vmctl-request
tests_fuzz_fuzz_vmctl_request_SOURCES = tests/fuzz/fuzz-vmctl-request.c tests/unit/vms-fake.c tests/unit/vms-fake.h $(FUZZ_MAIN)
tests_fuzz_fuzz_vmctl_request_LDADD = $(UNIT_VMCTL_LIBS)
tests_fuzz_fuzz_vmctl_request_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-flow
tests_fuzz_fuzz_flow_SOURCES = tests/fuzz/fuzz-flow.c $(FUZZ_MAIN)
tests_fuzz_fuzz_flow_LDADD = $(UNIT_NET_LIBS)
tests_fuzz_fuzz_flow_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-hook
tests_fuzz_fuzz_hook_SOURCES = tests/fuzz/fuzz-hook.c $(FUZZ_MAIN)
tests_fuzz_fuzz_hook_LDADD = $(UNIT_NET_LIBS)
tests_fuzz_fuzz_hook_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-ecn
tests_fuzz_fuzz_ecn_SOURCES = tests/fuzz/fuzz-ecn.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ecn_LDADD = $(UNIT_NET_LIBS)
tests_fuzz_fuzz_ecn_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-frame
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz-frame.c $(FUZZ_MAIN)
tests_fuzz_fuzz_frame_LDADD = $(UNIT_NET_LIBS)
tests_fuzz_fuzz_frame_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-netif
tests_fuzz_fuzz_netif_SOURCES = tests/fuzz/fuzz-netif.c $(FUZZ_MAIN)
tests_fuzz_fuzz_netif_LDADD = $(UNIT_NET_LIBS)
tests_fuzz_fuzz_netif_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-openmetrics
tests_fuzz_fuzz_openmetrics_SOURCES = tests/fuzz/fuzz-openmetrics.c $(FUZZ_MAIN)
tests_fuzz_fuzz_openmetrics_LDADD = tools/libxbtools.a $(UNIT_LIBS)
tests_fuzz_fuzz_openmetrics_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-members
tests_fuzz_fuzz_members_SOURCES = tests/fuzz/fuzz-members.c $(FUZZ_MAIN)
tests_fuzz_fuzz_members_LDADD = $(UNIT_NET_LIBS)
tests_fuzz_fuzz_members_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-member-word
tests_fuzz_fuzz_member_word_SOURCES = tests/fuzz/fuzz-member-word.c $(FUZZ_MAIN)
tests_fuzz_fuzz_member_word_LDADD = $(UNIT_NET_LIBS)
tests_fuzz_fuzz_member_word_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-probe
tests_fuzz_fuzz_probe_SOURCES = tests/fuzz/fuzz-probe.c $(FUZZ_MAIN)
tests_fuzz_fuzz_probe_LDADD = $(UNIT_NET_LIBS)
tests_fuzz_fuzz_probe_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-switch
tests_fuzz_fuzz_switch_SOURCES = tests/fuzz/fuzz-switch.c $(FUZZ_MAIN)
tests_fuzz_fuzz_switch_LDADD = $(UNIT_NET_LIBS)
tests_fuzz_fuzz_switch_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-urb
tests_fuzz_fuzz_urb_SOURCES = tests/fuzz/fuzz-urb.c tests/unit/usb-fake-host.c tests/unit/usb-fake-host.h tests/unit/xen-strict.c tests/unit/xen-strict.h $(FUZZ_MAIN)
tests_fuzz_fuzz_urb_LDADD = usbback/libusbback.a $(UNIT_XEN_LIBS)
tests_fuzz_fuzz_urb_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-usb-control
tests_fuzz_fuzz_usb_control_SOURCES = tests/fuzz/fuzz-usb-control.c $(FUZZ_MAIN)
tests_fuzz_fuzz_usb_control_LDADD = usbback/libusbback.a $(UNIT_LIBS)
tests_fuzz_fuzz_usb_control_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-usb-descriptor
tests_fuzz_fuzz_usb_descriptor_SOURCES = tests/fuzz/fuzz-usb-descriptor.c $(FUZZ_MAIN)
tests_fuzz_fuzz_usb_descriptor_LDADD = usbback/libusbback.a $(UNIT_LIBS)
tests_fuzz_fuzz_usb_descriptor_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-xswire
tests_fuzz_fuzz_xswire_SOURCES = tests/fuzz/fuzz-xswire.c $(FUZZ_MAIN)
tests_fuzz_fuzz_xswire_LDADD = $(UNIT_XEN_LIBS)
tests_fuzz_fuzz_xswire_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-xenstore
tests_fuzz_fuzz_xenstore_SOURCES = tests/fuzz/fuzz-xenstore.c tests/unit/backend-bench.c tests/unit/backend-bench.h $(FUZZ_MAIN)
tests_fuzz_fuzz_xenstore_LDADD = $(UNIT_XEN_LIBS)
tests_fuzz_fuzz_xenstore_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-usbdesc
tests_fuzz_fuzz_usbdesc_SOURCES = tests/fuzz/fuzz-usbdesc.c $(FUZZ_MAIN)
tests_fuzz_fuzz_usbdesc_LDADD = tests/guest/libxbguest.a $(UNIT_XEN_LIBS)
tests_fuzz_fuzz_usbdesc_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-reserve
tests_fuzz_fuzz_reserve_SOURCES = tests/fuzz/fuzz-reserve.c $(FUZZ_MAIN)
tests_fuzz_fuzz_reserve_LDADD = $(UNIT_USB_LIBS)
tests_fuzz_fuzz_reserve_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-opener
tests_fuzz_fuzz_opener_SOURCES = tests/fuzz/fuzz-opener.c $(FUZZ_MAIN)
tests_fuzz_fuzz_opener_LDADD = $(UNIT_USB_LIBS)
tests_fuzz_fuzz_opener_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-model-bot
tests_fuzz_fuzz_model_bot_SOURCES = tests/fuzz/fuzz-model-bot.c tests/unit/bot-lab.c tests/unit/bot-lab.h $(FUZZ_MAIN)
tests_fuzz_fuzz_model_bot_LDADD = $(UNIT_MODEL_LIBS)
tests_fuzz_fuzz_model_bot_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-model-control
tests_fuzz_fuzz_model_control_SOURCES = tests/fuzz/fuzz-model-control.c $(FUZZ_MAIN)
tests_fuzz_fuzz_model_control_LDADD = $(UNIT_MODEL_LIBS)
tests_fuzz_fuzz_model_control_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-model-text
tests_fuzz_fuzz_model_text_SOURCES = tests/fuzz/fuzz-model-text.c $(FUZZ_MAIN)
tests_fuzz_fuzz_model_text_LDADD = $(UNIT_MODEL_LIBS)
tests_fuzz_fuzz_model_text_LDFLAGS = $(FUZZ_LDFLAGS)

# The simulation of tests/sim, its choices taken from the input.
FUZZ_TARGETS += tests/fuzz/fuzz-coalesce
tests_fuzz_fuzz_coalesce_SOURCES = tests/fuzz/fuzz-coalesce.c $(COALESCE_WORLD) $(FUZZ_MAIN)
tests_fuzz_fuzz_coalesce_LDADD = usbback/libusbback.a $(UNIT_LIBS)
tests_fuzz_fuzz_coalesce_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-quirk
tests_fuzz_fuzz_quirk_SOURCES = tests/fuzz/fuzz-quirk.c $(FUZZ_MAIN)
tests_fuzz_fuzz_quirk_LDADD = usbback/libusbback.a $(UNIT_XEN_LIBS)
tests_fuzz_fuzz_quirk_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-lacp
tests_fuzz_fuzz_lacp_SOURCES = tests/fuzz/fuzz-lacp.c $(FUZZ_MAIN)
tests_fuzz_fuzz_lacp_LDADD = $(UNIT_NET_LIBS)
tests_fuzz_fuzz_lacp_LDFLAGS = $(FUZZ_LDFLAGS)
FUZZ_TARGETS += tests/fuzz/fuzz-signature
tests_fuzz_fuzz_signature_SOURCES = tests/fuzz/fuzz-signature.c $(FUZZ_MAIN)
tests_fuzz_fuzz_signature_LDADD = $(UNIT_NET_LIBS)
tests_fuzz_fuzz_signature_LDFLAGS = $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-cidrs
tests_fuzz_fuzz_cidrs_SOURCES = tests/fuzz/fuzz-cidrs.c $(FUZZ_MAIN)
tests_fuzz_fuzz_cidrs_LDADD = $(UNIT_NET_LIBS)
tests_fuzz_fuzz_cidrs_LDFLAGS = $(FUZZ_LDFLAGS)
