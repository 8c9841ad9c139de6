/* Chat of streams over HTTP, for programs that are in no room: what was said, and saying something
 * as a user. The same rules hold as in the room. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/chat/chat_state.h"
#include "controller/chat/chat_store.h"

#define CHAT_BODY_FIELDS(X, S)                                                                     \
    X(S, str, message, "message", REQ, 1, SIG_CHAT_MAX, _,                                         \
      "Text. Line breaks become spaces; control characters are dropped.")                          \
    X(S, str, reply_to, "replyTo", OPT, 1, SIG_CHAT_ID_MAX, _, "messageId of what it answers.")
SHAPE_STRUCT(chat_body, CHAT_BODY_FIELDS);
SHAPE_DEFINE(chat_body, CHAT_BODY_FIELDS)

#define CHAT_SENT_FIELDS(X, S)                                                                     \
    X(S, flag, success, "success", REQ, 0, 0, _, "true.")                                          \
    X(S, str, message_id, "messageId", REQ, 1, SIG_CHAT_ID_MAX, _, "Of the message.")
SHAPE_STRUCT(chat_sent, CHAT_SENT_FIELDS);
SHAPE_DEFINE(chat_sent, CHAT_SENT_FIELDS)

/* Asked of the database. */
struct chat_http_wait {
    struct list node;      /* in chat->http_waits */
    struct api_call *call; /* NULL: the chat is closed, and it was answered */
};

static struct chat_room *room_of(struct chat *c, const struct stream *s)
{
    return s ? chat_room_find(c, stream_room_id(s)) : NULL;
}

/* ---- what was said ---- */

static void on_messages(void *ctx, enum err e, const struct sig_chat_message *list, size_t n)
{
    struct chat_http_wait *w = ctx;
    struct sig_chat_messages answer = {.messages = (struct sig_chat_message *)(uintptr_t)list,
                                       .n_messages = n};
    if (w->call) {
        list_remove(&w->node);
        if (e == OK)
            api_answer_struct(w->call, 200, &sig_chat_messages_shape, &answer);
        else
            api_fail(w->call, e == ERR_FULL ? ERR_UNAVAILABLE : e, NULL, NULL);
    }
    free(w);
}

/* The room remembers as many as may be asked for. */
static void answer_newest(struct api_call *call, const struct chat_room *r, size_t limit)
{
    const struct chat_history *h = &r->history;
    json_t *list = json_array();
    for (size_t i = h->n > limit ? h->n - limit : 0; i < h->n; i++)
        json_array_append_new(list, json_loadb(h->at[i]->json, h->at[i]->json_n, 0, NULL));
    api_answer(call, 200, json_pack("{s:o}", "messages", list));
}

static void on_list(struct api_call *call)
{
    struct chat *c = api_ctx(call);
    const char *id = api_param(call, "streamId");
    struct stream *s = streams_find(c->config.streams, id);
    struct chat_room *r = room_of(c, s);
    if (r && r->loads == 0 && api_int(call, "offset") == 0) {
        answer_newest(call, r, (size_t)api_int(call, "limit"));
        return;
    }
    struct chat_http_wait *w = calloc(1, sizeof *w);
    enum err e =
        w ? chat_store_of_stream(c->config.db, s ? stream_id(s) : id, api_int(call, "limit"),
                                 api_int(call, "offset"), on_messages, w)
          : ERR_UNAVAILABLE;
    if (e == OK) {
        w->call = call;
        list_add(&c->http_waits, &w->node);
        return;
    }
    free(w);
    if (e == ERR_MALFORMED)
        api_fail(call, ERR_NOT_FOUND, "streamId", "there is no such stream");
    else
        api_fail(call, e == ERR_FULL ? ERR_UNAVAILABLE : e, NULL, NULL);
}

void chat_http_forget(struct chat *c)
{
    list_each (node, &c->http_waits) {
        struct chat_http_wait *w = container_of(node, struct chat_http_wait, node);
        list_remove(node);
        api_fail(w->call, ERR_UNAVAILABLE, NULL, NULL);
        w->call = NULL;
    }
}

/* ---- saying something ---- */

static void on_say(struct api_call *call)
{
    struct chat *c = api_ctx(call);
    const struct chat_body *in = api_body(call);
    struct stream *s = streams_find(c->config.streams, api_param(call, "streamId"));
    struct chat_room *r = room_of(c, s);
    char reason[CHAT_REFUSAL_MAX] = "";
    char id[CHAT_ID_LEN];
    if (!r) {
        api_fail(call, s ? ERR_STATE : ERR_NOT_FOUND, "streamId",
                 s ? "nobody is in the stream's chat" : "no such stream is live");
        return;
    }
    struct chat_member m = {.room = r};
    const char *owner = stream_user_id(s);
    chat_identify_user(api_who(call), owner && strcmp(owner, api_who(call)->id) == 0, &m.who);
    enum err e = chat_say(&m, in->message, in->reply_to, id, reason);
    if (e == ERR_FULL) {
        api_fail_wait(call, 1, reason[0] ? reason : "too fast");
        return;
    }
    if (e != OK) {
        api_fail(call, e, e == ERR_DENIED ? NULL : "message", reason[0] ? reason : NULL);
        return;
    }
    const struct chat_sent answer = {.success = true, .has_success = true, .message_id = id};
    api_answer_struct(call, 201, &chat_sent_shape, &answer);
}

static const struct api_route routes[] = {
    {.method = HTTP_GET,
     .path = "/api/livestream/:streamId/chat",
     .id = "listChat",
     .tag = "Chat",
     .summary = "What was said in a stream's chat: the newest, the oldest of them first.",
     .limit = API_LIMIT_GENERAL,
     .query = {{"limit", API_QUERY_INT, 1, SIG_CHAT_HISTORY, SIG_CHAT_HISTORY, "At most so many."},
               {"offset", API_QUERY_INT, 0, INT32_MAX, 0, "Without the newest so many."}},
     .answers = {{200, &sig_chat_messages_shape, "The messages."}, {404, NULL, "That is no id."}},
     .handle = on_list,
     .open = true},
    {.method = HTTP_POST,
     .path = "/api/livestream/:streamId/chat",
     .id = "sendChat",
     .tag = "Chat",
     .summary = "Says something in a live stream's chat.",
     .auth = API_USER,
     .limit = API_LIMIT_GENERAL,
     .body = &chat_body_shape,
     .answers = {{201, &chat_sent_shape, "It was said."},
                 {404, NULL, "No such stream is live."},
                 {409, NULL, "Nobody is in its chat."}},
     .handle = on_say},
};

enum err chat_add_routes(struct chat *c)
{
    list_init(&c->http_waits);
    return c->config.api ? api_add(c->config.api, routes, sizeof routes / sizeof routes[0], c) : OK;
}
