/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands on several strings: MGET, MSET and their kind, LCS. */
#include "base/arena.h"
#include "base/number.h"
#include "commands/families.h"
#include "commands/string_options.h"
#include "server/arguments.h"
#include "server/server.h"

static void cmd_mget(struct request *request) {
    char scratch[ENTRY_SCRATCH];
    reply_array(request->reply, request->key_count);
    for (uint32_t i = 0; i < request->key_count; i++) {
        const struct entry *entry = request_read(request, i);
        if (entry == NULL || entry_type(entry) != TYPE_STRING)
            reply_null(request->reply);
        else
            reply_bulk(request->reply, entry_string(entry, scratch));
    }
}

static void put_pair(struct request *request, uint32_t index, int64_t expires_ms) {
    const struct key *key = request_key(request, index);
    struct entry *old = request_write(request, index);
    if (old == NULL) store_notify_new(request->store, request->db, key);
    store_put_string(request->store, request->db, key, old,
                     argument(request, request->keys[index].arg + 1), expires_ms);
    request_changed(request, index, EVENT_STRING, "set");
    if (expires_ms > ENTRY_EXPIRY_NONE)
        store_changed(request->store, request->db, key, EVENT_GENERIC, "expire");
}

static bool whole_pairs(struct request *request, const char *name) {
    if (request->argc % 2 == 1) return true;
    reply_error_format(request->reply, "ERR wrong number of arguments for '%s' command", name);
    return false;
}

static bool any_exists(struct request *request) {
    for (uint32_t i = 0; i < request->key_count; i++)
        if (request_write(request, i) != NULL) return true;
    return false;
}

static bool all_exist(struct request *request) {
    for (uint32_t i = 0; i < request->key_count; i++)
        if (request_write(request, i) == NULL) return false;
    return true;
}

static void cmd_mset(struct request *request) {
    if (!whole_pairs(request, "mset")) return;
    for (uint32_t i = 0; i < request->key_count; i++) put_pair(request, i, ENTRY_EXPIRY_NONE);
    reply_ok(request->reply);
}

static void cmd_msetnx(struct request *request) {
    if (!whole_pairs(request, "msetnx")) return;
    bool sets = !any_exists(request);
    for (uint32_t i = 0; sets && i < request->key_count; i++)
        put_pair(request, i, ENTRY_EXPIRY_NONE);
    reply_int(request->reply, sets);
}

static void cmd_msetex(struct request *request) {
    int64_t pairs;
    struct string_options options;
    if (!argument_i64_range(request, 1, 1, INT32_MAX, &pairs, "ERR invalid numkeys value")) return;
    if (pairs * 2 > (int64_t)request->argc - 2) {
        reply_error(request->reply, "ERR wrong number of key-value pairs");
        return;
    }
    if (!string_options_parse(request, 2 + 2 * (uint32_t)pairs,
                              OPTION_EXPIRY | OPTION_KEEPTTL | OPTION_CONDITION, &options) ||
        !string_options_expiry(request, &options))
        return;
    bool sets = options.condition == SET_IF_MISSING   ? !any_exists(request)
                : options.condition == SET_IF_PRESENT ? all_exist(request)
                                                      : true;
    for (uint32_t i = 0; sets && i < request->key_count; i++) {
        bool past = options.has_expiry && options.expires_ms < request->now_ms;
        put_pair(request, i, past ? ENTRY_EXPIRY_NONE : options.expires_ms);
        struct entry *entry = past ? request_write(request, i) : NULL;
        if (entry == NULL) continue;
        request_delete(request, i, entry);
        request_changed(request, i, EVENT_GENERIC, "del");
    }
    reply_int(request->reply, sets);
}

/* ---- LCS ---- */

struct lcs {
    struct bytes a, b;
    uint32_t *lengths; /* of the longest common subsequence of the first i bytes of a and j of b */
    bool idx, with_len;
    int64_t min_match;
};

static uint32_t *lcs_at(const struct lcs *lcs, size_t i, size_t j) {
    return &lcs->lengths[i * (lcs->b.len + 1) + j];
}

