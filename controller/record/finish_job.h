/* What is done with a recording's files once it has ended: one seekable MP4 (nothing encoded anew,
 * unless parameters changed on the way), a poster, a thumbnail, and a sheet of small pictures with
 * WebVTT for seeking. By ffmpeg, one recording after another, at low priority. Does IO. */
#ifndef WEIR_CONTROLLER_RECORD_FINISH_JOB_H
#define WEIR_CONTROLLER_RECORD_FINISH_JOB_H

#include <stdint.h>

#include "common/err.h"

struct uv_loop_s;
struct finish_job;

#define FINISHED_VIDEO "video.mp4"
#define FINISHED_POSTER "poster.jpg"
#define FINISHED_THUMBNAIL "thumbnail.jpg"
#define FINISHED_SPRITE "sprite.jpg"
#define FINISHED_SPRITE_VTT "sprite.vtt"

struct finish_result {
    enum err e;      /* OK: video.mp4 is there, and pictures as far as there are any */
    const char *why; /* for people; on OK "", or why video.mp4 is as it was recorded */
    int64_t duration_ms;
    int64_t size_bytes; /* of video.mp4 */
};

struct finish_config {
    struct uv_loop_s *loop;
    const char *ffmpeg;  /* the program; borrowed for the job */
    const char *folder;  /* 0001.mp4, ... are there; the results come beside them, and these go;
                            copied */
    int64_t duration_ms; /* as recorded; 0: unknown */
    /* Once, last; never from inside finish_job_start, which tells ERR_NOT_FOUND when nothing was
     * recorded, and otherwise left everything as it is. */
    void (*done)(void *ctx, const struct finish_result *r);
    void *ctx; /* borrowed */
};

MUST_CHECK enum err finish_job_start(const struct finish_config *config, struct finish_job **out);
/* Kills what runs; done comes with ERR_CLOSED. What is left can be taken up again. */
void finish_job_cancel(struct finish_job *j);

#endif
