/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-model-hid.c - keyboard and tablet on the bus: reports at their interval, class requests, the
 * socket that feeds them. */
#include "cluster/models/hid.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "cluster/models/models.h"
#include "log.h"
#include "usb-host-lab.h"
#include "util.h"

#define INT USB_ENDPOINT_XFER_INT
#define MS  NSEC_PER_MSEC

static char dir[64];
static struct sockaddr_un model_path = {.sun_family = AF_UNIX};
static struct sockaddr_un our_path = {.sun_family = AF_UNIX};

static int make_dir(void **state)
{
	strcpy(dir, "/tmp/xb-hid-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(model_path.sun_path, sizeof(model_path.sun_path), "%s/input", dir);
	snprintf(our_path.sun_path, sizeof(our_path.sun_path), "%s/us", dir);
	return 0;
}

static int remove_dir(void **state)
{
	return rmdir(dir);
}

static int open_model(struct usb_lab *lab, const char *kind)
{
	char spec[160];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(spec, sizeof(spec), "%s,input=%s", kind, model_path.sun_path);
	lab_open(lab, spec);
	assert_int_equal(bind(fd, (struct sockaddr *)&our_path, sizeof(our_path)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&model_path, sizeof(model_path)), 0);
	return fd;
}

static void close_model(struct usb_lab *lab, int fd)
{
	close(fd);
	unlink(our_path.sun_path);
	lab_close(lab);
	assert_int_not_equal(access(model_path.sun_path, F_OK), 0);
}

/* Sends a line; the answer must be as said. */
static void say(struct usb_lab *lab, int fd, const char *line, const char *answer)
{
	char text[512];
	ssize_t n;

	assert_int_equal(send(fd, line, strlen(line), 0), strlen(line));
	lab_settle(lab);
	n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, answer);
}

/* One report an interval (8 ms); without input none. */
static void test_reports(void **state)
{
	struct lab_urb urbs[3];
	uint8_t data[3][8];
	struct usb_lab lab;
	int fd = open_model(&lab, "keyboard");
	uint64_t start_ns = clock_now(&lab.clock);

	for (int i = 0; i < 3; i++)
		assert_int_equal(lab_start(&lab, &urbs[i], INT, 0x81, data[i], 8), 0);
	lab_advance(&lab, 100 * MS);
	assert_int_equal(lab.n_done, 0);
	assert_true(usb_model_deadline_ns(lab.host) == DEADLINE_NEVER);
	say(&lab, fd, "type b", "ok");
	assert_int_equal(lab.n_done, 1);
	assert_memory_equal(data[0], "\0\0\x05\0\0\0\0\0", 8);
	assert_int_equal(urbs[0].done_ns, start_ns + 100 * MS);
	lab_advance(&lab, 7 * MS);
	assert_int_equal(lab.n_done, 1);
	lab_advance(&lab, MS);
	assert_int_equal(lab.n_done, 2);
	assert_int_equal(urbs[1].done_ns, start_ns + 108 * MS);
	assert_int_equal(urbs[1].transfer.actual, 8);
	assert_memory_equal(data[1], "\0\0\0\0\0\0\0\0", 8);
	lab.host->ops->cancel(lab.host, &urbs[2].transfer);
	lab_settle(&lab);
	assert_int_equal(urbs[2].transfer.status, -ECANCELED);
	/* A buffer that is too small for the report. */
	say(&lab, fd, "down a", "ok");
	assert_int_equal(lab_start(&lab, &urbs[2], INT, 0x81, data[2], 4), 0);
	lab_wait(&urbs[2]);
	assert_int_equal(urbs[2].transfer.status, -EOVERFLOW);
	close_model(&lab, fd);
}

