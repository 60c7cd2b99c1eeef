/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/guard_arguments.h"

#include <string.h>

#include "catalog/format.h"
#include "server/arguments.h"
#include "server/command.h"
#include "server/request.h"
#include "types/hash.h"
#include "types/set.h"
#include "types/zset.h"

/* How the arguments behind the key lie, in commands that bring values. */
enum shape {
    SHAPE_ELEMENTS,     /* value value ... */
    SHAPE_FIELDS,       /* field value field value ... */
    SHAPE_PAIRS,        /* score member score member ..., after options */
    SHAPE_KEYS,         /* key value key value ... */
    SHAPE_ONE,          /* value at a place of its own */
    SHAPE_FIELDS_AFTER, /* ... FIELDS count field value ... */
};

static const struct bringer {
    const char *name;
    enum shape shape;
    uint8_t from; /* the argument where values begin */
} bringers[] = {
    {"set", SHAPE_ONE, 2},
    {"setnx", SHAPE_ONE, 2},
    {"getset", SHAPE_ONE, 2},
    {"setex", SHAPE_ONE, 3},
    {"psetex", SHAPE_ONE, 3},
    {"mset", SHAPE_KEYS, 0},
    {"msetnx", SHAPE_KEYS, 0},
    {"lpush", SHAPE_ELEMENTS, 2},
    {"rpush", SHAPE_ELEMENTS, 2},
    {"lpushx", SHAPE_ELEMENTS, 2},
    {"rpushx", SHAPE_ELEMENTS, 2},
    {"lset", SHAPE_ONE, 3},
    {"linsert", SHAPE_ONE, 4},
    {"sadd", SHAPE_ELEMENTS, 2},
    {"zadd", SHAPE_PAIRS, 2},
    {"hset", SHAPE_FIELDS, 2},
    {"hmset", SHAPE_FIELDS, 2},
    {"hsetnx", SHAPE_FIELDS, 2},
    {"hsetex", SHAPE_FIELDS_AFTER, 2},
};
enum { BRINGERS = sizeof bringers / sizeof bringers[0] };

static const struct bringer *bringer_of(const struct request *request) {
    for (size_t i = 0; i < BRINGERS; i++)
        if (strcmp(bringers[i].name, request->command->name) == 0) return &bringers[i];
    return NULL;
}

/* ---- by the row ---- */

unsigned guard_key_flags(const struct request *request, uint32_t index) {
    const struct key_spec *specs = request->command->keys;
    uint32_t arg = request->keys[index].arg;
    unsigned flags = specs[0].flags;
    int begin = specs[0].begin;
    /* A key belongs to the last specification that begins at it or before. */
    for (unsigned i = 1; i < COMMAND_KEY_SPECS && specs[i].find != KEYS_NONE; i++) {
        bool behind_word = specs[i].keyword != NULL;
        if (!behind_word && (specs[i].begin < begin || arg < (uint32_t)specs[i].begin)) continue;
        if (behind_word && !(arg > 0 && bytes_is_word(request->argv[arg - 1], specs[i].keyword)))
            continue;
        flags = specs[i].flags;
        begin = behind_word ? begin : specs[i].begin;
    }
    return flags;
}

bool guard_overwrites(const struct request *request, uint32_t index) {
    /* Redis's row of SET says "update", since with GET it reads too. */
    return guard_key_flags(request, index) & KEY_OW || strcmp(request->command->name, "set") == 0;
}

static const struct entry *source_of(const struct request *request) {
    return store_find(request->store, request->db, &request->keys[0].key, request->now_ms);
}

int guard_type_made(const struct request *request, uint32_t index) {
    static const struct {
        unsigned groups;
        enum value_type type;
    } makes[] = {
        {GROUP_STRING | GROUP_BITMAP | GROUP_HYPERLOGLOG, TYPE_STRING},
        {GROUP_HASH, TYPE_HASH},
        {GROUP_SORTED_SET | GROUP_GEO, TYPE_ZSET},
        {GROUP_STREAM, TYPE_STREAM},
    };
    const char *name = request->command->name;
    unsigned groups = request->command->groups;
    if (strcmp(name, "sort") == 0) return TYPE_LIST;
    if (strcmp(name, "rename") == 0 || strcmp(name, "renamenx") == 0 || strcmp(name, "copy") == 0) {
        const struct entry *source = index == 1 ? source_of(request) : NULL;
        return source ? (int)entry_type(source) : -1;
    }
    for (size_t i = 0; i < sizeof makes / sizeof makes[0]; i++)
        if (groups & makes[i].groups) return makes[i].type;
    if (groups & GROUP_LIST) return TYPE_LIST;
    return groups & GROUP_SET ? TYPE_SET : -1;
}

