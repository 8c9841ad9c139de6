#include "test/bench/viewers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "proto/rtcp_fb.h"
#include "proto/rtcp_report.h"
#include "proto/rtp_ext.h"
#include "test/lib/net.h"
#include "test/lib/rtc_peer.h"
#include "test/lib/stage.h"
#include "worker/bwe/twcc_receiver.h"
#include "worker/media/srtp_text.h"

enum {
    FIRST_SSRC = 100000, /* of viewer i: FIRST_SSRC + 2 i, its RTX one more */
    RECEIVE_BUFFER = 512 * 1024,
    FULL_BUFFER = 4096, /* the kernel's least: one or two packets fill it */
    BURST = 32,
    DATAGRAM_MAX = 1600,
    EVENTS = 256,
    TURN_MS = 5,
    /* While nothing is read, feedback is made up for a stream of this rate. */
    PACKETS_PER_SEC = 270
};

struct viewer {
    struct viewers *all; /* parent */
    int fd;
    struct sockaddr_in worker;
    struct rtc_peer rtc;   /* WebRTC */
    struct sealer *sealer; /* plain, owned */
    struct opener *opener; /* plain, owned */
    uint32_t ssrc;
    uint32_t nack_in; /* packets until one counts as lost */
    struct twcc_receiver twcc;
    uint16_t last_number; /* transport-wide */
    bool started;
    uint16_t max_seq;
    uint32_t cycles;
    uint32_t lsr;
    usec sr_at;
    usec next_report;
    usec ignored_since; /* up to when feedback was made up */
};

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "bench viewers: %s: %s\n", what, detail);
    abort();
}

static void add(_Atomic uint64_t *n, uint64_t more)
{
    atomic_fetch_add_explicit(n, more, memory_order_relaxed);
}

static void to_worker(void *ctx, const void *bytes, size_t n)
{
    const struct viewer *v = ctx;
    (void)sendto(v->fd, bytes, n, 0, (const struct sockaddr *)&v->worker, sizeof v->worker);
}

/* ---- feedback ---- */

static void send_rtcp(struct viewer *v, const struct wr *w)
{
    uint8_t buf[DATAGRAM_MAX];
    size_t n = wr_len(w);
    if (n == 0 || w->bad)
        return;
    add(&v->all->shared->feedback, 1);
    if (v->all->kind == VIEWERS_WEBRTC) {
        (void)rtc_peer_send_rtcp(&v->rtc, w->start, n);
        return;
    }
    memcpy(buf, w->start, n);
    if (seal_protect_rtcp(v->sealer, buf, &n) == OK)
        to_worker(v, buf, n);
}

static void send_report(struct viewer *v, usec now)
{
    uint8_t buf[256];
    struct wr w = wr_of(buf, sizeof buf);
    struct rtcp_report r = {.ssrc = v->ssrc,
                            .highest_seq = v->cycles << 16 | v->max_seq,
                            .jitter = 90,
                            .lsr = v->lsr,
                            .dlsr = v->lsr ? (uint32_t)((now - v->sr_at) * 65536 / 1000000) : 0};
    v->next_report = now + USEC_PER_SEC;
    if (!v->started)
        return;
    rtcp_write_rr(&w, 1, &r, 1);
    send_rtcp(v, &w);
}

static void send_nack(struct viewer *v, uint16_t seq)
{
    uint8_t buf[64];
    struct wr w = wr_of(buf, sizeof buf);
    rtcp_write_nack(&w, 1, v->ssrc, &seq, 1);
    send_rtcp(v, &w);
}

static void send_twcc(struct viewer *v, usec now)
{
    uint8_t buf[1200];
    struct wr w = wr_of(buf, sizeof buf);
    twcc_receiver_timeout(&v->twcc, now, 1, v->ssrc, &w);
    send_rtcp(v, &w);
}

/* As if everything came while nothing is read. */
static void make_up(struct viewer *v, usec now)
{
    usec step = USEC_PER_SEC / PACKETS_PER_SEC;
    for (; v->started && v->ignored_since + step <= now; v->ignored_since += step)
        twcc_receiver_input(&v->twcc, v->ignored_since, ++v->last_number);
}

