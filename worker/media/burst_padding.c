#include "worker/media/burst_padding.h"

#include <assert.h>

/* The next of the same stream from i on, or n. */
static size_t next_of(const struct burst_packet *p, size_t n, const void *stream, size_t i)
{
    while (i < n && p[i].stream != stream)
        i++;
    return i;
}

/* The run that begins at first: returns what comes behind it, and its longest in *longest. */
static size_t find_run(const struct burst_packet *p, size_t n, size_t first, uint16_t *longest)
{
    uint16_t least = p[first].payload_len;
    uint16_t most = least;
    size_t i = first;
    do {
        uint16_t len = p[i].payload_len;
        uint16_t low = len < least ? len : least;
        uint16_t high = len > most ? len : most;
        if (p[i].ext_len != p[first].ext_len || high - low > high / BURST_PADDING_PART)
            break;
        least = low;
        most = high;
        i = next_of(p, n, p[first].stream, i + 1);
    } while (i < n);
    *longest = most;
    return i;
}

static void pad_stream(struct burst_packet *p, size_t n, size_t first)
{
    while (first < n) {
        uint16_t longest;
        size_t end = find_run(p, n, first, &longest);
        for (size_t i = first; i < end;) {
            size_t next = next_of(p, n, p[first].stream, i + 1);
            unsigned more = (unsigned)(longest - p[i].payload_len);
            assert(more <= UINT8_MAX);
            /* The last of all may be shorter than those before it. */
            p[i].padding = next < n ? (uint8_t)more : 0;
            i = next;
        }
        first = end;
    }
}

void burst_padding(struct burst_packet *packets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const void *stream = packets[i].stream;
        if (next_of(packets, n, stream, 0) == i)
            pad_stream(packets, n, i);
    }
}
