#include "worker/media/scalability.h"

#include <string.h>

/* One or two digits, the first not 0; returns how many characters, 0: no such number. */
static int read_layers(const char *s, uint8_t *out)
{
    if (s[0] < '1' || s[0] > '9')
        return 0;
    *out = (uint8_t)(s[0] - '0');
    if (s[1] < '0' || s[1] > '9')
        return 1;
    *out = (uint8_t)(*out * 10 + (s[1] - '0'));
    return 2;
}

struct scalability scalability_parse(const char *mode)
{
    const struct scalability none = {.spatial = 1, .temporal = 1};
    struct scalability s = none;
    if (!mode || (mode[0] != 'L' && mode[0] != 'S'))
        return none;
    const char *p = mode + 1;
    int n = read_layers(p, &s.spatial);
    if (n == 0 || p[n] != 'T')
        return none;
    p += n + 1;
    n = read_layers(p, &s.temporal);
    if (n == 0)
        return none;
    s.key = strncmp(p + n, "_KEY", 4) == 0;
    return s;
}
