/* The estimator where things change: outages, layers, key frames, queues of other depths; in
 * virtual time. `bwe_change_test series <name>` prints a run's time series for the pictures in
 * docs/bwe.md. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "test/lib/bwe_sim.h"

enum { MS = 1000, QUEUE_MAX_MS = 150 };

#define S USEC_PER_SEC

static struct bwe_sim sim;

static const uint64_t rates[] = {300000, 1000000, 3000000, 10000000};
static const int rtts_ms[] = {20, 50, 100, 200};

/* ---- queues ---- */

static void a_deep_queue_does_not_stay_full(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct bwe_config c = bwe_sim_plain(rates[i], 100, 60, 1);
        c.queue = 2 * S;
        c.flows[0].initial_bps = 2 * rates[i]; /* it is full within seconds */
        bwe_sim_run(&sim, &c);
        struct bwe_result r = bwe_sim_result(&sim, 0, 8, 60);
        assert_true(r.queue_standing < QUEUE_MAX_MS);
        assert_true(r.share > 0.8 && r.share <= 1);
    }
}

static void a_shallow_queue_is_found_by_its_losses(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 4; i++) {
        struct bwe_config c = bwe_sim_plain(rates[i], 50, 60, 1);
        c.queue = 80 * MS;
        bwe_sim_run(&sim, &c);
        struct bwe_result r = bwe_sim_result(&sim, 0, 5, 60);
        double dropped = (double)sim.there.stats.queue_dropped / (double)sim.there.stats.sent;
        assert_true(r.share > 0.8 && r.share < 1.05);
        assert_true(dropped < 0.03);
    }
}

static struct bwe_config key_frames(bool pacer)
{
    struct bwe_config c = bwe_sim_plain(3000000, 50, 60, 1);
    c.queue = 2 * S;
    c.flows[0].key_frame = 12;
    c.flows[0].source_bps = 1200000;
    c.flows[0].no_padding = true;
    c.flows[0].initial_bps = 1500000;
    c.flows[0].no_pacer = !pacer;
    return c;
}

static void a_key_frame_does_not_leave_as_one_burst(void **state)
{
    (void)state;
    struct bwe_config c = key_frames(false);
    bwe_sim_run(&sim, &c);
    double burst = bwe_sim_result(&sim, 0, 5, 60).queue_max;
    c = key_frames(true);
    bwe_sim_run(&sim, &c);
    double paced = bwe_sim_result(&sim, 0, 5, 60).queue_max;
    /* 60 kB at once are 160 ms of the link; at 2.5 times what the estimate has become, half. */
    assert_true(burst > 130);

    assert_true(paced < 90);
    assert_true(sim.flows[0].longest_pacing < 200 * MS);
}

/* ---- what is wanted ---- */

static struct bwe_config layered(uint64_t rate, int rtt_ms)
{
    static const uint32_t layers[] = {100000, 150000, 300000, 450000, 900000, 1400000, 2500000};
    struct bwe_config c = bwe_sim_plain(rate, rtt_ms, 60, 1);
    memcpy(c.flows[0].layers, layers, sizeof layers);
    return c;
}

static void layers_are_found_by_padding_and_kept(void **state)
{
    (void)state;
    static const struct {
        uint64_t rate;
        int layer;
    } cases[] = {{400000, 2}, {1000000, 3}, {2000000, 5}, {5000000, 6}};
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < 4; k++) {
            struct bwe_config c = layered(cases[i].rate, rtts_ms[k]);
            bwe_sim_run(&sim, &c);
            const struct bwe_flow *f = &sim.flows[0];
            double media = (double)f->media_bytes, padding = (double)f->padding_bytes;
            double queue = bwe_sim_result(&sim, 0, 5, 60).queue_standing;
            if (f->consumer.layer != cases[i].layer || f->switches > 12 ||
                padding > 0.1 * (media + padding) || queue > QUEUE_MAX_MS)
                fail_msg("%llu bit/s, %d ms: layer %d, %u switches, padding %.2f, queue %.0f ms",
                         (unsigned long long)cases[i].rate, rtts_ms[k], f->consumer.layer,
                         f->switches, padding / (media + padding), queue);
        }
}

static void the_highest_layer_is_there_within_two_seconds(void **state)
{
    (void)state;
    struct bwe_config c = layered(10000000, 100);
    bwe_sim_run(&sim, &c);
    double sent = 0;
    for (unsigned i = 0; i < sim.n; i++)
        if (sim.samples[i].at > 2 && sim.samples[i].at <= 4)
            sent += sim.samples[i].sent[0] / 20;
    assert_true(sent > 0.95 * 2500000);
}

