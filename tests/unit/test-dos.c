/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-dos.c - what is counted and judged: each metric by packets made for it, alarms with their
 * evidence, options, signatures, sampling, the team. Attacks as a whole are in tests/sim/sim-dos.c.
 */
#include "netback-team/dos.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

#define SYN 0x02
#define RST 0x04
#define ACK 0x10
#define IN  DOS_TO_GUEST
#define OUT DOS_FROM_GUEST

struct lab {
	struct dos *dos;
	struct dos_options options;
	uint64_t now_ns;
	unsigned int n_raised, n_ongoing, n_cleared;
	struct dos_alarm last; /**< raised or cleared */
};

static void on_alarm(void *ctx, const struct dos_alarm *alarm, uint64_t now_ns)
{
	struct lab *lab = ctx;

	lab->n_raised += alarm->event == DOS_RAISED;
	lab->n_ongoing += alarm->event == DOS_ONGOING;
	lab->n_cleared += alarm->event == DOS_CLEARED;
	if (alarm->event != DOS_ONGOING)
		lab->last = *alarm;
	assert_true(now_ns == lab->now_ns);
}

/* One guest, number 0, with fixed thresholds: all off, for a test to set. */
static void setup(struct lab *lab)
{
	struct dos_observer observer;
	struct dos_options team;

	memset(lab, 0, sizeof(*lab));
	observer = (struct dos_observer){on_alarm, lab};
	lab->now_ns = 5 * NSEC_PER_SEC;
	dos_options_default(&lab->options, false);
	memset(lab->options.threshold, 0, sizeof(lab->options.threshold));
	lab->options.meter.mode = DOS_MODE_FIXED;
	team = lab->options;
	lab->dos = dos_create(1, &team, &observer, lab->now_ns);
	assert_non_null(lab->dos);
	assert_int_equal(dos_vm_add(lab->dos, &lab->options, lab->now_ns), 0);
}

static struct dos_addr ipv4(uint32_t n)
{
	return (struct dos_addr){{[10] = 0xff,
				  [11] = 0xff,
				  [12] = 80,
				  [13] = (uint8_t)(n >> 16),
				  [14] = (uint8_t)(n >> 8),
				  [15] = (uint8_t)n}};
}

/* With peer n; a full TCP packet that continues something. */
static struct dos_packet packet(enum dos_direction direction, uint32_t n)
{
	return (struct dos_packet){
		.src = ipv4(direction == IN ? n : 0),
		.dst = ipv4(direction == IN ? 0 : n),
		.sport = direction == IN ? 5000 : 80,
		.dport = direction == IN ? 80 : 5000,
		.proto = IPPROTO_TCP,
		.tcp_flags = ACK,
		.packets = 1,
		.bytes = 1514,
	};
}

static void give(struct lab *lab, int vm, enum dos_direction direction, struct dos_packet p)
{
	dos_on_packet(lab->dos, vm, direction, &p);
}

static void tcp(struct lab *lab, enum dos_direction direction, uint32_t n, uint8_t flags)
{
	struct dos_packet p = packet(direction, n);

	p.tcp_flags = flags;
	p.bytes = 60;
	give(lab, 0, direction, p);
}

/* Passes time in tenths of a second. */
static void wait_ms(struct lab *lab, unsigned int ms)
{
	for (; ms > 0; ms -= 100) {
		lab->now_ns += 100 * NSEC_PER_MSEC;
		assert_true(dos_deadline(lab->dos) <= lab->now_ns);
		dos_run(lab->dos, lab->now_ns);
		assert_true(dos_deadline(lab->dos) > lab->now_ns);
	}
}

static uint64_t value(const struct lab *lab, enum dos_direction direction, enum dos_metric metric)
{
	return dos_figure(lab->dos, 0, direction, metric).value;
}

