#include "controller/app_paths.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *join(struct arena *arena, const char *dir, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    return n > 0 && (size_t)n < sizeof path ? arena_strndup(arena, path, (size_t)n) : NULL;
}

/* The folder that the running program is in. */
static void program_folder(const char *program, char out[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (n < 0)
        n = snprintf(out, PATH_MAX, "%s", program);
    out[n] = '\0';
    char *slash = strrchr(out, '/');
    if (slash)
        *slash = '\0';
    else
        snprintf(out, PATH_MAX, ".");
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

static enum err check_data_folder(const char *dir, char *text, size_t n)
{
    char probe[PATH_MAX];
    if (!make_folder(dir)) {
        snprintf(text, n, "cannot make the data folder %s: %s (data.dir, WEIR_DATA_DIR)", dir,
                 strerror(errno));
        return ERR_IO;
    }
    /* access(2) says yes to root on a read-only file system: try it. */
    int len = snprintf(probe, sizeof probe, "%s/.probe-XXXXXX", dir);
    int fd = len > 0 && (size_t)len < sizeof probe ? mkstemp(probe) : -1;
    if (fd < 0) {
        snprintf(text, n, "cannot write to the data folder %s: %s (data.dir, WEIR_DATA_DIR)", dir,
                 strerror(errno));
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
             "test card "
             "(WEIR_HLS_ENABLED=0 WEIR_DEMO=0)",
             s->hls_ffmpeg);
    return ERR_NOT_FOUND;
}

static enum err find_worker(const struct settings *s, const char *folder, struct arena *arena,
                            struct app_paths *out, char *text, size_t n)
{
    out->worker = s->rtc_worker_path[0] ? s->rtc_worker_path : join(arena, folder, "weir-worker");
    if (out->worker && is_program(out->worker))
        return OK;
    snprintf(text, n, "the media worker is missing: %s (rtc.worker_path)",
             out->worker ? out->worker : "weir-worker");
    return ERR_NOT_FOUND;
}

static bool has_index(struct arena *arena, const char *dir)
{
    const char *index = join(arena, dir, "index.html");
    return index && access(index, R_OK) == 0;
}

static enum err find_web(const struct settings *s, const char *folder, struct arena *arena,
                         struct app_paths *out, char *text, size_t n)
{
    if (s->web_root[0]) {
        out->web_root = s->web_root;
        if (has_index(arena, s->web_root))
            return OK;
        snprintf(text, n, "no index.html in %s (web.root)", s->web_root);
        return ERR_NOT_FOUND;
    }
    /* Installed: next to the program; from a checkout: below the folder it runs in, or beside
     * build/. */
    const char *candidates[] = {join(arena, folder, "web"), "web/dist",
                                join(arena, folder, "../../web/dist"),
                                join(arena, folder, "../share/weir/web")};
    out->web_root = "";
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0] && !out->web_root[0]; i++) {
        if (candidates[i] && has_index(arena, candidates[i]))
            out->web_root = candidates[i];
    }
    return OK;
}

enum err app_paths_find(const struct settings *s, const char *program, struct arena *arena,
                        struct app_paths *out, char *text, size_t n)
{
    char folder[PATH_MAX];
    program_folder(program, folder);
    enum err e = check_data_folder(s->data_dir, text, n);
    if (e == OK)
        e = find_ffmpeg(s, arena, out, text, n);
    if (e == OK)
        e = find_worker(s, folder, arena, out, text, n);
    if (e == OK)
        e = find_web(s, folder, arena, out, text, n);
    if (e != OK)
        return e;
    out->hls_dir = s->hls_dir[0] ? s->hls_dir : join(arena, s->data_dir, "hls");
    char url[PATH_MAX];
    snprintf(url, sizeof url, "sqlite:%s/weir.db", s->data_dir);
    out->db_url = s->db_url[0] ? s->db_url : arena_strndup(arena, url, strlen(url));
    return out->hls_dir && out->db_url ? OK : ERR_NOMEM;
}
