#include "controller/storage/upload_state.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A line without its newline. A torn last line has none, and does not count. */
static bool read_line(FILE *f, char *out, size_t n)
{
    if (!fgets(out, (int)n, f))
        return false;
    size_t len = strlen(out);
    if (len < 2 || out[len - 1] != '\n')
        return false;
    out[len - 1] = '\0';
    return true;
}

static void read_state(struct upload_state *u, FILE *f, size_t parts)
{
    char head[64];
    char expected[64];
    snprintf(expected, sizeof expected, "%" PRIu64 " %" PRIu64, u->size, u->part_size);
    if (!read_line(f, head, sizeof head) || strcmp(head, expected) != 0 ||
        !read_line(f, u->id, sizeof u->id)) {
        u->id[0] = '\0';
        return;
    }
    while (u->n_etags < parts && read_line(f, u->etags[u->n_etags], UPLOAD_ETAG_MAX))
        u->n_etags++;
}

enum err upload_state_open(struct upload_state *u, const char *file, uint64_t size,
                           uint64_t part_size)
{
    size_t parts = (size_t)((size + part_size - 1) / part_size);
    *u = (struct upload_state){.size = size, .part_size = part_size};
    int n = snprintf(u->path, sizeof u->path, "%s.upload", file);
    if (n < 0 || n >= UPLOAD_PATH_MAX)
        return ERR_TOO_LARGE;
    u->etags = calloc(parts, sizeof *u->etags);
    if (!u->etags)
        return ERR_NOMEM;
    FILE *f = fopen(u->path, "re");
    if (f) {
        read_state(u, f, parts);
        fclose(f);
    }
    return OK;
}

/* All of it anew: a torn line must not stand before the next one. */
enum err upload_state_save(const struct upload_state *u)
{
    char path[UPLOAD_PATH_MAX + 8];
    snprintf(path, sizeof path, "%s.new", u->path);
    FILE *f = fopen(path, "we");
    if (!f)
        return ERR_IO;
    fprintf(f, "%" PRIu64 " %" PRIu64 "\n%s\n", u->size, u->part_size, u->id);
    for (size_t i = 0; i < u->n_etags; i++)
        fprintf(f, "%s\n", u->etags[i]);
    return fclose(f) == 0 && rename(path, u->path) == 0 ? OK : ERR_IO;
}

enum err upload_state_add(struct upload_state *u, const char *etag)
{
    snprintf(u->etags[u->n_etags++], UPLOAD_ETAG_MAX, "%s", etag);
    return upload_state_save(u);
}

void upload_state_forget(struct upload_state *u)
{
    (void)unlink(u->path);
    u->id[0] = '\0';
    u->n_etags = 0;
}

void upload_state_close(struct upload_state *u)
{
    free(u->etags);
    u->etags = NULL;
}
