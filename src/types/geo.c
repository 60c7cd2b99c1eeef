/* SPDX-License-Identifier: BSD-3-Clause */
/* Positions, their cells and distances; geo_search.c finds them. */
#include "types/geo.h"

#include <math.h>

#include "types/geo_cell.h"

static const double earth_radius = 6372797.560856; /* metres */

bool geo_is_valid(struct geo_point point) {
    return point.longitude >= -GEO_LONGITUDE_MAX && point.longitude <= GEO_LONGITUDE_MAX &&
           point.latitude >= -GEO_LATITUDE_MAX && point.latitude <= GEO_LATITUDE_MAX;
}

/* ---- cells ---- */

/* A bit of the number in every other bit. */
static uint64_t spread(uint32_t number) {
    uint64_t x = number;
    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    x = (x | x << 2) & UINT64_C(0x3333333333333333);
    return (x | x << 1) & UINT64_C(0x5555555555555555);
}

static uint32_t gather(uint64_t x) {
    x &= UINT64_C(0x5555555555555555);
    x = (x | x >> 1) & UINT64_C(0x3333333333333333);
    x = (x | x >> 2) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    x = (x | x >> 4) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x >> 8) & UINT64_C(0x0000ffff0000ffff);
    return (uint32_t)(x | x >> 16);
}

uint64_t geo_cell_number(struct geo_cell cell) {
    return spread(cell.latitude) | spread(cell.longitude) << 1;
}

/* How many cells of this size come before a place between -max and max. At max itself that is one
 * too many, as all who write such scores have it. */
static uint32_t cell_along(double place, double max, unsigned bits) {
    return (uint32_t)((place + max) / (max + max) * (double)(UINT64_C(1) << bits));
}

struct geo_cell geo_cell_of(struct geo_point point, double latitude_max, unsigned bits) {
    return (struct geo_cell){
        .longitude = cell_along(point.longitude, GEO_LONGITUDE_MAX, bits),
        .latitude = cell_along(point.latitude, latitude_max, bits),
        .bits = bits,
    };
}

static double edge(uint32_t cell, double max, unsigned bits) {
    return -max + (cell * 1.0 / (double)(UINT64_C(1) << bits)) * (max + max);
}

struct geo_area geo_cell_area(struct geo_cell cell) {
    return (struct geo_area){
        .west = edge(cell.longitude, GEO_LONGITUDE_MAX, cell.bits),
        .east = -GEO_LONGITUDE_MAX + ((cell.longitude + 1.0) / (double)(UINT64_C(1) << cell.bits)) *
                                         (2 * GEO_LONGITUDE_MAX),
        .south = edge(cell.latitude, GEO_LATITUDE_MAX, cell.bits),
        .north = -GEO_LATITUDE_MAX + ((cell.latitude + 1.0) / (double)(UINT64_C(1) << cell.bits)) *
                                         (2 * GEO_LATITUDE_MAX),
    };
}

uint64_t geo_encode(struct geo_point point) {
    return geo_cell_number(geo_cell_of(point, GEO_LATITUDE_MAX, GEO_BITS));
}

/* A score as a number of 64 bits. Not every score is a cell's: one that is out of range is what the
 * processors make of it on which such data was written. */
static uint64_t score_number(double score) {
    if (score > -0x1p63 && score < 0x1p63) return (uint64_t)(int64_t)score;
    if (score >= 0x1p63 && score < 0x1p64) return (uint64_t)score;
    return score > 0 ? 0 : UINT64_C(1) << 63;
}

static double within(double place, double max) {
    return place > max ? max : place < -max ? -max : place;
}

struct geo_point geo_decode(double score) {
    uint64_t number = score_number(score);
    struct geo_cell cell = {
        .longitude = gather(number >> 1), .latitude = gather(number), .bits = GEO_BITS};
    struct geo_area area = geo_cell_area(cell);
    return (struct geo_point){
        .longitude = within((area.west + area.east) / 2, GEO_LONGITUDE_MAX),
        .latitude = within((area.south + area.north) / 2, GEO_LATITUDE_MAX),
    };
}

void geo_hash(struct geo_point point, char out[GEO_HASH_LEN]) {
    static const char letters[] = "0123456789bcdefghjkmnpqrstuvwxyz";
    const double standard_latitude_max = 90;
    uint64_t number = geo_cell_number(geo_cell_of(point, standard_latitude_max, GEO_BITS));
    for (unsigned i = 0; i < GEO_HASH_LEN - 1; i++)
        out[i] = letters[number >> (2 * GEO_BITS - 5 * (i + 1)) & 31];
    out[GEO_HASH_LEN - 1] = '0';
}

/* ---- distances ---- */

static const double degree = M_PI / 180.0;

static double latitude_distance(double a, double b) {
    return earth_radius * fabs(b * degree - a * degree);
}

