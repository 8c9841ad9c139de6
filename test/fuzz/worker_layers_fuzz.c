/* Whatever a sender writes into payloads and dependency descriptors: layer selection stays inside
 * of its memory and leaves the received packet alone. */
#include <assert.h>
#include <string.h>

#include "worker/rtp/simulcast.h"

enum { STREAMS = 2, PACKETS_MAX = 400 };

static struct layer_stream streams[STREAMS];
static struct simulcast sc;

static void packet(struct rd *r, usec now)
{
    uint8_t bytes[RTP_HEADER_LEN + 64] = {0x80};
    uint8_t copy[sizeof bytes];
    uint8_t scratch[DD_LEN_MAX];
    struct rtp_view v;
    struct layer_packet p;
    struct simulcast_out out;
    uint8_t control = rd_u8(r);
    uint8_t seq = rd_u8(r);
    size_t n = rd_u8(r) % 64;
    size_t n_dd = rd_u8(r) % 100;
    struct slice payload = rd_bytes(r, n);
    struct slice dd = rd_bytes(r, n_dd);
    if (r->bad)
        return;
    uint8_t stream = sc.n_streams > 1 ? control % STREAMS : 0;
    put_u16(bytes + 2, seq);
    put_u32(bytes + 4, (uint32_t)(seq / 3) * 3000U);
    memcpy(bytes + RTP_HEADER_LEN, payload.p, n);
    if (rtp_parse(&v, bytes, RTP_HEADER_LEN + n) != OK)
        return;
    enum codec codec = streams[stream].codec;
    layer_stream_packet(&streams[stream], &v, dd, codec_is_key_frame(codec, payload), &p);
    if (control & 0x40)
        simulcast_limit(&sc,
                        (struct layers){(int8_t)(control >> 2 & 3), (int8_t)(control >> 4 & 3)});
    struct simulcast_in in = {.packet = &p, .stream = stream, .restarted = control == 0xff};
    memcpy(copy, bytes, sizeof copy);
    enum simulcast_verdict verdict = simulcast_packet(&sc, now, &in, &out);
    assert(memcmp(copy, bytes, sizeof copy) == 0);
    if (verdict == SIMULCAST_NOTHING)
        return;
    layer_patch_payload(codec, out.patch, copy + RTP_HEADER_LEN, n);
    struct slice patched = layer_patch_dd(&streams[stream], out.patch, dd, scratch);
    assert(patched.n <= DD_LEN_MAX || patched.p == dd.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum codec codecs[] = {CODEC_VP8, CODEC_VP9, CODEC_AV1, CODEC_H264};
    struct rd r = rd_of(data, size);
    uint8_t first = rd_u8(&r);
    enum codec codec = codecs[first % 4];
    struct simulcast_config c = {.codec = codec,
                                 .clock_rate = 90000,
                                 .n_streams = first & 4 ? 2 : 1,
                                 .n_spatial = 3,
                                 .n_temporal = 3,
                                 .key_svc = (first & 8) != 0};
    simulcast_init(&sc, &c);
    for (unsigned i = 0; i < STREAMS; i++)
        if (layer_stream_init(&streams[i], codec, true) != OK)
            return 0;
    simulcast_start(&sc);
    for (unsigned i = 0; i < PACKETS_MAX && !r.bad && rd_left(&r) > 0; i++)
        packet(&r, (usec)(i + 1) * 5000);
    for (unsigned i = 0; i < STREAMS; i++)
        layer_stream_fini(&streams[i]);
    return 0;
}
