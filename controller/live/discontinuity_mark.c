#include "controller/live/discontinuity_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

/* 2025-01-01T00:00:00Z */
#define EPOCH (1735689600 * USEC_PER_SEC)
#define HOUR (3600 * USEC_PER_SEC)

enum {
    PATH_BYTES = 4096,
    /* A number is shown with the first part of its segment, and told when that is whole. */
    AHEAD = 4,
    /* So many more before the file is written again. */
    RESERVE = 16
};

/* What the file may say; beyond, it is not ours. */
static const uint64_t NUMBER_MAX = (uint64_t)1 << 40;

struct discontinuity_mark {
    char path[PATH_BYTES];
    char next[PATH_BYTES]; /* written first, then renamed */
    uint64_t reached;
    uint64_t saved; /* as the file says */
    bool kept;
    bool told; /* that writing fails */
};

static uint64_t read_number(const char *path)
{
    char text[32] = "";
    char *end;
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    bool good = end != text && *end == '\n' && errno == 0 && number <= NUMBER_MAX;
    if (!good)
        log_warn("hls.bad_mark", "path=%s", path);
    return good ? number : 0;
}

static int write_number(const char *path, uint64_t number)
{
    char text[32];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return errno;
    int n = snprintf(text, sizeof text, "%" PRIu64 "\n", number);
    int error = write(fd, text, (size_t)n) == n ? 0 : errno ? errno : EIO;
    if (close(fd) < 0 && error == 0)
        error = errno;
    return error;
}

static void save(struct discontinuity_mark *m, uint64_t number)
{
    errno = 0;
    int error = write_number(m->next, number);
    if (error == 0 && rename(m->next, m->path) < 0)
        error = errno;
    if (error == 0)
        m->saved = number;
    else if (!m->told)
        log_error("hls.no_mark", "path=%s why=\"%s\"", m->path, strerror(error));
    m->told = error != 0;
}

enum err discontinuity_mark_open(const char *folder, struct discontinuity_mark **out)
{
    struct discontinuity_mark *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    if (folder) {
        /* The folder itself may not be there yet; what is above it is. */
        (void)mkdir(folder, 0755);
        int n = snprintf(m->path, sizeof m->path, "%s/.discontinuity", folder);
        int k = snprintf(m->next, sizeof m->next, "%s/.discontinuity.next", folder);
        m->kept = n > 0 && (size_t)n < sizeof m->path && k > 0 && (size_t)k < sizeof m->next;
    }
    if (m->kept)
        m->reached = m->saved = read_number(m->path);
    *out = m;
    return OK;
}

void discontinuity_mark_close(struct discontinuity_mark *m)
{
    free(m);
}

uint64_t discontinuity_mark_first(const struct discontinuity_mark *m, usec wall)
{
    uint64_t hours = wall > EPOCH ? (uint64_t)((wall - EPOCH) / HOUR) : 0;
    return m->reached >= hours ? m->reached + 1 : hours;
}

void discontinuity_mark_reach(struct discontinuity_mark *m, uint64_t number)
{
    if (number > m->reached)
        m->reached = number;
    if (m->kept && m->reached + AHEAD > m->saved)
        save(m, m->reached + RESERVE);
}
