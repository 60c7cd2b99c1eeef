/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct: values packed as C would, by a format.
 *
 *     < > = byte order (until changed)   !n  alignment up to n     x  a byte of padding
 *     b B h H l L T  integers, signed and unsigned                 in In  integers of n bytes
 *     f d  floating point   s  up to a zero byte   cn  n bytes, c0 as many as there are
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "script/engine.h"
#include "script/sandbox.h"

enum { INTEGER_BYTES_MAX = 32, ALIGNMENT_DEFAULT = 8, SIZE_MAX_BYTES = 1 << 30 };

struct format {
    const char *at;
    bool little;
    size_t alignment;
};

static size_t format_number(lua_State *lua, struct format *format, size_t otherwise) {
    if (!isdigit((unsigned char)*format->at)) return otherwise;
    size_t number = 0;
    do {
        number = number * 10 + (size_t)(*format->at++ - '0');
        if (number > SIZE_MAX_BYTES) luaL_error(lua, "integral size overflow");
    } while (isdigit((unsigned char)*format->at));
    return number;
}

static size_t option_size(lua_State *lua, char option, struct format *format) {
    switch (option) {
    case 'b':
    case 'B':
    case 'x': return 1;
    case 'h':
    case 'H': return sizeof(short);
    case 'l':
    case 'L': return sizeof(long);
    case 'T': return sizeof(size_t);
    case 'f': return sizeof(float);
    case 'd': return sizeof(double);
    case 'c': return format_number(lua, format, 1);
    case 'i':
    case 'I': {
        size_t size = format_number(lua, format, sizeof(int));
        if (size > INTEGER_BYTES_MAX)
            luaL_error(lua, "integral size %d is larger than limit of %d", (int)size,
                       INTEGER_BYTES_MAX);
        return size;
    }
    default: return 0;
    }
}

/* Bytes of padding before an option. */
static size_t padding(size_t at, const struct format *format, char option, size_t size) {
    if (size == 0 || option == 'c') return 0;
    if (size > format->alignment) size = format->alignment;
    return (size - (at & (size - 1))) & (size - 1);
}

static void change_format(lua_State *lua, char option, struct format *format) {
    switch (option) {
    case ' ': return;
    case '>': format->little = false; return;
    case '<': format->little = true; return;
    case '!': {
        size_t alignment = format_number(lua, format, ALIGNMENT_DEFAULT);
        if (alignment == 0 || (alignment & (alignment - 1)) != 0)
            luaL_error(lua, "alignment %d is not a power of 2", (int)alignment);
        format->alignment = alignment;
        return;
    }
    default: {
        const char *message = lua_pushfstring(lua, "invalid format option '%c'", option);
        luaL_argerror(lua, 1, message);
    }
    }
}

static struct format format_begin(lua_State *lua) {
    return (struct format){.at = luaL_checkstring(lua, 1), .little = true, .alignment = 1};
}

/* ---- packing ---- */

static void put(lua_State *lua, const void *data, size_t len) {
    if (buffer_add(&engine_of(lua)->scratch, data, len) != 0) luaL_error(lua, "not enough memory");
}

static void put_zeros(lua_State *lua, size_t count) {
    static const char zeros[64];
    for (; count > 0; count -= count < sizeof zeros ? count : sizeof zeros)
        put(lua, zeros, count < sizeof zeros ? count : sizeof zeros);
}

static void put_bytes(lua_State *lua, const void *value, size_t size, bool little) {
    char bytes[sizeof(double)];
    memcpy(bytes, value, size);
    for (size_t i = 0; !little && i < size / 2; i++) {
        char byte = bytes[i];
        bytes[i] = bytes[size - 1 - i];
        bytes[size - 1 - i] = byte;
    }
    put(lua, bytes, size);
}

static void put_integer(lua_State *lua, int arg, bool little, size_t size) {
    lua_Number number = luaL_checknumber(lua, arg);
    unsigned char bytes[INTEGER_BYTES_MAX];
    uint64_t value = isnan(number) ? (uint64_t)INT64_MIN
                     : number < 0
                         ? (number >= -0x1p63 ? (uint64_t)(int64_t)number : (uint64_t)INT64_MIN)
                     : number < 0x1p64 ? (uint64_t)number
                                       : 0;
    for (size_t i = 0; i < size; i++) {
        bytes[little ? i : size - 1 - i] = (unsigned char)value;
        value >>= 8;
    }
    put(lua, bytes, size);
}

static void put_text(lua_State *lua, int arg, char option, size_t size) {
    size_t len;
    const char *text = luaL_checklstring(lua, arg, &len);
    if (size == 0) size = len;
    luaL_argcheck(lua, len >= size, arg + 1,
                  "string too short"); /* sic: the number is part of it */
    put(lua, text, size);
    if (option == 's') put_zeros(lua, 1);
}

static void put_option(lua_State *lua, char option, size_t size, int *arg, struct format *format) {
    switch (option) {
    case 'b':
    case 'B':
    case 'h':
    case 'H':
    case 'l':
    case 'L':
    case 'T':
    case 'i':
    case 'I': put_integer(lua, (*arg)++, format->little, size); break;
    case 'x': put_zeros(lua, 1); break;
    case 'f': {
        float number = (float)luaL_checknumber(lua, (*arg)++);
        put_bytes(lua, &number, sizeof number, format->little);
        break;
    }
    case 'd': {
        double number = luaL_checknumber(lua, (*arg)++);
        put_bytes(lua, &number, sizeof number, format->little);
        break;
    }
    case 'c':
    case 's': put_text(lua, (*arg)++, option, size); break;
    default: change_format(lua, option, format);
    }
}

