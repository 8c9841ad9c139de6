/* What the table of keys cannot see: how settings fit each other and the machine. */
#include "controller/settings/settings.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/addr_range.h"

enum { PORTS_A_PIPELINE = 4 }; /* RTP and RTCP of audio and of video */

#define FAIL(p, key, ...) config_problem_add(p, false, NULL, 0, key, __VA_ARGS__)
#define WARN(p, key, ...) config_problem_add(p, true, NULL, 0, key, __VA_ARGS__)

static bool starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* ---- hls.ladder, hls.modes ---- */

/* "720p:2500k" */
static bool parse_rendition(const char *text, struct settings_rendition *out)
{
    char *end;
    unsigned long height = strtoul(text, &end, 10);
    if (text[0] < '1' || text[0] > '9' || end[0] != 'p' || end[1] != ':')
        return false;
    const char *rate = end + 2;
    long long bps = strtoll(rate, &end, 10);
    long long unit = *end == 'k' ? 1000 : *end == 'M' ? 1000 * 1000 : 1;
    end += unit > 1;
    if (rate[0] < '1' || rate[0] > '9' || *end != '\0' || height < 72 || height > 2160 ||
        height % 2 != 0 || bps > 100 * 1000 * 1000 / unit || bps * unit < 10 * 1000)
        return false;
    *out = (struct settings_rendition){.height = (unsigned)height, .bps = bps * unit};
    return true;
}

enum err settings_ladder(const struct settings *s,
                         struct settings_rendition out[SETTINGS_LADDER_MAX], size_t *n)
{
    *n = s->hls_ladder.n;
    if (*n > SETTINGS_LADDER_MAX)
        return ERR_RANGE;
    for (size_t i = 0; i < *n; i++) {
        if (!parse_rendition(s->hls_ladder.items[i], &out[i]) ||
            (i > 0 && out[i].height >= out[i - 1].height))
            return ERR_MALFORMED;
    }
    return OK;
}

