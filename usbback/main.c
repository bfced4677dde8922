/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - the program usbback; everything else is in libusbback.a. */
#include "usbback_main.h"

int main(int argc, char **argv)
{
	return app_run(&usbback_app, argc, argv);
}
