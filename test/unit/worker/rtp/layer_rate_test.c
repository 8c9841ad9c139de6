#include "worker/rtp/layer_rate.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static struct layers upto(int8_t spatial, int8_t temporal)
{
    return (struct layers){.spatial = spatial, .temporal = temporal};
}

/* 1, 2, 4 ... packets of 100 bytes every 10 ms, for two seconds. */
static usec fill(struct layer_rate *r)
{
    usec now = USEC_PER_SEC;
    for (; now < 3 * USEC_PER_SEC; now += 10 * USEC_PER_MSEC)
        for (uint8_t s = 0; s < 3; s++)
            for (uint8_t t = 0; t < 2; t++)
                for (unsigned i = 0; i < 1U << (2 * s + t); i++)
                    layer_rate_add(r, now, s, t, 100);
    return now;
}

static void near(uint32_t bps, uint32_t packets)
{
    assert_in_range(bps, packets * 78000, packets * 82000);
}

static void a_layer_costs_what_it_needs_too(void **state)
{
    (void)state;
    struct layer_rate r;
    layer_rate_init(&r, false);
    usec now = fill(&r);
    near(layer_rate_bps(&r, now, upto(0, 0)), 1);
    near(layer_rate_bps(&r, now, upto(0, 1)), 3);
    near(layer_rate_bps(&r, now, upto(1, 0)), 1 + 4);
    near(layer_rate_bps(&r, now, upto(2, 1)), 63);
    near(layer_rate_bps(&r, now, LAYERS_ANY), 63);
    assert_true(layers_equal(layer_rate_highest(&r, now), upto(2, 1)));
}

static void an_independent_layer_costs_itself(void **state)
{
    (void)state;
    struct layer_rate r;
    layer_rate_init(&r, true);
    usec now = fill(&r);
    near(layer_rate_bps(&r, now, upto(0, 1)), 3);
    near(layer_rate_bps(&r, now, upto(2, 0)), 16);
    near(layer_rate_bps(&r, now, LAYERS_ANY), 48);
}

static void a_layer_that_does_not_flow_costs_nothing(void **state)
{
    (void)state;
    struct layer_rate r;
    layer_rate_init(&r, false);
    assert_int_equal(layer_rate_bps(&r, 5, LAYERS_ANY), 0);
    assert_true(layers_equal(layer_rate_highest(&r, 5), LAYERS_NONE));
    layer_rate_add(&r, 10, 0, 0, 1000);
    assert_int_equal(layer_rate_bps(&r, 20, upto(1, 0)), 0);
    assert_int_equal(layer_rate_bps(&r, 20, upto(0, 0)), 8000);
    assert_int_equal(layer_rate_bps(&r, 20 + 2 * USEC_PER_SEC, upto(0, 0)), 0);
    layer_rate_add(&r, 50 * USEC_PER_SEC, 7, 7, 500); /* the highest that is kept apart */
    assert_true(layers_equal(layer_rate_highest(&r, 50 * USEC_PER_SEC), upto(3, 3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layer_costs_what_it_needs_too),
        cmocka_unit_test(an_independent_layer_costs_itself),
        cmocka_unit_test(a_layer_that_does_not_flow_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
