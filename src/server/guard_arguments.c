/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/guard_arguments.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/number.h"
#include "server/arguments.h"
#include "server/command.h"
#include "server/request.h"
#include "types/limits.h"
#include "types/list.h"
#include "types/set.h"
#include "types/stream.h"
#include "types/zset.h"

/* ---- by the name ---- */

static bool is_named(const struct request *request, const char *name) {
    return strcmp(request->command->name, name) == 0;
}

/* What is known of a command by its name. */
enum {
    TRANSFERS = 1 << 0,
    LEAVES_VALUES = 1 << 1,
    LEAVES_IF_THERE = 1 << 2, /* a new group in a stream that is there */
    OVERWRITES = 1 << 3, /* Redis's rows of SET and GETSET say "update", since they may read too */
    ONLY_IF_MISSING = 1 << 4,
    COUNTS = 1 << 5,
    MAKES_LIST = 1 << 6,
    SAYS_LIFETIME = 1 << 7, /* if its options do */
    SAYS_NONE = 1 << 8,
    SAYS_TTL = 1 << 9, /* as an argument, which may be 0 */
    TAKES_LIFETIME = 1 << 10,
    TAKES_BY_OPTION = 1 << 11,
};

static const struct named {
    const char *name;
    unsigned traits;
} named[] = {
    {"rename", TRANSFERS},
    {"renamenx", TRANSFERS},
    {"copy", TRANSFERS},
    {"move", TRANSFERS},
    {"expire", LEAVES_VALUES},
    {"pexpire", LEAVES_VALUES},
    {"expireat", LEAVES_VALUES},
    {"pexpireat", LEAVES_VALUES},
    {"persist", LEAVES_VALUES | TAKES_LIFETIME},
    {"getex", LEAVES_VALUES | TAKES_BY_OPTION},
    {"hexpire", LEAVES_VALUES},
    {"hpexpire", LEAVES_VALUES},
    {"hexpireat", LEAVES_VALUES},
    {"hpexpireat", LEAVES_VALUES},
    {"hpersist", LEAVES_VALUES},
    {"hgetex", LEAVES_VALUES},
    {"xack", LEAVES_VALUES},
    {"xclaim", LEAVES_VALUES},
    {"xackdel", LEAVES_VALUES},
    {"xsetid", LEAVES_VALUES},
    {"setid", LEAVES_VALUES},
    {"createconsumer", LEAVES_VALUES},
    {"create", LEAVES_IF_THERE},
    {"set", OVERWRITES | SAYS_LIFETIME},
    {"getset", OVERWRITES | SAYS_NONE},
    {"setnx", ONLY_IF_MISSING | SAYS_NONE},
    {"msetnx", ONLY_IF_MISSING | SAYS_NONE},
    {"mset", SAYS_NONE},
    {"msetex", SAYS_LIFETIME},
    {"restore", SAYS_TTL},
    {"restore-asking", SAYS_TTL},
    {"incr", COUNTS},
    {"decr", COUNTS},
    {"incrby", COUNTS},
    {"decrby", COUNTS},
    {"sort", MAKES_LIST},
};

static const struct bringer *find_bringer(const struct command *command);

/* Names are compared once; a thread remembers what came of it. */
struct known {
    const struct command *command;
    const struct bringer *bringer;
    unsigned traits;
};

static const struct known *known_of(const struct command *command) {
    enum { KNOWN_SLOTS = 256 };
    static _Thread_local struct known slots[KNOWN_SLOTS];
    struct known *known = &slots[(uintptr_t)command / sizeof *command % KNOWN_SLOTS];
    if (kn_likely(known->command == command)) return known;
    *known = (struct known){.command = command, .bringer = find_bringer(command)};
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (strcmp(named[i].name, command->name) == 0) known->traits |= named[i].traits;
    return known;
}

static bool has(const struct request *request, unsigned trait) {
    return known_of(request->command)->traits & trait;
}

/* ---- by the row ---- */

unsigned guard_key_flags(const struct request *request, uint32_t index) {
    unsigned flags = request->keys[index].flags;
    return flags ? flags : request->command->keys[0].flags;
}

bool guard_brings(const struct request *request, uint32_t index) {
    unsigned flags = guard_key_flags(request, index);
    return (flags & KEY_OW) || (flags & KEY_RW && flags & (KEY_INSERT | KEY_UPDATE));
}

