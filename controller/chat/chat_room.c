#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "controller/chat/chat_state.h"
#include "controller/chat/chat_store.h"

static void on_stored(void *ctx, enum err e)
{
    (void)ctx;
    if (e != OK)
        log_warn("chat.rule_not_stored", "why=%s", err_name(e));
}

/* ---- what members are told ---- */

/* {"messages":[...],...} of the messages' own JSON. */
static char *history_json(const struct chat_room *r, size_t *n)
{
    size_t room = 256;
    for (size_t i = 0; i < r->history.n; i++)
        room += r->history.at[i]->json_n + 1;
    char *text = malloc(room);
    if (!text)
        return NULL;
    size_t used = (size_t)snprintf(text, room, "{\"messages\":[");
    for (size_t i = 0; i < r->history.n; i++) {
        const struct chat_message *m = r->history.at[i];
        if (i > 0)
            text[used++] = ',';
        memcpy(text + used, m->json, m->json_n);
        used += m->json_n;
    }
    used += (size_t)snprintf(text + used, room - used,
                             "],\"slowMode\":%u,\"links\":%s,\"messageMax\":%u}", r->rules.slow_s,
                             r->rules.links ? "true" : "false", r->chat->config.message_max);
    *n = used;
    return text;
}

/* Made once for all who join until something changes. */
static struct blob *history_bytes(struct chat_room *r)
{
    size_t n = 0;
    char *text = r->history_bytes ? NULL : history_json(r, &n);
    if (text)
        r->history_bytes = rooms_event_bytes(SIG_EVENT_CHAT_HISTORY, text, n);
    free(text);
    return r->history_bytes;
}

static void history_changed(struct chat_room *r)
{
    blob_unref(r->history_bytes);
    r->history_bytes = NULL;
}

void chat_member_tell(struct chat_member *m)
{
    struct chat_room *r = m->room;
    struct sig_chat_identity event = {.author_id = m->who.author_id,
                                      .display_name = m->who.display_name,
                                      .role = (int)chat_role_of(r, &m->who)};
    const struct chat_ban *ban =
        event.role == SIG_CHAT_VIEWER
            ? chat_rules_banned(&r->rules, m->who.author_id, m->who.user_id[0] ? "" : m->address,
                                chat_now_ms())
            : NULL;
    if (ban) {
        event.banned = true;
        event.has_until = ban->until_ms != CHAT_FOR_GOOD;
        event.until = ban->until_ms;
        event.reason = ban->reason;
    }
    peer_notify(m->peer, SIG_EVENT_CHAT_IDENTITY, &event);
}

static void tell_history(struct chat_room *r, struct chat_member *m)
{
    struct blob *bytes = history_bytes(r);
    if (bytes)
        peer_notify_bytes(m->peer, bytes);
}

static void tell_all_history(struct chat_room *r)
{
    struct blob *bytes = history_bytes(r);
    if (bytes)
        room_notify_bytes(r->room, bytes);
}

void chat_room_greet(struct chat_room *r, struct chat_member *m)
{
    if (r->loads > 0) {
        r->greeting = true; /* with all others that wait, when the stores have answered */
        return;
    }
    chat_member_tell(m);
    tell_history(r, m);
}

static void tell_everybody_who_they_are(struct chat_room *r)
{
    list_each (node, &r->members) {
        chat_member_tell(container_of(node, struct chat_member, node));
    }
}

void chat_room_loaded(struct chat_room *r, bool changed)
{
    if (changed)
        history_changed(r);
    if (r->greeting && r->loads == 0) {
        r->greeting = false;
        tell_everybody_who_they_are(r);
        tell_all_history(r);
    } else if (changed && !r->greeting) {
        tell_all_history(r);
    }
}

void chat_room_rules_loaded(struct chat_room *r)
{
    history_changed(r);
    if (r->greeting)
        return;
    struct sig_chat_rules event = {.slow_mode = r->rules.slow_s, .links = r->rules.links};
    room_notify(r->room, SIG_EVENT_CHAT_RULES, &event);
    tell_everybody_who_they_are(r);
}

/* ---- messages ---- */

