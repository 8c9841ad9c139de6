#include "worker/engine/sctp_streams.h"

#include <string.h>

#include "worker/engine/crc32c.h"
#include "worker/engine/sctp_assoc.h"

enum {
    HEADER_LEN = 12,
    TAG_AT = 4,
    CHUNK_HEADER_LEN = 4,
    INIT_LEN = 20, /* RFC 9260 3.3.2, without parameters */
    INIT_OUT_AT = 12,
    INIT_IN_AT = 14,
    INIT_TSN_AT = 16,
    PARAM_EXTENSIONS = 0x8008, /* RFC 5061 4.2.7 */
    PARAM_HEADER_LEN = 4,
    REQUEST_LEN = 8, /* the shortest: with its number */
    RESULT_PERFORMED = 1,
    ADD_REFUSED = UINT16_MAX, /* more than there can be */
    PACKET_MAX = 4096         /* with control chunks that are looked into */
};

enum chunk_type {
    CHUNK_DATA = 0,
    CHUNK_INIT = 1,
    CHUNK_INIT_ACK = 2,
    CHUNK_COOKIE_ECHO = 10,
    CHUNK_COOKIE_ACK = 11,
    CHUNK_RECONFIG = 130,   /* RFC 6525 3.1 */
    CHUNK_FORWARD_TSN = 192 /* RFC 3758 3.2 */
};

/* RFC 6525 4 */
enum param_type {
    PARAM_RESET_OUT = 13,
    PARAM_RESET_IN = 14,
    PARAM_RESET_TSN = 15,
    PARAM_RESPONSE = 16,
    PARAM_ADD_OUT = 17,
    PARAM_ADD_IN = 18
};

/* A chunk, or a parameter of one: its type, and where it lies in the packet. */
struct part {
    unsigned type;
    size_t at;
    size_t len;  /* as it says */
    size_t next; /* where the one behind it begins, at most the end */
};

static uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)get_u16(p) << 16 | get_u16(p + 2);
}

static bool part_at(const uint8_t *p, size_t at, size_t end, struct part *out)
{
    if (end - at < CHUNK_HEADER_LEN)
        return false;
    out->at = at;
    out->len = get_u16(p + at + 2);
    if (out->len < CHUNK_HEADER_LEN || out->len > end - at)
        return false;
    size_t padded = (out->len + 3) & ~(size_t)3;
    out->next = padded < end - at ? at + padded : end;
    return true;
}

static bool chunk_at(const uint8_t *p, size_t at, size_t end, struct part *out)
{
    if (!part_at(p, at, end, out))
        return false;
    out->type = p[at];
    return true;
}

static bool param_at(const uint8_t *p, size_t at, size_t end, struct part *out)
{
    if (!part_at(p, at, end, out))
        return false;
    out->type = get_u16(p + at);
    return true;
}

/* ---- numbers of requests ---- */

uint32_t request_to_peer(const struct request_shift *s, uint32_t number)
{
    uint32_t before = 0;
    for (unsigned i = 0; i < s->n; i++)
        before += (int32_t)(s->at[i] - number) < 0;
    return number - before;
}

uint32_t request_from_peer(const struct request_shift *s, uint32_t number)
{
    for (unsigned i = 0; i < s->n; i++)
        number += (int32_t)(s->at[i] - number) <= 0;
    return number;
}

bool request_is_hidden(const struct request_shift *s, uint32_t number)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (s->at[i] == number)
            return true;
    }
    return false;
}

/* ---- what usrsctp sends ---- */

/* True: the chunk is not for the peer. */
static bool output_param(struct assoc *a, uint8_t *p, const struct part *param)
{
    struct assoc_streams *s = &a->streams;
    uint8_t *number = p + param->at + PARAM_HEADER_LEN;
    uint32_t of = get_u32(number);
    if (param->type == PARAM_RESPONSE) {
        if (request_is_hidden(&s->in, of)) {
            if (param->len >= REQUEST_LEN + 4)
                s->in_result = get_u32(number + 4);
            return true;
        }
        put_u32(number, request_to_peer(&s->in, of));
        return false;
    }
    if (param->type == PARAM_ADD_OUT && s->asking) {
        s->out.at[s->out.n++] = of;
        s->asking = false;
        s->answer_due = true;
    }
    if (request_is_hidden(&s->out, of))
        return true;
    put_u32(number, request_to_peer(&s->out, of));
    if (param->type == PARAM_RESET_OUT && param->len >= REQUEST_LEN + 4)
        put_u32(number + 4, request_to_peer(&s->in, get_u32(number + 4)));
    return false;
}