static void nothing_is_probed_beyond_what_is_desired(void **state)
{
    (void)state;
    struct bwe_config c = bwe_sim_plain(10000000, 50, 30, 1);
    c.flows[0].source_bps = 500000;
    c.flows[0].desired_bps = 500000;
    bwe_sim_run(&sim, &c);
    struct bwe_result r = bwe_sim_result(&sim, 0, 5, 30);
    assert_true(r.share > 0.05 && r.share < 0.09);
    assert_true(sim.flows[0].padding_bytes < 20000);
}

static void without_padding_it_still_finds_what_is_sent(void **state)
{
    (void)state;
    struct bwe_config c = bwe_sim_plain(1000000, 50, 60, 1);
    c.flows[0].no_padding = true;
    bwe_sim_run(&sim, &c);
    struct bwe_result r = bwe_sim_result(&sim, 0, 10, 60);
    assert_true(r.share > 0.8 && r.share <= 1.02);
    assert_int_equal(sim.flows[0].padding_bytes, 0);
}

/* ---- outages ---- */

static void without_feedback_it_goes_down_to_its_minimum(void **state)
{
    (void)state;
    struct bwe_config c = bwe_sim_plain(3000000, 50, 30, 1);
    c.flows[0].no_feedback = true;
    bwe_sim_run(&sim, &c);
    assert_true(sim.samples[sim.n - 1].target[0] <= EST_MIN_BPS + 1);
}

static void after_a_drop_to_a_tenth_it_comes_back(void **state)
{
    (void)state;
    struct bwe_config c = bwe_sim_plain(3000000, 100, 60, 1);
    c.capacity[1] = (struct bwe_step){20 * S, 300000};
    c.capacity[2] = (struct bwe_step){32 * S, 3000000};
    bwe_sim_run(&sim, &c);
    struct bwe_result narrow = bwe_sim_result(&sim, 0, 28, 32);
    assert_true(narrow.share < 1.05);
    assert_true(narrow.queue_standing < QUEUE_MAX_MS);
    assert_true(bwe_sim_reaches(&sim, 0, 32, 60, 0.8) < 10);
    assert_true(bwe_sim_result(&sim, 0, 45, 60).queue_standing < QUEUE_MAX_MS);
}

/* ---- for the documentation ---- */

static int series(const char *name)
{
    struct bwe_config c = bwe_sim_plain(3000000, 100, 60, 1);
    if (strcmp(name, "bursts") == 0) {
        c.loss = 0.1;
        c.burst_length = 5;
    } else if (strcmp(name, "halving") == 0) {
        c = bwe_sim_plain(3000000, 50, 60, 1);
        c.capacity[1] = (struct bwe_step){20 * S, 1500000};
        c.capacity[2] = (struct bwe_step){40 * S, 3000000};
    } else if (strcmp(name, "two") == 0) {
        c = bwe_sim_plain(3000000, 50, 90, 1);
        c.n_flows = 2;
        c.flows[1].start = 15 * S;
    } else if (strcmp(name, "tcp") == 0) {
        c = bwe_sim_plain(10000000, 50, 90, 1);
        c.tcp_start = 20 * S;
        c.tcp_stop = 70 * S;
    } else if (strcmp(name, "layers") == 0) {
        c = layered(5000000, 100);
        c.capacity[1] = (struct bwe_step){20 * S, 1200000};
        c.capacity[2] = (struct bwe_step){40 * S, 5000000};
    } else if (strcmp(name, "narrow") == 0) {
        c = bwe_sim_plain(300000, 200, 60, 1);
    } else if (strcmp(name, "steady") != 0) {
        fprintf(stderr, "steady, bursts, halving, two, tcp, layers or narrow\n");
        return 1;
    }
    bwe_sim_run(&sim, &c);
    bwe_sim_print(&sim);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "series") == 0)
        return series(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deep_queue_does_not_stay_full),
        cmocka_unit_test(a_shallow_queue_is_found_by_its_losses),
        cmocka_unit_test(a_key_frame_does_not_leave_as_one_burst),
        cmocka_unit_test(layers_are_found_by_padding_and_kept),
        cmocka_unit_test(the_highest_layer_is_there_within_two_seconds),
        cmocka_unit_test(nothing_is_probed_beyond_what_is_desired),
        cmocka_unit_test(without_padding_it_still_finds_what_is_sent),
        cmocka_unit_test(without_feedback_it_goes_down_to_its_minimum),
        cmocka_unit_test(after_a_drop_to_a_tenth_it_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
