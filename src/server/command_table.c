/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/command_table.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/number.h"

enum { NAME_SLOTS = 1024, NAME_LEN_MAX = 128 };

struct name_slot {
    char *name; /* lower case */
    const struct command *command;
    unsigned number;
};

struct row_info {
    const struct command *row, *parent;
    const char *family;
};

struct command_table {
    struct name_slot names[NAME_SLOTS]; /* open addressing; NULL commands are removed names */
    struct row_info *rows;
    unsigned row_count;
};

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static uint32_t name_hash(struct bytes name) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.len; i++) hash = (hash ^ (uint8_t)lower(name.data[i])) * 16777619u;
    return hash ^ hash >> 15;
}

static struct name_slot *name_find(const struct command_table *table, struct bytes name) {
    for (uint32_t at = name_hash(name);; at++) {
        const struct name_slot *slot = &table->names[at % NAME_SLOTS];
        if (slot->name == NULL) return NULL;
        if (bytes_is_word(name, slot->name)) return (struct name_slot *)(uintptr_t)slot;
    }
}

static void name_add(struct command_table *table, struct bytes name, const struct command *command,
                     unsigned number) {
    uint32_t at = name_hash(name);
    while (table->names[at % NAME_SLOTS].name != NULL) at++;
    struct name_slot *slot = &table->names[at % NAME_SLOTS];
    slot->name = mem_alloc(name.len + 1);
    for (size_t i = 0; i < name.len; i++) slot->name[i] = lower(name.data[i]);
    slot->name[name.len] = '\0';
    slot->command = command;
    slot->number = number;
}

static void rows_add(struct command_table *table, const struct command *row,
                     const struct command *parent, const char *family) {
    table->rows = mem_realloc(table->rows, (table->row_count + 1) * sizeof *table->rows);
    table->rows[table->row_count++] = (struct row_info){row, parent, family};
    for (const struct command *sub = row->subcommands; sub != NULL && sub->name != NULL; sub++)
        rows_add(table, sub, row, family);
}

struct command_table *command_table_new(const struct command_family *const *families,
                                        size_t count) {
    struct command_table *table = mem_zalloc(sizeof *table);
    for (size_t i = 0; i < count; i++) {
        for (const struct command *row = families[i]->rows; row->name != NULL; row++) {
            name_add(table, bytes_from_string(row->name), row, table->row_count);
            rows_add(table, row, NULL, families[i]->name);
        }
    }
    return table;
}

void command_table_free(struct command_table *table) {
    for (size_t i = 0; i < NAME_SLOTS; i++) mem_free(table->names[i].name);
    mem_free(table->rows);
    mem_free(table);
}

int command_table_rename(struct command_table *table, struct bytes from, struct bytes to) {
    struct name_slot *old = name_find(table, from);
    if (old == NULL || old->command == NULL) return ERROR_NO_SUCH_KEY;
    const struct command *command = old->command;
    struct name_slot *taken = to.len ? name_find(table, to) : NULL;
    if (taken != NULL && taken->command != NULL && taken != old) return ERROR_SAME_KEY;
    old->command = NULL;
    if (taken != NULL) {
        taken->command = command;
        taken->number = old->number;
    } else if (to.len) {
        name_add(table, to, command, old->number);
    }
    return 0;
}

const struct command *command_lookup(const struct command_table *table, struct bytes name,
                                     unsigned *ret_number) {
    if (name.len > NAME_LEN_MAX) return NULL;
    const struct name_slot *slot = name_find(table, name);
    if (slot == NULL) return NULL;
    *ret_number = slot->number;
    return slot->command;
}

const struct command *command_find(const struct command_table *table, struct bytes name) {
    unsigned number;
    return command_lookup(table, name, &number);
}

const struct command *command_find_subcommand(const struct command *command, struct bytes name) {
    for (const struct command *sub = command->subcommands; sub != NULL && sub->name != NULL; sub++)
        if (bytes_is_word(name, sub->name)) return sub;
    return NULL;
}

static const struct row_info *row_info(const struct command_table *table,
                                       const struct command *command) {
    for (unsigned i = 0; i < table->row_count; i++)
        if (table->rows[i].row == command) return &table->rows[i];
    return &table->rows[0];
}

const struct command *command_parent(const struct command_table *table,
                                     const struct command *command) {
    return row_info(table, command)->parent;
}

const char *command_family_name(const struct command_table *table, const struct command *command) {
    return row_info(table, command)->family;
}

