#include "controller/chat/chat_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"

/* ---- messages ---- */

static const char *place(char **at, const char *s, size_t n)
{
    char *p = *at;
    memcpy(p, s, n);
    p[n] = '\0';
    *at += n + 1;
    return p;
}

static struct chat_message *message_new(const struct sig_chat_message *m, const char *json,
                                        size_t json_n)
{
    size_t name_n = strlen(m->display_name);
    size_t text_n = strlen(m->message);
    size_t reply_n = m->reply_to ? strlen(m->reply_to->message_id) : 0;
    struct chat_message *c = malloc(sizeof *c + name_n + text_n + reply_n + json_n + 4);
    if (!c)
        return NULL;
    char *at = (char *)(c + 1);
    *c = (struct chat_message){.role = (enum sig_chat_role)m->role,
                               .guest = m->guest,
                               .created_at = m->created_at,
                               .json_n = json_n};
    snprintf(c->id, sizeof c->id, "%s", m->message_id);
    snprintf(c->author_id, sizeof c->author_id, "%s", m->author_id);
    c->display_name = place(&at, m->display_name, name_n);
    c->text = place(&at, m->message, text_n);
    c->reply_to = m->reply_to ? place(&at, m->reply_to->message_id, reply_n) : NULL;
    c->json = place(&at, json, json_n);
    return c;
}

struct chat_message *chat_message_new(const struct sig_chat_message *m)
{
    json_t *object = shape_encode(&sig_chat_message_shape, m);
    char *json = object ? json_dumps(object, JSON_COMPACT) : NULL;
    struct chat_message *c = json ? message_new(m, json, strlen(json)) : NULL;
    free(json);
    json_decref(object);
    return c;
}

enum err chat_message_parse(const char *json, size_t n, struct chat_message **out)
{
    enum { DECODED_MAX = 16 * 1024 };
    struct sig_chat_message m;
    struct field_error error;
    struct arena arena;
    json_t *object = json_loadb(json, n, JSON_REJECT_DUPLICATES, NULL);
    if (!object)
        return ERR_MALFORMED;
    arena_init(&arena, DECODED_MAX);
    enum err e = shape_decode(&sig_chat_message_shape, object, &m, &arena, &error);
    if (e == OK && strlen(m.message_id) != CHAT_ID_LEN - 1)
        e = ERR_RANGE;
    if (e == OK) {
        *out = message_new(&m, json, n);
        e = *out ? OK : ERR_NOMEM;
    }
    arena_fini(&arena);
    json_decref(object);
    return e;
}

void chat_id_make(struct chat_ids *ids, struct rng *rng, int64_t now_ms, char out[CHAT_ID_LEN])
{
    uint64_t random = rng_u64(rng);
    if (now_ms > ids->last_ms) {
        ids->last_ms = now_ms;
        ids->counter = (uint16_t)(random >> 52 & 0x7FF); /* half of the space is left to count */
    } else if (++ids->counter > 0xFFF) {
        ids->last_ms++; /* a little ahead of the clock, rather than twice the same */
        ids->counter = 0;
    }
    uint64_t ms = (uint64_t)ids->last_ms & 0xFFFFFFFFFFFF;
    snprintf(out, CHAT_ID_LEN, "%08x-%04x-7%03x-%04x-%012llx", (unsigned)(ms >> 16),
             (unsigned)(ms & 0xFFFF), ids->counter & 0xFFFU,
             (unsigned)(0x8000 | (rng_u32(rng) & 0x3FFF)),
             (unsigned long long)(random & 0xFFFFFFFFFFFF));
}

/* ---- the last ones ---- */

void chat_history_fini(struct chat_history *h)
{
    for (size_t i = 0; i < h->n; i++)
        free(h->at[i]);
    h->n = 0;
}

const struct chat_message *chat_history_find(const struct chat_history *h, const char *id)
{
    for (size_t i = h->n; i > 0; i--) {
        if (strcmp(h->at[i - 1]->id, id) == 0)
            return h->at[i - 1];
    }
    return NULL;
}

static void drop_oldest(struct chat_history *h)
{
    free(h->at[0]);
    memmove(h->at, h->at + 1, (h->n - 1) * sizeof h->at[0]);
    h->n--;
}

bool chat_history_add(struct chat_history *h, struct chat_message *m)
{
    if (chat_history_find(h, m->id)) {
        free(m);
        return false;
    }
    if (h->n == SIG_CHAT_HISTORY)
        drop_oldest(h);
    h->at[h->n++] = m;
    return true;
}

bool chat_history_insert(struct chat_history *h, struct chat_message *m)
{
    size_t i = h->n;
    while (i > 0 && strcmp(h->at[i - 1]->id, m->id) > 0)
        i--;
    if (chat_history_find(h, m->id) || (h->n == SIG_CHAT_HISTORY && i == 0)) {
        free(m);
        return false;
    }
    if (h->n == SIG_CHAT_HISTORY) {
        drop_oldest(h);
        i--;
    }
    memmove(h->at + i + 1, h->at + i, (h->n - i) * sizeof h->at[0]);
    h->at[i] = m;
    h->n++;
    return true;
}

bool chat_history_remove(struct chat_history *h, const char *id)
{
    for (size_t i = 0; i < h->n; i++) {
        if (strcmp(h->at[i]->id, id) != 0)
            continue;
        free(h->at[i]);
        memmove(h->at + i, h->at + i + 1, (h->n - i - 1) * sizeof h->at[0]);
        h->n--;
        return true;
    }
    return false;
}

bool chat_history_replace(struct chat_history *h, struct chat_message **list, size_t n)
{
    size_t skip = n > SIG_CHAT_HISTORY ? n - SIG_CHAT_HISTORY : 0;
    bool changed = n - skip != h->n;
    for (size_t i = 0; i < skip; i++)
        free(list[i]);
    for (size_t i = 0; !changed && i < h->n; i++)
        changed = strcmp(h->at[i]->id, list[skip + i]->id) != 0;
    chat_history_fini(h);
    h->n = n - skip;
    if (h->n > 0)
        memcpy(h->at, list + skip, h->n * sizeof h->at[0]);
    return changed;
}
