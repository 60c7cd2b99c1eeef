/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/guard_judge.h"

#include <string.h>

#include "catalog/format.h"
#include "catalog/matcher.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/stream.h"
#include "types/zset.h"

enum value_type guard_type_wanted(const struct pattern *pattern) {
    static const enum value_type types[PATTERN_TYPES] = {
        [PATTERN_TYPE_STRING] = TYPE_STRING, [PATTERN_TYPE_LIST] = TYPE_LIST,
        [PATTERN_TYPE_HASH] = TYPE_HASH,     [PATTERN_TYPE_SET] = TYPE_SET,
        [PATTERN_TYPE_ZSET] = TYPE_ZSET,     [PATTERN_TYPE_STREAM] = TYPE_STREAM,
    };
    return types[pattern->type];
}

size_t guard_value_size(const struct entry *entry) {
    if (entry_type(entry) == TYPE_STRING) return entry_string_len(entry);
    return value_bytes(entry_type(entry), entry_value(entry));
}

/* ---- one value ---- */

static void found(struct guard_finding *finding, enum violation_kind kind, enum value_format format,
                  struct bytes what) {
    finding->kind = kind;
    finding->format = format;
    finding->what_len = (uint8_t)(what.len < GUARD_SHOWN_MAX ? what.len : GUARD_SHOWN_MAX);
    if (finding->what_len) memcpy(finding->what, what.data, finding->what_len);
}

void guard_judge_value(const struct pattern *pattern, struct bytes value,
                       struct guard_finding *ret_finding) {
    if (!format_accepts(pattern->value, value))
        found(ret_finding, VIOLATION_FORMAT, pattern->value, value);
}

void guard_judge_field(const struct pattern *pattern, struct bytes field, struct bytes value,
                       struct guard_finding *ret_finding) {
    enum value_format format = pattern->value;
    bool named = false;
    for (size_t i = 0; i < pattern->field_count && !named; i++) {
        named = bytes_equal(field, bytes_from_string(pattern->fields[i].name));
        if (named) format = pattern->fields[i].format;
    }
    if (!named && pattern->fields_closed)
        found(ret_finding, VIOLATION_FIELD, FORMAT_ANY, field);
    else if (!format_accepts(format, value))
        found(ret_finding, VIOLATION_FORMAT, format, field);
}

/* ---- all that a value holds ---- */

static const void *value_of(const struct entry *entry, enum value_type type) {
    return entry != NULL && entry_type(entry) == type ? entry_value(entry) : NULL;
}

static bool list_has(const struct list *list, struct bytes wanted) {
    struct list_iter iter;
    struct bytes value;
    list_iter_init(&iter, list, 0, false);
    while (list_iter_next(&iter, &value))
        if (bytes_equal(value, wanted)) return true;
    return false;
}

static void judge_string(const struct guard_case *about, struct guard_finding *finding) {
    char scratch[2][ENTRY_SCRATCH];
    struct bytes value = entry_string(about->after, scratch[0]);
    const struct entry *before = about->before;
    if (before != NULL && entry_type(before) == TYPE_STRING &&
        bytes_equal(entry_string(before, scratch[1]), value))
        return;
    guard_judge_value(about->pattern, value, finding);
}

static void judge_list(const struct guard_case *about, struct guard_finding *finding) {
    const struct list *before = value_of(about->before, TYPE_LIST);
    struct list_iter iter;
    struct bytes value;
    list_iter_init(&iter, entry_value(about->after), 0, false);
    while (finding->kind == VIOLATION_NONE && list_iter_next(&iter, &value))
        if (!format_accepts(about->pattern->value, value) &&
            (before == NULL || !list_has(before, value)))
            guard_judge_value(about->pattern, value, finding);
}

static void judge_set(const struct guard_case *about, struct guard_finding *finding) {
    const struct set *before = value_of(about->before, TYPE_SET);
    struct set_iter iter;
    struct bytes member;
    set_iter_init(&iter, entry_value(about->after));
    while (finding->kind == VIOLATION_NONE && set_iter_next(&iter, &member))
        if (before == NULL || !set_has(before, member))
            guard_judge_value(about->pattern, member, finding);
}

