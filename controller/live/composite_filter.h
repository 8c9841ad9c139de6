/* The filter graph of a composite's picture: each input in its place on one canvas, names under the
 * pictures; and of its sound: all inputs mixed. No IO. */
#ifndef WEIR_CONTROLLER_LIVE_COMPOSITE_FILTER_H
#define WEIR_CONTROLLER_LIVE_COMPOSITE_FILTER_H

#include <stdbool.h>

#include "controller/live/filter_text.h"
#include "controller/live/plan.h"

struct composite_style {
    unsigned width;
    unsigned height;
    bool names;
    bool low; /* every input is scaled to 128x72 before anything else */
};

enum { COMPOSITE_LOW_WIDTH = 128, COMPOSITE_LOW_HEIGHT = 72 };

/* From "[base:v]", an input of plain canvas, and "[0:v:i]" to "[canvas]". */
void composite_picture(struct filter_text *f, const struct plan *plan,
                       const struct composite_style *style, unsigned base);
/* From "[0:a:i]" to "[sound]"; the plan has sound by RTP. */
void composite_sound(struct filter_text *f, const struct plan *plan);

#endif
