/* The settings of the controller: one table of keys, from which this struct, the parser, the
 * documentation (docs/configuration.md) and the example file (deploy/weir.conf.example) come.
 * Reads the configuration file and the environment.
 *
 * A key a.b is the member a_b and the environment variable WEIR_A_B. */
#ifndef WEIR_CONTROLLER_SETTINGS_SETTINGS_H
#define WEIR_CONTROLLER_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/addr.h"
#include "common/arena.h"
#include "common/config.h"
#include "common/err.h"
#include "controller/settings/settings_keys.h"

#define SETTINGS_MEMBER_INT int64_t
#define SETTINGS_MEMBER_PORT uint16_t
#define SETTINGS_MEMBER_BOOL bool
#define SETTINGS_MEMBER_STRING const char *
#define SETTINGS_MEMBER_PATH const char *
#define SETTINGS_MEMBER_ENUM int
#define SETTINGS_MEMBER_DURATION int64_t
#define SETTINGS_MEMBER_SIZE int64_t
#define SETTINGS_MEMBER_BITRATE int64_t
#define SETTINGS_MEMBER_LIST struct config_list
#define SETTINGS_MEMBER(member, key, type, def, min, max, choices, secret, doc)                    \
    SETTINGS_MEMBER_##type member;

/* Durations are microseconds, sizes bytes, bit rates bit/s. Strings are never NULL; "" is unset. */
struct settings {
    SETTINGS_MAP(SETTINGS_MEMBER)
};

extern const struct config_table settings_table;

enum { SETTINGS_LISTEN_MAX = 8 };

/* One entry of rtc.listen_ips: "ip" or "ip=announced". */
struct settings_listen {
    struct addr ip;        /* port 0 */
    const char *announced; /* address or host name told to clients; NULL: the ip itself */
};

/* Loads and checks. path NULL: the file that WEIR_CONFIG in env names, else "weir.conf" in the
 * folder the program runs in if it is there, else no file. env as in environ. out is complete even
 * when errors were found, and what may be left empty or 0 is filled in: db_url, hls_dir, web_root
 * (if there is one), rtc_worker_path, rtc_workers. ERR_MALFORMED: there are errors in problems,
 * which also hold warnings in any case. */
MUST_CHECK enum err settings_load(struct settings *out, const char *path, char *const *env,
                                  struct arena *arena, struct config_problems *problems);

/* What the table cannot see: ranges that collide, certificates that are not there, lists of
 * addresses. Called by settings_load. Does not touch the network. */
void settings_check(const struct settings *s, struct config_problems *problems);

/* For `weir --check-config`: every problem a line, then one line with the verdict. Returns the exit
 * code: 0 usable, 1 not. */
int settings_print_check(const struct config_problems *problems, FILE *out);

/* Every key = value in use, secrets as "***", for `weir --print-config` and support requests. */
void settings_print(const struct settings *s, FILE *out);

/* The parsed form of rtc.listen_ips; n of at most SETTINGS_LISTEN_MAX. After a load without errors
 * it cannot fail except for memory. */
MUST_CHECK enum err settings_listen_ips(const struct settings *s, struct arena *arena,
                                        struct settings_listen out[SETTINGS_LISTEN_MAX], size_t *n);

enum { SETTINGS_LADDER_MAX = 6 };

/* One entry of hls.ladder: "720p:2500k". */
struct settings_rendition {
    unsigned height;
    int64_t bps;
};

/* The parsed form of hls.ladder. After a load without errors it cannot fail. */
MUST_CHECK enum err settings_ladder(const struct settings *s,
                                    struct settings_rendition out[SETTINGS_LADDER_MAX], size_t *n);

/* Generated documents. */
void settings_print_docs(FILE *out);
void settings_print_example(FILE *out);

#endif
