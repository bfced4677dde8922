/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - the program netback-team; everything else is in libnetback.a. */
#include "netback_main.h"

int main(int argc, char **argv)
{
	return app_run(&netback_app, argc, argv);
}
