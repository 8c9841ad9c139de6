#include "controller/record/raw_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An init segment is some 2 kB; the first fragment follows it. */
enum { HEAD_BYTES = 64 * 1024 };

static bool is_raw(const char *name)
{
    size_t digits = strspn(name, "0123456789");
    return digits > 0 && strlen(name) < RAW_NAME_MAX && strcmp(name + digits, ".mp4") == 0;
}

static int only_raw(const struct dirent *d)
{
    return is_raw(d->d_name);
}

/* By number: a longer name is a larger one. */
static int by_number(const struct dirent **a, const struct dirent **b)
{
    size_t la = strlen((*a)->d_name);
    size_t lb = strlen((*b)->d_name);
    return la != lb ? (la < lb ? -1 : 1) : strcmp((*a)->d_name, (*b)->d_name);
}

static bool has(const uint8_t *head, size_t n, const char *word)
{
    return memmem(head, n, word, 4) != NULL;
}

/* The handlers' types in hdlr boxes (ISO/IEC 14496-12 8.4.3) tell the kinds of tracks. False:
 * nothing was recorded into it. */
static bool look_into(const char *folder, struct raw_file *f, uint8_t head[HEAD_BYTES])
{
    char path[1600];
    snprintf(path, sizeof path, "%s/%s", folder, f->name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, head, HEAD_BYTES);
    close(fd);
    if (n <= 0 || !has(head, (size_t)n, "moof"))
        return false;
    f->video = has(head, (size_t)n, "vide");
    f->audio = has(head, (size_t)n, "soun");
    return true;
}

enum err raw_files_list(const char *folder, struct raw_file **out, size_t *n)
{
    struct dirent **names;
    int found = scandir(folder, &names, only_raw, by_number);
    if (found < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : errno == ENOMEM ? ERR_NOMEM : ERR_IO;
    struct raw_file *files = calloc((size_t)found + 1, sizeof *files);
    uint8_t *head = malloc(HEAD_BYTES);
    *n = 0;
    for (int i = 0; i < found; i++) {
        if (files && head) {
            struct raw_file *f = &files[*n];
            memcpy(f->name, names[i]->d_name, strnlen(names[i]->d_name, RAW_NAME_MAX - 1));
            *n += look_into(folder, f, head) ? 1 : 0;
        }
        free(names[i]);
    }
    free(names);
    enum err e = !files || !head ? ERR_NOMEM : *n == 0 ? ERR_NOT_FOUND : OK;
    free(head);
    if (e != OK) {
        free(files);
        return e;
    }
    *out = files;
    return OK;
}

static bool is_kept(const char *name, const struct raw_file *files, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (files[i].keep && strcmp(files[i].name, name) == 0)
            return true;
    }
    return false;
}

void raw_files_remove(const char *folder, const char *prefix, const struct raw_file *files,
                      size_t n)
{
    DIR *d = opendir(folder);
    if (!d)
        return;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if ((is_raw(e->d_name) && !is_kept(e->d_name, files, n)) ||
            strncmp(e->d_name, prefix, strlen(prefix)) == 0)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
}
