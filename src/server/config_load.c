/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file and the command line.
 *
 * A file is lines of a directive and its words. The command line is turned into such lines, which
 * come after the file's and so win over them. Each line is applied as it is read: `dir` moves the
 * process at once, and later relative paths count from there.
 */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/memory.h"
#include "server/config_row.h"

enum { INCLUDE_DEPTH_MAX = 16, FILE_BYTES_MAX = 64 * 1024 * 1024 };

/* Where a line stands. */
struct place {
    const char *path; /* NULL: the command line */
    unsigned line;
    unsigned depth;
};

static void describe(const struct place *place, char *out, size_t size) {
    if (place->path) {
        snprintf(out, size, "the configuration file %s, at line %u", place->path, place->line);
    } else {
        snprintf(out, size, "the command line");
    }
}

static bool fail_at(const struct place *place, struct bytes line, const char *reason,
                    struct config_error *error) {
    char where[PATH_MAX + 64];
    describe(place, where, sizeof where);
    config_fail(error, "\n*** FATAL CONFIG FILE ERROR (Keynome %s) ***\nReading %s\n>>> '%.*s'\n%s",
                KN_VERSION, where, (int)(line.len < 256 ? line.len : 256), line.data, reason);
    return false;
}

/* ---- one directive ---- */

static bool load_file(struct config *config, const char *path, const struct place *from,
                      struct config_error *error);

static bool include(struct config *config, const char *pattern, const struct place *place,
                    struct config_error *error) {
    if (!strpbrk(pattern, "*?[")) return load_file(config, pattern, place, error);
    glob_t found;
    /* A pattern that matches nothing is no error: folders of fragments may be empty. */
    if (glob(pattern, 0, NULL, &found) != 0) return true;
    bool ok = true;
    for (size_t i = 0; ok && i < found.gl_pathc; i++) {
        ok = load_file(config, found.gl_pathv[i], place, error);
    }
    globfree(&found);
    return ok;
}

static void add_rename(struct config *config, const char *from, const char *to,
                       const struct place *place) {
    char where[PATH_MAX + 64];
    struct config_rename **end = &config->renames;
    while (*end) end = &(*end)->next;
    describe(place, where, sizeof where);
    *end = mem_alloc(sizeof **end);
    **end = (struct config_rename){mem_strdup(from), mem_strdup(to), mem_strdup(where), NULL};
}

/* Directives that set no value. Returns false when this is none of them. */
static bool is_statement(struct config *config, struct config_words words,
                         const struct place *place, struct bytes line, struct config_error *error,
                         bool *ret_ok) {
    const char *name = words.words[0];
    *ret_ok = true;
    if (strcasecmp(name, "include") == 0 && words.count == 2) {
        if (place->depth >= INCLUDE_DEPTH_MAX) {
            *ret_ok = fail_at(place, line, "files are included too deeply", error);
        } else {
            *ret_ok = include(config, words.words[1], place, error);
        }
    } else if (strcasecmp(name, "rename-command") == 0 && words.count == 3) {
        add_rename(config, words.words[1], words.words[2], place);
    } else if (strcasecmp(name, "user") == 0 && words.count >= 2) {
        *ret_ok =
            fail_at(place, line, "users and access control lists are not supported yet", error);
    } else if (strcasecmp(name, "loadmodule") == 0 && words.count >= 2) {
        *ret_ok = fail_at(place, line, "modules are not supported", error);
    } else if (strcasecmp(name, "sentinel") == 0) {
        *ret_ok = fail_at(place, line, "sentinel directive while not in sentinel mode", error);
    } else {
        /* Obsolete names that Redis still reads and ignores. */
        return words.count == 2 && (strcasecmp(name, "list-max-ziplist-entries") == 0 ||
                                    strcasecmp(name, "list-max-ziplist-value") == 0 ||
                                    strcasecmp(name, "lua-replicate-commands") == 0);
    }
    return true;
}

/* A list that was given as one word in quotes, as command lines often have it (--save "60 1"), is
 * its words: they take the place of the directive's other words. */
static bool unquote_list(const struct config_row *row, const struct config_words *arguments,
                         struct config_words *ret_words) {
    if (!(row->flags & CONFIG_WORDS) || row->flags & CONFIG_QUOTED || arguments->count != 1 ||
        !strchr(arguments->words[0], ' '))
        return false;
    for (const char *at = arguments->words[0]; *at; at++)
        if ((unsigned char)*at < ' ') return false;
    return config_split(bytes_from_string(arguments->words[0]), ret_words);
}

