/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How it works
 *
 * Pages of 64 KiB, aligned to their size, so that an object finds its page by masking its address.
 * A page serves one size class. It hands out objects first from its free list, then from the part
 * never used, so a fresh page is not touched before it is needed. Pages with room stand in a list
 * per class; a page whose last object comes back goes back to the allocator, but for one per class
 * that is kept against flapping.
 *
 * Objects given back by a stranger are pushed onto heap->remote, a lock-free stack linked
 * through the objects themselves. The owner takes the whole stack at once and sorts a bounded
 * number of its objects back at each allocation that needs a page, so that no single caller
 * pays for a large delete elsewhere.
 */
#include "base/heap.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/lock.h"
#include "base/memory.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)0)
#endif

enum {
    PAGE_BYTES = 64 * 1024,
    CLASS_STEP = 8,
    CLASS_COUNT = HEAP_OBJECT_MAX / CLASS_STEP + 1,
    REMOTE_STEP = 64, /* objects sorted back at a time */
};

struct free_object {
    struct free_object *next;
};

struct page {
    struct heap *heap;
    struct free_object *free;
    struct page *next, *previous; /* among the pages of the class that have room */
    uint32_t fresh;               /* offset of the part never used */
    uint32_t used;                /* objects out */
    uint32_t object_size;
    bool listed;
};

struct heap {
    struct page *pages[CLASS_COUNT]; /* with room */
    struct free_object *strays;      /* taken from remote, not yet sorted back */
    size_t page_bytes, object_bytes;
    struct lock lock;
    bool shared;
    _Alignas(64) _Atomic(struct free_object *) remote;
};

/* Where the first object of a page begins. */
enum { PAGE_HEAD = (sizeof(struct page) + CLASS_STEP - 1) / CLASS_STEP * CLASS_STEP };

static struct page *page_of(const void *object) {
    return (struct page *)((uintptr_t)object & ~(uintptr_t)(PAGE_BYTES - 1));
}

static size_t class_of(size_t size) {
    return size == 0 ? 1 : (size + CLASS_STEP - 1) / CLASS_STEP;
}

size_t heap_object_bytes(size_t size) {
    if (size <= HEAP_OBJECT_MAX) return class_of(size) * CLASS_STEP;
    return size;
}

struct heap *heap_new(void) {
    struct heap *heap = mem_alloc_aligned(64, sizeof *heap);
    memset(heap, 0, sizeof *heap);
    return heap;
}

void heap_share(struct heap *heap) {
    heap->shared = true;
}

static inline void heap_enter(struct heap *heap) KN_NO_LOCK_CHECK {
    if (heap->shared) lock_take(&heap->lock);
}

static inline void heap_leave(struct heap *heap) KN_NO_LOCK_CHECK {
    if (heap->shared) lock_give(&heap->lock);
}

static void page_link(struct heap *heap, struct page *page, size_t class) {
    page->previous = NULL;
    page->next = heap->pages[class];
    if (page->next != NULL) page->next->previous = page;
    heap->pages[class] = page;
    page->listed = true;
}

static void page_unlink(struct heap *heap, struct page *page, size_t class) {
    if (page->previous != NULL)
        page->previous->next = page->next;
    else
        heap->pages[class] = page->next;
    if (page->next != NULL) page->next->previous = page->previous;
    page->listed = false;
}

static void page_release(struct heap *heap, struct page *page, size_t class) {
    page_unlink(heap, page, class);
    heap->page_bytes -= PAGE_BYTES;
    ASAN_UNPOISON_MEMORY_REGION(page, PAGE_BYTES);
    mem_page_free(page);
}

static bool page_has_room(const struct page *page) {
    return page->free != NULL || page->fresh + page->object_size <= PAGE_BYTES;
}

/* Puts an object back into its page, which belongs to this heap. */
static void heap_sort_back(struct heap *heap, struct free_object *object) {
    struct page *page = page_of(object);
    size_t class = page->object_size / CLASS_STEP;
    object->next = page->free;
    page->free = object;
    page->used--;
    heap->object_bytes -= page->object_size;
    ASAN_POISON_MEMORY_REGION(object + 1, page->object_size - sizeof *object);
    if (!page->listed)
        page_link(heap, page, class);
    else if (page->used == 0 && (page->next != NULL || page->previous != NULL))
        page_release(heap, page, class);
}

