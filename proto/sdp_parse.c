#include "proto/sdp_text.h"

/* ---- lines other than a= ---- */

static enum err read_origin(struct sdp *s, struct slice v)
{
    s->origin_user = sdp_token(&v, ' ');
    struct slice id = sdp_token(&v, ' ');
    struct slice version = sdp_token(&v, ' ');
    s->origin_address = v;
    enum err e = sdp_bounded(id, UINT64_MAX, &s->session_id);
    if (e == OK)
        e = sdp_bounded(version, UINT64_MAX, &s->session_version);
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

static enum err read_payload_types(struct sdp_media *m, struct slice v)
{
    while (v.n > 0) {
        uint8_t pt = 0;
        enum err e = sdp_payload_type(sdp_token(&v, ' '), &pt);
        if (e != OK)
            return e;
        if (sdp_codec_find(m, pt) != NULL)
            return ERR_MALFORMED;
        if (m->n_codecs == SDP_CODECS_MAX)
            return ERR_TOO_LARGE;
        m->codecs[m->n_codecs++].payload_type = pt;
    }
    return m->n_codecs > 0 ? OK : ERR_MALFORMED;
}

static enum err read_media(struct sdp_context *c, struct slice v)
{
    if (c->s->n_media == SDP_MEDIA_MAX)
        return ERR_TOO_LARGE;
    struct sdp_media *m = &c->s->media[c->s->n_media];
    memset(m, 0, sizeof *m);
    m->kind_text = sdp_token(&v, ' ');
    m->kind = kind_of(m->kind_text);
    struct slice port = sdp_token(&v, ' ');
    enum err e = sdp_u16(sdp_token(&port, '/'), &m->port);
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

static enum err read_bandwidth(struct sdp_context *c, struct slice v)
{
    struct slice type = sdp_token(&v, ':');
    if (c->m == NULL || !sdp_is(type, "AS"))
        return OK;
    return sdp_u32(v, &c->m->bandwidth_as_kbps);
}

static enum err read_line(struct sdp_context *c, char type, struct slice v, unsigned *seen)
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
        return sdp_read_attribute(c, v);
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
    struct sdp_context c = {.s = s, .t = &s->transport};
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
