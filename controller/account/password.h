/* Passwords: scrypt (RFC 7914) on the loop's threads, so many at a time, so many waiting. A hash is
 * kept with its parameters: "$scrypt$ln=15,r=8,p=3$<salt>$<key>", both base64. */
#ifndef WEIR_CONTROLLER_ACCOUNT_PASSWORD_H
#define WEIR_CONTROLLER_ACCOUNT_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/rng.h"

struct uv_loop_s;
struct passwords;

enum { PASSWORD_MIN = 8, PASSWORD_MAX = 256, PASSWORD_HASH_MAX = 160 };

struct passwords_config {
    struct uv_loop_s *loop;
    struct rng *rng;
    unsigned cost;        /* log2 of scrypt's N; 15 takes 32 MiB while it runs */
    unsigned running_max; /* at the same time */
    unsigned waiting_max; /* beyond: ERR_AGAIN */
};

MUST_CHECK enum err passwords_open(const struct passwords_config *config, struct passwords **out);
/* What waits is told ERR_CLOSED; what runs is waited for. closed is called once, later. */
void passwords_close(struct passwords *p, void (*closed)(void *ctx), void *ctx);

/* hash: for passwords_hash, and for passwords_check when the one that was given is of other
 * parameters than the configured ones; else NULL. ERR_AUTH: the password is another one. */
typedef void password_fn(void *ctx, enum err e, const char *hash);

/* OK: done is called exactly once, later. ERR_AGAIN: too many wait. The password is copied, and
 * wiped afterwards. */
MUST_CHECK enum err passwords_hash(struct passwords *p, const char *password, password_fn *done,
                                   void *ctx);
/* hash NULL: takes as long as with one, and fails with ERR_AUTH; so that time does not tell which
 * accounts exist. */
MUST_CHECK enum err passwords_check(struct passwords *p, const char *password, const char *hash,
                                    password_fn *done, void *ctx);

#endif
