/* The estimator on a link that it shares, with another flow of its kind or with TCP, in virtual
 * time. `bwe_shared_test table` prints the results as tables for docs/bwe.md. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "test/lib/bwe_sim.h"

enum { MS = 1000, QUEUE_MAX_MS = 150, SEEDS = 4, TABLE_SEEDS = 8, WHOLE_FRAMES_US = 20 * MS };

#define S USEC_PER_SEC

static struct bwe_sim sim;

static const uint64_t rates[] = {300000, 1000000, 3000000, 10000000};
static const int rtts_ms[] = {20, 50, 100, 200};

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

/* ---- two flows ---- */

static struct bwe_config two_flows(uint64_t rate, int rtt_ms, uint64_t seed)
{
    struct bwe_config c = bwe_sim_plain(rate, rtt_ms, 90, seed);
    c.n_flows = 2;
    c.flows[1].start = 15 * S;
    return c;
}

struct sharing {
    double first;    /* share of the second flow in its first 30 s */
    double smaller;  /* of either, after 30 s */
    double sum;      /* goodput of both then */
    double standing; /* ms, from 5 s after the second came */
    double long_for; /* share of that time in which a queue of more than QUEUE_MAX_MS stood */
};

static double queue_long_for(double from, double to)
{
    unsigned n = 0, longer = 0;
    for (unsigned i = 0; i + 5 < sim.n && sim.samples[i + 5].at <= to; i++) {
        double least = INFINITY;
        for (unsigned k = i; k < i + 5; k++)
            least = fmin(least, sim.samples[k].queue_min);
        n += sim.samples[i].at > from;
        longer += sim.samples[i].at > from && least > QUEUE_MAX_MS;
    }
    return (double)longer / n;
}

static struct sharing run_two(unsigned i, unsigned k, uint64_t seed, usec depth)
{
    struct bwe_config c = two_flows(rates[i], rtts_ms[k], seed);
    c.flows[0].pacer_depth = c.flows[1].pacer_depth = depth;
    bwe_sim_run(&sim, &c);
    struct bwe_result a = bwe_sim_result(&sim, 0, 45, 90), b = bwe_sim_result(&sim, 1, 45, 90);
    return (struct sharing){.first = bwe_sim_result(&sim, 1, 15, 45).share,
                            .smaller = fmin(a.share, b.share),
                            .sum = a.goodput + b.goodput,
                            .standing = bwe_sim_result(&sim, 0, 20, 90).queue_standing,
                            .long_for = queue_long_for(20, 90)};
}

static void check_two(usec depth)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        for (unsigned i = 0; i < 4; i++)
            for (unsigned k = 0; k < 4; k++) {
                struct sharing s = run_two(i, k, seed, depth);
                if (s.first < 0.2 || s.smaller < 0.25 || s.sum < 0.75 || s.long_for > 0.02)
                    fail_msg("%llu bit/s, %d ms, seed %llu: %.2f, then the smaller %.2f, used "
                             "%.2f, a long queue for %.3f of the time",
                             (unsigned long long)rates[i], rtts_ms[k], (unsigned long long)seed,
                             s.first, s.smaller, s.sum, s.long_for);
            }
}

static void a_second_flow_gets_its_share_within_thirty_seconds(void **state)
{
    (void)state;
    check_two(PACER_BURST_US);
}

/* Each frame fills the link for as long as it takes, and then leaves it to the other. */
static void also_where_whole_frames_leave_at_once(void **state)
{
    (void)state;
    check_two(WHOLE_FRAMES_US);
}

static void what_a_flow_leaves_the_other_takes(void **state)
{
    (void)state;
    struct bwe_config c = two_flows(3000000, 50, 1);
    c.flows[1].stop = 50 * S;
    bwe_sim_run(&sim, &c);
    assert_true(bwe_sim_reaches(&sim, 0, 50, 90, 0.8) < 6);
}

static struct bwe_config beside_tcp(uint64_t rate, int rtt_ms, uint64_t seed)
{
    struct bwe_config c = bwe_sim_plain(rate, rtt_ms, 90, seed);
    c.tcp_start = 20 * S;
    c.tcp_stop = 70 * S;
    return c;
}

