/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sentences: keys that stand in them as code, each described by its own sentence, or by what is
 * said of the whole enumeration that it stands in.
 */
#include "catalog/markdown_inside.h"
#include "catalog/words.h"

enum { SENTENCE_BYTES = 300 };

/* Commands in the code spans of a text. */
void importer_inline_commands(struct importer *importer, struct bytes text, uint32_t line) {
    struct bytes code;
    struct usage usage;
    while (document_next_code(&text, NULL, &code)) {
        if (words_index(code, ' ') == code.len || !usage_read_line(code, &usage)) continue;
        importer_add_usage(importer, &usage, document_place(importer->document, line, code),
                           (struct bytes){0}, false);
    }
}

/* Where the sentence that ends before at begins, no further back than from. */
static size_t sentence_start(struct bytes text, size_t from, size_t at) {
    size_t start = at;
    while (start > from && at - start < SENTENCE_BYTES &&
           !(start >= 2 && text.data[start - 1] == ' ' && memchr(".!?", text.data[start - 2], 3) &&
             start < at))
        start--;
    while (start < at && ((unsigned char)text.data[start] & 0xc0) == 0x80) start++;
    return start;
}

static size_t sentence_end(struct bytes text, size_t at, size_t to) {
    size_t end = at;
    while (end < to && end - at < SENTENCE_BYTES) {
        struct bytes rest = words_from(text, end);
        bool stop = memchr(".!?", rest.data[0], 3) && (rest.len == 1 || rest.data[1] == ' ');
        struct bytes before = words_until(text, end);
        if (stop && !words_end(before, "e.g") && !words_end(before, "i.e") &&
            !words_end(before, "ca"))
            return end + 1;
        end++;
    }
    while (end > at && end < text.len && ((unsigned char)text.data[end] & 0xc0) == 0x80) end--;
    return end;
}

/* The next code span from *at on that is a key. */
bool importer_next_mention(struct importer *importer, struct bytes text, size_t *at,
                           struct mention *ret_mention) {
    struct bytes rest = words_from(text, *at), code;
    while (document_next_code(&rest, NULL, &code)) {
        struct mention mention = {.code = code};
        if (code.len && memchr("\"'", code.data[0], 2)) continue; /* a text, rather than a key */
        mention.kind = key_text_read(code, false, importer->arena, &mention.key);
        if (mention.kind == KEY_TEXT_NONE) continue;
        mention.start = (size_t)(code.data - text.data) - 1;
        mention.end = mention.start + code.len + 2;
        *at = mention.end;
        *ret_mention = mention;
        return true;
    }
    return false;
}

/* The type that a text ends with: "in the sorted set"; not "set", which may be what is done. */
static struct bytes last_noun(struct bytes text) {
    static const char *const nouns[] = {"sorted set", "zset",      "list",   "hash",
                                        "stream",     "redis set", "the set"};
    text = words_trim(text);
    for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++) {
        size_t length = strlen(nouns[i]);
        if (text.len < length) continue;
        struct bytes end = words_from(text, text.len - length);
        bool whole = text.len == length || !word_is_name(text.data[text.len - length - 1]);
        if (whole && words_are(end, nouns[i])) return end;
    }
    return (struct bytes){0};
}

/* What stands between two keys: up to the last comma or bracket it is said of the first of them. */
static struct bytes own_part(struct bytes between, bool behind_key) {
    size_t start = between.len;
    while (start > 0 && !memchr(",;)", between.data[start - 1], 3)) start--;
    return behind_key ? words_from(between, start) : between;
}

