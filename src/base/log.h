/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server's log.
 *
 * What: lines of `pid:role day month year time level message` to standard output, a file or syslog.
 * Always: a line is written whole, by one write. A file that was moved away is
 *         opened anew within a second.
 * Owner: the process has one log. Lock: its own; every function may be called from every thread.
 *        Only the server and what is above it log.
 * Errors: log_open returns 0 or ERROR_SYSTEM. A line that cannot be written is lost.
 */
#ifndef KN_BASE_LOG_H
#define KN_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_VERBOSE,
    LOG_LEVEL_NOTICE,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_NOTHING, /* as a threshold only: writes no line */
};

struct log_options {
    enum log_level level;
    const char *file; /* NULL or "" for standard output */
    bool syslog;      /* also to syslog */
    const char *syslog_ident;
    int syslog_facility; /* LOG_USER, LOG_LOCAL0 ... of <syslog.h> */
};

/* May be called again to change where lines go. Before the first time
 * they go to standard output. */
int log_open(const struct log_options *options);
void log_close(void);

extern enum log_level log_threshold;
void log_set_level(enum log_level level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_at(level, ...)                                                \
    do {                                                                  \
        if ((level) >= __atomic_load_n(&log_threshold, __ATOMIC_RELAXED)) \
            log_line((level), __VA_ARGS__);                               \
    } while (0)
#define log_debug(...)   log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_verbose(...) log_at(LOG_LEVEL_VERBOSE, __VA_ARGS__)
#define log_notice(...)  log_at(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_warning(...) log_at(LOG_LEVEL_WARNING, __VA_ARGS__)

/* For crash reports: safe in a signal handler; text goes out as it is, with
 * neither time nor newline added. */
void log_raw(const char *text, size_t len);
/* Where lines go, for backtrace_symbols_fd. */
int log_fd(void);

#endif
