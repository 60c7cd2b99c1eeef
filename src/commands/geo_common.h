/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the commands on positions share: units, coordinates, distances; and what a search asks for.
 *
 * Errors: replied, as arguments.h has it.
 */
#ifndef KN_COMMANDS_GEO_COMMON_H
#define KN_COMMANDS_GEO_COMMON_H

#include "server/request.h"
#include "types/geo.h"

/* m, km, ft, mi: in metres. */
bool geo_argument_unit(struct request *request, uint32_t index, double *ret_metres);
/* A longitude and a latitude. */
bool geo_argument_point(struct request *request, uint32_t index, struct geo_point *ret_point);
/* With four decimals, as a bulk string. */
void geo_reply_distance(struct reply *reply, double distance);
void geo_reply_point(struct reply *reply, struct geo_point point);

/* ---- searches (geo_query.c) ---- */

enum geo_query_kind {
    GEO_QUERY_AROUND_POINT,  /* GEORADIUS */
    GEO_QUERY_AROUND_MEMBER, /* GEORADIUSBYMEMBER */
    GEO_QUERY_SEARCH,        /* GEOSEARCH */
    GEO_QUERY_STORE,         /* GEOSEARCHSTORE */
};

enum geo_sort { GEO_UNSORTED, GEO_NEAREST, GEO_FARTHEST };

struct geo_query {
    enum geo_query_kind kind;
    bool may_store;       /* GEORADIUS and its kind, without _RO */
    struct entry *source; /* NULL: there is no such key */
    struct geo_shape shape;
    double unit; /* in metres */
    bool with_distance, with_hash, with_point;
    bool any;
    int64_t count; /* 0: all */
    enum geo_sort sort;
    bool store, store_distance;
    uint32_t store_arg; /* where the destination's name stands */
};

/* Looks up the source and reads all arguments. kind and may_store are set by the caller. */
bool geo_query_parse(struct request *request, struct geo_query *query);

#endif
