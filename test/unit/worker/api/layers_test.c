/* Simulcast and SVC from browser to browser through the object tree, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rtcp_fb.h"
#include "proto/rtp_ext.h"
#include "proto/vp8.h"
#include "test/lib/layer_model.h"
#include "test/lib/stage.h"
#include "worker/bwe/allocation.h"
#include "worker/media/consumer.h"
#include "worker/media/worker_state.h"
#include "worker/rtp/ntp.h"

#define DD_URI                                                                                     \
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

enum { DD_ID = 12, OUT_DD_ID = 9, OUT_SSRC = 7000, FRAMES_MAX = 8192, GOT_MAX = 8192 };

static struct world w;
static struct browser alice;
static struct browser bob;
static struct inbox from_alice;
static struct model model;

/* What bob got. */
static struct {
    uint32_t frame;
    uint32_t timestamp;
    uint16_t seq;
    uint16_t id;
    uint16_t osn;
    uint16_t len; /* of the payload */
    uint8_t index;
    bool marker;
    bool rtx;
    uint8_t dd[DD_LEN_MAX];
    size_t dd_len;
    uint8_t payload[128];
} got[GOT_MAX];
static size_t n_got;
static bool lost[3]; /* streams that send nothing */

static void on_rtp(struct browser *b, uint8_t *bytes, size_t n)
{
    (void)b;
    struct rtp_view v;
    struct vp8_desc d;
    assert_int_equal(rtp_parse(&v, bytes, n), OK);
    assert_true(n_got < GOT_MAX);
    size_t i = n_got++;
    memset(&got[i], 0, sizeof got[i]);
    got[i].rtx = v.ssrc == OUT_SSRC + 1;
    got[i].seq = v.seq;
    got[i].timestamp = v.timestamp;
    got[i].marker = v.marker;
    got[i].frame = UINT32_MAX;
    struct slice dd = rtp_ext_find(&v, OUT_DD_ID);
    if (dd.n > 0)
        memcpy(got[i].dd, dd.p, got[i].dd_len = dd.n);
    if (got[i].rtx) {
        struct slice p = rtp_payload_slice(&v);
        got[i].osn = (uint16_t)(p.p[0] << 8 | p.p[1]);
        v.payload_at = (uint16_t)(v.payload_at + 2);
        v.payload_len = (uint16_t)(v.payload_len - 2);
    }
    got[i].len = v.payload_len;
    assert_true(v.payload_len <= sizeof got[i].payload);
    memcpy(got[i].payload, rtp_payload(&v), v.payload_len);
    if (!model_identify(&v, &got[i].frame, &got[i].index))
        return;
    if (model.mode.codec == CODEC_VP8 && vp8_parse(&d, rtp_payload_slice(&v)) == OK)
        got[i].id = d.picture_id;
}

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    browser_connect(&alice, &w, "room", "up", false);
    browser_connect(&bob, &w, "room", "down", true);
    inbox_of_browser(&from_alice, &alice);
    bob.on_rtp = on_rtp;
    n_got = 0;
    memset(lost, 0, sizeof lost);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    browser_fini(&alice);
    browser_fini(&bob);
    world_fini(&w);
    model_fini(&model);
    return 0;
}

static const char *codec_json(enum codec codec, unsigned pt, unsigned rtx_pt)
{
    static char text[512];
    snprintf(text, sizeof text,
             "[{'mimeType':'%s','payloadType':%u,'clockRate':90000,'rtcpFeedback':[{'type':'nack'},"
             "{'type':'nack','parameter':'pli'}]},{'mimeType':'video/rtx','payloadType':%u,"
             "'clockRate':90000,'parameters':{'apt':%u}}]",
             codec_mime(codec), pt, rtx_pt, pt);
    return text;
}

static const char *scalability(const struct model_mode *m)
{
    static char text[32];
    snprintf(text, sizeof text, "L%uT%u%s", m->n_spatial, m->n_temporal, m->key_svc ? "_KEY" : "");
    return text;
}

static int request_delay; /* keyFrameRequestDelay, ms */

