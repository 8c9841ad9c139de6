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
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "proto/rtcp_fb.h"
#include "proto/rtcp_report.h"
#include "proto/rtp_ext.h"
#include "test/bench/probe.h"
#include "test/bench/viewer.h"
#include "test/lib/stage.h"

enum {
    FULL_BUFFER = 4096, /* the kernel's least: one or two packets fill it */
    BURST = 32,
    DATAGRAM_MAX = 1600,
    EVENTS = 256,
    TURN_MS = 5
};

_Noreturn void viewer_die(const char *what, const char *detail)
{
    fprintf(stderr, "bench viewers: %s: %s\n", what, detail);
    abort();
}

static void add(_Atomic uint64_t *n, uint64_t more)
{
    atomic_fetch_add_explicit(n, more, memory_order_relaxed);
}

void viewer_send(void *ctx, const void *bytes, size_t n)
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
    if (v->all->call.kind == VIEWERS_WEBRTC) {
        (void)rtc_peer_send_rtcp(&v->rtc, w->start, n);
        return;
    }
    memcpy(buf, w->start, n);
    if (seal_protect_rtcp(v->sealer, buf, &n) == OK)
        viewer_send(v, buf, n);
}

static void send_report(struct viewer *v, usec now)
{
    uint8_t buf[256];
    struct wr w = wr_of(buf, sizeof buf);
    usec since = now - v->sr_at;
    usec delay = since - usec_min(since, v->all->rtt);
    struct rtcp_report r = {.ssrc = v->ssrc,
                            .highest_seq = v->cycles << 16 | v->max_seq,
                            .jitter = 90,
                            .lsr = v->lsr,
                            .dlsr = v->lsr ? (uint32_t)(delay * 65536 / 1000000) : 0};
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

/* As if everything came while nothing is read. Audio is not numbered. */
static void make_up(struct viewer *v, usec now)
{
    const struct call *c = &v->all->call;
    int streams = v->consumed > 0 ? (int)v->consumed : 1;
    usec step = USEC_PER_SEC / (c->fps * (int)call_frame_packets(c) * streams);
    for (; v->started && v->ignored_since + step <= now; v->ignored_since += step)
        twcc_receiver_input(&v->twcc, v->ignored_since, ++v->last_number);
}

static void run_timers(struct viewer *v, usec now)
{
    if (v->next_report <= now)
        send_report(v, now);
    if (v->all->call.kind == VIEWERS_PLAIN)
        return;
    if (atomic_load(&v->all->shared->mode) == VIEWERS_IGNORE && v->all->call.media != CALL_AUDIO)
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
    uint32_t seen = atomic_load(&s->n_sizes);
    size_t packets = call_frame_packets(&v->all->call);
    if (v != &v->all->all[0] || seen >= VIEWERS_SIZE_FRAMES * packets)
        return;
    _Atomic uint32_t *size = &s->sizes[seen % packets];
    if (n > atomic_load(size))
        atomic_store(size, (uint32_t)n);
    atomic_store(&s->n_sizes, seen + 1);
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

void viewer_on_rtp(void *ctx, usec now, uint8_t *bytes, size_t n)
{
    struct viewer *v = ctx;
    struct rtp_view view;
    if (rtp_parse(&view, bytes, n) != OK) {
        add(&v->all->shared->bad, 1);
        return;
    }
    if (v->all->options.on_packet)
        v->all->options.on_packet(v->all->options.ctx, v->arrived_ns, bytes, n);
    uint16_t number;
    bool numbered = rtp_ext_read_twcc(rtp_ext_find(&view, OUT_EXT_TWCC), &number) == OK;
    if (view.ssrc != v->ssrc) {
        add(&v->all->shared->rtx, 1);
    } else {
        add(&v->all->shared->rtp, 1);
        take_seq(v, view.seq);
        if (v->nack_in > 0 && --v->nack_in == 0) {
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

void viewer_on_rtcp(void *ctx, usec now, uint8_t *bytes, size_t n)
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

void viewer_on_data(void *ctx, usec now, struct slice packet)
{
    struct viewer *v = ctx;
    channel_input(&v->channel, now, packet);
}

static void on_srtp(struct viewer *v, usec now, uint8_t *bytes, size_t n)
{
    bool rtcp = n > 1 && bytes[1] >= 192 && bytes[1] <= 223; /* RFC 5761 4 */
    enum err e = rtcp ? opener_unprotect_rtcp(v->opener, bytes, &n)
                      : opener_unprotect_rtp(v->opener, bytes, &n);
    if (e != OK)
        add(&v->all->shared->bad, 1);
    else if (rtcp)
        viewer_on_rtcp(v, now, bytes, n);
    else
        viewer_on_rtp(v, now, bytes, n);
}

static bool decrypts(const struct viewer *v)
{
    return v->all->n < VIEWERS_MANY || (v - v->all->all) % VIEWERS_SAMPLE == 0;
}

static void on_datagram(struct viewer *v, usec now, uint8_t *bytes, size_t n)
{
    uint64_t bad = v->rtc.bad_in;
    bool media = n > 12 && bytes[0] >> 6 == 2 && (bytes[1] & 0x7f) == v->all->media_pt;
    if (media)
        note_size(v, n);
    if (media && !decrypts(v)) {
        bytes[0] &= 0xdf; /* the padding's count is encrypted */
        viewer_on_rtp(v, now, bytes, n);
        return;
    }
    if (v->all->call.kind == VIEWERS_PLAIN)
        on_srtp(v, now, bytes, n);
    else
        rtc_peer_input(&v->rtc, now, bytes, n);
    add(&v->all->shared->bad, v->rtc.bad_in - bad);
}

void viewer_receive(struct viewer *v, usec now, bool keep)
{
    static uint8_t bytes[BURST][DATAGRAM_MAX];
    static union {
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
        struct cmsghdr align;
    } controls[BURST];
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
        for (int i = 0; i < BURST && v->all->options.on_packet; i++) {
            m[i].msg_hdr.msg_control = controls[i].bytes;
            m[i].msg_hdr.msg_controllen = sizeof controls[i].bytes;
        }
        n = recvmmsg(v->fd, m, BURST, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n && keep; i++) {
            v->arrived_ns = v->all->options.on_packet ? probe_stamp_of(&m[i].msg_hdr) : 0;
            on_datagram(v, now, bytes[i], m[i].msg_len);
        }
    } while (n == BURST);
}

void viewers_turn(struct viewers *all)
{
    usec now = clock_now();
    for (size_t i = 0; i < all->n; i++) {
        viewer_receive(&all->all[i], now, true);
        run_timers(&all->all[i], now);
    }
}

/* ---- their process ---- */

static void follow_mode(struct viewers *all, enum viewers_mode mode, usec now)
{
    int size = mode == VIEWERS_IGNORE ? FULL_BUFFER : VIEWER_RECEIVE_BUFFER;
    for (size_t i = 0; i < all->n; i++) {
        struct viewer *v = &all->all[i];
        viewer_receive(v, now, false);
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
                viewer_receive(&all->all[events[i].data.u64], now, mode == VIEWERS_DRAIN);
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
        viewer_die("fork", strerror(errno));
    if (all->pid == 0)
        run(all);
}

void viewers_set_mode(struct viewers *all, enum viewers_mode mode)
{
    atomic_store(&all->shared->mode, (int)mode);
    for (usec since = clock_now(); atomic_load(&all->shared->seen) != (int)mode; usleep(500)) {
        if (clock_now() - since > DRIVER_PATIENCE)
            viewer_die("their process", "does not answer");
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
        channel_close(&v->channel);
        if (all->call.kind == VIEWERS_WEBRTC)
            rtc_peer_fini(&v->rtc);
    }
    munmap(all->shared, sizeof *all->shared);
    free(all->addresses);
    free(all->all);
    *all = (struct viewers){0};
}
