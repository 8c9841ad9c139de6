#include "controller/live/filter_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void filter_print(struct filter_text *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int k = vsnprintf(f->text + f->n, sizeof f->text - f->n, fmt, args);
    va_end(args);
    if (k < 0 || (size_t)k >= sizeof f->text - f->n)
        f->bad = true;
    else
        f->n += (size_t)k;
}

static void put(struct filter_text *f, char c)
{
    /* As the graph's parser wants it. */
    if (strchr("\\'[],;", c))
        filter_print(f, "\\");
    filter_print(f, "%c", c);
}

void filter_quote(struct filter_text *f, const char *words)
{
    for (; *words; words++) {
        if ((unsigned char)*words < ' ' || *words == 0x7f)
            continue;
        /* As the option's parser wants it, once the graph's has taken its own away. */
        if (strchr("\\':", *words))
            put(f, '\\');
        put(f, *words);
    }
}

const char *filter_turn(unsigned clockwise)
{
    return clockwise == 90    ? "transpose=clock,"
           : clockwise == 180 ? "hflip,vflip,"
           : clockwise == 270 ? "transpose=cclock,"
                              : "";
}
