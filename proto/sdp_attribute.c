#include "proto/sdp_text.h"

const char *const sdp_direction_names[4] = {"sendrecv", "sendonly", "recvonly", "inactive"};
const char *const sdp_setup_names[4] = {"", "active", "passive", "actpass"};

static struct sdp_codec *codec_of(struct sdp_media *m, uint8_t payload_type)
{
    for (size_t i = 0; i < m->n_codecs; i++)
        if (m->codecs[i].payload_type == payload_type)
            return &m->codecs[i];
    return NULL;
}

/* ---- attributes of media ---- */

static enum err read_rtpmap(struct sdp_context *c, struct slice v)
{
    uint8_t pt = 0;
    enum err e = sdp_payload_type(sdp_token(&v, ' '), &pt);
    struct sdp_codec *codec = codec_of(c->m, pt);
    if (e != OK || codec == NULL)
        return e;
    codec->name = sdp_token(&v, '/');
    if (codec->name.n == 0)
        return ERR_MALFORMED;
    e = sdp_u32(sdp_token(&v, '/'), &codec->clock_rate);
    uint64_t channels = 0;
    if (e == OK && v.n > 0)
        e = sdp_bounded(v, UINT8_MAX, &channels);
    codec->channels = (uint8_t)channels;
    return e;
}

static enum err read_fmtp(struct sdp_context *c, struct slice v)
{
    uint8_t pt = 0;
    enum err e = sdp_payload_type(sdp_token(&v, ' '), &pt);
    struct sdp_codec *codec = codec_of(c->m, pt);
    if (e == OK && codec != NULL)
        codec->fmtp = v;
    return e;
}

static enum err read_feedback(struct sdp_context *c, struct slice v)
{
    struct slice which = sdp_token(&v, ' ');
    struct sdp_feedback f = {.value = v, .payload_type = SDP_PT_ALL};
    enum err e = sdp_is(which, "*") ? OK : sdp_payload_type(which, &f.payload_type);
    if (e != OK || v.n == 0)
        return e != OK ? e : ERR_MALFORMED;
    if (c->m->n_feedbacks == SDP_FEEDBACKS_MAX)
        return ERR_TOO_LARGE;
    c->m->feedbacks[c->m->n_feedbacks++] = f;
    return OK;
}

static bool read_direction(struct slice name, enum sdp_direction *out)
{
    for (unsigned i = 0; i < 4; i++) {
        if (sdp_is(name, sdp_direction_names[i])) {
            *out = (enum sdp_direction)i;
            return true;
        }
    }
    return false;
}

static enum err read_extmap(struct sdp_context *c, struct slice v)
{
    struct sdp_ext x = {0};
    struct slice head = sdp_token(&v, ' ');
    uint64_t id = 0;
    enum err e = sdp_bounded(sdp_token(&head, '/'), UINT16_MAX, &id);
    if (e != OK)
        return e;
    if (id == 0 || id > UINT8_MAX) /* RFC 8285 6: 4096 and up are provisional: not for the wire */
        return OK;
    x.id = (uint8_t)id;
    x.has_direction = head.n > 0;
    if (x.has_direction && !read_direction(head, &x.direction))
        return ERR_MALFORMED;
    x.uri = sdp_token(&v, ' ');
    if (x.uri.n == 0)
        return ERR_MALFORMED;
    if (c->m->n_exts == SDP_EXTS_MAX)
        return ERR_TOO_LARGE;
    c->m->exts[c->m->n_exts++] = x;
    return OK;
}

static enum err read_ssrc(struct sdp_context *c, struct slice v)
{
    uint32_t ssrc = 0;
    size_t i = 0;
    enum err e = sdp_u32(sdp_token(&v, ' '), &ssrc);
    if (e != OK)
        return e;
    while (i < c->m->n_ssrcs && c->m->ssrcs[i].ssrc != ssrc)
        i++;
    if (i == SDP_SSRCS_MAX)
        return ERR_TOO_LARGE;
    if (i == c->m->n_ssrcs)
        c->m->ssrcs[c->m->n_ssrcs++].ssrc = ssrc;
    struct slice name = sdp_token(&v, ':');
    if (sdp_is(name, "cname"))
        c->m->ssrcs[i].cname = v;
    else if (sdp_is(name, "msid"))
        c->m->ssrcs[i].msid = v;
    return OK;
}

