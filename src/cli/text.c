/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/text.h"

#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

size_t utf8_length(struct bytes text) {
    const unsigned char *at = (const unsigned char *)text.data;
    if (text.len == 0) return 0;
    size_t len = at[0] < 0x80   ? 1
                 : at[0] < 0xc2 ? 0
                 : at[0] < 0xe0 ? 2
                 : at[0] < 0xf0 ? 3
                 : at[0] < 0xf5 ? 4
                                : 0;
    if (len == 0 || len > text.len) return 0;
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) return 0;
    }
    if (len == 3 && ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f))) return 0;
    if (len == 4 && ((at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))) return 0;
    return len;
}

bool text_utf8(void) {
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* ---- one character ---- */

enum { PIECE_MAX = 16 };

/* One character as it is shown. */
struct piece {
    char text[PIECE_MAX];
    size_t len, columns;
};

static uint32_t utf8_decode(const unsigned char *at, size_t len) {
    if (len == 1) return at[0];
    uint32_t code = at[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) code = code << 6 | (at[i] & 0x3f);
    return code;
}

/* Characters that show nothing, or change how their neighbours are shown. */
static bool is_treacherous(uint32_t code) {
    return (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || code == 0x00ad ||
           code == 0x061c || code == 0x180e || (code >= 0xfff9 && code <= 0xfffb) ||
           (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0000 && code <= 0xe0fff);
}

static void piece_escape(struct piece *piece, const char *format, uint32_t code) {
    piece->len = (size_t)snprintf(piece->text, sizeof piece->text, format, code);
    piece->columns = piece->len;
}

/* Takes one character off the front of rest, which is not empty. first: nothing stands before it
 * that a mark could stand upon. */
static void next_piece(struct bytes *rest, bool utf8, bool first, struct piece *ret_piece) {
    unsigned char byte = (unsigned char)rest->data[0];
    size_t len = utf8_length(*rest);
    if (len == 0 || (len > 1 && !utf8)) {
        piece_escape(ret_piece, "\\x%02x", byte);
        len = 1;
    } else if (len == 1) {
        if (byte == '\\') {
            memcpy(ret_piece->text, "\\\\", 2);
            ret_piece->len = ret_piece->columns = 2;
        } else if (byte >= ' ' && byte != 0x7f) {
            ret_piece->text[0] = (char)byte;
            ret_piece->len = ret_piece->columns = 1;
        } else {
            piece_escape(ret_piece, "\\x%02x", byte);
        }
    } else {
        uint32_t code = utf8_decode((const unsigned char *)rest->data, len);
        int columns = wcwidth((wchar_t)code);
        if (columns < 0 || (columns == 0 && first) || is_treacherous(code) ||
            !iswprint((wint_t)code)) {
            piece_escape(ret_piece, code > 0xffff ? "\\U%08x" : "\\u%04x", code);
        } else {
            memcpy(ret_piece->text, rest->data, len);
            ret_piece->len = len;
            ret_piece->columns = (size_t)columns;
        }
    }
    *rest = bytes_make(rest->data + len, rest->len - len);
}

void text_show(struct buffer *out, struct bytes raw, bool utf8) {
    struct piece piece;
    for (bool first = true; raw.len; first = false) {
        next_piece(&raw, utf8, first, &piece);
        buffer_add(out, piece.text, piece.len);
    }
}

size_t text_columns(struct bytes raw, bool utf8) {
    struct piece piece;
    size_t columns = 0;
    for (bool first = true; raw.len; first = false) {
        next_piece(&raw, utf8, first, &piece);
        columns += piece.columns;
    }
    return columns;
}

static void add_blanks(struct buffer *out, size_t count) {
    for (; count; count--) buffer_add(out, " ", 1);
}

void text_fit(struct buffer *out, struct bytes raw, size_t columns, enum text_side side,
              bool utf8) {
    size_t wanted = text_columns(raw, utf8), used = 0;
    bool cut = wanted > columns;
    size_t room = cut && columns ? columns - 1 : columns;
    struct piece piece;
    if (!cut && side == TEXT_RIGHT) add_blanks(out, columns - wanted);
    for (bool first = true; raw.len; first = false) {
        next_piece(&raw, utf8, first, &piece);
        if (used + piece.columns > room) break;
        buffer_add(out, piece.text, piece.len);
        used += piece.columns;
    }
    if (cut && columns) {
        buffer_printf(out, "%s", utf8 ? "\u2026" : "~");
        used++;
    }
    if (cut || side == TEXT_LEFT) add_blanks(out, columns - used);
}

/* ---- figures ---- */

/* Three digits that say something, with a unit: 12.3k. */
static const char *scaled(double value, double step, const char *units,
                          char text[FIGURE_TEXT_MAX]) {
    size_t unit = 0;
    do {
        value /= step;
        unit++;
    } while (value >= (step == 1024 ? 999.5 : step - 0.5) && units[unit]);
    int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(text, FIGURE_TEXT_MAX, "%.*f%c", digits, value, units[unit - 1]);
    return text;
}

const char *figure_short(double value, char text[FIGURE_TEXT_MAX]) {
    if (!isfinite(value) || value < 0) {
        snprintf(text, FIGURE_TEXT_MAX, "-");
    } else if (value > 0 && value < 0.05) {
        snprintf(text, FIGURE_TEXT_MAX, "<0.1"); /* something is not nothing */
    } else if (value < 9.95) {
        double tenths = round(value * 10);
        snprintf(text, FIGURE_TEXT_MAX, "%.*f", fmod(tenths, 10) != 0, tenths / 10);
    } else if (value < 9999.5) {
        snprintf(text, FIGURE_TEXT_MAX, "%.0f", value);
    } else {
        scaled(value, 1000, "kMGTPE", text);
    }
    return text;
}

const char *figure_bytes(double value, char text[FIGURE_TEXT_MAX]) {
    if (!isfinite(value) || value < 0)
        snprintf(text, FIGURE_TEXT_MAX, "-");
    else if (value < 9999.5)
        snprintf(text, FIGURE_TEXT_MAX, "%.0f", value);
    else
        scaled(value, 1024, "KMGTPE", text);
    return text;
}

const char *figure_exact(int64_t value, char text[FIGURE_TEXT_MAX]) {
    char digits[FIGURE_TEXT_MAX];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)value);
    size_t at = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && digits[i - 1] != '-' && (len - i) % 3 == 0) text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

