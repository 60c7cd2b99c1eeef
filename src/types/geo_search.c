/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Members within a shape.
 *
 * The cell that the center lies in, of a size that the shape does not reach beyond its eight
 * neighbours, and those neighbours are ranges of scores; what they hold is looked at one by one.
 * Sizes, neighbours left out and their order are Redis's, as the order of what is found, and with
 * ANY what is found at all, follow from them.
 */
#include "types/geo_cell.h"

/* Cells so small that a shape of this reach stays within the neighbours; there are fewer near the
 * poles, where cells are narrow. */
static unsigned bits_for(double reach, double latitude) {
    const double mercator_max = 20037726.37;
    int bits = 1;
    if (reach == 0) return GEO_BITS;
    while (reach < mercator_max) {
        reach *= 2;
        bits++;
    }
    bits -= 2; /* the whole shape, not its half, in the worst case */
    if (latitude > 66 || latitude < -66) bits--;
    if (latitude > 80 || latitude < -80) bits--;
    return bits < 1 ? 1 : bits > GEO_BITS ? GEO_BITS : (unsigned)bits;
}

static struct geo_cell neighbour(struct geo_cell cell, int east, int north) {
    uint32_t mask = (UINT32_C(1) << cell.bits) - 1;
    if (east != 0) cell.longitude = (cell.longitude + (uint32_t)east) & mask;
    if (north != 0) cell.latitude = (cell.latitude + (uint32_t)north) & mask;
    return cell;
}

static struct geo_cell center_cell(const struct geo_shape *shape, const struct geo_area *bounds) {
    unsigned bits = bits_for(geo_reach(shape), shape->center.latitude);
    struct geo_cell cell = geo_cell_of(shape->center, GEO_LATITUDE_MAX, bits);
    bool covered = geo_cell_area(neighbour(cell, 0, 1)).north >= bounds->north &&
                   geo_cell_area(neighbour(cell, 0, -1)).south <= bounds->south &&
                   geo_cell_area(neighbour(cell, 1, 0)).east >= bounds->east &&
                   geo_cell_area(neighbour(cell, -1, 0)).west <= bounds->west;
    return bits > 1 && !covered ? geo_cell_of(shape->center, GEO_LATITUDE_MAX, bits - 1) : cell;
}

struct search {
    const struct zset *zset;
    const struct geo_shape *shape;
    bool (*visit)(const struct geo_found *found, void *context);
    void *context;
};

static bool search_scores(const struct search *search, const struct zset_scores *scores) {
    struct zset_iter iter;
    struct geo_found found;
    zset_iter_init(&iter, search->zset, zset_range_of_scores(search->zset, scores), false);
    while (zset_iter_next(&iter, &found.member, &found.score)) {
        found.point = geo_decode(found.score);
        if (!geo_covers(search->shape, found.point, &found.distance)) continue;
        found.lasting = found.member.data < iter.scratch ||
                        found.member.data >= iter.scratch + sizeof iter.scratch;
        if (!search->visit(&found, search->context)) return false;
    }
    return true;
}

void geo_search(const struct zset *zset, const struct geo_shape *shape,
                bool (*visit)(const struct geo_found *found, void *context), void *context) {
    static const struct {
        signed char east, north;
    } around[] = {{0, 0}, {0, 1}, {0, -1}, {1, 0}, {-1, 0}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};
    const struct search search = {zset, shape, visit, context};
    struct geo_area bounds = geo_bounds(shape);
    struct geo_cell center = center_cell(shape, &bounds);
    struct geo_area area = geo_cell_area(center);
    unsigned shift = 2 * (GEO_BITS - center.bits);
    uint64_t last = UINT64_MAX;
    for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
        int east = around[i].east, north = around[i].north;
        /* Neighbours that the shape does not reach. */
        if (center.bits >= 2 &&
            ((north < 0 && area.south < bounds.south) || (north > 0 && area.north > bounds.north) ||
             (east < 0 && area.west < bounds.west) || (east > 0 && area.east > bounds.east)))
            continue;
        /* Where cells are few, neighbours on either side may be one. */
        uint64_t number = geo_cell_number(neighbour(center, east, north));
        if (number == last) continue;
        last = number;
        struct zset_scores scores = {.min = (double)(number << shift),
                                     .max = (double)((number + 1) << shift),
                                     .max_excluded = true};
        if (!search_scores(&search, &scores)) return;
    }
}
