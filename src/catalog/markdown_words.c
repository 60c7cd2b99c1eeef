/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/number.h"
#include "catalog/markdown_inside.h"
#include "catalog/words.h"

static struct pattern *pattern_at(struct importer *importer, size_t number) {
    return &importer->catalog->patterns[number];
}

enum pattern_type words_type(struct bytes text, enum value_format *ret_format, bool *ret_channel) {
    static const struct {
        const char *words;
        enum pattern_type type;
        enum value_format format;
    } rows[] = {
        {"sorted set|sorted sets|sorted-set|sortedset|zset|zsets|geo|geospatial", PATTERN_TYPE_ZSET,
         FORMAT_ANY},
        {"stream|streams", PATTERN_TYPE_STREAM, FORMAT_ANY},
        {"hash|hashes|hashmap|hash map", PATTERN_TYPE_HASH, FORMAT_ANY},
        {"set|sets", PATTERN_TYPE_SET, FORMAT_ANY},
        {"list|lists", PATTERN_TYPE_LIST, FORMAT_ANY},
        {"counter|counters", PATTERN_TYPE_STRING, FORMAT_INTEGER},
        {"string|strings|bitmap|hyperloglog|hll|json|integer|int|text", PATTERN_TYPE_STRING,
         FORMAT_ANY},
    };
    enum pattern_type type = PATTERN_TYPE_UNSTATED;
    bool several = false, sorted = false;
    *ret_format = words_have(text, "json") ? FORMAT_JSON : FORMAT_ANY;
    *ret_channel = words_have_any(text, "channel|channels|pub/sub|pubsub");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!words_have_any(text, rows[i].words)) continue;
        if (i == 0) sorted = true;
        if (rows[i].type == PATTERN_TYPE_SET && sorted) continue;
        if (type && type != rows[i].type) {
            /* "Hash (JSON)", "List of JSON": the words behind say what is in it. */
            if (rows[i].type == PATTERN_TYPE_STRING) continue;
            several = true;
        }
        type = rows[i].type;
        if (rows[i].format) *ret_format = rows[i].format;
    }
    return several ? PATTERN_TYPE_UNSTATED : type;
}

/* "last 10", "max 100", "keep 50": how many elements a collection is trimmed to. */
static uint64_t trimmed_to(struct bytes text) {
    static const char *const words[] = {"keep last", "last",  "keep", "max",
                                        "maximum",   "up to", "top"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t at = words_find_whole(text, words[i]);
        if (at == text.len) continue;
        struct bytes rest = words_trim(words_from(text, at + strlen(words[i])));
        size_t digits = 0;
        int64_t ms;
        size_t start, end;
        uint64_t number;
        while (digits < rest.len && word_is_digit(rest.data[digits])) digits++;
        if (digits == 0 || (duration_find(rest, &ms, &start, &end) && start == 0)) continue;
        if (number_parse_u64(words_until(rest, digits), &number)) return number;
    }
    return 0;
}

void importer_type(struct importer *importer, size_t number, struct bytes text, struct place place,
                   bool sure) {
    struct pattern *pattern = pattern_at(importer, number);
    enum value_format format;
    bool channel;
    enum pattern_type type = words_type(text, &format, &channel);
    if (channel && type == PATTERN_TYPE_UNSTATED && pattern->kind != PATTERN_CHANNEL) {
        if (sure || pattern->type == PATTERN_TYPE_UNSTATED) pattern->kind = PATTERN_CHANNEL;
        return;
    }
    if (type == PATTERN_TYPE_UNSTATED) {
        if (sure && !channel && words_trim(text).len &&
            !words_are(words_bare(text), "-|any|n/a|various"))
            importer_unread(importer, place, "the type", text);
        return;
    }
    struct markdown *facts = importer->facts;
    for (size_t i = facts->statement_count; sure && i > 0; i--) {
        if (facts->statements[i - 1].pattern != number) continue;
        facts->statements[i - 1].type = type;
        break;
    }
    if (pattern->type && !(pattern->guessed & GUESS_TYPE)) return;
    if (pattern->type && !sure) return;
    pattern->type = type;
    pattern->type_place = place;
    if (format && (!pattern->value || sure)) pattern->value = format;
    pattern->guessed =
        sure ? pattern->guessed & ~(unsigned)GUESS_TYPE : pattern->guessed | GUESS_TYPE;
    if (!pattern->elements_max && type != PATTERN_TYPE_STRING)
        pattern->elements_max = trimmed_to(text);
}

