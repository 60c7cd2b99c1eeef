/* SPDX-License-Identifier: BSD-3-Clause */
/* When fields of a hash expire: setting it, asking for it, taking it back. */
#include "commands/families.h"
#include "commands/hash_common.h"
#include "server/command.h"

/* What is replied for a field. */
enum field_reply {
    FIELD_MISSING = -2,
    FIELD_NO_EXPIRY = -1,
    FIELD_UNMET = 0, /* the condition did not hold */
    FIELD_SET = 1,
    FIELD_DELETED = 2, /* the time was over already */
};

static void reply_missing(struct request *request, const struct field_range *fields) {
    reply_array(request->reply, fields->count);
    for (uint32_t i = 0; i < fields->count; i++) reply_int(request->reply, FIELD_MISSING);
}

/* ---- setting ---- */

enum condition { ALWAYS, IF_NONE, IF_SOME, IF_LATER, IF_EARLIER };

static enum condition parse_condition(struct request *request, uint32_t index) {
    static const char *const words[] = {"nx", "xx", "gt", "lt"};
    for (unsigned i = 0; index < request->argc && i < 4; i++)
        if (argument_is(request, index, words[i])) return IF_NONE + i;
    return ALWAYS;
}

/* A field without an expiry has one that is later than all others. */
static bool condition_holds(enum condition condition, int64_t had_ms, int64_t wanted_ms) {
    switch (condition) {
    case IF_NONE: return had_ms == HASH_NO_EXPIRY;
    case IF_SOME: return had_ms != HASH_NO_EXPIRY;
    case IF_LATER: return wanted_ms > had_ms;
    case IF_EARLIER: return wanted_ms < had_ms;
    default: return true;
    }
}

static enum field_reply expire_field(struct request *request, struct hash *hash, struct bytes field,
                                     int64_t at_ms, enum condition condition) {
    int64_t had_ms;
    if (!hash_get_expiry(hash, field, request->now_ms, &had_ms)) return FIELD_MISSING;
    if (!condition_holds(condition, had_ms, at_ms)) return FIELD_UNMET;
    if (at_ms <= request->now_ms) {
        hash_delete(hash, field, request->now_ms);
        return FIELD_DELETED;
    }
    hash_set_expiry(hash, field, request->now_ms, at_ms);
    return FIELD_SET;
}

static void expire_fields(struct request *request, int64_t unit_ms, bool absolute) {
    struct entry *entry;
    struct field_range fields;
    int64_t at_ms, counts[FIELD_DELETED + 1] = {0};
    if (!hash_open_write(request, &entry) ||
        !hash_parse_expiry(request, 2, unit_ms, absolute, &at_ms))
        return;
    enum condition condition = parse_condition(request, 3);
    if (!hash_parse_fields(request, condition == ALWAYS ? 3 : 4,
                           "ERR Parameter `numFields` should be greater than 0", &fields))
        return;
    if (!entry) {
        reply_missing(request, &fields);
        return;
    }
    reply_array(request->reply, fields.count);
    for (uint32_t i = 0; i < fields.count; i++) {
        struct bytes field = argument(request, fields.first + i);
        enum field_reply done = expire_field(request, hash_of(entry), field, at_ms, condition);
        reply_int(request->reply, done);
        if (done >= 0) counts[done]++;
    }
    if (counts[FIELD_SET]) {
        hash_note_expiry(request, entry);
        request_changed(request, 0, EVENT_HASH, "hexpire");
    }
    if (counts[FIELD_DELETED]) {
        request_changed(request, 0, EVENT_HASH, "hdel");
        request_delete_if_empty(request, 0, entry);
    }
}

static void hexpire(struct request *request) {
    expire_fields(request, 1000, false);
}

static void hpexpire(struct request *request) {
    expire_fields(request, 1, false);
}

static void hexpireat(struct request *request) {
    expire_fields(request, 1000, true);
}

static void hpexpireat(struct request *request) {
    expire_fields(request, 1, true);
}

static void hpersist(struct request *request) {
    struct entry *entry;
    struct field_range fields;
    bool changed = false;
    if (!hash_open_write(request, &entry) ||
        !hash_parse_fields(request, 2, HASH_BAD_COUNT, &fields))
        return;
    if (!entry) {
        reply_missing(request, &fields);
        return;
    }
    reply_array(request->reply, fields.count);
    for (uint32_t i = 0; i < fields.count; i++) {
        struct bytes field = argument(request, fields.first + i);
        int64_t had_ms;
        if (!hash_get_expiry(hash_of(entry), field, request->now_ms, &had_ms)) {
            reply_int(request->reply, FIELD_MISSING);
        } else if (had_ms == HASH_NO_EXPIRY) {
            reply_int(request->reply, FIELD_NO_EXPIRY);
        } else {
            hash_set_expiry(hash_of(entry), field, request->now_ms, HASH_NO_EXPIRY);
            reply_int(request->reply, FIELD_SET);
            changed = true;
        }
    }
    if (changed) request_changed(request, 0, EVENT_HASH, "hpersist");
}

