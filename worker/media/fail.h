/* Refusing a request: which field, why, in one sentence. No IO. */
#ifndef WEIR_WORKER_MEDIA_FAIL_H
#define WEIR_WORKER_MEDIA_FAIL_H

#include "common/fields.h"

/* Fills f and returns e, so that it reads `return fail(f, ERR_TYPE, "rtpParameters.mid", ...)`. The
 * reason becomes "<path>: <text>", or just the text when path is "". */
enum err fail(struct field_error *f, enum err e, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The reason is the error's own text. */
enum err fail_plain(struct field_error *f, enum err e);

#endif
