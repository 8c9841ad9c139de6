#include "controller/chat/chat_bus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "controller/chat/chat_event.h"
#include "controller/chat/chat_scripts.h"
#include "controller/chat/chat_state.h"
#include "controller/chat/chat_store.h"

CHOICE_DEFINE(chat_event_kind, CHAT_EVENT_KIND_MAP)
SHAPE_DEFINE(chat_event_ban, CHAT_EVENT_BAN_FIELDS)
SHAPE_DEFINE(chat_event, CHAT_EVENT_FIELDS)

/* A list nobody writes to is forgotten after a week; the database has it all. */
#define KEEP_S "604800"

enum {
    NAME_MAX_BYTES = 256,
    EVENT_BYTES_MAX = 64 * 1024,
    RELOAD_MS = 1000,
    SHA_LEN = 41,
    NUMBER_MAX = 24
};

enum script { SAY, DELETE, MERGE, SCRIPTS };
static const char *const scripts[SCRIPTS] = {
    [SAY] = CHAT_SCRIPT_SAY, [DELETE] = CHAT_SCRIPT_DELETE, [MERGE] = CHAT_SCRIPT_MERGE};

struct chat_bus {
    struct chat *chat;   /* parent, outlives us */
    struct redis *redis; /* ref */
    struct redis_observer observer;
    char node[37];
    char sha[SCRIPTS][SHA_LEN]; /* "": not loaded */
    struct list waiting;        /* of struct wait */
    int64_t loaded_ms;          /* when the scripts were asked for last */
    struct metric *merges;
};

/* A command whose answer is waited for; bus and room may be gone when it comes. */
struct wait {
    struct list node;     /* in bus->waiting */
    struct chat_bus *bus; /* NULL: closed */
    char room_id[ROOM_ID_MAX + 1];
    struct chat_message *message; /* owned; what is being said */
    enum script script;           /* that is loaded */
    uint64_t stamp;               /* of the room, when its list was asked for */
};

/* Key of the list; with ":deleted" of what was taken away; and the channel, which is named alike.
 */
static const char *name_of(const struct chat_bus *b, const char *room_id, const char *more,
                           char out[NAME_MAX_BYTES])
{
    snprintf(out, NAME_MAX_BYTES, "%.100schat:stream-%s%s", b->chat->config.redis_prefix, room_id,
             more);
    return out;
}

/* The room of a channel; NULL: none of ours. */
static struct chat_room *room_of(const struct chat_bus *b, const char *channel)
{
    char prefix[NAME_MAX_BYTES];
    size_t n = strlen(name_of(b, "", "", prefix));
    return strncmp(channel, prefix, n) == 0 ? chat_room_find(b->chat, channel + n) : NULL;
}

static bool is_ready(const struct chat_bus *b)
{
    for (int i = 0; b && i < SCRIPTS; i++) {
        if (b->sha[i][0] == '\0')
            return false;
    }
    return b && redis_is_up(b->redis);
}

static bool can_tell(const struct chat_bus *b, const struct chat_room *r)
{
    return is_ready(b) && r->bus.subscribed;
}

static struct wait *wait_new(struct chat_bus *b, const char *room_id)
{
    struct wait *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->bus = b;
    snprintf(w->room_id, sizeof w->room_id, "%s", room_id);
    list_add(&b->waiting, &w->node);
    return w;
}

static void wait_free(struct wait *w)
{
    if (w->bus)
        list_remove(&w->node);
    free(w->message);
    free(w);
}

/* The room it was about, if that is still there. */
static struct chat_room *room_of_wait(const struct wait *w)
{
    return w->bus ? chat_room_find(w->bus->chat, w->room_id) : NULL;
}

static void on_up(void *ctx);

/* ---- saying ---- */

/* The server has forgotten the scripts (SCRIPT FLUSH), or refuses to write: by ourselves until they
 * are loaded again. */
static void forget_scripts(struct chat_bus *b)
{
    for (int i = 0; b && i < SCRIPTS; i++)
        b->sha[i][0] = '\0';
}

void chat_bus_tick(struct chat_bus *b)
{
    if (b && redis_is_up(b->redis) && !is_ready(b) && chat_now_ms() - b->loaded_ms > RELOAD_MS)
        on_up(b);
}