/* ---- asking ---- */

/* since_ms: 0, or now for what is left. */
static void reply_expiries(struct request *request, int64_t unit_ms, int64_t since_ms) {
    struct entry *entry;
    struct field_range fields;
    if (!hash_open_read(request, &entry) || !hash_parse_fields(request, 2, HASH_BAD_COUNT, &fields))
        return;
    if (!entry) {
        reply_missing(request, &fields);
        return;
    }
    reply_array(request->reply, fields.count);
    for (uint32_t i = 0; i < fields.count; i++) {
        int64_t at_ms;
        if (!hash_get_expiry(hash_of(entry), argument(request, fields.first + i), request->now_ms,
                             &at_ms))
            reply_int(request->reply, FIELD_MISSING);
        else if (at_ms == HASH_NO_EXPIRY)
            reply_int(request->reply, FIELD_NO_EXPIRY);
        else
            reply_int(request->reply, (at_ms - since_ms + unit_ms - 1) / unit_ms);
    }
}

static void httl(struct request *request) {
    reply_expiries(request, 1000, request->now_ms);
}

static void hpttl(struct request *request) {
    reply_expiries(request, 1, request->now_ms);
}

static void hexpiretime(struct request *request) {
    reply_expiries(request, 1000, 0);
}

static void hpexpiretime(struct request *request) {
    reply_expiries(request, 1, 0);
}

/* ---- rows ---- */

#define FIELDS_SYNTAX    "FIELDS numfields field [field ...]"
#define CONDITION_SYNTAX "[NX | XX | GT | LT] " FIELDS_SYNTAX

static const struct command rows[] = {
    {.name = "hexpire",
     .arity = -6,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
     .since = "7.4.0",
     .complexity = "O(N) for N fields",
     .summary = "Lets fields expire after seconds.",
     .syntax = "key seconds " CONDITION_SYNTAX,
     .reply = "array of integers",
     .handler = hexpire},
    {.name = "hpexpire",
     .arity = -6,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
     .since = "7.4.0",
     .complexity = "O(N) for N fields",
     .summary = "Lets fields expire after milliseconds.",
     .syntax = "key milliseconds " CONDITION_SYNTAX,
     .reply = "array of integers",
     .handler = hpexpire},
    {.name = "hexpireat",
     .arity = -6,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
     .since = "7.4.0",
     .complexity = "O(N) for N fields",
     .summary = "Lets fields expire at a Unix time in seconds.",
     .syntax = "key unix-time-seconds " CONDITION_SYNTAX,
     .reply = "array of integers",
     .handler = hexpireat},
    {.name = "hpexpireat",
     .arity = -6,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
     .since = "7.4.0",
     .complexity = "O(N) for N fields",
     .summary = "Lets fields expire at a Unix time in milliseconds.",
     .syntax = "key unix-time-milliseconds " CONDITION_SYNTAX,
     .reply = "array of integers",
     .handler = hpexpireat},
    {.name = "hpersist",
     .arity = -5,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
     .since = "7.4.0",
     .complexity = "O(N) for N fields",
     .summary = "Takes the expiry of fields away.",
     .syntax = "key " FIELDS_SYNTAX,
     .reply = "array of integers",
     .handler = hpersist},
    {.name = "httl",
     .arity = -5,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "7.4.0",
     .complexity = "O(N) for N fields",
     .summary = "Tells in how many seconds fields expire.",
     .syntax = "key " FIELDS_SYNTAX,
     .reply = "array of integers",
     .handler = httl},
    {.name = "hpttl",
     .arity = -5,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "7.4.0",
     .complexity = "O(N) for N fields",
     .summary = "Tells in how many milliseconds fields expire.",
     .syntax = "key " FIELDS_SYNTAX,
     .reply = "array of integers",
     .handler = hpttl},
    {.name = "hexpiretime",
     .arity = -5,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "7.4.0",
     .complexity = "O(N) for N fields",
     .summary = "Tells the Unix time in seconds at which fields expire.",
     .syntax = "key " FIELDS_SYNTAX,
     .reply = "array of integers",
     .handler = hexpiretime},
    {.name = "hpexpiretime",
     .arity = -5,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "7.4.0",
     .complexity = "O(N) for N fields",
     .summary = "Tells the Unix time in milliseconds at which fields expire.",
     .syntax = "key " FIELDS_SYNTAX,
     .reply = "array of integers",
     .handler = hpexpiretime},
    {.name = NULL},
};

const struct command_family hash_expiry_commands = {"hash", rows};
