/* SPDX-License-Identifier: BSD-3-Clause */
/* Going over the fields of a hash: all of them, step by step, or by chance. */
#include "base/arena.h"
#include "base/glob.h"
#include "base/random.h"
#include "commands/families.h"
#include "commands/hash_common.h"
#include "server/command.h"

/* ---- all ---- */

enum { WITH_FIELDS = 1, WITH_VALUES = 2 };

static void reply_all(struct request *request, unsigned parts) {
    struct entry *entry;
    struct hash_iter iter;
    struct bytes field, value;
    if (!hash_open_read(request, &entry)) return;
    size_t count = entry ? hash_count_live(hash_of(entry), request->now_ms) : 0;
    if (parts == (WITH_FIELDS | WITH_VALUES))
        reply_map(request->reply, count);
    else
        reply_array(request->reply, count);
    if (!entry) return;
    hash_iter_init(&iter, hash_of(entry), request->now_ms);
    while (hash_iter_next(&iter, &field, &value)) {
        if (parts & WITH_FIELDS) reply_bulk(request->reply, field);
        if (parts & WITH_VALUES) reply_bulk(request->reply, value);
    }
}

static void hgetall(struct request *request) {
    reply_all(request, WITH_FIELDS | WITH_VALUES);
}

static void hkeys(struct request *request) {
    reply_all(request, WITH_FIELDS);
}

static void hvals(struct request *request) {
    reply_all(request, WITH_VALUES);
}

/* ---- step by step ---- */

struct page {
    struct request *request;
    struct scan_options options;
    size_t visited, count, room;
    struct bytes *texts; /* fields, each followed by its value unless NOVALUES */
};

/* Texts that may lie in a scratch are copied; longer ones lie in the hash itself. */
static struct bytes page_keep(struct page *page, struct bytes text) {
    return text.len <= HASH_SCRATCH ? arena_copy(page->request->arena, text) : text;
}

static void page_add(struct bytes field, struct bytes value, void *context) {
    struct page *page = context;
    page->visited++;
    if (page->options.has_match && !glob_match(page->options.match, field, false)) return;
    if (page->count + 2 > page->room) {
        size_t room = page->room ? page->room * 2 : 64;
        struct bytes *texts = arena_alloc(page->request->arena, room * sizeof *texts);
        if (page->count) memcpy(texts, page->texts, page->count * sizeof *texts);
        page->texts = texts;
        page->room = room;
    }
    page->texts[page->count++] = page_keep(page, field);
    if (!page->options.elements_only) page->texts[page->count++] = page_keep(page, value);
}

/* The cursor is checked before the key is looked up, the options after. */
static bool scan_cursor(struct request *request) {
    struct scan_options options;
    uint32_t argc = request->argc;
    request->argc = 3;
    bool valid = argument_scan(request, 2, &options);
    request->argc = argc;
    return valid;
}

static void hscan(struct request *request) {
    enum { STEPS_FOR_EACH = 10 };
    struct entry *entry;
    struct page page = {.request = request};
    if (!scan_cursor(request) || !hash_open_read(request, &entry)) return;
    if (!entry) {
        REPLY_LITERAL(request->reply, "*2\r\n$1\r\n0\r\n*0\r\n");
        return;
    }
    if (!argument_scan(request, 2, &page.options)) return;
    uint64_t cursor = page.options.cursor, steps = 0;
    do cursor = hash_scan(hash_of(entry), cursor, request->now_ms, page_add, &page);
    while (cursor && page.visited < page.options.count &&
           ++steps / STEPS_FOR_EACH < page.options.count);
    char text[NUMBER_I64_MAX];
    reply_array(request->reply, 2);
    reply_bulk(request->reply, bytes_make(text, number_format_u64(text, cursor)));
    reply_array(request->reply, page.count);
    for (size_t i = 0; i < page.count; i++) reply_bulk(request->reply, page.texts[i]);
}

/* ---- by chance ---- */

