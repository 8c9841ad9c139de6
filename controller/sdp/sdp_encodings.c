#include "controller/sdp/sdp_encodings.h"

#include <stdio.h>
#include <string.h>

static enum err fail(struct field_error *error, enum err e, const char *path, const char *why)
{
    *error = (struct field_error){.err = e};
    snprintf(error->path, sizeof error->path, "%s", path);
    snprintf(error->reason, sizeof error->reason, "%s %s", path, why);
    return e;
}

static bool slice_is(struct slice s, const char *text)
{
    return s.n == strlen(text) && (s.n == 0 || memcmp(s.p, text, s.n) == 0);
}

/* ---- simulcast ---- */

/* Workers want simulcast from low to high. SDP does not tell: RFC 8853 5.2 orders by preference,
 * browsers by how the page listed them, OBS from high to low. So what the RIDs say of themselves
 * decides, first by their restrictions (RFC 8851 5), then by names in common use. */
static uint64_t restricted_size(struct slice restrictions)
{
    static const char *const keys[] = {"max-fs", "max-width", "max-height", "max-br"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct slice v = sdp_fmtp_get(restrictions, keys[i]);
        uint64_t n = 0;
        for (size_t k = 0; k < v.n && k < 12 && v.p[k] >= '0' && v.p[k] <= '9'; k++)
            n = n * 10 + (uint64_t)(v.p[k] - '0');
        if (n > 0)
            return n;
    }
    return 0;
}

/* 0: says nothing. "0", "1", "2" are OBS's, the first of which is the whole picture. */
static unsigned named_size(struct slice rid)
{
    static const struct {
        const char *name;
        unsigned size;
    } names[] = {
        {"q", 1},   {"h", 2},   {"f", 3},                   /* quarter, half, full */
        {"l", 1},   {"m", 2},                               /* low, middle; h is 2 or more */
        {"lo", 1},  {"mid", 2}, {"hi", 3},                  /* */
        {"low", 1}, {"med", 2}, {"medium", 2}, {"high", 3}, /* */
        {"r0", 1},  {"r1", 2},  {"r2", 3},                  /* mediasoup-client */
        {"2", 1},   {"1", 2},   {"0", 3},                   /* OBS */
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slice_is(rid, names[i].name))
            return names[i].size;
    }
    return 0;
}

struct layer {
    const struct sdp_rid *rid;
    uint64_t size;
};

static bool offers(const struct sdp_media *s, const char *name)
{
    for (size_t i = 0; i < s->n_rids; i++) {
        if (slice_is(s->rids[i].id, name))
            return true;
    }
    return false;
}

static uint64_t size_of(const struct sdp_media *s, const struct sdp_rid *r, bool restricted)
{
    if (restricted)
        return restricted_size(r->restrictions);
    /* "h" is half between q and f, and high beside l or m. */
    if (slice_is(r->id, "h") && (offers(s, "l") || offers(s, "m")))
        return 3;
    return named_size(r->id);
}

static bool all_sized(const struct sdp_media *s, struct layer *layers, size_t n, bool restricted)
{
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        layers[i].size = size_of(s, layers[i].rid, restricted);
        all = all && layers[i].size > 0;
    }
    return all;
}

/* Insertion keeps the order of those that are equal. Where some say nothing the order stays: pages
 * list them from low to high (W3C WebRTC, scaleResolutionDownBy's defaults). */
static void order(const struct sdp_media *s, struct layer *layers, size_t n)
{
    if (!all_sized(s, layers, n, true) && !all_sized(s, layers, n, false))
        return;
    for (size_t i = 1; i < n; i++) {
        struct layer l = layers[i];
        size_t k = i;
        for (; k > 0 && layers[k - 1].size > l.size; k--)
            layers[k] = layers[k - 1];
        layers[k] = l;
    }
}

/* Whether a=simulcast:send lists it; alternatives and paused ones ("~", RFC 8853 5.1) count. */
static bool in_simulcast(const struct sdp_media *s, struct slice id)
{
    struct slice rest = s->simulcast_send;
    size_t start = 0;
    for (size_t i = 0; i <= rest.n; i++) {
        bool end = i == rest.n || rest.p[i] == ';' || rest.p[i] == ',' || rest.p[i] == ' ';
        if (!end)
            continue;
        size_t skip = start < i && rest.p[start] == '~' ? 1 : 0;
        if (i - start - skip == id.n && memcmp(rest.p + start + skip, id.p, id.n) == 0)
            return true;
        start = i + 1;
    }
    return false;
}

