#include "worker/media/timers.h"

#include <assert.h>
#include <stdlib.h>

void timers_init(struct timers *heap)
{
    *heap = (struct timers){0};
}

void timers_fini(struct timers *heap)
{
    assert(heap->added == 0 && heap->set == 0);
    free(heap->heap);
    *heap = (struct timers){0};
}

usec timers_deadline(const struct timers *heap)
{
    return heap->set > 0 ? heap->heap[0].at : USEC_NEVER;
}

static void place(struct timers *heap, size_t i, struct timer_slot slot)
{
    heap->heap[i] = slot;
    slot.timer->index = i;
}

static void sift_up(struct timers *heap, size_t i, struct timer *timer)
{
    struct timer_slot slot = {.at = timer->at, .timer = timer};
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        if (heap->heap[parent].at <= slot.at)
            break;
        place(heap, i, heap->heap[parent]);
        i = parent;
    }
    place(heap, i, slot);
}

static void sift_down(struct timers *heap, size_t i, struct timer *timer)
{
    struct timer_slot slot = {.at = timer->at, .timer = timer};
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= heap->set)
            break;
        if (child + 1 < heap->set && heap->heap[child + 1].at < heap->heap[child].at)
            child++;
        if (slot.at <= heap->heap[child].at)
            break;
        place(heap, i, heap->heap[child]);
        i = child;
    }
    place(heap, i, slot);
}

static void unset(struct timer *timer)
{
    if (timer->index == TIMER_UNSET)
        return;
    struct timers *heap = timer->heap;
    size_t i = timer->index;
    struct timer_slot last = heap->heap[--heap->set];
    timer->index = TIMER_UNSET;
    if (last.timer == timer)
        return;
    if (i > 0 && heap->heap[(i - 1) / 2].at > last.at)
        sift_up(heap, i, last.timer);
    else
        sift_down(heap, i, last.timer);
}

void timers_run(struct timers *heap, usec now)
{
    /* What fires may set timers that are due at once: `budget` bounds one run. */
    for (size_t budget = heap->set; budget > 0 && heap->set > 0; budget--) {
        if (heap->heap[0].at > now)
            return;
        struct timer *timer = heap->heap[0].timer;
        unset(timer);
        timer->fire(timer, now);
    }
}

enum err timer_add(struct timers *heap, struct timer *timer,
                   void (*fire)(struct timer *timer, usec now))
{
    if (heap->added == heap->capacity) {
        size_t capacity = heap->capacity ? heap->capacity * 2 : 64;
        struct timer_slot *grown = realloc(heap->heap, capacity * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        heap->heap = grown;
        heap->capacity = capacity;
    }
    heap->added++;
    *timer = (struct timer){.heap = heap, .index = TIMER_UNSET, .fire = fire};
    return OK;
}

void timer_drop(struct timer *timer)
{
    if (!timer->heap)
        return;
    unset(timer);
    timer->heap->added--;
    timer->heap = NULL;
}

void timer_set(struct timer *timer, usec at)
{
    if (at == timer_at(timer))
        return;
    if (at == USEC_NEVER) {
        unset(timer);
        return;
    }
    struct timers *heap = timer->heap;
    size_t i = timer->index;
    if (i == TIMER_UNSET) {
        timer->at = at;
        sift_up(heap, heap->set++, timer);
        return;
    }
    usec was = timer->at;
    timer->at = at;
    if (at < was)
        sift_up(heap, i, timer);
    else
        sift_down(heap, i, timer);
}

void timer_set_earlier(struct timer *timer, usec at)
{
    if (at < timer_at(timer))
        timer_set(timer, at);
}
