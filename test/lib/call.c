#include "test/lib/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "proto/demux.h"
#include "proto/rtcp.h"
#include "proto/rtcp_fb.h"
#include "proto/rtcp_xr.h"
#include "proto/rtp_ext.h"
#include "proto/rtx.h"
#include "worker/media/worker.h"
#include "worker/rtp/ntp.h"

enum {
    INDEX_AT = 16, /* of the payload: which packet it is */
    PAYLOAD = 1000,
    FRAME_US = 33333,
    REPORT_US = 1000 * 1000,
    POOL = 8192,
    LOCAL_SSRC = 77
};

/* The camera's wall clock at the world's time 0. */
#define WALL (3900000000ULL << 32)

static void die(const char *what)
{
    fprintf(stderr, "call: %s\n", what);
    abort();
}

/* ---- the way ---- */

static uint32_t u32_at(const uint8_t *p)
{
    struct rd r = rd_of(p, 4);
    return rd_u32(&r);
}

static bool loses(const uint8_t *bytes, size_t n, uint32_t ssrc, unsigned *after, unsigned *left)
{
    if (*left == 0 || packet_class(bytes, n) != PACKET_RTP || u32_at(bytes + 8) != ssrc)
        return false;
    if (*after > 0) {
        --*after;
        return false;
    }
    --*left;
    return true;
}

static void path_up(void *ctx, const void *bytes, size_t n)
{
    struct browser *b = ctx;
    struct path *p = container_of(b, struct path, browser);
    if (!loses(bytes, n, p->lose_up_ssrc, &p->lose_up_after, &p->lose_up))
        link_send(&p->up, b->endpoint.world->now, bytes, n);
}

static void path_down(struct endpoint *e, uint8_t *bytes, size_t n)
{
    struct path *p = container_of((struct browser *)e->ctx, struct path, browser);
    p->sent_down++;
    if (!loses(bytes, n, p->lose_down_ssrc, &p->lose_down_after, &p->lose_down))
        link_send(&p->down, e->world->now, bytes, n);
}

static void path_open(struct path *p, struct world *w, const char *transport,
                      struct link_config leg, uint64_t seed, void *owner)
{
    browser_connect(&p->browser, w, "room", transport, false);
    link_init(&p->up, leg, seed);
    link_init(&p->down, leg, seed + 1);
    p->browser.peer.config.send = path_up;
    p->browser.endpoint.receive = path_down;
    p->owner = owner;
}

static void path_close(struct path *p)
{
    link_fini(&p->up);
    link_fini(&p->down);
    browser_fini(&p->browser);
}

static void path_run(struct path *p)
{
    struct world *w = p->browser.endpoint.world;
    uint8_t bytes[2048];
    size_t n;
    while (link_receive(&p->up, w->now, bytes, &n))
        world_send(w, &p->browser.endpoint, WORLD_SOCKET_SHARED, bytes, n);
    while (link_receive(&p->down, w->now, bytes, &n))
        rtc_peer_input(&p->browser.peer, w->now, bytes, n);
    if (rtc_peer_deadline(&p->browser.peer) <= w->now)
        rtc_peer_timeout(&p->browser.peer, w->now);
}

static usec path_deadline(const struct path *p)
{
    usec links = usec_min(link_deadline(&p->up), link_deadline(&p->down));
    return usec_min(links, rtc_peer_deadline(&p->browser.peer));
}

static void send_rtcp(struct path *p, const struct wr *w)
{
    if (w->bad)
        die("RTCP that does not fit");
    if (wr_len(w) > 0 && !rtc_peer_send_rtcp(&p->browser.peer, w->start, wr_len(w)))
        die("RTCP that cannot be sent");
}

static struct path *path_of(struct browser *b)
{
    return container_of(b, struct path, browser);
}

/* ---- the camera ---- */

static void send_packet(struct camera *c, usec now, bool key, bool first, bool last)
{
    uint8_t bytes[1500];
    struct rtp_view v;
    struct rtp_spec s = {.ssrc = VIDEO_SSRC,
                         .pt = VIDEO_PT,
                         .seq = (uint16_t)(c->first_seq + c->n),
                         .timestamp = c->timestamp,
                         .twcc = c->twcc++,
                         .has_twcc = true,
                         .key = key && first,
                         .middle = !first,
                         .marker = last,
                         .size = PAYLOAD};
    size_t n = rtp_build(bytes, &s);
    if (rtp_parse(&v, bytes, n) != OK || c->n == CALL_PACKETS)
        die("the camera's packet");
    put_u32(rtp_payload(&v) + INDEX_AT, c->n);
    struct packet *p = packet_get(&c->pool);
    if (!p)
        die("the camera's pool is empty");
    memcpy(p->data, bytes, n);
    p->len = (uint32_t)n;
    struct sent_rtp sent = {.packet = p,
                            .timestamp = c->timestamp,
                            .seq = s.seq,
                            .len = (uint16_t)n,
                            .payload_len = PAYLOAD,
                            .marker = last};
    send_stream_sent(&c->send, now, &sent);
    packet_unref(p);
    c->sent_at[c->n] = now;
    c->of_key[c->n++] = key;
    if (!rtc_peer_send_rtp(&c->path.browser.peer, bytes, n))
        die("the camera cannot send");
}

