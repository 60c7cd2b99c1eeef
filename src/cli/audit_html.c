/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The report as a page: everything stands in tables, for readers without JavaScript; charts are
 * drawn from the data at its end. What came from keys or documents is escaped by show_html
 * here, without exception.
 */
#include <stdio.h>
#include <time.h>

#include "base/memory.h"
#include "catalog/words.h"
#include "catalog/yaml.h"
#include "cli/audit.h"
#include "cli/html.h"
#include "cli/json.h"
#include "cli/show.h"

enum { YAML_MAX = 16 << 20, DATA_MAX = 64 << 20, FINDINGS_OPEN = 12 };

static void add_text(struct buffer *out, const char *text) {
    show_html(out, bytes_from_string(text));
}

static void add_code(struct buffer *out, const char *text) {
    buffer_printf(out, "<code>");
    add_text(out, text);
    buffer_printf(out, "</code>");
}

static void add_card(struct buffer *out, const char *value, const char *what, const char *style) {
    buffer_printf(out, "<div class=\"card\"><b class=\"%s\">", style);
    add_text(out, value);
    buffer_printf(out, "</b><span>");
    add_text(out, what);
    buffer_printf(out, "</span></div>\n");
}

static struct estimate all_bytes(const struct survey *survey) {
    struct estimate bytes = survey->figures[0].bytes;
    for (size_t id = 1; id <= survey->pattern_count; id++)
        bytes = estimate_sum(bytes, survey->figures[id].bytes);
    return bytes;
}

static void add_cards(struct buffer *out, const struct audit *audit) {
    const struct survey *survey = audit->survey;
    char value[AUDIT_TEXT_MAX], other[SHOW_NUMBER_MAX], what[AUDIT_TEXT_MAX];
    buffer_printf(out, "<div class=\"cards\">\n");
    add_card(out, show_count((double)survey->keys, value), "keys were counted", "");
    audit_estimate(all_bytes(survey), true, false, value);
    add_card(out, value,
             survey->name_bytes_only ? "in names and strings, at least" : "of memory for them", "");
    double share = survey->keys ? 100.0 * (double)(survey->keys - survey->figures[0].keys) /
                                      (double)survey->keys
                                : 100;
    snprintf(value, sizeof value, "%.1f %%", share);
    snprintf(what, sizeof what, "of keys have a pattern; %s have none",
             show_count((double)survey->figures[0].keys, other));
    add_card(out, value, what, share < 100 ? "" : "ok");
    size_t errors = audit_count(audit, SEVERITY_ERROR),
           warnings = audit_count(audit, SEVERITY_WARNING);
    snprintf(value, sizeof value, "%zu / %zu", errors, warnings);
    add_card(out, errors || warnings ? value : "none", "errors and warnings",
             errors     ? "bad"
             : warnings ? ""
                        : "ok");
    buffer_printf(out, "</div>\n");
}

static void add_head(struct buffer *out, const struct audit *audit) {
    const struct survey *survey = audit->survey;
    char keys[SHOW_NUMBER_MAX], when[40];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(when, sizeof when, "%Y-%m-%d %H:%M UTC", &utc);
    buffer_printf(out, "<h1>");
    add_text(out, audit->loaded->catalog->name);
    buffer_printf(out, ": what the keyspace holds</h1>\n<p class=\"dim\">");
    add_text(out, survey->server);
    buffer_printf(out, " at ");
    add_code(out, audit->url);
    buffer_printf(out, ", beside ");
    add_code(out, audit->loaded->file);
    buffer_printf(out, "; %s, in %.1f s</p>\n", when, audit_seconds(audit));
    if (survey->stopped_by) {
        buffer_printf(
            out, "<p class=\"partial\"><b>Partial.</b> The audit ended early, so all counts are of "
                 "what had been seen: ");
        add_text(out, survey->stopped_by);
        buffer_printf(out, "</p>\n");
    }
    if (survey->cluster)
        buffer_printf(
            out, "<p>This is one node of a cluster: these are its keys, not the cluster's.</p>\n");
    for (int i = 0; i < QUESTIONS; i++) {
        if (!survey->refusals[i]) continue;
        buffer_printf(out, "<p>%s: ",
                      i == QUESTION_BYTES && survey->name_bytes_only
                          ? "Bytes are of names and string values only"
                          : "Not measured");
        add_text(out, survey->refusals[i]);
        buffer_printf(out, "</p>\n");
    }
    buffer_printf(out, "<p class=\"dim small\">Databases: ");
    bool first = true;
    for (size_t i = 0; i < survey->database_count; i++) {
        const struct survey_database *database = &survey->databases[i];
        if (!database->chosen || database->missing) continue;
        buffer_printf(out, "%s%d with %s keys", first ? "" : ", ", database->number,
                      show_count((double)database->keys, keys));
        first = false;
    }
    buffer_printf(out, "</p>\n");
}

