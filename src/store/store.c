/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finding, creating, changing and deleting keys of one shard.
 */
#include "store/store.h"

#include "base/assert.h"
#include "base/heap.h"
#include "base/memory.h"
#include "base/number.h"
#include "store/internal.h"
#include "store/patterns_inside.h"

enum { LAZY_FREE_COST = 64, LAZY_BLOCK_BYTES = 1 << 20, STRING_GROWTH_MAX = 1 << 20 };
/* Enough that two threads seldom want the same heap at a time. */
enum { HEAPS_PER_THREAD = 2 };

/* ---- the whole ---- */

static void store_add_heaps(struct store *store, unsigned threads) {
    store->heap_count = threads <= 1 ? 1 : threads * HEAPS_PER_THREAD;
    if (store->heap_count > SHARD_COUNT) store->heap_count = SHARD_COUNT;
    for (unsigned i = 0; i < store->heap_count; i++) {
        store->heaps[i] = heap_new();
        if (store->locking) heap_share(store->heaps[i]);
    }
}

struct store *store_new(unsigned db_count, unsigned threads) {
    struct store *store = mem_alloc_aligned(64, sizeof *store);
    memset(store, 0, sizeof *store);
    store->locking = threads > 1;
    store->db_count = db_count;
    atomic_store(&store->limits.samples, 5);
    atomic_store(&store->limits.lfu_log_factor, 10);
    atomic_store(&store->limits.lfu_decay_minutes, 1);
    store_set_catalog_mode(store, MODE_OBSERVE);
    store->background = background_new();
    store_add_heaps(store, threads);
    for (unsigned i = 0; i < SHARD_COUNT; i++) {
        struct shard *shard = &store->shards[i];
        lock_init(&shard->lock);
        shard->index = (uint16_t)i;
        shard->store = store;
        shard->heap = store->heaps[i % store->heap_count];
        shard->dbs = mem_zalloc(db_count * sizeof *shard->dbs);
        for (unsigned db = 0; db < db_count; db++) table_init(&shard->dbs[db].table, entry_hash);
    }
    return store;
}

void store_free(struct store *store) {
    background_free(store->background);
    patterns_free(patterns_of(store));
    for (unsigned i = 0; i < SHARD_COUNT; i++) {
        struct shard *shard = &store->shards[i];
        for (unsigned db = 0; db < store->db_count; db++)
            table_free_entries(&shard->dbs[db].table, shard->heap);
        mem_free(shard->dbs);
    }
    for (unsigned i = 0; i < store->heap_count; i++) heap_free(store->heaps[i]);
    mem_free(store);
}

unsigned store_db_count(const struct store *store) {
    return store->db_count;
}

struct store_limits *store_limits(struct store *store) {
    return &store->limits;
}

struct heap *store_heap(struct store *store, const struct key *key) {
    return key_shard(store, key)->heap;
}

/* ---- the change feed ---- */

void store_set_feed(struct store *store, store_feed_fn *feed, void *context) {
    store->feed = feed;
    store->feed_context = context;
}

void store_feed_everything(struct store *store, bool on) {
    atomic_store_explicit(&store->feed_everything, on, memory_order_relaxed);
}

void store_notify(struct store *store, unsigned db, const struct key *key,
                  enum event_class event_class, const char *event) {
    struct shard *shard = key_shard(store, key);
    if (atomic_load_explicit(&shard->listeners, memory_order_relaxed) == 0 &&
        !atomic_load_explicit(&store->feed_everything, memory_order_relaxed))
        return;
    if (store->feed != NULL) store->feed(store->feed_context, shard, db, key, event_class, event);
}

void store_changed(struct store *store, unsigned db, const struct key *key,
                   enum event_class event_class, const char *event) {
    store_notify(store, db, key, event_class, event);
}

void store_listen(struct store *store, unsigned shard, int change) {
    atomic_fetch_add_explicit(&store->shards[shard].listeners, (uint32_t)change,
                              memory_order_relaxed);
}

/* ---- finding ---- */

static struct entry *store_lookup(struct store *store, unsigned db, const struct key *key) {
    struct table_probe probe;
    const struct table *table = key_table(store, db, key);
    for (struct entry *e = table_first(table, key->hash, &probe); e != NULL;
         e = table_next(&probe)) {
        /* Compare the one-byte length first: it is in the line that is here already. */
        uint8_t short_len =
            key->name.len < ENTRY_KEY_LONG ? (uint8_t)key->name.len : ENTRY_KEY_LONG;
        if (e->key_len == short_len && bytes_equal(entry_key(e), key->name)) return e;
    }
    return NULL;
}

