#include "controller/chat/chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OpenSSL has a type of the same name as our error code. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/evp.h>
#undef ERR_STATE

#include "common/clock.h"
#include "common/log.h"
#include "controller/chat/chat_state.h"

enum { TICK_MS = 1000, EXPIRE_TICKS = 30 };

int64_t chat_now_ms(void)
{
    return clock_wall() / USEC_PER_MSEC;
}

/* ---- who ---- */

/* The first 16 bytes of SHA-256 in hexadecimal. */
static void digest(const void *bytes, size_t n, char out[CHAT_ADDRESS_LEN])
{
    unsigned char full[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    out[0] = '\0';
    if (EVP_Digest(bytes, n, full, &size, EVP_sha256(), NULL) != 1)
        return;
    for (size_t i = 0; i < (CHAT_ADDRESS_LEN - 1) / 2; i++)
        snprintf(out + 2 * i, 3, "%02x", full[i]);
}

void chat_identify_guest(void *ctx, const struct room_peer *peer, struct chat_identity *out)
{
    const char *secret = peer_resume_token(peer);
    char id[CHAT_ADDRESS_LEN];
    (void)ctx;
    digest(secret, strlen(secret), id);
    *out = (struct chat_identity){.role = peer_role(peer) == ROLE_BROADCASTER ? SIG_CHAT_BROADCASTER
                                                                              : SIG_CHAT_VIEWER};
    snprintf(out->author_id, sizeof out->author_id, "g-%s", id);
    snprintf(out->display_name, sizeof out->display_name, "%s", peer_display_name(peer));
}

void chat_identify_user(const struct api_user *user, bool owner, struct chat_identity *out)
{
    *out = (struct chat_identity){.role = SIG_CHAT_VIEWER};
    if (user->role == API_ROLE_ADMIN)
        out->role = SIG_CHAT_ADMIN;
    else if (owner)
        out->role = SIG_CHAT_BROADCASTER;
    else if (user->role == API_ROLE_MODERATOR)
        out->role = SIG_CHAT_MODERATOR;
    snprintf(out->author_id, sizeof out->author_id, "%s", user->id);
    snprintf(out->user_id, sizeof out->user_id, "%s", user->id);
    snprintf(out->display_name, sizeof out->display_name, "%s",
             user->display_name[0] ? user->display_name : user->name);
}

void chat_identify_peer(void *ctx, const struct room_peer *peer, struct chat_identity *out)
{
    const struct api_user *user = peer_user(peer);
    struct stream *s = ctx && user ? streams_of_room(ctx, room_id(peer_room(peer))) : NULL;
    const char *owner = s ? stream_user_id(s) : NULL;
    if (user)
        chat_identify_user(
            user, peer_role(peer) == ROLE_BROADCASTER || (owner && strcmp(owner, user->id) == 0),
            out);
    else
        chat_identify_guest(NULL, peer, out);
}

/* Hashed, as it goes into the database; of IPv6 the /64, which is what one household has. */
static void address_of(const struct chat *c, const struct room_peer *peer,
                       char out[CHAT_ADDRESS_LEN])
{
    const struct addr *a = peer_addr(peer);
    out[0] = '\0';
    if (a && c->config.ban_addresses)
        digest(a->ip, a->family == 6 ? 8 : 4, out);
}

struct chat_member *chat_member_of(struct chat *c, const struct room_peer *peer)
{
    struct chat_member *m = NULL;
    HASH_FIND_PTR(c->members, &peer, m);
    return m;
}

struct chat_room *chat_room_find(struct chat *c, const char *id)
{
    struct chat_room *r = NULL;
    HASH_FIND_STR(c->rooms, id, r);
    return r;
}

enum sig_chat_role chat_role_of(const struct chat_room *r, const struct chat_identity *who)
{
    if (who->role < SIG_CHAT_MODERATOR && chat_rules_is_moderator(&r->rules, who->author_id))
        return SIG_CHAT_MODERATOR;
    return who->role;
}

/* ---- what rooms tell ---- */

static void identify(struct chat *c, struct chat_member *m)
{
    m->who = (struct chat_identity){0};
    c->config.identify(c->config.identify_ctx, m->peer, &m->who);
    address_of(c, m->peer, m->address);
}

static void on_peer_entered(void *ctx, struct room *room, struct room_peer *peer)
{
    struct chat *c = ctx;
    struct chat_room *r = chat_room_find(c, room_id(room));
    struct chat_member *m = calloc(1, sizeof *m);
    if (!m || (!r && chat_room_open(c, room, &r) != OK)) {
        free(m);
        log_error("chat.no_memory", "room=%s", room_id(room));
        return;
    }
    m->peer = peer;
    m->room = r;
    identify(c, m);
    HASH_ADD_PTR(c->members, peer, m);
    list_add(&r->members, &m->node);
    chat_room_greet(r, m);
}

static void member_free(struct chat *c, struct chat_member *m)
{
    HASH_DEL(c->members, m);
    list_remove(&m->node);
    free(m);
}

static void on_peer_left(void *ctx, struct room *room, struct room_peer *peer)
{
    struct chat *c = ctx;
    struct chat_member *m = chat_member_of(c, peer);
    (void)room;
    if (m)
        member_free(c, m);
}

void chat_identity_changed(struct chat *c, struct room_peer *peer)
{
    struct chat_member *m = chat_member_of(c, peer);
    if (!m)
        return;
    identify(c, m);
    chat_member_tell(m);
}

static void on_peer_renamed(void *ctx, struct room *room, struct room_peer *peer)
{
    (void)room;
    chat_identity_changed(ctx, peer);
}

static void on_room_closed(void *ctx, struct room *room)
{
    struct chat_room *r = chat_room_find(ctx, room_id(room));
    if (r)
        chat_room_close(r);
}

/* ---- life ---- */

static void on_tick(uv_timer_t *timer)
{
    struct chat *c = timer->data;
    chat_bus_tick(c->bus);
    if (++c->ticks % EXPIRE_TICKS != 0)
        return;
    for (struct chat_room *r = c->rooms; r; r = r->hh.next)
        chat_rules_expire(&r->rules, chat_now_ms());
}

enum err chat_open(const struct chat_config *config, struct chat **out)
{
    struct chat *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->config = *config;
    if (!c->config.identify) {
        c->config.identify = chat_identify_peer;
        c->config.identify_ctx = config->streams;
    }
    list_init(&c->loading);
    struct chat_log_config log = {
        .loop = config->loop, .db = config->db, .metrics = config->metrics};
    enum err e = chat_add_routes(c);
    if (e == OK)
        e = chat_log_open(&log, &c->log);
    if (e != OK) {
        free(c);
        return e;
    }
    c->messages = metric_counter(config->metrics, "weir_chat_messages_total",
                                 "Chat messages of clients of this controller.", NULL, 0);
    c->refused =
        metric_counter(config->metrics, "weir_chat_refused_total",
                       "Chat messages that were refused: bans, pace, words, links.", NULL, 0);
    e = config->redis ? chat_bus_open(c, &c->bus) : OK;
    if (e != OK) {
        chat_log_close(c->log, NULL, NULL);
        free(c);
        return e;
    }
    uv_timer_init(config->loop, &c->tick);
    c->tick.data = c;
    uv_timer_start(&c->tick, on_tick, TICK_MS, TICK_MS);
    c->observer = (struct rooms_observer){.on_closed = on_room_closed,
                                          .on_peer_entered = on_peer_entered,
                                          .on_peer_renamed = on_peer_renamed,
                                          .on_peer_left = on_peer_left,
                                          .ctx = c};
    rooms_observe(config->rooms, &c->observer);
    chat_add_methods(c);
    *out = c;
    return OK;
}

static void on_tick_closed(uv_handle_t *h)
{
    struct chat *c = h->data;
    void (*closed)(void *) = c->closed;
    void *ctx = c->closed_ctx;
    free(c);
    if (closed)
        closed(ctx);
}

static void on_log_closed(void *ctx)
{
    struct chat *c = ctx;
    uv_close((uv_handle_t *)&c->tick, on_tick_closed);
}

void chat_close(struct chat *c, void (*closed)(void *ctx), void *ctx)
{
    c->closed = closed;
    c->closed_ctx = ctx;
    rooms_unobserve(&c->observer);
    chat_remove_methods(c);
    chat_http_forget(c);
    while (c->members)
        member_free(c, c->members);
    while (c->rooms)
        chat_room_close(c->rooms);
    chat_loads_forget(c);
    chat_bus_close(c->bus);
    c->bus = NULL;
    chat_log_close(c->log, on_log_closed, c);
}
