/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one list of error codes.
 *
 * What: a function that can fail returns 0 or one of these, as an int. They say what
 *       went wrong, not what a client is told: proto/reply.h turns those that reach
 *       clients into their wire texts.
 * Lock and errors: none.
 */
#ifndef KN_BASE_ERROR_H
#define KN_BASE_ERROR_H

enum error {
    ERROR_NONE = 0,
    ERROR_NO_MEMORY,  /* the allocator, or a buffer's maximum, refused */
    ERROR_TOO_BIG,    /* a string would exceed what is allowed */
    ERROR_SYNTAX,     /* an option or its place is wrong */
    ERROR_WRONG_TYPE, /* the key holds another type of value */
    ERROR_NO_SUCH_KEY,
    ERROR_NOT_INTEGER, /* not a 64-bit integer */
    ERROR_NOT_FLOAT,
    ERROR_NOT_POSITIVE,
    ERROR_OUT_OF_RANGE,
    ERROR_INDEX_RANGE, /* an index outside a list */
    ERROR_OVERFLOW,    /* an increment would leave the range of int64_t */
    ERROR_NAN_RESULT,  /* arithmetic would yield NaN or infinity */
    ERROR_NAN_SCORE,   /* a sorted set's score would become NaN */
    ERROR_HASH_NOT_INTEGER,
    ERROR_HASH_NOT_FLOAT,
    ERROR_BAD_RANGE,     /* min or max is not a float */
    ERROR_BAD_LEX_RANGE, /* min or max is not a valid string range item */
    ERROR_BAD_CURSOR,
    ERROR_BAD_EXPIRE,
    ERROR_SAME_KEY,      /* source and destination are the same object */
    ERROR_BAD_DB,        /* the database's index is out of range */
    ERROR_OUT_OF_MEMORY, /* maxmemory is reached and nothing may be evicted */
    ERROR_BAD_FORMAT,    /* a payload or data file is damaged */
    ERROR_MODULE_VALUE,  /* it holds a value of a module's type */
    ERROR_BAD_CHECKSUM,  /* its checksum is wrong, or its version not known */
    ERROR_SYSTEM,        /* a system call failed; errno tells why */
    ERROR_COUNT
};

#endif
