/* The configuration file's parser, over a table with every type. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/config_value.h"

struct sample {
    int64_t count;
    uint16_t port;
    bool on;
    const char *name;
    int color;
    int64_t pause;
    int64_t bytes;
    int64_t rate;
    struct config_list list;
};

static const char *const colors[] = {"red", "green", NULL};

#define AT(m) offsetof(struct sample, m)
static const struct config_key keys[] = {
    {"a.count", CONFIG_INT, AT(count), "3", INT64_MIN, INT64_MAX, NULL, false, ""},
    {"a.port", CONFIG_PORT, AT(port), "8080", 1, 65535, NULL, false, ""},
    {"on", CONFIG_BOOL, AT(on), "true", 0, 0, NULL, false, ""},
    {"a.name", CONFIG_STRING, AT(name), "weir", 0, 100, NULL, false, ""},
    {"b.color", CONFIG_ENUM, AT(color), "green", 0, 0, colors, false, ""},
    {"b.pause", CONFIG_DURATION, AT(pause), "5s", 0, INT64_C(1) << 50, NULL, false, ""},
    {"b.bytes", CONFIG_SIZE, AT(bytes), "64k", 0, INT64_C(1) << 50, NULL, false, ""},
    {"b.rate", CONFIG_BITRATE, AT(rate), "1M", 0, INT64_C(1) << 50, NULL, false, ""},
    {"b.list", CONFIG_LIST, AT(list), "x", 0, CONFIG_LIST_MAX, NULL, false, ""},
};
static const struct config_table table = {keys, sizeof keys / sizeof keys[0], sizeof(struct sample),
                                          NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct arena arena;
    struct config_problems problems;
    struct sample s;
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    arena_init(&arena, 1 << 20);
    config_problems_init(&problems, &arena);
    if (config_load(&table, "f", text, NULL, &s, &arena, &problems) != ERR_NOMEM) {
        for (size_t i = 0; i < table.n; i++) {
            char buf[300];
            config_value_text(&keys[i], (char *)&s + keys[i].offset, buf, sizeof buf);
        }
        for (size_t i = 0; i < problems.n; i++) {
            char buf[300];
            config_problem_text(&problems.items[i], buf, sizeof buf);
        }
    }
    arena_fini(&arena);
    free(text);
    return 0;
}
