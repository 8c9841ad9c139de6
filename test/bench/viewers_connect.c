/* How viewers come and go: their sockets, transports and consumers. */
#include "test/bench/viewers.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "test/bench/probe.h"
#include "test/bench/viewer.h"
#include "test/lib/net.h"
#include "test/lib/stage.h"
#include "worker/media/srtp_text.h"

enum { FIRST_SSRC = 100000 /* of viewer i: FIRST_SSRC + 2 i, its RTX one more */ };

static void open_socket(struct viewers *all, size_t i, in_addr_t address)
{
    struct viewer *v = &all->all[i];
    struct sockaddr_in *a = &all->addresses[i];
    socklen_t n = sizeof *a;
    int size = VIEWER_RECEIVE_BUFFER;
    *a = (struct sockaddr_in){.sin_family = AF_INET};
    a->sin_addr.s_addr = address;
    v->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (v->fd < 0 || bind(v->fd, (struct sockaddr *)a, n) < 0 ||
        getsockname(v->fd, (struct sockaddr *)a, &n) < 0)
        viewer_die("socket", strerror(errno));
    setsockopt(v->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    v->worker = *a;
}

static void connect_plain(struct viewer *v, const char *id)
{
    struct viewers *all = v->all;
    char text[SRTP_BASE64_MAX];
    struct srtp_key key;
    struct srtp_parameters params;
    struct field_error e;
    const struct sockaddr_in *at = &all->addresses[v - all->all];
    json_t *t = driver_call(all->driver, "router.createPlainTransport", "room",
                            "{'transportId':'%s','options':{'listenInfo':{'ip':'127.0.0.1'},"
                            "'enableSrtp':true,'srtpCryptoSuite':'%s'}}",
                            id, srtp_suite_name(all->call.suite));
    if (!t)
        viewer_die("createPlainTransport", all->driver->error);
    v->worker.sin_port = htons((uint16_t)json_number_at(t, "tuple.localPort"));
    params = (struct srtp_parameters){.crypto_suite = (int)srtp_suite_to_param(all->call.suite),
                                      .key_base64 = json_text_at(t, "srtpParameters.keyBase64")};
    if (srtp_key_read(&key, &params, &e) != OK || opener_open(&v->opener, &key) != OK)
        viewer_die("the worker's key", e.reason);
    json_decref(t);
    srtp_key_make(&key, all->call.suite, &all->rng);
    srtp_key_write(&key, text, &params);
    if (seal_open(&v->sealer, &key) != OK)
        viewer_die("seal_open", "failed");
    driver_do(all->driver, "plainTransport.connect", id,
              "{'ip':'127.0.0.1','port':%u,'srtpParameters':{'cryptoSuite':'%s','keyBase64':'%s'}}",
              ntohs(at->sin_port), srtp_suite_name(all->call.suite), text);
}

struct dtls_identity *viewers_identity(void)
{
    static struct dtls_identity *identity;
    if (!identity && dtls_identity_open(&identity, NULL, NULL) != OK)
        viewer_die("a certificate", "none");
    return identity;
}

/* What happens within 10 ms. */
static void wait_for(struct viewer *v, usec since, const char *what)
{
    struct pollfd p = {.fd = v->fd, .events = POLLIN};
    channels_turn(clock_now());
    poll(&p, 1, 10);
    viewer_receive(v, clock_now(), true);
    rtc_peer_timeout(&v->rtc, clock_now());
    if (clock_now() - since > DRIVER_PATIENCE)
        viewer_die(what, v->all->driver ? driver_log(v->all->driver) : "");
}

void viewer_connect(struct viewer *v)
{
    rtc_peer_start(&v->rtc, clock_now());
    for (usec since = clock_now(); !rtc_peer_connected(&v->rtc);)
        wait_for(v, since, "a client did not connect");
    if (!v->all->options.data)
        return;
    channel_open(&v->channel, &v->rtc);
    for (usec since = clock_now(); assoc_get_state(v->channel.assoc) != ASSOC_CONNECTED;)
        wait_for(v, since, "SCTP did not connect");
}

static void connect_webrtc(struct viewer *v, const char *id)
{
    struct viewers *all = v->all;
    const char *print = "";
    json_t *t = driver_call(all->driver, "router.createWebRtcTransport", "room",
                            "{'transportId':'%s','options':{'enableSctp':%s}}", id,
                            all->options.data ? "true" : "false");
    if (!t)
        viewer_die("createWebRtcTransport", all->driver->error);
    const json_t *prints = json_at(t, "dtlsParameters.fingerprints");
    for (size_t i = 0; i < json_array_size(prints); i++) {
        if (strcmp(json_text_at(json_array_get(prints, i), "algorithm"), "sha-256") == 0)
            print = json_text_at(json_array_get(prints, i), "value");
    }
    struct rtc_peer_config config = {.rng = &all->rng,
                                     .identity = viewers_identity(),
                                     .remote_ufrag =
                                         json_text_at(t, "iceParameters.usernameFragment"),
                                     .remote_pwd = json_text_at(t, "iceParameters.password"),
                                     .remote_fingerprint = print,
                                     .send = viewer_send,
                                     .on_rtp = viewer_on_rtp,
                                     .on_rtcp = viewer_on_rtcp,
                                     .on_data = viewer_on_data,
                                     .ctx = v};
    if (rtc_peer_init(&v->rtc, &config) != OK)
        viewer_die("rtc_peer_init", id);
    json_decref(t);
    v->worker.sin_port = htons(all->driver->port);
    driver_do(all->driver, "webRtcTransport.connect", id,
              "{'dtlsParameters':{'role':'client','fingerprints':[{'algorithm':'sha-256','value':"
              "'%s'}]}}",
              rtc_peer_fingerprint(&v->rtc));
    viewer_connect(v);
}

static void id_of(char id[32], const struct viewers *all, size_t i)
{
    snprintf(id, 32, "v%zu", all->options.first + i);
}

void viewers_prepare(struct viewers *all, const struct call *call, in_addr_t address)
{
    size_t n = call->n;
    *all = (struct viewers){.call = *call, .n = n};
    all->media_pt = call->media == CALL_AUDIO ? OUT_AUDIO_PT : OUT_VIDEO_PT;
    rng_init_system(&all->rng);
    all->all = calloc(n, sizeof *all->all);
    all->addresses = calloc(n, sizeof *all->addresses);
    all->shared =
        mmap(NULL, sizeof *all->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!all->all || !all->addresses || all->shared == MAP_FAILED)
        viewer_die("memory", "none");
    for (size_t i = 0; i < n; i++) {
        struct viewer *v = &all->all[i];
        v->all = all;
        /* Spread over time, as those of many people are. Nobody asks for audio again. */
        if (call->kind == VIEWERS_WEBRTC && call->media != CALL_AUDIO)
            v->nack_in = 1 + rng_u32(&all->rng) % VIEWERS_NACK_ONE_IN;
        v->next_report = clock_now() + rng_u32(&all->rng) % USEC_PER_SEC;
        twcc_receiver_init(&v->twcc);
        open_socket(all, i, address);
    }
}

void viewers_open_with(struct viewers *all, struct worker_driver *driver, const struct call *call,
                       const struct viewers_options *options)
{
    size_t streams = options->streams > 0 ? options->streams : 1;
    viewers_prepare(all, call, htonl(INADDR_LOOPBACK));
    all->options = *options;
    all->driver = driver;
    for (size_t i = 0; i < all->n; i++) {
        struct viewer *v = &all->all[i];
        char id[32];
        id_of(id, all, i);
        v->ssrc = FIRST_SSRC + 2 * (uint32_t)((options->first + i) * streams);
        if (options->on_packet)
            probe_stamp(v->fd);
        if (call->kind == VIEWERS_PLAIN)
            connect_plain(v, id);
        else
            connect_webrtc(v, id);
    }
}

void viewers_open(struct viewers *all, struct worker_driver *driver, const struct call *call)
{
    viewers_open_with(all, driver, call, &(struct viewers_options){0});
}

void viewers_exchange_data(struct viewers *all)
{
    enum { OUT = 1, IN = 2, BYTES = 100 };
    for (size_t i = 0; i < all->n; i++) {
        struct viewer *v = &all->all[i];
        char id[32];
        id_of(id, all, i);
        driver_do(all->driver, "transport.produceData", id,
                  "{'dataProducerId':'dp-%s','type':'sctp','sctpStreamParameters':{'streamId':%d}}",
                  id, OUT);
        driver_do(all->driver, "transport.consumeData", id,
                  "{'dataConsumerId':'dc-%s','dataProducerId':'dp-%s','type':'sctp',"
                  "'sctpStreamParameters':{'streamId':%d}}",
                  id, id, IN);
        channel_send(&v->channel, clock_now(), OUT, BYTES);
        for (usec since = clock_now(); v->channel.messages == 0;)
            wait_for(v, since, "no message came back");
    }
}

static void consume_plain(const struct viewer *v, const char *id, const char *producer)
{
    bool audio = v->all->call.media == CALL_AUDIO;
    driver_do(v->all->driver, "transport.consume", id,
              "{'consumerId':'c-%s','producerId':'%s','kind':'%s','type':'simple',"
              "'rtpParameters':{'codecs':[%s],'encodings':[{'ssrc':%u}]},"
              "'consumableRtpEncodings':[{'ssrc':%d}]}",
              id, producer, audio ? "audio" : "video",
              audio ? "{'mimeType':'audio/opus','payloadType':100,'clockRate':48000,'channels':2}"
                    : "{'mimeType':'video/VP8','payloadType':101,'clockRate':90000}",
              v->ssrc, audio ? 9001 : 9002);
}

void viewers_consume_one(struct viewers *all, size_t i, const char *producer)
{
    struct viewer *v = &all->all[i];
    char id[32];
    char consumer[48];
    uint32_t ssrc = v->ssrc + 2 * v->consumed;
    id_of(id, all, i);
    snprintf(consumer, sizeof consumer, v->consumed > 0 ? "c-%s-%u" : "c-%s", id, v->consumed);
    v->consumed++;
    if (all->call.kind == VIEWERS_PLAIN)
        consume_plain(v, id, producer);
    else
        driver_do(all->driver, "transport.consume", id, "%s",
                  all->call.media == CALL_AUDIO ? consume_audio_json(consumer, producer, ssrc)
                                                : consume_video_json(consumer, producer, ssrc));
}

void viewers_consume(struct viewers *all)
{
    for (size_t i = 0; i < all->n; i++)
        viewers_consume_one(all, i, "cam");
}

void viewers_leave(struct viewers *all)
{
    for (size_t i = 0; i < all->n; i++) {
        char id[32];
        id_of(id, all, i);
        driver_do(all->driver, "router.closeTransport", "room", "{'transportId':'%s'}", id);
    }
}
