/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/suggest_tokens.h"

#include "catalog/words.h"
#include "cli/show.h"

#define STRONG ":/|#=,;{}"
#define WEAK   ".-_"

static bool is_hex(char c) {
    return word_is_digit(c) || (word_lower(c) >= 'a' && word_lower(c) <= 'f');
}

static bool is_one_of(char c, const char *set) {
    return c && strchr(set, c);
}

static bool all_digits(struct bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        if (!word_is_digit(text.data[i])) return false;
    }
    return text.len > 0;
}

/* Whether it follows a mask: 0 a digit, h a hexadecimal digit, anything else
 * itself. The text may go on. */
static bool follows(struct bytes text, const char *mask) {
    size_t i = 0;
    for (; mask[i]; i++) {
        if (i >= text.len) return false;
        char c = text.data[i];
        if (mask[i] == '0' ? !word_is_digit(c) : mask[i] == 'h' ? !is_hex(c) : c != mask[i])
            return false;
    }
    return true;
}

static bool is_uuid(struct bytes text) {
    return text.len == 36 && follows(text, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh");
}

/* 2024-01, 2024-01-31, 2024-W05, 2024-01-31T10..., 20240131. */
static bool is_date(struct bytes text) {
    static const char *const whole[] = {"0000-00",       "0000-00-00", "0000-W00",
                                        "0000-00-00T00", "0000_00_00", "0000.00.00"};
    bool this_age = text.len >= 6 && (words_start(text, "19") || words_start(text, "20"));
    if (!this_age) return false;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        if (text.len == strlen(whole[i]) && follows(text, whole[i])) return true;
    }
    if (follows(text, "0000-00-00T0000")) return true;
    return text.len == 8 && all_digits(text) && (text.data[4] == '0' || text.data[4] == '1') &&
           text.data[6] <= '3';
}

static bool is_ip(struct bytes text) {
    unsigned dots = 0, digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '.') {
            if (digits == 0) return false;
            dots++;
            digits = 0;
        } else if (!word_is_digit(text.data[i]) || ++digits > 3) {
            return false;
        }
    }
    return dots == 3 && digits > 0;
}

static bool is_email(struct bytes text) {
    size_t at = words_index(text, '@');
    return at > 0 && at + 3 < text.len && words_index(words_from(text, at), '.') < text.len - at;
}

/* Letters of both kinds and digits in no order: a nanoid, a KSUID, a piece of base64. */
static bool is_random(struct bytes text) {
    unsigned changes = 0, run = 0, longest = 0, digits = 0;
    int last = -1;
    bool lower = false, crockford = text.len == 26 && text.data[0] >= '0' && text.data[0] <= '7';
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        int kind = word_is_digit(c) ? 0 : c >= 'a' && c <= 'z' ? 1 : c >= 'A' && c <= 'Z' ? 2 : -1;
        if (kind < 0 && c != '-' && c != '_') return false;
        if (kind != 0 && (kind != 2 || is_one_of(c, "ILOU"))) crockford = false;
        if (kind < 0) continue;
        if (kind != last) {
            changes += last >= 0;
            run = 0;
        }
        last = kind;
        digits += kind == 0;
        lower = lower || kind == 1;
        if (kind && ++run > longest) longest = run;
    }
    if (crockford) return true;
    if (digits == 0 && !(text.len >= 20 && changes >= 8)) return false;
    return text.len >= 16 ? changes >= 5 && longest <= (lower ? 5 : 7)
                          : text.len >= 8 && changes >= 4 && longest <= 3;
}

uint16_t token_looks(struct bytes text) {
    if (text.len == 0) return 0;
    if (is_uuid(text)) return LOOKS_UUID;
    if (is_date(text)) return LOOKS_DATE;
    if (all_digits(text)) {
        bool time =
            (text.len == 10 || text.len == 13) && text.data[0] == '1' && text.data[1] >= '4';
        return time ? LOOKS_TIME : LOOKS_NUMBER;
    }
    bool hex = text.len >= 8, digit = false;
    for (size_t i = 0; i < text.len && hex; i++) {
        hex = is_hex(text.data[i]);
        digit = digit || word_is_digit(text.data[i]);
    }
    if (hex && (digit || text.len >= 16)) return LOOKS_HEX;
    if (is_ip(text)) return LOOKS_IP;
    if (is_email(text)) return LOOKS_EMAIL;
    if (is_random(text)) return LOOKS_TOKEN;
    if (text.len > TOKEN_WORD_MAX) return LOOKS_WORD;
    return 0;
}

/* ---- cutting ---- */

struct cutter {
    struct token *tokens;
    size_t count, text_len;
};

/* False when there is no room for more; the token then is the rest of the key. */
static bool add(struct cutter *cutter, char separator, struct bytes text, uint16_t looks,
                struct bytes key) {
    struct token *token = &cutter->tokens[cutter->count++];
    size_t literal = (looks ? 0 : text.len) + 1;
    *token = (struct token){separator, false, looks, text};
    if (cutter->count < TOKENS_MAX && cutter->text_len + literal <= TOKENS_TEXT_MAX) {
        cutter->text_len += literal;
        return true;
    }
    token->rest = true;
    token->looks = LOOKS_WORD;
    token->text = bytes_make(text.data, (size_t)(key.data + key.len - text.data));
    return false;
}

