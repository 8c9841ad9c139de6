/* Accounts: who may log in, and who a token belongs to. Registers /api/account, /api/users and
 * /api/admin/users with the API, and answers its question who asks. Controller's loop, one thread;
 * passwords are hashed on the loop's threads. */
#ifndef WEIR_CONTROLLER_ACCOUNT_ACCOUNTS_H
#define WEIR_CONTROLLER_ACCOUNT_ACCOUNTS_H

#include <stdbool.h>

#include "common/err.h"
#include "common/metrics.h"
#include "common/rng.h"
#include "common/time.h"
#include "controller/api/api.h"
#include "controller/data/db.h"

struct uv_loop_s;
struct accounts;

/* Strings are borrowed. */
struct accounts_config {
    struct uv_loop_s *loop;
    struct api *api;
    struct db *db;
    struct metrics *metrics; /* NULL: none */
    struct rng *rng;
    bool registration;     /* anybody may register */
    const char *secret;    /* that tokens are signed with; "": one that is kept in the database */
    usec session_lifetime; /* of a token */
    usec session_check;    /* what the database said about a session is taken as true so long */
    unsigned scrypt_cost;  /* see password.h */
    unsigned scrypt_running;
    unsigned scrypt_waiting;
    struct rate login;     /* failed log-ins to one account from one address */
    unsigned login_factor; /* from all addresses: so many times as many */
    /* There was no admin, so that one was made. The only time that its password is told. */
    void (*first_admin)(void *ctx, const char *name, const char *password);
    void *ctx;
};

MUST_CHECK enum err accounts_open(const struct accounts_config *config, struct accounts **out);
/* To be closed while the database still answers; closed is called once, later. */
void accounts_close(struct accounts *a, void (*closed)(void *ctx), void *ctx);

#endif
