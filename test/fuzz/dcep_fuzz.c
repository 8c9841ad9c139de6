/* dcep_parse_open on anything: parse(print(parse(x))) == parse(x). */
#include "proto/dcep.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(struct slice a, struct slice b)
{
    assert(a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buf[DCEP_OPEN_HEADER_LEN + 2 * 65535];
    struct dcep_open o;
    struct dcep_open p;
    struct wr w = wr_of(buf, sizeof buf);
    (void)dcep_type(slice_of(data, size));
    if (dcep_parse_open(&o, slice_of(data, size)) != OK)
        return 0;
    assert(dcep_write_open(&w, &o) == OK && wr_len(&w) == size);
    assert(dcep_parse_open(&p, slice_of(buf, size)) == OK);
    assert(o.reliability == p.reliability && o.limit == p.limit && o.priority == p.priority &&
           o.unordered == p.unordered);
    same(o.label, p.label);
    same(o.protocol, p.protocol);
    return 0;
}
