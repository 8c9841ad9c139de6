#include "controller/hls/bmff_mux.h"

#include <assert.h>
#include <string.h>

#include "common/bytes.h"

enum {
    BOX_HEAD = 8,
    FULL_HEAD = 4,
    /* In the fragments that bmff_writer makes. */
    AT_SEQUENCE = BOX_HEAD + BOX_HEAD + FULL_HEAD,
    AT_TRACK = BOX_HEAD + 16 + BOX_HEAD + BOX_HEAD + FULL_HEAD
};

#define FOURCC(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

/* The box of a type among those in `in`, head included; {NULL, 0}: none. */
static struct slice find(struct slice in, uint32_t type)
{
    struct rd r = rd_slice(in);
    while (rd_left(&r) >= BOX_HEAD) {
        const uint8_t *start = r.p;
        uint32_t size = rd_u32(&r);
        uint32_t got = rd_u32(&r);
        if (size < BOX_HEAD || size - BOX_HEAD > rd_left(&r))
            break;
        if (got == type)
            return slice_of(start, size);
        rd_skip(&r, size - BOX_HEAD);
    }
    return (struct slice){0};
}

static struct slice body(struct slice box)
{
    return box.p ? slice_of(box.p + BOX_HEAD, box.n - BOX_HEAD) : box;
}

struct source {
    struct slice trak;
    struct slice tkhd;
    struct slice trex;
};

static enum err read_source(const struct blob *init, struct source *s)
{
    struct slice moov = body(find(slice_of(init->bytes, init->n), FOURCC('m', 'o', 'o', 'v')));
    s->trak = find(moov, FOURCC('t', 'r', 'a', 'k'));
    s->tkhd = find(body(s->trak), FOURCC('t', 'k', 'h', 'd'));
    s->trex = find(body(find(moov, FOURCC('m', 'v', 'e', 'x'))), FOURCC('t', 'r', 'e', 'x'));
    bool fits = s->trak.p && s->tkhd.n >= BOX_HEAD + FULL_HEAD + 20 &&
                s->trex.n >= BOX_HEAD + FULL_HEAD + 4;
    return fits ? OK : ERR_MALFORMED;
}

static void set_u32(uint8_t *p, uint32_t v)
{
    struct wr w = wr_of(p, 4);
    wr_u32(&w, v);
}

static void box_head(struct wr *w, size_t size, const char *type)
{
    wr_u32(w, (uint32_t)size);
    wr_bytes(w, type, 4);
}

/* 8.3.2: track_ID stands behind two times, of 32 bits or (version 1) of 64. */
static void write_trak(struct wr *w, const struct source *s, uint32_t id)
{
    uint8_t *trak = w->p;
    wr_bytes(w, s->trak.p, s->trak.n);
    uint8_t *tkhd = trak + (s->tkhd.p - s->trak.p);
    set_u32(tkhd + BOX_HEAD + FULL_HEAD + (tkhd[BOX_HEAD] == 1 ? 16 : 8), id);
}

enum err bmff_mux_inits(const struct blob *const *inits, size_t n, struct blob **out)
{
    enum { TRACKS_MAX = 8 };
    struct source s[TRACKS_MAX];
    if (n == 0 || n > TRACKS_MAX)
        return ERR_MALFORMED;
    struct slice first = slice_of(inits[0]->bytes, inits[0]->n);
    struct slice ftyp = find(first, FOURCC('f', 't', 'y', 'p'));
    struct slice mvhd =
        find(body(find(first, FOURCC('m', 'o', 'o', 'v'))), FOURCC('m', 'v', 'h', 'd'));
    enum err e = ftyp.p && mvhd.n > BOX_HEAD + 4 ? OK : ERR_MALFORMED;
    size_t traks = 0;
    size_t mvex = BOX_HEAD;
    for (size_t i = 0; i < n && e == OK; i++) {
        e = read_source(inits[i], &s[i]);
        traks += s[i].trak.n;
        mvex += s[i].trex.n;
    }
    if (e != OK)
        return e;
    size_t moov = BOX_HEAD + mvhd.n + traks + mvex;
    struct blob *b = blob_new(ftyp.n + moov);
    if (!b)
        return ERR_NOMEM;
    struct wr w = wr_of(b->bytes, b->n);
    wr_bytes(&w, ftyp.p, ftyp.n);
    box_head(&w, moov, "moov");
    wr_bytes(&w, mvhd.p, mvhd.n);
    set_u32(w.p - 4, (uint32_t)n + 1); /* next_track_ID, the last of mvhd */
    for (size_t i = 0; i < n; i++)
        write_trak(&w, &s[i], (uint32_t)i + 1);
    box_head(&w, mvex, "mvex");
    for (size_t i = 0; i < n; i++) {
        uint8_t *trex = w.p;
        wr_bytes(&w, s[i].trex.p, s[i].trex.n);
        set_u32(trex + BOX_HEAD + FULL_HEAD, (uint32_t)i + 1);
    }
    assert(!w.bad && wr_left(&w) == 0);
    *out = b;
    return OK;
}

struct blob *bmff_mux_part(const struct blob *part, uint32_t track, uint32_t sequence)
{
    struct blob *b = blob_new(part->n);
    if (!b)
        return NULL;
    assert(part->n > AT_TRACK + 4);
    memcpy(b->bytes, part->bytes, part->n);
    set_u32(b->bytes + AT_SEQUENCE, sequence);
    set_u32(b->bytes + AT_TRACK, track);
    return b;
}
