/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbback_main.h - the daemon as a value: main.c runs it, tests may. */
#ifndef XB_USB_USBBACK_MAIN_H
#define XB_USB_USBBACK_MAIN_H

#include "app.h"

extern const struct app_desc usbback_app;

#endif
