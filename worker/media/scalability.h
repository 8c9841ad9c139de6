/* scalabilityMode: "L3T3", "L1T2", "S2T1", "L3T3_KEY" (W3C WebRTC-SVC). Pure. */
#ifndef WEIR_WORKER_MEDIA_SCALABILITY_H
#define WEIR_WORKER_MEDIA_SCALABILITY_H

#include <stdbool.h>
#include <stdint.h>

struct scalability {
    uint8_t spatial;
    uint8_t temporal;
    bool key; /* spatial layers depend on each other in key frames only (K-SVC) */
};

/* Anything else, NULL too, is one layer of each. */
struct scalability scalability_parse(const char *mode);

#endif
