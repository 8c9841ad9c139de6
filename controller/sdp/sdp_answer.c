#include "controller/sdp/sdp_answer.h"

#include <stdio.h>
#include <string.h>

#include "controller/rtc/ortc.h"
#include "controller/sdp/sdp_codecs.h"
#include "proto/rtp_ext.h"

static struct slice str(const char *s)
{
    return s && s[0] ? slice_of(s, strlen(s)) : (struct slice){0};
}

/* ---- codecs, feedback, extensions ---- */

static struct slice encoding_name(const char *mime_type)
{
    const char *slash = strchr(mime_type, '/');
    return str(slash ? slash + 1 : mime_type);
}

static enum err put_feedbacks(const struct rtp_codec_parameters *c, struct arena *arena,
                              struct sdp_media *out)
{
    for (size_t i = 0; i < c->n_rtcp_feedback && out->n_feedbacks < SDP_FEEDBACKS_MAX; i++) {
        const struct rtcp_feedback *f = &c->rtcp_feedback[i];
        char text[160];
        bool more = f->parameter && f->parameter[0];
        int n = snprintf(text, sizeof text, "%s%s%s", f->type, more ? " " : "",
                         more ? f->parameter : "");
        if (n < 0 || n >= (int)sizeof text)
            continue;
        const char *kept = arena_strndup(arena, text, (size_t)n);
        if (!kept)
            return ERR_NOMEM;
        out->feedbacks[out->n_feedbacks++] =
            (struct sdp_feedback){.value = str(kept), .payload_type = c->payload_type};
    }
    return OK;
}

static enum err put_codecs(const struct rtp_parameters *p, struct arena *arena,
                           struct sdp_media *out)
{
    for (size_t i = 0; i < p->n_codecs && out->n_codecs < SDP_CODECS_MAX; i++) {
        const struct rtp_codec_parameters *c = &p->codecs[i];
        const char *fmtp = sdp_fmtp_write(c->parameters, c->n_parameters, arena);
        if (!fmtp)
            return ERR_NOMEM;
        out->codecs[out->n_codecs++] =
            (struct sdp_codec){.name = encoding_name(c->mime_type),
                               .fmtp = str(fmtp),
                               .clock_rate = c->clock_rate,
                               .payload_type = c->payload_type,
                               .channels = c->has_channels && c->channels > 1 ? c->channels : 0};
        enum err e = put_feedbacks(c, arena, out);
        if (e != OK)
            return e;
    }
    return OK;
}

static void put_extensions(const struct rtp_parameters *p, struct sdp_media *out)
{
    for (size_t i = 0; i < p->n_header_extensions && out->n_exts < SDP_EXTS_MAX; i++)
        out->exts[out->n_exts++] = (struct sdp_ext){.uri = str(p->header_extensions[i].uri),
                                                    .id = p->header_extensions[i].id};
}

/* ---- simulcast (RFC 8853 5.3.2): what the offerer sends is received, in the offer's order ---- */

static bool is_encoding(const struct rtp_parameters *p, struct slice rid)
{
    for (size_t i = 0; i < p->n_encodings; i++) {
        const char *r = p->encodings[i].rid;
        if (r && strlen(r) == rid.n && memcmp(r, rid.p, rid.n) == 0)
            return true;
    }
    return false;
}

static enum err put_rids(const struct sdp_media *offered, const struct rtp_parameters *p,
                         struct arena *arena, struct sdp_media *out)
{
    enum { LIST_MAX = SDP_RIDS_MAX * (RID_MAX + 1) };
    char *list = arena_alloc(arena, LIST_MAX);
    size_t at = 0;
    if (!list)
        return ERR_NOMEM;
    for (size_t i = 0; i < offered->n_rids; i++) {
        struct slice id = offered->rids[i].id;
        if (!offered->rids[i].send || !is_encoding(p, id) || at + id.n + 1 > LIST_MAX)
            continue;
        out->rids[out->n_rids] = offered->rids[i];
        out->rids[out->n_rids++].send = false;
        if (at > 0)
            list[at++] = ';';
        memcpy(list + at, id.p, id.n);
        at += id.n;
    }
    if (offered->simulcast_send.n > 0 && at > 0)
        out->simulcast_recv = slice_of(list, at);
    return OK;
}

/* ---- sections ---- */

/* Formats stay, since the line needs some; nothing is said about them. */
static void reject(const struct sdp_media *offered, struct sdp_media *out)
{
    out->port = 0;
    out->formats = offered->formats;
    for (size_t i = 0; i < offered->n_codecs; i++)
        out->codecs[out->n_codecs++] =
            (struct sdp_codec){.payload_type = offered->codecs[i].payload_type};
    out->direction = SDP_INACTIVE;
    out->has_direction = true;
}

static void put_transport(const struct sdp_offer *offer, const struct sdp_answer *a,
                          struct sdp_media *out)
{
    struct sdp_transport *t = &out->transport;
    t->ice_ufrag = str(a->ice->username_fragment);
    t->ice_pwd = str(a->ice->password);
    t->ice_options = str("trickle");
    t->setup = offer->setup;
    for (size_t i = 0; i < a->dtls->n_fingerprints; i++) {
        const struct dtls_fingerprint *f = &a->dtls->fingerprints[i];
        /* One is enough, and some clients take only the first line. */
        if (f->algorithm == PARAM_DTLS_HASH_SHA256 && t->n_fingerprints == 0)
            t->fingerprints[t->n_fingerprints++] = (struct sdp_fingerprint){
                .algorithm = str(param_dtls_hash_names[f->algorithm]), .value = str(f->value)};
    }
}

