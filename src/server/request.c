/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/request.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "server/aliases.h"
#include "server/client.h"
#include "server/command.h"
#include "server/command_table.h"
#include "server/dispatch.h"
#include "server/server.h"
#include "server/stats.h"
#include "store/patterns.h"
#include "store/prefetch.h"
#include "store/shard.h"

struct entry *request_find_key(struct request *request, const struct key *key) {
    return store_find(request->store, request->db, key, request->now_ms);
}

static void request_touch(struct request *request, struct entry *entry) {
    if (!(request->flags & REQUEST_NO_TOUCH)) store_touch(request->store, entry);
}

struct entry *request_look(struct request *request, uint32_t index) {
    const struct key *key = request_key(request, index);
    struct entry *entry = request_find_key(request, key);
    if (entry == NULL) {
        stats_add(STAT_KEYSPACE_MISSES, 1);
        if (kn_unlikely(store_counts_patterns(request->store)))
            store_count(request->store, store_pattern_id(request->store, request->db, key->name),
                        TALLY_MISSES);
        store_notify(request->store, request->db, key, EVENT_MISSED, "keymiss");
        return NULL;
    }
    stats_add(STAT_KEYSPACE_HITS, 1);
    if (kn_unlikely(store_counts_patterns(request->store)))
        store_count(request->store, entry->pattern, TALLY_HITS);
    return entry;
}

struct entry *request_read(struct request *request, uint32_t index) {
    struct entry *entry = request_look(request, index);
    if (entry != NULL) request_touch(request, entry);
    return entry;
}

struct entry *request_write(struct request *request, uint32_t index) {
    struct entry *entry = request_find_key(request, request_key(request, index));
    kn_assert(request->command->flags & COMMAND_WRITE);
    if (entry == NULL) return NULL;
    store_open(request->store, request->db, entry);
    request_touch(request, entry);
    return entry;
}

/* A woken command passes over keys of another type among those that it waits for. */
static bool request_ignores_type(const struct request *request, uint32_t index) {
    return request->flags & REQUEST_WOKEN && index >= request->block.first_key &&
           index < request->block.first_key + request->block.key_count;
}

static bool request_check_type(struct request *request, uint32_t index, enum value_type type,
                               struct entry *entry, struct entry **ret_entry) {
    if (entry != NULL && type != TYPE_ANY && entry_type(entry) != type) {
        if (!request_ignores_type(request, index)) {
            reply_error_code(request->reply, ERROR_WRONG_TYPE);
            return false;
        }
        entry = NULL;
    }
    *ret_entry = entry;
    return true;
}

bool request_read_typed(struct request *request, uint32_t index, enum value_type type,
                        struct entry **ret_entry) {
    return request_check_type(request, index, type, request_read(request, index), ret_entry);
}

bool request_write_typed(struct request *request, uint32_t index, enum value_type type,
                         struct entry **ret_entry) {
    return request_check_type(request, index, type, request_write(request, index), ret_entry);
}

void request_count_write(struct request *request, unsigned db, const struct key *key) {
    if (kn_likely(!store_counts_patterns(request->store))) return;
    if (request->counted && request->counted_hash == key->hash && request->counted_db == db) return;
    request->counted = true;
    request->counted_db = db;
    request->counted_hash = key->hash;
    store_count_write(request->store, db, key);
}

void request_changes(struct request *request, uint32_t index) {
    request->changes++;
    request_count_write(request, request->db, request_key(request, index));
}

void request_changed_key(struct request *request, const struct key *key,
                         enum event_class event_class, const char *event) {
    request->changes++;
    request_count_write(request, request->db, key);
    store_changed(request->store, request->db, key, event_class, event);
}

void request_changed(struct request *request, uint32_t index, enum event_class event_class,
                     const char *event) {
    request_changed_key(request, request_key(request, index), event_class, event);
}

void request_delete(struct request *request, uint32_t index, struct entry *entry) {
    store_delete(request->store, request->db, request_key(request, index), entry, true);
}

bool request_delete_if_empty(struct request *request, uint32_t index, struct entry *entry) {
    if (entry_count(entry) != 0) return false;
    request_delete(request, index, entry);
    request_changed(request, index, EVENT_GENERIC, "del");
    return true;
}

