/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * coalesce-lab.h - the merging engine with requests and transfers that a test holds in its hands.
 *
 * Batches carry a buffer whose byte i is 1 + i % 251 once they ended (IN), or what the engine
 * fetched (OUT, by lab_issue); requests have data of their own.
 */
#ifndef XB_TEST_COALESCE_LAB_H
#define XB_TEST_COALESCE_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "usbback/coalesce.h"

#define LAB_REQUESTS 40u
#define LAB_BYTES    (320u << 10)
#define LAB_NEVER    UINT64_MAX
#define MPS	     512u

struct lab_request {
	struct coalesce_request co;
	uint8_t data[64u << 10];
	unsigned int n_done, order; /**< order: of its end, from 1 */
};

struct lab {
	struct coalesce co;
	struct lab_request requests[LAB_REQUESTS];
	unsigned int n, n_done;
	uint8_t buffers[COALESCE_BATCHES][LAB_BYTES];
	unsigned int n_cancelled, n_retired;
	struct coalesce_batch *cancelled[4 * COALESCE_BATCHES]; /**< in order */
	uint64_t now_ns, deadline_ns;
	bool full;	/**< what the engine is told of the ring */
	uint32_t limit; /**< and of memory */
};

/** One static lab, anew: `in`, packets of MPS, merging up to 64 KiB, all in flight. */
struct lab *lab_init(bool in);

/** Queues n requests of one length; the first one is returned, the others lie behind it. */
struct lab_request *lab_queue(struct lab *lab, unsigned int n, uint32_t length, bool short_not_ok);

/** Asks for the next batch; OUT data is fetched. NULL as the engine says. */
struct coalesce_batch *lab_issue(struct lab *lab);

/** The next batch has so many requests and bytes. */
struct coalesce_batch *lab_expect_batch(struct lab *lab, unsigned int n, uint32_t length);

/** There is none to be had now; *deadline_ns of the engine is at deadline_ns (or LAB_NEVER). */
void lab_expect_none(struct lab *lab, uint64_t deadline_ns);

/** The batch ends; IN fills its buffer. */
void lab_end(struct lab *lab, struct coalesce_batch *batch, int status, uint32_t actual);

/** The request ended once, like this. */
void lab_expect_done(const struct lab_request *request, int status, uint32_t actual);

/** IN: its bytes from `at` on are those of a transfer from `offset` on. */
void lab_expect_bytes(const struct lab_request *request, uint32_t at, uint32_t offset, uint32_t n);

/** IN messages came back full until they are merged. */
void lab_streak(struct lab *lab, uint32_t length);

#endif
