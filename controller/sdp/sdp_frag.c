#include "controller/sdp/sdp_frag.h"

#include <stdio.h>
#include <string.h>

#include "controller/sdp/sdp_answer.h"
#include "proto/sdp.h"

/* What a whole description has before its attributes. */
static const char head[] = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\n";

static bool same(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static enum err collect(const struct sdp *s, struct arena *arena, struct sdp_frag *out)
{
    struct slice ufrag = s->transport.ice_ufrag;
    struct slice pwd = s->transport.ice_pwd;
    for (size_t i = 0; i < s->n_media; i++) {
        const struct sdp_media *m = &s->media[i];
        if (ufrag.n == 0 && i == 0) {
            ufrag = m->transport.ice_ufrag;
            pwd = m->transport.ice_pwd;
        }
        if ((m->transport.ice_ufrag.n > 0 && !same(m->transport.ice_ufrag, ufrag)) ||
            (m->transport.ice_pwd.n > 0 && !same(m->transport.ice_pwd, pwd)))
            return ERR_MALFORMED;
        out->n_candidates += m->n_candidates;
        out->end_of_candidates |= m->end_of_candidates;
    }
    out->ufrag = sdp_copy(arena, ufrag);
    out->pwd = sdp_copy(arena, pwd);
    if (!out->ufrag || !out->pwd)
        return ERR_NOMEM;
    bool some = ufrag.n > 0 || out->n_candidates > 0 || out->end_of_candidates;
    return some && (ufrag.n > 0) == (pwd.n > 0) ? OK : ERR_MALFORMED;
}

enum err sdp_frag_read(struct slice text, struct arena *arena, struct sdp_frag *out)
{
    unsigned line = 0;
    *out = (struct sdp_frag){0};
    if (text.n > SDP_FRAG_TEXT_MAX)
        return ERR_TOO_LARGE;
    size_t n = sizeof head - 1 + text.n;
    struct sdp *s = arena_alloc(arena, sizeof *s);
    char *whole = arena_alloc(arena, n + 1);
    if (!s || !whole)
        return ERR_NOMEM;
    memcpy(whole, head, sizeof head - 1);
    if (text.n > 0)
        memcpy(whole + sizeof head - 1, text.p, text.n);
    enum err e = sdp_parse(s, slice_of(whole, n), &line);
    if (e != OK)
        return e == ERR_TOO_LARGE ? e : ERR_MALFORMED;
    return collect(s, arena, out);
}

static void put(struct wr *w, const char *text)
{
    wr_bytes(w, text, strlen(text));
}

static void put_slice(struct wr *w, struct slice s)
{
    wr_bytes(w, s.p, s.n);
}

static enum err put_candidate(struct wr *w, const struct ice_candidate *c)
{
    struct sdp_candidate k;
    char numbers[32];
    enum err e = sdp_candidate_of(c, &k);
    if (e != OK)
        return e;
    put(w, "a=candidate:");
    put_slice(w, k.foundation);
    put(w, " 1 ");
    put_slice(w, k.transport);
    snprintf(numbers, sizeof numbers, " %u ", k.priority);
    put(w, numbers);
    put_slice(w, k.address);
    snprintf(numbers, sizeof numbers, " %u typ ", k.port);
    put(w, numbers);
    put_slice(w, k.type);
    put(w, k.rest.n > 0 ? " " : "");
    put_slice(w, k.rest);
    put(w, "\r\n");
    return OK;
}

enum err sdp_frag_write(const struct ice_parameters *ice, const struct ice_candidate *candidates,
                        size_t n, const char *mid, const char *kind, struct wr *w)
{
    enum err e = OK;
    put(w, "a=ice-lite\r\na=ice-options:trickle\r\na=ice-ufrag:");
    put(w, ice->username_fragment);
    put(w, "\r\na=ice-pwd:");
    put(w, ice->password);
    put(w, "\r\nm=");
    put(w, kind);
    put(w, " 9 UDP/TLS/RTP/SAVPF 0\r\n");
    put(w, mid[0] ? "a=mid:" : "");
    put(w, mid);
    put(w, mid[0] ? "\r\n" : "");
    for (size_t i = 0; i < n && e == OK; i++)
        e = put_candidate(w, &candidates[i]);
    put(w, "a=end-of-candidates\r\n");
    if (e != OK)
        return e;
    return w->bad ? ERR_TOO_LARGE : OK;
}