static void test_options(void **state)
{
	struct dos_options good, bad;

	dos_options_default(&good, false);
	assert_null(dos_options_check(&good));
	dos_options_default(&bad, true);
	assert_null(dos_options_check(&bad));
	assert_int_equal(bad.threshold[IN][DOS_FLOWS], 4 * good.threshold[IN][DOS_FLOWS]);
	assert_int_equal(bad.threshold[IN][DOS_ENTROPY], good.threshold[IN][DOS_ENTROPY]);
	for (unsigned int metric = 0; metric < DOS_METRICS; metric++) {
		const struct dos_metric_info *info = dos_metric_info((enum dos_metric)metric);

		assert_true(strlen(info->name) > 2 && strlen(info->name) <= 12);
		assert_true(strlen(info->help) > 5 && strlen(info->unit) > 0);
		bad = good;
		bad.threshold[OUT][metric] = info->max + 1;
		assert_non_null(dos_options_check(&bad));
	}
	bad = good;
	bad.syn_min = 0;
	assert_non_null(dos_options_check(&bad));
	bad = good;
	bad.entropy_min = 49;
	assert_non_null(dos_options_check(&bad));
	bad = good;
	bad.meter.n = 9;
	assert_non_null(dos_options_check(&bad));
}

/* GSO frames count as what they are on the wire; late ticks do not change rates. */
static void test_packets_and_bits(void **state)
{
	struct dos_packet p = packet(OUT, 1);
	struct lab lab;

	setup(&lab);
	wait_ms(&lab, 1000);
	p.packets = 40;
	p.bytes = 40 * 1514;
	for (unsigned int i = 0; i < 25; i++)
		give(&lab, 0, OUT, p);
	p.proto = 0;
	p.packets = 1;
	p.bytes = 60;
	give(&lab, 0, OUT, p);
	lab.now_ns += 2 * NSEC_PER_SEC;
	dos_run(lab.dos, lab.now_ns);
	assert_int_equal(value(&lab, OUT, DOS_PPS), 500);
	assert_int_equal(value(&lab, OUT, DOS_BPS), (25 * 40 * 1514 + 60) * 8 / 2);
	assert_int_equal(value(&lab, OUT, DOS_SMALL), 0);
	assert_int_equal(value(&lab, IN, DOS_PPS), 0);
	dos_destroy(lab.dos);
}

static void test_handshakes(void **state)
{
	struct lab lab;

	setup(&lab);
	lab.options.syn_min = 100;
	dos_set_options(lab.dos, 0, &lab.options, lab.now_ns);
	wait_ms(&lab, 900);
	/* 600 complete, 300 do not, 100 are refused; each SYN comes twice. */
	for (uint32_t i = 1; i <= 1000; i++) {
		tcp(&lab, IN, i, SYN);
		tcp(&lab, IN, i, SYN);
		tcp(&lab, OUT, i, i <= 900 ? SYN | ACK : RST | ACK);
		if (i <= 600)
			tcp(&lab, IN, i, ACK);
	}
	wait_ms(&lab, 1000);
	assert_int_equal(value(&lab, IN, DOS_SYN), 2000);
	assert_int_equal(value(&lab, IN, DOS_FLOWS), 1000);
	assert_int_equal(value(&lab, IN, DOS_HALF_OPEN), 300);
	assert_int_equal(value(&lab, IN, DOS_SYN_RATIO), 222);
	assert_int_equal(value(&lab, IN, DOS_RST), 100);
	assert_int_equal(value(&lab, OUT, DOS_FLOWS), 0);
	assert_int_equal(value(&lab, OUT, DOS_HALF_OPEN), 0);
	assert_int_equal(value(&lab, OUT, DOS_RST), 0);
	assert_int_equal(value(&lab, OUT, DOS_SMALL), 0); /* answers */
	wait_ms(&lab, 10000);
	assert_in_range(value(&lab, IN, DOS_HALF_OPEN), 50, 100);
	assert_int_equal(value(&lab, IN, DOS_SYN_RATIO), 0);
	dos_destroy(lab.dos);
}

