/* Two DTLS peers with a hostile network between them: the script delivers, drops, repeats, damages,
 * cuts and invents datagrams, and lets time pass. Nobody ends up with keys that differ. */
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "common/bytes.h"
#include "worker/engine/dtls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* OpenSSL's timer asks this, so that time is the script's. */
static usec virtual_now;
int gettimeofday(struct timeval *restrict tv, void *restrict tz);
int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void)tz;
    usec t = virtual_now + 1700000000 * USEC_PER_SEC;
    tv->tv_sec = (time_t)(t / USEC_PER_SEC);
    tv->tv_usec = (suseconds_t)(t % USEC_PER_SEC);
    return 0;
}

enum { QUEUE = 64, DATAGRAM = 2048, STEPS_MAX = 200 };

struct queue {
    size_t head, count;
    size_t len[QUEUE];
    uint8_t bytes[QUEUE][DATAGRAM];
};

static struct queue queues[2]; /* towards peer 0, peer 1 */
static struct sink out;

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void drain(int from)
{
    struct queue *q = &queues[!from];
    for (size_t i = 0; i < out.count; i++) {
        struct slice b = sink_bytes(&out, &out.items[i]);
        if (out.items[i].kind != SINK_DATAGRAM || q->count == QUEUE)
            continue;
        require(b.n <= DTLS_MTU);
        size_t at = (q->head + q->count++) % QUEUE;
        memcpy(q->bytes[at], b.p, b.n);
        q->len[at] = b.n;
    }
    sink_reset(&out);
}

static void feed(struct dtls *d, int who, const uint8_t *p, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    require(exact != NULL);
    if (n)
        memcpy(exact, p, n);
    dtls_input(d, virtual_now, slice_of(exact, n), &out);
    free(exact);
    drain(who);
}

static void deliver(struct dtls *d, int who, uint8_t op, struct rd *script)
{
    struct queue *q = &queues[who];
    if (q->count == 0)
        return;
    uint8_t *p = q->bytes[q->head];
    size_t n = q->len[q->head];
    if (op & 0x10)
        feed(d, who, p, n); /* and once more below */
    if (op & 0x20)
        p[rd_u8(script) % n] ^= (uint8_t)(1 | rd_u8(script));
    if (op & 0x40)
        n = rd_u16(script) % (n + 1);
    if (!(op & 0x80))
        feed(d, who, p, n);
    q->head = (q->head + 1) % QUEUE;
    q->count--;
}

/* A plaintext record of the script's content. */
static void invent(struct dtls *d, int who, struct rd *script)
{
    uint8_t buf[13 + 255] = {0};
    struct wr w = wr_of(buf, sizeof buf);
    wr_u8(&w, (uint8_t)(20 + rd_u8(script) % 5));
    wr_u16(&w, 0xfefd);
    wr_u16(&w, rd_u8(script) & 1);
    wr_u32(&w, 0);
    wr_u16(&w, rd_u8(script));
    struct slice body = rd_bytes(script, rd_u8(script));
    wr_u16(&w, (uint16_t)body.n);
    wr_bytes(&w, body.p, body.n);
    feed(d, who, buf, wr_len(&w));
}

static void step(struct dtls **d, uint8_t op, struct rd *script)
{
    int who = op >> 3 & 1;
    struct slice raw;
    switch (op & 7) {
    case 0:
        raw = rd_bytes(script, rd_u8(script));
        feed(d[who], who, raw.p, raw.n);
        break;
    case 1:
        invent(d[who], who, script);
        break;
    case 2:
        virtual_now += (usec)rd_u8(script) * 20 * USEC_PER_MSEC;
        for (int i = 0; i < 2; i++) {
            if (dtls_deadline(d[i]) <= virtual_now)
                dtls_timeout(d[i], virtual_now, &out);
            drain(i);
        }
        break;
    case 3:
        raw = rd_bytes(script, rd_u8(script));
        if (dtls_send(d[who], virtual_now, raw, &out) != OK)
            require(dtls_get_state(d[who]) != DTLS_CONNECTED);
        drain(who);
        break;
    default:
        deliver(d[who], who, op, script);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dtls_identity *id[2];
    struct dtls *d[2];
    sink_init(&out);
    memset(queues, 0, sizeof queues);
    for (int i = 0; i < 2; i++)
        require((id[i] || dtls_identity_open(&id[i], NULL, NULL) == OK) &&
                dtls_open(&d[i], id[i]) == OK);
    for (int i = 0; i < 2; i++) {
        require(dtls_set_remote(d[i], i == 0 ? DTLS_CLIENT : DTLS_SERVER, DTLS_SHA256,
                                dtls_identity_fingerprint(id[!i], DTLS_SHA256)) == OK);
        require(dtls_start(d[i], virtual_now, &out) == OK);
        drain(i);
    }
    struct rd script = rd_of(data, size);
    for (int i = 0; i < STEPS_MAX && rd_left(&script) > 0; i++)
        step(d, rd_u8(&script), &script);
    struct srtp_key a_local, a_remote, b_local, b_remote;
    if (dtls_srtp_keys(d[0], &a_local, &a_remote) == OK &&
        dtls_srtp_keys(d[1], &b_local, &b_remote) == OK)
        require(memcmp(a_local.key, b_remote.key, a_local.key_len) == 0 &&
                memcmp(a_remote.key, b_local.key, a_remote.key_len) == 0);
    dtls_shutdown(d[0], virtual_now, &out);
    dtls_close(d[0]);
    dtls_close(d[1]);
    return 0;
}
