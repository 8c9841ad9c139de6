#include "controller/record/finish_job.h"

#include <dirent.h>
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

/* One ffmpeg after the other. */
enum step { STEP_JOIN, STEP_POSTER, STEP_THUMBNAIL, STEP_SPRITE, STEP_COUNT };

struct finish_job {
    struct finish_config config;
    char folder[PATH_BYTES - 100];
    enum step step;
    struct ffmpeg *ffmpeg; /* ref; NULL: none runs */
    unsigned files;
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

static bool is_raw(const char *name)
{
    size_t digits = strspn(name, "0123456789");
    return digits > 0 && strcmp(name + digits, ".mp4") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int only_raw(const struct dirent *d)
{
    return is_raw(d->d_name);
}

/* ---- commands ---- */

static void begin_command(struct command *c)
{
    command_init(c);
    command_add(c, "ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y",
                NULL);
}

/* One file is copied; where parameters changed, everything is fitted to one picture size. */
static void join_command(struct finish_job *j, struct command *c)
{
    char list[PATH_BYTES];
    char out[PATH_BYTES];
    path_in(j, "files.txt", list);
    path_in(j, ".video.mp4", out);
    command_add(c, "-progress", "pipe:1", "-fflags", "+genpts", "-f", "concat", "-safe", "0", NULL);
    command_opt(c, "-i", "file:%s", list);
    if (j->files == 1)
        command_add(c, "-c", "copy", NULL);
    else
        command_add(c, "-vf",
                    "scale=1280:720:force_original_aspect_ratio=decrease,pad=1280:720:-1:-1,"
                    "setsar=1",
                    "-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac", NULL);
    command_add(c, "-map", "0", "-movflags", "+faststart", "-f", "mp4", NULL);
    command_arg(c, "file:%s", out);
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
static enum err write_list(struct finish_job *j)
{
    char path[PATH_BYTES];
    struct dirent **names;
    int n = scandir(j->folder, &names, only_raw, by_name);
    if (n < 0)
        return ERR_IO;
    path_in(j, "files.txt", path);
    FILE *f = fopen(path, "we");
    for (int i = 0; i < n; i++) {
        if (f)
            fprintf(f, "file '%s'\n", names[i]->d_name);
        free(names[i]);
    }
    free(names);
    j->files = (unsigned)n;
    if (!f)
        return ERR_IO;
    return fclose(f) == 0 ? (n > 0 ? OK : ERR_NOT_FOUND) : ERR_IO;
}

static void remove_raw(const struct finish_job *j)
{
    char path[PATH_BYTES];
    DIR *d = opendir(j->folder);
    if (!d)
        return;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if (is_raw(e->d_name))
            (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
    path_in(j, "files.txt", path);
    (void)unlink(path);
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
                              .why = j->e == OK ? "" : j->why,
                              .duration_ms = (int64_t)llround(j->duration_s * 1000),
                              .size_bytes = size_of(j, FINISHED_VIDEO)};
    j->config.done(j->config.ctx, &r);
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

static void after_join(struct finish_job *j)
{
    char from[PATH_BYTES];
    char to[PATH_BYTES];
    path_in(j, ".video.mp4", from);
    path_in(j, FINISHED_VIDEO, to);
    if (rename(from, to) < 0) {
        fail(j, ERR_IO, "the finished file cannot be put in place");
        return;
    }
    remove_raw(j);
    j->interval_s = fmax(SPRITE_MIN_S, j->duration_s / SPRITE_MAX);
    j->step = STEP_POSTER;
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
    if (j->step == STEP_JOIN && !ok) {
        fail(j, ERR_IO, how->last_words[0] ? how->last_words : "ffmpeg failed");
        return;
    }
    if (j->step == STEP_JOIN) {
        after_join(j);
        return;
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
    if (j->step == STEP_JOIN)
        j->e = e;
    finish(j);
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
    enum err e = write_list(j);
    if (e == OK)
        e = launch(j);
    if (e != OK) {
        log_warn("record.not_finished", "folder=%s why=\"%s\"", config->folder,
                 j->why[0] ? j->why : err_text(e));
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
