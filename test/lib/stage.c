#include "test/lib/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/demux.h"
#include "proto/rtcp_fb.h"
#include "proto/rtcp_report.h"
#include "proto/rtcp_sdes.h"
#include "proto/rtp_ext.h"
#include "proto/twcc.h"
#include "worker/rtp/codec.h"

static void put_vp8(uint8_t *p, const struct rtp_spec *s)
{
    static const uint8_t key[] = {0x10, 0x50, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00};
    if (s->key)
        memcpy(p, key, sizeof key);
    else
        p[0] = s->middle ? 0x00 : 0x10;
    if (!s->key)
        p[1] = 0x51;
}

size_t rtp_build(uint8_t buf[1500], const struct rtp_spec *s)
{
    uint8_t bare[1500];
    uint8_t twcc[2];
    struct rtp_ext_item items[3];
    size_t n = 0;
    size_t payload = s->size ? s->size : 200;
    struct wr w = wr_of(bare, sizeof bare);
    rtp_write_header(&w, s->marker, s->pt, s->seq, s->timestamp, s->ssrc);
    if (s->rtx)
        wr_u16(&w, s->osn);
    uint8_t *body = wr_take(&w, payload);
    memset(body, 0xab, payload);
    if (s->ssrc == VIDEO_SSRC || s->ssrc == VIDEO_RTX_SSRC)
        put_vp8(body, s);
    if (s->mid)
        items[n++] = (struct rtp_ext_item){EXT_MID, slice_of(s->mid, strlen(s->mid))};
    if (s->has_twcc) {
        put_u16(twcc, s->twcc);
        items[n++] = (struct rtp_ext_item){EXT_TWCC, slice_of(twcc, 2)};
    }
    if (s->audio_level)
        items[n++] = (struct rtp_ext_item){EXT_AUDIO_LEVEL, slice_of(&s->audio_level, 1)};
    struct rtp_view v;
    struct wr out = wr_of(buf, 1500);
    if (rtp_parse(&v, bare, wr_len(&w)) != OK ||
        rtp_ext_copy_packet(&out, &v, RTP_EXT_ONE_BYTE, items, n, NULL) != OK)
        abort();
    return wr_len(&out);
}

#define MID_URI "urn:ietf:params:rtp-hdrext:sdes:mid"
#define LEVEL_URI "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
#define TIME_URI "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
#define TWCC_URI "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

const char *produce_audio_json(const char *id)
{
    static char text[2048];
    snprintf(text, sizeof text,
             "{'producerId':'%s','kind':'audio','rtpParameters':{'mid':'0','codecs':[{'mimeType':"
             "'audio/opus','payloadType':111,'clockRate':48000,'channels':2,'parameters':{"
             "'useinbandfec':1},'rtcpFeedback':[{'type':'transport-cc'}]}],'headerExtensions':[{"
             "'uri':'" MID_URI "','id':1},{'uri':'" LEVEL_URI "','id':10},{'uri':'" TWCC_URI
             "','id':5}],'encodings':[{'ssrc':1111}],'rtcp':{'cname':'alice'}},'rtpMapping':{"
             "'codecs':[{'payloadType':111,'mappedPayloadType':100}],'encodings':[{'ssrc':1111,"
             "'mappedSsrc':9001}]}}",
             id);
    return text;
}

void produce_audio(struct world *w, const char *transport, const char *id)
{
    world_do(w, "transport.produce", transport, "%s", produce_audio_json(id));
}

const char *produce_video_json(const char *id)
{
    static char text[4096];
    snprintf(text, sizeof text,
             "{'producerId':'%s','kind':'video','rtpParameters':{'mid':'1','codecs':[{'mimeType':"
             "'video/VP8','payloadType':96,'clockRate':90000,'rtcpFeedback':[{'type':'nack'},{"
             "'type':'nack','parameter':'pli'},{'type':'ccm','parameter':'fir'},{'type':"
             "'transport-cc'}]},{'mimeType':'video/rtx','payloadType':97,'clockRate':90000,"
             "'parameters':{'apt':96}}],'headerExtensions':[{'uri':'" MID_URI
             "','id':1},{'uri':'" TWCC_URI
             "','id':5}],'encodings':[{'ssrc':2222,'rtx':{'ssrc':2223}}],'rtcp':{'cname':'alice'}},"
             "'rtpMapping':{'codecs':[{'payloadType':96,'mappedPayloadType':101},{'payloadType':97,"
             "'mappedPayloadType':102}],'encodings':[{'ssrc':2222,'mappedSsrc':9002}]}}",
             id);
    return text;
}

