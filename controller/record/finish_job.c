#include "controller/record/finish_job.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "controller/live/command.h"
#include "controller/live/ffmpeg.h"
#include "controller/record/raw_files.h"

enum {
    PATH_BYTES = 1500,
    SPRITE_WIDTH = 160,
    SPRITE_HEIGHT = 90,
    SPRITE_COLUMNS = 10,
    SPRITE_MAX = 100, /* pictures */
    SPRITE_MIN_S = 2, /* between two */
    THUMBNAIL_WIDTH = 320,
    POSTER_WIDTH = 1280
};

/* What the job itself makes, and removes. */
#define WORK_PREFIX ".work-"
#define WORK_LIST WORK_PREFIX "files.txt"
#define WORK_VIDEO WORK_PREFIX "video.mp4"

/* One ffmpeg after the other; STEP_FIT once for each of several files. */
enum step { STEP_FIT, STEP_JOIN, STEP_POSTER, STEP_THUMBNAIL, STEP_SPRITE, STEP_COUNT };

struct finish_job {
    struct finish_config config;
    char folder[PATH_BYTES - 100];
    enum step step;
    struct ffmpeg *ffmpeg;  /* ref; NULL: none runs */
    struct raw_file *files; /* owned */
    size_t n_files;         /* 0: they were joined before */
    size_t fitting;         /* which of them STEP_FIT is at */
    size_t fitted;
    bool video; /* any of them has a picture; sound */
    bool audio;
    double duration_s; /* of video.mp4, as ffmpeg tells while it joins */
    double interval_s; /* between two pictures of the sprite */
    char why[FFMPEG_WORDS_MAX];
    enum err e;
    bool canceled;
};

static void path_in(const struct finish_job *j, const char *name, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/%s", j->folder, name);
}

/* ---- commands ---- */

static void begin_command(struct command *c)
{
    command_init(c);
    command_add(c, "ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y",
                NULL);
}

/* Other parameters on the way: everything is fitted to one picture size and one kind of sound, and
 * what is missing in between is black, or silent. */
static void fit_command(struct finish_job *j, struct command *c)
{
    const struct raw_file *f = &j->files[j->fitting];
    bool both = f->video == j->video && f->audio == j->audio;
    command_opt(c, "-i", "file:%s/%s", j->folder, f->name);
    if (j->video && !f->video)
        command_add(c, "-f", "lavfi", "-i", "color=black:s=1280x720:r=10", NULL);
    if (j->audio && !f->audio)
        command_add(c, "-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo", NULL);
    if (j->video)
        command_add(c, "-map", f->video ? "0:v:0" : "1:v:0", "-vf",
                    "scale=1280:720:force_original_aspect_ratio=decrease,pad=1280:720:-1:-1,"
                    "setsar=1",
                    "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p",
                    "-video_track_timescale", "90000", NULL);
    if (j->audio)
        command_add(c, "-map", f->audio ? "0:a:0" : "1:a:0", "-c:a", "aac", "-ar", "48000", "-ac",
                    "2", NULL);
    /* What fills in has no end: it ends with the rest, to the packet. */
    if (!both)
        command_add(c, "-shortest", "-fflags", "+shortest", "-max_interleave_delta", "200M", NULL);
    command_add(c, "-f", "mp4", NULL);
    command_arg(c, "file:%s/" WORK_PREFIX "%s", j->folder, f->name);
}

/* What was joined before a crash is only measured. */
static void join_command(struct finish_job *j, struct command *c)
{
    char path[PATH_BYTES];
    command_add(c, "-progress", "pipe:1", NULL);
    if (j->n_files == 0) {
        path_in(j, FINISHED_VIDEO, path);
        command_opt(c, "-i", "file:%s", path);
        command_add(c, "-map", "0", "-c", "copy", "-f", "null", "-", NULL);
        return;
    }
    if (j->n_files == 1) {
        command_opt(c, "-i", "file:%s/%s", j->folder, j->files[0].name);
    } else {
        command_add(c, "-f", "concat", "-safe", "0", NULL);
        command_opt(c, "-i", "file:%s/" WORK_LIST, j->folder);
    }
    command_add(c, "-map", "0", "-c", "copy", "-movflags", "+faststart", "-f", "mp4", NULL);
    path_in(j, WORK_VIDEO, path);
    command_arg(c, "file:%s", path);
}