static size_t list_layers(const struct sdp_media *s, struct layer *layers)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_rids; i++) {
        const struct sdp_rid *r = &s->rids[i];
        bool sent = r->send && r->id.n > 0 && r->id.n <= RID_MAX;
        if (sent && (s->simulcast_send.n == 0 || in_simulcast(s, r->id)))
            layers[n++] = (struct layer){.rid = r};
    }
    return n;
}

/* ---- SSRCs ---- */

/* The retransmission of ssrc; false: none is announced. */
static bool rtx_of(const struct sdp_media *s, uint32_t ssrc, uint32_t *out)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        const struct sdp_ssrc_group *g = &s->groups[i];
        if (slice_is(g->semantics, "FID") && g->n_ssrcs == 2 && g->ssrcs[0] == ssrc &&
            g->ssrcs[1] != ssrc) {
            *out = g->ssrcs[1];
            return true;
        }
    }
    return false;
}

static bool is_rtx(const struct sdp_media *s, uint32_t ssrc)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        const struct sdp_ssrc_group *g = &s->groups[i];
        if (slice_is(g->semantics, "FID") && g->n_ssrcs == 2 && g->ssrcs[1] == ssrc)
            return true;
    }
    return false;
}

static bool announced(const struct rtp_parameters *p, uint32_t ssrc)
{
    for (size_t i = 0; i < p->n_encodings; i++) {
        if (p->encodings[i].ssrc == ssrc)
            return true;
    }
    return false;
}

static enum err add_ssrc(const struct sdp_media *s, uint32_t ssrc, struct arena *arena,
                         struct rtp_parameters *p)
{
    uint32_t rtx;
    if (announced(p, ssrc) || is_rtx(s, ssrc))
        return OK;
    struct rtp_encoding_parameters *e = &p->encodings[p->n_encodings++];
    e->ssrc = ssrc;
    e->has_ssrc = true;
    if (p->n_codecs < 2 || !rtx_of(s, ssrc, &rtx))
        return OK;
    e->rtx = arena_alloc(arena, sizeof *e->rtx);
    if (!e->rtx)
        return ERR_NOMEM;
    *e->rtx = (struct rtp_rtx_parameters){.ssrc = rtx, .has_ssrc = true};
    return OK;
}

/* Simulcast as browsers announced it before RID: the group lists it from low to high. Without one
 * the first SSRC is the stream. */
static enum err add_ssrcs(const struct sdp_media *s, struct arena *arena, struct rtp_parameters *p)
{
    enum err e = OK;
    for (size_t i = 0; i < s->n_groups && p->n_encodings == 0; i++) {
        const struct sdp_ssrc_group *g = &s->groups[i];
        for (size_t k = 0; slice_is(g->semantics, "SIM") && k < g->n_ssrcs && e == OK; k++)
            e = add_ssrc(s, g->ssrcs[k], arena, p);
    }
    for (size_t i = 0; i < s->n_ssrcs && p->n_encodings == 0 && e == OK; i++)
        e = add_ssrc(s, s->ssrcs[i].ssrc, arena, p);
    return e;
}

enum err sdp_encodings(const struct sdp_offer_media *m, struct arena *arena,
                       struct rtp_parameters *p, struct field_error *error)
{
    struct layer layers[SDP_RIDS_MAX];
    size_t n = list_layers(m->sdp, layers);
    size_t room = n > SDP_SSRC_GROUP_MAX ? n : SDP_SSRC_GROUP_MAX;
    p->encodings = arena_array(arena, room, sizeof *p->encodings);
    if (!p->encodings)
        return fail(error, ERR_NOMEM, "the offer", "needs more memory than there is");
    order(m->sdp, layers, n);
    for (size_t i = 0; i < n; i++) {
        const char *rid = sdp_copy(arena, layers[i].rid->id);
        if (!rid)
            return fail(error, ERR_NOMEM, "the offer", "needs more memory than there is");
        p->encodings[p->n_encodings++].rid = rid;
    }
    if (n == 0 && add_ssrcs(m->sdp, arena, p) != OK)
        return fail(error, ERR_NOMEM, "the offer", "needs more memory than there is");
    /* Not announced at all: its MID tells, or in a section alone the payload type. */
    if (p->n_encodings == 0) {
        if (!p->mid)
            return fail(error, ERR_UNSUPPORTED, "a=mid", "or a=ssrc must tell the stream");
        p->n_encodings = 1;
    }
    return OK;
}
