#include "proto/av1.h"

/* AV1 4.10.5: seven bits a byte, the low ones first; at most 8 bytes. Sizes here are below 2^32. */
static uint32_t rd_leb128(struct rd *r)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint8_t b = rd_u8(r);
        v |= (uint64_t)(b & 0x7f) << (7 * i);
        if ((b & 0x80) == 0) {
            r->bad |= v > UINT32_MAX;
            return (uint32_t)v;
        }
    }
    r->bad = true;
    return 0;
}

/* One element off r; index counts from 0, count is W. */
static struct slice take_element(struct rd *r, uint8_t index, uint8_t count)
{
    size_t n = count != 0 && index + 1 == count ? rd_left(r) : rd_leb128(r);
    return rd_bytes(r, n);
}

enum err av1_parse(struct av1_desc *d, struct slice payload)
{
    struct rd r = rd_slice(payload);
    memset(d, 0, sizeof *d);
    uint8_t b = rd_u8(&r);
    if (r.bad || rd_left(&r) == 0)
        return ERR_TRUNCATED;
    d->continues = (b & 0x80) != 0;
    d->continued = (b & 0x40) != 0;
    d->count = b >> 4 & 3;
    d->new_sequence = (b & 0x08) != 0;
    /* 4.4: "If N equals 1 then Z must equal 0." */
    if (d->new_sequence && d->continues)
        return ERR_MALFORMED;
    while (rd_left(&r) > 0 || d->n_obus < d->count) {
        if (d->n_obus == AV1_OBUS_MAX)
            return ERR_TOO_LARGE;
        struct slice obu = take_element(&r, d->n_obus, d->count);
        if (r.bad)
            return ERR_TRUNCATED;
        bool begins = d->n_obus > 0 || !d->continues;
        if (begins && obu.n > 0 && (obu.p[0] >> 3 & 15) == AV1_OBU_SEQUENCE_HEADER)
            d->sequence_header = true;
        d->n_obus++;
    }
    d->key_frame = d->new_sequence && d->sequence_header;
    return OK;
}

bool av1_next_obu(struct slice payload, size_t *at, uint8_t *index, struct slice *obu)
{
    struct rd r = rd_slice(payload);
    if (payload.n == 0 || *index == AV1_OBUS_MAX)
        return false;
    uint8_t count = payload.p[0] >> 4 & 3;
    rd_skip(&r, *at == 0 ? 1 : *at);
    if (rd_left(&r) == 0 && (count == 0 || *index >= count))
        return false;
    *obu = take_element(&r, *index, count);
    if (r.bad)
        return false;
    *at = (size_t)(r.p - payload.p);
    ++*index;
    return true;
}