static void add_finding(struct buffer *out, const struct audit *audit, size_t index) {
    const struct finding *finding = &audit->findings[index];
    const char *severity = severity_name(finding->severity);
    char keys[AUDIT_KEYS_MAX];
    buffer_printf(out, "<div class=\"finding %s\"><span class=\"tag\">%s</span> ", severity,
                  severity);
    if (finding->pattern) {
        add_code(out, matcher_pattern(audit->survey->matcher, finding->pattern)->key.template.text);
        buffer_printf(out, ": ");
    }
    add_text(out, audit_keys(finding, keys));
    buffer_printf(out, " ");
    add_text(out, finding->text);
    buffer_printf(out, " <span class=\"dim small\">[%s", finding->code);
    if (finding->place.line) {
        buffer_printf(out, ", ");
        add_text(out, finding->place.file ? finding->place.file : "");
        buffer_printf(out, ":%u", finding->place.line);
    }
    buffer_printf(out, "]</span>");
    for (size_t i = 0; finding->examples && i < finding->examples->count; i++) {
        buffer_printf(out, i ? ", " : "<p class=\"small dim\">For example ");
        add_code(out, finding->examples->texts[i]);
    }
    buffer_printf(out, "%s", finding->examples && finding->examples->count ? "</p>" : "");
    if (finding->remedy && !audit_said_before(audit, index)) {
        buffer_printf(out, "<p class=\"small\">");
        add_text(out, finding->remedy);
        buffer_printf(out, "</p>");
    }
    buffer_printf(out, "</div>\n");
}

static void add_findings(struct buffer *out, const struct audit *audit) {
    size_t all = 0, shown = 0;
    for (size_t i = 0; i < audit->finding_count; i++)
        all += strcmp(audit->findings[i].code, "no-keys") != 0;
    buffer_printf(out, "<h2>Findings</h2>\n");
    for (size_t i = 0; i < audit->finding_count; i++) {
        if (strcmp(audit->findings[i].code, "no-keys") == 0) continue;
        if (shown++ == FINDINGS_OPEN && all > FINDINGS_OPEN + 2)
            buffer_printf(out, "<details><summary>%zu findings more</summary>\n",
                          all - FINDINGS_OPEN);
        add_finding(out, audit, i);
    }
    if (all > FINDINGS_OPEN + 2) buffer_printf(out, "</details>\n");
    if (all == 0)
        buffer_printf(out, "<p class=\"ok\">Nothing: the keyspace is what the catalog says.</p>\n");
}

static void number_cell(struct buffer *out, struct estimate estimate, bool bytes, bool sensible,
                        bool alarming) {
    char value[SHOW_NUMBER_MAX], low[SHOW_NUMBER_MAX], high[SHOW_NUMBER_MAX];
    const char *(*show)(double, char *) = bytes ? show_bytes : show_count;
    if (!sensible || !estimate.known) {
        buffer_printf(out, "<td class=\"n dim\" data-value=\"-1\">%s</td>", sensible ? "?" : "-");
        return;
    }
    buffer_printf(out, "<td class=\"n%s\" data-value=\"%.0f\">%s%s",
                  alarming && estimate.value > 0 ? " bad" : "", estimate.value,
                  estimate.exact ? "" : "~", show(estimate.value, value));
    if (!estimate.exact)
        buffer_printf(out, "<small>%s to %s</small>", show(estimate.low, low),
                      show(estimate.high, high));
    buffer_printf(out, "</td>");
}

