/* SPDX-License-Identifier: BSD-3-Clause */
/* Positions as scores of sorted sets: added, returned, measured. Searches are in geo_search.c. */
#include <math.h>

#include "base/arena.h"
#include "commands/families.h"
#include "commands/geo_common.h"
#include "server/arguments.h"

/* ---- what all of them share ---- */

bool geo_argument_unit(struct request *request, uint32_t index, double *ret_metres) {
    static const struct {
        const char *word;
        double metres;
    } units[] = {{"m", 1}, {"km", 1000}, {"ft", 0.3048}, {"mi", 1609.34}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!argument_is(request, index, units[i].word)) continue;
        *ret_metres = units[i].metres;
        return true;
    }
    reply_error(request->reply, "ERR unsupported unit provided. please use M, KM, FT, MI");
    return false;
}

bool geo_argument_point(struct request *request, uint32_t index, struct geo_point *ret_point) {
    struct geo_point point;
    if (!argument_double(request, index, &point.longitude, NULL) ||
        !argument_double(request, index + 1, &point.latitude, NULL))
        return false;
    if (!geo_is_valid(point)) {
        reply_error_format(request->reply, "ERR invalid longitude,latitude pair %f,%f",
                           point.longitude, point.latitude);
        return false;
    }
    *ret_point = point;
    return true;
}

void geo_reply_distance(struct reply *reply, double distance) {
    enum { DECIMALS = 4, SCALE = 10000 };
    char text[NUMBER_I64_MAX + DECIMALS + 2];
    /* A distance on the earth is small enough, in every unit. */
    uint64_t scaled = (uint64_t)llrint(distance * SCALE), rest = scaled % SCALE;
    size_t len = number_format_u64(text, scaled / SCALE);
    text[len++] = '.';
    for (unsigned part = SCALE / 10; part > 0; part /= 10)
        text[len++] = (char)('0' + rest / part % 10);
    reply_bulk(reply, bytes_make(text, len));
}

void geo_reply_point(struct reply *reply, struct geo_point point) {
    reply_array(reply, 2);
    reply_coordinate(reply, point.longitude);
    reply_coordinate(reply, point.latitude);
}

/* ---- GEOADD ---- */

static void command_geoadd(struct request *request) {
    unsigned flags = 0;
    bool with_changed = false;
    uint32_t first = 2;
    for (; first < request->argc; first++) {
        if (argument_is(request, first, "nx"))
            flags |= ZSET_NEW_ONLY;
        else if (argument_is(request, first, "xx"))
            flags |= ZSET_PRESENT_ONLY;
        else if (argument_is(request, first, "ch"))
            with_changed = true;
        else
            break;
    }
    uint32_t count = (request->argc - first) / 3;
    if ((request->argc - first) % 3 || count == 0 ||
        (flags & ZSET_NEW_ONLY && flags & ZSET_PRESENT_ONLY)) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return;
    }
    double *scores = arena_try_array(request->arena, count, sizeof *scores);
    if (scores == NULL) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct geo_point point;
        if (!geo_argument_point(request, first + 3 * i, &point)) return;
        scores[i] = (double)geo_encode(point);
    }
    struct entry *entry;
    int64_t added = 0, updated = 0;
    if (!request_write_typed(request, 0, TYPE_ZSET, &entry)) return;
    if (entry != NULL || !(flags & ZSET_PRESENT_ONLY)) {
        struct zset *zset = entry ? entry_value(entry) : zset_new(request_heap(request, 0));
        for (uint32_t i = 0; i < count; i++) {
            double score;
            enum zset_outcome outcome =
                zset_add(zset, argument(request, first + 3 * i + 2), scores[i], flags, &score);
            added += outcome == ZSET_ADDED;
            updated += outcome == ZSET_UPDATED;
        }
        if (entry == NULL) request_put(request, 0, NULL, TYPE_ZSET, zset);
    }
    if (added || updated) request_changed(request, 0, EVENT_ZSET, "zadd");
    reply_int(request->reply, with_changed ? added + updated : added);
}

/* ---- reading ---- */

static bool find_point(const struct entry *entry, struct bytes member,
                       struct geo_point *ret_point) {
    double score;
    if (entry == NULL || !zset_find(entry_value(entry), member, &score)) return false;
    *ret_point = geo_decode(score);
    return true;
}

static void command_geopos(struct request *request) {
    struct entry *entry;
    struct geo_point point;
    if (!request_read_typed(request, 0, TYPE_ZSET, &entry)) return;
    reply_array(request->reply, request->argc - 2);
    for (uint32_t i = 2; i < request->argc; i++) {
        if (find_point(entry, argument(request, i), &point))
            geo_reply_point(request->reply, point);
        else
            reply_null_array(request->reply);
    }
}

static void command_geohash(struct request *request) {
    struct entry *entry;
    struct geo_point point;
    char text[GEO_HASH_LEN];
    if (!request_read_typed(request, 0, TYPE_ZSET, &entry)) return;
    reply_array(request->reply, request->argc - 2);
    for (uint32_t i = 2; i < request->argc; i++) {
        if (find_point(entry, argument(request, i), &point)) {
            geo_hash(point, text);
            reply_bulk(request->reply, bytes_make(text, sizeof text));
        } else {
            reply_null(request->reply);
        }
    }
}

static void command_geodist(struct request *request) {
    struct entry *entry;
    struct geo_point a, b;
    double unit = 1;
    if (request->argc == 5 && !geo_argument_unit(request, 4, &unit)) return;
    if (request->argc > 5) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return;
    }
    if (!request_read_typed(request, 0, TYPE_ZSET, &entry)) return;
    if (find_point(entry, argument(request, 2), &a) && find_point(entry, argument(request, 3), &b))
        geo_reply_distance(request->reply, geo_distance(a, b) / unit);
    else
        reply_null(request->reply);
}

static const struct command rows[] = {
    {
        .name = "geoadd",
        .arity = -5,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_GEO,
        .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
        .since = "3.2.0",
        .complexity = "O(log N) for each member given, where N is the number of members",
        .summary = "Adds members with their positions, or changes those.",
        .syntax = "key [NX | XX] [CH] longitude latitude member "
                  "[longitude latitude member ...]",
        .reply = "integer: members added, with CH also those changed",
        .handler = command_geoadd,
    },
    {
        .name = "geopos",
        .arity = -2,
        .flags = COMMAND_READONLY,
        .groups = GROUP_GEO,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "3.2.0",
        .complexity = "O(1) for each member",
        .summary = "Returns longitudes and latitudes of members.",
        .syntax = "key [member [member ...]]",
        .reply = "array of arrays of two doubles | null",
        .handler = command_geopos,
    },
    {
        .name = "geohash",
        .arity = -2,
        .flags = COMMAND_READONLY,
        .groups = GROUP_GEO,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "3.2.0",
        .complexity = "O(1) for each member",
        .summary = "Returns positions of members as geohashes.",
        .syntax = "key [member [member ...]]",
        .reply = "array of bulks | null",
        .handler = command_geohash,
    },
    {
        .name = "geodist",
        .arity = -4,
        .flags = COMMAND_READONLY,
        .groups = GROUP_GEO,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "3.2.0",
        .complexity = "O(1)",
        .summary = "Returns the distance between two members.",
        .syntax = "key member1 member2 [M | KM | FT | MI]",
        .reply = "bulk | null",
        .handler = command_geodist,
    },
    {0},
};

const struct command_family geo_commands = {"geo", rows};
