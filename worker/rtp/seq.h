/* Sequence numbers that wrap (RFC 1982): comparison, unwrapping, and the rewriter that gives a
 * consumer one gapless output sequence over dropped packets and switched sources. No IO.
 *
 * The same serves RTP sequence numbers (16 bits), VP8 picture ids (15) and TL0PICIDX (8). */
#ifndef WEIR_RTP_SEQ_H
#define WEIR_RTP_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* How far a is ahead of b: -32768..32767. Exactly half the space away counts as behind. */
static inline int32_t seq16_diff(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b);
}

static inline int32_t seq15_diff(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)((uint32_t)(a - b) << 1) / 2;
}

static inline int32_t seq8_diff(uint8_t a, uint8_t b)
{
    return (int8_t)(uint8_t)(a - b);
}

static inline int32_t seq32_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* a is newer than b. */
static inline bool seq16_after(uint16_t a, uint16_t b)
{
    return seq16_diff(a, b) > 0;
}

static inline bool seq15_after(uint16_t a, uint16_t b)
{
    return seq15_diff(a, b) > 0;
}

static inline bool seq8_after(uint8_t a, uint8_t b)
{
    return seq8_diff(a, b) > 0;
}

static inline bool seq32_after(uint32_t a, uint32_t b)
{
    return seq32_diff(a, b) > 0;
}

/* Turns wrapping numbers into ever growing ones: the extension nearest to the highest seen. Zero is
 * the initial state; the first number extends to itself plus one cycle, so that reordered
 * predecessors stay positive. */
struct seq_unwrap {
    int64_t highest;
    bool started;
};

/* Advances the highest when seq is newer. */
int64_t seq_unwrap16(struct seq_unwrap *u, uint16_t seq);
int64_t seq_unwrap32(struct seq_unwrap *u, uint32_t seq);
/* Without advancing; before the first number as if it were the first. */
int64_t seq_unwrap16_peek(const struct seq_unwrap *u, uint16_t seq);

/* Reordered input further back than this is refused; a power of two. RTP at 2,000 packets/s still
 * has half a second for a retransmission to arrive. */
enum { SEQ_REWRITER_WINDOW = 1024 };

/* Maps input to output numbers so that the output grows by one where nothing was lost on the way
 * in. What was dropped on purpose leaves no hole; what is missing leaves one that a late arrival
 * still fills with the number that belongs there. */
struct seq_rewriter {
    uint16_t mask;   /* 0xffff, 0x7fff or 0xff */
    uint16_t offset; /* output - input of what follows max_input */
    uint16_t max_input;
    uint16_t max_output; /* highest given out */
    uint16_t span;       /* inputs since the sync that may still be mapped */
    bool started;
    uint64_t dropped[SEQ_REWRITER_WINDOW / 64]; /* bit k: max_input - k was dropped */
};

/* bits: 16, 15 or 8. The first number given out will be first_output. */
void seq_rewriter_init(struct seq_rewriter *s, unsigned bits, uint16_t first_output);
/* The source changes or jumps: input next_input becomes the successor of the highest output.
 * Inputs before next_input are refused from now on. */
void seq_rewriter_sync(struct seq_rewriter *s, uint16_t next_input);
/* As seq_rewriter_sync, leaving a hole of `gap` output numbers, so that a receiver sees a loss. */
void seq_rewriter_sync_gap(struct seq_rewriter *s, uint16_t next_input, uint16_t gap);
/* This input will not be forwarded; later ones close up, and it is true. False when a newer one was
 * mapped already: then the number that seq_rewriter_map gives for it stays a hole, which is best
 * filled with an empty packet, or the receiver asks for it in vain. False and without effect also
 * before the first mapping or sync. */
bool seq_rewriter_drop(struct seq_rewriter *s, uint16_t input);
/* False: was dropped, is from before the sync, or is older than the window; forward nothing then.
 * The same input always gives the same output. Without a sync, the first input syncs. */
bool seq_rewriter_map(struct seq_rewriter *s, uint16_t input, uint16_t *output);

#endif