static void send_frame(struct camera *c, usec now)
{
    bool key = c->key_wanted || c->n == 0;
    unsigned n = key ? CALL_KEY_PACKETS : CALL_FRAME_PACKETS;
    c->key_wanted = false;
    c->keys += key;
    c->timestamp = (uint32_t)(now * 9 / 100);
    for (unsigned i = 0; i < n; i++)
        send_packet(c, now, key, i == 0, i == n - 1);
}

static void camera_resends(struct camera *c, usec now, const struct resend *r)
{
    uint8_t bytes[1500];
    struct rtp_view v;
    struct wr w = wr_of(bytes, sizeof bytes);
    if (rtp_parse(&v, r->packet->data, r->packet->len) != OK ||
        rtx_encode(&w, &v, VIDEO_RTX_PT, VIDEO_RTX_SSRC, r->rtx_seq, &v) != OK)
        die("RTX");
    struct slice twcc = rtp_ext_find(&v, EXT_TWCC);
    put_u16(v.data + (twcc.p - v.data), c->twcc++);
    send_stream_resent(&c->send, now, v.len, PAYLOAD);
    (void)rtc_peer_send_rtp(&c->path.browser.peer, bytes, wr_len(&w));
}

static void camera_nack(struct camera *c, usec now, const struct rtcp_nack *nack)
{
    struct resend again[NACK_ITEM_SEQS];
    for (size_t i = 0; nack->media_ssrc == VIDEO_SSRC && i < nack->n_items; i++) {
        struct rtcp_nack_item item = rtcp_nack_item(nack, i);
        size_t n = send_stream_nack(&c->send, now, item, again, NACK_ITEM_SEQS);
        for (size_t k = 0; k < n; k++)
            camera_resends(c, now, &again[k]);
    }
}

static void camera_rtcp(struct browser *b, uint8_t *bytes, size_t n)
{
    struct camera *c = path_of(b)->owner;
    usec now = b->endpoint.world->now;
    struct rtcp_reader reader;
    struct rtcp_block block;
    if (rtcp_reader_init(&reader, bytes, n) != OK)
        die("RTCP to the camera");
    while (rtcp_next(&reader, &block)) {
        struct rtcp_nack nack;
        struct rtcp_rr rr;
        struct rtcp_xr xr;
        if (block.kind == RTCP_KIND_NACK && rtcp_parse_nack(&block, &nack) == OK)
            camera_nack(c, now, &nack);
        if (block.kind == RTCP_KIND_PLI || block.kind == RTCP_KIND_FIR)
            c->key_wanted = true;
        if (block.kind == RTCP_KIND_XR && rtcp_parse_xr(&block, &xr) == OK && xr.has_rrt) {
            send_stream_rrt(&c->send, now, xr.rrt_ntp);
            c->rrt_ssrc = xr.ssrc;
        }
        if (block.kind != RTCP_KIND_RR || rtcp_parse_rr(&block, &rr) != OK)
            continue;
        for (size_t i = 0; i < rr.n_reports; i++) {
            struct rtcp_report r = rtcp_report_at(rr.reports, i);
            if (r.ssrc == VIDEO_SSRC)
                send_stream_rr(&c->send, now, &r);
        }
    }
}

static void camera_reports(struct camera *c, usec now)
{
    uint8_t bytes[256];
    struct wr w = wr_of(bytes, sizeof bytes);
    struct rtcp_sr sr;
    struct rtcp_dlrr dlrr;
    sr_map_update(&c->clock, now, WALL + ntp_of_usec(now), (uint32_t)(now * 9 / 100));
    if (send_stream_sr(&c->send, now, &c->clock, 0, &sr))
        rtcp_write_sr(&w, &sr, NULL, 0);
    if (wr_len(&w) > 0 && send_stream_dlrr(&c->send, now, &dlrr)) {
        dlrr.ssrc = c->rrt_ssrc;
        rtcp_write_xr_dlrr(&w, VIDEO_SSRC, &dlrr, 1);
    }
    send_rtcp(&c->path, &w);
    c->report_at = now + REPORT_US;
}

