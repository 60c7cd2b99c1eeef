/* SPDX-License-Identifier: BSD-3-Clause */
#include "model.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/memory.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

enum { ELEMENT_MAX = 1300 };

/* ---- names and elements from numbers ---- */

/* Short ones, with a hash tag, long enough for a length of their own, longer than what is copied on
 * a stack; and the empty one. */
struct key model_name(unsigned number, char *scratch) {
    size_t len = 0, wanted = 0;
    if (number % 10 == 3)
        len = (size_t)snprintf(scratch, MODEL_NAME_MAX, "%u{tag%u}", number, number % 4);
    else if (number > 0)
        len = (size_t)snprintf(scratch, MODEL_NAME_MAX, "%u.key", number);
    if (number % 50 == 7) wanted = 250 + number / 50;
    if (number % 100 == 9) wanted = MODEL_NAME_MAX - number / 100;
    if (wanted > len) {
        memset(scratch + len, '.', wanted - len);
        len = wanted;
    }
    return key_make(bytes_make(scratch, len));
}

static unsigned name_number(struct bytes name) {
    unsigned number = 0;
    for (size_t i = 0; i < name.len && name.data[i] >= '0' && name.data[i] <= '9'; i++)
        number = number * 10 + (unsigned)(name.data[i] - '0');
    char scratch[MODEL_NAME_MAX];
    assert_true(number < MODEL_NAMES);
    assert_true(bytes_equal(model_name(number, scratch).name, name));
    return number;
}

static struct bytes element(unsigned tag, size_t number, char *scratch) {
    size_t len = (size_t)snprintf(scratch, ELEMENT_MAX, tag % 3 ? "%zu,%u" : "%zu", number, tag);
    size_t wanted = tag % 9 == 2 ? number % 5 == 0 ? ELEMENT_MAX - number % 100 : 70 : 0;
    if (wanted > len) {
        memset(scratch + len, '-', wanted - len);
        len = wanted;
    }
    return bytes_make(scratch, len);
}

/* ---- what the store tells ---- */

static void met_event(void *context, struct shard *shard, unsigned db, const struct key *key,
                      enum event_class event_class, const char *event) {
    struct model *model = context;
    struct model_key *at = &model->keys[db][name_number(key->name)];
    assert_int_equal(shard->index, key->shard);
    assert_true(at->there);
    if (event_class == EVENT_EXPIRED) {
        assert_string_equal(event, "expired");
        assert_true(at->expires_ms != ENTRY_EXPIRY_NONE && at->expires_ms < model->now_ms);
        at->there = false;
        model->expired++;
    } else if (event_class == EVENT_EVICTED) {
        assert_string_equal(event, "evicted");
        assert_true(model->may_evict);
        assert_true(!model->only_volatile || at->expires_ms != ENTRY_EXPIRY_NONE);
        at->there = false;
        model->evicted++;
    } else if (event_class == EVENT_HASH) {
        assert_string_equal(event, "hexpired");
        assert_true(at->type == TYPE_HASH && at->due_count > 0 && at->due_ms < model->now_ms);
        at->first += at->due_count;
        at->count -= at->due_count;
        at->due_count = 0;
        model->hexpired++;
    } else {
        assert_string_equal(event, "del");
        assert_true(at->type == TYPE_HASH && at->count == 0);
        at->there = false;
    }
}

struct model *model_new(uint64_t seed, unsigned threads) {
    struct model *model = calloc(1, sizeof *model);
    rng_seed(&model->rng, seed);
    random_seed_thread(seed);
    model->now_ms = 1700000000000;
    model->before = memory_used();
    model->store = store_new(MODEL_DBS, threads);
    model->locking = threads > 1;
    store_note_time(model->store, model->now_ms);
    store_set_feed(model->store, met_event, model);
    store_feed_everything(model->store, true);
    model->empty = memory_used();
    return model;
}

void model_free(struct model *model, bool lazy) {
    struct store_stats stats;
    model_flush(model, -1, lazy);
    model_drain(model);
    store_stats(model->store, false, &stats);
    assert_int_equal(stats.table_bytes, 0);
    assert_int_equal(memory_used(), model->empty);
    /* What came home from the background is sorted back when somebody next takes. */
    if (!lazy && !model->locking) assert_true(stats.lazy_freed || stats.object_bytes == 0);
    store_free(model->store);
    assert_int_equal(memory_used(), model->before);
    for (unsigned db = 0; db < MODEL_DBS; db++)
        for (unsigned i = 0; i < MODEL_NAMES; i++) free(model->keys[db][i].string);
    free(model);
}

