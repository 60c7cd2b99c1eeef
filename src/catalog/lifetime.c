/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/lifetime.h"

#include <stdio.h>

#include "catalog/words.h"

struct unit {
    const char *names; /* lower case, divided by '|'; the first is the short form */
    int64_t ms;
};

static const struct unit units[] = {
    {"w|wk|wks|week|weeks", INT64_C(7) * 86400 * 1000},
    {"d|day|days", INT64_C(86400) * 1000},
    {"h|hr|hrs|hour|hours|hourly", INT64_C(3600) * 1000},
    {"m|min|mins|minute|minutes", 60 * 1000},
    {"s|sec|secs|second|seconds", 1000},
    {"ms|msec|millis|millisecond|milliseconds", 1},
    {"mo|month|months", INT64_C(30) * 86400 * 1000},
    {"y|yr|yrs|year|years", INT64_C(365) * 86400 * 1000},
};
enum { NOTE_MAX = 200, UNITS = sizeof units / sizeof *units, SHORT_UNITS = 6, WORD_UNITS = 5 };

static int64_t unit_ms(struct bytes word) {
    for (size_t i = 0; i < UNITS; i++) {
        if (words_are(word, units[i].names)) return units[i].ms;
    }
    return 0;
}

/* How long the sign between groups of three digits is: "86,400", "604 800",
 * "2_592_000"; 0 where none stands. */
static size_t group_sign(struct bytes text) {
    static const char *const signs[] = {",",           "_", " ", "'", "\xc2\xa0", "\xe2\x80\x89",
                                        "\xe2\x80\xaf"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t at = strlen(signs[i]), digits = 0;
        if (!words_start(text, signs[i])) continue;
        while (at + digits < text.len && word_is_digit(text.data[at + digits])) digits++;
        return digits == 3 ? at : 0;
    }
    return 0;
}

/* Reads digits, with a fraction for free text ("1.5 hours"): thousandths in ret_milli. */
static size_t read_amount(struct bytes text, bool fraction, int64_t *ret_milli) {
    size_t at = 0, group;
    int64_t whole = 0, milli = 0;
    while (at < text.len && word_is_digit(text.data[at])) {
        if (whole < INT64_C(1000000000000)) whole = whole * 10 + (text.data[at] - '0');
        at++;
        if (fraction && at <= 11 && (group = group_sign(words_from(text, at)))) at += group;
    }
    if (at == 0) return 0;
    if (fraction && at + 1 < text.len && text.data[at] == '.' && word_is_digit(text.data[at + 1])) {
        int64_t place = 100;
        for (at++; at < text.len && word_is_digit(text.data[at]); at++, place /= 10)
            milli += (text.data[at] - '0') * place;
    }
    *ret_milli = whole * 1000 + milli;
    return at;
}

/* milli thousandths of a unit; 0 when out of range. */
static int64_t scale(int64_t milli, int64_t unit) {
    if (milli <= 0 || milli / 1000 > LIFETIME_MAX_MS / unit) return 0;
    return unit % 1000 == 0 ? milli * (unit / 1000) : milli * unit / 1000;
}

static size_t letters(struct bytes text, size_t at) {
    size_t end = at;
    while (end < text.len && word_is_letter(text.data[end])) end++;
    return end - at;
}

bool duration_parse(struct bytes text, int64_t *ret_ms) {
    int64_t total = 0;
    size_t at = 0;
    if (text.len == 0) return false;
    while (at < text.len) {
        int64_t milli;
        size_t digits = read_amount(words_from(text, at), false, &milli);
        size_t name = letters(text, at + digits);
        int64_t ms = 0;
        if (digits == 0 || digits > 12 || name == 0 || name > 2) return false;
        for (size_t i = 0; i < SHORT_UNITS; i++) {
            struct bytes word = bytes_make(text.data + at + digits, name);
            if (name == strcspn(units[i].names, "|") &&
                memcmp(word.data, units[i].names, name) == 0)
                ms = units[i].ms;
        }
        if (ms == 0) return false;
        ms = scale(milli, ms);
        if (ms == 0 || total > LIFETIME_MAX_MS - ms) return false;
        total += ms;
        at += digits + name;
    }
    *ret_ms = total;
    return true;
}

