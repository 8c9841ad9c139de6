#include "proto/sdp.h"

#include <strings.h>

#include "proto/sdp_text.h"

struct slice sdp_trim(struct slice s)
{
    while (s.n > 0 && s.p[0] == ' ') {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && s.p[s.n - 1] == ' ')
        s.n--;
    return s.n > 0 ? s : (struct slice){0};
}

struct slice sdp_token(struct slice *s, char separator)
{
    *s = sdp_trim(*s);
    size_t n = 0;
    while (n < s->n && s->p[n] != (uint8_t)separator)
        n++;
    struct slice token = slice_of(s->p, n);
    size_t used = n < s->n ? n + 1 : n;
    if (s->n > 0)
        *s = sdp_trim(slice_of(s->p + used, s->n - used));
    return sdp_trim(token);
}

bool sdp_is(struct slice s, const char *text)
{
    return s.n == strlen(text) && (s.n == 0 || memcmp(s.p, text, s.n) == 0);
}

bool sdp_number(struct slice s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    if (s.n == 0 || s.n > 20)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (v > (max - digit) / 10 || digit > max)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

enum err sdp_bounded(struct slice text, uint64_t max, uint64_t *out)
{
    *out = 0;
    return sdp_number(text, max, out) ? OK : ERR_RANGE;
}

enum err sdp_u16(struct slice text, uint16_t *out)
{
    uint64_t v;
    enum err e = sdp_bounded(text, UINT16_MAX, &v);
    *out = (uint16_t)v;
    return e;
}

enum err sdp_u32(struct slice text, uint32_t *out)
{
    uint64_t v;
    enum err e = sdp_bounded(text, UINT32_MAX, &v);
    *out = (uint32_t)v;
    return e;
}

enum err sdp_payload_type(struct slice text, uint8_t *out)
{
    uint64_t v;
    enum err e = sdp_bounded(text, 127, &v);
    *out = (uint8_t)v;
    return e;
}

struct slice sdp_fmtp_get(struct slice fmtp, const char *key)
{
    size_t n = strlen(key);
    while (fmtp.n > 0) {
        struct slice value = sdp_token(&fmtp, ';');
        struct slice name = sdp_token(&value, '=');
        if (name.n == n && strncasecmp((const char *)name.p, key, n) == 0)
            return value;
    }
    return (struct slice){0};
}

const struct sdp_codec *sdp_codec_find(const struct sdp_media *m, uint8_t payload_type)
{
    for (size_t i = 0; i < m->n_codecs; i++)
        if (m->codecs[i].payload_type == payload_type)
            return &m->codecs[i];
    return NULL;
}

struct slice sdp_ufrag(const struct sdp *s, const struct sdp_media *m)
{
    return m->transport.ice_ufrag.n > 0 ? m->transport.ice_ufrag : s->transport.ice_ufrag;
}

struct slice sdp_pwd(const struct sdp *s, const struct sdp_media *m)
{
    return m->transport.ice_pwd.n > 0 ? m->transport.ice_pwd : s->transport.ice_pwd;
}

enum sdp_setup sdp_setup_of(const struct sdp *s, const struct sdp_media *m)
{
    return m->transport.setup != SDP_SETUP_NONE ? m->transport.setup : s->transport.setup;
}

enum sdp_direction sdp_direction_of(const struct sdp *s, const struct sdp_media *m)
{
    if (m->has_direction)
        return m->direction;
    return s->has_direction ? s->direction : SDP_SENDRECV;
}
