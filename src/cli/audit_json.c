/* SPDX-License-Identifier: BSD-3-Clause */
/* The report for programs; docs/audit.md describes its fields. */
#include "base/memory.h"
#include "catalog/words.h"
#include "cli/audit.h"
#include "cli/json.h"

static void add_estimate(struct buffer *out, const char *name, struct estimate estimate) {
    buffer_printf(out, "\"%s\": ", name);
    if (!estimate.known) {
        buffer_printf(out, "null");
    } else if (estimate.exact) {
        buffer_printf(out, "{\"value\": %.0f, \"exact\": true}", estimate.value);
    } else {
        buffer_printf(out, "{\"value\": %.0f, \"exact\": false, \"low\": %.0f, \"high\": %.0f}",
                      estimate.value, estimate.low, estimate.high);
    }
}

static void add_examples(struct buffer *out, char *const *texts, size_t count) {
    buffer_printf(out, "\"examples\": [");
    for (size_t i = 0; i < count; i++) {
        if (i) buffer_printf(out, ", ");
        json_text(out, texts[i]);
    }
    buffer_printf(out, "]");
}

static struct estimate share(const struct figures *figures, uint64_t found) {
    return estimate_count(found, figures->sums.measured, figures->keys);
}

static void add_figures(struct buffer *out, const struct figures *figures) {
    static const struct {
        enum trait trait;
        const char *name;
    } traits[] = {
        {TRAIT_IMMORTAL, "without_lifetime"},  {TRAIT_TOO_LONG, "lifetime_too_long"},
        {TRAIT_WRONG_TYPE, "wrong_type"},      {TRAIT_ELEMENTS, "too_many_elements"},
        {TRAIT_VALUE_SIZE, "value_too_large"}, {TRAIT_VANISHED, "vanished"},
    };
    const struct sums *sums = &figures->sums;
    buffer_printf(out, "\"keys\": %llu, \"measured\": %llu, \"refused\": %llu, ",
                  (unsigned long long)figures->keys, (unsigned long long)sums->measured,
                  (unsigned long long)sums->traits[TRAIT_REFUSED]);
    add_estimate(out, "bytes", figures->bytes);
    for (size_t i = 0; i < sizeof traits / sizeof *traits; i++) {
        buffer_printf(out, ", ");
        add_estimate(out, traits[i].name, share(figures, sums->traits[traits[i].trait]));
    }
    buffer_printf(out,
                  ", \"wrong_database\": %llu, \"name_too_long\": %llu, \"legacy_names\": %llu",
                  (unsigned long long)figures->wrong_database,
                  (unsigned long long)figures->long_names, (unsigned long long)figures->legacy);
    buffer_printf(out, ", \"types\": {");
    bool first = true;
    for (int type = 0; type < SAMPLE_TYPES; type++) {
        if (!sums->types[type]) continue;
        buffer_printf(out, first ? "" : ", ");
        add_estimate(out, type ? pattern_type_names[type] : "other",
                     share(figures, sums->types[type]));
        first = false;
    }
    buffer_printf(out, "}, \"lifetimes\": {");
    first = true;
    for (int span = 0; span < SPANS; span++) {
        if (!sums->spans[span]) continue;
        buffer_printf(out, first ? "" : ", ");
        add_estimate(out, span_names[span], share(figures, sums->spans[span]));
        first = false;
    }
    buffer_printf(out, "}");
}

static void add_head(const struct audit *audit, struct buffer *out) {
    const struct survey *survey = audit->survey;
    buffer_printf(out, "  \"server\": ");
    json_text(out, survey->server);
    buffer_printf(out, ",\n  \"url\": ");
    json_text(out, audit->url);
    buffer_printf(out, ",\n  \"catalog\": ");
    json_text(out, audit->loaded->file);
    buffer_printf(
        out, ",\n  \"complete\": %s,\n  \"stopped_by\": ", survey->stopped_by ? "false" : "true");
    json_text(out, survey->stopped_by);
    buffer_printf(out, ",\n  \"cluster_node\": %s", survey->cluster ? "true" : "false");
    buffer_printf(
        out,
        ",\n  \"seconds\": %.3f,\n  \"keys\": %llu,\n  \"repeats\": %llu,\n  \"measured\": %llu",
        audit_seconds(audit), (unsigned long long)survey->keys, (unsigned long long)survey->repeats,
        (unsigned long long)survey->measured);
    if (survey->options.sample) {
        buffer_printf(out, ",\n  \"sample\": %zu", survey->options.sample);
    } else {
        buffer_printf(out, ",\n  \"sample\": null");
    }
    buffer_printf(out, ",\n  \"bytes_of\": \"%s\"",
                  survey->name_bytes_only ? "names and strings" : "memory");
    buffer_printf(out, ",\n  \"not_measured\": [");
    bool first = true;
    for (int i = 0; i < QUESTIONS; i++) {
        if (!survey->refusals[i]) continue;
        if (!first) buffer_printf(out, ", ");
        json_text(out, survey->refusals[i]);
        first = false;
    }
    buffer_printf(out, "],\n  \"databases\": [");
    for (size_t i = 0; i < survey->database_count; i++) {
        const struct survey_database *database = &survey->databases[i];
        buffer_printf(
            out,
            "%s\n    {\"number\": %d, \"looked_at\": %s, \"missing\": %s, \"complete\": %s, "
            "\"keys\": %llu, \"size\": ",
            i ? "," : "", database->number, database->chosen ? "true" : "false",
            database->missing ? "true" : "false", database->complete ? "true" : "false",
            (unsigned long long)database->keys);
        if (database->size < 0) {
            buffer_printf(out, "null}");
        } else {
            buffer_printf(out, "%lld}", (long long)database->size);
        }
    }
    buffer_printf(out, "\n  ]");
}

