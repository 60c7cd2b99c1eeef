/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Paragraphs and items of lists. Each line of them is a key with what is said of it ("`user:{id}` -
 * hash, 2 hours"), a property ("TTL: 5 min") of the keys before it or of its section, or prose.
 */
#include "base/number.h"
#include "catalog/markdown_inside.h"
#include "catalog/words.h"

enum { TYPE_BYTES = 16 };

/* How long the sign is that parts a label or a key from what is said of
 * it; 0 when there is none. */
size_t words_sign_length(struct bytes text) {
    static const char *const signs[] = {
        "->",           "=>",           "--",           "-",           ":", "=", "|",
        "\xe2\x80\x94", "\xe2\x80\x93", "\xe2\x86\x92", "\xe2\x80\xa2"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (words_start(text, signs[i])) return strlen(signs[i]);
    }
    return 0;
}

/* "Label: value", "Label - value", "Label = value" at the front of a text. */
static bool split_label(struct bytes text, struct bytes *ret_label, struct bytes *ret_value) {
    if (text.len && text.data[0] == '"') return false; /* of JSON */
    for (size_t at = 1; at < text.len && at <= 40 && text.data[at - 1] != '`'; at++) {
        bool apart = text.data[at - 1] == ' ';
        size_t sign = text.data[at] == ':' ? 1
                      : apart              ? words_sign_length(words_from(text, at))
                                           : 0;
        if (sign == 0 || (apart && at + sign < text.len && text.data[at + sign] != ' ')) continue;
        *ret_label = words_trim(words_until(text, at));
        *ret_value = words_trim(words_from(text, at + sign));
        return words_index(*ret_label, '`') == ret_label->len;
    }
    return false;
}

/* ---- pieces ---- */

/* Whether a piece says of its key that it stays: in few words, or it speaks of something else. */
static bool says_forever(struct bytes piece, bool strict) {
    if (words_are(piece, "permanent|persistent|never|forever|ttl none|not expiring|no expire"))
        return true;
    if (strict && words_are(piece, "none|-|\xe2\x80\x94|\xe2\x80\x93|\xe2\x88\x9e|-1")) return true;
    return piece.len <= 40 &&
           words_have_any(piece,
                          "no ttl|no expiry|never expires|never expire|no expiration|forever|"
                          "does not expire|doesn't expire|without ttl|without expiry");
}

/* Whether an amount at the front of a piece is its lifetime: "45 s each",
 * "1 day"; not "24h volume". */
static bool stands_alone(struct bytes piece, size_t end) {
    struct bytes rest = words_trim(words_from(piece, end)), word;
    if (rest.len == 0 || memchr("(.,", rest.data[0], 3)) return true;
    words_next(&rest, &word);
    return words_are(
        word, "ttl|sliding|both|each|after|since|from|then|max|rolling|refreshed|renewed|expiry|"
              "retention|lifetime|fixed|unless|by|or|until");
}

/* One piece of "`key` - hash, TTL 5 min, what it is for". False when it is neither
 * type, lifetime nor property. */
static bool read_piece(struct importer *importer, size_t pattern, struct bytes piece, bool strict,
                       struct place place) {
    struct bytes label, value, rest, word;
    int64_t ms;
    size_t start, end;
    piece = words_trim(piece);
    while (piece.len && memchr(":-", piece.data[0], 2) && !word_is_digit(piece.data[piece.len > 1]))
        piece = words_trim(words_from(piece, 1));
    if (piece.len == 0) return true;
    rest = piece;
    if (split_label(piece, &label, &value) &&
        importer_property(importer, pattern, label, value, place))
        return true;
    if (words_next(&rest, &word) && words_are(word, "ttl|expires|expiry|lifetime|type") &&
        importer_property(importer, pattern, word, words_trim(rest), place))
        return true;
    bool found = duration_find(piece, &ms, &start, &end);
    bool tells = words_tell_lifetime(piece);
    if (found && (tells || (start == 0 && stands_alone(piece, end)))) {
        importer_lifetime(importer, pattern, piece, place, true);
    } else if (tells && words_have_any(piece, "until|with the|at the end|end of")) {
        importer_lifetime(importer, pattern, piece, place, true);
        if (!strict) importer_comment(importer, pattern, piece, place);
    } else if (says_forever(piece, strict)) {
        importer_lifetime(importer, pattern, BYTES("none"), place, true);
    } else if (words_leading_type(piece) ||
               words_are(piece, "channel|pub/sub channel|pub/sub|a channel")) {
        importer_type(importer, pattern, piece, place, true);
        importer_commands(importer, pattern, piece, place, true);
        importer_lifetime_beside(importer, pattern, piece, place);
        return piece.len <= TYPE_BYTES; /* "Stream of events" says more than the type */
    } else {
        if (strict) return false;
        importer_commands(importer, pattern, piece, place, false);
        importer_comment(importer, pattern, piece, place);
        return false;
    }
    return true;
}

/* Whether a bracket belongs to the amount before it: "15m (refreshable)". */
static bool keeps_bracket(struct bytes piece) {
    int64_t ms;
    size_t start, end;
    return duration_find(piece, &ms, &start, &end) && words_trim(words_from(piece, end)).len == 0;
}

/* The length of what parts two pieces at the front of a text; 0 when nothing does. */
static size_t cut_length(struct bytes text) {
    static const char *const cuts[] = {
        " - ",        " / ",           "  ", ". ", " \xe2\x80\x94 ", " \xe2\x80\x93 ",
        " \xc2\xb7 ", " \xe2\x80\xa2 "};
    if (memchr(",;()[]\t", text.data[0], 7)) return 1;
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        if (words_start(text, cuts[i])) return strlen(cuts[i]);
    }
    return text.len == 1 && text.data[0] == '.';
}

