/* Randomness as an injected generator, so that engines and simulations are repeatable. */
#ifndef WEIR_COMMON_RNG_H
#define WEIR_COMMON_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    void (*fill)(struct rng *self, void *out, size_t n);
    uint64_t state[4]; /* of the seeded generator only */
};

/* The kernel's generator (getrandom); for everything that must not be guessed. Aborts if it fails.
 */
void rng_init_system(struct rng *r);
/* xoshiro256**, repeatable; for tests and simulations only. */
void rng_init_seeded(struct rng *r, uint64_t seed);

void rng_bytes(struct rng *r, void *out, size_t n);
uint32_t rng_u32(struct rng *r);
uint64_t rng_u64(struct rng *r);
/* Fills out with n - 1 characters of [a-z0-9] and a NUL. */
void rng_token(struct rng *r, char *out, size_t n);
/* Fills out with a version 4 UUID (RFC 9562), 36 characters and a NUL. */
void rng_uuid(struct rng *r, char out[37]);

#endif
