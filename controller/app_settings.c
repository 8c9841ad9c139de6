#include "controller/app_settings.h"

#include <string.h>

#include "common/time.h"
#include "controller/app.h"

static const char *or_null(const char *s)
{
    return s[0] != '\0' ? s : NULL;
}

static struct origin_policy origins(const struct settings *s)
{
    return (struct origin_policy){.allowed = s->http_allowed_origins.items,
                                  .n_allowed = s->http_allowed_origins.n,
                                  .public_url = s->http_public_url};
}

enum err app_http_config(const struct settings *s, struct arena *arena, struct http_config *out)
{
    size_t n = s->http_trusted_proxies.n;
    struct addr_range *proxies = arena_array(arena, n + 1, sizeof *proxies);
    if (!proxies)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        enum err e = addr_range_parse(&proxies[i], s->http_trusted_proxies.items[i]);
        if (e != OK)
            return e; /* not after settings_check */
    }
    *out = (struct http_config){.host = strcmp(s->http_host, "localhost") == 0 ? "127.0.0.1"
                                                                               : s->http_host,
                                .port = s->http_port,
                                .cert_file = or_null(s->http_tls_cert),
                                .key_file = or_null(s->http_tls_key),
                                .max_connections = (unsigned)s->http_max_connections,
                                .max_connections_per_ip = (unsigned)s->limits_connections_per_ip,
                                .max_body = (size_t)s->limits_body_bytes,
                                .trusted_proxies = proxies,
                                .n_trusted_proxies = n,
                                .origins = origins(s)};
    return OK;
}

static struct rate rate(int64_t per_minute, int64_t burst)
{
    return (struct rate){.per_minute = (unsigned)per_minute, .burst = (unsigned)burst};
}

void app_api_config(const struct settings *s, struct api_config *out)
{
    *out = (struct api_config){
        .rates = {[API_LIMIT_GENERAL] = rate(s->limits_api_per_minute, s->limits_api_burst),
                  [API_LIMIT_LOGIN] = rate(s->limits_login_per_minute, s->limits_login_burst),
                  [API_LIMIT_REGISTER] =
                      rate(s->limits_register_per_minute, s->limits_register_burst),
                  [API_LIMIT_CREATE] = rate(s->limits_create_per_minute, s->limits_create_burst),
                  [API_LIMIT_CHAT] = rate(s->limits_chat_per_minute, s->limits_chat_burst)},
        .address_factor = (unsigned)s->limits_address_factor,
        .buckets = (size_t)s->limits_buckets,
        .origins = origins(s),
        .version = WEIR_VERSION};
}

void app_accounts_config(const struct settings *s, struct accounts_config *out)
{
    *out =
        (struct accounts_config){.registration = s->accounts_registration,
                                 .secret = s->accounts_secret,
                                 .session_lifetime = s->accounts_session_lifetime,
                                 .session_check = s->accounts_session_check,
                                 .scrypt_cost = (unsigned)s->accounts_scrypt_cost,
                                 .scrypt_running = (unsigned)s->accounts_scrypt_running,
                                 .scrypt_waiting = (unsigned)s->accounts_scrypt_waiting,
                                 .login = rate(s->limits_login_per_minute, s->limits_login_burst),
                                 .login_factor = (unsigned)s->limits_address_factor};
}

enum err app_fleet_config(const struct settings *s, struct arena *arena, struct fleet_config *out)
{
    struct settings_listen listens[SETTINGS_LISTEN_MAX];
    size_t n = 0;
    enum err e = settings_listen_ips(s, arena, listens, &n);
    if (e != OK)
        return e;
    *out = (struct fleet_config){.n_workers = (unsigned)s->rtc_workers,
                                 .port_base = s->rtc_port_base,
                                 .log_level = settings_log_levels[s->log_level],
                                 .n_listens = n};
    for (size_t i = 0; i < n; i++) {
        char text[ADDR_TEXT_MAX];
        addr_ip_text(&listens[i].ip, text, sizeof text);
        out->listens[i].ip = arena_strndup(arena, text, strlen(text));
        out->listens[i].announced = listens[i].announced;
        if (!out->listens[i].ip)
            return ERR_NOMEM;
    }
    return OK;
}

static bool has_mode(const struct settings *s, const char *mode)
{
    for (size_t i = 0; i < s->hls_modes.n; i++) {
        if (strcmp(s->hls_modes.items[i], mode) == 0)
            return true;
    }
    return false;
}

void app_rooms_config(const struct settings *s, struct rooms_config *out)
{
    *out = (struct rooms_config){.rooms_max = (unsigned)s->limits_rooms,
                                 .peers_per_room_max = (unsigned)s->limits_peers_per_room,
                                 .transports_per_peer_max = (unsigned)s->limits_transports_per_peer,
                                 .producers_per_peer_max = (unsigned)s->limits_producers_per_peer,
                                 .consumers_per_peer_max = (unsigned)s->limits_consumers_per_peer,
                                 .requests_per_second = (unsigned)s->limits_requests_per_second,
                                 .requests_burst = (unsigned)s->limits_requests_burst,
                                 .message_bytes_max = (size_t)s->limits_message_bytes,
                                 .send_queue_bytes_max = (size_t)s->limits_send_queue_bytes,
                                 .idle_s = (unsigned)(s->limits_idle / USEC_PER_SEC),
                                 .worker_load_max = (unsigned)s->rtc_worker_load_max,
                                 .tcp = s->rtc_tcp,
                                 .initial_outgoing_bps = (uint32_t)s->rtc_initial_bitrate,
                                 .min_outgoing_bps = (uint32_t)s->rtc_min_bitrate,
                                 .max_outgoing_bps = (uint32_t)s->rtc_max_bitrate,
                                 .max_incoming_bps = (uint32_t)s->rtc_max_incoming_bitrate,
                                 .ice_servers = {.stun_urls = s->ice_stun_urls.items,
                                                 .n_stun_urls = s->ice_stun_urls.n,
                                                 .turn_urls = s->ice_turn_urls.items,
                                                 .n_turn_urls = s->ice_turn_urls.n,
                                                 .turn_username = s->ice_turn_username,
                                                 .turn_password = s->ice_turn_password,
                                                 .turn_secret = s->ice_turn_secret,
                                                 .turn_ttl_s = s->ice_turn_ttl / USEC_PER_SEC},
                                 .hls = {.stream = has_mode(s, "stream"),
                                         .peers = has_mode(s, "peers"),
                                         .composite = has_mode(s, "composite"),
                                         .names = s->hls_names,
                                         .low_bandwidth = s->hls_low_bandwidth},
                                 .origins = origins(s)};
}
