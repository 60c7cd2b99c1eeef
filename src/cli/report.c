/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog/words.h"
#include "cli/json.h"

enum { LINE_SHOWN_MAX = 160 };

bool report_colour(FILE *stream) {
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(stream)) && !(none && *none) && !(term && strcmp(term, "dumb") == 0);
}

static const char *paint(const struct report_options *options, const char *code) {
    return options->colour ? code : "";
}

static bool find_line(const struct report_options *options, const struct place *place,
                      struct bytes *ret_line) {
    for (size_t i = 0; i < options->source_count; i++) {
        struct bytes rest = options->sources[i].text;
        if (!place->file || strcmp(options->sources[i].file, place->file) != 0) continue;
        for (uint32_t line = 1; words_next_line(&rest, ret_line); line++) {
            if (line == place->line) return true;
        }
    }
    return false;
}

/* The line, cut to what a screen takes, with a mark under the column;
 * control characters are blanks. */
static void show_line(FILE *stream, const struct place *place,
                      const struct report_options *options) {
    struct bytes line;
    if (!find_line(options, place, &line)) return;
    size_t column = place->column ? place->column - 1 : 0, from = 0;
    if (column > LINE_SHOWN_MAX - 20) from = column - 40;
    while (from > 0 && from < line.len && ((unsigned char)line.data[from] & 0xc0) == 0x80) from--;
    size_t until = line.len - (from < line.len ? from : line.len) > LINE_SHOWN_MAX
                       ? from + LINE_SHOWN_MAX
                       : line.len;
    while (until < line.len && ((unsigned char)line.data[until] & 0xc0) == 0x80) until++;
    fprintf(stream, "%s%6u |%s ", paint(options, "\033[2m"), place->line,
            paint(options, "\033[0m"));
    for (size_t i = from; i < until; i++) {
        unsigned char c = (unsigned char)line.data[i];
        fputc(c < ' ' || c == 127 ? ' ' : c, stream);
    }
    fprintf(stream, "\n%s       |%s ", paint(options, "\033[2m"), paint(options, "\033[0m"));
    for (size_t i = from; i < column && i < line.len; i++) {
        if (((unsigned char)line.data[i] & 0xc0) != 0x80) fputc(' ', stream);
    }
    fprintf(stream, "%s^%s\n", paint(options, "\033[1;32m"), paint(options, "\033[0m"));
}

void report_print(FILE *stream, const struct diagnostics *diagnostics,
                  const struct report_options *options) {
    static const char *const colours[SEVERITIES] = {"\033[1;36m", "\033[1;35m", "\033[1;31m"};
    for (size_t i = 0; i < diagnostics_count(diagnostics); i++) {
        const struct diagnostic *found = diagnostics_at(diagnostics, i);
        if (found->severity < options->least) continue;
        fprintf(stream, "%s%s", paint(options, "\033[1m"),
                found->place.file ? found->place.file : "keynome");
        if (found->place.line)
            fprintf(stream, ":%u:%u", found->place.line,
                    found->place.column ? found->place.column : 1);
        fprintf(stream, ": %s%s:%s %s %s[%s]%s\n", paint(options, colours[found->severity]),
                severity_name(found->severity), paint(options, "\033[0m"), found->what,
                paint(options, "\033[2m"), found->code, paint(options, "\033[0m"));
        show_line(stream, &found->place, options);
        if (found->other.line) {
            fprintf(stream, "       = see %s:%u:%u\n", found->other.file ? found->other.file : "",
                    found->other.line, found->other.column ? found->other.column : 1);
            if (found->other.line != found->place.line) show_line(stream, &found->other, options);
        }
        if (found->remedy)
            fprintf(stream, "       = %shelp:%s %s\n", paint(options, "\033[1m"),
                    paint(options, "\033[0m"), found->remedy);
    }
    if (diagnostics_lost(diagnostics))
        fprintf(stream, "and %zu more that are not shown\n", diagnostics_lost(diagnostics));
}

void report_summary(FILE *stream, const struct diagnostics *diagnostics) {
    bool first = true;
    for (int severity = SEVERITIES - 1; severity >= 0; severity--) {
        size_t count = diagnostics_of(diagnostics, (enum severity)severity);
        if (count == 0) continue;
        fprintf(stream, "%s%zu %s%s", first ? "" : ", ", count,
                severity_name((enum severity)severity), count == 1 ? "" : "s");
        first = false;
    }
    fprintf(stream, "%s\n", first ? "nothing found" : "");
}

static void json_place(struct buffer *buffer, const struct place *place) {
    buffer_printf(buffer, "\"file\": ");
    json_text(buffer, place->file);
    buffer_printf(buffer, ", \"line\": %u, \"column\": %u", place->line, place->column);
}

void report_json(struct buffer *buffer, const struct diagnostics *diagnostics,
                 enum severity least) {
    bool first = true;
    buffer_add(buffer, "[", 1);
    for (size_t i = 0; i < diagnostics_count(diagnostics); i++) {
        const struct diagnostic *found = diagnostics_at(diagnostics, i);
        if (found->severity < least) continue;
        buffer_printf(buffer, "%s\n  {\"severity\": \"%s\", \"code\": \"%s\", ", first ? "" : ",",
                      severity_name(found->severity), found->code);
        json_place(buffer, &found->place);
        buffer_printf(buffer, ", \"what\": ");
        json_text(buffer, found->what);
        buffer_printf(buffer, ", \"remedy\": ");
        json_text(buffer, found->remedy);
        if (found->other.line) {
            buffer_printf(buffer, ", \"see\": {");
            json_place(buffer, &found->other);
            buffer_printf(buffer, "}");
        }
        buffer_printf(buffer, "}");
        first = false;
    }
    buffer_printf(buffer, "%s]", first ? "" : "\n");
}