enum err sdp_candidate_of(const struct ice_candidate *c, struct sdp_candidate *out)
{
    bool tcp = c->protocol == PARAM_PROTOCOL_TCP;
    *out = (struct sdp_candidate){.foundation = str(c->foundation),
                                  .transport = str(param_protocol_names[c->protocol]),
                                  .address = str(c->address),
                                  .type = str(param_ice_candidate_type_names[c->type]),
                                  .rest = tcp ? str("tcptype passive") : (struct slice){0},
                                  .priority = c->priority,
                                  .component = 1,
                                  .port = c->port};
    return out->address.n > 0 ? OK : ERR_MALFORMED;
}

static enum err put_candidates(const struct sdp_answer *a, struct sdp_media *out)
{
    for (size_t i = 0; i < a->n_candidates && out->n_candidates < SDP_CANDIDATES_MAX; i++) {
        enum err e = sdp_candidate_of(&a->candidates[i], &out->candidates[out->n_candidates]);
        if (e != OK)
            return e;
        out->n_candidates++;
    }
    out->end_of_candidates = true;
    return OK;
}

/* RFC 8830: the track is named by its section. */
static enum err put_msid(const struct sdp_offer_media *m, const struct sdp_answer *a,
                         struct arena *arena, struct sdp_media *out)
{
    char text[192];
    int n = snprintf(text, sizeof text, "%.64s %.16s%.64s", a->stream ? a->stream : "-",
                     media_kind_names[m->kind], m->mid);
    const char *kept = arena_strndup(arena, text, n > 0 ? (size_t)n : 0);
    out->msid = str(kept);
    return kept ? OK : ERR_NOMEM;
}

static bool has_mid(const struct rtp_parameters *p)
{
    for (size_t i = 0; i < p->n_header_extensions && p->mid; i++) {
        if (strcmp(p->header_extensions[i].uri, rtp_ext_uri(RTP_EXT_MID)) == 0)
            return true;
    }
    return false;
}

/* Where packets do not name their section, their SSRCs tell it (RFC 8843 9.2). Where they do, the
 * stream may go on under another SSRC, so none is announced. */
static void put_ssrcs(const struct rtp_parameters *p, struct sdp_media *out)
{
    struct slice cname = str(p->rtcp && p->rtcp->cname ? p->rtcp->cname : "weir");
    for (size_t i = 0; i < p->n_encodings && i < SDP_SSRC_GROUPS_MAX && !has_mid(p); i++) {
        const struct rtp_encoding_parameters *e = &p->encodings[i];
        out->ssrcs[out->n_ssrcs++] = (struct sdp_ssrc){.ssrc = e->ssrc, .cname = cname};
        if (!e->rtx)
            continue;
        out->ssrcs[out->n_ssrcs++] = (struct sdp_ssrc){.ssrc = e->rtx->ssrc, .cname = cname};
        out->groups[out->n_groups++] = (struct sdp_ssrc_group){
            .semantics = str("FID"), .ssrcs = {e->ssrc, e->rtx->ssrc}, .n_ssrcs = 2};
    }
}

static enum err accept(const struct sdp_offer *offer, const struct sdp_answer *a, size_t i,
                       struct arena *arena, struct sdp_media *out)
{
    const struct sdp_offer_media *m = &offer->media[i];
    const struct rtp_parameters *p = a->media[i].parameters;
    out->port = 9; /* RFC 8839 4.2.1.1: discard, until candidates say better */
    out->address = str("IN IP4 0.0.0.0");
    out->rtcp_mux = true;
    out->rtcp_rsize = m->sdp->rtcp_rsize;
    out->ext_mixed = m->sdp->ext_mixed;
    out->direction = a->media[i].direction;
    out->has_direction = true;
    put_transport(offer, a, out);
    put_extensions(p, out);
    enum err e = put_codecs(p, arena, out);
    if (e == OK && out->direction == SDP_SENDONLY) {
        put_ssrcs(p, out);
        e = put_msid(m, a, arena, out);
    }
    if (e == OK && out->direction == SDP_RECVONLY)
        e = put_rids(m->sdp, p, arena, out);
    return e;
}

static bool was_bundled(const struct sdp *s, struct slice mid)
{
    for (size_t i = 0; i < s->n_bundle; i++) {
        if (s->bundle[i].n == mid.n && memcmp(s->bundle[i].p, mid.p, mid.n) == 0)
            return mid.n > 0;
    }
    return false;
}

enum err sdp_answer_write(const struct sdp_offer *offer, const struct sdp_answer *answer,
                          struct arena *arena, struct wr *w)
{
    struct sdp *s = arena_alloc(arena, sizeof *s);
    bool first = true;
    if (!s)
        return ERR_NOMEM;
    s->origin_user = str("-");
    s->session_id = answer->session_id;
    s->origin_address = str("IN IP4 127.0.0.1");
    s->ice_lite = true;
    s->ext_mixed = offer->sdp->ext_mixed;
    s->msid_semantic = str("WMS *");
    s->n_media = (uint8_t)offer->n_media;
    for (size_t i = 0; i < offer->n_media; i++) {
        const struct sdp_media *offered = offer->media[i].sdp;
        struct sdp_media *out = &s->media[i];
        out->kind = offered->kind;
        out->kind_text = offered->kind_text;
        out->proto = offered->proto;
        out->mid = offered->mid;
        if (!answer->media[i].parameters) {
            reject(offered, out);
            continue;
        }
        enum err e = accept(offer, answer, i, arena, out);
        if (e == OK && first)
            e = put_candidates(answer, out);
        if (e != OK)
            return e;
        first = false;
        if (was_bundled(offer->sdp, offered->mid))
            s->bundle[s->n_bundle++] = offered->mid;
    }
    return sdp_print(s, w);
}
