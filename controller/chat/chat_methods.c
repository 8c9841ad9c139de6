#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "controller/chat/chat_state.h"
#include "controller/chat/chat_store.h"
#include "controller/chat/chat_text.h"

enum { REASON_MAX = CHAT_REFUSAL_MAX, REPLY_HEAD = 100 };

/* Who asks; NULL: was answered. */
static struct chat_member *member(struct chat *c, const struct room_call *call)
{
    struct chat_member *m = chat_member_of(c, call->peer);
    if (!m)
        room_call_fail(c->config.rooms, call, ERR_UNAVAILABLE, "the chat is not open");
    return m;
}

static struct chat_member *moderator(struct chat *c, const struct room_call *call,
                                     enum sig_chat_role least)
{
    struct chat_member *m = member(c, call);
    if (!m || chat_role_of(m->room, &m->who) >= least)
        return m;
    room_call_fail(c->config.rooms, call, ERR_DENIED,
                   least == SIG_CHAT_MODERATOR ? "only moderators may do this"
                                               : "only the broadcaster may do this");
    return NULL;
}

static void fail(struct chat *c, const struct room_call *call, enum err e, const char *reason)
{
    room_call_fail(c->config.rooms, call, e, reason);
}

/* ---- sendChat ---- */

/* Why m may not write this now; OK: it may, and that counts against its pace. */
static enum err may_write(struct chat_member *m, const char *text, char reason[REASON_MAX])
{
    struct chat_room *r = m->room;
    const struct chat_config *config = &r->chat->config;
    bool viewer = chat_role_of(r, &m->who) == SIG_CHAT_VIEWER;
    int64_t now = chat_now_ms();
    const struct chat_ban *ban = viewer
                                     ? chat_rules_banned(&r->rules, m->who.author_id,
                                                         m->who.user_id[0] ? "" : m->address, now)
                                     : NULL;
    if (ban && ban->until_ms == CHAT_FOR_GOOD) {
        snprintf(reason, REASON_MAX, "banned from this chat");
        return ERR_DENIED;
    }
    if (ban) {
        snprintf(reason, REASON_MAX, "timed out for another %lld s",
                 (long long)(ban->until_ms - now + 999) / 1000);
        return ERR_DENIED;
    }
    if (viewer && !r->rules.links && chat_text_has_link(text)) {
        snprintf(reason, REASON_MAX, "message: links are not allowed in this chat");
        return ERR_DENIED;
    }
    if (viewer && chat_text_has_word(text, (const char *const *)r->rules.words, r->rules.n_words)) {
        snprintf(reason, REASON_MAX, "message: has a word that is not allowed in this chat");
        return ERR_DENIED;
    }
    struct chat_pace_limits limits = {.per_minute = config->per_minute,
                                      .burst = config->burst,
                                      .slow_s = viewer ? r->rules.slow_s : 0};
    unsigned wait;
    enum err e = chat_pace_take(&r->pace, m->who.author_id, &limits, clock_now(), &wait);
    if (e != OK)
        snprintf(reason, REASON_MAX, "too fast: wait %u s", wait);
    return e;
}

static enum err clean(const struct chat *c, const char *in, char out[CHAT_TEXT_MAX + 1],
                      char reason[REASON_MAX])
{
    enum err e = chat_text_clean(in, c->config.message_max, out);
    if (e == ERR_TOO_LARGE)
        snprintf(reason, REASON_MAX, "message: at most %u characters", c->config.message_max);
    else if (e == ERR_RANGE)
        snprintf(reason, REASON_MAX, "message: there is nothing to see in it");
    else if (e != OK)
        snprintf(reason, REASON_MAX, "message: is not UTF-8");
    return e;
}

