/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-usbdev.c - the guest's USB stack: enumeration, transfers, deadlines, reset, source/sink
 * tests, streams. Disks are in test-usbdisk.c. */
#include "usbdev-stub.h"

#include <errno.h>

#include "tests/guest/usbiso.h"
#include "tests/guest/usbtest.h"
#include "util.h"

static uint8_t buffer[128 * 1024];

/* --- enumeration --- */

static void test_enumerate(void **state)
{
	struct devstub *d = *state;
	const struct usbdev_info *info;

	devstub_plug(d);
	/* Descriptor at address 0, address, descriptor, configuration twice, four strings, set. */
	assert_string_equal(d->log, "DaDDDDDDDc");
	assert_int_equal(d->n_address_0, 2);
	assert_int_equal(d->address, 2);
	assert_int_equal(d->config, 3);
	info = usbdev_info(d->dev);
	assert_int_equal(info->address, 2);
	assert_int_equal(info->port, DEVSTUB_PORT);
	assert_int_equal(info->speed, USB_SPEED_HIGH);
	assert_int_equal(info->device.vid, 0x0525);
	assert_string_equal(info->manufacturer, "Stub");
	assert_string_equal(info->product, "Source and sink");
	assert_string_equal(info->serial, "0001");
	assert_int_equal(info->config.n_alts, 2);
	assert_int_equal(usbdev_endpoint(d->dev, 0x83)->max_packet, 64);
	assert_null(usbdev_endpoint(d->dev, 0x82)); /* only in the other setting */
}

static void test_nobody(void **state)
{
	struct devstub *d = *state;
	char error[128];

	assert_int_equal(usbdev_open(&d->dev, d->bus, 1, devstub_in(d, 3), error, sizeof(error)),
			 -ETIMEDOUT);
	assert_non_null(strstr(error, "no device"));
	assert_int_equal(usbdev_open(&d->dev, d->bus, 5, devstub_in(d, 3), error, sizeof(error)),
			 -EINVAL);
}

/* Linux tries the first request three times. */
static void test_tries(void **state)
{
	struct devstub *d = *state;
	char error[128];

	stub_event(d->s, DEVSTUB_PORT, USBIF_SPEED_HIGH);
	d->fail_at_0 = 3;
	assert_int_equal(
		usbdev_open(&d->dev, d->bus, DEVSTUB_PORT, devstub_in(d, 3), error, sizeof(error)),
		-EPROTO);
	assert_non_null(strstr(error, "read/64"));
	d->fail_at_0 = 2;
	assert_int_equal(
		usbdev_open(&d->dev, d->bus, DEVSTUB_PORT, devstub_in(d, 3), error, sizeof(error)),
		0);
	assert_int_equal(
		usbdev_open(&d->dev, d->bus, DEVSTUB_PORT, devstub_in(d, 3), error, sizeof(error)),
		-EBUSY);
}

