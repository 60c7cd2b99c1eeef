/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each filter is one row: its word, how its value is read, and whether it has a NOT-form. The
 * traits of both forms are read into equal structs and asked by one function: a client is meant
 * when it has every wanted trait and no unwanted one.
 */
#include "commands/client_filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "server/arguments.h"
#include "server/client.h"
#include "server/registry.h"

/* Letters that CLIENT LIST shows, here or in other servers. */
#define KNOWN_FLAGS        "AbBcdeEiIMNOPrRStTuUx"
#define KNOWN_CAPABILITIES "r"

#define SHOWN_LENGTH(word) ((int)((word).len < 128 ? (word).len : 128))

enum option {
    OPTION_ID,
    OPTION_TYPE,
    OPTION_USER,
    OPTION_ADDR,
    OPTION_LADDR,
    OPTION_IP,
    OPTION_NAME,
    OPTION_LIB_NAME,
    OPTION_LIB_VER,
    OPTION_FLAGS,
    OPTION_CAPA,
    OPTION_DB,
    OPTION_SKIPME,
    OPTION_MAXAGE,
    OPTION_IDLE,
    OPTION_COUNT
};

static const char *const option_words[OPTION_COUNT] = {
    "id",      "type",  "user", "addr", "laddr",  "ip",     "name", "lib-name",
    "lib-ver", "flags", "capa", "db",   "skipme", "maxage", "idle",
};

/* OPTION_COUNT: it is none. Those from SKIPME on have no NOT-form. */
static enum option find_option(struct bytes word, bool *ret_not) {
    bool negative = word.len > 4 && bytes_is_word(bytes_make(word.data, 4), "not-");
    struct bytes rest = negative ? bytes_make(word.data + 4, word.len - 4) : word;
    *ret_not = negative;
    for (int i = 0; i < (negative ? OPTION_SKIPME : OPTION_COUNT); i++)
        if (bytes_is_word(rest, option_words[i])) return (enum option)i;
    return OPTION_COUNT;
}

/* ---- reading ---- */

struct reading {
    struct request *request;
    enum client_filter_use use;
    struct client_filter *filter;
    uint64_t *room[2]; /* for the wanted and the unwanted identifiers; NULL before the first */
};

static bool fail(struct reading *reading, const char *text, struct bytes word) {
    reply_error_format(reading->request->reply, text, SHOWN_LENGTH(word), word.data);
    return false;
}

static bool read_type(struct reading *reading, uint32_t at, enum client_type *ret_type) {
    static const struct {
        const char *word;
        enum client_type type;
    } types[] = {
        {"normal", CLIENT_TYPE_NORMAL},   {"pubsub", CLIENT_TYPE_PUBSUB},
        {"master", CLIENT_TYPE_MASTER},   {"primary", CLIENT_TYPE_MASTER},
        {"replica", CLIENT_TYPE_REPLICA}, {"slave", CLIENT_TYPE_REPLICA},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!argument_is(reading->request, at, types[i].word)) continue;
        *ret_type = types[i].type;
        return true;
    }
    return fail(reading, "ERR Unknown client type '%.*s'", argument(reading->request, at));
}

/* The identifiers from `at` on; returns where they end, 0 after an error. */
static uint32_t read_ids(struct reading *reading, uint32_t at, bool negative) {
    struct request *request = reading->request;
    struct client_traits *traits = negative ? &reading->filter->unwanted : &reading->filter->wanted;
    bool kill = reading->use == CLIENT_FILTER_KILL, ignored;
    const char *error = kill ? "ERR client-id should be greater than 0" : "ERR Invalid client ID";
    if (reading->room[negative] == NULL)
        reading->room[negative] = arena_alloc(request->arena, request->argc * sizeof(uint64_t));
    uint32_t first = at;
    for (; at < request->argc; at++) {
        int64_t id;
        struct bytes word = argument(request, at);
        /* What follows the identifiers of KILL may be anything but one: the
         * next filter, or a mistake. */
        bool number = number_parse_i64(word, &id);
        if (!number && at > first && (kill || find_option(word, &ignored) != OPTION_COUNT)) break;
        if (!number || (kill && id < 1)) {
            reply_error(request->reply, error);
            return 0;
        }
        reading->room[negative][traits->id_count++] = (uint64_t)id;
    }
    traits->ids = reading->room[negative];
    return at;
}