/* People that text has by @name: who is here, and who wrote lately. */
static size_t find_mentions(const struct chat_room *r, const char *text,
                            const char *out[SIG_CHAT_MENTIONS_MAX])
{
    /* Names of more members are not looked at: a message would cost as much as its readers. */
    enum { LOOKED_AT_MAX = 500 };
    size_t n = 0;
    size_t looked = 0;
    if (!strchr(text, '@'))
        return 0;
    for (size_t i = r->history.n; i > 0 && n < SIG_CHAT_MENTIONS_MAX; i--) {
        const struct chat_message *m = r->history.at[i - 1];
        bool there = m->display_name[0] == '\0' || !chat_text_mentions(text, m->display_name);
        for (size_t k = 0; k < n && !there; k++)
            there = strcmp(out[k], m->author_id) == 0;
        if (!there)
            out[n++] = m->author_id;
    }
    list_each (node, (struct list *)(uintptr_t)&r->members) {
        const struct chat_member *m = container_of(node, struct chat_member, node);
        if (n == SIG_CHAT_MENTIONS_MAX || looked++ == LOOKED_AT_MAX)
            break;
        bool there =
            m->who.display_name[0] == '\0' || !chat_text_mentions(text, m->who.display_name);
        for (size_t k = 0; k < n && !there; k++)
            there = strcmp(out[k], m->who.author_id) == 0;
        if (!there)
            out[n++] = m->who.author_id;
    }
    return n;
}

static struct chat_message *compose(struct chat_member *m, const char *text, const char *reply_to,
                                    const char *id)
{
    struct chat_room *r = m->room;
    const char *mentions[SIG_CHAT_MENTIONS_MAX];
    char head[REPLY_HEAD * 4 + 1];
    struct sig_chat_reply reply;
    const struct chat_message *to = reply_to ? chat_history_find(&r->history, reply_to) : NULL;
    struct sig_chat_message out = {.message_id = id,
                                   .author_id = m->who.author_id,
                                   .display_name = m->who.display_name,
                                   .role = (int)chat_role_of(r, &m->who),
                                   .guest = m->who.user_id[0] == '\0',
                                   .message = text,
                                   .created_at = chat_now_ms(),
                                   .mentions = mentions};
    out.n_mentions = find_mentions(r, text, mentions);
    if (out.n_mentions == 0)
        out.mentions = NULL;
    if (to) { /* else it is gone: the message stands for itself */
        chat_text_head(to->text, REPLY_HEAD, head, sizeof head);
        reply = (struct sig_chat_reply){.message_id = to->id,
                                        .author_id = to->author_id,
                                        .display_name = to->display_name,
                                        .message = head};
        out.reply_to = &reply;
    }
    return chat_message_new(&out);
}

/* The message that m may send now. */
static enum err prepare(struct chat_member *m, const char *given, const char *reply_to,
                        char id[CHAT_ID_LEN], char reason[REASON_MAX], struct chat_message **out)
{
    struct chat *c = m->room->chat;
    char text[CHAT_TEXT_MAX + 1];
    enum err e = clean(c, given, text, reason);
    if (e == OK)
        e = may_write(m, text, reason);
    if (e != OK) {
        metric_add(c->refused, 1);
        return e;
    }
    chat_id_make(&c->ids, c->config.rng, chat_now_ms(), id);
    *out = compose(m, text, reply_to, id);
    return *out ? OK : ERR_NOMEM;
}

enum err chat_say(struct chat_member *m, const char *text, const char *reply_to,
                  char id[CHAT_ID_LEN], char reason[CHAT_REFUSAL_MAX])
{
    struct chat_message *message;
    enum err e = prepare(m, text, reply_to, id, reason, &message);
    if (e == OK)
        chat_room_say(m->room, message, m->who.user_id[0] ? m->who.user_id : NULL);
    return e;
}

