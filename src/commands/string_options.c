/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands/string_options.h"

#include "commands/string_compare.h"
#include "server/arguments.h"

static const struct {
    const char *word;
    int64_t unit_ms;
    bool absolute;
} expiries[] = {{"ex", 1000, false}, {"px", 1, false}, {"exat", 1000, true}, {"pxat", 1, true}};

/* The place of the expiry word in the table, -1 when it is none. */
static int expiry_word(const struct request *request, uint32_t index) {
    for (int i = 0; i < 4; i++)
        if (argument_is(request, index, expiries[i].word)) return i;
    return -1;
}

struct parse {
    struct request *request;
    unsigned allowed;
    struct string_options *options;
    bool keep_ttl;
    int expiry;            /* in the table above; -1: none */
    uint32_t expiry_value; /* its argument */
};

static bool parse_condition(struct parse *parse, uint32_t index, bool more, uint32_t *ret_taken) {
    struct string_options *options = parse->options;
    const struct request *request = parse->request;
    bool allowed = parse->allowed & OPTION_CONDITION, compare = parse->allowed & OPTION_COMPARE;
    enum string_condition condition = SET_ALWAYS;
    *ret_taken = 1;
    if (allowed && argument_is(request, index, "nx"))
        condition = SET_IF_MISSING;
    else if (allowed && argument_is(request, index, "xx"))
        condition = SET_IF_PRESENT;
    else if (compare && more)
        condition = string_comparison(request, index);
    if (condition == SET_ALWAYS) return false;
    bool comparing = string_compares(condition);
    if (options->condition != SET_ALWAYS && (comparing || options->condition != condition))
        return false;
    options->condition = condition;
    if (comparing) {
        options->compare = argument(request, index + 1);
        *ret_taken = 2;
    }
    return true;
}

/* How many arguments the option at index takes; 0 when it is none that may stand here. */
static uint32_t parse_option(struct parse *parse, uint32_t index) {
    const struct request *request = parse->request;
    struct string_options *options = parse->options;
    bool more = index + 1 < request->argc, timed = parse->expiry >= 0;
    uint32_t taken;
    int expiry = expiry_word(request, index);
    if (parse_condition(parse, index, more, &taken)) return taken;
    if (parse->allowed & OPTION_GET && argument_is(request, index, "get")) {
        options->get = true;
        return 1;
    }
    if (parse->allowed & OPTION_KEEPTTL && argument_is(request, index, "keepttl") && !timed &&
        !options->persist) {
        parse->keep_ttl = true;
        return 1;
    }
    if (parse->allowed & OPTION_PERSIST && argument_is(request, index, "persist") && !timed &&
        !parse->keep_ttl) {
        options->persist = true;
        return 1;
    }
    /* The same word may be repeated: the last one counts. */
    bool free_for_expiry =
        !parse->keep_ttl && !options->persist && (!timed || parse->expiry == expiry);
    if (!(parse->allowed & OPTION_EXPIRY) || expiry < 0 || !more || !free_for_expiry) return 0;
    parse->expiry = expiry;
    parse->expiry_value = index + 1;
    return 2;
}

bool string_options_parse(struct request *request, uint32_t first, unsigned allowed,
                          struct string_options *ret_options) {
    struct string_options options = {.expires_ms = ENTRY_EXPIRY_NONE};
    struct parse parse = {
        .request = request, .allowed = allowed, .options = &options, .expiry = -1};
    for (uint32_t i = first; i < request->argc;) {
        uint32_t taken = parse_option(&parse, i);
        if (taken == 0) {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return false;
        }
        i += taken;
    }
    if (parse.keep_ttl) options.expires_ms = STORE_KEEP_EXPIRY;
    options.has_expiry = parse.expiry >= 0;
    options.expiry_word = parse.expiry;
    options.expiry_index = parse.expiry_value;
    *ret_options = options;
    return true;
}

bool string_options_expiry(struct request *request, struct string_options *options) {
    if (!options->has_expiry) return true;
    return argument_expiry(request, options->expiry_index, expiries[options->expiry_word].unit_ms,
                           expiries[options->expiry_word].absolute, &options->expires_ms);
}
