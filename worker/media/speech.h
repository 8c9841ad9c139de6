/* How much somebody speaks, from the audio levels of packets: the scores over short, medium and
 * long time by which the dominant speaker of a conference is found (I. Volfin, I. Cohen, "Dominant
 * speaker identification for multipoint videoconferencing", Computer Speech & Language 27, 2013).
 * No IO, no clock. */
#ifndef WEIR_WORKER_MEDIA_SPEECH_H
#define WEIR_WORKER_MEDIA_SPEECH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/time.h"

enum {
    SPEECH_SLOT_US = 20 * 1000, /* a frame, as most audio codecs packetize */
    SPEECH_SLOTS = 50,          /* frames remembered: SPEECH_MEDIUM * SPEECH_LONG */
    SPEECH_MEDIUM = 5,          /* frames a medium block */
    SPEECH_LONG = 10            /* medium blocks a long one */
};

struct speech {
    int64_t slot;                 /* number of the newest frame */
    uint8_t active[SPEECH_SLOTS]; /* steps above the noise floor, by slot % SPEECH_SLOTS */
    uint8_t floor;                /* loudness that counts as noise */
    usec floor_at;                /* when it last changed */
    bool heard;                   /* any level yet */
};

struct speech_scores {
    double immediate;
    double medium;
    double large; /* over the whole memory */
};

void speech_init(struct speech *s);
/* The level of one packet in -dBov (RFC 6464). */
void speech_level(struct speech *s, usec now, uint8_t level);
void speech_score(struct speech *s, usec now, struct speech_scores *out);

/* Whether a speaks so much more than b that a takes over. */
bool speech_dominates(const struct speech_scores *a, const struct speech_scores *b);

#endif
