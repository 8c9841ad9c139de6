/* What the bench counts inside the worker: calls of the allocator and of the kernel. The library
 * counters_preload.c is loaded into the worker (LD_PRELOAD) and counts into memory that the bench
 * shares with it. No IO. */
#ifndef WEIR_TEST_BENCH_COUNTERS_H
#define WEIR_TEST_BENCH_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

/* Names the descriptor of the shared memory in the worker's environment. */
#define BENCH_COUNTERS_ENV "BENCH_COUNTERS_FD"

struct bench_counters {
    _Atomic uint64_t allocations;  /* malloc, calloc, realloc and the aligned ones */
    _Atomic uint64_t system_calls; /* those of a loop that moves packets */
};

#endif
