/* Streams that a real ffmpeg wrote, fed as from its pipes: six seconds, 30 pictures a second, a key
 * frame each second. */
#ifndef WEIR_TEST_HLS_MEDIA_H
#define WEIR_TEST_HLS_MEDIA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/hls/presentation.h"

#define FRAGMENTS                                                                                  \
    "-f mp4 -movflags +frag_every_frame+empty_moov+default_base_moof+skip_trailer+frag_discont "
#define WALL ((usec)1700000000 * USEC_PER_SEC)

struct file {
    uint8_t *bytes;
    size_t n;
    size_t at;
};

static char folder[64];

static inline struct file load(const char *name)
{
    char path[128];
    struct file f = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    fseek(in, 0, SEEK_END);
    f.n = (size_t)ftell(in);
    rewind(in);
    f.bytes = malloc(f.n);
    assert_int_equal(fread(f.bytes, 1, f.n, in), f.n);
    fclose(in);
    return f;
}

static inline int make_media(void **state)
{
    char command[1024];
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/weir-hls-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command,
             "ffmpeg -v error -f lavfi -i testsrc=s=160x90:r=30:d=6 -f lavfi -i sine=r=48000:d=6 "
             "-map 0:v -c:v libx264 -preset ultrafast -tune zerolatency -g 30 -pix_fmt "
             "yuv420p " FRAGMENTS "%s/v.mp4 -map 1:a -c:a aac " FRAGMENTS "%s/a.mp4 "
             "-map 1:a -c:a libopus " FRAGMENTS "%s/o.mp4",
             folder, folder, folder);
    return system(command);
}

static inline int remove_media(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static const struct presentation_config config = {.token = "abcdefgh",
                                                  .segment = USEC_PER_SEC,
                                                  .part = 250 * USEC_PER_MSEC,
                                                  .window = 3600 * USEC_PER_SEC,
                                                  .memory = 60 * USEC_PER_SEC};
static const struct track_spec tracks[] = {{.name = "v0", .video = true}, {.name = "a0"}};

/* Pieces of odd sizes, in turn, so that both tracks go on together. */
static inline void feed_all(struct presentation *p, const char *video, const char *audio)
{
    struct file f[2] = {load(video), load(audio)};
    size_t step[2] = {f[0].n / 997 + 1, f[1].n / 997 + 1};
    while (f[0].at < f[0].n || f[1].at < f[1].n) {
        for (size_t i = 0; i < 2; i++) {
            size_t left = f[i].n - f[i].at;
            size_t n = left < step[i] ? left : step[i];
            assert_int_equal(presentation_feed(p, i, f[i].bytes + f[i].at, n), OK);
            f[i].at += n;
        }
    }
    free(f[0].bytes);
    free(f[1].bytes);
}

static inline struct presentation *opened(const struct presentation_config *c)
{
    struct presentation *p;
    assert_int_equal(presentation_open(c, &p), OK);
    return p;
}

static inline void run(struct presentation *p, usec now)
{
    assert_int_equal(presentation_run_begin(p, tracks, 2, now), OK);
    feed_all(p, "v.mp4", "a.mp4");
    presentation_run_end(p);
}

#endif
