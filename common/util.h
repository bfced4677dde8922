/* SPDX-License-Identifier: GPL-2.0-or-later */
/* util.h - the few macros that every module needs and glibc does not have. */
#ifndef XB_UTIL_H
#define XB_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a)			(sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define MIN(a, b)			((a) < (b) ? (a) : (b))
#define MAX(a, b)			((a) > (b) ? (a) : (b))
#define DIV_ROUND_UP(n, d)		(((n) + (d)-1) / (d))

#define NSEC_PER_SEC  1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_USEC 1000ull

/** No deadline: "wake me never". */
#define DEADLINE_NEVER UINT64_MAX

static inline void xb_free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void xb_close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/** Local variables that clean up after themselves: AUTO_FREE char *s; AUTO_CLOSE int fd = -1; */
#define AUTO_FREE  __attribute__((cleanup(xb_free_ptr)))
#define AUTO_CLOSE __attribute__((cleanup(xb_close_fd)))

/** Allocate or die: control path only, the data path allocates at connect and checks. */
void *xb_calloc(size_t n, size_t size);
/** n elements, all zeros, the first at the begin of a cache line (64 bytes). */
void *xb_calloc_lines(size_t n, size_t size);
void *xb_realloc(void *p, size_t size);
char *xb_strdup(const char *s);
/** Is it a word of 1 to max letters, digits and "._:-"? */
bool xb_is_word(const char *text, size_t max);
char *xb_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** Edit distance of two words (insert, remove, replace a byte, swap two neighbours); SIZE_MAX where
 * one has over 48 bytes. */
size_t xb_distance(const char *a, const char *b);

/** Search for "did you mean": init, offer every known word, then `best` is the nearest one, or NULL
 * when none is near. */
struct nearest {
	const char *word, *best;
	size_t distance; /**< only what is nearer than this is taken */
};
void nearest_init(struct nearest *nearest, const char *word);
void nearest_offer(struct nearest *nearest, const char *candidate);

#endif
