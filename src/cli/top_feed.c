/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/top_feed.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
    RETRY_MS = 1000,  /* between attempts to connect, at least */
    TYPES_MS = 10000, /* a catalog that is loaded anew may give a pattern another type */
    PATIENCE_MS = 5000
};

struct feed {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wished;
    int fd; /* counts what waits to be taken */
    atomic_bool *stopped;
    const struct top *top;
    struct connection_options options;

    /* The thread's own. */
    struct connection *connection;
    int64_t types_at_us;
    int64_t asked_us; /* when a reading was due last */

    /* Under the lock. */
    unsigned interval_ms;
    bool paused, hurry; /* hurry: the detail is wanted now */
    char *pattern;
    struct feed_news news;
    bool waiting;
};

/* ---- the thread ---- */

struct wish {
    bool reading, ended;
    char *pattern;
};

/* When the next reading is due. The lock is held. */
static int64_t due_us(const struct feed *feed) {
    unsigned interval_ms = feed->interval_ms;
    if (!feed->connection && interval_ms < RETRY_MS) interval_ms = RETRY_MS;
    return feed->asked_us + interval_ms * INT64_C(1000);
}

/* Sleeps until there is something to ask. */
static struct wish wait_for_wish(struct feed *feed) {
    struct wish wish = {0};
    pthread_mutex_lock(&feed->lock);
    while (!*feed->stopped && !feed->hurry && (feed->paused || clock_mono_us() < due_us(feed))) {
        int64_t due = due_us(feed);
        struct timespec at = {.tv_sec = due / 1000000, .tv_nsec = due % 1000000 * 1000};
        if (feed->paused)
            pthread_cond_wait(&feed->wished, &feed->lock);
        else
            pthread_cond_timedwait(&feed->wished, &feed->lock, &at);
    }
    int64_t now_us = clock_mono_us(), due = due_us(feed);
    wish.ended = *feed->stopped;
    wish.reading = !feed->paused && now_us >= due;
    if (feed->pattern && (feed->hurry || wish.reading)) wish.pattern = mem_strdup(feed->pattern);
    /* On time by the clock, unless one was missed: the server is slow, or there was a pause. */
    if (wish.reading)
        feed->asked_us = now_us - due < feed->interval_ms * INT64_C(1000) ? due : now_us;
    feed->hurry = false;
    pthread_mutex_unlock(&feed->lock);
    return wish;
}

/* Puts news in the place of what nobody has taken; what they lack stays. */
static void publish(struct feed *feed, const struct wish *wish, struct feed_news *news) {
    uint64_t one = 1;
    pthread_mutex_lock(&feed->lock);
    struct feed_news *last = &feed->news;
    if (news->reading) {
        reading_free(last->reading);
        last->reading = news->reading;
    }
    if (news->types) {
        if (last->types) freeReplyObject(last->types);
        last->types = news->types;
    }
    if (news->detailed && feed->pattern && strcmp(feed->pattern, wish->pattern) == 0) {
        detail_done(&last->detail);
        last->detail = news->detail;
        last->detailed = true;
    } else {
        detail_done(&news->detail); /* another one is looked at by now */
    }
    memcpy(last->trouble, news->trouble, sizeof last->trouble);
    last->lost = news->lost;
    if (!feed->waiting && write(feed->fd, &one, sizeof one) == sizeof one) feed->waiting = true;
    pthread_mutex_unlock(&feed->lock);
}

static bool connected(struct feed *feed, struct feed_news *news) {
    if (!feed->connection) {
        feed->types_at_us = 0;
        feed->connection = connection_open(feed->top->url, &feed->options, news->trouble);
    }
    return feed->connection != NULL;
}