/* Texts of lifetimes live in the catalog's arena. */
void importer_lifetime(struct importer *importer, size_t number, struct bytes text,
                       struct place place, bool sure) {
    struct pattern *pattern = pattern_at(importer, number);
    struct lifetime lifetime;
    if (!lifetime_read(text, &importer->catalog->arena, &lifetime)) {
        if (sure) importer_unread(importer, place, "the lifetime", text);
        return;
    }
    if (lifetime.kind == LIFETIME_UNSTATED) return;
    struct markdown *facts = importer->facts;
    for (size_t i = facts->statement_count; sure && i > 0; i--) {
        if (facts->statements[i - 1].pattern != number) continue;
        facts->statements[i - 1].lifetime = lifetime;
        break;
    }
    if (pattern->lifetime.kind != LIFETIME_UNSTATED && !(pattern->guessed & GUESS_LIFETIME)) return;
    if (pattern->lifetime.kind != LIFETIME_UNSTATED && !sure) return;
    pattern->lifetime = lifetime;
    pattern->lifetime_place = place;
    pattern->guessed =
        sure ? pattern->guessed & ~(unsigned)GUESS_LIFETIME : pattern->guessed | GUESS_LIFETIME;
}

static bool is_identifier(struct bytes word) {
    if (word.len == 0 || word.len > 64) return false;
    for (size_t i = 0; i < word.len; i++) {
        if (!word_is_name(word.data[i]) && word.data[i] != '-' && word.data[i] != '.') return false;
    }
    return true;
}

/* "a, b, c"; false when any of it is no name. */
static bool read_field_list(struct importer *importer, struct pattern *pattern, struct bytes text) {
    for (int write = 0; write < 2; write++) {
        for (struct bytes rest = text; rest.len;) {
            size_t comma = words_index(rest, ',');
            struct bytes name = words_bare(words_until(rest, comma));
            rest = words_from(rest, comma < rest.len ? comma + 1 : comma);
            if (!write && !is_identifier(name)) return false;
            if (!write || pattern->field_count >= CATALOG_LIST_MAX) continue;
            pattern->fields = catalog_grow(importer->catalog, pattern->fields, pattern->field_count,
                                           sizeof *pattern->fields);
            pattern->fields[pattern->field_count++] =
                (struct pattern_field){catalog_copy(importer->catalog, name), FORMAT_ANY};
        }
    }
    return true;
}

static void read_fields(struct importer *importer, struct pattern *pattern, struct bytes text,
                        struct place place) {
    if (pattern->field_count) return;
    size_t open = words_index(text, '(');
    struct bytes inner = words_from(text, open < text.len ? open + 1 : open);
    inner = words_until(inner, words_index(inner, ')'));
    struct bytes outer = words_trim(words_until(text, open));
    bool list = words_index(outer, ',') < outer.len || words_index(inner, ',') == inner.len;
    if (list && read_field_list(importer, pattern, outer)) return;
    if (words_index(inner, ',') < inner.len && read_field_list(importer, pattern, inner)) return;
    if (!pattern->purpose) {
        pattern->purpose = catalog_copy_prose(importer->catalog, words_trim(text));
        return;
    }
    diagnostics_add(importer->diagnostics, SEVERITY_NOTE, "unread", place,
                    "the fields of '%s' are told, not named: '%.*s'", pattern->key.template.text,
                    (int)(text.len > 80 ? 80 : text.len), text.data);
}

