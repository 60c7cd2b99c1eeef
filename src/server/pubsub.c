/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/pubsub.h"

#include <stdatomic.h>

#include "base/glob.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/memory.h"
#include "ds/table.h"
#include "net/mailbox.h"
#include "proto/reply.h"
#include "server/client.h"
#include "server/server.h"
#include "server/worker.h"

enum { STRIPES = 64, AHEAD_BYTES = 16 * 1024 * 1024 };

/* ---- topics by name: in the directory and in each worker ---- */

struct topic {
    uint64_t hash;
    enum topic_kind kind;
    size_t name_len;
    struct chain subscribers; /* a worker's: struct subscription */
    size_t total;             /* the directory's */
    uint32_t *by_worker;      /* the directory's: subscribed clients of each worker */
    char name[];
};

static uint64_t topic_hash(const void *topic) {
    return ((const struct topic *)topic)->hash;
}

static struct bytes topic_name(const struct topic *topic) {
    return bytes_make(topic->name, topic->name_len);
}

static uint64_t name_hash(enum topic_kind kind, struct bytes name) {
    return hash_bytes(name) + (uint64_t)kind;
}

static struct topic *topic_find(const struct table *table, enum topic_kind kind,
                                struct bytes name) {
    struct table_probe probe;
    for (struct topic *t = table_first(table, name_hash(kind, name), &probe); t != NULL;
         t = table_next(&probe))
        if (t->kind == kind && bytes_equal(topic_name(t), name)) return t;
    return NULL;
}

static struct topic *topic_add(struct table *table, enum topic_kind kind, struct bytes name) {
    struct topic *topic = mem_zalloc(sizeof *topic + name.len);
    topic->hash = name_hash(kind, name);
    topic->kind = kind;
    topic->name_len = name.len;
    if (name.len) memcpy(topic->name, name.data, name.len);
    chain_init(&topic->subscribers);
    table_add(table, topic->hash, topic, 0);
    return topic;
}

static void topic_drop(struct table *table, struct topic *topic) {
    table_remove(table, topic->hash, topic);
    mem_free(topic->by_worker);
    mem_free(topic);
}

/* ---- the directory ---- */

struct stripe {
    struct lock lock;
    struct table topics;
};

/* Messages on their way to a worker, in bytes. A line of the cache each: publishers
 * on all threads write here. */
struct underway {
    _Atomic size_t bytes;
    char pad[64 - sizeof(size_t)];
};

struct pubsub {
    unsigned worker_count;
    struct underway *underway; /* by worker */
    _Atomic size_t patterns;   /* distinct ones: spares publishers the lock when there are none */
    struct stripe by_name[STRIPES]; /* channels and shard channels */
    struct stripe pattern;
};

struct pubsub *pubsub_new(unsigned worker_count) {
    struct pubsub *pubsub = mem_zalloc(sizeof *pubsub);
    pubsub->worker_count = worker_count;
    pubsub->underway = mem_zalloc(worker_count * sizeof *pubsub->underway);
    for (unsigned i = 0; i < STRIPES; i++) table_init(&pubsub->by_name[i].topics, topic_hash);
    table_init(&pubsub->pattern.topics, topic_hash);
    return pubsub;
}

void pubsub_free(struct pubsub *pubsub) {
    for (unsigned i = 0; i < STRIPES; i++) table_done(&pubsub->by_name[i].topics);
    table_done(&pubsub->pattern.topics);
    mem_free(pubsub->underway);
    mem_free(pubsub);
}

static struct stripe *pubsub_stripe(struct pubsub *pubsub, enum topic_kind kind,
                                    struct bytes name) {
    if (kind == TOPIC_PATTERN) return &pubsub->pattern;
    return &pubsub->by_name[name_hash(kind, name) % STRIPES];
}

static void directory_change(struct pubsub *pubsub, enum topic_kind kind, struct bytes name,
                             unsigned worker, int change) {
    struct stripe *stripe = pubsub_stripe(pubsub, kind, name);
    lock_take(&stripe->lock);
    struct topic *topic = topic_find(&stripe->topics, kind, name);
    if (topic == NULL) {
        topic = topic_add(&stripe->topics, kind, name);
        topic->by_worker = mem_zalloc(pubsub->worker_count * sizeof *topic->by_worker);
        if (kind == TOPIC_PATTERN) atomic_fetch_add(&pubsub->patterns, 1);
    }
    topic->by_worker[worker] += (uint32_t)change;
    topic->total += (size_t)(ptrdiff_t)change;
    if (topic->total == 0) {
        topic_drop(&stripe->topics, topic);
        if (kind == TOPIC_PATTERN) atomic_fetch_sub(&pubsub->patterns, 1);
    }
    lock_give(&stripe->lock);
}