static enum err read_ssrc_group(struct sdp_context *c, struct slice v)
{
    struct sdp_ssrc_group g = {.semantics = sdp_token(&v, ' ')};
    while (v.n > 0) {
        if (g.n_ssrcs == SDP_SSRC_GROUP_MAX)
            return ERR_TOO_LARGE;
        enum err e = sdp_u32(sdp_token(&v, ' '), &g.ssrcs[g.n_ssrcs++]);
        if (e != OK)
            return e;
    }
    if (g.semantics.n == 0 || g.n_ssrcs == 0)
        return ERR_MALFORMED;
    if (c->m->n_groups == SDP_SSRC_GROUPS_MAX)
        return ERR_TOO_LARGE;
    c->m->groups[c->m->n_groups++] = g;
    return OK;
}

static enum err read_rid(struct sdp_context *c, struct slice v)
{
    struct sdp_rid rid = {.id = sdp_token(&v, ' ')};
    struct slice direction = sdp_token(&v, ' ');
    rid.send = sdp_is(direction, "send");
    rid.restrictions = v;
    if (!rid.send && !sdp_is(direction, "recv"))
        return ERR_MALFORMED;
    if (c->m->n_rids == SDP_RIDS_MAX)
        return ERR_TOO_LARGE;
    c->m->rids[c->m->n_rids++] = rid;
    return OK;
}

static enum err read_simulcast(struct sdp_context *c, struct slice v)
{
    while (v.n > 0) {
        struct slice direction = sdp_token(&v, ' ');
        struct slice list = sdp_token(&v, ' ');
        if (list.n == 0)
            return ERR_MALFORMED;
        if (sdp_is(direction, "send"))
            c->m->simulcast_send = list;
        else if (sdp_is(direction, "recv"))
            c->m->simulcast_recv = list;
        else
            return ERR_MALFORMED;
    }
    return OK;
}

static enum err read_candidate(struct sdp_context *c, struct slice v)
{
    struct sdp_candidate k = {.foundation = sdp_token(&v, ' ')};
    enum err e = sdp_u16(sdp_token(&v, ' '), &k.component);
    k.transport = sdp_token(&v, ' ');
    if (e == OK)
        e = sdp_u32(sdp_token(&v, ' '), &k.priority);
    k.address = sdp_token(&v, ' ');
    if (e == OK)
        e = sdp_u16(sdp_token(&v, ' '), &k.port);
    struct slice typ = sdp_token(&v, ' ');
    k.type = sdp_token(&v, ' ');
    k.rest = v;
    if (e != OK)
        return e;
    if (!sdp_is(typ, "typ") || k.type.n == 0)
        return ERR_MALFORMED;
    if (c->m->n_candidates == SDP_CANDIDATES_MAX)
        return ERR_TOO_LARGE;
    c->m->candidates[c->m->n_candidates++] = k;
    return OK;
}

static enum err read_rtcp(struct sdp_context *c, struct slice v)
{
    return sdp_u16(sdp_token(&v, ' '), &c->m->rtcp_port);
}

static enum err read_mid(struct sdp_context *c, struct slice v)
{
    c->m->mid = v;
    return OK;
}

static enum err read_msid(struct sdp_context *c, struct slice v)
{
    c->m->msid = v;
    return OK;
}

static enum err read_sctp_port(struct sdp_context *c, struct slice v)
{
    return sdp_u16(v, &c->m->sctp_port);
}

static enum err read_max_message_size(struct sdp_context *c, struct slice v)
{
    return sdp_u32(v, &c->m->max_message_size);
}

static enum err set_rtcp_mux(struct sdp_context *c, struct slice v)
{
    (void)v;
    c->m->rtcp_mux = true;
    return OK;
}

static enum err set_rtcp_rsize(struct sdp_context *c, struct slice v)
{
    (void)v;
    c->m->rtcp_rsize = true;
    return OK;
}

static enum err set_bundle_only(struct sdp_context *c, struct slice v)
{
    (void)v;
    c->m->bundle_only = true;
    return OK;
}

static enum err set_end_of_candidates(struct sdp_context *c, struct slice v)
{
    (void)v;
    c->m->end_of_candidates = true;
    return OK;
}

/* ---- attributes of the session, or of both ---- */