const char *duration_format(int64_t ms, char *out) {
    size_t unit = 0;
    while (unit + 1 < SHORT_UNITS && (ms % units[unit].ms != 0 || unit == 0)) unit++;
    snprintf(out, DURATION_TEXT_MAX, "%lld%.*s", (long long)(ms / units[unit].ms),
             (int)strcspn(units[unit].names, "|"), units[unit].names);
    return out;
}

const char *duration_words(int64_t ms, char *out, size_t room) {
    static const char *const names[] = {"week", "day", "hour", "minute", "second"};
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 1; i < WORD_UNITS && at < room; i++) {
        long long amount = ms / units[i].ms;
        ms %= units[i].ms;
        if (amount == 0) continue;
        at += (size_t)snprintf(out + at, room - at, "%s%lld %s%s", at ? " " : "", amount, names[i],
                               amount == 1 ? "" : "s");
    }
    if (ms && at < room)
        snprintf(out + at, room - at, "%s%lld milliseconds", at ? " " : "", (long long)ms);
    return out;
}

static size_t skip_blanks(struct bytes text, size_t at) {
    while (at < text.len && (text.data[at] == ' ' || text.data[at] == '\t')) at++;
    return at;
}

/* A number right at at, with a unit after it, blanks or a hyphen allowed between ("30-day"). */
static size_t read_duration(struct bytes text, size_t at, int64_t *ret_ms) {
    int64_t milli;
    size_t digits = read_amount(words_from(text, at), true, &milli);
    if (digits == 0) return 0;
    size_t unit = skip_blanks(text, at + digits);
    if (unit < text.len && text.data[unit] == '-') unit++;
    size_t name = letters(text, unit);
    int64_t ms = name ? unit_ms(bytes_make(text.data + unit, name)) : 0;
    ms = ms ? scale(milli, ms) : 0;
    if (ms == 0) return 0;
    *ret_ms = ms;
    return unit + name - at;
}

/* "one hour", "a day", "an hour". */
static size_t read_spelled(struct bytes text, size_t at, int64_t *ret_ms) {
    static const struct {
        const char *words;
        int64_t milli;
    } numbers[] = {{"a", 1000},        {"an", 1000},      {"one", 1000},     {"two", 2000},
                   {"three", 3000},    {"four", 4000},    {"five", 5000},    {"six", 6000},
                   {"seven", 7000},    {"eight", 8000},   {"ten", 10000},    {"twelve", 12000},
                   {"fifteen", 15000}, {"twenty", 20000}, {"thirty", 30000}, {"sixty", 60000},
                   {"ninety", 90000},  {"half", 500}};
    size_t name = letters(text, at);
    for (size_t i = 0; name && i < sizeof numbers / sizeof *numbers; i++) {
        if (!words_are(bytes_make(text.data + at, name), numbers[i].words)) continue;
        size_t unit = skip_blanks(text, at + name), length = letters(text, unit);
        if (numbers[i].milli == 500 && words_are(bytes_make(text.data + unit, length), "a|an")) {
            unit = skip_blanks(text, unit + length);
            length = letters(text, unit);
        }
        int64_t ms = length > 2 ? unit_ms(bytes_make(text.data + unit, length)) : 0;
        if (ms == 0) return 0;
        *ret_ms = scale(numbers[i].milli, ms);
        return unit + length - at;
    }
    return 0;
}

