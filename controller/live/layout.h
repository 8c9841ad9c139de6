/* Where the pictures of a composite stand on its canvas: a grid; or, while somebody shares a
 * screen, that screen large and the others beside it. Pure; no IO. */
#ifndef WEIR_CONTROLLER_LIVE_LAYOUT_H
#define WEIR_CONTROLLER_LIVE_LAYOUT_H

#include <stddef.h>

#include "controller/live/plan.h"

/* In pixels; all even, as 4:2:0 video wants. */
struct layout_rect {
    unsigned x;
    unsigned y;
    unsigned w;
    unsigned h;
};

/* A place for each of the n > 0 cells, in their order. The first screen counts. */
void layout_make(const struct plan_cell *cells, size_t n, unsigned width, unsigned height,
                 struct layout_rect *out);

#endif
