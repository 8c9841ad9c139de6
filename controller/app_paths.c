#include "controller/app_paths.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

static const char *join(struct arena *arena, const char *dir, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    return n > 0 && (size_t)n < sizeof path ? arena_strndup(arena, path, (size_t)n) : NULL;
}

/* Makes the folder with its parents. */
static bool make_folder(const char *path)
{
    char part[PATH_MAX];
    snprintf(part, sizeof part, "%s", path);
    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return false;
        *p = '/';
    }
    return mkdir(part, 0777) == 0 || errno == EEXIST;
}

/* what: "data folder"; key: whose setting it is. */
static enum err check_folder(const char *dir, const char *what, const char *key, char *text,
                             size_t n)
{
    char probe[PATH_MAX];
    if (!make_folder(dir)) {
        snprintf(text, n, "cannot make the %s %s: %s (%s)", what, dir, strerror(errno), key);
        return ERR_IO;
    }
    /* access(2) says yes to root on a read-only file system: try it. */
    int len = snprintf(probe, sizeof probe, "%s/.probe-XXXXXX", dir);
    errno = ENAMETOOLONG;
    int fd = len > 0 && (size_t)len < sizeof probe ? mkstemp(probe) : -1;
    if (fd < 0) {
        snprintf(text, n, "cannot write to the %s %s: %s (%s)", what, dir, strerror(errno), key);
        return ERR_IO;
    }
    close(fd);
    unlink(probe);
    return OK;
}

static bool is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* As a shell would find it. */
static const char *find_in_path(struct arena *arena, const char *name)
{
    if (strchr(name, '/'))
        return is_program(name) ? name : NULL;
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t len = strcspn(path, ":");
        char dir[PATH_MAX];
        snprintf(dir, sizeof dir, "%.*s", (int)len, path);
        const char *candidate = join(arena, len ? dir : ".", name);
        if (candidate && is_program(candidate))
            return candidate;
        path += len + (path[len] == ':');
    }
    return NULL;
}

static enum err find_ffmpeg(const struct settings *s, struct arena *arena, struct app_paths *out,
                            char *text, size_t n)
{
    out->ffmpeg = "";
    if (!s->hls_enabled && !s->demo)
        return OK;
    out->ffmpeg = find_in_path(arena, s->hls_ffmpeg);
    if (out->ffmpeg)
        return OK;
    snprintf(text, n,
             "ffmpeg is missing (%s): install it (apt-get install ffmpeg), or go without HLS and "
             "test card (WEIR_HLS_ENABLED=0 WEIR_DEMO=0)",
             s->hls_ffmpeg);
    return ERR_NOT_FOUND;
}

static enum err find_worker(const struct settings *s, struct app_paths *out, char *text, size_t n)
{
    out->worker = s->rtc_worker_path;
    if (is_program(out->worker))
        return OK;
    snprintf(text, n, "the media worker is missing: %s (rtc.worker_path)", out->worker);
    return ERR_NOT_FOUND;
}

static enum err find_web(const struct settings *s, struct arena *arena, struct app_paths *out,
                         char *text, size_t n)
{
    out->web_root = s->web_root;
    if (s->web_root[0] == '\0') {
        log_warn("weir.no_web_app", "%s", "hint=\"make web\" key=web.root");
        return OK;
    }
    const char *index = join(arena, s->web_root, "index.html");
    if (index && access(index, R_OK) == 0)
        return OK;
    snprintf(text, n, "no index.html in %s (web.root)", s->web_root);
    return ERR_NOT_FOUND;
}

enum err app_paths_find(const struct settings *s, struct arena *arena, struct app_paths *out,
                        char *text, size_t n)
{
    *out = (struct app_paths){.hls_dir = s->hls_dir, .db_url = s->db_url};
    enum err e = check_folder(s->data_dir, "data folder", "data.dir, WEIR_DATA_DIR", text, n);
    if (e == OK && s->hls_enabled)
        e = check_folder(s->hls_dir, "HLS folder", "hls.dir, WEIR_HLS_DIR", text, n);
    if (e == OK)
        e = find_ffmpeg(s, arena, out, text, n);
    if (e == OK)
        e = find_worker(s, out, text, n);
    if (e == OK)
        e = find_web(s, arena, out, text, n);
    return e;
}