static void produce(const struct model_mode *mode)
{
    char encodings[1024] = "";
    char mapping[512] = "";
    model_init(&model, mode, 5, true);
    for (unsigned i = 0; i < mode->n_streams; i++) {
        size_t n = strlen(encodings);
        snprintf(encodings + n, sizeof encodings - n,
                 "%s{'ssrc':%u,'rtx':{'ssrc':%u},'scalabilityMode':'%s'}", i > 0 ? "," : "",
                 1000 + i, 2000 + i, scalability(mode));
        n = strlen(mapping);
        snprintf(mapping + n, sizeof mapping - n, "%s{'ssrc':%u,'mappedSsrc':%u}", i > 0 ? "," : "",
                 1000 + i, 9000 + i);
    }
    world_do(&w, "transport.produce", "up",
             "{'producerId':'cam','kind':'video','rtpParameters':{'codecs':%s,'headerExtensions':[{"
             "'uri':'" DD_URI
             "','id':%d}],'encodings':[%s],'rtcp':{'cname':'alice'}},'rtpMapping':{"
             "'codecs':[{'payloadType':96,'mappedPayloadType':101},{'payloadType':97,"
             "'mappedPayloadType':102}],'encodings':[%s]},'keyFrameRequestDelay':%d}",
             codec_json(mode->codec, 96, 97), DD_ID, encodings, mapping, request_delay);
}

static bool without_dd;

static const char *consume_json(const struct model_mode *mode, const char *preferred)
{
    static char text[4096];
    char consumable[512] = "";
    bool svc = mode->n_streams == 1 && (mode->codec == CODEC_VP9 || mode->codec == CODEC_AV1);
    for (unsigned i = 0; i < mode->n_streams; i++) {
        size_t n = strlen(consumable);
        snprintf(consumable + n, sizeof consumable - n, "%s{'ssrc':%u}", i > 0 ? "," : "",
                 9000 + i);
    }
    snprintf(text, sizeof text,
             "{'consumerId':'c','producerId':'cam','kind':'video','type':'%s','rtpParameters':{"
             "'codecs':%s,'headerExtensions':[{'uri':'%s','id':%d}],'encodings':[{'ssrc':%d,'rtx':{"
             "'ssrc':%d},'scalabilityMode':'S%uT%u'}],"
             "'rtcp':{'cname':'alice'}},'consumableRtpEncodings':[%s]%s%s}",
             svc ? "svc" : "simulcast", codec_json(mode->codec, 101, 102),
             without_dd ? "urn:other" : DD_URI, OUT_DD_ID, OUT_SSRC, OUT_SSRC + 1, mode->n_streams,
             mode->n_temporal, consumable, preferred ? ",'preferredLayers':" : "",
             preferred ? preferred : "");
    return text;
}

static bool extra_dd; /* beside payloads that tell their layers themselves */

static void send_packet(const struct model_packet *p)
{
    static const uint8_t some[] = {0xc0, 0x12, 0x34};
    uint8_t bytes[sizeof p->data];
    uint8_t buf[512];
    struct rtp_view v;
    struct wr out = wr_of(buf, sizeof buf);
    struct rtp_ext_item dd = {DD_ID,
                              extra_dd ? slice_of(some, sizeof some) : slice_of(p->dd, p->dd_len)};
    memcpy(bytes, p->data, p->len);
    assert_int_equal(rtp_parse(&v, bytes, p->len), OK);
    assert_int_equal(rtp_ext_copy_packet(&out, &v,
                                         p->dd_len > 16 ? RTP_EXT_TWO_BYTE : RTP_EXT_ONE_BYTE, &dd,
                                         dd.value.n > 0, NULL),
                     OK);
    assert_true(rtc_peer_send_rtp(&alice.peer, buf, wr_len(&out)));
}

static void send_report(uint8_t stream)
{
    uint8_t buf[64];
    struct wr out = wr_of(buf, sizeof buf);
    struct rtcp_sr sr = {.ssrc = 1000U + stream,
                         .ntp = ntp_of_usec(w.now) + (NTP_UNIX_OFFSET << 32),
                         .rtp_timestamp = (uint32_t)(w.now * MODEL_CLOCK / USEC_PER_SEC) +
                                          model.streams[stream].ts_offset};
    rtcp_write_sr(&out, &sr, NULL, 0);
    assert_true(rtc_peer_send_rtcp(&alice.peer, buf, wr_len(&out)));
}

