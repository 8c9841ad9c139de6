#include "controller/live/playlist.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum err playlist_init(struct playlist *p, size_t capacity, unsigned target_s)
{
    *p = (struct playlist){.capacity = capacity, .target_s = target_s};
    p->ring = calloc(capacity, sizeof *p->ring);
    return p->ring ? OK : ERR_NOMEM;
}

void playlist_fini(struct playlist *p)
{
    free(p->ring);
    *p = (struct playlist){0};
}

const struct playlist_segment *playlist_at(const struct playlist *p, size_t i)
{
    return i < p->n ? &p->ring[(p->first + i) % p->capacity] : NULL;
}

/* RFC 8216 4.3.3.1: "The EXTINF duration of each Media Segment in the Playlist file, when rounded
 * to the nearest integer, MUST be less than or equal to the target duration". */
static unsigned rounded_s(usec duration)
{
    return (unsigned)((duration + USEC_PER_SEC / 2) / USEC_PER_SEC);
}

/* RFC 8216 6.2.2: "If the server removes an EXT-X-DISCONTINUITY tag from a Media Playlist that
 * contains an EXT-X-DISCONTINUITY-SEQUENCE tag, the server MUST increment the value". */
static void drop_oldest(struct playlist *p, struct playlist_segment *out)
{
    *out = p->ring[p->first];
    p->first = (p->first + 1) % p->capacity;
    p->n--;
    p->media_sequence++;
    p->discontinuity_sequence += out->discontinuity;
}

bool playlist_add(struct playlist *p, const struct playlist_segment *s,
                  struct playlist_segment *out)
{
    bool full = p->n == p->capacity;
    if (full)
        drop_oldest(p, out);
    p->ring[(p->first + p->n) % p->capacity] = *s;
    p->n++;
    if (rounded_s(s->duration) > p->target_s)
        p->target_s = rounded_s(s->duration);
    return full;
}

void playlist_end(struct playlist *p)
{
    p->ended = true;
}

bool playlist_has(const struct playlist *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(playlist_at(p, i)->name, name) == 0)
            return true;
    }
    return false;
}

uint64_t playlist_next_sequence(const struct playlist *p)
{
    return p->media_sequence + p->n;
}

usec playlist_duration(const struct playlist *p)
{
    usec sum = 0;
    for (size_t i = 0; i < p->n; i++)
        sum += playlist_at(p, i)->duration;
    return sum;
}

__attribute__((format(printf, 2, 3))) static void put(struct wr *w, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf((char *)w->p, wr_left(w), fmt, args);
    va_end(args);
    /* vsnprintf wants a byte more, for its NUL. */
    if (w->bad || n < 0 || (size_t)n >= wr_left(w))
        w->bad = true;
    else
        w->p += n;
}

static void print_segment(const struct playlist_segment *s, struct wr *w)
{
    time_t sec = (time_t)(s->wall / USEC_PER_SEC);
    struct tm tm;
    char date[32];
    gmtime_r(&sec, &tm);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    if (s->discontinuity)
        put(w, "#EXT-X-DISCONTINUITY\n");
    put(w, "#EXT-X-PROGRAM-DATE-TIME:%s.%03dZ\n", date,
        (int)(s->wall / USEC_PER_MSEC % (USEC_PER_SEC / USEC_PER_MSEC)));
    put(w, "#EXTINF:%" PRId64 ".%06" PRId64 ",\n%s\n", s->duration / USEC_PER_SEC,
        s->duration % USEC_PER_SEC, s->name);
}

enum err playlist_print(const struct playlist *p, struct wr *w)
{
    /* Version 3: durations are fractions. Segments begin with key frames. */
    put(w,
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:%u\n"
        "#EXT-X-MEDIA-SEQUENCE:%" PRIu64 "\n#EXT-X-DISCONTINUITY-SEQUENCE:%" PRIu64 "\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n",
        p->target_s, p->media_sequence, p->discontinuity_sequence);
    for (size_t i = 0; i < p->n; i++)
        print_segment(playlist_at(p, i), w);
    if (p->ended)
        put(w, "#EXT-X-ENDLIST\n");
    return w->bad ? ERR_TOO_LARGE : OK;
}