static void ask(struct feed *feed, const struct wish *wish, struct feed_news *news) {
    if (!connected(feed, news)) return;
    int64_t now_us = clock_mono_us();
    bool types = feed->types_at_us == 0 || now_us - feed->types_at_us >= TYPES_MS * INT64_C(1000);
    bool fine = true;
    if (wish->reading)
        fine =
            top_ask(feed->connection, &news->reading, types ? &news->types : NULL, news->trouble);
    if (fine && wish->reading && types) feed->types_at_us = now_us;
    if (fine && wish->pattern)
        news->detailed = top_ask_detail(feed->connection, wish->pattern, &news->detail);
    const char *broken = connection_error(feed->connection);
    if (!broken) return;
    if (!news->trouble[0]) {
        size_t len = strnlen(broken, CONNECTION_ERROR_MAX - 1);
        memcpy(news->trouble, broken, len);
        news->trouble[len] = '\0';
    }
    connection_close(feed->connection);
    feed->connection = NULL;
}

static void *run(void *context) {
    struct feed *feed = context;
    for (;;) {
        struct feed_news news = {0};
        struct wish wish = wait_for_wish(feed);
        if (wish.ended) return NULL;
        ask(feed, &wish, &news);
        news.lost = feed->connection == NULL;
        if (*feed->stopped)
            feed_news_done(&news);
        else
            publish(feed, &wish, &news);
        mem_free(wish.pattern);
    }
}

/* ---- from outside ---- */

struct feed *feed_start(const struct top *top, struct connection *connection) {
    struct feed *feed = mem_zalloc(sizeof *feed);
    pthread_condattr_t monotonic;
    sigset_t all, before;
    *feed = (struct feed){.top = top,
                          .options = top->connection,
                          .connection = connection,
                          .interval_ms = top->interval_ms,
                          .stopped = top->stopped,
                          .asked_us = clock_mono_us(),
                          .types_at_us = clock_mono_us()};
    if (feed->options.timeout_ms == 0) feed->options.timeout_ms = PATIENCE_MS;
    pthread_mutex_init(&feed->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&feed->wished, &monotonic);
    pthread_condattr_destroy(&monotonic);
    feed->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* Signals, a new size of the window above all, are for the thread that waits for keys. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = feed->fd < 0 ? -1 : pthread_create(&feed->thread, NULL, run, feed);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) return feed;
    if (feed->fd >= 0) close(feed->fd);
    connection_close(connection);
    mem_free(feed);
    return NULL;
}

static void wake(struct feed *feed) {
    pthread_cond_signal(&feed->wished);
    pthread_mutex_unlock(&feed->lock);
}

void feed_stop(struct feed *feed) {
    pthread_mutex_lock(&feed->lock);
    *feed->stopped = true;
    wake(feed);
    pthread_join(feed->thread, NULL);
    if (feed->connection) connection_close(feed->connection);
    feed_news_done(&feed->news);
    mem_free(feed->pattern);
    close(feed->fd);
    pthread_cond_destroy(&feed->wished);
    pthread_mutex_destroy(&feed->lock);
    mem_free(feed);
}

int feed_fd(const struct feed *feed) {
    return feed->fd;
}

bool feed_take(struct feed *feed, struct feed_news *ret_news) {
    uint64_t count;
    bool taken = false;
    pthread_mutex_lock(&feed->lock);
    if (feed->waiting && read(feed->fd, &count, sizeof count) == sizeof count) {
        *ret_news = feed->news;
        feed->news = (struct feed_news){0};
        feed->waiting = false;
        taken = true;
    }
    pthread_mutex_unlock(&feed->lock);
    return taken;
}

void feed_news_done(struct feed_news *news) {
    reading_free(news->reading);
    if (news->types) freeReplyObject(news->types);
    detail_done(&news->detail);
    *news = (struct feed_news){0};
}

void feed_set_interval(struct feed *feed, unsigned interval_ms) {
    pthread_mutex_lock(&feed->lock);
    feed->interval_ms = interval_ms;
    wake(feed);
}

void feed_set_paused(struct feed *feed, bool paused) {
    pthread_mutex_lock(&feed->lock);
    feed->paused = paused;
    wake(feed);
}

void feed_set_pattern(struct feed *feed, const char *pattern) {
    pthread_mutex_lock(&feed->lock);
    mem_free(feed->pattern);
    feed->pattern = pattern ? mem_strdup(pattern) : NULL;
    feed->hurry = pattern != NULL;
    detail_done(&feed->news.detail); /* it was another's */
    feed->news.detailed = false;
    wake(feed);
}
