#include "proto/dd.h"

enum { TEMPLATE_FDIFF_MAX = 16, FRAME_FDIFF_MAX = 4096 };

/* ---- bits, most significant first; the error is sticky as in common/bytes.h ---- */

struct bits {
    struct slice s;
    size_t at; /* in bits */
    bool bad;
};

static uint32_t get(struct bits *b, unsigned n)
{
    uint32_t v = 0;
    if (b->bad || n > 8 * b->s.n - b->at) {
        b->bad = true;
        return 0;
    }
    for (unsigned i = 0; i < n; i++, b->at++)
        v = v << 1 | ((unsigned)b->s.p[b->at / 8] >> (7 - b->at % 8) & 1u);
    return v;
}

static bool get_flag(struct bits *b)
{
    return get(b, 1) != 0;
}

static unsigned bit_width(uint32_t n)
{
    unsigned w = 0;
    for (; n > 0; n >>= 1)
        w++;
    return w;
}

/* A.8.1 ns(n): a number below n in as few bits as it takes. */
static uint32_t get_ns(struct bits *b, uint32_t n)
{
    unsigned w = bit_width(n);
    uint32_t m = (1u << w) - n;
    uint32_t v = get(b, w - 1);
    return v < m ? v : (v << 1) - m + get(b, 1);
}

struct bit_writer {
    struct wr *w;
    unsigned used; /* bits of the last byte */
};

static void put(struct bit_writer *b, uint32_t v, unsigned n)
{
    while (n-- > 0) {
        if (b->used == 0)
            wr_u8(b->w, 0);
        if (b->w->bad)
            return;
        b->w->p[-1] |= (uint8_t)((v >> n & 1u) << (7 - b->used));
        b->used = (b->used + 1) % 8;
    }
}

static void put_ns(struct bit_writer *b, uint32_t v, uint32_t n)
{
    unsigned w = bit_width(n);
    uint32_t m = (1u << w) - n;
    if (v < m)
        put(b, v, w - 1);
    else
        put(b, v + m, w);
}

static uint32_t all_targets(uint8_t n)
{
    return n >= 32 ? UINT32_MAX : (1u << n) - 1;
}

/* ---- the structure ---- */

static enum err read_layers(struct bits *b, struct dd_structure *s)
{
    uint8_t spatial = 0;
    uint8_t temporal = 0;
    for (;;) {
        if (s->n_templates == DD_TEMPLATES_MAX)
            return ERR_TOO_LARGE;
        s->templates[s->n_templates].spatial = spatial;
        s->templates[s->n_templates].temporal = temporal;
        s->n_templates++;
        uint32_t next = get(b, 2);
        if (b->bad)
            return ERR_TRUNCATED;
        if (next == 3)
            break;
        if (next == 1)
            temporal++;
        if (next == 2) {
            temporal = 0;
            spatial++;
        }
        if (temporal >= DD_TEMPORAL_MAX || spatial >= DD_SPATIAL_MAX)
            return ERR_MALFORMED;
        if (temporal > s->max_temporal)
            s->max_temporal = temporal;
    }
    s->max_spatial = spatial;
    return OK;
}

static enum err read_template_fdiffs(struct bits *b, struct dd_template *t)
{
    while (get_flag(b)) {
        if (t->n_fdiffs == DD_FDIFFS_MAX)
            return ERR_TOO_LARGE;
        t->fdiffs[t->n_fdiffs++] = (uint16_t)(get(b, 4) + 1);
    }
    return OK;
}

static void read_chains(struct bits *b, struct dd_structure *s)
{
    s->n_chains = (uint8_t)get_ns(b, s->n_targets + 1u);
    if (s->n_chains == 0)
        return;
    for (unsigned i = 0; i < s->n_targets; i++)
        s->target_chain[i] = (uint8_t)get_ns(b, s->n_chains);
    for (unsigned t = 0; t < s->n_templates; t++)
        for (unsigned c = 0; c < s->n_chains; c++)
            s->templates[t].chain_fdiffs[c] = (uint8_t)get(b, 4);
}