static bool output_reconfig(struct assoc *a, uint8_t *p, const struct part *chunk)
{
    struct part param;
    bool hidden = false;
    size_t end = chunk->at + chunk->len;
    for (size_t at = chunk->at + CHUNK_HEADER_LEN; param_at(p, at, end, &param); at = param.next) {
        if (param.len >= REQUEST_LEN)
            hidden |= output_param(a, p, &param);
    }
    return hidden;
}

static void output_init(const struct assoc *a, uint8_t *p, const struct part *chunk)
{
    uint16_t out = a->config.out_streams;
    /* RFC 9260 5.1.1: an INIT ACK does not go beyond what the peer's INIT allows. */
    if (chunk->type == CHUNK_INIT_ACK && out > a->streams.offer.in)
        out = a->streams.offer.in;
    put_u16(p + chunk->at + INIT_OUT_AT, out);
}

size_t streams_output(struct assoc *a, uint8_t *p, size_t n)
{
    struct part chunk;
    bool changed = false;
    if (n < HEADER_LEN)
        return n;
    for (size_t at = HEADER_LEN; chunk_at(p, at, n, &chunk);) {
        at = chunk.next;
        if ((chunk.type == CHUNK_INIT || chunk.type == CHUNK_INIT_ACK) && chunk.len >= INIT_LEN) {
            output_init(a, p, &chunk);
            changed = true;
        } else if (chunk.type == CHUNK_RECONFIG) {
            changed = true;
            if (output_reconfig(a, p, &chunk)) {
                memmove(p + chunk.at, p + chunk.next, n - chunk.next);
                n -= chunk.next - chunk.at;
                at = chunk.at;
            }
        }
    }
    if (n == HEADER_LEN)
        return 0;
    if (changed)
        crc32c_sctp_renew(p, n);
    return n;
}

/* ---- what usrsctp is told in the peer's name ---- */

static void feed(const struct assoc *a, const uint8_t *p, size_t n)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    usrsctp_conninput((void *)a->id, p, n, 0);
}

/* A packet of one RECONFIG chunk with one parameter of a number and a value. */
static void feed_reconfig(const struct assoc *a, enum param_type type, uint32_t number,
                          uint32_t value)
{
    enum { PARAM_LEN = 12, LEN = HEADER_LEN + CHUNK_HEADER_LEN + PARAM_LEN };
    uint8_t packet[LEN] = {0};
    struct wr w = wr_of(packet + HEADER_LEN, sizeof packet - HEADER_LEN);
    memcpy(packet, a->streams.header, sizeof a->streams.header);
    wr_u8(&w, CHUNK_RECONFIG);
    wr_u8(&w, 0);
    wr_u16(&w, CHUNK_HEADER_LEN + PARAM_LEN);
    wr_u16(&w, (uint16_t)type);
    wr_u16(&w, PARAM_LEN);
    wr_u32(&w, number);
    wr_u32(&w, value);
    crc32c_sctp_write(packet, sizeof packet);
    feed(a, packet, sizeof packet);
}

/* What usrsctp has now. False: the association is not up. */
static bool look(struct assoc *a)
{
    struct sctp_status status;
    socklen_t n = sizeof status;
    memset(&status, 0, sizeof status);
    if (!a->socket || usrsctp_getsockopt(a->socket, IPPROTO_SCTP, SCTP_STATUS, &status, &n) != 0 ||
        status.sstat_state != SCTP_ESTABLISHED)
        return false;
    a->streams.in_have = status.sstat_instrms;
    a->streams.out_have = status.sstat_outstrms;
    return true;
}

/* How many there are to be so that sid is one of them. */
static uint16_t enough(uint16_t have, uint16_t sid, uint16_t limit)
{
    uint32_t n = have > 0 ? have : 1;
    while (n <= sid)
        n *= 2;
    return n < limit ? (uint16_t)n : limit;
}

static void open_in(struct assoc *a, uint16_t sid)
{
    struct assoc_streams *s = &a->streams;
    if (!look(a) || sid < s->in_have || s->in.n == STREAM_ADDITIONS_MAX)
        return;
    uint16_t want = enough(s->in_have, sid, s->in_limit);
    uint32_t number = request_from_peer(&s->in, s->peer_request);
    s->in.at[s->in.n++] = number;
    s->in_result = UINT32_MAX;
    feed_reconfig(a, PARAM_ADD_OUT, number, (uint32_t)(want - s->in_have) << 16);
    if (s->in_result == UINT32_MAX)
        s->in.n--; /* it did not count */
    (void)look(a);
    if (sid >= s->in_have)
        s->in_limit = s->in_have; /* refused once, refused again */
}