void store_expire(struct store *store, unsigned db, const struct key *key, struct entry *entry) {
    bool lazy = atomic_load_explicit(&store->limits.lazy_expire, memory_order_relaxed);
    if (store_counts_patterns(store)) store_count(store, entry->pattern, TALLY_EXPIRED);
    store_delete(store, db, key, entry, lazy);
    key_shard(store, key)->expired++;
    store_changed(store, db, key, EVENT_EXPIRED, "expired");
}

struct entry *store_find(struct store *store, unsigned db, const struct key *key, int64_t now_ms) {
    struct entry *entry = store_lookup(store, db, key);
    if (entry != NULL && kn_unlikely(store_counts_patterns(store))) {
        if (kn_unlikely(!pattern_is_settled(store, entry)) &&
            !pattern_settle_entry(store, db, key, entry))
            return NULL;
        account_note(db, key, entry);
    }
    if (entry == NULL || !entry_has(entry, ENTRY_EXPIRES) || entry_expiry(entry) >= now_ms)
        return entry;
    store_expire(store, db, key, entry);
    return NULL;
}

bool store_is_there(const struct store *store, unsigned db, const struct entry *entry,
                    int64_t now_ms) {
    if (entry_has(entry, ENTRY_EXPIRES) && entry_expiry(entry) < now_ms) return false;
    return pattern_is_settled(store, entry) || pattern_entry_lives(store, db, entry);
}

/* ---- entering and replacing ---- */

/* Marks under which the entry stands in its table, and the sweep's hint that goes with them. */
static void store_note_marks(struct shard_db *shard_db, const struct key *key,
                             const struct entry *entry, unsigned marks) {
    if (marks & ENTRY_MARK_EXPIRES)
        table_note_due(&shard_db->table, key->hash, (uint64_t)entry_expiry(entry));
    if (marks & ENTRY_MARK_FIELDS_EXPIRE)
        table_note_due(&shard_db->table, key->hash, (uint64_t)entry_fields_expiry(entry));
}

/* Puts an entry where `old` stood (NULL: nothing did) and gives `old` back; what `old` pointed to
 * is the caller's business. bytes_before: what account_close said of `old`. */
static struct entry *store_enter(struct store *store, unsigned db, const struct key *key,
                                 struct entry *old, struct entry *entry, size_t bytes_before) {
    struct shard *shard = key_shard(store, key);
    struct shard_db *shard_db = &shard->dbs[db];
    unsigned marks = entry_marks(entry);
    if (entry_has(entry, ENTRY_EXPIRES)) shard_db->expiring++;
    if (old == NULL) {
        table_add(&shard_db->table, key->hash, entry, marks);
    } else {
        if (entry_has(old, ENTRY_EXPIRES)) shard_db->expiring--;
        if (old != entry) {
            table_replace(&shard_db->table, key->hash, old, entry, marks);
            entry_free(shard->heap, old);
        }
    }
    if (marks) store_note_marks(shard_db, key, entry, marks);
    account_enter(store, db, key, entry, old == NULL, bytes_before);
    return entry;
}

/* Frees what an entry points to, in the background when that is much. */
static void store_free_held(struct store *store, struct heap *heap, struct entry *entry,
                            bool lazy) {
    if (!entry_has(entry, ENTRY_EXTERNAL)) return;
    if (entry_type(entry) == TYPE_STRING) {
        struct string_block *block = entry_value(entry);
        if (lazy && block->cap >= LAZY_BLOCK_BYTES)
            background_free_block(store->background, block);
        else
            heap_give(heap, block, sizeof *block + block->cap);
    } else if (lazy && value_free_cost(entry_type(entry), entry_value(entry)) > LAZY_FREE_COST) {
        background_free_value(store->background, entry_type(entry), entry_value(entry));
    } else {
        value_free(entry_type(entry), entry_value(entry));
    }
}

static int64_t expiry_kept(const struct entry *old, int64_t expires_ms) {
    if (expires_ms != STORE_KEEP_EXPIRY) return expires_ms;
    return old == NULL ? ENTRY_EXPIRY_NONE : entry_expiry(old);
}

static struct entry *store_put(struct store *store, unsigned db, const struct key *key,
                               struct entry *old, struct entry_parts *parts) {
    struct heap *heap = store_heap(store, key);
    parts->key = key->name;
    parts->access = old == NULL ? recency_new(store) : old->access;
    parts->pattern = old == NULL ? account_pattern(store, db, key->name) : old->pattern;
    struct entry *entry = entry_build(heap, parts);
    size_t bytes_before = account_close(store, old);
    if (old != NULL) store_free_held(store, heap, old, true);
    return store_enter(store, db, key, old, entry, bytes_before);
}

