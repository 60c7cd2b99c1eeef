/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One order, one form: fields stand in the order in which they are written here, texts are plain
 * where that is safe and double-quoted otherwise, and what is not set is left out. So two versions
 * differ where they mean different things, and nowhere else.
 */
#include "catalog/words.h"
#include "catalog/yaml.h"

struct writer {
    struct buffer *buffer;
    int error;
    bool flow; /* each field on one line */
};

static void put(struct writer *writer, const char *text) {
    if (!writer->error) writer->error = buffer_add(writer->buffer, text, strlen(text));
}

/* A text that YAML reads back as itself without quotes: it begins with a letter, and has nothing in
 * it that could mean something. */
static bool is_plain(struct bytes text) {
    if (text.len == 0 || !word_is_letter(text.data[0]) || text.data[text.len - 1] == ' ')
        return false;
    if (words_are(text, "true|false|yes|no|on|off|null|y|n")) return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!word_is_name(c) && !memchr(" ./()+-", c, 7)) return false;
        if (c == ' ' && text.data[i - 1] == ' ') return false;
    }
    return true;
}

/* The code point at the front and its length; U+FFFD and 1 where there is no
 * UTF-8, which YAML cannot hold. */
static unsigned next_point(struct bytes text, size_t *ret_len) {
    unsigned char c = (unsigned char)text.data[0];
    size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    unsigned point = len == 1 ? c : c & (0xffu >> (len + 1));
    *ret_len = 1;
    if (len == 0 || len > text.len) return 0xfffd;
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)text.data[i] & 0xc0) != 0x80) return 0xfffd;
        point = point << 6 | ((unsigned char)text.data[i] & 0x3f);
    }
    bool too_long = (len == 3 && point < 0x800) || (len == 4 && point < 0x10000);
    if (too_long || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return 0xfffd;
    *ret_len = len;
    return point;
}

static bool must_escape(unsigned point) {
    return point < 0x20 || (point >= 0x7f && point <= 0xa0) || point == 0x2028 || point == 0x2029 ||
           point == 0xfeff || (point & 0xfffe) == 0xfffe;
}

static void put_text(struct writer *writer, const char *string) {
    struct bytes text = bytes_from_string(string);
    if (is_plain(text)) {
        put(writer, string);
        return;
    }
    put(writer, "\"");
    while (text.len && !writer->error) {
        size_t len;
        unsigned point = next_point(text, &len);
        if (point == '"' || point == '\\') {
            writer->error = buffer_printf(writer->buffer, "\\%c", (int)point);
        } else if (must_escape(point) || point == 0xfffd) {
            writer->error =
                buffer_printf(writer->buffer, point > 0xffff ? "\\U%08x" : "\\u%04x", point);
        } else {
            writer->error = buffer_add(writer->buffer, text.data, len);
        }
        text = words_from(text, len);
    }
    put(writer, "\"");
}

static void put_number(struct writer *writer, uint64_t number) {
    if (!writer->error)
        writer->error = buffer_printf(writer->buffer, "%llu", (unsigned long long)number);
}

/* "indent name: text", where there is a text. */
static void put_field(struct writer *writer, const char *indent, const char *name,
                      const char *text) {
    if (!text) return;
    put(writer, indent);
    put(writer, name);
    put(writer, ": ");
    put_text(writer, text);
    put(writer, "\n");
}

static void put_inline_text(struct writer *writer, bool *first, const char *name,
                            const char *text) {
    if (!text) return;
    put(writer, *first ? "{" : ", ");
    *first = false;
    put(writer, name);
    put(writer, ": ");
    put_text(writer, text);
}

static void put_inline_duration(struct writer *writer, bool *first, const char *name, int64_t ms) {
    char out[DURATION_TEXT_MAX];
    if (ms == 0) return;
    put(writer, *first ? "{" : ", ");
    *first = false;
    put(writer, name);
    put(writer, ": ");
    put(writer, duration_format(ms, out));
}

static void put_lifetime(struct writer *writer, const struct lifetime *lifetime) {
    bool first = true;
    char out[DURATION_TEXT_MAX];
    if (lifetime->kind == LIFETIME_UNSTATED && !lifetime->note) return;
    put(writer, "    lifetime: ");
    if (lifetime->kind == LIFETIME_NONE) {
        put(writer, "none\n");
        return;
    }
    if (lifetime->default_ms && !lifetime->required && !lifetime->minimum_ms &&
        !lifetime->maximum_ms && !lifetime->after && !lifetime->renewed && !lifetime->note) {
        put(writer, duration_format(lifetime->default_ms, out));
        put(writer, "\n");
        return;
    }
    put_inline_duration(writer, &first, "default", lifetime->default_ms);
    put_inline_duration(writer, &first, "minimum", lifetime->minimum_ms);
    put_inline_duration(writer, &first, "maximum", lifetime->maximum_ms);
    if (lifetime->required) {
        put(writer, first ? "{required: true" : ", required: true");
        first = false;
    }
    put_inline_text(writer, &first, "after", lifetime->after);
    put_inline_text(writer, &first, "renewed", lifetime->renewed);
    put_inline_text(writer, &first, "note", lifetime->note);
    put(writer, first ? "unstated\n" : "}\n");
}

