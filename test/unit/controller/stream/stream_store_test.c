#include "controller/stream/stream_store.h"

#include "test/unit/controller/data/store_fixture.h"

enum { T0 = 1000 };

struct got {
    int calls;
    enum err e;
    size_t n;
    struct stream_row row; /* the first; numbers and the status only */
    char ids[STREAM_LIST_MAX][40];
    char title[40];
    char key[40];
    char recording_url[40];
};

static void got_done(void *ctx, enum err e)
{
    struct got *g = ctx;
    g->calls++;
    g->e = e;
}

static void got_rows(void *ctx, enum err e, const struct stream_row *rows, size_t n)
{
    struct got *g = ctx;
    got_done(g, e);
    g->n = n;
    for (size_t i = 0; i < n; i++)
        store_copy(g->ids[i], rows[i].id);
    if (n > 0) {
        g->row = rows[0];
        store_copy(g->title, rows[0].title);
        store_copy(g->key, rows[0].stream_key);
        store_copy(g->recording_url, rows[0].recording_url);
    }
}

static void got_row(void *ctx, enum err e, const struct stream_row *row)
{
    assert_true((e == OK) == (row != NULL));
    got_rows(ctx, e, row, row ? 1 : 0);
}

static void prepare(struct fixture *f)
{
    store_migrate(f);
    assert_int_equal(
        ASK0(f,
             "INSERT INTO users (id, name, created_at) VALUES ('u1', 'Ann', 1), ('u2', 'Ben', 1)")
            .e,
        OK);
}

static struct got get(struct fixture *f, const char *id)
{
    return DO(f, stream_store_get, id, got_row);
}

static struct got create(struct fixture *f, const char *id, const char *user, const char *key)
{
    struct stream_row row = {.id = id,
                             .user_id = user,
                             .room_id = id,
                             .title = "a title",
                             .stream_key = key,
                             .recording_enabled = true,
                             .created_at = T0};
    return DO(f, stream_store_create, &row, got_done);
}

static void a_stream_goes_from_scheduled_to_live_to_ended(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    assert_int_equal(create(f, "s1", "u1", "key1").e, OK);
    struct got g = get(f, "s1");
    assert_int_equal(g.row.status, STREAM_SCHEDULED);
    assert_string_equal(g.title, "a title");
    assert_int_equal(g.row.started_at, 0);
    assert_int_equal(g.row.created_at, T0);
    assert_true(g.row.recording_enabled);
    assert_int_equal(DO(f, stream_store_list_active, 50, 0, got_rows).n, 0);

    g = DO(f, stream_store_start, "s1", T0 + 1, got_row);
    assert_int_equal(g.e, OK);
    assert_int_equal(g.row.status, STREAM_LIVE);
    assert_int_equal(g.row.started_at, T0 + 1);
    /* A broadcaster that comes back does not start it anew. */
    g = DO(f, stream_store_start, "s1", T0 + 5, got_row);
    assert_int_equal(g.row.started_at, T0 + 1);
    assert_int_equal(DO(f, stream_store_list_active, 50, 0, got_rows).n, 1);

    assert_int_equal(DO(f, stream_store_end, "s1", T0 + 9, "rec/s1.mp4", got_done).e, OK);
    g = get(f, "s1");
    assert_int_equal(g.row.status, STREAM_ENDED);
    assert_int_equal(g.row.ended_at, T0 + 9);
    assert_string_equal(g.recording_url, "rec/s1.mp4");
    assert_int_equal(DO(f, stream_store_start, "s1", T0 + 10, got_row).e, ERR_NOT_FOUND);
    assert_int_equal(DO(f, stream_store_end, "s1", T0 + 11, NULL, got_done).e, ERR_NOT_FOUND);
    assert_int_equal(get(f, "s1").row.ended_at, T0 + 9);
}

static void ids_and_keys_are_unique_and_users_exist(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    assert_int_equal(create(f, "s1", "u1", "key1").e, OK);
    assert_int_equal(create(f, "s1", "u1", "key2").e, ERR_EXISTS);
    assert_int_equal(create(f, "s2", "u1", "key1").e, ERR_EXISTS);
    assert_int_equal(create(f, "s2", "nobody", "key2").e, ERR_NOT_FOUND);
    assert_int_equal(create(f, "s2", NULL, NULL).e, OK);
    assert_int_equal(create(f, "s3", NULL, NULL).e, OK);
    assert_string_equal(get(f, "s2").key, "NULL");
    assert_int_equal(get(f, "s9").e, ERR_NOT_FOUND);
}

