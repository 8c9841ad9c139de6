/* joinRoom: who joins has to be known first, and whoever keeps the rooms has to agree. Both may
 * take a question to the database, so what was asked is kept, and goes on when the answer is there;
 * mostly it is there at once. */
#include <stdlib.h>
#include <string.h>

#include "common/fields_clone.h"
#include "controller/room/session.h"

enum { JOIN_BYTES_MAX = 16 * 1024 };

struct join {
    struct rooms *rooms; /* which wait for us when they close */
    uint32_t request_id;
    struct op_request request;
    struct arena arena;
    struct sig_join_room in; /* in arena */
    struct api_user user;
    bool known;
};

/* Who a connection belongs to, while that is asked for. */
struct session_identity {
    struct rooms *rooms;
};

static void join_free(struct join *j)
{
    struct rooms *r = j->rooms;
    arena_fini(&j->arena);
    free(j);
    r->n_questions--;
    rooms_finish_close(r);
}

/* Its session may have gone meanwhile. */
static struct session *session_of(const struct join *j)
{
    list_each (node, &j->rooms->sessions) {
        struct session *s = container_of(node, struct session, node);
        if (s->join == j)
            return s;
    }
    return NULL;
}

static bool call_of(const struct join *j, struct sig_call *out)
{
    struct session *s = session_of(j);
    *out =
        (struct sig_call){.session = s, .id = j->request_id, .data = &j->in, .request = j->request};
    if (!s)
        return false;
    s->join = NULL;
    return !s->ending;
}

static void fail(struct join *j, enum err e, const char *reason)
{
    struct sig_call call;
    if (call_of(j, &call))
        sig_fail(&call, e, reason);
    join_free(j);
}

static void on_verdict(void *ctx, enum err e, const char *reason)
{
    struct join *j = ctx;
    struct sig_call call;
    if (e != OK)
        fail(j, e, reason ? reason : "");
    else {
        if (call_of(j, &call))
            join_enter(&call, &j->in, j->known ? &j->user : NULL);
        join_free(j);
    }
}

static void ask_gate(struct join *j)
{
    const struct rooms_gate *gate = &j->rooms->gate;
    const struct rooms_join asked = {.room_id = j->in.room_id,
                                     .role = j->in.has_role ? (enum room_role)j->in.role
                                                            : ROLE_PARTICIPANT,
                                     .user = j->known ? &j->user : NULL,
                                     .stream_key = j->in.stream_key,
                                     .resume_token = j->in.resume_token};
    if (gate->ask && j->in.room_id)
        gate->ask(gate->self, &asked, on_verdict, j);
    else
        on_verdict(j, OK, NULL);
}

static void on_token(void *ctx, enum err e, const struct api_user *user)
{
    struct join *j = ctx;
    if (e != OK) {
        fail(j, e, e == ERR_AUTH ? "token is not valid" : "");
        return;
    }
    j->user = *user;
    j->known = true;
    ask_gate(j);
}

/* The session knows who it is, or that it does not. */
static void go_on(struct join *j, const struct session *s)
{
    j->known = s->known;
    j->user = s->user;
    if (!j->in.token || j->in.token[0] == '\0') {
        ask_gate(j);
        return;
    }
    enum err e = j->rooms->config.api
                     ? api_identify_token(j->rooms->config.api, j->in.token, on_token, j)
                     : ERR_AUTH;
    if (e != OK)
        fail(j, e, "");
}

void on_join_room(struct sig_call *call)
{
    struct session *s = call->session;
    struct rooms *r = s->rooms;
    if (s->peer || s->join) {
        sig_fail(call, ERR_STATE, "already in a room: leaveRoom comes first");
        return;
    }
    struct join *j = calloc(1, sizeof *j);
    if (!j) {
        sig_fail(call, ERR_NOMEM, "");
        return;
    }
    j->rooms = r;
    j->request_id = call->id;
    j->request = call->request;
    arena_init(&j->arena, JOIN_BYTES_MAX);
    r->n_questions++;
    if (shape_clone(&sig_join_room_shape, call->data, &j->in, &j->arena) != OK) {
        sig_fail(call, ERR_NOMEM, "");
        join_free(j);
        return;
    }
    s->join = j;
    if (!s->identity)
        go_on(j, s);
}

/* ---- who a connection belongs to ---- */

static void on_identified(void *ctx, enum err e, const struct api_user *user)
{
    struct session_identity *i = ctx;
    struct rooms *r = i->rooms;
    list_each (node, &r->sessions) {
        struct session *s = container_of(node, struct session, node);
        if (s->identity != i)
            continue;
        s->identity = NULL;
        if (e == OK && user) {
            s->user = *user;
            s->known = !user->must_change_password;
        }
        if (s->join)
            go_on(s->join, s);
        break;
    }
    free(i);
    r->n_questions--;
    rooms_finish_close(r);
}

void session_identify(struct session *s, const struct http_request *req)
{
    struct rooms *r = s->rooms;
    struct session_identity *i = r->config.api ? malloc(sizeof *i) : NULL;
    if (!i)
        return;
    i->rooms = r;
    s->identity = i;
    r->n_questions++;
    if (api_identify(r->config.api, req, on_identified, i) != OK)
        on_identified(i, ERR_DENIED, NULL); /* a page of another site, without its user's name */
}
