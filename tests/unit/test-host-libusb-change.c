/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-host-libusb-change.c - what happens to a local device: changes, unplugging, closing, mapped
 * memory. */
#include "usbback/host_libusb_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "local-device.h"
#include "log.h"
#include "util.h"

#define BULK USB_ENDPOINT_XFER_BULK

/* A transfer that never comes back keeps libusb's part of it: only test_close_wedged does that. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libusb-1.0";
}

static char last_error[300];

static void keep_error(void *ctx, enum log_level level, const char *module, const char *line)
{
	if (level == LOG_LEVEL_ERR)
		snprintf(last_error, sizeof(last_error), "%s", line);
}

static int setup(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	last_error[0] = 0;
	log_set_sink(keep_error, NULL);
	lab_init(lab);
	*state = lab;
	assert_int_equal(lab_open(lab), 0);
	return 0;
}

static int teardown(void **state)
{
	lab_fini(*state);
	free(*state);
	log_set_sink(NULL, NULL);
	return 0;
}

static struct local_device *inside(const struct lab *lab)
{
	return container_of(lab->host, struct local_device, host);
}

static void close_device(struct lab *lab)
{
	struct usb_host *host = lab->host;

	lab->host = NULL;
	host->ops->close(host);
}

/* --- changes --- */

static void test_configuration(void **state)
{
	struct lab *lab = *state;

	assert_int_equal(lab_change(lab, USB_CHANGE_CONFIGURATION, 2), 0);
	assert_int_equal(lab->n_changed, 0);
	lab_run(lab, &lab->n_changed, 1);
	assert_int_equal(lab->change.status, 0);
	assert_int_equal(lab->mock.configuration, 2);
	/* Nobody was let in between releasing and setting; the driver that then came had to go. */
	assert_int_equal(lab->mock.n_connects, 0);
	assert_int_equal(lab->mock.owner[0], MOCK_OURS);
	/* The same again is a reset of the configuration: it reaches the kernel. */
	assert_int_equal(lab_change(lab, USB_CHANGE_CONFIGURATION, 2), 0);
	lab_run(lab, &lab->n_changed, 2);
	assert_int_equal(lab->mock.n_set_configurations, 2);
	/* None. */
	assert_int_equal(lab_change(lab, USB_CHANGE_CONFIGURATION, 0), 0);
	lab_run(lab, &lab->n_changed, 3);
	assert_int_equal(lab->change.status, 0);
	assert_int_equal(lab->mock.configuration, 0);
	assert_int_equal(lab_change(lab, USB_CHANGE_CONFIGURATION, 1), 0);
	lab_run(lab, &lab->n_changed, 4);
	assert_int_equal(lab->mock.owner[1], MOCK_OURS);
}

static void test_configuration_unknown(void **state)
{
	struct lab *lab = *state;

	assert_int_equal(lab_change(lab, USB_CHANGE_CONFIGURATION, 3), 0);
	lab_run(lab, &lab->n_changed, 1);
	assert_int_equal(lab->change.status, -EPIPE);
	/* The old one is in force, and ours. */
	assert_int_equal(lab->mock.configuration, 1);
	assert_int_equal(lab->mock.owner[0], MOCK_OURS);
	assert_int_equal(lab->mock.owner[1], MOCK_OURS);
}

static void test_configuration_busy(void **state)
{
	struct lab *lab = *state;

	lab->mock.change_errno = EBUSY;
	assert_int_equal(lab_change(lab, USB_CHANGE_CONFIGURATION, 2), 0);
	lab_run(lab, &lab->n_changed, 1);
	assert_int_equal(lab->change.status, -EPIPE);
	assert_non_null(strstr(last_error, "3-1.5: configuration 2 is refused: another driver or "
					   "program holds an interface"));
	assert_int_equal(lab->mock.owner[0], MOCK_OURS);
}

static void test_configuration_cancels(void **state)
{
	struct lab *lab = *state;
	uint8_t data[2][64];

	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data[0], 64), 0);
	assert_int_equal(lab_submit(lab, 1, BULK, 0x81, data[1], 64), 0);
	assert_int_equal(lab_change(lab, USB_CHANGE_CONFIGURATION, 2), 0);
	lab_run(lab, &lab->n_changed, 1);
	/* Not "complete and short", which is what the kernel makes of them; told before. */
	assert_int_equal(lab->n_done, 2);
	assert_int_equal(lab->changed_after, 2);
	assert_int_equal(lab->transfers[0].status, -ECANCELED);
	assert_int_equal(lab->transfers[1].status, -ECANCELED);
}

