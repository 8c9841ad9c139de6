#include "controller/events/event_ring.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void event_ring_init(struct event_ring *r, const char *epoch)
{
    *r = (struct event_ring){.next = 1};
    snprintf(r->epoch, sizeof r->epoch, "%s", epoch);
}

void event_ring_fini(struct event_ring *r)
{
    for (size_t i = 0; i < EVENT_RING_MAX; i++)
        free(r->events[i].data);
}

const struct event *event_ring_add(struct event_ring *r, const char *name, const char *room_id,
                                   const char *data)
{
    char *copy = strdup(data);
    if (!copy)
        return NULL;
    struct event *e = &r->events[r->next % EVENT_RING_MAX];
    free(e->data);
    *e = (struct event){.number = r->next++, .name = name, .data = copy};
    snprintf(e->room_id, sizeof e->room_id, "%s", room_id);
    return e;
}

void event_ring_id(const struct event_ring *r, uint64_t number, char out[EVENT_ID_MAX])
{
    snprintf(out, EVENT_ID_MAX, "%s-%" PRIu64, r->epoch, number);
}

static uint64_t oldest(const struct event_ring *r)
{
    return r->next > EVENT_RING_MAX ? r->next - EVENT_RING_MAX : 1;
}

bool event_ring_after(const struct event_ring *r, const char *id, uint64_t *after)
{
    size_t n = strlen(r->epoch);
    char *end = NULL;
    *after = oldest(r);
    if (strncmp(id, r->epoch, n) != 0 || id[n] != '-' || id[n + 1] < '0' || id[n + 1] > '9')
        return false;
    errno = 0;
    unsigned long long number = strtoull(id + n + 1, &end, 10);
    if (errno != 0 || *end != '\0' || number >= r->next || number + 1 < *after)
        return false;
    *after = number + 1;
    return true;
}

const struct event *event_ring_get(const struct event_ring *r, uint64_t number)
{
    const struct event *e = &r->events[number % EVENT_RING_MAX];
    return e->data && e->number == number ? e : NULL;
}