/* The encoder answers requests for key frames with the next picture. */
static void send_pictures(unsigned n)
{
    struct model_packet packets[MODEL_PICTURE_PACKETS];
    for (unsigned k = 0; k < n; k++) {
        size_t plis = from_alice.plis;
        for (uint8_t i = 0; i < model.mode.n_streams; i++) {
            size_t count = model_picture(&model, i, w.now, packets);
            for (size_t j = 0; !lost[i] && j < count; j++)
                send_packet(&packets[j]);
            if (k % 30 == 0 && !lost[i])
                send_report(i);
        }
        world_settle(&w);
        if (from_alice.plis != plis)
            model.streams[from_alice.pli_ssrc - 1000].key_wanted = true;
        world_pass(&w, 33333, NULL, NULL);
    }
}

/* Everything from `from` on follows without a hole and can be decoded, and belongs to at most these
 * layers; at least some frames to exactly them. */
static void check(size_t from, int spatial, int temporal)
{
    static bool complete[FRAMES_MAX];
    unsigned exact = 0;
    bool ended = true;
    memset(complete, 0, sizeof complete);
    assert_true(n_got > from + 20);
    for (size_t i = 0; i < n_got; i++) {
        assert_true(got[i].frame < FRAMES_MAX);
        const struct model_frame *f = &model.frames[got[i].frame];
        if (i > 0) {
            bool fresh = got[i].timestamp != got[i - 1].timestamp;
            assert_int_equal(got[i].seq, (uint16_t)(got[i - 1].seq + 1));
            assert_true(!fresh || (int32_t)(got[i].timestamp - got[i - 1].timestamp) > 0);
            assert_true(!fresh || ended || f->key);
            if (model.mode.codec == CODEC_VP8)
                assert_int_equal(got[i].id, (got[i - 1].id + fresh) & 0x7fff);
        }
        ended = got[i].marker;
        for (unsigned r = 0; r < f->n_refs; r++)
            assert_true(complete[f->refs[r]]);
        complete[got[i].frame] = got[i].index + 1 == f->n_packets;
        if (i < from)
            continue;
        int s = model.mode.n_streams > 1 ? f->stream : f->spatial;
        assert_true(s <= spatial && f->temporal <= temporal);
        exact += s == spatial && f->temporal == temporal;
    }
    assert_true(exact > 0);
}

static void layers_are(int spatial, int temporal)
{
    json_t *l = json_object_get(world_last_event(&w, "c", "consumer.layersChange"), "layers");
    assert_int_equal(json_integer_value(json_object_get(l, "spatialLayer")), spatial);
    assert_int_equal(json_integer_value(json_object_get(l, "temporalLayer")), temporal);
    json_t *d = world_call(&w, "consumer.dump", "c", NULL, NULL);
    assert_int_equal(json_integer_value(json_object_get(d, "currentSpatialLayer")), spatial);
    assert_int_equal(json_integer_value(json_object_get(d, "currentTemporalLayer")), temporal);
    json_decref(d);
}

static void prefer(int spatial, int temporal)
{
    json_t *d =
        world_call(&w, "consumer.setPreferredLayers", "c", NULL,
                   "{'preferredLayers':{'spatialLayer':%d,'temporalLayer':%d}}", spatial, temporal);
    assert_non_null(json_object_get(d, "preferredLayers"));
    json_decref(d);
}

static void consume(const struct model_mode *mode)
{
    world_do(&w, "transport.consume", "down", "%s", consume_json(mode, NULL));
}

/* Up and down through all layers. */
static void tour(const struct model_mode *mode)
{
    int top = (mode->n_streams > 1 ? mode->n_streams : mode->n_spatial) - 1;
    int fast = mode->n_temporal - 1;
    produce(mode);
    consume(mode);
    send_pictures(60);
    check(0, top, fast);
    layers_are(top, fast);
    for (int s = top; s >= 0; s--) {
        prefer(s, s == 0 ? 0 : fast);
        send_pictures(60);
        size_t from = n_got;
        send_pictures(90);
        check(from, s, s == 0 ? 0 : fast);
        layers_are(s, s == 0 ? 0 : fast);
    }
    prefer(top, fast);
    send_pictures(60);
    size_t from = n_got;
    send_pictures(60);
    check(from, top, fast);
    layers_are(top, fast);
}

static const struct model_mode vp8 = {.name = "VP8",
                                      .codec = CODEC_VP8,
                                      .n_streams = 3,
                                      .n_spatial = 1,
                                      .n_temporal = 3,
                                      .id_bits = 15};
static const struct model_mode vp9 = {.name = "VP9",
                                      .codec = CODEC_VP9,
                                      .n_streams = 1,
                                      .n_spatial = 3,
                                      .n_temporal = 3,
                                      .id_bits = 15,
                                      .key_svc = true};
