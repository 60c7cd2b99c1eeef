/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/values.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "base/number.h"

/* What one script may reply. */
#define VALUES_REPLY_MAX ((size_t)512 << 20)

/* ---- reply -> Lua ---- */

struct cursor {
    const char *at, *end;
};

static void push_value(lua_State *lua, struct cursor *cursor);

/* The rest of the line, which ends before \r\n. */
static struct bytes take_line(struct cursor *cursor) {
    const char *start = cursor->at;
    size_t left = (size_t)(cursor->end - start);
    const char *end = left ? memchr(start, '\r', left) : NULL;
    if (end == NULL || cursor->end - end < 2) {
        cursor->at = cursor->end;
        return bytes_make(start, 0);
    }
    cursor->at = end + 2;
    return bytes_make(start, (size_t)(end - start));
}

/* A count or length; -1 for a missing value or anything that is none. */
static int64_t take_count(struct cursor *cursor) {
    int64_t count;
    if (!number_parse_i64(take_line(cursor), &count) || count < -1) return -1;
    return count;
}

static bool take_bulk(struct cursor *cursor, struct bytes *ret_text) {
    int64_t len = take_count(cursor);
    if (len < 0 || cursor->end - cursor->at < len + 2) {
        if (len >= 0) cursor->at = cursor->end;
        return false;
    }
    *ret_text = bytes_make(cursor->at, (size_t)len);
    cursor->at += len + 2;
    return true;
}

void values_push_field(lua_State *lua, const char *field, struct bytes text) {
    lua_createtable(lua, 0, 1);
    lua_pushstring(lua, field);
    lua_pushlstring(lua, text.data, text.len);
    lua_rawset(lua, -3);
}

void values_push_error(lua_State *lua, struct bytes text) {
    bool has_code = text.len > 0 && text.data[0] == '-';
    while (text.len > 0 && (text.data[text.len - 1] == '\r' || text.data[text.len - 1] == '\n'))
        text.len--;
    if (has_code) {
        text.data++;
        text.len--;
        has_code = memchr(text.data, ' ', text.len) != NULL;
    }
    lua_createtable(lua, 0, 2);
    lua_pushliteral(lua, "err");
    if (has_code) {
        lua_pushlstring(lua, text.data, text.len);
    } else {
        lua_pushliteral(lua, "ERR ");
        lua_pushlstring(lua, text.data, text.len);
        lua_concat(lua, 2);
    }
    lua_rawset(lua, -3);
}

static void push_command_error(lua_State *lua, struct bytes line) {
    values_push_error(lua, line);
    /* It was counted where the command failed. */
    lua_pushliteral(lua, "ignore_error_stats_update");
    lua_pushboolean(lua, 1);
    lua_rawset(lua, -3);
}

static void push_array(lua_State *lua, struct cursor *cursor) {
    int64_t count = take_count(cursor);
    if (count < 0) {
        lua_pushboolean(lua, 0);
        return;
    }
    /* Room for no more elements than there can be. */
    int64_t most = (cursor->end - cursor->at) / 3;
    lua_createtable(lua, (int)(count < most ? count : most), 0);
    for (int64_t i = 1; i <= count && cursor->at < cursor->end; i++) {
        push_value(lua, cursor);
        lua_rawseti(lua, -2, (int)i);
    }
}

/* A key that is nil or not a number would be an error, and there is none in a reply of ours. */
static bool is_key(lua_State *lua, int index) {
    return !lua_isnil(lua, index) &&
           !(lua_type(lua, index) == LUA_TNUMBER && isnan(lua_tonumber(lua, index)));
}

static void push_pairs(lua_State *lua, struct cursor *cursor, const char *field, bool is_map) {
    int64_t count = take_count(cursor);
    lua_createtable(lua, 0, 1);
    lua_pushstring(lua, field);
    lua_newtable(lua);
    for (int64_t i = 0; i < count && cursor->at < cursor->end; i++) {
        push_value(lua, cursor);
        if (is_map)
            push_value(lua, cursor);
        else
            lua_pushboolean(lua, 1);
        if (is_key(lua, -2))
            lua_rawset(lua, -3);
        else
            lua_pop(lua, 2);
    }
    lua_rawset(lua, -3);
}

static void push_double(lua_State *lua, struct cursor *cursor) {
    double value = 0;
    struct bytes line = take_line(cursor);
    if (!number_parse_double(line, &value) && bytes_is_word(line, "nan")) value = NAN;
    lua_createtable(lua, 0, 1);
    lua_pushliteral(lua, "double");
    lua_pushnumber(lua, value);
    lua_rawset(lua, -3);
}

