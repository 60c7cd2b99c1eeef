/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/number.h"
#include "catalog/markdown_inside.h"
#include "catalog/words.h"

static struct pattern *pattern_at(struct importer *importer, size_t number) {
    return &importer->catalog->patterns[number];
}

/* A lifetime beside something else: "string (TTL 30d)", "hash with TTL". */
void importer_lifetime_beside(struct importer *importer, size_t number, struct bytes text,
                              struct place place) {
    int64_t ms;
    size_t start, end;
    if (!words_tell_lifetime(text)) return;
    if (duration_find(text, &ms, &start, &end)) {
        importer_lifetime(importer, number, text, place, true);
    } else if (words_have_any(text, "with ttl|with a ttl|+ ttl|with expiry|with expiration")) {
        importer_lifetime(importer, number, BYTES("yes"), place, true);
    }
}

/* Where the pattern was stated last; NULL when it was not. */
static struct markdown_statement *last_statement(struct importer *importer, size_t number) {
    struct markdown *facts = importer->facts;
    for (size_t i = facts->statement_count; i > 0; i--) {
        if (facts->statements[i - 1].pattern == number) return &facts->statements[i - 1];
    }
    return NULL;
}

/* Texts of lifetimes live in the catalog's arena. */
void importer_lifetime(struct importer *importer, size_t number, struct bytes text,
                       struct place place, bool sure) {
    importer_lifetime_in(importer, number, text, 0, place, sure);
}

void importer_lifetime_in(struct importer *importer, size_t number, struct bytes text,
                          int64_t unit_ms, struct place place, bool sure) {
    struct pattern *pattern = pattern_at(importer, number);
    struct arena *arena = &importer->catalog->arena;
    struct lifetime lifetime;
    bool seconds = false;
    if (unit_ms ? !lifetime_read_in(text, unit_ms, arena, &lifetime)
                : !lifetime_read(text, arena, &lifetime)) {
        /* A number without a unit is what EXPIRE takes. */
        seconds = sure && lifetime_read_in(text, 1000, arena, &lifetime);
        if (!seconds) {
            if (!sure) return;
            importer_unread(importer, place, "the lifetime", text);
            struct markdown_statement *statement = last_statement(importer, number);
            if (statement) statement->lifetime_unread = true;
            return;
        }
    }
    if (lifetime.kind == LIFETIME_UNSTATED) return;
    struct markdown_statement *statement = sure ? last_statement(importer, number) : NULL;
    if (statement) statement->lifetime = lifetime;
    if (pattern->lifetime.kind != LIFETIME_UNSTATED && !(pattern->guessed & GUESS_LIFETIME)) return;
    if (pattern->lifetime.kind != LIFETIME_UNSTATED && !sure) return;
    pattern->lifetime = lifetime;
    pattern->lifetime_place = place;
    pattern->guessed = sure && !seconds ? pattern->guessed & ~(unsigned)GUESS_LIFETIME
                                        : pattern->guessed | GUESS_LIFETIME;
}

static bool is_identifier(struct bytes word) {
    if (word.len == 0 || word.len > 64) return false;
    for (size_t i = 0; i < word.len; i++) {
        if (!word_is_name(word.data[i]) && word.data[i] != '-' && word.data[i] != '.') return false;
    }
    return true;
}

bool importer_field(struct importer *importer, size_t number, struct bytes name) {
    struct pattern *pattern = pattern_at(importer, number);
    name = words_bare(name);
    if (!is_identifier(name)) return false;
    for (size_t i = 0; i < pattern->field_count; i++) {
        if (bytes_equal(bytes_from_string(pattern->fields[i].name), name)) return true;
    }
    if (pattern->field_count >= CATALOG_LIST_MAX) return true;
    pattern->fields = catalog_grow(importer->catalog, pattern->fields, pattern->field_count,
                                   sizeof *pattern->fields);
    pattern->fields[pattern->field_count++] =
        (struct pattern_field){catalog_copy(importer->catalog, name), FORMAT_ANY};
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
    PROPERTY_LIMIT,
    PROPERTY_COMMANDS,
    PROPERTY_KEY
};

