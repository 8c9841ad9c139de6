#include "common/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/config_value.h"

enum { KEY_MAX = 128 };

/* One load. */
struct load {
    const struct config_table *table;
    const char *file;
    void *out;
    struct arena *arena;
    struct config_problems *problems;
    unsigned char *seen; /* per key: set by the file already */
};

/* ---- problems ---- */

void config_problems_init(struct config_problems *p, struct arena *arena)
{
    *p = (struct config_problems){.arena = arena};
}

static const char *copy(struct arena *arena, const char *s)
{
    return s ? arena_strndup(arena, s, strlen(s)) : NULL;
}

void config_problem_add(struct config_problems *p, bool warning, const char *file, int line,
                        const char *key, const char *fmt, ...)
{
    if (!warning)
        p->n_errors++;
    if (p->n == CONFIG_PROBLEMS_MAX)
        return;
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const char *kept = copy(p->arena, text);
    p->items[p->n++] = (struct config_problem){.warning = warning,
                                               .file = copy(p->arena, file),
                                               .line = line,
                                               .key = copy(p->arena, key),
                                               .text = kept ? kept : "out of memory"};
}

const char *config_problem_text(const struct config_problem *p, char *buf, size_t n)
{
    char where[300] = "";
    if (p->file && p->line > 0)
        snprintf(where, sizeof where, "%s:%d: ", p->file, p->line);
    else if (p->file)
        snprintf(where, sizeof where, "%s: ", p->file);
    snprintf(buf, n, "%s%s%s%s%s", p->warning ? "warning: " : "", where, p->key ? p->key : "",
             p->key ? ": " : "", p->text);
    return buf;
}

/* ---- names ---- */

const char *config_env_name(const char *key, char *buf, size_t n)
{
    snprintf(buf, n, "WEIR_%s", key);
    for (char *c = buf + (n > 5 ? 5 : 0); *c != '\0'; c++)
        *c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
    return buf;
}

/* Edits (insert, delete, replace) that lead from a to b; names are short. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[KEY_MAX + 1];
    size_t nb = strlen(b);
    if (nb > KEY_MAX)
        return KEY_MAX;
    for (unsigned k = 0; k <= nb; k++)
        row[k] = k;
    for (unsigned i = 0; a[i] != '\0'; i++) {
        unsigned diagonal = row[0];
        row[0] = i + 1;
        for (size_t k = 1; k <= nb; k++) {
            unsigned best = diagonal + (a[i] != b[k - 1]);
            if (row[k] + 1 < best)
                best = row[k] + 1;
            if (row[k - 1] + 1 < best)
                best = row[k - 1] + 1;
            diagonal = row[k];
            row[k] = best;
        }
    }
    return row[nb];
}

/* The key that name is likely a slip of, or NULL. */
static const char *similar(const struct config_table *table, const char *name, bool env)
{
    const char *best = NULL;
    unsigned best_distance = (unsigned)strlen(name) / 4 + 1;
    char buf[KEY_MAX];
    for (size_t i = 0; i < table->n; i++) {
        const char *key = table->keys[i].key;
        unsigned d = distance(name, env ? config_env_name(key, buf, sizeof buf) : key);
        /* "port" alone is meant to be http.port, not drain */
        const char *dot = env ? NULL : strrchr(key, '.');
        if (dot && strcmp(dot + 1, name) == 0)
            d = 1;
        if (d <= best_distance && (!best || d < best_distance)) {
            best = key;
            best_distance = d;
        }
    }
    return best;
}

static const struct config_key *find(const struct config_table *table, const char *key, size_t *at)
{
    for (size_t i = 0; i < table->n; i++) {
        if (strcmp(table->keys[i].key, key) == 0) {
            *at = i;
            return &table->keys[i];
        }
    }
    return NULL;
}

/* ---- one value ---- */

