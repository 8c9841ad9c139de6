/* The text of an ffmpeg filter graph, built piece by piece. No IO. */
#ifndef WEIR_CONTROLLER_LIVE_FILTER_TEXT_H
#define WEIR_CONTROLLER_LIVE_FILTER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { FILTER_TEXT_MAX = 12 * 1024 };

struct filter_text {
    char text[FILTER_TEXT_MAX]; /* with a NUL */
    size_t n;
    bool bad; /* it did not fit */
};

__attribute__((format(printf, 2, 3))) void filter_print(struct filter_text *f, const char *fmt,
                                                        ...);
/* Filters that turn a picture upright, with a comma behind them; clockwise: 0, 90, 180 or 270. */
const char *filter_turn(unsigned clockwise);
/* What somebody else wrote, as the value of an option: quoted for the option and for the graph,
 * without control characters. */
void filter_quote(struct filter_text *f, const char *words);

#endif
