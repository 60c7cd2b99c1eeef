/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cells behind positions, for the files that implement geo.h.
 *
 * What: a cell is one of 2^bits by 2^bits, counted from the south-west.
 * Owner, lock, errors: none.
 */
#ifndef KN_TYPES_GEO_CELL_H
#define KN_TYPES_GEO_CELL_H

#include "types/geo.h"

#define GEO_LONGITUDE_MAX 180.0
#define GEO_LATITUDE_MAX  85.05112878

enum { GEO_BITS = 26 };

struct geo_cell {
    uint32_t longitude, latitude;
    unsigned bits;
};

/* In degrees. */
struct geo_area {
    double west, east, south, north;
};

/* latitude_max: the cells cover as much to the north and to the south. */
struct geo_cell geo_cell_of(struct geo_point point, double latitude_max, unsigned bits);
/* The bits of both in turn. */
uint64_t geo_cell_number(struct geo_cell cell);
struct geo_area geo_cell_area(struct geo_cell cell);

/* What the shape lies in, more or less; and how far it goes from its center, in metres. */
struct geo_area geo_bounds(const struct geo_shape *shape);
double geo_reach(const struct geo_shape *shape);

#endif
