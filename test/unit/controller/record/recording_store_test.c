#include "controller/record/recording_store.h"

#include "test/unit/controller/data/store_fixture.h"

enum { T0 = 1000 };

struct got {
    int calls;
    enum err e;
    size_t n;
    struct recording_row row; /* the first; numbers, kind, status and visibility only */
    char ids[16][40];
    char title[40];
    char owner[40];
    char failure[40];
};

static void got_done(void *ctx, enum err e)
{
    struct got *g = ctx;
    g->calls++;
    g->e = e;
}

static void got_rows(void *ctx, enum err e, const struct recording_row *rows, size_t n)
{
    struct got *g = ctx;
    got_done(g, e);
    g->n = n;
    for (size_t i = 0; i < n && i < 16; i++)
        store_copy(g->ids[i], rows[i].id);
    if (n > 0) {
        g->row = rows[0];
        store_copy(g->title, rows[0].title);
        store_copy(g->owner, rows[0].owner_hash);
        store_copy(g->failure, rows[0].failure);
    }
}

static void got_row(void *ctx, enum err e, const struct recording_row *row)
{
    assert_true((e == OK) == (row != NULL));
    got_rows(ctx, e, row, row ? 1 : 0);
}

static void prepare(struct fixture *f)
{
    store_migrate(f);
}

static struct got get(struct fixture *f, const char *id)
{
    return DO(f, recording_store_get, id, got_row);
}

static void create(struct fixture *f, const char *id, const char *room,
                   enum recording_visibility visibility, int64_t at)
{
    struct recording_row row = {.id = id,
                                .stream_id = "s1",
                                .room_id = room,
                                .title = "a title",
                                .status = RECORDING_RECORDING,
                                .visibility = visibility,
                                .owner_hash = "hash",
                                .started_at = at};
    assert_int_equal(DO(f, recording_store_create, &row, got_done).e, OK);
    assert_int_equal(DO(f, recording_store_create, &row, got_done).e, ERR_EXISTS);
}

static struct got ready(struct fixture *f, const char *id, enum recording_status status)
{
    struct recording_row row = {.id = id,
                                .status = status,
                                .ended_at = T0 + 9,
                                .duration_ms = 8000,
                                .size_bytes = (int64_t)5e9,
                                .failure = status == RECORDING_FAILED ? "the disk is full" : NULL};
    return DO(f, recording_store_update, &row, got_done);
}

static void a_recording_goes_from_recording_to_ready(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    create(f, "r1", "room", RECORDING_UNLISTED, T0);
    struct got g = get(f, "r1");
    assert_int_equal(g.row.status, RECORDING_RECORDING);
    assert_int_equal(g.row.visibility, RECORDING_UNLISTED);
    assert_false(g.row.clip);
    assert_int_equal(g.row.started_at, T0);
    assert_int_equal(g.row.ended_at, 0);
    assert_string_equal(g.owner, "hash");
    assert_int_equal(ready(f, "r1", RECORDING_READY).e, OK);
    g = get(f, "r1");
    assert_int_equal(g.row.status, RECORDING_READY);
    assert_int_equal(g.row.ended_at, T0 + 9);
    assert_int_equal(g.row.duration_ms, 8000);
    assert_int_equal(g.row.size_bytes, (int64_t)5e9);
    assert_string_equal(g.failure, "NULL");
    assert_int_equal(ready(f, "r1", RECORDING_FAILED).e, OK);
    assert_string_equal(get(f, "r1").failure, "the disk is full");
    assert_int_equal(get(f, "r9").e, ERR_NOT_FOUND);
}

static void its_owner_renames_and_publishes_it(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    create(f, "r1", "room", RECORDING_UNLISTED, T0);
    enum recording_visibility open = RECORDING_PUBLIC;
    assert_int_equal(DO(f, recording_store_change, "r1", "it's new", NULL, got_done).e, OK);
    assert_string_equal(get(f, "r1").title, "it's new");
    assert_int_equal(get(f, "r1").row.visibility, RECORDING_UNLISTED);
    assert_int_equal(DO(f, recording_store_change, "r1", NULL, &open, got_done).e, OK);
    assert_string_equal(get(f, "r1").title, "it's new");
    assert_int_equal(get(f, "r1").row.visibility, RECORDING_PUBLIC);
    assert_int_equal(DO(f, recording_store_change, "r9", "x", &open, got_done).e, ERR_NOT_FOUND);
}

