/* Many requests that wait for one answer: opens connections, sends the same request on each, and
 * tells when the answers came. hls_waiters <port> <connections>. In turn: prints "connected", reads
 * a path from its standard input, prints "sent", and at the end a line of JSON. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

enum {
    CONNECTIONS_MAX = 50000,
    ANSWER_MAX = 256 * 1024,
    PATH_ROOM = 1024,
    EVENTS = 256,
    PATIENCE_MS = 60 * 1000
};

struct waiter {
    int fd;
    char *answer; /* owned; what came so far of one that came in pieces; ANSWER_MAX bytes */
    size_t n;
    bool ok;
    uint64_t body; /* a hash of it */
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "hls_waiters: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void connect_one(struct waiter *w, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (w->fd < 0 || connect(w->fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
}

static void send_request(const struct waiter *w, const char *path)
{
    char text[PATH_ROOM + 64];
    int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path);
    if (send(w->fd, text, (size_t)n, 0) != n)
        die("send");
}

/* Only to tell texts apart: FNV-1a by words. */
static uint64_t hash(const char *p, size_t n)
{
    uint64_t h = 14695981039346656037U ^ n;
    for (uint64_t word = 0; n > 0; word = 0) {
        size_t take = n < sizeof word ? n : sizeof word;
        memcpy(&word, p, take);
        h = (h ^ word) * 1099511628211U;
        p += take;
        n -= take;
    }
    return h;
}

/* Whether the n bytes are a whole answer, behind which a NUL stands. */
static bool understand(struct waiter *w, const char *p, size_t n)
{
    const char *body = strstr(p, "\r\n\r\n");
    const char *length = body ? strstr(p, "\r\nContent-Length:") : NULL;
    if (!length || length > body)
        return false;
    size_t want = strtoul(length + 17, NULL, 10);
    size_t have = n - (size_t)(body + 4 - p);
    if (have < want)
        return false;
    w->ok = strncmp(p, "HTTP/1.1 200 ", 13) == 0;
    w->body = hash(body + 4, want);
    return true;
}

/* Whether the whole answer is there. */
static bool read_answer(struct waiter *w)
{
    static char once[ANSWER_MAX];
    char *at = w->answer ? w->answer : once;
    ssize_t n = recv(w->fd, at + w->n, ANSWER_MAX - 1 - w->n, 0);
    if (n <= 0)
        die("the connection ended early");
    w->n += (size_t)n;
    at[w->n] = '\0';
    if (understand(w, at, w->n))
        return true;
    if (!w->answer) {
        w->answer = malloc(ANSWER_MAX);
        if (!w->answer)
            die("memory");
        memcpy(w->answer, once, w->n);
    }
    return false;
}

static int by_body(const void *a, const void *b)
{
    uint64_t x = ((const struct waiter *)a)->body;
    uint64_t y = ((const struct waiter *)b)->body;
    return (x > y) - (x < y);
}

static void report(struct waiter *all, size_t n, usec first, usec last)
{
    size_t ok = 0;
    size_t texts = 0;
    for (size_t i = 0; i < n; i++)
        ok += all[i].ok;
    qsort(all, n, sizeof *all, by_body);
    for (size_t i = 0; i < n; i++)
        texts += i == 0 || all[i].body != all[i - 1].body;
    printf("{\"ok\":%zu,\"texts\":%zu,\"spreadUs\":%lld}\n", ok, texts, (long long)(last - first));
}

static void wait_for_all(struct waiter *all, size_t n, int epoll)
{
    struct epoll_event events[EVENTS];
    usec first = 0;
    usec last = 0;
    for (size_t left = n; left > 0;) {
        int got = epoll_wait(epoll, events, EVENTS, PATIENCE_MS);
        if (got <= 0)
            die("no answer");
        for (int i = 0; i < got; i++) {
            struct waiter *w = events[i].data.ptr;
            if (!read_answer(w))
                continue;
            last = clock_now();
            first = first == 0 ? last : first;
            epoll_ctl(epoll, EPOLL_CTL_DEL, w->fd, NULL);
            left--;
        }
    }
    report(all, n, first, last);
}

int main(int argc, char **argv)
{
    char path[PATH_ROOM];
    struct rlimit files = {CONNECTIONS_MAX + 100, CONNECTIONS_MAX + 100};
    long port = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    long n = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (port < 1 || port > UINT16_MAX || n < 1 || n > CONNECTIONS_MAX) {
        fprintf(stderr, "hls_waiters <port> <connections>\n");
        return 2;
    }
    (void)setrlimit(RLIMIT_NOFILE, &files);
    struct waiter *all = calloc((size_t)n, sizeof *all);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!all || epoll < 0)
        die("start");
    for (long i = 0; i < n; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &all[i]};
        connect_one(&all[i], (uint16_t)port);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &e) < 0)
            die("epoll");
    }
    puts("connected");
    fflush(stdout);
    if (!fgets(path, sizeof path, stdin))
        return 1;
    path[strcspn(path, "\n")] = '\0';
    for (long i = 0; i < n; i++)
        send_request(&all[i], path);
    puts("sent");
    fflush(stdout);
    wait_for_all(all, (size_t)n, epoll);
    return 0;
}
