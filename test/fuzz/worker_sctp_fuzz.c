/* Two SCTP associations with a hostile network between them: the script delivers, drops, repeats,
 * damages, cuts and invents packets (checksums are not looked at), sends, resets, aborts, and lets
 * time pass. Nothing breaks a bound; messages are at most as large as agreed. */
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <usrsctp.h>

#include "common/bytes.h"
#include "worker/engine/sctp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* usrsctp asks this, so that time is the script's. */
static usec virtual_now = USEC_PER_SEC;
int gettimeofday(struct timeval *restrict tv, void *restrict tz);
int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void)tz;
    usec t = virtual_now + 1700000000 * USEC_PER_SEC;
    tv->tv_sec = (time_t)(t / USEC_PER_SEC);
    tv->tv_usec = (suseconds_t)(t % USEC_PER_SEC);
    return 0;
}

enum {
    QUEUE = 256,
    PACKET = 2048,
    STEPS_MAX = 300,
    HEADER = 12,
    MESSAGE_MAX = 100000,
    SEND_BUFFER = 200000
};

struct queue {
    size_t head, count;
    size_t len[QUEUE];
    uint8_t bytes[QUEUE][PACKET];
    uint8_t header[HEADER]; /* of the last packet that went this way */
};

static struct queue queues[2]; /* towards 0, 1 */
static struct assoc *assocs[2];
static struct assoc_group group;
static uint8_t big[MESSAGE_MAX];

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void poll_one(int who)
{
    struct queue *q = &queues[!who];
    struct assoc_item it;
    while (assoc_poll(assocs[who], virtual_now, &it)) {
        if (it.kind == ASSOC_MESSAGE)
            require(it.bytes.n <= MESSAGE_MAX);
        if (it.kind != ASSOC_PACKET)
            continue;
        require(it.bytes.n >= HEADER && it.bytes.n <= ASSOC_PACKET_MAX);
        memcpy(q->header, it.bytes.p, HEADER);
        if (q->count == QUEUE)
            continue;
        size_t at = (q->head + q->count++) % QUEUE;
        memcpy(q->bytes[at], it.bytes.p, it.bytes.n);
        q->len[at] = it.bytes.n;
    }
    for (uint16_t i = 0; i < 4; i++)
        require(assoc_buffered(assocs[who], i) <= SEND_BUFFER);
}

static void drain(void)
{
    poll_one(0);
    poll_one(1);
    struct assoc *a;
    while ((a = assocs_ready(&group)) != NULL)
        poll_one(a == assocs[1]);
}

static void feed(int who, const uint8_t *p, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    require(exact != NULL);
    if (n)
        memcpy(exact, p, n);
    assoc_input(assocs[who], virtual_now, slice_of(exact, n));
    free(exact);
    drain();
}

static void pass(usec time)
{
    for (; time > 0; time -= 10 * USEC_PER_MSEC) {
        virtual_now += usec_min(time, 10 * USEC_PER_MSEC);
        assocs_timeout(virtual_now);
        drain();
    }
}

static void open_both(struct rd *r)
{
    assoc_group_init(&group);
    struct assoc_config c = {.group = &group,
                             .port = ASSOC_PORT,
                             .out_streams = 16,
                             .in_streams = 16,
                             .streams_at_first = 2,
                             .max_send_message = MESSAGE_MAX,
                             .max_receive_message = MESSAGE_MAX,
                             .send_buffer = SEND_BUFFER,
                             .stream_send_buffer = SEND_BUFFER,
                             .receive_buffer = 256 * 1024,
                             .data_channels = true};
    uint8_t how = rd_u8(r);
    for (int i = 0; i < 2; i++) {
        require(assoc_open(&assocs[i], virtual_now, &c) == OK);
        require(assoc_connect(assocs[i]) == OK);
        queues[i].head = queues[i].count = 0;
        memset(queues[i].header, 0, HEADER);
    }
    drain();
    /* Most scripts are about connected ones. */
    for (int i = 0; i < 20 && how & 3; i++)
        for (int to = 0; to < 2; to++) {
            struct queue *q = &queues[to];
            if (q->count == 0)
                continue;
            size_t at = q->head;
            q->head = (q->head + 1) % QUEUE;
            q->count--;
            feed(to, q->bytes[at], q->len[at]);
        }
}

static void send_one(int who, uint8_t how, struct rd *r)
{
    struct assoc_sending s = {.stream = rd_u8(r) % 4,
                              .ppid = how & 1 ? 51 : 53,
                              .unordered = how & 2,
                              .reliability = (enum assoc_reliability)((how >> 2) % 3),
                              .limit = how >> 4};
    size_t n = (size_t)rd_u16(r) * 2 % (MESSAGE_MAX + 1);
    (void)!assoc_send(assocs[who], virtual_now, &s, slice_of(big, n));
    drain();
}

static void deliver(int who, uint8_t op, struct rd *r)
{
    struct queue *q = &queues[who];
    if (q->count == 0)
        return;
    size_t at = q->head;
    if (op != 3) { /* 3: delivered and kept */
        q->head = (q->head + 1) % QUEUE;
        q->count--;
    }
    uint8_t copy[PACKET];
    size_t n = q->len[at];
    memcpy(copy, q->bytes[at], n);
    if (op == 1)
        return;
    if (op == 2) { /* damaged behind the header, mostly at the chunks' beginning */
        size_t where = HEADER + rd_u8(r);
        uint8_t with = rd_u8(r);
        if (where < n)
            copy[where] ^= with;
    }
    if (op == 4 && n > HEADER)
        n = HEADER + rd_u8(r) % (n - HEADER);
    feed(who, copy, n);
}

static void invent(int who, struct rd *r)
{
    uint8_t packet[HEADER + 256];
    memcpy(packet, queues[who].header, HEADER);
    size_t n = rd_u8(r);
    if (n > rd_left(r))
        n = rd_left(r);
    struct slice body = rd_bytes(r, n);
    if (n)
        memcpy(packet + HEADER, body.p, n);
    feed(who, packet, HEADER + n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool prepared;
    struct rd r = rd_of(data, size);
    open_both(&r);
    if (!prepared)
        usrsctp_enable_crc32c_offload();
    prepared = true;
    for (int step = 0; step < STEPS_MAX && rd_left(&r) > 0 && !r.bad; step++) {
        uint8_t b = rd_u8(&r);
        int who = b & 1;
        switch (b >> 1 & 15) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4:
            deliver(who, b >> 1 & 15, &r);
            break;
        case 5:
        case 6:
            invent(who, &r);
            break;
        case 7:
            pass((usec)rd_u8(&r) * 20 * USEC_PER_MSEC);
            break;
        case 8:
            assoc_reset_stream(assocs[who], virtual_now, rd_u8(&r) % 20);
            drain();
            break;
        case 9:
            send_one(who, rd_u8(&r), &r);
            break;
        case 10:
            (void)!assoc_set_low_threshold(assocs[who], rd_u8(&r) % 4, 1000);
            drain();
            break;
        case 11:
            if (b & 0x80) {
                assoc_abort(assocs[who]);
                drain();
            }
            break;
        default: /* everything that is under way */
            for (int i = 0; i < QUEUE && (queues[0].count || queues[1].count); i++)
                deliver(i & 1, 0, &r);
            break;
        }
    }
    assoc_close(assocs[0]);
    assoc_close(assocs[1]);
    return 0;
}
