/* SPDX-License-Identifier: BSD-3-Clause */
/* Streams against a naive array of entries, and their groups against arrays of pending ones. */
#include "types/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/heap.h"
#include "base/random.h"
#include "types/limits.h"
#include "types/stream_group.h"

enum { ENTRIES_MAX = 3000, FIELDS_MAX = 20, GROUPS = 3, CONSUMERS = 4, TEXT_MAX = 6000 };

struct entry {
    struct stream_id id;
    size_t fields;
    struct bytes texts[2 * FIELDS_MAX];
    int owner[GROUPS]; /* the consumer it is pending for, -1 for none */
    bool gone;         /* deleted, while it may still be pending */
};

struct model {
    size_t count; /* those that are gone included */
    struct entry entries[ENTRIES_MAX];
};

static struct rng rng;
static struct model model;
static char texts[2 * FIELDS_MAX][TEXT_MAX];

static struct bytes any_text(unsigned slot, bool name) {
    char *text = texts[slot];
    size_t len;
    unsigned kind = (unsigned)rng_below(&rng, 100);
    if (name && kind < 80) {
        len = (size_t)snprintf(text, TEXT_MAX, "name%u", slot / 2);
    } else if (kind < 40) {
        int64_t number = (int64_t)rng_next(&rng) >> rng_below(&rng, 64);
        len = (size_t)snprintf(text, TEXT_MAX, "%lld", (long long)number);
    } else if (kind < 97) {
        len = rng_below(&rng, 30);
        memset(text, 'a' + (int)rng_below(&rng, 3), len);
    } else {
        len = rng_below(&rng, kind == 97 ? 300 : TEXT_MAX);
        memset(text, 'x', len);
    }
    return bytes_make(text, len);
}

static struct bytes copy_of(struct bytes text) {
    char *copy = malloc(text.len + 1);
    memcpy(copy, text.data, text.len);
    return bytes_make(copy, text.len);
}

/* Entries that are there, in order. */
static struct entry *live(size_t index) {
    for (size_t i = 0; i < model.count; i++)
        if (!model.entries[i].gone && index-- == 0) return &model.entries[i];
    return NULL;
}

static size_t live_count(void) {
    size_t count = 0;
    for (size_t i = 0; i < model.count; i++) count += !model.entries[i].gone;
    return count;
}

static struct entry *find(struct stream_id id) {
    for (size_t i = 0; i < model.count; i++)
        if (stream_id_compare(model.entries[i].id, id) == 0) return &model.entries[i];
    return NULL;
}

static void verify_entry(struct stream_iter *iter, const struct entry *want, struct stream_id id,
                         size_t fields) {
    struct bytes name, value;
    assert_non_null(want);
    assert_int_equal(stream_id_compare(id, want->id), 0);
    assert_int_equal(fields, want->fields);
    for (size_t i = 0; i < fields; i++) {
        stream_iter_field(iter, &name, &value);
        assert_true(bytes_equal(name, want->texts[2 * i]));
        assert_true(bytes_equal(value, want->texts[2 * i + 1]));
    }
}

static void verify_range(const struct stream *stream, struct stream_id from, struct stream_id to,
                         bool backward) {
    struct stream_iter iter;
    struct stream_id id;
    size_t fields, at = backward ? model.count : 0;
    stream_iter_init(&iter, stream, from, to, backward);
    for (;;) {
        const struct entry *want = NULL;
        while (!want && (backward ? at > 0 : at < model.count)) {
            const struct entry *each = &model.entries[backward ? --at : at++];
            if (!each->gone && !stream_id_less(each->id, from) && !stream_id_less(to, each->id))
                want = each;
        }
        bool more = stream_iter_next(&iter, &id, &fields);
        assert_int_equal(more, want != NULL);
        if (!more) return;
        verify_entry(&iter, want, id, fields);
    }
}

static void verify_groups(const struct stream *stream) {
    for (size_t g = 0; g < stream_group_count(stream); g++) {
        const struct stream_group *group = stream_group_at(stream, g);
        int number = group->name[0] - '0';
        struct stream_pending_iter iter;
        stream_pending_iter_init(&iter, group, NULL, STREAM_ID_MIN);
        for (size_t i = 0; i < model.count; i++) {
            if (model.entries[i].owner[number] < 0) continue;
            const struct stream_pending *pending = stream_pending_iter_next(&iter);
            assert_non_null(pending);
            assert_int_equal(stream_id_compare(pending->id, model.entries[i].id), 0);
            assert_int_equal(pending->consumer->name[0] - '0', model.entries[i].owner[number]);
        }
        assert_null(stream_pending_iter_next(&iter));
    }
}