void produce_video(struct world *w, const char *transport, const char *id)
{
    world_do(w, "transport.produce", transport, "%s", produce_video_json(id));
}

const char *consume_audio_json(const char *id, const char *producer, uint32_t ssrc)
{
    static char text[4096];
    snprintf(text, sizeof text,
             "{'consumerId':'%s','producerId':'%s','kind':'audio','type':'simple','rtpParameters':{"
             "'mid':'a%u','codecs':[{'mimeType':'audio/opus','payloadType':100,'clockRate':48000,"
             "'channels':2}],'headerExtensions':[{'uri':'" MID_URI "','id':1},{'uri':'" LEVEL_URI
             "','id':10},{'uri':'" TIME_URI "','id':4}],'encodings':[{'ssrc':%u}],'rtcp':{'cname':"
             "'alice'}},'consumableRtpEncodings':[{'ssrc':9001}]}",
             id, producer, ssrc % 1000, ssrc);
    return text;
}

const char *consume_video_json(const char *id, const char *producer, uint32_t ssrc)
{
    static char text[4096];
    snprintf(text, sizeof text,
             "{'consumerId':'%s','producerId':'%s','kind':'video','type':'simple','rtpParameters':{"
             "'mid':'v%u','codecs':[{'mimeType':'video/VP8','payloadType':101,'clockRate':90000,"
             "'rtcpFeedback':[{'type':'nack'},{'type':'nack','parameter':'pli'},{'type':'ccm',"
             "'parameter':'fir'}]},{'mimeType':'video/rtx','payloadType':102,'clockRate':90000,"
             "'parameters':{'apt':101}}],'headerExtensions':[{'uri':'" MID_URI
             "','id':1},{'uri':'" TIME_URI "','id':4},{'uri':'" TWCC_URI
             "','id':5}],'encodings':[{'ssrc':%u,'rtx':{'ssrc':%u}}],'rtcp':{'cname':'alice'}},"
             "'consumableRtpEncodings':[{'ssrc':9002}]}",
             id, producer, ssrc % 1000, ssrc, ssrc + 1);
    return text;
}

void consume_audio(struct world *w, const char *transport, const char *id, const char *producer,
                   uint32_t ssrc)
{
    world_do(w, "transport.consume", transport, "%s", consume_audio_json(id, producer, ssrc));
}

void consume_video(struct world *w, const char *transport, const char *id, const char *producer,
                   uint32_t ssrc)
{
    world_do(w, "transport.consume", transport, "%s", consume_video_json(id, producer, ssrc));
}

const char *consume_video_estimated_json(const char *id, const char *producer, uint32_t ssrc)
{
    static char text[4096];
    const char *json = consume_video_json(id, producer, ssrc);
    const char *feedback = strstr(json, "{'type':'nack'}");
    if (!feedback)
        abort();
    snprintf(text, sizeof text, "%.*s{'type':'transport-cc'},%s", (int)(feedback - json), json,
             feedback);
    return text;
}

void consume_video_estimated(struct world *w, const char *transport, const char *id,
                             const char *producer, uint32_t ssrc)
{
    world_do(w, "transport.consume", transport, "%s",
             consume_video_estimated_json(id, producer, ssrc));
}

/* ---- what arrives ---- */

void inbox_rtp(struct inbox *in, uint8_t *bytes, size_t n)
{
    struct rtp_view v;
    uint16_t twcc;
    uint32_t time;
    struct audio_level level;
    if (in->n == INBOX_MAX || rtp_parse(&v, bytes, n) != OK)
        abort();
    size_t i = in->n++;
    in->rtp[i].ssrc = v.ssrc;
    in->rtp[i].timestamp = v.timestamp;
    in->rtp[i].seq = v.seq;
    struct rd payload = rd_slice(rtp_payload_slice(&v));
    in->rtp[i].osn = rd_u16(&payload);
    in->rtp[i].payload_len = v.payload_len;
    in->rtp[i].pt = v.payload_type;
    in->rtp[i].marker = v.marker;
    in->rtp[i].key = codec_is_key_frame(CODEC_VP8, rtp_payload_slice(&v));
    in->rtp[i].twcc = rtp_ext_read_twcc(rtp_ext_find(&v, OUT_EXT_TWCC), &twcc) == OK ? twcc : -1;
    in->rtp[i].abs_send_time =
        rtp_ext_read_abs_send_time(rtp_ext_find(&v, OUT_EXT_ABS_SEND_TIME), &time) == OK;
    in->rtp[i].audio_level =
        rtp_ext_read_audio_level(rtp_ext_find(&v, OUT_EXT_AUDIO_LEVEL), &level) == OK ? level.level
                                                                                      : -1;
    if (rtp_ext_read_text(rtp_ext_find(&v, OUT_EXT_MID), in->rtp[i].mid, sizeof in->rtp[i].mid) !=
        OK)
        in->rtp[i].mid[0] = '\0';
}

