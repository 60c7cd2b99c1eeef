/* SPDX-License-Identifier: BSD-3-Clause */
/* A template is parsed once into arguments, and each argument into parts. Building a request then
 * is a walk over the parts; the bulk header of an argument whose length cannot vary is part of the
 * literal before it, so the common request is three or four copies. */
#include "template.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_TEMPLATES = 16,
    MAX_PARTS = 256,
    MAX_PART_TEXT = 512,
    NUMBER_DIGITS = 12,
    VALUE_MAX_BYTES = 1 << 20,
};

enum part_kind { PART_LITERAL, PART_NUM, PART_SEQ, PART_SAME, PART_RAND, PART_VALUE, PART_HEADER };

struct part {
    enum part_kind kind;
    uint32_t low, high;   /* bytes of a value; a header covers the parts up to index `high` */
    uint64_t range;       /* of PART_RAND */
    struct picker picker; /* of PART_NUM */
    uint32_t text_length;
    char text[MAX_PART_TEXT]; /* of PART_LITERAL */
};

struct request_template {
    unsigned weight;
    bool checks_value;
    size_t max_bytes;
    size_t part_count;
    struct part *parts;
};

struct template_set {
    struct template_options options;
    struct rng rng;
    uint64_t sequence;
    unsigned weight_sum;
    size_t count;
    struct request_template templates[MAX_TEMPLATES];
    char *pattern; /* bytes that values are cut from */
};

enum { PATTERN_BYTES = VALUE_MAX_BYTES + 4096 };

static struct part *part_add(struct request_template *template, enum part_kind kind) {
    if (template->part_count == MAX_PARTS) return NULL;
    struct part *part = &template->parts[template->part_count++];
    memset(part, 0, sizeof(*part));
    part->kind = kind;
    return part;
}

/* Literal text goes to the end of the part before it when that is literal too. */
static bool literal_add(struct request_template *template, const char *text, size_t length) {
    struct part *part = template->part_count ? &template->parts[template->part_count - 1] : NULL;
    if (!part || part->kind != PART_LITERAL || part->text_length + length > MAX_PART_TEXT)
        part = part_add(template, PART_LITERAL);
    if (!part || length > MAX_PART_TEXT) return false;
    memcpy(part->text + part->text_length, text, length);
    part->text_length += (uint32_t)length;
    template->max_bytes += length;
    return true;
}

/* The length an argument part always has, or 0 for one that varies. */
static size_t fixed_length(const char *text, size_t length,
                           const struct template_options *options) {
    size_t total = 0;
    for (size_t i = 0; i < length;) {
        if (text[i] != '{') {
            total++, i++;
            continue;
        }
        const char *end = memchr(text + i, '}', length - i);
        if (!end) return 0;
        if (!strncmp(text + i, "{num", 4) || !strncmp(text + i, "{seq", 4) ||
            !strncmp(text + i, "{same", 5))
            total += NUMBER_DIGITS;
        else if (!strncmp(text + i, "{value}", 7))
            total += options->value_bytes;
        else
            return 0;
        i = (size_t)(end - text) + 1;
    }
    return total;
}

static const char *placeholder_add(struct template_set *set, struct request_template *template,
                                   const char *name) {
    struct part *part = NULL;
    unsigned long long a = 0, b = 0;
    char tail;
    if (!strcmp(name, "num") || sscanf(name, "num:%llu%c", &a, &tail) == 1) {
        part = part_add(template, PART_NUM);
        uint64_t range = a ? a : set->options.range;
        if (part && (range >= UINT32_MAX ||
                     !picker_init(&part->picker, range, set->options.zipf_theta, &set->rng)))
            return "a range is too large";
        template->max_bytes += NUMBER_DIGITS;
    } else if (!strcmp(name, "seq")) {
        part = part_add(template, PART_SEQ);
        template->max_bytes += NUMBER_DIGITS;
    } else if (!strcmp(name, "same")) {
        part = part_add(template, PART_SAME);
        template->max_bytes += NUMBER_DIGITS;
    } else if (sscanf(name, "rand:%llu%c", &a, &tail) == 1 && a > 0 && a < UINT32_MAX) {
        part = part_add(template, PART_RAND);
        if (part) part->range = a;
        template->max_bytes += 20;
    } else {
        a = b = set->options.value_bytes;
        if (strcmp(name, "value") && sscanf(name, "value:%llu-%llu%c", &a, &b, &tail) != 2) {
            if (sscanf(name, "value:%llu%c", &a, &tail) != 1) return "unknown placeholder";
            b = a;
        }
        if (a > b || b > VALUE_MAX_BYTES) return "a value's size is out of range";
        part = part_add(template, PART_VALUE);
        if (part) part->low = (uint32_t)a, part->high = (uint32_t)b;
        template->max_bytes += b;
    }
    return part ? NULL : "the template is too long";
}