void chat_room_deliver(struct chat_room *r, struct chat_message *m)
{
    m->stamp = ++r->stamp;
    struct blob *bytes = rooms_event_bytes(SIG_EVENT_CHAT_MESSAGE, m->json, m->json_n);
    if (!chat_history_add(&r->history, m)) {
        blob_unref(bytes);
        return;
    }
    history_changed(r);
    if (bytes)
        room_notify_bytes(r->room, bytes);
    blob_unref(bytes);
}

void chat_room_say(struct chat_room *r, struct chat_message *m, const char *user_id)
{
    m->mine = true;
    chat_log_message(r->chat->log, r->id, user_id, m);
    metric_add(r->chat->messages, 1);
    /* By the bus it comes back in the order of all controllers. */
    if (!chat_bus_say(r->chat->bus, r, m))
        chat_room_deliver(r, m);
}

void chat_room_replace(struct chat_room *r, struct chat_message **list, size_t n, uint64_t stamp)
{
    struct chat_message *all[2 * SIG_CHAT_HISTORY];
    size_t n_all = 0;
    for (size_t i = 0; i < n && i < SIG_CHAT_HISTORY; i++) {
        const struct chat_message *known = chat_history_find(&r->history, list[i]->id);
        list[i]->mine = known && known->mine;
        list[i]->stamp = known ? known->stamp : stamp;
        all[n_all++] = list[i];
    }
    struct chat_history *h = &r->history;
    for (size_t i = 0; i < h->n;) {
        bool listed = false;
        for (size_t k = 0; k < n && !listed; k++)
            listed = strcmp(list[k]->id, h->at[i]->id) == 0;
        if (h->at[i]->stamp <= stamp || listed) {
            i++;
            continue;
        }
        all[n_all++] = h->at[i]; /* came while the list was on its way */
        memmove(h->at + i, h->at + i + 1, (h->n - i - 1) * sizeof h->at[0]);
        h->n--;
    }
    chat_room_loaded(r, chat_history_replace(h, all, n_all));
}

void chat_room_take_away(struct chat_room *r, const char *const *ids, size_t n)
{
    const char *gone[SIG_CHAT_HISTORY];
    size_t n_gone = 0;
    for (size_t i = 0; i < n && n_gone < SIG_CHAT_HISTORY; i++) {
        if (chat_history_remove(&r->history, ids[i]))
            gone[n_gone++] = ids[i];
    }
    if (n_gone == 0)
        return;
    history_changed(r);
    struct sig_chat_deleted event = {.message_ids = gone, .n_message_ids = n_gone};
    room_notify(r->room, SIG_EVENT_CHAT_DELETED, &event);
}

void chat_room_delete(struct chat_room *r, const char *const *ids, size_t n, const char *by)
{
    for (size_t i = 0; i < n; i++)
        chat_log_deleted(r->chat->log, ids[i], by, chat_now_ms());
    chat_room_take_away(r, ids, n);
    chat_bus_deleted(r->chat->bus, r, ids, n, by);
}

/* ---- bans ---- */

/* Those for whom something may have changed. */
static void tell_author(struct chat_room *r, const char *author_id, const char *address)
{
    list_each (node, &r->members) {
        struct chat_member *m = container_of(node, struct chat_member, node);
        if (strcmp(m->who.author_id, author_id) == 0 ||
            (address[0] != '\0' && strcmp(m->address, address) == 0))
            chat_member_tell(m);
    }
}

/* A guest's address is known where its connection is. */
static bool add_address(const struct chat_room *r, struct chat_ban *ban)
{
    if (ban->address[0] != '\0')
        return false;
    list_each (node, (struct list *)(uintptr_t)&r->members) {
        const struct chat_member *m = container_of(node, struct chat_member, node);
        if (strcmp(m->who.author_id, ban->author_id) == 0 && m->who.user_id[0] == '\0')
            snprintf(ban->address, sizeof ban->address, "%s", m->address);
    }
    return ban->address[0] != '\0';
}

static void delete_of_author(struct chat_room *r, const char *author_id, const char *by)
{
    char ids[SIG_CHAT_HISTORY][CHAT_ID_LEN];
    const char *list[SIG_CHAT_HISTORY];
    size_t n = 0;
    for (size_t i = 0; i < r->history.n; i++) {
        if (strcmp(r->history.at[i]->author_id, author_id) != 0)
            continue;
        memcpy(ids[n], r->history.at[i]->id, sizeof ids[n]);
        list[n] = ids[n];
        n++;
    }
    if (n > 0)
        chat_room_delete(r, list, n, by);
}

