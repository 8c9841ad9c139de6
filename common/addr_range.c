#include "common/addr_range.h"

#include <stdlib.h>
#include <string.h>

static unsigned bits_of(const struct addr *a)
{
    return a->family == 4 ? 32 : 128;
}

enum err addr_range_parse(struct addr_range *out, const char *text)
{
    char ip[ADDR_TEXT_MAX];
    size_t n = strcspn(text, "/");
    if (n >= sizeof ip)
        return ERR_MALFORMED;
    memcpy(ip, text, n);
    ip[n] = '\0';
    enum err e = addr_parse(&out->ip, ip, 0);
    if (e != OK)
        return e;
    out->bits = bits_of(&out->ip);
    if (text[n] == '\0')
        return OK;
    const char *digits = text + n + 1;
    size_t len = strspn(digits, "0123456789");
    if (len == 0 || digits[len] != '\0')
        return ERR_MALFORMED;
    unsigned long bits = len > 3 ? 1000 : strtoul(digits, NULL, 10);
    if (bits > out->bits)
        return ERR_RANGE;
    out->bits = (unsigned)bits;
    return OK;
}

bool addr_range_has(const struct addr_range *r, const struct addr *a)
{
    if (a->family != r->ip.family)
        return false;
    size_t whole = r->bits / 8;
    unsigned rest = r->bits % 8;
    if (memcmp(a->ip, r->ip.ip, whole) != 0)
        return false;
    return rest == 0 || (a->ip[whole] ^ r->ip.ip[whole]) >> (8 - rest) == 0;
}

bool addr_ranges_have(const struct addr_range *ranges, size_t n, const struct addr *a)
{
    for (size_t i = 0; i < n; i++) {
        if (addr_range_has(&ranges[i], a))
            return true;
    }
    return false;
}

bool addr_is_loopback(const struct addr *a)
{
    static const uint8_t one[16] = {[15] = 1};
    return a->family == 4 ? a->ip[0] == 127 : a->family == 6 && memcmp(a->ip, one, sizeof one) == 0;
}