static void on_send(void *ctx, const struct room_call *call)
{
    struct chat *c = ctx;
    const struct sig_send_chat *in = call->data;
    struct chat_member *m = member(c, call);
    struct chat_message *message;
    char reason[REASON_MAX] = "";
    char id[CHAT_ID_LEN];
    if (!m)
        return;
    enum err e = prepare(m, in->message, in->reply_to, id, reason, &message);
    if (e != OK) {
        fail(c, call, e, reason);
        return;
    }
    struct sig_send_chat_answer answer = {.message_id = id};
    room_call_answer(c->config.rooms, call, shape_encode(&sig_send_chat_answer_shape, &answer));
    chat_room_say(m->room, message, m->who.user_id[0] ? m->who.user_id : NULL);
}

/* ---- getChatHistory ---- */

/* Asked of the database; both may be gone when it answers. */
struct history_wait {
    struct list node; /* in chat->history_waits */
    struct chat *chat;
    struct room_call call;
};

static void on_older(void *ctx, enum err e, const struct sig_chat_message *list, size_t n)
{
    struct history_wait *w = ctx;
    struct chat *c = w->chat;
    struct sig_chat_messages answer = {.messages = (struct sig_chat_message *)(uintptr_t)list,
                                       .n_messages = n};
    if (c) {
        list_remove(&w->node);
        if (e == OK)
            room_call_answer(c->config.rooms, &w->call,
                             shape_encode(&sig_chat_messages_shape, &answer));
        else
            fail(c, &w->call, e, "older messages cannot be read now");
    }
    free(w);
}

static void answer_older(struct chat *c, const struct chat_member *m, const struct room_call *call,
                         const struct sig_get_chat_history *in)
{
    struct history_wait *w = calloc(1, sizeof *w);
    enum err e = w ? OK : ERR_NOMEM;
    if (w) {
        *w = (struct history_wait){.chat = c, .call = *call};
        w->call.peer = NULL;
        w->call.data = NULL;
        list_add(&c->history_waits, &w->node);
        e = chat_store_recent(c->config.db, m->room->id, in->before,
                              in->has_limit ? in->limit : SIG_CHAT_HISTORY, on_older, w);
    }
    if (e == OK)
        return;
    if (w)
        list_remove(&w->node);
    free(w);
    fail(c, call, e, "older messages cannot be read now");
}

static void on_history(void *ctx, const struct room_call *call)
{
    struct chat *c = ctx;
    const struct sig_get_chat_history *in = call->data;
    struct chat_member *m = member(c, call);
    if (!m)
        return;
    if (in->before) {
        answer_older(c, m, call, in);
        return;
    }
    const struct chat_history *h = &m->room->history;
    size_t limit = in->has_limit ? in->limit : SIG_CHAT_HISTORY;
    json_t *list = json_array();
    for (size_t i = h->n > limit ? h->n - limit : 0; i < h->n; i++)
        json_array_append_new(list, json_loadb(h->at[i]->json, h->at[i]->json_n, 0, NULL));
    room_call_answer(c->config.rooms, call, json_pack("{s:o}", "messages", list));
}

/* ---- moderation ---- */

/* The role of somebody who may not be here. */
static enum sig_chat_role role_of_author(const struct chat_room *r, const char *author_id)
{
    enum sig_chat_role role =
        chat_rules_is_moderator(&r->rules, author_id) ? SIG_CHAT_MODERATOR : SIG_CHAT_VIEWER;
    list_each (node, (struct list *)(uintptr_t)&r->members) {
        const struct chat_member *m = container_of(node, struct chat_member, node);
        if (strcmp(m->who.author_id, author_id) == 0 && m->who.role > role)
            role = m->who.role;
    }
    for (size_t i = 0; i < r->history.n; i++) {
        const struct chat_message *m = r->history.at[i];
        if (m->role > SIG_CHAT_MODERATOR && m->role > role && strcmp(m->author_id, author_id) == 0)
            role = m->role;
    }
    return role;
}

static const char *name_of_author(const struct chat_room *r, const char *author_id)
{
    list_each (node, (struct list *)(uintptr_t)&r->members) {
        const struct chat_member *m = container_of(node, struct chat_member, node);
        if (strcmp(m->who.author_id, author_id) == 0)
            return m->who.display_name;
    }
    for (size_t i = r->history.n; i > 0; i--) {
        if (strcmp(r->history.at[i - 1]->author_id, author_id) == 0)
            return r->history.at[i - 1]->display_name;
    }
    return "";
}

