/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is looked at when
 *
 * A pattern that is observed must cost next to nothing: so its rules are looked at after the command, and only if
 * the store noted that the key came, or that its type, size or expiry changed, or if the pattern has rules
 * about arguments. A pattern that is enforced is looked at before, at the price of one more lookup, since the
 * command has to be refused whole. Lifetimes are seen to afterwards in both cases: a key is born without one and
 * may get it with the next command, so nothing is refused for want of it; the default is given, and what is
 * too long is cut.
 */
#include "server/guard.h"

#include <stdio.h>
#include <string.h>

#include "server/client.h"
#include "server/command.h"
#include "server/guard_arguments.h"
#include "server/request.h"
#include "server/server.h"
#include "server/violations.h"
#include "store/dealing.h"
#include "store/patterns.h"

enum { SLACK_MS = 1000 }; /* between the clocks of those who compute a moment and the server's */

/* ---- noting ---- */

static void copy_name(char to[VIOLATION_NAME_MAX], const char *name) {
    snprintf(to, VIOLATION_NAME_MAX, "%s", name);
}

static void note(struct request *request, const struct key *key, uint16_t id,
                 const struct pattern_rules *rules, enum violation_kind kind, bool refused) {
    struct violation violation;
    memset(&violation, 0, sizeof violation);
    violation.at_ms = request->now_ms;
    violation.client = request->client ? request->client->id : 0;
    violation.kind = kind;
    violation.refused = refused;
    violation.db = request->db;
    copy_name(violation.pattern, rules->pattern ? rules->pattern->name : "");
    copy_name(violation.catalog, rules->catalog ? rules->catalog->name : "");
    copy_name(violation.command, request->command->name);
    violation.key_len =
        (uint16_t)(key->name.len < VIOLATION_KEY_MAX ? key->name.len : VIOLATION_KEY_MAX);
    if (violation.key_len) memcpy(violation.key, key->name.data, violation.key_len);
    store_count(request->store, id, TALLY_VIOLATIONS);
    violations_add(request->server->violations, &violation);
}

/* ---- judging ---- */

static enum value_type type_wanted(const struct pattern *pattern) {
    static const enum value_type types[PATTERN_TYPES] = {
        [PATTERN_TYPE_STRING] = TYPE_STRING, [PATTERN_TYPE_LIST] = TYPE_LIST,
        [PATTERN_TYPE_HASH] = TYPE_HASH,     [PATTERN_TYPE_SET] = TYPE_SET,
        [PATTERN_TYPE_ZSET] = TYPE_ZSET,     [PATTERN_TYPE_STREAM] = TYPE_STREAM,
    };
    return types[pattern->type];
}

static size_t value_size(const struct entry *entry) {
    if (entry_type(entry) == TYPE_STRING) return entry_string_len(entry);
    return value_bytes(entry_type(entry), entry_value(entry));
}

/* What is wrong with an entry as it is. */
static enum violation_kind judge_entry(const struct request *request, const struct key *key,
                                       const struct pattern *pattern, const struct entry *entry) {
    if (pattern->type != PATTERN_TYPE_UNSTATED && entry_type(entry) != type_wanted(pattern))
        return VIOLATION_TYPE;
    if (!pattern_allows_database(pattern, (int)request->db)) return VIOLATION_DATABASE;
    if (pattern->key_bytes_max && key->name.len > pattern->key_bytes_max) return VIOLATION_KEY_SIZE;
    if (pattern->value_bytes_max && value_size(entry) > pattern->value_bytes_max)
        return VIOLATION_VALUE_SIZE;
    if (pattern->elements_max && entry_type(entry) != TYPE_STRING &&
        entry_count(entry) > pattern->elements_max)
        return VIOLATION_ELEMENTS;
    return VIOLATION_NONE;
}

/* What a write would make wrong. entry: the key's, or NULL. */
static enum violation_kind judge_write(const struct request *request, uint32_t index,
                                       const struct pattern *pattern, const struct entry *entry,
                                       struct bytes *ret_what) {
    const struct key *key = request_key(request, index);
    bool anew = entry == NULL || guard_overwrites(request, index);
    int made = guard_type_made(request, index);
    if (anew && made >= 0 && pattern->type != PATTERN_TYPE_UNSTATED &&
        (enum value_type)made != type_wanted(pattern))
        return VIOLATION_TYPE;
    if (entry == NULL && !pattern_allows_database(pattern, (int)request->db))
        return VIOLATION_DATABASE;
    if (entry == NULL && pattern->key_bytes_max && key->name.len > pattern->key_bytes_max)
        return VIOLATION_KEY_SIZE;
    bool grows = request->command->flags & COMMAND_DENY_OOM;
    size_t size = anew ? 0 : value_size(entry);
    if (grows && pattern->value_bytes_max && request->key_count == 1 &&
        size + guard_bytes_brought(request) > pattern->value_bytes_max)
        return VIOLATION_VALUE_SIZE;
    const struct entry *before = anew ? NULL : entry;
    if (grows && pattern->elements_max && made != TYPE_STRING &&
        (before ? entry_count(before) : 0) + guard_elements_added(request, index, before) >
            pattern->elements_max)
        return VIOLATION_ELEMENTS;
    return guard_examine_values(request, index, pattern, ret_what);
}