double geo_distance(struct geo_point a, struct geo_point b) {
    double v = sin((b.longitude * degree - a.longitude * degree) / 2);
    if (v == 0.0) return latitude_distance(a.latitude, b.latitude);
    double south = a.latitude * degree, north = b.latitude * degree;
    double u = sin((north - south) / 2);
    double h = u * u + cos(south) * cos(north) * v * v;
    /* Rounding may take it over 1 between opposite points. */
    return 2.0 * earth_radius * asin(sqrt(h > 1 ? 1 : h));
}

/* ---- shapes ---- */

void geo_polygon(struct geo_shape *shape, const struct geo_point *corners, size_t count) {
    /* The middle of the corners in space, brought back to the surface. */
    double x = 0, y = 0, z = 0;
    for (size_t i = 0; i < count; i++) {
        double longitude = corners[i].longitude * degree, latitude = corners[i].latitude * degree;
        x += cos(latitude) * cos(longitude);
        y += cos(latitude) * sin(longitude);
        z += sin(latitude);
    }
    double n = (double)count;
    x /= n, y /= n, z /= n;
    *shape = (struct geo_shape){
        .kind = GEO_POLYGON,
        .center = {within(atan2(y, x) / degree, GEO_LONGITUDE_MAX),
                   within(atan2(z, sqrt(x * x + y * y)) / degree, GEO_LATITUDE_MAX)},
        .corners = corners,
        .corner_count = count,
    };
}

/* Whether a line from the point to the east crosses the border an odd number of times. */
static bool polygon_covers(const struct geo_shape *shape, struct geo_point point) {
    bool inside = false;
    struct geo_point a = shape->corners[shape->corner_count - 1], b;
    for (size_t i = 0; i < shape->corner_count; i++, a = b) {
        b = shape->corners[i];
        if ((a.latitude > point.latitude) == (b.latitude > point.latitude)) continue;
        double at = (a.longitude - b.longitude) * (point.latitude - b.latitude) /
                        (a.latitude - b.latitude) +
                    b.longitude;
        if (point.longitude < at) inside = !inside;
    }
    return inside;
}

bool geo_covers(const struct geo_shape *shape, struct geo_point point, double *ret_distance) {
    struct geo_point center = shape->center;
    double distance;
    switch (shape->kind) {
    case GEO_CIRCLE:
        distance = geo_distance(center, point);
        if (distance > shape->radius) return false;
        *ret_distance = distance;
        return true;
    case GEO_BOX:
        if (latitude_distance(point.latitude, center.latitude) > shape->height / 2) return false;
        /* As wide as the box at the latitude of the point. */
        center.latitude = point.latitude;
        if (geo_distance(point, center) > shape->width / 2) return false;
        break;
    case GEO_POLYGON:
        if (!polygon_covers(shape, point)) return false;
        break;
    }
    *ret_distance = geo_distance(shape->center, point);
    return true;
}

/* ---- how far a shape reaches ---- */

static struct geo_area polygon_bounds(const struct geo_shape *shape) {
    struct geo_point first = shape->corners[0];
    struct geo_area bounds = {first.longitude, first.longitude, first.latitude, first.latitude};
    for (size_t i = 1; i < shape->corner_count; i++) {
        struct geo_point corner = shape->corners[i];
        bounds.west = fmin(bounds.west, corner.longitude);
        bounds.east = fmax(bounds.east, corner.longitude);
        bounds.south = fmin(bounds.south, corner.latitude);
        bounds.north = fmax(bounds.north, corner.latitude);
    }
    return bounds;
}

struct geo_area geo_bounds(const struct geo_shape *shape) {
    if (shape->kind == GEO_POLYGON) return polygon_bounds(shape);
    bool circle = shape->kind == GEO_CIRCLE;
    double height = circle ? shape->radius : shape->height / 2;
    double width = circle ? shape->radius : shape->width / 2;
    struct geo_point center = shape->center;
    double up = height / earth_radius / degree;
    double top = width / earth_radius / cos((center.latitude + up) * degree) / degree;
    double bottom = width / earth_radius / cos((center.latitude - up) * degree) / degree;
    /* Where the shape is widest in degrees: towards the pole. */
    double aside = center.latitude < 0 ? bottom : top;
    return (struct geo_area){.west = center.longitude - aside,
                             .east = center.longitude + aside,
                             .south = center.latitude - up,
                             .north = center.latitude + up};
}

double geo_reach(const struct geo_shape *shape) {
    double farthest = 0;
    switch (shape->kind) {
    case GEO_CIRCLE: return shape->radius;
    case GEO_BOX:
        return sqrt((shape->width / 2) * (shape->width / 2) +
                    (shape->height / 2) * (shape->height / 2));
    case GEO_POLYGON:
        for (size_t i = 0; i < shape->corner_count; i++)
            farthest = fmax(farthest, geo_distance(shape->center, shape->corners[i]));
        return farthest;
    }
    return farthest;
}
