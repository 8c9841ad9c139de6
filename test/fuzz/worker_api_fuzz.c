/* Frames from the controller: requests of any form, in any order, with time passing. A response for
 * each, and a tree that closes. Input: frames separated by a zero byte. */
#include <stdlib.h>
#include <string.h>

#include "common/rng.h"
#include "worker/api/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err open_socket(void *ctx, const struct udp_listen *listen, uint16_t *sock,
                            uint16_t *port)
{
    uint16_t *next = ctx;
    *sock = ++*next;
    *port = listen->ip.port ? listen->ip.port : *next;
    return *next == UINT16_MAX ? ERR_BUSY : OK;
}

static void close_socket(void *ctx, uint16_t sock)
{
    (void)ctx;
    (void)sock;
}

static void close_tcp(void *ctx, const struct tuple *tuple)
{
    (void)ctx;
    (void)tuple;
}

static void drain(void *ctx, struct txq *q)
{
    (void)ctx;
    txq_reset(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint16_t next_sock;
    struct rng rng;
    struct frame_queue out;
    usec now = 1000 * USEC_PER_SEC;
    next_sock = 0;
    rng_init_seeded(&rng, 1);
    frame_queue_init(&out, 64 << 20);
    struct api api = {.out = &out};
    struct worker_config config = {.io = {.ctx = &next_sock,
                                          .open_udp = open_socket,
                                          .open_tcp = open_socket,
                                          .close_udp = close_socket,
                                          .close_tcp_listener = close_socket,
                                          .close_tcp = close_tcp},
                                   .n_listens = 1,
                                   .rng = &rng,
                                   .max_packets = 1024,
                                   .notify = api_notify,
                                   .notify_ctx = &api};
    if (addr_parse(&config.listens[0].bound, "10.0.0.1", 40000) != OK ||
        worker_open(&config, now, now, &api.worker) != OK)
        abort();
    worker_txq(api.worker)->drain = drain;
    while (size > 0) {
        const uint8_t *end = memchr(data, 0, size);
        size_t n = end ? (size_t)(end - data) : size;
        size_t before = out.len;
        api_frame(&api, now, slice_of(data, n));
        /* Commands are not answered, everything else is. */
        if (out.len == before && !memmem(data, n, "event", 5) && !memchr(data, '\\', n))
            abort();
        now += 50 * USEC_PER_MSEC;
        worker_timeout(api.worker, now);
        data += end ? n + 1 : n;
        size -= end ? n + 1 : n;
    }
    worker_close(api.worker);
    frame_queue_fini(&out);
    return 0;
}
