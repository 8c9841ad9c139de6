#include "controller/account/session_cache.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
static bool out_of_memory;
#define uthash_nonfatal_oom(element) (out_of_memory = true)
#include <uthash.h>

struct known {
    struct api_user user;
    usec looked_at;
    UT_hash_handle hh;
};

struct session_cache {
    struct known *by_id; /* owned; in the order in which they were looked at */
    size_t max;
};

enum err session_cache_open(struct session_cache **out, size_t max)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return ERR_NOMEM;
    (*out)->max = max;
    return OK;
}

static void forget(struct session_cache *c, struct known *k)
{
    HASH_DELETE(hh, c->by_id, k);
    free(k);
}

void session_cache_close(struct session_cache *c)
{
    if (!c)
        return;
    while (c->by_id)
        forget(c, c->by_id);
    free(c);
}

static struct known *find(const struct session_cache *c, const char *session_id)
{
    struct known *k = NULL;
    HASH_FIND(hh, c->by_id, session_id, (unsigned)strlen(session_id), k);
    return k;
}

const struct api_user *session_cache_find(struct session_cache *c, const char *session_id, usec now,
                                          usec *age)
{
    const struct known *k = find(c, session_id);
    if (!k)
        return NULL;
    *age = now - k->looked_at;
    return &k->user;
}

void session_cache_put(struct session_cache *c, const struct api_user *user, usec now)
{
    session_cache_drop(c, user->session_id);
    if (HASH_COUNT(c->by_id) >= c->max)
        forget(c, c->by_id);
    struct known *k = calloc(1, sizeof *k);
    if (!k)
        return;
    k->user = *user;
    k->looked_at = now;
    out_of_memory = false;
    HASH_ADD(hh, c->by_id, user.session_id, (unsigned)strlen(k->user.session_id), k);
    if (out_of_memory)
        free(k);
}

void session_cache_drop(struct session_cache *c, const char *session_id)
{
    struct known *k = find(c, session_id);
    if (k)
        forget(c, k);
}

void session_cache_drop_user(struct session_cache *c, const char *user_id)
{
    struct known *k;
    struct known *next;
    HASH_ITER(hh, c->by_id, k, next)
    {
        if (strcmp(k->user.id, user_id) == 0)
            forget(c, k);
    }
}