/* ---- subscriptions of a worker's clients ---- */

struct pubsub_local {
    struct table topics;
    struct chain patterns; /* struct pattern_entry, for matching one after another */
};

struct subscription {
    struct chain_link client_link, topic_link;
    struct client *client;
    struct topic *topic;
};

struct pattern_entry {
    struct chain_link link;
    struct topic *topic;
};

struct pubsub_local *pubsub_local_new(void) {
    struct pubsub_local *local = mem_zalloc(sizeof *local);
    table_init(&local->topics, topic_hash);
    chain_init(&local->patterns);
    return local;
}

void pubsub_local_free(struct pubsub_local *local) {
    table_done(&local->topics);
    mem_free(local);
}

void subscriptions_init(struct subscriptions *subscriptions) {
    for (int i = 0; i < TOPIC_KINDS; i++) chain_init(&subscriptions->of[i]);
}

size_t subscriptions_count(const struct subscriptions *subscriptions, enum topic_kind kind) {
    return subscriptions->of[kind].count;
}

static void share_counts(struct client *client) {
    const struct subscriptions *own = &client->subscriptions;
    atomic_store_explicit(&client->shared.channels, (uint32_t)own->of[TOPIC_CHANNEL].count,
                          memory_order_relaxed);
    atomic_store_explicit(&client->shared.patterns, (uint32_t)own->of[TOPIC_PATTERN].count,
                          memory_order_relaxed);
    atomic_store_explicit(&client->shared.shard_channels, (uint32_t)own->of[TOPIC_SHARD].count,
                          memory_order_relaxed);
}

/* Searches the shorter of the two: a topic has many clients, or a client many
 * topics, but seldom both. */
static struct subscription *subscription_find(const struct client *client,
                                              const struct topic *topic) {
    const struct chain *own = &client->subscriptions.of[topic->kind];
    if (own->count < topic->subscribers.count) {
        CHAIN_EACH(own, struct subscription, client_link, each)
        if (each->topic == topic) return each;
        return NULL;
    }
    CHAIN_EACH(&topic->subscribers, struct subscription, topic_link, each)
    if (each->client == client) return each;
    return NULL;
}

static struct topic *local_topic(struct pubsub_local *local, enum topic_kind kind,
                                 struct bytes name) {
    struct topic *topic = topic_find(&local->topics, kind, name);
    if (topic != NULL) return topic;
    topic = topic_add(&local->topics, kind, name);
    if (kind == TOPIC_PATTERN) {
        struct pattern_entry *entry = mem_zalloc(sizeof *entry);
        entry->topic = topic;
        chain_add_last(&local->patterns, &entry->link);
    }
    return topic;
}

static void local_topic_drop(struct pubsub_local *local, struct topic *topic) {
    if (topic->kind == TOPIC_PATTERN) {
        CHAIN_EACH(&local->patterns, struct pattern_entry, link, each) {
            if (each->topic != topic) continue;
            chain_remove(&local->patterns, &each->link);
            mem_free(each);
            break;
        }
    }
    topic_drop(&local->topics, topic);
}

bool pubsub_subscribe(struct client *client, enum topic_kind kind, struct bytes name) {
    struct worker *worker = client->worker;
    struct topic *topic = local_topic(worker->pubsub, kind, name);
    if (subscription_find(client, topic) != NULL) return false;
    struct subscription *subscription = mem_zalloc(sizeof *subscription);
    subscription->client = client;
    subscription->topic = topic;
    chain_add_last(&client->subscriptions.of[kind], &subscription->client_link);
    chain_add_last(&topic->subscribers, &subscription->topic_link);
    directory_change(worker->server->pubsub, kind, name, worker->index, 1);
    share_counts(client);
    return true;
}

static void subscription_end(struct subscription *subscription) {
    struct client *client = subscription->client;
    struct topic *topic = subscription->topic;
    struct worker *worker = client->worker;
    directory_change(worker->server->pubsub, topic->kind, topic_name(topic), worker->index, -1);
    chain_remove(&client->subscriptions.of[topic->kind], &subscription->client_link);
    chain_remove(&topic->subscribers, &subscription->topic_link);
    if (topic->subscribers.count == 0) local_topic_drop(worker->pubsub, topic);
    mem_free(subscription);
    share_counts(client);
}

bool pubsub_unsubscribe(struct client *client, enum topic_kind kind, struct bytes name) {
    struct topic *topic = topic_find(&client->worker->pubsub->topics, kind, name);
    struct subscription *subscription = topic == NULL ? NULL : subscription_find(client, topic);
    if (subscription == NULL) return false;
    subscription_end(subscription);
    return true;
}

