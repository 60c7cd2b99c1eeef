/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All clients of all workers.
 *
 * What: who is connected: for CLIENT LIST and KILL, and to hold maxclients.
 * Always: a client is in the registry from its acceptance until just before it is freed.
 * Owner: clients belong to their workers; a visit may read client->shared,
 *        id, and what never changes.
 * Lock: the registry's own; visit functions run under it and take no shard.
 * Errors: said at each function.
 */
#ifndef KN_SERVER_REGISTRY_H
#define KN_SERVER_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct buffer;
struct client;
struct registry;

struct registry *registry_new(void);
void registry_free(struct registry *registry);

/* Gives the client its id. Returns false when there are max_clients already. */
bool registry_add(struct registry *registry, struct client *client, uint32_t max_clients);
void registry_remove(struct registry *registry, struct client *client);
uint32_t registry_count(struct registry *registry);

/* Visits clients in the order they connected, until visit returns false. */
typedef bool registry_visit_fn(struct client *client, void *context);
void registry_each(struct registry *registry, registry_visit_fn *visit, void *context);

/* A client's line of CLIENT LIST, without the line's end. Under the registry's lock,
 * or on the client's thread. */
void registry_describe(struct client *client, int64_t now_ms, struct buffer *out);
/* Parts of it: the letters of its flags, and of what it said it can do. */
enum { CLIENT_FLAGS_MAX = 16 };
void registry_describe_flags(const struct client *client, char out[CLIENT_FLAGS_MAX]);
const char *registry_capabilities(const struct client *client);

#endif