static bool apply_words(struct config *config, struct config_words words, const struct place *place,
                        struct bytes line, struct config_error *error) {
    bool ok;
    if (is_statement(config, words, place, line, error, &ok)) return ok;
    struct config_value *value = config_find(config, bytes_from_string(words.words[0]));
    if (!value) return fail_at(place, line, "Bad directive or wrong number of arguments", error);
    const struct config_row *row = value->row;
    struct buffer text;
    char refusal[256];
    int64_t number = 0;
    buffer_init(&text, CONFIG_TEXT_MAX);
    struct config_words arguments = {words.words + 1, words.count - 1}, unquoted = {NULL, 0};
    if (unquote_list(row, &arguments, &unquoted)) arguments = unquoted;
    /* A list may be empty: what that means (nothing, or an error) its own function says. */
    const char *reason = arguments.count == 0 && !(row->flags & CONFIG_WORDS)
                             ? "wrong number of arguments"
                             : config_parse(value, arguments, true, &text, &number);
    if (!reason && buffer_add(&text, "", 1) != 0) reason = "argument is too long";
    if (!reason && row->flags & CONFIG_REFUSED && strcmp(text.data, value->initial) != 0) {
        snprintf(refusal, sizeof refusal, "this asks for %s, which is not supported yet",
                 row->waits);
        reason = refusal;
    }
    if (reason) {
        fail_at(place, line, reason, error);
    } else {
        config_put(value, number, mem_strdup(text.data));
        value->given = true;
    }
    buffer_done(&text);
    config_words_done(&unquoted);
    return reason == NULL;
}

/* ---- lines ---- */

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool load_line(struct config *config, struct bytes line, const struct place *place,
                      struct config_error *error) {
    struct config_words words;
    while (line.len && is_blank(line.data[0])) line = bytes_make(line.data + 1, line.len - 1);
    while (line.len && is_blank(line.data[line.len - 1])) line.len--;
    if (line.len == 0 || line.data[0] == '#') return true;
    if (memchr(line.data, '\0', line.len)) return fail_at(place, line, "Zero byte in line", error);
    if (!config_split(line, &words)) {
        return fail_at(place, line, "Unbalanced quotes in configuration line", error);
    }
    bool ok = words.count == 0 || apply_words(config, words, place, line, error);
    config_words_done(&words);
    return ok;
}

static bool load_text(struct config *config, struct bytes text, const char *path, unsigned depth,
                      struct config_error *error) {
    struct place place = {path, 0, depth};
    while (text.len) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        place.line++;
        if (!load_line(config, bytes_make(text.data, len), &place, error)) return false;
        len += end != NULL;
        text = bytes_make(text.data + len, text.len - len);
    }
    return true;
}

bool config_load_text(struct config *config, struct bytes text, const char *path,
                      struct config_error *error) {
    return load_text(config, text, path, 0, error);
}

static bool load_stream(struct config *config, FILE *file, const char *path, unsigned depth,
                        struct config_error *error) {
    struct buffer text;
    buffer_init(&text, FILE_BYTES_MAX);
    size_t n = 0;
    char *to;
    while ((to = buffer_reserve(&text, 4096)) != NULL && (n = fread(to, 1, 4096, file)) > 0) {
        buffer_commit(&text, n);
    }
    bool ok = to != NULL && !ferror(file);
    if (ok) {
        ok = load_text(config, buffer_bytes(&text), path, depth, error);
    } else {
        config_fail(error, "Fatal error, can't read config file '%s': %s", path,
                    to ? strerror(errno) : "it is too large");
    }
    buffer_done(&text);
    return ok;
}

/* from: the line that includes it; NULL for the first file. */
static bool load_file(struct config *config, const char *path, const struct place *from,
                      struct config_error *error) {
    FILE *file = fopen(path, "re");
    if (!file) {
        char where[PATH_MAX + 64] = "";
        if (from) describe(from, where, sizeof where);
        config_fail(error, "Fatal error, can't open config file '%s': %s%s%s%s", path,
                    strerror(errno), from ? " (included by " : "", where, from ? ")" : "");
        return false;
    }
    bool ok = load_stream(config, file, path, from ? from->depth + 1 : 0, error);
    fclose(file);
    return ok;
}

/* ---- the command line ---- */

