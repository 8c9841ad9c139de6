/* Whether ffmpeg has the configured encoder: asked once, at the start. */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "controller/live/live_state.h"

static const char fallback[] = "libx264";

/* " V....D h264_vaapi           H.264/AVC (VAAPI) (codec h264)" */
static void on_line(void *ctx, const char *line)
{
    struct live *l = ctx;
    char flags[16];
    char name[80];
    if (sscanf(line, "%15s %79s", flags, name) == 2 && flags[0] == 'V' &&
        strcmp(name, l->config.encoder) == 0)
        l->has_encoder = true;
}

static void on_listening(void *ctx)
{
    (void)ctx;
}

static void on_asked(void *ctx, const struct ffmpeg_exit *how)
{
    struct live *l = ctx;
    l->asking = NULL;
    if (how->status == 0 && how->signal == 0 && !l->has_encoder) {
        log_error("hls.no_encoder", "encoder=%s uses=%s why=\"%s has no such encoder\"",
                  l->config.encoder, fallback, l->config.ffmpeg);
        l->config.encoder = fallback;
    }
    live_part_closed(l);
}

void live_check_encoder(struct live *l)
{
    char why[FFMPEG_WORDS_MAX];
    const char *args[] = {"ffmpeg", "-hide_banner", "-encoders", NULL};
    struct ffmpeg_config config = {.path = l->config.ffmpeg,
                                   .args = args,
                                   .name = "encoders",
                                   .on_listening = on_listening,
                                   .on_line = on_line,
                                   .on_exit = on_asked,
                                   .ctx = l};
    if (strcmp(l->config.encoder, fallback) == 0)
        return;
    if (ffmpeg_start(l->config.loop, &config, &l->asking, why) == OK)
        l->open_parts++;
}