/* Without the unit or the remark behind it: "TTL (s)", "expiry_ms". */
static struct bytes plain_label(struct bytes label) {
    label = words_bare(label);
    size_t open = words_index(label, '(');
    if (open > 0) label = words_trim(words_until(label, open));
    size_t at = words_find(label, " in ");
    if (lifetime_unit(label) && at < label.len) return words_until(label, at);
    if (lifetime_unit(label)) {
        while (label.len && word_is_letter(label.data[label.len - 1])) label.len--;
        while (label.len && memchr("_ -", label.data[label.len - 1], 3)) label.len--;
    }
    return label;
}

static enum property property_of_plain(struct bytes label) {
    static const struct {
        const char *words;
        enum property property;
    } rows[] = {
        {"type|data type|structure|data structure|redis type|types|datatype|kind|key type|stored "
         "as|"
         "value type|redis data type|redis structure",
         PROPERTY_TYPE},
        {"ttl|expiry|expires|expiration|lifetime|retention|expire|time to live|lives|persistence|"
         "cache duration|duration|default ttl|time-to-live|valid for|expires after|expires in|"
         "expiry time|expiration time|max age|kept for|evicted after|lives for|cache ttl|lifespan|"
         "life time|ttl seconds",
         PROPERTY_LIFETIME},
        {"purpose|description|use|usage|used "
         "for|what|notes|note|reason|contents|stores|why|meaning|"
         "what it is|remarks|remark|comment|comments|details|summary|holds|what it holds|use case",
         PROPERTY_PURPOSE},
        {"example|examples|sample|e.g.|example key|sample key", PROPERTY_EXAMPLE},
        {"source|location|file|code|defined in|module", PROPERTY_SOURCE},
        {"owner|team|managed by|service|used by|written by|writer|producer|set by|maintainer|owned "
         "by|"
         "producers|writers",
         PROPERTY_OWNER},
        {"fields|field|hash fields", PROPERTY_FIELDS},
        {"value|values|members|member|elements|score|format|content|payload|example value|"
         "example values|example member|example members|example item|example items",
         PROPERTY_VALUE},
        {"db|database|redis db|logical db", PROPERTY_DATABASE},
        {"eviction|eviction class", PROPERTY_EVICTION},
        {"tenant", PROPERTY_TENANT},
        {"alias|aliases|legacy name|formerly|legacy key|legacy", PROPERTY_ALIAS},
        {"mode", PROPERTY_MODE},
        {"name", PROPERTY_NAME},
        {"max elements|max value|max key|limit|max size|max length|max entries|maxlen|max len|"
         "capacity|cap|trimmed to|size limit|max members|maximum size|maximum length|max items",
         PROPERTY_LIMIT},
        {"commands|command|operations|redis commands|ops", PROPERTY_COMMANDS},
        {"key|keys|key pattern|pattern|redis key|key template|key format|template|key name|channel|"
         "topic|channel name|stream key|cache key|key structure|channel pattern|pub/sub channel",
         PROPERTY_KEY},
    };
    label = plain_label(label);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (words_are(label, rows[i].words)) return rows[i].property;
    }
    return PROPERTY_NONE;
}

/* By its own words, else by those in brackets: "Window length (TTL)". */
static enum property property_of(struct bytes label) {
    enum property property = property_of_plain(label);
    size_t open = words_index(label, '(');
    if (property != PROPERTY_NONE || open == label.len) return property;
    struct bytes inner = words_from(label, open + 1);
    return property_of_plain(words_until(inner, words_index(inner, ')')));
}

bool is_property_label(struct bytes label) {
    enum property property = property_of(label);
    return property != PROPERTY_NONE && property != PROPERTY_KEY;
}

bool is_key_label(struct bytes label) {
    return property_of(label) == PROPERTY_KEY;
}

static void set_text(struct importer *importer, const char **field, struct bytes text) {
    text = words_trim(text);
    if (!*field && text.len && !words_are(text, "-|n/a|none"))
        *field = catalog_copy_prose(importer->catalog, text);
}

/* Backquotes in texts that are kept as prose would be code again when
 * written: they stay as they are. */
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

/* "Max elements: 100", "Max size: ~200 members", "Limit: 64kb". */
static void read_limit(struct importer *importer, struct pattern *pattern, struct bytes label,
                       struct bytes value, struct place place) {
    uint64_t limit = 0;
    struct bytes rest = value, word;
    while (!limit && words_next(&rest, &word)) {
        while (word.len && !word_is_digit(word.data[0])) word = words_from(word, 1);
        if (!number_parse_memory(word, &limit)) limit = 0;
    }
    bool elements =
        words_have_any(label, "elements|entries|members|items|length|len|maxlen|trimmed") ||
        words_have_any(value, "elements|entries|members|items");
    if (limit == 0) {
        importer_unread(importer, place, "the limit", value);
    } else if (words_have(label, "key")) {
        pattern->key_bytes_max = limit;
    } else if (elements) {
        pattern->elements_max = limit;
    } else {
        pattern->value_bytes_max = limit;
    }
}