/* ---- by the arguments ---- */

size_t guard_bytes_brought(const struct request *request) {
    size_t bytes = 0;
    for (uint32_t i = 2; i < request->argc; i++) bytes += request->argv[i].len;
    return bytes;
}

static bool is_there(const struct request *request, const struct entry *entry, struct bytes what) {
    double score;
    char scratch[HASH_SCRATCH];
    struct bytes value;
    if (entry == NULL) return false;
    switch (entry_type(entry)) {
    case TYPE_HASH: return hash_get(entry_value(entry), what, request->now_ms, scratch, &value);
    case TYPE_SET: return set_has(entry_value(entry), what);
    case TYPE_ZSET: return zset_find(entry_value(entry), what, &score);
    default: return false;
    }
}

/* Where values begin, behind options, and how many arguments one takes. */
static uint32_t values_from(const struct request *request, const struct bringer *bringer,
                            uint32_t *ret_step) {
    static const char *const words[] = {"nx", "xx", "gt", "lt", "ch", "incr"};
    uint32_t from = bringer->from;
    *ret_step = bringer->shape == SHAPE_ELEMENTS || bringer->shape == SHAPE_ONE ? 1 : 2;
    if (bringer->shape == SHAPE_PAIRS) {
        size_t i = 0;
        while (from < request->argc && i < sizeof words / sizeof words[0]) {
            for (i = 0; i < sizeof words / sizeof words[0]; i++)
                if (argument_is(request, from, words[i])) break;
            if (i < sizeof words / sizeof words[0]) from++;
        }
    } else if (bringer->shape == SHAPE_FIELDS_AFTER) {
        while (from < request->argc && !argument_is(request, from, "fields")) from++;
        from += 2;
    }
    return from;
}

size_t guard_elements_added(const struct request *request, uint32_t index,
                            const struct entry *entry) {
    const struct bringer *bringer = bringer_of(request);
    uint32_t step;
    size_t added = 0;
    (void)index;
    if (bringer == NULL || bringer->shape == SHAPE_KEYS) return 0;
    if (bringer->shape == SHAPE_ONE) return strcmp(bringer->name, "linsert") == 0;
    uint32_t from = values_from(request, bringer, &step);
    /* An element named twice counts twice: at worst a write is refused that would just have fitted. */
    uint32_t name = bringer->shape == SHAPE_PAIRS ? 1 : 0;
    for (uint32_t i = from; i + step <= request->argc; i += step)
        added += !is_there(request, entry, request->argv[i + name]);
    return added;
}

static enum violation_kind examine_field(const struct pattern *pattern, struct bytes field,
                                         struct bytes value, struct bytes *ret_what) {
    *ret_what = field;
    for (size_t i = 0; i < pattern->field_count; i++) {
        if (!bytes_equal(field, bytes_from_string(pattern->fields[i].name))) continue;
        return format_accepts(pattern->fields[i].format, value) ? VIOLATION_NONE : VIOLATION_FORMAT;
    }
    if (pattern->fields_closed) return VIOLATION_FIELD;
    return format_accepts(pattern->value, value) ? VIOLATION_NONE : VIOLATION_FORMAT;
}

enum violation_kind guard_examine_values(const struct request *request, uint32_t index,
                                         const struct pattern *pattern, struct bytes *ret_what) {
    const struct bringer *bringer = bringer_of(request);
    enum violation_kind kind = VIOLATION_NONE;
    uint32_t step;
    if (bringer == NULL) return VIOLATION_NONE;
    if (bringer->shape == SHAPE_KEYS || bringer->shape == SHAPE_ONE) {
        uint32_t at = bringer->shape == SHAPE_KEYS ? request->keys[index].arg + 1 : bringer->from;
        if (at >= request->argc) return VIOLATION_NONE;
        *ret_what = request->argv[at];
        return format_accepts(pattern->value, *ret_what) ? VIOLATION_NONE : VIOLATION_FORMAT;
    }
    uint32_t from = values_from(request, bringer, &step);
    for (uint32_t i = from; i + step <= request->argc && kind == VIOLATION_NONE; i += step) {
        struct bytes first = request->argv[i];
        if (bringer->shape == SHAPE_FIELDS || bringer->shape == SHAPE_FIELDS_AFTER) {
            kind = examine_field(pattern, first, request->argv[i + 1], ret_what);
        } else {
            *ret_what = bringer->shape == SHAPE_PAIRS ? request->argv[i + 1] : first;
            kind = format_accepts(pattern->value, *ret_what) ? VIOLATION_NONE : VIOLATION_FORMAT;
        }
    }
    return kind;
}
