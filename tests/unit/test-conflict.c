/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-conflict.c - other backends of the same type are found in sysfs and in the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "common/xen/conflict.h"
#include "common/xen/fake.h"

static char last_line[512];

static void on_log(void *ctx, enum log_level level, const char *module, const char *line)
{
	snprintf(last_line, sizeof(last_line), "%s", line);
}

static const struct xen_conflict conflicts[] = {
	{"vif", "unload xen-netback"},
	{"other", "unload the other one"},
};

static void test_drivers(void **state)
{
	static const char *const dirs[] = {"", "/bus", "/bus/xen-backend",
					   "/bus/xen-backend/drivers",
					   "/bus/xen-backend/drivers/other"};
	char base[] = "/tmp/xb-conflict-XXXXXX";

	assert_non_null(mkdtemp(base));
	last_line[0] = '\0';
	assert_int_equal(xen_check_drivers(base, conflicts, ARRAY_SIZE(conflicts)), 0);
	for (size_t i = 1; i < ARRAY_SIZE(dirs); i++) {
		AUTO_FREE char *path = xb_asprintf("%s%s", base, dirs[i]);

		assert_int_equal(mkdir(path, 0700), 0);
		assert_int_equal(xen_check_drivers(base, conflicts, 1), 0);
	}
	assert_string_equal(last_line, "");
	assert_int_equal(xen_check_drivers(base, conflicts, ARRAY_SIZE(conflicts)), -EBUSY);
	assert_string_equal(last_line, "unload the other one");
	for (size_t i = ARRAY_SIZE(dirs); i-- > 0;) {
		AUTO_FREE char *path = xb_asprintf("%s%s", base, dirs[i]);

		assert_int_equal(rmdir(path), 0);
	}
}

static void test_device_models(void **state)
{
	static const char other[] = "/local/domain/0/device-model/5/backends/qusb";
	static const char same[] = "/local/domain/0/device-model/7/backends/vusb";
	struct xen_store *store;
	struct fake *fake;
	struct xen *xen;

	assert_int_equal(fake_create(&fake), 0);
	xen = fake_domain(fake, 0);
	assert_int_equal(xen_check_device_models(xen, "vusb"), 0); /* there is no directory */
	assert_int_equal(xen->ops->store_open(xen, &store), 0);
	assert_int_equal(xen->ops->store_mkdir(store, XEN_TXN_NONE, other), 0);
	last_line[0] = '\0';
	assert_int_equal(xen_check_device_models(xen, "vusb"), 0);
	assert_string_equal(last_line, "");
	assert_int_equal(xen->ops->store_mkdir(store, XEN_TXN_NONE, same), 0);
	assert_int_equal(xen_check_device_models(xen, "vusb"), -EBUSY);
	assert_non_null(strstr(last_line, "domain 7 serves backend/vusb"));
	assert_int_equal(xen_check_device_models(xen, "vif"), 0);
	xen->ops->store_close(store);
	fake_fault(fake, FAKE_FAULT_STORE_DOWN, 1);
	assert_int_equal(xen_check_device_models(xen, "vusb"), -EIO);
	fake_destroy(fake);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drivers),
		cmocka_unit_test(test_device_models),
	};

	log_set_sink(on_log, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
