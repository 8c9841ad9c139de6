#include "controller/net/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LISTEN_BACKLOG = 1024 };

struct addr listen_addr(const struct sockaddr_storage *sa)
{
    struct addr a = {0};
    if (sa->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
        a.family = 4;
        a.port = ntohs(in->sin_port);
        memcpy(a.ip, &in->sin_addr, 4);
    } else if (sa->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
        bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
        a.family = mapped ? 4 : 6;
        a.port = ntohs(in6->sin6_port);
        memcpy(a.ip, in6->sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
    }
    return a;
}

static socklen_t fill(struct sockaddr_storage *sa, const struct addr *a)
{
    memset(sa, 0, sizeof *sa);
    if (a->family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)sa;
        in->sin_family = AF_INET;
        in->sin_port = htons(a->port);
        memcpy(&in->sin_addr, a->ip, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sa;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(a->port);
    memcpy(&in6->sin6_addr, a->ip, 16);
    return sizeof *in6;
}

enum err listen_tcp(const char *host, uint16_t port, int *out_fd, uint16_t *out_port, char *error,
                    size_t error_size)
{
    struct addr a;
    if (addr_parse(&a, host ? host : "::", port) != OK) {
        snprintf(error, error_size, "the address to listen on is not an IP address: %s", host);
        return ERR_MALFORMED;
    }
    int fd =
        socket(a.family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && !host) { /* a machine without IPv6 */
        a = (struct addr){.family = 4, .port = port};
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    struct sockaddr_storage sa;
    socklen_t sa_n = fill(&sa, &a);
    int on = 1;
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sa_n) != 0 || listen(fd, LISTEN_BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&sa, &sa_n) != 0) {
        int code = errno;
        char text[ADDR_TEXT_MAX];
        snprintf(error, error_size, "cannot listen on %s: %s", addr_text(&a, text, sizeof text),
                 strerror(code));
        if (fd >= 0)
            close(fd);
        return code == EADDRINUSE ? ERR_BUSY : code == EACCES ? ERR_DENIED : ERR_IO;
    }
    *out_fd = fd;
    *out_port = listen_addr(&sa).port;
    return OK;
}
