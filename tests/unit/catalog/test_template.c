/* SPDX-License-Identifier: BSD-3-Clause */
/* Templates: what is one, what is not, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "catalog/template.h"

static const char *const prefix_values[] = {"hsi", "hsi-blue", "hsi-green"};

static struct prefix make_prefix(void) {
    return (struct prefix){.name = "prefix",
                           .values = (const char **)(uintptr_t)prefix_values,
                           .value_count = 3,
                           .chosen = 1};
}

static void test_parts(void **state) {
    struct arena arena = {0};
    struct template template;
    struct template_error error;
    (void)state;
    assert_true(template_parse(BYTES("a{{b}}:{x}-{{{y}}}:z"), NULL, 0, &arena, &template, &error));
    assert_int_equal(template.part_count, 5);
    assert_true(bytes_equal(template.parts[0].text, BYTES("a{b}:")));
    assert_true(template.parts[1].is_variable);
    assert_true(bytes_equal(template.parts[1].text, BYTES("x")));
    assert_true(bytes_equal(template.parts[2].text, BYTES("-{")));
    assert_true(bytes_equal(template.parts[3].text, BYTES("y")));
    assert_true(bytes_equal(template.parts[4].text, BYTES("}:z")));
    assert_int_equal(template.variable_count, 2);
    arena_done(&arena);
}

static void test_errors(void **state) {
    static const struct {
        const char *text, *what;
        size_t at;
    } rows[] = {
        {"", "the template is empty", 0},
        {"a:{x", "'{' is never closed", 2},
        {"a:x}", "'}' closes nothing", 3},
        {"a:{}", "a variable without a name", 2},
        {"a:{x y}", "the variable's name is not a name", 2},
        {"a:{9}", "the variable's name is not a name", 2},
        {"{a}:{a}", "the variable appears twice", 4},
        {"x:{a}{b}", "two variables touch, so nothing tells where the first one ends", 0},
        {"a\nb", "a control character in the template", 1},
    };
    struct arena arena = {0};
    struct prefix prefix = make_prefix();
    struct template template;
    struct template_error error;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_false(
            template_parse(bytes_from_string(rows[i].text), &prefix, 1, &arena, &template, &error));
        assert_string_equal(error.what, rows[i].what);
        assert_int_equal(error.at, rows[i].at);
    }
    char many[TEMPLATE_TEXT_MAX + 2];
    memset(many, ':', sizeof many);
    assert_false(template_parse(bytes_make(many, sizeof many), NULL, 0, &arena, &template, &error));
    assert_false(template_parse(bytes_make(many, TEMPLATE_SEGMENTS_MAX), NULL, 0, &arena, &template,
                                &error));
    arena_done(&arena);
}

static void test_expand(void **state) {
    struct arena arena = {0};
    struct prefix prefix = make_prefix();
    struct template template, expanded;
    struct template_error error;
    (void)state;
    assert_true(template_parse(BYTES("{prefix}{x}:b"), &prefix, 1, &arena, &template, &error));
    assert_int_equal(template_expansions(&template, &prefix, 1), 3);
    template_expand(&template, &prefix, 1, 0, &arena, &expanded);
    assert_int_equal(expanded.part_count, 3);
    assert_true(bytes_equal(expanded.parts[0].text, BYTES("hsi-blue")));
    template_expand(&template, &prefix, 1, 2, &arena, &expanded);
    assert_true(bytes_equal(expanded.parts[0].text, BYTES("hsi")));
    assert_int_equal(expanded.variable_count, 1);
    assert_string_equal(template_sample(&template, &prefix, 1, &arena), "hsi-bluex:b");
    arena_done(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts), cmocka_unit_test(test_errors),
                                       cmocka_unit_test(test_expand)};
    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
