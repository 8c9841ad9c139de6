/* Where programs, the web app and data are, and whether they can be used. Looks at the file system;
 * changes nothing but making the folders of data. */
#ifndef WEIR_CONTROLLER_APP_PATHS_H
#define WEIR_CONTROLLER_APP_PATHS_H

#include <stddef.h>

#include "common/arena.h"
#include "common/err.h"
#include "controller/settings/settings.h"

struct app_paths {
    const char *worker;   /* the weir-worker program */
    const char *ffmpeg;   /* "" when nothing needs it */
    const char *web_root; /* "" when there is no web app */
    const char *hls_dir;
    const char *db_url;
};

/* Strings are the settings' or live in the arena. Not OK: text is one line that says what is wrong
 * and what to do. */
MUST_CHECK enum err app_paths_find(const struct settings *s, struct arena *arena,
                                   struct app_paths *out, char *text, size_t n);

#endif
