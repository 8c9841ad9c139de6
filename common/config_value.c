#include "common/config_value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit duration_units[] = {{"ms", 1000},
                                             {"s", 1000000},
                                             {"m", 60 * INT64_C(1000000)},
                                             {"h", 3600 * INT64_C(1000000)},
                                             {"d", 86400 * INT64_C(1000000)},
                                             {NULL, 0}};
static const struct unit size_units[] = {
    {"", 1}, {"k", 1024}, {"M", 1024 * 1024}, {"G", 1024 * 1024 * 1024}, {NULL, 0}};
static const struct unit bitrate_units[] = {
    {"", 1}, {"k", 1000}, {"M", 1000 * 1000}, {"G", 1000 * 1000 * 1000}, {NULL, 0}};

/* ---- reading ---- */

static enum err parse_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
    const char *digits = text + (*text == '-');
    size_t n = strspn(digits, "0123456789");
    if (n == 0 || digits[n] != '\0')
        return ERR_MALFORMED;
    if (n > 18)
        return ERR_RANGE;
    int64_t v = strtoll(text, NULL, 10);
    if (v < min || v > max)
        return ERR_RANGE;
    *out = v;
    return OK;
}

/* A decimal number and a unit: "1.5s", "10 M". */
static enum err parse_quantity(const char *text, const struct unit *units, int64_t min, int64_t max,
                               int64_t *out)
{
    size_t whole = strspn(text, "0123456789");
    size_t n = whole;
    if (text[n] == '.')
        n += 1 + strspn(text + n + 1, "0123456789");
    if (whole == 0 || n > 15 || text[n - 1] == '.')
        return ERR_MALFORMED;
    char number[16];
    memcpy(number, text, n);
    number[n] = '\0';
    const char *name = text + n + strspn(text + n, " ");
    bool zero = strspn(number, "0.") == n;
    for (const struct unit *u = units; u->name; u++) {
        /* 0 needs no unit. */
        if (strcasecmp(u->name, name) != 0 && !(zero && *name == '\0'))
            continue;
        double v = strtod(number, NULL) * (double)u->factor;
        if (v < (double)min || v > (double)max)
            return ERR_RANGE;
        *out = (int64_t)llround(v);
        return OK;
    }
    return ERR_MALFORMED;
}

static enum err parse_bool(const char *text, bool *out)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return OK;
        }
    }
    return ERR_MALFORMED;
}

static enum err parse_choice(const char *text, const char *const *choices, int *out)
{
    for (int i = 0; choices[i]; i++) {
        if (strcmp(text, choices[i]) == 0) {
            *out = i;
            return OK;
        }
    }
    return ERR_MALFORMED;
}

static enum err parse_text(const struct config_key *key, const char *text, const char **out,
                           struct arena *arena)
{
    size_t n = strlen(text);
    if ((int64_t)n < key->min || (int64_t)n > key->max)
        return ERR_RANGE;
    const char *copy = arena_strndup(arena, text, n);
    if (!copy)
        return ERR_NOMEM;
    *out = copy;
    return OK;
}

static enum err parse_list(const struct config_key *key, const char *text, struct config_list *out,
                           struct arena *arena)
{
    const char *items[CONFIG_LIST_MAX];
    size_t n = 0;
    bool empty = text[strspn(text, " \t")] == '\0';
    while (!empty) {
        text += strspn(text, " \t");
        size_t len = strcspn(text, ",");
        size_t used = len;
        while (used > 0 && (text[used - 1] == ' ' || text[used - 1] == '\t'))
            used--;
        if (used == 0)
            return ERR_MALFORMED;
        if (n == CONFIG_LIST_MAX)
            return ERR_RANGE;
        items[n] = arena_strndup(arena, text, used);
        if (!items[n++])
            return ERR_NOMEM;
        if (text[len] == '\0')
            break;
        text += len + 1;
    }
    if ((int64_t)n < key->min || (int64_t)n > key->max)
        return ERR_RANGE;
    const char **kept = arena_array(arena, n, sizeof *kept);
    if (!kept)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        kept[i] = items[i];
    *out = (struct config_list){.items = kept, .n = n};
    return OK;
}

enum err config_value_parse(const struct config_key *key, const char *text, void *member,
                            struct arena *arena)
{
    int64_t v = 0;
    enum err e = ERR_MALFORMED;
    switch (key->type) {
    case CONFIG_INT:
        return parse_int(text, key->min, key->max, member);
    case CONFIG_PORT:
        e = parse_int(text, key->min, key->max, &v);
        if (e == OK)
            *(uint16_t *)member = (uint16_t)v;
        return e;
    case CONFIG_BOOL:
        return parse_bool(text, member);
    case CONFIG_STRING:
    case CONFIG_PATH:
        return parse_text(key, text, member, arena);
    case CONFIG_ENUM:
        return parse_choice(text, key->choices, member);
    case CONFIG_DURATION:
        return parse_quantity(text, duration_units, key->min, key->max, member);
    case CONFIG_SIZE:
        return parse_quantity(text, size_units, key->min, key->max, member);
    case CONFIG_BITRATE:
        return parse_quantity(text, bitrate_units, key->min, key->max, member);
    case CONFIG_LIST:
        return parse_list(key, text, member, arena);
    }
    return e;
}