/* "PT15M", "P7D", "P1DT12H", as ISO 8601 has them. */
static size_t read_iso(struct bytes text, size_t start, int64_t *ret_ms) {
    static const char date_units[] = "YMWD", time_units[] = "HMS";
    static const int64_t date_ms[] = {INT64_C(365) * 86400000, INT64_C(30) * 86400000,
                                      INT64_C(7) * 86400000, 86400000};
    static const int64_t time_ms[] = {3600000, 60000, 1000};
    bool time = false;
    int64_t total = 0, milli;
    size_t at = start + 1;
    if (text.data[start] != 'P') return 0;
    while (at < text.len && !(at > start + 1 && !word_is_name(text.data[at]))) {
        if (text.data[at] == 'T' && !time) {
            time = true;
            at++;
        }
        size_t digits = read_amount(words_from(text, at), true, &milli);
        if (digits == 0 || at + digits >= text.len) return 0;
        const char *units_now = time ? time_units : date_units;
        const char *unit = strchr(units_now, text.data[at + digits]);
        if (!unit || text.data[at + digits] == '\0') return 0;
        int64_t ms = scale(milli, (time ? time_ms : date_ms)[unit - units_now]);
        if (ms == 0 || total > LIFETIME_MAX_MS - ms) return 0;
        total += ms;
        at += digits + 1;
    }
    *ret_ms = total;
    return total ? at - start : 0;
}

bool duration_find(struct bytes text, int64_t *ret_ms, size_t *ret_start, size_t *ret_end) {
    for (size_t at = 0; at < text.len; at++) {
        int64_t ms, more;
        if (at > 0 && (word_is_name(text.data[at - 1]) || text.data[at - 1] == '.')) continue;
        size_t length = read_duration(text, at, &ms);
        if (length == 0) length = read_spelled(text, at, &ms);
        if (length == 0) length = read_iso(text, at, &ms);
        if (length == 0) continue;
        *ret_start = at;
        /* "1 hour 30 minutes", "1h30m" */
        for (;;) {
            size_t next = skip_blanks(text, at + length);
            size_t further = read_duration(text, next, &more);
            if (further == 0 || more >= ms || ms > LIFETIME_MAX_MS - more) break;
            ms += more;
            length = next + further - at;
        }
        *ret_ms = ms;
        *ret_end = at + length;
        return true;
    }
    return false;
}

/* Without brackets and signs around: "= forever", "(none)". */
static struct bytes trim_marks(struct bytes text) {
    while (text.len && memchr("=(: ", text.data[0], 4)) text = words_from(text, 1);
    while (text.len && memchr("). ", text.data[text.len - 1], 3)) text.len--;
    return text;
}

static bool says_none(struct bytes text) {
    if (words_are(text, "-|--|none|no|never|nil|null|n/a|na|permanent|persistent|forever|infinite|"
                        "unlimited|-1|0|indefinite|\xe2\x80\x93|\xe2\x80\x94|\xe2\x88\x9e"))
        return true;
    return words_have_any(text,
                          "no ttl|no expiry|no expiration|no expire|never expires|never expire|"
                          "does not expire|do not expire|doesn't expire|without ttl|"
                          "without expiry|no lifetime|not set|no timeout|none|forever|"
                          "persistent|permanent|indefinitely|until deleted|until removed|"
                          "not expire|never expiring|never|unlimited|infinite|immortal");
}

/* Text of lifetimes goes into YAML and tables: one line, blanks single. */
static const char *copy(struct arena *arena, struct bytes text) {
    text = words_trim(text);
    while (text.len && memchr("(),.;", text.data[0], 5)) text = words_trim(words_from(text, 1));
    while (text.len && memchr("(),.;", text.data[text.len - 1], 5)) {
        if (text.data[text.len - 1] == ')' && words_index(text, '(') < text.len) break;
        text = words_trim(words_until(text, text.len - 1));
    }
    if (words_are(text, "ttl|expiry|expiration|lifetime|expires|timeout|cache|cached|tll"))
        return NULL;
    size_t len = text.len < NOTE_MAX ? text.len : NOTE_MAX;
    while (len && len < text.len && ((unsigned char)text.data[len] & 0xc0) == 0x80) len--;
    return len ? arena_printf(arena, "%.*s", (int)len, text.data) : NULL;
}

