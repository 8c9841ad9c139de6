/* What the settings mean to the parts. Pure, but for memory from an arena. */
#ifndef WEIR_CONTROLLER_APP_SETTINGS_H
#define WEIR_CONTROLLER_APP_SETTINGS_H

#include "common/arena.h"
#include "common/err.h"
#include "controller/account/accounts.h"
#include "controller/api/api.h"
#include "controller/fleet/fleet.h"
#include "controller/net/http.h"
#include "controller/room/rooms.h"
#include "controller/settings/settings.h"

/* These fill in what comes from settings and leave the rest 0: loops, callbacks, other parts. What
 * out points to is borrowed from the settings or lies in the arena. ERR_NOMEM. */
MUST_CHECK enum err app_http_config(const struct settings *s, struct arena *arena,
                                    struct http_config *out);
MUST_CHECK enum err app_fleet_config(const struct settings *s, struct arena *arena,
                                     struct fleet_config *out);
/* Without http, metrics and rng. */
void app_api_config(const struct settings *s, struct api_config *out);
void app_accounts_config(const struct settings *s, struct accounts_config *out);
void app_rooms_config(const struct settings *s, struct rooms_config *out);

#endif
