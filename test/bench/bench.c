/* Runs the benches of the media worker; docs/performance.md says how to read them. */
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

#include "test/bench/benches.h"
#include "test/bench/figures.h"
#include "worker/engine/seal.h"

static const struct {
    const char *name;
    void (*run)(FILE *json, char **args);
} benches[] = {
    {"forward", forward_bench},      {"memory", memory_bench}, {"latency", latency_bench},
    {"keyframes", key_frames_bench}, {"janus", janus_bench},
};

enum { BENCHES = sizeof benches / sizeof benches[0] };

static int find(const char *name)
{
    for (int i = 0; i < BENCHES; i++) {
        if (strcmp(benches[i].name, name) == 0)
            return i;
    }
    return -1;
}

/* bench [<name>] [<word>...]: words alone are for "forward". */
int main(int argc, char **argv)
{
    int only = argc > 1 ? find(argv[1]) : -1;
    char **args = argv + 1 + (only >= 0);
    struct rlimit files;
    FILE *json = figures_open("build/bench.json", false);
    if (seal_global_init() != OK)
        return 1;
    if (only < 0 && *args)
        only = 0;
    /* A socket a viewer. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    for (int i = 0; i < BENCHES; i++) {
        if (only < 0 || only == i)
            benches[i].run(json, args);
    }
    if (json)
        fclose(json);
    return 0;
}