/* The longest value at the start of a text that ends where a piece does; 0 when none is there. */
static size_t value_length(struct bytes text, uint16_t *ret_looks) {
    size_t best = 0;
    unsigned pieces = 0;
    for (size_t i = 1; i <= text.len && pieces < 8; i++) {
        if (i < text.len && !is_one_of(text.data[i], WEAK)) continue;
        uint16_t looks = token_looks(words_until(text, i));
        pieces++;
        if (!looks || looks == LOOKS_WORD || looks == LOOKS_EMAIL) continue;
        /* "order-2024-Item-05" as a whole is no token by accident: those are asked
         * for whole segments only. */
        if (looks == LOOKS_TOKEN && pieces > 1) continue;
        best = i;
        *ret_looks = looks;
    }
    return best;
}

/* A word with three digits or more at its end: "user1042". */
static size_t stem_length(struct bytes word) {
    size_t len = word.len;
    while (len && word_is_digit(word.data[len - 1])) len--;
    return len && word.len - len >= 3 && word_is_letter(word.data[len - 1]) ? len : word.len;
}

static bool add_word(struct cutter *cutter, char separator, struct bytes word, struct bytes key) {
    size_t stem = stem_length(word);
    if (stem == word.len || token_looks(word))
        return add(cutter, separator, word, token_looks(word), key);
    return add(cutter, separator, words_until(word, stem), 0, key) &&
           add(cutter, 0, words_from(word, stem), LOOKS_NUMBER, key);
}

/* A segment: whole if it is one value, otherwise words with the values between them. */
static bool cut_segment(struct cutter *cutter, char separator, struct bytes segment,
                        struct bytes key) {
    uint16_t looks = token_looks(segment);
    if ((looks && looks != LOOKS_WORD) || segment.len > TOKENS_TEXT_MAX)
        return add(cutter, separator, segment, looks, key);
    size_t from = 0; /* of the word that has not been added */
    for (size_t i = 0; i < segment.len; i++) {
        if (i && !is_one_of(segment.data[i - 1], WEAK)) continue;
        size_t len = value_length(words_from(segment, i), &looks);
        if (len == 0) continue;
        /* Values side by side are one, of whatever looks: "10-3", "1.4.2". */
        for (size_t more = 1; more && i + len + 1 < segment.len;) {
            uint16_t other = 0;
            more = value_length(words_from(segment, i + len + 1), &other);
            if (more) len += 1 + more;
            looks |= other;
        }
        if (i > from) {
            if (!add_word(cutter, separator, bytes_make(segment.data + from, i - 1 - from), key))
                return false;
            separator = segment.data[i - 1];
        }
        if (!add(cutter, separator, bytes_make(segment.data + i, len), looks, key)) return false;
        if (i + len == segment.len) return true;
        separator = segment.data[i + len];
        from = i + len + 1;
        i += len;
    }
    return add_word(cutter, separator, words_from(segment, from), key);
}

size_t tokens_cut(struct bytes key, struct token *tokens) {
    struct cutter cutter = {tokens, 0, 0};
    char separators[16] = STRONG;
    bool strong = false, dotted = false, plain = show_is_plain(key);
    for (size_t i = 0; i < key.len && i < TOKENS_TEXT_MAX && !strong; i++) {
        strong = is_one_of(key.data[i], STRONG);
        dotted = dotted || key.data[i] == '.';
    }
    if (!strong) memcpy(separators, dotted ? "." : "-_", dotted ? 2 : 3);
    /* Where bytes are no text, what looks like a separator may be none, but for the usual one. */
    if (!plain) memcpy(separators, ":", 2);
    char separator = 0;
    size_t from = 0;
    /* A value such as a date keeps the '-' in it where '-' separates. */
    uint16_t whole = strong ? 0 : token_looks(key);
    if (whole && whole != LOOKS_WORD) {
        add(&cutter, 0, key, whole, key);
        return cutter.count;
    }
    for (;;) {
        size_t end = from;
        uint16_t looks;
        if (!strong && from < key.len) end += value_length(words_from(key, from), &looks);
        while (end < key.len && !is_one_of(key.data[end], separators)) end++;
        struct bytes segment = bytes_make(key.data + from, end - from);
        if (!plain && !show_is_plain(segment)) {
            /* An empty segment before it is an accident of its first byte. */
            while (cutter.count > 1 && tokens[cutter.count - 1].text.len == 0) {
                separator = tokens[--cutter.count].separator;
                from--;
            }
            tokens[cutter.count++] =
                (struct token){separator, true, LOOKS_BYTES, words_from(key, from)};
            break;
        }
        if (!cut_segment(&cutter, separator, segment, key) || end == key.len) break;
        separator = key.data[end];
        from = end + 1;
    }
    return cutter.count;
}
