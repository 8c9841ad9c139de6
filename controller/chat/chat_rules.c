#include "controller/chat/chat_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void chat_rules_init(struct chat_rules *r)
{
    *r = (struct chat_rules){.links = true};
}

static void forget_ban(struct chat_rules *r, struct chat_ban *b)
{
    HASH_DEL(r->bans, b);
    free(b);
}

static void forget_words(struct chat_rules *r)
{
    for (size_t i = 0; i < r->n_words; i++)
        free(r->words[i]);
    free(r->words);
    r->words = NULL;
    r->n_words = 0;
}

void chat_rules_fini(struct chat_rules *r)
{
    while (r->bans)
        forget_ban(r, r->bans);
    while (r->moderators) {
        struct chat_moderator *m = r->moderators;
        HASH_DEL(r->moderators, m);
        free(m);
    }
    forget_words(r);
}

/* ---- bans ---- */

void chat_rules_expire(struct chat_rules *r, int64_t now_ms)
{
    struct chat_ban *b;
    struct chat_ban *next;
    HASH_ITER(hh, r->bans, b, next)
    {
        if (b->until_ms <= now_ms)
            forget_ban(r, b);
    }
}

static void make_room(struct chat_rules *r, int64_t now_ms)
{
    if (HASH_COUNT(r->bans) < CHAT_BANS_MAX)
        return;
    chat_rules_expire(r, now_ms);
    struct chat_ban *first = r->bans;
    for (struct chat_ban *b = r->bans; b; b = b->hh.next) {
        if (b->until_ms < first->until_ms)
            first = b;
    }
    if (HASH_COUNT(r->bans) >= CHAT_BANS_MAX)
        forget_ban(r, first);
}

enum err chat_rules_ban(struct chat_rules *r, const struct chat_ban *ban, int64_t now_ms)
{
    struct chat_ban *b = malloc(sizeof *b);
    if (!b)
        return ERR_NOMEM;
    *b = *ban;
    (void)chat_rules_unban(r, ban->author_id);
    make_room(r, now_ms);
    HASH_ADD_STR(r->bans, author_id, b);
    return OK;
}

bool chat_rules_unban(struct chat_rules *r, const char *author_id)
{
    struct chat_ban *b = NULL;
    HASH_FIND_STR(r->bans, author_id, b);
    if (b)
        forget_ban(r, b);
    return b != NULL;
}

const struct chat_ban *chat_rules_banned(struct chat_rules *r, const char *author_id,
                                         const char *address, int64_t now_ms)
{
    struct chat_ban *b = NULL;
    HASH_FIND_STR(r->bans, author_id, b);
    if (b && b->until_ms > now_ms)
        return b;
    for (b = address[0] != '\0' ? r->bans : NULL; b; b = b->hh.next) {
        if (b->until_ms > now_ms && strcmp(b->address, address) == 0)
            return b;
    }
    return NULL;
}

/* ---- moderators ---- */

enum err chat_rules_set_moderator(struct chat_rules *r, const char *author_id, bool is)
{
    struct chat_moderator *m = NULL;
    HASH_FIND_STR(r->moderators, author_id, m);
    if (m && !is) {
        HASH_DEL(r->moderators, m);
        free(m);
    }
    if (!is || m)
        return OK;
    if (HASH_COUNT(r->moderators) >= CHAT_MODERATORS_MAX)
        return ERR_FULL;
    m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    snprintf(m->author_id, sizeof m->author_id, "%s", author_id);
    HASH_ADD_STR(r->moderators, author_id, m);
    return OK;
}

bool chat_rules_is_moderator(const struct chat_rules *r, const char *author_id)
{
    struct chat_moderator *m = NULL;
    HASH_FIND_STR(r->moderators, author_id, m);
    return m != NULL;
}

/* ---- words ---- */

enum err chat_rules_set_words(struct chat_rules *r, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(words[i]);
        if (length == 0 || length > CHAT_WORD_MAX)
            return ERR_RANGE;
    }
    char **copy = n > 0 ? calloc(n, sizeof *copy) : NULL;
    size_t made = 0;
    while (copy && made < n && (copy[made] = strdup(words[made])))
        made++;
    if (made < n) {
        while (made > 0)
            free(copy[--made]);
        free(copy);
        return ERR_NOMEM;
    }
    forget_words(r);
    r->words = copy;
    r->n_words = n;
    return OK;
}