bool importer_property(struct importer *importer, size_t number, struct bytes label,
                       struct bytes value, struct place place) {
    struct pattern *pattern = pattern_at(importer, number);
    enum property property = property_of(label);
    value = words_trim(value);
    switch (property) {
    case PROPERTY_NONE:
    case PROPERTY_KEY: return false;
    case PROPERTY_COMMANDS: importer_commands(importer, number, value, place, true); break;
    case PROPERTY_TYPE:
        importer_type(importer, number, value, place, true);
        importer_lifetime_beside(importer, number, value, place);
        break;
    case PROPERTY_LIFETIME:
        importer_lifetime_in(importer, number, value, lifetime_unit(label), place, true);
        break;
    case PROPERTY_PURPOSE:
        set_text(importer, &pattern->purpose, value);
        importer_lifetime_beside(importer, number, value, place);
        break;
    case PROPERTY_EXAMPLE: read_examples(importer, number, value, place); break;
    case PROPERTY_SOURCE: set_text(importer, &pattern->source, words_bare(value)); break;
    case PROPERTY_OWNER: set_text(importer, &pattern->owner, words_bare(value)); break;
    case PROPERTY_FIELDS: read_fields(importer, pattern, value, place); break;
    case PROPERTY_VALUE:
        read_value(pattern, value);
        importer_lifetime_beside(importer, number, value, place);
        if (words_leading_type(value) > PATTERN_TYPE_STRING)
            importer_type(importer, number, value, place, false);
        break;
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
    case PROPERTY_LIMIT: read_limit(importer, pattern, label, value, place); break;
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
        if (!section->lifetime.kind &&
            !lifetime_read(value, &importer->catalog->arena, &section->lifetime)) {
            struct markdown *facts = importer->facts;
            importer_unread(importer, importer->document->blocks[importer->block].place,
                            "the lifetime", value);
            for (size_t i = facts->statement_count; i > 0; i--) {
                if (facts->statements[i - 1].block < number) break;
                facts->statements[i - 1].lifetime_unread = true;
            }
        }
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

bool words_tell_lifetime(struct bytes text) {
    return words_have_any(text,
                          "ttl|expires|expire|expired|expiry|expiration|lives|lifetime|retention|"
                          "kept for|kept|valid for|cached for|stored for|evicted after|"
                          "dropped after|deleted after|removed after|time to live|max age|"
                          "retained|reset after|keeps for|good for");
}

void importer_comment(struct importer *importer, size_t number, struct bytes text,
                      struct place place) {
    struct pattern *pattern = pattern_at(importer, number);
    int64_t ms;
    size_t start, end;
    bool sure;
    text = words_trim(text);
    if (text.len == 0) return;
    bool speaks = words_tell_lifetime(text);
    if (duration_find(text, &ms, &start, &end)) {
        size_t open = words_index(text, '(');
        struct bytes inner = words_from(text, open < text.len ? open + 1 : open);
        inner = words_until(inner, words_index(inner, ')'));
        bool bracket = open < start && start < open + 1 + inner.len;
        bool counted = word_is_digit(text.data[start]);
        if ((bracket && counted) || speaks)
            importer_lifetime(importer, number, bracket ? inner : text, place, true);
    } else if (words_have_any(text,
                              "no ttl|no expiry|never expires|no expiration|does not expire")) {
        importer_lifetime(importer, number, BYTES("none"), place, true);
    }
    if (pattern->type == PATTERN_TYPE_UNSTATED && words_have_any(text, "pub/sub channel|pub/sub"))
        pattern->kind = PATTERN_CHANNEL;
    bool named = words_name_type(text, &sure);
    pattern = pattern_at(importer, number);
    if (named && pattern->kind != PATTERN_CHANNEL)
        importer_type(importer, number, text, place, sure);
    if (!pattern->elements_max && pattern->type > PATTERN_TYPE_STRING)
        pattern->elements_max = words_trimmed_to(text);
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
