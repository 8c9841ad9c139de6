#include "controller/hls/bmff_rotate.h"

#include "common/bytes.h"

#define FOURCC(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

enum { BOX_HEAD = 8, MATRIX = 36, SIZE = 8 };

/* The body of the first box of a type; n 0: there is none. */
static struct slice find_box(struct slice in, uint32_t type)
{
    struct rd r = rd_slice(in);
    while (!r.bad && rd_left(&r) >= BOX_HEAD) {
        uint32_t size = rd_u32(&r);
        uint32_t found = rd_u32(&r);
        struct slice body = rd_bytes(&r, size >= BOX_HEAD ? size - BOX_HEAD : SIZE_MAX);
        if (!r.bad && found == type)
            return body;
    }
    return (struct slice){0};
}

/* { a b u; c d v; x y w }: (p, q) is shown at (ap + cq + x, bp + dq + y). 16.16, but 2.30 for w.
 * What is turned lies beside the origin, and is moved back by its own size. */
static void write_matrix(uint8_t *out, unsigned clockwise, uint32_t width, uint32_t height)
{
    static const int8_t turns[4][4] = {{1, 0, 0, 1}, {0, 1, -1, 0}, {-1, 0, 0, -1}, {0, -1, 1, 0}};
    const int8_t *t = turns[clockwise / 90 % 4];
    struct wr w = wr_of(out, MATRIX);
    for (int row = 0; row < 2; row++) {
        wr_u32(&w, (uint32_t)t[2 * row] * 0x10000u);
        wr_u32(&w, (uint32_t)t[2 * row + 1] * 0x10000u);
        wr_u32(&w, 0);
    }
    wr_u32(&w, clockwise == 90 ? height : clockwise == 180 ? width : 0);
    wr_u32(&w, clockwise == 180 ? height : clockwise == 270 ? width : 0);
    wr_u32(&w, 0x40000000);
}

enum err bmff_rotate_init(struct blob *init, unsigned clockwise)
{
    struct slice moov = find_box(slice_of(init->bytes, init->n), FOURCC('m', 'o', 'o', 'v'));
    struct slice trak = find_box(moov, FOURCC('t', 'r', 'a', 'k'));
    struct slice tkhd = find_box(trak, FOURCC('t', 'k', 'h', 'd'));
    if (tkhd.n < MATRIX + SIZE)
        return ERR_MALFORMED;
    uint8_t *at = init->bytes + (tkhd.p - init->bytes) + tkhd.n - SIZE - MATRIX;
    struct rd size = rd_slice(slice_of(at + MATRIX, SIZE));
    uint32_t width = rd_u32(&size);
    uint32_t height = rd_u32(&size);
    write_matrix(at, clockwise, width, height);
    return OK;
}