/* Overwrites an inline string by another of the same heap class, without touching table or heap.
 * The expiry stays what it was; that there is one, or none, must be what is wanted. */
static bool store_overwrite(struct entry *old, struct bytes value, bool expires) {
    if (old->flags & (ENTRY_EXTERNAL | ENTRY_INTEGER) || value.len > ENTRY_INLINE_MAX) return false;
    if (entry_has(old, ENTRY_EXPIRES) != expires) return false;
    size_t head = entry_size(old) - old->inline_len;
    if (heap_object_bytes(head + value.len) != heap_object_bytes(head + old->inline_len) ||
        head + value.len > HEAP_OBJECT_MAX)
        return false;
    if (value.len != old->inline_len) {
        heap_resize(NULL, old, head + old->inline_len, head + value.len);
        old->inline_len = (uint8_t)value.len;
    }
    if (value.len) memcpy(entry_string_bytes(old), value.data, value.len);
    old->flags &= (uint8_t)~ENTRY_RAW & 15;
    return true;
}

struct entry *store_put_string(struct store *store, unsigned db, const struct key *key,
                               struct entry *old, struct bytes value, int64_t expires_ms) {
    int64_t integer;
    expires_ms = expiry_kept(old, expires_ms);
    if (value.len > 0 && value.len <= 20 && (uint8_t)(value.data[value.len - 1] - '0') < 10 &&
        number_parse_i64(value, &integer))
        return store_put_integer(store, db, key, old, integer, expires_ms);
    if (old != NULL && entry_type(old) == TYPE_STRING &&
        store_overwrite(old, value, expires_ms != ENTRY_EXPIRY_NONE))
        return entry_expiry(old) == expires_ms ? old
                                               : store_set_expiry(store, db, key, old, expires_ms);
    struct entry_parts parts = {.type = TYPE_STRING, .expires_ms = expires_ms};
    if (value.len <= ENTRY_INLINE_MAX) {
        parts.data = value.data;
        parts.data_len = value.len;
    } else {
        struct string_block *block = heap_take(store_heap(store, key), sizeof *block + value.len);
        block->len = block->cap = value.len;
        memcpy(block->data, value.data, value.len);
        parts.value = block;
        parts.flags = ENTRY_EXTERNAL;
    }
    return store_put(store, db, key, old, &parts);
}

struct entry *store_put_integer(struct store *store, unsigned db, const struct key *key,
                                struct entry *old, int64_t value, int64_t expires_ms) {
    expires_ms = expiry_kept(old, expires_ms);
    if (old != NULL && entry_type(old) == TYPE_STRING && entry_has(old, ENTRY_INTEGER) &&
        entry_expiry(old) == expires_ms) {
        struct bytes name = entry_key(old);
        memcpy((char *)(uintptr_t)name.data + name.len, &value, sizeof value);
        return old;
    }
    struct entry_parts parts = {
        .type = TYPE_STRING, .flags = ENTRY_INTEGER, .expires_ms = expires_ms, .integer = value};
    return store_put(store, db, key, old, &parts);
}

struct entry *store_put_value(struct store *store, unsigned db, const struct key *key,
                              struct entry *old, enum value_type type, void *value,
                              int64_t expires_ms) {
    struct entry_parts parts = {.type = type,
                                .flags = ENTRY_EXTERNAL,
                                .expires_ms = expiry_kept(old, expires_ms),
                                .value = value};
    return store_put(store, db, key, old, &parts);
}

/* ---- strings modified in place ---- */

static struct string_block *block_alloc(struct heap *heap, size_t cap) {
    struct string_block *block;
    if (sizeof *block + cap <= HEAP_OBJECT_MAX)
        block = heap_take(heap, sizeof *block + cap);
    else
        block = mem_try_alloc(sizeof *block + cap);
    if (block != NULL) block->cap = cap;
    return block;
}

/* A block of at least len bytes that holds the string so far; NULL when there is no memory. */
static struct string_block *block_for(struct heap *heap, struct bytes old, size_t len, size_t cap) {
    struct string_block *block = block_alloc(heap, cap);
    if (block == NULL) return NULL;
    block->len = len;
    size_t kept = old.len < len ? old.len : len;
    if (kept) memcpy(block->data, old.data, kept);
    memset(block->data + kept, 0, len - kept);
    return block;
}

