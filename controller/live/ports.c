#include "controller/live/ports.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct ports {
    uint16_t first; /* even */
    size_t n;       /* pairs */
    size_t next;    /* where the search goes on */
    size_t taken;
    bool used[]; /* by pair */
};

enum err ports_open(uint16_t min, uint16_t max, struct ports **out)
{
    unsigned first = min + (min & 1u);
    if (first == 0 || max < first + 1u)
        return ERR_RANGE;
    size_t n = (max - first + 1u) / 2;
    struct ports *p = calloc(1, sizeof *p + n * sizeof p->used[0]);
    if (!p)
        return ERR_NOMEM;
    p->first = (uint16_t)first;
    p->n = n;
    *out = p;
    return OK;
}

void ports_close(struct ports *p)
{
    free(p);
}

static bool bindable(uint16_t port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool ok = bind(fd, (const struct sockaddr *)&a, sizeof a) == 0;
    close(fd);
    return ok;
}

enum err ports_take(struct ports *p, uint16_t *out)
{
    for (size_t tried = 0; tried < p->n; tried++) {
        size_t i = p->next;
        p->next = (p->next + 1) % p->n;
        uint16_t port = (uint16_t)(p->first + 2 * i);
        if (p->used[i] || !bindable(port) || !bindable((uint16_t)(port + 1)))
            continue;
        p->used[i] = true;
        p->taken++;
        *out = port;
        return OK;
    }
    return ERR_FULL;
}

void ports_give(struct ports *p, uint16_t port)
{
    if (port == 0)
        return;
    size_t i = (size_t)(port - p->first) / 2;
    assert(port >= p->first && i < p->n && p->used[i]);
    p->used[i] = false;
    p->taken--;
}

size_t ports_taken(const struct ports *p)
{
    return p->taken;
}

size_t ports_total(const struct ports *p)
{
    return p->n;
}