static void print_help(void) {
    printf("Usage: keynome-server [/path/to/redis.conf] [--directive value ...] [-]\n"
           "       keynome-server - (reads configuration from standard input)\n"
           "       keynome-server -v or --version\n"
           "       keynome-server -h or --help\n"
           "\n"
           "Examples:\n"
           "       keynome-server (with defaults: 127.0.0.1 and everything else on port 6379)\n"
           "       keynome-server /etc/redis/redis.conf\n"
           "       keynome-server --port 7777 --threads 4\n"
           "       keynome-server /etc/redis/redis.conf --loglevel verbose -\n"
           "       echo 'maxmemory 128mb' | keynome-server -\n"
           "\n"
           "Any directive of the file may be given as a flag; flags win over the file.\n");
}

static bool is_flag(const char *argument) {
    return argument[0] == '-' && argument[1] == '-';
}

/* Reads one flag with its values from argv[*at] on. The word after a flag is its value whatever it
 * looks like, but for --save, which may stand alone. */
static bool load_flag(struct config *config, int argc, char **argv, int *at,
                      struct config_error *error) {
    const struct place place = {NULL, 0, 0};
    struct buffer line;
    buffer_init(&line, FILE_BYTES_MAX);
    const char *flag = argv[(*at)++] + 2;
    bool ok = buffer_add(&line, flag, strlen(flag)) == 0;
    bool is_save = strcasecmp(flag, "save") == 0;
    /* "--port 6380" as one argument carries its value along. */
    const char *value = flag + strcspn(flag, " \t");
    bool has_value = value[strspn(value, " \t")] != '\0';
    if (is_save && (*at == argc || is_flag(argv[*at]))) {
        ok = ok && buffer_add(&line, " \"\"", 3) == 0;
        has_value = true;
    }
    while (ok && *at < argc && !(has_value && is_flag(argv[*at]))) {
        if (*at == argc - 1 && strcmp(argv[*at], "-") == 0) break;
        ok = buffer_add(&line, " ", 1) == 0 && config_quote(argv[(*at)++], true, &line);
        has_value = true;
    }
    if (ok) {
        ok = load_line(config, buffer_bytes(&line), &place, error);
    } else {
        config_fail(error, "The command line is too long.");
    }
    buffer_done(&line);
    return ok;
}

enum config_start config_load(struct config *config, int argc, char **argv,
                              struct config_error *error) {
    int at = 1;
    if (argc >= 2 && (strcmp(argv[1], "-v") == 0 || strcmp(argv[1], "--version") == 0)) {
        printf("Keynome server v=%s malloc=%s bits=%zu\n", KN_VERSION, memory_allocator_name(),
               sizeof(void *) * CHAR_BIT);
        return CONFIG_START_EXIT;
    }
    if (argc >= 2 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)) {
        print_help();
        return CONFIG_START_EXIT;
    }
    if (argc == 2 && strcmp(argv[1], "--print-directives") == 0) {
        struct buffer text;
        buffer_init(&text, FILE_BYTES_MAX);
        if (config_document(&text)) fwrite(text.data, 1, text.len, stdout);
        buffer_done(&text);
        return CONFIG_START_EXIT;
    }
    if (argc >= 2 && argv[1][0] != '-') {
        char path[PATH_MAX];
        mem_free(config->file_path);
        config->file_path = mem_strdup(realpath(argv[1], path) ? path : argv[1]);
        if (!load_file(config, config->file_path, NULL, error)) return CONFIG_START_FAIL;
        at = 2;
    }
    /* Standard input counts before the flags, wherever it is named: first or last. */
    bool first_is_stdin = at < argc && strcmp(argv[at], "-") == 0 && at == 1;
    bool last_is_stdin = argc > at && strcmp(argv[argc - 1], "-") == 0;
    if (first_is_stdin || last_is_stdin) {
        if (!load_stream(config, stdin, "standard input", 0, error)) return CONFIG_START_FAIL;
    }
    if (first_is_stdin) at++;
    while (at < argc) {
        if (last_is_stdin && at == argc - 1) break;
        if (!is_flag(argv[at])) {
            config_fail(error, "'%.128s' is neither a --directive nor one's value. See --help.",
                        argv[at]);
            return CONFIG_START_FAIL;
        }
        if (!load_flag(config, argc, argv, &at, error)) return CONFIG_START_FAIL;
    }
    return CONFIG_START_RUN;
}