bool pubsub_unsubscribe_any(struct client *client, enum topic_kind kind, struct bytes *ret_name) {
    struct chain_link *link = chain_first(&client->subscriptions.of[kind]);
    if (link == NULL) return false;
    struct subscription *subscription = CONTAINER_OF(link, struct subscription, client_link);
    struct bytes name = topic_name(subscription->topic);
    char *copy = mem_alloc(name.len + 1);
    if (name.len) memcpy(copy, name.data, name.len);
    *ret_name = bytes_make(copy, name.len);
    subscription_end(subscription);
    return true;
}

void pubsub_unsubscribe_all(struct client *client) {
    for (int kind = 0; kind < TOPIC_KINDS; kind++) {
        CHAIN_EACH(&client->subscriptions.of[kind], struct subscription, client_link, each)
        subscription_end(each);
    }
}

/* ---- delivering ---- */

/* One message on its way to the workers whose clients want it. */
struct publication {
    _Atomic unsigned holders;
    enum topic_kind kind;
    size_t channel_len, message_len;
    char text[]; /* the channel, then the message */
};

struct publication_mail {
    struct mail mail;
    struct worker *worker;
    struct publication *publication;
};

static void push_message(struct client *client, const char *kind, const struct bytes *parts,
                         size_t count) {
    struct reply reply;
    struct worker *worker = client->worker;
    struct buffer *out = client_output(client);
    if (client->flags & CLIENT_CLOSING) return;
    /* A message never stands before or within the reply to the command that it comes of. */
    if (worker->current == client && client->active_out == out) out = &worker->pushes;
    reply_init(&reply, out, client->resp);
    reply_push(&reply, count + 1);
    reply_bulk_string(&reply, kind);
    for (size_t i = 0; i < count; i++) reply_bulk(&reply, parts[i]);
    if (reply.overflow)
        client_close(client, false);
    else
        client_output_done(client);
}

static void local_deliver(struct worker *worker, enum topic_kind kind, struct bytes channel,
                          struct bytes message) {
    struct pubsub_local *local = worker->pubsub;
    struct topic *topic = topic_find(&local->topics, kind, channel);
    struct bytes parts[3] = {channel, message};
    if (topic != NULL) {
        CHAIN_EACH(&topic->subscribers, struct subscription, topic_link, each)
        push_message(each->client, kind == TOPIC_SHARD ? "smessage" : "message", parts, 2);
    }
    if (kind != TOPIC_CHANNEL || local->patterns.count == 0) return;
    CHAIN_EACH(&local->patterns, struct pattern_entry, link, entry) {
        struct bytes pattern = topic_name(entry->topic);
        if (!glob_match(pattern, channel, false)) continue;
        struct bytes pattern_parts[3] = {pattern, channel, message};
        CHAIN_EACH(&entry->topic->subscribers, struct subscription, topic_link, each)
        push_message(each->client, "pmessage", pattern_parts, 3);
    }
}

static size_t publication_bytes(const struct publication *publication) {
    return sizeof *publication + publication->channel_len + publication->message_len;
}

static void publication_drop(struct publication *publication) {
    if (atomic_fetch_sub_explicit(&publication->holders, 1, memory_order_acq_rel) == 1)
        mem_free(publication);
}

static void publication_arrives(struct mail *mail) {
    struct publication_mail *own = CONTAINER_OF(mail, struct publication_mail, mail);
    struct publication *publication = own->publication;
    local_deliver(
        own->worker, publication->kind, bytes_make(publication->text, publication->channel_len),
        bytes_make(publication->text + publication->channel_len, publication->message_len));
    atomic_fetch_sub_explicit(&own->worker->server->pubsub->underway[own->worker->index].bytes,
                              publication_bytes(publication), memory_order_relaxed);
    publication_drop(publication);
    mem_free(own);
}

bool pubsub_is_ahead(struct pubsub *pubsub) {
    for (unsigned i = 0; i < pubsub->worker_count; i++)
        if (atomic_load_explicit(&pubsub->underway[i].bytes, memory_order_relaxed) > AHEAD_BYTES)
            return true;
    return false;
}