static void test_tablet(void **state)
{
	struct lab_urb urb;
	uint8_t data[8];
	struct usb_lab lab;
	int fd = open_model(&lab, "tablet");

	say(&lab, fd, "move 1 2\n", "ok");
	assert_int_equal(lab_start(&lab, &urb, INT, 0x81, data, 8), 0);
	lab_wait(&urb);
	assert_int_equal(urb.transfer.actual, 6);
	assert_memory_equal(data, "\0\1\0\2\0\0", 6);
	say(&lab, fd, "clikc left",
	    "error: command 'clikc' is unknown (did you mean 'click'?); a tablet has move, click, "
	    "down, up, wheel");
	/* No boot device: no protocols, nothing to set. */
	assert_int_equal(lab_control(&lab, 0xa1, HID_GET_PROTOCOL, 0, 0, data, 1), -EPIPE);
	assert_int_equal(lab_control(&lab, 0x21, HID_SET_PROTOCOL, 0, 0, NULL, 0), -EPIPE);
	assert_int_equal(lab_control(&lab, 0x21, HID_SET_REPORT, 0x200, 0, data, 1), -EPIPE);
	close_model(&lab, fd);
}

/* SET_IDLE: the last report again and again, a unit is 4 ms. */
static void test_idle(void **state)
{
	struct lab_urb urb;
	uint8_t data[8], idle = 9;
	struct usb_lab lab;
	int fd = open_model(&lab, "keyboard");
	uint64_t last_ns;

	say(&lab, fd, "down a", "ok");
	assert_int_equal(lab_start(&lab, &urb, INT, 0x81, data, 8), 0);
	lab_wait(&urb);
	last_ns = urb.done_ns;
	assert_int_equal(lab_control(&lab, 0x21, HID_SET_IDLE, 25 << 8, 0, NULL, 0), 0);
	assert_int_equal(lab_control(&lab, 0xa1, HID_GET_IDLE, 0, 0, &idle, 1), 1);
	assert_int_equal(idle, 25);
	for (int i = 1; i <= 5; i++) {
		memset(data, 0xff, sizeof(data));
		assert_int_equal(lab_start(&lab, &urb, INT, 0x81, data, 8), 0);
		lab_wait(&urb);
		assert_memory_equal(data, "\0\0\x04\0\0\0\0\0", 8);
		assert_int_equal(urb.done_ns, last_ns + 100 * MS);
		last_ns = urb.done_ns;
	}
	assert_int_equal(lab_control(&lab, 0x21, HID_SET_IDLE, 0, 0, NULL, 0), 0);
	assert_int_equal(lab_start(&lab, &urb, INT, 0x81, data, 8), 0);
	lab_advance(&lab, 10 * NSEC_PER_SEC);
	assert_true(urb.in_flight);
	assert_int_equal(lab_control(&lab, 0x21, HID_SET_IDLE, 0x101, 0, NULL, 0), -EPIPE);
	close_model(&lab, fd);
}

static void test_requests(void **state)
{
	struct usb_lab lab;
	uint8_t data[256], leds = 2;
	int fd = open_model(&lab, "keyboard");

	assert_int_equal(
		lab_control(&lab, 0x81, USB_REQ_GET_DESCRIPTOR, HID_DT_HID << 8, 0, data, 255), 9);
	assert_int_equal(lab_control(&lab, 0x81, USB_REQ_GET_DESCRIPTOR, HID_DT_REPORT << 8, 0,
				     data + 16, 200),
			 data[7]);
	assert_memory_equal(data + 16, "\x05\x01\x09\x06\xa1\x01", 6);
	assert_int_equal(data[16 + data[7] - 1], 0xc0);
	assert_int_equal(lab_control(&lab, 0x81, USB_REQ_GET_DESCRIPTOR, 0x2300, 0, data, 255),
			 -EPIPE);
	assert_int_equal(
		lab_control(&lab, 0x81, USB_REQ_GET_DESCRIPTOR, HID_DT_HID << 8, 1, data, 255),
		-EPIPE);
	assert_int_equal(lab_control(&lab, 0x21, HID_SET_REPORT, 0x200, 0, &leds, 1), 1);
	assert_int_equal(lab_control(&lab, 0xa1, HID_GET_REPORT, 0x200, 0, data, 8), 1);
	assert_int_equal(data[0], 2);
	say(&lab, fd, "leds", "ok numlock=0 capslock=1 scrolllock=0");
	assert_int_equal(lab_control(&lab, 0x21, HID_SET_REPORT, 0x200, 0, data, 2), -EPIPE);
	assert_int_equal(lab_control(&lab, 0x21, HID_SET_REPORT, 0x100, 0, &leds, 1), -EPIPE);
	assert_int_equal(lab_control(&lab, 0xa1, HID_GET_REPORT, 0x100, 0, data, 8), 8);
	assert_int_equal(lab_control(&lab, 0xa1, HID_GET_REPORT, 0x300, 0, data, 8), -EPIPE);
	assert_int_equal(lab_control(&lab, 0x21, HID_SET_PROTOCOL, 0, 0, NULL, 0), 0);
	assert_int_equal(lab_control(&lab, 0xa1, HID_GET_PROTOCOL, 0, 0, data, 1), 1);
	assert_int_equal(data[0], 0);
	assert_int_equal(lab_control(&lab, 0x21, HID_SET_PROTOCOL, 2, 0, NULL, 0), -EPIPE);
	assert_int_equal(lab_control(&lab, 0x21, 0x55, 0, 0, NULL, 0), -EPIPE);
	assert_int_equal(lab_control(&lab, 0xc0, 0x55, 0, 0, data, 1), -EPIPE);
	close_model(&lab, fd);
}