static void test_interface(void **state)
{
	struct lab *lab = *state;

	lab->change.interface = 1;
	assert_int_equal(lab_change(lab, USB_CHANGE_INTERFACE, 1), 0);
	lab_run(lab, &lab->n_changed, 1);
	assert_int_equal(lab->change.status, 0);
	assert_int_equal(lab->mock.setting[1], 1);
	assert_int_equal(lab_change(lab, USB_CHANGE_INTERFACE, 9), 0);
	lab_run(lab, &lab->n_changed, 2);
	assert_int_equal(lab->change.status, -EPIPE);
	/* One that there is not. */
	lab->change.interface = 3;
	assert_int_equal(lab_change(lab, USB_CHANGE_INTERFACE, 0), 0);
	lab_run(lab, &lab->n_changed, 3);
	assert_int_equal(lab->change.status, -EPIPE);
}

static void test_clear_halt(void **state)
{
	struct lab *lab = *state;

	lab->change.endpoint = 0x81;
	assert_int_equal(lab_change(lab, USB_CHANGE_CLEAR_HALT, 0), 0);
	lab_run(lab, &lab->n_changed, 1);
	assert_int_equal(lab->change.status, 0);
	assert_int_equal(lab->mock.n_clear_halts, 1);
	assert_int_equal(lab->mock.last_endpoint, 0x81);
	lab->change.soft = true;
	lab->change.endpoint = 0x01;
	assert_int_equal(lab_change(lab, USB_CHANGE_CLEAR_HALT, 0), 0);
	lab_run(lab, &lab->n_changed, 2);
	assert_int_equal(lab->change.status, 0);
	assert_int_equal(lab->mock.n_clear_halts, 1);
	assert_int_equal(lab->mock.n_reset_eps, 1);
	assert_int_equal(lab->mock.last_endpoint, 0x01);
	lab->mock.change_errno = ENOENT;
	assert_int_equal(lab_change(lab, USB_CHANGE_CLEAR_HALT, 0), 0);
	lab_run(lab, &lab->n_changed, 3);
	assert_int_equal(lab->change.status, -EPIPE);
	lab->mock.change_errno = ETIMEDOUT;
	assert_int_equal(lab_change(lab, USB_CHANGE_CLEAR_HALT, 0), 0);
	lab_run(lab, &lab->n_changed, 4);
	assert_int_equal(lab->change.status, -EPROTO);
}

static void test_reset(void **state)
{
	struct lab *lab = *state;

	lab->mock.setting[1] = 1;
	assert_int_equal(lab_change(lab, USB_CHANGE_RESET, 0), 0);
	lab_run(lab, &lab->n_changed, 1);
	assert_int_equal(lab->change.status, 0);
	assert_int_equal(lab->mock.setting[1], 0);
	assert_int_equal(lab->mock.owner[1], MOCK_OURS);
	/* One that fails leaves the device ours. */
	lab->mock.change_errno = EIO;
	assert_int_equal(lab_change(lab, USB_CHANGE_RESET, 0), 0);
	lab_run(lab, &lab->n_changed, 2);
	assert_int_equal(lab->change.status, -EPROTO);
	assert_int_equal(lab->mock.owner[0], MOCK_OURS);
	assert_int_equal(lab->mock.owner[1], MOCK_OURS);
}

static void test_reset_reenumerates(void **state)
{
	struct lab *lab = *state;
	uint8_t data[64];

	lab->mock.reenumerates = true;
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, 64), 0);
	assert_int_equal(lab_change(lab, USB_CHANGE_RESET, 0), 0);
	lab_run(lab, &lab->n_gone, 1);
	assert_int_equal(lab->change.status, -ENODEV);
	assert_int_equal(lab->n_done, 1);
	lab_idle(lab);
	assert_int_equal(lab->n_gone, 1);
	assert_int_equal(lab_submit(lab, 1, BULK, 0x81, data, 64), -ENODEV);
	assert_int_equal(lab_change(lab, USB_CHANGE_RESET, 0), -ENODEV);
}

