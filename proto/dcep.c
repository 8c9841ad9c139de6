#include "proto/dcep.h"

enum { UNORDERED = 0x80 };

uint8_t dcep_type(struct slice message)
{
    return message.n > 0 ? message.p[0] : 0;
}

enum err dcep_parse_open(struct dcep_open *o, struct slice message)
{
    struct rd r = rd_slice(message);
    memset(o, 0, sizeof *o);
    if (message.n > 0 && message.p[0] != DCEP_OPEN)
        return ERR_TYPE;
    rd_skip(&r, 1);
    uint8_t type = rd_u8(&r);
    o->priority = rd_u16(&r);
    o->limit = rd_u32(&r);
    uint16_t label = rd_u16(&r);
    uint16_t protocol = rd_u16(&r);
    o->label = rd_bytes(&r, label);
    o->protocol = rd_bytes(&r, protocol);
    if (r.bad)
        return ERR_TRUNCATED;
    if (rd_left(&r) > 0 || (type & 0x7f) > DCEP_MAX_LIFETIME)
        return ERR_MALFORMED;
    o->unordered = (type & UNORDERED) != 0;
    o->reliability = (enum dcep_reliability)(type & 0x7f);
    if (o->reliability == DCEP_RELIABLE)
        o->limit = 0; /* RFC 8832 5.1: the parameter is ignored */
    return OK;
}

enum err dcep_write_open(struct wr *w, const struct dcep_open *o)
{
    if (o->label.n > UINT16_MAX || o->protocol.n > UINT16_MAX || w->bad ||
        wr_left(w) < DCEP_OPEN_HEADER_LEN + o->label.n + o->protocol.n)
        return ERR_TOO_LARGE;
    wr_u8(w, DCEP_OPEN);
    wr_u8(w, (uint8_t)((unsigned)o->reliability | (o->unordered ? UNORDERED : 0)));
    wr_u16(w, o->priority);
    wr_u32(w, o->reliability == DCEP_RELIABLE ? 0 : o->limit);
    wr_u16(w, (uint16_t)o->label.n);
    wr_u16(w, (uint16_t)o->protocol.n);
    wr_bytes(w, o->label.p, o->label.n);
    wr_bytes(w, o->protocol.p, o->protocol.n);
    return OK;
}

void dcep_write_ack(struct wr *w)
{
    wr_u8(w, DCEP_ACK);
}