static struct shard_set every_shard(void) {
    struct shard_set set;
    shard_set_fill(&set);
    return set;
}

void model_hold(struct model *model) {
    struct shard_set set = every_shard();
    assert_true(store_take(model->store, &set));
}

void model_release(struct model *model) {
    struct shard_set set = every_shard();
    store_give(model->store, &set);
}

/* ---- changes ---- */

bool model_live(const struct model *model, unsigned db, unsigned number) {
    const struct model_key *at = &model->keys[db][number];
    return at->there && (at->expires_ms == ENTRY_EXPIRY_NONE || at->expires_ms >= model->now_ms);
}

bool model_writable_hash(const struct model *model, unsigned db, unsigned number) {
    const struct model_key *at = &model->keys[db][number];
    return at->type == TYPE_HASH && !(at->due_count > 0 && at->due_ms < model->now_ms);
}

static struct entry *find(struct model *model, unsigned db, const struct key *key) {
    return store_find(model->store, db, key, model->now_ms);
}

static int64_t kept(const struct model *model, unsigned db, unsigned number, int64_t expires_ms) {
    if (expires_ms != STORE_KEEP_EXPIRY) return expires_ms;
    return model_live(model, db, number) ? model->keys[db][number].expires_ms : ENTRY_EXPIRY_NONE;
}

static struct model_key *fresh(struct model *model, unsigned db, unsigned number,
                               enum value_type type, int64_t expires_ms) {
    struct model_key *at = &model->keys[db][number];
    free(at->string);
    *at = (struct model_key){.there = true, .type = type, .expires_ms = expires_ms};
    return at;
}

void model_put_string(struct model *model, unsigned db, unsigned number, size_t len,
                      int64_t expires_ms) {
    char name[MODEL_NAME_MAX];
    struct key key = model_name(number, name);
    struct entry *old = find(model, db, &key);
    struct model_key *at =
        fresh(model, db, number, TYPE_STRING, kept(model, db, number, expires_ms));
    at->string = malloc(len + 1);
    for (size_t i = 0; i < len; i++) at->string[i] = (char)rng_next(&model->rng);
    at->count = len;
    struct entry *entry =
        store_put_string(model->store, db, &key, old, bytes_make(at->string, len), expires_ms);
    assert_true(bytes_equal(entry_key(entry), key.name));
}

void model_put_integer(struct model *model, unsigned db, unsigned number, int64_t value,
                       int64_t expires_ms) {
    char name[MODEL_NAME_MAX];
    struct key key = model_name(number, name);
    struct entry *old = find(model, db, &key);
    struct model_key *at =
        fresh(model, db, number, TYPE_STRING, kept(model, db, number, expires_ms));
    at->string = malloc(24);
    at->count = (size_t)snprintf(at->string, 24, "%lld", (long long)value);
    if (rng_below(&model->rng, 2))
        store_put_integer(model->store, db, &key, old, value, expires_ms);
    else
        store_put_string(model->store, db, &key, old, bytes_make(at->string, at->count),
                         expires_ms);
}

static void add_elements(void *value, const struct model *model, const struct model_key *at,
                         size_t from, size_t end) {
    char scratch[ELEMENT_MAX];
    double score;
    for (size_t i = from; i < end; i++) {
        struct bytes text = element(at->tag, i, scratch);
        switch (at->type) {
        case TYPE_LIST: list_push(value, LIST_TAIL, text); break;
        case TYPE_SET: assert_true(set_add(value, text)); break;
        case TYPE_ZSET:
            assert_int_equal(zset_add(value, text, (double)i / 4, 0, &score), ZSET_ADDED);
            break;
        default: assert_true(hash_set(value, text, text, model->now_ms, HASH_NO_EXPIRY));
        }
    }
}

