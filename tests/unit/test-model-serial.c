/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-model-serial.c - bytes between USB and a pty, requests of CDC-ACM, the carrier, the link. */
#include "cluster/models/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cluster/models/models.h"
#include "usb-host-lab.h"
#include "util.h"

#define BULK USB_ENDPOINT_XFER_BULK
#define INT  USB_ENDPOINT_XFER_INT

static char dir[64], path[80];

static int make_dir(void **state)
{
	strcpy(dir, "/tmp/xb-serial-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/tty", dir);
	return 0;
}

static int remove_dir(void **state)
{
	return rmdir(dir);
}

static void open_model(struct usb_lab *lab)
{
	char spec[128];

	snprintf(spec, sizeof(spec), "serial,link=%s", path);
	lab_open(lab, spec);
}

static int open_tty(void)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void test_bytes(void **state)
{
	uint8_t all[256], back[512], got[300];
	struct usb_lab lab;
	struct lab_urb urb;
	int tty;

	open_model(&lab);
	tty = open_tty();
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i; /* raw: nothing is changed, nothing is a command */
	assert_int_equal(lab_bulk(&lab, SERIAL_DATA_OUT, all, 256), 256);
	assert_int_equal(read(tty, got, sizeof(got)), 256);
	assert_memory_equal(got, all, 256);
	/* The other way: a transfer waits until there is something. */
	assert_int_equal(lab_start(&lab, &urb, BULK, SERIAL_DATA_IN, back, sizeof(back)), 0);
	lab_settle(&lab);
	assert_true(urb.in_flight);
	assert_int_equal(write(tty, all, 256), 256);
	lab_wait(&urb);
	assert_int_equal(urb.transfer.actual, 256);
	assert_memory_equal(back, all, 256);
	assert_int_equal(lab_bulk(&lab, SERIAL_DATA_OUT, all, 0), 0);
	close(tty);
	lab_close(&lab);
	assert_int_not_equal(access(path, F_OK), 0);
}

/* Nobody reads: the transfer waits with what went through, and goes on when there is room. */
static void test_flow_control(void **state)
{
	static uint8_t sent[65536], got[65536];
	struct usb_lab lab;
	struct lab_urb urb;
	size_t n = 0;
	int tty;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i ^ i >> 8);
	open_model(&lab);
	tty = open_tty();
	assert_int_equal(lab_start(&lab, &urb, BULK, SERIAL_DATA_OUT, sent, sizeof(sent)), 0);
	lab_settle(&lab);
	assert_true(urb.in_flight);
	assert_in_range(urb.transfer.actual, 1, sizeof(sent) - 1);
	while (n < sizeof(got)) {
		ssize_t part = read(tty, got + n, sizeof(got) - n);

		if (part > 0)
			n += (size_t)part;
		else if (urb.in_flight)
			assert_true(sd_event_run(lab.event, UINT64_MAX) >= 0);
	}
	lab_wait(&urb);
	assert_int_equal(urb.transfer.status, 0);
	assert_memory_equal(got, sent, sizeof(got));
	/* Cancelled while it waits: the host hears how much went through. */
	assert_int_equal(lab_start(&lab, &urb, BULK, SERIAL_DATA_OUT, sent, sizeof(sent)), 0);
	lab_settle(&lab);
	lab.host->ops->cancel(lab.host, &urb.transfer);
	lab_wait(&urb);
	assert_int_equal(urb.transfer.status, -ECANCELED);
	assert_in_range(urb.transfer.actual, 1, sizeof(sent) - 1);
	close(tty);
	lab_close(&lab);
}

