/* sdp_parse on anything. What it accepts prints; the print parses, and prints to the same text. */
#include "proto/sdp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sdp a;
    static struct sdp b;
    static uint8_t first[4 * CAP];
    static uint8_t second[4 * CAP];
    unsigned line = 0;
    if (size > CAP || sdp_parse(&a, slice_of(data, size), &line) != OK)
        return 0;
    struct wr w = wr_of(first, sizeof first);
    assert(sdp_print(&a, &w) == OK);
    assert(sdp_parse(&b, slice_of(first, wr_len(&w)), &line) == OK);
    struct wr v = wr_of(second, sizeof second);
    assert(sdp_print(&b, &v) == OK);
    assert(wr_len(&w) == wr_len(&v) && memcmp(first, second, wr_len(&w)) == 0);
    assert(a.n_media == b.n_media);
    for (size_t i = 0; i < a.n_media; i++) {
        const struct sdp_media *m = &a.media[i];
        assert(m->n_codecs == b.media[i].n_codecs && m->n_exts == b.media[i].n_exts);
        for (size_t k = 0; k < m->n_codecs; k++)
            (void)sdp_fmtp_get(m->codecs[k].fmtp, "profile-level-id");
    }
    return 0;
}