/* Nothing touches the device while a change has it locked: lab_fini looks for violations. */
static void test_held_meanwhile(void **state)
{
	struct lab *lab = *state;
	uint8_t data[4][64];

	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data[0], 64), 0);
	assert_int_equal(lab_submit(lab, 1, BULK, 0x01, data[1], 64), 0);
	lab->mock.hold = true;
	lab->change.endpoint = 0x02;
	assert_int_equal(lab_change(lab, USB_CHANGE_CLEAR_HALT, 0), 0);
	mock_wait_inside(&lab->mock);
	assert_int_equal(lab_change(lab, USB_CHANGE_RESET, 0), -EBUSY);
	lab->change.kind = USB_CHANGE_CLEAR_HALT;
	/* Complete already, but not to be reaped now; another to be cancelled later. */
	mock_complete(&lab->mock, 1, 0, 64, NULL);
	lab->host->ops->cancel(lab->host, &lab->transfers[0]);
	assert_int_equal(lab_submit(lab, 2, BULK, 0x81, data[2], 64), 0);
	assert_int_equal(lab_submit(lab, 3, BULK, 0x81, data[3], 64), 0);
	lab->host->ops->cancel(lab->host, &lab->transfers[3]);
	lab_idle(lab);
	assert_int_equal(lab->mock.n_submits, 2);
	assert_int_equal(lab->mock.n_discards, 0);
	/* The one that was never sent has ended. */
	assert_int_equal(lab->n_done, 1);
	assert_ptr_equal(lab->order[0], &lab->transfers[3]);
	assert_int_equal(lab->transfers[3].status, -ECANCELED);
	mock_let_go(&lab->mock);
	lab_run(lab, &lab->n_changed, 1);
	lab_run(lab, &lab->n_done, 3);
	assert_int_equal(lab->transfers[0].status, -ECANCELED);
	assert_int_equal(lab->transfers[1].status, 0);
	assert_int_equal(lab->mock.n_submits, 3);
	mock_complete(&lab->mock, 0, 0, 64, NULL);
	lab_run(lab, &lab->n_done, 4);
	assert_int_equal(lab->transfers[2].status, 0);
}

static void test_held_fails(void **state)
{
	struct lab *lab = *state;
	uint8_t data[64];

	lab->mock.hold = true;
	assert_int_equal(lab_change(lab, USB_CHANGE_CONFIGURATION, 0), 0);
	mock_wait_inside(&lab->mock);
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, 64), 0);
	mock_let_go(&lab->mock);
	lab_run(lab, &lab->n_done, 1);
	/* Its endpoint is not there any more. */
	assert_int_equal(lab->transfers[0].status, -EINVAL);
}

/* --- unplugging --- */

static void test_unplug(void **state)
{
	struct lab *lab = *state;
	uint8_t data[3][64];

	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(lab_submit(lab, i, BULK, 0x81, data[i], 64), 0);
	mock_complete(&lab->mock, 0, 0, 64, NULL);
	mock_unplug(&lab->mock);
	lab_run(lab, &lab->n_gone, 1);
	assert_int_equal(lab->n_done, 3);
	assert_int_equal(lab->transfers[0].status, 0);
	assert_int_equal(lab->transfers[1].status, -ENODEV);
	assert_int_equal(lab->transfers[2].status, -ENODEV);
	lab_idle(lab);
	assert_int_equal(lab->n_gone, 1);
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data[0], 64), -ENODEV);
	assert_int_equal(lab_change(lab, USB_CHANGE_RESET, 0), -ENODEV);
}

static void test_unplug_idle(void **state)
{
	struct lab *lab = *state;

	mock_unplug(&lab->mock);
	lab_run(lab, &lab->n_gone, 1);
	lab_idle(lab);
	assert_int_equal(lab->n_gone, 1);
}

static void test_unplug_at_submit(void **state)
{
	struct lab *lab = *state;
	uint8_t data[64];

	mock_unplug(&lab->mock);
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, 64), -ENODEV);
	assert_int_equal(lab->n_gone, 0);
	lab_run(lab, &lab->n_gone, 1);
	lab_idle(lab);
	assert_int_equal(lab->n_done, 0);
	assert_int_equal(lab->n_gone, 1);
}

static void test_unplug_in_change(void **state)
{
	struct lab *lab = *state;
	uint8_t data[64];

	lab->mock.hold = true;
	assert_int_equal(lab_change(lab, USB_CHANGE_INTERFACE, 0), 0);
	mock_wait_inside(&lab->mock);
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, 64), 0);
	mock_unplug(&lab->mock);
	mock_let_go(&lab->mock);
	lab_run(lab, &lab->n_gone, 1);
	assert_int_equal(lab->change.status, -ENODEV);
	assert_int_equal(lab->transfers[0].status, -ENODEV);
	assert_int_equal(lab->n_done, 1);
}

static void close_lab(struct lab *lab)
{
	close_device(lab);
}

static void test_close_from_gone(void **state)
{
	struct lab *lab = *state;
	uint8_t data[64];

	lab->on_gone = close_lab;
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, 64), 0);
	mock_unplug(&lab->mock);
	lab_run(lab, &lab->n_gone, 1);
	assert_int_equal(lab->n_done, 1);
	lab_idle(lab);
}

