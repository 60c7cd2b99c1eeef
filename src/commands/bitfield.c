/* SPDX-License-Identifier: BSD-3-Clause */
/* Strings as arrays of integers of any width. */
#include "base/arena.h"
#include "commands/bitmap_common.h"
#include "commands/families.h"
#include "server/arguments.h"
#include "types/bitmap.h"

enum what { GET, SET, INCREMENT };

struct step {
    enum what what;
    enum bitmap_overflow overflow;
    struct bitmap_field field;
    int64_t number; /* SET, INCREMENT */
};

struct steps {
    struct step *list;
    size_t count;
    bool writes;
    uint64_t last_bit; /* that any of them writes */
};

static bool fail(struct request *request, const char *error) {
    reply_error(request->reply, error);
    return false;
}

/* i1 to i64, u1 to u63. */
static bool parse_type(struct request *request, uint32_t index, struct bitmap_field *field) {
    struct bytes text = argument(request, index);
    char kind = text.len > 0 ? text.data[0] : '\0';
    int64_t bits;
    if ((kind == 'i' || kind == 'u') &&
        number_parse_i64(bytes_make(text.data + 1, text.len - 1), &bits) && bits >= 1 &&
        bits <= (kind == 'i' ? 64 : 63)) {
        field->is_signed = kind == 'i';
        field->bits = (uint8_t)bits;
        return true;
    }
    return fail(request, "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is "
                         "not supported but i64 is.");
}

static bool parse_overflow(struct request *request, uint32_t index,
                           enum bitmap_overflow *overflow) {
    if (argument_is(request, index, "wrap"))
        *overflow = BITMAP_WRAP;
    else if (argument_is(request, index, "sat"))
        *overflow = BITMAP_SATURATE;
    else if (argument_is(request, index, "fail"))
        *overflow = BITMAP_FAIL;
    else
        return fail(request, "ERR Invalid OVERFLOW type specified");
    return true;
}

static bool parse_step(struct request *request, uint32_t at, struct step *step) {
    if (!parse_type(request, at + 1, &step->field) ||
        !bitmap_offset(request, at + 2, step->field.bits, &step->field.at))
        return false;
    return step->what == GET || argument_i64(request, at + 3, &step->number, NULL);
}

static bool parse_steps(struct request *request, struct steps *steps) {
    enum bitmap_overflow overflow = BITMAP_WRAP;
    uint32_t argc = request->argc;
    /* A step takes three arguments at least. */
    steps->list = arena_try_array(request->arena, argc / 3 + 1, sizeof *steps->list);
    if (steps->list == NULL) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return false;
    }
    for (uint32_t i = 2; i < argc;) {
        uint32_t left = argc - i - 1;
        struct step step = {.overflow = overflow};
        if (argument_is(request, i, "overflow") && left >= 1) {
            if (!parse_overflow(request, i + 1, &overflow)) return false;
            i += 2;
            continue;
        }
        if (argument_is(request, i, "get") && left >= 2)
            step.what = GET;
        else if (argument_is(request, i, "set") && left >= 3)
            step.what = SET;
        else if (argument_is(request, i, "incrby") && left >= 3)
            step.what = INCREMENT;
        else
            return fail(request, "ERR syntax error");
        if (!parse_step(request, i, &step)) return false;
        if (step.what != GET) {
            uint64_t last = step.field.at + step.field.bits - 1;
            if (last > steps->last_bit) steps->last_bit = last;
            steps->writes = true;
        }
        steps->list[steps->count++] = step;
        i += step.what == GET ? 3 : 4;
    }
    return true;
}

/* Reads, changes, replies; true when a number is another one now. */
static bool change_field(struct reply *reply, const struct step *step, char *string, size_t len) {
    int64_t before = bitmap_read_field(bytes_make(string, len), step->field), after;
    bool fits = step->what == SET
                    ? bitmap_fit_field(step->field, step->number, 0, step->overflow, &after)
                    : bitmap_fit_field(step->field, before, step->number, step->overflow, &after);
    if (!fits) {
        reply_null(reply);
        return false;
    }
    reply_int(reply, step->what == SET ? before : after);
    if (after == before) return false;
    bitmap_write_field(string, step->field, after);
    return true;
}

static void run_writes(struct request *request, const struct steps *steps) {
    struct entry *entry;
    bool changed;
    if (!request_write_typed(request, 0, TYPE_STRING, &entry)) return;
    size_t len = entry == NULL ? 0 : entry_string_len(entry), needed = steps->last_bit / 8 + 1;
    char *string = bitmap_reach(request, entry, steps->last_bit, &changed);
    if (string == NULL) return;
    if (len < needed) len = needed;
    reply_array(request->reply, steps->count);
    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->list[i];
        if (step->what == GET)
            reply_int(request->reply, bitmap_read_field(bytes_make(string, len), step->field));
        else if (change_field(request->reply, step, string, len))
            changed = true;
    }
    if (changed) request_changed(request, 0, EVENT_STRING, "setbit");
}

static void run_reads(struct request *request, const struct steps *steps) {
    struct entry *entry;
    char scratch[ENTRY_SCRATCH];
    if (!request_read_typed(request, 0, TYPE_STRING, &entry)) return;
    struct bytes string = entry == NULL ? BYTES("") : entry_string(entry, scratch);
    reply_array(request->reply, steps->count);
    for (size_t i = 0; i < steps->count; i++)
        reply_int(request->reply, bitmap_read_field(string, steps->list[i].field));
}

static void command_bitfield(struct request *request) {
    struct steps steps = {0};
    if (!parse_steps(request, &steps)) return;
    if (steps.writes)
        run_writes(request, &steps);
    else
        run_reads(request, &steps);
}

static void command_bitfield_ro(struct request *request) {
    struct steps steps = {0};
    if (!parse_steps(request, &steps)) return;
    if (steps.writes)
        reply_error(request->reply, "ERR BITFIELD_RO only supports the GET subcommand");
    else
        run_reads(request, &steps);
}

static const struct command rows[] = {
    {
        .name = "bitfield",
        .arity = -2,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_BITMAP,
        .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE_FLAGS)},
        .since = "3.2.0",
        .complexity = "O(1) for each step",
        .summary = "Reads and changes integers of any width within a string.",
        .syntax = "key [<GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset "
                  "value | INCRBY encoding offset increment>> ...]",
        .reply = "array of integers | null where it overflows and is to fail",
        .handler = command_bitfield,
    },
    {
        .name = "bitfield_ro",
        .arity = -2,
        .flags = COMMAND_READONLY | COMMAND_FAST,
        .groups = GROUP_BITMAP,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "6.0.0",
        .complexity = "O(1) for each step",
        .summary = "Reads integers of any width within a string.",
        .syntax = "key [GET encoding offset [GET encoding offset ...]]",
        .reply = "array of integers",
        .handler = command_bitfield_ro,
    },
    {0},
};

const struct command_family bitfield_commands = {"bitmap", rows};