static void lists_show_what_may_be_shown_newest_first(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    create(f, "r1", "a", RECORDING_PUBLIC, T0);
    create(f, "r2", "b", RECORDING_PUBLIC, T0 + 1);
    create(f, "r3", "b", RECORDING_UNLISTED, T0 + 2);
    create(f, "r4", "b", RECORDING_PRIVATE, T0 + 3);
    create(f, "r5", "b", RECORDING_PUBLIC, T0 + 4);
    for (int i = 1; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof id, "r%d", i);
        ready(f, id, RECORDING_READY);
    }
    struct got g = DO(f, recording_store_list_public, NULL, 50, 0, got_rows);
    assert_int_equal(g.n, 2);
    assert_string_equal(g.ids[0], "r2");
    assert_string_equal(g.ids[1], "r1");
    assert_int_equal(DO(f, recording_store_list_public, "a", 50, 0, got_rows).n, 1);
    assert_string_equal(DO(f, recording_store_list_public, NULL, 1, 1, got_rows).ids[0], "r1");
    assert_int_equal(DO(f, recording_store_list_public, NULL, -5, -5, got_rows).n, 1);
    g = DO(f, recording_store_list_owned, "hash", 50, 0, got_rows);
    assert_int_equal(g.n, 5);
    assert_string_equal(g.ids[0], "r5");
    assert_int_equal(DO(f, recording_store_list_owned, "other", 50, 0, got_rows).n, 0);
}

static void what_a_crash_interrupted_is_found_and_what_is_oldest(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    create(f, "r1", "a", RECORDING_UNLISTED, T0 + 3);
    create(f, "r2", "a", RECORDING_UNLISTED, T0 + 2);
    create(f, "r3", "a", RECORDING_UNLISTED, T0 + 1);
    create(f, "r4", "a", RECORDING_UNLISTED, T0);
    ready(f, "r2", RECORDING_READY);
    ready(f, "r3", RECORDING_FAILED);
    ready(f, "r4", RECORDING_PROCESSING);
    struct got g = DO(f, recording_store_list_unfinished, got_rows);
    assert_int_equal(g.n, 2);
    struct got old = DO(f, recording_store_list_oldest, got_rows);
    assert_int_equal(old.n, 2);
    assert_string_equal(old.ids[0], "r3");
    assert_int_equal(DO(f, recording_store_delete, "r3", got_done).e, OK);
    assert_int_equal(get(f, "r3").e, ERR_NOT_FOUND);
}

static void visibilities_have_names(void **state)
{
    enum recording_visibility v;
    (void)state;
    assert_int_equal(recording_visibility_parse("private", &v), OK);
    assert_int_equal(v, RECORDING_PRIVATE);
    assert_string_equal(recording_visibility_name(RECORDING_PUBLIC), "public");
    assert_int_equal(recording_visibility_parse("secret", &v), ERR_RANGE);
    assert_int_equal(recording_visibility_parse(NULL, &v), ERR_RANGE);
}

int main(void)
{
    static const struct named_test tests[] = {
        {"a recording goes from recording to ready", a_recording_goes_from_recording_to_ready,
         false},
        {"its owner renames and publishes it", its_owner_renames_and_publishes_it, false},
        {"lists show what may be shown, newest first", lists_show_what_may_be_shown_newest_first,
         false},
        {"what a crash interrupted is found, and what is oldest",
         what_a_crash_interrupted_is_found_and_what_is_oldest, false},
        {"visibilities have names", visibilities_have_names, false},
    };
    return run_on_all_engines("recording_store", tests, sizeof tests / sizeof tests[0]);
}
