#include "controller/live/layout.h"

static unsigned even(unsigned v)
{
    return v & ~1u;
}

static struct layout_rect rect(unsigned x, unsigned y, unsigned w, unsigned h)
{
    return (struct layout_rect){.x = even(x), .y = even(y), .w = even(w), .h = even(h)};
}

/* As square as can be; a last row that is not full stands in the middle. */
static void grid(size_t n, unsigned width, unsigned height, struct layout_rect *out)
{
    unsigned cells = (unsigned)n;
    unsigned columns = 1;
    while (columns * columns < cells)
        columns++;
    unsigned rows = (cells + columns - 1) / columns;
    unsigned w = even(width / columns);
    unsigned h = even(height / rows);
    for (unsigned i = 0; i < cells; i++) {
        unsigned row = i / columns;
        unsigned in_row = row + 1 < rows ? columns : cells - row * columns;
        unsigned left = (width - in_row * w) / 2;
        unsigned top = (height - rows * h) / 2;
        out[i] = rect(left + i % columns * w, top + row * h, w, h);
    }
}

/* The screen in three quarters of the width, the others under one another beside it. */
static void beside(size_t n, size_t screen, unsigned width, unsigned height,
                   struct layout_rect *out)
{
    unsigned large = even(width / 4 * 3);
    unsigned others = (unsigned)n - 1;
    unsigned w = even(width - large);
    unsigned h = even(height / others);
    unsigned tallest = even(w * 9 / 16);
    h = h < tallest ? h : tallest;
    unsigned top = (height - others * h) / 2;
    for (size_t i = 0; i < n; i++) {
        if (i == screen)
            out[i] = rect(0, 0, large, height);
        else
            out[i] = rect(large, top, w, h);
        top += i == screen ? 0 : h;
    }
}

void layout_make(const struct plan_cell *cells, size_t n, unsigned width, unsigned height,
                 struct layout_rect *out)
{
    size_t screen = 0;
    while (screen < n && !cells[screen].screen)
        screen++;
    if (screen < n && n > 1)
        beside(n, screen, width, height, out);
    else
        grid(n, width, height, out);
}
