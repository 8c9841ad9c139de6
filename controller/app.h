/* The service: puts the parts together, in order, and takes them apart again. Owns everything; one
 * loop. */
#ifndef WEIR_CONTROLLER_APP_H
#define WEIR_CONTROLLER_APP_H

#ifndef WEIR_VERSION
#define WEIR_VERSION "0.1.0"
#endif

#include "common/err.h"
#include "controller/settings/settings.h"

struct uv_loop_s;
struct app;

struct app_config {
    struct uv_loop_s *loop;
    const struct settings *settings; /* borrowed, outlives the app */
    /* Once: everything runs; or it cannot, with a sentence that says why. In the latter case call
     * app_close. */
    void (*started)(void *ctx, enum err e, const char *text);
    /* The database had no admin, so that one was made: the only time that its password is told. */
    void (*first_admin)(void *ctx, const char *name, const char *password);
    /* Once: the app is gone, after app_close, or after app_drain came to its end. */
    void (*closed)(void *ctx);
    void *ctx;
};

/* What can be checked at once is (folders, ports, programs); text says what is wrong. Then out is
 * to be closed all the same, unless it is NULL. A PostgreSQL that is away is waited for. */
MUST_CHECK enum err app_open(const struct app_config *config, struct app **out, char *text,
                             size_t n);
/* No new rooms from now on; calls app_close by itself when nobody is in any more, or after `drain`.
 */
void app_drain(struct app *a);
/* Ends everything in an orderly way; the loop then has nothing left to do. Until
 * config.closed was called, repeated calls do nothing. */
void app_close(struct app *a);

#endif
