/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/notify.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/memory.h"
#include "server/aliases.h"
#include "server/blocking.h"
#include "server/guard.h"
#include "server/pubsub.h"
#include "server/server.h"
#include "server/transaction.h"
#include "store/admin.h"
#include "store/shard.h"

static void publish_event(struct server *server, const char *prefix, unsigned db,
                          struct bytes topic, struct bytes message) {
    enum { USUAL_BYTES = 256, PREFIX_BYTES = 40 };
    char usual[USUAL_BYTES];
    size_t room = PREFIX_BYTES + topic.len;
    char *channel = room <= sizeof usual ? usual : mem_alloc(room);
    int len = snprintf(channel, PREFIX_BYTES, "__%s@%u__:", prefix, db);
    if (topic.len) memcpy(channel + len, topic.data, topic.len);
    pubsub_publish(server, TOPIC_CHANNEL, bytes_make(channel, (size_t)len + topic.len), message);
    if (channel != usual) mem_free(channel);
}

/* An event that waits. */
struct held_event {
    struct held_event *next;
    unsigned db;
    enum event_class event_class;
    const char *event;
    struct key key;
    char text[];
};

static _Thread_local struct held {
    bool on;
    struct held_event *first, **end;
} held;

static void hold(unsigned db, const struct key *key, enum event_class event_class,
                 const char *event) {
    size_t event_len = strlen(event) + 1;
    struct held_event *each = mem_alloc(sizeof *each + key->name.len + event_len);
    *each = (struct held_event){.db = db, .event_class = event_class, .key = *key};
    memcpy(each->text, event, event_len);
    if (key->name.len) memcpy(each->text + event_len, key->name.data, key->name.len);
    each->event = each->text;
    each->key.name = bytes_make(each->text + event_len, key->name.len);
    *held.end = each;
    held.end = &each->next;
}

static void feed(void *context, struct shard *shard, unsigned db, const struct key *key,
                 enum event_class event_class, const char *event) {
    struct server *server = context;
    unsigned flags = atomic_load_explicit(&server->notify, memory_order_relaxed);
    if (kn_unlikely(held.on) && event_class != EVENT_EXPIRED) {
        hold(db, key, event_class, event);
        return;
    }
    bool change = !(event_class & (EVENT_MISSED | EVENT_NEW | EVENT_QUIET));
    if (change && atomic_load_explicit(&shard->listeners, memory_order_relaxed) > 0) {
        watch_key_changed(server, shard, db, key);
        blocking_key_changed(server, shard, db, key);
    }
    if (!(flags & event_class)) return;
    struct bytes name = bytes_from_string(event);
    /* What expires or is evicted may not have left its legacy name yet. */
    struct bytes shown = key->name;
    struct arena arena;
    unsigned number;
    arena_init(&arena);
    const struct alias_table *table = aliases_now(server->aliases, NULL);
    if (kn_unlikely(table != NULL) && alias_may_concern(table, key->name))
        (void)alias_canonical(table, key->name, &arena, &shown, &number);
    if (flags & NOTIFY_KEYSPACE) publish_event(server, "keyspace", db, shown, name);
    if (flags & NOTIFY_KEYEVENT) publish_event(server, "keyevent", db, name, shown);
    arena_done(&arena);
}

void notify_hold(void) {
    held = (struct held){.on = true, .end = &held.first};
}

static void end_holding(struct server *server) {
    struct held_event *next;
    held.on = false;
    for (struct held_event *each = held.first; each != NULL; each = next) {
        next = each->next;
        if (server != NULL)
            feed(server, store_shard(server->store, each->key.shard), each->db, &each->key,
                 each->event_class, each->event);
        mem_free(each);
    }
    held.first = NULL;
    guard_end_holding(server);
}

bool notify_holds(void) {
    return held.on;
}

void notify_release(struct server *server) {
    end_holding(server);
}

void notify_drop(void) {
    end_holding(NULL);
}

struct notify_mark notify_begin_trial(void) {
    bool outermost = !held.on;
    if (outermost) notify_hold();
    return (struct notify_mark){held.end, outermost};
}

void notify_end_trial(struct server *server, struct notify_mark mark, bool forget) {
    struct held_event *next;
    for (struct held_event *each = forget ? *mark.from : NULL; each != NULL; each = next) {
        next = each->next;
        mem_free(each);
    }
    if (forget) {
        *mark.from = NULL;
        held.end = mark.from;
    }
    if (mark.outermost) notify_release(server);
}

void notify_connect(struct server *server) {
    store_set_feed(server->store, feed, server);
}

void notify_set_flags(struct server *server, unsigned flags) {
    atomic_store(&server->notify, flags);
    store_feed_everything(server->store, flags != 0);
}