static enum err read_group(struct sdp_context *c, struct slice v)
{
    if (!sdp_is(sdp_token(&v, ' '), "BUNDLE") || c->m != NULL)
        return OK;
    while (v.n > 0) {
        if (c->s->n_bundle == SDP_BUNDLE_MAX)
            return ERR_TOO_LARGE;
        c->s->bundle[c->s->n_bundle++] = sdp_token(&v, ' ');
    }
    return OK;
}

static enum err read_msid_semantic(struct sdp_context *c, struct slice v)
{
    if (c->m == NULL)
        c->s->msid_semantic = v;
    return OK;
}

static enum err set_ice_lite(struct sdp_context *c, struct slice v)
{
    (void)v;
    if (c->m == NULL)
        c->s->ice_lite = true;
    return OK;
}

static enum err set_ext_mixed(struct sdp_context *c, struct slice v)
{
    (void)v;
    if (c->m != NULL)
        c->m->ext_mixed = true;
    else
        c->s->ext_mixed = true;
    return OK;
}

static enum err read_ice_ufrag(struct sdp_context *c, struct slice v)
{
    c->t->ice_ufrag = v;
    return OK;
}

static enum err read_ice_pwd(struct sdp_context *c, struct slice v)
{
    c->t->ice_pwd = v;
    return OK;
}

static enum err read_ice_options(struct sdp_context *c, struct slice v)
{
    c->t->ice_options = v;
    return OK;
}

static enum err read_fingerprint(struct sdp_context *c, struct slice v)
{
    struct sdp_fingerprint f = {.algorithm = sdp_token(&v, ' ')};
    f.value = sdp_token(&v, ' ');
    if (f.value.n == 0)
        return ERR_MALFORMED;
    if (c->t->n_fingerprints == SDP_FINGERPRINTS_MAX)
        return ERR_TOO_LARGE;
    c->t->fingerprints[c->t->n_fingerprints++] = f;
    return OK;
}

static enum err read_setup(struct sdp_context *c, struct slice v)
{
    c->t->setup = SDP_SETUP_NONE; /* also for holdconn, which nobody speaks */
    for (unsigned i = 1; i < 4; i++)
        if (sdp_is(v, sdp_setup_names[i]))
            c->t->setup = (enum sdp_setup)i;
    return OK;
}

static const struct {
    const char *name;
    enum err (*read)(struct sdp_context *c, struct slice v);
    bool media_only;
} attributes[] = {
    {"rtpmap", read_rtpmap, true},
    {"fmtp", read_fmtp, true},
    {"rtcp-fb", read_feedback, true},
    {"extmap", read_extmap, true},
    {"ssrc", read_ssrc, true},
    {"ssrc-group", read_ssrc_group, true},
    {"rid", read_rid, true},
    {"simulcast", read_simulcast, true},
    {"candidate", read_candidate, true},
    {"rtcp", read_rtcp, true},
    {"mid", read_mid, true},
    {"msid", read_msid, true},
    {"sctp-port", read_sctp_port, true},
    {"max-message-size", read_max_message_size, true},
    {"rtcp-mux", set_rtcp_mux, true},
    {"rtcp-rsize", set_rtcp_rsize, true},
    {"bundle-only", set_bundle_only, true},
    {"end-of-candidates", set_end_of_candidates, true},
    {"group", read_group, false},
    {"msid-semantic", read_msid_semantic, false},
    {"ice-lite", set_ice_lite, false},
    {"extmap-allow-mixed", set_ext_mixed, false},
    {"ice-ufrag", read_ice_ufrag, false},
    {"ice-pwd", read_ice_pwd, false},
    {"ice-options", read_ice_options, false},
    {"fingerprint", read_fingerprint, false},
    {"setup", read_setup, false},
};

enum err sdp_read_attribute(struct sdp_context *c, struct slice v)
{
    struct slice name = sdp_token(&v, ':');
    enum sdp_direction direction = SDP_SENDRECV;
    if (read_direction(name, &direction)) {
        if (c->m != NULL) {
            c->m->direction = direction;
            c->m->has_direction = true;
        } else {
            c->s->direction = direction;
            c->s->has_direction = true;
        }
        return OK;
    }
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
        if (sdp_is(name, attributes[i].name))
            return attributes[i].media_only && c->m == NULL ? OK : attributes[i].read(c, v);
    return OK;
}