static void read_value(struct pattern *pattern, struct bytes text) {
    if (pattern->value) return;
    if (words_have_any(text, "json|serialized")) {
        pattern->value = FORMAT_JSON;
    } else if (words_have_any(text, "count|counter|integer")) {
        pattern->value = FORMAT_INTEGER;
    } else if (words_have_any(text, "timestamp")) {
        pattern->value = FORMAT_TIMESTAMP;
    }
    pattern->guessed |= pattern->value ? GUESS_VALUE : 0;
}

enum property {
    PROPERTY_NONE,
    PROPERTY_TYPE,
    PROPERTY_LIFETIME,
    PROPERTY_PURPOSE,
    PROPERTY_EXAMPLE,
    PROPERTY_SOURCE,
    PROPERTY_OWNER,
    PROPERTY_FIELDS,
    PROPERTY_VALUE,
    PROPERTY_DATABASE,
    PROPERTY_EVICTION,
    PROPERTY_TENANT,
    PROPERTY_ALIAS,
    PROPERTY_MODE,
    PROPERTY_NAME,
    PROPERTY_LIMIT
};

static enum property property_of(struct bytes label) {
    static const struct {
        const char *words;
        enum property property;
    } rows[] = {
        {"type|data type|structure|data structure|redis type|types", PROPERTY_TYPE},
        {"ttl|expiry|expires|expiration|lifetime|retention|expire|time to "
         "live|lives|persistence|cache duration|duration|default ttl",
         PROPERTY_LIFETIME},
        {"purpose|description|use|usage|used for|what|notes|note|reason|contents|stores",
         PROPERTY_PURPOSE},
        {"example|examples|sample|e.g.", PROPERTY_EXAMPLE},
        {"source|location|file|code|defined in|module", PROPERTY_SOURCE},
        {"owner|team|managed by|service|used by|written by|writer|producer", PROPERTY_OWNER},
        {"fields|field|hash fields", PROPERTY_FIELDS},
        {"value|values|members|member|elements|score|format|content|payload", PROPERTY_VALUE},
        {"db|database", PROPERTY_DATABASE},
        {"eviction|eviction class", PROPERTY_EVICTION},
        {"tenant", PROPERTY_TENANT},
        {"alias|aliases|legacy name|formerly|legacy key|legacy", PROPERTY_ALIAS},
        {"mode", PROPERTY_MODE},
        {"name", PROPERTY_NAME},
        {"max elements|max value|max key|limit", PROPERTY_LIMIT},
    };
    label = words_bare(label);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (words_are(label, rows[i].words)) return rows[i].property;
    }
    return PROPERTY_NONE;
}

bool is_property_label(struct bytes label) {
    return property_of(label) != PROPERTY_NONE;
}

static void set_text(struct importer *importer, const char **field, struct bytes text) {
    text = words_trim(text);
    if (!*field && text.len && !words_are(text, "-|n/a|none"))
        *field = catalog_copy_prose(importer->catalog, text);
}

/* Backquotes in texts that are kept as prose would be code again when written: they stay as they are. */
static void read_database(struct importer *importer, struct pattern *pattern, struct bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        uint64_t number = 0;
        size_t end = i;
        while (end < text.len && word_is_digit(text.data[end])) end++;
        if (end == i) continue;
        if (number_parse_u64(bytes_make(text.data + i, end - i), &number) &&
            number <= CATALOG_DATABASE_MAX)
            catalog_add_database(importer->catalog, pattern, (uint32_t)number);
        i = end;
    }
}

static void read_examples(struct importer *importer, size_t number, struct bytes text,
                          struct place place) {
    struct bytes rest = text, code;
    bool any = false;
    while (document_next_code(&rest, NULL, &code)) {
        importer_add_example(importer, code, place, number);
        any = true;
    }
    text = words_trim(text);
    if (any || text.len == 0 || words_index(text, ' ') < text.len) return;
    importer_add_example(importer, text, place, number);
}