static void a_tcp_flow_is_neither_starved_nor_starves_it(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 4; i++)
        for (unsigned k = 0; k < 4; k++) {
            struct bwe_config c = beside_tcp(rates[i], rtts_ms[k], 1);
            bwe_sim_run(&sim, &c);
            double ours = bwe_sim_result(&sim, 0, 30, 70).goodput, tcp = mean_tcp(30, 70);
            if (ours < 0.1 || tcp < 0.2 || bwe_sim_result(&sim, 0, 80, 90).share < 0.7)
                fail_msg("%llu bit/s, %d ms: %.2f beside %.2f", (unsigned long long)rates[i],
                         rtts_ms[k], ours, tcp);
        }
}

static void the_same_seed_gives_the_same_run(void **state)
{
    (void)state;
    static struct bwe_sample before[BWE_SAMPLES];
    struct bwe_config c = two_flows(1000000, 50, 1);
    c.loss = 0.05;
    bwe_sim_run(&sim, &c);
    memcpy(before, sim.samples, sizeof before);
    bwe_sim_run(&sim, &c);
    assert_memory_equal(before, sim.samples, sizeof before);
}

/* ---- for the documentation ---- */

static void two_flows_table(usec depth)
{
    printf("\n| link | first 30 s, mean | least | later, mean of the smaller | least | longest "
           "standing queue, ms | over 150 ms, of the time |\n|---|---|---|---|---|---|---|\n");
    for (unsigned i = 0; i < 4; i++) {
        struct sharing mean = {0}, worst = {.first = 9, .smaller = 9};
        for (uint64_t seed = 1; seed <= TABLE_SEEDS; seed++)
            for (unsigned k = 0; k < 4; k++) {
                struct sharing s = run_two(i, k, seed, depth);
                mean.first += s.first / TABLE_SEEDS / 4;
                mean.smaller += s.smaller / TABLE_SEEDS / 4;
                mean.long_for += s.long_for / TABLE_SEEDS / 4;
                worst.first = fmin(worst.first, s.first);
                worst.smaller = fmin(worst.smaller, s.smaller);
                worst.standing = fmax(worst.standing, s.standing);
            }
        printf("| %.1f Mbit/s | %.2f | %.2f | %.2f | %.2f | %.0f | %.2f %% |\n",
               (double)rates[i] / 1e6, mean.first, worst.first, mean.smaller, worst.smaller,
               worst.standing, 100 * mean.long_for);
    }
}

static void tcp_table(void)
{
    static const int queues_ms[] = {100, 300, 900};
    printf("\n| queue, link | ours, mean | least | TCP |\n|---|---|---|---|\n");
    for (unsigned q = 0; q < 3; q++)
        for (unsigned i = 1; i < 4; i++) {
            double ours = 0, least = 9, tcp = 0;
            for (uint64_t seed = 1; seed <= TABLE_SEEDS; seed++)
                for (unsigned k = 0; k < 4; k++) {
                    struct bwe_config c = beside_tcp(rates[i], rtts_ms[k], seed);
                    c.queue = queues_ms[q] * MS;
                    bwe_sim_run(&sim, &c);
                    double goodput = bwe_sim_result(&sim, 0, 30, 70).goodput;
                    ours += goodput / TABLE_SEEDS / 4;
                    least = fmin(least, goodput);
                    tcp += mean_tcp(30, 70) / TABLE_SEEDS / 4;
                }
            printf("| %d ms, %.0f Mbit/s | %.2f | %.2f | %.2f |\n", queues_ms[q],
                   (double)rates[i] / 1e6, ours, least, tcp);
        }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "table") == 0) {
        two_flows_table(PACER_BURST_US);
        two_flows_table(WHOLE_FRAMES_US);
        tcp_table();
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_flow_gets_its_share_within_thirty_seconds),
        cmocka_unit_test(also_where_whole_frames_leave_at_once),
        cmocka_unit_test(what_a_flow_leaves_the_other_takes),
        cmocka_unit_test(a_tcp_flow_is_neither_starved_nor_starves_it),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