static void put_limits(struct writer *writer, const struct pattern *pattern) {
    const struct {
        const char *name;
        uint64_t limit;
    } limits[] = {{"key", pattern->key_bytes_max},
                  {"value", pattern->value_bytes_max},
                  {"elements", pattern->elements_max}};
    bool first = true;
    for (size_t i = 0; i < 3; i++) {
        if (limits[i].limit == 0) continue;
        put(writer, first ? "    limits: {" : ", ");
        first = false;
        put(writer, limits[i].name);
        put(writer, ": ");
        put_number(writer, limits[i].limit);
    }
    if (!first) put(writer, "}\n");
}

static void put_databases(struct writer *writer, const struct pattern *pattern) {
    if (pattern->database_count == 0) return;
    put(writer, "    database: ");
    if (pattern->database_count > 1) put(writer, "[");
    for (size_t i = 0; i < pattern->database_count; i++) {
        if (i) put(writer, ", ");
        put_number(writer, pattern->databases[i]);
    }
    put(writer, pattern->database_count > 1 ? "]\n" : "\n");
}

static void put_fields(struct writer *writer, const struct pattern *pattern) {
    if (pattern->field_count == 0 && !pattern->fields_closed) return;
    bool formats = false;
    for (size_t i = 0; i < pattern->field_count; i++)
        formats |= pattern->fields[i].format != FORMAT_ANY;
    const char *open = !formats       ? "    fields: ["
                       : writer->flow ? "    fields: {"
                                      : "    fields:\n";
    if (pattern->field_count) put(writer, open);
    for (size_t i = 0; i < pattern->field_count; i++) {
        if (formats && writer->flow) {
            if (i) put(writer, ", ");
            put_text(writer, pattern->fields[i].name);
            put(writer, ": ");
            put(writer, format_names[pattern->fields[i].format]);
        } else if (formats) {
            put(writer, "      ");
            put_text(writer, pattern->fields[i].name);
            put(writer, ": ");
            put(writer, format_names[pattern->fields[i].format]);
            put(writer, "\n");
        } else {
            if (i) put(writer, ", ");
            put_text(writer, pattern->fields[i].name);
        }
    }
    if (pattern->field_count && !formats) put(writer, "]\n");
    if (pattern->field_count && formats && writer->flow) put(writer, "}\n");
    if (pattern->fields_closed) put(writer, "    only-these-fields: true\n");
}

static void put_flow(struct writer *writer, const char *name, const char *text, size_t i,
                     size_t count) {
    if (i == 0) {
        put(writer, "    ");
        put(writer, name);
        put(writer, ": [");
    } else {
        put(writer, ", ");
    }
    put_text(writer, text);
    if (i + 1 == count) put(writer, "]\n");
}

static void put_examples(struct writer *writer, const struct pattern *pattern) {
    for (size_t i = 0; writer->flow && pattern->example_count > 1 && i < pattern->example_count;
         i++)
        put_flow(writer, "examples", pattern->examples[i].text, i, pattern->example_count);
    if (writer->flow && pattern->example_count > 1) return;
    if (pattern->example_count == 1) {
        put_field(writer, "    ", "example", pattern->examples[0].text);
    } else if (pattern->example_count > 1) {
        put(writer, "    examples:\n");
        for (size_t i = 0; i < pattern->example_count; i++) {
            put(writer, "      - ");
            put_text(writer, pattern->examples[i].text);
            put(writer, "\n");
        }
    }
}