static void check_hls(const struct settings *s, struct config_problems *p)
{
    struct settings_rendition ladder[SETTINGS_LADDER_MAX];
    size_t n;
    if (settings_ladder(s, ladder, &n) != OK)
        FAIL(p, "hls.ladder",
             "expected even heights and bit rates, highest first, as in 720p:2500k,480p:1000k");
    for (size_t i = 0; i < s->hls_modes.n; i++) {
        const char *mode = s->hls_modes.items[i];
        if (strcmp(mode, "stream") != 0 && strcmp(mode, "peers") != 0 &&
            strcmp(mode, "composite") != 0)
            FAIL(p, "hls.modes", "expected stream, peers or composite, not \"%s\"", mode);
    }
    if (strspn(s->hls_encoder, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(s->hls_encoder))
        FAIL(p, "hls.encoder", "expected an encoder's name, as ffmpeg -encoders lists them");
}

/* ---- rtc.listen_ips ---- */

static bool is_host(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-");
    return n > 0 && n < 256 && s[n] == '\0';
}

/* One entry; the reason when it is no good, or NULL. */
static const char *parse_listen(const char *text, struct arena *arena, struct settings_listen *out)
{
    char ip[ADDR_TEXT_MAX];
    size_t n = strcspn(text, "=");
    if (n >= sizeof ip)
        return "expected ip or ip=announced";
    memcpy(ip, text, n);
    ip[n] = '\0';
    if (addr_parse(&out->ip, ip, 0) != OK)
        return "expected an IP address of this machine in front";
    out->announced = NULL;
    if (text[n] == '=') {
        if (!is_host(text + n + 1))
            return "expected an address or a host name behind the \"=\"";
        out->announced =
            arena ? arena_strndup(arena, text + n + 1, strlen(text + n + 1)) : text + n + 1;
        if (!out->announced)
            return "out of memory";
    }
    if (addr_is_any(&out->ip) && !out->announced)
        return "expected an announced address, since clients cannot connect to this one: "
               "0.0.0.0=203.0.113.7";
    return NULL;
}

enum err settings_listen_ips(const struct settings *s, struct arena *arena,
                             struct settings_listen out[SETTINGS_LISTEN_MAX], size_t *n)
{
    if (s->rtc_listen_ips.n > SETTINGS_LISTEN_MAX)
        return ERR_RANGE;
    for (size_t i = 0; i < s->rtc_listen_ips.n; i++) {
        if (parse_listen(s->rtc_listen_ips.items[i], arena, &out[i]))
            return ERR_MALFORMED;
    }
    *n = s->rtc_listen_ips.n;
    return OK;
}

/* ---- checks ---- */

static void check_file(struct config_problems *p, const char *key, const char *path)
{
    if (path[0] != '\0' && access(path, R_OK) != 0)
        FAIL(p, key, "%s cannot be read", path);
}

static void check_http(const struct settings *s, struct config_problems *p)
{
    struct addr host;
    if (strcmp(s->http_host, "localhost") != 0 && addr_parse(&host, s->http_host, 0) != OK)
        FAIL(p, "http.host", "expected an IP address or localhost, not \"%s\"", s->http_host);
    if ((s->http_tls_cert[0] == '\0') != (s->http_tls_key[0] == '\0'))
        FAIL(p, s->http_tls_cert[0] == '\0' ? "http.tls_cert" : "http.tls_key",
             "expected both http.tls_cert and http.tls_key, or neither");
    check_file(p, "http.tls_cert", s->http_tls_cert);
    check_file(p, "http.tls_key", s->http_tls_key);
    if (s->http_public_url[0] != '\0' && !starts_with(s->http_public_url, "http://") &&
        !starts_with(s->http_public_url, "https://"))
        FAIL(p, "http.public_url", "expected http://... or https://...");
    for (size_t i = 0; i < s->http_trusted_proxies.n; i++) {
        struct addr_range range;
        if (addr_range_parse(&range, s->http_trusted_proxies.items[i]) != OK)
            FAIL(p, "http.trusted_proxies",
                 "expected IP addresses or ranges such as 10.0.0.0/8, not \"%s\"",
                 s->http_trusted_proxies.items[i]);
    }
    for (size_t i = 0; i < s->http_allowed_origins.n; i++) {
        const char *o = s->http_allowed_origins.items[i];
        if (strcmp(o, "*") != 0 && !starts_with(o, "http://") && !starts_with(o, "https://"))
            FAIL(p, "http.allowed_origins", "expected http://... or https://..., not \"%s\"", o);
    }
}

static void check_reach(const struct settings *s, struct config_problems *p)
{
    struct addr host;
    struct settings_listen listen;
    bool media_is_local = true;
    for (size_t i = 0; i < s->rtc_listen_ips.n; i++) {
        const char *reason = parse_listen(s->rtc_listen_ips.items[i], NULL, &listen);
        if (reason)
            FAIL(p, "rtc.listen_ips", "\"%s\": %s", s->rtc_listen_ips.items[i], reason);
        else if (!addr_is_loopback(&listen.ip))
            media_is_local = false;
    }
    if (addr_parse(&host, s->http_host, 0) != OK || addr_is_loopback(&host))
        return;
    if (media_is_local)
        WARN(p, "rtc.listen_ips",
             "only this machine can reach the media; list an address that others reach");
    if (s->http_tls_cert[0] == '\0' && !starts_with(s->http_public_url, "https://"))
        WARN(p, "http.tls_cert",
             "browsers on other machines give no camera to pages without https");
}

static bool overlap(int64_t a_min, int64_t a_max, int64_t b_min, int64_t b_max)
{
    return a_min <= b_max && b_min <= a_max;
}

static void check_ports(const struct settings *s, struct config_problems *p)
{
    int64_t workers = s->rtc_workers > 0 ? s->rtc_workers : sysconf(_SC_NPROCESSORS_ONLN);
    int64_t first = s->rtc_port_base;
    int64_t last = first + workers - 1;
    if (last > UINT16_MAX)
        FAIL(p, "rtc.port_base", "%lld workers do not fit between %lld and 65535",
             (long long)workers, (long long)first);
    if (overlap(first, last, s->http_port, s->http_port))
        FAIL(p, "http.port", "%u is among the workers' ports, %lld to %lld", s->http_port,
             (long long)first, (long long)last);
    if (s->hls_port_min > s->hls_port_max)
        FAIL(p, "hls.port_max", "expected at least hls.port_min, %u", s->hls_port_min);
    else if (overlap(first, last, s->hls_port_min, s->hls_port_max))
        FAIL(p, "hls.port_min", "%u to %u overlaps the workers' ports, %lld to %lld",
             s->hls_port_min, s->hls_port_max, (long long)first, (long long)last);
    else if (s->hls_port_max - s->hls_port_min + 1 < PORTS_A_PIPELINE * s->hls_max_pipelines)
        WARN(p, "hls.port_max",
             "%d ports are too few for hls.max_pipelines = %lld, which take %d "
             "each",
             s->hls_port_max - s->hls_port_min + 1, (long long)s->hls_max_pipelines,
             PORTS_A_PIPELINE);
}

static void check_bitrates(const struct settings *s, struct config_problems *p)
{
    if (s->rtc_min_bitrate > s->rtc_initial_bitrate)
        FAIL(p, "rtc.initial_bitrate", "expected at least rtc.min_bitrate");
    if (s->rtc_initial_bitrate > s->rtc_max_bitrate)
        FAIL(p, "rtc.max_bitrate", "expected at least rtc.initial_bitrate");
    if (s->limits_requests_burst < s->limits_requests_per_second)
        FAIL(p, "limits.requests_burst", "expected at least limits.requests_per_second");
}

static void check_ice(const struct settings *s, struct config_problems *p)
{
    for (size_t i = 0; i < s->ice_stun_urls.n; i++) {
        const char *url = s->ice_stun_urls.items[i];
        if (!starts_with(url, "stun:") && !starts_with(url, "stuns:"))
            FAIL(p, "ice.stun_urls", "expected stun:host:port, not \"%s\"", url);
    }
    for (size_t i = 0; i < s->ice_turn_urls.n; i++) {
        const char *url = s->ice_turn_urls.items[i];
        if (!starts_with(url, "turn:") && !starts_with(url, "turns:"))
            FAIL(p, "ice.turn_urls", "expected turn:host:port, not \"%s\"", url);
    }
    bool fixed = s->ice_turn_username[0] != '\0';
    if (fixed != (s->ice_turn_password[0] != '\0'))
        FAIL(p, fixed ? "ice.turn_password" : "ice.turn_username",
             "expected both ice.turn_username and ice.turn_password, or neither");
    if (s->ice_turn_urls.n > 0 && !fixed && s->ice_turn_secret[0] == '\0')
        FAIL(p, "ice.turn_urls",
             "expected ice.turn_secret, or ice.turn_username and ice.turn_password, with it");
}

static void check_store(const struct settings *s, struct config_problems *p)
{
    struct stat st;
    if (stat(s->data_dir, &st) == 0) {
        if (!S_ISDIR(st.st_mode))
            FAIL(p, "data.dir", "%s is not a folder", s->data_dir);
        else if (access(s->data_dir, W_OK | X_OK) != 0)
            FAIL(p, "data.dir", "%s cannot be written to", s->data_dir);
    }
    const char *url = s->db_url;
    /* The URL itself stays out of the message: it may hold a password. */
    if (url[0] != '\0' && !(starts_with(url, "sqlite:") && url[7] != '\0') &&
        !starts_with(url, "postgresql://") && !starts_with(url, "postgres://"))
        FAIL(p, "db.url", "expected postgresql://... or sqlite:path");
}

static void check_storage(const struct settings *s, struct config_problems *p)
{
    const char *url = s->storage_endpoint;
    if (url[0] == '\0')
        return;
    const char *host = strstr(url, "://");
    if ((!starts_with(url, "https://") && !starts_with(url, "http://")) || !host[3] ||
        strpbrk(host + 3, "/?#@ "))
        FAIL(p, "storage.endpoint", "expected https://host or https://host:port");
    if (s->storage_bucket[0] == '\0')
        FAIL(p, "storage.bucket", "expected the name of a bucket with storage.endpoint");
    if (s->storage_access_key[0] == '\0')
        FAIL(p, "storage.access_key", "expected with storage.endpoint");
    if (s->storage_secret_key[0] == '\0')
        FAIL(p, "storage.secret_key", "expected with storage.endpoint");
}

static bool in_path(const char *program)
{
    if (strchr(program, '/'))
        return access(program, X_OK) == 0;
    const char *path = getenv("PATH");
    while (path && *path != '\0') {
        char full[2 * SETTINGS_TEXT_MAX];
        size_t n = strcspn(path, ":");
        int len = snprintf(full, sizeof full, "%.*s/%s", (int)n, path, program);
        if (len > 0 && (size_t)len < sizeof full && access(full, X_OK) == 0)
            return true;
        path += n + (path[n] == ':');
    }
    return false;
}

void settings_check(const struct settings *s, struct config_problems *problems)
{
    check_http(s, problems);
    check_reach(s, problems);
    check_ports(s, problems);
    check_bitrates(s, problems);
    check_ice(s, problems);
    check_store(s, problems);
    check_hls(s, problems);
    check_storage(s, problems);
    /* RFC 7518 3.2: a key of HS256 has at least 256 bits. */
    if (s->accounts_secret[0] != '\0' && strlen(s->accounts_secret) < 32)
        FAIL(problems, "accounts.secret", "expected at least 32 characters");
    for (size_t i = 0; i < s->webhooks_urls.n; i++) {
        const char *url = s->webhooks_urls.items[i];
        if (!starts_with(url, "http://") && !starts_with(url, "https://"))
            FAIL(problems, "webhooks.urls", "expected http:// or https://, not \"%s\"", url);
    }
    if ((s->hls_enabled || s->demo) && !in_path(s->hls_ffmpeg))
        FAIL(problems, "hls.ffmpeg",
             "%s is missing: install it (apt-get install ffmpeg), or go without HLS and test card "
             "(WEIR_HLS_ENABLED=0 WEIR_DEMO=0)",
             s->hls_ffmpeg);
}
