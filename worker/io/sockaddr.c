#include "worker/io/udp.h"

#include <netinet/in.h>
#include <string.h>

socklen_t addr_to_sockaddr(const struct addr *a, bool v6_socket, struct sockaddr_storage *out)
{
    if (a->family == 4 && !v6_socket) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(a->port)};
        memcpy(&in.sin_addr, a->ip, 4);
        memcpy(out, &in, sizeof in);
        return sizeof in;
    }
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};
    if (a->family == 4) {
        in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = 0xff;
        memcpy(&in6.sin6_addr.s6_addr[12], a->ip, 4);
    } else {
        memcpy(&in6.sin6_addr, a->ip, 16);
    }
    memcpy(out, &in6, sizeof in6);
    return sizeof in6;
}

struct addr addr_from_sockaddr(const struct sockaddr_storage *sa)
{
    struct addr a = {0};
    if (sa->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        memcpy(a.ip, &in.sin_addr, 4);
        a.port = ntohs(in.sin_port);
        a.family = 4;
    } else if (sa->ss_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof in6);
        a.port = ntohs(in6.sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
            memcpy(a.ip, &in6.sin6_addr.s6_addr[12], 4);
            a.family = 4;
        } else {
            memcpy(a.ip, &in6.sin6_addr, 16);
            a.family = 6;
        }
    }
    return a;
}