static void picture_command(struct finish_job *j, struct command *c, unsigned width,
                            const char *name)
{
    char in[PATH_BYTES];
    char out[PATH_BYTES];
    path_in(j, FINISHED_VIDEO, in);
    path_in(j, name, out);
    command_opt(c, "-ss", "%.3f", fmin(2, j->duration_s / 2));
    command_opt(c, "-i", "file:%s", in);
    command_add(c, "-frames:v", "1", NULL);
    command_opt(c, "-vf", "scale='min(%u,iw)':-2", width);
    command_add(c, "-q:v", "4", "-f", "image2", "-update", "1", NULL);
    command_arg(c, "file:%s", out);
}

static unsigned sprite_pictures(const struct finish_job *j)
{
    double n = ceil(j->duration_s / j->interval_s);
    return n < 1 ? 1 : n > SPRITE_MAX ? SPRITE_MAX : (unsigned)n;
}

static void sprite_command(struct finish_job *j, struct command *c)
{
    char in[PATH_BYTES];
    char out[PATH_BYTES];
    unsigned rows = (sprite_pictures(j) + SPRITE_COLUMNS - 1) / SPRITE_COLUMNS;
    path_in(j, FINISHED_VIDEO, in);
    path_in(j, FINISHED_SPRITE, out);
    command_add(c, "-skip_frame", "nokey", NULL);
    command_opt(c, "-i", "file:%s", in);
    command_opt(c, "-vf",
                "fps=1/%.3f:round=up,scale=%d:%d:force_original_aspect_ratio=decrease,"
                "pad=%d:%d:-1:-1,tile=%dx%u",
                j->interval_s, SPRITE_WIDTH, SPRITE_HEIGHT, SPRITE_WIDTH, SPRITE_HEIGHT,
                SPRITE_COLUMNS, rows);
    command_add(c, "-frames:v", "1", "-q:v", "5", "-f", "image2", "-update", "1", NULL);
    command_arg(c, "file:%s", out);
}