static void read_choices(struct importer *importer, size_t number, enum property property,
                         struct bytes text, struct place place) {
    struct pattern *pattern = pattern_at(importer, number);
    struct bytes word = words_bare(text);
    const char *const *names = property == PROPERTY_EVICTION ? eviction_names : mode_names;
    for (int i = 1; names[i]; i++) {
        if (!words_are(word, names[i])) continue;
        if (property == PROPERTY_EVICTION) {
            pattern->eviction = (enum eviction_class)i;
        } else {
            pattern->mode = (enum catalog_mode)i;
        }
        return;
    }
    importer_unread(importer, place,
                    property == PROPERTY_EVICTION ? "the eviction class" : "the mode", text);
}

static void read_alias(struct importer *importer, size_t number, struct bytes text,
                       struct place place) {
    struct pattern *pattern = pattern_at(importer, number);
    struct bytes rest = text, code, key;
    while (document_next_code(&rest, NULL, &code)) {
        struct pattern_template alias = {.place = place};
        struct template_error error;
        enum key_text kind = key_text_read(code, true, importer->arena, &key);
        if ((kind != KEY_TEXT_TEMPLATE && kind != KEY_TEXT_LITERAL) ||
            !template_parse(key, importer->catalog->prefixes, importer->catalog->prefix_count,
                            &importer->catalog->arena, &alias.template, &error)) {
            importer_unread(importer, place, "the alias", code);
            continue;
        }
        pattern->aliases = catalog_grow(importer->catalog, pattern->aliases, pattern->alias_count,
                                        sizeof *pattern->aliases);
        pattern->aliases[pattern->alias_count++] = alias;
    }
}

bool importer_property(struct importer *importer, size_t number, struct bytes label,
                       struct bytes value, struct place place) {
    struct pattern *pattern = pattern_at(importer, number);
    enum property property = property_of(label);
    value = words_trim(value);
    switch (property) {
    case PROPERTY_NONE: return false;
    case PROPERTY_TYPE: importer_type(importer, number, value, place, true); break;
    case PROPERTY_LIFETIME: importer_lifetime(importer, number, value, place, true); break;
    case PROPERTY_PURPOSE: set_text(importer, &pattern->purpose, value); break;
    case PROPERTY_EXAMPLE: read_examples(importer, number, value, place); break;
    case PROPERTY_SOURCE: set_text(importer, &pattern->source, words_bare(value)); break;
    case PROPERTY_OWNER: set_text(importer, &pattern->owner, words_bare(value)); break;
    case PROPERTY_FIELDS: read_fields(importer, pattern, value, place); break;
    case PROPERTY_VALUE: read_value(pattern, value); break;
    case PROPERTY_DATABASE: read_database(importer, pattern, value); break;
    case PROPERTY_TENANT: {
        struct bytes name = words_bare(value);
        while (name.len && memchr("{}", name.data[name.len - 1], 2)) name.len--;
        while (name.len && memchr("{}", name.data[0], 2)) name = words_from(name, 1);
        if (template_find_variable(&pattern->key.template, name) <
            pattern->key.template.part_count) {
            pattern->tenant = NULL;
            set_text(importer, &pattern->tenant, name);
        } else {
            importer_unread(importer, place, "the tenant", value);
        }
        break;
    }
    case PROPERTY_ALIAS: read_alias(importer, number, value, place); break;
    case PROPERTY_EVICTION:
    case PROPERTY_MODE: read_choices(importer, number, property, value, place); break;
    case PROPERTY_NAME:
        if (is_identifier(words_bare(value)) && !pattern->name)
            pattern->name = catalog_copy(importer->catalog, words_bare(value));
        break;
    case PROPERTY_LIMIT: {
        uint64_t limit = 0;
        struct bytes rest = value, word;
        while (!limit && words_next(&rest, &word)) {
            if (!number_parse_memory(word, &limit)) limit = 0;
        }
        if (words_have(label, "elements")) pattern->elements_max = limit;
        if (words_have(label, "value")) pattern->value_bytes_max = limit;
        if (words_have(label, "key")) pattern->key_bytes_max = limit;
        break;
    }
    }
    return true;
}

