#include "controller/net/ip_limit.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
static bool out_of_memory;
#define uthash_nonfatal_oom(element) (out_of_memory = true)
#include <uthash.h>

enum { CUSTOMER_BYTES = 8 }; /* of an IPv6 address: its /64 */

struct ip_count {
    struct addr who; /* without port */
    unsigned n;
    UT_hash_handle hh;
};

static struct addr customer(const struct addr *a)
{
    struct addr who = {.family = a->family};
    memcpy(who.ip, a->ip, a->family == 4 ? 4 : CUSTOMER_BYTES);
    return who;
}

static struct ip_count *find(const struct ip_limit *l, const struct addr *who)
{
    struct ip_count *found = NULL;
    HASH_FIND(hh, l->by_addr, who, sizeof *who, found);
    return found;
}

bool ip_limit_take(struct ip_limit *l, const struct addr *a)
{
    if (l->max == 0)
        return true;
    struct addr who = customer(a);
    struct ip_count *c = find(l, &who);
    if (!c) {
        c = calloc(1, sizeof *c);
        if (!c)
            return false;
        c->who = who;
        out_of_memory = false;
        HASH_ADD(hh, l->by_addr, who, sizeof c->who, c);
        if (out_of_memory) {
            free(c);
            return false;
        }
    }
    if (c->n >= l->max)
        return false;
    c->n++;
    return true;
}

void ip_limit_give(struct ip_limit *l, const struct addr *a)
{
    if (l->max == 0)
        return;
    struct addr who = customer(a);
    struct ip_count *c = find(l, &who);
    if (!c || --c->n > 0)
        return;
    HASH_DEL(l->by_addr, c);
    free(c);
}

unsigned ip_limit_count(const struct ip_limit *l, const struct addr *a)
{
    struct addr who = customer(a);
    const struct ip_count *c = find(l, &who);
    return c ? c->n : 0;
}

void ip_limit_fini(struct ip_limit *l)
{
    struct ip_count *c;
    struct ip_count *next;
    HASH_ITER(hh, l->by_addr, c, next)
    {
        HASH_DEL(l->by_addr, c);
        free(c);
    }
}
