/* AV1 aggregation headers and dependency descriptors. The first byte: 0 mod 2 is a payload, 1 mod 2
 * a sequence of descriptors, each with a length byte. */
#include "proto/av1.h"
#include "proto/dd.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void payload(struct slice in)
{
    struct av1_desc d;
    struct slice obu;
    size_t at = 0;
    uint8_t index = 0;
    if (av1_parse(&d, in) != OK)
        return;
    while (av1_next_obu(in, &at, &index, &obu))
        assert(obu.n == 0 || (obu.p >= in.p && obu.p + obu.n <= in.p + in.n));
    assert(index == d.n_obus && (at == in.n || d.n_obus == 0));
}

static void descriptors(struct rd r)
{
    static struct dd_structure known;
    static struct dd_structure fresh;
    static struct dd_structure again;
    bool has = false;
    while (rd_left(&r) > 0) {
        struct dd d;
        struct dd e;
        uint8_t buf[512];
        struct wr w = wr_of(buf, sizeof buf);
        uint8_t n = rd_u8(&r);
        struct slice element = rd_bytes(&r, n);
        if (r.bad || dd_parse(element, has ? &known : NULL, &fresh, &d) != OK)
            continue;
        if (d.has_structure) {
            known = fresh;
            has = true;
        }
        (void)dd_targets_for(&known, 1, 1);
        assert(dd_write(&w, &known, &d) == OK);
        assert(wr_len(&w) <= element.n);
        assert(dd_parse(slice_of(buf, wr_len(&w)), &known, &again, &e) == OK);
        assert(memcmp(&d, &e, sizeof d) == 0);
        assert(!d.has_structure || memcmp(&known, &again, sizeof known) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] & 1)
        descriptors(rd_of(data + 1, size - 1));
    else
        payload(slice_of(data + 1, size - 1));
    return 0;
}