/* Input for nobody: the host has not configured the device. */
static void test_not_configured(void **state)
{
	struct usb_lab lab;
	int fd = open_model(&lab, "keyboard");

	assert_int_equal(lab_change(&lab, USB_CHANGE_CONFIGURATION, 0, 0, 0), 0);
	say(&lab, fd, "key a", "error: no host uses the keyboard yet");
	close_model(&lab, fd);
}

static void count_line(void *ctx, enum log_level level, const char *module, const char *line)
{
	*(unsigned int *)ctx += strstr(line, "'nonsense' is unknown") && level == LOG_LEVEL_WARN;
}

/* A sender without a name hears nothing: its errors are in the log, a few of them. */
static void test_nameless_sender(void **state)
{
	unsigned int n_lines = 0;
	struct usb_lab lab;
	int fd = open_model(&lab, "keyboard"), nameless = socket(AF_UNIX, SOCK_DGRAM, 0);
	char longest[3200];

	log_set_sink(count_line, &n_lines);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(sendto(nameless, "nonsense", 8, 0, (struct sockaddr *)&model_path,
					sizeof(model_path)),
				 8);
		lab_settle(&lab);
	}
	log_set_sink(NULL, NULL);
	assert_int_equal(n_lines, 5);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	say(&lab, fd, longest, "error: the line has 3199 bytes; at most 1000 are allowed");
	close(nameless);
	close_model(&lab, fd);
}

static void refused(const char *path, int rc, const char *error)
{
	struct clock clock;
	struct usb_host *host;
	sd_event *event;
	char spec[400], text[400] = "";

	clock_init_manual(&clock, 0);
	snprintf(spec, sizeof(spec), "tablet,input=%s", path);
	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(usb_model_open(&host, spec, event, &clock, text, sizeof(text)), rc);
	if (!strstr(text, error))
		fail_msg("'%s' lacks '%s'", text, error);
	sd_event_unref(event);
}

static void test_socket_errors(void **state)
{
	char path[160];
	struct usb_lab lab;
	struct stat st;
	int fd = open_model(&lab, "keyboard"), dead;

	assert_int_equal(stat(model_path.sun_path, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
	refused(model_path.sun_path, -EADDRINUSE, "is in use by another program");
	close_model(&lab, fd);
	refused("/tmp", -EEXIST, "input='/tmp' exists and is no socket");
	refused("/no/such/dir/x", -ENOENT, "cannot make input='/no/such/dir/x': No such file");
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[150] = '\0';
	refused(path, -ENAMETOOLONG, "has 150 bytes; a socket's path has 107 at most");
	/* What a program that is gone left behind is replaced. */
	dead = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(dead, (struct sockaddr *)&model_path, sizeof(model_path)), 0);
	close(dead);
	fd = open_model(&lab, "keyboard");
	say(&lab, fd, "key a", "ok");
	close_model(&lab, fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reports),	       cmocka_unit_test(test_tablet),
		cmocka_unit_test(test_idle),	       cmocka_unit_test(test_requests),
		cmocka_unit_test(test_not_configured), cmocka_unit_test(test_nameless_sender),
		cmocka_unit_test(test_socket_errors),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