/* "5-60 minutes", "1 to 24 hours": the number before the amount at start belongs to it. */
static bool read_range(struct bytes text, size_t start, size_t end, int64_t ms,
                       int64_t *ret_least) {
    size_t at = start, first;
    int64_t milli, most, own;
    while (at > 0 && text.data[at - 1] == ' ') at--;
    if (at >= 3 && memcmp(text.data + at - 3, "\xe2\x80\x93", 3) == 0) {
        at -= 3;
    } else if (at >= 1 && text.data[at - 1] == '-') {
        at--;
    } else if (at >= 3 && memcmp(text.data + at - 3, " to", 3) == 0) {
        at -= 2;
    } else {
        return false;
    }
    while (at > 0 && text.data[at - 1] == ' ') at--;
    for (first = at; first > 0 && word_is_digit(text.data[first - 1]);) first--;
    if (first == at) return false;
    read_amount(words_from(text, first), false, &milli);
    if (read_amount(bytes_make(text.data + start, end - start), true, &most) == 0) return false;
    if (most <= 0 || milli >= most) return false;
    own = ms / most;
    *ret_least = own > 0 ? milli * own : 0;
    return *ret_least > 0;
}

/* What the words around an amount say about when it begins. */
static void read_beginning(struct bytes before, struct bytes text, struct arena *arena,
                           struct lifetime *lifetime) {
    size_t after = words_find_whole(text, "after");
    struct bytes rest = text.len > after ? words_trim(words_from(text, after + 5)) : text;
    (void)before;
    if (after < text.len && rest.len > 0) {
        size_t end = words_index(rest, ')');
        rest = words_until(rest, end);
        bool last = words_have_any(rest, "last");
        if (!last && words_have_any(rest, "creation|created|write|written|insert|set")) return;
        if (last || words_have_any(rest, "access|use|activity|idle|inactivity|update|read|touch")) {
            lifetime->renewed = copy(arena, rest);
        } else {
            lifetime->after = copy(arena, rest);
        }
        return;
    }
    struct bytes bare = words_trim(text);
    while (bare.len && (bare.data[0] == '(' || bare.data[0] == ','))
        bare = words_trim(words_from(bare, 1));
    while (bare.len && (bare.data[bare.len - 1] == ')' || bare.data[bare.len - 1] == '.'))
        bare.len--;
    if (words_are(bare, "completed|complete|finished|done|failed|closed|on completion|when done|"
                        "when completed|once completed|completed only|if completed")) {
        lifetime->after = copy(arena, bare);
    } else if (words_have_any(bare, "renewal|renewed|renewable|heartbeat|sliding|refreshed|"
                                    "refresh|refreshable|extended|rolling|touch|idle")) {
        lifetime->renewed = copy(arena, bare);
    } else {
        lifetime->note = copy(arena, bare);
    }
}

/* "at most 5 minutes": the words stand right before the amount. */
static bool ends_with_limit(struct bytes before) {
    static const char *const words[] = {"max",     "max.", "maximum", "up to",
                                        "at most", "<",    "under",   "no more than"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i]);
        struct bytes last = before.len >= len ? words_from(before, before.len - len) : before;
        if (words_find(last, words[i]) == 0 && last.len == len) return true;
    }
    return false;
}

/* Whether the next word is a unit of its own. */
static bool next_is_unit(struct bytes text) {
    struct bytes word;
    if (!words_next(&text, &word)) return false;
    return unit_ms(words_until(word, letters(word, 0))) != 0;
}

/* A text that begins with a bare number, or a range of them, with its unit written behind. */
static struct bytes with_unit(struct bytes text, int64_t unit_ms, struct arena *arena) {
    char out[DURATION_TEXT_MAX];
    size_t at = 0, end = 0;
    while (at < text.len && memchr("~<= ", text.data[at], 4)) at++;
    for (; at < text.len; at++) {
        if (word_is_digit(text.data[at])) end = at + 1;
        if (!word_is_digit(text.data[at]) && !memchr("-. ", text.data[at], 3) &&
            !group_sign(words_from(text, at)) && (unsigned char)text.data[at] < 0x80)
            break;
    }
    struct bytes rest = words_from(text, end), word = words_trim(rest);
    word = words_until(word, letters(word, 0));
    if (word.len > 3 && words_end(word, "s")) return text; /* "100 messages" is a size */
    if (end == 0 || words_are(words_trim(text), "0|-1")) return text;
    if (rest.len && (word_is_letter(rest.data[0]) || next_is_unit(rest))) return text;
    const char *unit = duration_format(unit_ms, out);
    while (word_is_digit(*unit)) unit++;
    const char *joined =
        arena_printf(arena, "%.*s%s%.*s", (int)end, text.data, unit, (int)rest.len, rest.data);
    return bytes_from_string(joined);
}

