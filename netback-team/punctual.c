/* SPDX-License-Identifier: GPL-2.0-or-later */
/* punctual.c - see punctual.h; worker.c calls it. By itself, since the kernel's header and libc's
 * sched.h both define struct sched_param. */
#include "punctual.h"

#include <linux/sched/types.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLICE_NS 100000u

void punctual_thread(void)
{
	struct sched_attr attr = {.size = sizeof(attr)};

	prctl(PR_SET_TIMERSLACK, 1);
	/* Policy and nice value stay as they are. Older kernels take the slice and ignore it. */
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0)
		return;
	attr.sched_runtime = SLICE_NS;
	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}
