/* RTCIceServer objects for clients (WebRTC 4.2.4), with TURN credentials that expire
 * (draft-uberti-behave-turn-rest; coturn: use-auth-secret). Pure; no IO. */
#ifndef WEIR_CONTROLLER_RTC_ICE_SERVERS_H
#define WEIR_CONTROLLER_RTC_ICE_SERVERS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Strings are borrowed; "" or NULL: not set. */
struct ice_servers_config {
    const char *const *stun_urls;
    size_t n_stun_urls;
    const char *const *turn_urls;
    size_t n_turn_urls;
    const char *turn_username; /* fixed credentials, without turn_secret */
    const char *turn_password;
    const char *turn_secret; /* shared with the TURN server */
    int64_t turn_ttl_s;
};

/* For one client; name: what the TURN server's log shall call it. now_s: since 1970. A new
 * reference to an array, perhaps empty; NULL when memory is exhausted. */
json_t *ice_servers(const struct ice_servers_config *c, const char *name, int64_t now_s);

#endif