/* Only all is 100, only nothing is 0.0: 99,999 of 100,000 is 99.9. */
const char *figure_percent(double share, char text[FIGURE_TEXT_MAX]) {
    if (!isfinite(share) || share < 0)
        snprintf(text, FIGURE_TEXT_MAX, "-");
    else if (share >= 1)
        snprintf(text, FIGURE_TEXT_MAX, "100");
    else
        snprintf(text, FIGURE_TEXT_MAX, "%.1f", floor(share * 1000) / 10);
    return text;
}

const char *figure_duration(int64_t seconds, char text[FIGURE_TEXT_MAX]) {
    long long s = seconds < 0 ? 0 : seconds;
    if (s < 60)
        snprintf(text, FIGURE_TEXT_MAX, "%llds", s);
    else if (s < 3600)
        snprintf(text, FIGURE_TEXT_MAX, "%lldm %llds", s / 60, s % 60);
    else if (s < 86400)
        snprintf(text, FIGURE_TEXT_MAX, "%lldh %lldm", s / 3600, s / 60 % 60);
    else
        snprintf(text, FIGURE_TEXT_MAX, "%lldd %lldh", s / 86400, s / 3600 % 24);
    return text;
}

/* ---- small charts ---- */

void text_sparkline(struct buffer *out, const float *values, size_t count, size_t columns,
                    bool utf8) {
    static const char *const blocks[] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const letters[] = {" ", ".", ".", ":", ":", "|", "|", "#", "#"};
    enum { STEPS = 8 };
    float most = 0;
    if (count > columns) {
        values += count - columns;
        count = columns;
    }
    for (size_t i = 0; i < count; i++)
        if (values[i] > most) most = values[i];
    for (size_t i = 0; i < count; i++) {
        unsigned step = 0;
        if (values[i] > 0 && isfinite(most)) step = 1 + (unsigned)(values[i] / most * (STEPS - 1));
        buffer_printf(out, "%s", utf8 ? blocks[step] : letters[step]);
    }
    add_blanks(out, columns - count);
}

void text_bar(struct buffer *out, double share, size_t columns, bool utf8) {
    static const char *const parts[] = {"",       "\u258f", "\u258e", "\u258d", "\u258c",
                                        "\u258b", "\u258a", "\u2589", "\u2588"};
    enum { EIGHTHS = 8 };
    if (columns == 0) return;
    if (!(share > 0)) share = 0;
    if (share > 1) share = 1;
    size_t eighths = (size_t)(share * (double)(columns * EIGHTHS) + 0.5);
    if (share > 0 && eighths == 0) eighths = 1; /* something is not nothing */
    size_t full = eighths / EIGHTHS, rest = eighths % EIGHTHS, used = full;
    if (!utf8) {
        full = used = (eighths + EIGHTHS / 2 - (share < 1)) / EIGHTHS;
        if (share > 0 && full == 0 && columns) full = used = 1;
        rest = 0;
    }
    for (size_t i = 0; i < full; i++) buffer_printf(out, "%s", utf8 ? parts[EIGHTHS] : "|");
    if (rest) {
        buffer_printf(out, "%s", parts[rest]);
        used++;
    }
    add_blanks(out, columns - used);
}
