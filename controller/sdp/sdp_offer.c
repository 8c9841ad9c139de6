#include "controller/sdp/sdp_offer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static enum err fail(struct field_error *error, enum err e, const char *path, const char *why)
{
    *error = (struct field_error){.err = e};
    snprintf(error->path, sizeof error->path, "%s", path);
    snprintf(error->reason, sizeof error->reason, "%s %s", path, why);
    return e;
}

static enum err no_memory(struct field_error *error)
{
    return fail(error, ERR_NOMEM, "the offer", "needs more memory than there is");
}

const char *sdp_copy(struct arena *arena, struct slice s)
{
    return arena_strndup(arena, s.n > 0 ? (const char *)s.p : "", s.n);
}

static bool slice_is(struct slice a, const char *b)
{
    return a.n == strlen(b) && (a.n == 0 || memcmp(a.p, b, a.n) == 0);
}

static bool same(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ---- sections ---- */

static bool in_bundle(const struct sdp *s, struct slice mid)
{
    for (size_t i = 0; i < s->n_bundle; i++) {
        if (mid.n > 0 && same(s->bundle[i], mid))
            return true;
    }
    return false;
}

/* RFC 8829 5.1.2: what a WebRTC endpoint has to take for RTP over DTLS-SRTP. */
static bool is_srtp(struct slice proto)
{
    static const char *const known[] = {"UDP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVPF", "RTP/SAVPF",
                                        "UDP/TLS/RTP/SAVP",  "TCP/DTLS/RTP/SAVP",  "RTP/SAVP"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (slice_is(proto, known[i]))
            return true;
    }
    return false;
}

static void classify(const struct sdp *s, const struct sdp_media *m, struct sdp_offer_media *out)
{
    enum sdp_direction d = sdp_direction_of(s, m);
    bool av = m->kind == SDP_AUDIO || m->kind == SDP_VIDEO;
    /* RFC 8843 7.2.1: port 0 with bundle-only is not a rejection. */
    bool offered = m->port != 0 || (m->bundle_only && in_bundle(s, m->mid));
    out->sdp = m;
    out->usable = av && offered && is_srtp(m->proto) && m->n_codecs > 0;
    out->kind = m->kind == SDP_VIDEO ? MEDIA_KIND_VIDEO : MEDIA_KIND_AUDIO;
    out->sends = d == SDP_SENDRECV || d == SDP_SENDONLY;
    out->receives = d == SDP_SENDRECV || d == SDP_RECVONLY;
}

static enum err check_mid(const struct sdp_offer *o, size_t i, struct field_error *error)
{
    struct slice mid = o->media[i].sdp->mid;
    if (mid.n > MID_MAX)
        return fail(error, ERR_UNSUPPORTED, "a=mid", "is longer than 32 characters");
    for (size_t j = 0; j < i; j++) {
        if (mid.n > 0 && same(mid, o->media[j].sdp->mid))
            return fail(error, ERR_UNSUPPORTED, "a=mid", "is the same in two sections");
    }
    return OK;
}

static bool is_other(const struct sdp_offer *o, const struct sdp_ext *x)
{
    for (size_t i = 0; i < o->n_media; i++) {
        const struct sdp_media *m = o->media[i].sdp;
        for (size_t k = 0; k < m->n_exts; k++) {
            if (m->exts[k].id == x->id && !same(m->exts[k].uri, x->uri))
                return true;
        }
    }
    return false;
}

static enum err find_ambiguous(struct sdp_offer *o, struct arena *arena, struct field_error *error)
{
    bool *ambiguous = arena_array(arena, UINT8_MAX + 1, sizeof *ambiguous);
    if (!ambiguous)
        return no_memory(error);
    for (size_t i = 0; i < o->n_media; i++) {
        const struct sdp_media *m = o->media[i].sdp;
        o->media[i].ambiguous = ambiguous;
        for (size_t k = 0; k < m->n_exts; k++)
            ambiguous[m->exts[k].id] |= is_other(o, &m->exts[k]);
    }
    return OK;
}

static enum err read_sections(struct sdp_offer *o, struct arena *arena, struct field_error *error)
{
    const struct sdp *s = o->sdp;
    size_t usable = 0;
    o->n_media = s->n_media;
    o->media = arena_array(arena, s->n_media, sizeof *o->media);
    if (!o->media)
        return no_memory(error);
    for (size_t i = 0; i < s->n_media; i++) {
        classify(s, &s->media[i], &o->media[i]);
        o->media[i].mid = sdp_copy(arena, s->media[i].mid);
        if (!o->media[i].mid)
            return no_memory(error);
        enum err e = check_mid(o, i, error);
        if (e != OK)
            return e;
        usable += o->media[i].usable;
    }
    if (usable == 0)
        return fail(error, ERR_UNSUPPORTED, "m=", "offers no audio or video over DTLS-SRTP");
    for (size_t i = 0; i < s->n_media; i++) {
        if (!o->media[i].usable)
            continue;
        if (!s->media[i].rtcp_mux)
            return fail(error, ERR_UNSUPPORTED, "a=rtcp-mux", "must be in every section");
        if (usable > 1 && !in_bundle(s, s->media[i].mid))
            return fail(error, ERR_UNSUPPORTED, "a=group:BUNDLE", "must hold all sections");
    }
    return find_ambiguous(o, arena, error);
}

/* ---- the transport ---- */

/* RFC 8843 7.1.3: attributes of the transport come from the section that is tagged, the first of
 * the group that is not rejected. */
static const struct sdp_offer_media *tagged(const struct sdp_offer *o)
{
    for (size_t i = 0; i < o->sdp->n_bundle; i++) {
        for (size_t k = 0; k < o->n_media; k++) {
            if (o->media[k].usable && same(o->media[k].sdp->mid, o->sdp->bundle[i]))
                return &o->media[k];
        }
    }
    for (size_t k = 0; k < o->n_media; k++) {
        if (o->media[k].usable)
            return &o->media[k];
    }
    return NULL;
}

static enum err read_ice(struct sdp_offer *o, const struct sdp_media *m, struct arena *arena,
                         struct field_error *error)
{
    struct slice ufrag = sdp_ufrag(o->sdp, m);
    struct slice pwd = sdp_pwd(o->sdp, m);
    /* RFC 8839 5.4 */
    if (ufrag.n < 4 || ufrag.n > 256)
        return fail(error, ERR_UNSUPPORTED, "a=ice-ufrag", "must have 4 to 256 characters");
    if (pwd.n < 22 || pwd.n > 256)
        return fail(error, ERR_UNSUPPORTED, "a=ice-pwd", "must have 22 to 256 characters");
    o->ice.username_fragment = sdp_copy(arena, ufrag);
    o->ice.password = sdp_copy(arena, pwd);
    o->ice.ice_lite = o->sdp->ice_lite;
    o->ice.has_ice_lite = true;
    if (o->ice.ice_lite)
        return fail(error, ERR_UNSUPPORTED, "a=ice-lite", "cannot be on both sides");
    return o->ice.username_fragment && o->ice.password ? OK : no_memory(error);
}

static int hash_of(struct slice name)
{
    for (int i = 0; param_dtls_hash_names[i]; i++) {
        const char *known = param_dtls_hash_names[i];
        if (name.n == strlen(known) && strncasecmp((const char *)name.p, known, name.n) == 0)
            return i;
    }
    return -1;
}

/* RFC 8122 5: pairs of hexadecimal digits with colons, as many as the hash has bytes. */
static bool fingerprint_fits(struct slice value, int hash)
{
    static const size_t bytes[] = {20, 28, 32, 48, 64};
    if (value.n != 3 * bytes[hash] - 1)
        return false;
    for (size_t i = 0; i < value.n; i++) {
        if (i % 3 == 2 ? value.p[i] != ':' : !isxdigit(value.p[i]))
            return false;
    }
    return true;
}

static enum err add_fingerprint(struct dtls_parameters *d, const struct sdp_fingerprint *f,
                                struct arena *arena, struct field_error *error)
{
    int hash = hash_of(f->algorithm);
    if (hash < 0)
        return OK;
    if (!fingerprint_fits(f->value, hash))
        return fail(error, ERR_UNSUPPORTED, "a=fingerprint", "is not of its algorithm's form");
    char *value = arena_strndup(arena, (const char *)f->value.p, f->value.n);
    if (!value)
        return no_memory(error);
    for (char *c = value; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    d->fingerprints[d->n_fingerprints++] =
        (struct dtls_fingerprint){.algorithm = hash, .has_algorithm = true, .value = value};
    return OK;
}

static enum err read_dtls(struct sdp_offer *o, const struct sdp_media *m, struct arena *arena,
                          struct field_error *error)
{
    const struct sdp_transport *t =
        m->transport.n_fingerprints > 0 ? &m->transport : &o->sdp->transport;
    enum sdp_setup setup = sdp_setup_of(o->sdp, m);
    o->setup = setup == SDP_SETUP_PASSIVE ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE;
    o->dtls = (struct dtls_parameters){
        .role = setup == SDP_SETUP_PASSIVE ? PARAM_DTLS_ROLE_SERVER : PARAM_DTLS_ROLE_CLIENT,
        .has_role = true,
        .fingerprints = arena_array(arena, SDP_FINGERPRINTS_MAX, sizeof *o->dtls.fingerprints)};
    if (!o->dtls.fingerprints)
        return no_memory(error);
    for (size_t i = 0; i < t->n_fingerprints; i++) {
        enum err e = add_fingerprint(&o->dtls, &t->fingerprints[i], arena, error);
        if (e != OK)
            return e;
    }
    if (o->dtls.n_fingerprints == 0)
        return fail(error, ERR_UNSUPPORTED, "a=fingerprint", "of a known hash is missing");
    return OK;
}

enum err sdp_offer_read(struct slice text, struct arena *arena, struct sdp_offer *out,
                        struct field_error *error)
{
    char where[32];
    unsigned line = 0;
    *out = (struct sdp_offer){0};
    if (text.n > SDP_OFFER_TEXT_MAX)
        return fail(error, ERR_TOO_LARGE, "the offer", "is larger than 64 KiB");
    struct sdp *s = arena_alloc(arena, sizeof *s);
    const char *copy = sdp_copy(arena, text);
    if (!s || !copy)
        return no_memory(error);
    enum err e = sdp_parse(s, slice_of(copy, text.n), &line);
    snprintf(where, sizeof where, "line %u", line);
    if (e != OK)
        return fail(error, e == ERR_TOO_LARGE ? e : ERR_MALFORMED, where,
                    e == ERR_TOO_LARGE ? "has more of something than is taken" : "is no SDP");
    out->sdp = s;
    e = read_sections(out, arena, error);
    const struct sdp_offer_media *tag = e == OK ? tagged(out) : NULL;
    if (!tag)
        return e;
    e = read_ice(out, tag->sdp, arena, error);
    return e == OK ? read_dtls(out, tag->sdp, arena, error) : e;
}
