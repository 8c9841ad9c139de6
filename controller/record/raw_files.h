/* What a recorder left in a folder: 0001.mp4, 0002.mp4, ... in the order of their numbers, and what
 * is in them. Does IO, little of it: the head of each file is read. */
#ifndef WEIR_CONTROLLER_RECORD_RAW_FILES_H
#define WEIR_CONTROLLER_RECORD_RAW_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum { RAW_NAME_MAX = 24 };

struct raw_file {
    char name[RAW_NAME_MAX];
    bool video;
    bool audio;
    bool keep; /* raw_files_remove leaves it: it could not be read, or there was no room */
};

/* *out is to be freed. Files without a single fragment are left out. ERR_NOT_FOUND: there is none;
 * ERR_IO: the folder cannot be read; ERR_NOMEM. */
MUST_CHECK enum err raw_files_list(const char *folder, struct raw_file **out, size_t *n);
/* All of them go but those of `files` that are to be kept, and everything whose name begins with
 * `prefix`. */
void raw_files_remove(const char *folder, const char *prefix, const struct raw_file *files,
                      size_t n);

#endif