static void apply(struct load *l, const struct config_key *key, const char *text, const char *file,
                  int line, const char *name)
{
    void *member = (char *)l->out + key->offset;
    enum err e = config_value_parse(key, text, member, l->arena);
    if (e == OK)
        return;
    char expects[256];
    config_expects(key, expects, sizeof expects);
    if (e == ERR_NOMEM)
        config_problem_add(l->problems, false, file, line, name, "out of memory");
    else if (key->secret)
        config_problem_add(l->problems, false, file, line, name, "expected %s", expects);
    else
        config_problem_add(l->problems, false, file, line, name, "expected %s, not \"%.100s\"",
                           expects, text);
}

/* ---- the file ---- */

static char *trim(char *s)
{
    s += strspn(s, " \t\r");
    size_t n = strlen(s);
    while (n > 0 && strchr(" \t\r", s[n - 1]))
        s[--n] = '\0';
    return s;
}

static bool key_is_sane(const char *key)
{
    size_t n = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
    return n > 0 && key[n] == '\0' && n < KEY_MAX;
}

/* "x" with escapes or 'x' as is, then nothing but a comment. In place; NULL: malformed. */
static char *unquote(char *s)
{
    char quote = *s++;
    char *start = s;
    char *o = s;
    for (; *s != quote; s++) {
        if (*s == '\0')
            return NULL;
        if (quote == '"' && *s == '\\') {
            s++;
            if (*s != '"' && *s != '\\' && *s != 'n' && *s != 't')
                return NULL;
            *o++ = *s == 'n' ? '\n' : *s == 't' ? '\t' : *s;
        } else {
            *o++ = *s;
        }
    }
    char *rest = trim(s + 1);
    if (*rest != '\0' && *rest != '#')
        return NULL;
    *o = '\0';
    return start;
}

/* Up to a # that follows white space: colors and URLs keep theirs. */
static char *unquoted(char *s)
{
    for (char *c = s; *c != '\0'; c++) {
        if (*c == '#' && (c == s || c[-1] == ' ' || c[-1] == '\t')) {
            *c = '\0';
            break;
        }
    }
    return trim(s);
}

static void file_value(struct load *l, int line, const char *section, char *name, char *value)
{
    char full[2 * KEY_MAX];
    size_t at = 0;
    if (!key_is_sane(name)) {
        config_problem_add(l->problems, false, l->file, line, NULL,
                           "expected a key before the \"=\", such as http.port");
        return;
    }
    snprintf(full, sizeof full, "%s%s%s", section, section[0] ? "." : "", name);
    const struct config_key *key = find(l->table, full, &at);
    if (!key) {
        const char *like = similar(l->table, full, false);
        if (like)
            config_problem_add(l->problems, false, l->file, line, full,
                               "no such key; did you mean %s?", like);
        else
            config_problem_add(l->problems, false, l->file, line, full, "no such key");
        return;
    }
    if (l->seen[at]++ > 0) {
        l->seen[at] = 1;
        config_problem_add(l->problems, false, l->file, line, full, "set twice in this file");
        return;
    }
    value = *value == '"' || *value == '\'' ? unquote(value) : unquoted(value);
    if (!value) {
        config_problem_add(l->problems, false, l->file, line, full,
                           "expected a closing quote and nothing behind it");
        return;
    }
    apply(l, key, value, l->file, line, full);
}

static void file_section(struct load *l, int line, char *s, char section[KEY_MAX])
{
    char *end = strchr(s, ']');
    char *rest = end ? trim(end + 1) : NULL;
    if (end)
        *end = '\0';
    char *name = trim(s + 1);
    if (!end || (*rest != '\0' && *rest != '#') || !key_is_sane(name)) {
        config_problem_add(l->problems, false, l->file, line, NULL,
                           "expected a section such as [http]");
        section[0] = '\0';
        return;
    }
    snprintf(section, KEY_MAX, "%s", name);
}

static void file_line(struct load *l, int line, char *s, char section[KEY_MAX])
{
    s = trim(s);
    if (*s == '\0' || *s == '#' || *s == ';')
        return;
    if (*s == '[') {
        file_section(l, line, s, section);
        return;
    }
    char *equals = strchr(s, '=');
    if (!equals) {
        config_problem_add(l->problems, false, l->file, line, NULL,
                           "expected \"key = value\" or \"[section]\", not \"%.60s\"", s);
        return;
    }
    *equals = '\0';
    file_value(l, line, section, trim(s), trim(equals + 1));
}