/* FLAGS and CAPA: letters, of which each must be known. */
static bool read_letters(struct reading *reading, uint32_t at, const char *known, const char *what,
                         struct bytes *ret_letters) {
    struct bytes word = argument(reading->request, at);
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] != '\0' && strchr(known, word.data[i]) != NULL) continue;
        reply_error_format(reading->request->reply,
                           "ERR Unknown %s found in the provided filter: %.*s", what,
                           SHOWN_LENGTH(word), word.data);
        return false;
    }
    *ret_letters = word.len ? word : bytes_make(NULL, 0);
    return true;
}

static bool read_trait(struct reading *reading, enum option option, uint32_t at,
                       struct client_traits *traits) {
    struct bytes value = argument(reading->request, at);
    switch (option) {
    case OPTION_TYPE: return read_type(reading, at, &traits->type);
    case OPTION_USER:
        traits->has_user = bytes_equal(value, BYTES("default"));
        return traits->has_user || fail(reading, "ERR No such user '%.*s'", value);
    case OPTION_ADDR: traits->address = value; return true;
    case OPTION_LADDR: traits->local_address = value; return true;
    case OPTION_IP: traits->ip = value; return true;
    case OPTION_NAME: traits->name = value; return true;
    case OPTION_LIB_NAME: traits->lib_name = value; return true;
    case OPTION_LIB_VER: traits->lib_version = value; return true;
    case OPTION_FLAGS: return read_letters(reading, at, KNOWN_FLAGS, "flags", &traits->flags);
    case OPTION_CAPA:
        return read_letters(reading, at, KNOWN_CAPABILITIES, "capa", &traits->capabilities);
    default:
        traits->has_db = true;
        return argument_db(reading->request, at, "ERR DB is not an integer or out of range",
                           &traits->db);
    }
}

static bool read_seconds(struct reading *reading, uint32_t at, const char *no_number,
                         const char *too_small, int64_t *ret_seconds) {
    if (!argument_i64(reading->request, at, ret_seconds, no_number)) return false;
    if (*ret_seconds < 1) reply_error(reading->request->reply, too_small);
    return *ret_seconds >= 1;
}

static bool read_option(struct reading *reading, enum option option, bool negative, uint32_t at) {
    struct client_filter *filter = reading->filter;
    switch (option) {
    case OPTION_SKIPME:
        filter->skip_self = argument_is(reading->request, at, "yes");
        if (filter->skip_self || argument_is(reading->request, at, "no")) return true;
        reply_error_code(reading->request->reply, ERROR_SYNTAX);
        return false;
    case OPTION_MAXAGE:
        return read_seconds(reading, at, "ERR maxage is not an integer or out of range",
                            "ERR maxage should be greater than 0", &filter->min_age_s);
    case OPTION_IDLE:
        return read_seconds(reading, at, "ERR idle is not an integer or out of range",
                            "ERR idle should be greater than 0", &filter->min_idle_s);
    default: return read_trait(reading, option, at, negative ? &filter->unwanted : &filter->wanted);
    }
}

