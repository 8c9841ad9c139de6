#include "test/bench/sender.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "proto/rtcp_report.h"
#include "proto/rtcp_sdes.h"
#include "proto/rtp.h"
#include "test/lib/net.h"
#include "test/lib/stage.h"
#include "worker/engine/seal.h"
#include "worker/media/srtp_text.h"
#include "worker/rtp/ntp.h"

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "bench sender: %s: %s\n", what, detail);
    abort();
}

/* ---- bursts ---- */

static void collect(void *ctx, const void *bytes, size_t n)
{
    struct sender *s = ctx;
    if (s->n == SENDER_BURST_MAX)
        die("burst", "too long");
    memcpy(s->burst[s->n], bytes, n);
    s->lens[s->n++] = n;
}

static void flush(struct sender *s)
{
    struct mmsghdr m[SENDER_BURST_MAX];
    struct iovec io[SENDER_BURST_MAX];
    memset(m, 0, sizeof m);
    for (size_t i = 0; i < s->n; i++) {
        io[i] = (struct iovec){s->burst[i], s->lens[i]};
        m[i].msg_hdr = (struct msghdr){.msg_name = &s->worker,
                                       .msg_namelen = sizeof s->worker,
                                       .msg_iov = &io[i],
                                       .msg_iovlen = 1};
    }
    for (size_t at = 0; at < s->n;) {
        int sent = sendmmsg(s->fd, m + at, (unsigned)(s->n - at), 0);
        if (sent <= 0)
            die("sendmmsg", strerror(errno));
        at += (size_t)sent;
    }
    s->n = 0;
}

static void seal_and_collect(struct sender *s, const uint8_t *bytes, size_t n, bool rtcp)
{
    uint8_t buf[RTC_PEER_PACKET_MAX];
    if (s->call.kind == VIEWERS_WEBRTC) {
        if (!(rtcp ? rtc_peer_send_rtcp(&s->rtc, bytes, n) : rtc_peer_send_rtp(&s->rtc, bytes, n)))
            die("a packet", "was not sealed");
        return;
    }
    memcpy(buf, bytes, n);
    if (!s->sealer) {
        collect(s, buf, n);
        return;
    }
    if ((rtcp ? seal_protect_rtcp(s->sealer, buf, &n) : seal_protect_rtp(s->sealer, buf, &n)) != OK)
        die("a packet", "was not sealed");
    collect(s, buf, n);
}

/* ---- frames ---- */

uint64_t sender_clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint32_t media_ssrc(const struct sender *s)
{
    return s->call.media == CALL_AUDIO ? AUDIO_SSRC : VIDEO_SSRC;
}

/* Bytes of packet i of n, with a bare header. */
static size_t packet_size(const struct sender *s, size_t i, size_t n)
{
    if (s->call.media == CALL_AUDIO)
        return CALL_AUDIO_PACKET;
    if (s->call.media == CALL_VIDEO_FULL)
        return i + 1 < n ? CALL_PACKET : CALL_FRAME_BYTES - (n - 1) * CALL_PACKET;
    return CALL_FRAME_BYTES / n + (i >= n - CALL_FRAME_BYTES % n);
}

static void send_sr(struct sender *s, usec now)
{
    uint8_t buf[256];
    struct wr w = wr_of(buf, sizeof buf);
    struct rtcp_sr sr = {.ssrc = media_ssrc(s),
                         .ntp = ntp_of_usec(now),
                         .rtp_timestamp = s->timestamp,
                         .packets = s->packets,
                         .octets = s->octets};
    struct rtcp_sdes_chunk chunk = {.ssrc = media_ssrc(s), .cname = slice_of("bench", 5)};
    rtcp_write_sr(&w, &sr, NULL, 0);
    rtcp_write_sdes(&w, &chunk, 1);
    seal_and_collect(s, buf, wr_len(&w), true);
    s->next_sr = now + USEC_PER_SEC;
}

