/* SPDX-License-Identifier: BSD-3-Clause */
/* Markdown as blocks: kinds, places, sections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "catalog/document.h"

static const char text[] = "# One\n"
                           "\n"
                           "Some `a:{b}` **bold**\n"
                           "text.\n"
                           "\n"
                           "## Two (DB 1)\n"
                           "\n"
                           "- **Type**: Hash\n"
                           "  - inner\n"
                           "\n"
                           "| Key | TTL |\n"
                           "|-----|-----|\n"
                           "| `k\\|1` | 5 min |\n"
                           "\n"
                           "  ```Bash x\n"
                           "  line one\n"
                           "  line two\n"
                           "  ```\n"
                           "\n"
                           "### Three\n"
                           "\n"
                           "    indented\n";

static void expect_block(const struct document *document, size_t i, enum block_kind kind,
                         uint32_t line, const char *content) {
    assert_true(i < document->count);
    const struct block *block = &document->blocks[i];
    assert_int_equal(block->kind, kind);
    assert_int_equal(block->place.line, line);
    if (!bytes_equal(block->text, bytes_from_string(content)))
        fail_msg("'%.*s', not '%s'", (int)block->text.len, block->text.data, content);
}

static void test_blocks(void **state) {
    struct diagnostics *diagnostics = diagnostics_new();
    (void)state;
    struct document *document =
        document_parse(bytes_make(text, sizeof text - 1), "x.md", diagnostics);
    assert_non_null(document);
    assert_int_equal(document->count, 9);
    expect_block(document, 0, BLOCK_HEADING, 1, "One");
    expect_block(document, 1, BLOCK_PARAGRAPH, 3, "Some `a:{b}` bold text.");
    expect_block(document, 2, BLOCK_HEADING, 6, "Two (DB 1)");
    expect_block(document, 3, BLOCK_ITEM, 8, "Type: Hash");
    expect_block(document, 4, BLOCK_ITEM, 9, "inner");
    assert_int_equal(document->blocks[4].level, 2);
    const struct block *table = &document->blocks[5];
    assert_int_equal(table->row_count, 2);
    assert_true(bytes_equal(table->rows[1].cells[0].text, BYTES("`k|1`")));
    assert_true(bytes_equal(table->rows[1].cells[1].text, BYTES("5 min")));
    assert_int_equal(table->rows[1].cells[1].place.line, 13);
    assert_int_equal(table->rows[1].cells[1].place.column, 12);
    expect_block(document, 6, BLOCK_CODE, 16, "line one\nline two\n");
    assert_true(bytes_equal(document->blocks[6].info, BYTES("bash")));
    expect_block(document, 7, BLOCK_HEADING, 20, "Three");
    expect_block(document, 8, BLOCK_CODE, 22, "indented\n");
    assert_int_equal(document_parent(document, 7), 2);
    assert_int_equal(document_parent(document, 2), 0);
    assert_true(document_parent(document, 0) == SIZE_MAX);
    assert_int_equal(document->blocks[6].section, 2);
    document_free(document);
    diagnostics_free(diagnostics);
}

static void test_code_spans(void **state) {
    struct bytes rest = BYTES("a `b` c `d` `e"), before, code;
    (void)state;
    assert_true(document_next_code(&rest, &before, &code));
    assert_true(bytes_equal(before, BYTES("a ")) && bytes_equal(code, BYTES("b")));
    assert_true(document_next_code(&rest, NULL, &code) && bytes_equal(code, BYTES("d")));
    assert_false(document_next_code(&rest, NULL, &code));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_blocks),
                                       cmocka_unit_test(test_code_spans)};
    return cmocka_run_group_tests_name("document", tests, NULL, NULL);
}
