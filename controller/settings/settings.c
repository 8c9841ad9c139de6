#include "controller/settings/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config_value.h"
#include "common/log.h"

enum { WORKERS_MAX = 256, PATH_TEXT_MAX = 4096 };

const char *const settings_log_levels[] = {"trace", "debug", "info", "warn", "error", NULL};
_Static_assert(LOG_TRACE == 0 && LOG_ERROR == 4, "log.level is the index of settings_log_levels");
const char *const settings_x264_presets[] = {"ultrafast", "superfast", "veryfast", "faster",
                                             "fast",      "medium",    "slow",     NULL};
const char *const settings_hls_containers[] = {"cmaf", "ts", NULL};

#define ROW(member, key, type, def, min, max, choices, secret, doc)                                \
    {key, CONFIG_##type, offsetof(struct settings, member), def, min, max, choices, secret, doc},
static const struct config_key keys[] = {SETTINGS_MAP(ROW)};
/* WEIR_ARGS is of `make run`, WEIR_URL of the web app's own server; the rest belongs to tests and
 * benches. */
static const char *const other_env[] = {"WEIR_CONFIG", "WEIR_ARGS",   "WEIR_TEST_", "WEIR_E2E_",
                                        "WEIR_FUZZ_",  "WEIR_BENCH_", "WEIR_URL",   NULL};

const struct config_table settings_table = {.keys = keys,
                                            .n = sizeof keys / sizeof keys[0],
                                            .struct_size = sizeof(struct settings),
                                            .other_env = other_env};

/* ---- what may be left empty ---- */

static const char *join(struct arena *arena, const char *a, const char *b)
{
    char text[PATH_TEXT_MAX];
    int n = snprintf(text, sizeof text, "%s%s", a, b);
    if (n < 0 || (size_t)n >= sizeof text)
        return NULL;
    return arena_strndup(arena, text, (size_t)n);
}

/* The folder that the program lies in, without a slash at the end; "." when it cannot be found. */
static const char *program_dir(struct arena *arena)
{
    char text[PATH_TEXT_MAX];
    ssize_t n = readlink("/proc/self/exe", text, sizeof text - 1);
    if (n <= 0)
        return ".";
    text[n] = '\0';
    char *slash = strrchr(text, '/');
    if (!slash)
        return ".";
    *slash = '\0';
    return arena_strndup(arena, text, strlen(text));
}

/* Installed, beside the program, or in the source tree; "" when it is nowhere. */
static const char *find_web(struct arena *arena, const char *dir)
{
    static const char *const places[] = {"/web", "/../share/weir/web", "/../../web/dist"};
    if (access("web/dist/index.html", R_OK) == 0)
        return "web/dist";
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const char *root = join(arena, dir, places[i]);
        const char *page = root ? join(arena, root, "/index.html") : NULL;
        if (page && access(page, R_OK) == 0)
            return root;
    }
    return "";
}

static int64_t cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    if (n < 1)
        return 1;
    return n < WORKERS_MAX ? n : WORKERS_MAX;
}

static enum err fill_in(struct settings *s, struct arena *arena)
{
    const char *dir = program_dir(arena);
    if (!dir)
        return ERR_NOMEM;
    if (s->rtc_workers == 0)
        s->rtc_workers = cores();
    if (s->rtc_worker_path[0] == '\0')
        s->rtc_worker_path = join(arena, dir, "/weir-worker");
    if (s->web_root[0] == '\0')
        s->web_root = find_web(arena, dir);
    if (s->hls_dir[0] == '\0')
        s->hls_dir = join(arena, s->data_dir, "/hls");
    if (s->record_dir[0] == '\0')
        s->record_dir = join(arena, s->data_dir, "/recordings");
    if (s->db_url[0] == '\0') {
        const char *path = join(arena, s->data_dir, "/weir.db");
        s->db_url = path ? join(arena, "sqlite:", path) : NULL;
    }
    return s->rtc_worker_path && s->web_root && s->hls_dir && s->record_dir && s->db_url
               ? OK
               : ERR_NOMEM;
}

/* ---- loading ---- */

static const char *env_value(char *const *env, const char *name)
{
    size_t n = strlen(name);
    for (; env && *env; env++) {
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=' && (*env)[n + 1] != '\0')
            return *env + n + 1;
    }
    return NULL;
}

static const char *read_file(const char *path, bool required, struct arena *arena,
                             struct config_problems *problems)
{
    const char *text = NULL;
    enum err e = config_read_file(path, arena, &text);
    if (e == OK || (e == ERR_NOT_FOUND && !required))
        return text;
    const char *why = "cannot be read";
    if (e == ERR_NOT_FOUND)
        why = "no such file";
    else if (e == ERR_TOO_LARGE)
        why = "expected a file of at most 1 MiB";
    else if (e == ERR_MALFORMED)
        why = "expected text, not a binary file";
    config_problem_add(problems, false, path, 0, NULL, "%s", why);
    return NULL;
}

enum err settings_load(struct settings *out, const char *path, char *const *env,
                       struct arena *arena, struct config_problems *problems)
{
    if (!path)
        path = env_value(env, "WEIR_CONFIG");
    bool required = path != NULL;
    if (!path)
        path = "weir.conf";
    const char *text = read_file(path, required, arena, problems);
    enum err e = config_load(&settings_table, path, text, env, out, arena, problems);
    if (e == ERR_NOMEM)
        return e;
    settings_check(out, problems);
    e = fill_in(out, arena);
    if (e != OK)
        return e;
    return problems->n_errors > 0 ? ERR_MALFORMED : OK;
}

/* ---- printing ---- */

int settings_print_check(const struct config_problems *problems, FILE *out)
{
    char text[1024];
    for (size_t i = 0; i < problems->n; i++)
        fprintf(out, "%s\n", config_problem_text(&problems->items[i], text, sizeof text));
    size_t warnings = 0;
    for (size_t i = 0; i < problems->n; i++)
        warnings += problems->items[i].warning;
    if (problems->n_errors > 0)
        fprintf(out, "configuration: %zu error%s, cannot start\n", problems->n_errors,
                problems->n_errors == 1 ? "" : "s");
    else if (warnings > 0)
        fprintf(out, "configuration: usable, %zu warning%s\n", warnings, warnings == 1 ? "" : "s");
    else
        fprintf(out, "configuration: fine\n");
    return problems->n_errors > 0 ? 1 : 0;
}

void settings_print(const struct settings *s, FILE *out)
{
    char text[2 * SETTINGS_TEXT_MAX];
    for (size_t i = 0; i < settings_table.n; i++) {
        const void *member = (const char *)s + keys[i].offset;
        fprintf(out, "%s = %s\n", keys[i].key,
                config_value_text(&keys[i], member, text, sizeof text));
    }
}