static void print_time(FILE *f, double s)
{
    unsigned long ms = (unsigned long)llround(s * 1000);
    fprintf(f, "%02lu:%02lu:%02lu.%03lu", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}

/* WebVTT whose cues name parts of the sheet by media fragments (W3C Media Fragments 4.2.2). */
static void write_vtt(const struct finish_job *j)
{
    char path[PATH_BYTES];
    path_in(j, FINISHED_SPRITE_VTT, path);
    FILE *f = fopen(path, "we");
    if (!f)
        return;
    fprintf(f, "WEBVTT\n");
    for (unsigned i = 0; i < sprite_pictures(j); i++) {
        fprintf(f, "\n");
        print_time(f, i * j->interval_s);
        fprintf(f, " --> ");
        print_time(f, fmin((i + 1) * j->interval_s, j->duration_s));
        fprintf(f, "\n" FINISHED_SPRITE "#xywh=%u,%u,%d,%d\n", i % SPRITE_COLUMNS * SPRITE_WIDTH,
                i / SPRITE_COLUMNS * SPRITE_HEIGHT, SPRITE_WIDTH, SPRITE_HEIGHT);
    }
    fclose(f);
}

/* ---- files ---- */

/* For the concat demuxer; names are ours, so nothing needs quoting. */
static enum err write_list(const struct finish_job *j)
{
    char path[PATH_BYTES];
    path_in(j, WORK_LIST, path);
    FILE *f = fopen(path, "we");
    if (!f)
        return ERR_IO;
    for (size_t i = 0; i < j->n_files; i++) {
        if (!j->files[i].keep)
            fprintf(f, "file '" WORK_PREFIX "%s'\n", j->files[i].name);
    }
    return fclose(f) == 0 ? OK : ERR_IO;
}

static int64_t size_of(const struct finish_job *j, const char *name)
{
    char path[PATH_BYTES];
    struct stat st;
    path_in(j, name, path);
    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* ---- steps ---- */

static void finish(struct finish_job *j)
{
    struct finish_result r = {.e = j->canceled ? ERR_CLOSED : j->e,
                              .why = j->why,
                              .duration_ms = (int64_t)llround(j->duration_s * 1000),
                              .size_bytes = size_of(j, FINISHED_VIDEO)};
    j->config.done(j->config.ctx, &r);
    free(j->files);
    free(j);
}

static void on_line(void *ctx, const char *line)
{
    struct finish_job *j = ctx;
    static const char key[] = "out_time_us=";
    if (j->step != STEP_JOIN || strncmp(line, key, sizeof key - 1) != 0)
        return;
    double us = strtod(line + sizeof key - 1, NULL);
    if (us > 0 && us < 1e15)
        j->duration_s = us / 1e6;
}

static void run_step(struct finish_job *j);

static void fail(struct finish_job *j, enum err e, const char *why)
{
    j->e = e;
    snprintf(j->why, sizeof j->why, "%s", why);
    finish(j);
}

/* The finished file is there. */
static void go_on_with_pictures(struct finish_job *j)
{
    raw_files_remove(j->folder, WORK_PREFIX, j->files, j->n_files);
    j->interval_s = fmax(SPRITE_MIN_S, j->duration_s / SPRITE_MAX);
    j->step = STEP_POSTER;
    run_step(j);
}

static void after_join(struct finish_job *j)
{
    char from[PATH_BYTES];
    char to[PATH_BYTES];
    path_in(j, WORK_VIDEO, from);
    path_in(j, FINISHED_VIDEO, to);
    if (j->n_files > 0 && rename(from, to) < 0)
        fail(j, ERR_IO, "the finished file cannot be put in place");
    else
        go_on_with_pictures(j);
}

/* No room for another copy, perhaps: a single file plays as it was recorded, too. */
static void join_failed(struct finish_job *j, const char *why)
{
    char from[PATH_BYTES];
    char to[PATH_BYTES];
    path_in(j, j->n_files == 1 ? j->files[0].name : "", from);
    path_in(j, FINISHED_VIDEO, to);
    if (j->n_files != 1 || rename(from, to) < 0) {
        fail(j, ERR_IO, why);
        return;
    }
    j->duration_s = (double)j->config.duration_ms / 1000;
    snprintf(j->why, sizeof j->why, "as it was recorded: %.200s", why);
    go_on_with_pictures(j);
}

static void after_fit(struct finish_job *j, bool ok, const char *why)
{
    if (ok) {
        j->fitted++;
    } else {
        log_warn("record.part_lost", "folder=%s file=%s why=\"%s\"", j->folder,
                 j->files[j->fitting].name, why);
        j->files[j->fitting].keep = true;
    }
    if (++j->fitting < j->n_files) {
        run_step(j);
        return;
    }
    enum err e = j->fitted > 0 ? write_list(j) : ERR_IO;
    if (e != OK) {
        fail(j, e, j->fitted > 0 ? "the disk refuses" : why);
        return;
    }
    j->step = STEP_JOIN;
    run_step(j);
}

static void on_exit_code(void *ctx, const struct ffmpeg_exit *how)
{
    struct finish_job *j = ctx;
    bool ok = how->signal == 0 && how->status == 0;
    j->ffmpeg = NULL;
    if (j->canceled) {
        finish(j);
        return;
    }
    const char *why = how->last_words[0] ? how->last_words : "ffmpeg failed";
    switch (j->step) {
    case STEP_FIT:
        after_fit(j, ok, why);
        return;
    case STEP_JOIN:
        if (ok)
            after_join(j);
        else
            join_failed(j, why);
        return;
    case STEP_POSTER:
    case STEP_THUMBNAIL:
    case STEP_SPRITE:
    case STEP_COUNT:
        break;
    }
    /* Without pictures a recording is still one: sound alone has none. */
    if (!ok)
        log_debug("record.no_picture", "folder=%s step=%d why=\"%s\"", j->folder, (int)j->step,
                  how->last_words);
    if (j->step == STEP_SPRITE && ok)
        write_vtt(j);
    if (++j->step == STEP_COUNT)
        finish(j);
    else
        run_step(j);
}

static void on_started(void *ctx)
{
    (void)ctx;
}

static enum err launch(struct finish_job *j)
{
    struct command c;
    char why[FFMPEG_WORDS_MAX];
    begin_command(&c);
    switch (j->step) {
    case STEP_FIT:
        fit_command(j, &c);
        break;
    case STEP_JOIN:
        join_command(j, &c);
        break;
    case STEP_POSTER:
        picture_command(j, &c, POSTER_WIDTH, FINISHED_POSTER);
        break;
    case STEP_THUMBNAIL:
        picture_command(j, &c, THUMBNAIL_WIDTH, FINISHED_THUMBNAIL);
        break;
    case STEP_SPRITE:
        sprite_command(j, &c);
        break;
    case STEP_COUNT:
        break;
    }
    struct ffmpeg_config config = {.path = j->config.ffmpeg,
                                   .args = c.args,
                                   .name = "recording",
                                   .on_listening = on_started,
                                   .on_line = on_line,
                                   .on_exit = on_exit_code,
                                   .ctx = j};
    enum err e = c.bad ? ERR_TOO_LARGE : ffmpeg_start(j->config.loop, &config, &j->ffmpeg, why);
    if (e != OK)
        snprintf(j->why, sizeof j->why, "%s", c.bad ? err_text(e) : why);
    command_fini(&c);
    return e;
}

static void run_step(struct finish_job *j)
{
    enum err e = launch(j);
    if (e == OK)
        return;
    if (j->step <= STEP_JOIN)
        j->e = e;
    finish(j);
}

/* What there is to do: files to be joined, or one that was joined before a crash. */
static enum err prepare(struct finish_job *j)
{
    enum err e = raw_files_list(j->folder, &j->files, &j->n_files);
    j->step = STEP_JOIN;
    if (size_of(j, FINISHED_VIDEO) > 0) {
        free(j->files);
        j->files = NULL;
        j->n_files = 0;
        return OK;
    }
    if (e != OK)
        return e;
    for (size_t i = 0; i < j->n_files; i++) {
        j->video |= j->files[i].video;
        j->audio |= j->files[i].audio;
    }
    if (j->n_files > 1)
        j->step = STEP_FIT;
    return OK;
}

enum err finish_job_start(const struct finish_config *config, struct finish_job **out)
{
    struct finish_job *j = calloc(1, sizeof *j);
    if (!j)
        return ERR_NOMEM;
    if (strlen(config->folder) >= sizeof j->folder) {
        free(j);
        return ERR_TOO_LARGE;
    }
    j->config = *config;
    snprintf(j->folder, sizeof j->folder, "%s", config->folder);
    j->duration_s = (double)config->duration_ms / 1000;
    enum err e = prepare(j);
    if (e == OK && launch(j) != OK)
        e = ERR_IO;
    if (e != OK) {
        log_warn("record.not_finished", "folder=%s why=\"%s\"", config->folder,
                 j->why[0] ? j->why : err_text(e));
        free(j->files);
        free(j);
        return e;
    }
    *out = j;
    return OK;
}

void finish_job_cancel(struct finish_job *j)
{
    j->canceled = true;
    if (j->ffmpeg)
        ffmpeg_stop(j->ffmpeg, 0);
}
