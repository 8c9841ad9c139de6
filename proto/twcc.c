#include "proto/twcc.h"

enum {
    SYMBOL_LOST = 0,
    SYMBOL_SMALL = 1, /* delta of 8 bits, unsigned */
    SYMBOL_LARGE = 2, /* delta of 16 bits, signed */
    SYMBOL_RESERVED = 3,
    RUN_MAX = 8191, /* 13 bits */
    VECTOR_1_LEN = 14,
    VECTOR_2_LEN = 7,
    CHUNK_VECTOR = 0x8000,
    CHUNK_TWO_BITS = 0x4000,
    FIXED_LEN = 20, /* header, SSRCs, and the two words before the chunks */
    TICKS_PER_REFERENCE = 256
};

/* ---- chunks of both kinds ---- */

static unsigned chunk_symbols(uint16_t chunk)
{
    if ((chunk & CHUNK_VECTOR) == 0)
        return chunk & RUN_MAX;
    return chunk & CHUNK_TWO_BITS ? VECTOR_2_LEN : VECTOR_1_LEN;
}

static unsigned chunk_symbol(unsigned chunk, unsigned i)
{
    if ((chunk & CHUNK_VECTOR) == 0)
        return chunk >> 13 & 3;
    if (chunk & CHUNK_TWO_BITS)
        return chunk >> 2 * (VECTOR_2_LEN - 1 - i) & 3;
    return chunk >> (VECTOR_1_LEN - 1 - i) & 1;
}

/* ---- reading ---- */

/* Walks the chunks of count packets; *deltas becomes the bytes that their deltas take. */
static enum err check_chunks(struct rd *r, unsigned count, size_t *deltas)
{
    *deltas = 0;
    while (count > 0) {
        uint16_t chunk = rd_u16(r);
        if (r->bad)
            return ERR_TRUNCATED;
        unsigned n = chunk_symbols(chunk);
        if (n > count)
            n = count;
        /* A run costs one step however long it is: its length is the peer's choice. */
        bool run = (chunk & CHUNK_VECTOR) == 0;
        for (unsigned i = 0; i < (run && n > 0 ? 1 : n); i++) {
            unsigned symbol = chunk_symbol(chunk, i);
            if (symbol == SYMBOL_RESERVED)
                return ERR_MALFORMED;
            *deltas += run ? (size_t)symbol * n : symbol; /* the symbol is the number of bytes */
        }
        count -= n;
    }
    return OK;
}

enum err twcc_parse(const struct rtcp_block *b, struct twcc *out)
{
    struct rd r = rd_slice(b->body);
    size_t deltas = 0;
    out->sender_ssrc = rd_u32(&r);
    out->media_ssrc = rd_u32(&r);
    out->base_seq = rd_u16(&r);
    out->count = rd_u16(&r);
    uint32_t reference = rd_u24(&r);
    out->reference = reference & 0x800000 ? (int32_t)reference - 0x1000000 : (int32_t)reference;
    out->feedback_count = rd_u8(&r);
    if (r.bad)
        return ERR_TRUNCATED;
    if (out->count == 0)
        return ERR_MALFORMED;
    out->chunks = slice_of(r.p, rd_left(&r));
    enum err e = check_chunks(&r, out->count, &deltas);
    if (e != OK)
        return e;
    out->deltas_at = (size_t)(r.p - out->chunks.p);
    return rd_left(&r) < deltas ? ERR_TRUNCATED : OK;
}

void twcc_reader_init(struct twcc_reader *r, const struct twcc *t)
{
    memset(r, 0, sizeof *r);
    r->chunks = rd_of(t->chunks.p, t->deltas_at);
    r->deltas = rd_of(t->chunks.p + t->deltas_at, t->chunks.n - t->deltas_at);
    r->at = t->reference * TWCC_REFERENCE_TICK;
    r->seq = t->base_seq;
    r->left = t->count;
}

