/* SPDX-License-Identifier: GPL-2.0-or-later */
/* helper_wire.h - what passes between helper.c, which asks, and helper_child.c, which runs xl; and
 * what the end of xl means. */
#ifndef XB_VMCTL_HELPER_WIRE_H
#define XB_VMCTL_HELPER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "runner.h"

#define HELPER_MESSAGE_MAX (RUNNER_OUTPUT_MAX + 128)

/** One datagram to the process. */
struct helper_request {
	uint64_t job;			 /**< the reply carries it */
	uint64_t timeout_ns;		 /**< > 0 */
	uint32_t verb;			 /**< enum vmctl_verb, one of the jobs */
	uint32_t domid;			 /**< or VMCTL_NO_DOMID */
	char argument[COMMAND_PATH_MAX]; /**< padded with zeros, "" = none */
};

/** And back, when it has ended. */
struct helper_reply {
	uint64_t job;
	int32_t rc; /**< 0 or -errno */
	char message[HELPER_MESSAGE_MAX];
};

/** Is this a request? Then command is what xl is called with. */
bool helper_request_valid(const void *bytes, size_t size, const char *xl,
			  struct helper_request *request, struct command *command);
/** How xl ended, in words, in reply->rc and message. */
void helper_judge(const struct helper_request *request, const struct runner_result *result,
		  struct helper_reply *reply);
/** The process: answers what comes from fd until that ends and no xl runs. */
void helper_run(int fd, const char *xl);

#endif
