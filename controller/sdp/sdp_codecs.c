#include "controller/sdp/sdp_codecs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { FMTP_ENTRIES_MAX = 32, FMTP_TEXT_MAX = 2048, FEEDBACKS_MAX = 16, DIGITS_MAX = 9 };

/* ---- format parameters ---- */

static struct slice trim(struct slice s)
{
    while (s.n > 0 && s.p[0] == ' ') {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && s.p[s.n - 1] == ' ')
        s.n--;
    return s;
}

static struct slice take(struct slice *rest, char separator)
{
    const uint8_t *end = rest->n > 0 ? memchr(rest->p, separator, rest->n) : NULL;
    size_t n = end ? (size_t)(end - rest->p) : rest->n;
    struct slice token = slice_of(rest->p, n);
    *rest = end ? slice_of(end + 1, rest->n - n - 1) : (struct slice){0};
    return trim(token);
}

static bool is_number(const char *key, struct slice v, int64_t *out)
{
    /* Six hexadecimal digits, which may all be decimal. */
    if (v.n == 0 || v.n > DIGITS_MAX || strcasecmp(key, "profile-level-id") == 0)
        return false;
    *out = 0;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9' || (i == 0 && v.p[i] == '0' && v.n > 1))
            return false;
        *out = *out * 10 + (v.p[i] - '0');
    }
    return true;
}

enum err sdp_fmtp_read(struct slice fmtp, struct arena *arena, struct dict_entry **out, size_t *n)
{
    *n = 0;
    *out = arena_array(arena, FMTP_ENTRIES_MAX, sizeof **out);
    if (!*out)
        return ERR_NOMEM;
    while (fmtp.n > 0 && *n < FMTP_ENTRIES_MAX) {
        struct slice value = take(&fmtp, ';');
        struct slice name = take(&value, '=');
        value = trim(value);
        /* Bare values, as of RED and telephone events, have no name to keep them by. */
        if (name.n == 0 || value.n == 0)
            continue;
        struct dict_entry *e = &(*out)[*n];
        e->key = sdp_copy(arena, name);
        if (!e->key)
            return ERR_NOMEM;
        if (dict_find(*out, *n, e->key))
            continue;
        e->type = is_number(e->key, value, &e->num) ? DICT_INT : DICT_STR;
        if (e->type == DICT_STR && !(e->str = sdp_copy(arena, value)))
            return ERR_NOMEM;
        ++*n;
    }
    return OK;
}

const char *sdp_fmtp_write(const struct dict_entry *entries, size_t n, struct arena *arena)
{
    char *text = arena_alloc(arena, FMTP_TEXT_MAX);
    size_t at = 0;
    for (size_t i = 0; text && i < n; i++) {
        const struct dict_entry *e = &entries[i];
        char number[24];
        snprintf(number, sizeof number, "%" PRId64, e->num);
        const char *value = e->type == DICT_STR ? e->str : number;
        size_t need = strlen(e->key) + strlen(value) + 2;
        if (e->type == DICT_REAL || at + need >= FMTP_TEXT_MAX)
            continue;
        int len =
            snprintf(text + at, FMTP_TEXT_MAX - at, "%s%s=%s", at > 0 ? ";" : "", e->key, value);
        at += len > 0 ? (size_t)len : 0;
    }
    return text;
}

/* ---- codecs ---- */

/* RFC 3551 6: what a payload type without rtpmap means. */
static const struct {
    uint8_t payload_type;
    const char *name;
    uint32_t clock_rate;
} static_types[] = {{0, "PCMU", 8000}, {8, "PCMA", 8000}, {9, "G722", 8000}, {13, "CN", 8000}};

static enum err name_codec(const struct sdp_offer_media *m, const struct sdp_codec *c,
                           struct arena *arena, struct rtp_codec_parameters *out)
{
    char mime[64];
    const char *name = sdp_copy(arena, c->name);
    if (!name)
        return ERR_NOMEM;
    out->clock_rate = c->clock_rate;
    for (size_t i = 0; name[0] == '\0' && i < sizeof static_types / sizeof static_types[0]; i++) {
        if (m->kind == MEDIA_KIND_AUDIO && static_types[i].payload_type == c->payload_type) {
            name = static_types[i].name;
            out->clock_rate = static_types[i].clock_rate;
        }
    }
    int n = snprintf(mime, sizeof mime, "%s/%s", media_kind_names[m->kind], name);
    if (name[0] == '\0' || n >= (int)sizeof mime)
        return OK;
    out->mime_type = arena_strndup(arena, mime, (size_t)n);
    return out->mime_type ? OK : ERR_NOMEM;
}

/* "nack pli" is a type and a parameter. */
static enum err read_feedback(struct slice value, struct arena *arena, struct rtcp_feedback *out)
{
    struct slice type = take(&value, ' ');
    value = trim(value);
    out->type = sdp_copy(arena, type);
    out->parameter = value.n > 0 ? sdp_copy(arena, value) : NULL;
    return out->type && (value.n == 0 || out->parameter) ? OK : ERR_NOMEM;
}

static enum err read_feedbacks(const struct sdp_media *m, struct arena *arena,
                               struct rtp_codec_parameters *out)
{
    out->rtcp_feedback = arena_array(arena, FEEDBACKS_MAX, sizeof *out->rtcp_feedback);
    if (!out->rtcp_feedback)
        return ERR_NOMEM;
    for (size_t i = 0; i < m->n_feedbacks && out->n_rtcp_feedback < FEEDBACKS_MAX; i++) {
        const struct sdp_feedback *f = &m->feedbacks[i];
        bool ours = f->payload_type == SDP_PT_ALL || f->payload_type == out->payload_type;
        if (!ours || f->value.n == 0 || f->value.n > 64)
            continue;
        enum err e = read_feedback(f->value, arena, &out->rtcp_feedback[out->n_rtcp_feedback]);
        if (e != OK)
            return e;
        out->n_rtcp_feedback++;
    }
    return OK;
}

enum err sdp_codec_parameters(const struct sdp_offer_media *m, const struct sdp_codec *c,
                              struct arena *arena, struct rtp_codec_parameters *out)
{
    *out = (struct rtp_codec_parameters){
        .payload_type = c->payload_type, .has_payload_type = true, .has_clock_rate = true};
    if (m->kind == MEDIA_KIND_AUDIO) {
        out->channels = c->channels > 0 ? c->channels : 1;
        out->has_channels = true;
    }
    enum err e = name_codec(m, c, arena, out);
    if (e == OK)
        e = sdp_fmtp_read(c->fmtp, arena, &out->parameters, &out->n_parameters);
    return e == OK ? read_feedbacks(m->sdp, arena, out) : e;
}