void model_put_value(struct model *model, unsigned db, unsigned number, enum value_type type,
                     size_t count, int64_t expires_ms) {
    char name[MODEL_NAME_MAX];
    struct key key = model_name(number, name);
    struct entry *old = find(model, db, &key);
    struct model_key *at = fresh(model, db, number, type, kept(model, db, number, expires_ms));
    struct heap *heap = store_heap(model->store, &key);
    at->tag = ++model->tags;
    at->count = count;
    void *value = type == TYPE_LIST   ? (void *)list_new(heap)
                  : type == TYPE_SET  ? (void *)set_new(heap)
                  : type == TYPE_ZSET ? (void *)zset_new(heap)
                                      : (void *)hash_new(heap);
    add_elements(value, model, at, 0, count);
    store_put_value(model->store, db, &key, old, type, value, expires_ms);
}

void model_grow(struct model *model, unsigned db, unsigned number, size_t count) {
    char name[MODEL_NAME_MAX];
    struct key key = model_name(number, name);
    struct entry *entry = find(model, db, &key);
    struct model_key *at = &model->keys[db][number];
    assert_true(entry != NULL && at->type != TYPE_STRING);
    add_elements(entry_value(entry), model, at, at->first + at->count,
                 at->first + at->count + count);
    at->count += count;
}

void model_shrink(struct model *model, unsigned db, unsigned number, size_t count) {
    char name[MODEL_NAME_MAX], scratch[ELEMENT_MAX];
    struct key key = model_name(number, name);
    struct entry *entry = find(model, db, &key);
    struct model_key *at = &model->keys[db][number];
    assert_true(entry != NULL && count < at->count);
    for (size_t i = at->first; i < at->first + count; i++) {
        struct bytes text = element(at->tag, i, scratch);
        switch (at->type) {
        case TYPE_LIST: list_drop(entry_value(entry), LIST_HEAD, 1); break;
        case TYPE_SET: assert_true(set_remove(entry_value(entry), text)); break;
        case TYPE_ZSET: assert_true(zset_remove(entry_value(entry), text)); break;
        default: assert_true(hash_delete(entry_value(entry), text, model->now_ms));
        }
    }
    at->first += count;
    at->count -= count;
    at->due_count = at->due_count > count ? at->due_count - count : 0;
}

void model_expire_fields(struct model *model, unsigned db, unsigned number, size_t count,
                         int64_t due_ms) {
    char name[MODEL_NAME_MAX], scratch[ELEMENT_MAX];
    struct key key = model_name(number, name);
    struct entry *entry = find(model, db, &key);
    struct model_key *at = &model->keys[db][number];
    assert_true(entry != NULL && model_writable_hash(model, db, number) && count <= at->count);
    for (size_t i = 0; i < count || i < at->due_count; i++)
        assert_true(hash_set_expiry(entry_value(entry), element(at->tag, at->first + i, scratch),
                                    model->now_ms, i < count ? due_ms : HASH_NO_EXPIRY));
    at->due_count = count;
    at->due_ms = due_ms;
    if (count) store_note_field_expiry(model->store, db, &key, entry, due_ms);
}

void model_edit_string(struct model *model, unsigned db, unsigned number, size_t len) {
    char name[MODEL_NAME_MAX];
    struct key key = model_name(number, name);
    struct entry *entry = find(model, db, &key);
    struct model_key *at = &model->keys[db][number];
    if (entry == NULL) fresh(model, db, number, TYPE_STRING, ENTRY_EXPIRY_NONE);
    assert_int_equal(at->type, TYPE_STRING);
    char *bytes = store_string_edit(model->store, db, &key, &entry, len);
    assert_non_null(bytes);
    at->string = realloc(at->string, len + 1);
    if (len > at->count) memset(at->string + at->count, 0, len - at->count);
    at->count = len;
    for (size_t i = 0; i < 3 && len > 0; i++) {
        size_t where = rng_below(&model->rng, len);
        assert_int_equal(bytes[where], at->string[where]);
        bytes[where] = at->string[where] = (char)rng_next(&model->rng);
    }
}

void model_expire(struct model *model, unsigned db, unsigned number, int64_t expires_ms) {
    char name[MODEL_NAME_MAX];
    struct key key = model_name(number, name);
    struct entry *entry = find(model, db, &key);
    assert_non_null(entry);
    entry = store_set_expiry(model->store, db, &key, entry, expires_ms);
    assert_true(entry_expiry(entry) == expires_ms);
    model->keys[db][number].expires_ms = expires_ms;
}