static struct estimate exactly(uint64_t count) {
    double value = (double)count;
    return (struct estimate){true, true, value, value, value};
}

static void add_row(struct buffer *out, const struct audit *audit, unsigned id, double most_bytes) {
    const struct figures *figures = &audit->survey->figures[id];
    const struct pattern *pattern = id ? matcher_pattern(audit->survey->matcher, id) : NULL;
    const struct sums *sums = &figures->sums;
    bool limited = pattern && pattern->lifetime.kind == LIFETIME_LIMITED, some = figures->keys > 0;
    buffer_printf(out, "<tr><td>");
    if (pattern) {
        add_code(out, pattern->key.template.text);
    } else {
        buffer_printf(out, "<i>no pattern</i>");
    }
    if (pattern && pattern->purpose) {
        buffer_printf(out, "<br><span class=\"dim small\">");
        add_text(out, pattern->purpose);
        buffer_printf(out, "</span>");
    }
    if (some && most_bytes > 0)
        buffer_printf(out, "<span class=\"bar\"><i style=\"width:%.1f%%\"></i></span>",
                      100 * figures->bytes.value / most_bytes);
    buffer_printf(out, "</td>");
    number_cell(out, exactly(figures->keys), false, true, false);
    number_cell(out, figures->bytes, true, some, false);
    number_cell(out, estimate_count(sums->traits[TRAIT_IMMORTAL], sums->measured, figures->keys),
                false, some, limited);
    number_cell(out, estimate_count(sums->traits[TRAIT_TOO_LONG], sums->measured, figures->keys),
                false, some && limited, true);
    number_cell(out, estimate_count(sums->traits[TRAIT_WRONG_TYPE], sums->measured, figures->keys),
                false, some && pattern && pattern->type, true);
    number_cell(out, exactly(figures->wrong_database), false,
                some && pattern && pattern->database_count, true);
    buffer_printf(out, "</tr>\n");
}

static void add_patterns(struct buffer *out, const struct audit *audit) {
    static const char *const heads[] = {"Keys",     "Bytes",      "No lifetime",
                                        "Too long", "Wrong type", "Wrong database"};
    const struct survey *survey = audit->survey;
    size_t count, idle = 0;
    unsigned *order = audit_order(audit, &count);
    double most = survey->figures[0].bytes.value;
    if (count && survey->figures[order[0]].bytes.value > most)
        most = survey->figures[order[0]].bytes.value;
    buffer_printf(
        out, "<h2>Patterns</h2>\n<div class=\"wide\"><table>\n<thead><tr><th data-sort=\"\">Pattern"
             "</th>");
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        buffer_printf(out, "<th class=\"n\" data-sort=\"\">%s</th>", heads[i]);
    buffer_printf(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < count; i++) {
        if (survey->figures[order[i]].keys) add_row(out, audit, order[i], most);
        idle += survey->figures[order[i]].keys == 0;
    }
    if (survey->figures[0].keys) add_row(out, audit, 0, most);
    buffer_printf(out, "</tbody></table></div>\n");
    if (idle) {
        buffer_printf(out, "<details><summary>%zu pattern%s without keys</summary><p>", idle,
                      idle == 1 ? "" : "s");
        for (size_t i = 0; i < count; i++) {
            if (survey->figures[order[i]].keys) continue;
            add_code(out, matcher_pattern(survey->matcher, order[i])->key.template.text);
            buffer_printf(out, "<br>");
        }
        buffer_printf(out, "</p></details>\n");
    }
    mem_free(order);
}

