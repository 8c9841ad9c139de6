/* The estimator where things change or are shared: links that halve and recover, a second flow, a
 * TCP flow, outages, layers, key frames, queues of other depths; in virtual time.
 * `bwe_change_test series <name>` prints a run's time series for the pictures in docs/bwe.md. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "test/lib/bwe_sim.h"

enum { MS = 1000, QUEUE_MAX_MS = 150 };

#define S USEC_PER_SEC

static struct bwe_sim sim;

static const uint64_t rates[] = {300000, 1000000, 3000000, 10000000};
static const int rtts_ms[] = {20, 50, 100, 200};

/* Seconds after from until the target is at least this share of capacity, over half a second. */
static double reaches(unsigned flow, double from, double to, double share)
{
    for (unsigned i = 0; i + 5 < sim.n; i++) {
        double target = 0, capacity = 0;
        if (sim.samples[i].at <= from || sim.samples[i].at > to)
            continue;
        for (unsigned k = i; k < i + 5; k++) {
            target += sim.samples[k].target[flow];
            capacity += sim.samples[k].capacity;
        }
        if (target >= share * capacity)
            return sim.samples[i].at - from;
    }
    return 999;
}

/* Seconds after from until the queue has once been shorter than this. */
static double drained(double from, double to, double queue_ms)
{
    for (unsigned i = 0; i < sim.n; i++)
        if (sim.samples[i].at > from && sim.samples[i].at <= to &&
            sim.samples[i].queue_min < queue_ms)
            return sim.samples[i].at - from;
    return 999;
}

static double mean_tcp(double from, double to)
{
    double sum = 0, capacity = 0;
    for (unsigned i = 0; i < sim.n; i++)
        if (sim.samples[i].at > from && sim.samples[i].at <= to) {
            sum += sim.samples[i].tcp;
            capacity += sim.samples[i].capacity;
        }
    return sum / capacity;
}

static struct bwe_config plain(uint64_t rate, int rtt_ms, double seconds)
{
    return (struct bwe_config){.capacity = {{0, rate}},
                               .rtt = rtt_ms * MS,
                               .duration = (usec)(seconds * S),
                               .seed = 1,
                               .n_flows = 1};
}

/* ---- a link that halves and recovers ---- */

static struct bwe_config halving(uint64_t rate, int rtt_ms)
{
    struct bwe_config c = plain(rate, rtt_ms, 60);
    c.capacity[1] = (struct bwe_step){20 * S, rate / 2};
    c.capacity[2] = (struct bwe_step){40 * S, rate};
    return c;
}

/* Back within 5 s but for a few of the 16 runs, where a probe was lost or met a burst. */
static void check_halving(double loss, double burst, unsigned late_max)
{
    unsigned late = 0;
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < 4; k++) {
            struct bwe_config c = halving(rates[i], rtts_ms[k]);
            c.loss = loss;
            c.burst_length = burst;
            bwe_sim_run(&sim, &c);
            struct bwe_result half = bwe_sim_result(&sim, 0, 25, 40);
            struct bwe_result again = bwe_sim_result(&sim, 0, 45, 60);
            double queue = drained(20.5, 40, QUEUE_MAX_MS), back = reaches(0, 40, 60, 0.8);
            late += back > 5;
            if (queue > 3 || half.queue_standing > QUEUE_MAX_MS || half.share < 0.7 ||
                half.share > 1.02 || back > 8 || again.share < 0.78 || again.share > 1.02 ||
                again.queue_standing > QUEUE_MAX_MS)
                fail_msg("%llu bit/s, %d ms: queue drained after %.1f s, half used %.2f with %.0f "
                         "ms; back after %.1f s, used %.2f with %.0f ms",
                         (unsigned long long)rates[i], rtts_ms[k], queue, half.share,
                         half.queue_standing, back, again.share, again.queue_standing);
        }
    assert_true(late <= late_max);
}

static void a_link_that_halves_is_left_in_time_and_found_again(void **state)
{
    (void)state;
    check_halving(0, 0, 1);
}

static void the_same_with_five_percent_loss(void **state)
{
    (void)state;
    check_halving(0.05, 0, 1);
}

static void the_same_with_ten_percent_loss_in_bursts(void **state)
{
    (void)state;
    check_halving(0.1, 4, 3);
}

/* ---- two flows ---- */

static struct bwe_config two_flows(uint64_t rate, int rtt_ms)
{
    struct bwe_config c = plain(rate, rtt_ms, 90);
    c.n_flows = 2;
    c.flows[1].start = 15 * S;
    return c;
}

static void a_second_flow_gets_its_share_within_thirty_seconds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < 4; k++) {
            struct bwe_config c = two_flows(rates[i], rtts_ms[k]);
            bwe_sim_run(&sim, &c);
            double first[2], later[2];
            for (unsigned f = 0; f < 2; f++) {
                first[f] = bwe_sim_result(&sim, f, 15, 45).share;
                later[f] = bwe_sim_result(&sim, f, 45, 90).share;
            }
            double sum =
                bwe_sim_result(&sim, 0, 45, 90).goodput + bwe_sim_result(&sim, 1, 45, 90).goodput;
            if (first[1] < 0.25 || fmin(later[0], later[1]) < 0.25 || sum < 0.75)
                fail_msg("%llu bit/s, %d ms: %.2f and %.2f, then %.2f and %.2f, used %.2f",
                         (unsigned long long)rates[i], rtts_ms[k], first[0], first[1], later[0],
                         later[1], sum);
        }
}