static int structs_pack(lua_State *lua) {
    struct format format = format_begin(lua);
    struct buffer *scratch = &engine_of(lua)->scratch;
    int arg = 2;
    lua_pushnil(lua); /* what the first missing value is */
    buffer_clear(scratch);
    while (*format.at != '\0') {
        char option = *format.at++;
        size_t size = option_size(lua, option, &format);
        put_zeros(lua, padding(scratch->len, &format, option, size));
        put_option(lua, option, size, &arg, &format);
    }
    lua_pushlstring(lua, scratch->data, scratch->len);
    buffer_shrink(scratch, 4096);
    return 1;
}

/* ---- unpacking ---- */

static lua_Number take_integer(const char *data, bool little, bool is_signed, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | (unsigned char)data[little ? size - 1 - i : i];
    if (!is_signed) return (lua_Number)value;
    if (size > 0 && size < sizeof value && value >> (size * 8 - 1) & 1)
        value |= UINT64_MAX << (size * 8 - 1);
    return (lua_Number)(int64_t)value;
}

static lua_Number take_float(const char *data, bool little, size_t size) {
    char bytes[sizeof(double)];
    for (size_t i = 0; i < size; i++) bytes[i] = data[little ? i : size - 1 - i];
    if (size == sizeof(float)) {
        float number;
        memcpy(&number, bytes, sizeof number);
        return (lua_Number)number;
    }
    double number;
    memcpy(&number, bytes, sizeof number);
    return number;
}

/* Pushes what an option takes from the data at `at`; returns how many bytes that were. */
static size_t take_option(lua_State *lua, char option, size_t size, struct format *format,
                          const char *data, size_t at, size_t len, int *count) {
    switch (option) {
    case 'b':
    case 'B':
    case 'h':
    case 'H':
    case 'l':
    case 'L':
    case 'T':
    case 'i':
    case 'I':
        lua_pushnumber(lua, take_integer(data + at, format->little,
                                         islower((unsigned char)option) != 0, size));
        ++*count;
        return size;
    case 'x': return size;
    case 'f':
    case 'd':
        lua_pushnumber(lua, take_float(data + at, format->little, size));
        ++*count;
        return size;
    case 'c':
        if (size == 0) {
            if (*count == 0 || !lua_isnumber(lua, -1))
                luaL_error(lua, "format 'c0' needs a previous size");
            lua_Number wanted = lua_tonumber(lua, -1);
            lua_pop(lua, 1);
            --*count;
            luaL_argcheck(lua, wanted >= 0 && wanted <= (lua_Number)(len - at), 2,
                          "data string too short");
            size = (size_t)wanted;
        }
        lua_pushlstring(lua, data + at, size);
        ++*count;
        return size;
    case 's': {
        const char *end = at < len ? memchr(data + at, '\0', len - at) : NULL;
        if (end == NULL) luaL_error(lua, "unfinished string in data");
        size = (size_t)(end - (data + at)) + 1;
        lua_pushlstring(lua, data + at, size - 1);
        ++*count;
        return size;
    }
    default: change_format(lua, option, format); return 0;
    }
}

static int structs_unpack(lua_State *lua) {
    struct format format = format_begin(lua);
    size_t len;
    const char *data = luaL_checklstring(lua, 2, &len);
    lua_Integer from = luaL_optinteger(lua, 3, 1);
    luaL_argcheck(lua, from > 0, 3, "offset must be 1 or greater");
    size_t at = (size_t)from - 1;
    int count = 0;
    lua_settop(lua, 2);
    while (*format.at != '\0') {
        char option = *format.at++;
        size_t size = option_size(lua, option, &format);
        at += padding(at, &format, option, size);
        luaL_argcheck(lua, size <= len && at <= len - size, 2, "data string too short");
        luaL_checkstack(lua, 2, "too many results");
        at += take_option(lua, option, size, &format, data, at, len, &count);
    }
    lua_pushinteger(lua, (lua_Integer)at + 1);
    return count + 1;
}

static int structs_size(lua_State *lua) {
    struct format format = format_begin(lua);
    size_t at = 0;
    while (*format.at != '\0') {
        char option = *format.at++;
        size_t size = option_size(lua, option, &format);
        at += padding(at, &format, option, size);
        if (option == 's') luaL_argerror(lua, 1, "option 's' has no fixed size");
        if (option == 'c' && size == 0) luaL_argerror(lua, 1, "option 'c0' has no fixed size");
        if (!isalnum((unsigned char)option)) change_format(lua, option, &format);
        at += size;
        if (at > SIZE_MAX_BYTES) luaL_argerror(lua, 1, "integral size overflow");
    }
    lua_pushinteger(lua, (lua_Integer)at);
    return 1;
}

void sandbox_open_structs(lua_State *lua) {
    static const luaL_Reg functions[] = {
        {"pack", structs_pack}, {"unpack", structs_unpack}, {"size", structs_size}, {NULL, NULL}};
    lua_newtable(lua);
    luaL_register(lua, NULL, functions);
}