static void verify(const struct stream *stream) {
    stream_check(stream);
    assert_int_equal(stream_count(stream), live_count());
    verify_range(stream, STREAM_ID_MIN, STREAM_ID_MAX, false);
    verify_range(stream, STREAM_ID_MIN, STREAM_ID_MAX, true);
    const struct entry *first = live(0);
    struct stream_id none = STREAM_ID_MIN;
    assert_int_equal(stream_id_compare(stream_first_id(stream), first ? first->id : none), 0);
    verify_groups(stream);
}

static struct stream_id any_id(const struct stream *stream) {
    if (model.count && rng_below(&rng, 3)) return model.entries[rng_below(&rng, model.count)].id;
    return (struct stream_id){rng_below(&rng, stream_facts(stream)->last_id.ms + 3),
                              rng_below(&rng, 3)};
}

static void add(struct stream *stream) {
    if (model.count == ENTRIES_MAX) return;
    struct stream_id id = stream_facts(stream)->last_id;
    if (rng_below(&rng, 2))
        id.seq += 1 + rng_below(&rng, rng_below(&rng, 50) ? 2 : 1000000);
    else
        id = (struct stream_id){id.ms + 1 + rng_below(&rng, 200), rng_below(&rng, 2)};
    struct bytes pairs[2 * FIELDS_MAX];
    size_t fields = 1 + rng_below(&rng, rng_below(&rng, 20) ? 3 : FIELDS_MAX);
    for (unsigned i = 0; i < 2 * fields; i++) pairs[i] = any_text(i, i % 2 == 0);
    assert_int_equal(stream_add(stream, id, pairs, fields), 0);
    struct entry *entry = &model.entries[model.count++];
    *entry = (struct entry){.id = id, .fields = fields, .owner = {-1, -1, -1}};
    for (unsigned i = 0; i < 2 * fields; i++) entry->texts[i] = copy_of(pairs[i]);
}

static void delete_one(struct stream *stream) {
    struct stream_id id = any_id(stream);
    struct entry *entry = find(id);
    bool there = entry && !entry->gone;
    assert_int_equal(stream_has(stream, id), there);
    assert_int_equal(stream_delete(stream, id), there);
    if (there) entry->gone = true;
}

static bool referenced(const struct stream *stream, const struct entry *entry) {
    for (size_t g = 0; g < stream_group_count(stream); g++) {
        const struct stream_group *group = stream_group_at(stream, g);
        if (entry->owner[group->name[0] - '0'] >= 0 || stream_id_less(group->last_id, entry->id))
            return true;
    }
    return false;
}

static void trim(struct stream *stream) {
    struct stream_trim trim = {
        .by_id = rng_below(&rng, 2),
        .whole_blocks = rng_below(&rng, 2),
        .keep = rng_below(&rng, live_count() + 2),
        .min_id = any_id(stream),
        .refs = (enum stream_refs)rng_below(&rng, 3),
    };
    if (trim.whole_blocks && rng_below(&rng, 2)) trim.most = 1 + rng_below(&rng, 300);
    /* Those that may go, by what was asked for. */
    size_t count = live_count(), candidates = 0;
    while (candidates < count && (trim.by_id ? stream_id_less(live(candidates)->id, trim.min_id)
                                             : count - candidates > trim.keep))
        candidates++;
    uint64_t gone = stream_trim(stream, &trim), seen = 0;
    if (trim.most) assert_true(gone <= trim.most);
    assert_true(gone <= candidates);
    if (!trim.whole_blocks && trim.refs != STREAM_ACKED_ONLY) assert_int_equal(gone, candidates);
    for (size_t i = 0; i < model.count && candidates > 0; i++) {
        struct entry *entry = &model.entries[i];
        if (entry->gone) continue;
        candidates--;
        if (stream_has(stream, entry->id)) {
            if (!trim.whole_blocks) assert_true(referenced(stream, entry));
            continue;
        }
        entry->gone = true;
        seen++;
        if (trim.refs == STREAM_ACKED_ONLY) assert_false(referenced(stream, entry));
        if (trim.refs != STREAM_DELETE_REFS) continue;
        for (int g = 0; g < GROUPS; g++) entry->owner[g] = -1;
    }
    assert_int_equal(gone, seen);
}