struct heap *request_heap(struct request *request, uint32_t index) {
    return store_heap(request->store, request_key(request, index));
}

struct entry *request_put(struct request *request, uint32_t index, struct entry *old,
                          enum value_type type, void *value) {
    if (old == NULL) store_notify_new(request->store, request->db, request_key(request, index));
    return store_put_value(request->store, request->db, request_key(request, index), old, type,
                           value, ENTRY_EXPIRY_NONE);
}

void request_block(struct request *request, uint32_t first_key, uint32_t key_count,
                   enum value_type type, int64_t timeout_ms, enum block_null null) {
    if (request->flags & REQUEST_NO_BLOCK) {
        if (null == BLOCK_NULL_ARRAY)
            reply_null_array(request->reply);
        else
            reply_null(request->reply);
        return;
    }
    if (request->flags & REQUEST_WOKEN) {
        request->block.wanted = true;
        return;
    }
    request->block = (struct request_block){
        .wanted = true,
        .first_key = first_key,
        .key_count = key_count,
        .type = type,
        .null = null,
        .deadline_ms = timeout_ms == 0 ? 0 : request->now_ms + timeout_ms,
    };
}

struct shard_visit {
    struct request *request;
    void (*visit)(struct request *request, struct shard *shard, void *context);
    void *context;
};

static void shard_visited(struct shard *shard, void *context) {
    struct shard_visit *visit = context;
    visit->visit(visit->request, shard, visit->context);
}

void request_visit_shard(struct request *request, unsigned shard,
                         void (*visit)(struct request *request, struct shard *shard, void *context),
                         void *context) {
    struct shard_visit both = {request, visit, context};
    if (!store_visit(request->store, shard, request->flags & REQUEST_ALL_SHARDS, shard_visited,
                     &both))
        request->busy = true;
}

/* ---- keys and shards ---- */

/* The memory of many keys is asked for all at once, as client_run_batch does for many requests. */
static void request_prefetch(const struct request *request) {
    enum { PREFETCH_MAX = 64 };
    uint32_t count = request->key_count < PREFETCH_MAX ? request->key_count : PREFETCH_MAX;
    if (count < 2) return;
    for (uint32_t i = 0; i < count; i++)
        store_prefetch_bucket(request->store, request->db, &request->keys[i].key);
    for (uint32_t i = 0; i < count; i++)
        store_prefetch_entry(request->store, request->db, &request->keys[i].key);
}

struct twins {
    struct request *request;
    uint32_t of, room;
    unsigned number;
    bool failed;
};

static void twin_add(void *context, struct bytes name) {
    struct twins *twins = context;
    struct request *request = twins->request;
    if (request->twin_count == twins->room) {
        uint32_t room = twins->room ? twins->room * 2 : 4;
        struct request_twin *more = arena_try_array(request->arena, room, sizeof *more);
        if (more == NULL) {
            twins->failed = true;
            return;
        }
        if (request->twin_count) memcpy(more, request->twins, request->twin_count * sizeof *more);
        request->twins = more;
        twins->room = room;
    }
    char *copy = arena_try_alloc(request->arena, name.len);
    if (copy == NULL) {
        twins->failed = true;
        return;
    }
    if (name.len) memcpy(copy, name.data, name.len);
    request->twins[request->twin_count++] =
        (struct request_twin){key_make(bytes_make(copy, name.len)), twins->of, twins->number};
}

/* Makes the keys, of which only the names are known: legacy ones give way to canonical ones. False
 * when there is no memory. */
static bool keys_become_canonical(struct request *request) {
    const struct alias_table *table = aliases_now(request->server->aliases, &request->generation);
    struct twins twins = {.request = request};
    request->twins = NULL;
    request->twin_count = 0;
    for (uint32_t i = 0; i < request->key_count; i++) {
        struct key *key = &request->keys[i].key;
        struct bytes name = key->name;
        twins.number = 0;
        if (table != NULL && alias_may_concern(table, name) &&
            !alias_canonical(table, key->name, request->arena, &name, &twins.number))
            return false;
        *key = key_make(name);
        if (twins.number == 0) continue;
        if (!atomic_load_explicit(&alias_progress(table, twins.number)->pending,
                                  memory_order_acquire))
            continue;
        twins.of = i;
        alias_each_twin(table, twins.number, name, twin_add, &twins);
    }
    return !twins.failed;
}