static void add_findings(const struct audit *audit, struct buffer *out) {
    buffer_printf(out, ",\n  \"findings\": [");
    for (size_t i = 0; i < audit->finding_count; i++) {
        const struct finding *finding = &audit->findings[i];
        const struct pattern *pattern =
            finding->pattern ? matcher_pattern(audit->survey->matcher, finding->pattern) : NULL;
        buffer_printf(out, "%s\n    {\"severity\": \"%s\", \"code\": \"%s\", \"pattern\": ",
                      i ? "," : "", severity_name(finding->severity), finding->code);
        json_text(out, pattern ? pattern->name : NULL);
        buffer_printf(out, ", \"line\": %u, ", finding->place.line);
        add_estimate(out, "keys", finding->keys);
        buffer_printf(out, ", \"text\": ");
        json_text(out, finding->text);
        buffer_printf(out, ", ");
        add_examples(out, finding->examples ? finding->examples->texts : NULL,
                     finding->examples ? finding->examples->count : 0);
        buffer_printf(out, "}");
    }
    buffer_printf(out, "\n  ]");
}

static void add_suggestions(const struct audit *audit, struct buffer *out) {
    size_t shown = audit->suggestion_count < audit->suggestions_most ? audit->suggestion_count
                                                                     : audit->suggestions_most;
    uint64_t left = 0;
    buffer_printf(out, ",\n  \"shapes\": [");
    for (size_t i = 0; i < audit->suggestion_count; i++) {
        const struct suggestion *one = &audit->suggestions[i];
        if (i >= shown) {
            left += one->keys;
            continue;
        }
        buffer_printf(out, "%s\n    {\"key\": ", i ? "," : "");
        json_text(out, one->template);
        buffer_printf(out, ", \"keys\": %llu, \"measured\": %llu, \"types\": {",
                      (unsigned long long)one->keys, (unsigned long long)one->measured);
        bool first = true;
        for (int type = 0; type < SAMPLE_TYPES; type++) {
            if (!one->types[type]) continue;
            buffer_printf(out, "%s\"%s\": %llu", first ? "" : ", ",
                          type ? pattern_type_names[type] : "other",
                          (unsigned long long)one->types[type]);
            first = false;
        }
        buffer_printf(out, "}, \"without_lifetime\": %llu, \"longest_ms\": %lld, \"database\": ",
                      (unsigned long long)one->immortal, (long long)one->longest_ms);
        if (one->database < 0) {
            buffer_printf(out, "null");
        } else {
            buffer_printf(out, "%d", one->database);
        }
        buffer_printf(out, ", \"nearly\": ");
        json_text(out, audit_nearly(audit, one));
        buffer_printf(out, ", ");
        add_examples(out, one->examples, one->example_count);
        buffer_printf(out, "}");
    }
    buffer_printf(out, "\n  ],\n  \"more_shapes\": {\"shapes\": %zu, \"keys\": %llu}",
                  audit->suggestion_count - shown, (unsigned long long)left);
}

void audit_json(const struct audit *audit, struct buffer *out) {
    const struct survey *survey = audit->survey;
    size_t count;
    unsigned *order = audit_order(audit, &count);
    buffer_printf(out, "{\n");
    add_head(audit, out);
    buffer_printf(out, ",\n  \"patterns\": [");
    for (size_t i = 0; i < count; i++) {
        const struct pattern *pattern = matcher_pattern(survey->matcher, order[i]);
        buffer_printf(out, "%s\n    {\"name\": ", i ? "," : "");
        json_text(out, pattern->name);
        buffer_printf(out, ", \"key\": ");
        json_text(out, pattern->key.template.text);
        buffer_printf(out, ", \"line\": %u, ", pattern->place.line);
        add_figures(out, &survey->figures[order[i]]);
        buffer_printf(out, "}");
    }
    mem_free(order);
    buffer_printf(out, "\n  ],\n  \"unmatched\": {");
    add_figures(out, &survey->figures[0]);
    buffer_printf(out, "}");
    add_findings(audit, out);
    add_suggestions(audit, out);
    buffer_printf(out, "\n}\n");
}