/* What its own sentence says of a key: from the key before it to the key after it. */
static void describe(struct importer *importer, size_t pattern, struct bytes text,
                     const struct mention *mention, size_t from, size_t to, struct place place) {
    size_t start = sentence_start(text, from, mention->start);
    size_t end = sentence_end(text, mention->end, to);
    struct bytes before =
        own_part(bytes_make(text.data + start, mention->start - start), from > 0 && start == from);
    struct bytes after = bytes_make(text.data + mention->end, end - mention->end);
    struct pattern *found = &importer->catalog->patterns[pattern];
    struct bytes whole = bytes_make(text.data + start, end - start), lead = words_trim(after);
    bool bracket = lead.len && lead.data[0] == '(';
    while (lead.len && memchr("(,", lead.data[0], 2)) lead = words_trim(words_from(lead, 1));
    if (!found->purpose && words_trim(whole).len)
        found->purpose = catalog_copy_prose(importer->catalog, whole);
    struct bytes noun = last_noun(before);
    if (noun.len) importer_type(importer, pattern, noun, place, false);
    if (noun.len && bracket && words_leading_type(lead)) {
        /* "The list `jobs:in` (JSON)": what stands in brackets is in it. */
        after = words_from(after, words_index(after, ')'));
        bracket = false;
    } else if (words_leading_type(lead)) {
        importer_type(importer, pattern, words_until(lead, words_index(lead, ')')), place, bracket);
    }
    if (words_sign_length(words_trim(after)))
        importer_strict_pieces(importer, pattern, after, place);
    /* "`seen:{id}` for 60 seconds" */
    int64_t ms;
    size_t at, behind;
    if (words_find(lead, "for ") == 0 && duration_find(lead, &ms, &at, &behind) && at == 4)
        importer_lifetime(importer, pattern, words_until(words_from(lead, 4), behind - 4), place,
                          false);
    if (bracket)
        importer_strict_pieces(importer, pattern, words_until(lead, words_index(lead, ')')), place);
    importer_comment(importer, pattern, after, place);
    importer_comment(importer, pattern, before, place);
    importer_type(importer, pattern, after, place, false);
    importer_type(importer, pattern, before, place, false);
    importer_commands(importer, pattern, after, place, false);
}

/* Whether a literal key is followed by what only a key has: "`jobs:dead` (list, at most 1000)". */
bool words_state_type(struct bytes after) {
    after = words_trim(after);
    if (after.len == 0 || !memchr("(,-:", after.data[0], 4)) return false;
    return words_leading_type(words_from(after, 1)) != PATTERN_TYPE_UNSTATED;
}

/* Whether nothing but a joint stands between two keys: what is said behind them is said of both, as
 * in "`a:{x}`, `b:{x}` and `c:{x}` expire". */
bool words_are_joint(struct bytes gap) {
    return words_are(words_trim(gap), ",|and|or|, and|, or|/|&|+");
}

/* Where what is said behind an enumeration of keys begins, and where the next
 * key of another one stands. */
void importer_enumeration(struct importer *importer, struct bytes text, const struct mention *first,
                          size_t *ret_from, size_t *ret_to) {
    size_t at = first->end, end = first->end;
    struct mention next;
    *ret_to = text.len;
    while (importer_next_mention(importer, text, &at, &next)) {
        if (!words_are_joint(bytes_make(text.data + end, next.start - end))) {
            *ret_to = next.start;
            break;
        }
        end = next.end;
    }
    *ret_from = end;
}

/* Keys in running text: a template is a pattern that the sentence describes. */
void importer_sentence(struct importer *importer, struct bytes text, uint32_t line) {
    const struct section *section = section_at(importer, importer->current);
    bool rule = words_have_any(text, "follow|follows|pattern|format|convention|hierarchical");
    bool channel = words_have_any(text, "channel|channels|publish|publishes");
    struct mention mention, next;
    size_t at = 0, from = 0, behind = 0, to = 0;
    bool more = importer_next_mention(importer, text, &at, &mention);
    for (; more; mention = next) {
        more = importer_next_mention(importer, text, &at, &next);
        if (mention.end > behind) importer_enumeration(importer, text, &mention, &behind, &to);
        struct place place = document_place(importer->document, line, mention.code);
        bool stated =
            mention.kind == KEY_TEXT_LITERAL && words_state_type(words_from(text, mention.end));
        if (mention.kind == KEY_TEXT_GRAMMAR) {
            if (!importer->catalog->grammar)
                importer->catalog->grammar =
                    catalog_copy_prose(importer->catalog, words_bare(mention.code));
        } else if (mention.kind == KEY_TEXT_FAMILY) {
            importer_add_family(importer, mention.key, place, false);
        } else if (stated ||
                   (mention.kind == KEY_TEXT_TEMPLATE && !(rule && section && section->grammar))) {
            struct found found = {.key = mention.key,
                                  .kind = mention.kind,
                                  .place = place,
                                  .channel = channel,
                                  .guessed = true};
            size_t pattern = importer_add(importer, &found);
            struct mention whole = mention;
            whole.end = behind;
            if (pattern != NO_PATTERN) describe(importer, pattern, text, &whole, from, to, place);
        } else if (mention.kind == KEY_TEXT_LITERAL) {
            importer_add_example(importer, mention.key, place, NO_PATTERN);
        }
        from = mention.end;
    }
    importer_inline_commands(importer, text, line);
}
