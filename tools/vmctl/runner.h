/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runner.h - runs a program without a shell, in the loop: what it says, how it ended, and an end by
 * force when it takes too long.
 *
 * The program gets an environment and a process group of its own, /dev/null to read, and no
 * descriptor of ours. Of what it says the last bytes are kept: errors come last. When its time is
 * up its group gets SIGTERM, and SIGKILL RUNNER_GRACE_NS later. What it leaves behind in the
 * background (xl watches a guest) goes on.
 */
#ifndef XB_VMCTL_RUNNER_H
#define XB_VMCTL_RUNNER_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#define RUNNER_GRACE_NS	  (10 * 1000000000ull)
#define RUNNER_OUTPUT_MAX 1024 /**< with the end */

struct runner_result {
	int status;			/**< exit status 0 to 255, or -1 */
	int signal;			/**< that ended it, 0 = none */
	bool timeout;			/**< we ended it */
	char output[RUNNER_OUTPUT_MAX]; /**< printable ASCII, lines parted by "; " */
};

/** It has ended. */
typedef void (*runner_done_fn)(void *ctx, const struct runner_result *result);

/**
 * Starts argv[0], which is looked for in the PATH of a system; SIGCHLD must be blocked. timeout_ns
 * > 0. A program that is not there ends with status 127. Returns 0 or -errno.
 */
int runner_start(sd_event *event, const char *const argv[], uint64_t timeout_ns,
		 runner_done_fn done, void *ctx);

#endif
