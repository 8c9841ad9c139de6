/* Opening a file that a client named, without a way out of its folder. Does IO. */
#ifndef WEIR_CONTROLLER_NET_BENEATH_H
#define WEIR_CONTROLLER_NET_BENEATH_H

#include <stdbool.h>
#include <sys/stat.h>

#include "common/err.h"

/* path is relative to the folder root. A regular file's descriptor and its attributes, or
 * ERR_NOT_FOUND (also for folders, devices and everything that leads outside), ERR_DENIED,
 * ERR_BUSY (out of descriptors). */
MUST_CHECK enum err beneath_open(const char *root, const char *path, int *fd, struct stat *st);

/* The same by walking component by component without following links: for kernels without
 * openat2(2). */
MUST_CHECK enum err beneath_open_walking(const char *root, const char *path, int *fd,
                                         struct stat *st);

#endif
