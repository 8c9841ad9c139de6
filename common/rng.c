#include "common/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void fill_system(struct rng *self, void *out, size_t n)
{
    (void)self;
    uint8_t *p = out;
    while (n > 0) {
        /* getrandom never returns short for 256 bytes or fewer once the kernel is seeded. */
        size_t chunk = n < 256 ? n : 256;
        ssize_t got = getrandom(p, chunk, 0);
        if (got < 0)
            abort();
        p += got;
        n -= (size_t)got;
    }
}

static uint64_t rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

static uint64_t next_seeded(uint64_t s[4])
{
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

static void fill_seeded(struct rng *self, void *out, size_t n)
{
    uint8_t *p = out;
    while (n > 0) {
        uint64_t v = next_seeded(self->state);
        size_t chunk = n < sizeof v ? n : sizeof v;
        memcpy(p, &v, chunk);
        p += chunk;
        n -= chunk;
    }
}

void rng_init_system(struct rng *r)
{
    *r = (struct rng){.fill = fill_system};
}

void rng_init_seeded(struct rng *r, uint64_t seed)
{
    *r = (struct rng){.fill = fill_seeded};
    for (int i = 0; i < 4; i++) {
        /* splitmix64 spreads the seed over the state. */
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        r->state[i] = z ^ z >> 31;
    }
}

void rng_bytes(struct rng *r, void *out, size_t n)
{
    r->fill(r, out, n);
}

uint32_t rng_u32(struct rng *r)
{
    uint32_t v;
    r->fill(r, &v, sizeof v);
    return v;
}

uint64_t rng_u64(struct rng *r)
{
    uint64_t v;
    r->fill(r, &v, sizeof v);
    return v;
}

void rng_token(struct rng *r, char *out, size_t n)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t i = 0;
    while (i + 1 < n) {
        uint8_t b;
        r->fill(r, &b, 1);
        /* 252 = 7 * 36: values above it would make the first letters likelier. */
        if (b < 252)
            out[i++] = alphabet[b % 36];
    }
    if (n > 0)
        out[i] = '\0';
}

void rng_uuid(struct rng *r, char out[37])
{
    uint8_t b[16];
    r->fill(r, b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}