unsigned command_number(const struct command_table *table, const struct command *command) {
    return (unsigned)(row_info(table, command) - table->rows);
}

unsigned command_count(const struct command_table *table) {
    return table->row_count;
}

const struct command *command_by_number(const struct command_table *table, unsigned number) {
    return table->rows[number].row;
}

const struct command *command_next(const struct command_table *table, size_t *position,
                                   struct bytes *ret_name) {
    while (*position < NAME_SLOTS) {
        const struct name_slot *slot = &table->names[(*position)++];
        if (slot->command == NULL) continue;
        if (ret_name != NULL) *ret_name = bytes_from_string(slot->name);
        return slot->command;
    }
    return NULL;
}

/* ---- keys ---- */

/* Where a specification's first key, or its count, stands; 0 when its keyword is not there. */
static uint32_t spec_begin(const struct key_spec *spec, const struct bytes *argv, uint32_t argc) {
    if (spec->keyword == NULL) return (uint32_t)spec->begin;
    char word[32];
    size_t len = strlen(spec->keyword);
    for (size_t i = 0; i <= len && i < sizeof word; i++) word[i] = lower(spec->keyword[i]);
    bool backwards = spec->begin < 0;
    int64_t at = backwards ? (int64_t)argc + spec->begin : spec->begin;
    for (; at > 0 && at < argc; at += backwards ? -1 : 1)
        if (bytes_is_word(argv[at], word)) return (uint32_t)at + 1;
    return 0;
}

/* The range of arguments that a specification names; false when it cannot be told. */
static bool spec_range(const struct key_spec *spec, const struct bytes *argv, uint32_t argc,
                       uint32_t begin, int64_t *ret_first, int64_t *ret_last) {
    if (spec->find == KEYS_RANGE) {
        *ret_first = begin;
        *ret_last = spec->last >= 0 ? (int64_t)begin + spec->last : (int64_t)argc + spec->last;
        if (spec->limit > 1) *ret_last = begin + ((int64_t)argc - begin) / spec->limit - 1;
        if (*ret_last >= argc) *ret_last = (int64_t)argc - 1;
        return true;
    }
    int64_t count;
    if (begin >= argc || !number_parse_i64(argv[begin], &count) || count < 0 || count > argc)
        return false;
    *ret_first = (int64_t)begin + spec->last;
    *ret_last = *ret_first + count * spec->step - 1;
    return *ret_last < argc && count > 0;
}

int64_t command_keys(const struct command *command, const struct bytes *argv, uint32_t argc,
                     struct key_place *ret_places, size_t most) {
    size_t found = 0;
    for (int i = 0; i < COMMAND_KEY_SPECS && command->keys[i].find != KEYS_NONE; i++) {
        const struct key_spec *spec = &command->keys[i];
        if (spec->find == KEYS_UNKNOWN) continue;
        uint32_t begin = spec_begin(spec, argv, argc);
        int64_t first, last;
        if (begin == 0 || begin >= argc) continue;
        if (!spec_range(spec, argv, argc, begin, &first, &last)) return COMMAND_KEYS_INVALID;
        for (int64_t arg = first; arg <= last; arg += spec->step) {
            if (found < most) ret_places[found] = (struct key_place){(uint32_t)arg, spec->flags};
            found++;
        }
    }
    return (int64_t)found;
}

void command_key_range(const struct command *command, int *ret_first, int *ret_last,
                       int *ret_step) {
    *ret_first = *ret_last = *ret_step = 0;
    for (int i = 0; i < COMMAND_KEY_SPECS; i++) {
        const struct key_spec *spec = &command->keys[i];
        if (spec->find != KEYS_RANGE || spec->keyword != NULL) continue;
        int last = spec->last >= 0 ? spec->begin + spec->last : spec->last;
        if (*ret_first != 0) { /* a neighbour widens the range, as in SMOVE */
            if (last > *ret_last && *ret_last > 0)
                *ret_last = last;
            else if (last < 0)
                *ret_last = last;
            continue;
        }
        *ret_first = spec->begin;
        *ret_last = last;
        *ret_step = spec->step;
    }
}

bool command_has_movable_keys(const struct command *command) {
    for (int i = 0; i < COMMAND_KEY_SPECS; i++) {
        const struct key_spec *spec = &command->keys[i];
        if (spec->find == KEYS_COUNTED || spec->find == KEYS_UNKNOWN) return true;
        if (spec->find == KEYS_RANGE && (spec->keyword != NULL || spec->flags & KEY_INCOMPLETE))
            return true;
    }
    return false;
}