static void on_said(void *ctx, enum err e, const struct redis_reply *reply)
{
    struct wait *w = ctx;
    if (e == ERR_IO)
        forget_scripts(w->bus);
    struct chat_room *r = room_of_wait(w);
    (void)reply;
    if (e != OK && r) { /* Redis goes away: to who is here; if it did take effect, that is seen */
        struct chat_message *m = w->message;
        w->message = NULL;
        chat_room_deliver(r, m);
    }
    wait_free(w);
}

/* "id json" */
static char *entry_of(const struct chat_message *m, size_t *n)
{
    *n = CHAT_ID_LEN + m->json_n;
    char *entry = malloc(*n + 1);
    if (entry)
        snprintf(entry, *n + 1, "%s %s", m->id, m->json);
    return entry;
}

bool chat_bus_say(struct chat_bus *b, struct chat_room *r, struct chat_message *m)
{
    char list[NAME_MAX_BYTES];
    size_t n;
    if (!can_tell(b, r))
        return false;
    struct wait *w = wait_new(b, r->id);
    char *entry = entry_of(m, &n);
    enum err e = ERR_NOMEM;
    if (w && entry) {
        name_of(b, r->id, "", list);
        const char *args[] = {"EVALSHA", b->sha[SAY], "1", list, list, KEEP_S, b->node, entry};
        e = redis_command(b->redis, args, NULL, sizeof args / sizeof args[0], on_said, w);
    }
    free(entry);
    if (e == OK)
        w->message = m;
    else if (w)
        wait_free(w);
    return e == OK;
}

/* ---- the list ---- */

static void end_waiting(struct chat_room *r)
{
    if (!r->bus.waiting)
        return;
    r->bus.waiting = false;
    r->loads--;
    chat_room_loaded(r, false);
}

static void on_list(void *ctx, enum err e, const struct redis_reply *reply)
{
    struct wait *w = ctx;
    struct chat_room *r = room_of_wait(w);
    struct chat_message *list[SIG_CHAT_HISTORY];
    size_t n = 0;
    uint64_t stamp = w->stamp;
    wait_free(w);
    if (!r)
        return;
    for (size_t i = 0; e == OK && i < redis_reply_count(reply) && n < SIG_CHAT_HISTORY; i++) {
        size_t length;
        const char *entry = redis_reply_text(reply, i, &length);
        /* What another wrote wrong is left out. */
        if (entry && length > CHAT_ID_LEN &&
            chat_message_parse(entry + CHAT_ID_LEN, length - CHAT_ID_LEN, &list[n]) == OK)
            n++;
    }
    if (r->bus.waiting) {
        r->bus.waiting = false;
        r->loads--;
    }
    if (e == OK)
        chat_room_replace(r, list, n, stamp);
    else
        chat_room_loaded(r, false);
}

static void read_list(struct chat_bus *b, struct chat_room *r)
{
    char list[NAME_MAX_BYTES];
    struct wait *w = wait_new(b, r->id);
    if (!w)
        return;
    w->stamp = r->stamp;
    const char *args[] = {"LRANGE", name_of(b, r->id, "", list), "0", "-1"};
    if (redis_command(b->redis, args, NULL, 4, on_list, w) != OK)
        wait_free(w);
}

/* What we have, and the list has not, goes into it; and what it has comes here. */
static void merge(struct chat_bus *b, struct chat_room *r)
{
    enum { FIXED = 10 };
    const char *args[FIXED + CHAT_GONE_MAX + SIG_CHAT_HISTORY];
    char *entries[SIG_CHAT_HISTORY];
    char list[NAME_MAX_BYTES];
    char deleted[NAME_MAX_BYTES];
    char now[NUMBER_MAX];
    char n_gone[NUMBER_MAX];
    size_t n = 0;
    size_t length;
    unsigned gone = r->bus.n_gone < CHAT_GONE_MAX ? r->bus.n_gone : CHAT_GONE_MAX;
    struct wait *w = wait_new(b, r->id);
    if (!w)
        return;
    w->stamp = r->stamp;
    snprintf(now, sizeof now, "%lld", (long long)chat_now_ms());
    snprintf(n_gone, sizeof n_gone, "%u", gone);
    name_of(b, r->id, "", list);
    const char *fixed[FIXED] = {
        "EVALSHA", b->sha[MERGE], "2", list,    name_of(b, r->id, ":deleted", deleted),
        list,      KEEP_S,        now, b->node, n_gone};
    memcpy(args, fixed, sizeof fixed);
    n = FIXED;
    for (unsigned i = 0; i < gone; i++)
        args[n++] = r->bus.gone[i];
    size_t n_entries = 0;
    for (size_t i = 0; i < r->history.n; i++) {
        entries[n_entries] = entry_of(r->history.at[i], &length);
        if (entries[n_entries])
            args[n++] = entries[n_entries++];
    }
    if (redis_command(b->redis, args, NULL, n, on_list, w) != OK)
        wait_free(w);
    while (n_entries > 0)
        free(entries[--n_entries]);
    metric_add(b->merges, 1);
}