static void run_timers(struct viewer *v, usec now)
{
    if (v->next_report <= now)
        send_report(v, now);
    if (v->all->kind == VIEWERS_PLAIN)
        return;
    if (atomic_load(&v->all->shared->mode) == VIEWERS_IGNORE)
        make_up(v, now);
    if (twcc_receiver_deadline(&v->twcc) <= now)
        send_twcc(v, now);
    if (rtc_peer_deadline(&v->rtc) <= now)
        rtc_peer_timeout(&v->rtc, now);
}

/* ---- receiving ---- */

static void note_size(const struct viewer *v, size_t n)
{
    struct viewers_shared *s = v->all->shared;
    uint32_t i = atomic_load(&s->n_sizes);
    if (v != &v->all->all[0] || i >= VIEWERS_SIZES)
        return;
    atomic_store(&s->sizes[i], (uint32_t)n);
    atomic_store(&s->n_sizes, i + 1);
}

static void take_seq(struct viewer *v, uint16_t seq)
{
    if (!v->started) {
        v->max_seq = seq;
        v->started = true;
    } else if ((uint16_t)(seq - v->max_seq) < 0x8000) {
        v->cycles += seq < v->max_seq;
        v->max_seq = seq;
    }
}

static void on_rtp(void *ctx, usec now, uint8_t *bytes, size_t n)
{
    struct viewer *v = ctx;
    struct rtp_view view;
    if (rtp_parse(&view, bytes, n) != OK) {
        add(&v->all->shared->bad, 1);
        return;
    }
    uint16_t number;
    bool numbered = rtp_ext_read_twcc(rtp_ext_find(&view, OUT_EXT_TWCC), &number) == OK;
    if (view.ssrc != v->ssrc) {
        add(&v->all->shared->rtx, 1);
    } else {
        add(&v->all->shared->rtp, 1);
        take_seq(v, view.seq);
        if (v->all->kind == VIEWERS_WEBRTC && --v->nack_in == 0) {
            v->nack_in = VIEWERS_NACK_ONE_IN;
            send_nack(v, view.seq);
            return; /* "lost": not reported as received */
        }
    }
    if (numbered) {
        twcc_receiver_input(&v->twcc, now, number);
        v->last_number = number;
    }
}

static void on_rtcp(void *ctx, usec now, uint8_t *bytes, size_t n)
{
    struct viewer *v = ctx;
    struct rtcp_reader r;
    struct rtcp_block b;
    struct rtcp_sr sr;
    if (rtcp_reader_init(&r, bytes, n) != OK)
        return;
    while (rtcp_next(&r, &b)) {
        if (b.kind == RTCP_KIND_SR && rtcp_parse_sr(&b, &sr) == OK && sr.ssrc == v->ssrc) {
            v->lsr = (uint32_t)(sr.ntp >> 16);
            v->sr_at = now;
        }
    }
}

static void on_srtp(struct viewer *v, usec now, uint8_t *bytes, size_t n)
{
    bool rtcp = n > 1 && bytes[1] >= 192 && bytes[1] <= 223; /* RFC 5761 4 */
    enum err e = rtcp ? opener_unprotect_rtcp(v->opener, bytes, &n)
                      : opener_unprotect_rtp(v->opener, bytes, &n);
    if (e != OK)
        add(&v->all->shared->bad, 1);
    else if (rtcp)
        on_rtcp(v, now, bytes, n);
    else
        on_rtp(v, now, bytes, n);
}

static void on_datagram(struct viewer *v, usec now, uint8_t *bytes, size_t n)
{
    uint64_t bad = v->rtc.bad_in;
    if (n > 12 && bytes[0] >> 6 == 2 && (bytes[1] & 0x7f) == OUT_VIDEO_PT)
        note_size(v, n);
    if (v->all->kind == VIEWERS_PLAIN)
        on_srtp(v, now, bytes, n);
    else
        rtc_peer_input(&v->rtc, now, bytes, n);
    add(&v->all->shared->bad, v->rtc.bad_in - bad);
}