static void camera_run(struct camera *c, usec now)
{
    path_run(&c->path);
    while (c->frame_every > 0 && c->next_frame <= now) {
        send_frame(c, now);
        c->next_frame += c->frame_every;
    }
    if (c->report_at <= now)
        camera_reports(c, now);
}

static usec camera_deadline(const struct camera *c)
{
    usec at = usec_min(path_deadline(&c->path), c->report_at);
    return c->frame_every > 0 ? usec_min(at, c->next_frame) : at;
}

/* ---- the viewer ---- */

static void viewer_got(struct viewer *v, const struct camera *c, usec now, const struct rtp_view *p,
                       bool key)
{
    if (p->payload_len < INDEX_AT + 4)
        return;
    uint32_t index = u32_at(rtp_payload(p) + INDEX_AT);
    if (index >= c->n)
        die("a packet that was never sent");
    if (key && !v->playing) {
        v->playing = true;
        v->first = index;
    }
    v->twice += v->got_at[index] != 0;
    v->got_at[index] = now;
}

static void viewer_asks_for_a_key_frame(struct viewer *v)
{
    uint8_t bytes[32];
    uint8_t fir = 0;
    struct wr w = wr_of(bytes, sizeof bytes);
    if (recv_stream_request_key_frame(&v->recv, LOCAL_SSRC, &fir, &w))
        send_rtcp(&v->path, &w);
}

static void viewer_rtp(struct browser *b, uint8_t *bytes, size_t n)
{
    struct viewer *v = path_of(b)->owner;
    struct call *c = container_of(v, struct call, viewer);
    usec now = c->world.now;
    struct rtp_view p;
    uint16_t number;
    if (rtp_parse(&p, bytes, n) != OK)
        die("RTP to the viewer");
    if (rtp_ext_read_twcc(rtp_ext_find(&p, OUT_EXT_TWCC), &number) == OK)
        twcc_receiver_input(&v->twcc, now, number);
    bool rtx = p.ssrc != CALL_VIEWER_SSRC;
    v->rtx += rtx;
    struct recv_result r =
        rtx ? recv_stream_rtx(&v->recv, now, &p) : recv_stream_rtp(&v->recv, now, &p);
    if (r.want_key_frame)
        viewer_asks_for_a_key_frame(v);
    if (r.verdict == RECV_FORWARD)
        viewer_got(v, &c->camera, now, &p, r.key_frame);
}

static void viewer_rtcp(struct browser *b, uint8_t *bytes, size_t n)
{
    struct viewer *v = path_of(b)->owner;
    usec now = b->endpoint.world->now;
    struct rtcp_reader reader;
    struct rtcp_block block;
    if (rtcp_reader_init(&reader, bytes, n) != OK)
        die("RTCP to the viewer");
    while (rtcp_next(&reader, &block)) {
        struct rtcp_sr sr;
        struct rtcp_xr xr;
        if (block.kind == RTCP_KIND_SR && rtcp_parse_sr(&block, &sr) == OK)
            recv_stream_sr(&v->recv, now, &sr);
        if (block.kind != RTCP_KIND_XR || rtcp_parse_xr(&block, &xr) != OK)
            continue;
        for (size_t i = 0; i < xr.n_dlrrs; i++) {
            struct rtcp_dlrr item = rtcp_dlrr_at(&xr, i);
            recv_stream_dlrr(&v->recv, now, &item);
        }
    }
}

static void viewer_reports(struct viewer *v, usec now)
{
    uint8_t bytes[256];
    struct wr w = wr_of(bytes, sizeof bytes);
    struct rtcp_report r;
    bool any = recv_stream_report(&v->recv, now, &r);
    rtcp_write_rr(&w, LOCAL_SSRC, &r, any ? 1 : 0);
    rtcp_write_xr_rrt(&w, LOCAL_SSRC, ntp_of_usec(now));
    send_rtcp(&v->path, &w);
    v->report_at = now + REPORT_US;
}

static void viewer_run(struct viewer *v, usec now)
{
    uint8_t bytes[1200];
    path_run(&v->path);
    if (recv_stream_deadline(&v->recv) <= now) {
        struct wr w = wr_of(bytes, sizeof bytes);
        recv_stream_timeout(&v->recv, now, LOCAL_SSRC, &w);
        send_rtcp(&v->path, &w);
    }
    if (twcc_receiver_deadline(&v->twcc) <= now) {
        struct wr w = wr_of(bytes, sizeof bytes);
        twcc_receiver_timeout(&v->twcc, now, LOCAL_SSRC, CALL_VIEWER_SSRC, &w);
        send_rtcp(&v->path, &w);
    }
    if (v->report_at <= now)
        viewer_reports(v, now);
}