/* ---- telling ---- */

static char *event_text(const struct chat_bus *b, struct chat_event *event, size_t *n)
{
    event->node = b->node;
    json_t *object = shape_encode(&chat_event_shape, event);
    char *json = object ? json_dumps(object, JSON_COMPACT) : NULL;
    char *text = json ? malloc(strlen(json) + 2) : NULL;
    if (text)
        *n = (size_t)sprintf(text, "e%s", json);
    free(json);
    json_decref(object);
    return text;
}

static void tell(struct chat_bus *b, struct chat_room *r, struct chat_event *event)
{
    char channel[NAME_MAX_BYTES];
    size_t n = 0;
    if (!can_tell(b, r))
        return; /* the others read the database when they are back */
    char *text = event_text(b, event, &n);
    if (!text)
        return;
    const char *args[] = {"PUBLISH", name_of(b, r->id, "", channel), text};
    if (redis_command(b->redis, args, NULL, 3, NULL, NULL) != OK)
        log_warn("chat.not_told", "room=%s", r->id);
    free(text);
}

static void remember_gone(struct chat_room *r, const char *const *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        snprintf(r->bus.gone[r->bus.n_gone++ % CHAT_GONE_MAX], CHAT_ID_LEN, "%s", ids[i]);
}

void chat_bus_deleted(struct chat_bus *b, struct chat_room *r, const char *const *ids, size_t n,
                      const char *by)
{
    enum { FIXED = 9 };
    const char *args[FIXED + SIG_CHAT_HISTORY];
    char list[NAME_MAX_BYTES];
    char deleted[NAME_MAX_BYTES];
    char now[NUMBER_MAX];
    size_t length;
    if (!b)
        return;
    const char *list_of_ids[SIG_CHAT_HISTORY];
    n = n < SIG_CHAT_HISTORY ? n : SIG_CHAT_HISTORY;
    memcpy(list_of_ids, ids, n * sizeof ids[0]);
    struct chat_event event = {
        .kind = CHAT_EVENT_DELETED, .message_ids = list_of_ids, .n_message_ids = n, .by = by};
    char *text = can_tell(b, r) ? event_text(b, &event, &length) : NULL;
    if (text) {
        snprintf(now, sizeof now, "%lld", (long long)chat_now_ms());
        name_of(b, r->id, "", list);
        const char *fixed[FIXED] = {
            "EVALSHA", b->sha[DELETE], "2", list, name_of(b, r->id, ":deleted", deleted),
            list,      KEEP_S,         now, text};
        memcpy(args, fixed, sizeof fixed);
        memcpy(args + FIXED, list_of_ids, n * sizeof ids[0]);
        if (redis_command(b->redis, args, NULL, FIXED + n, NULL, NULL) != OK)
            log_warn("chat.not_told", "room=%s", r->id);
    }
    free(text);
    /* Also what was handed in: if it does not get there, the next merge puts it right. */
    remember_gone(r, list_of_ids, n);
}

void chat_bus_banned(struct chat_bus *b, struct chat_room *r, const struct chat_ban *ban)
{
    struct chat_event_ban out = {.author_id = ban->author_id,
                                 .address = ban->address,
                                 .display_name = ban->display_name,
                                 .reason = ban->reason,
                                 .by = ban->by,
                                 .since = ban->since_ms,
                                 .until = ban->until_ms,
                                 .has_until = ban->until_ms != CHAT_FOR_GOOD};
    struct chat_event event = {.kind = CHAT_EVENT_BANNED, .ban = &out};
    tell(b, r, &event);
}

void chat_bus_unbanned(struct chat_bus *b, struct chat_room *r, const char *author_id)
{
    struct chat_event event = {.kind = CHAT_EVENT_UNBANNED, .author_id = author_id};
    tell(b, r, &event);
}

