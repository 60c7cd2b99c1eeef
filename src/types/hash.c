/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/hash.h"

#include "base/hash.h"
#include "base/heap.h"
#include "types/hash_inside.h"
#include "types/limits.h"

_Static_assert((int)HASH_SCRATCH >= (int)PACK_TEXT_MAX, "an integer's text fits");

static uint64_t element_hash(const void *element) {
    struct hash_field field;
    hash_field_read(element, &field);
    return hash_bytes(field.name);
}

/* ---- fields of a table ---- */

static void *element_new(struct heap *heap, const struct hash_field *field) {
    unsigned char *element = heap_take(heap, hash_field_size(field)), *at = element + 1;
    const struct bytes texts[2] = {field->name, field->value};
    *element = field->expires_ms == HASH_NO_EXPIRY ? 0 : FIELD_EXPIRES;
    if (*element & FIELD_EXPIRES) {
        memcpy(at, &field->expires_ms, 8);
        at += 8;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (texts[i].len > UINT8_MAX) {
            *element |= (unsigned char)(FIELD_LONG_NAME << i);
            memcpy(at, &texts[i].len, 8);
            at += 8;
        } else {
            *at++ = (unsigned char)texts[i].len;
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        if (texts[i].len) memcpy(at, texts[i].data, texts[i].len);
        at += texts[i].len;
    }
    return element;
}

static unsigned field_marks(const struct hash_field *field) {
    return field->expires_ms == HASH_NO_EXPIRY ? 0 : FIELD_MARK_EXPIRES;
}

static void *fields_find(const struct hash_fields *fields, struct bytes name, uint64_t hash,
                         struct hash_field *ret_field) {
    struct table_probe probe;
    for (void *e = table_first(&fields->table, hash, &probe); e; e = table_next(&probe)) {
        struct hash_field field;
        hash_field_read(e, &field);
        if (!bytes_equal(field.name, name)) continue;
        *ret_field = field;
        return e;
    }
    return NULL;
}

/* Counts a field that comes, and its expiry. */
static void fields_count(struct hash_fields *fields, const struct hash_field *field,
                         uint64_t hash) {
    fields->bytes += heap_object_bytes(hash_field_size(field));
    if (field->expires_ms == HASH_NO_EXPIRY) return;
    fields->expiring++;
    if (field->expires_ms < fields->next_expiry) fields->next_expiry = field->expires_ms;
    table_note_due(&fields->table, hash, (uint64_t)field->expires_ms);
}

/* Counts a field that goes. */
static void fields_uncount(struct hash_fields *fields, const struct hash_field *field) {
    fields->bytes -= heap_object_bytes(hash_field_size(field));
    if (field->expires_ms == HASH_NO_EXPIRY) return;
    if (--fields->expiring == 0) fields->next_expiry = HASH_NO_EXPIRY;
}

static void fields_add(struct hash_fields *fields, struct heap *heap,
                       const struct hash_field *field, uint64_t hash) {
    table_add(&fields->table, hash, element_new(heap, field), field_marks(field));
    fields_count(fields, field, hash);
}

static void fields_remove(struct hash_fields *fields, struct heap *heap, void *element,
                          const struct hash_field *field, uint64_t hash) {
    size_t size = hash_field_size(field);
    fields_uncount(fields, field);
    table_remove(&fields->table, hash, element);
    heap_give(heap, element, size);
}

/* Gives an element another value and expiry. `old` was read from it. */
static void fields_change(struct hash_fields *fields, struct heap *heap, void *element,
                          const struct hash_field *old, const struct hash_field *field,
                          uint64_t hash) {
    size_t old_size = hash_field_size(old);
    bool alike = old->expires_ms == field->expires_ms && old->value.len <= UINT8_MAX &&
                 field->value.len <= UINT8_MAX;
    if (alike && old->value.len == field->value.len) {
        memcpy((char *)old->value.data, field->value.data, field->value.len);
        return;
    }
    /* The new one is built from views into the old one. */
    void *made = element_new(heap, field);
    fields_uncount(fields, old);
    table_replace(&fields->table, hash, element, made, field_marks(field));
    fields_count(fields, field, hash);
    heap_give(heap, element, old_size);
}

static struct hash_fields *fields_new(struct heap *heap) {
    struct hash_fields *fields = heap_take(heap, sizeof *fields);
    table_init(&fields->table, element_hash);
    fields->bytes = fields->expiring = 0;
    fields->next_expiry = HASH_NO_EXPIRY;
    return fields;
}

static void fields_free(struct hash_fields *fields, struct heap *user) {
    struct table_iter iter;
    table_iter_init(&iter, &fields->table);
    for (void *e; (e = table_iter_next(&iter));) {
        struct hash_field field;
        hash_field_read(e, &field);
        heap_give(user, e, hash_field_size(&field));
    }
    table_done(&fields->table);
    heap_give(user, fields, sizeof *fields);
}

static struct hash_fields *fields_copy(const struct hash_fields *fields, struct heap *heap) {
    struct hash_fields *copy = fields_new(heap);
    struct table_iter iter;
    table_iter_init(&iter, &fields->table);
    for (void *e; (e = table_iter_next(&iter));) {
        struct hash_field field;
        hash_field_read(e, &field);
        fields_add(copy, heap, &field, hash_bytes(field.name));
    }
    return copy;
}

/* ---- life ---- */

static void set_pack(struct hash *hash, struct pack *pack) {
    hash->body = (uintptr_t)pack;
}

static void set_table(struct hash *hash, struct hash_fields *fields) {
    hash->body = (uintptr_t)fields + HASH_BODY_TABLE;
}

struct hash *hash_new(struct heap *heap) {
    struct hash *hash = heap_take(heap, sizeof *hash);
    hash->heap = heap;
    set_pack(hash, pack_new(heap));
    return hash;
}

void hash_free(struct hash *hash) {
    struct heap *heap = hash->heap;
    if (hash_is_table(hash))
        fields_free(hash_table_of(hash), heap);
    else
        pack_free(hash_pack_of(hash), heap);
    heap_give(heap, hash, sizeof *hash);
}

struct hash *hash_copy(const struct hash *hash, struct heap *heap) {
    struct hash *copy = heap_take(heap, sizeof *copy);
    copy->heap = heap;
    if (hash_is_table(hash))
        set_table(copy, fields_copy(hash_table_of(hash), heap));
    else
        set_pack(copy, pack_copy(hash_pack_of(hash), heap));
    return copy;
}

void hash_rehome(struct hash *hash, struct heap *heap) {
    hash->heap = heap;
}

size_t hash_count(const struct hash *hash) {
    return hash_is_table(hash) ? table_count(&hash_table_of(hash)->table)
                               : pack_count(hash_pack_of(hash)) / 2;
}

size_t hash_bytes_used(const struct hash *hash) {
    size_t head = heap_object_bytes(sizeof *hash);
    if (!hash_is_table(hash)) return head + pack_heap_bytes(hash_pack_of(hash));
    const struct hash_fields *fields = hash_table_of(hash);
    return head + heap_object_bytes(sizeof *fields) + fields->bytes + table_bytes(&fields->table);
}

size_t hash_free_cost(const struct hash *hash) {
    return hash_is_table(hash) ? 2 + table_count(&hash_table_of(hash)->table) : 2;
}

const char *hash_encoding(const struct hash *hash) {
    return hash_is_table(hash) ? "hashtable" : "listpack";
}

bool hash_is_large(const struct hash *hash) {
    return hash_is_table(hash);
}

/* ---- encodings ---- */

static struct hash_fields *become_table(struct hash *hash) {
    struct hash_fields *fields = fields_new(hash->heap);
    struct pack *pack = hash_pack_of(hash);
    for (size_t at = pack_first(pack); at < pack_end(pack); at = pack_next(pack, at)) {
        char scratch[2][HASH_SCRATCH];
        struct hash_field field = {.name = pack_text(pack, at, scratch[0]),
                                   .expires_ms = HASH_NO_EXPIRY};
        at = pack_next(pack, at);
        field.value = pack_text(pack, at, scratch[1]);
        fields_add(fields, hash->heap, &field, hash_bytes(field.name));
    }
    pack_free(pack, hash->heap);
    set_table(hash, fields);
    return fields;
}

/* May texts of these lengths be in a pack? */
static bool lengths_are_small(size_t a, size_t b) {
    int64_t most = type_limit(&type_limits.hash_max_listpack_value);
    return (int64_t)a <= most && (int64_t)b <= most;
}

/* ---- fields ---- */

/* The place of a field's value in the pack; pack_end() when there is none. */
static size_t pack_value_place(const struct pack *pack, struct bytes field) {
    size_t at = pack_find(pack, pack_first(pack), pack_item_of(field), 2);
    return at == pack_end(pack) ? at : pack_next(pack, at);
}

bool hash_get(const struct hash *hash, struct bytes field, int64_t now_ms,
              char scratch[HASH_SCRATCH], struct bytes *ret_value) {
    if (!hash_is_table(hash)) {
        const struct pack *pack = hash_pack_of(hash);
        size_t at = pack_value_place(pack, field);
        if (at == pack_end(pack)) return false;
        *ret_value = pack_text(pack, at, scratch);
        return true;
    }
    struct hash_field found;
    if (!fields_find(hash_table_of(hash), field, hash_bytes(field), &found) ||
        hash_is_expired(found.expires_ms, now_ms))
        return false;
    *ret_value = found.value;
    return true;
}

static bool pack_set(struct hash *hash, struct bytes field, struct bytes value) {
    struct pack *pack = hash_pack_of(hash);
    size_t at = pack_value_place(pack, field);
    bool added = at == pack_end(pack);
    if (added)
        pack_insert_pair(&pack, hash->heap, at, pack_item_of(field), pack_item_of(value));
    else
        pack_replace(&pack, hash->heap, at, pack_item_of(value));
    set_pack(hash, pack);
    if (pack_count(pack) / 2 > type_limit(&type_limits.hash_max_listpack_entries))
        become_table(hash);
    return added;
}

bool hash_set(struct hash *hash, struct bytes field, struct bytes value, int64_t now_ms,
              int64_t expires_ms) {
    bool expires = expires_ms != HASH_NO_EXPIRY && expires_ms != HASH_KEEP_EXPIRY;
    if (!hash_is_table(hash)) {
        if (!expires && lengths_are_small(field.len, value.len) &&
            pack_has_room(hash_pack_of(hash), 2, field.len + value.len))
            return pack_set(hash, field, value);
        become_table(hash);
    }
    struct hash_fields *fields = hash_table_of(hash);
    struct hash_field old, made = {field, value, expires ? expires_ms : HASH_NO_EXPIRY};
    uint64_t code = hash_bytes(field);
    void *element = fields_find(fields, field, code, &old);
    if (!element) {
        fields_add(fields, hash->heap, &made, code);
        return true;
    }
    bool expired = hash_is_expired(old.expires_ms, now_ms);
    if (expires_ms == HASH_KEEP_EXPIRY && !expired) made.expires_ms = old.expires_ms;
    fields_change(fields, hash->heap, element, &old, &made, code);
    return expired;
}

bool hash_delete(struct hash *hash, struct bytes field, int64_t now_ms) {
    if (!hash_is_table(hash)) {
        struct pack *pack = hash_pack_of(hash);
        size_t at = pack_find(pack, pack_first(pack), pack_item_of(field), 2);
        if (at == pack_end(pack)) return false;
        pack_delete(&pack, hash->heap, at, 2);
        set_pack(hash, pack);
        return true;
    }
    struct hash_fields *fields = hash_table_of(hash);
    struct hash_field found;
    uint64_t code = hash_bytes(field);
    void *element = fields_find(fields, field, code, &found);
    if (!element) return false;
    bool expired = hash_is_expired(found.expires_ms, now_ms);
    fields_remove(fields, hash->heap, element, &found, code);
    return !expired;
}

/* ---- expiry ---- */

bool hash_get_expiry(const struct hash *hash, struct bytes field, int64_t now_ms,
                     int64_t *ret_expires_ms) {
    if (!hash_is_table(hash)) {
        const struct pack *pack = hash_pack_of(hash);
        if (pack_value_place(pack, field) == pack_end(pack)) return false;
        *ret_expires_ms = HASH_NO_EXPIRY;
        return true;
    }
    struct hash_field found;
    if (!fields_find(hash_table_of(hash), field, hash_bytes(field), &found) ||
        hash_is_expired(found.expires_ms, now_ms))
        return false;
    *ret_expires_ms = found.expires_ms;
    return true;
}

bool hash_set_expiry(struct hash *hash, struct bytes field, int64_t now_ms, int64_t expires_ms) {
    int64_t had;
    if (!hash_get_expiry(hash, field, now_ms, &had)) return false;
    if (had == expires_ms) return true;
    struct hash_fields *fields = hash_is_table(hash) ? hash_table_of(hash) : become_table(hash);
    struct hash_field old, made;
    uint64_t code = hash_bytes(field);
    void *element = fields_find(fields, field, code, &old);
    made = old;
    made.expires_ms = expires_ms;
    fields_change(fields, hash->heap, element, &old, &made, code);
    return true;
}

int64_t hash_next_expiry(const struct hash *hash) {
    return hash_is_table(hash) ? hash_table_of(hash)->next_expiry : HASH_NO_EXPIRY;
}

static uint64_t element_due(const void *element, void *context) {
    struct hash_field field;
    (void)context;
    hash_field_read(element, &field);
    return field.expires_ms == HASH_NO_EXPIRY ? UINT64_MAX : (uint64_t)field.expires_ms;
}

size_t hash_expire_fields(struct hash *hash, int64_t now_ms, size_t most) {
    enum { BATCH = 64 };
    if (!hash_has_expired(hash, now_ms) || now_ms <= 0) return 0;
    struct hash_fields *fields = hash_table_of(hash);
    struct table_sweep sweep = {.now = (uint64_t)now_ms - 1,
                                .marks = FIELD_MARK_EXPIRES,
                                .most = UINT32_MAX,
                                .due = element_due};
    size_t removed = 0;
    while (removed < most && !sweep.finished) {
        void *due[BATCH];
        unsigned found = table_sweep(&fields->table, &sweep, due,
                                     most - removed < BATCH ? (unsigned)(most - removed) : BATCH);
        for (unsigned i = 0; i < found; i++) {
            struct hash_field field;
            hash_field_read(due[i], &field);
            fields_remove(fields, hash->heap, due[i], &field, hash_bytes(field.name));
        }
        removed += found;
    }
    if (sweep.finished && fields->expiring) {
        uint64_t next = table_next_due(&fields->table);
        fields->next_expiry = next > INT64_MAX ? HASH_NO_EXPIRY : (int64_t)next;
    }
    return removed;
}

void hash_check(const struct hash *hash) {
    if (!hash_is_table(hash)) {
        const struct pack *pack = hash_pack_of(hash);
        pack_check(pack);
        kn_require(pack_count(pack) % 2 == 0);
        return;
    }
    const struct hash_fields *fields = hash_table_of(hash);
    struct table_iter iter;
    size_t bytes = 0, expiring = 0;
    table_check(&fields->table);
    table_iter_init(&iter, &fields->table);
    for (void *e; (e = table_iter_next(&iter));) {
        struct hash_field field, same;
        hash_field_read(e, &field);
        uint64_t code = hash_bytes(field.name);
        kn_require(fields_find(fields, field.name, code, &same) == e);
        kn_require(table_marks(&fields->table, code, e) == field_marks(&field));
        kn_require(fields->next_expiry <= field.expires_ms);
        bytes += heap_object_bytes(hash_field_size(&field));
        expiring += field.expires_ms != HASH_NO_EXPIRY;
    }
    kn_require(bytes == fields->bytes && expiring == fields->expiring);
    kn_require(expiring > 0 || fields->next_expiry == HASH_NO_EXPIRY);
}