/* What the worker says is read, so that its socket does not fill; a PLI is obeyed. */
static void on_rtcp(void *ctx, usec now, uint8_t *bytes, size_t n)
{
    struct sender *s = ctx;
    struct rtcp_reader r;
    struct rtcp_block b;
    (void)now;
    if (rtcp_reader_init(&r, bytes, n) != OK)
        return;
    while (rtcp_next(&r, &b)) {
        if (b.kind == RTCP_KIND_PLI) {
            s->key = true;
            s->plis++;
        }
    }
}

void sender_read(struct sender *s)
{
    uint8_t buf[RTC_PEER_PACKET_MAX];
    ssize_t n;
    while ((n = recv(s->fd, buf, sizeof buf, MSG_DONTWAIT)) > 0) {
        if (s->call.kind == VIEWERS_WEBRTC)
            rtc_peer_input(&s->rtc, clock_now(), buf, (size_t)n);
        else
            s->key = true; /* a plain sender is asked for nothing else */
    }
}

size_t sender_frame(struct sender *s)
{
    uint8_t buf[1500];
    usec now = clock_now();
    size_t n = call_frame_packets(&s->call);
    bool audio = s->call.media == CALL_AUDIO;
    sender_read(s);
    for (size_t i = 0; i < n; i++) {
        struct rtp_spec spec = {.ssrc = media_ssrc(s),
                                .pt = audio ? AUDIO_PT : VIDEO_PT,
                                .seq = s->seq,
                                .timestamp = s->timestamp,
                                .key = s->key && i == 0,
                                .middle = i > 0,
                                .marker = !audio && i + 1 == n,
                                .has_twcc = s->call.kind == VIEWERS_WEBRTC,
                                .twcc = s->seq,
                                .size = packet_size(s, i, n) - RTP_HEADER_LEN};
        size_t len = rtp_build(buf, &spec);
        put_u32(buf + len - 8, s->tag);
        put_u32(buf + len - 4, s->frames);
        seal_and_collect(s, buf, len, false);
        s->seq++;
        s->packets++;
        s->octets += (uint32_t)spec.size;
    }
    s->key = false;
    s->timestamp += (uint32_t)((audio ? 48000 : 90000) / s->call.fps);
    if (s->next_sr <= now)
        send_sr(s, now);
    if (s->call.kind == VIEWERS_WEBRTC && rtc_peer_deadline(&s->rtc) <= now)
        rtc_peer_timeout(&s->rtc, now);
    s->sent_ns[s->frames++ % SENDER_FRAMES_KEPT] = sender_clock_ns();
    flush(s);
    return n;
}

uint64_t sender_sent_ns(const struct sender *s, uint32_t frame)
{
    return s->sent_ns[frame % SENDER_FRAMES_KEPT];
}

size_t sender_push(struct sender *s, int frames)
{
    size_t packets = 0;
    usec start = clock_now();
    for (int i = 0; i < frames; i++) {
        sender_wait_until(start + i * USEC_PER_SEC / s->call.fps);
        packets += sender_frame(s);
    }
    sender_wait_until(start + frames * USEC_PER_SEC / s->call.fps);
    return packets;
}

void sender_wait_until(usec at)
{
    usec now = clock_now();
    if (at > now)
        usleep((useconds_t)(at - now));
}

/* ---- connecting ---- */

static void connect_plain(struct sender *s)
{
    char text[SRTP_BASE64_MAX];
    struct srtp_key key;
    struct srtp_parameters params;
    json_t *t = driver_call(s->driver, "router.createPlainTransport", "room",
                            "{'transportId':'%s','options':{'listenInfo':{'ip':'127.0.0.1'},"
                            "'comedia':true,'enableSrtp':true,'srtpCryptoSuite':"
                            "'AEAD_AES_128_GCM'}}",
                            s->transport);
    if (!t)
        die("createPlainTransport", s->driver->error);
    s->worker.sin_port = htons((uint16_t)json_number_at(t, "tuple.localPort"));
    json_decref(t);
    srtp_key_make(&key, SEAL_AES_128_GCM, &s->rng);
    srtp_key_write(&key, text, &params);
    if (seal_open(&s->sealer, &key) != OK)
        die("seal_open", "failed");
    driver_do(s->driver, "plainTransport.connect", s->transport,
              "{'srtpParameters':{'cryptoSuite':'AEAD_AES_128_GCM','keyBase64':'%s'}}", text);
}

