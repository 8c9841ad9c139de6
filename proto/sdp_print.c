#include <stdio.h>

#include "common/addr.h"
#include "proto/sdp_text.h"

/* A writer that refuses control characters: nothing that a peer sent can end a line. */
struct out {
    struct wr *w;
    bool bad_text;
};

static void text(struct out *o, const char *t)
{
    wr_bytes(o->w, t, strlen(t));
}

static void checked(struct out *o, struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        o->bad_text |= s.p[i] < 0x20;
    wr_bytes(o->w, s.p, s.n);
}

static void num(struct out *o, uint64_t v)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)v);
    wr_bytes(o->w, digits, (size_t)n);
}

static void end(struct out *o)
{
    text(o, "\r\n");
}

/* One line "<head><value>"; nothing when there is no value. */
static void line(struct out *o, const char *head, struct slice value)
{
    if (value.n == 0)
        return;
    text(o, head);
    checked(o, value);
    end(o);
}

static void line_num(struct out *o, const char *head, uint64_t value)
{
    if (value == 0)
        return;
    text(o, head);
    num(o, value);
    end(o);
}

static void flag(struct out *o, const char *whole, bool on)
{
    if (!on)
        return;
    text(o, whole);
    end(o);
}

static void direction(struct out *o, bool has, enum sdp_direction d)
{
    if (!has)
        return;
    text(o, "a=");
    text(o, sdp_direction_names[d & 3]);
    end(o);
}

static void transport(struct out *o, const struct sdp_transport *t)
{
    line(o, "a=ice-ufrag:", t->ice_ufrag);
    line(o, "a=ice-pwd:", t->ice_pwd);
    line(o, "a=ice-options:", t->ice_options);
    for (size_t i = 0; i < t->n_fingerprints; i++) {
        text(o, "a=fingerprint:");
        checked(o, t->fingerprints[i].algorithm);
        text(o, " ");
        checked(o, t->fingerprints[i].value);
        end(o);
    }
    if (t->setup != SDP_SETUP_NONE) {
        text(o, "a=setup:");
        text(o, sdp_setup_names[t->setup & 3]);
        end(o);
    }
}

static void codec(struct out *o, const struct sdp_codec *c)
{
    if (c->name.n > 0) {
        text(o, "a=rtpmap:");
        num(o, c->payload_type);
        text(o, " ");
        checked(o, c->name);
        text(o, "/");
        num(o, c->clock_rate);
        if (c->channels > 0) {
            text(o, "/");
            num(o, c->channels);
        }
        end(o);
    }
    if (c->fmtp.n > 0) {
        text(o, "a=fmtp:");
        num(o, c->payload_type);
        text(o, " ");
        checked(o, c->fmtp);
        end(o);
    }
}

static void feedback(struct out *o, const struct sdp_feedback *f)
{
    text(o, "a=rtcp-fb:");
    if (f->payload_type == SDP_PT_ALL)
        text(o, "*");
    else
        num(o, f->payload_type);
    text(o, " ");
    checked(o, f->value);
    end(o);
}

static void extmap(struct out *o, const struct sdp_ext *x)
{
    text(o, "a=extmap:");
    num(o, x->id);
    if (x->has_direction) {
        text(o, "/");
        text(o, sdp_direction_names[x->direction & 3]);
    }
    text(o, " ");
    checked(o, x->uri);
    end(o);
}

static void ssrc_value(struct out *o, uint32_t ssrc, const char *name, struct slice value)
{
    if (value.n == 0)
        return;
    text(o, "a=ssrc:");
    num(o, ssrc);
    text(o, name);
    checked(o, value);
    end(o);
}

static void ssrcs(struct out *o, const struct sdp_media *m)
{
    for (size_t i = 0; i < m->n_groups; i++) {
        text(o, "a=ssrc-group:");
        checked(o, m->groups[i].semantics);
        for (size_t k = 0; k < m->groups[i].n_ssrcs; k++) {
            text(o, " ");
            num(o, m->groups[i].ssrcs[k]);
        }
        end(o);
    }
    for (size_t i = 0; i < m->n_ssrcs; i++) {
        const struct sdp_ssrc *s = &m->ssrcs[i];
        ssrc_value(o, s->ssrc, " cname:", s->cname);
        ssrc_value(o, s->ssrc, " msid:", s->msid);
        if (s->cname.n == 0 && s->msid.n == 0) {
            text(o, "a=ssrc:");
            num(o, s->ssrc);
            end(o);
        }
    }
}

static void rids(struct out *o, const struct sdp_media *m)
{
    for (size_t i = 0; i < m->n_rids; i++) {
        text(o, "a=rid:");
        checked(o, m->rids[i].id);
        text(o, m->rids[i].send ? " send" : " recv");
        if (m->rids[i].restrictions.n > 0) {
            text(o, " ");
            checked(o, m->rids[i].restrictions);
        }
        end(o);
    }
    if (m->simulcast_send.n == 0 && m->simulcast_recv.n == 0)
        return;
    text(o, "a=simulcast:");
    if (m->simulcast_send.n > 0) {
        text(o, "send ");
        checked(o, m->simulcast_send);
    }
    if (m->simulcast_recv.n > 0) {
        text(o, m->simulcast_send.n > 0 ? " recv " : "recv ");
        checked(o, m->simulcast_recv);
    }
    end(o);
}

