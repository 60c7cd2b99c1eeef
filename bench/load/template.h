/* SPDX-License-Identifier: BSD-3-Clause */
/* Request templates: "9 GET key:{num} ; 1 SET key:{num} {value}" becomes RESP requests.
 *
 *   {num} {num:R}    12 digits, drawn from the distribution below R (default: the key space)
 *   {seq}            12 digits, counting up from --start
 *   {same}           the last number of this request again
 *   {rand:R}         a plain decimal number, uniform below R
 *   {value} {value:S} {value:A-B}   a value of so many bytes that follows from the last number,
 *                    so that a GET of the same number can be checked
 * A number before the command's name is its weight in the mix.
 *
 * Holds: a request's bytes depend on the template and the numbers drawn alone.
 * Owner: template_set_done() frees all. One thread. Errors: a message for
 *        a template that is wrong. */
#ifndef BENCH_LOAD_TEMPLATE_H
#define BENCH_LOAD_TEMPLATE_H

#include "random.h"

struct template_set;

struct template_options {
    uint64_t range;     /* of {num} without a range of its own */
    double zipf_theta;  /* 0: uniform */
    uint64_t start;     /* of {seq} */
    size_t value_bytes; /* of {value} without a size of its own */
    uint64_t seed;
};

/* What a request was, as far as its reply can be checked. */
struct request_note {
    uint64_t number;
    uint32_t template_index;
};

/* Returns NULL and sets ret_message when the text is wrong or memory is out. */
struct template_set *template_set_new(const char *text, const struct template_options *options,
                                      const char **ret_message);
void template_set_free(struct template_set *set);

/* The most bytes that one request can take. */
size_t template_max_bytes(const struct template_set *set);

/* Writes the next request to `out` (template_max_bytes() long) and returns its length. */
size_t template_next(struct template_set *set, char *out, struct request_note *ret_note);

/* True when the template is a GET of a numbered key, whose reply must be the key's value. */
bool template_checks_value(const struct template_set *set, uint32_t template_index);

/* True when these bytes are the value that belongs to the number. */
bool template_value_matches(const struct template_set *set, uint64_t number, const char *bytes,
                            size_t length);

#endif
