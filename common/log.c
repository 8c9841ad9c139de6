#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048 };

static int threshold = LOG_INFO;
static char owner[32] = "weir";

static const char *const names[] = {"trace", "debug", "info", "warn", "error"};

void log_init(enum log_level level, const char *who)
{
    threshold = (int)level;
    snprintf(owner, sizeof owner, "%s", who);
}

void log_set_level(int level)
{
    threshold = level;
}

enum err log_level_parse(const char *text, enum log_level *out)
{
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (enum log_level)i;
            return OK;
        }
    }
    return ERR_RANGE;
}

bool log_enabled(enum log_level level)
{
    return (int)level >= threshold;
}

void log_write(enum log_level level, const char *event, const char *fmt, ...)
{
    if (!log_enabled(level))
        return;
    char line[LINE_MAX_BYTES];
    struct timespec t;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &t);
    gmtime_r(&t.tv_sec, &tm);
    size_t n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &tm);
    int wrote = snprintf(line + n, sizeof line - n, ".%03ldZ %s %s %s", t.tv_nsec / 1000000,
                         names[level], owner, event);
    n += wrote > 0 ? (size_t)wrote : 0;
    if (fmt[0] != '\0' && n + 2 < sizeof line) {
        line[n++] = ' ';
        va_list args;
        va_start(args, fmt);
        wrote = vsnprintf(line + n, sizeof line - n - 1, fmt, args);
        va_end(args);
        if (wrote > 0)
            n += (size_t)wrote;
    }
    if (n > sizeof line - 2)
        n = sizeof line - 2;
    line[n++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, n);
    (void)ignored;
}

const char *log_quote(const char *s, char *buf, unsigned n)
{
    static const char hex[] = "0123456789abcdef";
    unsigned o = 0;
    for (; *s != '\0' && o + 5 < n; s++) {
        unsigned char c = (unsigned char)*s;
        if (c > 0x20 && c < 0x7f && c != '"' && c != '\\') {
            buf[o++] = (char)c;
        } else {
            buf[o++] = '\\';
            buf[o++] = 'x';
            buf[o++] = hex[c >> 4];
            buf[o++] = hex[c & 15];
        }
    }
    if (n > 0)
        buf[o] = '\0';
    return buf;
}