/* A.8.3.2: a decode target's layers are the highest of the templates that it needs. */
static void derive_targets(struct dd_structure *s)
{
    for (unsigned i = 0; i < s->n_targets; i++) {
        for (unsigned t = 0; t < s->n_templates; t++) {
            const struct dd_template *tp = &s->templates[t];
            if (tp->dtis[i] == DD_NOT_PRESENT)
                continue;
            if (tp->spatial > s->target_spatial[i])
                s->target_spatial[i] = tp->spatial;
            if (tp->temporal > s->target_temporal[i])
                s->target_temporal[i] = tp->temporal;
        }
    }
}

static enum err read_structure(struct bits *b, struct dd_structure *s)
{
    memset(s, 0, sizeof *s);
    s->id_offset = (uint8_t)get(b, 6);
    s->n_targets = (uint8_t)(get(b, 5) + 1);
    enum err e = read_layers(b, s);
    if (e != OK)
        return e;
    for (unsigned t = 0; t < s->n_templates; t++)
        for (unsigned i = 0; i < s->n_targets; i++)
            s->templates[t].dtis[i] = (uint8_t)get(b, 2);
    for (unsigned t = 0; t < s->n_templates && e == OK; t++)
        e = read_template_fdiffs(b, &s->templates[t]);
    if (e != OK)
        return e;
    read_chains(b, s);
    if (get_flag(b)) {
        s->n_resolutions = (uint8_t)(s->max_spatial + 1);
        for (unsigned i = 0; i < s->n_resolutions; i++) {
            uint32_t width = get(b, 16) + 1;
            uint32_t height = get(b, 16) + 1;
            if (width > UINT16_MAX || height > UINT16_MAX)
                return ERR_MALFORMED;
            s->width[i] = (uint16_t)width;
            s->height[i] = (uint16_t)height;
        }
    }
    if (b->bad)
        return ERR_TRUNCATED;
    derive_targets(s);
    return OK;
}

static void write_structure(struct bit_writer *b, const struct dd_structure *s)
{
    put(b, s->id_offset, 6);
    put(b, s->n_targets - 1u, 5);
    for (unsigned t = 0; t + 1 < s->n_templates; t++) {
        const struct dd_template *now = &s->templates[t];
        uint32_t next = now[1].spatial != now->spatial ? 2 : now[1].temporal != now->temporal;
        put(b, next, 2);
    }
    put(b, 3, 2);
    for (unsigned t = 0; t < s->n_templates; t++)
        for (unsigned i = 0; i < s->n_targets; i++)
            put(b, s->templates[t].dtis[i], 2);
    for (unsigned t = 0; t < s->n_templates; t++) {
        for (unsigned i = 0; i < s->templates[t].n_fdiffs; i++)
            put(b, 16u | (s->templates[t].fdiffs[i] - 1u), 5);
        put(b, 0, 1);
    }
    put_ns(b, s->n_chains, s->n_targets + 1u);
    for (unsigned i = 0; s->n_chains > 0 && i < s->n_targets; i++)
        put_ns(b, s->target_chain[i], s->n_chains);
    for (unsigned t = 0; t < s->n_templates; t++)
        for (unsigned c = 0; c < s->n_chains; c++)
            put(b, s->templates[t].chain_fdiffs[c], 4);
    put(b, s->n_resolutions > 0, 1);
    for (unsigned i = 0; i < s->n_resolutions; i++) {
        put(b, s->width[i] - 1u, 16);
        put(b, s->height[i] - 1u, 16);
    }
}

