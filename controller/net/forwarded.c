#include "controller/net/forwarded.h"

#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* An address, perhaps with a port behind it: "1.2.3.4", "1.2.3.4:5", "::1", "[::1]", "[::1]:5". */
static bool parse_entry(struct addr *out, const char *p, size_t n)
{
    char text[ADDR_TEXT_MAX];
    while (n > 0 && is_space(p[0])) {
        p++;
        n--;
    }
    while (n > 0 && is_space(p[n - 1]))
        n--;
    if (n == 0 || n >= sizeof text)
        return false;
    memcpy(text, p, n);
    text[n] = '\0';
    if (text[0] == '[') {
        char *end = strchr(text, ']');
        if (!end)
            return false;
        *end = '\0';
        return addr_parse(out, text + 1, 0) == OK;
    }
    char *colon = strchr(text, ':');
    if (colon && colon == strrchr(text, ':'))
        *colon = '\0';
    return addr_parse(out, text, 0) == OK;
}

struct addr forwarded_peer(const struct forwarded_proxies *trusted, const struct addr *peer,
                           const char *list)
{
    struct addr who = *peer;
    size_t end = list ? strlen(list) : 0;
    while (end > 0 && addr_ranges_have(trusted->ranges, trusted->n, &who)) {
        size_t begin = end;
        while (begin > 0 && list[begin - 1] != ',')
            begin--;
        struct addr next;
        if (!parse_entry(&next, list + begin, end - begin))
            break;
        who = next;
        end = begin > 0 ? begin - 1 : 0;
    }
    return who;
}

bool forwarded_tls(const char *proto)
{
    if (!proto)
        return false;
    const char *last = strrchr(proto, ',');
    last = last ? last + 1 : proto;
    last += strspn(last, " \t");
    size_t n = strlen(last);
    while (n > 0 && is_space(last[n - 1]))
        n--;
    return n == 5 && strncasecmp(last, "https", 5) == 0;
}
