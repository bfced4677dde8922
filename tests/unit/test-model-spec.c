/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-model-spec.c - texts that name models: what is taken, and what is said about the others. */
#include "cluster/models/model_spec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cluster/models/models.h"
#include "util.h"

static struct model_spec spec;

static void parse(const char *text)
{
	char error[256] = "";

	if (model_spec_parse(&spec, text, error, sizeof(error)))
		fail_msg("'%s' refused: %s", text, error);
	assert_int_equal(usb_model_check(text, error, sizeof(error)), 0);
}

static void test_good(void **state)
{
	parse("disk,file=/srv/a.img");
	assert_int_equal(spec.kind, MODEL_DISK);
	assert_string_equal(spec.path, "/srv/a.img");
	assert_false(spec.read_only || spec.removable || spec.no_stall);
	parse("disk,readonly,removable,no-stall,serial=A-1_b.2,file=/srv/a,,b=c.img");
	assert_string_equal(spec.path, "/srv/a,b=c.img");
	assert_string_equal(spec.serial, "A-1_b.2");
	assert_true(spec.read_only && spec.removable && spec.no_stall);
	parse("source-sink");
	assert_int_equal(spec.kind, MODEL_SOURCE_SINK);
	assert_int_equal(spec.pattern + spec.interval + spec.full_speed, 0);
	parse("source-sink,pattern=2,speed=full,interval=16");
	assert_int_equal(spec.pattern, 2);
	assert_int_equal(spec.interval, 16);
	assert_true(spec.full_speed);
	parse("source-sink,speed=high");
	assert_false(spec.full_speed);
	parse("serial,link=/run/x");
	assert_string_equal(spec.path, "/run/x");
	parse("keyboard");
	assert_int_equal(spec.kind, MODEL_KEYBOARD);
	parse("tablet,input=/run/y");
	assert_int_equal(spec.kind, MODEL_TABLET);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{"",
		 "model '' does not exist; there are disk, source-sink, serial, keyboard, tablet"},
		{"dsik,file=x",
		 "model 'dsik' does not exist (did you mean 'disk'?); there are disk, "
		 "source-sink, serial, keyboard, tablet"},
		{"disk", "model disk needs the option file=PATH, an image or a block device"},
		{"disk,", "model disk has no option ''; it has file=, readonly, removable, "
			  "no-stall, serial="},
		{"disk,flie=x",
		 "model disk has no option 'flie' (did you mean 'file'?); it has file=, "
		 "readonly, removable, no-stall, serial="},
		{"disk,pattern=1,file=x",
		 "model disk has no option 'pattern'; it has file=, readonly, "
		 "removable, no-stall, serial="},
		{"disk,file=a,file=b", "model disk: option 'file' is given twice"},
		{"disk,file=a,readonly=yes",
		 "model disk: option 'readonly' takes no value, but has 'yes'; write it alone"},
		{"disk,file",
		 "model disk: option 'file' needs a value, file=VALUE: the path of an image or a "
		 "block device"},
		{"disk,file=", "model disk: file='' is not allowed; it is the path of an image or "
			       "a block device"},
		{"disk,file=a,serial=a b", "model disk: serial='a b' is not allowed; it is 1 to 40 "
					   "letters, digits, '.', '-' or '_'"},
		{"disk,file=a,serial=12345678901234567890123456789012345678901",
		 "model disk: serial='12345678901234567890123456789012345678901' is not allowed; "
		 "it is 1 to "
		 "40 letters, digits, '.', '-' or '_'"},
		{"source-sink,pattern=3", "model source-sink: pattern='3' is not allowed; it is 0 "
					  "(zeros), 1 (a count modulo 63) or 2 "
					  "(the sink takes anything)"},
		{"source-sink,interval=0",
		 "model source-sink: interval='0' is not allowed; it is 1 to 16: "
		 "2^(N-1) microframes, or frames at full speed"},
		{"source-sink,interval=100",
		 "model source-sink: interval='100' is not allowed; it is 1 to 16: "
		 "2^(N-1) microframes, or frames at full speed"},
		{"source-sink,speed=super",
		 "model source-sink: speed='super' is not allowed; it is full or high"},
		{"keyboard,imput=x",
		 "model keyboard has no option 'imput' (did you mean 'input'?); it has input="},
	};
	char error[256];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(usb_model_check(bad[i].text, error, sizeof(error)), -EINVAL);
		assert_string_equal(error, bad[i].error);
	}
}

/* A path that is too long is no path, not a shorter one. */
static void test_long_path(void **state)
{
	char *text = xb_calloc(1, 3 * MODEL_PATH_MAX), error[256];

	strcpy(text, "disk,file=");
	memset(text + strlen(text), 'a', MODEL_PATH_MAX - 1);
	assert_int_equal(usb_model_check(text, error, sizeof(error)), 0);
	strcat(text, "a");
	assert_int_equal(usb_model_check(text, error, sizeof(error)), -EINVAL);
	memset(text + strlen(text), 'b', MODEL_PATH_MAX);
	assert_int_equal(usb_model_check(text, error, sizeof(error)), -EINVAL);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_long_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
