/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SORT and SORT_RO. BY and GET read keys whose names come out of the
 * elements, so every shard is held.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "commands/families.h"
#include "server/arguments.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

struct sort_item {
    struct bytes element; /* with a zero behind it */
    struct bytes weight;  /* BY's value, likewise; data NULL: none */
    double score;
};

struct sort {
    struct request *request;
    bool alpha, descending, has_by, as_is, has_store;
    struct bytes by, store;
    int64_t start, count;
    uint32_t get_count;
    const uint32_t *gets; /* arguments that are patterns of GET */
    struct sort_item *items;
    size_t item_count;
    bool compare_bytes; /* for STORE: the same on every machine, whatever its locale */
};

/* ---- options ---- */

static bool parse_options(struct sort *sort, bool may_store) {
    struct request *request = sort->request;
    uint32_t *gets = arena_alloc(request->arena, request->argc * sizeof *gets);
    sort->gets = gets;
    sort->count = -1;
    for (uint32_t i = 2; i < request->argc; i++) {
        uint32_t left = request->argc - i - 1;
        if (argument_is(request, i, "asc")) {
            sort->descending = false;
        } else if (argument_is(request, i, "desc")) {
            sort->descending = true;
        } else if (argument_is(request, i, "alpha")) {
            sort->alpha = true;
        } else if (argument_is(request, i, "limit") && left >= 2) {
            if (!argument_i64(request, i + 1, &sort->start, NULL) ||
                !argument_i64(request, i + 2, &sort->count, NULL))
                return false;
            i += 2;
        } else if (may_store && argument_is(request, i, "store") && left >= 1) {
            sort->has_store = true;
            sort->store = argument(request, ++i);
        } else if (argument_is(request, i, "by") && left >= 1) {
            sort->has_by = true;
            sort->by = argument(request, ++i);
            /* A pattern without a place for the element gives every element the same weight. */
            sort->as_is = memchr(sort->by.data, '*', sort->by.len) == NULL;
        } else if (argument_is(request, i, "get") && left >= 1) {
            gets[sort->get_count++] = ++i;
        } else {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

/* ---- the elements ---- */

static struct bytes keep(struct sort *sort, struct bytes text) {
    char *copy = arena_alloc(sort->request->arena, text.len + 1);
    if (text.len) memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return bytes_make(copy, text.len);
}

static void add_item(struct sort *sort, struct bytes element) {
    sort->items[sort->item_count++] = (struct sort_item){.element = keep(sort, element)};
}

static void load_list(struct sort *sort, const struct list *list) {
    struct list_iter iter;
    struct bytes element;
    bool backwards = sort->as_is && sort->descending;
    list_iter_init(&iter, list, backwards ? -1 : 0, backwards);
    while (list_iter_next(&iter, &element)) add_item(sort, element);
}

static void load_set(struct sort *sort, const struct set *set) {
    struct set_iter iter;
    struct bytes element;
    set_iter_init(&iter, set);
    while (set_iter_next(&iter, &element)) add_item(sort, element);
}

static void load_zset(struct sort *sort, const struct zset *zset) {
    struct zset_iter iter;
    struct bytes element;
    double score;
    struct zset_range all = {0, zset_count(zset)};
    zset_iter_init(&iter, zset, all, sort->as_is && sort->descending);
    while (zset_iter_next(&iter, &element, &score)) add_item(sort, element);
}

/* Returns false when an error was replied. */
static bool load(struct sort *sort, const struct entry *entry) {
    struct request *request = sort->request;
    if (entry == NULL) return true;
    enum value_type type = entry_type(entry);
    if (type != TYPE_LIST && type != TYPE_SET && type != TYPE_ZSET) {
        reply_error_code(request->reply, ERROR_WRONG_TYPE);
        return false;
    }
    sort->items = arena_try_array(request->arena, entry_count(entry), sizeof *sort->items);
    if (sort->items == NULL) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return false;
    }
    if (type == TYPE_LIST)
        load_list(sort, entry_value(entry));
    else if (type == TYPE_SET)
        load_set(sort, entry_value(entry));
    else
        load_zset(sort, entry_value(entry));
    return true;
}

/* The value that a pattern names for an element: "weight_*", "object_*->field", or "#" for the
 * element itself. Returns false when there is none. */
static bool look_up(struct sort *sort, struct bytes pattern, struct bytes element,
                    struct bytes *ret_value) {
    struct request *request = sort->request;
    if (bytes_equal(pattern, BYTES("#"))) {
        *ret_value = element;
        return true;
    }
    const char *star = pattern.len ? memchr(pattern.data, '*', pattern.len) : NULL;
    if (star == NULL) return false;
    size_t before = (size_t)(star - pattern.data), after = pattern.len - before - 1;
    const char *arrow = after > 2 ? memmem(star + 1, after, "->", 2) : NULL;
    struct bytes field = {0};
    if (arrow != NULL && arrow + 2 < pattern.data + pattern.len) {
        field = bytes_make(arrow + 2, (size_t)(pattern.data + pattern.len - arrow - 2));
        after = (size_t)(arrow - star - 1);
    }
    char *name = arena_alloc(request->arena, before + element.len + after + 1);
    memcpy(name, pattern.data, before);
    if (element.len) memcpy(name + before, element.data, element.len);
    memcpy(name + before + element.len, star + 1, after);
    struct key key = request_make_key(request, bytes_make(name, before + element.len + after));
    const struct entry *entry = request_find_key(request, &key);
    char scratch[HASH_SCRATCH];
    _Static_assert((int)HASH_SCRATCH >= (int)ENTRY_SCRATCH, "one scratch for both");
    struct bytes value;
    if (entry == NULL || entry_type(entry) != (field.data ? TYPE_HASH : TYPE_STRING)) return false;
    if (field.data == NULL)
        value = entry_string(entry, scratch);
    else if (!hash_get(entry_value(entry), field, request->now_ms, scratch, &value))
        return false;
    *ret_value = keep(sort, value);
    return true;
}

/* ---- sorting ---- */

static bool weigh(struct sort *sort) {
    bool numbers = true;
    for (size_t i = 0; i < sort->item_count; i++) {
        struct sort_item *item = &sort->items[i];
        if (!sort->has_by)
            item->weight = item->element;
        else if (!look_up(sort, sort->by, item->element, &item->weight))
            continue;
        if (sort->alpha) continue;
        char *end;
        errno = 0;
        item->score = strtod(item->weight.data, &end);
        if (*end != '\0' || errno == ERANGE || isnan(item->score)) numbers = false;
    }
    if (!numbers)
        reply_error(sort->request->reply, "ERR One or more scores can't be converted into double");
    return numbers;
}

static int compare_texts(const struct sort *sort, struct bytes a, struct bytes b) {
    if (a.data == NULL || b.data == NULL) return (a.data != NULL) - (b.data != NULL);
    return sort->compare_bytes ? bytes_compare(a, b) : strcoll(a.data, b.data);
}

static int compare_items(const void *left, const void *right, void *context) {
    const struct sort_item *a = left, *b = right;
    const struct sort *sort = context;
    int order;
    if (sort->alpha)
        order = compare_texts(sort, a->weight, b->weight);
    else
        order = (a->score > b->score) - (a->score < b->score);
    if (order == 0) order = bytes_compare(a->element, b->element);
    return sort->descending ? -order : order;
}

/* Which items LIMIT leaves: from *ret_first, that many. */
static size_t limit_items(const struct sort *sort, size_t *ret_first) {
    int64_t len = (int64_t)sort->item_count, start = sort->start < 0 ? 0 : sort->start;
    *ret_first = 0;
    if (start >= len) return 0;
    int64_t count = sort->count < 0 || sort->count > len - start ? len - start : sort->count;
    *ret_first = (size_t)start;
    return (size_t)count;
}

/* ---- the result ---- */

static void reply_items(struct sort *sort, size_t first, size_t count) {
    struct reply *reply = sort->request->reply;
    reply_array(reply, count * (sort->get_count ? sort->get_count : 1));
    for (size_t i = first; i < first + count; i++) {
        struct bytes value;
        if (sort->get_count == 0) reply_bulk(reply, sort->items[i].element);
        for (uint32_t get = 0; get < sort->get_count; get++) {
            if (look_up(sort, argument(sort->request, sort->gets[get]), sort->items[i].element,
                        &value))
                reply_bulk(reply, value);
            else
                reply_null(reply);
        }
    }
}

static void store_items(struct sort *sort, size_t first, size_t count) {
    struct request *request = sort->request;
    struct key key = request_make_key(request, sort->store);
    struct list *list = count == 0 ? NULL : list_new(store_heap(request->store, &key));
    for (size_t i = first; i < first + count; i++) {
        if (sort->get_count == 0) list_push(list, LIST_TAIL, sort->items[i].element);
        for (uint32_t get = 0; get < sort->get_count; get++) {
            struct bytes value = BYTES("");
            look_up(sort, argument(request, sort->gets[get]), sort->items[i].element, &value);
            list_push(list, LIST_TAIL, value);
        }
    }
    struct entry *old = request_find_key(request, &key);
    if (list != NULL) {
        reply_int(request->reply, (int64_t)list_count(list));
        if (old == NULL) store_notify_new(request->store, request->db, &key);
        store_put_value(request->store, request->db, &key, old, TYPE_LIST, list, ENTRY_EXPIRY_NONE);
        request_changed_key(request, &key, EVENT_LIST, "sortstore");
        return;
    }
    if (old != NULL) {
        store_delete(request->store, request->db, &key, old, true);
        request_changed_key(request, &key, EVENT_GENERIC, "del");
    }
    reply_int(request->reply, 0);
}

static void run_sort(struct request *request, bool may_store) {
    struct sort sort = {.request = request};
    if (!parse_options(&sort, may_store)) return;
    const struct entry *entry = request_read(request, 0);
    if (!load(&sort, entry)) return;
    bool must_be_sure = sort.has_store || request->flags & REQUEST_IN_SCRIPT;
    if (sort.as_is && must_be_sure && entry != NULL && entry_type(entry) == TYPE_SET) {
        /* A set has no order to keep: what is stored, and what a script may store, must not depend
         * on how it lies in memory. */
        sort.as_is = sort.has_by = false;
        sort.alpha = true;
    }
    sort.compare_bytes = sort.has_store;
    if (!sort.as_is) {
        if (!weigh(&sort)) return;
        if (sort.item_count > 1)
            qsort_r(sort.items, sort.item_count, sizeof *sort.items, compare_items, &sort);
    }
    size_t first, count = limit_items(&sort, &first);
    if (sort.has_store)
        store_items(&sort, first, count);
    else
        reply_items(&sort, first, count);
}

static void cmd_sort(struct request *request) {
    run_sort(request, true);
}

static void cmd_sort_ro(struct request *request) {
    run_sort(request, false);
}

#define SORT_GROUPS (GROUP_SET | GROUP_SORTED_SET | GROUP_LIST | GROUP_DANGEROUS)
#define SORT_COST                                                                            \
    "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the " \
    "number of returned "                                                                    \
    "elements. When the elements are not sorted, complexity is O(N)."
#define NAMES_FROM_ELEMENTS \
    { .flags = KEY_RO | KEY_ACCESS, .find = KEYS_UNKNOWN }

static const struct command rows[] = {
    {.name = "sort",
     .arity = -2,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_ALL_SHARDS,
     .groups = SORT_GROUPS,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS),
              NAMES_FROM_ELEMENTS,
              {.flags = KEY_OW | KEY_UPDATE,
               .find = KEYS_RANGE,
               .begin = 2,
               .keyword = "STORE",
               .step = 1}},
     .since = "1.0.0",
     .complexity = SORT_COST,
     .summary =
         "Sorts the elements in a list, a set, or a sorted set, optionally storing the result.",
     .syntax = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] "
               "[ALPHA] [STORE "
               "destination]",
     .reply = "array of bulk | null, or integer",
     .handler = cmd_sort},
    {.name = "sort_ro",
     .arity = -2,
     .flags = COMMAND_READONLY | COMMAND_ALL_SHARDS,
     .groups = SORT_GROUPS,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS), NAMES_FROM_ELEMENTS},
     .since = "7.0.0",
     .complexity = SORT_COST,
     .summary = "Returns the sorted elements of a list, a set, or a sorted set.",
     .syntax = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] "
               "[ALPHA]",
     .reply = "array of bulk | null",
     .handler = cmd_sort_ro},
    {0},
};

const struct command_family sort_commands = {"generic", rows};