void chat_bus_moderator(struct chat_bus *b, struct chat_room *r, const char *author_id, bool is)
{
    struct chat_event event = {.kind = CHAT_EVENT_MODERATOR,
                               .author_id = author_id,
                               .moderator = is,
                               .has_moderator = true};
    tell(b, r, &event);
}

void chat_bus_settings(struct chat_bus *b, struct chat_room *r)
{
    const char *none[] = {NULL};
    struct sig_chat_settings settings = {.slow_mode = r->rules.slow_s,
                                         .has_slow_mode = true,
                                         .links = r->rules.links,
                                         .has_links = true,
                                         .words =
                                             r->rules.words ? (const char **)r->rules.words : none,
                                         .n_words = r->rules.n_words};
    struct chat_event event = {.kind = CHAT_EVENT_SETTINGS, .settings = &settings};
    tell(b, r, &event);
}

/* ---- hearing ---- */

static void hear_deleted(struct chat_room *r, const struct chat_event *event)
{
    for (size_t i = 0; i < event->n_message_ids; i++) {
        const struct chat_message *m = chat_history_find(&r->history, event->message_ids[i]);
        /* Ours may still wait to be written: only behind that can it be marked. */
        if (m && m->mine && event->by)
            chat_log_deleted(r->chat->log, m->id, event->by, chat_now_ms());
    }
    chat_room_take_away(r, event->message_ids, event->n_message_ids);
}

static void hear_ban(struct chat_bus *b, struct chat_room *r, const struct chat_event_ban *in)
{
    struct chat_ban ban = {.since_ms = in->since,
                           .until_ms = in->has_until ? in->until : CHAT_FOR_GOOD};
    bool completed = false;
    snprintf(ban.author_id, sizeof ban.author_id, "%s", in->author_id);
    snprintf(ban.address, sizeof ban.address, "%s", in->address ? in->address : "");
    snprintf(ban.display_name, sizeof ban.display_name, "%s",
             in->display_name ? in->display_name : "");
    snprintf(ban.reason, sizeof ban.reason, "%s", in->reason ? in->reason : "");
    snprintf(ban.by, sizeof ban.by, "%s", in->by);
    if (chat_room_hold_ban(r, &ban, &completed) != OK || !completed)
        return;
    struct chat_ban *full = NULL;
    HASH_FIND_STR(r->rules.bans, in->author_id, full);
    if (full && chat_store_ban(b->chat->config.db, r->id, full, NULL, NULL) == OK)
        chat_bus_banned(b, r, full);
}

static void hear_settings(struct chat_room *r, const struct sig_chat_settings *in)
{
    if (in->words && chat_rules_set_words(&r->rules, in->words, in->n_words) != OK)
        log_warn("chat.event_lost", "room=%s kind=words", r->id);
    r->rules.slow_s = in->slow_mode;
    r->rules.links = in->links;
    chat_room_tell_settings(r);
}

static void hear_event(struct chat_bus *b, struct chat_room *r, const struct chat_event *event)
{
    if (strcmp(event->node, b->node) == 0)
        return;
    switch ((enum chat_event_kind)event->kind) {
    case CHAT_EVENT_DELETED:
        hear_deleted(r, event);
        break;
    case CHAT_EVENT_BANNED:
        if (event->ban)
            hear_ban(b, r, event->ban);
        break;
    case CHAT_EVENT_UNBANNED:
        if (event->author_id)
            chat_room_lift_ban(r, event->author_id);
        break;
    case CHAT_EVENT_MODERATOR:
        if (event->author_id &&
            chat_room_hold_moderator(r, event->author_id, event->moderator) != OK)
            log_warn("chat.event_lost", "room=%s kind=moderator", r->id);
        break;
    case CHAT_EVENT_SETTINGS:
        if (event->settings)
            hear_settings(r, event->settings);
        break;
    }
}

static void hear_json(struct chat_bus *b, struct chat_room *r, const char *json, size_t n)
{
    struct chat_event event;
    struct field_error error;
    struct arena arena;
    json_t *object = json_loadb(json, n, JSON_REJECT_DUPLICATES, NULL);
    arena_init(&arena, EVENT_BYTES_MAX);
    if (object && shape_decode(&chat_event_shape, object, &event, &arena, &error) == OK)
        hear_event(b, r, &event);
    else
        log_warn("chat.bad_event", "room=%s", r->id);
    arena_fini(&arena);
    json_decref(object);
}

