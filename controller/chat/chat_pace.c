#include "controller/chat/chat_pace.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "proto/signaling_chat.h"

struct chat_pace_author {
    UT_hash_handle hh;
    char id[SIG_CHAT_ID_MAX + 1];
    double tokens;
    usec at;    /* of the tokens */
    usec wrote; /* last time; 0: never */
};

static void forget(struct chat_pace *p, struct chat_pace_author *a)
{
    HASH_DEL(p->authors, a);
    p->n--;
    free(a);
}

/* As the one who wrote last. NULL: out of memory. */
static struct chat_pace_author *get(struct chat_pace *p, const char *id, double tokens, usec now)
{
    struct chat_pace_author *a = NULL;
    HASH_FIND_STR(p->authors, id, a);
    if (a) {
        HASH_DEL(p->authors, a); /* to the end */
    } else {
        if (p->n >= CHAT_PACE_AUTHORS_MAX)
            forget(p, p->authors);
        a = calloc(1, sizeof *a);
        if (!a)
            return NULL;
        snprintf(a->id, sizeof a->id, "%s", id);
        a->tokens = tokens;
        a->at = now;
        p->n++;
    }
    HASH_ADD_STR(p->authors, id, a);
    return a;
}

static unsigned seconds_up(double s)
{
    unsigned whole = (unsigned)s;
    return whole < s || whole == 0 ? whole + 1 : whole;
}

enum err chat_pace_take(struct chat_pace *p, const char *author,
                        const struct chat_pace_limits *limits, usec now, unsigned *wait_s)
{
    double rate = limits->per_minute / 60.0;
    struct chat_pace_author *a = get(p, author, limits->burst, now);
    *wait_s = 1;
    if (!a)
        return ERR_NOMEM;
    a->tokens += (double)(now - a->at) / USEC_PER_SEC * rate;
    a->at = now;
    if (a->tokens > limits->burst)
        a->tokens = limits->burst;
    usec free_at = a->wrote + (usec)limits->slow_s * USEC_PER_SEC;
    if (limits->slow_s > 0 && a->wrote != 0 && now < free_at) {
        *wait_s = seconds_up((double)(free_at - now) / USEC_PER_SEC);
        return ERR_FULL;
    }
    if (limits->per_minute > 0 && a->tokens < 1) {
        *wait_s = seconds_up((1 - a->tokens) / rate);
        return ERR_FULL;
    }
    a->tokens -= 1;
    a->wrote = now;
    return OK;
}

void chat_pace_fini(struct chat_pace *p)
{
    while (p->authors)
        forget(p, p->authors);
}