/* ---- writing ---- */

/* In the largest unit that leaves no rest. */
static void quantity_text(int64_t v, const struct unit *units, char *buf, size_t n)
{
    const struct unit *best = units;
    for (const struct unit *u = units; u->name; u++) {
        if (v != 0 && v % u->factor == 0 && u->factor > best->factor)
            best = u;
    }
    if (v % best->factor != 0)
        snprintf(buf, n, "%g%s", (double)v / (double)best->factor, best->name);
    else
        snprintf(buf, n, "%" PRId64 "%s", v / best->factor, best->name);
}

static void list_text(const struct config_list *list, char *buf, size_t n)
{
    size_t o = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < list->n && o < n; i++) {
        int wrote = snprintf(buf + o, n - o, "%s%s", i > 0 ? ", " : "", list->items[i]);
        o += wrote > 0 ? (size_t)wrote : 0;
    }
}

const char *config_value_text(const struct config_key *key, const void *member, char *buf, size_t n)
{
    switch (key->type) {
    case CONFIG_INT:
        snprintf(buf, n, "%" PRId64, *(const int64_t *)member);
        break;
    case CONFIG_PORT:
        snprintf(buf, n, "%u", *(const uint16_t *)member);
        break;
    case CONFIG_BOOL:
        snprintf(buf, n, "%s", *(const bool *)member ? "true" : "false");
        break;
    case CONFIG_STRING:
    case CONFIG_PATH: {
        const char *text = *(const char *const *)member;
        snprintf(buf, n, "%s", key->secret && text[0] != '\0' ? "***" : text);
        break;
    }
    case CONFIG_ENUM:
        snprintf(buf, n, "%s", key->choices[*(const int *)member]);
        break;
    case CONFIG_DURATION:
        quantity_text(*(const int64_t *)member, duration_units, buf, n);
        break;
    case CONFIG_SIZE:
        quantity_text(*(const int64_t *)member, size_units, buf, n);
        break;
    case CONFIG_BITRATE:
        quantity_text(*(const int64_t *)member, bitrate_units, buf, n);
        break;
    case CONFIG_LIST:
        list_text(member, buf, n);
        break;
    }
    return buf;
}

static void expects_choice(const struct config_key *key, char *buf, size_t n)
{
    size_t o = 0;
    for (int i = 0; key->choices[i] && o < n; i++) {
        const char *before = i == 0 ? "" : key->choices[i + 1] ? ", " : " or ";
        int wrote = snprintf(buf + o, n - o, "%s%s", before, key->choices[i]);
        o += wrote > 0 ? (size_t)wrote : 0;
    }
}

static void expects_quantity(const struct config_key *key, const char *what,
                             const struct unit *units, char *buf, size_t n)
{
    char min[32];
    char max[32];
    quantity_text(key->min, units, min, sizeof min);
    quantity_text(key->max, units, max, sizeof max);
    snprintf(buf, n, "%s, %s to %s", what, min, max);
}

const char *config_expects(const struct config_key *key, char *buf, size_t n)
{
    switch (key->type) {
    case CONFIG_INT:
        snprintf(buf, n, "a whole number, %" PRId64 " to %" PRId64, key->min, key->max);
        break;
    case CONFIG_PORT:
        snprintf(buf, n, "a port, %" PRId64 " to %" PRId64, key->min, key->max);
        break;
    case CONFIG_BOOL:
        snprintf(buf, n, "true or false");
        break;
    case CONFIG_STRING:
    case CONFIG_PATH: {
        const char *what = key->type == CONFIG_PATH ? "a path" : "text";
        if (key->min > 0)
            snprintf(buf, n, "%s of %" PRId64 " to %" PRId64 " characters", what, key->min,
                     key->max);
        else
            snprintf(buf, n, "%s of at most %" PRId64 " characters", what, key->max);
        break;
    }
    case CONFIG_ENUM:
        expects_choice(key, buf, n);
        break;
    case CONFIG_DURATION:
        expects_quantity(key, "a duration such as 250ms, 10s, 5m or 2h", duration_units, buf, n);
        break;
    case CONFIG_SIZE:
        expects_quantity(key, "a size in bytes such as 4096, 64k or 10M", size_units, buf, n);
        break;
    case CONFIG_BITRATE:
        expects_quantity(key, "a bit rate such as 800000, 300k or 2.5M", bitrate_units, buf, n);
        break;
    case CONFIG_LIST:
        snprintf(buf, n, "a list of %" PRId64 " to %" PRId64 " entries, separated by commas",
                 key->min, key->max);
        break;
    }
    return buf;
}
