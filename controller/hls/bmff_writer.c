#include "controller/hls/bmff_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    BOX_HEAD = 8,
    MFHD = 16,
    TFHD = 16,
    TFDT = 20,
    TRUN_HEAD = 20,
    TRUN_ENTRY = 16,
    /* 8.8.7.1: data is beside the moof that speaks of it. */
    DEFAULT_BASE_IS_MOOF = 0x20000,
    /* 8.8.8.1: data offset, and duration, size, flags, composition time of each sample */
    TRUN_FLAGS = 0xf01,
    /* 8.8.3.1: depends on others, and is no sync sample; or depends on none. */
    SYNC_FLAGS = 0x02000000,
    OTHER_FLAGS = 0x01010000
};

void bmff_chunk_init(struct bmff_chunk *c)
{
    *c = (struct bmff_chunk){0};
}

void bmff_chunk_fini(struct bmff_chunk *c)
{
    free(c->samples);
    free(c->data);
    *c = (struct bmff_chunk){0};
}

static bool grow(void **p, size_t *cap, size_t unit, size_t want, size_t first)
{
    if (want <= *cap)
        return true;
    size_t n = *cap ? *cap : first;
    while (n < want)
        n *= 2;
    void *grown = realloc(*p, n * unit);
    if (!grown)
        return false;
    *p = grown;
    *cap = n;
    return true;
}

enum err bmff_chunk_add(struct bmff_chunk *c, const struct media_sample *s)
{
    if (c->n == BMFF_CHUNK_SAMPLES_MAX || s->data.n > BMFF_CHUNK_BYTES_MAX - c->data_n)
        return ERR_FULL;
    if (c->n > 0 && s->dts <= c->samples[c->n - 1].dts)
        return ERR_MALFORMED;
    void *samples = c->samples;
    void *data = c->data;
    bool fits = grow(&samples, &c->cap, sizeof *c->samples, c->n + 1, 32);
    c->samples = samples;
    fits = fits && grow(&data, &c->data_cap, 1, c->data_n + s->data.n, 64 * 1024);
    c->data = data;
    if (!fits)
        return ERR_NOMEM;
    c->samples[c->n++] = (struct bmff_chunk_sample){.dts = s->dts,
                                                    .duration = s->duration,
                                                    .size = (uint32_t)s->data.n,
                                                    .cts = s->cts,
                                                    .sync = s->sync};
    if (s->data.n > 0)
        memcpy(c->data + c->data_n, s->data.p, s->data.n);
    c->data_n += s->data.n;
    return OK;
}

int64_t bmff_chunk_end(const struct bmff_chunk *c, size_t k)
{
    assert(k > 0 && k <= c->n);
    return k < c->n ? c->samples[k].dts : c->samples[k - 1].dts + c->samples[k - 1].duration;
}

static void box(struct wr *w, size_t size, const char *type)
{
    wr_u32(w, (uint32_t)size);
    wr_bytes(w, type, 4);
}

static void write_moof(struct wr *w, const struct bmff_chunk *c, size_t k, uint32_t sequence,
                       int64_t base)
{
    size_t trun = TRUN_HEAD + k * TRUN_ENTRY;
    size_t traf = BOX_HEAD + TFHD + TFDT + trun;
    size_t moof = BOX_HEAD + MFHD + traf;
    box(w, moof, "moof");
    box(w, MFHD, "mfhd");
    wr_u32(w, 0);
    wr_u32(w, sequence);
    box(w, traf, "traf");
    box(w, TFHD, "tfhd");
    wr_u32(w, DEFAULT_BASE_IS_MOOF);
    wr_u32(w, 1); /* the only track */
    box(w, TFDT, "tfdt");
    wr_u32(w, 1u << 24);
    wr_u64(w, (uint64_t)(c->samples[0].dts + base));
    box(w, trun, "trun");
    wr_u32(w, 1u << 24 | TRUN_FLAGS); /* version 1: composition times may be negative */
    wr_u32(w, (uint32_t)k);
    wr_u32(w, (uint32_t)(moof + BOX_HEAD));
    for (size_t i = 0; i < k; i++) {
        const struct bmff_chunk_sample *s = &c->samples[i];
        wr_u32(w, (uint32_t)(bmff_chunk_end(c, i + 1) - s->dts));
        wr_u32(w, s->size);
        wr_u32(w, s->sync ? SYNC_FLAGS : OTHER_FLAGS);
        wr_u32(w, (uint32_t)s->cts);
    }
}

struct blob *bmff_chunk_take(struct bmff_chunk *c, size_t k, uint32_t sequence, int64_t base)
{
    assert(k > 0 && k <= c->n && c->samples[0].dts + base >= 0);
    size_t bytes = 0;
    for (size_t i = 0; i < k; i++)
        bytes += c->samples[i].size;
    struct blob *b = blob_new(BOX_HEAD + MFHD + BOX_HEAD + TFHD + TFDT + TRUN_HEAD +
                              k * TRUN_ENTRY + BOX_HEAD + bytes);
    if (!b)
        return NULL;
    struct wr w = wr_of(b->bytes, b->n);
    write_moof(&w, c, k, sequence, base);
    box(&w, BOX_HEAD + bytes, "mdat");
    wr_bytes(&w, c->data, bytes);
    assert(!w.bad && wr_left(&w) == 0);
    memmove(c->samples, c->samples + k, (c->n - k) * sizeof *c->samples);
    memmove(c->data, c->data + bytes, c->data_n - bytes);
    c->n -= k;
    c->data_n -= bytes;
    return b;
}