static void on_delete(void *ctx, const struct room_call *call)
{
    struct chat *c = ctx;
    const struct sig_on_chat_message *in = call->data;
    struct chat_member *m = member(c, call);
    if (!m)
        return;
    enum sig_chat_role role = chat_role_of(m->room, &m->who);
    const struct chat_message *message = chat_history_find(&m->room->history, in->message_id);
    bool own = message && strcmp(message->author_id, m->who.author_id) == 0;
    if (!message) {
        fail(c, call, ERR_NOT_FOUND, "messageId: is not among the last messages");
    } else if (!own && (role < SIG_CHAT_MODERATOR || message->role > role)) {
        fail(c, call, ERR_DENIED, "not yours to take away");
    } else {
        const char *ids[] = {in->message_id};
        chat_room_delete(m->room, ids, 1, m->who.author_id);
        room_call_answer(c->config.rooms, call, NULL);
    }
}

static void on_ban(void *ctx, const struct room_call *call)
{
    struct chat *c = ctx;
    const struct sig_ban_from_chat *in = call->data;
    struct chat_member *m = moderator(c, call, SIG_CHAT_MODERATOR);
    if (!m)
        return;
    if (role_of_author(m->room, in->author_id) >= chat_role_of(m->room, &m->who)) {
        fail(c, call, ERR_DENIED, "authorId: may do as much as you here");
        return;
    }
    struct chat_ban ban = {.since_ms = chat_now_ms()};
    ban.until_ms = in->has_seconds ? ban.since_ms + (int64_t)in->seconds * 1000 : CHAT_FOR_GOOD;
    snprintf(ban.author_id, sizeof ban.author_id, "%s", in->author_id);
    snprintf(ban.display_name, sizeof ban.display_name, "%s",
             name_of_author(m->room, in->author_id));
    snprintf(ban.reason, sizeof ban.reason, "%s", in->reason ? in->reason : "");
    snprintf(ban.by, sizeof ban.by, "%s", m->who.author_id);
    enum err e = chat_room_ban(m->room, &ban);
    if (e == OK)
        room_call_answer(c->config.rooms, call, NULL);
    else
        fail(c, call, e, "");
}

static void on_unban(void *ctx, const struct room_call *call)
{
    struct chat *c = ctx;
    const struct sig_on_chat_author *in = call->data;
    struct chat_member *m = moderator(c, call, SIG_CHAT_MODERATOR);
    if (!m)
        return;
    chat_room_unban(m->room, in->author_id);
    room_call_answer(c->config.rooms, call, NULL);
}

static void on_bans(void *ctx, const struct room_call *call)
{
    struct chat *c = ctx;
    struct chat_member *m = moderator(c, call, SIG_CHAT_MODERATOR);
    if (!m)
        return;
    struct chat_rules *rules = &m->room->rules;
    chat_rules_expire(rules, chat_now_ms());
    struct sig_chat_bans answer = {.bans =
                                       calloc(HASH_COUNT(rules->bans) + 1, sizeof *answer.bans)};
    for (struct chat_ban *b = answer.bans ? rules->bans : NULL; b; b = b->hh.next)
        answer.bans[answer.n_bans++] =
            (struct sig_chat_ban){.author_id = b->author_id,
                                  .display_name = b->display_name,
                                  .has_until = b->until_ms != CHAT_FOR_GOOD,
                                  .until = b->until_ms,
                                  .reason = b->reason[0] != '\0' ? b->reason : NULL};
    room_call_answer(c->config.rooms, call,
                     answer.bans ? shape_encode(&sig_chat_bans_shape, &answer) : NULL);
    free(answer.bans);
}