bool importer_section_property(struct importer *importer, size_t number, struct bytes label,
                               struct bytes value) {
    struct section *section = section_at(importer, number);
    enum value_format format;
    bool channel;
    if (!section) return false;
    switch (property_of(label)) {
    case PROPERTY_TYPE: {
        enum pattern_type type = words_type(value, &format, &channel);
        if (!section->type) section->type = type;
        section->channels |= channel && !type;
        return true;
    }
    case PROPERTY_LIFETIME:
        if (!section->lifetime.kind)
            (void)!lifetime_read(value, &importer->catalog->arena, &section->lifetime);
        return true;
    case PROPERTY_PURPOSE:
        if (!section->purpose.len) section->purpose = words_trim(value);
        return true;
    case PROPERTY_SOURCE:
        if (!section->source.len) section->source = words_bare(value);
        return true;
    case PROPERTY_OWNER:
        if (!section->owner.len) section->owner = words_bare(value);
        return true;
    default: return false;
    }
}

/* Whether the word in a comment names the type of the key rather than a thing: "(Redis LIST)", "Sorted set of
 * job IDs", "Hash of all connections", "- Counter". */
static bool names_type(struct bytes text, bool *ret_sure) {
    static const char *const starts[] = {
        "sorted set", "hash of",   "set of",  "list of", "redis stream", "redis hash", "redis list",
        "redis set",  "stream of", "counter", "hash (",  "list (",       "set (",      "pub/sub"};
    *ret_sure = true;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        if (words_find(text, starts[i]) == 0) return true;
    }
    size_t open = words_index(text, '(');
    struct bytes inner = words_from(text, open);
    inner = words_until(inner, words_index(inner, ')'));
    enum value_format format;
    bool channel;
    if (open < text.len && inner.len < 40 && (words_type(inner, &format, &channel) || channel))
        return true;
    if (words_are(text, "hash|list|set|string|stream|sorted set|counter")) return true;
    *ret_sure = false;
    return words_end(text, " hash") || words_end(text, " JSON") || words_end(text, " counter") ||
           words_end(text, " stream") || words_have_any(text, "errors list|ids list");
}

void importer_comment(struct importer *importer, size_t number, struct bytes text,
                      struct place place) {
    struct pattern *pattern = pattern_at(importer, number);
    int64_t ms;
    size_t start, end;
    bool sure;
    text = words_trim(text);
    if (text.len == 0) return;
    bool speaks =
        words_have_any(text, "ttl|expires|expire|expiry|lives|lifetime|retention|kept for");
    if (duration_find(text, &ms, &start, &end)) {
        size_t open = words_index(text, '(');
        struct bytes inner = words_from(text, open < text.len ? open + 1 : open);
        inner = words_until(inner, words_index(inner, ')'));
        bool bracket = open < start && start < open + 1 + inner.len;
        bool counted = word_is_digit(text.data[start]);
        if ((bracket && counted) || speaks)
            importer_lifetime(importer, number, bracket ? inner : text, place, true);
    } else if (words_have_any(text, "no ttl|no expiry|never expires|no expiration")) {
        importer_lifetime(importer, number, BYTES("none"), place, true);
    }
    if (pattern->type == PATTERN_TYPE_UNSTATED && words_have_any(text, "pub/sub channel|pub/sub"))
        pattern->kind = PATTERN_CHANNEL;
    bool named = names_type(text, &sure);
    pattern = pattern_at(importer, number);
    if (named && pattern->kind != PATTERN_CHANNEL)
        importer_type(importer, number, text, place, sure);
    if (!pattern->elements_max && pattern->type > PATTERN_TYPE_STRING)
        pattern->elements_max = trimmed_to(text);
    set_text(importer, &pattern->purpose, text);
}

void importer_purpose(struct importer *importer, size_t number) {
    struct pattern *pattern = pattern_at(importer, number);
    size_t section = importer->current;
    while (!pattern->purpose && section_at(importer, section)) {
        set_text(importer, &pattern->purpose, importer->sections[section].purpose);
        if (importer->document->blocks[section].level <= 2) return;
        section = document_parent(importer->document, section);
    }
}