static const char *argument_add(struct template_set *set, struct request_template *template,
                                const char *text, size_t length) {
    char header[32];
    size_t fixed = fixed_length(text, length, &set->options);
    struct part *varying = NULL;
    if (fixed) {
        int n = snprintf(header, sizeof(header), "$%zu\r\n", fixed);
        if (!literal_add(template, header, (size_t)n)) return "the template is too long";
    } else if (!(varying = part_add(template, PART_HEADER))) {
        return "the template is too long";
    }
    template->max_bytes += 16;
    for (size_t i = 0; i < length;) {
        const char *end = text[i] == '{' ? memchr(text + i, '}', length - i) : NULL;
        char name[64];
        if (!end) {
            if (!literal_add(template, text + i++, 1)) return "the template is too long";
            continue;
        }
        size_t name_length = (size_t)(end - text) - i - 1;
        if (name_length >= sizeof(name)) return "unknown placeholder";
        memcpy(name, text + i + 1, name_length);
        name[name_length] = 0;
        const char *message = placeholder_add(set, template, name);
        if (message) return message;
        i += name_length + 2;
    }
    if (varying) {
        varying->high = (uint32_t) template->part_count;
        /* The literal after the argument must not be counted into its length. */
        if (!part_add(template, PART_LITERAL)) return "the template is too long";
    }
    return literal_add(template, "\r\n", 2) ? NULL : "the template is too long";
}

static const char *template_parse(struct template_set *set, char *text) {
    struct request_template *template = &set->templates[set->count];
    template->parts = calloc(MAX_PARTS, sizeof(*template->parts));
    if (!template->parts) return "out of memory";
    set->count++;
    template->weight = 1;
    char *words[MAX_PARTS], *rest = NULL;
    size_t word_count = 0;
    for (char *word = strtok_r(text, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        if (word_count == 0 && isdigit((unsigned char)word[0]) && template->weight == 1)
            template->weight = (unsigned)strtoul(word, NULL, 10);
        else if (word_count < MAX_PARTS)
            words[word_count++] = word;
    }
    if (word_count == 0 || template->weight == 0 || template->weight > 1000000)
        return "an empty request";
    set->weight_sum += template->weight;
    template->checks_value = word_count == 2 && !strcasecmp(words[0], "GET");
    char header[32];
    int n = snprintf(header, sizeof(header), "*%zu\r\n", word_count);
    if (!literal_add(template, header, (size_t)n)) return "the template is too long";
    for (size_t i = 0; i < word_count; i++) {
        const char *message = argument_add(set, template, words[i], strlen(words[i]));
        if (message) return message;
    }
    return NULL;
}

static const char *templates_parse(struct template_set *set, char *text) {
    char *rest = NULL;
    for (char *one = strtok_r(text, ";", &rest); one; one = strtok_r(NULL, ";", &rest)) {
        if (set->count == MAX_TEMPLATES) return "too many requests in the mix";
        const char *message = template_parse(set, one);
        if (message) return message;
    }
    return set->count ? NULL : "an empty request";
}

struct template_set *template_set_new(const char *text, const struct template_options *options,
                                      const char **ret_message) {
    struct template_set *set = calloc(1, sizeof(*set));
    char *copy = strdup(text);
    const char *message = "out of memory";
    if (set) {
        set->options = *options;
        set->sequence = options->start;
        set->rng.state = mix64(options->seed) | 1;
        set->pattern = malloc(PATTERN_BYTES);
    }
    if (set && copy && set->pattern) {
        for (size_t i = 0; i < PATTERN_BYTES; i++)
            set->pattern[i] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.:/+~="[mix64(i) % 60];
        message = templates_parse(set, copy);
    }
    free(copy);
    if (!message) return set;
    *ret_message = message;
    template_set_free(set);
    return NULL;
}

void template_set_free(struct template_set *set) {
    if (!set) return;
    for (size_t i = 0; i < set->count; i++) {
        for (size_t j = 0; j < set->templates[i].part_count; j++)
            picker_done(&set->templates[i].parts[j].picker);
        free(set->templates[i].parts);
    }
    free(set->pattern);
    free(set);
}

size_t template_max_bytes(const struct template_set *set) {
    size_t max = 0;
    for (size_t i = 0; i < set->count; i++)
        max = set->templates[i].max_bytes > max ? set->templates[i].max_bytes : max;
    return max;
}

static char *digits_write(char *out, uint64_t number) {
    for (int i = NUMBER_DIGITS - 2; i >= 0; i -= 2) {
        unsigned pair = (unsigned)(number % 100);
        number /= 100;
        out[i] = (char)('0' + pair / 10);
        out[i + 1] = (char)('0' + pair % 10);
    }
    return out + NUMBER_DIGITS;
}

static char *decimal_write(char *out, uint64_t number) {
    char digits[20];
    size_t n = 0;
    do digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0) *out++ = digits[--n];
    return out;
}

