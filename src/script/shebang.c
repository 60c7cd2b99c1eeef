/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/shebang.h"

#include <stdint.h>
#include <string.h>

#include "script/run.h"
#include "server/request.h"

enum { WORD_SHOWN_MAX = 128 };

static int shown(struct bytes word) {
    return (int)(word.len < WORD_SHOWN_MAX ? word.len : WORD_SHOWN_MAX);
}

unsigned shebang_flag(struct bytes name) {
    static const struct {
        const char *name;
        unsigned flag;
    } flags[] = {
        {"no-writes", SCRIPT_NO_WRITES},
        {"allow-oom", SCRIPT_ALLOW_OOM},
        {"allow-stale", SCRIPT_ALLOW_STALE},
        {"no-cluster", SCRIPT_NO_CLUSTER},
        {"allow-cross-slot-keys", SCRIPT_CROSS_SLOT},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (bytes_equal(name, bytes_from_string(flags[i].name))) return flags[i].flag;
    return 0;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' || c == '\n';
}

struct bytes shebang_word(struct bytes *line) {
    while (line->len > 0 && is_blank(line->data[0]))
        *line = bytes_make(line->data + 1, line->len - 1);
    struct bytes word = bytes_make(line->data, 0);
    while (word.len < line->len && !is_blank(line->data[word.len])) word.len++;
    *line = bytes_make(line->data + word.len, line->len - word.len);
    return word;
}

static bool parse_flags(struct request *request, struct bytes list, unsigned *flags) {
    while (list.len > 0) {
        const char *comma = memchr(list.data, ',', list.len);
        struct bytes name = bytes_make(list.data, comma ? (size_t)(comma - list.data) : list.len);
        unsigned flag = shebang_flag(name);
        if (flag == 0) {
            reply_error_format(request->reply, "ERR Unexpected flag in script shebang: %.*s",
                               shown(name), name.data);
            return false;
        }
        *flags |= flag;
        size_t taken = name.len + (comma != NULL);
        list = bytes_make(list.data + taken, list.len - taken);
    }
    return true;
}

bool shebang_parse(struct request *request, struct bytes source, struct shebang *ret_shebang) {
    *ret_shebang = (struct shebang){.flags = SCRIPT_UNDECLARED};
    if (source.len < 2 || memcmp(source.data, "#!", 2) != 0) return true;
    const char *end = memchr(source.data, '\n', source.len);
    if (end == NULL) {
        reply_error(request->reply, "ERR Invalid script shebang");
        return false;
    }
    struct bytes line = bytes_make(source.data, (size_t)(end - source.data));
    *ret_shebang = (struct shebang){.len = line.len};
    struct bytes word = shebang_word(&line);
    if (!bytes_equal(word, BYTES("#!lua"))) {
        reply_error_format(request->reply, "ERR Unexpected engine in script shebang: %.*s",
                           shown(word), word.data);
        return false;
    }
    while ((word = shebang_word(&line)).len > 0) {
        if (word.len >= 6 && memcmp(word.data, "flags=", 6) == 0) {
            if (!parse_flags(request, bytes_make(word.data + 6, word.len - 6), &ret_shebang->flags))
                return false;
        } else {
            reply_error_format(request->reply, "ERR Unknown lua shebang option: %.*s", shown(word),
                               word.data);
            return false;
        }
    }
    return true;
}
