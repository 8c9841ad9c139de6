/* RTP and RTCP of any form into a plain transport with producers and consumers, with time passing:
 * the path that an authenticated peer reaches behind SRTP. Input: records of one byte of time
 * (milliseconds), one byte of length in units of 8, and the datagram. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rng.h"
#include "worker/api/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SOCK = 5 };

static enum err open_socket(void *ctx, const struct udp_listen *listen, uint16_t *sock,
                            uint16_t *port)
{
    (void)ctx;
    (void)listen;
    *sock = SOCK;
    *port = SOCK;
    return OK;
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

#define EXTS                                                                                       \
    "'headerExtensions':[{'uri':'urn:ietf:params:rtp-hdrext:sdes:mid','id':1},{'uri':"             \
    "'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id','id':2},{'uri':"                              \
    "'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01','id':5},{'uri':"  \
    "'urn:ietf:params:rtp-hdrext:ssrc-audio-level','id':10},{'uri':'urn:3gpp:video-orientation',"  \
    "'id':11},{'uri':'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time','id':4}],"
#define NACKED(mime, pt)                                                                           \
    "'codecs':[{'mimeType':'" mime "','payloadType':" pt ",'clockRate':90000,'rtcpFeedback':[{"    \
    "'type':'nack'},{'type':'nack','parameter':'pli'}]},{'mimeType':'video/rtx','payloadType':97," \
    "'clockRate':90000,'parameters':{'apt':" pt "}}],"
#define PRODUCE(id, mime, pt, ssrc, rtx)                                                           \
    "{'id':1,'method':'transport.produce','handlerId':'t','data':{'producerId':'" id               \
    "','kind':'video','rtpParameters':{'mid':'" id "'," NACKED(mime, pt) EXTS                      \
        "'encodings':[{'ssrc':" ssrc ",'rtx':{'ssrc':" rtx "}}]},'rtpMapping':{'codecs':[{"        \
        "'payloadType':" pt ",'mappedPayloadType':96},{'payloadType':97,'mappedPayloadType':97}]," \
        "'encodings':[{'ssrc':" ssrc ",'mappedSsrc':9}]}}}"
#define CONSUME(id, producer, mime, ssrc, rtx)                                                     \
    "{'id':1,'method':'transport.consume','handlerId':'t','data':{'consumerId':'" id               \
    "','producerId':'" producer                                                                    \
    "','kind':'video','type':'simple','rtpParameters':{'mid':'m'," NACKED(mime, "96") EXTS         \
        "'encodings':[{'ssrc':" ssrc ",'rtx':{'ssrc':" rtx                                         \
        "}}]},'consumableRtpEncodings':[{'ssrc':9"                                                 \
        "}]}}"

static const char *const script[] = {
    "{'id':1,'method':'worker.createRouter','data':{'routerId':'r'}}",
    "{'id':1,'method':'router.createPlainTransport','handlerId':'r','data':{'transportId':'t',"
    "'options':{'comedia':true,'listenInfo':{'ip':'127.0.0.1'}}}}",
    PRODUCE("vp8", "video/VP8", "100", "1", "2"),
    PRODUCE("vp9", "video/VP9", "101", "3", "4"),
    PRODUCE("h264", "video/H264", "102", "5", "6"),
    PRODUCE("av1", "video/AV1", "103", "7", "8"),
    CONSUME("c8", "vp8", "video/VP8", "11", "12"),
    CONSUME("c9", "vp9", "video/VP9", "13", "14"),
    CONSUME("c4", "h264", "video/H264", "15", "16"),
    CONSUME("c1", "av1", "video/AV1", "17", "18"),
};

static void play(struct api *api, usec now)
{
    for (size_t i = 0; i < sizeof script / sizeof script[0]; i++) {
        char frame[4096];
        size_t n = strlen(script[i]);
        memcpy(frame, script[i], n);
        for (size_t k = 0; k < n; k++) {
            if (frame[k] == '\'')
                frame[k] = '"';
        }
        api_frame(api, now, slice_of(frame, n));
        struct slice s = frame_queue_peek(api->out);
        if (!memmem(s.p, s.n, "accepted", 8)) {
            fprintf(stderr, "%.*s\n", (int)s.n, (const char *)s.p);
            abort();
        }
        frame_queue_consume(api->out, s.n);
    }
}

static void datagrams(struct worker *w, usec now, const uint8_t *data, size_t size)
{
    struct tuple from = {.sock = SOCK, .proto = TUPLE_UDP};
    if (addr_parse(&from.remote, "127.0.0.1", 7) != OK)
        abort();
    while (size >= 2) {
        usec wait = data[0] * USEC_PER_MSEC;
        size_t n = data[1] * (size_t)8;
        data += 2;
        size -= 2;
        n = n < size ? n : size;
        n = n < PACKET_CAP ? n : PACKET_CAP;
        struct packet *p = packet_get(worker_pool(w));
        if (!p)
            abort();
        memcpy(p->data, data, n);
        p->len = (uint32_t)n;
        worker_datagram(w, now, &from, p);
        worker_burst_end(w, now);
        packet_unref(p);
        data += n;
        size -= n;
        now += wait;
        for (int i = 0; i < 10 && worker_deadline(w) <= now; i++)
            worker_timeout(w, now);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rng rng;
    struct frame_queue out;
    usec now = 1000 * USEC_PER_SEC;
    rng_init_seeded(&rng, 1);
    frame_queue_init(&out, 64 << 20);
    struct api api = {.out = &out};
    struct worker_config config = {.io = {.open_udp = open_socket,
                                          .open_tcp = open_socket,
                                          .close_udp = close_socket,
                                          .close_tcp_listener = close_socket,
                                          .close_tcp = close_tcp},
                                   .rng = &rng,
                                   .max_packets = 8192,
                                   .notify = api_notify,
                                   .notify_ctx = &api};
    if (worker_open(&config, now, now, &api.worker) != OK)
        abort();
    worker_txq(api.worker)->drain = drain;
    play(&api, now);
    datagrams(api.worker, now, data, size);
    worker_close(api.worker);
    frame_queue_fini(&out);
    return 0;
}
