/* SPDX-License-Identifier: BSD-3-Clause */
/* Strings as arrays of bits. Integers among them are in bitfield.c. */
#include "types/bitmap.h"

#include "base/arena.h"
#include "commands/bitmap_common.h"
#include "commands/families.h"
#include "server/arguments.h"

/* ---- single bits ---- */

static void command_setbit(struct request *request) {
    uint64_t at;
    int64_t on;
    struct entry *entry;
    bool grown;
    if (!bitmap_offset(request, 2, 0, &at) ||
        !argument_i64_range(request, 3, 0, 1, &on, "ERR bit is not an integer or out of range") ||
        !request_write_typed(request, 0, TYPE_STRING, &entry))
        return;
    char *string = bitmap_reach(request, entry, at, &grown);
    if (string == NULL) return;
    bool before = bitmap_set(string, at, on);
    if (grown || before != (bool)on) request_changed(request, 0, EVENT_STRING, "setbit");
    reply_int(request->reply, before);
}

static void command_getbit(struct request *request) {
    uint64_t at;
    struct entry *entry;
    char scratch[ENTRY_SCRATCH];
    if (!bitmap_offset(request, 2, 0, &at) || !request_read_typed(request, 0, TYPE_STRING, &entry))
        return;
    reply_int(request->reply, entry != NULL && bitmap_get(entry_string(entry, scratch), at));
}

/* ---- ranges ---- */

struct range {
    int64_t start, end; /* as given, from the end when negative */
    bool has_start, has_end, in_bits;
};

/* [start [end [BYTE | BIT]]] from here on. Which mistake is told first: BITPOS looks at
 * the unit before the end. */
static bool parse_range(struct request *request, uint32_t first, bool unit_before_end,
                        struct range *range) {
    uint32_t given = request->argc > first ? request->argc - first : 0;
    *range = (struct range){.end = -1, .has_start = given > 0, .has_end = given > 1};
    bool fits = given <= 3;
    if (fits && given > 0 && !argument_i64(request, first, &range->start, NULL)) return false;
    if (fits && given > 2) {
        range->in_bits = argument_is(request, first + 2, "bit");
        fits = range->in_bits || argument_is(request, first + 2, "byte");
    }
    bool end_first = given > 1 && (fits || (given == 3 && !unit_before_end));
    if (end_first && !argument_i64(request, first + 1, &range->end, NULL)) return false;
    if (!fits) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return false;
    }
    return true;
}

/* The bits that a range means in a string of this length; false when there are none. */
static bool find_range(const struct range *range, size_t len, uint64_t *ret_first,
                       uint64_t *ret_last) {
    int64_t total = (int64_t)len * (range->in_bits ? 8 : 1), start = range->start, end = range->end;
    if (start < 0) start = start < -total ? 0 : start + total;
    if (end < 0) end = end < -total ? 0 : end + total;
    if (end >= total) end = total - 1;
    if (start > end) return false;
    *ret_first = range->in_bits ? (uint64_t)start : (uint64_t)start * 8;
    *ret_last = range->in_bits ? (uint64_t)end : (uint64_t)end * 8 + 7;
    return true;
}

static void command_bitcount(struct request *request) {
    struct range range;
    struct entry *entry;
    char scratch[ENTRY_SCRATCH];
    uint64_t first, last, count = 0;
    if (!parse_range(request, 2, false, &range) ||
        !request_read_typed(request, 0, TYPE_STRING, &entry))
        return;
    /* From the end backwards there is nothing, however short the string. */
    bool reversed = range.start < 0 && range.end < 0 && range.start > range.end;
    if (entry != NULL && !reversed) {
        struct bytes string = entry_string(entry, scratch);
        if (find_range(&range, string.len, &first, &last))
            count = bitmap_count(string, first, last);
    }
    reply_int(request->reply, (int64_t)count);
}