static int compare_ids(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

bool client_filter_parse(struct request *request, uint32_t first, enum client_filter_use use,
                         struct client_filter *filter) {
    struct reading reading = {.request = request, .use = use, .filter = filter};
    for (uint32_t i = first; i < request->argc;) {
        bool negative;
        enum option option = find_option(argument(request, i), &negative);
        if (option == OPTION_COUNT || i + 1 == request->argc) {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return false;
        }
        if (option == OPTION_ID) {
            i = read_ids(&reading, i + 1, negative);
            if (i == 0) return false;
        } else {
            if (!read_option(&reading, option, negative, i + 1)) return false;
            i += 2;
        }
    }
    for (int i = 0; i < 2; i++) {
        const struct client_traits *traits = i ? &filter->unwanted : &filter->wanted;
        if (traits->id_count)
            qsort(reading.room[i], traits->id_count, sizeof(uint64_t), compare_ids);
    }
    return true;
}

/* ---- matching ---- */

static bool is_of_type(struct client *client, enum client_type type) {
    struct client_shared *shared = &client->shared;
    bool subscriber = atomic_load(&shared->channels) || atomic_load(&shared->patterns) ||
                      atomic_load(&shared->shard_channels);
    return type == (subscriber ? CLIENT_TYPE_PUBSUB : CLIENT_TYPE_NORMAL);
}

/* What stands before the port, without the brackets of IPv6; of a Unix socket its path. */
static struct bytes ip_of(const char *address) {
    const char *port = strrchr(address, ':');
    struct bytes ip = bytes_make(address, port ? (size_t)(port - address) : strlen(address));
    if (ip.len >= 2 && ip.data[0] == '[' && ip.data[ip.len - 1] == ']')
        ip = bytes_make(ip.data + 1, ip.len - 2);
    return ip;
}

static bool has_letters(struct bytes letters, const char *text) {
    for (size_t i = 0; i < letters.len; i++)
        if (strchr(text, letters.data[i]) == NULL) return false;
    return true;
}

/* Whether all traits that are asked for are as `expected`: there, or not there. */
static bool traits_are(const struct client_traits *asked, struct client *client, bool expected) {
    struct client_shared *shared = &client->shared;
    if (asked->id_count && (bsearch(&client->id, asked->ids, asked->id_count, sizeof(uint64_t),
                                    compare_ids) != NULL) != expected)
        return false;
    if (asked->type != CLIENT_TYPE_ANY && is_of_type(client, asked->type) != expected) return false;
    if (asked->has_user && !expected) return false; /* every client is the default user */
    if (asked->has_db && (atomic_load(&shared->db) == asked->db) != expected) return false;
    if (asked->flags.data) {
        char flags[CLIENT_FLAGS_MAX];
        registry_describe_flags(client, flags);
        if (has_letters(asked->flags, flags) != expected) return false;
    }
    if (asked->capabilities.data &&
        has_letters(asked->capabilities, registry_capabilities(client)) != expected)
        return false;
    const struct {
        struct bytes asked;
        struct bytes is;
    } texts[] = {
        {asked->address, bytes_from_string(shared->address)},
        {asked->local_address, bytes_from_string(shared->local_address)},
        {asked->ip, ip_of(shared->address)},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].asked.data && bytes_equal(texts[i].asked, texts[i].is) != expected)
            return false;
    return true;
}

/* A name that was never given is none, not an empty one. */
static bool name_is(struct bytes asked, const char *name, bool expected) {
    if (asked.data == NULL) return true;
    return (name != NULL && bytes_equal(asked, bytes_from_string(name))) == expected;
}

/* With the client's lock. */
static bool names_are(const struct client_traits *asked, const struct client *client,
                      bool expected) {
    const struct client_shared *shared = &client->shared;
    return name_is(asked->name, shared->name, expected) &&
           name_is(asked->lib_name, shared->lib_name, expected) &&
           name_is(asked->lib_version, shared->lib_version, expected);
}

bool client_filter_matches(const struct client_filter *filter, struct client *client,
                           const struct request *request) {
    struct client_shared *shared = &client->shared;
    if (filter->skip_self && client == request->client) return false;
    int64_t now_ms = request->now_ms;
    if (filter->min_age_s && (now_ms - atomic_load(&shared->created_ms)) / 1000 < filter->min_age_s)
        return false;
    if (filter->min_idle_s &&
        (now_ms - atomic_load(&shared->active_ms)) / 1000 < filter->min_idle_s)
        return false;
    if (!traits_are(&filter->wanted, client, true) || !traits_are(&filter->unwanted, client, false))
        return false;
    lock_take(&shared->lock);
    bool matches =
        names_are(&filter->wanted, client, true) && names_are(&filter->unwanted, client, false);
    lock_give(&shared->lock);
    return matches;
}
