/* What tests of stores share: a migrated database, and calls that are waited for. */
#ifndef WEIR_TEST_STORE_FIXTURE_H
#define WEIR_TEST_STORE_FIXTURE_H

#include "controller/data/migrate.h"
#include "test/unit/controller/data/db_fixture.h"

enum { STORE_TEXT = 40 };

static inline void store_copy(char out[STORE_TEXT], const char *s)
{
    snprintf(out, STORE_TEXT, "%s", s ? s : "NULL");
}

/* A call was accepted and is answered, once: *calls counts that. */
static inline void store_wait(struct fixture *f, const int *calls, enum err accepted)
{
    assert_int_equal(accepted, OK);
    assert_true(turn_until(&f->loop, calls, 1));
    assert_int_equal(*calls, 1);
}

/* call(db, arguments..., &got): what came is the test's own struct got, whose calls counts. */
#define DO(f, call, ...)                                                                           \
    ({                                                                                             \
        struct got g_ = {0};                                                                       \
        store_wait(f, &g_.calls, call((f)->db, __VA_ARGS__, &g_));                                 \
        g_;                                                                                        \
    })

struct store_migrated {
    int calls;
    enum err e;
};

static inline void store_on_migrated(void *ctx, enum err e, const struct migrate_report *report)
{
    struct store_migrated *m = ctx;
    (void)report;
    m->calls++;
    m->e = e;
}

static inline void store_migrate(struct fixture *f)
{
    struct store_migrated m = {0};
    store_wait(
        f, &m.calls,
        migrate_run(f->db, migrations_builtin, migrations_builtin_count, 0, store_on_migrated, &m));
    assert_int_equal(m.e, OK);
}

#endif