static const struct model_mode av1 = {
    .name = "AV1", .codec = CODEC_AV1, .n_streams = 1, .n_spatial = 3, .n_temporal = 3, .dd = true};

/* The one viewer leaves, and comes back before the next key frame may be asked for. */
static void rejoin(const struct model_mode *mode)
{
    int top = (mode->n_streams > 1 ? mode->n_streams : mode->n_spatial) - 1;
    request_delay = 1000;
    produce(mode);
    request_delay = 0;
    send_pictures(2);
    consume(mode);
    send_pictures(8);
    assert_true(n_got > 0);
    size_t plis = from_alice.plis;
    assert_true(plis > 0);
    world_do(&w, "transport.closeConsumer", "down", "{'consumerId':'c'}");
    send_pictures(4);
    n_got = 0;
    consume(mode);
    world_settle(&w);
    assert_true(n_got >= 10);
    assert_true(model.frames[got[0].frame].key);
    assert_int_equal(from_alice.plis, plis);
    send_pictures(15);
    assert_int_equal(from_alice.plis, plis);
    send_pictures(40);
    check(0, top, mode->n_temporal - 1);
}

static void a_viewer_of_simulcast_starts_from_what_is_kept(void **state)
{
    (void)state;
    rejoin(&vp8);
}

static void a_viewer_of_k_svc_too(void **state)
{
    (void)state;
    rejoin(&vp9);
}

static void a_viewer_of_av1_too(void **state)
{
    (void)state;
    rejoin(&av1);
}

static void simulcast_goes_through_all_layers_without_a_seam(void **state)
{
    (void)state;
    tour(&vp8);
}

static void h264_simulcast_too(void **state)
{
    (void)state;
    const struct model_mode h264 = {
        .codec = CODEC_H264, .n_streams = 3, .n_spatial = 1, .n_temporal = 1};
    tour(&h264);
}

static void key_svc_of_vp9_goes_through_all_layers(void **state)
{
    (void)state;
    tour(&vp9);
}

static void full_svc_of_vp9_goes_through_all_layers(void **state)
{
    (void)state;
    struct model_mode full = vp9;
    full.key_svc = false;
    tour(&full);
}

static void the_rates_of_all_layers_are_told(void **state)
{
    (void)state;
    produce(&vp9);
    consume(&vp9);
    send_pictures(60);
    json_t *d = world_call(&w, "producer.getStats", "cam", NULL, NULL);
    json_t *stat = json_array_get(json_object_get(d, "stats"), 0);
    json_t *rates = json_object_get(stat, "bitrateByLayer");
    assert_int_equal(json_object_size(rates), 9);
    json_int_t sum = 0;
    for (int s = 0; s < 3; s++) {
        char name[4] = {(char)('0' + s), '.', '2', 0};
        json_int_t rate = json_integer_value(json_object_get(rates, name));
        name[2] = '0';
        assert_true(rate > json_integer_value(json_object_get(rates, name)));
        sum += rate;
    }
    /* K-SVC: a spatial layer comes alone. */
    json_int_t all = json_integer_value(json_object_get(stat, "bitrate"));
    assert_in_range(sum, all * 9 / 10, all * 11 / 10);
    json_decref(d);
}

static void svc_of_av1_goes_through_all_layers(void **state)
{
    (void)state;
    tour(&av1);
    assert_true(got[0].dd_len > 0);
}

static void av1_consumers_are_told_their_decode_targets(void **state)
{
    (void)state;
    static struct dd_structure structure;
    struct dd d;
    produce(&av1);
    world_do(&w, "transport.consume", "down", "%s",
             consume_json(&av1, "{'spatialLayer':1,'temporalLayer':0}"));
    send_pictures(30);
    check(0, 1, 0);
    size_t i = 0;
    while (got[i].dd_len < 20)
        i++;
    assert_int_equal(dd_parse(slice_of(got[i].dd, got[i].dd_len), NULL, &structure, &d), OK);
    assert_true(d.has_structure && d.has_active_targets);
    /* Of nine: S0T0 and S1T0. */
    assert_int_equal(d.active_targets, 1 << 0 | 1 << 3);
}

static void without_descriptors_av1_is_sent_in_its_lowest_spatial_layer(void **state)
{
    (void)state;
    without_dd = true;
    produce(&av1);
    consume(&av1);
    without_dd = false;
    send_pictures(60);
    check(0, 0, 2);
    layers_are(0, 2);
    assert_int_equal(got[0].dd_len, 0);
}

