#include "proto/sdp_text.h"

const char *const sdp_direction_names[4] = {"sendrecv", "sendonly", "recvonly", "inactive"};
const char *const sdp_setup_names[4] = {"", "active", "passive", "actpass"};

/* What an attribute's parser is given. */
struct context {
    struct sdp *s;
    struct sdp_media *m; /* NULL: the session */
    struct sdp_transport *t;
};

static enum err number(struct slice text, uint64_t max, uint64_t *out)
{
    *out = 0;
    return sdp_number(text, max, out) ? OK : ERR_RANGE;
}

static enum err read_u16(struct slice text, uint16_t *out)
{
    uint64_t v;
    enum err e = number(text, UINT16_MAX, &v);
    *out = (uint16_t)v;
    return e;
}

static enum err read_u32(struct slice text, uint32_t *out)
{
    uint64_t v;
    enum err e = number(text, UINT32_MAX, &v);
    *out = (uint32_t)v;
    return e;
}

static enum err read_payload_type(struct slice text, uint8_t *out)
{
    uint64_t v;
    enum err e = number(text, 127, &v);
    *out = (uint8_t)v;
    return e;
}

/* ---- lines other than a= ---- */

static enum err read_origin(struct sdp *s, struct slice v)
{
    s->origin_user = sdp_token(&v, ' ');
    struct slice id = sdp_token(&v, ' ');
    struct slice version = sdp_token(&v, ' ');
    s->origin_address = v;
    enum err e = number(id, UINT64_MAX, &s->session_id);
    if (e == OK)
        e = number(version, UINT64_MAX, &s->session_version);
    return e == OK && v.n == 0 ? ERR_MALFORMED : e;
}

static enum sdp_kind kind_of(struct slice text)
{
    if (sdp_is(text, "audio"))
        return SDP_AUDIO;
    if (sdp_is(text, "video"))
        return SDP_VIDEO;
    return sdp_is(text, "application") ? SDP_APPLICATION : SDP_OTHER;
}

static bool is_rtp(struct slice proto)
{
    for (size_t i = 0; i + 4 <= proto.n; i++)
        if (memcmp(proto.p + i, "RTP/", 4) == 0)
            return true;
    return false;
}

static struct sdp_codec *codec_of(struct sdp_media *m, uint8_t payload_type)
{
    for (size_t i = 0; i < m->n_codecs; i++)
        if (m->codecs[i].payload_type == payload_type)
            return &m->codecs[i];
    return NULL;
}

static enum err read_payload_types(struct sdp_media *m, struct slice v)
{
    while (v.n > 0) {
        uint8_t pt = 0;
        enum err e = read_payload_type(sdp_token(&v, ' '), &pt);
        if (e != OK)
            return e;
        if (codec_of(m, pt) != NULL)
            return ERR_MALFORMED;
        if (m->n_codecs == SDP_CODECS_MAX)
            return ERR_TOO_LARGE;
        m->codecs[m->n_codecs++].payload_type = pt;
    }
    return m->n_codecs > 0 ? OK : ERR_MALFORMED;
}

static enum err read_media(struct context *c, struct slice v)
{
    if (c->s->n_media == SDP_MEDIA_MAX)
        return ERR_TOO_LARGE;
    struct sdp_media *m = &c->s->media[c->s->n_media];
    memset(m, 0, sizeof *m);
    m->kind_text = sdp_token(&v, ' ');
    m->kind = kind_of(m->kind_text);
    struct slice port = sdp_token(&v, ' ');
    enum err e = read_u16(sdp_token(&port, '/'), &m->port);
    if (e != OK)
        return e;
    m->proto = sdp_token(&v, ' ');
    if (v.n == 0)
        return ERR_MALFORMED;
    if (is_rtp(m->proto))
        e = read_payload_types(m, v);
    else
        m->formats = v;
    c->s->n_media++;
    c->m = m;
    c->t = &m->transport;
    return e;
}

static enum err read_bandwidth(struct context *c, struct slice v)
{
    struct slice type = sdp_token(&v, ':');
    if (c->m == NULL || !sdp_is(type, "AS"))
        return OK;
    return read_u32(v, &c->m->bandwidth_as_kbps);
}

