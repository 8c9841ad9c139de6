#include "worker/rtp/nack.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "worker/rtp/seq.h"

enum { NACK_FIRST_CAP = 16 };

void nack_init(struct nack *n, usec delay)
{
    *n = (struct nack){.delay = delay, .next = USEC_NEVER};
}

void nack_fini(struct nack *n)
{
    free(n->entries);
    n->entries = NULL;
    n->n = n->cap = 0;
}

static void clear(struct nack *n)
{
    n->n = 0;
    n->next = USEC_NEVER;
}

void nack_reset(struct nack *n)
{
    clear(n);
    n->started = false;
    n->has_key_frame = false;
}

/* Index of the first entry that is not older than seq. */
static uint16_t lower_bound(const struct nack *n, uint16_t seq)
{
    uint16_t lo = 0;
    uint16_t hi = n->n;
    while (lo < hi) {
        uint16_t mid = (uint16_t)((lo + hi) / 2);
        if (seq16_after(seq, n->entries[mid].seq))
            lo = (uint16_t)(mid + 1);
        else
            hi = mid;
    }
    return lo;
}

static void remove_range(struct nack *n, uint16_t from, uint16_t count)
{
    memmove(n->entries + from, n->entries + from + count,
            (size_t)(n->n - from - count) * sizeof *n->entries);
    n->n = (uint16_t)(n->n - count);
    if (n->n == 0)
        n->next = USEC_NEVER;
}

static void remove_before(struct nack *n, uint16_t seq)
{
    uint16_t count = lower_bound(n, seq);
    n->gave_up += count;
    if (count > 0)
        remove_range(n, 0, count);
}

static bool make_room(struct nack *n, uint32_t want)
{
    if (want <= n->cap)
        return true;
    uint32_t cap = n->cap ? n->cap : NACK_FIRST_CAP;
    while (cap < want)
        cap *= 2;
    struct nack_entry *entries = realloc(n->entries, cap * sizeof *entries);
    if (!entries)
        return false;
    n->entries = entries;
    n->cap = (uint16_t)cap;
    return true;
}

/* Everything between newest and seq is missing. False: more than can be asked for. */
static bool add_missing(struct nack *n, usec now, uint16_t seq)
{
    uint32_t gap = (uint16_t)(seq - n->newest - 1);
    if (gap > NACK_MAX_OUTSTANDING)
        return false;
    /* Nobody needs what came before the last key frame, when it is either that or this. */
    if (n->n + gap > NACK_MAX_OUTSTANDING && n->has_key_frame)
        remove_before(n, n->key_frame);
    if (n->n + gap > NACK_MAX_OUTSTANDING || !make_room(n, n->n + gap))
        return false;
    for (uint32_t i = 1; i <= gap; i++)
        n->entries[n->n++] =
            (struct nack_entry){.seq = (uint16_t)(n->newest + i), .due = now + n->delay};
    n->next = usec_min(n->next, now + n->delay);
    return true;
}

static void note_key_frame(struct nack *n, uint16_t seq)
{
    if (n->has_key_frame && !seq16_after(seq, n->key_frame))
        return;
    n->has_key_frame = true;
    n->key_frame = seq;
}

struct nack_verdict nack_received(struct nack *n, usec now, uint16_t seq, bool key_frame)
{
    struct nack_verdict verdict = {0};
    if (!n->started) {
        n->started = true;
        n->newest = seq;
        if (key_frame)
            note_key_frame(n, seq);
        return verdict;
    }
    int32_t ahead = seq16_diff(seq, n->newest);
    if (ahead <= 0) {
        uint16_t i = lower_bound(n, seq);
        if (i < n->n && n->entries[i].seq == seq) {
            verdict.was_missing = true;
            verdict.tries = n->entries[i].tries;
            remove_range(n, i, 1);
        }
        if (key_frame)
            note_key_frame(n, seq);
        return verdict;
    }
    if (n->has_key_frame && seq16_diff(seq, n->key_frame) > NACK_MAX_AGE)
        n->has_key_frame = false;
    if (n->n > 0 && seq16_diff(seq, n->entries[0].seq) > NACK_MAX_AGE)
        remove_before(n, (uint16_t)(seq - NACK_MAX_AGE));
    if (key_frame)
        note_key_frame(n, seq);
    if (ahead > 1 && !add_missing(n, now, seq)) {
        n->gave_up += n->n + (uint32_t)ahead - 1;
        clear(n);
        verdict.request_key_frame = true;
    }
    n->newest = seq;
    return verdict;
}

size_t nack_collect(struct nack *n, usec now, usec rtt, uint16_t *out, size_t cap)
{
    if (now < n->next)
        return 0;
    usec again = rtt > 0 ? rtt : NACK_DEFAULT_RTT_US;
    again += again / 8; /* an answer that is a little late is not worth a second request */
    if (again < NACK_TICK_US)
        again = NACK_TICK_US;
    size_t n_out = 0;
    uint16_t kept = 0;
    bool more = false;
    usec next = USEC_NEVER;
    for (uint16_t i = 0; i < n->n; i++) {
        struct nack_entry e = n->entries[i];
        if (e.due <= now && e.tries >= NACK_MAX_TRIES) {
            n->gave_up++;
            continue;
        }
        if (e.due <= now && n_out < cap) {
            e.tries++;
            e.due = now + again;
            out[n_out++] = e.seq;
        } else if (e.due <= now) {
            more = true;
        }
        next = usec_min(next, e.due);
        n->entries[kept++] = e;
    }
    n->n = kept;
    n->requested += n_out;
    /* A new gap brings the deadline forward again. */
    if (!more && next < now + NACK_TICK_US)
        next = now + NACK_TICK_US;
    n->next = next;
    return n_out;
}

usec nack_deadline(const struct nack *n)
{
    return n->next;
}

bool nack_awaits(const struct nack *n, uint16_t seq)
{
    uint16_t at = lower_bound(n, seq);
    return at < n->n && n->entries[at].seq == seq;
}
