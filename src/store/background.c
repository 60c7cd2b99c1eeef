/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thread that frees what would take a request too long. Values are rehomed to no heap before they
 * are queued: their small objects then travel back to their shard's heap over its lock-free list.
 */
#include "base/heap.h"
#include "base/memory.h"
#include "store/internal.h"

enum job_kind { JOB_VALUE, JOB_BLOCK, JOB_TABLE };

struct job {
    struct job *next;
    enum job_kind kind;
    enum value_type type;
    void *value;
    size_t bytes; /* that it gives back, where that is known */
    struct table table;
};

struct background {
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the queue and stop */
    pthread_cond_t wanted;
    struct job *first, **last;
    bool stop;
    _Atomic size_t pending, freed;
    _Atomic size_t pending_bytes;
};

void table_free_entries(struct table *table, struct heap *user) {
    struct table_iter iter;
    table_iter_init(&iter, table);
    for (struct entry *entry = table_iter_next(&iter); entry != NULL;
         entry = table_iter_next(&iter))
        entry_free_whole(user, entry);
    table_done(table);
}

static void job_run(struct job *job) {
    switch (job->kind) {
    case JOB_VALUE: value_free(job->type, job->value); break;
    case JOB_BLOCK: {
        struct string_block *block = job->value;
        heap_give(NULL, block, sizeof *block + block->cap);
        break;
    }
    case JOB_TABLE: table_free_entries(&job->table, NULL); break;
    }
}

static void *background_run(void *context) {
    struct background *background = context;
    pthread_mutex_lock(&background->mutex);
    for (;;) {
        while (background->first == NULL && !background->stop)
            pthread_cond_wait(&background->wanted, &background->mutex);
        struct job *job = background->first;
        if (job == NULL) break;
        background->first = job->next;
        if (background->first == NULL) background->last = &background->first;
        pthread_mutex_unlock(&background->mutex);
        job_run(job);
        atomic_fetch_sub_explicit(&background->pending_bytes, job->bytes, memory_order_relaxed);
        mem_free(job);
        atomic_fetch_sub_explicit(&background->pending, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&background->freed, 1, memory_order_relaxed);
        pthread_mutex_lock(&background->mutex);
    }
    pthread_mutex_unlock(&background->mutex);
    return NULL;
}

struct background *background_new(void) {
    struct background *background = mem_zalloc(sizeof *background);
    background->last = &background->first;
    pthread_mutex_init(&background->mutex, NULL);
    pthread_cond_init(&background->wanted, NULL);
    if (pthread_create(&background->thread, NULL, background_run, background) != 0) {
        mem_free(background);
        return NULL;
    }
    pthread_setname_np(background->thread, "free");
    return background;
}

void background_free(struct background *background) {
    if (background == NULL) return;
    pthread_mutex_lock(&background->mutex);
    background->stop = true;
    pthread_cond_signal(&background->wanted);
    pthread_mutex_unlock(&background->mutex);
    pthread_join(background->thread, NULL);
    pthread_cond_destroy(&background->wanted);
    pthread_mutex_destroy(&background->mutex);
    mem_free(background);
}

static void background_add(struct background *background, struct job job) {
    if (background == NULL) { /* the thread could not be started */
        job_run(&job);
        return;
    }
    struct job *queued = mem_alloc(sizeof *queued);
    *queued = job;
    queued->next = NULL;
    atomic_fetch_add_explicit(&background->pending, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&background->pending_bytes, job.bytes, memory_order_relaxed);
    pthread_mutex_lock(&background->mutex);
    *background->last = queued;
    background->last = &queued->next;
    pthread_cond_signal(&background->wanted);
    pthread_mutex_unlock(&background->mutex);
}

void background_free_value(struct background *background, enum value_type type, void *value) {
    value_rehome(type, value, NULL);
    background_add(background, (struct job){.kind = JOB_VALUE,
                                            .type = type,
                                            .value = value,
                                            .bytes = value_bytes(type, value)});
}

void background_free_block(struct background *background, struct string_block *block) {
    background_add(
        background,
        (struct job){.kind = JOB_BLOCK, .value = block, .bytes = sizeof *block + block->cap});
}

void background_free_table(struct background *background, struct table *table) {
    background_add(background, (struct job){.kind = JOB_TABLE, .table = *table});
}

size_t background_freed(const struct background *background) {
    return background ? atomic_load_explicit(&background->freed, memory_order_relaxed) : 0;
}

void background_reset_freed(struct background *background) {
    if (background) atomic_store_explicit(&background->freed, 0, memory_order_relaxed);
}

size_t background_pending(const struct background *background) {
    return background == NULL ? 0
                              : atomic_load_explicit(&background->pending, memory_order_relaxed);
}

size_t background_pending_bytes(const struct background *background) {
    return background == NULL
               ? 0
               : atomic_load_explicit(&background->pending_bytes, memory_order_relaxed);
}
