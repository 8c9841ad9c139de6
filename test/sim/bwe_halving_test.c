/* The estimator on a link that halves and recovers, in virtual time. `bwe_halving_test table`
 * prints the results as a table for docs/bwe.md; `bwe_halving_test survey FIRST LAST` runs other
 * seeds, says which runs do not hold the bounds, and fails if any does not. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/lib/bwe_sim.h"

enum { MS = 1000, QUEUE_MAX_MS = 150, BACK_BY = 5, SEEDS = 4, TABLE_SEEDS = 8 };

#define S USEC_PER_SEC

static struct bwe_sim sim;

static const uint64_t rates[] = {300000, 1000000, 3000000, 10000000};
static const int rtts_ms[] = {20, 50, 100, 200};

/* Seconds after from until the queue has once been shorter than this. */
static double drained(double from, double to, double queue_ms)
{
    for (unsigned i = 0; i < sim.n; i++)
        if (sim.samples[i].at > from && sim.samples[i].at <= to &&
            sim.samples[i].queue_min < queue_ms)
            return sim.samples[i].at - from;
    return 999;
}

static struct bwe_config halving(uint64_t rate, int rtt_ms, uint64_t seed)
{
    struct bwe_config c = bwe_sim_plain(rate, rtt_ms, 60, seed);
    c.capacity[1] = (struct bwe_step){20 * S, rate / 2};
    c.capacity[2] = (struct bwe_step){40 * S, rate};
    return c;
}

static const struct {
    double loss;
    double burst;
    const char *name;
} losses[] = {{0, 0, "none"},
              {0.05, 0, "5 %"},
              {0.1, 0, "10 %"},
              {0.02, 5, "2 % in bursts"},
              {0.05, 5, "5 % in bursts"},
              {0.1, 4, "10 % in bursts"}};

enum { LOSSES = sizeof losses / sizeof losses[0] };

struct change {
    struct bwe_result half;  /* from BACK_BY after it halved */
    struct bwe_result again; /* and after it recovered */
    double drained;          /* s: the queue of the old rate is below QUEUE_MAX_MS */
    double settled;          /* s, on the half */
    double back;             /* s, to 80 % */
};

static struct change run_halving(unsigned i, unsigned k, unsigned loss, uint64_t seed)
{
    struct bwe_config c = halving(rates[i], rtts_ms[k], seed);
    c.loss = losses[loss].loss;
    c.burst_length = losses[loss].burst;
    bwe_sim_run(&sim, &c);
    return (struct change){.half = bwe_sim_result(&sim, 0, 20 + BACK_BY, 40),
                           .again = bwe_sim_result(&sim, 0, 40 + BACK_BY, 60),
                           .drained = drained(20.5, 40, QUEUE_MAX_MS),
                           .settled = bwe_sim_result(&sim, 0, 20, 40).settled,
                           .back = bwe_sim_reaches(&sim, 0, 40, 60, 0.8)};
}

static bool holds(const struct change *c)
{
    return c->drained <= 3 && c->settled <= BACK_BY && c->back <= BACK_BY && c->half.share >= 0.8 &&
           c->half.share <= 1 && c->half.queue_standing <= QUEUE_MAX_MS && c->again.share >= 0.8 &&
           c->again.share <= 1 && c->again.queue_standing <= QUEUE_MAX_MS;
}

/* The number of runs that do not hold the bounds; each is printed. */
static unsigned check_halving(unsigned loss, uint64_t first, uint64_t last)
{
    unsigned bad = 0;
    for (uint64_t seed = first; seed <= last; seed++)
        for (unsigned i = 0; i < 4; i++)
            for (unsigned k = 0; k < 4; k++) {
                struct change c = run_halving(i, k, loss, seed);
                if (holds(&c))
                    continue;
                bad++;
                print_message(
                    "%llu bit/s, %d ms, loss %s, seed %llu: queue drained after %.1f s, half "
                    "settled after %.1f s, used %.2f with %.0f ms; back after %.1f s, used %.2f "
                    "with %.0f ms\n",
                    (unsigned long long)rates[i], rtts_ms[k], losses[loss].name,
                    (unsigned long long)seed, c.drained, c.settled, c.half.share,
                    c.half.queue_standing, c.back, c.again.share, c.again.queue_standing);
            }
    return bad;
}

static void a_link_that_halves_is_left_in_time_and_found_again(void **state)
{
    (void)state;
    assert_int_equal(check_halving(0, 1, SEEDS), 0);
}

static void the_same_with_random_loss(void **state)
{
    (void)state;
    assert_int_equal(check_halving(1, 1, SEEDS), 0);
    assert_int_equal(check_halving(2, 1, SEEDS), 0);
}

static void the_same_with_loss_in_bursts(void **state)
{
    (void)state;
    for (unsigned loss = 3; loss < LOSSES; loss++)
        assert_int_equal(check_halving(loss, 1, SEEDS), 0);
}

/* ---- for the documentation ---- */

static int table(void)
{
    printf(
        "| loss | 80 %% again after, mean s | latest s | settled on the half, mean s | latest s | "
        "standing queue, ms |\n|---|---|---|---|---|---|\n");
    for (unsigned loss = 0; loss < LOSSES; loss++) {
        double back = 0, back_max = 0, half = 0, half_max = 0, queue = 0;
        for (uint64_t seed = 1; seed <= TABLE_SEEDS; seed++)
            for (unsigned run = 0; run < 16; run++) {
                struct change c = run_halving(run / 4, run % 4, loss, seed);
                back += c.back / TABLE_SEEDS / 16;
                back_max = fmax(back_max, c.back);
                half += c.settled / TABLE_SEEDS / 16;
                half_max = fmax(half_max, c.settled);
                queue = fmax(queue, fmax(c.half.queue_standing, c.again.queue_standing));
            }
        printf("| %s | %.1f | %.1f | %.1f | %.1f | %.0f |\n", losses[loss].name, back, back_max,
               half, half_max, queue);
    }
    return 0;
}

static int survey(uint64_t first, uint64_t last)
{
    unsigned bad = 0;
    for (unsigned loss = 0; loss < LOSSES; loss++)
        bad += check_halving(loss, first, last);
    printf("%u of %llu runs do not hold the bounds\n", bad,
           (unsigned long long)(last - first + 1) * LOSSES * 16);
    return bad > 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "table") == 0)
        return table();
    if (argc > 3 && strcmp(argv[1], "survey") == 0)
        return survey(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_that_halves_is_left_in_time_and_found_again),
        cmocka_unit_test(the_same_with_random_loss),
        cmocka_unit_test(the_same_with_loss_in_bursts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