/* Whether every piece was understood. */
static bool read_pieces(struct importer *importer, size_t pattern, struct bytes text, bool strict,
                        struct place place) {
    text = words_trim(text);
    words_comment(text, &text); /* "user:{id}   # hash" */
    for (size_t sign; text.len && (sign = words_sign_length(text)) &&
                      !(text.len > 1 && text.data[0] == '-' && word_is_digit(text.data[1]));)
        text = words_trim(words_from(text, sign));
    bool all = true;
    if (text.len == 0) return true;
    for (size_t at = 0, start = 0; at <= text.len;) {
        size_t cut = at < text.len ? cut_length(words_from(text, at)) : 1;
        struct bytes piece = bytes_make(text.data + start, at - start);
        if (cut && at < text.len && text.data[at] == '(' && keeps_bracket(piece)) {
            size_t close = words_index(words_from(text, at), ')');
            at += close;
            cut = at < text.len ? 1 : 0;
            piece = bytes_make(text.data + start, at - start + cut);
            if (!cut) continue;
        }
        if (cut) {
            all &= read_piece(importer, pattern, piece, strict, place);
            start = at + cut;
        }
        at += cut ? cut : 1;
    }
    return all;
}

void importer_pieces(struct importer *importer, size_t pattern, struct bytes text,
                     struct place place) {
    if (read_pieces(importer, pattern, text, false, place)) return;
    struct pattern *found = &importer->catalog->patterns[pattern];
    text = words_trim(text);
    for (size_t sign; (sign = words_sign_length(text));) text = words_trim(words_from(text, sign));
    if (!found->purpose && text.len) found->purpose = catalog_copy_prose(importer->catalog, text);
}

bool importer_strict_pieces(struct importer *importer, size_t pattern, struct bytes text,
                            struct place place) {
    return read_pieces(importer, pattern, text, true, place);
}

void importer_describe_family(struct importer *importer, struct bytes text) {
    struct markdown *facts = importer->facts;
    struct markdown_family *family =
        facts->family_count ? &facts->families[facts->family_count - 1] : NULL;
    text = words_trim(text);
    for (size_t sign; (sign = words_sign_length(text));) text = words_trim(words_from(text, sign));
    while (family && text.len) {
        size_t comma = words_index(text, ','), start, end;
        struct bytes piece = words_trim(words_until(text, comma));
        int64_t ms;
        text = words_from(text, comma < text.len ? comma + 1 : comma);
        if (!family->type) family->type = words_leading_type(piece);
        bool told = duration_find(piece, &ms, &start, &end) &&
                    (words_tell_lifetime(piece) || (start == 0 && stands_alone(piece, end)));
        if (told && !family->lifetime.kind)
            lifetime_read(piece, &importer->catalog->arena, &family->lifetime);
    }
    if (family && (family->type || family->lifetime.kind)) family->announced = true;
}