static void vp8_is_sent_without_a_descriptor_that_would_tell_another_story(void **state)
{
    (void)state;
    extra_dd = true;
    produce(&vp8);
    consume(&vp8);
    send_pictures(30);
    extra_dd = false;
    check(0, 2, 2);
    for (size_t i = 0; i < n_got; i++)
        assert_int_equal(got[i].dd_len, 0);
}

static void a_stream_that_dies_gives_way_and_comes_back(void **state)
{
    (void)state;
    produce(&vp8);
    consume(&vp8);
    send_pictures(30);
    layers_are(2, 2);
    lost[2] = true;
    send_pictures(90);
    layers_are(1, 2);
    lost[2] = false;
    model.streams[2].key_wanted = true;
    send_pictures(60);
    layers_are(2, 2);
}

static void a_size_that_is_left_out_gives_way_within_a_second(void **state)
{
    (void)state;
    produce(&vp8);
    consume(&vp8);
    send_pictures(60);
    layers_are(2, 2);
    lost[2] = true;
    send_pictures(14);
    layers_are(2, 2);
    send_pictures(8);
    layers_are(1, 2);
    lost[2] = false;
    model.streams[2].key_wanted = true;
    send_pictures(5);
    layers_are(2, 2);
}

static void a_silence_of_the_network_is_no_size_left_out(void **state)
{
    (void)state;
    produce(&vp8);
    consume(&vp8);
    send_pictures(60);
    size_t events = world_events(&w, "c", "consumer.layersChange");
    lost[0] = lost[1] = lost[2] = true;
    send_pictures(30);
    lost[0] = lost[1] = lost[2] = false;
    send_pictures(30);
    layers_are(2, 2);
    assert_int_equal(world_events(&w, "c", "consumer.layersChange"), events);
}

static void a_paused_consumer_has_no_layers_and_goes_on_from_a_key_frame(void **state)
{
    (void)state;
    produce(&vp8);
    consume(&vp8);
    send_pictures(30);
    size_t from = n_got;
    world_do(&w, "consumer.pause", "c", NULL);
    send_pictures(10);
    assert_int_equal(n_got, from);
    json_t *e = world_last_event(&w, "c", "consumer.layersChange");
    assert_null(json_object_get(e, "layers"));
    world_do(&w, "consumer.resume", "c", NULL);
    send_pictures(60);
    check(from, 2, 2);
}

static void send_nack(uint16_t seq)
{
    uint8_t buf[64];
    struct wr out = wr_of(buf, sizeof buf);
    rtcp_write_nack(&out, 1, OUT_SSRC, &seq, 1);
    assert_true(rtc_peer_send_rtcp(&bob.peer, buf, wr_len(&out)));
    world_settle(&w);
}

static void what_is_sent_again_is_what_was_sent(void **state)
{
    (void)state;
    static const struct model_mode *const modes[] = {&vp8, &av1};
    for (size_t k = 0; k < 2; k++) {
        produce(modes[k]);
        world_do(&w, "transport.consume", "down", "%s",
                 consume_json(modes[k], "{'spatialLayer':1,'temporalLayer':0}"));
        send_pictures(40);
        prefer(2, 0);
        send_pictures(20);
        size_t n = n_got;
        unsigned checked = 0;
        for (size_t i = n - 30; i < n; i++) {
            send_nack(got[i].seq);
            assert_int_equal(n_got, n + checked + 1);
            size_t again = n + checked++;
            assert_true(got[again].rtx);
            assert_int_equal(got[again].osn, got[i].seq);
            assert_int_equal(got[again].timestamp, got[i].timestamp);
            assert_int_equal(got[again].marker, got[i].marker);
            assert_int_equal(got[again].len, got[i].len);
            assert_memory_equal(got[again].payload, got[i].payload, got[i].len);
            assert_int_equal(got[again].dd_len, got[i].dd_len);
            assert_memory_equal(got[again].dd, got[i].dd, got[i].dd_len);
        }
        tear_down(NULL);
        set_up(NULL);
    }
}

