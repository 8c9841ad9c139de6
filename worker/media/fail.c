#include "worker/media/fail.h"

#include <stdarg.h>
#include <stdio.h>

enum err fail(struct field_error *f, enum err e, const char *path, const char *fmt, ...)
{
    char text[192];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    f->err = e;
    snprintf(f->path, sizeof f->path, "%s", path);
    if (path[0] != '\0')
        snprintf(f->reason, sizeof f->reason, "%.*s: %s", 60, path, text);
    else
        snprintf(f->reason, sizeof f->reason, "%s", text);
    return e;
}

enum err fail_plain(struct field_error *f, enum err e)
{
    return fail(f, e, "", "%s", err_text(e));
}