static void command_bitpos(struct request *request) {
    struct range range;
    struct entry *entry;
    char scratch[ENTRY_SCRATCH];
    int64_t bit, at = -1;
    uint64_t first, last;
    if (!argument_i64(request, 2, &bit, NULL)) return;
    if (bit != 0 && bit != 1) {
        reply_error(request->reply, "ERR The bit argument must be 1 or 0.");
        return;
    }
    if (!parse_range(request, 3, true, &range) ||
        !request_read_typed(request, 0, TYPE_STRING, &entry))
        return;
    if (entry == NULL) {
        reply_int(request->reply, bit ? -1 : 0);
        return;
    }
    struct bytes string = entry_string(entry, scratch);
    if (find_range(&range, string.len, &first, &last)) {
        at = bitmap_find(string, bit, first, last);
        /* Zeros go on behind the string, unless an end was given. */
        if (at < 0 && bit == 0 && !range.has_end) at = (int64_t)(last + 1);
    }
    reply_int(request->reply, at);
}

/* ---- BITOP ---- */

struct operation {
    const char *word;
    enum bitmap_operation what;
    bool needs_two;
};

static const struct operation operations[] = {
    {"and", BITMAP_AND, false},
    {"or", BITMAP_OR, false},
    {"xor", BITMAP_XOR, false},
    {"not", BITMAP_NOT, false},
    {"diff", BITMAP_FIRST_ONLY, true},
    {"diff1", BITMAP_OTHERS_ONLY, true},
    {"andor", BITMAP_FIRST_AND_ANY, true},
    {"one", BITMAP_EXACTLY_ONE, false},
};

static const struct operation *parse_operation(struct request *request) {
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        const struct operation *operation = &operations[i];
        if (!argument_is(request, 1, operation->word)) continue;
        if (operation->what == BITMAP_NOT && request->argc != 4) {
            reply_error(request->reply, "ERR BITOP NOT must be called with a single source key.");
            return NULL;
        }
        if (operation->needs_two && request->argc < 5) {
            reply_error_format(request->reply,
                               "ERR BITOP %s must be called with at least two source keys.",
                               operation->what == BITMAP_FIRST_ONLY    ? "DIFF"
                               : operation->what == BITMAP_OTHERS_ONLY ? "DIFF1"
                                                                       : "ANDOR");
            return NULL;
        }
        return operation;
    }
    reply_error_code(request->reply, ERROR_SYNTAX);
    return NULL;
}

/* The strings behind the first key, empty where there is none; NULL after an error. */
static struct bytes *read_sources(struct request *request, size_t *ret_longest) {
    size_t count = request->key_count - 1, longest = 0;
    struct bytes *sources = arena_try_array(request->arena, count, sizeof *sources);
    if (sources == NULL) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        struct entry *entry;
        if (!request_read_typed(request, (uint32_t)i + 1, TYPE_STRING, &entry)) return NULL;
        sources[i] = bytes_make(NULL, 0);
        if (entry != NULL) {
            bool integer = entry_has(entry, ENTRY_INTEGER);
            sources[i] =
                entry_string(entry, integer ? arena_alloc(request->arena, ENTRY_SCRATCH) : NULL);
        }
        if (sources[i].len > longest) longest = sources[i].len;
    }
    *ret_longest = longest;
    return sources;
}

/* A large result may be written over the old string, where that has about its size and is
 * none of the sources: new memory has to be fetched from the system page by page, which takes
 * longer than the operation. */
static char *reuse_old(struct request *request, const struct bytes *sources, struct entry **old,
                       size_t len) {
    enum { WORTH_IT = 65536 };
    const struct key *key = request_key(request, 0);
    if (*old == NULL || len < WORTH_IT || entry_type(*old) != TYPE_STRING) return NULL;
    struct bytes string = entry_string(*old, (char[ENTRY_SCRATCH]){0});
    if (string.len < len || string.len / 2 > len) return NULL;
    for (uint32_t i = 1; i < request->key_count; i++) {
        if (sources[i - 1].data == string.data) return NULL;
    }
    *old = store_set_expiry(request->store, request->db, key, *old, ENTRY_EXPIRY_NONE);
    return store_string_edit(request->store, request->db, key, old, len);
}

