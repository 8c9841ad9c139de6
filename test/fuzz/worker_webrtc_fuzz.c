/* A whole WebRTC transport with a scripted peer: STUN, DTLS, RTP, RTCP, SCTP, in any order,
 * authentic and damaged, lost, repeated and held back, with time passing and requests of the
 * controller in between. Input: bytes of actions with their arguments. Whatever comes, the worker
 * answers its controller afterwards and everything closes. */
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <usrsctp.h>

#include "common/bytes.h"
#include "test/lib/stage.h"
#include "worker/engine/sctp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ACTIONS_MAX = 200, KEPT = 16, DATAGRAM = 1600 };

static struct world w;

/* usrsctp asks this, so that time is the script's. */
int gettimeofday(struct timeval *restrict tv, void *restrict tz);
int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void)tz;
    tv->tv_sec = (time_t)(w.now / USEC_PER_SEC + 1700000000);
    tv->tv_usec = (suseconds_t)(w.now % USEC_PER_SEC);
    return 0;
}

/* The scripted one, and one that watches. */
static struct browser peer;
static struct browser viewer;
static struct assoc *assoc;
static struct assoc_group group;
static uint8_t sctp_head[12]; /* of the worker's last packet: ports and tag */

/* What the peer sent, as it went over the wire. */
static struct {
    size_t len;
    uint8_t bytes[DATAGRAM];
} kept[KEPT];
static size_t n_kept;
static unsigned drop; /* so many of the next datagrams do not arrive */
static unsigned damage;
static uint8_t damage_at;
static uint8_t damage_with;

static void send_up(const void *bytes, size_t n)
{
    world_send(&w, &peer.endpoint, WORLD_SOCKET_SHARED, bytes, n);
}

static void wire(void *ctx, const void *bytes, size_t n)
{
    (void)ctx;
    uint8_t copy[DATAGRAM];
    if (n > sizeof copy)
        abort();
    memcpy(copy, bytes, n);
    size_t i = n_kept++ % KEPT;
    memcpy(kept[i].bytes, copy, n);
    kept[i].len = n;
    if (drop > 0) {
        drop--;
        return;
    }
    if (damage > 0 && n > 0) {
        damage--;
        copy[damage_at % n] ^= damage_with;
    }
    send_up(copy, n);
}

static void on_data(struct browser *b, struct slice packet)
{
    (void)b;
    if (packet.n >= sizeof sctp_head)
        memcpy(sctp_head, packet.p, sizeof sctp_head);
    assoc_input(assoc, w.now, packet);
}

static void settle(void)
{
    struct assoc_item it;
    bool any = true;
    while (any) {
        any = false;
        world_settle(&w);
        while (assoc_poll(assoc, w.now, &it)) {
            any = true;
            if (it.kind == ASSOC_PACKET)
                (void)rtc_peer_send_data(&peer.peer, w.now, it.bytes);
        }
    }
}

static void tick(void *ctx, usec now)
{
    (void)ctx;
    rtc_peer_timeout(&peer.peer, now);
    rtc_peer_timeout(&viewer.peer, now);
    settle();
}

/* ---- actions ---- */

static struct slice some(struct rd *r, size_t max)
{
    size_t n = rd_u8(r) * (size_t)4;
    n = n < max ? n : max;
    n = n < rd_left(r) ? n : rd_left(r);
    return rd_bytes(r, n);
}

static void send_sealed(struct rd *r, bool rtcp)
{
    static const uint32_t ssrcs[] = {AUDIO_SSRC, VIDEO_SSRC, VIDEO_RTX_SSRC, 6000, 6001,
                                     9001,       5001};
    static const uint8_t pts[] = {AUDIO_PT, VIDEO_PT, VIDEO_RTX_PT, 100, 0};
    uint8_t buf[1200] = {0x80};
    uint8_t choice = rd_u8(r);
    uint8_t first = rd_u8(r);
    uint16_t seq = rd_u16(r);
    struct slice body = some(r, 1000);
    size_t head = rtcp ? 8 : 12;
    buf[0] = (uint8_t)(0x80 | (first & 0x3f));
    put_u32(buf + head - 4, ssrcs[choice % 7]);
    if (rtcp) {
        buf[1] = (uint8_t)(200 + choice / 7 % 8);
        put_u16(buf + 2, (uint16_t)((head + body.n) / 4 - 1));
    } else {
        buf[1] = (uint8_t)(pts[choice / 7 % 5] | (first & 0x80));
        put_u16(buf + 2, seq);
        put_u32(buf + 4, seq * 3000U);
    }
    if (body.n > 0)
        memcpy(buf + head, body.p, body.n);
    if (rtcp)
        (void)rtc_peer_send_rtcp(&peer.peer, buf, head + body.n);
    else
        (void)rtc_peer_send_rtp(&peer.peer, buf, head + body.n);
}

static void send_chunks(struct rd *r)
{
    uint8_t buf[1200];
    struct slice body = some(r, 1100);
    memcpy(buf, sctp_head, sizeof sctp_head);
    if (body.n > 0)
        memcpy(buf + sizeof sctp_head, body.p, body.n);
    (void)rtc_peer_send_data(&peer.peer, w.now, slice_of(buf, sizeof sctp_head + body.n));
}