static void connect_webrtc(struct sender *s)
{
    static struct dtls_identity *identity;
    json_t *t = driver_call(s->driver, "router.createWebRtcTransport", "room",
                            "{'transportId':'%s','options':{}}", s->transport);
    if (!t || (!identity && dtls_identity_open(&identity, NULL, NULL) != OK))
        die("createWebRtcTransport", s->driver->error);
    const char *print = "";
    const json_t *prints = json_at(t, "dtlsParameters.fingerprints");
    for (size_t i = 0; i < json_array_size(prints); i++) {
        if (strcmp(json_text_at(json_array_get(prints, i), "algorithm"), "sha-256") == 0)
            print = json_text_at(json_array_get(prints, i), "value");
    }
    struct rtc_peer_config config = {.rng = &s->rng,
                                     .identity = identity,
                                     .remote_ufrag =
                                         json_text_at(t, "iceParameters.usernameFragment"),
                                     .remote_pwd = json_text_at(t, "iceParameters.password"),
                                     .remote_fingerprint = print,
                                     .send = collect,
                                     .on_rtcp = on_rtcp,
                                     .ctx = s};
    if (rtc_peer_init(&s->rtc, &config) != OK)
        die("rtc_peer_init", "failed");
    json_decref(t);
    s->worker.sin_port = htons(s->driver->port);
    driver_do(s->driver, "webRtcTransport.connect", s->transport,
              "{'dtlsParameters':{'role':'client','fingerprints':[{'algorithm':'sha-256','value':"
              "'%s'}]}}",
              rtc_peer_fingerprint(&s->rtc));
    rtc_peer_start(&s->rtc, clock_now());
    for (usec since = clock_now(); !rtc_peer_connected(&s->rtc);) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        flush(s);
        poll(&p, 1, 10);
        sender_read(s);
        rtc_peer_timeout(&s->rtc, clock_now());
        if (clock_now() - since > DRIVER_PATIENCE)
            die("WebRTC", "did not connect");
    }
    flush(s);
}

/* With what the call wants beside. */
static void produce(struct sender *s)
{
    const char *text = s->call.media == CALL_AUDIO ? produce_audio_json(s->producer)
                                                   : produce_video_json(s->producer);
    driver_do(s->driver, "transport.produce", s->transport, "%.*s,'keyFrameRequestDelay':%d}",
              (int)strlen(text) - 1, text, s->call.key_frame_request_delay_ms);
}

static void prepare(struct sender *s, const struct call *call)
{
    memset(s, 0, sizeof *s);
    s->call = *call;
    s->key = true;
    rng_init_system(&s->rng);
    s->worker = (struct sockaddr_in){.sin_family = AF_INET};
    s->worker.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        die("socket", strerror(errno));
}

void sender_open_rtp(struct sender *s, const struct call *call, uint16_t port)
{
    prepare(s, call);
    s->call.kind = VIEWERS_PLAIN;
    s->worker.sin_port = htons(port);
    s->next_sr = USEC_NEVER;
}

void sender_open(struct sender *s, struct worker_driver *driver, const struct call *call)
{
    sender_open_as(s, driver, call, "up", "cam");
}

void sender_open_as(struct sender *s, struct worker_driver *driver, const struct call *call,
                    const char *transport, const char *producer)
{
    prepare(s, call);
    s->driver = driver;
    snprintf(s->transport, sizeof s->transport, "%s", transport);
    snprintf(s->producer, sizeof s->producer, "%s", producer);
    if (call->kind == VIEWERS_PLAIN)
        connect_plain(s);
    else
        connect_webrtc(s);
    produce(s);
}

void sender_close(struct sender *s)
{
    close(s->fd);
    seal_close(s->sealer);
    if (s->call.kind == VIEWERS_WEBRTC)
        rtc_peer_fini(&s->rtc);
}