static void count_twcc(struct inbox *in, const struct rtcp_block *b)
{
    struct twcc t;
    struct twcc_reader r;
    struct twcc_packet p;
    if (twcc_parse(b, &t) != OK)
        abort();
    in->twccs++;
    twcc_reader_init(&r, &t);
    while (twcc_next(&r, &p))
        in->twcc_packets += p.received;
}

static void take_block(struct inbox *in, const struct rtcp_block *b)
{
    struct rtcp_nack nack;
    struct rtcp_pli pli;
    struct rtcp_sr sr;
    struct rtcp_rr rr;
    struct rtcp_sdes_chunk chunk;
    size_t at = 0;
    in->firs += b->kind == RTCP_KIND_FIR;
    in->rembs += b->kind == RTCP_KIND_REMB;
    if (b->kind == RTCP_KIND_TWCC)
        count_twcc(in, b);
    if (rtcp_parse_nack(b, &nack) == OK && b->kind == RTCP_KIND_NACK) {
        in->nacks++;
        in->n_nack_seqs = rtcp_nack_seqs(&nack, in->nack_seqs, 64);
    }
    if (b->kind == RTCP_KIND_PLI && rtcp_parse_pli(b, &pli) == OK) {
        in->plis++;
        in->pli_ssrc = pli.media_ssrc;
    }
    if (b->kind == RTCP_KIND_SR && rtcp_parse_sr(b, &sr) == OK) {
        in->srs++;
        if (in->sr_ssrc == 0 || in->sr_ssrc == sr.ssrc) {
            in->sr_ntp = sr.ntp;
            in->sr_rtp = sr.rtp_timestamp;
        }
    }
    if (b->kind == RTCP_KIND_RR && rtcp_parse_rr(b, &rr) == OK && rr.n_reports > 0) {
        in->rrs++;
        in->fraction_lost = rtcp_report_at(rr.reports, 0).fraction_lost;
    }
    while (b->kind == RTCP_KIND_SDES && rtcp_sdes_next(b, &at, &chunk)) {
        in->sdeses++;
        snprintf(in->cname, sizeof in->cname, "%.*s", (int)chunk.cname.n,
                 chunk.cname.p ? (const char *)chunk.cname.p : "");
    }
}

void inbox_rtcp(struct inbox *in, const uint8_t *bytes, size_t n)
{
    struct rtcp_reader r;
    struct rtcp_block b;
    if (rtcp_reader_init(&r, bytes, n) != OK)
        abort();
    while (rtcp_next(&r, &b))
        take_block(in, &b);
}

static void on_rtp(struct browser *b, uint8_t *bytes, size_t n)
{
    inbox_rtp(b->ctx, bytes, n);
}

static void on_rtcp(struct browser *b, uint8_t *bytes, size_t n)
{
    inbox_rtcp(b->ctx, bytes, n);
}

void inbox_of_browser(struct inbox *in, struct browser *b)
{
    memset(in, 0, sizeof *in);
    b->on_rtp = on_rtp;
    b->on_rtcp = on_rtcp;
    b->ctx = in;
}

size_t inbox_count(const struct inbox *in, uint32_t ssrc)
{
    size_t n = 0;
    for (size_t i = 0; i < in->n; i++)
        n += in->rtp[i].ssrc == ssrc;
    return n;
}

static void plain_receive(struct endpoint *e, uint8_t *bytes, size_t n)
{
    struct plain_peer *p = e->ctx;
    if (packet_class(bytes, n) == PACKET_RTP)
        inbox_rtp(p->in, bytes, n);
    else
        inbox_rtcp(p->in, bytes, n);
}

void plain_peer_init(struct plain_peer *p, struct world *w, struct inbox *in, const char *ip,
                     uint16_t port)
{
    memset(p, 0, sizeof *p);
    memset(in, 0, sizeof *in);
    p->in = in;
    p->endpoint.receive = plain_receive;
    p->endpoint.ctx = p;
    world_add(w, &p->endpoint, ip, port);
}
