/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.c - messages with a module, a level, a rate limit and a replaceable sink.
 *
 * Two locks: one for the level table, one around the sink so that lines never mix. The stderr sink
 * writes only what the descriptor takes at once (MSG_DONTWAIT, or poll before a write shorter than
 * PIPE_BUF): a stalled reader costs lines, not time.
 */
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util.h"

#define MODULES_MAX	32
#define MODULE_NAME_MAX 24
#define LINE_MAX_BYTES	1024

static const char *const level_names[] = {"err", "warn", "info", "debug"};
/* syslog(3) severities, for journald's <N> prefix */
static const int level_severity[] = {3, 4, 6, 7};

static struct {
	pthread_mutex_t lock;
	enum log_level all; /* of modules without a level of their own */
	struct {
		char name[MODULE_NAME_MAX];
		enum log_level level;
	} modules[MODULES_MAX];
	unsigned int n_modules;
	int most_verbose; /* atomic: the answer without a lock where nobody wants to hear it */
} levels = {
	.lock = PTHREAD_MUTEX_INITIALIZER, .all = LOG_LEVEL_INFO, .most_verbose = LOG_LEVEL_INFO};

static struct {
	pthread_mutex_t lock;
	log_sink_fn fn;
	void *ctx;
	uint64_t lost; /* atomic */
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER};

static __thread bool in_sink;

void log_set_sink(log_sink_fn fn, void *ctx)
{
	pthread_mutex_lock(&sink.lock);
	sink.fn = fn;
	sink.ctx = ctx;
	pthread_mutex_unlock(&sink.lock);
}

/* Index of the module in the table, or n_modules. Caller holds the lock. */
static unsigned int find_module(const char *module)
{
	unsigned int i = 0;

	while (i < levels.n_modules && strcmp(levels.modules[i].name, module))
		i++;
	return i;
}

static void update_most_verbose(void)
{
	enum log_level most = levels.all;

	for (unsigned int i = 0; i < levels.n_modules; i++)
		most = MAX(most, levels.modules[i].level);
	__atomic_store_n(&levels.most_verbose, (int)most, __ATOMIC_RELAXED);
}

int log_set_level(const char *module, enum log_level level)
{
	unsigned int i;
	int err = 0;

	pthread_mutex_lock(&levels.lock);
	if (!module || !strcmp(module, "*")) {
		levels.all = level;
		levels.n_modules = 0;
		goto out;
	}
	if (!*module || strlen(module) >= MODULE_NAME_MAX) {
		err = -EINVAL;
		goto out;
	}
	i = find_module(module);
	if (i == MODULES_MAX) {
		err = -ENOSPC;
		goto out;
	}
	if (i == levels.n_modules) {
		strcpy(levels.modules[i].name, module);
		levels.n_modules++;
	}
	levels.modules[i].level = level;
out:
	update_most_verbose();
	pthread_mutex_unlock(&levels.lock);
	return err;
}

int log_level_parse(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++)
		if (!strcmp(name, level_names[i])) {
			*level = (enum log_level)i;
			return 0;
		}
	return -EINVAL;
}

const char *log_level_name(enum log_level level)
{
	return (size_t)level < ARRAY_SIZE(level_names) ? level_names[level] : "?";
}

bool log_enabled(const char *module, enum log_level level)
{
	enum log_level limit;
	unsigned int i;

	if ((int)level > __atomic_load_n(&levels.most_verbose, __ATOMIC_RELAXED))
		return false;
	pthread_mutex_lock(&levels.lock);
	i = find_module(module);
	limit = i < levels.n_modules ? levels.modules[i].level : levels.all;
	pthread_mutex_unlock(&levels.lock);
	return level <= limit;
}

void log_foreach_level(void (*fn)(void *ctx, const char *module, enum log_level level), void *ctx)
{
	fn(ctx, "*", levels.all);
	for (unsigned int i = 0; i < levels.n_modules; i++)
		fn(ctx, levels.modules[i].name, levels.modules[i].level);
}