static void push_verbatim(lua_State *lua, struct cursor *cursor) {
    struct bytes text;
    if (!take_bulk(cursor, &text) || text.len < 4) {
        lua_pushnil(lua);
        return;
    }
    lua_createtable(lua, 0, 1);
    lua_pushliteral(lua, "verbatim_string");
    lua_createtable(lua, 0, 2);
    lua_pushliteral(lua, "string");
    lua_pushlstring(lua, text.data + 4, text.len - 4);
    lua_rawset(lua, -3);
    lua_pushliteral(lua, "format");
    lua_pushlstring(lua, text.data, 3);
    lua_rawset(lua, -3);
    lua_rawset(lua, -3);
}

static void push_integer(lua_State *lua, struct cursor *cursor) {
    int64_t value = 0;
    (void)number_parse_i64(take_line(cursor), &value);
    lua_pushnumber(lua, (lua_Number)value);
}

static void push_bulk(lua_State *lua, struct cursor *cursor) {
    struct bytes text;
    if (take_bulk(cursor, &text))
        lua_pushlstring(lua, text.data, text.len);
    else
        lua_pushboolean(lua, 0);
}

/* What is said about the value that follows: scripts do not see it. */
static void skip_attribute(lua_State *lua, struct cursor *cursor) {
    int64_t count = take_count(cursor);
    for (int64_t i = 0; i < 2 * count && cursor->at < cursor->end; i++) {
        push_value(lua, cursor);
        lua_pop(lua, 1);
    }
    push_value(lua, cursor);
}

static void push_value(lua_State *lua, struct cursor *cursor) {
    struct bytes line;
    luaL_checkstack(lua, 6, "a reply is nested too deeply");
    if (cursor->at == cursor->end) {
        lua_pushnil(lua);
        return;
    }
    switch (*cursor->at++) {
    case '$': push_bulk(lua, cursor); break;
    case ':': push_integer(lua, cursor); break;
    case '+':
        line = take_line(cursor);
        values_push_field(lua, "ok", line);
        break;
    case '-':
        line = take_line(cursor);
        push_command_error(lua, bytes_make(line.data - 1, line.len + 1));
        break;
    case '>':
    case '*': push_array(lua, cursor); break;
    case '%': push_pairs(lua, cursor, "map", true); break;
    case '~': push_pairs(lua, cursor, "set", false); break;
    case '#': lua_pushboolean(lua, bytes_equal(take_line(cursor), BYTES("t"))); break;
    case ',': push_double(lua, cursor); break;
    case '(':
        line = take_line(cursor);
        values_push_field(lua, "big_number", line);
        break;
    case '=': push_verbatim(lua, cursor); break;
    case '|': skip_attribute(lua, cursor); break;
    case '_':
        take_line(cursor);
        lua_pushnil(lua);
        break;
    default: cursor->at = cursor->end; lua_pushnil(lua);
    }
}

void values_push_reply(lua_State *lua, struct bytes reply) {
    struct cursor cursor = {reply.data, reply.data + reply.len};
    push_value(lua, &cursor);
}

/* ---- Lua -> reply ---- */

static int64_t cut_to_integer(lua_Number number) {
    /* What does not fit has always become the least integer. */
    return number >= -0x1p63 && number < 0x1p63 ? (int64_t)number : INT64_MIN;
}

/* Pushes a field of the table on top of the stack; true, and it stays, when it is of this type. */
static bool push_field_of(lua_State *lua, const char *name, int type) {
    lua_pushstring(lua, name);
    lua_rawget(lua, -2);
    if (lua_type(lua, -1) == type || (type == LUA_TSTRING && lua_isstring(lua, -1))) return true;
    lua_pop(lua, 1);
    return false;
}

/* A line: what would end it becomes a space. The text stops at a zero byte. */
static void write_line(lua_State *lua, struct reply *reply, char kind) {
    const char *text = lua_tostring(lua, -1);
    size_t len = strlen(text);
    char *to = reply_reserve(reply, len + 3);
    if (to == NULL) return;
    *to++ = kind;
    for (size_t i = 0; i < len; i++) *to++ = text[i] == '\r' || text[i] == '\n' ? ' ' : text[i];
    *to++ = '\r';
    *to++ = '\n';
    reply_commit(reply, to);
}

static void write_error(lua_State *lua, struct reply *reply) {
    size_t len;
    const char *text = lua_tolstring(lua, -1, &len);
    reply_error_format(reply, "%s", text);
}