/* ---- attributes of media ---- */

static enum err read_rtpmap(struct context *c, struct slice v)
{
    uint8_t pt = 0;
    enum err e = read_payload_type(sdp_token(&v, ' '), &pt);
    struct sdp_codec *codec = codec_of(c->m, pt);
    if (e != OK || codec == NULL)
        return e;
    codec->name = sdp_token(&v, '/');
    if (codec->name.n == 0)
        return ERR_MALFORMED;
    e = read_u32(sdp_token(&v, '/'), &codec->clock_rate);
    uint64_t channels = 0;
    if (e == OK && v.n > 0)
        e = number(v, UINT8_MAX, &channels);
    codec->channels = (uint8_t)channels;
    return e;
}

static enum err read_fmtp(struct context *c, struct slice v)
{
    uint8_t pt = 0;
    enum err e = read_payload_type(sdp_token(&v, ' '), &pt);
    struct sdp_codec *codec = codec_of(c->m, pt);
    if (e == OK && codec != NULL)
        codec->fmtp = v;
    return e;
}

static enum err read_feedback(struct context *c, struct slice v)
{
    struct slice which = sdp_token(&v, ' ');
    struct sdp_feedback f = {.value = v, .payload_type = SDP_PT_ALL};
    enum err e = sdp_is(which, "*") ? OK : read_payload_type(which, &f.payload_type);
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

static enum err read_extmap(struct context *c, struct slice v)
{
    struct sdp_ext x = {0};
    struct slice head = sdp_token(&v, ' ');
    uint64_t id = 0;
    enum err e = number(sdp_token(&head, '/'), UINT16_MAX, &id);
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

static enum err read_ssrc(struct context *c, struct slice v)
{
    uint32_t ssrc = 0;
    size_t i = 0;
    enum err e = read_u32(sdp_token(&v, ' '), &ssrc);
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

static enum err read_ssrc_group(struct context *c, struct slice v)
{
    struct sdp_ssrc_group g = {.semantics = sdp_token(&v, ' ')};
    while (v.n > 0) {
        if (g.n_ssrcs == SDP_SSRC_GROUP_MAX)
            return ERR_TOO_LARGE;
        enum err e = read_u32(sdp_token(&v, ' '), &g.ssrcs[g.n_ssrcs++]);
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

static enum err read_rid(struct context *c, struct slice v)
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

static enum err read_simulcast(struct context *c, struct slice v)
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

static enum err read_candidate(struct context *c, struct slice v)
{
    struct sdp_candidate k = {.foundation = sdp_token(&v, ' ')};
    enum err e = read_u16(sdp_token(&v, ' '), &k.component);
    k.transport = sdp_token(&v, ' ');
    if (e == OK)
        e = read_u32(sdp_token(&v, ' '), &k.priority);
    k.address = sdp_token(&v, ' ');
    if (e == OK)
        e = read_u16(sdp_token(&v, ' '), &k.port);
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

static enum err read_rtcp(struct context *c, struct slice v)
{
    return read_u16(sdp_token(&v, ' '), &c->m->rtcp_port);
}

static enum err read_mid(struct context *c, struct slice v)
{
    c->m->mid = v;
    return OK;
}

static enum err read_msid(struct context *c, struct slice v)
{
    c->m->msid = v;
    return OK;
}

static enum err read_sctp_port(struct context *c, struct slice v)
{
    return read_u16(v, &c->m->sctp_port);
}

static enum err read_max_message_size(struct context *c, struct slice v)
{
    return read_u32(v, &c->m->max_message_size);
}

static enum err set_rtcp_mux(struct context *c, struct slice v)
{
    (void)v;
    c->m->rtcp_mux = true;
    return OK;
}

static enum err set_rtcp_rsize(struct context *c, struct slice v)
{
    (void)v;
    c->m->rtcp_rsize = true;
    return OK;
}

static enum err set_bundle_only(struct context *c, struct slice v)
{
    (void)v;
    c->m->bundle_only = true;
    return OK;
}

static enum err set_end_of_candidates(struct context *c, struct slice v)
{
    (void)v;
    c->m->end_of_candidates = true;
    return OK;
}

/* ---- attributes of the session, or of both ---- */

static enum err read_group(struct context *c, struct slice v)
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

static enum err read_msid_semantic(struct context *c, struct slice v)
{
    if (c->m == NULL)
        c->s->msid_semantic = v;
    return OK;
}

static enum err set_ice_lite(struct context *c, struct slice v)
{
    (void)v;
    if (c->m == NULL)
        c->s->ice_lite = true;
    return OK;
}

static enum err set_ext_mixed(struct context *c, struct slice v)
{
    (void)v;
    if (c->m != NULL)
        c->m->ext_mixed = true;
    else
        c->s->ext_mixed = true;
    return OK;
}

static enum err read_ice_ufrag(struct context *c, struct slice v)
{
    c->t->ice_ufrag = v;
    return OK;
}

static enum err read_ice_pwd(struct context *c, struct slice v)
{
    c->t->ice_pwd = v;
    return OK;
}

static enum err read_ice_options(struct context *c, struct slice v)
{
    c->t->ice_options = v;
    return OK;
}

static enum err read_fingerprint(struct context *c, struct slice v)
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

static enum err read_setup(struct context *c, struct slice v)
{
    c->t->setup = SDP_SETUP_NONE; /* also for holdconn, which nobody speaks */
    for (unsigned i = 1; i < 4; i++)
        if (sdp_is(v, sdp_setup_names[i]))
            c->t->setup = (enum sdp_setup)i;
    return OK;
}

static const struct {
    const char *name;
    enum err (*read)(struct context *c, struct slice v);
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

static enum err read_attribute(struct context *c, struct slice v)
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

static enum err read_line(struct context *c, char type, struct slice v, unsigned *seen)
{
    /* RFC 8866 5: v=, o= and s= come first, in this order. */
    static const char order[] = "vos";
    if (*seen < 3) {
        if (type != order[*seen])
            return ERR_TRUNCATED;
        ++*seen;
    }
    switch (type) {
    case 'v':
        return sdp_is(v, "0") ? OK : ERR_MALFORMED;
    case 'o':
        return read_origin(c->s, v);
    case 's':
        c->s->name = v.n > 0 ? v : slice_of("-", 1);
        return OK;
    case 'c':
        *(c->m != NULL ? &c->m->address : &c->s->address) = v;
        return OK;
    case 'b':
        return read_bandwidth(c, v);
    case 'm':
        return read_media(c, v);
    case 'a':
        return read_attribute(c, v);
    default:
        return OK;
    }
}

/* The next line without its end; ERR_MALFORMED for control characters and what is no line. */
static enum err take_line(struct slice *text, struct slice *line)
{
    const uint8_t *end = memchr(text->p, '\n', text->n);
    size_t n = end != NULL ? (size_t)(end - text->p) : text->n;
    size_t used = end != NULL ? n + 1 : n;
    *line = slice_of(text->p, n > 0 && text->p[n - 1] == '\r' ? n - 1 : n);
    *text = slice_of(text->p + used, text->n - used);
    for (size_t i = 0; i < line->n; i++)
        if (line->p[i] < 0x20)
            return ERR_MALFORMED;
    return line->n == 1 || (line->n > 1 && line->p[1] != '=') ? ERR_MALFORMED : OK;
}

enum err sdp_parse(struct sdp *s, struct slice text, unsigned *line)
{
    struct context c = {.s = s, .t = &s->transport};
    unsigned seen = 0;
    memset(s, 0, offsetof(struct sdp, media));
    s->n_media = 0;
    *line = 0;
    if (text.n > SDP_TEXT_MAX)
        return ERR_TOO_LARGE;
    while (text.n > 0) {
        struct slice l;
        ++*line;
        enum err e = take_line(&text, &l);
        if (e == OK && l.n > 0)
            e = read_line(&c, (char)l.p[0], sdp_trim(slice_of(l.p + 2, l.n - 2)), &seen);
        if (e != OK)
            return e;
    }
    return seen < 3 ? ERR_TRUNCATED : OK;
}