/* Lengthens or shortens an external string where it is, when it has the room. */
static bool block_fit(struct entry *entry, size_t len) {
    if (!entry_has(entry, ENTRY_EXTERNAL)) return false;
    struct string_block *block = entry_value(entry);
    if (len > block->cap) return false;
    if (len > block->len) memset(block->data + block->len, 0, len - block->len);
    block->len = len;
    return true;
}

char *store_string_edit(struct store *store, unsigned db, const struct key *key,
                        struct entry **entry, size_t len) {
    struct heap *heap = store_heap(store, key);
    struct entry *old = *entry;
    char scratch[ENTRY_SCRATCH];
    if (old != NULL && block_fit(old, len)) return entry_string_bytes(old);
    if (old != NULL && !(old->flags & (ENTRY_EXTERNAL | ENTRY_INTEGER)) && old->inline_len == len) {
        old->flags = (uint8_t)((old->flags | ENTRY_RAW) & 15);
        return entry_string_bytes(old);
    }
    struct bytes before = old == NULL ? bytes_make(NULL, 0) : entry_string(old, scratch);
    struct entry_parts parts = {.type = TYPE_STRING, .flags = ENTRY_RAW};
    if (old != NULL) {
        parts = entry_take_apart(old);
        parts.flags = ENTRY_RAW;
    }
    char filled[ENTRY_INLINE_MAX];
    if (len <= ENTRY_INLINE_MAX && (old == NULL || !entry_has(old, ENTRY_EXTERNAL))) {
        size_t kept = before.len < len ? before.len : len;
        if (kept) memcpy(filled, before.data, kept);
        memset(filled + kept, 0, len - kept);
        parts.data = filled;
        parts.data_len = len;
    } else {
        /* Room to grow, so that a string built by many appends is copied seldom. */
        size_t spare = before.len == 0 ? 0 : len < STRING_GROWTH_MAX ? len : STRING_GROWTH_MAX;
        struct string_block *block = block_for(heap, before, len, len + spare);
        if (block == NULL) return NULL;
        parts.value = block;
        parts.flags |= ENTRY_EXTERNAL;
    }
    parts.key = key->name;
    parts.access = old == NULL ? recency_new(store) : old->access;
    parts.pattern = old == NULL ? account_pattern(store, db, key->name) : old->pattern;
    struct entry *edited = entry_build(heap, &parts);
    size_t bytes_before = account_close(store, old);
    if (old != NULL) store_free_held(store, heap, old, true);
    *entry = store_enter(store, db, key, old, edited, bytes_before);
    return entry_string_bytes(edited);
}

struct string_block *store_block_new(struct store *store, const struct key *key, size_t len) {
    struct string_block *block = block_alloc(store_heap(store, key), len);
    if (block != NULL) block->len = len;
    return block;
}

struct entry *store_put_block(struct store *store, unsigned db, const struct key *key,
                              struct entry *old, struct string_block *block, int64_t expires_ms) {
    struct entry_parts parts = {
        .type = TYPE_STRING, .flags = ENTRY_RAW, .expires_ms = expiry_kept(old, expires_ms)};
    if (block->len > ENTRY_INLINE_MAX) {
        parts.flags |= ENTRY_EXTERNAL;
        parts.value = block;
        return store_put(store, db, key, old, &parts);
    }
    parts.data = block->data;
    parts.data_len = block->len;
    struct entry *entry = store_put(store, db, key, old, &parts);
    heap_give(store_heap(store, key), block, sizeof *block + block->cap);
    return entry;
}

/* ---- other changes ---- */

struct entry *store_set_expiry(struct store *store, unsigned db, const struct key *key,
                               struct entry *entry, int64_t expires_ms) {
    if (entry_has(entry, ENTRY_EXPIRES) && expires_ms != ENTRY_EXPIRY_NONE) {
        memcpy(entry->body + entry_expiry_offset(entry), &expires_ms, sizeof expires_ms);
        table_note_due(key_table(store, db, key), key->hash, (uint64_t)expires_ms);
        account_note_change(key);
        return entry;
    }
    if (entry_expiry(entry) == expires_ms) return entry;
    struct entry_parts parts = entry_take_apart(entry);
    parts.expires_ms = expires_ms;
    size_t bytes_before = account_close(store, entry);
    struct entry *built = entry_build(store_heap(store, key), &parts);
    return store_enter(store, db, key, entry, built, bytes_before);
}

void store_count_expired_fields(struct store *store, const struct key *key, size_t count) {
    key_shard(store, key)->expired_fields += count;
}

