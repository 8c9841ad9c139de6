#include "controller/net/range.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Digits into *out, clamped at UINT64_MAX / 2; how many characters. */
static size_t digits(const char *s, uint64_t *out)
{
    size_t n = 0;
    uint64_t v = 0;
    for (; isdigit((unsigned char)s[n]); n++) {
        if (v < UINT64_MAX / 20)
            v = v * 10 + (uint64_t)(s[n] - '0');
    }
    *out = v;
    return n;
}

enum range_result range_parse(const char *header, uint64_t size, uint64_t *first, uint64_t *last)
{
    /* A multipart answer gains nothing for media players: RFC 9110 14.2 lets a server ignore the
     * field, which is what happens to several ranges here. */
    if (!header || strncasecmp(header, "bytes=", 6) != 0 || strchr(header, ','))
        return RANGE_NONE;
    const char *s = header + 6;
    uint64_t from = 0;
    uint64_t to = 0;
    size_t n_from = digits(s, &from);
    s += n_from;
    if (*s != '-')
        return RANGE_NONE;
    s++;
    size_t n_to = digits(s, &to);
    if (s[n_to] != '\0' || (n_from == 0 && n_to == 0))
        return RANGE_NONE;
    if (n_from == 0) { /* the last `to` bytes */
        if (to == 0 || size == 0)
            return RANGE_UNSATISFIABLE;
        *first = to < size ? size - to : 0;
        *last = size - 1;
        return RANGE_ONE;
    }
    if (n_to > 0 && to < from)
        return RANGE_NONE;
    if (from >= size)
        return RANGE_UNSATISFIABLE;
    *first = from;
    *last = n_to > 0 && to < size ? to : size - 1;
    return RANGE_ONE;
}

bool etag_listed(const char *header, const char *etag)
{
    size_t n = strlen(etag);
    for (const char *s = header; *s != '\0';) {
        s += strspn(s, " \t,");
        if (*s == '*')
            return true;
        if (s[0] == 'W' && s[1] == '/')
            s += 2;
        if (*s != '"')
            return false;
        const char *end = strchr(s + 1, '"');
        if (!end)
            return false;
        size_t len = (size_t)(end + 1 - s);
        if (len == n && memcmp(s, etag, n) == 0)
            return true;
        s = end + 1;
    }
    return false;
}

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void http_date(time_t t, char out[30])
{
    struct tm tm;
    gmtime_r(&t, &tm);
    char buf[64]; /* wide enough for any int, so that the compiler sees no truncation */
    snprintf(buf, sizeof buf, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + tm.tm_wday * 3,
             tm.tm_mday, months + tm.tm_mon * 3, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
             tm.tm_sec);
    memcpy(out, buf, 29);
    out[29] = '\0';
}

bool http_date_parse(const char *text, time_t *out)
{
    struct tm tm = {0};
    char month[4];
    char zone[4];
    if (strlen(text) != 29 ||
        sscanf(text + 5, "%2d %3s %4d %2d:%2d:%2d %3s", &tm.tm_mday, month, &tm.tm_year,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone) != 7 ||
        strcmp(zone, "GMT") != 0 || strlen(month) != 3)
        return false;
    const char *m = strstr(months, month);
    if (!m || (m - months) % 3 != 0)
        return false;
    tm.tm_mon = (int)(m - months) / 3;
    tm.tm_year -= 1900;
    *out = timegm(&tm);
    return *out != (time_t)-1;
}

bool accepts_gzip(const char *header)
{
    for (const char *s = header ? header : ""; *s != '\0';) {
        s += strspn(s, " \t,");
        size_t n = strcspn(s, ",");
        size_t name = strcspn(s, " \t;,");
        if ((name == 4 && strncasecmp(s, "gzip", 4) == 0) || (name == 1 && *s == '*')) {
            const char *q = memmem(s, n, "q=", 2);
            return !q || strtod(q + 2, NULL) > 0;
        }
        s += n;
    }
    return false;
}
