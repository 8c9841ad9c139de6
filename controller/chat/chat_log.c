#include "controller/chat/chat_log.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/list.h"
#include "common/log.h"
#include "controller/chat/chat_store.h"

enum { RETRY_MS = 1000 };

struct entry {
    struct list node; /* in log->waiting */
    struct chat_change change;
    char texts[]; /* what change points at */
};

/* A batch that the database has; it may answer after the log is gone. */
struct flight {
    struct chat_log *log; /* NULL: it is */
};

struct chat_log {
    struct chat_log_config config;
    struct list waiting;
    unsigned n_waiting;
    unsigned n_flying; /* the first of waiting that are with the database */
    struct flight *flight;
    uv_timer_t timer;
    struct metric *stored;
    struct metric *lost;
    struct metric *queue;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void on_timer(uv_timer_t *timer);

static void drop_first(struct chat_log *log)
{
    struct entry *e = container_of(log->waiting.next, struct entry, node);
    list_remove(&e->node);
    free(e);
    log->n_waiting--;
}

static void give_up_first(struct chat_log *log, unsigned n, const char *why)
{
    for (unsigned i = 0; i < n; i++)
        drop_first(log);
    metric_add(log->lost, n);
    log_warn("chat.not_stored", "changes=%u why=%s", n, why);
}

/* ---- out ---- */

static void on_written(void *ctx, enum err e)
{
    struct flight *f = ctx;
    struct chat_log *log = f->log;
    free(f);
    if (!log)
        return;
    unsigned n = log->n_flying;
    log->flight = NULL;
    log->n_flying = 0;
    if (e == OK) {
        for (unsigned i = 0; i < n; i++)
            drop_first(log);
        metric_add(log->stored, n);
    } else if (e != ERR_UNAVAILABLE && e != ERR_BUSY && e != ERR_TIMEOUT && e != ERR_CLOSED) {
        give_up_first(log, n, err_name(e)); /* would fail again */
    }
    metric_set(log->queue, log->n_waiting);
    if (log->n_waiting > 0)
        uv_timer_start(&log->timer, on_timer, e == OK ? 0 : RETRY_MS, 0);
}

static enum err hand_in(struct chat_log *log, struct list **from, chat_store_done_fn *done,
                        void *ctx, unsigned *n)
{
    struct chat_change batch[CHAT_STORE_BATCH];
    *n = 0;
    for (; *from != &log->waiting && *n < CHAT_STORE_BATCH; *from = (*from)->next)
        batch[(*n)++] = container_of(*from, struct entry, node)->change;
    return chat_store_write(log->config.db, batch, *n, done, ctx);
}

static void flush(struct chat_log *log)
{
    if (log->flight || log->n_waiting == 0)
        return;
    struct flight *f = malloc(sizeof *f);
    struct list *from = log->waiting.next;
    if (f)
        *f = (struct flight){log};
    enum err e = f ? hand_in(log, &from, on_written, f, &log->n_flying) : ERR_NOMEM;
    if (e == OK) {
        log->flight = f;
        return;
    }
    free(f); /* its queue is full, or memory is short: later */
    log->n_flying = 0;
    uv_timer_start(&log->timer, on_timer, RETRY_MS, 0);
}

static void on_timer(uv_timer_t *timer)
{
    flush(timer->data);
}

/* ---- in ---- */

static char *place(const char **out, char *at, const char *s)
{
    if (!s)
        return at;
    size_t n = strlen(s) + 1;
    memcpy(at, s, n);
    *out = at;
    return at + n;
}

static size_t bytes(const char *s)
{
    return s ? strlen(s) + 1 : 0;
}

static struct entry *entry_new(const struct chat_change *c)
{
    struct entry *e = malloc(sizeof *e + bytes(c->id) + bytes(c->deleted_by) + bytes(c->room_id) +
                             bytes(c->user_id) + bytes(c->author_id) + bytes(c->display_name) +
                             bytes(c->text) + bytes(c->reply_to));
    if (!e)
        return NULL;
    e->change = *c;
    char *at = place(&e->change.id, e->texts, c->id);
    at = place(&e->change.deleted_by, at, c->deleted_by);
    at = place(&e->change.room_id, at, c->room_id);
    at = place(&e->change.user_id, at, c->user_id);
    at = place(&e->change.author_id, at, c->author_id);
    at = place(&e->change.display_name, at, c->display_name);
    at = place(&e->change.text, at, c->text);
    place(&e->change.reply_to, at, c->reply_to);
    return e;
}

/* The oldest that the database does not have go first. */
static void make_room(struct chat_log *log)
{
    if (log->n_waiting < log->config.max)
        return;
    struct list *node = log->waiting.next;
    for (unsigned i = 0; i < log->n_flying; i++)
        node = node->next;
    if (node == &log->waiting)
        return;
    list_remove(node);
    free(container_of(node, struct entry, node));
    log->n_waiting--;
    if (log->lost->value == 0)
        log_warn("chat.not_stored", "why=Full waiting=%u", log->n_waiting);
    metric_add(log->lost, 1);
}

static void add(struct chat_log *log, const struct chat_change *change)
{
    make_room(log);
    struct entry *e = entry_new(change);
    if (!e) {
        metric_add(log->lost, 1);
        return;
    }
    list_add(&log->waiting, &e->node);
    log->n_waiting++;
    metric_set(log->queue, log->n_waiting);
    if (!log->flight && !uv_is_active((uv_handle_t *)&log->timer))
        uv_timer_start(&log->timer, on_timer, CHAT_LOG_FLUSH_MS, 0);
}

void chat_log_message(struct chat_log *log, const char *room_id, const char *user_id,
                      const struct chat_message *m)
{
    struct chat_change change = {.id = m->id,
                                 .at_ms = m->created_at,
                                 .room_id = room_id,
                                 .user_id = user_id,
                                 .author_id = m->author_id,
                                 .display_name = m->display_name,
                                 .role = m->role,
                                 .text = m->text,
                                 .reply_to = m->reply_to};
    add(log, &change);
}

void chat_log_deleted(struct chat_log *log, const char *message_id, const char *by, int64_t now_ms)
{
    struct chat_change change = {.id = message_id, .at_ms = now_ms, .deleted_by = by};
    add(log, &change);
}

unsigned chat_log_waiting(const struct chat_log *log)
{
    return log->n_waiting;
}

/* ---- life ---- */

enum err chat_log_open(const struct chat_log_config *config, struct chat_log **out)
{
    struct chat_log *log = calloc(1, sizeof *log);
    if (!log)
        return ERR_NOMEM;
    log->config = *config;
    if (log->config.max == 0)
        log->config.max = CHAT_LOG_DEFAULT_MAX;
    list_init(&log->waiting);
    struct metrics *m = config->metrics;
    log->stored = metric_counter(m, "weir_chat_stored_total",
                                 "Chat messages and deletions written to the database.", NULL, 0);
    log->lost =
        metric_counter(m, "weir_chat_not_stored_total",
                       "Chat messages and deletions given up before they were stored.", NULL, 0);
    log->queue = metric_gauge(m, "weir_chat_store_queue",
                              "Chat messages and deletions that wait for the database.", NULL, 0);
    uv_timer_init(config->loop, &log->timer);
    log->timer.data = log;
    *out = log;
    return OK;
}

static void on_timer_closed(uv_handle_t *h)
{
    struct chat_log *log = h->data;
    void (*closed)(void *) = log->closed;
    void *ctx = log->closed_ctx;
    while (!list_empty(&log->waiting))
        drop_first(log);
    free(log);
    if (closed)
        closed(ctx);
}

void chat_log_close(struct chat_log *log, void (*closed)(void *ctx), void *ctx)
{
    struct list *from = log->waiting.next;
    log->closed = closed;
    log->closed_ctx = ctx;
    if (log->flight)
        log->flight->log = NULL;
    for (unsigned i = 0; i < log->n_flying; i++)
        from = from->next;
    for (unsigned n; from != &log->waiting;) {
        if (hand_in(log, &from, NULL, NULL, &n) != OK)
            break;
    }
    uv_close((uv_handle_t *)&log->timer, on_timer_closed);
}