void store_note_field_expiry(struct store *store, unsigned db, const struct key *key,
                             const struct entry *entry, int64_t due_ms) {
    struct table *table = key_table(store, db, key);
    unsigned marks = entry_marks(entry) | ENTRY_MARK_FIELDS_EXPIRE;
    table_replace(table, key->hash, entry, (void *)(uintptr_t)entry, marks);
    table_note_due(table, key->hash, (uint64_t)due_ms);
}

void store_delete(struct store *store, unsigned db, const struct key *key, struct entry *entry,
                  bool lazy) {
    struct shard *shard = key_shard(store, key);
    struct shard_db *shard_db = &shard->dbs[db];
    account_leave(store, db, entry);
    /* The key may be a view into the very entry: it is used before the entry goes. */
    table_remove(&shard_db->table, key->hash, entry);
    if (entry_has(entry, ENTRY_EXPIRES)) shard_db->expiring--;
    store_free_held(store, shard->heap, entry, lazy);
    entry_free(shard->heap, entry);
}

struct entry *store_move(struct store *store, unsigned from_db, const struct key *from,
                         struct entry *entry, unsigned to_db, const struct key *to) {
    struct shard *source = key_shard(store, from);
    struct heap *heap = store_heap(store, to);
    struct entry_parts parts = entry_take_apart(entry);
    account_leave(store, from_db, entry);
    parts.key = to->name;
    parts.pattern = account_pattern(store, to_db, to->name);
    if (entry_has(entry, ENTRY_EXTERNAL) && entry_type(entry) != TYPE_STRING)
        value_rehome(entry_type(entry), entry_value(entry), heap);
    struct entry *moved = entry_build(heap, &parts);
    table_remove(&source->dbs[from_db].table, from->hash, entry);
    if (entry_has(entry, ENTRY_EXPIRES)) source->dbs[from_db].expiring--;
    entry_free(source->heap, entry);
    return store_enter(store, to_db, to, NULL, moved, 0);
}

/* What an entry points to, copied into a heap. */
static const void *copy_held(const struct entry *entry, struct heap *heap) {
    char scratch[ENTRY_SCRATCH];
    if (entry_type(entry) != TYPE_STRING)
        return value_copy(entry_type(entry), entry_value(entry), heap);
    struct bytes string = entry_string(entry, scratch);
    struct string_block *block = heap_take(heap, sizeof *block + string.len);
    block->len = block->cap = string.len;
    if (string.len) memcpy(block->data, string.data, string.len);
    return block;
}

struct entry *store_copy(struct store *store, const struct entry *entry, unsigned to_db,
                         const struct key *to) {
    struct heap *heap = store_heap(store, to);
    struct entry_parts parts = entry_take_apart(entry);
    parts.key = to->name;
    parts.pattern = account_pattern(store, to_db, to->name);
    parts.access = recency_new(store);
    if (entry_has(entry, ENTRY_EXTERNAL)) parts.value = copy_held(entry, heap);
    return store_enter(store, to_db, to, NULL, entry_build(heap, &parts), 0);
}

/* ---- entries kept aside: undo.h ---- */

struct entry *store_save(struct store *store, const struct key *key, const struct entry *entry) {
    struct heap *heap = store_heap(store, key);
    struct entry_parts parts = entry_take_apart(entry);
    if (entry_has(entry, ENTRY_EXTERNAL)) parts.value = copy_held(entry, heap);
    return entry_build(heap, &parts);
}

struct entry *store_set_aside(struct store *store, unsigned db, const struct key *key,
                              struct entry *entry) {
    struct shard_db *shard_db = &key_shard(store, key)->dbs[db];
    struct entry *copy = store_save(store, key, entry);
    unsigned marks = entry_marks(copy);
    size_t bytes_before = account_close(store, entry);
    table_replace(&shard_db->table, key->hash, entry, copy, marks);
    if (marks) store_note_marks(shard_db, key, copy, marks);
    account_enter(store, db, key, copy, false, bytes_before);
    return entry;
}

void store_drop_saved(struct store *store, const struct key *key, struct entry *saved) {
    entry_free_whole(store_heap(store, key), saved);
}

void store_restore(struct store *store, unsigned db, const struct key *key, struct entry *saved) {
    struct entry *now = store_lookup(store, db, key);
    if (saved == NULL) {
        if (now != NULL) store_delete(store, db, key, now, false);
        return;
    }
    size_t bytes_before = account_close(store, now);
    if (now != NULL) store_free_held(store, store_heap(store, key), now, false);
    store_enter(store, db, key, now, saved, bytes_before);
}