static bool read_database_item(struct importer *importer, struct bytes text) {
    struct catalog *catalog = importer->catalog;
    struct bytes label, value;
    if (!split_label(text, &label, &value)) return false;
    size_t skip = words_find(label, "database") == 0 ? 8 : words_find(label, "db") == 0 ? 2 : 0;
    if (skip == 0) return false;
    struct bytes number_text = words_trim(words_from(label, skip));
    uint64_t number;
    if (!number_parse_u64(number_text, &number) || number > CATALOG_DATABASE_MAX) return false;
    for (size_t i = 0; i < catalog->database_count; i++) {
        if (catalog->databases[i].number == number) return true;
    }
    catalog->databases = catalog_grow(catalog, catalog->databases, catalog->database_count,
                                      sizeof *catalog->databases);
    catalog->databases[catalog->database_count++] =
        (struct catalog_database){(uint32_t)number, catalog_copy_prose(catalog, value)};
    return true;
}

/* What a line begins with. */
enum lead { LEAD_NONE, LEAD_KEY, LEAD_KEY_LABEL, LEAD_LABEL };

struct line {
    enum lead lead;
    struct found found;        /* LEAD_KEY */
    struct bytes label, value; /* of labels; of a key, what follows it */
    bool strong; /* what follows the key is told of it, rather than a sentence of it */
};

/* A key right at the front: as code, or as a bare template. */
static bool read_lead_key(struct importer *importer, struct bytes text, struct line *line) {
    struct bytes rest = text, before, code, key;
    bool stopped = false; /* "lock:{id}. It is held by" */
    bool coded = document_next_code(&rest, &before, &code) && words_trim(before).len == 0;
    if (!coded) {
        rest = text;
        if (!words_next(&rest, &code)) return false;
        while (code.len && memchr(":,.", code.data[code.len - 1], 3)) {
            stopped |= code.data[code.len - 1] == '.';
            code.len--;
            rest = bytes_make(code.data + code.len,
                              (size_t)(text.data + text.len - code.data) - code.len);
        }
    }
    enum key_text kind = key_text_read(code, false, importer->arena, &key);
    struct bytes after = words_trim(rest);
    bool apart = stopped || words_start(rest, "  ") || words_start(rest, "\t") ||
                 words_sign_length(after) || (after.len && memchr("(,", after.data[0], 2)) ||
                 words_leading_type(after);
    if (kind == KEY_TEXT_NONE || kind == KEY_TEXT_GRAMMAR) return false;
    if (!coded && (kind != KEY_TEXT_TEMPLATE || !(apart || after.len == 0))) return false;
    line->lead = LEAD_KEY;
    line->value = rest;
    line->strong = apart;
    line->found = (struct found){.key = key, .kind = kind, .place = {.file = NULL}};
    line->label = code;
    return true;
}

static bool label_holds_key(struct importer *importer, struct bytes value) {
    struct bytes rest = value, code, key;
    bool coded = document_next_code(&rest, NULL, &code);
    if (!coded) {
        rest = value;
        if (!words_next(&rest, &code)) return false;
    }
    /* "Key: sessions" is one, "Pattern: cache aside" speaks of something else. */
    bool sure = coded || words_trim(rest).len == 0;
    enum key_text kind = key_text_read(code, sure, importer->arena, &key);
    return kind == KEY_TEXT_TEMPLATE || kind == KEY_TEXT_LITERAL;
}

static struct line classify(struct importer *importer, struct bytes text) {
    struct line line = {.lead = LEAD_NONE};
    if (split_label(text, &line.label, &line.value)) {
        if (is_key_label(line.label) && label_holds_key(importer, line.value)) {
            line.lead = LEAD_KEY_LABEL;
            return line;
        }
        /* "score:{user}   # list" is a key, whatever "score" says. */
        struct bytes behind = words_from(line.label, line.label.len);
        bool joined = line.value.data == behind.data + 1 && line.value.len;
        if (is_property_label(line.label) && !(joined && read_lead_key(importer, text, &line) &&
                                               line.found.kind == KEY_TEXT_TEMPLATE)) {
            line.lead = LEAD_LABEL;
            split_label(text, &line.label, &line.value);
            return line;
        }
        if (line.lead == LEAD_KEY) return line;
    }
    read_lead_key(importer, text, &line);
    return line;
}