static void answer(struct assoc *a)
{
    struct assoc_streams *s = &a->streams;
    s->answer_due = false;
    feed_reconfig(a, PARAM_RESPONSE, s->out.at[s->out.n - 1], RESULT_PERFORMED);
    (void)look(a);
}

bool streams_open_out(struct assoc *a, uint16_t sid)
{
    struct assoc_streams *s = &a->streams;
    if (s->answer_due)
        answer(a);
    if (sid < s->out_have)
        return true;
    if (s->asking || s->out.n == STREAM_ADDITIONS_MAX)
        return false;
    struct sctp_add_streams add = {
        .sas_outstrms = (uint16_t)(enough(s->out_have, sid, a->n_out) - s->out_have)};
    s->asking = true;
    /* Refused while a reset is under way. */
    if (usrsctp_setsockopt(a->socket, IPPROTO_SCTP, SCTP_ADD_STREAMS, &add, sizeof add) != 0)
        s->asking = false;
    if (s->answer_due)
        answer(a);
    return sid < s->out_have;
}

void streams_up(struct assoc *a, bool again)
{
    struct assoc_streams *s = &a->streams;
    const struct assoc_config *c = &a->config;
    if ((s->up && !again) || !look(a))
        return;
    s->up = true;
    a->n_out = c->out_streams < s->offer.in ? c->out_streams : s->offer.in;
    a->n_in = c->in_streams < s->offer.out ? c->in_streams : s->offer.out;
    if (!s->offer.reconfig && a->n_out > s->out_have)
        a->n_out = s->out_have;
    s->in_limit = a->n_in;
    s->peer_request = s->offer.tsn;
    s->out.n = s->in.n = 0;
    s->asking = s->answer_due = false;
}

/* ---- what the peer sends ---- */

/* What a packet holds that matters here. */
struct content {
    bool control;      /* INIT, INIT ACK or RECONFIG */
    int highest;       /* stream below the limit that it names; -1: none */
    size_t cookie_end; /* of COOKIE ECHO or COOKIE ACK; 0: none */
};

static void name_streams(const struct assoc *a, struct content *c, const uint8_t *p, size_t n,
                         size_t step)
{
    for (; n >= 2; p += step, n = n > step ? n - step : 0) {
        int sid = get_u16(p);
        if (sid > c->highest && sid < a->streams.in_limit)
            c->highest = sid;
    }
}

static void look_into(const struct assoc *a, struct content *c, const uint8_t *p,
                      const struct part *chunk)
{
    enum { DATA_SID_AT = 8, SKIPPED_AT = 8, SKIPPED_LEN = 4, RESET_LIST_AT = 16 };
    const uint8_t *at = p + chunk->at;
    struct part param;
    switch (chunk->type) {
    case CHUNK_DATA:
        if (chunk->len >= DATA_SID_AT + 2)
            name_streams(a, c, at + DATA_SID_AT, 2, 2);
        break;
    case CHUNK_FORWARD_TSN:
        if (chunk->len >= SKIPPED_AT)
            name_streams(a, c, at + SKIPPED_AT, chunk->len - SKIPPED_AT, SKIPPED_LEN);
        break;
    case CHUNK_RECONFIG:
        c->control = true;
        if (param_at(p, chunk->at + CHUNK_HEADER_LEN, chunk->at + chunk->len, &param) &&
            param.type == PARAM_RESET_OUT && param.len >= RESET_LIST_AT)
            name_streams(a, c, p + param.at + RESET_LIST_AT, param.len - RESET_LIST_AT, 2);
        break;
    case CHUNK_INIT:
    case CHUNK_INIT_ACK:
        c->control = true;
        break;
    case CHUNK_COOKIE_ECHO:
    case CHUNK_COOKIE_ACK:
        c->cookie_end = chunk->next;
        break;
    default:
        break;
    }
}

static struct content content_of(const struct assoc *a, struct slice packet)
{
    struct content c = {.highest = -1};
    struct part chunk;
    for (size_t at = HEADER_LEN; chunk_at(packet.p, at, packet.n, &chunk); at = chunk.next)
        look_into(a, &c, packet.p, &chunk);
    return c;
}

static bool knows_reconfig(const uint8_t *p, const struct part *init)
{
    struct part param;
    size_t end = init->at + init->len;
    for (size_t at = init->at + INIT_LEN; param_at(p, at, end, &param); at = param.next) {
        if (param.type == PARAM_EXTENSIONS &&
            memchr(p + param.at + PARAM_HEADER_LEN, CHUNK_RECONFIG, param.len - PARAM_HEADER_LEN))
            return true;
    }
    return false;
}

