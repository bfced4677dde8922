/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-usbdesc.c - descriptors as a guest reads them: the first byte says which parser, the rest is
 * the device's. What is taken can be looked up again. */
#include <stdlib.h>
#include <string.h>

#include "tests/guest/usbdesc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void config(const uint8_t *data, size_t size)
{
	static struct usbdesc_config c;
	char error[80];

	if (usbdesc_parse_config(data, size, &c, error, sizeof(error)) < 0)
		return;
	if (c.n_alts > USBDESC_ALTS)
		abort();
	for (unsigned int i = 0; i < c.n_alts; i++) {
		const struct usbdesc_alt *alt = &c.alts[i];

		if (alt->n_endpoints > USBDESC_ENDPOINTS ||
		    usbdesc_alt(&c, alt->interface, alt->alternate) != alt ||
		    !usbdesc_class_name(alt->class))
			abort();
		for (unsigned int e = 0; e < alt->n_endpoints; e++)
			if (!usbdesc_find(alt, alt->endpoints[e].type,
					  alt->endpoints[e].address & USB_DIR_IN))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct usbdesc_device device;
	char error[80], text[32];

	if (size == 0)
		return 0;
	if (data[0] == 'd')
		usbdesc_parse_device(data + 1, size - 1, &device, error, sizeof(error));
	else if (data[0] == 's' &&
		 usbdesc_parse_string(data + 1, size - 1, text, sizeof(text)) == 0 &&
		 strlen(text) >= sizeof(text))
		abort();
	else
		config(data + 1, size - 1);
	return 0;
}
