#include "controller/live/udp_bound.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "  sl  local_address ...": "   12: 0100007F:B3BA 00000000:0000 07 ..." -> 0xB3BA, or 0. */
static unsigned port_of_line(const char *line)
{
    const char *number_end = strchr(line, ':');
    const char *colon = number_end ? strchr(number_end + 1, ':') : NULL;
    return colon ? (unsigned)strtoul(colon + 1, NULL, 16) : 0;
}

/* Marks the line's port; true once all are marked. */
static bool mark(const char *line, const uint16_t *ports, size_t n, bool *seen)
{
    unsigned port = port_of_line(line);
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        seen[i] = seen[i] || (port != 0 && port == ports[i]);
        found += seen[i];
    }
    return found == n;
}

bool udp_all_bound_in(const char *list, const uint16_t *ports, size_t n)
{
    bool seen[UDP_BOUND_MAX] = {false};
    assert(n <= UDP_BOUND_MAX);
    for (const char *line = list; line && *line;) {
        if (mark(line, ports, n, seen))
            return true;
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return n == 0;
}

bool udp_all_bound(const uint16_t *ports, size_t n)
{
    bool seen[UDP_BOUND_MAX] = {false};
    assert(n <= UDP_BOUND_MAX);
    if (n == 0)
        return true;
    FILE *f = fopen("/proc/net/udp", "re");
    if (!f)
        return false;
    char line[256];
    bool all = false;
    while (!all && fgets(line, sizeof line, f))
        all = mark(line, ports, n, seen);
    fclose(f);
    return all;
}

/* "   12: 0100007F:B3BA 00000000:0000 07 00000000:00000300 ...": 0x300 wait to be read. */
static uint64_t backlog_of_line(const char *line, const uint16_t *ports, size_t n)
{
    unsigned port = port_of_line(line);
    for (size_t i = 0; i < n; i++) {
        if (port == 0 || port != ports[i])
            continue;
        const char *at = line;
        for (int colons = 0; at && colons < 4; colons++)
            at = strchr(at + (colons > 0), ':');
        return at ? strtoull(at + 1, NULL, 16) : 0;
    }
    return 0;
}

uint64_t udp_backlog(const uint16_t *ports, size_t n)
{
    char line[256];
    uint64_t sum = 0;
    FILE *f = fopen("/proc/net/udp", "re");
    if (!f)
        return 0;
    while (fgets(line, sizeof line, f))
        sum += backlog_of_line(line, ports, n);
    fclose(f);
    return sum;
}