static void add_shape(struct buffer *out, const struct audit *audit, const struct suggestion *one) {
    char text[SHOW_DURATION_MAX];
    struct buffer template;
    buffer_init(&template, 1 << 20);
    show_key(&template, bytes_from_string(one->template), 1000);
    buffer_printf(out, "<tr><td><code>");
    show_html(out, buffer_bytes(&template));
    buffer_printf(out, "</code>");
    buffer_done(&template);
    const char *nearly = audit_nearly(audit, one);
    if (nearly) {
        buffer_printf(out, "<br><span class=\"warning\"><span class=\"tag\">nearly</span></span> ");
        add_code(out, nearly);
    }
    buffer_printf(out, "</td>");
    number_cell(out, exactly(one->keys), false, true, false);
    buffer_printf(out, "<td>");
    bool first = true;
    for (int type = 1; type < SAMPLE_TYPES; type++) {
        if (!one->types[type]) continue;
        buffer_printf(out, "%s%s", first ? "" : ", ", pattern_type_names[type]);
        first = false;
    }
    buffer_printf(out, "</td><td>");
    if (one->immortal)
        buffer_printf(out, "%s", one->immortal == one->measured ? "none" : "some without");
    if (one->longest_ms > 0)
        buffer_printf(out, "%sup to %s left", one->immortal ? ", " : "",
                      show_duration(one->longest_ms, text));
    buffer_printf(out, "</td><td>");
    for (size_t i = 0; i < one->example_count; i++) {
        if (i) buffer_printf(out, "<br>");
        add_code(out, one->examples[i]);
    }
    buffer_printf(out, "</td></tr>\n");
}

static int add_shapes(struct buffer *out, const struct audit *audit) {
    size_t shown = audit->suggestion_count < audit->suggestions_most ? audit->suggestion_count
                                                                     : audit->suggestions_most;
    uint64_t left = 0;
    int error = 0;
    if (shown == 0) return 0;
    buffer_printf(
        out,
        "<h2>Keys without a pattern look like this</h2>\n<div class=\"wide\"><table>\n<thead><tr>"
        "<th>Shape</th><th class=\"n\">Keys</th><th>Types</th><th>Lifetimes</th>"
        "<th>Examples</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < audit->suggestion_count; i++) {
        if (i < shown) add_shape(out, audit, &audit->suggestions[i]);
        if (i >= shown) left += audit->suggestions[i].keys;
    }
    buffer_printf(out, "</tbody></table></div>\n");
    if (left)
        buffer_printf(out, "<p class=\"dim\">and %zu shapes more, with %llu keys</p>\n",
                      audit->suggestion_count - shown, (unsigned long long)left);
    struct catalog *catalog = suggest_catalog(audit->suggestions, audit->suggestion_count, shown);
    if (catalog) {
        struct buffer yaml;
        buffer_init(&yaml, YAML_MAX);
        error = catalog_write_yaml(catalog, &yaml);
        buffer_printf(out, "<details><summary>As patterns for the catalog (YAML)</summary><pre>");
        show_html(out, buffer_bytes(&yaml));
        buffer_printf(out, "</pre></details>\n");
        buffer_done(&yaml);
    }
    catalog_free(catalog);
    return error;
}

/* ---- what the charts are drawn from ---- */

static void data_pattern(struct buffer *data, const char *name, const struct figures *figures,
                         bool none) {
    struct estimate bytes = figures->bytes;
    buffer_printf(data, "{\"name\": ");
    json_text(data, name);
    buffer_printf(data,
                  ", \"none\": %s, \"keys\": %llu, \"bytes\": %.0f, \"low\": %.0f, \"high\": %.0f, "
                  "\"exact\": %s}",
                  none ? "true" : "false", (unsigned long long)figures->keys, bytes.value,
                  bytes.low, bytes.high, bytes.exact ? "true" : "false");
}