/* ---- refusing ---- */

static void refuse(struct request *request, const struct key *key,
                   const struct pattern_rules *rules, enum violation_kind kind, struct bytes what) {
    enum { SHOWN_MAX = 128 };
    const struct pattern *pattern = rules->pattern;
    int key_len = (int)(key->name.len < SHOWN_MAX ? key->name.len : SHOWN_MAX),
        what_len = (int)(what.len < SHOWN_MAX ? what.len : SHOWN_MAX);
    const char *name = pattern ? pattern->name : "", *catalog = rules->catalog->name;
    struct reply *reply = request->reply;
    switch (kind) {
    case VIOLATION_TYPE:
        reply_error_format(reply, "CATALOG '%.*s' must be a %s (pattern %s of %s)", key_len,
                           key->name.data, pattern_type_names[pattern->type], name, catalog);
        break;
    case VIOLATION_DATABASE:
        reply_error_format(reply,
                           "CATALOG '%.*s' does not belong in database %u (pattern %s of %s)",
                           key_len, key->name.data, request->db, name, catalog);
        break;
    case VIOLATION_KEY_SIZE:
        reply_error_format(
            reply, "CATALOG '%.*s' has a longer name than %llu bytes (pattern %s of %s)", key_len,
            key->name.data, (unsigned long long)pattern->key_bytes_max, name, catalog);
        break;
    case VIOLATION_VALUE_SIZE:
        reply_error_format(
            reply, "CATALOG '%.*s' would have more than %llu bytes (pattern %s of %s)", key_len,
            key->name.data, (unsigned long long)pattern->value_bytes_max, name, catalog);
        break;
    case VIOLATION_ELEMENTS:
        reply_error_format(
            reply, "CATALOG '%.*s' would have more than %llu elements (pattern %s of %s)", key_len,
            key->name.data, (unsigned long long)pattern->elements_max, name, catalog);
        break;
    case VIOLATION_FIELD:
        reply_error_format(reply, "CATALOG '%.*s' has no field '%.*s' (pattern %s of %s)", key_len,
                           key->name.data, what_len, what.data, name, catalog);
        break;
    case VIOLATION_FORMAT:
        reply_error_format(reply,
                           "CATALOG '%.*s': '%.*s' has not the format asked for (pattern %s of %s)",
                           key_len, key->name.data, what_len, what.data, name, catalog);
        break;
    default:
        reply_error_format(reply, "CATALOG '%.*s' matches no pattern, and %s allows no others",
                           key_len, key->name.data, catalog);
    }
}

/* Whether the command may bring a key about, or change it otherwise than by taking from it. */
static bool brings(const struct request *request, uint32_t index) {
    unsigned flags = guard_key_flags(request, index);
    return (flags & KEY_OW) || (flags & KEY_RW && flags & (KEY_INSERT | KEY_UPDATE));
}

/* What is seldom done is kept out of line, so that the usual write does not pay for its registers. */
static __attribute__((noinline)) bool check_before(struct request *request) {
    struct store *store = request->store;
    for (uint32_t i = 0; i < request->key_count; i++) {
        const struct key *key = request_key(request, i);
        if (!brings(request, i)) continue;
        const struct entry *entry = store_find(store, request->db, key, request->now_ms);
        uint16_t id = entry ? entry->pattern : store_pattern_id(store, request->db, key->name);
        const struct pattern_rules *rules = store_pattern_rules(store, id);
        struct bytes what = {NULL, 0};
        enum violation_kind kind = VIOLATION_NONE;
        if (rules->mode != MODE_ENFORCE) continue;
        if (rules->pattern != NULL)
            kind = judge_write(request, i, rules->pattern, entry, &what);
        else if (entry == NULL)
            kind = VIOLATION_UNMATCHED;
        if (kind == VIOLATION_NONE) continue;
        note(request, key, id, rules, kind, true);
        refuse(request, key, rules, kind, what);
        return false;
    }
    return true;
}