static void test_unanswered(void **state)
{
	struct dos_packet p = packet(IN, 7), icmp;
	struct lab lab;

	setup(&lab);
	wait_ms(&lab, 900);
	p.proto = IPPROTO_UDP;
	p.bytes = 1000;
	for (unsigned int i = 0; i < 1000; i++) {
		icmp = packet(OUT, 7);
		icmp.proto = IPPROTO_ICMP;
		icmp.icmp_type = icmp.icmp_code = 3;
		p.dport = (uint16_t)(1000 + i);
		give(&lab, 0, IN, p);
		give(&lab, 0, OUT, icmp);
	}
	wait_ms(&lab, 1000);
	assert_int_equal(value(&lab, IN, DOS_UNANSWERED), 1000);
	assert_int_equal(value(&lab, IN, DOS_FLOWS), 1000);
	assert_int_equal(value(&lab, IN, DOS_CLOSED), 1000);
	assert_int_equal(value(&lab, IN, DOS_UNREACH), 1000);
	assert_int_equal(value(&lab, OUT, DOS_FLOWS), 0);
	/* One word from the guest, and they are acquainted, on all ports and for fragments. */
	p = packet(OUT, 7);
	give(&lab, 0, OUT, p);
	for (unsigned int i = 0; i < 500; i++) {
		p = packet(IN, 7);
		p.later = p.fragment = i % 2;
		p.sport = (uint16_t)(i % 2 ? 0 : i);
		p.dport = (uint16_t)(i % 2 ? 0 : 80);
		give(&lab, 0, IN, p);
	}
	wait_ms(&lab, 1000);
	assert_int_equal(value(&lab, IN, DOS_UNANSWERED), 0);
	assert_int_equal(value(&lab, IN, DOS_FRAGMENTS), 250);
	/* But much UDP for next to nothing is a flood all the same. */
	p = packet(IN, 7);
	p.proto = IPPROTO_UDP;
	for (unsigned int i = 0; i < 1000; i++)
		give(&lab, 0, IN, p);
	p = packet(OUT, 7);
	p.proto = IPPROTO_UDP;
	give(&lab, 0, OUT, p);
	wait_ms(&lab, 1000);
	assert_int_equal(value(&lab, IN, DOS_UNANSWERED), 1000 - 64);
	dos_destroy(lab.dos);
}

static void test_sources_entropy_small_spoofed_drops(void **state)
{
	struct lab lab;

	setup(&lab);
	wait_ms(&lab, 900);
	for (uint32_t i = 0; i < 4000; i++) {
		struct dos_packet p = packet(IN, i % 2000);

		p.bytes = 60;
		give(&lab, 0, IN, p);
		p = packet(OUT, i);
		p.spoofed = i % 4 == 0;
		if (i < 1000)
			give(&lab, 0, OUT, p);
	}
	dos_on_drop(lab.dos, 0, IN, 77);
	wait_ms(&lab, 1000);
	assert_in_range(value(&lab, IN, DOS_SOURCES), 1900, 2100);
	assert_in_range(value(&lab, IN, DOS_ENTROPY), 700, 800);
	assert_int_equal(value(&lab, IN, DOS_SMALL), 3000);
	assert_int_equal(value(&lab, IN, DOS_DROPS), 77);
	assert_int_equal(value(&lab, OUT, DOS_SPOOFED), 250);
	assert_int_equal(value(&lab, OUT, DOS_SOURCES), 1);
	wait_ms(&lab, 1000);
	assert_int_equal(value(&lab, IN, DOS_SOURCES), 0);
	assert_int_equal(value(&lab, IN, DOS_ENTROPY), 0);
	dos_destroy(lab.dos);
}

/* A flood of which only a part was taken is not over. */
static void test_rest(void **state)
{
	struct lab lab;

	setup(&lab);
	lab.options.threshold[OUT][DOS_PPS] = lab.options.threshold[IN][DOS_PPS] = 1000;
	lab.options.meter.n = lab.options.meter.m = 1;
	lab.options.meter.clear_ns = 2 * NSEC_PER_SEC;
	dos_set_options(lab.dos, 0, &lab.options, lab.now_ns);
	for (unsigned int i = 0; i < 2000; i++) {
		give(&lab, 0, OUT, packet(OUT, 1));
		give(&lab, 0, IN, packet(IN, 1));
	}
	wait_ms(&lab, 1000);
	assert_int_equal(lab.n_raised, 2);
	for (unsigned int s = 0; s < 10; s++) {
		dos_on_rest(lab.dos, 0, OUT);
		wait_ms(&lab, 1000);
	}
	assert_int_equal(lab.n_cleared, 1); /* of the other direction */
	assert_int_equal(lab.last.direction, IN);
	wait_ms(&lab, 2000);
	assert_int_equal(lab.n_cleared, 2);
	dos_on_rest(lab.dos, 0, OUT); /* and this alone is no attack */
	wait_ms(&lab, 2000);
	assert_int_equal(lab.n_raised, 2);
	dos_destroy(lab.dos);
}