static void judge_zset(const struct guard_case *about, struct guard_finding *finding) {
    const struct zset *before = value_of(about->before, TYPE_ZSET), *after;
    struct zset_iter iter;
    struct bytes member;
    double score;
    after = entry_value(about->after);
    zset_iter_init(&iter, after, (struct zset_range){0, zset_count(after)}, false);
    while (finding->kind == VIOLATION_NONE && zset_iter_next(&iter, &member, &score))
        if (before == NULL || !zset_find(before, member, NULL))
            guard_judge_value(about->pattern, member, finding);
}

static void judge_hash(const struct guard_case *about, struct guard_finding *finding) {
    const struct hash *before = value_of(about->before, TYPE_HASH);
    char scratch[HASH_SCRATCH];
    struct hash_iter iter;
    struct bytes field, value, old;
    hash_iter_init(&iter, entry_value(about->after), about->now_ms);
    while (finding->kind == VIOLATION_NONE && hash_iter_next(&iter, &field, &value)) {
        if (before != NULL && hash_get(before, field, about->now_ms, scratch, &old) &&
            bytes_equal(old, value))
            continue;
        guard_judge_field(about->pattern, field, value, finding);
    }
}

static void judge_stream(const struct guard_case *about, struct guard_finding *finding) {
    const struct stream *before = value_of(about->before, TYPE_STREAM);
    struct stream_iter iter;
    struct stream_id id;
    size_t fields;
    struct bytes name, value;
    stream_iter_init(&iter, entry_value(about->after), STREAM_ID_MIN, STREAM_ID_MAX, false);
    while (finding->kind == VIOLATION_NONE && stream_iter_next(&iter, &id, &fields)) {
        if (before != NULL && stream_has(before, id)) continue;
        for (; fields > 0 && finding->kind == VIOLATION_NONE; fields--) {
            stream_iter_field(&iter, &name, &value);
            guard_judge_field(about->pattern, name, value, finding);
        }
    }
}

static void judge_contents(const struct guard_case *about, struct guard_finding *finding) {
    const struct pattern *pattern = about->pattern;
    enum value_type type = entry_type(about->after);
    bool has_fields = type == TYPE_HASH || type == TYPE_STREAM;
    if (pattern->value == FORMAT_ANY && !(has_fields && pattern->field_count)) return;
    switch (type) {
    case TYPE_STRING: judge_string(about, finding); break;
    case TYPE_LIST: judge_list(about, finding); break;
    case TYPE_SET: judge_set(about, finding); break;
    case TYPE_ZSET: judge_zset(about, finding); break;
    case TYPE_HASH: judge_hash(about, finding); break;
    case TYPE_STREAM: judge_stream(about, finding); break;
    default: break;
    }
}

/* ---- the whole ---- */

enum violation_kind guard_judge_place(const struct guard_case *about) {
    const struct pattern *pattern = about->pattern;
    if (!pattern_allows_database(pattern, (int)about->db)) return VIOLATION_DATABASE;
    if (pattern->key_bytes_max && about->key->name.len > pattern->key_bytes_max)
        return VIOLATION_KEY_SIZE;
    return VIOLATION_NONE;
}

/* What can be told without looking into the value. */
static enum violation_kind judge_outside(const struct guard_case *about) {
    const struct pattern *pattern = about->pattern;
    const struct entry *before = about->before, *after = about->after;
    bool same_type = before != NULL && entry_type(before) == entry_type(after);
    if (pattern->type != PATTERN_TYPE_UNSTATED && !(same_type && !about->anew) &&
        entry_type(after) != guard_type_wanted(pattern))
        return VIOLATION_TYPE;
    enum violation_kind kind = before == NULL ? guard_judge_place(about) : VIOLATION_NONE;
    if (kind != VIOLATION_NONE) return kind;
    if (pattern->value_bytes_max) {
        size_t size = guard_value_size(after);
        if (size > pattern->value_bytes_max && !(before && guard_value_size(before) >= size))
            return VIOLATION_VALUE_SIZE;
    }
    if (pattern->elements_max && entry_type(after) != TYPE_STRING) {
        size_t count = entry_count(after);
        if (count > pattern->elements_max && !(same_type && entry_count(before) >= count))
            return VIOLATION_ELEMENTS;
    }
    return VIOLATION_NONE;
}

void guard_judge(const struct guard_case *about, struct guard_finding *ret_finding) {
    ret_finding->kind = VIOLATION_NONE;
    ret_finding->what_len = 0;
    if (about->after == NULL) return;
    ret_finding->kind = judge_outside(about);
    if (ret_finding->kind == VIOLATION_NONE && about->contents) judge_contents(about, ret_finding);
}