static void keys_find_their_stream_and_only_the_owner_changes_them(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    create(f, "s1", "u1", "key1");
    create(f, "s2", "u2", "key2");
    assert_string_equal(DO(f, stream_store_get_by_key, "key1", got_row).ids[0], "s1");
    assert_int_equal(DO(f, stream_store_set_key, "s1", "u2", "new", got_done).e, ERR_NOT_FOUND);
    assert_int_equal(DO(f, stream_store_set_key, "s1", "u1", "key2", got_done).e, ERR_EXISTS);
    assert_int_equal(DO(f, stream_store_set_key, "s1", "u1", "new", got_done).e, OK);
    assert_int_equal(DO(f, stream_store_get_by_key, "key1", got_row).e, ERR_NOT_FOUND);
    assert_string_equal(DO(f, stream_store_get_by_key, "new", got_row).ids[0], "s1");
}

static void lists_are_newest_first_in_pages(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    for (int i = 0; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof id, "s%d", i);
        create(f, id, i < 3 ? "u1" : "u2", NULL);
        DO(f, stream_store_start, id, T0 + i, got_row);
    }
    struct got g = DO(f, stream_store_list_active, 2, 1, got_rows);
    assert_int_equal(g.n, 2);
    assert_string_equal(g.ids[0], "s3");
    assert_string_equal(g.ids[1], "s2");
    assert_int_equal(DO(f, stream_store_list_active, -5, -5, got_rows).n, 1);
    assert_int_equal(DO(f, stream_store_list_active, INT64_MAX, 0, got_rows).n, 5);
    assert_int_equal(DO(f, stream_store_list_active, 50, INT64_MAX, got_rows).n, 0);
    assert_int_equal(DO(f, stream_store_list_user, "u1", true, 50, 0, got_rows).n, 3);
    assert_int_equal(DO(f, stream_store_list_user, "u9", true, 50, 0, got_rows).n, 0);
}

static void unannounced_streams_are_put_live_and_taken_up_again(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    struct stream_row row = {
        .id = "demo", .room_id = "demo", .title = "Demo", .created_at = T0, .started_at = T0};
    assert_int_equal(DO(f, stream_store_put_live, &row, got_done).e, OK);
    assert_int_equal(get(f, "demo").row.status, STREAM_LIVE);
    assert_int_equal(DO(f, stream_store_end, "demo", T0 + 5, NULL, got_done).e, OK);
    row.title = "other";
    row.started_at = T0 + 7;
    assert_int_equal(DO(f, stream_store_put_live, &row, got_done).e, OK);
    struct got g = get(f, "demo");
    assert_int_equal(g.row.status, STREAM_LIVE);
    assert_int_equal(g.row.started_at, T0 + 7);
    assert_int_equal(g.row.ended_at, 0);
    assert_string_equal(g.title, "Demo");
}

static void what_was_live_at_a_crash_is_ended_and_may_go_on(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    create(f, "s1", "u1", NULL);
    create(f, "s2", "u1", NULL);
    create(f, "s3", "u1", NULL);
    DO(f, stream_store_start, "s1", T0, got_row);
    DO(f, stream_store_start, "s2", T0, got_row);
    DO(f, stream_store_end, "s2", T0 + 1, NULL, got_done);
    DO(f, stream_store_viewer_joined, "v1", "s1", NULL, T0, got_done);
    struct got g = DO(f, stream_store_end_all_live, T0 + 5, got_rows);
    assert_int_equal(g.n, 1);
    assert_string_equal(g.ids[0], "s1");
    assert_int_equal(get(f, "s1").row.status, STREAM_ENDED);
    assert_int_equal(get(f, "s1").row.ended_at, T0 + 5);
    assert_int_equal(get(f, "s3").row.status, STREAM_SCHEDULED);
    assert_string_equal(ASK0(f, "SELECT left_at FROM livestream_viewers").cell[0][0], "1005");
    assert_int_equal(DO(f, stream_store_end_all_live, T0 + 6, got_rows).n, 0);

    assert_int_equal(DO(f, stream_store_start_again, "s2", got_row).e, ERR_NOT_FOUND);
    g = DO(f, stream_store_start_again, "s1", got_row);
    assert_int_equal(g.e, OK);
    assert_int_equal(g.row.status, STREAM_LIVE);
    assert_int_equal(g.row.started_at, T0);
    assert_int_equal(g.row.ended_at, 0);
    assert_int_equal(DO(f, stream_store_start_again, "s1", got_row).e, ERR_NOT_FOUND);
}

static void the_peak_only_grows(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    create(f, "s1", "u1", NULL);
    static const struct {
        int64_t set;
        int64_t peak;
    } steps[] = {{5, 5}, {3, 5}, {9, 9}, {0, 9}};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(DO(f, stream_store_viewer_peak, "s1", steps[i].set, got_done).e, OK);
        assert_int_equal(get(f, "s1").row.viewer_count_peak, steps[i].peak);
    }
    assert_int_equal(DO(f, stream_store_viewer_peak, "s9", 1, got_done).e, ERR_NOT_FOUND);
    assert_int_equal(DO(f, stream_store_set_thumbnail, "s1", "t.jpg", got_done).e, OK);
    assert_string_equal(ASK0(f, "SELECT thumbnail_url FROM livestreams").cell[0][0], "t.jpg");
}

