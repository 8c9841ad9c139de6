#include "controller/hls/bmff_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BOX_HEAD = 8,
    FULL_HEAD = 4, /* version and flags */
    ENTRY_HEAD = 8,
    VISUAL_ENTRY = 78, /* 12.1.3.2: fields of a VisualSampleEntry, ENTRY_HEAD included */
    AUDIO_ENTRY = 28,  /* 12.2.3.2 */
    /* 8.8.7.1, 8.8.8.1 */
    TFHD_BASE_OFFSET = 0x1,
    TFHD_DESCRIPTION = 0x2,
    TFHD_DURATION = 0x8,
    TFHD_SIZE = 0x10,
    TFHD_FLAGS = 0x20,
    TRUN_OFFSET = 0x1,
    TRUN_FIRST_FLAGS = 0x4,
    TRUN_DURATION = 0x100,
    TRUN_SIZE = 0x200,
    TRUN_FLAGS = 0x400,
    TRUN_CTS = 0x800,
    SAMPLE_IS_NON_SYNC = 0x10000
};

#define FOURCC(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

/* ---- boxes ---- */

struct box {
    uint32_t type;
    struct rd body;
};

/* The next box of r; false at the end, or when it does not fit (then r is bad). 64-bit sizes and
 * boxes up to the end of the file do not occur below a moov or moof of ours. */
static bool next_box(struct rd *r, struct box *out)
{
    if (r->bad || rd_left(r) == 0)
        return false;
    uint32_t size = rd_u32(r);
    out->type = rd_u32(r);
    if (size < BOX_HEAD) {
        r->bad = true;
        return false;
    }
    out->body = rd_slice(rd_bytes(r, size - BOX_HEAD));
    return !r->bad;
}

static bool find_box(struct rd in, uint32_t type, struct rd *out)
{
    struct box b;
    while (next_box(&in, &b)) {
        if (b.type == type) {
            *out = b.body;
            return true;
        }
    }
    return false;
}

static unsigned count_boxes(struct rd in, uint32_t type)
{
    struct box b;
    unsigned n = 0;
    while (next_box(&in, &b))
        n += b.type == type;
    return n;
}

/* ---- the initialization segment ---- */

/* ISO/IEC 14496-15 5.3.3.1: configurationVersion, profile, compatibility, level. */
static enum err read_avc(struct rd entry, struct media_format *f)
{
    struct rd r;
    if (!find_box(entry, FOURCC('a', 'v', 'c', 'C'), &r))
        return ERR_MALFORMED;
    rd_skip(&r, 1);
    unsigned profile = rd_u8(&r);
    unsigned compatibility = rd_u8(&r);
    unsigned level = rd_u8(&r);
    snprintf(f->codec, sizeof f->codec, "avc1.%02x%02x%02x", profile, compatibility, level);
    return r.bad ? ERR_TRUNCATED : OK;
}

/* ISO/IEC 14496-1 7.2.6: a descriptor's tag, and its length in groups of seven bits. */
static bool next_descriptor(struct rd *r, uint8_t tag)
{
    uint8_t got = rd_u8(r);
    for (int i = 0; i < 4 && (rd_u8(r) & 0x80) != 0; i++) {
    }
    return !r->bad && got == tag;
}

/* esds: ES_Descriptor (3), DecoderConfigDescriptor (4), DecoderSpecificInfo (5), whose first five
 * bits are the audio object type. */
static enum err read_aac(struct rd entry, struct media_format *f)
{
    struct rd r;
    if (!find_box(entry, FOURCC('e', 's', 'd', 's'), &r))
        return ERR_MALFORMED;
    rd_skip(&r, FULL_HEAD);
    if (!next_descriptor(&r, 3))
        return ERR_MALFORMED;
    rd_skip(&r, 3);
    if (!next_descriptor(&r, 4))
        return ERR_MALFORMED;
    uint8_t object = rd_u8(&r);
    rd_skip(&r, 12);
    if (object != 0x40 || !next_descriptor(&r, 5))
        return ERR_UNSUPPORTED;
    unsigned type = rd_u8(&r) >> 3;
    snprintf(f->codec, sizeof f->codec, "mp4a.40.%u", type);
    return r.bad ? ERR_TRUNCATED : OK;
}

