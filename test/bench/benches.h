/* The benches of `make bench`: each prints a table and writes its figures to json. No IO beyond. */
#ifndef WEIR_TEST_BENCH_BENCHES_H
#define WEIR_TEST_BENCH_BENCHES_H

#include <stdio.h>

/* args: words that choose among a bench's setups, NULL at the end; none: all of them. */
void forward_bench(FILE *json, char **args);
void memory_bench(FILE *json, char **args);
void latency_bench(FILE *json, char **args);
void key_frames_bench(FILE *json, char **args);
/* Words are numbers of viewers. */
void janus_bench(FILE *json, char **args);

#endif
