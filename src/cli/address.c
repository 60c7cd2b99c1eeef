/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/address.h"

#include <stdio.h>

#include "base/number.h"

static bool fail(const char **ret_error, const char *what) {
    *ret_error = what;
    return false;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Copies a text, percent-decoded where wanted; false when it is too long, holds a
 * zero, or ends in half a code. */
static bool copy_text(struct bytes text, bool decode, char *out, size_t room) {
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (decode && c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.data[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_digit(text.data[i + 2]) : -1;
            if (high < 0 || low < 0) return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0' || len + 1 >= room) return false;
        out[len++] = c;
    }
    out[len] = '\0';
    return true;
}

static size_t find(struct bytes text, char c) {
    const char *at = text.len ? memchr(text.data, c, text.len) : NULL;
    return at ? (size_t)(at - text.data) : text.len;
}

static size_t find_last(struct bytes text, char c) {
    const char *at = text.len ? memrchr(text.data, c, text.len) : NULL;
    return at ? (size_t)(at - text.data) : text.len;
}

static struct bytes from(struct bytes text, size_t at) {
    return bytes_make(text.data + at, text.len - at);
}

/* Takes "user:password@" from the front of *rest, up to the last '@' of what precedes limit. */
static bool take_user(struct bytes *rest, size_t limit, struct address *address,
                      const char **ret_error) {
    struct bytes front = bytes_make(rest->data, limit);
    size_t at = find_last(front, '@');
    if (at == limit) return true;
    struct bytes user = bytes_make(rest->data, at);
    size_t colon = find(user, ':');
    if (colon < user.len) {
        address->has_password = true;
        if (!copy_text(from(user, colon + 1), true, address->password, sizeof address->password))
            return fail(ret_error, "the password is too long, or has a '%' that is no %XX code");
    }
    if (!copy_text(bytes_make(user.data, colon), true, address->user, sizeof address->user))
        return fail(ret_error, "the user's name is too long, or has a '%' that is no %XX code");
    *rest = from(*rest, at + 1);
    return true;
}

static bool read_database(struct bytes text, struct address *address, const char **ret_error) {
    int64_t number;
    if (!number_parse_i64(text, &number) || number < 0 || number > INT32_MAX)
        return fail(ret_error, "what follows the host is the database, a number from 0, as in "
                               "redis://host:6379/2 (a '/' in a password is written %2F)");
    address->database = (int)number;
    return true;
}

static bool read_query(struct bytes query, struct address *address, const char **ret_error) {
    if (query.len == 0) return true;
    if (query.len < 4 || memcmp(query.data, "?db=", 4) != 0)
        return fail(ret_error, "the only thing that may follow '?' is db=N");
    return read_database(from(query, 4), address, ret_error);
}

static bool read_port(struct bytes text, struct address *address, const char **ret_error) {
    int64_t port;
    if (!number_parse_i64(text, &port) || port < 1 || port > 65535)
        return fail(ret_error, "a port is a number from 1 to 65535 (a ':', '@' or '/' in a "
                               "password is written %3A, %40, %2F)");
    address->port = (unsigned)port;
    return true;
}

/* "host", "host:port", "[::1]", "[::1]:port", "::1", ":port", "". */
static bool read_host(struct bytes text, struct address *address, const char **ret_error) {
    struct bytes host = text, port = {NULL, 0};
    if (text.len && text.data[0] == '[') {
        size_t close = find(text, ']');
        if (close == text.len) return fail(ret_error, "the ']' after the IPv6 address is missing");
        host = bytes_make(text.data + 1, close - 1);
        struct bytes rest = from(text, close + 1);
        if (rest.len && rest.data[0] != ':')
            return fail(ret_error, "only ':' and a port may follow an address in brackets");
        if (rest.len) port = rest;
    } else if (find(text, ':') == find_last(text, ':') && find(text, ':') < text.len) {
        host = bytes_make(text.data, find(text, ':'));
        port = from(text, find(text, ':'));
    }
    if (port.len && !read_port(from(port, 1), address, ret_error)) return false;
    if (host.len == 0) host = BYTES("127.0.0.1");
    if (!copy_text(host, false, address->host, sizeof address->host))
        return fail(ret_error, "the host's name is too long");
    for (size_t i = 0; i < host.len; i++) {
        if ((unsigned char)host.data[i] <= ' ' || strchr("[]@\177", host.data[i]))
            return fail(ret_error, "a host's name has no blanks, brackets or '@' in it");
    }
    return true;
}

static bool read_network(struct bytes rest, struct address *address, const char **ret_error) {
    size_t limit = find(rest, '/'), question = find(rest, '?');
    if (question < limit) limit = question;
    struct bytes path = from(rest, limit), authority = bytes_make(rest.data, limit);
    if (!take_user(&authority, limit, address, ret_error) ||
        !read_host(authority, address, ret_error))
        return false;
    question = find(path, '?');
    if (question > 1 && !read_database(bytes_make(path.data + 1, question - 1), address, ret_error))
        return false;
    return read_query(from(path, question), address, ret_error);
}

static bool read_socket(struct bytes rest, bool url, struct address *address,
                        const char **ret_error) {
    address->kind = ADDRESS_UNIX;
    if (url && !take_user(&rest, find(rest, '/'), address, ret_error)) return false;
    size_t question = url ? find(rest, '?') : rest.len;
    struct bytes path = bytes_make(rest.data, question);
    if (path.len < 2 || path.data[0] != '/')
        return fail(ret_error, "a socket's path begins with '/', as in unix:///run/redis.sock");
    /* struct sockaddr_un has room for 107 bytes and the zero. */
    if (!copy_text(path, url, address->host, 108))
        return fail(ret_error, "a socket's path has 107 bytes at most, and no '%' but in %XX");
    return read_query(from(rest, question), address, ret_error);
}

static bool is_scheme(struct bytes scheme, const char *words) {
    struct bytes rest = bytes_from_string(words);
    while (rest.len) {
        size_t end = find(rest, '|');
        char word[16];
        if (copy_text(bytes_make(rest.data, end), false, word, sizeof word) &&
            bytes_is_word(scheme, word))
            return true;
        rest = from(rest, end < rest.len ? end + 1 : end);
    }
    return false;
}

bool address_parse(struct bytes text, struct address *ret_address, const char **ret_error) {
    struct address address = {.port = ADDRESS_PORT, .database = ADDRESS_DATABASE_UNSTATED};
    const char *scheme_end = text.len ? memmem(text.data, text.len, "://", 3) : NULL;
    bool ok;
    *ret_error = NULL;
    if (text.len == 0) return fail(ret_error, "it is empty");
    if (text.data[0] == '/') {
        ok = read_socket(text, false, &address, ret_error);
    } else if (!scheme_end) {
        ok = read_network(text, &address, ret_error);
    } else {
        size_t len = (size_t)(scheme_end - text.data);
        struct bytes scheme = bytes_make(text.data, len), rest = from(text, len + 3);
        if (is_scheme(scheme, "rediss|valkeys")) address.kind = ADDRESS_TLS;
        if (is_scheme(scheme, "unix")) {
            ok = read_socket(rest, true, &address, ret_error);
        } else if (address.kind == ADDRESS_TLS || is_scheme(scheme, "redis|valkey|keynome")) {
            ok = read_network(rest, &address, ret_error);
        } else {
            ok = fail(ret_error, "what precedes '://' is redis, rediss (with TLS) or unix");
        }
    }
    if (ok) *ret_address = address;
    return ok;
}

void address_show(const struct address *address, char *out) {
    bool colons = strchr(address->host, ':') != NULL;
    int len;
    if (address->kind == ADDRESS_UNIX) {
        len = snprintf(out, ADDRESS_SHOWN_MAX, "unix://%s", address->host);
    } else {
        len = snprintf(out, ADDRESS_SHOWN_MAX, "%s://%s%s%s:%u",
                       address->kind == ADDRESS_TLS ? "rediss" : "redis", colons ? "[" : "",
                       address->host, colons ? "]" : "", address->port);
    }
    if (address->database < 0) return;
    snprintf(out + len, ADDRESS_SHOWN_MAX - (size_t)len,
             address->kind == ADDRESS_UNIX ? "?db=%d" : "/%d", address->database);
}
