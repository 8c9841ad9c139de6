/* Argument lists for ffmpeg. What is too much or out of memory is remembered and told once at the
 * end. No IO. */
#ifndef WEIR_CONTROLLER_LIVE_COMMAND_H
#define WEIR_CONTROLLER_LIVE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

enum { COMMAND_ARGS_MAX = 320 };

struct command {
    struct arena arena;
    const char *args[COMMAND_ARGS_MAX + 1]; /* NULL-terminated */
    size_t n;
    bool bad;
};

void command_init(struct command *c);
void command_fini(struct command *c);

/* Literals, not copied, up to a NULL. */
void command_add(struct command *c, ...) __attribute__((sentinel));
/* One option and its value as printf makes it. */
void command_opt(struct command *c, const char *option, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* One argument as printf makes it. */
void command_arg(struct command *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* path for a muxer that expands %d: "file:" before it, so that a colon in it is no protocol, and
 * each % doubled. NULL: out of memory. */
const char *command_pattern_path(struct command *c, const char *path);

#endif