/* "<node> <id> <json>" */
static void hear_message(struct chat_bus *b, struct chat_room *r, const char *p, size_t n)
{
    enum { NODE = 37 };
    struct chat_message *m;
    if (n < NODE + CHAT_ID_LEN ||
        chat_message_parse(p + NODE + CHAT_ID_LEN, n - NODE - CHAT_ID_LEN, &m) != OK) {
        log_warn("chat.bad_message", "room=%s", r->id);
        return;
    }
    m->mine = strncmp(p, b->node, NODE - 1) == 0;
    chat_room_deliver(r, m);
}

static void on_message(void *ctx, const char *channel, const char *payload, size_t n)
{
    struct chat_bus *b = ctx;
    struct chat_room *r = room_of(b, channel);
    if (!r || n == 0)
        return;
    if (payload[0] == 'm')
        hear_message(b, r, payload + 1, n - 1);
    else if (payload[0] == 'e')
        hear_json(b, r, payload + 1, n - 1);
    else if (payload[0] == 'r' && strcmp(payload + 1, b->node) != 0)
        read_list(b, r);
}

/* ---- coming and going ---- */

static void on_subscribed(void *ctx, const char *channel)
{
    struct chat_bus *b = ctx;
    struct chat_room *r = room_of(b, channel);
    if (!r)
        return;
    r->bus.subscribed = true;
    merge(b, r);
    if (r->bus.before)
        chat_load_rules(r); /* the others may have banned somebody meanwhile */
    r->bus.before = true;
}

static void subscribe(struct chat_bus *b, struct chat_room *r)
{
    char channel[NAME_MAX_BYTES];
    redis_subscribe(b->redis, name_of(b, r->id, "", channel));
}

static void on_loaded(void *ctx, enum err e, const struct redis_reply *reply)
{
    struct wait *w = ctx;
    struct chat_bus *b = w->bus;
    enum script script = w->script;
    size_t n = 0;
    const char *sha = e == OK ? redis_reply_text(reply, 0, &n) : NULL;
    wait_free(w);
    if (!b || !sha || n >= SHA_LEN)
        return;
    snprintf(b->sha[script], SHA_LEN, "%s", sha);
    for (struct chat_room *r = is_ready(b) ? b->chat->rooms : NULL; r; r = r->hh.next)
        subscribe(b, r);
}

static void on_up(void *ctx)
{
    struct chat_bus *b = ctx;
    b->loaded_ms = chat_now_ms();
    for (int i = 0; i < SCRIPTS; i++) {
        const char *args[] = {"SCRIPT", "LOAD", scripts[i]};
        struct wait *w = wait_new(b, "");
        b->sha[i][0] = '\0';
        if (w)
            w->script = (enum script)i;
        if (w && redis_command(b->redis, args, NULL, 3, on_loaded, w) != OK)
            wait_free(w);
    }
}

static void on_down(void *ctx)
{
    struct chat_bus *b = ctx;
    for (struct chat_room *r = b->chat->rooms; r; r = r->hh.next) {
        r->bus.subscribed = false;
        end_waiting(r);
    }
}

void chat_bus_join(struct chat_bus *b, struct chat_room *r)
{
    if (!is_ready(b))
        return; /* all rooms subscribe when it is */
    r->bus.waiting = true;
    r->loads++;
    subscribe(b, r);
}

void chat_bus_leave(struct chat_bus *b, struct chat_room *r)
{
    char channel[NAME_MAX_BYTES];
    if (b)
        redis_unsubscribe(b->redis, name_of(b, r->id, "", channel));
}

enum err chat_bus_open(struct chat *c, struct chat_bus **out)
{
    struct chat_bus *b = calloc(1, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    b->chat = c;
    b->redis = c->config.redis;
    rng_uuid(c->config.rng, b->node);
    list_init(&b->waiting);
    b->merges = metric_counter(c->config.metrics, "weir_chat_merges_total",
                               "Times that a room's history was put together with Redis.", NULL, 0);
    b->observer = (struct redis_observer){
        .up = on_up, .down = on_down, .subscribed = on_subscribed, .message = on_message, .ctx = b};
    redis_observe(b->redis, &b->observer);
    if (redis_is_up(b->redis))
        on_up(b);
    *out = b;
    return OK;
}

void chat_bus_close(struct chat_bus *b)
{
    if (!b)
        return;
    redis_unobserve(&b->observer);
    list_each (node, &b->waiting) {
        container_of(node, struct wait, node)->bus = NULL;
        list_remove(node);
    }
    free(b);
}