static bool lcs_fill(struct request *request, struct lcs *lcs) {
    size_t cells, bytes;
    int64_t most =
        atomic_load_explicit(&request->server->limits.bulk_max_bytes, memory_order_relaxed);
    if (lcs->a.len >= UINT32_MAX - 1 || lcs->b.len >= UINT32_MAX - 1) {
        reply_error(request->reply, "ERR String too long for LCS");
        return false;
    }
    /* Not only what there is: memory that is promised today may be
     * missing when it is written to. */
    if (__builtin_mul_overflow(lcs->a.len + 1, lcs->b.len + 1, &cells) ||
        __builtin_mul_overflow(cells, sizeof *lcs->lengths, &bytes) || bytes > (uint64_t)most) {
        reply_error(request->reply, "ERR Insufficient memory, transient memory for LCS exceeds "
                                    "proto-max-bulk-len");
        return false;
    }
    if ((lcs->lengths = arena_try_array(request->arena, cells, sizeof *lcs->lengths)) == NULL) {
        reply_error(request->reply,
                    "ERR Insufficient memory, failed allocating transient memory for LCS");
        return false;
    }
    for (size_t i = 0; i <= lcs->a.len; i++) {
        for (size_t j = 0; j <= lcs->b.len; j++) {
            uint32_t *cell = lcs_at(lcs, i, j);
            if (i == 0 || j == 0)
                *cell = 0;
            else if (lcs->a.data[i - 1] == lcs->b.data[j - 1])
                *cell = *lcs_at(lcs, i - 1, j - 1) + 1;
            else
                *cell = *lcs_at(lcs, i - 1, j) > *lcs_at(lcs, i, j - 1) ? *lcs_at(lcs, i - 1, j)
                                                                        : *lcs_at(lcs, i, j - 1);
        }
    }
    return true;
}

struct lcs_range {
    size_t a_start, a_end, b_start, b_end; /* ends included */
};

static void reply_range(struct request *request, const struct lcs *lcs,
                        const struct lcs_range *range) {
    struct reply *reply = request->reply;
    reply_array(reply, 2 + (size_t)lcs->with_len);
    reply_array(reply, 2);
    reply_int(reply, (int64_t)range->a_start);
    reply_int(reply, (int64_t)range->a_end);
    reply_array(reply, 2);
    reply_int(reply, (int64_t)range->b_start);
    reply_int(reply, (int64_t)range->b_end);
    if (lcs->with_len) reply_int(reply, (int64_t)(range->a_end - range->a_start + 1));
}

/* Walks back from the end; fills the common subsequence and, with IDX,
 * replies its ranges, last first. */
static size_t lcs_walk(struct request *request, const struct lcs *lcs, char *ret_common) {
    size_t i = lcs->a.len, j = lcs->b.len, left = *lcs_at(lcs, i, j), ranges = 0;
    struct lcs_range range = {0};
    bool open = false;
    while (i > 0 && j > 0) {
        bool ends = false;
        if (lcs->a.data[i - 1] == lcs->b.data[j - 1]) {
            ret_common[--left] = lcs->a.data[i - 1];
            bool extends = open && range.a_start == i && range.b_start == j;
            if (open && !extends) ends = true;
            if (!ends) {
                if (!open) range = (struct lcs_range){i - 1, i - 1, j - 1, j - 1};
                range.a_start = i - 1;
                range.b_start = j - 1;
                open = true;
                i--;
                j--;
                if (i == 0 || j == 0) ends = true;
            } else {
                left++;
            }
        } else {
            if (*lcs_at(lcs, i - 1, j) > *lcs_at(lcs, i, j - 1))
                i--;
            else
                j--;
            ends = open;
        }
        if (!ends) continue;
        if (lcs->idx &&
            (lcs->min_match == 0 || (int64_t)(range.a_end - range.a_start + 1) >= lcs->min_match)) {
            reply_range(request, lcs, &range);
            ranges++;
        }
        open = false;
    }
    return ranges;
}

static bool lcs_options(struct request *request, struct lcs *lcs, bool *ret_len) {
    *ret_len = false;
    for (uint32_t i = 3; i < request->argc; i++) {
        if (argument_is(request, i, "idx")) {
            lcs->idx = true;
        } else if (argument_is(request, i, "len")) {
            *ret_len = true;
        } else if (argument_is(request, i, "withmatchlen")) {
            lcs->with_len = true;
        } else if (argument_is(request, i, "minmatchlen") && i + 1 < request->argc) {
            if (!argument_i64(request, ++i, &lcs->min_match, NULL)) return false;
            if (lcs->min_match < 0) lcs->min_match = 0;
        } else {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return false;
        }
    }
    if (!lcs->idx || !*ret_len) return true;
    reply_error(request->reply,
                "ERR If you want both the length and indexes, please just use IDX.");
    return false;
}