/* What write_structure can say: bounds, and templates in the order of layers. */
static bool structure_valid(const struct dd_structure *s)
{
    if (s->id_offset > 63 || s->n_targets == 0 || s->n_targets > DD_TARGETS_MAX ||
        s->n_templates == 0 || s->n_templates > DD_TEMPLATES_MAX || s->n_chains > s->n_targets ||
        (s->n_resolutions != 0 && s->n_resolutions != s->max_spatial + 1) ||
        s->max_spatial >= DD_SPATIAL_MAX)
        return false;
    for (unsigned i = 0; s->n_chains > 0 && i < s->n_targets; i++)
        if (s->target_chain[i] >= s->n_chains)
            return false;
    for (unsigned i = 0; i < s->n_resolutions; i++)
        if (s->width[i] == 0 || s->height[i] == 0)
            return false;
    uint8_t spatial = 0;
    uint8_t temporal = 0;
    for (unsigned t = 0; t < s->n_templates; t++) {
        const struct dd_template *tp = &s->templates[t];
        bool same = tp->spatial == spatial && tp->temporal == temporal;
        bool next_temporal = tp->spatial == spatial && tp->temporal == temporal + 1;
        bool next_spatial = tp->spatial == spatial + 1 && tp->temporal == 0;
        if (!same && (t == 0 || (!next_temporal && !next_spatial)))
            return false;
        spatial = tp->spatial;
        temporal = tp->temporal;
        if (tp->n_fdiffs > DD_FDIFFS_MAX)
            return false;
        for (unsigned i = 0; i < tp->n_fdiffs; i++)
            if (tp->fdiffs[i] == 0 || tp->fdiffs[i] > TEMPLATE_FDIFF_MAX)
                return false;
        for (unsigned i = 0; i < s->n_targets; i++)
            if (tp->dtis[i] > DD_REQUIRED)
                return false;
        for (unsigned i = 0; i < s->n_chains; i++)
            if (tp->chain_fdiffs[i] > 15)
                return false;
    }
    return spatial == s->max_spatial;
}

/* ---- the frame ---- */

static enum err read_frame_fdiffs(struct bits *b, struct dd *d)
{
    uint32_t nibbles = get(b, 2);
    while (nibbles > 0) {
        if (d->n_fdiffs == DD_FDIFFS_MAX)
            return ERR_TOO_LARGE;
        d->fdiffs[d->n_fdiffs++] = (uint16_t)(get(b, 4 * nibbles) + 1);
        nibbles = get(b, 2);
    }
    return OK;
}

static enum err read_definition(struct bits *b, const struct dd_structure *s, struct dd *d)
{
    unsigned index = (d->template_id + 64u - s->id_offset) % 64;
    if (index >= s->n_templates)
        return ERR_NOT_FOUND;
    const struct dd_template *t = &s->templates[index];
    d->spatial = t->spatial;
    d->temporal = t->temporal;
    d->n_targets = s->n_targets;
    d->n_chains = s->n_chains;
    memcpy(d->dtis, t->dtis, sizeof d->dtis);
    memcpy(d->chain_fdiffs, t->chain_fdiffs, sizeof d->chain_fdiffs);
    for (unsigned i = 0; d->custom_dtis && i < s->n_targets; i++)
        d->dtis[i] = (uint8_t)get(b, 2);
    if (d->custom_fdiffs) {
        enum err e = read_frame_fdiffs(b, d);
        if (e != OK)
            return e;
    } else {
        d->n_fdiffs = t->n_fdiffs;
        memcpy(d->fdiffs, t->fdiffs, sizeof d->fdiffs);
    }
    for (unsigned i = 0; d->custom_chains && i < s->n_chains; i++)
        d->chain_fdiffs[i] = (uint8_t)get(b, 8);
    if (s->n_resolutions > 0) {
        d->width = s->width[d->spatial];
        d->height = s->height[d->spatial];
    }
    return b->bad ? ERR_TRUNCATED : OK;
}