static enum err read_visual(struct rd entry, uint32_t type, struct media_format *f)
{
    rd_skip(&entry, ENTRY_HEAD + 16);
    f->width = rd_u16(&entry);
    f->height = rd_u16(&entry);
    rd_skip(&entry, VISUAL_ENTRY - ENTRY_HEAD - 20);
    if (entry.bad)
        return ERR_TRUNCATED;
    return type == FOURCC('a', 'v', 'c', '1') ? read_avc(entry, f) : ERR_UNSUPPORTED;
}

static enum err read_audio(struct rd entry, uint32_t type, struct media_format *f)
{
    rd_skip(&entry, ENTRY_HEAD + 8);
    f->channels = rd_u16(&entry);
    rd_skip(&entry, 6);
    f->sample_rate = rd_u32(&entry) >> 16;
    if (entry.bad)
        return ERR_TRUNCATED;
    if (type == FOURCC('O', 'p', 'u', 's')) {
        snprintf(f->codec, sizeof f->codec, "opus");
        return OK;
    }
    return type == FOURCC('m', 'p', '4', 'a') ? read_aac(entry, f) : ERR_UNSUPPORTED;
}

static enum err read_timescale(struct rd mdia, struct media_format *f)
{
    struct rd r;
    if (!find_box(mdia, FOURCC('m', 'd', 'h', 'd'), &r))
        return ERR_MALFORMED;
    uint8_t version = rd_u8(&r);
    rd_skip(&r, 3 + (version == 1 ? 16 : 8));
    f->timescale = rd_u32(&r);
    return r.bad || f->timescale == 0 ? ERR_MALFORMED : OK;
}

static enum err read_track(struct rd trak, struct media_format *f)
{
    struct rd mdia;
    struct rd minf;
    struct rd stbl;
    struct rd stsd;
    struct rd hdlr;
    struct box entry;
    if (!find_box(trak, FOURCC('m', 'd', 'i', 'a'), &mdia) ||
        !find_box(mdia, FOURCC('h', 'd', 'l', 'r'), &hdlr) ||
        !find_box(mdia, FOURCC('m', 'i', 'n', 'f'), &minf) ||
        !find_box(minf, FOURCC('s', 't', 'b', 'l'), &stbl) ||
        !find_box(stbl, FOURCC('s', 't', 's', 'd'), &stsd))
        return ERR_MALFORMED;
    enum err e = read_timescale(mdia, f);
    if (e != OK)
        return e;
    rd_skip(&hdlr, FULL_HEAD + 4);
    uint32_t handler = rd_u32(&hdlr);
    rd_skip(&stsd, FULL_HEAD + 4);
    if (!next_box(&stsd, &entry))
        return ERR_MALFORMED;
    f->video = handler == FOURCC('v', 'i', 'd', 'e');
    if (f->video)
        return read_visual(entry.body, entry.type, f);
    return handler == FOURCC('s', 'o', 'u', 'n') ? read_audio(entry.body, entry.type, f)
                                                 : ERR_UNSUPPORTED;
}

enum err bmff_parse_init(struct slice init, struct media_format *out, uint32_t defaults[3])
{
    struct rd moov;
    struct rd trak;
    struct rd mvex;
    struct rd trex;
    *out = (struct media_format){0};
    defaults[0] = defaults[1] = defaults[2] = 0;
    if (!find_box(rd_slice(init), FOURCC('m', 'o', 'o', 'v'), &moov))
        return ERR_MALFORMED;
    if (count_boxes(moov, FOURCC('t', 'r', 'a', 'k')) != 1)
        return ERR_UNSUPPORTED;
    if (find_box(moov, FOURCC('m', 'v', 'e', 'x'), &mvex) &&
        find_box(mvex, FOURCC('t', 'r', 'e', 'x'), &trex)) {
        rd_skip(&trex, FULL_HEAD + 8);
        for (int i = 0; i < 3; i++)
            defaults[i] = rd_u32(&trex);
        if (trex.bad)
            return ERR_TRUNCATED;
    }
    if (!find_box(moov, FOURCC('t', 'r', 'a', 'k'), &trak))
        return ERR_MALFORMED;
    return read_track(trak, out);
}

/* ---- fragments ---- */