static void what_was_lost_of_a_larger_size_is_not_sent_after_a_smaller_one(void **state)
{
    (void)state;
    produce(&vp8);
    consume(&vp8);
    send_pictures(60);
    size_t large = n_got - 1;
    prefer(0, 2);
    send_pictures(30);
    layers_are(0, 2);
    size_t n = n_got;
    send_nack(got[large].seq);
    assert_int_equal(n_got, n);
    send_nack(got[n - 1].seq);
    assert_int_equal(n_got, n + 1);
}

static void the_estimate_limits_what_is_sent(void **state)
{
    (void)state;
    struct alloc_consumer a = {0};
    produce(&vp8);
    consume(&vp8);
    send_pictures(60);
    struct consumer *c = consumer_of(object_find(&w.worker->objects, OBJECT_CONSUMER, "c"));
    c->ops->offer(c, w.now, &a);
    assert_int_equal(a.n_layers, 9);
    assert_false(a.always);
    for (unsigned i = 0; i < 9; i++)
        assert_true(a.layer_bps[i] > 0 && (i % 3 == 0 || a.layer_bps[i] > a.layer_bps[i - 1]));
    c->ops->allot(c, w.now, 1);
    send_pictures(60);
    layers_are(0, 1);
    size_t from = n_got;
    send_pictures(60);
    check(from, 0, 1);
    c->ops->allot(c, w.now, ALLOC_NONE);
    from = n_got;
    send_pictures(10);
    assert_int_equal(n_got, from);
    c->ops->allot(c, w.now, 8);
    send_pictures(60);
    layers_are(2, 2);
}

static void preferred_layers_are_answered_with_what_there_is(void **state)
{
    (void)state;
    produce(&vp8);
    json_t *d = world_call(&w, "transport.consume", "down", NULL, "%s",
                           consume_json(&vp8, "{'spatialLayer':9}"));
    json_t *p = json_object_get(d, "preferredLayers");
    assert_int_equal(json_integer_value(json_object_get(p, "spatialLayer")), 2);
    assert_int_equal(json_integer_value(json_object_get(p, "temporalLayer")), 2);
    json_decref(d);
    d = world_call(&w, "consumer.setPreferredLayers", "c", NULL,
                   "{'preferredLayers':{'spatialLayer':255,'temporalLayer':1}}");
    p = json_object_get(d, "preferredLayers");
    assert_int_equal(json_integer_value(json_object_get(p, "spatialLayer")), 2);
    assert_int_equal(json_integer_value(json_object_get(p, "temporalLayer")), 1);
    json_decref(d);
    const char *why = world_refused(&w, "consumer.setPreferredLayers", "c",
                                    "{'preferredLayers':{'temporalLayer':1}}");
    assert_non_null(strstr(why, "spatialLayer"));
}

static void a_request_that_does_not_fit_the_producer_is_refused(void **state)
{
    (void)state;
    struct model_mode two = vp8;
    produce(&vp8);
    two.n_streams = 2;
    assert_non_null(
        strstr(world_refused(&w, "transport.consume", "down", "%s", consume_json(&two, NULL)),
               "consumableRtpEncodings"));
    assert_non_null(strstr(
        world_refused(&w, "transport.consume", "down", "%s", consume_json(&vp9, NULL)), "type"));
    consume(&vp8);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_viewer_of_simulcast_starts_from_what_is_kept),
        T(a_viewer_of_k_svc_too),
        T(a_viewer_of_av1_too),
        T(simulcast_goes_through_all_layers_without_a_seam),
        T(h264_simulcast_too),
        T(key_svc_of_vp9_goes_through_all_layers),
        T(full_svc_of_vp9_goes_through_all_layers),
        T(the_rates_of_all_layers_are_told),
        T(svc_of_av1_goes_through_all_layers),
        T(av1_consumers_are_told_their_decode_targets),
        T(without_descriptors_av1_is_sent_in_its_lowest_spatial_layer),
        T(vp8_is_sent_without_a_descriptor_that_would_tell_another_story),
        T(a_stream_that_dies_gives_way_and_comes_back),
        T(a_size_that_is_left_out_gives_way_within_a_second),
        T(a_silence_of_the_network_is_no_size_left_out),
        T(a_paused_consumer_has_no_layers_and_goes_on_from_a_key_frame),
        T(what_is_sent_again_is_what_was_sent),
        T(what_was_lost_of_a_larger_size_is_not_sent_after_a_smaller_one),
        T(the_estimate_limits_what_is_sent),
        T(preferred_layers_are_answered_with_what_there_is),
        T(a_request_that_does_not_fit_the_producer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
