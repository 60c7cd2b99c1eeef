/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that do two things to fields in one step: getting and expiring, setting and
 * expiring, getting and deleting. */
#include "commands/families.h"
#include "commands/hash_common.h"
#include "server/command.h"

/* ---- HGETDEL ---- */

static void hgetdel(struct request *request) {
    struct entry *entry;
    struct field_range fields;
    bool deleted = false;
    if (!hash_open_write(request, &entry) ||
        !hash_parse_fields(request, 2, HASH_BAD_COUNT, &fields))
        return;
    reply_array(request->reply, fields.count);
    for (uint32_t i = 0; i < fields.count; i++) {
        struct bytes field = argument(request, fields.first + i);
        hash_reply_value(request, entry, field);
        if (entry && hash_delete(hash_of(entry), field, request->now_ms)) deleted = true;
    }
    if (!deleted) return;
    request_changed(request, 0, EVENT_HASH, "hdel");
    request_delete_if_empty(request, 0, entry);
}

/* ---- HGETEX ---- */

struct getex {
    bool expires, persist;
    int64_t at_ms;
    struct field_range fields;
};

static bool parse_getex(struct request *request, struct getex *ret_getex) {
    struct getex getex = {0};
    uint32_t index = 2;
    int64_t unit_ms;
    bool absolute;
    if (hash_expiry_word(request, index, &unit_ms, &absolute)) {
        if (!hash_parse_expiry(request, index + 1, unit_ms, absolute, &getex.at_ms)) return false;
        getex.expires = true;
        index += 2;
    } else if (argument_is(request, index, "persist")) {
        getex.persist = true;
        index++;
    }
    if (index + 1 >= request->argc) {
        hash_reply_arity(request);
        return false;
    }
    if (!hash_parse_fields(request, index, HASH_BAD_COUNT, &getex.fields)) return false;
    *ret_getex = getex;
    return true;
}

/* Does to a field what is to be done after it was replied; returns whether that changed it. */
static bool getex_field(struct request *request, struct hash *hash, struct bytes field,
                        const struct getex *getex) {
    int64_t had_ms;
    if (getex->expires && getex->at_ms <= request->now_ms)
        return hash_delete(hash, field, request->now_ms);
    if (!hash_get_expiry(hash, field, request->now_ms, &had_ms)) return false;
    if (getex->persist && had_ms == HASH_NO_EXPIRY) return false;
    return hash_set_expiry(hash, field, request->now_ms,
                           getex->persist ? HASH_NO_EXPIRY : getex->at_ms);
}

static void hgetex(struct request *request) {
    struct entry *entry;
    struct getex getex;
    bool changed = false;
    if (!hash_open_write(request, &entry) || !parse_getex(request, &getex)) return;
    reply_array(request->reply, getex.fields.count);
    for (uint32_t i = 0; i < getex.fields.count; i++) {
        struct bytes field = argument(request, getex.fields.first + i);
        hash_reply_value(request, entry, field);
        if (!entry || !(getex.expires || getex.persist)) continue;
        if (getex_field(request, hash_of(entry), field, &getex)) changed = true;
    }
    if (!changed) return;
    if (getex.expires && getex.at_ms <= request->now_ms) {
        request_changed(request, 0, EVENT_HASH, "hdel");
        request_delete_if_empty(request, 0, entry);
    } else {
        hash_note_expiry(request, entry);
        request_changed(request, 0, EVENT_HASH, getex.persist ? "hpersist" : "hexpire");
    }
}

/* ---- HSETEX ---- */

enum presence { ANY_PRESENCE, IF_ABSENT, IF_PRESENT };

struct setex {
    enum presence key, fields_are; /* NX and XX; FNX and FXX */
    bool expires;
    int64_t at_ms;            /* HASH_NO_EXPIRY or HASH_KEEP_EXPIRY unless it expires */
    struct field_range pairs; /* count: of pairs */
};

/* Replies an error unless this is the first of the options of a kind. */
static bool only_one(struct request *request, bool first, const char *kind) {
    if (!first)
        reply_error_format(request->reply, "ERR Only one of %s arguments can be specified", kind);
    return first;
}

enum parsed { PARSED, PARSED_NOT, PARSED_WRONG };

static enum parsed parse_presence(struct request *request, uint32_t index, struct setex *setex) {
    static const struct {
        const char *word;
        bool of_fields;
        enum presence presence;
    } words[] = {{"fnx", true, IF_ABSENT},
                 {"fxx", true, IF_PRESENT},
                 {"nx", false, IF_ABSENT},
                 {"xx", false, IF_PRESENT}};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        if (!argument_is(request, index, words[i].word)) continue;
        enum presence *wanted = words[i].of_fields ? &setex->fields_are : &setex->key;
        const char *kind = words[i].of_fields ? "FXX or FNX" : "XX or NX";
        if (!only_one(request, *wanted == ANY_PRESENCE, kind)) return PARSED_WRONG;
        *wanted = words[i].presence;
        return PARSED;
    }
    return PARSED_NOT;
}