static void publication_send(struct server *server, const bool *wanted, enum topic_kind kind,
                             struct bytes channel, struct bytes message) {
    struct worker *self = worker_current();
    unsigned receivers = 0;
    for (unsigned i = 0; i < server->worker_count; i++)
        receivers += wanted[i] && server->workers[i] != self;
    if (receivers == 0) return;
    struct publication *publication = mem_alloc(sizeof *publication + channel.len + message.len);
    atomic_init(&publication->holders, receivers);
    publication->kind = kind;
    publication->channel_len = channel.len;
    publication->message_len = message.len;
    if (channel.len) memcpy(publication->text, channel.data, channel.len);
    if (message.len) memcpy(publication->text + channel.len, message.data, message.len);
    for (unsigned i = 0; i < server->worker_count; i++) {
        if (!wanted[i] || server->workers[i] == self) continue;
        struct publication_mail *mail = mem_zalloc(sizeof *mail);
        mail->mail.deliver = publication_arrives;
        mail->worker = server->workers[i];
        mail->publication = publication;
        size_t bytes = publication_bytes(publication);
        size_t before = atomic_fetch_add_explicit(&server->pubsub->underway[i].bytes, bytes,
                                                  memory_order_relaxed);
        if (kn_unlikely(before + bytes > AHEAD_BYTES) && self != NULL) self->publishes_ahead = true;
        mailbox_send(loop_mailbox(server->workers[i]->loop), &mail->mail);
    }
}

static size_t topic_receivers(const struct topic *topic, bool *wanted, unsigned workers) {
    for (unsigned i = 0; i < workers; i++) wanted[i] |= topic->by_worker[i] > 0;
    return topic->total;
}

static size_t pattern_receivers(struct pubsub *pubsub, struct bytes channel, bool *wanted) {
    size_t receivers = 0;
    struct table_iter iter;
    if (atomic_load(&pubsub->patterns) == 0) return 0;
    lock_take(&pubsub->pattern.lock);
    table_iter_init(&iter, &pubsub->pattern.topics);
    for (struct topic *topic = table_iter_next(&iter); topic != NULL;
         topic = table_iter_next(&iter))
        if (glob_match(topic_name(topic), channel, false))
            receivers += topic_receivers(topic, wanted, pubsub->worker_count);
    lock_give(&pubsub->pattern.lock);
    return receivers;
}

size_t pubsub_publish(struct server *server, enum topic_kind kind, struct bytes channel,
                      struct bytes message) {
    enum { WORKERS_MAX = 1024 };
    struct pubsub *pubsub = server->pubsub;
    bool wanted[WORKERS_MAX] = {false};
    struct stripe *stripe = pubsub_stripe(pubsub, kind, channel);
    kn_require(pubsub->worker_count <= WORKERS_MAX);
    /* Sent under the lock, so that all workers get the messages of a channel in one order. */
    lock_take(&stripe->lock);
    const struct topic *topic = topic_find(&stripe->topics, kind, channel);
    size_t receivers = topic == NULL ? 0 : topic_receivers(topic, wanted, pubsub->worker_count);
    if (kind == TOPIC_CHANNEL) receivers += pattern_receivers(pubsub, channel, wanted);
    if (receivers) publication_send(server, wanted, kind, channel, message);
    lock_give(&stripe->lock);
    struct worker *self = worker_current();
    if (self != NULL && wanted[self->index]) local_deliver(self, kind, channel, message);
    return receivers;
}

/* ---- what there is ---- */

static void stripe_each(struct stripe *stripe, enum topic_kind kind, pubsub_visit_fn *visit,
                        void *context) {
    struct table_iter iter;
    lock_take(&stripe->lock);
    table_iter_init(&iter, &stripe->topics);
    for (struct topic *topic = table_iter_next(&iter); topic != NULL;
         topic = table_iter_next(&iter))
        if (topic->kind == kind) visit(topic_name(topic), topic->total, context);
    lock_give(&stripe->lock);
}

void pubsub_each(struct pubsub *pubsub, enum topic_kind kind, pubsub_visit_fn *visit,
                 void *context) {
    if (kind == TOPIC_PATTERN)
        stripe_each(&pubsub->pattern, kind, visit, context);
    else
        for (unsigned i = 0; i < STRIPES; i++)
            stripe_each(&pubsub->by_name[i], kind, visit, context);
}

size_t pubsub_subscribers(struct pubsub *pubsub, enum topic_kind kind, struct bytes name) {
    struct stripe *stripe = pubsub_stripe(pubsub, kind, name);
    lock_take(&stripe->lock);
    const struct topic *topic = topic_find(&stripe->topics, kind, name);
    size_t subscribers = topic == NULL ? 0 : topic->total;
    lock_give(&stripe->lock);
    return subscribers;
}

size_t pubsub_pattern_count(struct pubsub *pubsub) {
    return atomic_load(&pubsub->patterns);
}

static void topic_counted(struct bytes name, size_t subscribers, void *context) {
    (void)name;
    (void)subscribers;
    ++*(size_t *)context;
}

size_t pubsub_topic_count(struct pubsub *pubsub, enum topic_kind kind) {
    size_t count = 0;
    pubsub_each(pubsub, kind, topic_counted, &count);
    return count;
}
