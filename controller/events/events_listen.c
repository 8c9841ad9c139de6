/* GET /api/events: Server-Sent Events (WHATWG HTML 9.2). An event's id is what Last-Event-ID gives
 * back when the client comes again; what it missed is sent at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/events/events_state.h"

enum {
    QUEUE_MAX = 512 * 1024, /* bytes that may wait for one client; beyond, it has to come again */
    RETRY_AFTER_S = 5
};

static void end(struct listener *l)
{
    struct http_request *req = l->req;
    l->events->n_listeners--;
    list_remove(&l->node);
    free(l);
    http_stream_end(req);
}

static void on_closed(struct http_request *req, void *user)
{
    (void)req;
    end(user);
}

/* False: it is gone. */
static bool write_text(struct listener *l, const char *text, size_t n)
{
    if (http_stream_queued(l->req) + n <= QUEUE_MAX && http_stream_write(l->req, text, n) == OK)
        return true;
    end(l);
    return false;
}

/* Made once for all. NULL: out of memory. */
static char *print(const struct event_ring *ring, const struct event *event, size_t *n)
{
    char id[EVENT_ID_MAX];
    event_ring_id(ring, event->number, id);
    size_t size = strlen(event->data) + strlen(event->name) + EVENT_ID_MAX + 32;
    char *text = malloc(size);
    if (text)
        *n = (size_t)snprintf(text, size, "id: %s\nevent: %s\ndata: %s\n\n", id, event->name,
                              event->data);
    return text;
}

static bool wants(const struct listener *l, const struct event *event)
{
    return l->room_id[0] == '\0' || strcmp(l->room_id, event->room_id) == 0;
}

void events_tell(struct events *e, const struct event *event)
{
    size_t n = 0;
    char *text = list_empty(&e->listeners) ? NULL : print(&e->ring, event, &n);
    list_each (node, &e->listeners) {
        struct listener *l = container_of(node, struct listener, node);
        if (text && wants(l, event))
            (void)write_text(l, text, n);
    }
    free(text);
}

void events_ping(struct events *e)
{
    list_each (node, &e->listeners) {
        (void)write_text(container_of(node, struct listener, node), ":\n\n", 3);
    }
}

void events_end_all(struct events *e)
{
    list_each (node, &e->listeners) {
        end(container_of(node, struct listener, node));
    }
}

/* What happened since the id; what is not there any more is told by `reset`. */
static void catch_up(struct listener *l, const char *last_id)
{
    static const char reset[] = "event: reset\ndata: {}\n\n";
    const struct event_ring *ring = &l->events->ring;
    uint64_t number;
    if (!event_ring_after(ring, last_id, &number)) {
        (void)write_text(l, reset, sizeof reset - 1);
        return;
    }
    for (; number < ring->next; number++) {
        const struct event *event = event_ring_get(ring, number);
        if (!event || !wants(l, event))
            continue;
        size_t n = 0;
        char *text = print(ring, event, &n);
        bool there = text && write_text(l, text, n);
        free(text);
        if (!there)
            return;
    }
}

static void greet(struct listener *l, const char *last_id)
{
    char text[96];
    char id[EVENT_ID_MAX];
    if (last_id) {
        static const char retry[] = "retry: 2000\n\n";
        if (write_text(l, retry, sizeof retry - 1))
            catch_up(l, last_id);
        return;
    }
    /* An id from the beginning, for who comes back before anything happened. */
    event_ring_id(&l->events->ring, l->events->ring.next - 1, id);
    int n = snprintf(text, sizeof text, "retry: 2000\nid: %s\nevent: hello\ndata: {}\n\n", id);
    (void)write_text(l, text, (size_t)n);
}

static void on_events(struct api_call *call)
{
    struct events *e = api_ctx(call);
    const char *room = api_text(call, "room");
    struct listener *l = NULL;
    if (e->closing || e->n_listeners >= e->config.listeners_max || !(l = calloc(1, sizeof *l))) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%d", RETRY_AFTER_S);
        (void)http_set_header(api_request(call), "Retry-After", seconds);
        http_respond_error(api_release(call), 503, "Unavailable", NULL,
                           "there are as many listeners as the service allows");
        return;
    }
    const char *given = api_text(call, "lastEventId");
    l->events = e;
    snprintf(l->room_id, sizeof l->room_id, "%s", room ? room : "");
    l->req = api_release(call);
    const char *last_id = http_header(l->req, "last-event-id");
    if (!last_id || last_id[0] == '\0')
        last_id = given;
    (void)http_set_header(l->req, "X-Accel-Buffering", "no"); /* nginx would hold it back */
    list_add(&e->listeners, &l->node);
    e->n_listeners++;
    http_stream_begin(l->req, 200, "text/event-stream");
    if (http_method(l->req) == HTTP_HEAD) {
        end(l);
        return;
    }
    http_on_closed(l->req, on_closed, l);
    greet(l, last_id);
}

static const struct api_route routes[] = {
    {.method = HTTP_GET,
     .path = "/api/events",
     .id = "listenToEvents",
     .tag = "Events",
     .summary = "Server-Sent Events: stream.started, stream.ended, stream.viewers, "
                "stream.producers, recording.ready. With Last-Event-ID what was missed comes "
                "first; reset says that some of it is gone.",
     .limit = API_LIMIT_GENERAL,
     .query = {{"room", API_QUERY_TEXT, 1, 64, 0, "Only of this room."},
               {"lastEventId", API_QUERY_TEXT, 0, EVENT_ID_MAX, 0,
                "For clients that cannot set the header."}},
     .answers = {{200, NULL, "Events without end.", "text/event-stream"}},
     .handle = on_events,
     .open = true},
};

enum err events_add_routes(struct events *e)
{
    return api_add(e->config.api, routes, sizeof routes / sizeof routes[0], e);
}