static void what_a_flow_leaves_the_other_takes(void **state)
{
    (void)state;
    struct bwe_config c = two_flows(3000000, 50);
    c.flows[1].stop = 50 * S;
    bwe_sim_run(&sim, &c);
    assert_true(reaches(0, 50, 90, 0.8) < 6);
}

static struct bwe_config beside_tcp(uint64_t rate, int rtt_ms)
{
    struct bwe_config c = plain(rate, rtt_ms, 90);
    c.tcp_start = 20 * S;
    c.tcp_stop = 70 * S;
    return c;
}

static void a_tcp_flow_is_neither_starved_nor_starves_it(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 4; i++)
        for (unsigned k = 0; k < 4; k++) {
            struct bwe_config c = beside_tcp(rates[i], rtts_ms[k]);
            bwe_sim_run(&sim, &c);
            double ours = bwe_sim_result(&sim, 0, 30, 70).goodput, tcp = mean_tcp(30, 70);
            if (ours < 0.1 || tcp < 0.2 || bwe_sim_result(&sim, 0, 80, 90).share < 0.7)
                fail_msg("%llu bit/s, %d ms: %.2f beside %.2f", (unsigned long long)rates[i],
                         rtts_ms[k], ours, tcp);
        }
}

/* ---- queues ---- */

static void a_deep_queue_does_not_stay_full(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct bwe_config c = plain(rates[i], 100, 60);
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
        struct bwe_config c = plain(rates[i], 50, 60);
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
    struct bwe_config c = plain(3000000, 50, 60);
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
    struct bwe_config c = plain(rate, rtt_ms, 60);
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
    struct bwe_config c = plain(10000000, 50, 30);
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
    struct bwe_config c = plain(1000000, 50, 60);
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
    struct bwe_config c = plain(3000000, 50, 30);
    c.flows[0].no_feedback = true;
    bwe_sim_run(&sim, &c);
    assert_true(sim.samples[sim.n - 1].target[0] <= EST_MIN_BPS + 1);
}

static void after_a_drop_to_a_tenth_it_comes_back(void **state)
{
    (void)state;
    struct bwe_config c = plain(3000000, 100, 60);
    c.capacity[1] = (struct bwe_step){20 * S, 300000};
    c.capacity[2] = (struct bwe_step){32 * S, 3000000};
    bwe_sim_run(&sim, &c);
    struct bwe_result narrow = bwe_sim_result(&sim, 0, 28, 32);
    assert_true(narrow.share < 1.05);
    assert_true(narrow.queue_standing < QUEUE_MAX_MS);
    assert_true(reaches(0, 32, 60, 0.8) < 10);
    assert_true(bwe_sim_result(&sim, 0, 45, 60).queue_standing < QUEUE_MAX_MS);
}

static void the_same_seed_gives_the_same_run(void **state)
{
    (void)state;
    static struct bwe_sample before[BWE_SAMPLES];
    struct bwe_config c = two_flows(1000000, 50);
    c.loss = 0.05;
    bwe_sim_run(&sim, &c);
    memcpy(before, sim.samples, sizeof before);
    bwe_sim_run(&sim, &c);
    assert_memory_equal(before, sim.samples, sizeof before);
}

/* ---- for the documentation ---- */

static int series(const char *name)
{
    struct bwe_config c = plain(3000000, 100, 60);
    if (strcmp(name, "bursts") == 0) {
        c.loss = 0.1;
        c.burst_length = 5;
    } else if (strcmp(name, "halving") == 0) {
        c = halving(3000000, 50);
    } else if (strcmp(name, "two") == 0) {
        c = two_flows(3000000, 50);
    } else if (strcmp(name, "tcp") == 0) {
        c = beside_tcp(10000000, 50);
    } else if (strcmp(name, "layers") == 0) {
        c = layered(5000000, 100);
        c.capacity[1] = (struct bwe_step){20 * S, 1200000};
        c.capacity[2] = (struct bwe_step){40 * S, 5000000};
    } else if (strcmp(name, "narrow") == 0) {
        c = plain(300000, 200, 60);
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
        cmocka_unit_test(a_link_that_halves_is_left_in_time_and_found_again),
        cmocka_unit_test(the_same_with_five_percent_loss),
        cmocka_unit_test(the_same_with_ten_percent_loss_in_bursts),
        cmocka_unit_test(a_second_flow_gets_its_share_within_thirty_seconds),
        cmocka_unit_test(what_a_flow_leaves_the_other_takes),
        cmocka_unit_test(a_tcp_flow_is_neither_starved_nor_starves_it),
        cmocka_unit_test(a_deep_queue_does_not_stay_full),
        cmocka_unit_test(a_shallow_queue_is_found_by_its_losses),
        cmocka_unit_test(a_key_frame_does_not_leave_as_one_burst),
        cmocka_unit_test(layers_are_found_by_padding_and_kept),
        cmocka_unit_test(the_highest_layer_is_there_within_two_seconds),
        cmocka_unit_test(nothing_is_probed_beyond_what_is_desired),
        cmocka_unit_test(without_padding_it_still_finds_what_is_sent),
        cmocka_unit_test(without_feedback_it_goes_down_to_its_minimum),
        cmocka_unit_test(after_a_drop_to_a_tenth_it_comes_back),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
