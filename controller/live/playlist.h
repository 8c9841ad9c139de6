/* A live HLS media playlist (RFC 8216) as a window over segments: media sequence and discontinuity
 * sequence count on for as long as the stream lives, whatever process made the segments. Pure; no
 * IO. */
#ifndef WEIR_CONTROLLER_LIVE_PLAYLIST_H
#define WEIR_CONTROLLER_LIVE_PLAYLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"
#include "common/time.h"

enum { PLAYLIST_NAME_MAX = 48, PLAYLIST_SEGMENT_TEXT_MAX = 192, PLAYLIST_HEAD_TEXT_MAX = 256 };

struct playlist_segment {
    char name[PLAYLIST_NAME_MAX]; /* relative URI */
    usec duration;
    usec wall;          /* when its first sample was taken, since 1970 */
    bool discontinuity; /* encoder, timestamps or tracks are not those of the one before */
};

struct playlist {
    struct playlist_segment *ring; /* owned */
    size_t capacity;
    size_t first; /* index of the oldest */
    size_t n;
    uint64_t media_sequence;         /* of the oldest */
    uint64_t discontinuity_sequence; /* of the oldest */
    unsigned target_s;
    bool ended;
};

/* capacity: segments in the window. target_s: EXT-X-TARGETDURATION in seconds; RFC 8216 6.2.1 wants
 * it never to change, so choose it long enough. It still grows when a longer segment comes, since
 * 4.3.3.1 wants it never to be exceeded, and players stumble over that more. */
MUST_CHECK enum err playlist_init(struct playlist *p, size_t capacity, unsigned target_s);
void playlist_fini(struct playlist *p);

/* At the end of the window. True: *out left it at the other end. */
bool playlist_add(struct playlist *p, const struct playlist_segment *s,
                  struct playlist_segment *out);
/* No more segments will come: EXT-X-ENDLIST. */
void playlist_end(struct playlist *p);
/* i counts from the oldest; NULL beyond the newest. */
const struct playlist_segment *playlist_at(const struct playlist *p, size_t i);
bool playlist_has(const struct playlist *p, const char *name);
/* The newest segment's media sequence number plus one. */
uint64_t playlist_next_sequence(const struct playlist *p);
/* The sum of all durations in the window. */
usec playlist_duration(const struct playlist *p);

/* ERR_TOO_LARGE unless w has PLAYLIST_HEAD_TEXT_MAX + n * PLAYLIST_SEGMENT_TEXT_MAX bytes, with
 * which it cannot fail. */
MUST_CHECK enum err playlist_print(const struct playlist *p, struct wr *w);

#endif