void request_adopt(struct request *request, unsigned db) {
    const struct alias_table *table = aliases_now(request->server->aliases, NULL);
    for (uint32_t i = 0; i < request->twin_count && table != NULL; i++) {
        const struct request_twin *twin = &request->twins[i];
        alias_adopt(request->store, table, twin->number, db, &request->keys[twin->of].key,
                    &twin->key, request->now_ms);
    }
}

struct bytes request_shown_name(struct request *request, struct bytes name) {
    const struct alias_table *table = aliases_now(request->server->aliases, NULL);
    struct bytes canonical;
    unsigned number;
    if (kn_likely(table == NULL) || !alias_may_concern(table, name)) return name;
    if (alias_canonical(table, name, request->arena, &canonical, &number)) return canonical;
    request->reply->overflow = true;
    return name;
}

struct first_twin {
    struct request *request;
    struct bytes name, found;
};

static void first_twin_look(void *context, struct bytes name) {
    struct first_twin *first = context;
    struct key key = key_make(name);
    if (first->found.data != NULL || request_find_key(first->request, &key) == NULL) return;
    first->found = bytes_equal(name, first->name) ? first->name : bytes_make("", 0);
}

bool request_is_key(struct request *request, struct bytes name, struct bytes canonical) {
    const struct alias_table *table = aliases_now(request->server->aliases, NULL);
    struct first_twin first = {.request = request, .name = name};
    struct key key = key_make(canonical);
    struct bytes same;
    unsigned number;
    if (request_find_key(request, &key) != NULL) return false;
    if (!alias_canonical(table, canonical, request->arena, &same, &number)) return true;
    alias_each_twin(table, number, canonical, first_twin_look, &first);
    return first.found.data == name.data;
}

struct key request_make_key(struct request *request, struct bytes name) {
    if (kn_likely(aliases_generation(request->server->aliases) == 0)) return key_make(name);
    struct request_key key = {.key = {.name = name}};
    struct request one = *request;
    one.keys = &key;
    one.key_count = 1;
    if (!keys_become_canonical(&one)) {
        request->reply->overflow = true;
        return key_make(name);
    }
    request_adopt(&one, one.db);
    return key.key;
}

bool request_find_keys(struct request *request) {
    enum { USUAL_KEYS = 16 };
    struct key_place usual[USUAL_KEYS], *places = usual;
    int64_t count =
        command_keys(request->command, request->argv, request->argc, places, USUAL_KEYS);
    request->key_count = request->twin_count = 0;
    request->generation = aliases_generation(request->server->aliases);
    if (count <= 0) return true; /* the handler finds what is wrong with a count, and says so */
    if (count > USUAL_KEYS) {
        places = arena_try_array(request->arena, (size_t)count, sizeof *places);
        if (places != NULL)
            command_keys(request->command, request->argv, request->argc, places, (size_t)count);
    }
    request->keys = arena_try_array(request->arena, (size_t)count, sizeof *request->keys);
    if (places == NULL || request->keys == NULL) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        if (places[i].flags & KEY_NOT_KEY) continue;
        request->keys[request->key_count++] = (struct request_key){
            .key = {.name = request->argv[places[i].arg]},
            .arg = places[i].arg,
            .flags = places[i].flags,
        };
    }
    for (uint32_t i = 0; request->generation == 0 && i < request->key_count; i++)
        request->keys[i].key = key_make(request->keys[i].key.name);
    if (kn_unlikely(request->generation != 0) && !keys_become_canonical(request)) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return false;
    }
    request_prefetch(request);
    return true;
}

void request_add_shards(const struct request *request, struct shard_set *set) {
    if (request->command->flags & COMMAND_ALL_SHARDS) shard_set_fill(set);
    for (uint32_t i = 0; i < request->key_count; i++)
        shard_set_add(set, request->keys[i].key.shard);
    for (uint32_t i = 0; i < request->twin_count; i++)
        shard_set_add(set, request->twins[i].key.shard);
}
