#include "worker/media/rtp_listener.h"

#include <stdio.h>
#include <string.h>

#include "proto/rtp_ext.h"
#include "worker/media/fail.h"

static bool same_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static const char *rid_of(const struct producer *p, size_t i)
{
    return p->rtp_parameters->encodings[i].rid;
}

static bool has_rid(const struct producer *p, const char *rid)
{
    for (size_t i = 0; i < p->n_streams; i++) {
        if (same_text(rid_of(p, i), rid))
            return true;
    }
    return false;
}

static enum err check_names(const struct transport *t, const struct producer *p,
                            struct field_error *f)
{
    const char *mid = p->rtp_parameters->mid;
    list_each (node, &t->producers) {
        const struct producer *other = container_of(node, struct producer, in_transport);
        if (other == p)
            continue;
        if (same_text(other->rtp_parameters->mid, mid))
            return fail(f, ERR_EXISTS, "rtpParameters.mid", "another producer has it");
        for (size_t i = 0; !mid && i < p->n_streams; i++) {
            char path[64];
            snprintf(path, sizeof path, "rtpParameters.encodings[%zu].rid", i);
            if (rid_of(p, i) && has_rid(other, rid_of(p, i)))
                return fail(f, ERR_EXISTS, path, "another producer has it, and there is no mid");
        }
    }
    return OK;
}

static enum err add_ssrc(struct transport *t, struct producer_stream *s, uint32_t ssrc,
                         const char *member, struct field_error *f)
{
    char path[64];
    enum err e = ssrc_map_add(&t->listener, ssrc, s);
    snprintf(path, sizeof path, "rtpParameters.encodings[%u].%s", s->index, member);
    if (e == ERR_EXISTS)
        return fail(f, e, path, "%u is in use in this transport", ssrc);
    return e == OK ? OK : fail_plain(f, e);
}

enum err rtp_listener_add(struct transport *t, struct producer *p, struct field_error *f)
{
    enum err e = check_names(t, p, f);
    for (size_t i = 0; e == OK && i < p->n_streams; i++) {
        struct producer_stream *s = &p->streams[i];
        if (s->has_ssrc)
            e = add_ssrc(t, s, s->ssrc, "ssrc", f);
        if (e == OK && s->has_rtx_ssrc)
            e = add_ssrc(t, s, s->rtx_ssrc, "rtx.ssrc", f);
    }
    if (e != OK)
        rtp_listener_remove(t, p);
    return e;
}

static void remove_ssrc(struct transport *t, const struct producer_stream *s, uint32_t ssrc)
{
    if (ssrc_map_get(&t->listener, ssrc) != s)
        return;
    ssrc_map_remove(&t->listener, ssrc);
    if (t->opener)
        opener_remove_ssrc(t->opener, ssrc);
}

void rtp_listener_remove(struct transport *t, const struct producer *p)
{
    for (size_t i = 0; i < p->n_streams; i++) {
        const struct producer_stream *s = &p->streams[i];
        if (s->has_ssrc)
            remove_ssrc(t, s, s->ssrc);
        if (s->has_rtx_ssrc)
            remove_ssrc(t, s, s->rtx_ssrc);
    }
}

static bool read_ext(const struct transport *t, const struct rtp_view *v, enum rtp_ext_kind kind,
                     char out[RTP_EXT_TEXT_MAX + 1])
{
    uint8_t id = t->recv_ext.of[kind];
    return id != 0 && rtp_ext_read_text(rtp_ext_find(v, id), out, RTP_EXT_TEXT_MAX + 1) == OK;
}

/* The stream of p with this RID; without one the only stream of a producer without RIDs. */
static struct producer_stream *stream_by_rid(struct producer *p, const char *rid)
{
    for (size_t i = 0; i < p->n_streams; i++) {
        const char *own = rid_of(p, i);
        if (rid ? same_text(own, rid) : (!own && p->n_streams == 1))
            return &p->streams[i];
    }
    return NULL;
}

/* The payload type says whether the SSRC is that of media or of retransmissions. A stream whose
 * SSRC is known keeps it: an encoder that starts anew with another SSRC under the same RID is told
 * by its producer being closed. */
static bool take_ssrc(struct transport *t, struct producer_stream *s, const struct rtp_view *v)
{
    const struct producer *p = s->producer;
    const struct codec_entry *e = codec_table_get(&p->codecs, v->payload_type);
    if (!e)
        return false;
    bool rtx = codec_is_rtx(e->codec);
    if (rtx ? s->has_rtx_ssrc || !s->has_ssrc : s->has_ssrc)
        return false;
    if (ssrc_map_add(&t->listener, v->ssrc, s) != OK)
        return false;
    if (rtx) {
        s->has_rtx_ssrc = true;
        s->rtx_ssrc = v->ssrc;
    } else {
        s->has_ssrc = true;
        s->ssrc = v->ssrc;
    }
    return true;
}

static struct producer_stream *learn(struct transport *t, const struct rtp_view *v)
{
    char mid[RTP_EXT_TEXT_MAX + 1];
    char rid[RTP_EXT_TEXT_MAX + 1];
    if (v->ext_at == 0)
        return NULL;
    bool has_mid = read_ext(t, v, RTP_EXT_MID, mid);
    bool has_rid_ext = read_ext(t, v, RTP_EXT_RID, rid) || read_ext(t, v, RTP_EXT_RRID, rid);
    if (!has_mid && !has_rid_ext)
        return NULL;
    list_each (node, &t->producers) {
        struct producer *p = container_of(node, struct producer, in_transport);
        const char *own = p->rtp_parameters->mid;
        if (has_mid ? !same_text(own, mid) : !has_rid(p, rid))
            continue;
        struct producer_stream *s = stream_by_rid(p, has_rid_ext ? rid : NULL);
        return s && take_ssrc(t, s, v) ? s : NULL;
    }
    return NULL;
}

struct producer_stream *rtp_listener_find(struct transport *t, const struct rtp_view *v)
{
    struct producer_stream *s = ssrc_map_get(&t->listener, v->ssrc);
    return s ? s : learn(t, v);
}
