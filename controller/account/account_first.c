/* What a database without accounts gets: a secret to sign tokens with, and an admin. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "controller/account/accounts_state.h"

static const char first_name[] = "admin";

enum { FIRST_PASSWORD_LEN = 21 }; /* 20 letters and digits: 103 bits */

struct first {
    struct accounts *accounts;
    char id[USER_ID_LEN];
    char password[FIRST_PASSWORD_LEN];
};

static void end(struct first *f, enum err e)
{
    struct accounts *a = f->accounts;
    if (e != OK && e != ERR_EXISTS && !a->closing)
        log_warn("account.no_admin", "why=%s", err_name(e));
    memset(f, 0, sizeof *f);
    free(f);
    accounts_release(a);
}

static void on_created(void *ctx, enum err e)
{
    struct first *f = ctx;
    struct accounts_config *config = &f->accounts->config;
    /* ERR_EXISTS: another controller was faster. */
    if (e == OK) {
        log_info("account.first_admin", "name=%s", first_name);
        if (config->first_admin)
            config->first_admin(config->ctx, first_name, f->password);
    }
    end(f, e);
}

static void on_hashed(void *ctx, enum err e, const char *hash)
{
    struct first *f = ctx;
    struct account_row row = {.id = f->id,
                              .name = first_name,
                              .display_name = "Admin",
                              .password_hash = hash,
                              .role = API_ROLE_ADMIN,
                              .must_change_password = true,
                              .created_at = clock_wall() / USEC_PER_MSEC};
    if (e == OK)
        e = account_store_create(f->accounts->config.db, &row, NULL, on_created, f);
    if (e != OK)
        end(f, e);
}

static void on_any_admin(void *ctx, enum err e, const struct account_row *row)
{
    struct first *f = ctx;
    struct accounts *a = f->accounts;
    (void)row;
    if (e == ERR_NOT_FOUND && !a->closing) {
        rng_uuid(a->config.rng, f->id);
        rng_token(a->config.rng, f->password, sizeof f->password);
        e = passwords_hash(a->passwords, f->password, on_hashed, f);
        if (e == OK)
            return;
    }
    end(f, e);
}

static void on_secret(void *ctx, enum err e, const char *text)
{
    struct accounts *a = ctx;
    if (e == OK)
        snprintf(a->secret, sizeof a->secret, "%s", text);
    else if (!a->closing)
        log_error("account.no_secret", "why=%s", err_name(e));
    a->secret_asked = false;
    accounts_release(a);
}

void accounts_load_secret(struct accounts *a)
{
    if (a->secret_asked || a->closing)
        return;
    char candidate[SECRET_LEN];
    if (a->config.secret[0] != '\0') {
        snprintf(a->secret, sizeof a->secret, "%s", a->config.secret);
        return;
    }
    rng_token(a->config.rng, candidate, sizeof candidate);
    a->secret_asked = true;
    accounts_hold(a);
    enum err e = account_store_secret(a->config.db, "token", candidate,
                                      clock_wall() / USEC_PER_MSEC, on_secret, a);
    if (e != OK)
        on_secret(a, e, NULL);
}

void accounts_begin(struct accounts *a)
{
    accounts_load_secret(a);
    struct first *f = calloc(1, sizeof *f);
    if (!f)
        return;
    f->accounts = a;
    accounts_hold(a);
    enum err e = account_store_any_admin(a->config.db, on_any_admin, f);
    if (e != OK)
        end(f, e);
}
