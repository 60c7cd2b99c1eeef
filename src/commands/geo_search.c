/* SPDX-License-Identifier: BSD-3-Clause */
/* Searches by position: members within a shape, returned or stored. */
#include <stdlib.h>

#include "base/arena.h"
#include "commands/families.h"
#include "commands/geo_common.h"
#include "server/arguments.h"

/* ---- what was found ---- */

struct item {
    struct bytes member;
    double score, distance;
    struct geo_point point;
    size_t order; /* the how many-eth it was found: those at equal distances stay in that order */
};

struct items {
    struct request *request;
    struct item *list;
    size_t count, room;
    size_t found;  /* that many were found, of which some may have been left out */
    size_t stop;   /* after so many the search ends; 0: never */
    size_t best;   /* so many of the first in order are kept, as a heap, the last on top; 0: all */
    bool farthest; /* first */
    bool no_memory;
};

static bool comes_before(const struct items *items, const struct item *a, const struct item *b) {
    if (a->distance != b->distance) return (a->distance < b->distance) != items->farthest;
    return a->order < b->order;
}

static void swap(struct item *a, struct item *b) {
    struct item kept = *a;
    *a = *b;
    *b = kept;
}

static void heap_up(struct items *items, size_t at) {
    for (; at > 0; at = (at - 1) / 2) {
        struct item *above = &items->list[(at - 1) / 2];
        if (!comes_before(items, above, &items->list[at])) return;
        swap(above, &items->list[at]);
    }
}

/* The heap's first `count` items, with a new one on top. */
static void heap_down(struct items *items, size_t count) {
    for (size_t at = 0;;) {
        size_t last = at;
        for (size_t below = 2 * at + 1; below <= 2 * at + 2 && below < count; below++) {
            if (comes_before(items, &items->list[last], &items->list[below])) last = below;
        }
        if (last == at) return;
        swap(&items->list[at], &items->list[last]);
        at = last;
    }
}

static bool items_grow(struct items *items) {
    enum { FIRST_ROOM = 16 };
    size_t room = items->room == 0 ? FIRST_ROOM : items->room * 2;
    struct item *list = arena_try_array(items->request->arena, room, sizeof *list);
    if (list == NULL) return false;
    if (items->count) memcpy(list, items->list, items->count * sizeof *list);
    items->list = list;
    items->room = room;
    return true;
}

static bool keep(const struct geo_found *found, void *context) {
    struct items *items = context;
    struct item item = {found->member, found->score, found->distance, found->point, items->found++};
    bool full = items->best > 0 && items->count == items->best;
    if (full && !comes_before(items, &item, &items->list[0])) return true;
    if (!found->lasting) item.member = arena_copy(items->request->arena, found->member);
    if (full) {
        items->list[0] = item;
        heap_down(items, items->count);
        return true;
    }
    if (items->count == items->room && !items_grow(items)) {
        items->no_memory = true;
        return false;
    }
    items->list[items->count++] = item;
    if (items->best > 0) heap_up(items, items->count - 1);
    return items->count != items->stop;
}

static int compare(const void *a, const void *b, void *context) {
    return comes_before(context, a, b) ? -1 : 1;
}

/* Finds what the query asks for, in its order. */
static bool find_items(const struct geo_query *query, struct items *items) {
    if (query->any) items->stop = (size_t)query->count;
    if (query->sort != GEO_UNSORTED && !query->any) items->best = (size_t)query->count;
    items->farthest = query->sort == GEO_FARTHEST;
    geo_search(entry_value(query->source), &query->shape, keep, items);
    if (items->no_memory) {
        reply_error_code(items->request->reply, ERROR_NO_MEMORY);
        return false;
    }
    if (query->sort != GEO_UNSORTED && items->count > 1)
        qsort_r(items->list, items->count, sizeof *items->list, compare, items);
    return true;
}

/* ---- answers ---- */

static void reply_items(struct reply *reply, const struct geo_query *query,
                        const struct items *items) {
    size_t extra = (size_t)query->with_distance + query->with_hash + query->with_point;
    reply_array(reply, items->count);
    for (size_t i = 0; i < items->count; i++) {
        const struct item *item = &items->list[i];
        if (extra > 0) reply_array(reply, 1 + extra);
        reply_bulk(reply, item->member);
        if (query->with_distance) geo_reply_distance(reply, item->distance / query->unit);
        if (query->with_hash) reply_int(reply, (int64_t)item->score);
        if (query->with_point) geo_reply_point(reply, item->point);
    }
}

/* The destination's place among the request's keys. */
static bool find_destination(struct request *request, const struct geo_query *query,
                             uint32_t *ret_index) {
    for (uint32_t i = 0; i < request->key_count; i++) {
        if (request->keys[i].arg != query->store_arg) continue;
        *ret_index = i;
        return true;
    }
    /* STORE was said twice: only the first one's key is held. */
    reply_error_code(request->reply, ERROR_SYNTAX);
    return false;
}

