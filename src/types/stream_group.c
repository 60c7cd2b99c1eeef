/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/stream_group.h"

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"
#include "types/stream_inside.h"

/* ---- sorted arrays of pointers to what has a name ---- */

static struct bytes group_name(const void *item) {
    return stream_group_name(item);
}

static struct bytes consumer_name(const void *item) {
    return stream_consumer_name(item);
}

/* Where a name is, or would be; *ret_found says which. */
static uint32_t name_search(void *const *array, uint32_t count,
                            struct bytes (*name_of)(const void *item), struct bytes name,
                            bool *ret_found) {
    uint32_t low = 0, high = count;
    *ret_found = false;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = bytes_compare(name_of(array[middle]), name);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Puts an item in at an index. The array's new address. */
static void *array_insert(struct stream *stream, void *array, uint32_t *count, uint32_t *cap,
                          uint32_t at, void *item) {
    void **items = array;
    if (*count == *cap) {
        uint32_t wider = *cap ? *cap * 2 : 2;
        void **moved = stream_take(stream, wider * sizeof *moved);
        if (*count) memcpy(moved, items, *count * sizeof *moved);
        if (*cap) stream_give(stream, items, *cap * sizeof *items);
        items = moved;
        *cap = wider;
    }
    memmove(items + at + 1, items + at, (*count - at) * sizeof *items);
    items[at] = item;
    ++*count;
    return items;
}

static void *array_remove(struct stream *stream, void *array, uint32_t *count, uint32_t *cap,
                          uint32_t at) {
    void **items = array;
    --*count;
    memmove(items + at, items + at + 1, (*count - at) * sizeof *items);
    if (*count > 0) return items;
    stream_give(stream, items, *cap * sizeof *items);
    *cap = 0;
    return NULL;
}

/* ---- groups ---- */

size_t stream_group_count(const struct stream *stream) {
    return stream->group_count;
}

struct stream_group *stream_group_at(const struct stream *stream, size_t index) {
    kn_assert(index < stream->group_count);
    return stream->groups[index];
}

struct stream_group *stream_group_find(const struct stream *stream, struct bytes name) {
    bool found;
    uint32_t at =
        name_search((void *const *)stream->groups, stream->group_count, group_name, name, &found);
    return found ? stream->groups[at] : NULL;
}

struct stream_group *stream_group_new(struct stream *stream, struct bytes name,
                                      struct stream_id last_id, int64_t entries_read) {
    bool found;
    uint32_t at =
        name_search((void *const *)stream->groups, stream->group_count, group_name, name, &found);
    if (found) return NULL;
    struct stream_group *group = stream_take(stream, sizeof *group + name.len);
    *group = (struct stream_group){
        .name_len = (uint32_t)name.len, .last_id = last_id, .entries_read = entries_read};
    if (name.len) memcpy(group->name, name.data, name.len);
    idtree_init(&group->pending, sizeof(struct stream_pending));
    stream->groups =
        array_insert(stream, stream->groups, &stream->group_count, &stream->group_cap, at, group);
    return group;
}

static void consumer_free(struct stream *stream, struct stream_consumer *consumer) {
    idtree_done(&consumer->own, &stream->home);
    stream_give(stream, consumer, sizeof *consumer + consumer->name_len);
}

static void group_free(struct stream *stream, struct stream_group *group) {
    idtree_done(&group->pending, &stream->home);
    for (uint32_t i = 0; i < group->consumer_count; i++) consumer_free(stream, group->consumers[i]);
    if (group->consumer_cap)
        stream_give(stream, group->consumers, group->consumer_cap * sizeof *group->consumers);
    stream_give(stream, group, sizeof *group + group->name_len);
}

void stream_group_delete(struct stream *stream, struct stream_group *group) {
    bool found;
    uint32_t at = name_search((void *const *)stream->groups, stream->group_count, group_name,
                              stream_group_name(group), &found);
    kn_assert(found);
    stream->groups =
        array_remove(stream, stream->groups, &stream->group_count, &stream->group_cap, at);
    group_free(stream, group);
}

void stream_groups_free(struct stream *stream) {
    for (uint32_t i = 0; i < stream->group_count; i++) group_free(stream, stream->groups[i]);
    if (stream->group_cap)
        stream_give(stream, stream->groups, stream->group_cap * sizeof *stream->groups);
}

void stream_groups_copy(const struct stream *stream, struct stream *copy) {
    for (uint32_t i = 0; i < stream->group_count; i++) {
        const struct stream_group *from = stream->groups[i];
        struct stream_group *to =
            stream_group_new(copy, stream_group_name(from), from->last_id, from->entries_read);
        for (uint32_t j = 0; j < from->consumer_count; j++) {
            const struct stream_consumer *old = from->consumers[j];
            struct stream_consumer *consumer =
                stream_consumer_new(copy, to, stream_consumer_name(old), old->seen_ms);
            consumer->active_ms = old->active_ms;
            idtree_copy(&old->own, &consumer->own, &copy->home);
        }
        struct idtree_cursor cursor;
        idtree_copy(&from->pending, &to->pending, &copy->home);
        for (struct stream_pending *pending = idtree_first(&to->pending, &cursor); pending;
             pending = idtree_next(&cursor))
            pending->consumer = stream_consumer_find(to, stream_consumer_name(pending->consumer));
    }
}

/* ---- how far a group has read ---- */

bool stream_has_gap_from(const struct stream *stream, struct stream_id id) {
    if (stream->count == 0 || stream_id_is_zero(stream->facts.max_deleted)) return false;
    if (stream_id_less(stream->facts.max_deleted, stream->first_id)) return false;
    return !stream_id_less(stream->facts.max_deleted, id);
}

int64_t stream_entries_up_to(const struct stream *stream, struct stream_id id) {
    const struct stream_facts *facts = &stream->facts;
    if (facts->entries_added == 0) return 0;
    if (stream->count == 0 && stream_id_compare(id, facts->last_id) < 1)
        return (int64_t)facts->entries_added;
    int order = stream_id_compare(id, facts->last_id);
    if (order == 0) return (int64_t)facts->entries_added;
    if (order > 0) return STREAM_READ_UNKNOWN;
    if (stream_id_is_zero(facts->max_deleted) ||
        stream_id_less(facts->max_deleted, stream->first_id)) {
        int64_t before = (int64_t)(facts->entries_added - stream->count);
        int first = stream_id_compare(id, stream->first_id);
        if (first < 0) return before;
        if (first == 0) return before + 1;
    }
    return STREAM_READ_UNKNOWN;
}

bool stream_group_lag(const struct stream *stream, const struct stream_group *group,
                      int64_t *ret_lag) {
    int64_t added = (int64_t)stream->facts.entries_added;
    /* All that the stream has is behind the group's last identifier, and nothing among it was
     * deleted: what was deleted or trimmed before, read or not, counts no more. */
    if (stream->count == 0 || (stream_id_less(group->last_id, stream->first_id) &&
                               stream_id_less(stream->facts.max_deleted, stream->first_id))) {
        *ret_lag = (int64_t)stream->count;
        return true;
    }
    /* Before the first entry, with no gap behind it: what is there is what is left, whatever
     * the group was told that it had read. */
    if (stream->count == 0 || (stream_id_less(group->last_id, stream->first_id) &&
                               stream_id_less(stream->facts.max_deleted, stream->first_id))) {
        *ret_lag = (int64_t)stream->count;
        return true;
    }
    if (group->entries_read != STREAM_READ_UNKNOWN &&
        !stream_has_gap_from(stream, group->last_id)) {
        *ret_lag = added - group->entries_read;
        return true;
    }
    int64_t read = stream_entries_up_to(stream, group->last_id);
    if (read == STREAM_READ_UNKNOWN) return false;
    *ret_lag = added - read;
    return true;
}

void stream_group_advance(const struct stream *stream, struct stream_group *group,
                          struct stream_id id) {
    if (group->entries_read != STREAM_READ_UNKNOWN &&
        !stream_id_less(group->last_id, stream->first_id) &&
        !stream_has_gap_from(stream, group->last_id))
        group->entries_read++;
    else if (stream->facts.entries_added)
        group->entries_read = stream_entries_up_to(stream, id);
    group->last_id = id;
}

/* ---- consumers ---- */

struct stream_consumer *stream_consumer_find(const struct stream_group *group, struct bytes name) {
    bool found;
    uint32_t at = name_search((void *const *)group->consumers, group->consumer_count, consumer_name,
                              name, &found);
    return found ? group->consumers[at] : NULL;
}

struct stream_consumer *stream_consumer_new(struct stream *stream, struct stream_group *group,
                                            struct bytes name, int64_t now_ms) {
    bool found;
    uint32_t at = name_search((void *const *)group->consumers, group->consumer_count, consumer_name,
                              name, &found);
    if (found) return NULL;
    struct stream_consumer *consumer = stream_take(stream, sizeof *consumer + name.len);
    *consumer = (struct stream_consumer){
        .name_len = (uint32_t)name.len, .seen_ms = now_ms, .active_ms = STREAM_NEVER};
    if (name.len) memcpy(consumer->name, name.data, name.len);
    idtree_init(&consumer->own, sizeof(struct stream_id));
    group->consumers = array_insert(stream, group->consumers, &group->consumer_count,
                                    &group->consumer_cap, at, consumer);
    return consumer;
}

uint64_t stream_consumer_delete(struct stream *stream, struct stream_group *group,
                                struct stream_consumer *consumer) {
    bool found;
    uint64_t pending = consumer->own.count;
    struct idtree_cursor cursor;
    for (const struct stream_id *id = idtree_first(&consumer->own, &cursor); id;
         id = idtree_next(&cursor))
        idtree_remove(&group->pending, &stream->home, *id);
    uint32_t at = name_search((void *const *)group->consumers, group->consumer_count, consumer_name,
                              stream_consumer_name(consumer), &found);
    kn_assert(found);
    group->consumers =
        array_remove(stream, group->consumers, &group->consumer_count, &group->consumer_cap, at);
    consumer_free(stream, consumer);
    return pending;
}

/* ---- pending entries ---- */

struct stream_pending *stream_pending_find(const struct stream_group *group, struct stream_id id) {
    return idtree_find(&group->pending, id);
}

struct stream_pending *stream_pending_add(struct stream *stream, struct stream_group *group,
                                          struct stream_consumer *consumer, struct stream_id id,
                                          int64_t now_ms, bool *ret_new) {
    bool fresh, own;
    struct stream_pending *pending = idtree_add(&group->pending, &stream->home, id, &fresh);
    if (ret_new) *ret_new = fresh;
    if (fresh) {
        pending->delivered_ms = now_ms;
        pending->deliveries = 1;
    } else if (pending->consumer == consumer) {
        return pending;
    } else {
        idtree_remove(&pending->consumer->own, &stream->home, id);
    }
    pending->consumer = consumer;
    idtree_add(&consumer->own, &stream->home, id, &own);
    kn_assert(own);
    return pending;
}

bool stream_pending_remove(struct stream *stream, struct stream_group *group, struct stream_id id) {
    const struct stream_pending *pending = idtree_find(&group->pending, id);
    if (!pending) return false;
    idtree_remove(&pending->consumer->own, &stream->home, id);
    idtree_remove(&group->pending, &stream->home, id);
    return true;
}

bool stream_pending_ends(const struct stream_group *group, struct stream_id *ret_first,
                         struct stream_id *ret_last) {
    struct idtree_cursor cursor;
    const struct stream_pending *first = idtree_first(&group->pending, &cursor);
    if (!first) return false;
    const struct stream_pending *last = idtree_last(&group->pending, &cursor);
    *ret_first = first->id;
    *ret_last = last->id;
    return true;
}

bool stream_is_referenced(const struct stream *stream, struct stream_id id) {
    for (uint32_t i = 0; i < stream->group_count; i++)
        if (stream_id_less(stream->groups[i]->last_id, id) ||
            idtree_find(&stream->groups[i]->pending, id))
            return true;
    return false;
}

void stream_forget_refs(struct stream *stream, struct stream_id id) {
    for (uint32_t i = 0; i < stream->group_count; i++)
        stream_pending_remove(stream, stream->groups[i], id);
}

void stream_pending_iter_init(struct stream_pending_iter *iter, const struct stream_group *group,
                              const struct stream_consumer *consumer, struct stream_id from) {
    iter->group = group;
    iter->of_consumer = consumer != NULL;
    iter->next = idtree_seek(consumer ? &consumer->own : &group->pending, from, &iter->place);
}

struct stream_pending *stream_pending_iter_next(struct stream_pending_iter *iter) {
    if (!iter->next) return NULL;
    /* A record of either tree begins with its identifier. */
    struct stream_pending *pending = iter->of_consumer
                                         ? idtree_find(&iter->group->pending, *iter->next)
                                         : (struct stream_pending *)(uintptr_t)iter->next;
    iter->next = idtree_next(&iter->place);
    return pending;
}

/* ---- proof ---- */

static size_t consumer_check(const struct stream_group *group,
                             const struct stream_consumer *consumer) {
    struct idtree_cursor cursor;
    for (const struct stream_id *id = idtree_first(&consumer->own, &cursor); id;
         id = idtree_next(&cursor)) {
        const struct stream_pending *pending = stream_pending_find(group, *id);
        kn_require(pending && pending->consumer == consumer);
    }
    return heap_object_bytes(sizeof *consumer + consumer->name_len) + idtree_check(&consumer->own);
}

size_t stream_groups_check(const struct stream *stream) {
    size_t bytes =
        stream->group_cap ? heap_object_bytes(stream->group_cap * sizeof *stream->groups) : 0;
    for (uint32_t i = 0; i < stream->group_count; i++) {
        const struct stream_group *group = stream->groups[i];
        uint64_t pending = 0;
        bytes += heap_object_bytes(sizeof *group + group->name_len) + idtree_check(&group->pending);
        if (group->consumer_cap)
            bytes += heap_object_bytes(group->consumer_cap * sizeof *group->consumers);
        kn_require(i == 0 || bytes_compare(stream_group_name(stream->groups[i - 1]),
                                           stream_group_name(group)) < 0);
        for (uint32_t j = 0; j < group->consumer_count; j++) {
            const struct stream_consumer *consumer = group->consumers[j];
            kn_require(j == 0 || bytes_compare(stream_consumer_name(group->consumers[j - 1]),
                                               stream_consumer_name(consumer)) < 0);
            bytes += consumer_check(group, consumer);
            pending += consumer->own.count;
        }
        kn_require(pending == group->pending.count);
    }
    return bytes;
}
