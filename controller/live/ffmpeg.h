/* One supervised ffmpeg process: started without a shell, fed with a text on its standard input,
 * listened to on its standard error and on pipes from descriptor FFMPEG_OUTPUT_FD on, ended with
 * SIGTERM and SIGKILL; the kernel ends it when the controller ends. Does IO; callbacks come from
 * the loop's turns, never from inside these functions. */
#ifndef WEIR_CONTROLLER_LIVE_FFMPEG_H
#define WEIR_CONTROLLER_LIVE_FFMPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct uv_loop_s;
struct ffmpeg;

enum {
    FFMPEG_PORTS_MAX = 64,
    FFMPEG_OUTPUTS_MAX = 8,
    FFMPEG_OUTPUT_FD = 3, /* of the first output: "pipe:3" */
    FFMPEG_LINE_MAX = 1024,
    FFMPEG_WORDS_MAX = 256
};

struct ffmpeg_exit {
    int status;
    int signal;             /* 0: it exited by itself */
    const char *last_words; /* the last line on its standard error, printable and without quotes; ""
                               if there was none */
};

struct ffmpeg_config {
    const char *path;        /* without a slash: looked up in PATH */
    const char *const *args; /* NULL-terminated; args[0] is the program's name; borrowed for the
                                call, as path and input are */
    const char *input;       /* for its standard input, which ends after it; NULL: none */
    uint16_t ports[FFMPEG_PORTS_MAX]; /* UDP ports that it is going to bind */
    size_t n_ports;
    const char *name; /* for the log; copied */
    /* All ports are bound; at once (in the next turn) when there are none. */
    void (*on_listening)(void *ctx);
    size_t n_outputs; /* pipes that it writes to */
    /* What came from one of them, counted from 0; borrowed for the call. May stop the process. */
    void (*on_output)(void *ctx, size_t output, const void *bytes, size_t n);
    /* A line of its standard output, without the newline. NULL: not wanted. */
    void (*on_line)(void *ctx, const char *line);
    /* Exactly once, as the last callback; the pointer is dead when it returns. */
    void (*on_exit)(void *ctx, const struct ffmpeg_exit *how);
    void *ctx; /* borrowed */
};

/* Not OK: it could not be started, no callback will come, and the reason is in why
 * (FFMPEG_WORDS_MAX bytes). */
MUST_CHECK enum err ffmpeg_start(struct uv_loop_s *loop, const struct ffmpeg_config *config,
                                 struct ffmpeg **out, char *why);
/* SIGTERM, and SIGKILL after grace_ms; 0: SIGKILL at once. May be repeated to make it shorter. All
 * of its process group is meant. on_exit still comes, on_listening does not. */
void ffmpeg_stop(struct ffmpeg *f, unsigned grace_ms);
int ffmpeg_pid(const struct ffmpeg *f);
/* Whether a signal (SIGSTOP, a debugger) holds it: it will not go on by itself. */
bool ffmpeg_held(const struct ffmpeg *f);

#endif