/* Combines the sources into the first key's value; false when there is no memory. */
static bool combine(struct request *request, enum bitmap_operation what,
                    const struct bytes *sources, struct entry *old, size_t len) {
    const struct key *key = request_key(request, 0);
    char *out = reuse_old(request, sources, &old, len);
    if (out != NULL) {
        bitmap_combine(what, sources, request->key_count - 1, out, len);
        return true;
    }
    struct string_block *block = store_block_new(request->store, key, len);
    if (block == NULL) return false;
    bitmap_combine(what, sources, request->key_count - 1, block->data, len);
    if (old == NULL) store_notify_new(request->store, request->db, key);
    store_put_block(request->store, request->db, key, old, block, ENTRY_EXPIRY_NONE);
    return true;
}

static void command_bitop(struct request *request) {
    const struct operation *operation = parse_operation(request);
    size_t len;
    if (operation == NULL) return;
    struct bytes *sources = read_sources(request, &len);
    if (sources == NULL) return;
    struct entry *old = request_write(request, 0);
    if (len > 0) {
        if (!combine(request, operation->what, sources, old, len)) {
            reply_error_code(request->reply, ERROR_NO_MEMORY);
            return;
        }
        request_changed(request, 0, EVENT_STRING, "set");
    } else if (old != NULL) {
        request_delete(request, 0, old);
        request_changed(request, 0, EVENT_GENERIC, "del");
    }
    reply_int(request->reply, (int64_t)len);
}

#define READ_KEY \
    { KEY_AT(1, KEY_RO | KEY_ACCESS) }

static const struct command rows[] = {
    {
        .name = "setbit",
        .arity = 4,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_BITMAP,
        .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE)},
        .since = "2.2.0",
        .complexity = "O(1)",
        .summary = "Sets or clears a bit of a string, which grows to reach it.",
        .syntax = "key offset value",
        .reply = "integer: the bit before",
        .handler = command_setbit,
    },
    {
        .name = "getbit",
        .arity = 3,
        .flags = COMMAND_READONLY | COMMAND_FAST,
        .groups = GROUP_BITMAP,
        .keys = READ_KEY,
        .since = "2.2.0",
        .complexity = "O(1)",
        .summary = "Returns a bit of a string.",
        .syntax = "key offset",
        .reply = "integer",
        .handler = command_getbit,
    },
    {
        .name = "bitcount",
        .arity = -2,
        .flags = COMMAND_READONLY,
        .groups = GROUP_BITMAP,
        .keys = READ_KEY,
        .since = "2.6.0",
        .complexity = "O(N) where N is the number of bytes in the range",
        .summary = "Counts the bits that are set in a string, or in a range of it.",
        .syntax = "key [start [end [BYTE | BIT]]]",
        .reply = "integer",
        .handler = command_bitcount,
    },
    {
        .name = "bitpos",
        .arity = -3,
        .flags = COMMAND_READONLY,
        .groups = GROUP_BITMAP,
        .keys = READ_KEY,
        .since = "2.8.7",
        .complexity = "O(N) where N is the number of bytes in the range",
        .summary = "Finds the first bit that is set, or clear, in a string or a range of it.",
        .syntax = "key bit [start [end [BYTE | BIT]]]",
        .reply = "integer",
        .handler = command_bitpos,
    },
    {
        .name = "bitop",
        .arity = -4,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_BITMAP,
        .keys = {KEY_AT(2, KEY_OW | KEY_UPDATE), KEY_ALL_FROM(3, KEY_RO | KEY_ACCESS)},
        .since = "2.6.0",
        .complexity = "O(N) where N is the number of bytes of all strings together",
        .summary = "Combines strings bit by bit, and stores the result.",
        .syntax = "<AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE> destkey key [key ...]",
        .reply = "integer: the result's length",
        .handler = command_bitop,
    },
    {0},
};

const struct command_family bitmap_commands = {"bitmap", rows};
