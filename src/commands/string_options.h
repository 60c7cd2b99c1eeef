/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options that SET, GETEX and MSETEX share: lifetimes and conditions.
 */
#ifndef KN_COMMANDS_STRING_OPTIONS_H
#define KN_COMMANDS_STRING_OPTIONS_H

#include "server/request.h"

enum string_condition {
    SET_ALWAYS,
    SET_IF_MISSING,
    SET_IF_PRESENT,
    SET_IF_EQUAL,
    SET_IF_DIFFERENT,
    SET_IF_DIGEST_EQUAL,
    SET_IF_DIGEST_DIFFERENT
};

/* Which options a command knows. */
enum string_option {
    OPTION_EXPIRY = 1,
    OPTION_KEEPTTL = 2,
    OPTION_PERSIST = 4,
    OPTION_CONDITION = 8, /* NX, XX */
    OPTION_COMPARE = 16,  /* IFEQ, IFNE, IFDEQ, IFDNE */
    OPTION_GET = 32,
};

struct string_options {
    enum string_condition condition;
    struct bytes compare; /* what SET_IF_EQUAL and the three after it ask for */
    bool get, persist;
    int64_t expires_ms; /* ENTRY_EXPIRY_NONE, STORE_KEEP_EXPIRY or a time */
    bool has_expiry;    /* EX, PX, EXAT or PXAT was given */
    int expiry_word;    /* which of them, and where its number stands: for string_options_expiry */
    uint32_t expiry_index;
};

/* Parses argv[first] and on, all but the number of a lifetime; replies the error and returns false
 * when something is wrong. */
bool string_options_parse(struct request *request, uint32_t first, unsigned allowed,
                          struct string_options *ret_options);

/* Reads the lifetime, where one was given, into expires_ms; replies the error and returns false
 * when it is wrong. Apart, because GETEX looks at the key in between. */
bool string_options_expiry(struct request *request, struct string_options *options);

#endif