static void on_moderator(void *ctx, const struct room_call *call)
{
    struct chat *c = ctx;
    const struct sig_set_chat_moderator *in = call->data;
    struct chat_member *m = moderator(c, call, SIG_CHAT_BROADCASTER);
    if (!m)
        return;
    enum err e = chat_room_set_moderator(m->room, in->author_id, in->moderator);
    if (e == OK)
        room_call_answer(c->config.rooms, call, NULL);
    else
        fail(c, call, e, e == ERR_FULL ? "there are as many moderators as there may be" : "");
}

/* ---- settings ---- */

static void answer_settings(struct chat *c, const struct chat_member *m,
                            const struct room_call *call)
{
    const struct chat_rules *rules = &m->room->rules;
    const char *none[] = {NULL};
    struct sig_chat_settings answer = {.slow_mode = rules->slow_s,
                                       .has_slow_mode = true,
                                       .links = rules->links,
                                       .has_links = true,
                                       .words = rules->words ? (const char **)rules->words : none,
                                       .n_words = rules->n_words};
    room_call_answer(c->config.rooms, call, shape_encode(&sig_chat_settings_shape, &answer));
}

static void on_get_settings(void *ctx, const struct room_call *call)
{
    struct chat_member *m = moderator(ctx, call, SIG_CHAT_MODERATOR);
    if (m)
        answer_settings(ctx, m, call);
}

/* Words are one line of visible text each. */
static enum err set_words(struct chat_rules *rules, const struct sig_chat_settings *in)
{
    char(*cleaned)[CHAT_TEXT_MAX + 1] = malloc(sizeof *cleaned * (in->n_words + 1));
    const char *words[SIG_CHAT_WORDS_MAX];
    enum err e = cleaned ? OK : ERR_NOMEM;
    for (size_t i = 0; i < in->n_words && e == OK; i++) {
        e = chat_text_clean(in->words[i], CHAT_WORD_MAX, cleaned[i]);
        words[i] = cleaned[i];
    }
    if (e == OK)
        e = chat_rules_set_words(rules, words, in->n_words);
    free(cleaned);
    return e;
}

static void on_set_settings(void *ctx, const struct room_call *call)
{
    struct chat *c = ctx;
    const struct sig_chat_settings *in = call->data;
    struct chat_member *m = moderator(c, call, SIG_CHAT_MODERATOR);
    if (!m)
        return;
    struct chat_rules *rules = &m->room->rules;
    enum err e = in->words ? set_words(rules, in) : OK;
    if (e != OK) {
        fail(c, call, e == ERR_NOMEM ? e : ERR_RANGE, "words: each has 1 to 64 bytes of text");
        return;
    }
    if (in->has_slow_mode)
        rules->slow_s = in->slow_mode;
    if (in->has_links)
        rules->links = in->links;
    chat_room_settings_changed(m->room);
    answer_settings(c, m, call);
}

/* ---- the table ---- */

static const struct {
    enum sig_method method;
    room_call_fn *fn;
} methods[] = {
    {SIG_SEND_CHAT, on_send},
    {SIG_GET_CHAT_HISTORY, on_history},
    {SIG_DELETE_CHAT_MESSAGE, on_delete},
    {SIG_BAN_FROM_CHAT, on_ban},
    {SIG_UNBAN_FROM_CHAT, on_unban},
    {SIG_GET_CHAT_BANS, on_bans},
    {SIG_SET_CHAT_MODERATOR, on_moderator},
    {SIG_GET_CHAT_SETTINGS, on_get_settings},
    {SIG_SET_CHAT_SETTINGS, on_set_settings},
};

void chat_add_methods(struct chat *c)
{
    list_init(&c->history_waits);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        rooms_answer_method(c->config.rooms, methods[i].method, methods[i].fn, c);
}

void chat_remove_methods(struct chat *c)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        rooms_answer_method(c->config.rooms, methods[i].method, NULL, NULL);
    list_each (node, &c->history_waits) {
        container_of(node, struct history_wait, node)->chat = NULL;
        list_remove(node);
    }
}
