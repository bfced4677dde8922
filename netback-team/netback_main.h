/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netback_main.h - the daemon as a value: main.c runs it, tests may. */
#ifndef XB_NET_NETBACK_MAIN_H
#define XB_NET_NETBACK_MAIN_H

#include "app.h"

extern const struct app_desc netback_app;

#endif
