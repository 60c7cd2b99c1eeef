/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

enum { LOG_LINE_MAX = 2048 };

enum log_level log_threshold = LOG_LEVEL_NOTICE;

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER; /* over all that follows */
static char *log_path;                                        /* NULL: standard output */
static int log_descriptor = STDOUT_FILENO;
static char *log_ident;    /* NULL: no syslog; kept because openlog keeps the pointer */
static time_t log_checked; /* second in which the file was last looked for */

static int open_file(const char *path) {
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

void log_close(void) {
    pthread_mutex_lock(&log_mutex);
    if (log_path) close(log_descriptor);
    log_descriptor = STDOUT_FILENO;
    mem_free(log_path);
    log_path = NULL;
    if (log_ident) closelog();
    mem_free(log_ident);
    log_ident = NULL;
    pthread_mutex_unlock(&log_mutex);
}

int log_open(const struct log_options *options) {
    const char *path = options->file && options->file[0] ? options->file : NULL;
    int fd = STDOUT_FILENO;
    if (path && (fd = open_file(path)) < 0) return ERROR_SYSTEM;
    log_close();
    pthread_mutex_lock(&log_mutex);
    log_descriptor = fd;
    log_path = path ? mem_strdup(path) : NULL;
    if (options->syslog) {
        log_ident = mem_strdup(options->syslog_ident ? options->syslog_ident : "keynome");
        openlog(log_ident, LOG_PID | LOG_NDELAY | LOG_NOWAIT, options->syslog_facility);
    }
    pthread_mutex_unlock(&log_mutex);
    log_set_level(options->level);
    return 0;
}

void log_set_level(enum log_level level) {
    __atomic_store_n(&log_threshold, level, __ATOMIC_RELAXED);
}

/* Rotation moves the file away: look once a second whether the path still leads to what is open. */
static void reopen_if_moved(time_t now) {
    struct stat open_one, named;
    if (!log_path || now == log_checked) return;
    log_checked = now;
    if (fstat(log_descriptor, &open_one) == 0 && stat(log_path, &named) == 0 &&
        open_one.st_ino == named.st_ino && open_one.st_dev == named.st_dev) {
        return;
    }
    int fd = open_file(log_path);
    if (fd < 0) return;
    close(log_descriptor);
    log_descriptor = fd;
}

static void write_whole(int fd, const char *data, size_t len) {
    while (len > 0) {
        ssize_t wrote = write(fd, data, len);
        if (wrote <= 0) return;
        data += wrote;
        len -= (size_t)wrote;
    }
}

void log_line(enum log_level level, const char *format, ...) {
    static const char marks[] = ".-*#";
    static const int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING};
    if (level >= LOG_LEVEL_NOTHING) return;

    char line[LOG_LINE_MAX];
    struct timeval now;
    struct tm broken;
    gettimeofday(&now, NULL);
    localtime_r(&now.tv_sec, &broken);

    pthread_mutex_lock(&log_mutex);
    int len = snprintf(line, sizeof line, "%d:M ", (int)getpid());
    len += (int)strftime(line + len, sizeof line - (size_t)len, "%d %b %Y %H:%M:%S.", &broken);
    len += snprintf(line + len, sizeof line - (size_t)len, "%03d %c ", (int)(now.tv_usec / 1000),
                    marks[level]);
    size_t text = (size_t)len;
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(line + text, sizeof line - text - 1, format, args);
    va_end(args);
    size_t end = text + (wanted > 0 ? (size_t)wanted : 0);
    if (end > sizeof line - 2) end = sizeof line - 2;
    line[end] = '\n';
    reopen_if_moved(now.tv_sec);
    write_whole(log_descriptor, line, end + 1);
    if (log_ident) syslog(priorities[level], "%.*s", (int)(end - text), line + text);
    pthread_mutex_unlock(&log_mutex);
}

void log_raw(const char *text, size_t len) {
    write_whole(log_descriptor, text, len);
}

int log_fd(void) {
    return log_descriptor;
}