static void put_pattern(struct writer *writer, const struct pattern *pattern) {
    put_field(writer, "  - ", pattern->kind == PATTERN_CHANNEL ? "channel" : "key",
              pattern->key.template.text);
    put_field(writer, "    ", "name", pattern->name);
    if (pattern->alias_count && !writer->flow) put(writer, "    aliases:\n");
    for (size_t i = 0; i < pattern->alias_count; i++) {
        if (writer->flow) {
            put_flow(writer, "aliases", pattern->aliases[i].template.text, i, pattern->alias_count);
            continue;
        }
        put(writer, "      - ");
        put_text(writer, pattern->aliases[i].template.text);
        put(writer, "\n");
    }
    if (pattern->type) put_field(writer, "    ", "type", pattern_type_names[pattern->type]);
    put_lifetime(writer, &pattern->lifetime);
    put_databases(writer, pattern);
    if (pattern->eviction) put_field(writer, "    ", "eviction", eviction_names[pattern->eviction]);
    if (pattern->mode == MODE_OFF) {
        put(writer, "    mode: \"off\"\n");
    } else if (pattern->mode) {
        put_field(writer, "    ", "mode", mode_names[pattern->mode]);
    }
    put_limits(writer, pattern);
    if (pattern->value) put_field(writer, "    ", "value", format_names[pattern->value]);
    put_fields(writer, pattern);
    put_field(writer, "    ", "tenant", pattern->tenant);
    put_field(writer, "    ", "owner", pattern->owner);
    put_field(writer, "    ", "section", pattern->section);
    put_field(writer, "    ", "purpose", pattern->purpose);
    put_field(writer, "    ", "source", pattern->source);
    put_examples(writer, pattern);
    bool first = true;
    for (unsigned i = 0; i < GUESSES; i++) {
        if (!(pattern->guessed >> i & 1)) continue;
        put(writer, first ? "    guessed: [" : ", ");
        put(writer, guess_names[i]);
        first = false;
    }
    if (!first) put(writer, "]\n");
}

static void put_prefixes(struct writer *writer, const struct catalog *catalog) {
    if (catalog->prefix_count) put(writer, writer->flow ? "prefixes: {" : "prefixes:\n");
    for (size_t i = 0; i < catalog->prefix_count; i++) {
        const struct prefix *prefix = &catalog->prefixes[i];
        put(writer, !writer->flow ? "  " : i ? ", " : "");
        put_text(writer, prefix->name);
        put(writer, ": [");
        for (size_t j = 0; j < prefix->value_count; j++) {
            if (j) put(writer, ", ");
            put_text(writer, prefix->values[(j + prefix->chosen) % prefix->value_count]);
        }
        put(writer, writer->flow ? "]" : "]\n");
    }
    if (catalog->prefix_count && writer->flow) put(writer, "}\n");
}

static void put_catalog_databases(struct writer *writer, const struct catalog *catalog) {
    if (catalog->database_count) put(writer, writer->flow ? "databases: {" : "databases:\n");
    for (size_t i = 0; i < catalog->database_count; i++) {
        const char *purpose = catalog->databases[i].purpose;
        put(writer, !writer->flow ? "  " : i ? ", " : "");
        put_number(writer, catalog->databases[i].number);
        put(writer, ": ");
        put_text(writer, purpose ? purpose : "");
        if (!writer->flow) put(writer, "\n");
    }
    if (catalog->database_count && writer->flow) put(writer, "}\n");
}

static void put_head(struct writer *writer, const struct catalog *catalog) {
    put_field(writer, "", "name", catalog->name);
    put_field(writer, "", "owner", catalog->owner);
    put_field(writer, "", "purpose", catalog->purpose);
    if (catalog->mode == MODE_OFF) put(writer, "mode: \"off\"\n");
    if (catalog->mode > MODE_OFF) put_field(writer, "", "mode", mode_names[catalog->mode]);
    if (catalog->unmatched != UNMATCHED_ALLOW)
        put_field(writer, "", "unmatched", unmatched_names[catalog->unmatched]);
    put_field(writer, "", "grammar", catalog->grammar);
    put_field(writer, "", "eviction-policy", catalog->eviction_policy);
    put_prefixes(writer, catalog);
    put_catalog_databases(writer, catalog);
}

int catalog_write_yaml(const struct catalog *catalog, struct buffer *buffer) {
    struct writer writer = {.buffer = buffer};
    put(&writer, "keynome: 1\n");
    put_head(&writer, catalog);
    put(&writer, catalog->pattern_count ? "\npatterns:\n" : "\npatterns: []\n");
    for (size_t i = 0; i < catalog->pattern_count; i++) {
        if (i) put(&writer, "\n");
        put_pattern(&writer, &catalog->patterns[i]);
    }
    return writer.error;
}

int catalog_write_lines(const struct catalog *catalog, const struct pattern *pattern,
                        struct buffer *buffer) {
    struct writer writer = {.buffer = buffer, .flow = true};
    if (pattern) {
        put_pattern(&writer, pattern);
    } else {
        put_head(&writer, catalog);
    }
    return writer.error;
}