static void say(struct rd *r)
{
    struct assoc_sending how = {.stream = rd_u8(r) % 20, .ppid = rd_u8(r) % 60};
    struct slice body = some(r, 1000);
    uint8_t choice = rd_u8(r);
    how.unordered = choice & 1;
    if (choice & 2)
        assoc_reset_stream(assoc, w.now, how.stream);
    else
        (void)assoc_send(assoc, w.now, &how, body);
}

static void request(uint8_t which)
{
    static const struct {
        const char *method;
        const char *handler;
        const char *data;
    } all[] = {
        {"transport.restartIce", "up", NULL},
        {"transport.dump", "up", NULL},
        {"transport.getStats", "up", NULL},
        {"producer.pause", "cam", NULL},
        {"producer.resume", "cam", NULL},
        {"consumer.pause", "eye", NULL},
        {"consumer.resume", "eye", NULL},
        {"consumer.requestKeyFrame", "eye", NULL},
        {"transport.closeProducer", "up", "{'producerId':'mic'}"},
        {"transport.closeConsumer", "down", "{'consumerId':'eye'}"},
        {"transport.setMaxIncomingBitrate", "up", "{'maxIncomingBitrate':100000}"},
        {"transport.produceData", "up",
         "{'dataProducerId':'dp','type':'sctp','sctpStreamParameters':{'streamId':1,'ordered':true}"
         "}"},
        {"transport.consumeData", "up",
         "{'dataConsumerId':'dc','dataProducerId':'dp','type':'sctp','sctpStreamParameters':{"
         "'streamId':2,'ordered':false,'maxRetransmits':1}}"},
        {"transport.closeDataProducer", "up", "{'dataProducerId':'dp'}"},
        {"router.closeTransport", "room", "{'transportId':'up'}"},
        {"router.dump", "room", NULL},
        {"producer.getStats", "cam", NULL},
        {"consumer.getStats", "eye", NULL},
    };
    size_t i = which % (sizeof all / sizeof all[0]);
    json_decref(all[i].data ? world_call(&w, all[i].method, all[i].handler, NULL, "%s", all[i].data)
                            : world_call(&w, all[i].method, all[i].handler, NULL, NULL));
}

static void act(struct rd *r)
{
    uint8_t action = rd_u8(r);
    uint8_t arg = rd_u8(r);
    struct slice body;
    switch (action % 12) {
    case 0:
        world_pass(&w, (arg + 1) * 8 * USEC_PER_MSEC, tick, NULL);
        break;
    case 1:
        rtc_peer_start(&peer.peer, w.now);
        break;
    case 2:
        body = some(r, 1400);
        if (body.n > 0)
            send_up(body.p, body.n);
        break;
    case 3:
        drop = arg % 16;
        break;
    case 4:
        damage = rd_u8(r) % 8;
        damage_at = arg;
        damage_with = rd_u8(r);
        break;
    case 5:
        if (n_kept > 0 && kept[arg % (n_kept < KEPT ? n_kept : KEPT)].len > 0)
            send_up(kept[arg % (n_kept < KEPT ? n_kept : KEPT)].bytes,
                    kept[arg % (n_kept < KEPT ? n_kept : KEPT)].len);
        break;
    case 6:
        request(arg);
        break;
    case 7:
    case 8:
        send_sealed(r, action % 12 == 8);
        break;
    case 9:
        send_chunks(r);
        break;
    case 10:
        say(r);
        break;
    default:
        (void)assoc_connect(assoc);
        break;
    }
    settle();
}

/* ---- life ---- */

static void open_peer(bool connected)
{
    static struct inbox unused;
    if (connected)
        browser_connect(&peer, &w, "room", "up", false);
    else
        browser_create(&peer, &w, "room", "up", false);
    peer.peer.config.send = wire;
    peer.on_data = on_data;
    if (!connected)
        world_do(&w, "webRtcTransport.connect", "up",
                 "{'dtlsParameters':{'role':'client','fingerprints':[{'algorithm':'sha-256',"
                 "'value':'%s'}]}}",
                 rtc_peer_fingerprint(&peer.peer));
    browser_connect(&viewer, &w, "room", "down", true);
    inbox_of_browser(&unused, &viewer);
    viewer.on_rtp = NULL;
    viewer.on_rtcp = NULL;
    produce_audio(&w, "up", "mic");
    produce_video(&w, "up", "cam");
    consume_audio(&w, "down", "ear", "mic", 5001);
    consume_video(&w, "up", "eye", "cam", 6000);
    assoc_group_init(&group);
    struct assoc_config c = {.group = &group,
                             .port = ASSOC_PORT,
                             .out_streams = 16,
                             .in_streams = 16,
                             .max_send_message = 100000,
                             .max_receive_message = 100000,
                             .send_buffer = 200000,
                             .stream_send_buffer = 200000,
                             .receive_buffer = 200000,
                             .data_channels = true};
    if (assoc_open(&assoc, w.now, &c) != OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(data, size);
    n_kept = drop = damage = 0;
    memset(kept, 0, sizeof kept);
    memset(sctp_head, 0, sizeof sctp_head);
    world_init(&w);
    w.transport_options = "{'enableSctp':true}";
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    open_peer(rd_u8(&r) & 1);
    for (int i = 0; i < ACTIONS_MAX && rd_left(&r) >= 2; i++)
        act(&r);
    json_t *dump = world_call(&w, "worker.dump", "", NULL, NULL);
    if (!dump)
        abort();
    json_decref(dump);
    w.n_endpoints = 0;
    assoc_close(assoc);
    world_fini(&w);
    browser_fini(&peer);
    browser_fini(&viewer);
    return 0;
}