bool guard_overwrites(const struct request *request, uint32_t index) {
    return guard_key_flags(request, index) & KEY_OW || has(request, OVERWRITES);
}

int guard_type_made(const struct request *request, uint32_t index) {
    static const struct {
        unsigned groups;
        enum value_type type;
    } makes[] = {
        {GROUP_STRING | GROUP_BITMAP | GROUP_HYPERLOGLOG, TYPE_STRING},
        {GROUP_HASH, TYPE_HASH},
        {GROUP_SORTED_SET | GROUP_GEO, TYPE_ZSET},
        {GROUP_STREAM, TYPE_STREAM},
    };
    unsigned groups = request->command->groups;
    (void)index;
    if (has(request, MAKES_LIST)) return TYPE_LIST;
    for (size_t i = 0; i < sizeof makes / sizeof makes[0]; i++)
        if (groups & makes[i].groups) return makes[i].type;
    if (groups & GROUP_LIST) return TYPE_LIST;
    return groups & GROUP_SET ? TYPE_SET : -1;
}

bool guard_leaves_values(const struct request *request, const struct entry *entry) {
    return has(request, LEAVES_VALUES) || (entry != NULL && has(request, LEAVES_IF_THERE));
}

/* ---- RENAME, COPY, MOVE ---- */

bool guard_is_transfer(const struct request *request) {
    return has(request, TRANSFERS);
}

/* The number in an argument; -1 when it is none that a database could have. */
static int64_t database_argument(const struct request *request, uint32_t index) {
    int64_t db;
    if (!number_parse_i64(request->argv[index], &db) || db < 0 ||
        db >= (int64_t)store_db_count(request->store))
        return -1;
    return db;
}

static bool transfer_target(const struct request *request, const struct key **ret_to,
                            unsigned *ret_db, bool *ret_replaces) {
    const char *name = request->command->name;
    bool moves = strcmp(name, "move") == 0, copies = strcmp(name, "copy") == 0;
    int64_t db = moves ? database_argument(request, 2) : (int64_t)request->db;
    if (!guard_is_transfer(request) || request->key_count < (moves ? 1 : 2)) return false;
    *ret_replaces = strcmp(name, "rename") == 0;
    for (uint32_t i = 3; copies && i < request->argc; i++) {
        if (argument_is(request, i, "replace"))
            *ret_replaces = true;
        else if (argument_is(request, i, "db") && i + 1 < request->argc)
            db = database_argument(request, ++i);
        else
            return false;
    }
    if (db < 0) return false;
    *ret_to = request_key(request, moves ? 0 : 1);
    *ret_db = (unsigned)db;
    return true;
}

bool guard_transfer_target(const struct request *request, const struct key **ret_to,
                           unsigned *ret_db) {
    bool replaces;
    return transfer_target(request, ret_to, ret_db, &replaces);
}

bool guard_transfer(const struct request *request, struct guard_transfer *ret_transfer) {
    struct guard_transfer transfer;
    bool replaces;
    if (!transfer_target(request, &transfer.to, &transfer.db, &replaces)) return false;
    const struct key *from = request_key(request, 0);
    if (transfer.db == request->db && bytes_equal(from->name, transfer.to->name)) return false;
    transfer.there = store_find(request->store, transfer.db, transfer.to, request->now_ms);
    transfer.value = store_find(request->store, request->db, from, request->now_ms);
    if (transfer.value == NULL || (transfer.there != NULL && !replaces)) return false;
    *ret_transfer = transfer;
    return true;
}

bool guard_does_nothing(const struct request *request) {
    bool any = false;
    if (!has(request, ONLY_IF_MISSING)) return false;
    for (uint32_t i = 0; i < request->key_count && !any; i++)
        any = store_find(request->store, request->db, request_key(request, i), request->now_ms) !=
              NULL;
    return any;
}

/* ---- what it brings ---- */

/* How the arguments lie, in commands that bring elements or values one by one. */
enum shape {
    SHAPE_ELEMENTS,     /* value value ... */
    SHAPE_FIELDS,       /* field value field value ... */
    SHAPE_PAIRS,        /* score member score member ..., after options */
    SHAPE_TRIPLES,      /* longitude latitude member ..., after options */
    SHAPE_KEYS,         /* key value key value ... */
    SHAPE_ONE,          /* value at a place of its own */
    SHAPE_FIELDS_AFTER, /* ... FIELDS count field value ... */
    SHAPE_ENTRY,        /* fields behind the options and the identifier of XADD */
    SHAPE_NUMBER,       /* what is in a field, and an addition to it */
    SHAPE_MOVED,        /* an element of the first key */
};

