/* An estimator whose peer sends any feedback in any order: nothing may crash, and the answers stay
 * within their limits. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "proto/rtcp.h"
#include "worker/bwe/estimator.h"

enum { MIN_BPS = 50000, MAX_BPS = 20000000, MS = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct estimator est;
static usec now;
static uint16_t seq;

static void check(void)
{
    uint64_t bps = est_target_bps(&est);
    assert(bps >= MIN_BPS && bps <= MAX_BPS);
    assert(est_inherent_loss(&est) >= 0 && est_inherent_loss(&est) < 0.5);
    (void)est_deadline(&est);
}

static void feedback(const uint8_t *bytes, size_t n)
{
    struct rtcp_reader reader;
    struct rtcp_block block;
    struct twcc t;
    if (rtcp_reader_init(&reader, bytes, n) != OK)
        return;
    while (rtcp_next(&reader, &block))
        if (block.kind == RTCP_KIND_TWCC && twcc_parse(&block, &t) == OK)
            est_feedback(&est, now, &t);
}

/* A message about recent packets, its chunks and deltas from the input. */
static void shaped(struct rd *r)
{
    uint8_t m[64] = {0x8f, 205, 0, 0};
    uint16_t base = (uint16_t)(seq - rd_u8(r));
    uint8_t count = rd_u8(r);
    size_t n = rd_u8(r) % 40 / 4 * 4 + 4;
    m[12] = (uint8_t)(base >> 8);
    m[13] = (uint8_t)base;
    m[15] = count;
    m[16] = rd_u8(r) & 1 ? rd_u8(r) : 0;
    m[17] = (uint8_t)(now / 64000 >> 8);
    m[18] = (uint8_t)(now / 64000);
    for (size_t i = 0; i < n; i++)
        m[20 + i] = rd_u8(r);
    m[3] = (uint8_t)((20 + n) / 4 - 1);
    feedback(m, 20 + n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(data, size);
    uint8_t mode = rd_u8(&r);
    struct est_config c = {
        .source = mode & 1 ? EST_REMB : EST_TRANSPORT_CC, .min_bps = MIN_BPS, .max_bps = MAX_BPS};
    if (est_init(&est, &c) != OK)
        return 0;
    est_set_padding(&est, (mode & 2) != 0);
    now = mode & 4 ? USEC_PER_SEC : (usec)1 << 50;
    seq = rd_u16(&r);
    while (rd_left(&r) > 0 && !r.bad) {
        uint8_t op = rd_u8(&r), arg = rd_u8(&r);
        switch (op % 9) {
        case 0:
            now += (usec)arg * arg * arg * 10;
            break;
        case 1:
            now += arg * 100;
            break;
        case 2:
            for (unsigned i = 0; i < arg; i++)
                est_sent(&est, now += 500, seq++, (size_t)arg * 6);
            break;
        case 3: {
            size_t n = arg < rd_left(&r) ? arg : rd_left(&r);
            feedback(r.p, n);
            (void)rd_take(&r, n);
            break;
        }
        case 4:
            shaped(&r);
            break;
        case 5: {
            est_timeout(&est, now);
            size_t padding = est_next_padding(&est, now);
            if (padding > 0)
                est_sent(&est, now, seq++, padding);
            break;
        }
        case 6:
            est_rr(&est, now, arg, (usec)rd_u8(&r) * 5 * MS);
            break;
        case 7:
            est_remb(&est, (uint64_t)arg << (arg & 31));
            break;
        case 8:
            est_set_desired(&est, arg == 255 ? UINT64_MAX : (uint64_t)arg * 10000);
            break;
        }
        check();
    }
    est_fini(&est);
    return 0;
}