static void receive(struct viewer *v, usec now, bool keep)
{
    static uint8_t bytes[BURST][DATAGRAM_MAX];
    struct mmsghdr m[BURST];
    struct iovec io[BURST];
    int n;
    memset(m, 0, sizeof m);
    for (int i = 0; i < BURST; i++) {
        io[i] = (struct iovec){bytes[i], DATAGRAM_MAX};
        m[i].msg_hdr.msg_iov = &io[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    do {
        n = recvmmsg(v->fd, m, BURST, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n && keep; i++)
            on_datagram(v, now, bytes[i], m[i].msg_len);
    } while (n == BURST);
}

/* ---- connecting ---- */

static void open_socket(struct viewers *all, size_t i)
{
    struct viewer *v = &all->all[i];
    struct sockaddr_in *a = &all->addresses[i];
    socklen_t n = sizeof *a;
    int size = RECEIVE_BUFFER;
    *a = (struct sockaddr_in){.sin_family = AF_INET};
    a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (v->fd < 0 || bind(v->fd, (struct sockaddr *)a, n) < 0 ||
        getsockname(v->fd, (struct sockaddr *)a, &n) < 0)
        die("socket", strerror(errno));
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
                            "'enableSrtp':true,'srtpCryptoSuite':'AEAD_AES_128_GCM'}}",
                            id);
    if (!t)
        die("createPlainTransport", all->driver->error);
    v->worker.sin_port = htons((uint16_t)json_number_at(t, "tuple.localPort"));
    params = (struct srtp_parameters){.crypto_suite = PARAM_SRTP_SUITE_AEAD_AES_128_GCM,
                                      .key_base64 = json_text_at(t, "srtpParameters.keyBase64")};
    if (srtp_key_read(&key, &params, &e) != OK || opener_open(&v->opener, &key) != OK)
        die("the worker's key", e.reason);
    json_decref(t);
    srtp_key_make(&key, SEAL_AES_128_GCM, &all->rng);
    srtp_key_write(&key, text, &params);
    if (seal_open(&v->sealer, &key) != OK)
        die("seal_open", "failed");
    driver_do(all->driver, "plainTransport.connect", id,
              "{'ip':'127.0.0.1','port':%u,'srtpParameters':{'cryptoSuite':'AEAD_AES_128_GCM',"
              "'keyBase64':'%s'}}",
              ntohs(at->sin_port), text);
    driver_do(all->driver, "transport.consume", id,
              "{'consumerId':'c-%s','producerId':'cam','kind':'video','type':'simple',"
              "'rtpParameters':{'codecs':[{'mimeType':'video/VP8','payloadType':101,'clockRate':"
              "90000}],'encodings':[{'ssrc':%u}]},'consumableRtpEncodings':[{'ssrc':9002}]}",
              id, v->ssrc);
}

static void connect_webrtc(struct viewer *v, const char *id, struct dtls_identity *identity)
{
    struct viewers *all = v->all;
    char consumer[64];
    const char *print = "";
    json_t *t = driver_call(all->driver, "router.createWebRtcTransport", "room",
                            "{'transportId':'%s','options':{}}", id);
    if (!t)
        die("createWebRtcTransport", all->driver->error);
    const json_t *prints = json_at(t, "dtlsParameters.fingerprints");
    for (size_t i = 0; i < json_array_size(prints); i++) {
        if (strcmp(json_text_at(json_array_get(prints, i), "algorithm"), "sha-256") == 0)
            print = json_text_at(json_array_get(prints, i), "value");
    }
    struct rtc_peer_config config = {.rng = &all->rng,
                                     .identity = identity,
                                     .remote_ufrag =
                                         json_text_at(t, "iceParameters.usernameFragment"),
                                     .remote_pwd = json_text_at(t, "iceParameters.password"),
                                     .remote_fingerprint = print,
                                     .send = to_worker,
                                     .on_rtp = on_rtp,
                                     .on_rtcp = on_rtcp,
                                     .ctx = v};
    if (rtc_peer_init(&v->rtc, &config) != OK)
        die("rtc_peer_init", id);
    json_decref(t);
    v->worker.sin_port = htons(all->driver->port);
    driver_do(all->driver, "webRtcTransport.connect", id,
              "{'dtlsParameters':{'role':'client','fingerprints':[{'algorithm':'sha-256','value':"
              "'%s'}]}}",
              rtc_peer_fingerprint(&v->rtc));
    rtc_peer_start(&v->rtc, clock_now());
    for (usec since = clock_now(); !rtc_peer_connected(&v->rtc);) {
        struct pollfd p = {.fd = v->fd, .events = POLLIN};
        poll(&p, 1, 10);
        receive(v, clock_now(), true);
        rtc_peer_timeout(&v->rtc, clock_now());
        if (clock_now() - since > DRIVER_PATIENCE)
            die("a client did not connect", driver_log(all->driver));
    }
    snprintf(consumer, sizeof consumer, "c-%s", id);
    driver_do(all->driver, "transport.consume", id, "%s",
              consume_video_json(consumer, "cam", v->ssrc));
}

void viewers_open(struct viewers *all, struct worker_driver *driver, enum viewers_kind kind,
                  size_t n)
{
    static struct dtls_identity *identity;
    *all = (struct viewers){.kind = kind, .n = n, .driver = driver};
    rng_init_system(&all->rng);
    all->all = calloc(n, sizeof *all->all);
    all->addresses = calloc(n, sizeof *all->addresses);
    all->shared =
        mmap(NULL, sizeof *all->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!all->all || !all->addresses || all->shared == MAP_FAILED ||
        (!identity && dtls_identity_open(&identity, NULL, NULL) != OK))
        die("memory", "none");
    for (size_t i = 0; i < n; i++) {
        struct viewer *v = &all->all[i];
        char id[32];
        snprintf(id, sizeof id, "v%zu", i);
        v->all = all;
        v->ssrc = FIRST_SSRC + 2 * (uint32_t)i;
        /* Spread over time, as those of many people are. */
        v->nack_in = 1 + rng_u32(&all->rng) % VIEWERS_NACK_ONE_IN;
        v->next_report = clock_now() + rng_u32(&all->rng) % USEC_PER_SEC;
        twcc_receiver_init(&v->twcc);
        open_socket(all, i);
        if (kind == VIEWERS_PLAIN)
            connect_plain(v, id);
        else
            connect_webrtc(v, id, identity);
    }
}

/* ---- their process ---- */

static void follow_mode(struct viewers *all, enum viewers_mode mode, usec now)
{
    int size = mode == VIEWERS_IGNORE ? FULL_BUFFER : RECEIVE_BUFFER;
    for (size_t i = 0; i < all->n; i++) {
        struct viewer *v = &all->all[i];
        receive(v, now, false);
        setsockopt(v->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        v->ignored_since = now;
    }
    atomic_store(&all->shared->seen, (int)mode);
}

static _Noreturn void run(struct viewers *all)
{
    static struct epoll_event events[EVENTS];
    int ep = epoll_create1(EPOLL_CLOEXEC);
    int mode = -1;
    usec next_timers = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < all->n; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.u64 = i};
        epoll_ctl(ep, EPOLL_CTL_ADD, all->all[i].fd, &e);
    }
    while (!atomic_load(&all->shared->end)) {
        usec now = clock_now();
        if (atomic_load(&all->shared->mode) != mode) {
            mode = atomic_load(&all->shared->mode);
            follow_mode(all, (enum viewers_mode)mode, now);
        }
        if (mode == VIEWERS_IGNORE) {
            usleep(TURN_MS * 1000);
        } else {
            int n = epoll_wait(ep, events, EVENTS, TURN_MS);
            now = clock_now();
            for (int i = 0; i < n; i++)
                receive(&all->all[events[i].data.u64], now, mode == VIEWERS_DRAIN);
        }
        if (now < next_timers || mode == VIEWERS_SWALLOW)
            continue;
        next_timers = now + TURN_MS * 1000;
        for (size_t i = 0; i < all->n; i++)
            run_timers(&all->all[i], now);
    }
    _exit(0);
}

void viewers_start(struct viewers *all)
{
    fflush(NULL);
    atomic_store(&all->shared->seen, -1);
    all->pid = fork();
    if (all->pid < 0)
        die("fork", strerror(errno));
    if (all->pid == 0)
        run(all);
}

void viewers_set_mode(struct viewers *all, enum viewers_mode mode)
{
    atomic_store(&all->shared->mode, (int)mode);
    for (usec since = clock_now(); atomic_load(&all->shared->seen) != (int)mode; usleep(500)) {
        if (clock_now() - since > DRIVER_PATIENCE)
            die("their process", "does not answer");
    }
}

void viewers_close(struct viewers *all)
{
    if (all->pid > 0) {
        atomic_store(&all->shared->end, true);
        waitpid(all->pid, NULL, 0);
    }
    for (size_t i = 0; i < all->n; i++) {
        struct viewer *v = &all->all[i];
        close(v->fd);
        seal_close(v->sealer);
        opener_close(v->opener);
        if (all->kind == VIEWERS_WEBRTC)
            rtc_peer_fini(&v->rtc);
    }
    munmap(all->shared, sizeof *all->shared);
    free(all->addresses);
    free(all->all);
    *all = (struct viewers){0};
}