/* Descriptors that lie, one byte each. */
static void test_lies(void **state)
{
	static const struct {
		bool device;
		unsigned int at;
		uint8_t value;
		const char *text;
	} cases[] = {
		{true, 7, 63, "bMaxPacketSize0 63: must be 8, 16, 32 or 64"},
		{true, 0, 17, "device descriptor: length 17"},
		{false, 3, 0x20, "configuration descriptor: Protocol error"},
		{false, 9, 0, "descriptor length 0"},
		{false, 9, 1, "descriptor length 1"},
		{false, 9, 255, "descriptor length 255"},
		{false, 1, 4, "descriptor type 4"},
		{false, 20, 0x80, "endpoint number 0"},
		{false, 22, 64, NULL},
		{false, 23, 0x1a, "packets in a microframe 4"},
		{false, 49, 0, "alternate setting 0: must be there once"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct devstub *d;
		void *machine;
		char error[128] = "";
		int rc;

		devstub_setup(&machine);
		d = machine;
		(cases[i].device ? d->device_desc : d->config_desc)[cases[i].at] = cases[i].value;
		stub_event(d->s, DEVSTUB_PORT, USBIF_SPEED_HIGH);
		rc = usbdev_open(&d->dev, d->bus, DEVSTUB_PORT, devstub_in(d, 3), error,
				 sizeof(error));
		if (cases[i].text ? rc == 0 || !strstr(error, cases[i].text) : rc < 0)
			fail_msg("byte %u: %d \"%s\"", cases[i].at, rc, error);
		devstub_teardown(&machine);
	}
}

static void test_replug(void **state)
{
	struct devstub *d = *state;
	struct usbdev *old;

	devstub_plug(d);
	stub_event(d->s, DEVSTUB_PORT, USBIF_SPEED_NONE);
	assert_int_equal(usbdev_bus_wait_port(d->bus, DEVSTUB_PORT, false, devstub_in(d, 1)), 0);
	assert_true(usbdev_info(d->dev)->gone);
	assert_int_equal(usbdev_transfer(d->dev, 0x81, buffer, 512, devstub_in(d, 1)), -ENODEV);
	assert_int_equal(usbdev_clear_halt(d->dev, 0x81, devstub_in(d, 1)), -ENODEV);
	assert_int_equal(usbdev_reset(d->dev, devstub_in(d, 1)), -ENODEV);
	old = d->dev;
	devstub_plug(d);
	assert_int_equal(usbdev_info(d->dev)->address, 3);
	usbdev_close(old);
	assert_int_equal(usbdev_transfer(d->dev, 0x81, buffer, 512, devstub_in(d, 1)), 512);
}

/* --- transfers and deadlines --- */

static void test_list(void **state)
{
	struct devstub *d = *state;
	uint32_t moved;

	devstub_plug(d);
	d->n_urbs = 0;
	assert_int_equal(usbdev_list(d->dev, 0x81, buffer, 120 * 1024, &moved, devstub_in(d, 1)),
			 0);
	assert_int_equal(moved, 120 * 1024);
	assert_int_equal(d->n_urbs, 30);
	assert_int_equal(usbdev_list(d->dev, 0x81, buffer, 65 * 4096, &moved, devstub_in(d, 1)),
			 -EINVAL);
}

static void test_deadline(void **state)
{
	struct devstub *d = *state;
	uint64_t start;

	devstub_plug(d);
	d->hang = 1;
	start = usbdev_bus_now(d->bus);
	assert_int_equal(usbdev_transfer(d->dev, 0x81, buffer, 512, devstub_in(d, 7)), -ETIMEDOUT);
	assert_int_equal(usbdev_bus_now(d->bus) - start, 7 * NSEC_PER_SEC);
	assert_int_equal(d->n_unlinks, 1);
	assert_int_equal(usbfront_in_flight(usbdev_bus_front(d->bus)), 0);
	assert_int_equal(usbdev_transfer(d->dev, 0x81, buffer, 512, devstub_in(d, 1)), 512);
}

/* Neither the URB nor its unlink is answered: it is given up. */
static void test_abandoned(void **state)
{
	struct devstub *d = *state;
	const struct usbfront_stats *stats;

	devstub_plug(d);
	stats = usbfront_stats(usbdev_bus_front(d->bus));
	d->hang = d->dead = 1;
	assert_int_equal(usbdev_transfer(d->dev, 0x81, buffer, 512, devstub_in(d, 1)), -ETIMEDOUT);
	assert_int_equal(stats->complaints, 1);
	assert_non_null(strstr(stats->complaint, "not answered"));
	assert_int_equal(usbfront_in_flight(usbdev_bus_front(d->bus)), 0);
	stub_answer(d->s, d->held[0].id, 0, 512, 0); /* too late; its slot is free again */
	assert_int_equal(usbdev_transfer(d->dev, 0x81, buffer, 512, devstub_in(d, 1)), 512);
	assert_int_equal(stats->complaints, 1);
}

static void test_unplug_in_transfer(void **state)
{
	struct devstub *d = *state;
	uint32_t moved;

	devstub_plug(d);
	d->hang = 100;
	d->unplug = true;
	assert_int_equal(usbdev_list(d->dev, 0x81, buffer, 120 * 1024, &moved, devstub_in(d, 9)),
			 -ENODEV);
	assert_int_equal(usbfront_in_flight(usbdev_bus_front(d->bus)), 0);
}

static void test_close(void **state)
{
	struct devstub *d = *state;

	devstub_plug(d);
	assert_int_equal(usbdev_bus_close(d->bus, devstub_in(d, 1)), -ETIMEDOUT);
	stub_disconnect(d->s);
	stub_write(d->s, BACK "/state", "6");
	assert_int_equal(usbdev_bus_close(d->bus, devstub_in(d, 1)), 0);
	stub_expect(d->s, FRONT "/state", "6");
	assert_int_equal(usbdev_transfer(d->dev, 0x81, buffer, 512, devstub_in(d, 1)), -ENODEV);
	assert_int_equal(usbdev_bus_connect(d->bus, devstub_in(d, 1)), -ENOTCONN);
}

/* --- reset --- */

static void test_reset(void **state)
{
	struct devstub *d = *state;

	devstub_plug(d);
	assert_int_equal(usbdev_set_interface(d->dev, 0, 1, devstub_in(d, 1)), 0);
	assert_int_equal(usbdev_set_interface(d->dev, 0, 2, devstub_in(d, 1)), -EINVAL);
	d->config = 0;
	assert_int_equal(usbdev_reset(d->dev, devstub_in(d, 1)), 0);
	assert_int_equal(d->n_address_0, 4);
	assert_int_equal(d->address, 2); /* the same */
	assert_int_equal(d->config, 3);
	assert_int_equal(d->alternate, 1);
	assert_int_equal(d->n_set_interface, 2);
	d->device_desc[12]++;
	assert_int_equal(usbdev_reset(d->dev, devstub_in(d, 1)), -ENODEV);
}

/* --- source/sink --- */

static void test_cases(void **state)
{
	struct devstub *d = *state;
	struct usbtest_options options = {.iterations = 20};
	struct usbtest_result result;

	devstub_plug(d);
	assert_true(usbtest_fits(d->dev));
	for (unsigned int i = 0; i < USBTEST_CASES; i++) {
		assert_non_null(usbtest_name(i));
		if (usbtest_run(d->dev, i, &options, &result) != 0)
			fail_msg("case %u, %s: %s", i, usbtest_name(i), result.error);
		if (i == 1)
			assert_int_equal(result.bytes, 20 * 1024);
		if (i == 15)
			assert_int_equal(result.bytes, 20 * 8 * 1024);
		if (i == 28)
			assert_int_equal(result.bytes, 20 * 32 * 1024);
	}
	assert_null(usbtest_name(USBTEST_CASES));
	assert_int_equal(usbtest_run(d->dev, USBTEST_CASES, &options, &result), -EINVAL);
	assert_int_equal(usbfront_in_flight(usbdev_bus_front(d->bus)), 0);
}

static void test_findings(void **state)
{
	struct devstub *d = *state;
	struct usbtest_options options = {.iterations = 2};
	struct usbtest_result result;

	devstub_plug(d);
	d->wrong_bytes = true;
	assert_int_equal(usbtest_run(d->dev, 2, &options, &result), -EILSEQ);
	assert_non_null(strstr(result.error, "wrong bytes"));
	assert_int_equal(usbtest_run(d->dev, 6, &options, &result), -EILSEQ);
	assert_int_equal(usbtest_run(d->dev, 26, &options, &result), -EILSEQ);
	d->wrong_bytes = false;
	d->no_stall = true;
	assert_int_equal(usbtest_run(d->dev, 13, &options, &result), -EILSEQ);
	assert_non_null(strstr(result.error, "no stall"));
	d->no_stall = false;
	memset(d->halted, 0, sizeof(d->halted));
	d->lose_packets = true;
	assert_int_equal(usbtest_run(d->dev, 16, &options, &result), -EILSEQ);
	assert_string_equal(result.error, "2 packets of 16 lost, 2 URBs of 2");
	d->hang = 1;
	options.timeout_ns = NSEC_PER_SEC;
	assert_int_equal(usbtest_run(d->dev, 1, &options, &result), -ETIMEDOUT);
	d->n_config = 46; /* without the second setting */
	d->config_desc[2] = 46;
	stub_event(d->s, DEVSTUB_PORT, USBIF_SPEED_NONE);
	usbdev_bus_wait_port(d->bus, DEVSTUB_PORT, false, devstub_in(d, 1));
	usbdev_close(d->dev);
	devstub_plug(d);
	assert_int_equal(usbtest_run(d->dev, 15, &options, &result), -EOPNOTSUPP);
	assert_string_equal(result.error, "no isochronous endpoint OUT");
}

/* --- streams --- */

static bool three_seconds(void *ctx, uint64_t elapsed_ns, uint64_t packets, uint64_t lost)
{
	unsigned int *calls = ctx;

	assert_true(packets >= lost && elapsed_ns >= NSEC_PER_SEC);
	return ++*calls < 3;
}

static void test_stream(void **state)
{
	struct devstub *d = *state;
	struct usbiso_options options = {
		.endpoint = 0x82, .pattern = 0, .duration_ns = 10 * NSEC_PER_SEC};
	struct usbiso_result result;
	unsigned int calls = 0;

	devstub_plug(d);
	assert_int_equal(usbiso_run(d->dev, &options, &result), -EINVAL); /* setting 0 */
	assert_int_equal(usbdev_set_interface(d->dev, 0, 1, devstub_in(d, 1)), 0);
	assert_int_equal(usbiso_run(d->dev, &options, &result), 0);
	/* A millisecond an URB. */
	assert_in_range(result.urbs, 10000, 10006);
	assert_int_equal(result.packets, result.urbs * 8);
	assert_int_equal(result.bytes, result.packets * 1024);
	assert_int_equal(result.lost, 0);
	assert_int_equal(result.empty, 0);
	assert_int_equal(result.wrong, 0);
	d->lose_packets = true;
	options.progress = three_seconds;
	options.ctx = &calls;
	assert_int_equal(usbiso_run(d->dev, &options, &result), 0);
	assert_int_equal(calls, 3);
	assert_in_range(result.urbs, 3000, 3012);
	assert_int_equal(result.lost, result.urbs);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, devstub_setup, devstub_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_enumerate),
		TEST(test_nobody),
		TEST(test_tries),
		cmocka_unit_test(test_lies),
		TEST(test_replug),
		TEST(test_list),
		TEST(test_deadline),
		TEST(test_abandoned),
		TEST(test_unplug_in_transfer),
		TEST(test_close),
		TEST(test_reset),
		TEST(test_cases),
		TEST(test_findings),
		TEST(test_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