bool lifetime_read_in(struct bytes text, int64_t unit_ms, struct arena *arena,
                      struct lifetime *ret_lifetime) {
    text = words_bare(text);
    if (text.len <= NOTE_MAX) text = with_unit(text, unit_ms, arena);
    return lifetime_read(text, arena, ret_lifetime);
}

bool lifetime_read(struct bytes text, struct arena *arena, struct lifetime *ret_lifetime) {
    struct lifetime lifetime = {.kind = LIFETIME_LIMITED};
    int64_t ms, least;
    size_t start, end;
    text = words_bare(text);
    if (text.len == 0 || words_are(text, "?|tbd|unknown|various|varies")) {
        *ret_lifetime = (struct lifetime){.kind = LIFETIME_UNSTATED};
        if (text.len) ret_lifetime->note = copy(arena, text);
        return true;
    }
    if (!duration_find(text, &ms, &start, &end)) {
        struct bytes zero = words_start(text, "0") ? words_trim(words_from(text, 1)) : text;
        bool counted = zero.len && word_is_digit(zero.data[0]);
        if (words_are(text, "yes|y|true|yes (ttl)")) {
            *ret_lifetime = (struct lifetime){.kind = LIFETIME_LIMITED, .required = true};
            return true;
        }
        if (says_none(text) || (!counted && says_none(words_bare(trim_marks(zero))))) {
            *ret_lifetime = (struct lifetime){.kind = LIFETIME_NONE};
            return true;
        }
        /* Ends at a moment, or is told by another part of the key: there is
         * one, of no fixed length. */
        if (!words_have_any(text, "until|end of|midnight|window|duration|same as|dynamic|depends|"
                                  "configurable|variable|matches|remaining|equal to|per"))
            return false;
        lifetime.required = true;
        lifetime.note = copy(arena, text);
        *ret_lifetime = lifetime;
        return true;
    }
    struct bytes before = words_until(text, start), rest = words_from(text, end);
    if (words_have_any(before, "e.g.|e.g|eg|for example|such as|i.e.") ||
        words_have_any(before, "window")) {
        lifetime.required = true; /* the amount is only an example */
        lifetime.note = copy(arena, text);
    } else if (read_range(text, start, end, ms, &least)) {
        lifetime.required = true;
        lifetime.minimum_ms = least;
        lifetime.maximum_ms = ms;
        read_beginning(before, rest, arena, &lifetime);
    } else if (ends_with_limit(words_trim(before))) {
        lifetime.required = true;
        lifetime.maximum_ms = ms;
    } else {
        lifetime.default_ms = ms;
        read_beginning(before, rest, arena, &lifetime);
        /* "3600 seconds (1 hour)" says it twice. */
        if (duration_find(rest, &least, &start, &end) && least == ms) lifetime.note = NULL;
    }
    *ret_lifetime = lifetime;
    return true;
}

static bool same_text(const char *a, const char *b) {
    return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

bool lifetime_equal(const struct lifetime *a, const struct lifetime *b) {
    return a->kind == b->kind && a->required == b->required && a->default_ms == b->default_ms &&
           a->minimum_ms == b->minimum_ms && a->maximum_ms == b->maximum_ms &&
           same_text(a->after, b->after) && same_text(a->renewed, b->renewed);
}

int64_t lifetime_unit(struct bytes heading) {
    static const char *const ends[] = {" in ", "(", "[", "_", "/", ", "};
    while (heading.len && memchr(")]* `", heading.data[heading.len - 1], 5)) heading.len--;
    size_t name = 0;
    while (name < heading.len && word_is_letter(heading.data[heading.len - 1 - name])) name++;
    struct bytes before = words_until(heading, heading.len - name);
    struct bytes unit = words_from(heading, before.len);
    bool apart = false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) apart |= words_end(before, ends[i]);
    if (!apart && !(unit.len > 3 && words_end(before, " "))) return 0;
    return unit_ms(unit);
}