enum err dd_parse(struct slice element, const struct dd_structure *known,
                  struct dd_structure *fresh, struct dd *out)
{
    struct bits b = {.s = element};
    memset(out, 0, sizeof *out);
    if (element.n > DD_LEN_MAX)
        return ERR_TOO_LARGE;
    out->start_of_frame = get_flag(&b);
    out->end_of_frame = get_flag(&b);
    out->template_id = (uint8_t)get(&b, 6);
    out->frame_number = (uint16_t)get(&b, 16);
    if (element.n > DD_MANDATORY_LEN) {
        out->has_structure = get_flag(&b);
        out->has_active_targets = get_flag(&b);
        out->custom_dtis = get_flag(&b);
        out->custom_fdiffs = get_flag(&b);
        out->custom_chains = get_flag(&b);
    }
    if (b.bad)
        return ERR_TRUNCATED;
    if (out->has_structure) {
        enum err e = read_structure(&b, fresh);
        if (e != OK)
            return e;
        known = fresh;
        out->active_targets = all_targets(fresh->n_targets);
    }
    if (known == NULL || known->n_templates == 0)
        return ERR_NOT_FOUND;
    if (out->has_active_targets)
        out->active_targets = get(&b, known->n_targets);
    return read_definition(&b, known, out);
}

static bool frame_valid(const struct dd_structure *s, const struct dd *d)
{
    if ((d->template_id + 64u - s->id_offset) % 64 >= s->n_templates || d->template_id > 63 ||
        d->n_fdiffs > DD_FDIFFS_MAX)
        return false;
    for (unsigned i = 0; d->custom_fdiffs && i < d->n_fdiffs; i++)
        if (d->fdiffs[i] == 0 || d->fdiffs[i] > FRAME_FDIFF_MAX)
            return false;
    for (unsigned i = 0; d->custom_dtis && i < s->n_targets; i++)
        if (d->dtis[i] > DD_REQUIRED)
            return false;
    return true;
}

static void write_frame(struct bit_writer *b, const struct dd_structure *s, const struct dd *d)
{
    for (unsigned i = 0; d->custom_dtis && i < s->n_targets; i++)
        put(b, d->dtis[i], 2);
    if (d->custom_fdiffs) {
        for (unsigned i = 0; i < d->n_fdiffs; i++) {
            uint32_t v = d->fdiffs[i] - 1u;
            unsigned nibbles = v < 16 ? 1 : v < 256 ? 2 : 3;
            put(b, nibbles, 2);
            put(b, v, 4 * nibbles);
        }
        put(b, 0, 2);
    }
    for (unsigned i = 0; d->custom_chains && i < s->n_chains; i++)
        put(b, d->chain_fdiffs[i], 8);
}

enum err dd_write(struct wr *w, const struct dd_structure *s, const struct dd *d)
{
    struct bit_writer b = {.w = w};
    const uint8_t *start = w->p;
    if (!structure_valid(s) || !frame_valid(s, d))
        return ERR_RANGE;
    put(&b, d->start_of_frame, 1);
    put(&b, d->end_of_frame, 1);
    put(&b, d->template_id, 6);
    put(&b, d->frame_number, 16);
    if (d->has_structure || d->has_active_targets || d->custom_dtis || d->custom_fdiffs ||
        d->custom_chains) {
        put(&b, d->has_structure, 1);
        put(&b, d->has_active_targets, 1);
        put(&b, d->custom_dtis, 1);
        put(&b, d->custom_fdiffs, 1);
        put(&b, d->custom_chains, 1);
        if (d->has_structure)
            write_structure(&b, s);
        if (d->has_active_targets)
            put(&b, d->active_targets, s->n_targets);
        write_frame(&b, s, d);
    }
    return w->bad || w->p - start > DD_LEN_MAX ? ERR_TOO_LARGE : OK;
}

uint32_t dd_targets_for(const struct dd_structure *s, uint8_t spatial, uint8_t temporal)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < s->n_targets; i++)
        if (s->target_spatial[i] <= spatial && s->target_temporal[i] <= temporal)
            mask |= 1u << i;
    return mask;
}