enum err chat_room_hold_ban(struct chat_room *r, const struct chat_ban *given, bool *completed)
{
    struct chat_ban ban = *given;
    *completed = add_address(r, &ban);
    enum err e = chat_rules_ban(&r->rules, &ban, chat_now_ms());
    if (e == OK)
        tell_author(r, ban.author_id, ban.address);
    return e;
}

enum err chat_room_ban(struct chat_room *r, const struct chat_ban *ban)
{
    bool completed;
    struct chat_ban full = *ban;
    (void)add_address(r, &full);
    enum err e = chat_room_hold_ban(r, &full, &completed);
    if (e == OK)
        e = chat_store_ban(r->chat->config.db, r->id, &full, on_stored, NULL);
    if (e != OK && e != ERR_NOMEM)
        on_stored(NULL, e); /* it holds here all the same */
    chat_bus_banned(r->chat->bus, r, &full);
    delete_of_author(r, ban->author_id, ban->by);
    return e == ERR_NOMEM ? e : OK;
}

void chat_room_lift_ban(struct chat_room *r, const char *author_id)
{
    struct chat_ban *b = NULL;
    char address[CHAT_ADDRESS_LEN] = "";
    HASH_FIND_STR(r->rules.bans, author_id, b);
    if (b)
        memcpy(address, b->address, sizeof address);
    if (chat_rules_unban(&r->rules, author_id))
        tell_author(r, author_id, address);
}

void chat_room_unban(struct chat_room *r, const char *author_id)
{
    chat_room_lift_ban(r, author_id);
    chat_bus_unbanned(r->chat->bus, r, author_id);
    enum err e = chat_store_unban(r->chat->config.db, r->id, author_id, on_stored, NULL);
    if (e != OK)
        on_stored(NULL, e);
}

/* ---- moderators, settings ---- */

enum err chat_room_hold_moderator(struct chat_room *r, const char *author_id, bool is)
{
    enum err e = chat_rules_set_moderator(&r->rules, author_id, is);
    if (e == OK)
        tell_author(r, author_id, "");
    return e;
}

enum err chat_room_set_moderator(struct chat_room *r, const char *author_id, bool is)
{
    enum err e = chat_room_hold_moderator(r, author_id, is);
    if (e != OK)
        return e;
    e = chat_store_set_moderator(r->chat->config.db, r->id, author_id, is, chat_now_ms(), on_stored,
                                 NULL);
    if (e != OK)
        on_stored(NULL, e);
    chat_bus_moderator(r->chat->bus, r, author_id, is);
    return OK;
}

void chat_room_tell_settings(struct chat_room *r)
{
    history_changed(r);
    struct sig_chat_rules event = {.slow_mode = r->rules.slow_s, .links = r->rules.links};
    room_notify(r->room, SIG_EVENT_CHAT_RULES, &event);
}

void chat_room_settings_changed(struct chat_room *r)
{
    chat_room_tell_settings(r);
    chat_bus_settings(r->chat->bus, r);
    enum err e = chat_store_set_settings(r->chat->config.db, r->id, &r->rules, on_stored, NULL);
    if (e != OK)
        on_stored(NULL, e);
}

/* ---- life ---- */

enum err chat_room_open(struct chat *c, struct room *room, struct chat_room **out)
{
    struct chat_room *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->chat = c;
    r->room = room;
    snprintf(r->id, sizeof r->id, "%s", room_id(room));
    list_init(&r->members);
    chat_rules_init(&r->rules);
    HASH_ADD_STR(c->rooms, id, r);
    chat_load_messages(r);
    chat_load_rules(r);
    chat_bus_join(c->bus, r);
    *out = r;
    return OK;
}

void chat_room_close(struct chat_room *r)
{
    HASH_DEL(r->chat->rooms, r);
    chat_bus_leave(r->chat->bus, r);
    list_each (node, &r->members) {
        list_remove(node); /* members go with their peers */
    }
    blob_unref(r->history_bytes);
    chat_history_fini(&r->history);
    chat_rules_fini(&r->rules);
    chat_pace_fini(&r->pace);
    free(r);
}