static const struct bringer {
    const char *name;
    uint8_t shape;
    uint8_t from; /* the argument where values begin */
    uint8_t key;  /* which gets them; SHAPE_KEYS: any */
} bringers[] = {
    {"set", SHAPE_ONE, 2, 0},
    {"setnx", SHAPE_ONE, 2, 0},
    {"getset", SHAPE_ONE, 2, 0},
    {"setex", SHAPE_ONE, 3, 0},
    {"psetex", SHAPE_ONE, 3, 0},
    {"mset", SHAPE_KEYS, 0, 0},
    {"msetnx", SHAPE_KEYS, 0, 0},
    {"msetex", SHAPE_KEYS, 0, 0},
    {"lpush", SHAPE_ELEMENTS, 2, 0},
    {"rpush", SHAPE_ELEMENTS, 2, 0},
    {"lpushx", SHAPE_ELEMENTS, 2, 0},
    {"rpushx", SHAPE_ELEMENTS, 2, 0},
    {"lset", SHAPE_ONE, 3, 0},
    {"linsert", SHAPE_ONE, 4, 0},
    {"lmove", SHAPE_MOVED, 3, 1},
    {"blmove", SHAPE_MOVED, 3, 1},
    {"rpoplpush", SHAPE_MOVED, 0, 1},
    {"brpoplpush", SHAPE_MOVED, 0, 1},
    {"sadd", SHAPE_ELEMENTS, 2, 0},
    {"smove", SHAPE_ONE, 3, 1},
    {"zadd", SHAPE_PAIRS, 2, 0},
    {"zincrby", SHAPE_ONE, 3, 0},
    {"geoadd", SHAPE_TRIPLES, 2, 0},
    {"hset", SHAPE_FIELDS, 2, 0},
    {"hmset", SHAPE_FIELDS, 2, 0},
    {"hsetnx", SHAPE_FIELDS, 2, 0},
    {"hsetex", SHAPE_FIELDS_AFTER, 2, 0},
    {"hincrby", SHAPE_NUMBER, 2, 0},
    {"hincrbyfloat", SHAPE_NUMBER, 2, 0},
    {"xadd", SHAPE_ENTRY, 2, 0},
};
enum { BRINGERS = sizeof bringers / sizeof bringers[0] };

static const struct bringer *find_bringer(const struct command *command) {
    for (size_t i = 0; i < BRINGERS; i++)
        if (strcmp(bringers[i].name, command->name) == 0) return &bringers[i];
    return NULL;
}

static uint32_t behind_words(const struct request *request, uint32_t from) {
    static const char *const words[] = {"nx", "xx", "gt", "lt", "ch", "incr"};
    size_t i = 0, count = sizeof words / sizeof words[0];
    for (; from < request->argc; from++) {
        for (i = 0; i < count && !argument_is(request, from, words[i]); i++) {}
        if (i == count) break;
    }
    return from;
}

/* What XADD says before the identifier, and where that stands. */
struct trimming {
    uint32_t id;
    bool trims, roughly; /* roughly: who knows how many entries stay */
    int64_t keep;
};

static struct trimming parse_trimming(const struct request *request) {
    struct trimming trimming = {.id = 2};
    uint32_t i = 2;
    for (; i < request->argc; i++) {
        bool by_count = argument_is(request, i, "maxlen"), by_id = argument_is(request, i, "minid");
        if (by_count || by_id) {
            trimming.trims = true;
            trimming.roughly = by_id;
            if (i + 1 < request->argc && argument_is(request, i + 1, "~"))
                trimming.roughly = true, i++;
            else if (i + 1 < request->argc && argument_is(request, i + 1, "="))
                i++;
            i++;
            if (by_count &&
                !(i < request->argc && number_parse_i64(request->argv[i], &trimming.keep)))
                trimming.roughly = true;
        } else if (argument_is(request, i, "limit")) {
            i++;
        } else if (argument_is(request, i, "acked")) {
            trimming.roughly = true;
        } else if (!argument_is(request, i, "nomkstream") && !argument_is(request, i, "keepref") &&
                   !argument_is(request, i, "delref")) {
            break;
        }
    }
    trimming.id = i;
    return trimming;
}

