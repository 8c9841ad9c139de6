#include "controller/hls/hls_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *token_of(const struct hls_track *t)
{
    return presentation_get_config(hls_track_presentation(t))->token;
}

void hls_name_init(char out[HLS_NAME_MAX], const struct hls_track *t, uint32_t init)
{
    snprintf(out, HLS_NAME_MAX, "%s-%s-i%" PRIu32 ".mp4", hls_track_spec(t)->name, token_of(t),
             init);
}

void hls_name_segment(char out[HLS_NAME_MAX], const struct hls_track *t, uint64_t msn)
{
    snprintf(out, HLS_NAME_MAX, "%s-%s-%" PRIu64 ".m4s", hls_track_spec(t)->name, token_of(t), msn);
}

void hls_name_part(char out[HLS_NAME_MAX], const struct hls_track *t, uint64_t msn, uint32_t part)
{
    snprintf(out, HLS_NAME_MAX, "%s-%s-%" PRIu64 ".%" PRIu32 ".m4s", hls_track_spec(t)->name,
             token_of(t), msn, part);
}

/* Decimal, without leading zeros, so that each thing has one name. */
static bool read_number(const char **at, uint64_t max, uint64_t *out)
{
    const char *p = *at;
    uint64_t v = 0;
    if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *at = p;
    *out = v;
    return true;
}

static bool take_track(struct hls_name *out, const char *name, size_t n)
{
    if (n == 0 || n >= sizeof out->track)
        return false;
    memcpy(out->track, name, n);
    out->track[n] = '\0';
    return true;
}

/* What stands behind the last '-': "i3.mp4", "12.m4s", "12.3.m4s". */
static bool read_tail(const char *p, struct hls_name *out)
{
    uint64_t part = 0;
    bool init = *p == 'i';
    p += init;
    if (!read_number(&p, init ? UINT32_MAX : UINT64_MAX / 2, &out->number))
        return false;
    if (init) {
        out->kind = HLS_NAME_INIT;
        return strcmp(p, ".mp4") == 0;
    }
    out->kind = HLS_NAME_SEGMENT;
    if (strcmp(p, ".m4s") == 0)
        return true;
    out->kind = HLS_NAME_PART;
    if (*p++ != '.' || !read_number(&p, HLS_PARTS_MAX, &part))
        return false;
    out->part = (uint32_t)part;
    return strcmp(p, ".m4s") == 0;
}

bool hls_name_parse(const char *name, struct hls_name *out)
{
    static const char suffix[] = ".m3u8";
    size_t n = strlen(name);
    *out = (struct hls_name){0};
    if (n >= sizeof suffix && strcmp(name + n - (sizeof suffix - 1), suffix) == 0)
        return take_track(out, name, n - (sizeof suffix - 1));
    const char *tail = strrchr(name, '-');
    if (!tail || tail - name < HLS_TOKEN_LEN + 2)
        return false;
    const char *token = tail - HLS_TOKEN_LEN;
    if (token[-1] != '-')
        return false;
    memcpy(out->token, token, HLS_TOKEN_LEN);
    return take_track(out, name, (size_t)(token - 1 - name)) && read_tail(tail + 1, out);
}