/* True when the whole line went out without waiting. */
static bool write_at_once(int fd, const char *line, size_t size)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};
	ssize_t n = send(fd, line, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno == ENOTSOCK) {
		if (poll(&pfd, 1, 0) != 1 || !(pfd.revents & POLLOUT))
			return false;
		n = write(fd, line, size);
	}
	return n == (ssize_t)size;
}

static void stderr_sink(enum log_level level, const char *module, const char *line)
{
	char out[LINE_MAX_BYTES + MODULE_NAME_MAX + 16];
	int size;

	if (isatty(STDERR_FILENO))
		size = snprintf(out, sizeof(out), "%s: %s: %s\n", log_level_name(level), module,
				line);
	else
		size = snprintf(out, sizeof(out), "<%d>%s: %s\n", level_severity[level], module,
				line);
	size = MIN(size, (int)sizeof(out) - 1);
	out[size - 1] = '\n';
	if (!write_at_once(STDERR_FILENO, out, (size_t)size))
		__atomic_add_fetch(&sink.lost, 1, __ATOMIC_RELAXED);
}

/* What guests and files say may hold anything: a line stays one line, and a terminal stays as it
 * was. */
static void copy_printable(char *out, size_t size, const char *in)
{
	size_t n = 0;

	for (; *in && n + 5 < size; in++) {
		unsigned char c = (unsigned char)*in;

		if (c < 0x20 || c == 0x7f)
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", c);
		else
			out[n++] = (char)c;
	}
	out[n] = 0;
}

static void write_line(const char *module, enum log_level level, const char *raw)
{
	char line[LINE_MAX_BYTES];

	if (in_sink) { /* a sink that logs would wait for itself */
		__atomic_add_fetch(&sink.lost, 1, __ATOMIC_RELAXED);
		return;
	}
	copy_printable(line, sizeof(line), raw);
	pthread_mutex_lock(&sink.lock);
	in_sink = true;
	if (sink.fn)
		sink.fn(sink.ctx, level, module, line);
	else
		stderr_sink(level, module, line);
	in_sink = false;
	pthread_mutex_unlock(&sink.lock);
}

static void log_vwrite(const char *module, enum log_level level, const char *fmt, va_list args)
{
	char raw[LINE_MAX_BYTES];
	int saved = errno;

	vsnprintf(raw, sizeof(raw), fmt, args);
	write_line(module, level, raw);
	errno = saved;
}

void log_write(const char *module, enum log_level level, const char *fmt, ...)
{
	va_list args;

	if (!log_enabled(module, level))
		return;
	va_start(args, fmt);
	log_vwrite(module, level, fmt, args);
	va_end(args);
}

uint64_t log_lost(void)
{
	return __atomic_load_n(&sink.lost, __ATOMIC_RELAXED);
}

bool log_limit_pass(struct log_limit *limit, uint64_t now_ns, uint64_t *n_suppressed)
{
	uint64_t age_ns =
		now_ns - limit->window_start_ns; /* huge when now_ns went back: a new window */

	*n_suppressed = 0;
	if (!limit->used || age_ns >= limit->interval_ns) {
		*n_suppressed = limit->suppressed;
		limit->window_start_ns = now_ns;
		limit->used = 0;
		limit->suppressed = 0;
	}
	if (limit->used >= limit->burst) {
		limit->suppressed++;
		return false;
	}
	limit->used++;
	return true;
}

void log_limited(struct log_limit *limit, uint64_t now_ns, const char *module, enum log_level level,
		 const char *fmt, ...)
{
	uint64_t n_suppressed;
	va_list args;

	if (!log_enabled(module, level) || !log_limit_pass(limit, now_ns, &n_suppressed))
		return;
	if (n_suppressed)
		log_write(module, level, "%llu more such lines were left out",
			  (unsigned long long)n_suppressed);
	va_start(args, fmt);
	log_vwrite(module, level, fmt, args);
	va_end(args);
}