void model_delete(struct model *model, unsigned db, unsigned number, bool lazy) {
    char name[MODEL_NAME_MAX];
    struct key key = model_name(number, name);
    struct entry *entry = find(model, db, &key);
    assert_int_equal(entry != NULL, model->keys[db][number].there);
    if (entry == NULL) return;
    /* As eviction and the sweep may: by a name that lies in the entry itself. */
    if (lazy) key.name = entry_key(entry);
    store_delete(model->store, db, &key, entry, lazy);
    model->keys[db][number].there = false;
}

static void model_take_over(struct model_key *to, const struct model_key *from) {
    free(to->string);
    *to = *from;
    if (from->string == NULL) return;
    to->string = malloc(from->count + 1);
    memcpy(to->string, from->string, from->count);
}

void model_move(struct model *model, unsigned from_db, unsigned from, unsigned to_db, unsigned to) {
    char name[MODEL_NAME_MAX], to_name[MODEL_NAME_MAX];
    struct key key = model_name(from, name), to_key = model_name(to, to_name);
    struct entry *entry = find(model, from_db, &key);
    assert_true(entry != NULL && (from_db != to_db || from != to));
    model_delete(model, to_db, to, true);
    store_move(model->store, from_db, &key, entry, to_db, &to_key);
    model_take_over(&model->keys[to_db][to], &model->keys[from_db][from]);
    model->keys[from_db][from].there = false;
}

void model_copy(struct model *model, unsigned from_db, unsigned from, unsigned to_db, unsigned to) {
    char name[MODEL_NAME_MAX], to_name[MODEL_NAME_MAX];
    struct key key = model_name(from, name), to_key = model_name(to, to_name);
    struct entry *entry = find(model, from_db, &key);
    assert_true(entry != NULL && (from_db != to_db || from != to));
    model_delete(model, to_db, to, false);
    store_copy(model->store, entry, to_db, &to_key);
    model_take_over(&model->keys[to_db][to], &model->keys[from_db][from]);
}

void model_flush(struct model *model, int db, bool lazy) {
    size_t keys = 0;
    for (unsigned each = 0; each < MODEL_DBS; each++)
        for (unsigned i = 0; i < MODEL_NAMES && (db < 0 || each == (unsigned)db); i++) {
            keys += model->keys[each][i].there;
            model->keys[each][i].there = false;
        }
    model_hold(model);
    assert_int_equal(store_flush(model->store, db, lazy), keys);
    model_release(model);
}

void model_swap(struct model *model, unsigned a, unsigned b) {
    static struct model_key aside[MODEL_NAMES];
    store_swap_dbs(model->store, a, b);
    memcpy(aside, model->keys[a], sizeof aside);
    memmove(model->keys[a], model->keys[b], sizeof aside);
    memcpy(model->keys[b], aside, sizeof aside);
}

/* ---- comparing ---- */

void model_drain(struct model *model) {
    for (;;) {
        struct store_stats stats;
        store_stats(model->store, false, &stats);
        if (stats.lazy_pending == 0) return;
        sched_yield();
    }
}

static void value_check(const struct entry *entry) {
    void *value = entry_value(entry);
    switch (entry_type(entry)) {
    case TYPE_LIST: list_check(value); break;
    case TYPE_SET: set_check(value); break;
    case TYPE_ZSET: zset_check(value); break;
    case TYPE_HASH: hash_check(value); break;
    default: break;
    }
}

struct tally {
    struct model *model;
    size_t keys[MODEL_DBS], bytes;
};

