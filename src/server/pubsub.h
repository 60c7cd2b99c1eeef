/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Publish and subscribe.
 *
 * What: channels, patterns and shard channels. Who is subscribed is known by each worker for its
 *       own clients; a directory shared by all knows how many clients of which worker a topic has,
 *       so that publishing counts its receivers and writes to the mailboxes of those workers only.
 * Always: messages of one publisher reach a subscriber in order. A worker is in the directory's
 *         count of a topic for exactly as many of its clients as are subscribed.
 * Owner: a client's subscriptions belong to its worker's thread.
 * Lock: the directory has locks of its own, taken inside a shard's if at all; no
 *       shard is taken under them.
 * Errors: none.
 */
#ifndef KN_SERVER_PUBSUB_H
#define KN_SERVER_PUBSUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/chain.h"

struct client;
struct pubsub;
struct pubsub_local;
struct server;
struct worker;

enum topic_kind { TOPIC_CHANNEL, TOPIC_PATTERN, TOPIC_SHARD, TOPIC_KINDS };

/* What a client is subscribed to. */
struct subscriptions {
    struct chain of[TOPIC_KINDS];
};

struct pubsub *pubsub_new(unsigned worker_count);
void pubsub_free(struct pubsub *pubsub);
struct pubsub_local *pubsub_local_new(void);
void pubsub_local_free(struct pubsub_local *local);

void subscriptions_init(struct subscriptions *subscriptions);
/* How many of a kind, and how many channels and patterns together, as replies count them. */
size_t subscriptions_count(const struct subscriptions *subscriptions, enum topic_kind kind);

/* On the client's thread. Return false when nothing changed: it was, or was
 * not, subscribed already. */
bool pubsub_subscribe(struct client *client, enum topic_kind kind, struct bytes name);
bool pubsub_unsubscribe(struct client *client, enum topic_kind kind, struct bytes name);
/* Unsubscribes from one, whichever; false when there is none left. The name is written to ret_name,
 * which is valid until freed with mem_free. */
bool pubsub_unsubscribe_any(struct client *client, enum topic_kind kind, struct bytes *ret_name);
/* Without telling the client: when it goes, or is reset. */
void pubsub_unsubscribe_all(struct client *client);

/* From any worker's thread: returns how many clients will get it. */
size_t pubsub_publish(struct server *server, enum topic_kind kind, struct bytes channel,
                      struct bytes message);
/* Whether more messages than are good wait for a worker that does not come to take them: publishers
 * wait then, or they would fill the memory. From any thread. */
bool pubsub_is_ahead(struct pubsub *pubsub);

/* ---- what there is, for PUBSUB; visit is called under the directory's lock ---- */

typedef void pubsub_visit_fn(struct bytes name, size_t subscribers, void *context);
void pubsub_each(struct pubsub *pubsub, enum topic_kind kind, pubsub_visit_fn *visit,
                 void *context);
size_t pubsub_subscribers(struct pubsub *pubsub, enum topic_kind kind, struct bytes name);
/* Distinct patterns. */
size_t pubsub_pattern_count(struct pubsub *pubsub);
size_t pubsub_topic_count(struct pubsub *pubsub, enum topic_kind kind);

#endif
