/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_ch9.h - the standard requests of USB 2.0, 9.4, answered for every model. Pure.
 *
 * Keeps what these requests set: the configuration, the alternate settings, halted endpoints. A
 * full speed device says by a stall that it has no other speed; a high speed one tells what it
 * would be at full speed.
 */
#ifndef XB_MODEL_CH9_H
#define XB_MODEL_CH9_H

#include <linux/usb/ch9.h>
#include <stdbool.h>
#include <stdint.h>

#include "model_desc.h"

#define MODEL_CH9_INTERFACES 4

struct model_ch9 {
	const struct model_desc *desc;
	uint8_t configuration; /**< 0: addressed only */
	uint8_t n_interfaces;
	uint8_t alt[MODEL_CH9_INTERFACES];
	uint32_t halted; /**< bit: endpoint number, + 16 for IN */
};

/** What a request does to the device beyond its answer. */
enum model_ch9_effect {
	MODEL_CH9_NOTHING,
	MODEL_CH9_CONFIGURED, /**< configuration or interface set: endpoints begin anew */
	MODEL_CH9_CLEAR_HALT, /**< the host asks to end a halt; nothing is cleared yet */
};

/** A device that is not configured. desc must outlive it. */
void model_ch9_init(struct model_ch9 *ch9, const struct model_desc *desc);

/** True for requests that are answered here: the standard ones, apart from the descriptors of an
 * interface, which its class defines. */
bool model_ch9_is_standard(const struct usb_ctrlrequest *setup);

/**
 * Answers a standard request. data has room for setup->wLength. Bytes of the reply (not more than
 * wLength), or -EPIPE: the device stalls. effect: what the request did; for CLEAR_HALT the caller
 * decides and calls model_ch9_clear_halt.
 */
int model_ch9_request(struct model_ch9 *ch9, const struct usb_ctrlrequest *setup, uint8_t *data,
		      enum model_ch9_effect *effect);

/** SET_CONFIGURATION; 0 or -EPIPE for a value that no configuration has. */
int model_ch9_set_configuration(struct model_ch9 *ch9, uint8_t value);
/** SET_INTERFACE; 0 or -EPIPE. */
int model_ch9_set_interface(struct model_ch9 *ch9, uint8_t number, uint8_t alt);
/** Port reset with the configuration set again at once: settings 0, nothing halted. */
void model_ch9_reset(struct model_ch9 *ch9);

/** Whether the endpoint exists in the active settings (endpoint 0 always does); out may be NULL. */
bool model_ch9_endpoint(const struct model_ch9 *ch9, uint8_t address, struct model_endpoint *out);
bool model_ch9_halted(const struct model_ch9 *ch9, uint8_t address);
void model_ch9_halt(struct model_ch9 *ch9, uint8_t address);
void model_ch9_clear_halt(struct model_ch9 *ch9, uint8_t address);

#endif