static void candidate(struct out *o, const struct sdp_candidate *k)
{
    text(o, "a=candidate:");
    checked(o, k->foundation);
    text(o, " ");
    num(o, k->component);
    text(o, " ");
    checked(o, k->transport);
    text(o, " ");
    num(o, k->priority);
    text(o, " ");
    checked(o, k->address);
    text(o, " ");
    num(o, k->port);
    text(o, " typ ");
    checked(o, k->type);
    if (k->rest.n > 0) {
        text(o, " ");
        checked(o, k->rest);
    }
    end(o);
}

static void media_head(struct out *o, const struct sdp_media *m)
{
    text(o, "m=");
    checked(o, m->kind_text);
    text(o, " ");
    num(o, m->port);
    text(o, " ");
    checked(o, m->proto);
    for (size_t i = 0; i < m->n_codecs; i++) {
        text(o, " ");
        num(o, m->codecs[i].payload_type);
    }
    if (m->n_codecs == 0) {
        text(o, " ");
        checked(o, m->formats);
    }
    end(o);
    line(o, "c=", m->address);
    line_num(o, "b=AS:", m->bandwidth_as_kbps);
    line_num(o, "a=rtcp:", m->rtcp_port);
}

static void media(struct out *o, const struct sdp_media *m)
{
    media_head(o, m);
    for (size_t i = 0; i < m->n_candidates; i++)
        candidate(o, &m->candidates[i]);
    flag(o, "a=end-of-candidates", m->end_of_candidates);
    transport(o, &m->transport);
    line(o, "a=mid:", m->mid);
    flag(o, "a=bundle-only", m->bundle_only);
    flag(o, "a=extmap-allow-mixed", m->ext_mixed);
    for (size_t i = 0; i < m->n_exts; i++)
        extmap(o, &m->exts[i]);
    direction(o, m->has_direction, m->direction);
    line(o, "a=msid:", m->msid);
    flag(o, "a=rtcp-mux", m->rtcp_mux);
    flag(o, "a=rtcp-rsize", m->rtcp_rsize);
    for (size_t i = 0; i < m->n_codecs; i++)
        codec(o, &m->codecs[i]);
    for (size_t i = 0; i < m->n_feedbacks; i++)
        feedback(o, &m->feedbacks[i]);
    rids(o, m);
    ssrcs(o, m);
    line_num(o, "a=sctp-port:", m->sctp_port);
    line_num(o, "a=max-message-size:", m->max_message_size);
}

enum err sdp_print(const struct sdp *s, struct wr *w)
{
    struct out o = {.w = w};
    text(&o, "v=0\r\no=");
    checked(&o, s->origin_user);
    text(&o, " ");
    num(&o, s->session_id);
    text(&o, " ");
    num(&o, s->session_version);
    text(&o, " ");
    checked(&o, s->origin_address);
    end(&o);
    line(&o, "s=", s->name.n > 0 ? s->name : slice_of("-", 1));
    line(&o, "c=", s->address);
    text(&o, "t=0 0\r\n");
    if (s->n_bundle > 0) {
        text(&o, "a=group:BUNDLE");
        for (size_t i = 0; i < s->n_bundle; i++) {
            text(&o, " ");
            checked(&o, s->bundle[i]);
        }
        end(&o);
    }
    flag(&o, "a=ice-lite", s->ice_lite);
    flag(&o, "a=extmap-allow-mixed", s->ext_mixed);
    line(&o, "a=msid-semantic:", s->msid_semantic);
    transport(&o, &s->transport);
    direction(&o, s->has_direction, s->direction);
    for (size_t i = 0; i < s->n_media; i++)
        media(&o, &s->media[i]);
    if (o.bad_text)
        return ERR_MALFORMED;
    return w->bad ? ERR_TOO_LARGE : OK;
}

/* ---- ffmpeg's input ---- */

static struct slice str(const char *s)
{
    return s == NULL ? (struct slice){0} : slice_of(s, strlen(s));
}

static void rtp_input(struct out *o, const struct sdp_rtp_input *in)
{
    struct sdp_codec c = {
        .name = str(in->codec),
        .fmtp = str(in->fmtp),
        .clock_rate = in->clock_rate,
        .payload_type = in->payload_type,
        .channels = in->video ? 0 : in->channels,
    };
    text(o, in->video ? "m=video " : "m=audio ");
    num(o, in->port);
    text(o, " RTP/AVP ");
    num(o, in->payload_type);
    end(o);
    codec(o, &c);
    line_num(o, "a=rtcp:", in->rtcp_port);
    flag(o, "a=rtcp-mux", in->rtcp_port == 0);
    if (in->ssrc != 0)
        ssrc_value(o, in->ssrc, " cname:", str(in->cname != NULL ? in->cname : "weir"));
    text(o, "a=recvonly\r\n");
}

enum err sdp_print_rtp_inputs(struct wr *w, const char *ip, const char *title,
                              const struct sdp_rtp_input *inputs, size_t n)
{
    struct out o = {.w = w};
    struct addr a;
    enum err e = addr_parse(&a, ip, 0);
    if (e != OK)
        return e;
    const char *net = a.family == 6 ? "IN IP6 " : "IN IP4 ";
    text(&o, "v=0\r\no=- 0 0 ");
    text(&o, net);
    checked(&o, str(ip));
    end(&o);
    line(&o, "s=", str(title != NULL && title[0] != '\0' ? title : "-"));
    text(&o, "c=");
    text(&o, net);
    checked(&o, str(ip));
    text(&o, "\r\nt=0 0\r\n");
    for (size_t i = 0; i < n; i++)
        rtp_input(&o, &inputs[i]);
    if (o.bad_text)
        return ERR_MALFORMED;
    return w->bad ? ERR_TOO_LARGE : OK;
}
