/* What a room's stores know when it opens: asked for at once, and put together as it comes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "controller/chat/chat_state.h"
#include "controller/chat/chat_store.h"

/* An answer that is waited for; room and chat may be gone when it comes. */
struct load {
    struct list node;  /* in chat->loading */
    struct chat *chat; /* NULL: it is closed */
    char room_id[ROOM_ID_MAX + 1];
};

static struct load *load_new(struct chat_room *r)
{
    struct load *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->chat = r->chat;
    snprintf(l->room_id, sizeof l->room_id, "%s", r->id);
    list_add(&r->chat->loading, &l->node);
    r->loads++;
    return l;
}

/* The room, if it is still there. */
static struct chat_room *load_end(struct load *l)
{
    struct chat_room *r = l->chat ? chat_room_find(l->chat, l->room_id) : NULL;
    if (l->chat)
        list_remove(&l->node);
    free(l);
    if (r && r->loads > 0)
        r->loads--;
    return r;
}

void chat_loads_forget(struct chat *c)
{
    list_each (node, &c->loading) {
        container_of(node, struct load, node)->chat = NULL;
        list_remove(node);
    }
}

static void failed(const char *room_id, const char *what, enum err e)
{
    if (e != ERR_UNAVAILABLE && e != ERR_CLOSED)
        log_warn("chat.not_loaded", "room=%s what=%s why=%s", room_id, what, err_name(e));
}

/* ---- messages ---- */

static void on_messages(void *ctx, enum err e, const struct sig_chat_message *list, size_t n)
{
    struct chat_room *r = load_end(ctx);
    bool changed = false;
    if (!r)
        return;
    if (e != OK)
        failed(r->id, "messages", e);
    for (size_t i = 0; i < n; i++) {
        struct chat_message *m = chat_message_new(&list[i]);
        if (m)
            changed = chat_history_insert(&r->history, m) || changed;
    }
    chat_room_loaded(r, changed);
}

void chat_load_messages(struct chat_room *r)
{
    struct load *l = load_new(r);
    if (!l)
        return;
    enum err e =
        chat_store_recent(r->chat->config.db, r->id, NULL, SIG_CHAT_HISTORY, on_messages, l);
    if (e == OK)
        return;
    failed(r->id, "messages", e);
    (void)load_end(l);
}

/* ---- rules ---- */

static void on_rules(void *ctx, enum err e, struct chat_rules *rules)
{
    struct chat_room *r = load_end(ctx);
    if (!r)
        return;
    if (rules) {
        struct chat_rules old = r->rules;
        r->rules = *rules;
        *rules = old; /* freed by who called */
        chat_room_rules_loaded(r);
    } else {
        failed(r->id, "rules", e);
    }
    chat_room_loaded(r, false);
}

void chat_load_rules(struct chat_room *r)
{
    struct load *l = load_new(r);
    if (!l)
        return;
    enum err e = chat_store_rules(r->chat->config.db, r->id, chat_now_ms(), on_rules, l);
    if (e == OK)
        return;
    failed(r->id, "rules", e);
    (void)load_end(l);
}
