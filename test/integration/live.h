/* What the tests with a real worker share: one worker a test, and waiting for what must happen. */
#ifndef WEIR_TEST_INTEGRATION_LIVE_H
#define WEIR_TEST_INTEGRATION_LIVE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "test/lib/net.h"

/* Runs the loop until the condition holds; fails the test when it does not in time. */
#define UNTIL(net, condition)                                                                      \
    do {                                                                                           \
        usec since_ = clock_now();                                                                 \
        while (!(condition)) {                                                                     \
            if (net_late((net), since_, #condition))                                               \
                fail();                                                                            \
            net_step((net), 100 * USEC_PER_MSEC);                                                  \
        }                                                                                          \
    } while (0)

#define assert_prefix(text, start)                                                                 \
    do {                                                                                           \
        const char *text_ = (text);                                                                \
        if (strncmp(text_, (start), strlen(start)) != 0)                                           \
            fail_msg("\"%s\" does not start with \"%s\"", text_, (start));                         \
    } while (0)

/* A worker on 127.0.0.1 as the test's state. */
static inline int worker_up(void **state)
{
    struct net *net = calloc(1, sizeof *net);
    if (!net)
        return -1;
    net_init(net, NULL);
    *state = net;
    return 0;
}

/* It must end by itself with 0, without a word from a sanitizer. */
static inline int worker_down(void **state)
{
    struct net *net = *state;
    const char *wrong = net->driver.events ? driver_stop(&net->driver) : NULL;
    if (wrong)
        print_error("%s\n", wrong);
    free(net);
    return wrong ? -1 : 0;
}

#define live_test(f) cmocka_unit_test_setup_teardown(f, worker_up, worker_down)

#endif