static void heap_collect(struct heap *heap) {
    if (heap->strays == NULL) {
        if (atomic_load_explicit(&heap->remote, memory_order_relaxed) == NULL) return;
        heap->strays = atomic_exchange_explicit(&heap->remote, NULL, memory_order_acquire);
    }
    for (int i = 0; i < REMOTE_STEP && heap->strays != NULL; i++) {
        struct free_object *object = heap->strays;
        heap->strays = object->next;
        heap_sort_back(heap, object);
    }
}

static __attribute__((noinline)) struct page *heap_page_with_room(struct heap *heap, size_t class) {
    heap_collect(heap);
    if (heap->pages[class] != NULL) return heap->pages[class];
    struct page *page = mem_page_alloc(PAGE_BYTES, PAGE_BYTES);
    heap->page_bytes += PAGE_BYTES;
    page->heap = heap;
    page->free = NULL;
    page->fresh = PAGE_HEAD;
    page->used = 0;
    page->object_size = (uint32_t)(class * CLASS_STEP);
    page_link(heap, page, class);
    ASAN_POISON_MEMORY_REGION((char *)page + PAGE_HEAD, PAGE_BYTES - PAGE_HEAD);
    return page;
}

void *heap_take(struct heap *heap, size_t size) {
    if (size > HEAP_OBJECT_MAX) return mem_alloc(size);
    size_t class = class_of(size);
    heap_enter(heap);
    struct page *page = heap->pages[class];
    if (page == NULL) page = heap_page_with_room(heap, class);
    struct free_object *object = page->free;
    if (object != NULL) {
        page->free = object->next;
    } else {
        object = (struct free_object *)((char *)page + page->fresh);
        page->fresh += page->object_size;
    }
    page->used++;
    if (!page_has_room(page)) page_unlink(heap, page, class);
    size_t class_size = page->object_size;
    heap->object_bytes += class_size;
    heap_leave(heap);
    memory_account((ptrdiff_t)class_size);
    ASAN_UNPOISON_MEMORY_REGION(object, class_size);
    ASAN_POISON_MEMORY_REGION((char *)object + size, class_size - size);
    return object;
}

void heap_give(struct heap *user, void *object, size_t size) {
    if (size > HEAP_OBJECT_MAX) {
        mem_free(object);
        return;
    }
    size_t class_size = class_of(size) * CLASS_STEP;
    struct heap *owner = page_of(object)->heap;
    memory_account(-(ptrdiff_t)class_size);
    ASAN_UNPOISON_MEMORY_REGION(object, class_size);
    struct free_object *freed = object;
    if (owner == user) {
        heap_enter(owner);
        heap_sort_back(owner, freed);
        heap_leave(owner);
        return;
    }
    freed->next = atomic_load_explicit(&owner->remote, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&owner->remote, &freed->next, freed,
                                                  memory_order_release, memory_order_relaxed))
        continue;
}

void *heap_resize(struct heap *heap, void *object, size_t old_size, size_t new_size) {
    if (object == NULL) return heap_take(heap, new_size);
    if (old_size > HEAP_OBJECT_MAX && new_size > HEAP_OBJECT_MAX)
        return mem_realloc(object, new_size);
    if (old_size <= HEAP_OBJECT_MAX && new_size <= HEAP_OBJECT_MAX &&
        class_of(old_size) == class_of(new_size)) {
        ASAN_UNPOISON_MEMORY_REGION(object, class_of(old_size) * CLASS_STEP);
        ASAN_POISON_MEMORY_REGION((char *)object + new_size,
                                  class_of(old_size) * CLASS_STEP - new_size);
        return object;
    }
    void *moved = heap_take(heap, new_size);
    memcpy(moved, object, old_size < new_size ? old_size : new_size);
    heap_give(heap, object, old_size);
    return moved;
}

void heap_free(struct heap *heap) {
    do heap_collect(heap);
    while (heap->strays != NULL || atomic_load(&heap->remote) != NULL);
    for (size_t class = 1; class < CLASS_COUNT; class ++)
        while (heap->pages[class] != NULL) page_release(heap, heap->pages[class], class);
    mem_free(heap);
}

void heap_stats(struct heap *heap, struct heap_stats *ret_stats) {
    heap_enter(heap);
    ret_stats->page_bytes = heap->page_bytes;
    ret_stats->object_bytes = heap->object_bytes;
    heap_leave(heap);
}