struct fragment {
    int64_t dts;
    uint32_t duration;
    uint32_t size;
    uint32_t flags;
    struct rd data; /* what is left of the mdat */
    size_t n;       /* samples so far */
};

static enum err read_tfhd(struct rd r, struct fragment *f)
{
    uint32_t flags = rd_u32(&r) & 0xffffff;
    rd_skip(&r, 4);
    if ((flags & TFHD_BASE_OFFSET) != 0)
        return ERR_UNSUPPORTED;
    if ((flags & TFHD_DESCRIPTION) != 0)
        rd_skip(&r, 4);
    if ((flags & TFHD_DURATION) != 0)
        f->duration = rd_u32(&r);
    if ((flags & TFHD_SIZE) != 0)
        f->size = rd_u32(&r);
    if ((flags & TFHD_FLAGS) != 0)
        f->flags = rd_u32(&r);
    return r.bad ? ERR_TRUNCATED : OK;
}

static enum err read_tfdt(struct rd r, struct fragment *f)
{
    uint8_t version = rd_u8(&r);
    rd_skip(&r, 3);
    /* Signed by ffmpeg's hand: times before the run's zero come as such. */
    f->dts = version == 1 ? (int64_t)rd_u64(&r) : (int64_t)rd_u32(&r);
    return r.bad ? ERR_TRUNCATED : OK;
}

static enum err give_sample(struct bmff_reader *r, struct fragment *f, struct rd *trun,
                            uint32_t flags, uint32_t sample_flags)
{
    struct media_sample s = {.dts = f->dts, .duration = f->duration};
    uint32_t size = f->size;
    if ((flags & TRUN_DURATION) != 0)
        s.duration = rd_u32(trun);
    if ((flags & TRUN_SIZE) != 0)
        size = rd_u32(trun);
    if ((flags & TRUN_FLAGS) != 0)
        sample_flags = rd_u32(trun);
    if ((flags & TRUN_CTS) != 0)
        s.cts = (int32_t)rd_u32(trun);
    s.data = rd_bytes(&f->data, size);
    s.sync = (sample_flags & SAMPLE_IS_NON_SYNC) == 0;
    if (trun->bad || f->data.bad)
        return ERR_MALFORMED;
    f->dts += s.duration;
    r->sink.on_sample(r->sink.ctx, &s);
    return OK;
}

/* Runs lie one behind the other in the mdat, as ffmpeg and everybody writes them. */
static enum err read_trun(struct bmff_reader *r, struct fragment *f, struct rd trun)
{
    uint32_t flags = rd_u32(&trun) & 0xffffff;
    uint32_t n = rd_u32(&trun);
    uint32_t first = f->flags;
    if ((flags & TRUN_OFFSET) != 0)
        rd_skip(&trun, 4);
    if ((flags & TRUN_FIRST_FLAGS) != 0)
        first = rd_u32(&trun);
    if (trun.bad)
        return ERR_TRUNCATED;
    if (n > BMFF_SAMPLES_MAX - f->n)
        return ERR_TOO_LARGE;
    f->n += n;
    for (uint32_t i = 0; i < n; i++) {
        enum err e = give_sample(r, f, &trun, flags, i == 0 ? first : f->flags);
        if (e != OK)
            return e;
    }
    return OK;
}

static enum err read_fragment(struct bmff_reader *r, struct rd moof, struct rd mdat)
{
    struct rd traf;
    struct rd in;
    struct box b;
    struct fragment f = {.duration = r->default_duration,
                         .size = r->default_size,
                         .flags = r->default_flags,
                         .data = mdat};
    if (count_boxes(moof, FOURCC('t', 'r', 'a', 'f')) != 1)
        return ERR_UNSUPPORTED;
    if (!find_box(moof, FOURCC('t', 'r', 'a', 'f'), &traf) ||
        !find_box(traf, FOURCC('t', 'f', 'h', 'd'), &in))
        return ERR_MALFORMED;
    enum err e = read_tfhd(in, &f);
    if (e == OK && !find_box(traf, FOURCC('t', 'f', 'd', 't'), &in))
        e = ERR_MALFORMED;
    if (e == OK)
        e = read_tfdt(in, &f);
    while (e == OK && next_box(&traf, &b)) {
        if (b.type == FOURCC('t', 'r', 'u', 'n'))
            e = read_trun(r, &f, b.body);
    }
    return e;
}

