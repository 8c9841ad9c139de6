#include "controller/net/target.h"

#include <stdint.h>
#include <string.h>

struct slice target_path(struct slice target)
{
    size_t n = 0;
    while (n < target.n && target.p[n] != '?' && target.p[n] != '#')
        n++;
    return slice_of(target.p, n);
}

struct slice target_query(struct slice target)
{
    struct slice path = target_path(target);
    if (path.n == target.n || target.p[path.n] != '?')
        return (struct slice){0};
    struct slice q = slice_of(target.p + path.n + 1, target.n - path.n - 1);
    const uint8_t *hash = q.n > 0 ? memchr(q.p, '#', q.n) : NULL;
    if (hash)
        q.n = (size_t)(hash - q.p);
    return q;
}

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* -1: not an escape. */
static int unescape(struct slice s, size_t at)
{
    if (s.n - at < 3)
        return -1;
    int hi = hex(s.p[at + 1]);
    int lo = hex(s.p[at + 2]);
    return hi < 0 || lo < 0 ? -1 : hi << 4 | lo;
}

static bool is_dot_segment(const char *s, size_t n)
{
    return (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.');
}

enum err target_decode_path(struct slice path, char *out)
{
    size_t o = 0;
    for (size_t i = 0; i < path.n; i++) {
        int c = path.p[i];
        if (c == '%') {
            c = unescape(path, i);
            if (c < 0 || c == '/')
                return ERR_MALFORMED;
            i += 2;
        }
        if (c < ' ' || c == 0x7f || c == '\\')
            return ERR_MALFORMED;
        out[o++] = (char)c;
    }
    out[o] = '\0';
    for (const char *s = out; *s != '\0';) {
        s += *s == '/' ? 1 : 0;
        size_t n = strcspn(s, "/");
        if (is_dot_segment(s, n))
            return ERR_MALFORMED;
        s += n;
    }
    return OK;
}

static char *decode_part(struct slice s, char *out)
{
    for (size_t i = 0; i < s.n; i++) {
        int c = s.p[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int e = unescape(s, i);
            if (e > 0) { /* an escaped NUL stays escaped: strings end at NUL */
                c = e;
                i += 2;
            }
        }
        *out++ = (char)c;
    }
    *out++ = '\0';
    return out;
}

size_t query_decode(struct slice query, char *out)
{
    size_t pairs = 0;
    while (query.n > 0) {
        const uint8_t *amp = memchr(query.p, '&', query.n);
        size_t n = amp ? (size_t)(amp - query.p) : query.n;
        if (n > 0) {
            const uint8_t *eq = memchr(query.p, '=', n);
            size_t key = eq ? (size_t)(eq - query.p) : n;
            out = decode_part(slice_of(query.p, key), out);
            out = decode_part(eq ? slice_of(eq + 1, n - key - 1) : (struct slice){0}, out);
            pairs++;
        }
        if (!amp)
            break;
        query.p += n + 1;
        query.n -= n + 1;
    }
    *out = '\0';
    return pairs;
}

const char *query_find(const char *block, size_t n_pairs, const char *key)
{
    for (size_t i = 0; i < n_pairs; i++) {
        const char *value = block + strlen(block) + 1;
        if (strcmp(block, key) == 0)
            return value;
        block = value + strlen(value) + 1;
    }
    return NULL;
}
