#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/secret.h"
#include "controller/room/room_state.h"

/* Of the range for applications (RFC 6455 7.4.2); protoo-client does not come back after it. */
enum { CLOSE_REPLACED = 4000, CLOSE_DISMISSED = 4001 };

const char *peer_id(const struct room_peer *p)
{
    return p->id;
}

const char *peer_display_name(const struct room_peer *p)
{
    return p->display_name;
}

enum room_role peer_role(const struct room_peer *p)
{
    return p->role;
}

const char *peer_title(const struct room_peer *p)
{
    return p->title;
}

const struct api_user *peer_user(const struct room_peer *p)
{
    return p->known ? &p->user : NULL;
}

bool peer_left_by_itself(const struct room_peer *p)
{
    return p->left;
}

struct room *peer_room(const struct room_peer *p)
{
    return p->room;
}

const char *peer_resume_token(const struct room_peer *p)
{
    return p->resume_token;
}

const struct addr *peer_addr(const struct room_peer *p)
{
    return p->session ? session_addr(p->session) : NULL;
}

/* One who comes back takes the place of who it was; nobody else may. */
static enum err make_way(struct room *room, const struct peer_join *join)
{
    struct room_peer *old = NULL;
    if (join->peer_id)
        HASH_FIND_STR(room->peers_by_id, join->peer_id, old);
    if (!old)
        return OK;
    if (!secret_fits(old->resume_token, join->resume_token))
        return ERR_EXISTS;
    struct session *s = old->session;
    peer_close(old, "joined again");
    if (s && s != join->session)
        session_end(s, CLOSE_REPLACED, "this peer joined again elsewhere");
    return OK;
}

static struct room_peer *peer_new(struct room *room, const struct peer_join *join)
{
    struct room_peer *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    struct rng *rng = room->rooms->config.rng;
    p->room = room;
    p->session = join->session;
    p->role = join->role;
    p->known = join->user != NULL;
    if (join->user)
        p->user = *join->user;
    if (join->peer_id)
        snprintf(p->id, sizeof p->id, "%s", join->peer_id);
    else
        rng_uuid(rng, p->id);
    snprintf(p->display_name, sizeof p->display_name, "%s",
             join->display_name ? join->display_name : "");
    snprintf(p->title, sizeof p->title, "%s", join->title ? join->title : "");
    rng_token(rng, p->resume_token, sizeof p->resume_token);
    /* Same peer, same secret: a client that comes back twice need not learn a new one in between.
     */
    if (join->resume_token && strlen(join->resume_token) == sizeof p->resume_token - 1)
        snprintf(p->resume_token, sizeof p->resume_token, "%s", join->resume_token);
    list_init(&p->transports);
    list_init(&p->ops);
    return p;
}

enum err peer_open(struct room *room, const struct peer_join *join, struct room_peer **out)
{
    enum err e = make_way(room, join);
    if (e != OK)
        return e;
    if (join->role == ROLE_BROADCASTER && room_count(room, ROLE_BROADCASTER) > 0)
        return ERR_BUSY;
    if (room->n_peers >= room->rooms->config.peers_per_room_max)
        return ERR_FULL;
    struct room_peer *p = peer_new(room, join);
    if (!p)
        return ERR_NOMEM;
    list_add(&room->peers, &p->node);
    HASH_ADD_STR(room->peers_by_id, id, p);
    room->n_peers++;
    room->empty_since_ms = 0;
    if (p->role != ROLE_VIEWER) {
        struct sig_peer_info info = {
            .peer_id = p->id, .display_name = p->display_name, .role = (int)p->role};
        room_notify_others(room, p, SIG_EVENT_PEER_JOINED, &info);
    }
    log_debug("room.peer_joined", "room=%s peer=%s role=%s", room->id, p->id,
              sig_role_names[p->role]);
    *out = p;
    observe_peer(p, true);
    return OK;
}

static void close_transports(struct room_peer *p, bool tell_worker)
{
    list_each (node, &p->transports) {
        transport_close(container_of(node, struct room_transport, node), tell_worker);
    }
}

void peer_drop_media(struct room_peer *p)
{
    ops_end(p, NULL, ERR_UNAVAILABLE, "the media worker was lost");
    close_transports(p, false);
}

void peer_close(struct room_peer *p, const char *reason)
{
    struct room *room = p->room;
    ops_end(p, NULL, ERR_CLOSED, reason);
    close_transports(p, true);
    if (p->session)
        session_forget_peer(p->session);
    list_remove(&p->node);
    HASH_DEL(room->peers_by_id, p);
    room->n_peers--;
    if (p->role != ROLE_VIEWER) {
        struct sig_peer_left info = {.peer_id = p->id};
        room_notify_others(room, NULL, SIG_EVENT_PEER_LEFT, &info);
    }
    if (room->n_peers == 0)
        room->empty_since_ms = uv_now(room->rooms->config.loop);
    log_debug("room.peer_left", "room=%s peer=%s why=\"%s\"", room->id, p->id, reason);
    observe_peer(p, false);
    free(p);
}

void peer_dismiss(struct room_peer *p, const char *reason)
{
    struct session *s = p->session;
    peer_close(p, reason);
    if (s)
        session_end(s, CLOSE_DISMISSED, reason);
}

const char *room_broadcaster_token(const struct room *room)
{
    list_each (node, &room->peers) {
        const struct room_peer *p = container_of(node, struct room_peer, node);
        if (p->role == ROLE_BROADCASTER)
            return p->resume_token;
    }
    return NULL;
}