static void input_init(struct assoc *a, uint8_t *p, const struct part *chunk)
{
    uint8_t *init = p + chunk->at;
    a->streams.offer.reconfig = knows_reconfig(p, chunk);
    a->streams.offer.out = get_u16(init + INIT_OUT_AT);
    a->streams.offer.in = get_u16(init + INIT_IN_AT);
    a->streams.offer.tsn = get_u32(init + INIT_TSN_AT);
    uint16_t first = a->config.streams_at_first;
    if (first > 0 && a->streams.offer.out > first && a->streams.offer.reconfig)
        put_u16(init + INIT_OUT_AT, first);
}

/* The peer adds streams of its own to those of its INIT, or wants us to. False: there can be no
 * more. */
static bool may_add(struct assoc *a, const struct part *param, uint16_t more)
{
    if (param->type != PARAM_ADD_OUT || more > a->config.in_streams - a->n_in)
        return false;
    a->n_in = (uint16_t)(a->n_in + more);
    a->streams.in_limit = a->n_in;
    return true;
}

static void input_param(struct assoc *a, uint8_t *p, const struct part *param)
{
    struct assoc_streams *s = &a->streams;
    uint8_t *number = p + param->at + PARAM_HEADER_LEN;
    uint32_t of = get_u32(number);
    if (param->type == PARAM_RESPONSE) {
        put_u32(number, request_from_peer(&s->out, of));
        return;
    }
    put_u32(number, request_from_peer(&s->in, of));
    if (param->type == PARAM_RESET_OUT && param->len >= REQUEST_LEN + 4)
        put_u32(number + 4, request_from_peer(&s->out, get_u32(number + 4)));
    if (of != s->peer_request)
        return;
    s->peer_request++;
    if ((param->type == PARAM_ADD_OUT || param->type == PARAM_ADD_IN) &&
        param->len >= REQUEST_LEN + 4 && !may_add(a, param, get_u16(number + 4)))
        put_u16(number + 4, ADD_REFUSED);
}

static void input_control(struct assoc *a, uint8_t *p, size_t n)
{
    struct part chunk;
    struct part param;
    for (size_t at = HEADER_LEN; chunk_at(p, at, n, &chunk); at = chunk.next) {
        if ((chunk.type == CHUNK_INIT || chunk.type == CHUNK_INIT_ACK) && chunk.len >= INIT_LEN)
            input_init(a, p, &chunk);
        size_t end = chunk.at + chunk.len;
        size_t in = chunk.at + CHUNK_HEADER_LEN;
        for (; chunk.type == CHUNK_RECONFIG && param_at(p, in, end, &param); in = param.next) {
            if (param.len >= REQUEST_LEN)
                input_param(a, p, &param);
        }
    }
    crc32c_sctp_renew(p, n);
}

/* The cookie brings the association up; what comes with it may use any stream. Leaves that as a
 * packet of its own in p; returns its length. */
static size_t feed_cookie(struct assoc *a, uint8_t *p, size_t n, size_t end)
{
    uint8_t first[PACKET_MAX];
    memcpy(first, p, end);
    crc32c_sctp_renew(first, end);
    feed(a, first, end);
    streams_up(a, false);
    memmove(p + HEADER_LEN, p + end, n - end);
    n -= end - HEADER_LEN;
    crc32c_sctp_renew(p, n);
    return n;
}

void streams_input(struct assoc *a, struct slice packet)
{
    uint8_t copy[PACKET_MAX];
    struct content c = content_of(a, packet);
    bool cookie = !a->streams.up && c.cookie_end > 0 && c.cookie_end < packet.n;
    if (get_u32(packet.p + TAG_AT) != 0)
        memcpy(a->streams.header, packet.p, sizeof a->streams.header);
    if (!c.control && !cookie && c.highest < (int)a->streams.in_have) {
        feed(a, packet.p, packet.n);
        return;
    }
    if (packet.n > sizeof copy || !crc32c_sctp_ok(packet.p, packet.n))
        return;
    memcpy(copy, packet.p, packet.n);
    size_t n = packet.n;
    if (cookie) {
        n = feed_cookie(a, copy, n, c.cookie_end);
        c = content_of(a, slice_of(copy, n));
    }
    if (c.highest >= (int)a->streams.in_have)
        open_in(a, (uint16_t)c.highest);
    if (c.control)
        input_control(a, copy, n);
    feed(a, copy, n);
}
