/* What is known of sessions, so that not every request asks the database: the newest so many, each
 * with when it was looked at. Pure; the time is an argument. Private to account/. */
#ifndef WEIR_CONTROLLER_ACCOUNT_SESSION_CACHE_H
#define WEIR_CONTROLLER_ACCOUNT_SESSION_CACHE_H

#include <stddef.h>

#include "common/err.h"
#include "common/time.h"
#include "controller/api/api.h"

struct session_cache;

MUST_CHECK enum err session_cache_open(struct session_cache **out, size_t max);
void session_cache_close(struct session_cache *c);

/* NULL: not known. *age: how long ago it was looked at. Valid until the next call. */
const struct api_user *session_cache_find(struct session_cache *c, const char *session_id, usec now,
                                          usec *age);
/* By user->session_id; the one that was looked at longest ago makes room. */
void session_cache_put(struct session_cache *c, const struct api_user *user, usec now);
void session_cache_drop(struct session_cache *c, const char *session_id);
void session_cache_drop_user(struct session_cache *c, const char *user_id);

#endif