static void load_file(struct load *l, const char *text)
{
    char section[KEY_MAX] = "";
    char buf[CONFIG_LINE_MAX];
    int line = 1;
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3; /* the mark that some editors put at the start */
    for (; *text != '\0'; line++) {
        size_t n = strcspn(text, "\n");
        if (n >= sizeof buf) {
            config_problem_add(l->problems, false, l->file, line, NULL,
                               "expected at most %d characters in a line", CONFIG_LINE_MAX - 1);
        } else {
            memcpy(buf, text, n);
            buf[n] = '\0';
            file_line(l, line, buf, section);
        }
        text += n + (text[n] == '\n');
    }
}

/* ---- the environment ---- */

static bool is_of_others(const struct config_table *table, const char *name)
{
    for (const char *const *o = table->other_env; o && *o; o++) {
        if (strncmp(name, *o, strlen(*o)) == 0)
            return true;
    }
    return false;
}

static void env_unknown(struct load *l, const char *name)
{
    char like_name[KEY_MAX];
    const char *like = similar(l->table, name, true);
    if (is_of_others(l->table, name))
        return;
    if (like)
        config_problem_add(l->problems, true, NULL, 0, name, "no such setting; did you mean %s?",
                           config_env_name(like, like_name, sizeof like_name));
    else
        config_problem_add(l->problems, true, NULL, 0, name, "no such setting");
}

static void load_env(struct load *l, char *const *env)
{
    char name[KEY_MAX];
    for (; *env; env++) {
        size_t n = strcspn(*env, "=");
        if (strncmp(*env, "WEIR_", 5) != 0 || (*env)[n] != '=' || n >= sizeof name)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)n, *env);
        const struct config_key *key = NULL;
        for (size_t i = 0; i < l->table->n && !key; i++) {
            char expected[KEY_MAX];
            if (strcmp(config_env_name(l->table->keys[i].key, expected, sizeof expected), name) ==
                0)
                key = &l->table->keys[i];
        }
        if (!key)
            env_unknown(l, name);
        else if ((*env)[n + 1] != '\0')
            apply(l, key, *env + n + 1, NULL, 0, name);
    }
}

enum err config_load(const struct config_table *table, const char *file_name, const char *text,
                     char *const *env, void *out, struct arena *arena,
                     struct config_problems *problems)
{
    struct load l = {.table = table,
                     .file = file_name,
                     .out = out,
                     .arena = arena,
                     .problems = problems,
                     .seen = arena_alloc(arena, table->n)};
    if (!l.seen)
        return ERR_NOMEM;
    memset(out, 0, table->struct_size);
    for (size_t i = 0; i < table->n; i++)
        apply(&l, &table->keys[i], table->keys[i].def, "default", 0, table->keys[i].key);
    if (text)
        load_file(&l, text);
    if (env)
        load_env(&l, env);
    return problems->n_errors > 0 ? ERR_MALFORMED : OK;
}

enum err config_read_file(const char *path, struct arena *arena, const char **text)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    enum err e = OK;
    size_t n = 0;
    char *bytes = malloc(CONFIG_FILE_MAX + 1);
    if (!bytes)
        e = ERR_NOMEM;
    if (e == OK) {
        n = fread(bytes, 1, CONFIG_FILE_MAX + 1, f);
        if (ferror(f))
            e = ERR_IO;
        else if (n > CONFIG_FILE_MAX)
            e = ERR_TOO_LARGE;
        else if (memchr(bytes, '\0', n))
            e = ERR_MALFORMED;
    }
    if (e == OK) {
        *text = arena_strndup(arena, bytes, n);
        e = *text ? OK : ERR_NOMEM;
    }
    free(bytes);
    fclose(f);
    return e;
}