/* ---- the stream ---- */

void bmff_reader_init(struct bmff_reader *r, const struct bmff_sink *sink)
{
    *r = (struct bmff_reader){.sink = *sink};
}

void bmff_reader_fini(struct bmff_reader *r)
{
    free(r->bytes);
    r->bytes = NULL;
    r->n = r->cap = 0;
}

static enum err append(struct bmff_reader *r, const void *bytes, size_t n)
{
    if (n > r->cap - r->n) {
        size_t cap = r->cap ? r->cap : 64 * 1024;
        while (cap - r->n < n)
            cap *= 2;
        uint8_t *grown = realloc(r->bytes, cap);
        if (!grown)
            return ERR_NOMEM;
        r->bytes = grown;
        r->cap = cap;
    }
    if (n > 0)
        memcpy(r->bytes + r->n, bytes, n);
    r->n += n;
    return OK;
}

static enum err take_init(struct bmff_reader *r, size_t n)
{
    uint32_t defaults[3];
    struct slice init = slice_of(r->bytes, n);
    enum err e = r->has_init ? ERR_MALFORMED : bmff_parse_init(init, &r->format, defaults);
    if (e != OK)
        return e;
    r->has_init = true;
    r->default_duration = defaults[0];
    r->default_size = defaults[1];
    r->default_flags = defaults[2];
    r->sink.on_init(r->sink.ctx, &r->format, init);
    return OK;
}

/* The box at `at` is complete. *keep: it and what is before it stay, as they belong to a later one.
 */
static enum err on_box(struct bmff_reader *r, size_t at, size_t n, uint32_t type, bool *keep)
{
    *keep = false;
    switch (type) {
    case FOURCC('f', 't', 'y', 'p'):
        *keep = true;
        return at == 0 && !r->has_init ? OK : ERR_MALFORMED;
    case FOURCC('m', 'o', 'o', 'v'):
        return take_init(r, at + n);
    case FOURCC('m', 'o', 'o', 'f'):
        *keep = true;
        r->moof_n = n;
        return at == 0 && r->has_init ? OK : ERR_MALFORMED;
    case FOURCC('m', 'd', 'a', 't'):
        if (r->moof_n == 0 || at != r->moof_n)
            return ERR_MALFORMED;
        r->moof_n = 0;
        return read_fragment(r, rd_of(r->bytes + BOX_HEAD, at - BOX_HEAD),
                             rd_of(r->bytes + at + BOX_HEAD, n - BOX_HEAD));
    default:
        /* styp, sidx, prft, free, mfra. Between a moof and its mdat nothing of that stands. */
        return r->moof_n == 0 && at == 0 ? OK : ERR_MALFORMED;
    }
}

static enum err drain(struct bmff_reader *r)
{
    size_t done = 0; /* bytes before it are dealt with */
    size_t at = 0;   /* the next box, counted from done */
    enum err e = OK;
    /* What is kept in front was seen before: skip it again. */
    while (e == OK) {
        struct rd in = rd_of(r->bytes + done + at, r->n - done - at);
        uint32_t size = rd_u32(&in);
        uint32_t type = rd_u32(&in);
        if (in.bad)
            break;
        if (size < BOX_HEAD || size > BMFF_BOX_MAX) {
            e = size < BOX_HEAD ? ERR_MALFORMED : ERR_TOO_LARGE;
            break;
        }
        if (r->n - done - at < size)
            break;
        bool keep;
        uint8_t *start = r->bytes;
        r->bytes += done;
        e = on_box(r, at, size, type, &keep);
        r->bytes = start;
        at += size;
        if (!keep) {
            done += at;
            at = 0;
        }
    }
    if (done > 0 && done < r->n)
        memmove(r->bytes, r->bytes + done, r->n - done);
    r->n -= done;
    return e;
}

enum err bmff_reader_feed(struct bmff_reader *r, const void *bytes, size_t n)
{
    enum err e = r->failed;
    if (e == OK)
        e = append(r, bytes, n);
    if (e == OK)
        e = drain(r);
    r->failed = e;
    return e;
}