static void test_requests(void **state)
{
	uint8_t coding[7], fresh[7] = {0, 0xc2, 1, 0, 0, 0, 8};
	struct usb_lab lab;

	open_model(&lab);
	assert_int_equal(lab_control(&lab, 0xa1, SERIAL_GET_LINE_CODING, 0, 0, coding, 7), 7);
	assert_memory_equal(coding, "\x80\x25\0\0\0\0\x08", 7);
	assert_int_equal(lab_control(&lab, 0x21, SERIAL_SET_LINE_CODING, 0, 0, fresh, 7), 7);
	assert_int_equal(lab_control(&lab, 0xa1, SERIAL_GET_LINE_CODING, 0, 0, coding, 7), 7);
	assert_memory_equal(coding, fresh, 7);
	assert_int_equal(lab_control(&lab, 0x21, SERIAL_SET_LINE_CODING, 0, 0, fresh, 6), -EPIPE);
	assert_int_equal(lab_control(&lab, 0x21, SERIAL_SET_CONTROL_LINES, 3, 0, NULL, 0), 0);
	assert_int_equal(lab_control(&lab, 0x21, SERIAL_SEND_BREAK, 0xffff, 0, NULL, 0), 0);
	assert_int_equal(lab_control(&lab, 0x21, SERIAL_SEND_BREAK, 0, 1, NULL, 0), -EPIPE);
	assert_int_equal(lab_control(&lab, 0x21, 0x02, 0, 0, NULL, 0), -EPIPE);
	lab_close(&lab);
}

static void expect_state(struct usb_lab *lab, uint8_t state)
{
	uint8_t data[16], expected[10] = {0xa1, SERIAL_STATE_NOTIFICATION, 0, 0, 0, 0, 2, 0, state};
	struct lab_urb urb;

	assert_int_equal(lab_start(lab, &urb, INT, SERIAL_NOTIFY_IN, data, sizeof(data)), 0);
	lab_wait(&urb);
	assert_int_equal(urb.transfer.actual, 10);
	assert_memory_equal(data, expected, 10);
}

/* The carrier is there while somebody has the pty open. */
static void test_carrier(void **state)
{
	struct usb_lab lab;
	struct lab_urb urb;
	uint8_t data[16];
	int tty, second;

	open_model(&lab);
	expect_state(&lab, 0); /* as configured */
	tty = open_tty();
	expect_state(&lab, 3);
	second = open_tty();
	close(tty);
	assert_int_equal(lab_start(&lab, &urb, INT, SERIAL_NOTIFY_IN, data, sizeof(data)), 0);
	lab_settle(&lab);
	lab_advance(&lab, NSEC_PER_SEC);
	assert_true(urb.in_flight); /* somebody is still there */
	close(second);
	lab_wait(&urb);
	assert_int_equal(data[8], 0);
	/* Configured anew, the host is told again. */
	assert_int_equal(lab_change(&lab, USB_CHANGE_CONFIGURATION, 1, 0, 0), 0);
	expect_state(&lab, 0);
	assert_int_equal(lab_start(&lab, &urb, INT, SERIAL_NOTIFY_IN, data, 9), 0);
	tty = open_tty();
	lab_wait(&urb);
	assert_int_equal(urb.transfer.status, -EOVERFLOW);
	close(tty);
	lab_close(&lab);
}

static void test_link(void **state)
{
	struct usb_lab lab, second;
	struct usb_host *host;
	struct clock clock;
	sd_event *event;
	char spec[128], error[256], target[64] = "";

	/* An old link is replaced; the successor's is left alone. */
	assert_int_equal(symlink("/no/such", path), 0);
	open_model(&lab);
	open_model(&second);
	lab_close(&lab);
	assert_true(readlink(path, target, sizeof(target) - 1) > 0);
	lab_close(&second);
	assert_int_not_equal(access(path, F_OK), 0);
	clock_init_manual(&clock, 0);
	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(
		usb_model_open(&host, "serial,link=/tmp", event, &clock, error, sizeof(error)),
		-EEXIST);
	assert_string_equal(error, "link='/tmp' exists and is no symbolic link");
	assert_int_equal(usb_model_open(&host, "serial,link=/no/such/dir", event, &clock, error,
					sizeof(error)),
			 -ENOENT);
	assert_non_null(strstr(error, "cannot make link='/no/such/dir' to /dev/pts/"));
	snprintf(spec, sizeof(spec), "serial");
	assert_int_equal(usb_model_open(&host, spec, event, &clock, error, sizeof(error)), 0);
	host->ops->close(host);
	sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),	 cmocka_unit_test(test_flow_control),
		cmocka_unit_test(test_requests), cmocka_unit_test(test_carrier),
		cmocka_unit_test(test_link),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
