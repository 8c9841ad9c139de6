/* Configuration by table: one row a key, from which the file parser, the environment, defaults,
 * checks and documentation come. Precedence: environment, then file, then default. All errors are
 * collected, not just the first. Reads one file; otherwise no IO.
 *
 * The file: `key = value` lines, keys dotted ("http.port = 8080") or under a [section]; comments
 * start with # or ; on a line of their own, or with # after white space behind a value; a value may
 * stand in double quotes (with \" \\ \n \t) or single quotes (as is). Lists are separated by
 * commas. The environment: WEIR_ and the key in capitals, dots as underscores (WEIR_HTTP_PORT). */
#ifndef WEIR_COMMON_CONFIG_H
#define WEIR_COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"

/* type       member in the struct      written as                    min .. max bound
 * INT        int64_t                   42, -1                        the value
 * PORT       uint16_t                  8080                          the value
 * BOOL       bool                      true false yes no on off 1 0  -
 * STRING     const char *              text                          the length
 * PATH       const char *              a path; relative to the       the length
 *                                      folder the program runs in
 * ENUM       int, index in choices     one of choices                -
 * DURATION   int64_t microseconds      250ms 10s 5m 2h 1d, 1.5s      the value, microseconds
 * SIZE       int64_t bytes             64k 10M 2G (1024), 4096       the value, bytes
 * BITRATE    int64_t bits per second   300k 2.5M (1000), 800000      the value, bit/s
 * LIST       struct config_list        a, b, c                       the count */
enum config_type {
    CONFIG_INT,
    CONFIG_PORT,
    CONFIG_BOOL,
    CONFIG_STRING,
    CONFIG_PATH,
    CONFIG_ENUM,
    CONFIG_DURATION,
    CONFIG_SIZE,
    CONFIG_BITRATE,
    CONFIG_LIST
};

enum {
    CONFIG_FILE_MAX = 1024 * 1024,
    CONFIG_LINE_MAX = 4096,
    CONFIG_LIST_MAX = 64,
    CONFIG_PROBLEMS_MAX = 64, /* further ones are only counted */
};

struct config_list {
    const char *const *items; /* in the arena */
    size_t n;
};

struct config_key {
    const char *key; /* "http.port"; "demo" */
    enum config_type type;
    size_t offset; /* of the member */
    const char *def;
    int64_t min;
    int64_t max;
    const char *const *choices; /* of ENUM, NULL-terminated */
    bool secret;                /* never printed */
    const char *doc;            /* one or two sentences */
};

struct config_table {
    const struct config_key *keys;
    size_t n;
    size_t struct_size;
    /* Starts of names of environment variables that others own, so that they are no mistakes:
     * "WEIR_TEST_"; NULL-terminated. May be NULL. */
    const char *const *other_env;
};

struct config_problem {
    bool warning;     /* does not keep the program from starting */
    const char *file; /* of the file, or NULL: the environment, or a check */
    int line;         /* 0 where there is none */
    const char *key;  /* as the user wrote it: "http.prot", "WEIR_HTTP_PORT"; may be NULL */
    const char *text; /* what was expected, what was found, did you mean */
};

struct config_problems {
    struct arena *arena; /* outlives us */
    struct config_problem items[CONFIG_PROBLEMS_MAX];
    size_t n;
    size_t n_errors; /* all of them, also those that did not fit */
};

void config_problems_init(struct config_problems *p, struct arena *arena);
/* Adds one; strings are copied into the arena. */
void config_problem_add(struct config_problems *p, bool warning, const char *file, int line,
                        const char *key, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* "weir.conf:3: http.port: expected ..." into buf; returns buf. */
const char *config_problem_text(const struct config_problem *p, char *buf, size_t n);

/* Fills out (table->struct_size bytes) from defaults, then text (NUL-terminated contents of a file;
 * NULL: none; file_name for messages), then env (NULL-terminated "NAME=value" list as in environ;
 * NULL: none). Strings go into the arena. Where a value is wrong the next lower source's stays, and
 * a problem is added. ERR_MALFORMED when there is at least one error; out is complete even then. */
MUST_CHECK enum err config_load(const struct config_table *table, const char *file_name,
                                const char *text, char *const *env, void *out, struct arena *arena,
                                struct config_problems *problems);

/* The contents of a file, NUL-terminated, in the arena. ERR_NOT_FOUND, ERR_TOO_LARGE, ERR_MALFORMED
 * (a NUL byte), ERR_IO, ERR_NOMEM. */
MUST_CHECK enum err config_read_file(const char *path, struct arena *arena, const char **text);

/* "http.port" -> "WEIR_HTTP_PORT" into buf; returns buf. */
const char *config_env_name(const char *key, char *buf, size_t n);
/* What the type accepts, for messages and documentation: "a port, 1 to 65535". Returns buf. */
const char *config_expects(const struct config_key *key, char *buf, size_t n);

#endif