/* *index goes on to the option's value if it has one. */
static enum parsed parse_setex_expiry(struct request *request, uint32_t *index,
                                      struct setex *setex) {
    int64_t unit_ms;
    bool absolute, keeps = argument_is(request, *index, "keepttl");
    if (!keeps && !hash_expiry_word(request, *index, &unit_ms, &absolute)) return PARSED_NOT;
    if (!only_one(request, setex->at_ms == HASH_NO_EXPIRY, "EX, PX, EXAT, PXAT or KEEPTTL"))
        return PARSED_WRONG;
    if (keeps) {
        setex->at_ms = HASH_KEEP_EXPIRY;
        return PARSED;
    }
    if (++*index == request->argc) {
        hash_reply_arity(request);
        return PARSED_WRONG;
    }
    setex->expires = true;
    return hash_parse_expiry(request, *index, unit_ms, absolute, &setex->at_ms) ? PARSED
                                                                                : PARSED_WRONG;
}

/* numfields field value [field value ...], from an index to the end. */
static bool parse_pairs(struct request *request, uint32_t index, struct field_range *ret_pairs) {
    int64_t count;
    bool complete = index + 2 < request->argc;
    if (complete &&
        !argument_i64_range(request, index, 1, INT32_MAX, &count, "ERR invalid number of fields"))
        return false;
    if (!complete || 2 * count != (int64_t)request->argc - index - 1) {
        hash_reply_arity(request);
        return false;
    }
    *ret_pairs = (struct field_range){index + 1, (uint32_t)count};
    return true;
}

static bool parse_setex(struct request *request, struct setex *ret_setex) {
    *ret_setex = (struct setex){.at_ms = HASH_NO_EXPIRY};
    for (uint32_t i = 2; i < request->argc; i++) {
        if (argument_is(request, i, "fields"))
            return parse_pairs(request, i + 1, &ret_setex->pairs);
        enum parsed parsed = parse_presence(request, i, ret_setex);
        if (parsed == PARSED_NOT) parsed = parse_setex_expiry(request, &i, ret_setex);
        if (parsed == PARSED_WRONG) return false;
        if (parsed == PARSED) continue;
        struct bytes word = argument(request, i);
        reply_error_format(request->reply, "ERR unknown argument: %.*s",
                           (int)(word.len < 128 ? word.len : 128), word.data);
        return false;
    }
    hash_reply_arity(request);
    return false;
}

static bool presence_holds(enum presence wanted, bool present) {
    return wanted == ANY_PRESENCE || present == (wanted == IF_PRESENT);
}

static bool setex_may(struct request *request, const struct entry *entry,
                      const struct setex *setex) {
    if (!presence_holds(setex->key, entry != NULL)) return false;
    for (uint32_t i = 0; setex->fields_are != ANY_PRESENCE && i < setex->pairs.count; i++) {
        struct bytes field = argument(request, setex->pairs.first + 2 * i);
        int64_t ignored_ms;
        bool present =
            entry && hash_get_expiry(hash_of(entry), field, request->now_ms, &ignored_ms);
        if (!presence_holds(setex->fields_are, present)) return false;
    }
    return true;
}

static void hsetex(struct request *request) {
    struct entry *entry;
    struct setex setex;
    if (!parse_setex(request, &setex) || !hash_open_write(request, &entry)) return;
    if (!setex_may(request, entry, &setex)) {
        reply_int(request->reply, 0);
        return;
    }
    /* A time that is over already: the fields are set, and gone. */
    bool over = setex.expires && setex.at_ms <= request->now_ms;
    struct hash *hash = entry ? hash_of(entry) : hash_new(request_heap(request, 0));
    for (uint32_t i = 0; i < setex.pairs.count; i++) {
        uint32_t at = setex.pairs.first + 2 * i;
        hash_set(hash, argument(request, at), argument(request, at + 1), request->now_ms,
                 over ? HASH_NO_EXPIRY : setex.at_ms);
    }
    if (!entry) entry = request_put(request, 0, NULL, TYPE_HASH, hash);
    reply_int(request->reply, 1);
    request_changed(request, 0, EVENT_HASH, "hset");
    if (over) {
        for (uint32_t i = 0; i < setex.pairs.count; i++)
            hash_delete(hash, argument(request, setex.pairs.first + 2 * i), request->now_ms);
        request_changed(request, 0, EVENT_HASH, "hdel");
        request_delete_if_empty(request, 0, entry);
    } else if (setex.expires) {
        hash_note_expiry(request, entry);
        request_changed(request, 0, EVENT_HASH, "hexpire");
    }
}

/* ---- rows ---- */

static const struct command rows[] = {
    {.name = "hgetex",
     .arity = -5,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE)},
     .since = "8.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Gets the values of fields and sets when they expire.",
     .syntax = "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
               "unix-time-milliseconds | PERSIST] "
               "FIELDS numfields field [field ...]",
     .reply = "array of bulks | nulls",
     .handler = hgetex},
    {.name = "hsetex",
     .arity = -6,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
     .since = "8.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Sets fields and when they expire.",
     .syntax =
         "key [NX | XX] [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
         "PXAT unix-time-milliseconds | KEEPTTL] FIELDS numfields field value [field value ...]",
     .reply = "integer",
     .handler = hsetex},
    {.name = "hgetdel",
     .arity = -5,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE)},
     .since = "8.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Gets the values of fields and removes them.",
     .syntax = "key FIELDS numfields field [field ...]",
     .reply = "array of bulks | nulls",
     .handler = hgetdel},
    {.name = NULL},
};

const struct command_family hash_ex_commands = {"hash", rows};
