/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What follows from a change: the server's end of the store's change feed.
 *
 * What: tells watchers (WATCH), waiters (BLPOP ...) and, where notify-keyspace-events asks for it,
 *       subscribers that a key has changed.
 * Lock: the feed runs with the changed key's shard held.
 */
#ifndef KN_SERVER_NOTIFY_H
#define KN_SERVER_NOTIFY_H

#include <stdbool.h>

#include "base/bytes.h"

struct server;

/* Beside the bits of enum event_class. */
enum notify_flag { NOTIFY_KEYSPACE = 1 << 0, NOTIFY_KEYEVENT = 1 << 1 };

/* To be called once, when the server is made. */
void notify_connect(struct server *server);
/* From any thread. */
void notify_set_flags(struct server *server, unsigned flags);

/*
 * While a script may still be undone, what it changes is nobody's business: on this thread, events
 * are kept from notify_hold on, until notify_release tells them (the shards are still held) or
 * notify_drop forgets them; so are violations of the catalog. That a key has expired is told at
 * once, since it stays so.
 */
void notify_hold(void);
void notify_release(struct server *server);
void notify_drop(void);
bool notify_holds(void);

/* The same for a part of what this thread does, perhaps within such a hold: what came since the
 * mark is kept until notify_end_trial tells it, or forgets it. */
struct held_event;
struct notify_mark {
    struct held_event **from;
    bool outermost;
};
struct notify_mark notify_begin_trial(void);
void notify_end_trial(struct server *server, struct notify_mark mark, bool forget);

#endif