bool twcc_next(struct twcc_reader *r, struct twcc_packet *out)
{
    if (r->left == 0)
        return false;
    while (r->chunk_left == 0) {
        r->chunk = rd_u16(&r->chunks);
        r->chunk_left = (uint16_t)chunk_symbols(r->chunk);
        r->chunk_used = 0;
        if (r->chunks.bad)
            return false;
    }
    unsigned symbol = chunk_symbol(r->chunk, r->chunk_used);
    r->chunk_used++;
    r->chunk_left--;
    r->left--;
    out->seq = r->seq++;
    out->received = symbol != SYMBOL_LOST;
    out->delta = 0;
    if (symbol == SYMBOL_SMALL)
        out->delta = rd_u8(&r->deltas) * TWCC_DELTA_TICK;
    else if (symbol == SYMBOL_LARGE)
        out->delta = (int16_t)rd_u16(&r->deltas) * TWCC_DELTA_TICK;
    r->at += out->delta;
    out->at = r->at;
    return true;
}

/* ---- writing ---- */

/* The statuses of base_seq, base_seq + 1, ... as the list of arrivals gives them. */
struct cursor {
    const struct twcc_arrival *arrivals;
    size_t n; /* arrivals that are taken */
    size_t i;
    unsigned gap;  /* packets lost before arrivals[i] */
    unsigned left; /* statuses to come */
    int64_t ticks; /* time of the arrival before, in TWCC_DELTA_TICK */
};

static int64_t ticks_of(usec at)
{
    return at / TWCC_DELTA_TICK;
}

static unsigned symbol_of(int64_t delta)
{
    return delta >= 0 && delta <= UINT8_MAX ? SYMBOL_SMALL : SYMBOL_LARGE;
}

static struct cursor cursor_of(uint16_t base_seq, const struct twcc_arrival *arrivals, size_t n,
                               int64_t reference)
{
    return (struct cursor){
        .arrivals = arrivals,
        .n = n,
        .gap = (uint16_t)(arrivals[0].seq - base_seq),
        .left = (uint16_t)(arrivals[n - 1].seq - base_seq) + 1u,
        .ticks = reference * TICKS_PER_REFERENCE,
    };
}

static unsigned cursor_next(struct cursor *c)
{
    c->left--;
    if (c->gap > 0) {
        c->gap--;
        return SYMBOL_LOST;
    }
    int64_t now = ticks_of(c->arrivals[c->i].at);
    unsigned symbol = symbol_of(now - c->ticks);
    c->ticks = now;
    c->i++;
    if (c->i < c->n)
        c->gap = (uint16_t)(c->arrivals[c->i].seq - c->arrivals[c->i - 1].seq) - 1u;
    return symbol;
}

/* How many statuses from c on equal the first, at most RUN_MAX. A gap costs one step however wide
 * it is: its width is the peer's choice. */
static unsigned run_length(struct cursor c, unsigned *symbol)
{
    *symbol = SYMBOL_LOST;
    if (c.gap > 0)
        return c.gap < RUN_MAX ? c.gap : RUN_MAX;
    unsigned n = 1;
    *symbol = cursor_next(&c);
    while (c.left > 0 && c.gap == 0 && n < RUN_MAX && cursor_next(&c) == *symbol)
        n++;
    return n;
}

static void take_run(struct cursor *c, unsigned symbol, unsigned run)
{
    if (symbol == SYMBOL_LOST) {
        c->gap -= run;
        c->left -= run;
        return;
    }
    while (run-- > 0)
        (void)cursor_next(c);
}

/* Takes one chunk's statuses off the cursor: the kind that covers most of them. */
static uint16_t next_chunk(struct cursor *c)
{
    unsigned symbol = 0;
    unsigned run = run_length(*c, &symbol);
    unsigned vector = symbol == SYMBOL_LARGE ? VECTOR_2_LEN : VECTOR_1_LEN;
    if (run >= vector || run == c->left) {
        take_run(c, symbol, run);
        return (uint16_t)(symbol << 13 | run);
    }
    struct cursor ahead = *c;
    unsigned ones = 0;
    unsigned i = 0;
    for (; i < VECTOR_1_LEN && ahead.left > 0; i++) {
        unsigned s = cursor_next(&ahead);
        if (s == SYMBOL_LARGE)
            break;
        ones |= s << (VECTOR_1_LEN - 1 - i);
    }
    if (i == VECTOR_1_LEN || (ahead.left == 0 && i == c->left)) {
        *c = ahead;
        return (uint16_t)(CHUNK_VECTOR | ones);
    }
    unsigned twos = 0;
    for (i = 0; i < VECTOR_2_LEN && c->left > 0; i++)
        twos |= cursor_next(c) << 2 * (VECTOR_2_LEN - 1 - i);
    return (uint16_t)(CHUNK_VECTOR | CHUNK_TWO_BITS | twos);
}

