#include "controller/api/rate_limit.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, KIND_ADDR = 1, KIND_TEXT = 2, IPV6_CUSTOMER_BYTES = 8 };

struct bucket {
    struct rate_key key;
    usec full_at; /* tokens are missing until then */
};

struct rate_table {
    struct bucket *buckets; /* owned; n_sets * WAYS */
    size_t n_sets;          /* a power of two */
    uint64_t seed[2];
};

/* ---- keys ---- */

struct rate_key rate_key_addr(uint8_t what, const struct addr *a)
{
    struct rate_key key = {.what = what, .kind = KIND_ADDR};
    memcpy(key.id, a->ip, a->family == 4 ? 4 : IPV6_CUSTOMER_BYTES);
    key.id[sizeof key.id - 1] = a->family;
    return key;
}

struct rate_key rate_key_text(uint8_t what, const char *a, const char *b)
{
    struct rate_key key = {.what = what, .kind = KIND_TEXT};
    uint8_t digest[SHA256_DIGEST_LENGTH];
    uint8_t both[2 * SHA256_DIGEST_LENGTH];
    SHA256((const uint8_t *)a, strlen(a), both);
    SHA256((const uint8_t *)(b ? b : ""), b ? strlen(b) : 0, both + SHA256_DIGEST_LENGTH);
    SHA256(both, sizeof both, digest);
    memcpy(key.id, digest, sizeof key.id);
    return key;
}

/* ---- table ---- */

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

static struct bucket *set_of(const struct rate_table *t, const struct rate_key *key)
{
    uint64_t words[3];
    memcpy(words, key, sizeof words);
    uint64_t h = mix(words[0] ^ t->seed[0]);
    h = mix(h ^ words[1] ^ t->seed[1]);
    h = mix(h ^ words[2]);
    return &t->buckets[(h & (t->n_sets - 1)) * WAYS];
}

enum err rate_table_open(struct rate_table **out, size_t entries, struct rng *rng)
{
    struct rate_table *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->n_sets = 1;
    while (t->n_sets * WAYS < entries)
        t->n_sets *= 2;
    t->buckets = calloc(t->n_sets * WAYS, sizeof *t->buckets);
    if (!t->buckets) {
        free(t);
        return ERR_NOMEM;
    }
    t->seed[0] = rng_u64(rng);
    t->seed[1] = rng_u64(rng);
    *out = t;
    return OK;
}

void rate_table_close(struct rate_table *t)
{
    if (!t)
        return;
    free(t->buckets);
    free(t);
}

/* ---- tokens ---- */

static usec per_token(struct rate rate)
{
    return 60 * USEC_PER_SEC / rate.per_minute;
}

/* When the bucket would be full after a token was taken; *wait: until it may be. */
static usec full_after(usec full_at, usec now, struct rate rate, usec *wait)
{
    usec full = (full_at > now ? full_at : now) + per_token(rate);
    *wait = full - now - per_token(rate) * (rate.burst > 0 ? rate.burst : 1);
    return full;
}

/* The key's entry, or NULL. */
static struct bucket *find(struct bucket *set, const struct rate_key *key)
{
    for (size_t i = 0; i < WAYS; i++) {
        if (memcmp(&set[i].key, key, sizeof *key) == 0)
            return &set[i];
    }
    return NULL;
}

enum err rate_take(struct rate_table *t, usec now, const struct rate_key *key, struct rate rate,
                   usec *wait)
{
    *wait = 0;
    if (rate.per_minute == 0)
        return OK;
    struct bucket *set = set_of(t, key);
    struct bucket *b = find(set, key);
    if (!b) {
        b = set;
        for (size_t i = 1; i < WAYS; i++) {
            if (set[i].full_at < b->full_at)
                b = &set[i];
        }
        *b = (struct bucket){.key = *key};
    }
    usec full = full_after(b->full_at, now, rate, wait);
    if (*wait > 0)
        return ERR_FULL;
    *wait = 0;
    b->full_at = full;
    return OK;
}

enum err rate_peek(const struct rate_table *t, usec now, const struct rate_key *key,
                   struct rate rate, usec *wait)
{
    *wait = 0;
    if (rate.per_minute == 0)
        return OK;
    const struct bucket *b = find(set_of(t, key), key);
    if (b)
        (void)full_after(b->full_at, now, rate, wait);
    if (*wait > 0)
        return ERR_FULL;
    *wait = 0;
    return OK;
}

void rate_give(struct rate_table *t, const struct rate_key *key, struct rate rate)
{
    struct bucket *b = rate.per_minute > 0 ? find(set_of(t, key), key) : NULL;
    if (b)
        b->full_at -= per_token(rate);
}

unsigned rate_wait_s(usec wait)
{
    usec s = (wait + USEC_PER_SEC - 1) / USEC_PER_SEC;
    return s < 1 ? 1 : (unsigned)s;
}