static struct stream_group *any_group(struct stream *stream, int *ret_number) {
    *ret_number = (int)rng_below(&rng, GROUPS);
    char name = (char)('0' + *ret_number);
    struct stream_group *group = stream_group_find(stream, bytes_make(&name, 1));
    if (group) return group;
    return stream_group_new(stream, bytes_make(&name, 1), any_id(stream), STREAM_READ_UNKNOWN);
}

static struct stream_consumer *any_consumer(struct stream *stream, struct stream_group *group,
                                            int *ret_number) {
    *ret_number = (int)rng_below(&rng, CONSUMERS);
    char name = (char)('0' + *ret_number);
    struct stream_consumer *consumer = stream_consumer_find(group, bytes_make(&name, 1));
    if (consumer) {
        assert_null(stream_consumer_new(stream, group, bytes_make(&name, 1), 5));
        return consumer;
    }
    return stream_consumer_new(stream, group, bytes_make(&name, 1), 5);
}

static void change_group(struct stream *stream) {
    int g, c;
    struct stream_group *group = any_group(stream, &g);
    struct stream_consumer *consumer = any_consumer(stream, group, &c);
    unsigned kind = (unsigned)rng_below(&rng, 100);
    struct entry *entry = model.count ? &model.entries[rng_below(&rng, model.count)] : NULL;
    if (kind < 60 && entry) {
        bool fresh;
        stream_pending_add(stream, group, consumer, entry->id, 7, &fresh);
        assert_int_equal(fresh, entry->owner[g] < 0);
        entry->owner[g] = c;
        if (stream_id_less(group->last_id, entry->id))
            stream_group_advance(stream, group, entry->id);
    } else if (kind < 90 && entry) {
        assert_int_equal(stream_pending_remove(stream, group, entry->id), entry->owner[g] >= 0);
        entry->owner[g] = -1;
    } else if (kind < 95) {
        uint64_t had = 0;
        for (size_t i = 0; i < model.count; i++) {
            if (model.entries[i].owner[g] != c) continue;
            model.entries[i].owner[g] = -1;
            had++;
        }
        assert_int_equal(stream_consumer_delete(stream, group, consumer), had);
    } else if (kind < 97) {
        stream_group_delete(stream, group);
        for (size_t i = 0; i < model.count; i++) model.entries[i].owner[g] = -1;
    } else if (entry) {
        stream_forget_refs(stream, entry->id);
        for (int i = 0; i < GROUPS; i++) entry->owner[i] = -1;
    }
}

static void run(unsigned steps) {
    struct heap *heap = heap_new();
    struct stream *stream = stream_new(heap);
    model.count = 0;
    for (unsigned step = 0; step < steps; step++) {
        unsigned kind = (unsigned)rng_below(&rng, 100);
        if (kind < 45)
            add(stream);
        else if (kind < 65)
            delete_one(stream);
        else if (kind < 67)
            trim(stream);
        else
            change_group(stream);
        if (step % 50 == 0) verify(stream);
        verify_range(stream, any_id(stream), any_id(stream), rng_below(&rng, 2));
    }
    verify(stream);
    struct stream *copy = stream_copy(stream, heap);
    stream_free(stream);
    verify(copy);
    stream_rehome(copy, NULL);
    stream_free(copy);
    for (size_t i = 0; i < model.count; i++)
        for (size_t j = 0; j < 2 * model.entries[i].fields; j++)
            free((char *)model.entries[i].texts[j].data);
    heap_free(heap);
}

static void random_changes(void **state) {
    (void)state;
    static const struct {
        int64_t bytes, entries;
    } limits[] = {{4096, 100}, {0, 0}, {200, 3}, {4096, 0}, {0, 1}};
    for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
        atomic_store(&type_limits.stream_node_max_bytes, limits[i].bytes);
        atomic_store(&type_limits.stream_node_max_entries, limits[i].entries);
        run(2500);
    }
    atomic_store(&type_limits.stream_node_max_bytes, 4096);
    atomic_store(&type_limits.stream_node_max_entries, 100);
}

