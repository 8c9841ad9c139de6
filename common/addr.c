#include "common/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum err addr_parse(struct addr *out, const char *ip, uint16_t port)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct addr a = {.port = port};
    if (inet_pton(AF_INET, ip, a.ip) == 1) {
        a.family = 4;
    } else if (inet_pton(AF_INET6, ip, a.ip) == 1) {
        a.family = 6;
        if (memcmp(a.ip, mapped, sizeof mapped) == 0) {
            memmove(a.ip, a.ip + 12, 4);
            memset(a.ip + 4, 0, 12);
            a.family = 4;
        }
    } else {
        return ERR_MALFORMED;
    }
    *out = a;
    return OK;
}

const char *addr_ip_text(const struct addr *a, char *buf, size_t n)
{
    if (a->family == 0 || !inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->ip, buf, (socklen_t)n))
        snprintf(buf, n, "unset");
    return buf;
}

const char *addr_text(const struct addr *a, char *buf, size_t n)
{
    char ip[INET6_ADDRSTRLEN];
    addr_ip_text(a, ip, sizeof ip);
    snprintf(buf, n, a->family == 6 ? "[%s]:%u" : "%s:%u", ip, a->port);
    return buf;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

uint64_t addr_hash(const struct addr *a)
{
    uint64_t lo;
    uint64_t hi;
    memcpy(&lo, a->ip, 8);
    memcpy(&hi, a->ip + 8, 8);
    return mix(mix(mix(0, lo), hi), (uint64_t)a->port << 8 | a->family);
}

bool addr_is_any(const struct addr *a)
{
    static const uint8_t zeros[16];
    return memcmp(a->ip, zeros, sizeof zeros) == 0;
}

bool tuple_eq(const struct tuple *a, const struct tuple *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

uint64_t tuple_hash(const struct tuple *t)
{
    return mix(addr_hash(&t->remote), (uint64_t)t->conn << 32 | (uint64_t)t->sock << 8 | t->proto);
}
