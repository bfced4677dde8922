/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h - messages with a module, a level, a rate limit and a replaceable sink.
 *
 * err: the operator must act; warn: degraded; info: life cycle (at most 5 lines a device); debug:
 * the rest. The default sink is stderr with journald's <N> prefixes (sd-daemon(3)) where stderr is
 * not a terminal. Thread-safe. A sink that fails (full disk) never stops the caller: the loss is
 * counted (log_lost()).
 */
#ifndef XB_LOG_H
#define XB_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/** A sink receives one finished line without newline. */
typedef void (*log_sink_fn)(void *ctx, enum log_level level, const char *module, const char *line);

/** Replaces the sink; NULL restores stderr. */
void log_set_sink(log_sink_fn fn, void *ctx);

/**
 * Sets the level of one module, or of all (module NULL or "*").
 * Modules need not exist yet. Returns 0, -ENOSPC when too many modules (32) have a level of their
 * own.
 */
int log_set_level(const char *module, enum log_level level);

/** Parses "err|warn|info|debug"; returns 0 or -EINVAL. */
int log_level_parse(const char *name, enum log_level *level);
const char *log_level_name(enum log_level level);

/** True when a message of this module and level would be written. */
bool log_enabled(const char *module, enum log_level level);

/** Calls fn for the default ("*") and each module that has a level of its own. */
void log_foreach_level(void (*fn)(void *ctx, const char *module, enum log_level level), void *ctx);

void log_write(const char *module, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** Lines that the sink could not write since the start. */
uint64_t log_lost(void);

/** State of a rate limit: at most `burst` lines per `interval_ns`, then one line that says how many
 * were left out. */
struct log_limit {
	uint64_t interval_ns;
	unsigned int burst;
	uint64_t window_start_ns;
	unsigned int used;
	uint64_t suppressed;
};
#define LOG_LIMIT_INIT(interval_s, burst_lines)                                                    \
	{                                                                                          \
		.interval_ns = (interval_s)*1000000000ull, .burst = (burst_lines)                  \
	}

/** True when the caller may log now; used by the macros. now_ns: any monotonic time. */
bool log_limit_pass(struct log_limit *limit, uint64_t now_ns, uint64_t *n_suppressed);

/* A .c file defines LOG_MODULE before it logs. */
#define log_err(...)  log_write(LOG_MODULE, LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_MODULE, LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_MODULE, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
	do {                                                                                       \
		if (log_enabled(LOG_MODULE, LOG_LEVEL_DEBUG))                                      \
			log_write(LOG_MODULE, LOG_LEVEL_DEBUG, __VA_ARGS__);                       \
	} while (0)

/** Rate-limited line for anything that a guest or the network can trigger (XSA-43, XSA-180). */
void log_limited(struct log_limit *limit, uint64_t now_ns, const char *module, enum log_level level,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