/* Seconds of n packets from peer 1 (three quarters) and others. */
static void seconds(struct lab *lab, unsigned int how_many, uint32_t n)
{
	for (; how_many > 0; how_many--) {
		for (uint32_t i = 0; i < n; i++)
			give(lab, 0, IN, packet(IN, i % 4 ? 1 : 2 + i % 100));
		wait_ms(lab, 1000);
	}
}

static void test_alarm_and_evidence(void **state)
{
	struct dos_top top[DOS_TOP];
	struct lab lab;

	setup(&lab);
	lab.options.threshold[IN][DOS_PPS] = 1000;
	dos_set_options(lab.dos, 0, &lab.options, lab.now_ns);
	seconds(&lab, 3, 900);
	seconds(&lab, 2, 2000);
	assert_int_equal(lab.n_raised, 0);
	seconds(&lab, 1, 2000);
	assert_int_equal(lab.n_raised, 1);
	assert_int_equal(lab.last.vm, 0);
	assert_int_equal(lab.last.direction, IN);
	assert_int_equal(lab.last.source, DOS_PPS);
	assert_string_equal(lab.last.name, "pps");
	assert_int_equal(lab.last.value, 2000);
	assert_int_equal(lab.last.threshold, 1000);
	assert_int_equal(lab.last.packets, 2000);
	assert_int_equal(lab.last.n_peers, DOS_TOP);
	assert_memory_equal(lab.last.peers[0].addr.bytes, ipv4(1).bytes, 16);
	assert_in_range(lab.last.peers[0].packets, 1500, 1530);
	assert_int_equal(lab.last.n_ports, 1);
	assert_int_equal(lab.last.ports[0].port, 80);
	assert_int_equal(lab.last.ports[0].packets, 2000);
	assert_int_equal(dos_top_peers(lab.dos, 0, IN, top), DOS_TOP);
	assert_memory_equal(top[0].addr.bytes, ipv4(1).bytes, 16);
	assert_int_equal(dos_top_ports(lab.dos, 0, IN, top), 1);
	assert_true(dos_figure(lab.dos, 0, IN, DOS_PPS).alarm);
	seconds(&lab, 20, 3000);
	assert_int_equal(lab.n_ongoing, 2);
	seconds(&lab, 29, 10);
	assert_int_equal(lab.n_cleared, 0);
	seconds(&lab, 1, 10);
	assert_int_equal(lab.n_cleared, 1);
	assert_int_equal(lab.last.peak, 3000);
	assert_int_equal(lab.n_raised, 1);
	dos_destroy(lab.dos);
}

/* An overwhelming flood is seen in 500 ms. */
static void test_fast(void **state)
{
	struct lab lab;

	setup(&lab);
	lab.options.threshold[IN][DOS_PPS] = 1000;
	dos_set_options(lab.dos, 0, &lab.options, lab.now_ns);
	wait_ms(&lab, 2000);
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(lab.n_raised, 0);
		for (uint32_t k = 0; k < 500; k++)
			give(&lab, 0, IN, packet(IN, 9));
		wait_ms(&lab, 100);
	}
	assert_int_equal(lab.n_raised, 1);
	assert_int_equal(lab.last.value, 5000);
	assert_memory_equal(lab.last.peers[0].addr.bytes, ipv4(9).bytes, 16);
	dos_destroy(lab.dos);
}

static void test_options_end_alarms(void **state)
{
	struct lab lab;

	setup(&lab);
	lab.options.threshold[IN][DOS_PPS] = 1000;
	dos_set_options(lab.dos, 0, &lab.options, lab.now_ns);
	seconds(&lab, 5, 2000);
	assert_int_equal(lab.n_raised, 1);
	lab.options.threshold[IN][DOS_PPS] = 0;
	dos_set_options(lab.dos, 0, &lab.options, lab.now_ns);
	assert_int_equal(lab.n_cleared, 1);
	seconds(&lab, 5, 2000);
	assert_int_equal(lab.n_raised, 1);
	lab.options.threshold[IN][DOS_PPS] = 1000;
	dos_set_options(lab.dos, 0, &lab.options, lab.now_ns);
	seconds(&lab, 5, 2000);
	assert_int_equal(lab.n_raised, 2);
	dos_relearn(lab.dos, 0, lab.now_ns);
	assert_int_equal(lab.n_cleared, 2);
	seconds(&lab, 5, 2000);
	lab.options.enable = false;
	dos_set_options(lab.dos, 0, &lab.options, lab.now_ns);
	assert_int_equal(lab.n_cleared, 3);
	seconds(&lab, 5, 2000);
	assert_int_equal(lab.n_raised, 3);
	assert_int_equal(value(&lab, IN, DOS_PPS), 2000); /* still counted */
	dos_destroy(lab.dos);
}

