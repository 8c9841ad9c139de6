#include "worker/rtp/seq.h"

#include <assert.h>
#include <string.h>

int64_t seq_unwrap16_peek(const struct seq_unwrap *u, uint16_t seq)
{
    if (!u->started)
        return 65536 + (int64_t)seq;
    return u->highest + seq16_diff(seq, (uint16_t)u->highest);
}

int64_t seq_unwrap16(struct seq_unwrap *u, uint16_t seq)
{
    int64_t n = seq_unwrap16_peek(u, seq);
    if (!u->started || n > u->highest)
        u->highest = n;
    u->started = true;
    return n;
}

int64_t seq_unwrap32(struct seq_unwrap *u, uint32_t seq)
{
    int64_t n = u->started ? u->highest + seq32_diff(seq, (uint32_t)u->highest)
                           : ((int64_t)1 << 32) + (int64_t)seq;
    if (!u->started || n > u->highest)
        u->highest = n;
    u->started = true;
    return n;
}

/* ---- the rewriter ---- */

/* Signed distance a - b in the rewriter's number space; exactly half of it counts as behind. */
static int32_t distance(const struct seq_rewriter *s, uint16_t a, uint16_t b)
{
    int32_t d = (a - b) & s->mask;
    return d > s->mask >> 1 ? d - s->mask - 1 : d;
}

/* Numbers that the window may reach back: never half the space or more. */
static uint16_t window(const struct seq_rewriter *s)
{
    uint32_t half = ((uint32_t)s->mask + 1) / 2;
    return (uint16_t)(half < SEQ_REWRITER_WINDOW ? half : SEQ_REWRITER_WINDOW);
}

/* The bitmap is a ring indexed by the input itself. */
static uint32_t bit_of(const struct seq_rewriter *s, uint32_t input)
{
    return input & s->mask & (SEQ_REWRITER_WINDOW - 1);
}

static bool dropped_at(const struct seq_rewriter *s, uint16_t input)
{
    uint32_t bit = bit_of(s, input);
    return s->dropped[bit / 64] >> (bit % 64) & 1;
}

/* How many of the n inputs from `from` on were dropped. */
static uint16_t dropped_count(const struct seq_rewriter *s, uint16_t from, uint32_t n)
{
    int count = 0;
    uint32_t bit = bit_of(s, from);
    while (n > 0) {
        uint32_t shift = bit % 64;
        uint32_t take = 64 - shift < n ? 64 - shift : n;
        uint64_t word = s->dropped[bit / 64] >> shift;
        if (take < 64)
            word &= ((uint64_t)1 << take) - 1;
        count += __builtin_popcountll(word);
        bit = bit_of(s, bit + take);
        n -= take;
    }
    return (uint16_t)count;
}

/* Moves the window on to input, which is ahead by `ahead`. */
static void advance(struct seq_rewriter *s, uint16_t input, int32_t ahead)
{
    if (ahead >= SEQ_REWRITER_WINDOW) {
        memset(s->dropped, 0, sizeof s->dropped);
    } else {
        for (uint32_t i = 1; i <= (uint32_t)ahead; i++) {
            uint32_t bit = bit_of(s, s->max_input + i);
            s->dropped[bit / 64] &= ~((uint64_t)1 << (bit % 64));
        }
    }
    s->max_input = input;
    int32_t span = s->span + ahead;
    s->span = (uint16_t)(span < window(s) ? span : window(s));
}

void seq_rewriter_init(struct seq_rewriter *s, unsigned bits, uint16_t first_output)
{
    assert(bits == 16 || bits == 15 || bits == 8);
    *s = (struct seq_rewriter){.mask = (uint16_t)((1U << bits) - 1)};
    s->max_output = (first_output - 1) & s->mask;
}

void seq_rewriter_sync_gap(struct seq_rewriter *s, uint16_t next_input, uint16_t gap)
{
    s->max_output = (s->max_output + gap) & s->mask;
    s->max_input = (next_input - 1) & s->mask;
    s->offset = (s->max_output - s->max_input) & s->mask;
    s->span = 0;
    s->started = true;
    memset(s->dropped, 0, sizeof s->dropped);
}

void seq_rewriter_sync(struct seq_rewriter *s, uint16_t next_input)
{
    seq_rewriter_sync_gap(s, next_input, 0);
}

bool seq_rewriter_drop(struct seq_rewriter *s, uint16_t input)
{
    input &= s->mask;
    if (!s->started)
        return false;
    int32_t ahead = distance(s, input, s->max_input);
    if (ahead <= 0)
        return false;
    advance(s, input, ahead);
    uint32_t bit = bit_of(s, input);
    s->dropped[bit / 64] |= (uint64_t)1 << (bit % 64);
    s->offset = (s->offset - 1) & s->mask;
    return true;
}

bool seq_rewriter_map(struct seq_rewriter *s, uint16_t input, uint16_t *output)
{
    input &= s->mask;
    if (!s->started)
        seq_rewriter_sync(s, input);
    int32_t ahead = distance(s, input, s->max_input);
    if (ahead > 0) {
        advance(s, input, ahead);
        *output = s->max_output = (uint16_t)((input + s->offset) & s->mask);
        return true;
    }
    uint32_t back = (uint32_t)-ahead;
    if (back >= s->span || dropped_at(s, input))
        return false;
    /* The offset counts every drop up to max_input; this input comes before some of them. */
    uint16_t later_drops = dropped_count(s, (uint16_t)(input + 1), back);
    *output = (uint16_t)((input + s->offset + later_drops) & s->mask);
    /* When all that came after it was dropped. */
    if (distance(s, *output, s->max_output) > 0)
        s->max_output = *output;
    return true;
}