struct writer {
    struct reply *reply;
    int script_resp;
    size_t end; /* the output may not grow beyond this */
};

static void write_value(lua_State *lua, struct writer *writer);

static void write_array(lua_State *lua, struct writer *writer) {
    int count = 0;
    for (;; count++) {
        lua_rawgeti(lua, -1, count + 1);
        bool last = lua_isnil(lua, -1) || count == INT32_MAX - 1;
        lua_pop(lua, 1);
        if (last) break;
    }
    reply_array(writer->reply, (size_t)count);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(lua, -1, i);
        write_value(lua, writer);
    }
}

/* The table of a map or a set is on top of the stack. */
static void write_pairs(lua_State *lua, struct writer *writer, bool is_map) {
    size_t count = 0;
    for (lua_pushnil(lua); lua_next(lua, -2); lua_pop(lua, 1)) count++;
    if (is_map)
        reply_map(writer->reply, count);
    else
        reply_set(writer->reply, count);
    lua_pushnil(lua);
    while (lua_next(lua, -2)) {
        lua_pushvalue(lua, -2);
        write_value(lua, writer);
        if (is_map)
            write_value(lua, writer);
        else
            lua_pop(lua, 1);
    }
}

static bool write_verbatim(lua_State *lua, struct reply *reply) {
    size_t len;
    char kind[4] = "   ";
    bool written = false;
    if (!push_field_of(lua, "verbatim_string", LUA_TTABLE)) return false;
    if (push_field_of(lua, "format", LUA_TSTRING)) {
        const char *format = lua_tolstring(lua, -1, &len);
        for (size_t i = 0; i < len && i < 3; i++)
            if (format[i] != '\0') kind[i] = format[i];
        lua_pop(lua, 1);
        if (push_field_of(lua, "string", LUA_TSTRING)) {
            const char *text = lua_tolstring(lua, -1, &len);
            reply_verbatim(reply, kind, bytes_make(text, len));
            lua_pop(lua, 1);
            written = true;
        }
    }
    lua_pop(lua, 1);
    return written;
}

static void write_table(lua_State *lua, struct writer *writer) {
    struct reply *reply = writer->reply;
    if (push_field_of(lua, "err", LUA_TSTRING)) {
        write_error(lua, reply);
    } else if (push_field_of(lua, "ok", LUA_TSTRING)) {
        write_line(lua, reply, '+');
    } else if (push_field_of(lua, "double", LUA_TNUMBER)) {
        reply_double(reply, lua_tonumber(lua, -1));
    } else if (push_field_of(lua, "map", LUA_TTABLE)) {
        write_pairs(lua, writer, true);
    } else if (push_field_of(lua, "set", LUA_TTABLE)) {
        write_pairs(lua, writer, false);
    } else if (push_field_of(lua, "big_number", LUA_TSTRING)) {
        if (reply->resp >= 3) {
            write_line(lua, reply, '(');
        } else {
            const char *digits = lua_tostring(lua, -1);
            reply_bignum(reply, bytes_from_string(digits));
        }
    } else if (write_verbatim(lua, reply)) {
        return;
    } else {
        write_array(lua, writer);
        return;
    }
    lua_pop(lua, 1);
}

static void write_value(lua_State *lua, struct writer *writer) {
    struct reply *reply = writer->reply;
    size_t len;
    const char *text;
    /* A table may hold another many times over, and so stand for more than there is room for. */
    if (reply->out->len > writer->end) luaL_error(lua, "the reply is too large");
    if (!lua_checkstack(lua, 6)) {
        reply_error(reply, "ERR reached lua stack limit");
        lua_pop(lua, 1);
        return;
    }
    switch (lua_type(lua, -1)) {
    case LUA_TSTRING:
        text = lua_tolstring(lua, -1, &len);
        reply_bulk(reply, bytes_make(text, len));
        break;
    case LUA_TNUMBER: reply_int(reply, cut_to_integer(lua_tonumber(lua, -1))); break;
    case LUA_TBOOLEAN:
        if (writer->script_resp >= 3)
            reply_bool(reply, lua_toboolean(lua, -1) != 0);
        else if (lua_toboolean(lua, -1))
            reply_int(reply, 1);
        else
            reply_null(reply);
        break;
    case LUA_TTABLE: write_table(lua, writer); break;
    default: reply_null(reply);
    }
    lua_pop(lua, 1);
}

void values_write_reply(lua_State *lua, struct reply *reply, int script_resp) {
    struct writer writer = {reply, script_resp, reply->out->len + VALUES_REPLY_MAX};
    write_value(lua, &writer);
}