/* While one metric is in alarm, the others learn nothing. */
static void test_alarm_freezes_all(void **state)
{
	uint64_t mean;
	struct lab lab;

	setup(&lab);
	lab.options.meter.mode = DOS_MODE_ADAPTIVE;
	lab.options.meter.learn_ns = 0;
	lab.options.threshold[IN][DOS_PPS] = 1000;
	lab.options.threshold[IN][DOS_BPS] = 1000000000;
	dos_set_options(lab.dos, 0, &lab.options, lab.now_ns);
	seconds(&lab, 70, 100);
	mean = dos_figure(lab.dos, 0, IN, DOS_BPS).mean;
	assert_in_range(mean, 1100000, 1300000);
	seconds(&lab, 30, 20000);
	assert_int_equal(lab.n_raised, 1);
	/* The seconds until the alarm did teach the metric that was not over. */
	assert_true(dos_figure(lab.dos, 0, IN, DOS_BPS).mean < 20 * mean);
	mean = dos_figure(lab.dos, 0, IN, DOS_BPS).mean;
	seconds(&lab, 30, 20000);
	assert_int_equal(dos_figure(lab.dos, 0, IN, DOS_BPS).mean, mean);
	dos_destroy(lab.dos);
}

static struct signature_set *parse(const char *text)
{
	char error[SIGNATURE_ERROR_MAX];
	struct signature_set *set;

	if (signature_parse(text, strlen(text), &set, error))
		fail_msg("%s", error);
	return set;
}

static void seconds_of(struct lab *lab, unsigned int how_many, const struct dos_packet *p,
		       uint32_t n)
{
	for (; how_many > 0; how_many--) {
		for (uint32_t i = 0; i < n; i++)
			give(lab, 0, IN, *p);
		wait_ms(lab, 1000);
	}
}

static void test_signatures(void **state)
{
	struct signature_set *one = parse("alert tcp any any -> any 80 (msg:\"evil\"; "
					  "content:\"evil\"; threshold:pps 10;)");
	struct signature_set *two = parse("alert tcp any any -> any 81 (msg:\"other\";)");
	struct dos_packet p = packet(IN, 3);
	struct lab lab;

	setup(&lab);
	p.payload = (const uint8_t *)"an evil one";
	p.payload_len = 11;
	seconds_of(&lab, 5, &p, 20);
	assert_int_equal(dos_set_signatures(lab.dos, one, lab.now_ns), 0);
	assert_int_equal(dos_vm_add(lab.dos, &lab.options, lab.now_ns), 1);
	seconds_of(&lab, 5, &p, 10);
	assert_int_equal(lab.n_raised, 0);
	seconds_of(&lab, 5, &p, 11);
	assert_int_equal(lab.n_raised, 1);
	assert_int_equal(lab.last.source, DOS_METRICS);
	assert_string_equal(lab.last.name, "evil");
	assert_int_equal(lab.last.value, 11);
	assert_true(dos_figure(lab.dos, 0, IN, DOS_METRICS).alarm);
	assert_int_equal(dos_set_signatures(lab.dos, two, lab.now_ns), 0);
	assert_int_equal(lab.n_cleared, 1);
	assert_string_equal(lab.last.name, "evil");
	seconds_of(&lab, 5, &p, 20);
	assert_int_equal(lab.n_raised, 1);
	p.dport = 81;
	seconds_of(&lab, 5, &p, 200);
	assert_int_equal(lab.n_raised, 2);
	seconds_of(&lab, 31, &p, 1);
	assert_int_equal(lab.n_cleared, 2);
	assert_int_equal(dos_set_signatures(lab.dos, NULL, lab.now_ns), 0);
	seconds_of(&lab, 5, &p, 200);
	assert_int_equal(lab.n_raised, 2);
	dos_destroy(lab.dos);
	signature_destroy(one);
	signature_destroy(two);
}

