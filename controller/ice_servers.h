/* RTCIceServer objects for clients, from the configuration (WebRTC 4.2.4). No IO. */
#ifndef WEIR_CONTROLLER_ICE_SERVERS_H
#define WEIR_CONTROLLER_ICE_SERVERS_H

#include <jansson.h>

#include "controller/settings/settings.h"

/* A new reference to an array, perhaps empty; NULL when memory is exhausted. */
json_t *ice_servers(const struct settings *s);

#endif