/* The keys behind "Key:", each a pattern that what follows describes. */
void importer_key_label(struct importer *importer, struct bytes label, struct bytes value,
                        uint32_t number, unsigned level) {
    struct bytes rest = value, code, key;
    const struct section *section = section_at(importer, importer->current);
    bool any = false, first = true;
    for (;;) {
        if (!document_next_code(&rest, NULL, &code)) {
            if (any) break;
            rest = value;
            words_next(&rest, &code);
        }
        struct found found = {.place = document_place(importer->document, number, code)};
        found.kind = key_text_read(code, true, importer->arena, &key);
        found.key = key;
        found.channel = words_have_any(label, "channel|topic") || (section && section->channels);
        bool coded = code.data > value.data && code.data[-1] == '`';
        any = true;
        if (found.kind == KEY_TEXT_TEMPLATE || found.kind == KEY_TEXT_LITERAL) {
            size_t pattern = importer_add(importer, &found);
            if (pattern == NO_PATTERN) return;
            size_t group = importer->group_first;
            importer_open_group(importer, pattern, level, true);
            if (!first && group < pattern) importer->group_first = group;
            first = false;
        }
        if (!coded) break;
    }
    if (first || !words_sign_length(words_trim(rest))) return;
    for (size_t i = importer->group_first; i < importer->group_end; i++)
        importer_pieces(importer, i, rest, document_place(importer->document, number, value));
}

static void read_label(struct importer *importer, const struct block *block,
                       const struct line *line, struct bytes text, uint32_t number) {
    struct place place = document_place(importer->document, number, line->value);
    bool item = block->kind == BLOCK_ITEM, any = false;
    bool group = importer_has_group(importer) && (item || importer->record);
    for (size_t i = importer->group_first; group && i < importer->group_end; i++)
        any |= importer_property(importer, i, line->label, line->value, place);
    if (!any && !importer_section_property(importer, importer->current, line->label, line->value) &&
        item)
        importer_unread(importer, (struct place){block->place.file, number, block->place.column},
                        "this line", text);
    if (!any && item) importer_inline_commands(importer, text, number);
    if (!any && !item && words_are(line->label, "purpose|description|location|source"))
        importer_sentence(importer, text, number);
}

/* Whether an item that looks like a key is one of events, scripts or the like; without variables it
 * is a key only where keys are told, or when its type is. */
static bool is_of_others(const struct importer *importer, const struct block *block,
                         const struct line *line) {
    enum list_kind kind = importer_list_kind(importer, block);
    if (words_state_type(line->value)) return false;
    if (line->found.kind == KEY_TEXT_TEMPLATE) return kind == LIST_OF_OTHERS;
    return line->found.kind == KEY_TEXT_LITERAL && kind != LIST_OF_KEYS;
}

/* False when the key is only mentioned. */
static bool read_key(struct importer *importer, const struct block *block, struct line *line,
                     uint32_t number) {
    const struct section *section = section_at(importer, importer->current);
    struct found found = line->found;
    bool item = block->kind == BLOCK_ITEM;
    found.place = document_place(importer->document, number, line->label);
    found.channel = section && section->channels;
    if (found.kind == KEY_TEXT_FAMILY) {
        if (item) {
            if (importer_add_family(importer, found.key, found.place, false))
                importer_describe_family(importer, line->value);
        }
        return item;
    }
    bool told = (words_trim(line->value).len > 0 || (section && section->type)) &&
                !(section && section->examples);
    bool alone = words_trim(line->value).len == 0;
    if (item && is_of_others(importer, block, line)) {
        importer_unread(importer, found.place, "a key in a list of other things", line->label);
        return true;
    }
    if (found.kind == KEY_TEXT_LITERAL && !(told && (item || words_state_type(line->value)))) {
        if (!alone) return false;
        importer_close_group(importer);
        importer->pending = found;
        importer->pending_level = item ? block->level : 0;
        return false;
    }
    if (found.kind == KEY_TEXT_TEMPLATE && !item && !line->strong && !alone) return false;
    size_t pattern = importer_add(importer, &found);
    if (pattern == NO_PATTERN) return true;
    if (item && found.kind == KEY_TEXT_TEMPLATE)
        importer->lists[importer_list_level(block)].has_keys = true;
    importer_open_group(importer, pattern, item ? block->level : 0, alone && !item);
    if (alone) return true;
    /* What is said of another key further on is not said of this one. */
    struct mention next;
    size_t at = 0;
    struct bytes own = line->value;
    bool more = importer_next_mention(importer, own, &at, &next) && next.kind == KEY_TEXT_TEMPLATE;
    if (more) own = words_until(own, next.start);
    if (more && words_are_joint(own)) {
        size_t behind, to;
        importer_enumeration(importer, line->value, &next, &behind, &to);
        own = bytes_make(line->value.data + behind, to - behind);
    }
    importer_pieces(importer, pattern, own, found.place);
    if (more) {
        importer_sentence(importer, words_from(line->value, next.start), number);
    } else {
        importer_inline_commands(importer, line->value, number);
    }
    return true;
}

