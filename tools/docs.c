/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes documentation from the command table: `docs commands` and `docs compatibility FILE`, to
 * standard output. FILE holds what is written by hand: the differences that are meant.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/families.h"

static const char *titles[][2] = {
    {"string", "Strings"},
    {"list", "Lists"},
    {"hash", "Hashes"},
    {"set", "Sets"},
    {"sorted-set", "Sorted sets"},
    {"stream", "Streams"},
    {"bitmap", "Bitmaps"},
    {"hyperloglog", "HyperLogLog"},
    {"geo", "Positions"},
    {"generic", "Keys of any type"},
    {"pubsub", "Publish and subscribe"},
    {"transactions", "Transactions"},
    {"connection", "Connections"},
    {"scripting", "Scripts"},
    {"catalog", "The catalog"},
    {"cluster", "Clusters"},
    {"server", "The server"},
};
enum { TITLES = sizeof titles / sizeof titles[0] };

static int is_built(const struct command *row) {
    return row->handler != NULL || row->subcommands != NULL;
}

static void print_upper(const char *text) {
    for (; *text; text++) putchar(*text >= 'a' && *text <= 'z' ? *text - 32 : *text);
}

static void print_name(const struct command *parent, const struct command *row) {
    if (parent != NULL) {
        print_upper(parent->name);
        putchar(' ');
    }
    print_upper(row->name);
}

/* Table cells end at a bar. */
static void print_cell(const char *text) {
    for (; *text; text++) {
        if (*text == '|')
            fputs("\\|", stdout);
        else
            putchar(*text);
    }
}

static void print_row(const struct command *parent, const struct command *row) {
    if (!is_built(row)) return;
    if (row->handler != NULL) {
        fputs("| `", stdout);
        print_name(parent, row);
        if (row->syntax[0]) putchar(' ');
        print_cell(row->syntax);
        printf("` | %s | %s | ", row->summary, row->complexity);
        print_cell(row->reply);
        printf(" | %s |\n", row->since);
    }
    for (const struct command *sub = row->subcommands; sub != NULL && sub->name != NULL; sub++)
        print_row(row, sub);
}

static void print_commands(void) {
    puts("# Commands\n\nWritten from the command table by `make docs`. A reply of several shapes "
         "depends on the options given.");
    for (int title = 0; title < TITLES; title++) {
        printf("\n## %s\n\n| command | what it does | complexity | reply | since "
               "|\n|---|---|---|---|---|\n",
               titles[title][1]);
        for (size_t i = 0; i < all_family_count; i++) {
            if (strcmp(all_families[i]->name, titles[title][0]) != 0) continue;
            for (const struct command *row = all_families[i]->rows; row->name != NULL; row++)
                print_row(NULL, row);
        }
    }
}

/* Names in a running list; returns how many there were. */
static int print_names(const struct command *parent, const struct command *rows, int built,
                       int before) {
    int count = before;
    for (const struct command *row = rows; row != NULL && row->name != NULL; row++) {
        if (row->subcommands == NULL ? (row->handler != NULL) == built
                                     : (row->handler != NULL && built)) {
            fputs(count++ ? ", " : "", stdout);
            putchar('`');
            print_name(parent, row);
            putchar('`');
        }
        if (row->subcommands != NULL) count = print_names(row, row->subcommands, built, count);
    }
    return count;
}

static void print_compatibility(void) {
    puts("# Compatibility\n\nWritten from the command table, and from `docs/differences.md`, by "
         "`make docs`.\n\n## What works\n");
    puts("| family | commands |\n|---|---|");
    for (int title = 0; title < TITLES; title++) {
        int count = 0;
        printf("| %s | ", titles[title][1]);
        for (size_t i = 0; i < all_family_count; i++)
            if (strcmp(all_families[i]->name, titles[title][0]) == 0)
                count = print_names(NULL, all_families[i]->rows, 1, count);
        puts(" |");
    }
    puts("\n## Not built yet\n\nThese answer `ERR The '...' command is not supported by this "
         "version of Keynome`, and `COMMAND` does "
         "not list them.\n");
    int count = 0;
    for (size_t i = 0; i < all_family_count; i++)
        count = print_names(NULL, all_families[i]->rows, 0, count);
    puts(".\n");
}

static int print_file(const char *path) {
    char line[4096];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof line, file) != NULL) fputs(line, stdout);
    fclose(file);
    return EXIT_SUCCESS;
}

/* A family that has no title would be left out of every page. */
static int check_titles(void) {
    for (size_t i = 0; i < all_family_count; i++) {
        int title = 0;
        while (title < TITLES && strcmp(all_families[i]->name, titles[title][0]) != 0) title++;
        if (title < TITLES || !is_built(&all_families[i]->rows[0])) continue;
        fprintf(stderr, "docs: no title for the family '%s' (tools/docs.c)\n",
                all_families[i]->name);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    if (check_titles() != EXIT_SUCCESS) return EXIT_FAILURE;
    if (argc == 2 && strcmp(argv[1], "commands") == 0) {
        print_commands();
        return EXIT_SUCCESS;
    }
    if (argc == 3 && strcmp(argv[1], "compatibility") == 0) {
        print_compatibility();
        return print_file(argv[2]);
    }
    fprintf(stderr, "usage: docs commands | docs compatibility DIFFERENCES.md\n");
    return EXIT_FAILURE;
}
