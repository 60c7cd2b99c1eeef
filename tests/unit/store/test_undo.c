/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys are noted, changed at random, and put back, or not; the store is
 * compared with a naive keyspace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "model.h"
#include "store/undo.h"

enum { ROUNDS = 3000, KEYS_A_ROUND = 10, SOME_KEYS = 60 };

static uint64_t seed = 1;

struct noted {
    unsigned db, number;
    struct model_key before;
};

static unsigned below(struct model *model, unsigned n) {
    return (unsigned)rng_below(&model->rng, n);
}

static int64_t some_expiry(struct model *model) {
    return below(model, 3) ? ENTRY_EXPIRY_NONE : model->now_ms + 1 + below(model, 200);
}

static void change(struct model *model, unsigned db, unsigned number) {
    static const enum value_type types[] = {TYPE_LIST, TYPE_SET, TYPE_ZSET, TYPE_HASH};
    const struct model_key *key = &model->keys[db][number];
    bool live = model_live(model, db, number);
    bool collection = live && key->type != TYPE_STRING;
    switch (below(model, 8)) {
    case 0: model_put_string(model, db, number, below(model, 2000), some_expiry(model)); break;
    case 1: model_put_integer(model, db, number, below(model, 100000), some_expiry(model)); break;
    case 2:
        model_put_value(model, db, number, types[below(model, 4)], 1 + below(model, 200),
                        some_expiry(model));
        break;
    case 3:
        if (live) model_expire(model, db, number, some_expiry(model));
        break;
    case 4:
        if (live) model_delete(model, db, number, below(model, 2));
        break;
    case 5:
        if (collection && (key->type != TYPE_HASH || model_writable_hash(model, db, number)))
            model_grow(model, db, number, 1 + below(model, 100));
        break;
    case 6:
        if (collection && key->count > 1 &&
            (key->type != TYPE_HASH || model_writable_hash(model, db, number)))
            model_shrink(model, db, number, 1 + below(model, (unsigned)key->count - 1));
        break;
    default:
        if (live && key->type == TYPE_STRING)
            model_edit_string(model, db, number, below(model, 3000));
    }
}

static struct model_key copy_key(const struct model_key *key) {
    struct model_key copy = *key;
    if (key->string != NULL) {
        copy.string = malloc(key->count + 1);
        assert_non_null(copy.string);
        memcpy(copy.string, key->string, key->count);
    }
    return copy;
}

static bool note_one(struct model *model, struct undo *undo, struct noted *noted) {
    char scratch[MODEL_NAME_MAX];
    noted->db = below(model, MODEL_DBS);
    noted->number = below(model, SOME_KEYS);
    struct key key = model_name(noted->number, scratch);
    unsigned before = undo->count;
    bool small = true;
    if (below(model, 3))
        small = undo_note(undo, model->store, noted->db, &key, model->now_ms);
    else
        undo_keep(undo, model->store, noted->db, &key, model->now_ms);
    if (!small) {
        const struct model_key *at = &model->keys[noted->db][noted->number];
        assert_true(at->there && at->count > UNDO_ELEMENTS_MAX);
    }
    /* What is noted already stays as it was noted first. */
    if (!small || undo->count == before) return false;
    noted->before = copy_key(&model->keys[noted->db][noted->number]);
    return true;
}

static void play_round(struct model *model) {
    struct undo undo = {0};
    struct noted noted[KEYS_A_ROUND];
    unsigned count = 0;
    for (unsigned i = 0; i < KEYS_A_ROUND; i++) count += note_one(model, &undo, &noted[count]);
    for (unsigned i = 0; count > 0 && i < 3 * KEYS_A_ROUND; i++) {
        const struct noted *one = &noted[below(model, count)];
        change(model, one->db, one->number);
    }
    bool apply = below(model, 2);
    if (apply)
        undo_apply(&undo, model->store);
    else
        undo_forget(&undo, model->store);
    for (unsigned i = 0; i < count; i++) {
        struct model_key *now = &model->keys[noted[i].db][noted[i].number];
        free(apply ? now->string : noted[i].before.string);
        if (apply) *now = noted[i].before;
    }
    assert_int_equal(undo.count, 0);
}

static void test_undo(void **state) {
    (void)state;
    struct model *model = model_new(seed, 1);
    model_hold(model);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < 3; i++)
            change(model, below(model, MODEL_DBS), below(model, SOME_KEYS));
        play_round(model);
        model->now_ms += below(model, 3) * 20;
        if (round % 50 == 0) {
            model_drain(model);
            model_check(model);
            model_compare(model);
        }
    }
    model_release(model);
    model_free(model, false);
}

static void test_too_many_keys(void **state) {
    (void)state;
    char scratch[MODEL_NAME_MAX];
    struct model *model = model_new(seed, 1);
    struct undo undo = {0};
    model_hold(model);
    for (unsigned i = 0; i < UNDO_KEYS_MAX + 1; i++) {
        struct key key = model_name(i, scratch);
        assert_int_equal(undo_note(&undo, model->store, 0, &key, model->now_ms), i < UNDO_KEYS_MAX);
    }
    struct key again = model_name(7, scratch);
    assert_true(undo_note(&undo, model->store, 0, &again, model->now_ms));
    undo_apply(&undo, model->store);
    model_release(model);
    model_free(model, false);
}

int main(int argc, char **argv) {
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    hash_seed_init(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undo),
        cmocka_unit_test(test_too_many_keys),
    };
    return cmocka_run_group_tests_name("undo", tests, NULL, NULL);
}