/* A line that says something of the keys before it: an item below theirs, or words under
 * a heading that is a key. */
static bool read_remark(struct importer *importer, const struct block *block, struct bytes text,
                        uint32_t number) {
    struct mention mention;
    size_t at = 0;
    bool below =
        block->kind == BLOCK_ITEM && block->level > importer->group_level && importer->group_level;
    if (!below && !(importer->record && importer->group_level == 0)) return false;
    if (importer->group_first == importer->group_end ||
        importer_next_mention(importer, text, &at, &mention))
        return false;
    for (size_t i = importer->group_first; i < importer->group_end; i++)
        importer_pieces(importer, i, text, document_place(importer->document, number, text));
    importer_inline_commands(importer, text, number);
    return true;
}

/* Whether a text says what only a key has. */
static bool states(struct bytes text) {
    int64_t ms;
    size_t start, end;
    return words_leading_type(text) ||
           (words_tell_lifetime(text) && duration_find(text, &ms, &start, &end));
}

/* "All keys have a TTL of 30 minutes": what is said of all keys of the section. */
static bool is_of_all(struct bytes text) {
    int64_t ms;
    size_t start, end;
    return words_have_any(
               text, "all keys|every key|each key|all of these keys|all of them|all entries") &&
           words_tell_lifetime(text) && duration_find(text, &ms, &start, &end);
}

static void read_line(struct importer *importer, const struct block *block, struct bytes text,
                      uint32_t number) {
    bool item = block->kind == BLOCK_ITEM;
    if (words_start(text, ": ")) text = words_trim(words_from(text, 2)); /* of a definition list */
    text = words_trim(words_until(text, words_until_wrong(text)));
    if (text.len == 0 || (item && read_database_item(importer, text))) return;
    struct line line = classify(importer, text);
    if (line.lead == LEAD_KEY_LABEL) {
        importer_key_label(importer, line.label, line.value, number, block->level);
        return;
    }
    if (line.lead == LEAD_LABEL) {
        read_label(importer, block, &line, text, number);
        return;
    }
    /* "Locks of seats: lock:seat:{id} -> token" */
    if (line.lead == LEAD_NONE && item && split_label(text, &line.label, &line.value) &&
        read_lead_key(importer, line.value, &line) &&
        !(line.strong && line.found.kind == KEY_TEXT_TEMPLATE))
        line.lead = LEAD_NONE;
    if (line.lead == LEAD_KEY && read_key(importer, block, &line, number)) return;
    if (!item && is_of_all(text) &&
        importer_section_property(importer, importer->current, BYTES("ttl"), text))
        return;
    if (states(text)) importer_has_group(importer);
    if (read_remark(importer, block, text, number)) return;
    importer_sentence(importer, text, number);
}

/* Whether a line begins something of its own; prose that was merely wrapped does not. */
static bool begins(struct importer *importer, struct bytes line) {
    if (words_start(line, ": ")) return true;
    struct line found = classify(importer, words_trim(line));
    if (found.lead == LEAD_KEY) return found.strong || words_trim(found.value).len == 0;
    return found.lead != LEAD_NONE && words_trim(found.value).len > 0;
}

void importer_lines(struct importer *importer, const struct block *block) {
    struct bytes rest = block->broken, line;
    uint32_t number = block->place.line, first_number = number;
    size_t start = 0;
    const char *front = rest.data;
    bool apart = rest.len > 0 && words_next_line(&rest, &line) && begins(importer, line);
    struct bytes second = rest;
    if (!apart && block->broken.len && words_next_line(&second, &line) && words_start(line, ": "))
        apart = true;
    while (apart && rest.len) {
        size_t at = (size_t)(rest.data - front);
        words_next_line(&rest, &line);
        number++;
        if (!begins(importer, line)) continue;
        read_line(importer, block, words_trim(bytes_make(block->text.data + start, at - start)),
                  first_number);
        start = at;
        first_number = number;
    }
    read_line(importer, block, words_trim(words_from(block->text, start)), first_number);
}
