/* A presentation recorded while it runs: its leading picture and its sound, part by part, into
 * files of fragmented MP4 that play as they are, whatever ends the program. A file ends where the
 * codec's parameters change, or media was missing; the next one's name has the next number.
 * Observes the presentation; writes by append_file. */
#ifndef WEIR_CONTROLLER_RECORD_RECORDER_H
#define WEIR_CONTROLLER_RECORD_RECORDER_H

#include <stdint.h>

#include "common/err.h"
#include "common/time.h"
#include "controller/hls/presentation.h"

struct uv_loop_s;
struct recorder;

struct recorder_config {
    struct uv_loop_s *loop;
    struct presentation *presentation; /* ref; outlives us, see recorder_stop */
    const char *folder;                /* exists; gets 0001.mp4, 0002.mp4, ...; copied */
    unsigned first_file;               /* number of the first; 1 unless it goes on */
    /* Nothing more is recorded, what was stays: the disk is full, too slow, memory is short. Once;
     * recorder_stop is still due. text is for people. */
    void (*on_failed)(void *ctx, enum err e, const char *text);
    void *ctx; /* borrowed */
};

struct recorder_stats {
    uint64_t bytes;
    usec duration; /* of the picture, or of sound where there is none */
    unsigned files;
};

MUST_CHECK enum err recorder_start(const struct recorder_config *config, struct recorder **out);
struct presentation *recorder_presentation(const struct recorder *r);
void recorder_get_stats(const struct recorder *r, struct recorder_stats *out);
/* Lets go of the presentation at once; stopped comes when everything is on disk (from inside, if
 * nothing was recorded). r is dead when it was called. */
void recorder_stop(struct recorder *r, void (*stopped)(void *ctx, const struct recorder_stats *s),
                   void *ctx);

#endif
