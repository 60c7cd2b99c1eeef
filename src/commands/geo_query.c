/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arguments of searches by position. One reader serves them all; what a command does not know
 * is a syntax error. The order in which mistakes are found is Redis's: the key's type first,
 * options as they come, then what is missing.
 */
#include "base/arena.h"
#include "commands/geo_common.h"
#include "server/arguments.h"

struct parse {
    struct request *request;
    struct geo_query *query;
    uint32_t at; /* the option */
    bool has_center, from_member, has_shape;
    enum geo_shape_kind shape_kind;
};

static bool fail(struct request *request, const char *error) {
    reply_error(request->reply, error);
    return false;
}

static bool is_search(const struct geo_query *query) {
    return query->kind == GEO_QUERY_SEARCH || query->kind == GEO_QUERY_STORE;
}

static bool read_length(struct request *request, uint32_t index, const char *error,
                        double *ret_length) {
    return argument_double(request, index, ret_length, error);
}

/* A radius and its unit. */
static bool read_radius(struct request *request, uint32_t index, struct geo_query *query) {
    double radius;
    if (!read_length(request, index, "ERR need numeric radius", &radius)) return false;
    if (radius < 0) return fail(request, "ERR radius cannot be negative");
    if (!geo_argument_unit(request, index + 1, &query->unit)) return false;
    query->shape.kind = GEO_CIRCLE;
    query->shape.radius = radius * query->unit;
    return true;
}

static bool read_box(struct request *request, uint32_t index, struct geo_query *query) {
    double width, height;
    if (!read_length(request, index, "ERR need numeric width", &width) ||
        !read_length(request, index + 1, "ERR need numeric height", &height))
        return false;
    if (width < 0 || height < 0) return fail(request, "ERR height or width cannot be negative");
    if (!geo_argument_unit(request, index + 2, &query->unit)) return false;
    query->shape.kind = GEO_BOX;
    query->shape.width = width * query->unit;
    query->shape.height = height * query->unit;
    return true;
}

/* Corners, which give the center as well; ret_last: where the last one ends. */
static bool read_polygon(struct request *request, uint32_t index, struct geo_query *query,
                         uint32_t *ret_last) {
    int64_t count;
    uint32_t pairs = (request->argc - index - 1) / 2;
    if (!argument_i64(request, index, &count, "ERR invalid number of vertices")) return false;
    if (count < 3 || count > pairs)
        return fail(request, "ERR GEOSEARCH BYPOLYGON must have at least 3 vertices");
    struct geo_point *corners = arena_try_array(request->arena, (size_t)count, sizeof *corners);
    if (corners == NULL) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return false;
    }
    for (uint32_t i = 0; i < (uint32_t)count; i++) {
        if (!geo_argument_point(request, index + 1 + 2 * i, &corners[i])) return false;
    }
    geo_polygon(&query->shape, corners, (size_t)count);
    *ret_last = index + 2 * (uint32_t)count;
    return true;
}

/* The center is where a member of the source is; where there is no source, anything will do. */
static bool read_member(struct request *request, uint32_t index, struct geo_query *query) {
    double score;
    if (query->source == NULL) return true;
    if (!zset_find(entry_value(query->source), argument(request, index), &score))
        return fail(request, "ERR could not decode requested zset member");
    query->shape.center = geo_decode(score);
    return true;
}

/* ---- options: each returns 1 when it was read, 0 when it is another
 * one, -1 after an error ---- */

static int read_flag(const struct parse *p) {
    static const struct {
        const char *word;
        size_t flag;
    } flags[] = {
        {"withdist", offsetof(struct geo_query, with_distance)},
        {"withhash", offsetof(struct geo_query, with_hash)},
        {"withcoord", offsetof(struct geo_query, with_point)},
        {"any", offsetof(struct geo_query, any)},
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (!argument_is(p->request, p->at, flags[i].word)) continue;
        *(bool *)((char *)p->query + flags[i].flag) = true;
        return 1;
    }
    if (argument_is(p->request, p->at, "asc"))
        p->query->sort = GEO_NEAREST;
    else if (argument_is(p->request, p->at, "desc"))
        p->query->sort = GEO_FARTHEST;
    else
        return 0;
    return 1;
}

static int read_count(struct parse *p, uint32_t left) {
    if (left < 1 || !argument_is(p->request, p->at, "count")) return 0;
    if (!argument_i64(p->request, p->at + 1, &p->query->count, NULL)) return -1;
    if (p->query->count <= 0) {
        reply_error(p->request->reply, "ERR COUNT must be > 0");
        return -1;
    }
    p->at++;
    return 1;
}