static size_t value_length(const struct part *part, uint64_t number) {
    return part->low + (part->high > part->low ? mix64(~number) % (part->high - part->low + 1) : 0);
}

static const char *value_bytes(const struct template_set *set, uint64_t number) {
    return set->pattern + mix64(number) % 4093;
}

static const struct request_template *template_pick(struct template_set *set) {
    if (set->count == 1) return set->templates;
    uint64_t ticket = rng_below(&set->rng, set->weight_sum);
    const struct request_template *template = set->templates;
    while (ticket >= template->weight) ticket -= (template ++)->weight;
    return template;
}

/* An argument of varying length is built in place, 16 bytes on, and moved up behind its header. */
static char *header_close(char *header, char *end) {
    size_t length = (size_t)(end - header) - 16;
    char *out = header;
    *out++ = '$';
    out = decimal_write(out, length);
    *out++ = '\r';
    *out++ = '\n';
    memmove(out, header + 16, length);
    return out + length;
}

size_t template_next(struct template_set *set, char *out, struct request_note *ret_note) {
    const struct request_template *template = template_pick(set);
    char *at = out, *header = NULL;
    size_t header_end = 0;
    uint64_t number = 0;
    for (size_t i = 0; i < template->part_count; i++) {
        struct part *part = &template->parts[i];
        if (header && i == header_end) {
            at = header_close(header, at);
            header = NULL;
        }
        switch (part->kind) {
        case PART_LITERAL:
            memcpy(at, part->text, part->text_length);
            at += part->text_length;
            break;
        case PART_NUM:
            number = picker_next(&part->picker, &set->rng);
            at = digits_write(at, number);
            break;
        case PART_SEQ:
            number = set->sequence++;
            at = digits_write(at, number);
            break;
        case PART_SAME: at = digits_write(at, number); break;
        case PART_RAND: at = decimal_write(at, rng_below(&set->rng, part->range)); break;
        case PART_VALUE: {
            size_t length = value_length(part, number);
            memcpy(at, value_bytes(set, number), length);
            at += length;
            break;
        }
        case PART_HEADER:
            header = at;
            header_end = part->high;
            at += 16;
            break;
        }
    }
    *ret_note = (struct request_note){number, (uint32_t)(template - set->templates)};
    return (size_t)(at - out);
}

bool template_checks_value(const struct template_set *set, uint32_t template_index) {
    return set->templates[template_index].checks_value;
}

bool template_value_matches(const struct template_set *set, uint64_t number, const char *bytes,
                            size_t length) {
    return length <= VALUE_MAX_BYTES && !memcmp(bytes, value_bytes(set, number), length);
}
