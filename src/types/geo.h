/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Positions on the earth as scores of a sorted set, and what lies within a shape.
 *
 * What: a position is a cell of 2^26 by 2^26 between the longitudes -180 and 180 and the latitudes
 *       of Web Mercator. Its number has the bits of both in turn, the longitude's first, so that
 *       cells near each other mostly have numbers near each other, and a larger cell is a range of
 *       numbers. The number is the score.
 * Always: encoding, decoding and distances are those of Redis, to the bit: scores and replies are
 *         the same. A score that is no cell's number decodes to some valid position.
 * Owner: the caller. Lock: the shard's that the sorted set belongs to.
 *        Errors: as each function says.
 */
#ifndef KN_TYPES_GEO_H
#define KN_TYPES_GEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "types/zset.h"

struct geo_point {
    double longitude, latitude; /* degrees */
};

/* Whether there are cells for it: no further from the equator than Web Mercator goes. */
bool geo_is_valid(struct geo_point point);
/* The score of a valid position. */
uint64_t geo_encode(struct geo_point point);
/* The middle of a score's cell. */
struct geo_point geo_decode(double score);

enum { GEO_HASH_LEN = 11 };
/* The standard geohash of a position, whose last character is always '0',
 * since the bits are fewer. */
void geo_hash(struct geo_point point, char out[GEO_HASH_LEN]);

/* Metres along a great circle of a sphere. */
double geo_distance(struct geo_point a, struct geo_point b);

/* ---- searching ---- */

enum geo_shape_kind { GEO_CIRCLE, GEO_BOX, GEO_POLYGON };

struct geo_shape {
    enum geo_shape_kind kind;
    struct geo_point center;
    double radius;                   /* of a circle, in metres */
    double width, height;            /* of a box, in metres */
    const struct geo_point *corners; /* of a polygon, three at least */
    size_t corner_count;
};

/* Makes the shape of a polygon, with the middle of its corners as the center. */
void geo_polygon(struct geo_shape *shape, const struct geo_point *corners, size_t count);

/* Whether the shape covers a point; how far that is from the center then, in metres. */
bool geo_covers(const struct geo_shape *shape, struct geo_point point, double *ret_distance);

struct geo_found {
    struct bytes member; /* valid during the visit; where not `lasting`, no longer */
    bool lasting;        /* the view is good until the sorted set changes */
    double score, distance;
    struct geo_point point;
};

/* Visits what the shape covers, in the order in which Redis finds it, until visit returns false. */
void geo_search(const struct zset *zset, const struct geo_shape *shape,
                bool (*visit)(const struct geo_found *found, void *context), void *context);

#endif