static void cmd_lcs(struct request *request) {
    struct lcs lcs = {0};
    bool len_only;
    char scratch[2][ENTRY_SCRATCH];
    struct bytes texts[2];
    for (uint32_t i = 0; i < 2; i++) {
        const struct entry *entry = request_read(request, i);
        if (entry != NULL && entry_type(entry) != TYPE_STRING) {
            reply_error(request->reply, "ERR The specified keys must contain string values");
            return;
        }
        texts[i] = entry == NULL ? BYTES("") : entry_string(entry, scratch[i]);
    }
    lcs.a = texts[0];
    lcs.b = texts[1];
    if (!lcs_options(request, &lcs, &len_only) || !lcs_fill(request, &lcs)) return;
    size_t len = *lcs_at(&lcs, lcs.a.len, lcs.b.len);
    char *common = arena_try_alloc(request->arena, len + 1);
    if (common == NULL) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
    } else if (lcs.idx) {
        reply_map(request->reply, 2);
        reply_bulk_string(request->reply, "matches");
        size_t mark = reply_defer(request->reply);
        size_t ranges = lcs_walk(request, &lcs, common);
        reply_defer_array(request->reply, mark, ranges);
        reply_bulk_string(request->reply, "len");
        reply_int(request->reply, (int64_t)len);
    } else if (len_only) {
        reply_int(request->reply, (int64_t)len);
    } else {
        lcs_walk(request, &lcs, common);
        reply_bulk(request->reply, bytes_make(common, len));
    }
}

static const struct command rows[] = {
    {.name = "mget",
     .arity = -2,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_STRING,
     .keys = {KEY_ALL_FROM(1, KEY_RO | KEY_ACCESS)},
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys to retrieve.",
     .summary = "Atomically returns the string values of one or more keys.",
     .syntax = "key [key ...]",
     .reply = "array of bulk | null",
     .handler = cmd_mget},
    {.name = "mset",
     .arity = -3,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
     .groups = GROUP_STRING,
     .keys = {KEY_EVERY_OTHER(1, KEY_OW | KEY_UPDATE)},
     .since = "1.0.1",
     .complexity = "O(N) where N is the number of keys to set.",
     .summary = "Atomically creates or modifies the string values of one or more keys.",
     .syntax = "key value [key value ...]",
     .reply = "OK",
     .handler = cmd_mset},
    {.name = "msetnx",
     .arity = -3,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
     .groups = GROUP_STRING,
     .keys = {KEY_EVERY_OTHER(1, KEY_OW | KEY_INSERT)},
     .since = "1.0.1",
     .complexity = "O(N) where N is the number of keys to set.",
     .summary = "Atomically modifies the string values of one or more keys only when all keys "
                "don't exist.",
     .syntax = "key value [key value ...]",
     .reply = "integer",
     .handler = cmd_msetnx},
    {.name = "msetex",
     .arity = -4,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
     .groups = GROUP_STRING,
     .keys =
         {{.flags = KEY_OW | KEY_UPDATE, .find = KEYS_COUNTED, .begin = 1, .last = 1, .step = 2}},
     .since = "8.4.0",
     .complexity = "O(N) where N is the number of keys to set.",
     .summary =
         "Atomically sets several string values with a shared condition and expiration time.",
     .syntax = "numkeys key value [key value ...] [NX | XX] [EX seconds | PX milliseconds | EXAT "
               "unix-time-seconds | PXAT "
               "unix-time-milliseconds | KEEPTTL]",
     .reply = "integer",
     .handler = cmd_msetex},
    {.name = "lcs",
     .arity = -3,
     .flags = COMMAND_READONLY,
     .groups = GROUP_STRING,
     .keys = {{.flags = KEY_RO | KEY_ACCESS, .find = KEYS_RANGE, .begin = 1, .last = 1, .step = 1}},
     .since = "7.0.0",
     .complexity = "O(N*M) where N and M are the lengths of s1 and s2, respectively",
     .summary = "Finds the longest common substring.",
     .syntax = "key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]",
     .reply = "bulk | integer | map",
     .handler = cmd_lcs},
    {0},
};

const struct command_family string_many_commands = {"string", rows};
