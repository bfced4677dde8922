/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-model-text.c - texts of administrators: names of models, lines to keyboards and tablets.
 *
 * The first byte chooses; what is refused has a sentence, and changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "cluster/models/hid_input.h"
#include "cluster/models/model_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void spec(const char *text)
{
	static struct model_spec parsed;
	char error[200] = "";

	if (model_spec_parse(&parsed, text, error, sizeof(error)) ? !*error : *error)
		abort();
}

/* Lines of a keyboard or a tablet, one behind the other. */
static void lines(const char *text, size_t n, bool tablet)
{
	static struct hid_input input;
	uint8_t report[HID_REPORT_MAX], state[HID_REPORT_MAX];
	char answer[HID_ANSWER_MAX];

	hid_input_init(&input, tablet);
	while (n) {
		const char *end = memchr(text, '\n', n);
		size_t n_line = end ? (size_t)(end - text) + 1 : n;
		uint32_t tail = input.tail;

		memcpy(state, input.state, sizeof(state));
		if (hid_input_line(&input, text, n_line, answer) &&
		    (input.tail != tail || memcmp(state, input.state, sizeof(state)) || !*answer))
			abort();
		text += n_line;
		n -= n_line;
	}
	memcpy(state, input.state, sizeof(state));
	if (!tablet && input.head != input.tail) {
		while (hid_input_next(&input, report))
			;
		if (memcmp(report, state, sizeof(state)))
			abort(); /* the host ends where the lines ended */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = calloc(1, size);
	memcpy(text, data + 1, size - 1);
	if (data[0] % 3 == 0)
		spec(text);
	else
		lines(text, size - 1, data[0] % 3 == 1);
	free(text);
	return 0;
}