/* What the project promises of entries of two fields: names are shared, and little is added. */
static void entries_are_small(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    struct heap *heap = heap_new();
    struct stream *stream = stream_new(heap);
    char first[24], second[28];
    memset(first, 'f', sizeof first);
    memset(second, 's', sizeof second);
    struct bytes pairs[] = {BYTES("name"), bytes_make(first, sizeof first), BYTES("text"),
                            bytes_make(second, sizeof second)};
    for (uint64_t i = 0; i < COUNT; i++)
        assert_int_equal(
            stream_add(stream, (struct stream_id){1700000000000 + i / 3, i % 3}, pairs, 2), 0);
    stream_check(stream);
    assert_true(stream_bytes(stream) < (size_t)COUNT * 60);
    stream_free(stream);
    heap_free(heap);
}

/* A capped stream that is trimmed exactly with each entry stays as small as its content. */
static void a_capped_stream_stays_small(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct stream *stream = stream_new(heap);
    struct bytes pairs[] = {BYTES("name"), BYTES("a value of some length")};
    struct stream_trim one_thousand = {.keep = 1000};
    for (uint64_t i = 1; i < 50000; i++) {
        assert_int_equal(stream_add(stream, (struct stream_id){i, 0}, pairs, 1), 0);
        stream_trim(stream, &one_thousand);
    }
    stream_check(stream);
    assert_int_equal(stream_count(stream), 1000);
    assert_true(stream_bytes(stream) < 1000 * 40);
    stream_free(stream);
    heap_free(heap);
}

/* How far a group has read, through deletions and trims. */
static void lag_is_known_where_it_can_be(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct stream *stream = stream_new(heap);
    struct bytes pairs[] = {BYTES("f"), BYTES("v")};
    struct stream_group *group = stream_group_new(stream, BYTES("g"), STREAM_ID_MIN, 0);
    int64_t lag;
    assert_true(stream_group_lag(stream, group, &lag));
    assert_int_equal(lag, 0);
    for (uint64_t i = 1; i <= 5; i++)
        assert_int_equal(stream_add(stream, (struct stream_id){i, 0}, pairs, 1), 0);
    assert_true(stream_group_lag(stream, group, &lag));
    assert_int_equal(lag, 5);
    stream_group_advance(stream, group, (struct stream_id){1, 0});
    stream_group_advance(stream, group, (struct stream_id){2, 0});
    assert_int_equal(group->entries_read, 2);
    stream_delete(stream, (struct stream_id){4, 0});
    assert_false(stream_group_lag(stream, group, &lag));
    stream_group_advance(stream, group, (struct stream_id){3, 0});
    assert_int_equal(group->entries_read, STREAM_READ_UNKNOWN);
    stream_group_advance(stream, group, (struct stream_id){5, 0});
    assert_true(stream_group_lag(stream, group, &lag));
    assert_int_equal(lag, 0);
    stream_free(stream);
    heap_free(heap);
}

/* Before the first entry a group has all entries to read, whatever it was told. */
static void lag_before_the_first_entry(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct stream *stream = stream_new(heap);
    struct bytes pairs[] = {BYTES("f"), BYTES("v")};
    struct stream_group *group = stream_group_new(stream, BYTES("g"), STREAM_ID_MIN, 7);
    int64_t lag;
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(stream_add(stream, (struct stream_id){i, 0}, pairs, 1), 0);
    assert_true(stream_group_lag(stream, group, &lag));
    assert_int_equal(lag, 3);
    stream_group_advance(stream, group, (struct stream_id){1, 0});
    assert_int_equal(group->entries_read, 1);
    assert_true(stream_group_lag(stream, group, &lag));
    assert_int_equal(lag, 2);
    struct stream_trim nothing = {.keep = 0};
    group->entries_read = 9;
    stream_trim(stream, &nothing);
    assert_true(stream_group_lag(stream, group, &lag));
    assert_int_equal(lag, 0);
    stream_free(stream);
    heap_free(heap);
}

int main(void) {
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : random_next();
    print_message("SEED=%llu\n", (unsigned long long)seed);
    rng_seed(&rng, seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes),
        cmocka_unit_test(entries_are_small),
        cmocka_unit_test(a_capped_stream_stays_small),
        cmocka_unit_test(lag_is_known_where_it_can_be),
        cmocka_unit_test(lag_before_the_first_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