/* Above 1 Mpps one flow of eight is looked at, and their number is still nearly right. */
static void test_sampling(void **state)
{
	struct lab lab;

	setup(&lab);
	wait_ms(&lab, 1000);
	for (unsigned int tenth = 0; tenth < 10; tenth++) {
		for (uint32_t i = 0; i < 10000; i++) {
			struct dos_packet p = packet(IN, i);

			p.packets = 20; /* 2 Mpps */
			p.bytes = 20 * 100;
			p.sport = (uint16_t)tenth;
			p.proto = IPPROTO_UDP;
			give(&lab, 0, IN, p);
		}
		wait_ms(&lab, 100);
	}
	assert_int_equal(value(&lab, IN, DOS_PPS), 2000000);
	assert_in_range(value(&lab, IN, DOS_FLOWS), 90000, 110000);
	assert_in_range(value(&lab, IN, DOS_UNANSWERED), 1900000, 2100000);
	assert_in_range(value(&lab, IN, DOS_SOURCES), 9500, 10500);
	dos_destroy(lab.dos);
}

/* The team's figures are the sums of its guests, whoever comes and goes. */
static void test_team(void **state)
{
	struct dos_top top[DOS_TOP];
	struct dos_options team;
	struct lab lab;

	setup(&lab);
	team = lab.options;
	team.threshold[IN][DOS_PPS] = 1500;
	dos_set_options(lab.dos, DOS_TEAM, &team, lab.now_ns);
	for (int vm = 1; vm < 12; vm++)
		assert_int_equal(dos_vm_add(lab.dos, &lab.options, lab.now_ns), vm);
	dos_vm_remove(lab.dos, 5);
	dos_vm_remove(lab.dos, 5);
	assert_int_equal(dos_vm_add(lab.dos, &lab.options, lab.now_ns), 5);
	dos_vm_remove(lab.dos, 3);
	for (unsigned int i = 0; i < 80; i++) {
		for (uint32_t k = 0; k < 20; k++)
			for (int vm = 0; vm < 12; vm++)
				if (vm != 3)
					give(&lab, vm, IN, packet(IN, k ? 4 : (uint32_t)vm));
		wait_ms(&lab, 100);
	}
	assert_int_equal(value(&lab, IN, DOS_PPS), 200);
	assert_in_range(dos_figure(lab.dos, DOS_TEAM, IN, DOS_PPS).value, 2000, 2400);
	assert_in_range(dos_figure(lab.dos, DOS_TEAM, IN, DOS_SOURCES).value, 10, 12);
	assert_true(dos_top_peers(lab.dos, DOS_TEAM, IN, top) >= 1);
	assert_memory_equal(top[0].addr.bytes, ipv4(4).bytes, 16);
	assert_int_equal(lab.n_raised, 1);
	assert_int_equal(lab.last.vm, DOS_TEAM);
	dos_relearn(lab.dos, DOS_TEAM, lab.now_ns);
	assert_int_equal(lab.n_cleared, 1);
	dos_destroy(lab.dos);
	dos_destroy(NULL);
}

static void test_vm_limit(void **state)
{
	struct lab lab;

	setup(&lab);
	for (int vm = 1; vm < DOS_VMS_MAX; vm++)
		assert_int_equal(dos_vm_add(lab.dos, &lab.options, lab.now_ns), vm);
	assert_int_equal(dos_vm_add(lab.dos, &lab.options, lab.now_ns), -ENOSPC);
	dos_destroy(lab.dos);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_packets_and_bits),
		cmocka_unit_test(test_handshakes),
		cmocka_unit_test(test_unanswered),
		cmocka_unit_test(test_sources_entropy_small_spoofed_drops),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_alarm_and_evidence),
		cmocka_unit_test(test_fast),
		cmocka_unit_test(test_options_end_alarms),
		cmocka_unit_test(test_alarm_freezes_all),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_sampling),
		cmocka_unit_test(test_team),
		cmocka_unit_test(test_vm_limit),
	};

	return cmocka_run_group_tests_name("dos", tests, NULL, NULL);
}