static void viewers_join_and_leave(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    create(f, "s1", "u1", NULL);
    assert_int_equal(DO(f, stream_store_viewer_joined, "v1", "s1", "u2", T0, got_done).e, OK);
    assert_int_equal(DO(f, stream_store_viewer_joined, "v2", "s1", NULL, T0, got_done).e, OK);
    assert_int_equal(DO(f, stream_store_viewer_joined, "v3", "s9", NULL, T0, got_done).e,
                     ERR_NOT_FOUND);
    assert_int_equal(DO(f, stream_store_viewer_left, "v1", T0 + 2, got_done).e, OK);
    assert_int_equal(DO(f, stream_store_viewer_left, "v1", T0 + 3, got_done).e, ERR_NOT_FOUND);
    assert_int_equal(DO(f, stream_store_end, "s1", T0 + 9, NULL, got_done).e, OK);
    struct answer a = ASK0(f, "SELECT left_at, user_id FROM livestream_viewers ORDER BY id");
    assert_string_equal(a.cell[0][0], "1002");
    assert_string_equal(a.cell[1][0], "1009");
    assert_string_equal(a.cell[1][1], "NULL");
}

static void callbacks_may_be_left_out(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    create(f, "s1", "u1", NULL);
    assert_int_equal(stream_store_viewer_peak(f->db, "s1", 4, NULL, NULL), OK);
    assert_int_equal(stream_store_start(f->db, "s1", T0, NULL, NULL), OK);
    assert_int_equal(get(f, "s1").row.viewer_count_peak, 4);
    assert_string_equal(stream_status_name(get(f, "s1").row.status), "live");
}

static void plans_are_changed_in_parts_and_listed(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    create(f, "s1", "u1", "key1");
    create(f, "s2", "u1", "key2");
    create(f, "s3", "u1", "key3");
    const int64_t at[] = {5000, 4000, 0};
    const int64_t limit = 7;
    const bool no = false;
    const struct stream_change first = {.scheduled_at = &at[0], .viewer_limit = &limit};
    struct got g = DO(f, stream_store_change, "s1", &first, got_row);
    assert_int_equal(g.e, OK);
    assert_int_equal(g.row.scheduled_at, 5000);
    assert_int_equal(g.row.viewer_limit, 7);
    assert_string_equal(g.title, "a title");
    assert_true(g.row.recording_enabled);
    const struct stream_change second = {
        .title = "other", .recording_enabled = &no, .scheduled_at = &at[1]};
    g = DO(f, stream_store_change, "s2", &second, got_row);
    assert_string_equal(g.title, "other");
    assert_false(g.row.recording_enabled);
    g = DO(f, stream_store_list_scheduled, 3000, 50, 0, got_rows);
    assert_int_equal(g.n, 2);
    assert_string_equal(g.ids[0], "s2");
    assert_int_equal(DO(f, stream_store_list_scheduled, 4000, 50, 0, got_rows).n, 1);
    assert_int_equal(DO(f, stream_store_list_user, "u1", false, 50, 0, got_rows).n, 2);
    assert_int_equal(DO(f, stream_store_list_user, "u1", true, 50, 0, got_rows).n, 3);
    const struct stream_change third = {.scheduled_at = &at[2]};
    g = DO(f, stream_store_change, "s1", &third, got_row);
    assert_int_equal(g.row.scheduled_at, 0);
    assert_int_equal(g.row.viewer_limit, 7);
    assert_int_equal(DO(f, stream_store_list_scheduled, 0, 50, 0, got_rows).n, 1);
    assert_int_equal(DO(f, stream_store_change, "nothing", &third, got_row).e, ERR_NOT_FOUND);
}

int main(void)
{
    static const struct named_test tests[] = {
        {"a stream goes from scheduled to live to ended",
         a_stream_goes_from_scheduled_to_live_to_ended, false},
        {"ids and keys are unique and users exist", ids_and_keys_are_unique_and_users_exist, false},
        {"keys find their stream and only the owner changes them",
         keys_find_their_stream_and_only_the_owner_changes_them, false},
        {"lists are newest first in pages", lists_are_newest_first_in_pages, false},
        {"unannounced streams are put live and taken up again",
         unannounced_streams_are_put_live_and_taken_up_again, false},
        {"what was live at a crash is ended and may go on",
         what_was_live_at_a_crash_is_ended_and_may_go_on, false},
        {"the peak only grows", the_peak_only_grows, false},
        {"viewers join and leave", viewers_join_and_leave, false},
        {"plans are changed in parts and listed", plans_are_changed_in_parts_and_listed, false},
        {"callbacks may be left out", callbacks_may_be_left_out, false},
    };
    return run_on_all_engines("stream_store", tests, sizeof tests / sizeof tests[0]);
}
