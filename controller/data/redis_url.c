#include "controller/data/redis_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* n bytes of p, with %XX decoded if wanted; false: too long, or a bad escape. */
static bool take(const char *p, size_t n, bool decode, char *out, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        if (decode && c == '%') {
            char hex[3] = {0};
            if (i + 2 >= n || strspn(p + i + 1, "0123456789abcdefABCDEF") < 2)
                return false;
            memcpy(hex, p + i + 1, 2);
            c = (char)strtol(hex, NULL, 16);
            i += 2;
        }
        if (used + 1 >= room || c == '\0')
            return false;
        out[used++] = c;
    }
    out[used] = '\0';
    return true;
}

static bool is_number(const char *p, size_t n, long max)
{
    return n > 0 && n < 6 && strspn(p, "0123456789") >= n && strtol(p, NULL, 10) <= max;
}

static bool parse_login(const char *p, size_t n, struct redis_url *out)
{
    const char *colon = memchr(p, ':', n);
    size_t user_n = colon ? (size_t)(colon - p) : n;
    return take(p, user_n, true, out->user, sizeof out->user) &&
           (!colon || take(colon + 1, n - user_n - 1, true, out->password, sizeof out->password));
}

static bool parse_host(const char *p, size_t n, struct redis_url *out)
{
    const char *end = p[0] == '[' ? memchr(p, ']', n) : NULL;
    if (p[0] == '[' && !end)
        return false;
    const char *colon = end ? (end + 1 < p + n ? end + 1 : NULL) : memchr(p, ':', n);
    size_t host_n = end ? (size_t)(end - p - 1) : colon ? (size_t)(colon - p) : n;
    if (host_n == 0 || !take(end ? p + 1 : p, host_n, false, out->host, sizeof out->host))
        return false;
    if (!colon)
        return true;
    size_t port_n = (size_t)(p + n - colon) - 1;
    return *colon == ':' && is_number(colon + 1, port_n, 65535) &&
           take(colon + 1, port_n, false, out->port, sizeof out->port);
}

enum err redis_url_parse(const char *text, struct redis_url *out)
{
    static const char scheme[] = "redis://";
    *out = (struct redis_url){.port = "6379", .database = "0"};
    if (strncmp(text, scheme, sizeof scheme - 1) != 0)
        return ERR_MALFORMED;
    const char *p = text + sizeof scheme - 1;
    size_t n = strcspn(p, "/?#");
    const char *path = p + n;
    const char *at = memrchr(p, '@', n);
    if (at) {
        if (!parse_login(p, (size_t)(at - p), out))
            return ERR_MALFORMED;
        n -= (size_t)(at + 1 - p);
        p = at + 1;
    }
    if (n == 0 || !parse_host(p, n, out))
        return ERR_MALFORMED;
    if (path[0] == '\0' || strcmp(path, "/") == 0)
        return OK;
    if (path[0] != '/' || !is_number(path + 1, strlen(path + 1), 9999))
        return ERR_MALFORMED;
    snprintf(out->database, sizeof out->database, "%s", path + 1);
    return OK;
}
