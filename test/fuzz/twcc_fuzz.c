/* Transport-wide feedback: what is received is written again as feedback that says the same; and
 * feedback about arbitrary arrivals says what they were. */
#include "proto/twcc.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP = 65536 };
static struct twcc_arrival arrivals[CAP];
static uint8_t printed[4 * CAP];

static struct twcc parse_printed(const struct wr *w)
{
    struct rtcp_reader r;
    struct rtcp_block b;
    struct twcc t;
    assert(rtcp_reader_init(&r, w->start, wr_len(w)) == OK);
    assert(rtcp_next(&r, &b) && b.kind == RTCP_KIND_TWCC && twcc_parse(&b, &t) == OK);
    return t;
}

/* Every arrival is reported, in its tick, over as many messages as it takes. */
static void written_is_read(uint16_t base, size_t n, size_t room)
{
    for (size_t done = 0; done < n;) {
        size_t taken = 0;
        size_t heard = 0;
        struct wr w = wr_of(printed, room);
        enum err e = twcc_write(&w, 1, 2, 3, base, arrivals + done, n - done, &taken);
        if (e == ERR_TOO_LARGE || e == ERR_RANGE) {
            assert(wr_len(&w) == 0);
            return;
        }
        assert(e == OK && taken > 0 && wr_len(&w) % 4 == 0);
        struct twcc t = parse_printed(&w);
        struct twcc_reader r;
        struct twcc_packet p;
        usec wrap = arrivals[done].at / TWCC_REFERENCE_TICK - t.reference;
        assert(t.base_seq == base && wrap % (1 << 24) == 0);
        twcc_reader_init(&r, &t);
        while (twcc_next(&r, &p)) {
            if (!p.received)
                continue;
            const struct twcc_arrival *a = &arrivals[done + heard++];
            assert(p.seq == a->seq);
            assert(p.at + wrap * TWCC_REFERENCE_TICK == a->at / TWCC_DELTA_TICK * TWCC_DELTA_TICK);
        }
        assert(heard == taken);
        done += taken;
        base = (uint16_t)(arrivals[done - 1].seq + 1);
    }
}

static void parse_anything(const uint8_t *data, size_t size)
{
    struct rtcp_reader r;
    struct rtcp_block b;
    struct twcc t;
    if (rtcp_reader_init(&r, data, size) != OK)
        return;
    while (rtcp_next(&r, &b)) {
        struct twcc_reader reader;
        struct twcc_packet p;
        size_t packets = 0;
        size_t n = 0;
        if (b.kind != RTCP_KIND_TWCC || twcc_parse(&b, &t) != OK)
            continue;
        twcc_reader_init(&reader, &t);
        bool positive = true;
        while (twcc_next(&reader, &p)) {
            assert(p.seq == (uint16_t)(t.base_seq + packets));
            packets++;
            positive = positive && p.at >= 0;
            if (p.received)
                arrivals[n++] = (struct twcc_arrival){.seq = p.seq, .at = p.at};
        }
        assert(packets == t.count);
        if (n > 0 && positive)
            written_is_read(t.base_seq, n, sizeof printed);
    }
}

/* Four bytes an arrival: step of the sequence number, step of the time. */
static void write_anything(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(data, size);
    uint16_t base = rd_u16(&r);
    size_t room = rd_u16(&r);
    uint16_t seq = base;
    usec at = (usec)rd_u32(&r) * 1000;
    size_t n = 0;
    while (rd_left(&r) >= 4 && n < 300) {
        uint8_t step = rd_u8(&r);
        int32_t later = (int32_t)(rd_u24(&r) << 8) / 256;
        seq = (uint16_t)(seq + (n > 0 || step > 0) * (step < 255 ? 1u + step / 16 : 9000u));
        at += later;
        if (at < 0)
            at = 0;
        arrivals[n++] = (struct twcc_arrival){.seq = seq, .at = at};
    }
    if (n > 0)
        written_is_read(base, n, room < 256 ? room : sizeof printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > CAP)
        return 0;
    parse_anything(data, size);
    write_anything(data, size);
    return 0;
}