bool guard_trims_roughly(const struct request *request) {
    if (!is_named(request, "xadd")) return false;
    struct trimming trimming = parse_trimming(request);
    return trimming.trims && trimming.roughly;
}

/* An element, or number, that is not among the arguments; nothing where the command will fail
 * or has nothing to bring. */
static void bring_computed(struct guard_brought *walk, const struct bringer *bringer,
                           const struct entry *entry, bool ran) {
    const struct request *request = walk->request;
    const char *name = request->command->name;
    walk->at = walk->end;
    if (bringer->shape == SHAPE_MOVED) {
        const struct entry *list = entry;
        if (!ran)
            list =
                store_find(request->store, request->db, request_key(request, 0), request->now_ms);
        /* A list that is turned gets nothing that it has not. */
        if (bytes_equal(request_key(request, 0)->name, request_key(request, 1)->name)) return;
        if (list == NULL || entry_type(list) != TYPE_LIST) return;
        bool tail = bringer->from ? !argument_is(request, bringer->from + ran, "left") : !ran;
        walk->computed = list_get(entry_value(list), tail ? -1 : 0, walk->scratch, &walk->one);
        return;
    }
    struct bytes old = {NULL, 0}, field = argument(request, 2);
    char *text = arena_alloc(request->arena, NUMBER_LONG_DOUBLE_MAX);
    int64_t number = 0, by;
    long double real = 0, more;
    if (entry != NULL && entry_type(entry) != TYPE_HASH) return;
    bool there =
        entry != NULL && hash_get(entry_value(entry), field, request->now_ms, walk->scratch, &old);
    walk->one_field = field;
    if (ran) {
        walk->computed = there;
        walk->one = old;
    } else if (strcmp(name, "hincrby") == 0) {
        if ((there && !number_parse_i64(old, &number)) ||
            !number_parse_i64(argument(request, 3), &by) ||
            __builtin_add_overflow(number, by, &number))
            return;
        walk->computed = true;
        walk->one = bytes_make(text, number_format_i64(text, number));
    } else {
        if ((there && !number_parse_long_double(old, &real)) ||
            !number_parse_long_double(argument(request, 3), &more) || !isfinite(real + more))
            return;
        walk->computed = true;
        walk->one = bytes_make(text, number_format_long_double(text, real + more));
    }
}

bool guard_brought(struct guard_brought *walk, const struct request *request, uint32_t index,
                   const struct entry *entry, bool ran) {
    const struct bringer *bringer = known_of(request->command)->bringer;
    if (bringer == NULL || (bringer->shape != SHAPE_KEYS && bringer->key != index)) return false;
    walk->request = request;
    walk->at = bringer->from;
    walk->end = request->argc;
    walk->step = 2;
    walk->value = 1;
    walk->fields = walk->computed = false;
    switch ((enum shape)bringer->shape) {
    case SHAPE_ELEMENTS: walk->step = 1, walk->value = 0; break;
    case SHAPE_FIELDS: walk->fields = true; break;
    case SHAPE_PAIRS: walk->at = behind_words(request, bringer->from); break;
    case SHAPE_TRIPLES:
        walk->at = behind_words(request, bringer->from);
        walk->step = 3, walk->value = 2;
        break;
    case SHAPE_KEYS:
        walk->at = request->keys[index].arg;
        walk->end = walk->at + 2;
        break;
    case SHAPE_ONE:
        walk->step = 1, walk->value = 0;
        walk->end = walk->at + 1;
        break;
    case SHAPE_FIELDS_AFTER:
        walk->fields = true;
        while (walk->at < walk->end && !argument_is(request, walk->at, "fields")) walk->at++;
        walk->at += 2;
        break;
    case SHAPE_ENTRY:
        walk->fields = true;
        walk->at = parse_trimming(request).id + 1;
        break;
    case SHAPE_NUMBER:
    case SHAPE_MOVED: walk->fields = bringer->shape == SHAPE_NUMBER;
    }
    if (walk->end > request->argc) walk->end = request->argc;
    if (bringer->shape == SHAPE_NUMBER || bringer->shape == SHAPE_MOVED)
        bring_computed(walk, bringer, entry, ran);
    return true;
}