/* --- closing --- */

static void close_on_done(struct lab *lab, struct usb_transfer *transfer)
{
	uint8_t data[8];

	if (lab->host && transfer == &lab->transfers[0])
		close_device(lab);
	else if (lab->host) /* while it closes */
		assert_int_equal(lab_submit(lab, 9, BULK, 0x81, data, 8), -ENODEV);
}

static void test_close_from_done(void **state)
{
	struct lab *lab = *state;
	uint8_t data[3][64];

	lab->on_done = close_on_done;
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(lab_submit(lab, i, BULK, 0x81, data[i], 64), 0);
	mock_complete(&lab->mock, 0, 0, 64, NULL);
	mock_complete(&lab->mock, 0, 0, 64, NULL);
	lab_run(lab, &lab->n_done, 3);
	assert_int_equal(lab->transfers[0].status, 0);
	assert_int_equal(lab->transfers[1].status, 0);
	assert_int_equal(lab->transfers[2].status, -ENODEV);
	lab_idle(lab);
}

static void test_close_from_changed(void **state)
{
	struct lab *lab = *state;

	lab->on_changed = close_lab;
	assert_int_equal(lab_change(lab, USB_CHANGE_RESET, 0), 0);
	lab_run(lab, &lab->n_changed, 1);
	lab_idle(lab);
	assert_int_equal(lab->n_changed, 1);
}

static void test_close_in_flight(void **state)
{
	struct lab *lab = *state;
	struct usb_packet packet = {.length = 64};
	uint8_t data[3][64];

	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data[0], 64), 0);
	assert_int_equal(lab_control(lab, 1, 0x80, data[1], 64), 0);
	lab->transfers[2].packets = &packet;
	lab->transfers[2].n_packets = 1;
	assert_int_equal(lab_submit(lab, 2, USB_ENDPOINT_XFER_ISOC, 0x83, data[2], 64), 0);
	close_device(lab);
	assert_int_equal(lab->n_done, 3);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(lab->transfers[i].status, -ENODEV);
	assert_int_equal(lab->mock.n_discards, 3);
	/* With the kernel's drivers again. */
	assert_int_equal(lab->mock.owner[0], MOCK_KERNEL);
	assert_int_equal(lab->mock.owner[1], MOCK_KERNEL);
	assert_int_equal(lab->n_gone, 0);
}

static void test_close_restores(void **state)
{
	struct lab *lab = *state;

	assert_int_equal(lab_change(lab, USB_CHANGE_CONFIGURATION, 2), 0);
	lab_run(lab, &lab->n_changed, 1);
	close_device(lab);
	assert_int_equal(lab->mock.configuration, 1);
	assert_int_equal(lab->mock.owner[1], MOCK_KERNEL);
}

static void test_close_unconfigures(void **state)
{
	struct lab lab;

	lab_init(&lab);
	lab.mock.configuration = 0;
	assert_int_equal(lab_open(&lab), 0);
	assert_int_equal(lab_change(&lab, USB_CHANGE_CONFIGURATION, 1), 0);
	lab_run(&lab, &lab.n_changed, 1);
	assert_int_equal(lab.change.status, 0);
	close_device(&lab);
	/* Reserved again: no driver has seen it. */
	assert_int_equal(lab.mock.configuration, 0);
	assert_int_equal(lab.mock.n_connects, 0);
	lab_fini(&lab);
}

static void test_close_in_change(void **state)
{
	struct lab *lab = *state;
	uint8_t data[64];

	inside(lab)->tuning.close_ms = 1;
	lab->mock.hold = true;
	assert_int_equal(lab_change(lab, USB_CHANGE_INTERFACE, 1), 0);
	mock_wait_inside(&lab->mock);
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, 64), 0);
	close_device(lab);
	assert_int_equal(lab->n_changed, 1);
	assert_int_equal(lab->change.status, -ENODEV);
	assert_int_equal(lab->n_done, 1);
	assert_int_equal(lab->transfers[0].status, -ENODEV);
	/* The thread takes the rest down when the kernel lets it go. */
	mock_let_go(&lab->mock);
	mock_wait_closed(&lab->mock);
}

static void test_close_wedged(void **state)
{
	struct lab *lab = *state;
	uint8_t data[64];

	inside(lab)->tuning.close_ms = 1;
	lab->mock.wedged = true;
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, 64), 0);
	close_device(lab);
	assert_int_equal(lab->n_done, 1);
	assert_int_equal(lab->transfers[0].status, -ENODEV);
	assert_non_null(strstr(last_error, "transfers could not be cancelled in 1 ms"));
	mock_wait_closed(&lab->mock);
}

