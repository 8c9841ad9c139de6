/* docs/configuration.md and deploy/weir.conf.example, from the table of keys. */
#include "controller/settings/settings.h"

#include <string.h>

static const struct {
    const char *name;
    const char *title;
} sections[] = {
    {"http", "HTTP and WebSocket"},
    {"web", "Web app"},
    {"rtc", "Media"},
    {"ice", "STUN and TURN"},
    {"data", "Storage"},
    {"db", "Database"},
    {"hls", "HLS"},
    {"record", "Recordings"},
    {"storage", "Storage of recordings"},
    {"accounts", "Accounts"},
    {"redis", "Redis"},
    {"chat", "Chat"},
    {"webhooks", "Webhooks"},
    {"limits", "Limits"},
    {"", "General"},
    {"log", "Log"},
    {"metrics", "Metrics"},
};

/* "http" of "http.port"; "" of "demo". */
static bool is_in(const struct config_key *key, const char *section)
{
    const char *dot = strchr(key->key, '.');
    size_t n = dot ? (size_t)(dot - key->key) : 0;
    return strlen(section) == n && strncmp(section, key->key, n) == 0;
}

static const char *const intro =
    "# Configuration\n"
    "\n"
    "<!-- Made from controller/settings/settings_keys.h by `make docs-config`. -->\n"
    "\n"
    "Weir runs without any configuration. What is to be different goes into one file, `weir.conf`\n"
    "in the folder that it runs in, or the file that `weir --config FILE` or `WEIR_CONFIG` names;\n"
    "`deploy/weir.conf.example` has every key with its default. Each key is also an environment\n"
    "variable. The environment wins over the file, the file over the default; an empty variable\n"
    "counts as not set.\n"
    "\n"
    "```ini\n"
    "# keys with dots, or below a [section]\n"
    "http.port = 8443\n"
    "\n"
    "[rtc]\n"
    "listen_ips = 0.0.0.0=203.0.113.7, ::=2001:db8::7   # ip=announced address\n"
    "```\n"
    "\n"
    "A `#` starts a comment, at the start of a line or behind white space; values that need one,\n"
    "or spaces at their ends, stand in quotes (`\"a \\\"b\\\" #c\"` or `'as it is'`). Lists are\n"
    "separated by commas. Durations are written `250ms`, `10s`, `5m`, `2h`, `1d`; sizes in bytes\n"
    "`4096`, `64k`, `10M`, `1G` (of 1024); bit rates `800000`, `300k`, `2.5M` (of 1000).\n"
    "\n"
    "`weir --check-config` says everything that is wrong, with line and key, and ends with 0 when\n"
    "Weir can start. A key that does not exist is an error; a `WEIR_...` variable that does not\n"
    "exist, a warning.\n";

void settings_print_docs(FILE *out)
{
    char text[512];
    fputs(intro, out);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        fprintf(out,
                "\n## %s\n\n| key | environment | value | default | meaning |\n"
                "|---|---|---|---|---|\n",
                sections[i].title);
        for (size_t k = 0; k < settings_table.n; k++) {
            const struct config_key *key = &settings_table.keys[k];
            if (!is_in(key, sections[i].name))
                continue;
            fprintf(out, "| `%s` ", key->key);
            fprintf(out, "| `%s` ", config_env_name(key->key, text, sizeof text));
            fprintf(out, "| %s%s ", config_expects(key, text, sizeof text),
                    key->secret ? "; secret" : "");
            if (key->def[0] != '\0')
                fprintf(out, "| `%s` | %s |\n", key->def, key->doc);
            else
                fprintf(out, "| | %s |\n", key->doc);
        }
    }
}

/* As comment lines of at most 100 columns. */
static void wrapped(FILE *out, const char *text)
{
    enum { COLUMNS_MAX = 98 };
    while (*text != '\0') {
        size_t n = strlen(text);
        if (n > COLUMNS_MAX) {
            n = COLUMNS_MAX;
            while (n > 0 && text[n] != ' ')
                n--;
            if (n == 0)
                n = COLUMNS_MAX;
        }
        fprintf(out, "# %.*s\n", (int)n, text);
        text += n;
        text += strspn(text, " ");
    }
}

void settings_print_example(FILE *out)
{
    char text[512];
    fputs("# Every key of Weir with its default. Made from the table by `make docs-config`; see\n"
          "# docs/configuration.md. Take away the # in front of what is to be different.\n",
          out);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        fprintf(out, "\n#### %s\n", sections[i].title);
        for (size_t k = 0; k < settings_table.n; k++) {
            const struct config_key *key = &settings_table.keys[k];
            if (!is_in(key, sections[i].name))
                continue;
            fputc('\n', out);
            wrapped(out, key->doc);
            fprintf(out, "# (%s%s)\n", config_expects(key, text, sizeof text),
                    key->secret ? "; secret" : "");
            fprintf(out, "#%s =%s%s\n", key->key, key->def[0] != '\0' ? " " : "", key->def);
        }
    }
}
