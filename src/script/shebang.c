/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/shebang.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "proto/inline.h"
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

/* Whether every quote is closed. Words are unquoted in place, so this is asked of a copy. */
static bool words_are_whole(struct arena *arena, struct bytes line) {
    struct inline_words words;
    struct bytes word, copy = arena_copy(arena, line);
    int found;
    inline_begin(&words, (char *)(uintptr_t)copy.data, copy.len);
    while ((found = inline_next(&words, &word)) == 1) continue;
    return found == 0;
}

bool shebang_parse(struct request *request, struct bytes source, struct shebang *ret_shebang) {
    *ret_shebang = (struct shebang){.flags = SCRIPT_UNDECLARED};
    if (source.len < 2 || memcmp(source.data, "#!", 2) != 0) return true;
    const char *end = memchr(source.data, '\n', source.len);
    if (end == NULL) {
        reply_error(request->reply, "ERR Invalid script shebang");
        return false;
    }
    struct bytes word = {0};
    struct inline_words words;
    size_t len = (size_t)(end - source.data);
    struct bytes line = arena_copy(request->arena, bytes_make(source.data, len));
    *ret_shebang = (struct shebang){.len = len};
    if (!words_are_whole(request->arena, line)) {
        reply_error(request->reply, "ERR Invalid engine in script shebang");
        return false;
    }
    inline_begin(&words, (char *)(uintptr_t)line.data, line.len);
    (void)inline_next(&words, &word);
    if (!bytes_equal(word, BYTES("#!lua"))) {
        reply_error_format(request->reply, "ERR Unexpected engine in script shebang: %.*s",
                           shown(word), word.data);
        return false;
    }
    while (inline_next(&words, &word) == 1) {
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

bool shebang_says(struct bytes source, unsigned flag) {
    struct shebang shebang;
    struct arena arena;
    struct buffer text;
    struct reply reply;
    if (source.len < 2 || source.data[0] != '#') return false;
    arena_init(&arena);
    buffer_init(&text, 4 * WORD_SHOWN_MAX);
    reply_init(&reply, &text, 2);
    struct request request = {.arena = &arena, .reply = &reply};
    bool good = shebang_parse(&request, source, &shebang);
    buffer_done(&text);
    arena_done(&arena);
    return good && shebang.flags & flag;
}