/* --- mapped memory --- */

static void test_no_mapping(void **state)
{
	struct lab *lab = *state;

	/* Mappable, but not usbfs: such memory is no good. */
	lab->mock.mappable = true;
	memory_init(inside(lab));
	assert_null(lab->host->ops->buffer_alloc(lab->host, 4096));
	assert_int_equal(lab->mock.n_maps, 0);
}

static void test_mapping(void **state)
{
	struct lab *lab = *state;
	uint8_t *one, *two;

	lab->mock.mappable = true;
	inside(lab)->tuning.mapping = HOST_LIBUSB_MAPPING_ALWAYS;
	memory_init(inside(lab));
	one = lab->host->ops->buffer_alloc(lab->host, 65536);
	two = lab->host->ops->buffer_alloc(lab->host, 100);
	assert_non_null(one);
	assert_non_null(two);
	memset(one, 1, 65536);
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, one, 65536), 0);
	mock_complete(&lab->mock, 0, 0, 4, "abcd");
	lab_run(lab, &lab->n_done, 1);
	assert_memory_equal(one, "abcd", 4);
	/* Kept for the next one of that size. */
	lab->host->ops->buffer_free(lab->host, one, 65536);
	assert_ptr_equal(lab->host->ops->buffer_alloc(lab->host, 65000), one);
	assert_int_equal(lab->mock.n_maps, 2);
	lab->host->ops->buffer_free(lab->host, one, 65000);
	lab->host->ops->buffer_free(lab->host, two, 100);
	lab->host->ops->buffer_free(lab->host, NULL, 100);
	/* None to be had: the caller uses its own. */
	lab->mock.mappable = false;
	assert_null(lab->host->ops->buffer_alloc(lab->host, 8192));
}

static void test_mapping_bounded(void **state)
{
	struct lab *lab = *state;
	void *buffers[4];

	lab->mock.mappable = true;
	inside(lab)->mapping = true;
	for (unsigned int i = 0; i < 4; i++)
		buffers[i] = lab->host->ops->buffer_alloc(lab->host, 1u << 20);
	for (unsigned int i = 0; i < 4; i++)
		lab->host->ops->buffer_free(lab->host, buffers[i], 1u << 20);
	assert_int_equal(inside(lab)->spare_bytes, 2u << 20);
	/* One that is still out ends with the device; who gives it back twice changes nothing. */
	assert_non_null(lab->host->ops->buffer_alloc(lab->host, 1u << 20));
	lab->host->ops->buffer_free(lab->host, buffers[0], 1u << 20);
	lab->host->ops->buffer_free(lab->host, buffers[0], 1u << 20);
	assert_true(inside(lab)->spare_bytes <= 2u << 20);
}

static void test_mapping_tried(void **state)
{
	struct lab *lab = *state;
	uint64_t mapped_ns = 0, ordinary_ns = 0;

	assert_false(memory_try(inside(lab), &mapped_ns, &ordinary_ns));
	lab->mock.mappable = true;
	lab->mock.unpinnable = true;
	assert_false(memory_try(inside(lab), &mapped_ns, &ordinary_ns));
	assert_int_equal(mapped_ns + ordinary_ns, 0);
	lab->mock.unpinnable = false;
	assert_true(memory_try(inside(lab), &mapped_ns, &ordinary_ns));
	assert_true(mapped_ns && ordinary_ns);
}

static void test_mapping_pays(void **state)
{
	assert_true(memory_pays(1000, 1000));
	assert_true(memory_pays(2000, 1000));
	assert_false(memory_pays(2001, 1000));
	assert_false(memory_pays(90000, 1000));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_configuration),
		TEST(test_configuration_unknown),
		TEST(test_configuration_busy),
		TEST(test_configuration_cancels),
		TEST(test_interface),
		TEST(test_clear_halt),
		TEST(test_reset),
		TEST(test_reset_reenumerates),
		TEST(test_held_meanwhile),
		TEST(test_held_fails),
		TEST(test_unplug),
		TEST(test_unplug_idle),
		TEST(test_unplug_at_submit),
		TEST(test_unplug_in_change),
		TEST(test_close_from_gone),
		TEST(test_close_from_done),
		TEST(test_close_from_changed),
		TEST(test_close_in_flight),
		TEST(test_close_restores),
		cmocka_unit_test(test_close_unconfigures),
		TEST(test_close_in_change),
		TEST(test_close_wedged),
		TEST(test_no_mapping),
		TEST(test_mapping),
		TEST(test_mapping_bounded),
		TEST(test_mapping_tried),
		cmocka_unit_test(test_mapping_pays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