bool guard_before(struct request *request) {
    return kn_likely(!store_enforces(request->store)) || check_before(request);
}

/* ---- afterwards ---- */

/* Commands that could have said a lifetime, and say by leaving it out that there shall be none. Others make the key first
 * and give it a lifetime next. */
static bool leaves_lifetime_out(const struct request *request) {
    static const char *const names[] = {"set", "mset", "getset"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(request->command->name, names[i]) == 0) return true;
    return false;
}

static void see_to_lifetime(struct request *request, uint32_t index, uint16_t id,
                            const struct pattern_rules *rules, struct entry *entry, bool is_new) {
    const struct lifetime *lifetime = &rules->pattern->lifetime;
    const struct key *key = request_key(request, index);
    int64_t at_ms = entry_expiry(entry), wanted_ms = 0;
    bool enforced = rules->mode == MODE_ENFORCE;
    enum violation_kind kind = VIOLATION_NONE;
    if (at_ms == ENTRY_EXPIRY_NONE) {
        bool anew = is_new || guard_overwrites(request, index);
        if (lifetime->required || (lifetime->default_ms && anew))
            wanted_ms = lifetime->default_ms ? lifetime->default_ms : lifetime->maximum_ms;
        if ((lifetime->required || wanted_ms) && (leaves_lifetime_out(request) || enforced))
            kind = VIOLATION_LIFETIME_MISSING;
        /* A default is a convenience where no lifetime is required. */
        if (!lifetime->required && enforced) kind = VIOLATION_NONE;
    } else if (lifetime->maximum_ms && at_ms > request->now_ms + lifetime->maximum_ms + SLACK_MS) {
        kind = VIOLATION_LIFETIME_LONG;
        wanted_ms = lifetime->maximum_ms;
    }
    if (enforced && wanted_ms) {
        store_set_expiry(request->store, request->db, key, entry, request->now_ms + wanted_ms);
        request_changed(request, index, EVENT_GENERIC, "expire");
    }
    if (kind != VIOLATION_NONE) note(request, key, id, rules, kind, enforced && wanted_ms);
}

/* entry: the key's, where it is known already. */
static __attribute__((noinline)) void look_at(struct request *request, uint32_t index, uint16_t id,
                                              struct entry *entry, bool changed, bool is_new) {
    const struct pattern_rules *rules = store_pattern_rules(request->store, id);
    const struct key *key = request_key(request, index);
    struct bytes what;
    if (rules->mode == MODE_OFF || !brings(request, index)) return;
    enum violation_kind kind = VIOLATION_NONE;
    if (!changed || !rules->about_entry) {
        entry = NULL;
    } else {
        if (rules->pattern == NULL) {
            if (is_new && rules->mode == MODE_OBSERVE)
                note(request, key, id, rules, VIOLATION_UNMATCHED, false);
            return;
        }
        if (entry == NULL ||
            (entry_has(entry, ENTRY_EXPIRES) && entry_expiry(entry) < request->now_ms))
            entry = store_find(request->store, request->db, key, request->now_ms);
        if (entry != NULL && rules->mode == MODE_OBSERVE)
            kind = judge_entry(request, key, rules->pattern, entry);
    }
    if (kind == VIOLATION_NONE && rules->about_arguments && rules->mode == MODE_OBSERVE)
        kind = guard_examine_values(request, index, rules->pattern, &what);
    if (kind != VIOLATION_NONE) note(request, key, id, rules, kind, false);
    if (entry != NULL) see_to_lifetime(request, index, id, rules, entry, is_new);
}

static __attribute__((noinline)) void look_at_many(struct request *request) {
    for (uint32_t i = 0; i < request->key_count; i++) {
        struct entry *entry =
            store_find(request->store, request->db, request_key(request, i), request->now_ms);
        bool may_be_new = guard_key_flags(request, i) & (KEY_OW | KEY_INSERT);
        if (entry != NULL) look_at(request, i, entry->pattern, entry, true, may_be_new);
    }
}

void guard_after(struct request *request, bool failed) {
    if (kn_unlikely(failed) || kn_unlikely(request->block.wanted)) return;
    if (kn_unlikely(request->key_count != 1)) {
        look_at_many(request);
        return;
    }
    const struct store_dealing *dealing = &store_dealing;
    if (dealing->hash != request_key(request, 0)->hash || dealing->db != request->db) return;
    uint16_t id = store_dealing_id();
    const struct pattern_rules *rules = store_pattern_rules(request->store, id);
    if (rules->about_arguments || (dealing->changed && rules->about_entry))
        look_at(request, 0, id, dealing->entry, dealing->changed, dealing->is_new);
}
