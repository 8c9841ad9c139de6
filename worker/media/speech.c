#include "worker/media/speech.h"

#include <math.h>
#include <string.h>

enum {
    LEVEL_MAX = 127,
    STEPS = 13, /* the paper's sub-bands; here steps of loudness */
    STEP_DB = 3,
    MEDIUM_ACTIVE = 7,          /* a frame with more steps than this is speech */
    LONG_ACTIVE = 4,            /* and a block with more such frames */
    FLOOR_MIN = 37,             /* digital silence is no noise: -90 dBov */
    FLOOR_MAX = 87,             /* nor is somebody who never stops talking: -40 dBov */
    FLOOR_RISE_US = 500 * 1000, /* a decibel each */
    GAP_SLOTS = 6               /* one packet may hold up to 120 ms of Opus */
};

/* Of the paper's test of likelihood: how fast silence gets improbable with activity. */
#define LAMBDA_IMMEDIATE 0.78
#define LAMBDA_MEDIUM 24.0
#define LAMBDA_LONG 47.0

#define SCORE_MIN 1e-10
/* By how much (log of the ratio of scores) each has to exceed the dominant speaker's. */
#define EXCEED_IMMEDIATE 3.0
#define EXCEED_MEDIUM 2.0
#define EXCEED_LONG 0.0

void speech_init(struct speech *s)
{
    *s = (struct speech){.floor = FLOOR_MAX};
}

/* Frames that nothing came for are silent. */
static void advance(struct speech *s, int64_t slot, uint8_t fill)
{
    int64_t gap = slot - s->slot;
    if (gap <= 0)
        return;
    if (gap > SPEECH_SLOTS)
        gap = SPEECH_SLOTS;
    for (int64_t i = slot - gap + 1; i <= slot; i++)
        s->active[i % SPEECH_SLOTS] = fill;
    s->slot = slot;
}

static void track_floor(struct speech *s, usec now, uint8_t loudness)
{
    if (loudness < s->floor) {
        s->floor = loudness < FLOOR_MIN ? FLOOR_MIN : loudness;
        s->floor_at = now;
    } else if (now - s->floor_at >= FLOOR_RISE_US) {
        s->floor_at = now;
        if (s->floor < FLOOR_MAX)
            s->floor++;
    }
}

void speech_level(struct speech *s, usec now, uint8_t level)
{
    uint8_t loudness = (uint8_t)(LEVEL_MAX - (level & LEVEL_MAX));
    int64_t slot = now / SPEECH_SLOT_US;
    if (!s->heard) {
        s->heard = true;
        s->slot = slot - 1;
        s->floor_at = now;
    }
    track_floor(s, now, loudness);
    int steps = loudness > s->floor ? (loudness - s->floor) / STEP_DB : 0;
    uint8_t active = (uint8_t)(steps < STEPS ? steps : STEPS);
    advance(s, slot, slot - s->slot <= GAP_SLOTS ? active : 0);
    uint8_t *at = &s->active[slot % SPEECH_SLOTS];
    if (active > *at)
        *at = active;
}

static double log_choose(int n, int k)
{
    double sum = 0;
    for (int i = 1; i <= k; i++)
        sum += log((double)(n - k + i) / i);
    return sum;
}

/* Logarithm of how much more probable v active parts of n are for speech (binomial, 1/2) than for
 * silence (exponential). */
static double score(int n, int v, double lambda)
{
    double s = log_choose(n, v) + n * log(0.5) - log(lambda) + lambda * v;
    return s > SCORE_MIN ? s : SCORE_MIN;
}

static int count_above(const uint8_t *values, int n, int least)
{
    int count = 0;
    for (int i = 0; i < n; i++)
        count += values[i] > least;
    return count;
}

void speech_score(struct speech *s, usec now, struct speech_scores *out)
{
    uint8_t newest[SPEECH_SLOTS];
    uint8_t medium[SPEECH_LONG];
    /* The newest packet may still be on its way, and some hold more than a frame. */
    int64_t slot = now / SPEECH_SLOT_US - GAP_SLOTS;
    if (!s->heard) {
        *out = (struct speech_scores){SCORE_MIN, SCORE_MIN, SCORE_MIN};
        return;
    }
    if (slot > s->slot)
        advance(s, slot, 0);
    for (int64_t i = 0; i < SPEECH_SLOTS; i++)
        newest[i] = s->active[(s->slot - i + 2 * SPEECH_SLOTS) % SPEECH_SLOTS];
    for (int i = 0; i < SPEECH_LONG; i++)
        medium[i] = (uint8_t)count_above(&newest[i * SPEECH_MEDIUM], SPEECH_MEDIUM, MEDIUM_ACTIVE);
    out->immediate = score(STEPS, newest[0], LAMBDA_IMMEDIATE);
    out->medium = score(SPEECH_MEDIUM, medium[0], LAMBDA_MEDIUM);
    out->large = score(SPEECH_LONG, count_above(medium, SPEECH_LONG, LONG_ACTIVE), LAMBDA_LONG);
}

bool speech_dominates(const struct speech_scores *a, const struct speech_scores *b)
{
    return log(a->immediate / b->immediate) > EXCEED_IMMEDIATE &&
           log(a->medium / b->medium) > EXCEED_MEDIUM && log(a->large / b->large) > EXCEED_LONG;
}
