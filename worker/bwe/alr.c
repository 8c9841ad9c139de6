#include "worker/bwe/alr.h"

#include <math.h>

#define USAGE 0.65   /* of the target */
#define WINDOW_S 0.5 /* of the budget */
#define BEGIN 0.8    /* of the window unused */
#define END 0.5

void alr_sent(struct alr *a, usec now, size_t size, double target_bps)
{
    double window = target_bps * USAGE / 8 * WINDOW_S;
    if (a->started)
        a->budget += target_bps * USAGE / 8 * (double)(now - a->at) / USEC_PER_SEC;
    a->started = true;
    a->at = now;
    a->budget = fmax(fmin(a->budget, window) - (double)size, -window);
    if (a->budget > BEGIN * window)
        a->limited = true;
    else if (a->budget < END * window)
        a->limited = false;
}