bool guard_brought_next(struct guard_brought *walk, struct bytes *ret_field,
                        struct bytes *ret_value) {
    if (walk->computed) {
        walk->computed = false;
        *ret_field = walk->one_field;
        *ret_value = walk->one;
        return true;
    }
    if (walk->at >= walk->end || walk->end - walk->at < walk->step) return false;
    const struct bytes *argv = walk->request->argv;
    *ret_field = argv[walk->at];
    *ret_value = argv[walk->at + walk->value];
    walk->at += walk->step;
    return true;
}

void guard_judge_brought(struct guard_brought *walk, const struct pattern *pattern,
                         struct guard_finding *ret_finding) {
    struct bytes field, value;
    while (ret_finding->kind == VIOLATION_NONE && guard_brought_next(walk, &field, &value)) {
        if (walk->fields)
            guard_judge_field(pattern, field, value, ret_finding);
        else
            guard_judge_value(pattern, value, ret_finding);
    }
}

/* ---- how many, how large ---- */

static bool is_there(const struct request *request, const struct entry *entry, struct bytes what) {
    char scratch[HASH_SCRATCH];
    struct bytes value;
    if (entry == NULL) return false;
    switch (entry_type(entry)) {
    case TYPE_HASH: return hash_get(entry_value(entry), what, request->now_ms, scratch, &value);
    case TYPE_SET: return set_has(entry_value(entry), what);
    case TYPE_ZSET: return zset_find(entry_value(entry), what, NULL);
    default: return false;
    }
}

size_t guard_elements_after(const struct request *request, uint32_t index,
                            const struct entry *entry) {
    struct guard_brought walk;
    struct bytes field, value;
    size_t count = entry ? entry_count(entry) : 0;
    if (strcmp(request->command->name, "lset") == 0) return count;
    if (strcmp(request->command->name, "xadd") == 0) {
        struct trimming trimming = parse_trimming(request);
        bool known = trimming.trims && !trimming.roughly && trimming.keep >= 0;
        return known && count + 1 > (uint64_t)trimming.keep ? (size_t)trimming.keep : count + 1;
    }
    if (!guard_brought(&walk, request, index, entry, false)) return SIZE_MAX;
    /* One that is named twice counts twice: at worst there is a closer look. */
    while (guard_brought_next(&walk, &field, &value))
        count += !is_there(request, entry, walk.fields ? field : value);
    return count;
}

/* The length of a string that an argument says an offset into. */
static size_t reaches(const struct request *request, uint32_t index, size_t more, size_t old) {
    int64_t offset;
    if (!number_parse_i64(request->argv[index], &offset) || offset < 0) return old;
    if (strcmp(request->command->name, "setbit") == 0) offset /= 8;
    if ((uint64_t)offset > SIZE_MAX / 4) return SIZE_MAX;
    return (size_t)offset + more > old ? (size_t)offset + more : old;
}

static size_t string_size_after(const struct request *request, uint32_t index, size_t old) {
    struct guard_brought walk;
    struct bytes key, value;
    if (guard_brought(&walk, request, index, NULL, false))
        return guard_brought_next(&walk, &key, &value) ? value.len : old;
    const char *name = request->command->name;
    if (has(request, COUNTS)) return old > NUMBER_I64_MAX ? old : NUMBER_I64_MAX;
    if (strcmp(name, "append") == 0) return old + request->argv[2].len;
    if (strcmp(name, "setrange") == 0) return reaches(request, 2, request->argv[3].len, old);
    if (strcmp(name, "setbit") == 0) return reaches(request, 2, 1, old);
    return SIZE_MAX;
}

/* What a structure may grow by at once, beside what is brought. */
static size_t step_after(const struct entry *entry) {
    /* What an element costs beside its bytes, at most, when a small
     * encoding becomes a large one. */
    enum { STEP_BYTES = 16 << 10, ELEMENT_BYTES = 96 };
    size_t size = guard_value_size(entry), count = entry_count(entry);
    const void *value = entry_value(entry);
    switch (entry_type(entry)) {
    case TYPE_STREAM: {
        int64_t block = type_limits.stream_node_max_bytes;
        return STEP_BYTES + size / 64 +
               2 * (size_t)(block > 0 && block < STREAM_BLOCK_MAX ? block : STREAM_BLOCK_MAX);
    }
    case TYPE_HASH:
        if (hash_is_large(value)) return STEP_BYTES + size / 64;
        break;
    case TYPE_ZSET:
        if (zset_is_large(value)) return STEP_BYTES + size / 64;
        break;
    case TYPE_SET:
        if (!set_is_integers(value) && strcmp(set_encoding(value), "hashtable") == 0)
            return STEP_BYTES + size / 64;
        break;
    default: return STEP_BYTES + size / 64;
    }
    return STEP_BYTES + size + ELEMENT_BYTES * count;
}