/* Bytes of the whole message when it takes c's arrivals. */
static size_t message_size(struct cursor c)
{
    size_t size = FIXED_LEN;
    int64_t ticks = c.ticks;
    for (size_t i = 0; i < c.n; i++) {
        int64_t now = ticks_of(c.arrivals[i].at);
        size += symbol_of(now - ticks);
        ticks = now;
    }
    while (c.left > 0) {
        (void)next_chunk(&c);
        size += 2;
    }
    return (size + 3) / 4 * 4;
}

/* How many of the arrivals one message can hold, its size aside; 0: the first is before base_seq.
 */
static size_t countable(uint16_t base_seq, const struct twcc_arrival *arrivals, size_t n,
                        int64_t reference, bool *ascending)
{
    unsigned at = (uint16_t)(arrivals[0].seq - base_seq);
    int64_t ticks = reference * TICKS_PER_REFERENCE;
    *ascending = at < 0x8000;
    for (size_t i = 0; i < n && *ascending; i++) {
        int64_t now = ticks_of(arrivals[i].at);
        unsigned step = i == 0 ? 0 : (uint16_t)(arrivals[i].seq - arrivals[i - 1].seq);
        if (i > 0 && (step == 0 || step >= 0x8000))
            *ascending = false;
        at += step;
        if (now - ticks > INT16_MAX || now - ticks < INT16_MIN || at >= UINT16_MAX)
            return i;
        ticks = now;
    }
    return n;
}

static void write_message(struct wr *w, struct cursor c)
{
    const uint8_t *start = w->p;
    int64_t ticks = c.ticks;
    struct cursor deltas = c;
    while (c.left > 0)
        wr_u16(w, next_chunk(&c));
    for (size_t i = 0; i < deltas.n; i++) {
        int64_t now = ticks_of(deltas.arrivals[i].at);
        if (symbol_of(now - ticks) == SYMBOL_SMALL)
            wr_u8(w, (uint8_t)(now - ticks));
        else
            wr_u16(w, (uint16_t)(now - ticks));
        ticks = now;
    }
    wr_zeros(w, (4 - (size_t)(w->p - start) % 4) % 4);
}

enum err twcc_write(struct wr *w, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t feedback_count,
                    uint16_t base_seq, const struct twcc_arrival *arrivals, size_t n, size_t *taken)
{
    bool ascending = false;
    *taken = 0;
    if (n == 0)
        return ERR_TYPE;
    int64_t reference = arrivals[0].at / TWCC_REFERENCE_TICK;
    size_t most = countable(base_seq, arrivals, n, reference, &ascending);
    if (!ascending)
        return ERR_RANGE;
    /* The greatest prefix that fits; a message nearly always fits whole. */
    size_t room = w->bad ? 0 : wr_left(w);
    size_t fit = 0;
    for (size_t tried = most; fit < most; tried = fit + (most - fit + 1) / 2) {
        if (message_size(cursor_of(base_seq, arrivals, tried, reference)) <= room)
            fit = tried;
        else
            most = tried - 1;
    }
    if (fit == 0)
        return ERR_TOO_LARGE;
    struct cursor c = cursor_of(base_seq, arrivals, fit, reference);
    uint8_t *header = rtcp_begin(w, RTCP_RTPFB, RTPFB_TWCC);
    wr_u32(w, sender_ssrc);
    wr_u32(w, media_ssrc);
    wr_u16(w, base_seq);
    wr_u16(w, (uint16_t)c.left);
    wr_u24(w, (uint32_t)reference & 0xffffff);
    wr_u8(w, feedback_count);
    write_message(w, c);
    rtcp_end(w, header);
    *taken = fit;
    return OK;
}
