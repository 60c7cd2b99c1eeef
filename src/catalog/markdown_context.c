/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a list is a list of, by the words above it, and what is shown as wrong. Scripts, events
 * and permissions have names with colons too ("build:all", "user:joined"); only a list that may
 * be one of keys gives patterns.
 */
#include "catalog/markdown_inside.h"
#include "catalog/words.h"

static const char key_words[] =
    "redis|valkey|keyspace|key|keys|cache|caches|caching|ttl|stream|streams|channel|channels|pub/"
    "sub|"
    "pubsub|queue|queues|lock|locks|session|sessions|namespace|namespaces|rate limit|rate limits|"
    "rate limiting|counters|leaderboards";
static const char other_words[] =
    "event|events|websocket|websockets|permission|permissions|scope|scopes|script|scripts|route|"
    "routes|endpoint|endpoints|command|commands|role|roles|npm|yarn|docker|images|emits|props|i18n|"
    "translations";

void importer_note_lead(struct importer *importer, const struct block *block) {
    struct list *list = &importer->lists[importer_list_level(block)];
    const struct block *before =
        importer->block > 0 ? &importer->document->blocks[importer->block - 1] : NULL;
    if (before && before->kind == BLOCK_ITEM && before->level >= block->level) return;
    bool words = before && (before->kind == BLOCK_PARAGRAPH || before->kind == BLOCK_ITEM);
    *list = (struct list){.lead = words ? importer->block - 1 : NO_BLOCK};
}

enum list_kind importer_list_kind(const struct importer *importer, const struct block *block) {
    for (unsigned level = importer_list_level(block); level > 0; level--) {
        size_t lead = importer->lists[level].lead;
        if (importer->lists[level].has_keys) return LIST_OF_KEYS;
        if (lead == NO_BLOCK) continue;
        struct bytes text = importer->document->blocks[lead].text;
        if (words_have_any(text, key_words)) return LIST_OF_KEYS;
        if (words_have_any(text, other_words)) return LIST_OF_OTHERS;
    }
    enum list_kind kind = LIST_UNKNOWN;
    for (size_t number = importer->current; number < importer->document->count;
         number = document_parent(importer->document, number)) {
        const struct section *section = &importer->sections[number];
        if (section->type || section->channels || words_have_any(section->title, key_words))
            return kind == LIST_UNKNOWN ? LIST_OF_KEYS : LIST_OF_OTHERS_AMONG_KEYS;
        if (words_have_any(section->title, other_words)) kind = LIST_OF_OTHERS;
    }
    return kind;
}

size_t words_until_wrong(struct bytes text) {
    static const char *const marks[] = {"\xe2\x9d\x8c", "\xe2\x9c\x97", "\xe2\x9c\x98",
                                        "\xf0\x9f\x9a\xab", "\xe2\x9b\x94"};
    size_t first = text.len, colon = words_index(text, ':');
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t at = words_find(text, marks[i]);
        if (at < first) first = at;
    }
    struct bytes label = words_until(text, colon);
    if (colon < text.len && colon <= 40 && words_index(label, '`') == label.len &&
        words_have_any(label, wrong_words))
        return 0;
    return first;
}
