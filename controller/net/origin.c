#include "controller/net/origin.h"

#include <string.h>
#include <strings.h>

struct site {
    bool tls;
    const char *authority; /* host and port, without the scheme's own port */
    size_t n;
};

static bool ends_with(const char *s, size_t n, const char *end)
{
    size_t len = strlen(end);
    return n > len && strncmp(s + n - len, end, len) == 0;
}

static void set_authority(struct site *s, const char *authority, size_t n)
{
    const char *own_port = s->tls ? ":443" : ":80";
    s->authority = authority;
    s->n = ends_with(authority, n, own_port) ? n - strlen(own_port) : n;
}

/* Of an origin, or of a URL: what follows the authority does not matter. */
static bool parse_site(const char *url, struct site *out)
{
    size_t scheme = 0;
    if (strncasecmp(url, "https://", 8) == 0)
        scheme = 8;
    else if (strncasecmp(url, "http://", 7) == 0)
        scheme = 7;
    if (scheme == 0)
        return false;
    out->tls = scheme == 8;
    set_authority(out, url + scheme, strcspn(url + scheme, "/?#"));
    return out->n > 0;
}

static bool same_authority(const struct site *a, const struct site *b)
{
    return a->n == b->n && strncasecmp(a->authority, b->authority, a->n) == 0;
}

static bool is_site(const char *url, const struct site *s)
{
    struct site other;
    return url && parse_site(url, &other) && other.tls == s->tls && same_authority(&other, s);
}

enum origin_listed origin_listed(const struct origin_policy *p, const char *origin)
{
    enum origin_listed found = ORIGIN_FOREIGN;
    struct site from = {0};
    bool known = origin && parse_site(origin, &from); /* not so "null": sandboxed frames, files */
    for (size_t i = 0; i < p->n_allowed; i++) {
        if (known && is_site(p->allowed[i], &from))
            return ORIGIN_NAMED;
        if (strcmp(p->allowed[i], "*") == 0)
            found = ORIGIN_ANY;
    }
    return found;
}

static bool is_own(const struct origin_policy *p, const char *origin, const char *host, bool tls)
{
    struct site from;
    if (!parse_site(origin, &from))
        return false;
    if (is_site(p->public_url, &from))
        return true;
    if (!host || (tls && !from.tls))
        return false;
    /* A proxy may have taken TLS off on the way, so the page's scheme decides what is its port. */
    struct site here = {.tls = from.tls};
    set_authority(&here, host, strlen(host));
    return same_authority(&here, &from);
}

bool origin_allowed(const struct origin_policy *p, const char *origin, const char *host, bool tls)
{
    return !origin || origin_listed(p, origin) != ORIGIN_FOREIGN || is_own(p, origin, host, tls);
}

bool origin_trusted(const struct origin_policy *p, const char *origin, const char *host, bool tls)
{
    return origin && (origin_listed(p, origin) == ORIGIN_NAMED || is_own(p, origin, host, tls));
}