size_t guard_size_after(const struct request *request, uint32_t index, const struct entry *entry) {
    enum { ELEMENT_BYTES = 128, BEGINNING_BYTES = 16 << 10 };
    struct guard_brought walk;
    struct bytes field, value;
    size_t old = entry ? guard_value_size(entry) : 0;
    if (guard_type_made(request, index) == TYPE_STRING)
        return string_size_after(request, index, old);
    if (!guard_brought(&walk, request, index, entry, false)) return SIZE_MAX;
    bool collection = entry != NULL && entry_type(entry) != TYPE_STRING;
    size_t size = old + (collection ? step_after(entry) : BEGINNING_BYTES);
    while (guard_brought_next(&walk, &field, &value))
        size += 2 * (value.len + (walk.fields ? field.len : 0)) + ELEMENT_BYTES;
    return size;
}

/* ---- lifetimes ---- */

/* Whether an option word is among the arguments; what is compared with a value is none. */
static bool names_option(const struct request *request, uint32_t from, const char *const *words) {
    static const char *const compares[] = {"ifeq", "ifne", "ifdeq", "ifdne"};
    for (uint32_t i = from; i < request->argc; i++) {
        for (size_t n = 0; words[n] != NULL; n++)
            if (argument_is(request, i, words[n])) return true;
        for (size_t n = 0; n < sizeof compares / sizeof compares[0]; n++)
            if (argument_is(request, i, compares[n])) {
                i++;
                break;
            }
    }
    return false;
}

enum guard_lifetime guard_lifetime_said(const struct request *request, bool had) {
    static const char *const gives[] = {"ex", "px", "exat", "pxat", NULL},
                             *const keeps[] = {"keepttl", NULL}, *const takes[] = {"persist", NULL};
    unsigned traits = known_of(request->command)->traits;
    bool out = traits & (SAYS_NONE | TRANSFERS); /* RENAME: unless the value has one */
    int64_t ttl_ms;
    if (traits & SAYS_LIFETIME) {
        /* Behind SET key value, or MSETEX count key value ... */
        uint32_t from = is_named(request, "set") ? 3 : 2 + 2 * request->key_count;
        out = !names_option(request, from, gives) && !(had && names_option(request, from, keeps));
    } else if (traits & SAYS_TTL) {
        out = number_parse_i64(request->argv[2], &ttl_ms) && ttl_ms == 0;
    } else if (traits & TAKES_LIFETIME) {
        out = had;
    } else if (traits & TAKES_BY_OPTION) {
        out = had && names_option(request, 2, takes);
    } else if (!out) {
        return GUARD_LIFETIME_UNSAYABLE;
    }
    return out ? GUARD_LIFETIME_LEFT_OUT : GUARD_LIFETIME_SAID;
}

const char *guard_lifetime_remedy(const struct request *request) {
    static const struct {
        const char *name, *remedy;
    } remedies[] = {
        {"set", "add EX seconds"},
        {"setnx", "use SET key value NX EX seconds"},
        {"getset", "use SET key value GET EX seconds"},
        {"mset", "use MSETEX, or SET with EX"},
        {"msetnx", "use MSETEX with NX and EX"},
        {"msetex", "add EX seconds"},
        {"restore", "say a ttl above 0"},
        {"restore-asking", "say a ttl above 0"},
        {"persist", "use EXPIRE to give it another"},
        {"getex", "use GETEX with EX to give it another"},
        {"rename", "give the source one with EXPIRE first"},
        {"renamenx", "give the source one with EXPIRE first"},
        {"copy", "give the source one with EXPIRE first"},
        {"move", "give it one with EXPIRE first"},
    };
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
        if (strcmp(remedies[i].name, request->command->name) == 0) return remedies[i].remedy;
    return "follow it with EXPIRE";
}