static usec viewer_deadline(const struct viewer *v)
{
    usec at = usec_min(path_deadline(&v->path), v->report_at);
    at = usec_min(at, recv_stream_deadline(&v->recv));
    return usec_min(at, twcc_receiver_deadline(&v->twcc));
}

/* ---- the call ---- */

/* As a browser's, with transport-wide feedback. */
static const char *consume_json(void)
{
    static char text[4096];
    static const char before[] = "'rtcpFeedback':[";
    const char *json = consume_video_json("eye", "cam", CALL_VIEWER_SSRC);
    const char *at = strstr(json, before) + strlen(before);
    snprintf(text, sizeof text, "%.*s{'type':'transport-cc'},%s", (int)(at - json), json, at);
    return text;
}

static void camera_open(struct camera *c, struct world *w, struct link_config leg, uint64_t seed)
{
    struct stream_params params = {.ssrc = VIDEO_SSRC,
                                   .clock_rate = 90000,
                                   .rtx_ssrc = VIDEO_RTX_SSRC,
                                   .codec = CODEC_VP8,
                                   .payload_type = VIDEO_PT,
                                   .rtx_payload_type = VIDEO_RTX_PT,
                                   .has_rtx = true,
                                   .use_nack = true};
    path_open(&c->path, w, "up", leg, seed, c);
    c->path.lose_up_ssrc = VIDEO_SSRC;
    c->path.browser.on_rtcp = camera_rtcp;
    packet_pool_init(&c->pool, POOL);
    send_stream_init(&c->send, &params, (uint16_t)(seed * 17));
    sr_map_init(&c->clock, 90000);
    c->first_seq = (uint16_t)(65000 + seed * 101);
    c->frame_every = FRAME_US;
    c->next_frame = c->report_at = w->now;
}

static void viewer_open(struct viewer *v, struct world *w, struct link_config leg, uint64_t seed)
{
    struct stream_params params = {.ssrc = CALL_VIEWER_SSRC,
                                   .clock_rate = 90000,
                                   .rtx_ssrc = CALL_VIEWER_SSRC + 1,
                                   .codec = CODEC_VP8,
                                   .payload_type = OUT_VIDEO_PT,
                                   .rtx_payload_type = OUT_VIDEO_RTX_PT,
                                   .has_rtx = true,
                                   .use_nack = true,
                                   .use_pli = true};
    path_open(&v->path, w, "down", leg, seed, v);
    v->path.lose_down_ssrc = CALL_VIEWER_SSRC;
    v->path.browser.on_rtp = viewer_rtp;
    v->path.browser.on_rtcp = viewer_rtcp;
    recv_stream_init(&v->recv, &params, w->now);
    twcc_receiver_init(&v->twcc);
    v->report_at = w->now;
}

void call_open(struct call *c, struct link_config leg, uint64_t seed)
{
    memset(c, 0, sizeof *c);
    world_init(&c->world);
    world_do(&c->world, "worker.createRouter", "", "{'routerId':'room'}");
    camera_open(&c->camera, &c->world, leg, 2 * seed);
    viewer_open(&c->viewer, &c->world, leg, 2 * seed + 100);
    produce_video(&c->world, "up", "cam");
    world_do(&c->world, "transport.consume", "down", "%s", consume_json());
}

void call_close(struct call *c)
{
    world_fini(&c->world);
    path_close(&c->camera.path);
    path_close(&c->viewer.path);
    send_stream_fini(&c->camera.send);
    recv_stream_fini(&c->viewer.recv);
    packet_pool_fini(&c->camera.pool);
}

void call_run(struct call *c, usec time)
{
    struct world *w = &c->world;
    usec end = w->now + time;
    while (w->now < end) {
        usec next = usec_min(camera_deadline(&c->camera), viewer_deadline(&c->viewer));
        next = usec_min(next, worker_deadline(w->worker));
        w->now = next <= w->now ? w->now + 1 : usec_min(next, end);
        if (worker_deadline(w->worker) <= w->now)
            worker_timeout(w->worker, w->now);
        world_settle(w);
        camera_run(&c->camera, w->now);
        viewer_run(&c->viewer, w->now);
        world_settle(w);
    }
}

void call_viewer_rtcp(struct call *c, const struct wr *w)
{
    send_rtcp(&c->viewer.path, w);
}

uint32_t call_in_time(const struct call *c, uint32_t to, usec limit, uint32_t *n)
{
    uint32_t in_time = 0;
    *n = to - c->viewer.first;
    for (uint32_t i = c->viewer.first; i < to; i++) {
        usec got = c->viewer.got_at[i];
        in_time += got != 0 && got - c->camera.sent_at[i] <= limit;
    }
    return in_time;
}
