#include "controller/live/silence_splice.h"

#include <string.h>
#include <strings.h>

enum { RTP_HEAD = 12, SEQ_AT = 2, TIME_AT = 4, SSRC_AT = 8, G711_BYTES = 160 };

/* RFC 6716 3.1: TOC 31, CELT, fullband, 20 ms, mono, one frame; of which the first bit says silence
 * (4.3). */
static const uint8_t opus_silence[] = {0xf8, 0xff, 0xfe};

/* ITU-T G.711: the codes of zero. */
#define TEN(x) x, x, x, x, x, x, x, x, x, x
#define G711(x)                                                                                    \
    {                                                                                              \
        TEN(x), TEN(x), TEN(x), TEN(x), TEN(x), TEN(x), TEN(x), TEN(x), TEN(x), TEN(x), TEN(x),    \
            TEN(x), TEN(x), TEN(x), TEN(x), TEN(x)                                                 \
    }
static const uint8_t pcmu_silence[G711_BYTES] = G711(0xff);
static const uint8_t pcma_silence[G711_BYTES] = G711(0xd5);

struct slice silence_payload(const char *mime_type)
{
    if (strcasecmp(mime_type, "audio/opus") == 0)
        return slice_of(opus_silence, sizeof opus_silence);
    if (strcasecmp(mime_type, "audio/PCMU") == 0)
        return slice_of(pcmu_silence, sizeof pcmu_silence);
    if (strcasecmp(mime_type, "audio/PCMA") == 0)
        return slice_of(pcma_silence, sizeof pcma_silence);
    return (struct slice){0};
}

void silence_splice_init(struct silence_splice *s, struct slice payload, uint8_t payload_type,
                         uint32_t ssrc, uint32_t clock_rate)
{
    *s = (struct silence_splice){
        .payload = payload, .payload_type = payload_type, .ssrc = ssrc, .clock_rate = clock_rate};
}

/* What the clock of the stream has gone on since the last packet. */
static uint32_t elapsed(const struct silence_splice *s, usec now)
{
    return (uint32_t)((uint64_t)(now - s->last) * s->clock_rate / USEC_PER_SEC);
}

/* Its numbers go on from those of the silence before it. */
static void join(struct silence_splice *s, usec now, uint16_t seq, uint32_t timestamp)
{
    if (s->sent && (!s->joined || s->silent)) {
        s->seq_offset = (uint16_t)(s->seq + 1 - seq);
        s->time_offset = s->timestamp + elapsed(s, now) - timestamp;
    }
    s->joined = true;
}

bool silence_splice_packet(struct silence_splice *s, usec now, uint8_t *packet, size_t n)
{
    if (n < RTP_HEAD || packet[0] >> 6 != 2 || (packet[1] & 0x7f) != s->payload_type)
        return false;
    struct rd r = rd_slice(slice_of(packet + SEQ_AT, RTP_HEAD - SEQ_AT));
    uint16_t seq = rd_u16(&r);
    uint32_t timestamp = rd_u32(&r);
    join(s, now, seq, timestamp);
    seq = (uint16_t)(seq + s->seq_offset);
    timestamp += s->time_offset;
    put_u16(packet + SEQ_AT, seq);
    put_u32(packet + TIME_AT, timestamp);
    put_u32(packet + SSRC_AT, s->ssrc);
    /* One that was overtaken does not turn the numbers back. */
    if (!s->sent || (int16_t)(uint16_t)(seq - s->seq) > 0) {
        s->seq = seq;
        s->timestamp = timestamp;
    }
    s->sent = true;
    s->silent = false;
    s->last = now;
    return true;
}

size_t silence_splice_fill(struct silence_splice *s, usec now, uint8_t out[SILENCE_PACKET_MAX])
{
    usec after = s->silent ? SILENCE_PACKET_US : SILENCE_AFTER_US;
    if (s->sent && now - s->last < after)
        return 0;
    struct wr w = wr_of(out, SILENCE_PACKET_MAX);
    s->timestamp += s->sent ? elapsed(s, now) : 0;
    s->seq++;
    wr_u8(&w, 0x80);
    wr_u8(&w, s->payload_type);
    wr_u16(&w, s->seq);
    wr_u32(&w, s->timestamp);
    wr_u32(&w, s->ssrc);
    wr_bytes(&w, s->payload.p, s->payload.n);
    s->sent = s->silent = true;
    s->last = now;
    return wr_len(&w);
}