static void check_shard(struct shard *shard, void *context) {
    struct tally *tally = context;
    for (unsigned db = 0; db < MODEL_DBS; db++) {
        const struct table *table = &shard->dbs[db].table;
        size_t keys = 0, expiring = 0;
        struct table_iter iter;
        table_check(table);
        table_iter_init(&iter, table);
        for (struct entry *entry = table_iter_next(&iter); entry != NULL;
             entry = table_iter_next(&iter)) {
            struct key key = key_make(entry_key(entry));
            const struct model_key *at = &tally->model->keys[db][name_number(key.name)];
            unsigned marks = table_marks(table, key.hash, entry);
            assert_int_equal(key.shard, shard->index);
            assert_true(at->there && at->type == entry_type(entry));
            assert_true(at->expires_ms == entry_expiry(entry));
            assert_int_equal(!!(marks & ENTRY_MARK_EXPIRES), entry_has(entry, ENTRY_EXPIRES));
            if (at->type == TYPE_HASH && at->due_count)
                assert_true(marks & ENTRY_MARK_FIELDS_EXPIRE);
            /* So that the sweep finds them. */
            if (entry_has(entry, ENTRY_EXPIRES))
                assert_true(table_next_due(table) <= (uint64_t)at->expires_ms);
            if (at->type == TYPE_HASH && at->due_count)
                assert_true(table_next_due(table) <= (uint64_t)at->due_ms);
            if (at->type != TYPE_STRING) value_check(entry);
            expiring += entry_has(entry, ENTRY_EXPIRES);
            keys++;
            tally->bytes += entry_bytes(entry);
        }
        assert_int_equal(table_count(table), keys);
        assert_int_equal(shard->dbs[db].expiring, expiring);
        tally->keys[db] += keys;
        tally->bytes += table_bytes(table);
    }
}

void model_check(struct model *model) {
    struct tally tally = {.model = model};
    for (unsigned i = 0; i < SHARD_COUNT; i++)
        store_visit(model->store, i, false, check_shard, &tally);
    for (unsigned db = 0; db < MODEL_DBS; db++) {
        struct store_db_stats stats;
        size_t keys = 0, expiring = 0;
        for (unsigned i = 0; i < MODEL_NAMES; i++) {
            const struct model_key *at = &model->keys[db][i];
            keys += at->there;
            expiring += at->there && at->expires_ms != ENTRY_EXPIRY_NONE;
        }
        assert_int_equal(tally.keys[db], keys);
        store_db_stats(model->store, db, false, model->now_ms, &stats);
        assert_int_equal(stats.keys, keys);
        assert_int_equal(stats.expiring, expiring);
    }
    model_drain(model);
    size_t used = memory_used() - model->empty;
#if defined(__SANITIZE_ADDRESS__)
    assert_int_equal(used, tally.bytes);
#else
    /* Allocators round up what is larger than the heaps' objects. */
    assert_true(used >= tally.bytes && used <= tally.bytes + tally.bytes / 10 + 65536);
#endif
}

static void compare_collection(const struct model *model, const struct model_key *at,
                               const struct entry *entry) {
    char scratch[ELEMENT_MAX], place[LIST_SCRATCH];
    void *value = entry_value(entry);
    struct bytes found;
    double score;
    if (at->type != TYPE_HASH) assert_int_equal(entry_count(entry), at->count);
    for (size_t i = 0; i < at->count; i++) {
        struct bytes text = element(at->tag, at->first + i, scratch);
        switch (at->type) {
        case TYPE_LIST:
            /* By position in long lists now and then only: that walks. */
            if (i > 40 && i % 64) continue;
            assert_true(list_get(value, (int64_t)i, place, &found) && bytes_equal(found, text));
            break;
        case TYPE_SET: assert_true(set_has(value, text)); break;
        case TYPE_ZSET:
            assert_true(zset_find(value, text, &score));
            assert_true(score == (double)(at->first + i) / 4);
            break;
        default:
            assert_int_equal(hash_get(value, text, model->now_ms, place, &found),
                             i >= at->due_count || at->due_ms >= model->now_ms);
        }
    }
}

void model_compare(struct model *model) {
    char name[MODEL_NAME_MAX], scratch[ENTRY_SCRATCH];
    model_hold(model);
    for (unsigned db = 0; db < MODEL_DBS; db++)
        for (unsigned i = 0; i < MODEL_NAMES; i++) {
            struct model_key *at = &model->keys[db][i];
            struct key key = model_name(i, name);
            bool live = model_live(model, db, i), there = at->there;
            size_t expired = model->expired;
            struct entry *entry = find(model, db, &key);
            assert_int_equal(entry != NULL, live);
            assert_int_equal(model->expired - expired, there && !live);
            if (entry == NULL) continue;
            assert_true(bytes_equal(entry_key(entry), key.name));
            if (at->type == TYPE_STRING)
                assert_true(
                    bytes_equal(entry_string(entry, scratch), bytes_make(at->string, at->count)));
            else
                compare_collection(model, at, entry);
        }
    model_release(model);
}