static void data_parts(struct buffer *data, const char *name, const char *const *names,
                       const double *values, int count) {
    bool first = true;
    buffer_printf(data, ", \"%s\": [", name);
    for (int i = 0; i < count; i++) {
        if (values[i] < 0.5) continue;
        buffer_printf(data, "%s{\"name\": ", first ? "" : ", ");
        json_text(data, names[i]);
        buffer_printf(data, ", \"value\": %.0f}", values[i]);
        first = false;
    }
    buffer_printf(data, "]");
}

static void add_data(struct buffer *data, const struct audit *audit) {
    const struct survey *survey = audit->survey;
    double spans[SPANS] = {0}, types[SAMPLE_TYPES] = {0};
    const char *type_names[SAMPLE_TYPES] = {"other"};
    bool first = true;
    for (int type = 1; type < SAMPLE_TYPES; type++) type_names[type] = pattern_type_names[type];
    buffer_printf(data, "{\"patterns\": [");
    for (unsigned id = 0; id <= survey->pattern_count; id++) {
        const struct figures *figures = &survey->figures[id];
        const struct sums *sums = &figures->sums;
        if (figures->keys == 0) continue;
        const char *name =
            id ? matcher_pattern(survey->matcher, id)->key.template.text : "(no pattern)";
        if (!first) buffer_printf(data, ", ");
        first = false;
        data_pattern(data, name, figures, id == 0);
        double each = sums->measured ? (double)figures->keys / (double)sums->measured : 0;
        for (int i = 0; i < SPANS; i++) spans[i] += each * (double)sums->spans[i];
        for (int i = 0; i < SAMPLE_TYPES; i++) types[i] += each * (double)sums->types[i];
    }
    buffer_printf(data, "]");
    data_parts(data, "spans", span_names, spans, SPANS);
    data_parts(data, "types", type_names, types, SAMPLE_TYPES);
    buffer_printf(data, "}");
}

static void add_charts(struct buffer *out) {
    static const char *const charts[][2] = {
        {"bytes", "Bytes by pattern"},
        {"keys", "Keys by pattern"},
        {"spans", "Keys by the lifetime they have left"},
        {"types", "Keys by type"},
    };
    buffer_printf(out, "<div class=\"charts\">\n");
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++)
        buffer_printf(
            out, "<div class=\"chart\"><h3>%s</h3><div><canvas id=\"%s\"></canvas></div></div>\n",
            charts[i][1], charts[i][0]);
    buffer_printf(out, "</div>\n");
}

static void add_foot(struct buffer *out, const struct audit *audit) {
    const struct survey *survey = audit->survey;
    char measured[SHOW_NUMBER_MAX], repeats[SHOW_NUMBER_MAX];
    buffer_printf(
        out,
        "<h2>How this was measured</h2>\n<p class=\"dim small\">Every key was listed by SCAN and "
        "counted for its pattern; %s keys were measured. ",
        show_count((double)survey->measured, measured));
    if (survey->options.sample)
        buffer_printf(
            out,
            "Of each pattern a random sample of %zu keys was asked for its type, lifetime and "
            "bytes; ~ marks what is estimated from it, and the range below holds the true "
            "figure in 95 of 100 cases. A few very large values among many small ones can "
            "escape a sample of bytes. ",
            survey->options.sample);
    buffer_printf(
        out,
        "SCAN told of %s keys twice; they count once. A lifetime is what was left of it, so one "
        "that began too long may look right later.</p>\n",
        show_count((double)survey->repeats, repeats));
}

int audit_html(const struct audit *audit, struct buffer *out) {
    struct buffer title, data;
    buffer_init(&title, 1 << 16);
    buffer_init(&data, DATA_MAX);
    buffer_printf(&title, "keynome audit: %s", audit->loaded->catalog->name);
    int error = html_begin(out, buffer_bytes(&title));
    add_head(out, audit);
    add_cards(out, audit);
    add_charts(out);
    add_findings(out, audit);
    add_patterns(out, audit);
    if (error == 0) error = add_shapes(out, audit);
    add_foot(out, audit);
    add_data(&data, audit);
    if (error == 0) error = html_end(out, buffer_bytes(&data));
    buffer_done(&title);
    buffer_done(&data);
    return error;
}
