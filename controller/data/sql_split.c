#include "controller/data/sql_split.h"

#include <string.h>

/* Behind the quoted text or comment that starts at p; p itself when none starts there. */
static const char *skip_special(const char *p)
{
    const char *end = NULL;
    if (*p == '\'' || *p == '"') {
        /* A doubled quote is two texts side by side: the same to us. */
        end = strchr(p + 1, *p);
        return end ? end + 1 : p + strlen(p);
    }
    if (p[0] == '-' && p[1] == '-')
        return p + strcspn(p, "\n");
    if (p[0] == '/' && p[1] == '*') {
        end = strstr(p + 2, "*/");
        return end ? end + 2 : p + strlen(p);
    }
    return p;
}

static const char *skip_blank(const char *p)
{
    for (;;) {
        const char *q = p + strspn(p, " \t\r\n");
        if (q[0] == '-' || q[0] == '/')
            q = skip_special(q);
        if (q == p)
            return p;
        p = q;
    }
}

const char *sql_split_next(const char **at, size_t *n)
{
    const char *start = skip_blank(*at);
    while (*start == ';')
        start = skip_blank(start + 1);
    const char *p = start;
    while (*p != '\0' && *p != ';') {
        const char *q = skip_special(p);
        p = q == p ? p + 1 : q;
    }
    *at = *p == ';' ? p + 1 : p;
    *n = (size_t)(p - start);
    return *n > 0 ? start : NULL;
}
