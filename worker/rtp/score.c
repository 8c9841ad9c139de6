#include "worker/rtp/stream.h"

void score_init(struct score *s, uint8_t value)
{
    *s = (struct score){.value = value};
}

static void change(struct score *s, uint8_t value)
{
    if (value != s->value)
        s->changed = true;
    s->value = value;
}

void score_set(struct score *s, uint8_t value)
{
    s->n = s->at = 0;
    change(s, value);
}

void score_add(struct score *s, uint8_t value)
{
    if (s->value == 0)
        s->n = s->at = 0;
    s->history[s->at] = value;
    s->at = (uint8_t)((s->at + 1) % SCORE_HISTORY);
    if (s->n < SCORE_HISTORY)
        s->n++;
    uint32_t sum = 0;
    uint32_t weights = 0;
    for (uint32_t age = 0; age < s->n; age++) {
        uint32_t weight = s->n - age;
        sum += weight * s->history[((uint32_t)s->at + SCORE_HISTORY - 1 - age) % SCORE_HISTORY];
        weights += weight;
    }
    change(s, (uint8_t)((sum + weights / 2) / weights));
}

bool score_take(struct score *s, uint8_t *value)
{
    if (!s->changed)
        return false;
    s->changed = false;
    *value = s->value;
    return true;
}

uint8_t score_of_interval(uint32_t expected, uint32_t lost, uint32_t repaired,
                          uint32_t retransmitted)
{
    if (expected == 0)
        return SCORE_MAX;
    if (lost > expected)
        lost = expected;
    if (repaired > lost)
        repaired = lost;
    /* A repair costs a round trip: the more of them, and the more tries each took, the less it is
     * worth. */
    double weight = 1.0;
    if (repaired > 0) {
        double ratio = (double)repaired / expected + 1.0;
        weight = 1.0 / (ratio * ratio * ratio * ratio);
        if (retransmitted > repaired)
            weight *= (double)repaired / retransmitted;
    }
    double delivered = (expected - (lost - repaired * weight)) / expected;
    double score = delivered * delivered * delivered * delivered * SCORE_MAX;
    return (uint8_t)(score + 0.5);
}