static int read_store(struct parse *p, uint32_t left) {
    bool by_distance = argument_is(p->request, p->at, "storedist");
    if (p->query->kind == GEO_QUERY_STORE && by_distance) {
        p->query->store_distance = true;
        return 1;
    }
    if (!p->query->may_store || left < 1) return 0;
    if (!by_distance && !argument_is(p->request, p->at, "store")) return 0;
    p->query->store = true;
    p->query->store_distance = by_distance;
    p->query->store_arg = ++p->at;
    return 1;
}

static int read_center(struct parse *p, uint32_t left) {
    if (p->has_shape && p->shape_kind == GEO_POLYGON) return 0;
    if (left >= 1 && argument_is(p->request, p->at, "frommember") &&
        (!p->has_center || p->from_member)) {
        if (!read_member(p->request, p->at + 1, p->query)) return -1;
        p->from_member = true;
        p->at++;
    } else if (left >= 2 && argument_is(p->request, p->at, "fromlonlat") && !p->from_member) {
        if (!geo_argument_point(p->request, p->at + 1, &p->query->shape.center)) return -1;
        p->at += 2;
    } else {
        return 0;
    }
    p->has_center = true;
    return 1;
}

static int read_shape(struct parse *p, uint32_t left) {
    bool circle = !p->has_shape || p->shape_kind == GEO_CIRCLE;
    bool box = !p->has_shape || p->shape_kind == GEO_BOX;
    if (left >= 2 && circle && argument_is(p->request, p->at, "byradius")) {
        if (!read_radius(p->request, p->at + 1, p->query)) return -1;
        p->shape_kind = GEO_CIRCLE;
        p->at += 2;
    } else if (left >= 3 && box && argument_is(p->request, p->at, "bybox")) {
        if (!read_box(p->request, p->at + 1, p->query)) return -1;
        p->shape_kind = GEO_BOX;
        p->at += 3;
    } else if (left >= 1 && !p->has_shape && !p->has_center &&
               argument_is(p->request, p->at, "bypolygon")) {
        if (!read_polygon(p->request, p->at + 1, p->query, &p->at)) return -1;
        p->shape_kind = GEO_POLYGON;
        p->has_center = true;
    } else {
        return 0;
    }
    p->has_shape = true;
    return 1;
}

static bool read_options(struct parse *p) {
    for (; p->at < p->request->argc; p->at++) {
        uint32_t left = p->request->argc - p->at - 1;
        int read = read_flag(p);
        if (read == 0) read = read_count(p, left);
        if (read == 0) read = read_store(p, left);
        if (read == 0 && is_search(p->query)) read = read_center(p, left);
        if (read == 0 && is_search(p->query)) read = read_shape(p, left);
        if (read == 0) reply_error_code(p->request->reply, ERROR_SYNTAX);
        if (read <= 0) return false;
    }
    return true;
}

static bool check_options(const struct parse *p) {
    struct request *request = p->request;
    const struct geo_query *query = p->query;
    struct bytes name = argument(request, 0);
    int name_len = (int)(name.len < 32 ? name.len : 32);
    if (query->store && (query->with_distance || query->with_hash || query->with_point)) {
        reply_error_format(request->reply,
                           "ERR %s is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
                           query->kind == GEO_QUERY_STORE ? "GEOSEARCHSTORE"
                                                          : "STORE option in GEORADIUS");
        return false;
    }
    if (is_search(query) && !p->has_center) {
        reply_error_format(request->reply,
                           "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %.*s",
                           name_len, name.data);
        return false;
    }
    if (is_search(query) && !p->has_shape) {
        reply_error_format(request->reply,
                           "ERR exactly one of BYRADIUS, BYBOX and BYPOLYGON can be specified for "
                           "%.*s",
                           name_len, name.data);
        return false;
    }
    if (query->any && query->count == 0)
        return fail(request, "ERR the ANY argument requires COUNT argument");
    return true;
}

bool geo_query_parse(struct request *request, struct geo_query *query) {
    struct parse p = {.request = request, .query = query};
    bool stores = query->kind == GEO_QUERY_STORE;
    query->unit = 1;
    if (!request_read_typed(request, stores ? 1 : 0, TYPE_ZSET, &query->source)) return false;
    switch (query->kind) {
    case GEO_QUERY_AROUND_POINT:
        if (!geo_argument_point(request, 2, &query->shape.center) ||
            !read_radius(request, 4, query))
            return false;
        p.at = 6;
        break;
    case GEO_QUERY_AROUND_MEMBER:
        if (query->source != NULL &&
            (!read_member(request, 2, query) || !read_radius(request, 3, query)))
            return false;
        p.at = 5;
        break;
    case GEO_QUERY_SEARCH: p.at = 2; break;
    case GEO_QUERY_STORE:
        p.at = 3;
        query->store = true;
        query->store_arg = 1;
        break;
    }
    if (!read_options(&p) || !check_options(&p)) return false;
    /* The closest are meant, unless any will do. */
    if (query->count > 0 && query->sort == GEO_UNSORTED && !query->any) query->sort = GEO_NEAREST;
    return true;
}
