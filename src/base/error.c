/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/error.h"

static const char *const names[ERROR_COUNT] = {
    [ERROR_NONE] = "none",
    [ERROR_NO_MEMORY] = "no memory",
    [ERROR_TOO_BIG] = "too big",
    [ERROR_SYNTAX] = "syntax",
    [ERROR_WRONG_TYPE] = "wrong type",
    [ERROR_NO_SUCH_KEY] = "no such key",
    [ERROR_NOT_INTEGER] = "not an integer",
    [ERROR_NOT_FLOAT] = "not a float",
    [ERROR_NOT_POSITIVE] = "not positive",
    [ERROR_OUT_OF_RANGE] = "out of range",
    [ERROR_INDEX_RANGE] = "index out of range",
    [ERROR_OVERFLOW] = "overflow",
    [ERROR_NAN_RESULT] = "result is nan or infinity",
    [ERROR_NAN_SCORE] = "score is nan",
    [ERROR_HASH_NOT_INTEGER] = "hash value is not an integer",
    [ERROR_HASH_NOT_FLOAT] = "hash value is not a float",
    [ERROR_BAD_RANGE] = "bad range",
    [ERROR_BAD_LEX_RANGE] = "bad lexicographic range",
    [ERROR_BAD_CURSOR] = "bad cursor",
    [ERROR_BAD_EXPIRE] = "bad expire time",
    [ERROR_SAME_KEY] = "same key",
    [ERROR_BAD_DB] = "bad database",
    [ERROR_OUT_OF_MEMORY] = "maxmemory reached",
    [ERROR_BAD_FORMAT] = "bad data format",
    [ERROR_MODULE_VALUE] = "value of a module",
    [ERROR_BAD_CHECKSUM] = "wrong checksum or version",
    [ERROR_SYSTEM] = "system",
};

const char *error_name(int code) {
    if (code < 0 || code >= ERROR_COUNT || !names[code]) return "unknown";
    return names[code];
}
