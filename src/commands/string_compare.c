/* SPDX-License-Identifier: BSD-3-Clause */
/* DIGEST, DELEX and DELIFEQ, and the conditions that they share with SET. */
#include "commands/string_compare.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "commands/families.h"
#include "server/arguments.h"

enum { DIGEST_DIGITS = 16 };

static const struct {
    const char *word;
    enum string_condition condition;
} comparisons[] = {{"ifeq", SET_IF_EQUAL},
                   {"ifne", SET_IF_DIFFERENT},
                   {"ifdeq", SET_IF_DIGEST_EQUAL},
                   {"ifdne", SET_IF_DIGEST_DIFFERENT}};

enum string_condition string_comparison(const struct request *request, uint32_t index) {
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
        if (argument_is(request, index, comparisons[i].word)) return comparisons[i].condition;
    return SET_ALWAYS;
}

static bool equals(const struct entry *entry, struct bytes value) {
    char scratch[ENTRY_SCRATCH];
    return bytes_equal(entry_string(entry, scratch), value);
}

static struct bytes digest(const struct entry *entry, char digits[DIGEST_DIGITS + 1]) {
    char scratch[ENTRY_SCRATCH];
    struct bytes value = entry_string(entry, scratch);
    snprintf(digits, DIGEST_DIGITS + 1, "%016" PRIx64,
             (uint64_t)XXH3_64bits(value.data, value.len));
    return bytes_make(digits, DIGEST_DIGITS);
}

static bool digest_is(struct request *request, const struct entry *entry, struct bytes expected,
                      bool *ret_is) {
    char digits[DIGEST_DIGITS + 1];
    if (expected.len != DIGEST_DIGITS) {
        reply_error(request->reply, "ERR a digest must be exactly 16 hexadecimal characters");
        return false;
    }
    digest(entry, digits);
    *ret_is = bytes_is_word(expected, digits);
    return true;
}

bool string_condition_holds(struct request *request, const struct string_options *options,
                            const struct entry *entry, bool *ret_holds) {
    bool equal = false, digests = options->condition >= SET_IF_DIGEST_EQUAL;
    if (entry != NULL && digests && !digest_is(request, entry, options->compare, &equal))
        return false;
    if (entry != NULL && !digests && string_compares(options->condition))
        equal = equals(entry, options->compare);
    switch (options->condition) {
    case SET_IF_MISSING: *ret_holds = entry == NULL; break;
    case SET_IF_PRESENT: *ret_holds = entry != NULL; break;
    case SET_IF_EQUAL:
    case SET_IF_DIGEST_EQUAL: *ret_holds = equal; break;
    case SET_IF_DIFFERENT:
    case SET_IF_DIGEST_DIFFERENT: *ret_holds = !equal; break;
    default: *ret_holds = true;
    }
    return true;
}

static void cmd_digest(struct request *request) {
    char digits[DIGEST_DIGITS + 1];
    struct entry *entry;
    if (!request_read_typed(request, 0, TYPE_STRING, &entry)) return;
    if (entry == NULL)
        reply_null(request->reply);
    else
        reply_bulk(request->reply, digest(entry, digits));
}

/* Deletes the key, or not, and says so. */
static void delete_if(struct request *request, struct entry *entry, bool deletes) {
    if (deletes) {
        request_delete(request, 0, entry);
        request_changed(request, 0, EVENT_GENERIC, "del");
    }
    reply_int(request->reply, deletes);
}

static void cmd_delifeq(struct request *request) {
    struct entry *entry;
    if (!request_write_typed(request, 0, TYPE_STRING, &entry)) return;
    delete_if(request, entry, entry != NULL && equals(entry, argument(request, 2)));
}

/* A key that is missing is not deleted whatever the condition is, as in Redis: its
 * words are read after that. */
static void cmd_delex(struct request *request) {
    bool conditional = request->argc == 4, holds = true;
    if (request->argc != 2 && !conditional) {
        reply_error(request->reply, "ERR wrong number of arguments for 'delex' command");
        return;
    }
    struct entry *entry = request_write(request, 0);
    if (entry != NULL && conditional) {
        struct string_options options = {.condition = string_comparison(request, 2),
                                         .compare = argument(request, 3)};
        if (entry_type(entry) != TYPE_STRING) {
            reply_error(request->reply,
                        "ERR Key should be of string type if conditions are specified");
            return;
        }
        if (options.condition == SET_ALWAYS) {
            reply_error(request->reply, "ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
            return;
        }
        if (!string_condition_holds(request, &options, entry, &holds)) return;
    }
    delete_if(request, entry, entry != NULL && holds);
}

static const struct command rows[] = {
    {.name = "digest",
     .arity = 2,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "8.4.0",
     .complexity = "O(N) where N is the length of the string value.",
     .summary = "Returns a digest of a string value: XXH3, as 16 hexadecimal digits.",
     .syntax = "key",
     .reply = "bulk | null",
     .handler = cmd_digest},
    {.name = "delex",
     .arity = -2,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RW | KEY_DELETE | KEY_VARIABLE_FLAGS)},
     .since = "8.4.0",
     .complexity = "O(1) for IFEQ and IFNE, O(N) for IFDEQ and IFDNE where N is the length of the "
                   "string value.",
     .summary =
         "Deletes a key, if its string value or that value's digest is, or is not, the given one.",
     .syntax = "key [IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest]",
     .reply = "integer",
     .handler = cmd_delex},
    {.name = "delifeq",
     .arity = 3,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RM | KEY_ACCESS | KEY_DELETE)},
     .since = "9.0.0",
     .complexity = "O(1)",
     .summary = "Deletes a key if its string value equals the given one.",
     .syntax = "key value",
     .reply = "integer",
     .handler = cmd_delifeq},
    {0},
};

const struct command_family string_compare_commands = {"string", rows};