static void store_items(struct request *request, uint32_t index, const struct geo_query *query,
                        const struct items *items) {
    bool search = query->kind == GEO_QUERY_STORE;
    struct entry *old = request_write(request, index);
    if (items->count > 0) {
        struct zset *zset = zset_new(request_heap(request, index));
        zset_expect(zset, items->count, items->list[0].member.len);
        for (size_t i = 0; i < items->count; i++) {
            const struct item *item = &items->list[i];
            double score = query->store_distance ? item->distance / query->unit : item->score;
            zset_add(zset, item->member, score, 0, &score);
        }
        request_put(request, index, old, TYPE_ZSET, zset);
        request_changed(request, index, EVENT_ZSET, search ? "geosearchstore" : "georadiusstore");
    } else if (old != NULL) {
        request_delete(request, index, old);
        request_changed(request, index, EVENT_GENERIC, "del");
    }
    reply_int(request->reply, (int64_t)items->count);
}

static void run(struct request *request, enum geo_query_kind kind, bool may_store) {
    struct geo_query query = {.kind = kind, .may_store = may_store};
    struct items items = {.request = request};
    uint32_t destination = 0;
    if (!geo_query_parse(request, &query)) return;
    if (query.store && !find_destination(request, &query, &destination)) return;
    if (query.source != NULL && !find_items(&query, &items)) return;
    if (query.store)
        store_items(request, destination, &query, &items);
    else
        reply_items(request->reply, &query, &items);
}

static void command_geosearch(struct request *request) {
    run(request, GEO_QUERY_SEARCH, false);
}

static void command_geosearchstore(struct request *request) {
    run(request, GEO_QUERY_STORE, false);
}

static void command_georadius(struct request *request) {
    run(request, GEO_QUERY_AROUND_POINT, true);
}

static void command_georadius_ro(struct request *request) {
    run(request, GEO_QUERY_AROUND_POINT, false);
}

static void command_georadiusbymember(struct request *request) {
    run(request, GEO_QUERY_AROUND_MEMBER, true);
}

static void command_georadiusbymember_ro(struct request *request) {
    run(request, GEO_QUERY_AROUND_MEMBER, false);
}

#define COST                                                                                     \
    "O(N+log(M)) where N is the number of members in the cells around the shape and M of those " \
    "within it"
#define SHAPE                                                                                     \
    "<<FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius <M | KM | FT | MI> | " \
    "BYBOX width height <M | KM | FT | MI>> | BYPOLYGON vertices longitude latitude [longitude "  \
    "latitude ...]> [ASC | DESC] [COUNT count [ANY]]"
#define WITH   "[WITHCOORD] [WITHDIST] [WITHHASH]"
#define RADIUS "radius <M | KM | FT | MI> " WITH " [COUNT count [ANY]] [ASC | DESC]"
#define STORE_AFTER(word, first)                                                               \
    {                                                                                          \
        .flags = KEY_OW | KEY_UPDATE, .find = KEYS_RANGE, .begin = (first), .keyword = (word), \
        .step = 1                                                                              \
    }
#define FOUND "array of bulks, or of arrays with what was asked for"

static const struct command rows[] = {
    {
        .name = "geosearch",
        .arity = -7,
        .flags = COMMAND_READONLY,
        .groups = GROUP_GEO,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "6.2.0",
        .complexity = COST,
        .summary = "Finds members within a circle, a box or a polygon.",
        .syntax = "key " SHAPE " " WITH,
        .reply = FOUND,
        .handler = command_geosearch,
    },
    {
        .name = "geosearchstore",
        .arity = -8,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_GEO,
        .keys = {KEY_AT(1, KEY_OW | KEY_UPDATE), KEY_AT(2, KEY_RO | KEY_ACCESS)},
        .since = "6.2.0",
        .complexity = COST,
        .summary = "Finds members within a circle, a box or a polygon, and stores them.",
        .syntax = "destination source " SHAPE " [STOREDIST]",
        .reply = "integer: how many were stored",
        .handler = command_geosearchstore,
    },
    {
        .name = "georadius",
        .arity = -6,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_GEO,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS), STORE_AFTER("STORE", 6),
                 STORE_AFTER("STOREDIST", 6)},
        .since = "3.2.0",
        .complexity = COST,
        .summary = "Finds members within a distance of a point, and stores them if asked to.",
        .syntax = "key longitude latitude " RADIUS " [STORE key | STOREDIST key]",
        .reply = FOUND " | integer: how many were stored",
        .handler = command_georadius,
    },
    {
        .name = "georadius_ro",
        .arity = -6,
        .flags = COMMAND_READONLY,
        .groups = GROUP_GEO,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "3.2.10",
        .complexity = COST,
        .summary = "Finds members within a distance of a point.",
        .syntax = "key longitude latitude " RADIUS,
        .reply = FOUND,
        .handler = command_georadius_ro,
    },
    {
        .name = "georadiusbymember",
        .arity = -5,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_GEO,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS), STORE_AFTER("STORE", 5),
                 STORE_AFTER("STOREDIST", 5)},
        .since = "3.2.0",
        .complexity = COST,
        .summary = "Finds members within a distance of a member, and stores them if asked to.",
        .syntax = "key member " RADIUS " [STORE key | STOREDIST key]",
        .reply = FOUND " | integer: how many were stored",
        .handler = command_georadiusbymember,
    },
    {
        .name = "georadiusbymember_ro",
        .arity = -5,
        .flags = COMMAND_READONLY,
        .groups = GROUP_GEO,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "3.2.10",
        .complexity = COST,
        .summary = "Finds members within a distance of a member.",
        .syntax = "key member " RADIUS,
        .reply = FOUND,
        .handler = command_georadiusbymember_ro,
    },
    {0},
};

const struct command_family geo_search_commands = {"geo", rows};