static void reply_field(struct bytes field, struct bytes value, void *context) {
    struct request *request = context;
    (void)value;
    reply_bulk(request->reply, field);
}

static void reply_pair(struct bytes field, struct bytes value, void *context) {
    struct request *request = context;
    if (request->reply->resp >= 3) reply_array(request->reply, 2);
    reply_bulk(request->reply, field);
    reply_bulk(request->reply, value);
}

static void reply_random(struct request *request, const struct hash *hash, int64_t count,
                         bool values) {
    enum { BATCH = 1024 };
    hash_visit_fn *visit = values ? reply_pair : reply_field;
    size_t live = hash_count_live(hash, request->now_ms),
           flat = values && request->reply->resp < 3 ? 2 : 1;
    if (live == 0 || count == 0) {
        reply_array(request->reply, 0);
    } else if (count > 0) {
        size_t most = (uint64_t)count < live ? (size_t)count : live;
        reply_array(request->reply, most * flat);
        hash_sample(hash, random_thread(), most, request->now_ms, visit, request);
    } else {
        uint64_t left = 0 - (uint64_t)count;
        reply_array(request->reply, left * flat);
        /* As many as were asked for, were it more than the client can be sent. */
        while (left > 0 && !request->reply->overflow) {
            size_t now = left < BATCH ? left : BATCH;
            hash_draw(hash, random_thread(), now, request->now_ms, visit, request);
            left -= now;
        }
    }
}

static void hrandfield(struct request *request) {
    struct entry *entry;
    int64_t count = 1;
    bool has_count = request->argc > 2, values = request->argc > 3;
    if (has_count && !argument_i64_range(request, 2, -INT64_MAX, INT64_MAX, &count, NULL)) return;
    if (request->argc > 4 || (values && !argument_is(request, 3, "withvalues"))) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return;
    }
    if (values && (count < -(INT64_MAX / 2) || count > INT64_MAX / 2)) {
        reply_error_code(request->reply, ERROR_OUT_OF_RANGE);
        return;
    }
    if (!hash_open_read(request, &entry)) return;
    if (has_count) {
        if (entry)
            reply_random(request, hash_of(entry), count, values);
        else
            reply_array(request->reply, 0);
    } else if (entry && hash_count_live(hash_of(entry), request->now_ms) > 0) {
        hash_draw(hash_of(entry), random_thread(), 1, request->now_ms, reply_field, request);
    } else {
        reply_null(request->reply);
    }
}

/* ---- rows ---- */

static const struct command rows[] = {
    {.name = "hgetall",
     .arity = 2,
     .flags = COMMAND_READONLY,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "2.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Gets all fields and values of a hash.",
     .syntax = "key",
     .reply = "map of bulks",
     .handler = hgetall},
    {.name = "hkeys",
     .arity = 2,
     .flags = COMMAND_READONLY,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "2.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Gets all fields of a hash.",
     .syntax = "key",
     .reply = "array of bulks",
     .handler = hkeys},
    {.name = "hvals",
     .arity = 2,
     .flags = COMMAND_READONLY,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "2.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Gets all values of a hash.",
     .syntax = "key",
     .reply = "array of bulks",
     .handler = hvals},
    {.name = "hscan",
     .arity = -3,
     .flags = COMMAND_READONLY,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "2.8.0",
     .complexity = "O(1) for a call, O(N) for a whole iteration over N fields",
     .summary = "Iterates over the fields and values of a hash.",
     .syntax = "key cursor [MATCH pattern] [COUNT count] [NOVALUES]",
     .reply = "array of cursor and array of bulks",
     .handler = hscan},
    {.name = "hrandfield",
     .arity = -2,
     .flags = COMMAND_READONLY,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "6.2.0",
     .complexity = "O(N) for N fields returned",
     .summary = "Gets random fields; a negative count allows repetitions.",
     .syntax = "key [count [WITHVALUES]]",
     .reply = "bulk | null | array of bulks",
     .handler = hrandfield},
    {.name = NULL},
};

const struct command_family hash_visit_commands = {"hash", rows};
